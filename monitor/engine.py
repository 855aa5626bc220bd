"""Fold all streams into what a person should know, and say so when something is wrong.

Events in: messages of every stream (live or replayed), Tick, the bus link, and what the shell saw (clock, wallet,
kill file, an authenticated command). Out: Alert, AccountView and Command messages, and for the shell `Told` (alerts
to deliver) and `Marked` (markouts to count). The pictures themselves are made by `status.py` and `session.py` from
this engine's boards. It decides no trading; it may stop it only because a person asked.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import msgspec

from common.config import Settings
from common.events import Link, Replayed
from common.messages import (
    AccountState,
    ActionReport,
    Alert,
    AssetContext,
    BookUpdate,
    Fill,
    FundingPayment,
    Heartbeat,
    Ladder,
    MarketSpec,
    Mode,
    OrderUpdate,
    RiskPermit,
    Tick,
    Touch,
)
from common.sessions import Calendar
from monitor.alerts import AlertBook
from monitor.events import Asked, ClockRead, KillSeen, WalletRead
from monitor.findings import findings
from monitor.market import MarketView
from monitor.money import MoneyBoard
from monitor.orders import OrderBoard
from monitor.scores import ScoreBoard
from monitor.services import ServiceBoard

S = 1_000_000_000
JUDGE_EVERY_S = 0.5
PERMIT_AGE_S = 2.0
"""A permit lives 1.5 s and is renewed every 0.25 s."""
LINK_BACK_S = 3.0
HISTORY_POINTS = 240
HISTORY_S = 2.0


class Told(msgspec.Struct, frozen=True, gc=False):
    """An alert that is new to us: log it, and (later) send it to people."""

    alert: Alert


class Marked(msgspec.Struct, frozen=True, gc=False):
    """A fill's markout became known: count it."""

    horizon_s: int
    bps: float


class Point(msgspec.Struct, frozen=True, gc=False):
    """One point of the session's curve."""

    t_ns: int
    net_e8: int
    position_e6: int


class MonitorEngine:
    """Everything known about one market and its services."""

    def __init__(self, settings: Settings, calendar: Calendar | None = None) -> None:
        self.settings = settings
        self.calendar = calendar
        self.coin = settings.market.coin
        self.market = MarketView(self.coin)
        self.money = MoneyBoard(self.coin)
        self.orders = OrderBoard()
        self.scores = ScoreBoard(self.session_of)
        self.services = ServiceBoard()
        self.alerts = AlertBook()
        self.permit: RiskPermit | None = None
        self.permit_mono_ns = 0
        self.kill = KillSeen(0, "")
        self.kill_mono_ns = 0
        self.clock = ClockRead(1.0, 0, 0)
        self.mode_mono_ns = 0  # since when the mode is what it is
        self.link_down_mono_ns: int | None = None
        self.link_back_mono_ns: int | None = None
        self.history: deque[Point] = deque()
        self.t_ns = 0
        self.mono_ns = 0
        self.began_mono_ns: int | None = None
        self._history_s = HISTORY_S
        self._point_mono_ns = 0
        self._judged_mono_ns = 0
        self._epoch = 0
        self._mode = ""

    def on(self, event: Any) -> list[Any]:
        match event:
            case Tick():
                return self._on_tick(event)
            case Touch() | BookUpdate() | AssetContext() | MarketSpec():
                return self._on_market(event)
            case Replayed():
                return self._on_state(event.message, replayed=True)
            case Link():
                self._on_link(event)
            case WalletRead():
                self.money.on_wallet(event.view, self.mono_ns)
                return [event.view]
            case KillSeen():
                self._on_kill_file(event)
            case ClockRead():
                self.clock = event
                self.market.begin(event.origin_t_ns)
            case Asked():
                self._epoch = max(self._epoch, event.command.arm_epoch)
                return [event.command]
            case _:
                return self._on_state(event, replayed=False)
        return []

    # ------------------------------------------------------------------ streams
    def _on_market(self, message: Any) -> list[Any]:
        mid2 = self.market.on(message, self.mono_ns)
        scored = self.scores.on_mid(self.market.venue_t_ns, mid2) if mid2 else []
        return [Marked(one.horizon_s, one.bps) for one in scored]

    def _on_state(self, message: Any, *, replayed: bool) -> list[Any]:
        match message:
            case Fill() if message.coin == self.coin:
                if self.money.on_fill(message):
                    return [Marked(one.horizon_s, one.bps) for one in self.scores.on_fill(message)]
            case FundingPayment() if message.coin == self.coin:
                self.money.on_funding(message)
            case OrderUpdate():
                self.orders.on_order(message)
            case ActionReport():
                self.orders.on_action(message)
            case Ladder():
                self.orders.on_ladder(message, self.mono_ns)
            case AccountState():
                self.money.on_account(message)
                self.orders.on_account(message)
            case RiskPermit():
                self.permit, self.permit_mono_ns = message, self.mono_ns
                self._epoch = max(self._epoch, message.arm_epoch)
            case Heartbeat():
                self.services.on_beat(message, self.mono_ns)
            case Alert():
                if self.alerts.keep(message) and not replayed:
                    return [Told(message)]
        return []

    def _on_link(self, link: Link) -> None:
        if link.up and self.link_down_mono_ns is not None:
            self.link_back_mono_ns = link.mono_ns
        self.link_down_mono_ns = None if link.up else (self.link_down_mono_ns or link.mono_ns)

    def _on_kill_file(self, seen: KillSeen) -> None:
        if (seen.epoch > 0) != (self.kill.epoch > 0):
            self.kill_mono_ns = self.mono_ns
        self.kill = seen
        self._epoch = max(self._epoch, seen.epoch)

    # ------------------------------------------------------------------ time
    def _on_tick(self, tick: Tick) -> list[Any]:
        self.t_ns, self.mono_ns = tick.t_ns, tick.mono_ns
        if self.began_mono_ns is None:
            self.began_mono_ns = tick.mono_ns
            self.services.began(tick.mono_ns)
        if tick.mono_ns - self._judged_mono_ns < JUDGE_EVERY_S * S:
            return []
        self._judged_mono_ns = tick.mono_ns
        if (mode := self.mode(tick.mono_ns)) != self._mode:
            self._mode, self.mode_mono_ns = mode, tick.mono_ns
        self.money.on_time(tick.t_ns, tick.mono_ns, self.clock.rate)
        self.scores.on_time(tick.t_ns)
        self._add_point(tick)
        alerts = self.alerts.judge(findings(self), tick.t_ns, tick.mono_ns)
        told = [Told(alert) for alert in alerts if self.alerts.keep(alert)]
        return [*alerts, *told]

    def _add_point(self, tick: Tick) -> None:
        """Extend the curve; when it is full every second point goes and the step doubles."""
        mark = self.market.mark_px_u
        if not mark or tick.mono_ns - self._point_mono_ns < self._history_s * S:
            return
        self._point_mono_ns = tick.mono_ns
        net_e8 = self.money.pnl(mark)["net"]
        self.history.append(Point(tick.t_ns, net_e8, self.money.position_u * mark))
        if len(self.history) > HISTORY_POINTS:
            self.history = deque(list(self.history)[::2])
            self._history_s *= 2

    # ------------------------------------------------------------------ what holds now
    def session_of(self, t_ns: int) -> str:
        """The session of the underlying at a market time; "regular" without a calendar."""
        if self.calendar is None:
            return "regular"
        return self.calendar.at(t_ns + self.clock.session_offset_ns).name

    def next_epoch(self, wall_ns: int) -> int:
        """An epoch above every one seen: wall time, so that it rises even when nothing else is known."""
        return max(wall_ns, self._epoch + 1)

    def deaf(self, mono_ns: int) -> bool:
        """Redis is away, or back so shortly that nobody had time to speak: silence proves nothing about others."""
        back = self.link_back_mono_ns
        return self.link_down_mono_ns is not None or (back is not None and mono_ns - back < LINK_BACK_S * S)

    def permit_age_s(self, mono_ns: int) -> float | None:
        return None if self.permit is None else (mono_ns - self.permit_mono_ns) / S

    def mode(self, mono_ns: int) -> str:
        """`killed` when the file says so; the permit's mode while it is fresh; else `unknown`."""
        if self.kill.epoch:
            return Mode.KILLED.value
        age_s = self.permit_age_s(mono_ns)
        if self.permit is None or age_s is None or age_s > PERMIT_AGE_S:
            return "unknown"
        return self.permit.mode.value

    def reasons(self, mono_ns: int) -> list[str]:
        """Why the mode is what it is, and why no quotes are wanted where they are not."""
        found = [f"kill file: {self.kill.reason or 'no reason given'}"] if self.kill.epoch else []
        if self.link_down_mono_ns is not None:
            found.append("Redis does not answer: nothing here is news")
        age_s = self.permit_age_s(mono_ns)
        if age_s is None:
            found.append("riskd: no permit yet")
        elif age_s > PERMIT_AGE_S:
            found.append(f"riskd: no permit for {age_s:.0f} s")
        elif self.permit is not None:
            found += [f"riskd: {reason}" for reason in self.permit.reasons]
        ladder = self.orders.ladder
        if ladder is None:
            found.append("quoter: no ladder yet")
        elif (silent_s := (mono_ns - self.orders.ladder_mono_ns) / S) > PERMIT_AGE_S:
            found.append(f"quoter: no ladder for {silent_s:.0f} s")
        else:
            found += [f"quoter: {reason}" for reason in ladder.reasons]
        return found
