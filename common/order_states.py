"""The states of one order of ours and its legal moves, as a table; and the order itself.

`orders.py` turns what is said about an order into a `Move`; this room says what a move does in each state. What the
table leaves out changes nothing: it came late or was said twice. Sizes are sz_u, prices px_u, times market ns.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TypeAlias

from common.messages import OrderState, Side

LIVE = frozenset(
    {OrderState.PENDING, OrderState.OPEN, OrderState.MOVING, OrderState.CANCELLING, OrderState.UNKNOWN}
)  # fmt: skip
ENDED = frozenset({OrderState.FILLED, OrderState.CANCELLED, OrderState.REJECTED})

FillKey: TypeAlias = tuple[int, str, int]
"""(venue_t_ns, coin, tid): the venue's own unique key of a fill."""


class Said(enum.Enum):
    """What reached us about an order, from a reply, a stream or an answer to a question."""

    PLACED = "placed"  # reply to a placement: resting under `oid`
    PLACE_FILLED = "place_filled"  # reply to a placement: filled at once, `filled_u` of it
    PLACE_REFUSED = "place_refused"
    MOVED = "moved"  # reply to a modify: resting under the new `oid`
    MOVE_REFUSED = "move_refused"
    CANCELLED = "cancelled"  # reply to a cancel: success
    CANCEL_REFUSED = "cancel_refused"
    TIMEOUT = "timeout"  # no reply in time: the request may have landed
    STATUS = "status"  # a status of `orderUpdates`, in `status`
    FOUND = "found"  # the venue's answer when asked after every open request had expired, status in `status`
    NOT_FOUND = "not_found"  # the same question, answered: no such order


class Move(enum.Enum):
    """What `Said` means for an order once its incarnation is known: the columns of the table."""

    RESTS = enum.auto()  # proof that the newest incarnation rests
    PART = enum.auto()  # partly filled
    FULL = enum.auto()  # filled to its size, or the venue says so
    CANCELLED = enum.auto()
    REJECTED = enum.auto()
    DOUBT = enum.auto()  # it may or may not rest
    MOVE = enum.auto()  # we ask for a modify
    CANCEL = enum.auto()  # we ask for a cancel


_P, _O, _M, _C, _U = (
    OrderState.PENDING, OrderState.OPEN, OrderState.MOVING, OrderState.CANCELLING, OrderState.UNKNOWN,
)  # fmt: skip
_F, _X, _R = OrderState.FILLED, OrderState.CANCELLED, OrderState.REJECTED

#: state -> {what happened: next state}.  What is missing changes nothing: it is late or said twice.
TABLE: dict[OrderState, dict[Move, OrderState]] = {
    _P: {Move.RESTS: _O, Move.PART: _O, Move.FULL: _F, Move.CANCELLED: _X, Move.REJECTED: _R,
         Move.DOUBT: _U, Move.CANCEL: _C},
    _O: {Move.FULL: _F, Move.CANCELLED: _X, Move.REJECTED: _R, Move.DOUBT: _U, Move.MOVE: _M, Move.CANCEL: _C},
    _M: {Move.RESTS: _O, Move.FULL: _F, Move.CANCELLED: _X, Move.REJECTED: _R, Move.DOUBT: _U,
         Move.CANCEL: _C},
    _C: {Move.FULL: _F, Move.CANCELLED: _X, Move.REJECTED: _R, Move.DOUBT: _U, Move.CANCEL: _C},
    _U: {Move.RESTS: _O, Move.FULL: _F, Move.CANCELLED: _X, Move.REJECTED: _R, Move.CANCEL: _C},
    _F: {},
    _X: {Move.FULL: _F},
    _R: {Move.FULL: _F, Move.PART: _U},
}  # fmt: skip


def status_state(status: str) -> OrderState:
    """What a status of the venue means; any `*Canceled` / `*Rejected` ends the order, what is strange is UNKNOWN."""
    if status in ("open", "triggered"):
        return OrderState.OPEN
    if status == "filled":
        return OrderState.FILLED
    if status.lower().endswith("canceled") or status in ("scheduledCancel", "internalCancel"):
        return OrderState.CANCELLED
    if status.lower().endswith("rejected"):
        return OrderState.REJECTED
    return OrderState.UNKNOWN


# ---------------------------------------------------------------------- one order
@dataclass(slots=True)
class Order:
    """One order of ours.  `sz_u` and `filled_u` are those of the newest incarnation, `oid` (0 = not known yet)."""

    cloid: str
    side: Side
    px_u: int
    sz_u: int
    level: int
    reduce_only: bool
    ioc: bool
    state: OrderState
    t_ns: int  # when it was placed (market time)
    changed_t_ns: int
    oid: int = 0
    filled_u: int = 0
    reason: str = ""
    asked: tuple[int, int] | None = None  # (px_u, sz_u) of the last modify that no new incarnation has answered
    moving: bool = False  # that modify's outcome is open
    cancel_asked: bool = False
    weak_end: bool = False  # REJECTED only because the venue did not know it when asked
    fills: dict[FillKey, tuple[int, int]] = field(default_factory=dict)  # key -> (oid, sz_u)
    oids: dict[int, OrderState] = field(default_factory=dict)  # incarnation -> OPEN or how it ended
    reported: dict[int, int] = field(default_factory=dict)  # incarnation -> filled, as the venue totals it

    @property
    def live(self) -> bool:
        return self.state in LIVE

    @property
    def remaining_u(self) -> int:
        """What may still fill of the newest incarnation."""
        return max(self.sz_u - self.filled_u, 0)

    @property
    def exposure_u(self) -> int:
        """Full size that may still fill, whatever the venue made of our requests; 0 once ended."""
        if not self.live:
            return 0
        return max(self.remaining_u, self.asked[1]) if self.moving and self.asked else self.remaining_u

    @property
    def total_filled_u(self) -> int:
        """Filled over all incarnations, each fill once."""
        return sum(sz_u for _, sz_u in self.fills.values())
