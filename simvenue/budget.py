"""What one address may send: the action budget and the open-order limit (docs: "Rate limits and user limits").

An address starts with 10,000 actions and earns one for each dollar it trades; in growth mode a dollar counts a tenth.
An action with n entries costs n, one that arrives after its `expiresAfter` five times that. With the budget gone one
single-entry action every 10 s of market time still passes; cancels have a further allowance of their own. Volumes
arrive as `credit_e6`: traded notional in 1e-6 quote, growth mode already counted.
"""

from __future__ import annotations

from dataclasses import dataclass

from common.clock import NS

START_ACTIONS = 10_000
CANCEL_EXTRA = 100_000
SLOW_LANE_NS = 10 * NS
LATE_FACTOR = 5

OPEN_ORDERS = 1000
OPEN_ORDERS_MAX = 5000
VOLUME_PER_OPEN_ORDER_E6 = 5_000_000 * 10**6


def action_cap(credit_e6: int) -> int:
    """Actions the address may have sent in all."""
    return START_ACTIONS + credit_e6 // 10**6


def open_order_cap(credit_e6: int) -> int:
    return min(OPEN_ORDERS_MAX, OPEN_ORDERS + credit_e6 // VOLUME_PER_OPEN_ORDER_E6)


@dataclass(slots=True)
class Budget:
    """One address's count of actions."""

    used: int = 0
    slow_t_ns: int = -SLOW_LANE_NS

    def charge(self, entries: int, is_cancel: bool, credit_e6: int, t_ns: int) -> str | None:
        """Take `entries` from the budget; the venue's error text, and nothing taken, when there is no room."""
        limit = action_cap(credit_e6)
        cap = min(limit + CANCEL_EXTRA, 2 * limit) if is_cancel else limit
        if self.used + entries > cap:
            if entries > 1 or t_ns < self.slow_t_ns + SLOW_LANE_NS:
                return exhausted(self.used + entries, limit, credit_e6)
            self.slow_t_ns = t_ns
        self.used += entries
        return None

    def penalise(self, entries: int) -> None:
        """An action that came after its own deadline."""
        self.used += LATE_FACTOR * entries


def exhausted(used: int, cap: int, credit_e6: int) -> str:
    """The venue's text (capture in error_strings: RateLimit)."""
    return (
        f"Too many cumulative requests sent ({used} > {cap}) for cumulative volume traded "
        f"${credit_e6 // 10**6}.{credit_e6 // 10**4 % 100:02d}. "
        "Place taker orders to free up 1 request per USDC traded."
    )


def open_order_refusal(open_now: int, adding: int, reduce_only: bool, credit_e6: int) -> str | None:
    """The venue refuses more than its cap, and beyond 1,000 anything reduce-only; the text is ours (none is public)."""
    cap = open_order_cap(credit_e6)
    if open_now + adding > cap or (reduce_only and open_now >= OPEN_ORDERS):
        return f"Too many open orders ({open_now} of {cap})."
    return None
