"""Cash, positions and their cost, in exact integers: what a fill and a funding payment do to an account.

Every entry has a counterpart at the *house*, the account behind all source flow that also collects the fees, so that
over all accounts positions, fees, funding, and cash less deposits sum to zero. Units: `events.Account`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from simvenue.events import Account

HOUSE = "0x" + "0" * 40
GROWTH_CREDIT = 10
"""A dollar traded in growth mode earns a tenth of an action (docs: "Rate limits")."""


@dataclass(frozen=True, slots=True)
class Booked:
    """What the venue's fill says besides price and size."""

    start_position_u: int
    closed_pnl_e8: int
    direction: str


class Accounts:
    """Every account of the venue, and the house."""

    def __init__(self) -> None:
        self.house = Account(HOUSE)
        self._by_address: dict[str, Account] = {}
        self._credit_e6: dict[str, int] = {}

    def __iter__(self) -> Iterator[Account]:
        return iter(self._by_address.values())

    def __contains__(self, address: object) -> bool:
        return address in self._by_address

    def get(self, address: str) -> Account:
        """The account; an empty one, not kept, for a stranger."""
        return self._by_address.get(address) or Account(address)

    def deposit(self, address: str, usd: int) -> Account:
        if usd <= 0:
            raise ValueError(f"a deposit is above 0, not {usd}")
        account = self._by_address.setdefault(address, Account(address))
        account.deposits_e8 += usd * 10**8
        account.cash_e8 += usd * 10**8
        return account

    def credit_e6(self, address: str) -> int:
        """Traded notional as it counts for the action budget."""
        return self._credit_e6.get(address, 0)

    def fill(
        self, address: str, coin: str, side: int, px_u: int, sz_u: int, fee_e8: int, is_taker: bool, is_growth: bool
    ) -> Booked:
        """Book one fill of a funded address against the house."""
        account = self._by_address[address]
        notional_e6 = px_u * sz_u
        booked = book_fill(account, coin, side, px_u, sz_u)
        account.cash_e8 -= fee_e8
        account.fees_e8 += fee_e8
        account.volume_e6 += notional_e6
        if is_taker:
            account.taker_e6 += notional_e6
        else:
            account.maker_e6 += notional_e6
        counted = notional_e6 // GROWTH_CREDIT if is_growth else notional_e6
        self._credit_e6[address] = self.credit_e6(address) + counted
        self.house.positions_u[coin] = self.house.positions_u.get(coin, 0) - side * sz_u
        self.house.cash_e8 += side * notional_e6 * 100 + fee_e8
        self.house.fees_e8 -= fee_e8
        return booked

    def fund(self, address: str, usd_e8: int) -> None:
        """Book a funding payment; `usd_e8` is what the account's cash changes by."""
        account = self._by_address[address]
        account.cash_e8 += usd_e8
        account.funding_e8 += usd_e8
        self.house.cash_e8 -= usd_e8
        self.house.funding_e8 -= usd_e8


def equity_e8(account: Account, marks_u: dict[str, int]) -> int:
    """Account value: cash and every position at its mark."""
    return account.cash_e8 + sum(position * marks_u[coin] * 100 for coin, position in account.positions_u.items())


def book_fill(account: Account, coin: str, side: int, px_u: int, sz_u: int) -> Booked:
    """Position, its cost and cash without the fee.

    A fill first closes at the position's average cost (the share of the cost is rounded down in size, the last fill
    takes what is left, so no unit is lost), then opens the rest at its own price.
    """
    before = account.positions_u.get(coin, 0)
    cost_e6 = account.entry_ntl_e6.get(coin, 0)
    closing = min(sz_u, abs(before)) if before * side < 0 else 0
    closed_e6 = 0
    if closing:
        share = abs(cost_e6) * closing // abs(before)
        released_e6 = share if before > 0 else -share
        closed_e6 = -side * closing * px_u - released_e6
        cost_e6 -= released_e6
    after = before + side * sz_u
    account.positions_u[coin] = after
    account.entry_ntl_e6[coin] = cost_e6 + side * (sz_u - closing) * px_u
    account.cash_e8 -= side * px_u * sz_u * 100
    return Booked(before, closed_e6 * 100, _direction(before, after))


def _direction(before: int, after: int) -> str:
    """The venue's words for what a fill did to the position."""
    if before > 0 > after:
        return "Long > Short"
    if before < 0 < after:
        return "Short > Long"
    if before > 0 or (before == 0 and after > 0):
        return "Open Long" if after > before else "Close Long"
    return "Open Short" if after < before else "Close Short"
