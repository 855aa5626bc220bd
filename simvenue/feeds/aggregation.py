"""Coarser views that a client may ask for: a book in fewer significant figures, fills of one order in one row.

`l2Book` with `nSigFigs` 2..5 puts levels together at multiples of that figure (times `mantissa` 1, 2 or 5, which needs
`nSigFigs` 5): bids are rounded down and asks up, so that no order looks better than it is. `aggregateByTime` puts
together what one order got at one instant: sizes, fees and profits add up, the price is their average. Docs: info
endpoint, "L2 book snapshot" and "user fills". Prices px_u, sizes sz_u.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from simvenue.events import BUY, UserFill

Level = tuple[int, int, int]
"""Price, size, number of orders."""

SIG_FIGS = (2, 3, 4, 5)
MANTISSAS = (1, 2, 5)
SIG_FIGS_OF_MANTISSA = 5


class Grid(NamedTuple):
    """How coarse a book is wanted; 0 = not asked for."""

    sig_figs: int = 0
    mantissa: int = 0


FINEST = Grid()


def grid_of(sig_figs: int | None, mantissa: int | None) -> Grid | None:
    """The grid of a request's fields; None when the venue has no such grid."""
    if sig_figs is None:
        return FINEST if mantissa is None else None
    if sig_figs not in SIG_FIGS:
        return None
    if mantissa is None:
        return Grid(sig_figs)
    return Grid(sig_figs, mantissa) if sig_figs == SIG_FIGS_OF_MANTISSA and mantissa in MANTISSAS else None


def coarse(levels: Iterable[Level], side: int, grid: Grid, count: int) -> list[Level]:
    """The best `count` levels of a side on the grid; `levels` come best first."""
    rows: list[Level] = []
    for px_u, together in groupby(levels, key=lambda level: _rounded(level[0], side, grid)):
        if len(rows) == count:
            break
        members = list(together)
        rows.append((px_u, sum(sz for _, sz, _ in members), sum(n for _, _, n in members)))
    return rows


def _rounded(px_u: int, side: int, grid: Grid) -> int:
    if not grid.sig_figs:
        return px_u
    step: int = 10 ** max(len(str(px_u)) - grid.sig_figs, 0) * (grid.mantissa or 1)
    return px_u // step * step if side == BUY else -(-px_u // step) * step


def by_time(fills: Sequence[UserFill]) -> list[UserFill]:
    """Fills of one order at one instant as one, where the first of them stood."""
    parts: dict[tuple[int, int], list[UserFill]] = {}
    for fill in fills:
        parts.setdefault((fill.t_ns, fill.oid), []).append(fill)
    return [_together(members) for members in parts.values()]


def _together(fills: Sequence[UserFill]) -> UserFill:
    if len(fills) == 1:
        return fills[0]
    sz_u = sum(fill.sz_u for fill in fills)
    notional_e6 = sum(fill.px_u * fill.sz_u for fill in fills)
    return replace(
        fills[0], sz_u=sz_u, px_u=(2 * notional_e6 + sz_u) // (2 * sz_u), fee_e8=sum(fill.fee_e8 for fill in fills),
        closed_pnl_e8=sum(fill.closed_pnl_e8 for fill in fills),
    )  # fmt: skip
