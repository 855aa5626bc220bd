"""Actions that change how an account stands instead of sending orders: leverage, isolated margin, purchases, mode.

Hands leverage and isolated margin to `money/leverage.py` and scheduled cancels to `deadman.py`; decides purchases of
actions and account modes itself. Everything returns None when it is done, else the venue's words.
"""

from __future__ import annotations

from collections.abc import Sequence

from simvenue.book.pit import Pit
from simvenue.desk import budget, refusals
from simvenue.desk.deadman import DeadMan
from simvenue.events import (
    Request,
    ReserveWeight,
    ScheduleCancel,
    SetAbstraction,
    TopUpIsolatedMargin,
    UpdateIsolatedMargin,
    UpdateLeverage,
)
from simvenue.money.clearing import Clearing
from simvenue.money.leverage import Leverages


class AccountSettings:
    """The settings of all accounts of one venue."""

    def __init__(self, pits: Sequence[Pit], clearing: Clearing) -> None:
        self._clearing = clearing
        self._leverages = Leverages(pits, clearing.accounts, clearing.standings)
        self.deadman = DeadMan()

    def act(self, t_ns: int, request: Request, coin: str) -> str | None:
        """Carry out a request that sends no order; `coin` is the market it names, "" when it names none."""
        address = request.address
        match request:
            case ScheduleCancel():
                volume_e6 = self._clearing.accounts.credit_e6(address)
                return self.deadman.schedule(address, request.time_ms, volume_e6, t_ns)
            case UpdateLeverage():
                refused = self._leverages.set_leverage(address, coin, request.leverage, request.is_cross)
            case UpdateIsolatedMargin():
                refused = self._leverages.update_isolated_margin(address, coin, request.usd_e6)
            case TopUpIsolatedMargin():
                refused = self._leverages.top_up(address, coin, request.leverage)
            case ReserveWeight():
                refused = self._reserve(address, request.weight)
            case SetAbstraction():
                self._set_mode(address, request.mode)
                return None
            case _:
                return None
        if refused is None and address in self._clearing.accounts:
            self._clearing.recheck([address], t_ns)
        return refused

    def _reserve(self, address: str, weight: int) -> str | None:
        """Sell actions for money of the perp account that may leave it."""
        accounts, price_e8 = self._clearing.accounts, weight * budget.WEIGHT_PRICE_E8
        account = accounts.get(address)
        if weight <= 0:
            return refusals.RESERVE_ZERO.text
        if price_e8 > self._clearing.standings.standing(account).withdrawable_e8:
            return refusals.RESERVE_MARGIN.text
        accounts.transfer(account, accounts.house, price_e8)
        account.fees_e8 += price_e8
        accounts.house.fees_e8 -= price_e8
        account.bought_actions += weight
        return None

    def _set_mode(self, address: str, mode: str) -> None:
        """The account's mode is the same in all its cash books."""
        for book in self._clearing.accounts.books(address):
            book.mode = mode
