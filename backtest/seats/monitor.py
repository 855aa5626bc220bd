"""The monitor's seat: what people would be told, and its own look at the account."""

from __future__ import annotations

from typing import Any

from backtest.seats.discovery import account, open_orders
from backtest.seats.floor import Floor, Job
from backtest.seats.seat import Seat
from common.bus_types import Subscription
from common.clock import MS, NS
from common.messages import AccountView, Alert, MarketSpec, Position
from common.sessions import Calendar
from common.streams import ACCOUNT, ALERTS, FILLS, HEARTBEAT, MD, ORDERS, PERMIT, QUOTES, SERVICES
from common.ticks import px_decimals, to_units, to_units_nearest
from common.venue_types import ClearinghouseState
from monitor.engine import Marked, MonitorEngine, Told
from monitor.events import ClockRead, KillSeen, WalletRead

CLOCK_NS = 5 * NS
PACE_S = 0.1
"""That it reads at a pace; at which, is `Timing`'s."""
KILL_LOOK_NS = NS // 5
WALLET_NS = 3 * NS
ORDERS_EVERY = 5
"""Every so many looks at the wallet open orders are counted too, as in `monitor/wallet.py`."""


def subscriptions(coin: str, pace_s: float) -> list[Subscription]:
    return [
        Subscription(MD, MD.of(coin), pace_s=pace_s),
        Subscription(QUOTES, QUOTES.of(coin), pace_s=pace_s),
        Subscription(ACCOUNT, ACCOUNT.of(), pace_s=pace_s),
        Subscription(PERMIT, PERMIT.of(), pace_s=pace_s),
        Subscription(ORDERS, ORDERS.of(coin), history=True),
        Subscription(FILLS, FILLS.of(coin), history=True),
        *[Subscription(ALERTS, ALERTS.of(name), history=True) for name in SERVICES],
        *[Subscription(HEARTBEAT, HEARTBEAT.of(name), pace_s=pace_s) for name in SERVICES],
    ]


class MonitorSeat(Seat):
    """One market's monitor; `alerts` is all that was raised."""

    name = "monitor"

    def __init__(self, floor: Floor, calendar: Calendar | None) -> None:
        self.monitor = MonitorEngine(floor.settings, calendar)
        super().__init__(floor, self.monitor, subscriptions(floor.settings.market.coin, PACE_S))
        self.alerts: list[Alert] = []
        self._turn = self._open_orders = 0

    def begin(self) -> None:
        super().begin()
        self._read_clock()
        self._watch_kill_file()
        self.every(CLOCK_NS, self._read_clock)
        self.every(KILL_LOOK_NS, self._watch_kill_file)
        self.every(WALLET_NS, lambda: self.jobs.start(self._look_at_wallet()))
        self.is_ready = True

    def _read_clock(self) -> None:
        floor = self.floor
        exchange = floor.venue.exchange
        self.post(ClockRead(floor.rate, floor.begin_ns, exchange.session_offset_ns, exchange.cut_ns))

    def _watch_kill_file(self) -> None:
        kill = self.floor.kill
        self.post(KillSeen(max(kill.epoch, 1), kill.reason) if kill else KillSeen(0, ""))

    def _look_at_wallet(self) -> Job:
        spec, settings = self.monitor.market.spec, self.floor.settings
        if spec is None:
            return
        if self._turn % ORDERS_EVERY == 0:
            rows = yield from open_orders(settings.wallet_address, settings.market.dex)
            self._open_orders = len(rows)
        self._turn += 1
        state = yield from account(settings.wallet_address, settings.market.dex)
        self.post(WalletRead(view_of(state, spec, self._open_orders, self.floor.loop.now_ns)))

    def effect(self, effect: Any) -> None:
        match effect:
            case Told():
                self.alerts.append(effect.alert)
            case Marked():
                return
            case _:
                super().effect(effect)


def view_of(state: ClearinghouseState, spec: MarketSpec, open_orders: int, t_ns: int) -> AccountView:
    """The venue's answer as the monitor's shell tells it."""
    positions = [
        Position(
            row.coin, to_units(row.szi, spec.sz_decimals),
            float(row.entry_px or 0.0) * 10.0 ** px_decimals(spec.sz_decimals),
            to_units_nearest(row.unrealized_pnl, 8), to_units_nearest(row.margin_used, 8),
        )
        for row in (held.position for held in state.asset_positions)
    ]  # fmt: skip
    summary = state.margin_summary
    equity_e8, used_e8 = to_units_nearest(summary.account_value, 8), to_units_nearest(summary.total_margin_used, 8)
    return AccountView(t_ns, state.time * MS, equity_e8, used_e8, positions, open_orders)
