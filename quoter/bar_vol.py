"""Volatility where only bars exist: Parkinson, Garman-Klass, Rogers-Satchell and Yang-Zhang.

A bar is (open, high, low, close) in any unit, `bars` a flat table of them, oldest first; results are variances of one
bar's log return, 0 where there are too few bars. Opening gaps count in Yang-Zhang alone; drift biases Parkinson and
Garman-Klass, not the other two. A price looked at `samples` times a bar has too small a range: `*_bias` is the expected
share of the truth, to divide by (0.5826 sigma sqrt(dt) for a discrete maximum: Broadie, Glasserman, Kou 1997).
Sources: Parkinson (1980), Garman and Klass (1980), Rogers and Satchell (1991), Yang and Zhang (2000); strategy.md 1.8.
"""

from __future__ import annotations

import math

from common.kernel import kernel
from quoter.state import YEAR_S

BAR = 4
OPEN, HIGH, LOW, CLOSE = range(BAR)
LN4 = 2.0 * math.log(2.0)
OVERSHOOT = 0.5826
MEAN_RANGE = math.sqrt(8.0 / math.pi)
"""Expected range of a Brownian motion without drift, in its standard deviations."""


@kernel("i8(f8[::1], i8)")
def bar_ok(bars: list[float], bar: int) -> int:
    """1 for a bar whose prices are above 0 and within its range."""
    at = BAR * bar
    least = min(bars[at + OPEN], bars[at + CLOSE])
    most = max(bars[at + OPEN], bars[at + CLOSE])
    return 1 if bars[at + LOW] > 0.0 and bars[at + LOW] <= least and bars[at + HIGH] >= most else 0


@kernel("f8(f8[::1], i8)")
def parkinson(bars: list[float], n: int) -> float:
    """mean ln(H/L)^2 / (4 ln 2)."""
    total = 0.0
    used = 0
    for bar in range(n):
        if bar_ok(bars, bar) == 1:
            ratio = math.log(bars[BAR * bar + HIGH] / bars[BAR * bar + LOW])
            total += ratio * ratio
            used += 1
    return total / (2.0 * LN4 * float(used)) if used > 0 else 0.0


@kernel("f8(f8[::1], i8)")
def garman_klass(bars: list[float], n: int) -> float:
    """mean ln(H/L)^2 / 2 - (2 ln 2 - 1) ln(C/O)^2."""
    total = 0.0
    used = 0
    for bar in range(n):
        if bar_ok(bars, bar) == 1:
            at = BAR * bar
            ratio = math.log(bars[at + HIGH] / bars[at + LOW])
            move = math.log(bars[at + CLOSE] / bars[at + OPEN])
            total += 0.5 * ratio * ratio - (LN4 - 1.0) * move * move
            used += 1
    return total / float(used) if used > 0 else 0.0


@kernel("f8(f8[::1], i8)")
def rogers_satchell(bars: list[float], n: int) -> float:
    """mean ln(H/C) ln(H/O) + ln(L/C) ln(L/O)."""
    total = 0.0
    used = 0
    for bar in range(n):
        if bar_ok(bars, bar) == 1:
            at = BAR * bar
            up = math.log(bars[at + HIGH] / bars[at + CLOSE]) * math.log(bars[at + HIGH] / bars[at + OPEN])
            down = math.log(bars[at + LOW] / bars[at + CLOSE]) * math.log(bars[at + LOW] / bars[at + OPEN])
            total += up + down
            used += 1
    return total / float(used) if used > 0 else 0.0


@kernel("f8(f8[::1], i8, i8)")
def variance_of(bars: list[float], n: int, of: int) -> float:
    """Sample variance of the bars' log moves: `of` 0 = from the close before to the open, 1 = from open to close."""
    total = 0.0
    squares = 0.0
    used = 0
    for bar in range(1, n):
        if bar_ok(bars, bar) == 1 and bar_ok(bars, bar - 1) == 1:
            at = BAR * bar
            move = math.log(bars[at + CLOSE] / bars[at + OPEN])
            if of == 0:
                move = math.log(bars[at + OPEN] / bars[at - BAR + CLOSE])
            total += move
            squares += move * move
            used += 1
    if used < 2:
        return 0.0
    return max(squares - total * total / float(used), 0.0) / float(used - 1)


@kernel("f8(i8)")
def yang_zhang_weight(n: int) -> float:
    """Share of the open-to-close variance that makes the estimate's own variance least: 0.34 / (1.34 + (n+1)/(n-1))."""
    return 0.34 / (1.34 + float(n + 1) / float(n - 1)) if n > 1 else 0.0


@kernel("f8(f8[::1], i8)")
def yang_zhang(bars: list[float], n: int) -> float:
    """Variance of the gaps + k x variance of open to close + (1 - k) x Rogers-Satchell; needs three bars."""
    if n < 3:
        return 0.0
    k = yang_zhang_weight(n - 1)
    return variance_of(bars, n, 0) + k * variance_of(bars, n, 1) + (1.0 - k) * rogers_satchell(bars, n)


@kernel("f8(f8)")
def parkinson_bias(samples: float) -> float:
    """Expected Parkinson variance over the truth when the price was looked at `samples` times a bar."""
    if samples < 1.0:
        return 1.0
    less = 2.0 * OVERSHOOT / math.sqrt(samples)
    return max((2.0 * LN4 - 2.0 * less * MEAN_RANGE + less * less) / (2.0 * LN4), 0.1)


@kernel("f8(f8)")
def rogers_satchell_bias(samples: float) -> float:
    """The same for Rogers-Satchell."""
    if samples < 1.0:
        return 1.0
    less = OVERSHOOT / math.sqrt(samples)
    return max(1.0 - 2.0 * less * MEAN_RANGE + 2.0 * less * less, 0.1)


@kernel("f8(f8)")
def garman_klass_bias(samples: float) -> float:
    """The same for Garman-Klass."""
    return 2.0 * LN4 * 0.5 * parkinson_bias(samples) - (LN4 - 1.0)


@kernel("f8(i8, f8)")
def yang_zhang_bias(n: int, samples: float) -> float:
    """The same for Yang-Zhang without opening gaps."""
    k = yang_zhang_weight(n - 1)
    return k + (1.0 - k) * rogers_satchell_bias(samples)


@kernel("f8(f8, f8)")
def annual_of_bar(variance: float, bar_s: float) -> float:
    """Annual volatility (365 x 24 h) of a variance per bar of `bar_s` seconds."""
    if variance <= 0.0 or bar_s <= 0.0:
        return 0.0
    return math.sqrt(variance * YEAR_S / bar_s)
