"""Auto-deleveraging: who on the other side gives up his position when somebody's value has fallen below 0.

From hyperliquid.md 10 (docs: "Auto-deleveraging"): the other side is ranked by (mark / entry) x (notional / account
value) and closed against the underwater user at the *previous* mark, without fees. The index is published for a long;
for a short its first factor is turned over here. An isolated position counts with its own value. What no ranked account
holds is the house's, as is a loss that is left at that price: nobody without a position loses anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from simvenue.book.pit import Pit
from simvenue.events import Account, Liquidation
from simvenue.money.clearing import Clearing

DIRECTION = "Auto-Deleveraging"


def rank(mark_px_u: int, size_u: int, entry_ntl_e6: int, value_e8: int) -> Fraction:
    """The venue's index of one position; higher is closed first."""
    notional = abs(size_u) * mark_px_u
    gain = Fraction(notional, abs(entry_ntl_e6)) if size_u > 0 else Fraction(abs(entry_ntl_e6), notional)
    return gain * Fraction(notional * 100, value_e8)


def queue(clearing: Clearing, pit: Pit, side: int, without: Account | None = None) -> list[Account]:
    """Accounts with a position of `side`, the first to be closed first; of equals the one that came first."""
    coin, mark = pit.market.coin, clearing.mark_u(pit)
    ranked: list[tuple[Fraction, Account]] = []
    for account in clearing.accounts.held(pit.market.collateral):
        size = account.positions_u.get(coin, 0)
        if account is without or size * side <= 0:
            continue
        standing = clearing.standing(account)
        held = next(p for p in standing.positions if p.coin == coin)
        value = held.equity_e8 if held.is_isolated else standing.cross_value_e8
        if value > 0 and account.entry_ntl_e6[coin]:
            ranked.append((rank(mark, size, account.entry_ntl_e6[coin], value), account))
    ranked.sort(key=lambda row: -row[0])
    return [account for _, account in ranked]


def close_opposite(clearing: Clearing, pit: Pit, t_ns: int, side: int, sz_u: int, under: Account | None) -> list[str]:
    """Close up to `sz_u` of those who hold `side`, best ranked first; returns whom it met."""
    px = price(clearing, pit)
    why = None if under is None else Liquidation(under.address, clearing.mark_u(pit), "backstop")
    met = []
    for account in queue(clearing, pit, side, under):
        if sz_u == 0:
            break
        taken = min(sz_u, abs(account.positions_u[pit.market.coin]))
        clearing.force(pit, t_ns, account, -side, px, taken, DIRECTION, why)
        sz_u -= taken
        met.append(account.address)
    return met


def deleverage(clearing: Clearing, pits: Sequence[Pit], account: Account, t_ns: int) -> list[str]:
    """Close the account's positions in these markets against the other side; returns everybody it concerned."""
    met = [account.address]
    for pit in pits:
        size = account.positions_u.get(pit.market.coin, 0)
        if size == 0:
            continue
        side = 1 if size > 0 else -1
        mark = clearing.mark_u(pit)
        met += close_opposite(clearing, pit, t_ns, -side, abs(size), account)
        kind = "Isolated" if pit.market.coin in account.isolated_e8 else "Cross"
        direction = f"Liquidated {kind} {'Long' if side > 0 else 'Short'}"
        why = Liquidation(account.address, mark, "backstop")
        close_whole(clearing, pit, t_ns, account, price(clearing, pit), direction, why)
    return met


def close_whole(
    clearing: Clearing, pit: Pit, t_ns: int, account: Account, px_u: int, direction: str, why: Liquidation | None
) -> None:
    """Close a position outside the book at px_u; an isolated one costs no more than its own margin."""
    coin = pit.market.coin
    size = account.positions_u[coin]
    if coin in account.isolated_e8:
        missing = -(account.isolated_e8[coin] + size * px_u * 100)
        clearing.cover(account, missing)
        account.isolated_e8[coin] += max(0, missing)
    clearing.force(pit, t_ns, account, -1 if size > 0 else 1, px_u, abs(size), direction, why)


def price(clearing: Clearing, pit: Pit) -> int:
    """The previous mark; the mark while there has been only one."""
    return pit.prices.previous_mark_px_u or clearing.mark_u(pit)
