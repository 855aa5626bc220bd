"""What one address may send: the action budget and the open-order limit (docs: "Rate limits and user limits").

How many actions it may have sent is `actions.py`'s. An action with n entries costs n, one that arrives after its
`expiresAfter` five times that. Bought actions are taken off what was used. With the budget gone one single-entry action
every 10 s of market time still passes (a refused one costs nothing and does not put that off). In the account modes
`unifiedAccount` and `portfolioMargin` an address has 50,000 actions a UTC day besides. Volumes arrive as `credit_e6`:
traded notional in 1e-6 quote, growth mode already counted.
"""

from __future__ import annotations

from dataclasses import dataclass

from simvenue.desk import refusals
from simvenue.desk.actions import SLOW_LANE_NS, action_cap, most_actions
from simvenue.desk.deadman import DAY_NS, dollars

LATE_FACTOR = 5
WEIGHT_PRICE_E8 = 50_000
"""A bought action costs $0.0005."""
DAY_ACTIONS = 50_000
DAY_CAPPED = ("unifiedAccount", "portfolioMargin")

OPEN_ORDERS = 1000
OPEN_ORDERS_MAX = 5000
VOLUME_PER_OPEN_ORDER_E6 = 5_000_000 * 10**6


def open_order_cap(credit_e6: int) -> int:
    return min(OPEN_ORDERS_MAX, OPEN_ORDERS + credit_e6 // VOLUME_PER_OPEN_ORDER_E6)


def may_open(open_now: int, reduce_only: bool, credit_e6: int) -> bool:
    """Whether one more order may rest; from 1,000 on none that is reduce-only."""
    return open_now < (OPEN_ORDERS if reduce_only else open_order_cap(credit_e6))


@dataclass(frozen=True, slots=True)
class Means:
    """What the core knows of an address that its budget depends on."""

    credit_e6: int = 0
    bought: int = 0  # actions, see reserveRequestWeight
    mode: str = "disabled"


@dataclass(slots=True)
class Budget:
    """One address's count of actions, bought ones not taken off."""

    sent: int = 0
    slow_t_ns: int = -SLOW_LANE_NS
    day: int = 0
    sent_today: int = 0

    def used(self, bought: int) -> int:
        """`nRequestsUsed` (docs: max(0, sent - reserved))."""
        return max(self.sent - bought, 0)

    def surplus(self, bought: int) -> int:
        """`nRequestsSurplus` (docs: max(0, reserved - sent))."""
        return max(bought - self.sent, 0)

    def charge(self, entries: int, is_cancel: bool, means: Means, t_ns: int) -> str | None:
        """Take `entries` from the budget; the venue's error text, and nothing taken, when there is no room.

        The venue compares with its cap less one (captures: 37986 > 10436 at a cap of 10437).
        """
        today = self.sent_today if self.day == t_ns // DAY_NS else 0
        if means.mode in DAY_CAPPED and today + entries > DAY_ACTIONS:
            return refusals.DAY_BUDGET_GONE.of(used=today + entries, cap=DAY_ACTIONS)
        limit = int(action_cap(means.credit_e6)) - 1
        most = int(most_actions(limit, int(is_cancel)))
        after = self.sent - means.bought + entries
        if after > most:
            if entries > 1 or t_ns < self.slow_t_ns + SLOW_LANE_NS:
                return exhausted(after, limit, means.credit_e6)
            self.slow_t_ns = t_ns
        self._count(entries, t_ns)
        return None

    def penalise(self, entries: int, t_ns: int) -> None:
        """An action that came after its own deadline."""
        self._count(LATE_FACTOR * entries, t_ns)

    def _count(self, actions: int, t_ns: int) -> None:
        if self.day != t_ns // DAY_NS:
            self.day, self.sent_today = t_ns // DAY_NS, 0
        self.sent_today += actions
        self.sent += actions


def exhausted(used: int, limit: int, credit_e6: int) -> str:
    """The venue's text; it shows the volume to the cent."""
    return refusals.BUDGET_GONE.of(used=used, cap=limit, volume=dollars(credit_e6 // 10**4 * 10**4))
