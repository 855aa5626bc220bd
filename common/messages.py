"""Every message that crosses a stream: frozen, tagged, checked once when it is decoded.

On the wire an entry is one msgpack array: the envelope `[producer, epoch, seq, message]`, the message itself an
array that begins with its tag. Structs grow only at the end, and what is added has a default, so an older reader
keeps working. Units: `*_t_ns` market time in ns (see `common/clock.py`), `px_u` / `sz_u` venue units
(`common/ticks.py`), `*_e8` 1e-8 quote, `*_ppb` parts per billion, `*_bps` 1e-4. Every float has a range, which
refuses NaN and infinity; `SCHEMA` names the whole.
"""

from __future__ import annotations

import enum
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

SCHEMA = 1

MAX_LEVELS = 32
MAX_TEXT = 500

# ---------------------------------------------------------------------- field types
TNs: TypeAlias = Annotated[int, Meta(ge=0, le=4_102_444_800_000_000_000)]  # until the year 2100
Px: TypeAlias = Annotated[int, Meta(ge=1, le=10**15)]
PxOrNone: TypeAlias = Annotated[int, Meta(ge=0, le=10**15)]  # 0 = unknown or absent
Sz: TypeAlias = Annotated[int, Meta(ge=1, le=10**15)]
SzOrZero: TypeAlias = Annotated[int, Meta(ge=0, le=10**15)]
Signed: TypeAlias = Annotated[int, Meta(ge=-(10**18), le=10**18)]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=2**62)]
Ratio: TypeAlias = Annotated[float, Meta(ge=0.0, le=1e6)]
Scale: TypeAlias = Annotated[float, Meta(ge=0.0, le=100.0)]
Usd: TypeAlias = Annotated[float, Meta(ge=-1e12, le=1e12)]
Bps: TypeAlias = Annotated[float, Meta(ge=-1e5, le=1e5)]
Rate: TypeAlias = Annotated[float, Meta(ge=-1.0, le=1.0)]
Vol: TypeAlias = Annotated[float, Meta(ge=0.0, le=1e4)]  # annualised, 0.2 = 20 %
PxFloat: TypeAlias = Annotated[float, Meta(ge=0.0, le=1e15)]  # in px_u, between the grid's points
Coin: TypeAlias = Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9:]+\Z")]
Cloid: TypeAlias = Annotated[str, Meta(min_length=34, max_length=34, pattern=r"^0x[0-9a-f]{32}\Z")]
Word: TypeAlias = Annotated[str, Meta(max_length=64)]
Text: TypeAlias = Annotated[str, Meta(max_length=MAX_TEXT)]


class Side(enum.IntEnum):
    """The sign a fill on that side has for our position."""

    BID = 1
    ASK = -1


class Mode(enum.Enum):
    """What may be done (design section 6).  DISARMED: boot of a live system, and after a kill is cleared."""

    DISARMED = "disarmed"
    ACTIVE = "active"
    REDUCING = "reducing"
    PAUSED = "paused"
    KILLED = "killed"


class OrderState(enum.Enum):
    """States of one of our orders; the table of moves is in `common/orders.py`."""

    PENDING = "pending"  # journalled and sent, no answer yet
    OPEN = "open"
    MOVING = "moving"  # a modify is under way
    CANCELLING = "cancelling"
    UNKNOWN = "unknown"  # sent, and no trustworthy answer came: counts as exposure
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


class Verb(enum.Enum):
    KILL = "kill"
    ARM = "arm"
    PAUSE = "pause"
    RESUME = "resume"
    DRAIN = "drain"  # reduce passively to flat, then pause
    SET = "set"


class Severity(enum.Enum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"
    EMERGENCY = "emergency"


class Liquidity(enum.Enum):
    MAKER = "maker"
    TAKER = "taker"


class Message(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """Base of all stream messages; `t_ns` is the market time at which the producer made it."""

    t_ns: TNs


# ---------------------------------------------------------------------- md:{coin}
class MarketSpec(Message, frozen=True):
    """What the venue says of the market; repeated four times a second so that a late reader has it soon."""

    coin: Coin
    asset_id: Annotated[int, Meta(ge=0, le=10**8)]
    sz_decimals: Annotated[int, Meta(ge=0, le=6)]
    max_leverage: Annotated[int, Meta(ge=1, le=200)]
    collateral: Word
    growth_mode: bool
    is_delisted: bool


class Touch(Message, frozen=True):
    """Best bid and ask; a size of 0 (price 0) means that side is empty."""

    coin: Coin
    venue_t_ns: TNs
    recv_t_ns: TNs
    bid_px_u: PxOrNone
    bid_sz_u: SzOrZero
    ask_px_u: PxOrNone
    ask_sz_u: SzOrZero


Levels: TypeAlias = Annotated[list[tuple[Px, Sz]], Meta(max_length=MAX_LEVELS)]


class BookUpdate(Message, frozen=True):
    """The layered book, best level first; `*_t_ns` are the venue times of its layers (0 = never seen).

    Levels deeper than `fast_levels` a side come from the slow snapshot and may be old: weigh them by `deep_t_ns`.
    """

    coin: Coin
    venue_t_ns: TNs
    recv_t_ns: TNs
    bids: Levels
    asks: Levels
    touch_t_ns: TNs
    fast_t_ns: TNs
    deep_t_ns: TNs
    fast_levels: Annotated[int, Meta(ge=0, le=MAX_LEVELS)]


class TradePrint(Message, frozen=True):
    """One print; `side` is the aggressor's (BID: a buyer took)."""

    coin: Coin
    venue_t_ns: TNs
    recv_t_ns: TNs
    side: Side
    px_u: Px
    sz_u: Sz
    tid: Count


class AssetContext(Message, frozen=True):
    coin: Coin
    recv_t_ns: TNs
    mark_px_u: Px
    oracle_px_u: Px
    funding_rate_1h: Rate
    open_interest_u: SzOrZero
    premium: Rate | None = None


# ---------------------------------------------------------------------- quotes:{coin}
class Level(msgspec.Struct, frozen=True, array_like=True, gc=False):
    px_u: Px
    sz_u: Sz


class QuoteInputs(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The numbers a ladder was made from, for people and for `explain`."""

    mid_px: PxFloat
    fair_px: PxFloat
    micro_px: PxFloat
    vol_fast: Vol
    vol_slow: Vol
    vol_known: bool
    half_lo_bps: Bps
    half_hi_bps: Bps
    floor_bid_bps: Bps
    floor_ask_bps: Bps
    imbalance: Annotated[float, Meta(ge=-1.0, le=1.0)]
    depth_bid_usd: Usd
    depth_ask_usd: Usd
    is_liquid: bool
    delta: Usd
    urgency: Scale
    fade_bid: Scale
    fade_ask: Scale
    size_scale: Scale
    merged_levels: Count
    profile: Word
    fill_a_per_s: Ratio = 0.0  # fill intensity at the fair price a side, 0 = not known
    fill_k_per_bps: Ratio = 0.0  # its decay
    mode: Word = ""  # adaptive mode, "" = off


class QuoteRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Why the shown levels are what they are: what the decision was given and what each of its stages made of it.

    Belongs to the decision that made `bids` and `asks`, so a renewal repeats it. With the same configuration it is
    enough to make the very same levels again (`quoter/record.py`). Two values a side are (bid, ask); masks have bit i
    for level i before merging; `floors` are those levels' nearest distances, a single one when all are alike.
    """

    decided_t_ns: TNs
    # the market without us
    bid_px_u: PxOrNone
    ask_px_u: PxOrNone
    sz_decimals: Annotated[int, Meta(ge=0, le=6)]
    mid_px: PxFloat
    micro_px: PxFloat
    oracle_px: PxFloat
    imbalance: Annotated[float, Meta(ge=-1.0, le=1.0)]
    depth_usd: tuple[Usd, Usd]
    is_liquid: bool
    # fair price
    forecast_bps: Bps
    forecast_weight: Scale
    forecast_sd_bps: Bps
    fair_px: PxFloat
    centre_bps: Bps  # by which the position moves the centre below fair
    # volatility and range
    vol_fast: Vol
    vol_slow: Vol
    vol_used: Vol
    vol_known: bool
    vol_mode: Count  # 0 normal, 1 defensive, 2 pulled
    sigma_bps: Bps  # per square root second
    lo_bps: Bps
    hi_bps: Bps
    step_bps: Bps
    # what widens both sides; `widening` is their product
    by_imbalance: Scale
    by_depth: Scale
    by_illiquid: Scale
    by_permit: Scale
    by_session: Scale
    widening: Annotated[float, Meta(ge=0.0, le=1e6)]
    # floors
    fee_bps: Bps
    safety_bps: Bps
    prior_bps: Bps
    tick_bps: Bps
    marked_out: tuple[Count, Count]  # fills the measured adverse selection rests on
    adverse_bps: tuple[Bps, Bps]  # upper bound of its mean at 60 s, all levels together
    floors_bid: Annotated[list[Bps], Meta(max_length=MAX_LEVELS)]
    floors_ask: Annotated[list[Bps], Meta(max_length=MAX_LEVELS)]
    # position
    position_u: Signed
    is_reducing_only: bool
    delta: Usd
    margin_ratio: Ratio
    urgency: Scale
    tilt: tuple[Scale, Scale]
    # own fills
    fade: tuple[Scale, Scale]
    fade_size: tuple[Scale, Scale]
    adaptive_mode: Annotated[int, Meta(ge=-1, le=16)]  # -1 = off
    # sizes
    equity_usd: Usd
    hard_usd: Usd
    size_scale: Scale
    session_size: Scale
    session_inventory: Scale
    budget_usd: tuple[Usd, Usd]
    whole_usd: tuple[Usd, Usd]
    # levels
    levels: tuple[Count, Count]  # asked for, before merging
    thick: tuple[Count, Count]  # mask of levels enlarged by the local depth
    thin: tuple[Count, Count]  # mask of levels made smaller by it
    merged: Count
    why: tuple[Count, Count]  # bits for which a side is withheld


class Ladder(Message, frozen=True):
    """What should rest: a target, never a command.  Best level first; an empty side means no quotes there.

    A renewal repeats `version` with a new `expires_t_ns` and causes no order action.  `urgent`: cancel before placing.
    """

    coin: Coin
    version: Count
    venue_t_ns: TNs  # of the newest market message it rests on
    recv_t_ns: TNs
    expires_t_ns: TNs
    bids: Annotated[list[Level], Meta(max_length=MAX_LEVELS)]
    asks: Annotated[list[Level], Meta(max_length=MAX_LEVELS)]
    urgent: bool
    reasons: Annotated[list[Word], Meta(max_length=16)]  # why a side or all is withheld
    inputs: QuoteInputs | None = None
    record: QuoteRecord | None = None


# ---------------------------------------------------------------------- orders:, fills:
class OrderUpdate(Message, frozen=True):
    coin: Coin
    cloid: Cloid
    oid: Count  # 0 = not known yet
    side: Side
    px_u: Px
    sz_u: Sz  # ordered
    filled_u: SzOrZero
    state: OrderState
    reason: Word
    level: Annotated[int, Meta(ge=-1, le=MAX_LEVELS)] = -1


class ActionReport(Message, frozen=True):
    """One signed action and what came of it."""

    coin: Coin
    kind: Word  # order, batchModify, cancelByCloid, cancel, noop
    entries: Count
    nonce: Count
    quote_t_ns: TNs
    send_t_ns: TNs
    reply_t_ns: TNs  # 0 = no reply
    outcome: Word  # ok, refused, unknown
    reason: Text


class Fill(Message, frozen=True):
    """One fill of ours as the venue reports it; unique by (`venue_t_ns`, `coin`, `tid`)."""

    coin: Coin
    venue_t_ns: TNs
    tid: Count
    oid: Count
    cloid: Annotated[str, Meta(max_length=34)]  # "" = an order that was not ours
    side: Side
    px_u: Px
    sz_u: Sz
    fee_e8: Signed  # negative = rebate
    liquidity: Liquidity
    start_position_u: Signed
    level: Annotated[int, Meta(ge=-1, le=MAX_LEVELS)] = -1
    mid2_px_u: PxOrNone = 0  # bid + ask in px_u when the fill arrived (twice the mid, so that it is exact); 0 = unknown
    liquidation: bool = False


class FundingPayment(Message, frozen=True):
    """Hourly funding booked by the venue; `usd_e8` is what our cash changed by (negative = paid)."""

    coin: Coin
    venue_t_ns: TNs
    usd_e8: Signed
    rate_1h: Rate
    position_u: Signed


# ---------------------------------------------------------------------- account, wallet, permit
class Position(msgspec.Struct, frozen=True, array_like=True, gc=False):
    coin: Coin
    signed_u: Signed
    entry_px: PxFloat  # in px_u
    unrealised_e8: Signed
    margin_used_e8: Signed


class AccountState(Message, frozen=True):
    """The venue's view of our account as the executor last reconciled it."""

    venue_t_ns: TNs
    equity_e8: Signed
    margin_used_e8: Signed
    maintenance_e8: Signed
    positions: Annotated[list[Position], Meta(max_length=64)]
    open_orders: Count
    unknown_orders: Count
    actions_used: Count
    actions_cap: Count
    maker_fee_ppb: Annotated[int, Meta(ge=-(10**7), le=10**8)] | None  # None = not known: nobody quotes
    taker_fee_ppb: Annotated[int, Meta(ge=-(10**7), le=10**8)] | None
    reconciled: bool
    reconcile_reason: Word = ""
    taker_ratio_24h: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.0
    governor_tokens: Annotated[float, Meta(ge=-1e9, le=1e9)] = 0.0


class AccountView(Message, frozen=True):
    """The monitor's own look at the same account (WebSocket, no keys): a second opinion."""

    venue_t_ns: TNs
    equity_e8: Signed
    margin_used_e8: Signed
    positions: Annotated[list[Position], Meta(max_length=64)]
    open_orders: Count


class RiskPermit(Message, frozen=True):
    """Leave to trade until `expires_t_ns`; without a fresh one the executor only cancels."""

    version: Count
    mode: Mode
    size_scale: Annotated[float, Meta(ge=0.0, le=1.0)]
    spread_scale: Annotated[float, Meta(ge=1.0, le=100.0)]
    soft_usd: Annotated[float, Meta(ge=0.0, le=1e9)]  # net position beyond which only the reducing side is quoted
    hard_usd: Annotated[float, Meta(ge=0.0, le=1e9)]  # worst-case position that may never be passed
    margin_ratio: Ratio
    drawdown: Ratio
    expires_t_ns: TNs
    reasons: Annotated[list[Word], Meta(max_length=32)]
    arm_epoch: Count = 0


# ---------------------------------------------------------------------- control, alerts, hb
class Command(Message, frozen=True):
    """One order by a person (or riskd's kill); applied once by `id`."""

    verb: Verb
    id: Annotated[str, Meta(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9-]+\Z")]
    arm_epoch: Count
    reason: Text
    key: Word = ""
    value: Word = ""


class Alert(Message, frozen=True):
    name: Word
    severity: Severity
    text: Text


class Heartbeat(Message, frozen=True):
    service: Word
    build: Word
    schema: Count
    config_hash: Word
    loop_lag_s: Annotated[float, Meta(ge=0.0, le=1e6)]
    ready: bool
    state: Word = ""  # one word for people: quoting, waiting, killed ...


AnyMessage: TypeAlias = (
    MarketSpec
    | Touch
    | BookUpdate
    | TradePrint
    | AssetContext
    | Ladder
    | OrderUpdate
    | ActionReport
    | Fill
    | FundingPayment
    | AccountState
    | AccountView
    | RiskPermit
    | Command
    | Alert
    | Heartbeat
)


class Envelope(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Who said it, in which life of his (`epoch`), as which message of that life (`seq`, from 1 per stream)."""

    producer: Word
    epoch: Count
    seq: Count
    message: AnyMessage


# ---------------------------------------------------------------------- events inside a process
class Tick(msgspec.Struct, frozen=True, gc=False):
    """Time as data: market time and the machine's monotonic clock.

    `t_ns + session_offset_ns` is the wall time in UTC that a replayed market stands at.
    """

    t_ns: int
    mono_ns: int
    session_offset_ns: int = 0


class Gap(msgspec.Struct, frozen=True, gc=False):
    """`missed` messages of a stream never arrived (or a producer began a new epoch: missed = -1)."""

    stream: str
    producer: str
    missed: int
