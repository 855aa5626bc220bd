"""Who stands before our order when a level shrinks and nobody traded: the three queue models.

A level-by-level recording shows how much stands at a price, not who. Prints move everybody up and need no model; what
disappears *without* a print was withdrawn, and the models differ in whose it was:

- *risk-averse*: everything withdrawn stood behind us. Only a level smaller than our place moves us up.
- *probabilistic*: shared out by `f(x) = x^power`: of what was withdrawn, `f(back) / (f(front) + f(back))` stood behind
  us. power 1 is in proportion to size; a higher power protects the front of the queue more. Formula, order of the
  steps and the size behind (what was last shown less what stands before us, prints since not taken off) are those of
  hftbacktest's `ProbQueueModel` with `PowerProbQueueFunc`, so that both can be compared order by order.
- *optimistic*: everything withdrawn stood before us.

So for one order on one stream: risk-averse place >= probabilistic place >= optimistic place. What joins and leaves
between two pictures of the book is only seen as the difference. Places in contracts (sz_u); fractions of a contract
matter only when many small withdrawals are shared out, and are kept by the caller.
"""

from __future__ import annotations

from typing import Literal

from common.kernel import kernel

QueueModel = Literal["risk-averse", "probabilistic", "optimistic"]

RISK_AVERSE = 0
PROBABILISTIC = 1
OPTIMISTIC = 2

MODELS: dict[QueueModel, int] = {
    "risk-averse": RISK_AVERSE,
    "probabilistic": PROBABILISTIC,
    "optimistic": OPTIMISTIC,
}

POWER = 2.0
"""hftbacktest's examples use 2 (strategy.md 1.5)."""

POWER_MIN, POWER_MAX = 0.1, 10.0


@kernel("f8(f8, f8, f8)", inline=True)
def share_behind(front: float, back: float, power: float) -> float:
    """Share of a withdrawal that stood behind us, 0..1; front and back >= 0, 1 when nobody stands anywhere."""
    before = front**power
    total = before + back**power
    return 1.0 - before / total if total > 0.0 else 1.0


@kernel("f8(f8, f8, f8, f8)", inline=True)
def front_after(front: float, shown: float, gone: float, power: float) -> float:
    """Probabilistic: what still stands before us after `gone` of the `shown` size was withdrawn; >= 0, <= front."""
    back = max(0.0, shown - front)
    behind = share_behind(front, back, power) * gone
    left = front - (gone - behind)
    if behind > back:  # more than stood behind us: the rest was before us
        left -= behind - back
    return min(front, max(0.0, left))


@kernel("i8(i8, i8)", inline=True)
def unseen_ahead(model: int, shown: int) -> int:
    """Size before an order that waited out of view when its price comes into view: all, half or nothing of it."""
    if model == OPTIMISTIC:
        return 0
    if model == PROBABILISTIC:
        return (shown + 1) // 2
    return shown
