"""Hourly funding: the premium, the rate it makes, and what a position pays.

From hyperliquid.md 10 (docs: "Funding"): the premium is sampled every 5 s from the impact prices against the oracle,
`F = average premium + clamp(interest - premium, -0.05 %, +0.05 %)` is a rate for 8 hours of which an eighth is paid
every hour, at most 4 % an hour; a position pays size x *oracle* x rate. A builder dex has its own premium (all 155 of a
captured `allDexsAssetCtxs` follow it to the last digit, all 179 of the first dex the other) and interest rate, and
multiplies the result by 0..10; whether the cap comes before or after that is not published: here it is the last word.
Rates that are booked are whole numbers of 1e-10 (what the wire shows), payments whole numbers of 1e-8 quote.
"""

from __future__ import annotations

import math

from common.kernel import kernel
from simvenue.market import MarketDef

SAMPLE_S = 5
HOURS = 8
CLAMP = 0.0005
MULTIPLIER = 1.0
CAP_1H = 0.04
RATE_E10 = 10**10


@kernel("f8(f8, f8, f8)")
def premium(bid_impact_px: float, ask_impact_px: float, oracle_px: float) -> float:
    """How far the book stands from the oracle, as a share of it; 0.0 while the oracle lies inside the impact prices."""
    if oracle_px <= 0.0:
        return 0.0
    above = max(bid_impact_px - oracle_px, 0.0)
    below = max(oracle_px - ask_impact_px, 0.0)
    return (above - below) / oracle_px


@kernel("f8(f8, f8, f8)")
def middle_premium(bid_impact_px: float, ask_impact_px: float, oracle_px: float) -> float:
    """A builder dex's premium: how far the middle of the impact prices stands from the oracle."""
    return 0.5 * (bid_impact_px + ask_impact_px) / oracle_px - 1.0 if oracle_px > 0.0 else 0.0


def premium_of(market: MarketDef, impact_px: tuple[float, float], oracle_px: float) -> float:
    """The market's premium at (bid, ask) impact prices."""
    return (middle_premium if market.is_hip3 else premium)(*impact_px, oracle_px)


def rate_e10_1h(
    premium_mean: float, interest_rate_1h: float, clamp: float = CLAMP, multiplier: float = MULTIPLIER
) -> int:
    """The hourly rate in 1e-10."""
    return int(hourly_e10(premium_mean, interest_rate_1h, clamp, multiplier))


@kernel("i8(f8, f8, f8, f8)")
def hourly_e10(premium_mean: float, interest_rate_1h: float, clamp: float, multiplier: float) -> int:
    """The same, every figure given; a half is rounded up."""
    interest = HOURS * interest_rate_1h
    full = premium_mean + min(max(interest - premium_mean, -clamp), clamp)
    return math.floor(min(max(full / HOURS * multiplier, -CAP_1H), CAP_1H) * RATE_E10 + 0.5)


def rate_of(market: MarketDef, premium_mean: float) -> int:
    """The market's hourly rate in 1e-10 at this mean premium."""
    return rate_e10_1h(premium_mean, market.interest_rate_1h, market.funding_clamp, market.funding_multiplier)


@kernel("i8(i8, i8, i8)")
def cash_e8(position_u: int, oracle_px_u: int, rate_e10: int) -> int:
    """What the holder's cash changes by: negative when he pays; half a unit is rounded up.

    notional x 100 x rate / 1e10, in two parts, so that it stays within int64 (the rate is 4 % at most).
    """
    notional_e6 = position_u * oracle_px_u
    whole, part = notional_e6 // RATE_E10, notional_e6 % RATE_E10
    return -whole * 100 * rate_e10 + (-2 * part * rate_e10 + RATE_E10 // 100) // (RATE_E10 // 50)


class PremiumHour:
    """The samples of the running hour."""

    def __init__(self) -> None:
        self._sum = 0.0
        self._count = 0
        self.last: float | None = None

    def sample(self, value: float) -> None:
        self._sum += value
        self._count += 1
        self.last = value

    @property
    def mean(self) -> float:
        """Average so far; the last known sample when the hour has none yet, 0.0 when there never was one."""
        return self._sum / self._count if self._count else (self.last or 0.0)

    def close(self) -> float:
        """The hour's average; a new hour begins."""
        mean = self.mean
        self._sum, self._count = 0.0, 0
        return mean
