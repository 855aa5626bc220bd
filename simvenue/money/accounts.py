"""Cash, positions and their cost, in exact integers: what a fill, a funding payment and a transfer do to an account.

An address has one cash book (`Account`) per collateral. Every entry has a counterpart at that collateral's *house*, the
account behind all source flow that also collects the fees, so that over all books of a collateral positions, fees,
funding, and cash less deposits sum to zero. *Vaults* are the venue's own accounts that take over what the book cannot
liquidate. Units: `events.Account`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    """Every cash book of the venue, its vaults, and the house of each collateral; "" is the first collateral."""

    def __init__(self, collaterals: Sequence[str] = ("USDC",)) -> None:
        self.collaterals = tuple(collaterals)
        self.houses = {name: Account(HOUSE, collateral=name) for name in collaterals}
        self._books: dict[str, dict[str, Account]] = {name: {} for name in collaterals}
        self._vaults: dict[str, dict[str, Account]] = {name: {} for name in collaterals}
        self._credit_e6: dict[str, int] = {}

    @property
    def house(self) -> Account:
        """The first collateral's."""
        return self.houses[self.collaterals[0]]

    def __iter__(self) -> Iterator[Account]:
        """Every book of every funded address, collateral by collateral."""
        for books in self._books.values():
            yield from books.values()

    def __contains__(self, address: object) -> bool:
        return address in self._books[self.collaterals[0]]

    def get(self, address: str, collateral: str = "") -> Account:
        """The address's book, or vault; an empty one, not kept, for a stranger."""
        name = collateral or self.collaterals[0]
        found = self._books[name].get(address) or self._vaults[name].get(address)
        return found or Account(address, collateral=name)

    def books(self, address: str) -> list[Account]:
        """The address's books of all collaterals."""
        return [books[address] for books in self._books.values() if address in books]

    def held(self, collateral: str) -> list[Account]:
        """Everybody's books of one collateral, vaults last, without the house."""
        return [*self._books[collateral].values(), *self._vaults[collateral].values()]

    def vault(self, address: str, collateral: str) -> Account:
        """A vault's book, opened when it is first needed."""
        return self._vaults[collateral].setdefault(address, Account(address, collateral=collateral))

    def vaults(self, collateral: str) -> list[Account]:
        return list(self._vaults[collateral].values())

    def deposit(self, address: str, usd: int, collateral: str = "") -> Account:
        """Whole quote tokens into one book; the address's other books are opened empty."""
        if usd <= 0:
            raise ValueError(f"a deposit is above 0, not {usd}")
        for name, books in self._books.items():
            books.setdefault(address, Account(address, collateral=name))
        account = self.get(address, collateral)
        account.deposits_e8 += usd * 10**8
        account.cash_e8 += usd * 10**8
        return account

    def credit_e6(self, address: str) -> int:
        """Traded notional as it counts for the action budget."""
        return self._credit_e6.get(address, 0)

    # ---------------------------------------------------------------- entries
    def fill(
        self, address: str, coin: str, side: int, px_u: int, sz_u: int, fee_e8: int, is_taker: bool, is_growth: bool,
        collateral: str = "", isolated_leverage: int = 0,
    ) -> Booked:  # fmt: skip
        """Book one trade of a funded address against the house; a leverage above 0 says the margin is isolated."""
        account = self.get(address, collateral)
        notional_e6 = px_u * sz_u
        booked = self.move(account, coin, side, px_u, sz_u, fee_e8, isolated_leverage)
        account.volume_e6 += notional_e6
        if is_taker:
            account.taker_e6 += notional_e6
        else:
            account.maker_e6 += notional_e6
        counted = notional_e6 // GROWTH_CREDIT if is_growth else notional_e6
        self._credit_e6[address] = self.credit_e6(address) + counted
        return booked

    def move(
        self, account: Account, coin: str, side: int, px_u: int, sz_u: int, fee_e8: int = 0, isolated_leverage: int = 0
    ) -> Booked:
        """Position, cash and fee, with the house on the other side; no volume, as for what is not a trade."""
        if isolated_leverage:
            _isolate(account, coin, side, px_u, sz_u, fee_e8, isolated_leverage)
        booked = book_fill(account, coin, side, px_u, sz_u)
        account.cash_e8 -= fee_e8
        account.fees_e8 += fee_e8
        house = self.houses[account.collateral or self.collaterals[0]]
        house.positions_u[coin] = house.positions_u.get(coin, 0) - side * sz_u
        house.cash_e8 += side * px_u * sz_u * 100 + fee_e8
        house.fees_e8 -= fee_e8
        return booked

    def fund(self, account: Account, coin: str, usd_e8: int) -> None:
        """Book a funding payment; `usd_e8` is what the account's cash, or its isolated position's, changes by."""
        account.cash_e8 += usd_e8
        account.funding_e8 += usd_e8
        if coin in account.isolated_e8:
            account.isolated_e8[coin] += usd_e8
        house = self.houses[account.collateral or self.collaterals[0]]
        house.cash_e8 -= usd_e8
        house.funding_e8 -= usd_e8

    @staticmethod
    def transfer(giver: Account, taker: Account, usd_e8: int) -> None:
        """Cash from one book to another of the same collateral."""
        giver.cash_e8 -= usd_e8
        taker.cash_e8 += usd_e8


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


def _isolate(account: Account, coin: str, side: int, px_u: int, sz_u: int, fee_e8: int, leverage: int) -> None:
    """What a fill does to the position's own cash; to be called before `book_fill`.

    Opening takes notional / leverage from the cross account and pays the fee out of it (two captures of `rawUsd` say
    so); closing gives back the closed share of what the position is worth at the fill's price (docs: "margin is
    proportionally removed as the position is closed"), rounded down.
    """
    before = account.positions_u.get(coin, 0)
    raw_e8 = account.isolated_e8.get(coin, 0)
    closing = min(sz_u, abs(before)) if before * side < 0 else 0
    if closing:
        released_e8 = (raw_e8 + before * px_u * 100) * closing // abs(before)
        raw_e8 += -side * px_u * closing * 100 - released_e8
    opening_e6 = px_u * (sz_u - closing)
    raw_e8 += -(-opening_e6 * 100 // leverage) - side * opening_e6 * 100
    if before + side * sz_u == 0:
        account.isolated_e8.pop(coin, None)
    else:
        account.isolated_e8[coin] = raw_e8 - fee_e8


def _direction(before: int, after: int) -> str:
    """The venue's words for what a fill did to the position."""
    if before > 0 > after:
        return "Long > Short"
    if before < 0 < after:
        return "Short > Long"
    if before > 0 or (before == 0 and after > 0):
        return "Open Long" if after > before else "Close Long"
    return "Open Short" if after < before else "Close Short"
