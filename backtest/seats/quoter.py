"""The quoter's seat: the ladder's engine with its sessions and, when there is one, its forecast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backtest.seats.floor import Floor
from backtest.seats.seat import Seat
from common.bus_types import Subscription
from common.markout import Scored
from common.sessions import Calendar
from common.streams import ACCOUNT, CONTROL, FILLS, MD, ORDERS, PERMIT
from quoter.card import Card
from quoter.engine import QuoteEngine
from quoter.events import Figures, Model, Refused


def subscriptions(coin: str, references: Sequence[str] = ()) -> list[Subscription]:
    return [
        *(Subscription(MD, MD.of(name)) for name in (coin, *references)),
        Subscription(ACCOUNT, ACCOUNT.of()),
        Subscription(PERMIT, PERMIT.of()),
        Subscription(ORDERS, ORDERS.of(coin), history=True),
        Subscription(FILLS, FILLS.of(coin), history=True),
        *(Subscription(CONTROL, CONTROL.of(writer)) for writer in CONTROL.writers),
    ]


class QuoterSeat(Seat):
    """One market's quoter; `scored` are marked-out fills, `refused` messages that were no use by their reason."""

    name = "quoter"

    def __init__(self, floor: Floor, calendar: Calendar | None, card: Card | None, make: type[QuoteEngine]) -> None:
        self.quoter = make(floor.settings, calendar)
        settings = floor.settings
        super().__init__(floor, self.quoter, subscriptions(settings.market.coin, settings.quoting.reference_coins))
        self._card = card
        self.scored: list[Scored] = []
        self.refused: dict[str, int] = {}

    def begin(self) -> None:
        self.is_ready = True
        super().begin()
        if self._card is not None:
            self.post(Model(self._card))

    def effect(self, effect: Any) -> None:
        match effect:
            case Figures():
                return
            case Scored():
                self.scored.append(effect)
            case Refused():
                self.refused[effect.reason] = self.refused.get(effect.reason, 0) + 1
            case _:
                super().effect(effect)

    def state(self) -> str:
        return self.quoter.mood
