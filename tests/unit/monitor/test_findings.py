"""The rules a person hears about, at their bounds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from common import metrics
from common.messages import Alert, Liquidity, Mode, Severity, Side
from monitor.gauges import count_markout, set_gauges
from tests.unit.monitor.builders import COIN, Watch, account, beat, context, fill, permit, spec, touch


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    found = Watch(tmp_path)
    found.say(spec())
    return found


def told(watch: Watch, *messages: Any) -> dict[str, Severity]:
    """Alerts of the next judgement after these messages."""
    out = [*watch.say(*messages), *watch.tick(watch.s + 0.5)]
    return {one.name: one.severity for one in out if isinstance(one, Alert)}


def test_half_the_session_loss_is_told_before_the_kill(watch: Watch) -> None:
    """Equity 1,000: the kill is at $100, half of it at $50; 0.12 falling by 417 quote lose $50.04."""
    bought = fill(watch.t_ns, fee_e8=0)
    assert "session_loss" not in told(watch, bought, context(watch.t_ns, mark=752_400 - 416_000))
    assert told(watch, context(watch.t_ns, mark=752_400 - 417_000))["session_loss"] is Severity.WARNING


@pytest.mark.parametrize(("takers", "names"), [(5, set()), (6, {"taker_share"}), (11, {"taker_share", "maker_share"})])
def test_taker_share_is_told_above_five_percent_of_a_hundred_fills(watch: Watch, takers: int, names: set[str]) -> None:
    for tid in range(100):
        liquidity = Liquidity.TAKER if tid < takers else Liquidity.MAKER
        watch.say(fill(watch.t_ns, tid, liquidity=liquidity, side=Side.BID if tid % 2 else Side.ASK))
    assert set(told(watch)) & {"taker_share", "maker_share"} == names


def test_shares_of_few_fills_are_not_judged(watch: Watch) -> None:
    assert "taker_share" not in told(watch, fill(watch.t_ns, liquidity=Liquidity.TAKER))


@pytest.mark.parametrize(("rate", "is_told"), [(0.0001, False), (0.00011, True), (-0.00011, True)])
def test_funding_is_told_above_a_bp_an_hour(watch: Watch, rate: float, is_told: bool) -> None:
    assert ("funding_high" in told(watch, context(watch.t_ns, funding=rate))) is is_told


@pytest.mark.parametrize(("used", "is_told"), [(8_900, False), (8_901, True)])
def test_last_two_thousand_actions_are_told(watch: Watch, used: int, is_told: bool) -> None:
    assert ("actions_low" in told(watch, account(watch.t_ns, actions_used=used))) is is_told


@pytest.mark.parametrize(
    ("drawdown", "severity"),
    [(0.02, None), (0.021, Severity.WARNING), (0.05, Severity.WARNING), (0.051, Severity.EMERGENCY)],
)
def test_drawdown_has_two_levels(watch: Watch, drawdown: float, severity: Severity | None) -> None:
    assert told(watch, permit(watch.t_ns, drawdown=drawdown)).get("drawdown") is severity


def test_killed_is_an_emergency(watch: Watch) -> None:
    assert told(watch, permit(watch.t_ns, Mode.KILLED, reasons=["operator"]))["killed"] is Severity.EMERGENCY


def test_market_that_does_not_pay_is_told_with_its_interval(watch: Watch) -> None:
    for i in range(0, 4_000, 10):
        watch.tick(float(i))
        watch.say(touch(watch.t_ns))
        if i % 60 == 0:  # bought half a tick above the mid: a loss of 0.6645 bps and the fee of 0.3
            watch.say(fill(watch.t_ns, i, px_u=752_500, side=Side.BID if i % 120 else Side.ASK))
            watch.say(fill(watch.t_ns, i + 1, px_u=752_500, side=Side.BID))
    found = [row for row in watch.engine.alerts.rows() if row["name"] == "edge_negative"]
    assert len(found) == 1
    assert "does not pay" in str(found[0]["text"])


def test_gauges_show_what_the_page_shows(watch: Watch) -> None:
    watch.say(touch(watch.t_ns), context(watch.t_ns), fill(watch.t_ns), account(watch.t_ns), permit(watch.t_ns))
    watch.say(beat(watch.t_ns, "feed"))
    for second in range(1, 12):
        watch.tick(float(second))
        watch.say(touch(watch.t_ns))
    set_gauges(watch.engine)
    net = watch.engine.money.pnl(752_440)["net"] / 1e8
    assert metrics.value("amm_session_pnl_usd", account="main") == net
    assert metrics.value("amm_position_base_units", coin=COIN) == 0.12
    assert metrics.value("amm_fees_paid_usd", coin=COIN) == 0.002709
    assert metrics.value("amm_margin_ratio", account="main") == 0.17
    assert metrics.value("amm_rate_limit_remaining_requests", account="main") == 10_480
    assert metrics.value("amm_heartbeat_timestamp_seconds", service="feed") > 0


def test_markouts_are_summed_by_sign() -> None:
    before = metrics.value("amm_markout_adverse_bps_total", coin="X", horizon="5s")
    count_markout("X", 5, -1.5)
    count_markout("X", 5, 0.5)
    assert metrics.value("amm_markout_adverse_bps_total", coin="X", horizon="5s") == before + 1.5
    assert metrics.value("amm_markout_favourable_bps_total", coin="X", horizon="5s") >= 0.5
