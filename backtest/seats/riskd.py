"""riskd's seat: permits; its kill file is the floor's, its state file stays in memory."""

from __future__ import annotations

from typing import Any

from backtest.seats.floor import BUILD, Floor
from backtest.seats.seat import Seat
from common.bus_types import Subscription
from common.clock import NS
from common.messages import SCHEMA
from common.streams import ACCOUNT, CONTROL, FILLS, HEARTBEAT, MD, SERVICES, WALLET
from riskd.engine import RiskEngine
from riskd.events import ClearKill, ClockRate, KillSeen, SaveState, Shown, WriteKill
from riskd.session import Session

WATCH_NS = NS // 20
PACE_S = 0.05
"""That it reads at a pace; at which, is `Timing`'s."""


def subscriptions(coin: str, pace_s: float) -> list[Subscription]:
    return [
        Subscription(MD, MD.of(coin), pace_s=pace_s),
        Subscription(FILLS, FILLS.of(coin), history=True),
        Subscription(ACCOUNT, ACCOUNT.of(), pace_s=pace_s),
        Subscription(WALLET, WALLET.of(), pace_s=pace_s),
        Subscription(CONTROL, CONTROL.of("monitor")),
        *(Subscription(HEARTBEAT, HEARTBEAT.of(service), pace_s=pace_s) for service in SERVICES),
    ]


class RiskSeat(Seat):
    """One account's risk."""

    name = "riskd"

    def __init__(self, floor: Floor) -> None:
        settings = floor.settings
        session = Session(account=f"{settings.wallet_address} {settings.market.coin}")
        self.riskd = RiskEngine(settings, session, (BUILD, SCHEMA, floor.config_hash))
        super().__init__(floor, self.riskd, subscriptions(settings.market.coin, PACE_S))
        self._seen: Any = ()
        self.shown: Shown | None = None

    def begin(self) -> None:
        super().begin()
        self.post(ClockRate(self.floor.rate))
        self._watch()
        self.every(WATCH_NS, self._watch)
        self.is_ready = True

    def _watch(self) -> None:
        """Tell the engine of the kill file, now and at every change."""
        if self._seen != self.floor.kill:
            self._seen = self.floor.kill
            self.post(KillSeen(self.floor.kill))

    def effect(self, effect: Any) -> None:
        match effect:
            case Shown():
                self.shown = effect
            case WriteKill():
                self.floor.kill = effect.kill
            case ClearKill():
                self.floor.kill = None
            case SaveState():
                return
            case _:
                super().effect(effect)

    def state(self) -> str:
        return self.riskd.verdict.mode.value if self.riskd.verdict else "starting"
