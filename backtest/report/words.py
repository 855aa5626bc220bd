"""What the report says in words and numbers: one way to write each, for the terminal, the page and the file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from backtest.report.account import Account
from backtest.report.bands import Result
from backtest.report.liquidation import Liquidation

MINUS = "\N{MINUS SIGN}"
NEARLY_ALL, ALL_BUT = 0.85, 0.99
"""The governor keeps a part of the budget back for cancels; a hundredth of what was sent may come late."""
DAY_NS = 86_400 * 10**9
FILLS_MIN = 100
"""Fewer fills and no interval is believed: single moves decide."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was played, by whom, under which assumptions: the words of a report."""

    coin: str
    market: str
    profile: str
    source: str
    kind: str
    span: str
    commit: str
    config_hash: str
    equity_usd: float
    leverage: int
    growth: bool
    px_decimals: int
    ceiling: str
    budget: str
    assumptions: tuple[str, ...]
    parameters: tuple[tuple[str, str], ...]
    cap_ratio: float = 0.5
    """Inventory cap over equity."""
    leverage_asked: int = 0
    """Where it was more than the market allows."""
    enforces_edge: bool = False
    gate: str = ""
    """What the edge gate said of the headline scenario, and in how many it stopped the market."""


def number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}".replace("-", MINUS)


def exact(value_e8: int) -> str:
    """USD with all eight decimals and a sign: nothing is rounded away."""
    sign = MINUS if value_e8 < 0 else "+"
    whole, rest = divmod(abs(value_e8), 10**8)
    return f"{sign}{whole:,}.{rest:08d}"


def moment(t_ns: int) -> str:
    return datetime.fromtimestamp(t_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S")


def answer(result: Result) -> tuple[str, str]:
    """The sentence a person reads first, and whether it is good news ("yes"), bad ("no") or open ("")."""
    said, kind = _edge(result)
    use = result.base.figures["budget_use"].value or 0.0
    if use <= 1.0:
        return said + spent(result.base.account, use), kind
    beyond = f" It needs {number(use, 1)} times the actions its address earns: the venue would not have let it."
    return said + beyond, "no" if kind == "no" else ""


def spent(account: Account, use: float) -> str:
    """That the actions were gone in the first half of what was played and nothing could follow, where it is so."""
    if use < NEARLY_ALL or len(account.t_ns) == 0:
        return ""
    last = int(np.searchsorted(account.actions_by_row, ALL_BUT * account.actions_by_row[-1]))
    first_t_ns, end_t_ns = account.spans[0][0], account.spans[-1][1]
    took, whole = int(account.t_ns[last]) - first_t_ns, end_t_ns - first_t_ns
    if took > whole / 2:
        return ""
    return (
        f" Its action budget lasted {number(took / DAY_NS, 1)} of {number(whole / DAY_NS, 1)} days: from then on it "
        "could hardly send an order."
    )


def _edge(result: Result) -> tuple[str, str]:
    edge = next(band for band in result.bands if band.name == "edge_bps")
    if edge.base.value is None:
        return "It never traded: nothing can be said of an edge.", "no"
    said = f"Net edge {number(edge.base.value, 2)} bps of what was traded"
    fills = len(result.base.account.px_u)
    if edge.base.lo is None or edge.base.hi is None or fills < FILLS_MIN:
        return f"{said} from {fills} fills: too few to tell.", ""
    said += f" [{number(edge.base.lo, 2)}, {number(edge.base.hi, 2)}]"
    if edge.outer_hi is not None and edge.outer_hi < 0:
        return f"{said}: no edge here, in every scenario.", "no"
    if edge.base.hi < 0:
        return f"{said}: no edge here.", "no"
    if edge.outer_lo is not None and edge.outer_lo > 0:
        return f"{said}: an edge, in every scenario.", "yes"
    if edge.base.lo > 0:
        return f"{said}: an edge in the headline scenario, not in every one.", ""
    return f"{said}: not told from zero.", ""


def said_gate(result: Result, enforces: bool, block_s: float) -> str:
    """When the edge gate stopped this market (or would have), and on what; what it still misses where it did not."""
    found = [one.gate for one in result.found if one.gate is not None]
    if not found or result.base.gate is None:
        return ""
    stops = sum(gate.stop_t_ns is not None for gate in found)
    many = f"in {stops} of {len(found)} scenarios"
    head, first_t_ns = result.base.gate, result.base.account.spans[0][0]
    if head.stop_t_ns is not None:
        hours = (head.stop_t_ns - first_t_ns) / 3.6e12
        warned = "EDGE_GATE=warn, so quoting went on; enforced, it would have stopped after"
        does = "stopped after" if enforces else warned
        return f"Edge gate: no edge here, {does} {number(hours, 1)} h ({head.why}); {many}."
    interval = head.found
    if interval is None:
        said = f"too few blocks of {block_s:g} s with fills to judge"
    elif interval.hi is None:
        said = f"net 60 s markout {number(interval.mean, 2)} bps at its last look, not below 0"
    else:
        said = f"net 60 s markout {number(interval.mean, 2)} bps, at most {number(interval.hi, 2)}: not surely below 0"
    also = f"; {'it stopped' if enforces else 'it would have stopped'} {many}" if stops else ""
    return f"Edge gate: not stopped ({said}){also}."


def said_liquidation(played: Liquidation, at_full: Liquidation, facts: Facts) -> str:
    if played.probability is None:
        return "Liquidation: too little was played to resample."
    return (
        f"Probability of a liquidation within {played.days:.0f} days: {_share(played)} as configured (position capped "
        f"at {facts.cap_ratio:g}x the equity, whatever the leverage), {_share(at_full)} if the cap were "
        f"{facts.leverage}x equity, which no configuration allows. Blocks of this replay resampled into 10,000 paths: "
        f"it knows no move larger than those it saw."
    )


def _share(found: Liquidation) -> str:
    if found.probability is None or found.lo is None or found.hi is None:
        return "unknown"
    return f"{100 * found.probability:.2f} % [{100 * found.lo:.2f}, {100 * found.hi:.2f}]"
