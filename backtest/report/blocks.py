"""An account cut into hours: what each hour added, so that figures can be resampled whole hours at a time.

Hours, or 5 minutes of a span shorter than 8 hours: what happens within one depends on each other, blocks hardly.
Decides no figure; `figures.py` makes them from sums of blocks, the actual ones and resampled ones by the same rule.
Money in USD here (float): the exact integers stay in `account.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from backtest.report.account import Account
from backtest.scoring import BLOCKS_HOURS_MIN, HORIZONS_S, HOUR_NS, SHORT_BLOCK_NS

E8 = 1e-8
E6 = 1e-6
SUMS = ("net", "spread", "fees", "volume", "maker", "taker", "trades", "fills", "closes", "wins", "m60", "marked")


@dataclass(frozen=True, slots=True)
class Blocks:
    """`sums` (n, len(SUMS)); `worst`, `best`: lowest and highest equity inside a block relative to its begin, USD;
    `inside`: largest fall inside it; `need`: least of equity (from the block's begin) less maintenance margin;
    `margin`: most margin used. `number` names each block, `length_ns` is how long one is."""

    number: Any
    sums: Any
    worst: Any
    best: Any
    inside: Any
    need: Any
    margin: Any
    length_ns: int
    days: float


def blocks_of(account: Account, max_leverage: int) -> Blocks:
    """All blocks from the first moment to the last, those without trades included."""
    length = block_ns(account)
    numbers = np.unique(
        np.concatenate([np.arange(first // length, (last - 1) // length + 1) for first, last in account.spans])
    )
    n = len(numbers)
    at_rows = np.clip(np.searchsorted(numbers, account.t_ns // length, "right") - 1, 0, n - 1)
    at_fills = np.clip(np.searchsorted(numbers, account.fill_t_ns // length, "right") - 1, 0, n - 1)
    return Blocks(
        numbers, _sums(account, at_rows, at_fills, n), *_paths(account, at_rows, n, max_leverage), length,
        account.length_ns / (24 * HOUR_NS),
    )  # fmt: skip


def block_ns(account: Account) -> int:
    """What is resampled whole."""
    return HOUR_NS if account.length_ns >= BLOCKS_HOURS_MIN * HOUR_NS else SHORT_BLOCK_NS


def _sums(account: Account, at_rows: Any, at_fills: Any, n: int) -> Any:
    gained = np.diff(account.equity_e8, prepend=0) * E8
    usd = account.usd
    closes, wins = round_trips(account)
    after = account.after_bps[:, HORIZONS_S.index(60)]
    known = np.isfinite(after)
    m60 = np.where(known, after * usd * 1e-4 - account.fee_e8 * E8, 0.0)
    new = np.ones(len(at_fills), bool)
    new[1:] = np.diff(account.fill_t_ns) != 0
    columns = (
        (at_rows, gained), (at_fills, account.spread_e8 * E8), (at_fills, -account.fee_e8 * E8), (at_fills, usd),
        (at_fills, usd * account.is_maker), (at_fills, usd * ~account.is_maker), (at_fills, new),
        (at_fills, np.ones(len(usd))), (at_fills, closes), (at_fills, wins),
        (at_fills, m60), (at_fills, usd * known),
    )  # fmt: skip
    return np.stack([np.bincount(at, weights=np.asarray(values, float), minlength=n) for at, values in columns], 1)


def _paths(account: Account, at: Any, n: int, max_leverage: int) -> tuple[Any, Any, Any, Any, Any]:
    """Worst, best, inside, need and margin of each block."""
    equity = account.equity_e8 * E8
    maintenance = np.abs(account.position_u) * account.row_mid2 * 0.5 * E6 / (2 * max_leverage)
    found = np.zeros((5, n))
    begin = 0.0
    edges = np.searchsorted(at, np.arange(n + 1))
    for k in range(n):
        rows = slice(edges[k], edges[k + 1])
        if rows.start == rows.stop:
            continue
        path = np.concatenate(([0.0], equity[rows] - begin))
        found[0, k], found[1, k] = path.min(), path.max()
        found[2, k] = (np.maximum.accumulate(path) - path).max()
        found[3, k] = min((path[1:] - maintenance[rows]).min(), 0.0)
        found[4, k] = account.margin_e8[rows].max() * E8
        begin = float(equity[rows.stop - 1])
    return found[0], found[1], found[2], found[3], found[4]


def round_trips(account: Account) -> tuple[Any, Any]:
    """For each fill: 1 when it reduced the position, and 1 when that part was closed at a gain after both fees.

    Against the average entry of what was held, the entry's fees included.
    """
    closes, wins = np.zeros(len(account.px_u)), np.zeros(len(account.px_u))
    open_of: dict[int, tuple[int, float]] = {}  # of a market: sz_u, and what it cost signed with its fees, 1e-8
    columns = (account.market, account.side, account.px_u, account.sz_u, account.fee_e8)
    for k, (market, side, px, sz, fee) in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        held, cost = open_of.get(market, (0, 0.0))
        closed = min(sz, abs(held)) if side * held < 0 else 0
        if closed:
            part = cost * closed / abs(held)
            gain = -side * closed * px * 100 - fee * closed / sz - part
            closes[k], wins[k] = 1.0, float(gain > 0.0)
            cost -= part
        opened = sz - closed
        open_of[market] = held + side * sz, cost + side * opened * px * 100 + fee * opened / sz
    return closes, wins


def drawn(blocks: Blocks, draws: int, seed: int) -> Any:
    """Indices (draws, n): whole blocks drawn with replacement (Kuensch 1989; Carlstein 1986)."""
    return np.random.default_rng(seed).integers(0, len(blocks.number), (draws, len(blocks.number)))
