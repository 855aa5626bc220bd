"""A second opinion on our account: the venue asked directly, with no keys, past the executor and its streams.

Reading needs an address only. One `clearinghouseState` (weight 2) every `EVERY_S`, the number of open orders (weight
20) every fifth time. A question that failed is no answer: nothing is published then, least of all an empty account.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from common.clock import MS
from common.errors import BadInput, LinkDown, VenueError
from common.hyperliquid import InfoClient
from common.log import get_log
from common.messages import AccountView, MarketSpec, Position
from common.ticks import px_decimals, to_units, to_units_nearest
from common.venue_types import ClearinghouseState, PositionRow

EVERY_S = 3.0
ORDERS_EVERY = 5
MONEY_E8_MAX = 10**18

log = get_log("wallet")


def view_of(state: ClearinghouseState, spec: MarketSpec, open_orders: int, t_ns: int) -> AccountView:
    """The venue's answer as a message; sizes of other coins are in our coin's lots, to the nearest.

    Raises BadInput for amounts no account holds.
    """
    summary = state.margin_summary
    return AccountView(
        t_ns,
        state.time * MS,
        _money(summary.account_value),
        _money(summary.total_margin_used),
        [_position(row.position, spec) for row in state.asset_positions],
        open_orders,
    )


def _position(row: PositionRow, spec: MarketSpec) -> Position:
    to_size = to_units if row.coin == spec.coin else to_units_nearest
    entry = 0.0 if row.entry_px is None else float(row.entry_px) * 10.0 ** px_decimals(spec.sz_decimals)
    if not 0.0 <= entry <= 1e15:
        raise BadInput("range", f"entryPx {row.entry_px}")
    return Position(
        row.coin, to_size(row.szi, spec.sz_decimals), entry, _money(row.unrealized_pnl), _money(row.margin_used)
    )


def _money(text: str) -> int:
    e8 = to_units_nearest(text, 8)
    if abs(e8) > MONEY_E8_MAX:
        raise BadInput("range", text)
    return e8


class Wallet:
    """Asks for `address` until cancelled; `seen` gets every view."""

    def __init__(
        self,
        info: InfoClient,
        address: str,
        dex: str,
        spec: Callable[[], MarketSpec | None],
        now_t_ns: Callable[[], int],
        seen: Callable[[AccountView], None],
    ) -> None:
        self._info = info
        self._address = address
        self._dex = dex
        self._spec = spec
        self._now_t_ns = now_t_ns
        self._seen = seen
        self._open_orders = 0
        self._failing = False

    async def run(self) -> None:
        """Every `EVERY_S`; an outage is logged once."""
        turn = 0
        while True:
            spec = self._spec()
            if spec is not None:
                await self._ask(spec, turn)
                turn += 1
            await asyncio.sleep(EVERY_S if spec is not None else EVERY_S / 10)

    async def _ask(self, spec: MarketSpec, turn: int) -> None:
        try:
            if turn % ORDERS_EVERY == 0:
                self._open_orders = len(await self._info.open_orders(self._address, self._dex))
            state = await self._info.clearinghouse_state(self._address, self._dex)
            view = view_of(state, spec, self._open_orders, self._now_t_ns())
        except (BadInput, LinkDown, VenueError) as error:
            if not self._failing:
                log.warning("wallet_not_read", reason=type(error).__name__, detail=str(error)[:160])
            self._failing = True
            return
        if self._failing:
            log.info("wallet_read_again")
        self._failing = False
        self._seen(view)
