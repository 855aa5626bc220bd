"""How each figure is called, in which unit people read it, and with how many digits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heading:
    """`scale` brings the figure to `unit`."""

    label: str
    unit: str
    digits: int
    scale: float = 1.0
    meaning: str = ""


HEADINGS: dict[str, Heading] = {
    "edge_bps": Heading("Net edge", "bps", 2, 1.0, "net PnL per dollar traded, every fee and funding in it"),
    "m60_bps": Heading("Net markout, 60 s", "bps", 2, 1.0, "the mid 60 s after the fill, less the fee, by dollar"),
    "roi": Heading("Return on equity", "%", 3, 100.0, "net PnL of the span over the starting equity"),
    "pnl_per_day": Heading("Net PnL a day", "USD", 2),
    "sharpe": Heading("Sharpe ratio", "", 2, 1.0, "annualised over 365 days"),
    "max_drawdown": Heading("Max drawdown", "%", 3, 100.0, "largest fall from a peak of equity"),
    "peak_margin": Heading("Peak margin", "%", 1, 100.0, "initial margin of the position over equity"),
    "trades_per_day": Heading("Trades a day", "", 1, 1.0, "moments at which we were filled"),
    "fill_rate": Heading("Fill rate", "%", 3, 100.0, "fills per order placed or moved"),
    "spread_bps": Heading("Spread captured", "bps", 2, 1.0, "against the mid just before the fill, by dollar"),
    "win_rate": Heading("Win rate", "%", 1, 100.0, "closing fills that gained after both fees"),
    "maker_share": Heading("Maker share", "%", 1, 100.0, "of the notional"),
    "taker_share": Heading("Taker share", "%", 1, 100.0, "of the notional"),
    "turnover_per_day": Heading("Turnover a day", "x equity", 2),
    "fees_usd": Heading("Fees paid", "USD", 4),
    "funding_usd": Heading("Funding received", "USD", 4),
    "budget_use": Heading("Action budget used", "%", 1, 100.0, "actions sent over what the address had earned"),
    "actions_per_usd": Heading("Actions per USD traded", "", 2),
}


def shown(name: str, value: float | None, *, signed: bool = False) -> str:
    """A figure as people read it, without its unit."""
    if value is None:
        return "-"
    heading = HEADINGS[name]
    text = f"{value * heading.scale:{'+' if signed else ''},.{heading.digits}f}"
    return text.replace("-", "\N{MINUS SIGN}")


def unit(name: str) -> str:
    return HEADINGS[name].unit


def spanned(name: str, lo: float | None, hi: float | None) -> str:
    """Two bounds; empty when they are not known."""
    return "" if lo is None or hi is None else f"{shown(name, lo)} … {shown(name, hi)}"
