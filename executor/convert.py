"""The venue's rows (text, ms) -> our units (int, ns): the same for answers of `/info` and for the user streams.

Raises BadInput for what does not fit the market's grid or our ranges.
"""

from __future__ import annotations

from typing import Any, Protocol

from common.clock import MS
from common.errors import BadInput
from common.messages import Fill, FundingPayment, Liquidity, Side
from common.orders import is_ours
from common.ticks import px_decimals, to_units, to_units_nearest
from common.venue_types import ClearinghouseState, OrderRow
from executor.events import AccountSeen, Holding, VenueOrder

UNITS_MAX = 10**15
MONEY_E8_MAX = 10**18
RATE_DECIMALS = 12
DELEVERAGED = "Auto-Deleveraging"
"""`dir` of a fill by which the venue took a winning position to cover somebody else's loss."""


class FillLike(Protocol):
    """A fill of `userFills`, from the stream or from REST."""

    @property
    def coin(self) -> str: ...
    @property
    def px(self) -> str: ...
    @property
    def sz(self) -> str: ...
    @property
    def side(self) -> str: ...
    @property
    def time(self) -> int: ...
    @property
    def start_position(self) -> str: ...
    @property
    def oid(self) -> int: ...
    @property
    def crossed(self) -> bool: ...
    @property
    def fee(self) -> str: ...
    @property
    def tid(self) -> int: ...
    @property
    def cloid(self) -> str | None: ...
    @property
    def dir(self) -> str: ...
    @property
    def liquidation(self) -> Any: ...


def order_of(row: OrderRow, sz_decimals: int) -> VenueOrder:
    """An open order; without `origSz` (plain `openOrders`) what is left counts as all."""
    left_u = _size(row.sz, sz_decimals, least=0)
    return VenueOrder(
        coin=row.coin,
        oid=row.oid,
        cloid=(row.cloid or "").lower(),
        side=side_of(row.side),
        px_u=_price(row.limit_px, sz_decimals),
        sz_u=left_u,
        orig_sz_u=_size(row.orig_sz, sz_decimals, least=0) if row.orig_sz is not None else left_u,
    )


def fill_of(row: FillLike, user: str, sz_decimals: int, t_ns: int) -> Fill:
    """A fill of `user`'s, without level and mid: those are added when it is told."""
    cloid = (row.cloid or "").lower()
    return Fill(
        t_ns=t_ns,
        coin=row.coin,
        venue_t_ns=row.time * MS,
        tid=row.tid,
        oid=row.oid,
        cloid=cloid if is_ours(cloid) else "",
        side=side_of(row.side),
        px_u=_price(row.px, sz_decimals),
        sz_u=_size(row.sz, sz_decimals, least=1),
        fee_e8=money_e8(row.fee),
        liquidity=Liquidity.TAKER if row.crossed else Liquidity.MAKER,
        start_position_u=to_units(row.start_position, sz_decimals),
        liquidation=_is_forced(row, user),
    )


def _is_forced(row: FillLike, user: str) -> bool:
    """Whether the venue closed `user`'s own position: a maker who met somebody else's liquidation is told of it too."""
    if row.dir == DELEVERAGED:
        return True
    if row.liquidation is None:
        return False
    liquidated = row.liquidation.liquidated_user
    return liquidated is None or liquidated.lower() == user


def funding_of(
    coin: str, time_ms: int, usdc: str, szi: str, rate: str, sz_decimals: int, t_ns: int
) -> FundingPayment:  # fmt: skip
    rate_e12 = to_units_nearest(rate, RATE_DECIMALS)
    if not abs(rate_e12) <= 10**RATE_DECIMALS:
        raise BadInput("range", "funding rate")
    return FundingPayment(
        t_ns=t_ns,
        coin=coin,
        venue_t_ns=time_ms * MS,
        usd_e8=money_e8(usdc),
        rate_1h=rate_e12 / 10**RATE_DECIMALS,
        position_u=to_units(szi, sz_decimals),
    )


def account_of(state: ClearinghouseState, coin: str, sz_decimals: int) -> AccountSeen:
    """Money of the dex's account and the position in our coin (grids of other coins are not known here)."""
    rows = [entry.position for entry in state.asset_positions if entry.position.coin == coin]
    holdings = tuple(
        Holding(
            coin=coin,
            signed_u=to_units(row.szi, sz_decimals),
            entry_px=float(to_units_nearest(row.entry_px, px_decimals(sz_decimals))) if row.entry_px else 0.0,
            unrealised_e8=money_e8(row.unrealized_pnl),
            margin_used_e8=money_e8(row.margin_used),
        )
        for row in rows
    )
    if len(holdings) > 1:
        raise BadInput("position_twice", coin)
    return AccountSeen(
        venue_t_ns=state.time * MS,
        equity_e8=money_e8(state.margin_summary.account_value),
        margin_used_e8=money_e8(state.margin_summary.total_margin_used),
        maintenance_e8=money_e8(state.cross_maintenance_margin_used),
        holdings=holdings,
    )


def side_of(letter: str) -> Side:
    return Side.BID if letter == "B" else Side.ASK


def money_e8(text: str) -> int:
    """A decimal text in 1e-8 quote."""
    e8 = to_units_nearest(text, 8)
    if not abs(e8) <= MONEY_E8_MAX:
        raise BadInput("range", "money")
    return e8


def _price(text: str, sz_decimals: int) -> int:
    px_u = to_units(text, px_decimals(sz_decimals))
    if not 0 < px_u <= UNITS_MAX:
        raise BadInput("range", "price")
    return px_u


def _size(text: str, sz_decimals: int, least: int) -> int:
    sz_u = to_units(text, sz_decimals)
    if not least <= sz_u <= UNITS_MAX:
        raise BadInput("range", "size")
    return sz_u
