"""The state of one market's matching: every vector the kernels work on, and what lies where in each.

All vectors are flat int64 (`common.kernel.istate`), so that the venue's pit and a compiled loop over recorded events
can hold the same ones and call the same kernels. Prices px_u, sizes sz_u, sides 1 (bid, buyer) and -1 (ask, seller).

- `bids`, `asks` (`levels.py`): a head of `HEAD` (`B_N` levels, `B_SIDE`, `B_KEEP` at most, `B_YIELDED` so far,
  `B_BLIND`), then `LEVELS` rows of `STRIDE`, worst first: `L_PX, L_SZ, L_USED, L_STAMP`;
- `orders` (`table.py`): `ORDERS` rows of `O_STRIDE`, one a simulated order: `O_SIDE` (0 = a free row), `O_PX, O_LEFT,
  O_AHEAD, O_SEEN, O_OWNER, O_REDUCE, O_TRADED, O_PART, O_TOLD`;
- `bid_queue`, `ask_queue` (`table.py`): a count, then so many rows of `orders`, best price first, oldest first at one;
- `holders` (`table.py`): `HOLDERS` rows of `H_STRIDE`, one an owner: `H_POS, H_ROOM`;
- `out` (`matching.py`): a count, then so many rows of `E_STRIDE`: `E_KIND, E_SLOT, E_PX, E_SZ, E_SIDE`;
- `depth` (`taking.py`): `DEPTH_MAX` rows of `D_STRIDE`, best first: `D_PX, D_SZ, D_COUNT`.

Calls, in the order of events: `matching.play_stamp` for the rows of one instant (one row at a time = row by row);
`matching.rest_order` puts an order into a free row of `orders` (the caller keeps the list of free rows and checks
post-only against `taking.depth` or `levels.best_px`), `matching.cancel_order` takes it out; `taking.take` matches an
aggressive one. After `play_stamp` and `take` the results lie in `out` until the next call; an order that was filled,
or withdrawn, has `O_SIDE` 0 and its row is free again. Everything else a kernel needs is a scalar: the stamp's number
(any growing count), the levels that are really seen, the queue model and its power.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from simvenue.book import levels, matching, table, taking
from simvenue.book.matching import BUY, SELL


class VenueState(NamedTuple):
    """One market's vectors."""

    bids: Any
    asks: Any
    orders: Any
    bid_queue: Any
    ask_queue: Any
    holders: Any
    out: Any
    depth: Any

    def book(self, side: int) -> Any:
        return self.bids if side == BUY else self.asks

    def queue(self, side: int) -> Any:
        return self.bid_queue if side == BUY else self.ask_queue


def new_state(kept: int = levels.LEVELS) -> VenueState:
    """An empty market that keeps at most `kept` levels a side."""
    return VenueState(
        levels.new_book(BUY, kept), levels.new_book(SELL, kept), table.new_table(), table.new_queue(),
        table.new_queue(), table.new_holders(), matching.new_out(), taking.new_depth(),
    )  # fmt: skip
