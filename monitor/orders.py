"""What rests, what should rest, and what it costs in actions: order updates, the newest ladder, action reports.

Leaves the order rules to the executor; this room only mirrors what it says. Market time in ns.
"""

from __future__ import annotations

from collections import deque

from common.messages import AccountState, ActionReport, Ladder, OrderState, OrderUpdate, Side
from common.orders import LIVE, life_of
from common.ticks import px_decimals
from common.why import stages

S = 1_000_000_000
PACE_S = 600.0
"""Actions a minute are measured over this much market time."""


class OrderBoard:
    """Live orders by cloid, the newest ladder, and the pace of actions."""

    def __init__(self) -> None:
        self.ladder: Ladder | None = None
        self.ladder_mono_ns = 0
        self.entries = 0
        self.actions = 0
        self.outcomes: dict[str, int] = {}
        self._live: dict[str, OrderUpdate] = {}
        self._life = -1  # of the newest executor that placed an order
        self._paced: deque[tuple[int, int]] = deque()
        self._since_t_ns = 0

    def on_order(self, update: OrderUpdate) -> None:
        """Take one order's news; the first order of a new executor means that those before it have ended.

        A life quotes only after it has looked at the venue, and what it found there it has told by then. Nobody tells
        the end of orders that the dead-man process cancelled, or that were filled, while no executor lived.
        """
        life = life_of(update.cloid)
        if life is not None and life > self._life:
            self._life = life
            self._live.clear()
        if update.state in LIVE:
            self._live[update.cloid] = update
        else:
            self._live.pop(update.cloid, None)

    def on_account(self, account: AccountState) -> None:
        """An executor that has looked at the venue and has no order leaves none of those heard of before."""
        if account.reconciled and account.open_orders == 0:
            self._live = {cloid: one for cloid, one in self._live.items() if one.t_ns > account.t_ns}

    def on_ladder(self, ladder: Ladder, mono_ns: int) -> None:
        self.ladder, self.ladder_mono_ns = ladder, mono_ns

    def on_action(self, report: ActionReport) -> None:
        """Count one action's entries: the venue counts a batch of n as n."""
        self.actions += 1
        self.entries += report.entries
        self.outcomes[report.outcome] = self.outcomes.get(report.outcome, 0) + 1
        self._since_t_ns = self._since_t_ns or report.t_ns
        self._paced.append((report.t_ns, report.entries))

    @property
    def open_orders(self) -> int:
        return len(self._live)

    @property
    def unknown_orders(self) -> int:
        return sum(1 for update in self._live.values() if update.state is OrderState.UNKNOWN)

    def per_minute(self, t_ns: int) -> float:
        """Action entries a market minute, over the last ten (or as many as there are)."""
        while self._paced and t_ns - self._paced[0][0] > PACE_S * S:
            self._paced.popleft()
        covered_s = min(max((t_ns - self._since_t_ns) / S, 60.0), PACE_S) if self._since_t_ns else 60.0
        return sum(entries for _, entries in self._paced) * 60.0 / covered_s

    def budget(self, account: AccountState | None, t_ns: int) -> dict[str, object]:
        """What the venue still allows this address; credit from trades to come is not counted."""
        per_minute = self.per_minute(t_ns)
        used = account.actions_used if account else None
        cap = account.actions_cap if account else None
        remaining = cap - used if cap is not None and used is not None else None
        hours = remaining / (60.0 * per_minute) if remaining is not None and per_minute > 0 else None
        return {
            "used": used,
            "cap": cap,
            "remaining": remaining,
            "per_minute": round(per_minute, 2),
            "hours_left": None if hours is None else round(max(hours, 0.0), 2),
        }

    def rows(self, sz_decimals: int, t_ns: int, mono_ns: int) -> dict[str, object]:
        """Ladder and resting orders for the page; prices and sizes as plain numbers."""
        px, sz = 10.0 ** px_decimals(sz_decimals), 10.0**sz_decimals
        ladder = self.ladder
        resting: dict[str, list[dict[str, object]]] = {"bids": [], "asks": []}
        for update in sorted(self._live.values(), key=lambda u: -int(u.side) * u.px_u):
            resting["bids" if update.side is Side.BID else "asks"].append(
                {
                    "px": update.px_u / px,
                    "sz": (update.sz_u - update.filled_u) / sz,
                    "state": update.state.value,
                    "level": update.level,
                    "age_s": round(max(t_ns - update.t_ns, 0) / S, 1),
                    "cloid": update.cloid,
                }
            )
        sides = (ladder.bids, ladder.asks) if ladder else ([], [])
        bids, asks = ([{"px": row.px_u / px, "sz": row.sz_u / sz} for row in side] for side in sides)
        return {
            "bids": bids,
            "asks": asks,
            "version": ladder.version if ladder else None,
            "age_s": round((mono_ns - self.ladder_mono_ns) / S, 2) if ladder else None,
            "reasons": list(ladder.reasons) if ladder else [],
            "inputs": _inputs(ladder),
            "why": _why(ladder),
            "resting": resting,
        }


def _inputs(ladder: Ladder | None) -> dict[str, object] | None:
    if ladder is None or ladder.inputs is None:
        return None
    inputs = ladder.inputs
    return {name: getattr(inputs, name) for name in inputs.__struct_fields__}


def _why(ladder: Ladder | None) -> list[dict[str, str]]:
    """The newest decision stage by stage; empty while none was made."""
    record = ladder.record if ladder else None
    return [] if record is None else [{"stage": stage, "text": text} for stage, text in stages(record)]
