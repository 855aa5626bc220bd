"""What goes into the venue's core and what comes out: the contract between `exchange.py` and its shell.

Times are market time in ns. A request acts when it *arrives* (the sender's time plus the order latency); what comes
out carries the venue's time `t_ns` and `deliver_t_ns`, when a client sees it (plus the feed or reply latency).
Prices and sizes are venue units.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

BUY = 1
SELL = -1

#: What `userAbstraction` may say; the first two keep balances by dex, the others in the spot state (hyperliquid.md).
MODES = ("default", "disabled", "unifiedAccount", "portfolioMargin")


# ---------------------------------------------------------------------- in
@dataclass(frozen=True, slots=True)
class OrderSpec:
    """One order as the wire has it; px and sz stay text until the rules have looked at them."""

    asset: int
    is_buy: bool
    px: str
    sz: str
    reduce_only: bool
    tif: str  # Alo, Ioc, Gtc
    cloid: str | None = None


@dataclass(frozen=True, slots=True)
class PlaceOrders:
    address: str
    orders: tuple[OrderSpec, ...]


@dataclass(frozen=True, slots=True)
class ModifyOrders:
    """Each entry names an order by oid or cloid and gives the whole new order; `single` is the `modify` action.

    With `always_place` the new order is placed even when the old one is gone.
    """

    address: str
    modifies: tuple[tuple[int | str, OrderSpec], ...]
    single: bool = False
    always_place: bool = False


@dataclass(frozen=True, slots=True)
class CancelOrders:
    """Each entry is (asset, oid or cloid); a `fast` one does not wait for its block."""

    address: str
    cancels: tuple[tuple[int, int | str], ...]
    fast: bool = False


@dataclass(frozen=True, slots=True)
class Noop:
    address: str


@dataclass(frozen=True, slots=True)
class ScheduleCancel:
    """Cancel everything at market time `time_ms` (unix ms); None = forget it."""

    address: str
    time_ms: int | None


@dataclass(frozen=True, slots=True)
class UpdateLeverage:
    address: str
    asset: int
    is_cross: bool
    leverage: int


@dataclass(frozen=True, slots=True)
class UpdateIsolatedMargin:
    """Move `usd_e6` (1e-6 quote) into the position's own margin; negative = out of it."""

    address: str
    asset: int
    usd_e6: int


@dataclass(frozen=True, slots=True)
class TopUpIsolatedMargin:
    """Put in what brings the position to `leverage` (decimal text) at its mark."""

    address: str
    asset: int
    leverage: str


@dataclass(frozen=True, slots=True)
class ReserveWeight:
    """Buy `weight` more actions for the address's budget."""

    address: str
    weight: int


@dataclass(frozen=True, slots=True)
class SetAbstraction:
    """Choose an account mode, one of `MODES`."""

    address: str
    mode: str


Request: TypeAlias = (
    PlaceOrders
    | ModifyOrders
    | CancelOrders
    | Noop
    | ScheduleCancel
    | UpdateLeverage
    | UpdateIsolatedMargin
    | TopUpIsolatedMargin
    | ReserveWeight
    | SetAbstraction
)


# ---------------------------------------------------------------------- statuses in a reply
@dataclass(frozen=True, slots=True)
class Resting:
    oid: int
    cloid: str | None


@dataclass(frozen=True, slots=True)
class Filled:
    oid: int
    cloid: str | None
    total_sz_u: int
    avg_px: str


@dataclass(frozen=True, slots=True)
class Success:
    pass


@dataclass(frozen=True, slots=True)
class Error:
    text: str


Status: TypeAlias = Resting | Filled | Success | Error


# ---------------------------------------------------------------------- out
@dataclass(frozen=True, slots=True)
class Reply:
    """Answer to one request; `error` is the whole-action refusal, else one status an entry."""

    t_ns: int
    deliver_t_ns: int
    request_id: int
    statuses: tuple[Status, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Bbo:
    """A changed touch, ours included; None = that side is empty.  Each side is (px_u, sz_u, n_orders)."""

    t_ns: int
    deliver_t_ns: int
    coin: str
    bid: tuple[int, int, int] | None
    ask: tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class Book:
    """A snapshot, best first, ours included: 20 levels a side, or 5 when `fast`."""

    t_ns: int
    deliver_t_ns: int
    coin: str
    fast: bool
    bids: tuple[tuple[int, int, int], ...]
    asks: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Trade:
    """One print; `side` is the aggressor's (BUY or SELL)."""

    t_ns: int
    deliver_t_ns: int
    coin: str
    side: int
    px_u: int
    sz_u: int
    tid: int
    buyer: str
    seller: str
    hash: str = ""  # a recorded transaction's; "" = made from the tid


@dataclass(frozen=True, slots=True)
class Context:
    """Asset context: prices in px_u (None = null on the wire), funding as an hourly rate, volumes in 1e-6 quote."""

    t_ns: int
    deliver_t_ns: int
    coin: str
    mark_px_u: int
    oracle_px_u: int
    mid2_px_u: int | None
    funding_rate_1h: float
    premium: float | None
    open_interest_u: int
    day_ntl_e6: int
    figures: Mapping[str, Any] | None = None  # a recorded venue's own words, told again as they were


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """A status change of one order, as `orderUpdates` tells its owner."""

    t_ns: int
    deliver_t_ns: int
    address: str
    coin: str
    side: int
    px_u: int
    sz_u: int  # remaining
    orig_sz_u: int
    oid: int
    cloid: str | None
    status: str
    placed_t_ns: int


@dataclass(frozen=True, slots=True)
class Liquidation:
    """Why a fill was forced: whose position, its mark then, and `market` (through the book) or `backstop`."""

    address: str
    mark_px_u: int
    method: str


@dataclass(frozen=True, slots=True)
class UserFill:
    t_ns: int
    deliver_t_ns: int
    address: str
    coin: str
    side: int
    px_u: int
    sz_u: int
    oid: int
    cloid: str | None
    tid: int
    crossed: bool
    fee_e8: int
    fee_token: str
    start_position_u: int
    closed_pnl_e8: int
    direction: str  # Open Long, Close Long, Open Short, Close Short, Long > Short, Short > Long
    liquidation: Liquidation | None = None


@dataclass(frozen=True, slots=True)
class UserFunding:
    t_ns: int
    deliver_t_ns: int
    address: str
    coin: str
    usd_e8: int
    position_u: int
    rate_1h: float


@dataclass(frozen=True, slots=True)
class Deposit:
    """Collateral that came in (`usd_e8` > 0) from outside the venue, or left it."""

    t_ns: int
    deliver_t_ns: int
    address: str
    usd_e8: int


@dataclass(frozen=True, slots=True)
class Liquidated:
    """An account (or one isolated position of it) was liquidated: what it held then, each as (coin, signed sz_u)."""

    t_ns: int
    deliver_t_ns: int
    address: str
    notional_e6: int
    equity_e8: int
    is_cross: bool
    positions: tuple[tuple[str, int], ...]


LedgerUpdate: TypeAlias = Deposit | Liquidated
"""What moves an account's money without being a fill or funding (`userNonFundingLedgerUpdates`)."""

Output: TypeAlias = Reply | Bbo | Book | Trade | Context | OrderEvent | UserFill | UserFunding | LedgerUpdate


# ---------------------------------------------------------------------- the core's surface
@dataclass(slots=True)
class Account:
    """One address on one collateral: cash and positions in exact integers.

    Position cash flow is in `cash_e8`: equity = cash_e8 + sum(position_u x mark_px_u x 100). What is not in
    `isolated_e8` of it is the cross account's.
    """

    address: str
    deposits_e8: int = 0
    cash_e8: int = 0
    fees_e8: int = 0
    funding_e8: int = 0
    volume_e6: int = 0
    maker_e6: int = 0
    taker_e6: int = 0
    positions_u: dict[str, int] = field(default_factory=dict)
    entry_ntl_e6: dict[str, int] = field(default_factory=dict)  # signed cost of the open position
    leverage: dict[str, int] = field(default_factory=dict)
    mode: str = "disabled"  # of MODES
    bought_actions: int = 0  # see reserveRequestWeight
    collateral: str = ""
    isolated_e8: dict[str, int] = field(default_factory=dict)  # `rawUsd` of isolated positions, a part of cash_e8
    is_isolated: dict[str, bool] = field(default_factory=dict)  # what was chosen by updateLeverage
