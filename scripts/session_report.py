"""The session's report: our own books beside the venue's, to the last 1e-8, and what a person wants to read.

The monitor gives what we believe (`GET /api/session`), the venue what is true (`GET /sim/ledger`). Both are read
until they speak of the same fills and funding payments; then every part of PnL, the position and the fees must be
equal, or the report says by how much they are not.
"""

from __future__ import annotations

import contextlib
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.config import Settings
from common.errors import LinkDown
from common.ticks import px_decimals, to_text
from scripts.stack import Plan, Stack, wait_for

SETTLE_S = 20.0
E8 = 100_000_000
PARTS = ("spread", "inventory", "fees", "funding")


@dataclass(frozen=True)
class Report:
    """What `reports/session/latest.json` holds."""

    data: dict[str, Any]

    def faults(self) -> list[str]:
        """What makes a run unclean; empty = exit code 0."""
        data, found = self.data, []
        if data["resting_at_venue"]:
            found.append(f"{data['resting_at_venue']} orders still rest at the venue")
        found += [f"our books differ from the venue's: {line}" for line in data["reconciliation"]["differences"]]
        if data["errors"]:
            found.append(f"{data['errors']} lines were logged at ERROR or above, first: {data['first_error']}")
        return found


def settle(stack: Stack, plan: Plan, settings: Settings) -> Report:
    """Stop quoting, wait for 0 resting, and read both books of the same moment."""
    stack.command("pause", "the session ends")
    with contextlib.suppress(LinkDown):  # the report says how many still rest, and the exit code with it
        wait_for(lambda: stack.resting() == 0, SETTLE_S, "0 resting at the venue")
    ledger, session = _same_moment(stack, settings.market.coin)
    return Report(merged(session, ledger, stack.master, stack.errors(), _plan_facts(plan)))


def _same_moment(stack: Stack, coin: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Ledger and session that know of the same fills and funding; the last pair when they never agree."""
    deadline = time.monotonic() + SETTLE_S
    while True:
        ledger = stack.ledger()
        market = ledger["markets"][coin]
        mark = to_text(market["mark_px_u"], px_decimals(market["sz_decimals"]))
        session = stack.session(mark)
        account = ledger["accounts"][stack.master]
        same = session["fills"] == account["fills"] and session["pnl"]["funding_e8"] == account["funding_e8"]
        if same or time.monotonic() > deadline:
            return ledger, session
        time.sleep(0.1)


def _plan_facts(plan: Plan) -> dict[str, Any]:
    source = "synthetic" if plan.data is None else f"replay of {plan.data.name}"
    return {"source": source, "seed": plan.seed, "latency": plan.latency, "queue": plan.queue, "speed": plan.speed}


def merged(
    session: dict[str, Any], ledger: dict[str, Any], address: str, errors: list[dict[str, Any]], facts: dict[str, Any]
) -> dict[str, Any]:
    """One tree out of both views; pure, so that a test can plant a difference and see it named."""
    account, actions = ledger["accounts"][address], ledger["actions"][address]
    minutes = max(session["market_hours"] * 60.0, 1e-9)
    return session | facts | {
        "accelerated": facts["speed"] > 1,
        "actions": actions["used"],
        "actions_per_market_minute": round(actions["used"] / minutes, 3),
        "action_budget": {**actions, "remaining": actions["cap"] - actions["used"]},
        "equity_start_e8": account["deposits_e8"],
        "equity_e8": account["equity_e8"],
        "resting_at_venue": sum(order["address"] == address for order in ledger["orders"]),
        "reconciliation": reconciled(session, account, ledger),
        "errors": len(errors),
        "first_error": errors[0] if errors else None,
    }  # fmt: skip


def reconciled(session: dict[str, Any], account: dict[str, Any], ledger: dict[str, Any]) -> dict[str, Any]:
    """Our sums beside the venue's: `{"exact": bool, "differences": [...], "residual_e8": int}`."""
    pnl = session["pnl"]
    ours = {
        "fills": session["fills"],
        "position_u": session["position_u"],
        "fees_e8": -pnl["fees_e8"],
        "funding_e8": pnl["funding_e8"],
        "sum of the parts_e8": sum(pnl[f"{part}_e8"] for part in PARTS),
        "net_e8": pnl["net_e8"],
    }
    change = account["equity_e8"] - account["deposits_e8"]
    venue = {
        "fills": account["fills"],
        "position_u": account["positions_u"].get(session["market"], 0),
        "fees_e8": account["fees_e8"],
        "funding_e8": account["funding_e8"],
        "sum of the parts_e8": change,
        "net_e8": change,
    }
    differences = [
        f"{name}: ours {ours[name]}, the venue's {venue[name]}" for name in ours if ours[name] != venue[name]
    ]
    differences += [f"the venue's own sums are not 0: {name} {value}" for name, value in _not_zero(ledger["zero"])]
    return {"exact": not differences, "differences": differences, "residual_e8": pnl["net_e8"] - change}


def _not_zero(sums: dict[str, Any]) -> list[tuple[str, Any]]:
    flat = {**sums, **sums["positions_u"]}
    return [(name, value) for name, value in flat.items() if name != "positions_u" and value != 0]


def write(report: Report, folder: Path) -> list[Path]:
    """`latest.json`, and the same under the time it was made."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report.data, indent=2) + "\n"
    paths = [folder / "latest.json", folder / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.json"]
    for path in paths:
        path.write_text(text, encoding="utf-8")
    return paths


def shown(report: Report) -> str:
    """The report as people read it in a terminal."""
    data = report.data
    pnl, budget, check = data["pnl"], data["action_budget"], data["reconciliation"]
    rows = [
        (
            "market",
            f"{data['market']}, {data['source']}, {data['market_hours']:.2f} market hours at {data['speed']:g}x",
        ),
        ("net PnL", f"{pnl['net']:+.4f} USD = " + " ".join(f"{part} {pnl[part]:+.4f}" for part in PARTS)),
        ("net edge", f"{interval(data['edge_bps'])} (60 s after the fill, fees taken off)"),
        ("fills", f"{data['fills']}, {data['volume_usd']:.0f} USD, maker share {percent(data['maker_share'])}"),
        ("markouts", ", ".join(_markout(row) for row in data["markouts"])),
        ("volatility", f"{percent(data['annualised_vol'])} a year ({data['vol_returns']} returns of 5 s)"),
        (
            "actions",
            f"{data['actions']}, {data['actions_per_market_minute']:.1f} a market minute, {budget['remaining']} left",
        ),
        ("at the venue", f"{data['resting_at_venue']} orders rest, position {data['position_u']} lots"),
        ("books", "equal to the venue's to 1e-8" if check["exact"] else "DIFFER: " + "; ".join(check["differences"])),
        ("errors", str(data["errors"])),
    ]
    if data["accelerated"]:
        rows.append(("note", f"played at {data['speed']:g}x: for demonstration; no gate accepts it"))
    return "\n".join(f"  {name:13s} {text}" for name, text in rows)


def interval(edge: dict[str, Any]) -> str:
    if edge["mean"] is None:
        return "unknown, no fill marked out yet"
    if edge["lo"] is None:
        return f"{edge['mean']:+.2f} bps (no interval yet)"
    return f"{edge['mean']:+.2f} bps [{edge['lo']:+.2f}, {edge['hi']:+.2f}]"


def percent(ratio: float | None) -> str:
    return "-" if ratio is None or not math.isfinite(ratio) else f"{100 * ratio:.1f} %"


def _markout(row: dict[str, Any]) -> str:
    mean = row["mean_bps"]
    return f"{row['horizon_s']:g} s " + ("-" if mean is None else f"{mean:+.2f} bps")
