"""What goes into the executor's core and what comes out besides stream messages.

The shell turns sockets, files and timers into the events here and carries out the effects in the order given; the
core (`engine.py`) touches neither. Times: `t_ns` market time, `mono_ns` the machine's monotonic clock. Prices and
sizes are venue units.
"""

from __future__ import annotations

import enum
from typing import TypeAlias

from msgspec import Struct

from common.messages import Fill, FundingPayment, Liquidity, Side


class Kind(enum.Enum):
    """The signed actions we send; the value is the venue's name of it."""

    ORDER = "order"
    MODIFY = "batchModify"
    CANCEL = "cancel"
    CANCEL_CLOID = "cancelByCloid"
    NOOP = "noop"

    @property
    def places(self) -> bool:
        """Whether it can leave a new order in the book."""
        return self in (Kind.ORDER, Kind.MODIFY)


# ---------------------------------------------------------------------- effects
class Entry(Struct, frozen=True, gc=False):
    """One line of an action: the order as it shall be (`order`, `batchModify`) or the order to cancel."""

    cloid: str
    oid: int  # 0 where the venue's number is not needed or not known
    side: Side
    px_u: int
    sz_u: int
    level: int
    reduce_only: bool = False


class SendAction(Struct, frozen=True, gc=False):
    """Journal, sign and send this; answer with one ActionReply."""

    nonce: int  # unique: also the name of the action inside the process
    kind: Kind
    asset_id: int
    entries: tuple[Entry, ...]
    expires_ms: int  # 0 = the action carries no expiry
    t_ns: int
    quote_t_ns: int = 0  # when the ladder behind it was made; 0 = no ladder behind it
    recv_t_ns: int = 0  # when that ladder's market message was received
    prompt: bool = False  # decided in the same turn in which its ladder arrived


class ReserveNonces(Struct, frozen=True, gc=False):
    """Make durable that nonces up to and including `until` may have been used."""

    until: int


class AskStatus(Struct, frozen=True, gc=False):
    """Ask the venue for one order, by number first (when known), then by cloid; answer with StatusAnswer."""

    cloid: str
    oid: int


class AskVenue(Struct, frozen=True, gc=False):
    """Fetch open orders and position, when `whole` fills and budget too; answer with Snapshot or SnapshotFailed."""

    reason: str
    whole: bool = True


class StoreFill(Struct, frozen=True, gc=False):
    """Make the fill durable; stands before its publication."""

    fill: Fill


class StoreFunding(Struct, frozen=True, gc=False):
    """Make the payment durable; stands before its publication."""

    payment: FundingPayment


class Latch(Struct, frozen=True, gc=False):
    """Make the kill durable."""

    epoch: int
    reason: str


class Unlatch(Struct, frozen=True, gc=False):
    """An operator armed again with a higher epoch."""

    epoch: int


class Refusal(Struct, frozen=True, gc=False):
    """A wanted order that a check kept back; for the counter and the log."""

    reason: str
    detail: str = ""


class ReadFees(Struct, frozen=True, gc=False):
    """Read the venue's fees as soon as allowed; answer with FeesRead."""

    reason: str


class FeeDiffers(Struct, frozen=True, gc=False):
    """A fill paid something else than the model says; for the counter."""

    liquidity: Liquidity


Effect: TypeAlias = (
    SendAction
    | ReserveNonces
    | AskStatus
    | AskVenue
    | StoreFill
    | StoreFunding
    | Latch
    | Unlatch
    | Refusal
    | ReadFees
    | FeeDiffers
)


# ---------------------------------------------------------------------- events
class Clock(Struct, frozen=True, gc=False):
    """The present, handed over before every other event; `rate` is market seconds per machine second."""

    t_ns: int
    mono_ns: int
    rate: float = 1.0


class TopUp(Struct, frozen=True, gc=False):
    """A moment off the hot path: reserve nonces if a block is due."""


class Facts(Struct, frozen=True, gc=False):
    """What the venue said about market and fees at the start."""

    asset_id: int
    sz_decimals: int
    max_leverage: int
    maker_ppb: int | None
    taker_ppb: int | None


class FeesRead(Struct, frozen=True, gc=False):
    """The venue's fees as read now, ppb of the notional; None = not known, `why` says the reason."""

    maker_ppb: int | None
    taker_ppb: int | None
    why: str = ""


class Status(Struct, frozen=True, gc=False):
    """One entry of a reply: resting, filled, success, error or unclear."""

    word: str
    oid: int = 0
    text: str = ""


class ActionReply(Struct, frozen=True, gc=False):
    """What came of a SendAction: `ok` with one status an entry, `refused` as a whole, or `unknown`."""

    nonce: int
    outcome: str
    statuses: tuple[Status, ...] = ()
    reason: str = ""


class VenueOrder(Struct, frozen=True, gc=False):
    """An order as the venue describes it; `sz_u` is what is left of `orig_sz_u`."""

    coin: str
    oid: int
    cloid: str  # "" = none
    side: Side
    px_u: int
    sz_u: int
    orig_sz_u: int


class OrderSeen(Struct, frozen=True, gc=False):
    """A status change from the user stream."""

    order: VenueOrder
    status: str
    venue_t_ns: int


class FillSeen(Struct, frozen=True, gc=False):
    """A fill from the stream or from REST; duplicates are expected."""

    fill: Fill


class FundingSeen(Struct, frozen=True, gc=False):
    payment: FundingPayment


class UserStream(Struct, frozen=True, gc=False):
    """The user stream came up (subscribed and acknowledged) or went down."""

    up: bool
    reason: str = ""


class FrameRefused(Struct, frozen=True, gc=False):
    """Something arrived on the user stream and could not be read: it may have been a fill."""

    reason: str


class StatusAnswer(Struct, frozen=True, gc=False):
    """Answer to AskStatus; `order` None with `status` "unknownOid" = the venue knows of no such order.

    `status` "" = no answer could be had: nothing is learned.
    """

    cloid: str
    asked_t_ns: int
    status: str
    order: VenueOrder | None = None


class Holding(Struct, frozen=True, gc=False):
    """One position as the venue reports it; entry price in px_u of that market as a float."""

    coin: str
    signed_u: int
    entry_px: float
    unrealised_e8: int
    margin_used_e8: int


class AccountSeen(Struct, frozen=True, gc=False):
    """`clearinghouseState`: money and positions at `venue_t_ns`."""

    venue_t_ns: int
    equity_e8: int
    margin_used_e8: int
    maintenance_e8: int
    holdings: tuple[Holding, ...]


class Snapshot(Struct, frozen=True, gc=False):
    """Everything a reconciliation compares, all asked after `asked_mono_ns`.

    `budget` is (actions used, actions allowed) of a whole look, whose fills were handed over before it; None = neither.
    """

    asked_mono_ns: int
    orders: tuple[VenueOrder, ...]
    account: AccountSeen
    budget: tuple[int, int] | None


class SnapshotFailed(Struct, frozen=True, gc=False):
    """The venue could not be asked: nothing is learned, least of all that nothing rests."""

    reason: str


class Recovered(Struct, frozen=True):
    """What the journal holds of earlier lives: nonces that may have been used, fills and funding already told."""

    last_nonce: int
    last_expiry_ms: int  # until then an action of an earlier process may still land
    fills: list[Fill]
    fundings: list[FundingPayment]


class KillFile(Struct, frozen=True, gc=False):
    """The kill file appeared (or was there at the start), changed or went away."""

    present: bool
    epoch: int = 0
    reason: str = ""


class JournalTrouble(Struct, frozen=True, gc=False):
    """The journal cannot be written: from now on only cancels."""

    text: str


class Stop(Struct, frozen=True, gc=False):
    """The process is going to end: cancel everything, place nothing."""
