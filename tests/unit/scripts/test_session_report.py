"""The report must name every difference between our books and the venue's, and never call a dirty run clean."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.session_report import Report, merged, shown

US = "0x" + "1" * 40
NO_EDGE = {"mean": None, "lo": None, "hi": None, "fills": 0, "blocks": 0}


def a_session(**changes: Any) -> dict[str, Any]:
    pnl = {"net": 0.5, "spread": 1.0, "inventory": -0.3, "fees": -0.2, "funding": 0.0}
    exact = {f"{name}_e8": round(value * 1e8) for name, value in pnl.items()}
    return {
        "market": "sx:BTC", "market_hours": 1.0, "fills": 3, "position_u": 7, "pnl": pnl | exact, "edge_bps": NO_EDGE,
        "volume_usd": 100.0, "maker_share": 1.0, "markouts": [{"horizon_s": 5.0, "mean_bps": 0.1}],
        "annualised_vol": 0.2, "vol_returns": 10,
    } | changes  # fmt: skip


def a_ledger(**changes: Any) -> dict[str, Any]:
    account = {
        "deposits_e8": 1000 * 10**8, "equity_e8": 1000 * 10**8 + 50_000_000, "fees_e8": 20_000_000, "funding_e8": 0,
        "fills": 3, "positions_u": {"sx:BTC": 7},
    } | changes  # fmt: skip
    return {
        "accounts": {US: account},
        "actions": {US: {"used": 120, "cap": 10_000}},
        "orders": [],
        "zero": {"cash_e8": 0, "fees_e8": 0, "funding_e8": 0, "positions_u": {"sx:BTC": 0}},
    }


def a_report(session: dict[str, Any], ledger: dict[str, Any], errors: list[dict[str, Any]] | None = None) -> Report:
    facts = {"source": "synthetic", "seed": 1, "latency": "typical", "queue": "risk-averse", "speed": 20.0}
    return Report(merged(session, ledger, US, errors or [], facts))


def test_equal_books_and_nothing_resting_are_clean() -> None:
    report = a_report(a_session(), a_ledger())
    assert report.faults() == []
    assert report.data["reconciliation"] == {"exact": True, "differences": [], "residual_e8": 0}
    assert report.data["actions_per_market_minute"] == 2.0
    assert "equal to the venue's" in shown(report)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"equity_e8": 1000 * 10**8 + 50_000_001}, "net_e8"),
        ({"fees_e8": 20_000_001}, "fees_e8"),
        ({"positions_u": {}}, "position_u"),
        ({"fills": 4}, "fills"),
        ({"funding_e8": -1}, "funding_e8"),
    ],
)
def test_a_difference_of_one_unit_is_named(change: dict[str, Any], named: str) -> None:
    report = a_report(a_session(), a_ledger(**change))
    assert not report.data["reconciliation"]["exact"]
    assert any(named in fault for fault in report.faults())


def test_a_part_that_does_not_sum_is_named() -> None:
    session = a_session()
    session["pnl"]["spread_e8"] += 1
    assert any("sum of the parts" in fault for fault in a_report(session, a_ledger()).faults())


def test_resting_orders_and_logged_errors_make_a_run_unclean() -> None:
    ledger = a_ledger() | {"orders": [{"address": US, "oid": 1}]}
    faults = a_report(a_session(), ledger, [{"service": "feed", "level": "error"}]).faults()
    assert len(faults) == 2
