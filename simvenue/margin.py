"""How much an account must keep: initial, resting-order and maintenance margin, all cross within one collateral.

From hyperliquid.md 10 (docs: "Margining"): initial margin is notional / leverage and is asked for when something is
opened; maintenance is half the initial margin at the market's highest leverage. Money is 1e-8 quote, notional 1e-6
quote. For resting orders the venue's own formula is not published; here an account must be able to carry, market by
market, its position with all orders of one side filled.
"""

from __future__ import annotations

from dataclasses import dataclass

from simvenue.market import MarketDef

LEVERAGE_DEFAULT = 20
WITHDRAW_SHARE = 10
"""At least notional / this must stay behind when money is taken out."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """One market of one account: position, its mark, what rests on each side, and the chosen leverage."""

    position_u: int
    mark_px_u: int
    buys_e6: int
    sells_e6: int
    leverage: int

    @property
    def notional_e6(self) -> int:
        return abs(self.position_u) * self.mark_px_u


def default_leverage(market: MarketDef) -> int:
    return min(market.max_leverage, LEVERAGE_DEFAULT)


def used_e8(exposure: Exposure) -> int:
    """Initial margin of the position alone."""
    return _ceil(exposure.notional_e6 * 100, exposure.leverage)


def required_e8(exposure: Exposure) -> int:
    """Initial margin of the worst case: the position with every order of one side filled."""
    signed_e6 = exposure.position_u * exposure.mark_px_u
    worst_e6 = max(abs(signed_e6), signed_e6 + exposure.buys_e6, exposure.sells_e6 - signed_e6)
    return _ceil(worst_e6 * 100, exposure.leverage)


def maintenance_e8(notional_e6: int, max_leverage: int) -> int:
    return _ceil(notional_e6 * 100, 2 * max_leverage)


def withdrawable_e8(equity_e8: int, required: int, notional_e6: int) -> int:
    """What may leave the account."""
    return max(0, equity_e8 - max(required, _ceil(notional_e6 * 100, WITHDRAW_SHARE)))


def room_u(free_e8: int, mark_px_u: int, leverage: int) -> int:
    """Largest position that `free_e8` of margin can open at the mark."""
    return max(0, free_e8) * leverage // (mark_px_u * 100) if mark_px_u > 0 else 0


def _ceil(value: int, by: int) -> int:
    return -(-value // by)
