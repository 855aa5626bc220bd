"""How many actions an address may have sent: 10,000 and one for each dollar it traded, cancels some more.

In growth mode a dollar counts a tenth (docs: "Rate limits and user limits"). Volumes arrive as `credit_e6`: traded
notional in 1e-6 quote, growth mode already counted. The same kernels in the venue (`budget.py`) and in the replay.
"""

from __future__ import annotations

from common.clock import NS
from common.kernel import kernel

START_ACTIONS = 10_000
CANCEL_EXTRA = 100_000
SLOW_LANE_NS = 10 * NS
"""With the budget gone one action in this time still passes."""


@kernel("i8(i8)")
def action_cap(credit_e6: int) -> int:
    """Actions the address may have sent in all (`nRequestsCap`)."""
    return START_ACTIONS + credit_e6 // 10**6


@kernel("i8(i8, i8)")
def most_actions(limit: int, is_cancel: int) -> int:
    """How many actions may have been sent: the limit, with an allowance on top for cancels."""
    return min(limit + CANCEL_EXTRA, 2 * limit) if is_cancel == 1 else limit
