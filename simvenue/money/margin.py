"""How much must be kept: initial, resting-order and maintenance margin of a market, and where a position is liquidated.

From hyperliquid.md 10 (docs: "Margining", "Margin tiers", "Liquidations"): initial margin is notional / leverage and is
asked for when something is opened; maintenance is half the initial margin at the highest leverage of the notional's
tier, less the deduction that makes it continuous. Money is 1e-8 quote, notional 1e-6 quote. For resting orders the
venue's own formula is not published; here an account must be able to carry, market by market, its position with all
orders of one side filled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from common.kernel import kernel
from simvenue.market import MarketDef

LEVERAGE_DEFAULT = 20
WITHDRAW_SHARE = 10
"""At least notional / this must stay behind when money is taken out."""
QUOTE_E6 = 10**6

Tiers = Sequence[tuple[int, int]]
"""(notional it begins at in whole quote, highest leverage), rising; the first begins at 0."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """One market of one account: position, its mark, what rests on each side, and the chosen leverage.

    `isolated_e8` is the cash of an isolated position (`rawUsd`); None = cross margin.
    """

    position_u: int
    mark_px_u: int
    buys_e6: int
    sells_e6: int
    leverage: int
    isolated_e8: int | None = None

    @property
    def notional_e6(self) -> int:
        return abs(self.position_u) * self.mark_px_u

    @property
    def worst_e6(self) -> int:
        """Notional with every order of the worse side filled."""
        signed_e6 = self.position_u * self.mark_px_u
        return max(abs(signed_e6), signed_e6 + self.buys_e6, self.sells_e6 - signed_e6)

    @property
    def own_equity_e8(self) -> int:
        """What an isolated position is worth; 0 for a cross one."""
        return 0 if self.isolated_e8 is None else self.isolated_e8 + self.position_u * self.mark_px_u * 100


def default_leverage(market: MarketDef) -> int:
    return min(market.max_leverage, LEVERAGE_DEFAULT)


def used_e8(exposure: Exposure) -> int:
    """Margin behind the position alone: initial margin, or all an isolated position owns."""
    if exposure.isolated_e8 is not None:
        return exposure.own_equity_e8
    return int(initial_e8(exposure.notional_e6, exposure.leverage))


@kernel("i8(i8, i8)")
def initial_e8(notional_e6: int, leverage: int) -> int:
    """Initial margin of a notional, rounded up."""
    return -((-notional_e6 * 100) // max(leverage, 1))


@kernel("i8(i8, i8)")
def half_initial_e8(notional_e6: int, max_leverage: int) -> int:
    """Maintenance margin in a market's first tier, rounded up: half the initial margin at its highest leverage."""
    return -((-notional_e6 * 100) // max(2 * max_leverage, 1))


def required_e8(exposure: Exposure) -> int:
    """What the cross account must keep for this market.

    Cross: the initial margin of the worst case. Isolated: only what its orders would still ask for.
    """
    if exposure.isolated_e8 is None:
        return _ceil(exposure.worst_e6 * 100, exposure.leverage)
    return _ceil((exposure.worst_e6 - exposure.notional_e6) * 100, exposure.leverage)


def maintenance_e8(notional_e6: int, max_leverage: int, tiers: Tiers = ()) -> int:
    """Below this equity a position of that notional is liquidated, rounded up."""
    if len(tiers) < 2 or notional_e6 <= tiers[1][0] * QUOTE_E6:
        return int(half_initial_e8(notional_e6, tiers[0][1] if tiers else max_leverage))
    rate, deduction_e6 = maintenance_rate(notional_e6, max_leverage, tiers)
    exact = (notional_e6 * rate - deduction_e6) * 100
    return _ceil(exact.numerator, exact.denominator)


def maintenance_rate(notional_e6: int, max_leverage: int, tiers: Tiers = ()) -> tuple[Fraction, Fraction]:
    """(rate, deduction in 1e-6 quote) of the notional's tier: deduction n = that of n - 1 + lower bound x rate step."""
    rate, deduction = Fraction(1, 2 * (tiers[0][1] if tiers else max_leverage)), Fraction(0)
    for begins, leverage in tiers[1:]:
        if notional_e6 <= begins * QUOTE_E6:
            break
        deduction += begins * QUOTE_E6 * (Fraction(1, 2 * leverage) - rate)
        rate = Fraction(1, 2 * leverage)
    return rate, deduction


def leverage_limit(notional_e6: int, max_leverage: int, tiers: Tiers = ()) -> int:
    """Highest leverage a position of that notional may have."""
    found = tiers[0][1] if tiers else max_leverage
    for begins, leverage in tiers[1:]:
        if notional_e6 > begins * QUOTE_E6:
            found = leverage
    return found


def liquidation_px(position_u: int, mark_px_u: int, available_e8: int, rate: Fraction) -> Fraction | None:
    """Docs: price - side x margin available / size / (1 - l x side), in px_u; None when no price above 0 does it.

    `available_e8` is account value (or isolated margin) less maintenance, l the maintenance rate.
    """
    if position_u == 0:
        return None
    side = 1 if position_u > 0 else -1
    px = mark_px_u - side * Fraction(available_e8, 100 * abs(position_u)) / (1 - rate * side)
    return px if px > 0 else None


def withdrawable_e8(equity_e8: int, required: int, notional_e6: int) -> int:
    """What may leave the account."""
    return max(0, equity_e8 - kept_e8(required, notional_e6))


def kept_e8(required: int, notional_e6: int) -> int:
    """What must stay behind a withdrawal: the margin asked for, at least a tenth of the notional."""
    return max(required, _ceil(notional_e6 * 100, WITHDRAW_SHARE))


@kernel("i8(i8, i8, i8)")
def room_u(free_e8: int, mark_px_u: int, leverage: int) -> int:
    """Largest position that `free_e8` of margin can open at the mark."""
    return max(0, free_e8) * leverage // (mark_px_u * 100) if mark_px_u > 0 else 0


def _ceil(value: int, by: int) -> int:
    return -(-value // by)
