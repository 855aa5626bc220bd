"""One plan: from the newest ladder to the changes that are wanted, allowed and affordable now.

Hands what rests, what is wanted and the bounds of this moment to the kernel that decides (`plan.py`), and carries out
what it chose. An order that rests nearer than the quoter's floor and cannot be moved is cancelled instead. While an
urgent ladder's cancels are under way nothing is placed.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from common.config import Settings
from common.kernel import istate, state
from common.messages import Ladder, Level, Mode, OrderState, RiskPermit, Side
from common.orders import Order
from executor import plan as kernel
from executor.account import Account
from executor.checks import HARD, OWN_CROSS, WORDS, Bounds
from executor.diff import Change, What
from executor.events import Clock, Refusal
from executor.gates import Gates
from executor.governor import Governor
from executor.plan import C_STRIDE, OVER_CAP, R_STRIDE, W_COUNT, W_LEN, W_ROWS, W_SIDE, W_STRIDE
from executor.reference import Reference
from executor.terms import Terms
from executor.throttle import WORDS as SOON
from executor.throttle import Throttle
from executor.tracker import Tracker

PASSING = frozenset({HARD, OWN_CROSS})
"""Refusals that are part of every re-quote: what still rests leaves no room yet.  A ladder that alone breaks the hard
limit is told as `ladder_too_large`."""

WHATS = (What.CANCEL, What.OUTWARD, What.INWARD, What.NEW)
SIDES = (Side.BID, Side.ASK)
ORDERS_USUAL = 64
"""Room for so many orders is made beforehand."""

Refused: TypeAlias = tuple[int, ...]
"""Reason, side, price, size."""


class Planner:
    """Reads the others' state; its own is the throttle, whether the newest ladder is urgent, and what was refused."""

    def __init__(
        self,
        settings: Settings,
        *,
        gates: Gates,
        tracker: Tracker,
        account: Account,
        governor: Governor,
        reference: Reference,
    ) -> None:
        self._hold_bps = settings.quoting.hold_bps
        self.terms = Terms(settings)
        self.throttle = Throttle(settings.execution.orders_per_s)
        self._collar_bps = settings.execution.collar_bps
        self._hard_ratio = settings.risk.hard_ratio
        self._gates = gates
        self._tracker = tracker
        self._account = account
        self._governor = governor
        self._reference = reference
        self._refused: dict[Refused, None] = {}
        self._make_room(ORDERS_USUAL)
        self._want, self._q = istate(W_LEN), istate(kernel.Q_LEN)

    def new_ladder(self, ladder: Ladder) -> None:
        self._q[kernel.Q_IS_URGENT] = int(ladder.urgent)

    def plan(self, now: Clock, *, prompt: bool) -> list[Any]:
        """Messages and actions; only called when quoting is allowed, so ladder, permit and facts are there."""
        ladder, permit, facts = self._gates.ladder, self._gates.permit, self._tracker.facts
        if ladder is None or permit is None or facts is None or not self._account.known:
            return []
        bounds = self._bounds(permit, facts.sz_decimals, now)
        orders = self._pack_orders(now)
        self._pack_wanted(ladder)
        self._pack_memory()
        self.terms.look(ladder, self._governor.price_usd(), facts.sz_decimals)
        self._decide(bounds, len(orders), self._mid_px(ladder), now)
        chosen = [self._change(row, orders) for row in _rows(self._work.chosen, C_STRIDE)]
        self.terms.note(chosen)
        refusals = self._refusals()
        if prompt and any(self._is_too_large(side, bounds) for side in SIDES):
            refusals.append(Refusal("ladder_too_large"))
        return refusals + self._tracker.send(chosen, now, ladder, prompt=prompt, reduce_only=bounds.reducing)

    def _decide(self, bounds: Bounds, orders: int, mid_px: float, now: Clock) -> None:
        limits, marks = bounds.vectors()
        terms, governor = self.terms, self._governor
        kernel.plan(
            self._orders, orders, self._places, self._want, limits, marks, governor.bucket, terms.facts, terms.vector,
            self.throttle.ring, self._q, self._hold_bps, mid_px, bounds.dearest_px_u, now.t_ns, now.mono_ns,
            *self._work,
        )  # fmt: skip

    # ------------------------------------------------------------------ what goes in
    def _make_room(self, orders: int) -> None:
        self._work = kernel.new_work(orders)
        self._orders, self._places = istate(R_STRIDE * orders), state(orders)

    def _bounds(self, permit: RiskPermit, sz_decimals: int, now: Clock) -> Bounds:
        hard_usd = min(permit.hard_usd, self._hard_ratio * self._account.equity_e8 / 1e8)
        bid_px_u, ask_px_u = self._reference.touch(now.mono_ns)
        return Bounds(
            sz_decimals=sz_decimals,
            hard_e6=int(max(hard_usd, 0.0) * 1e6),
            soft_e6=int(permit.soft_usd * 1e6),
            position_u=self._account.position_u,
            reducing=self._gates.reducing or permit.mode is not Mode.ACTIVE,
            collar_bps=self._collar_bps,
            prices=tuple(self._reference.prices(now.mono_ns)),
            bid_px_u=bid_px_u,
            ask_px_u=ask_px_u,
        )

    def _pack_orders(self, now: Clock) -> list[Order]:
        """Every order that rests or may rest, and those whose fills have not all come, in the order placed."""
        rows = [(order, *self._tracker.row(order, now.t_ns)) for order in self._tracker.table]
        told = [row for row in rows if row[1][kernel.R_IS_LIVE] or row[1][kernel.R_UNBOOKED]]
        if len(told) > len(self._places):
            self._make_room(2 * len(told))
        for i, (_, row, place) in enumerate(told):
            self._orders[R_STRIDE * i : R_STRIDE * (i + 1)] = row
            self._places[i] = place
        return [order for order, _, _ in told]

    def _pack_wanted(self, ladder: Ladder) -> None:
        for s, levels in enumerate((ladder.bids, ladder.asks)):
            self._want[W_COUNT + s] = len(levels)
            for number, level in enumerate(levels):
                at = W_ROWS + W_SIDE * s + W_STRIDE * number
                self._want[at : at + W_STRIDE] = (level.px_u, level.sz_u, number)

    def _pack_memory(self) -> None:
        """What earlier plans and answers left."""
        self._q[kernel.Q_IS_CANCELLING] = self._tracker.count(OrderState.CANCELLING)
        for s, side in enumerate(SIDES):
            at = kernel.Q_CROSSED_PX + 2 * s
            self._q[at], self._q[at + 1] = self._tracker.crossed(side)

    def _mid_px(self, ladder: Ladder) -> float:
        """The middle that distances are measured from: own touch, else the ladder's own."""
        mid2 = self._reference.mid2()
        if mid2:
            return mid2 / 2
        nearest = [levels[0].px_u for levels in (ladder.bids, ladder.asks) if levels]
        return sum(nearest) / len(nearest) if nearest else 1.0

    # ------------------------------------------------------------------ what comes out
    def _change(self, row: tuple[int, ...], orders: list[Order]) -> Change:
        what, side, order, px_u, sz_u, level, from_px_u, found = row
        cloid, oid = (orders[order].cloid, orders[order].oid) if order >= 0 else ("", 0)
        gap = float(self._work.gaps[found])
        return Change(WHATS[what], Side(side), cloid, oid, px_u, sz_u, level, from_px_u, gap)

    def _refusals(self) -> list[Any]:
        """What was refused now and not at the last plan."""
        refused: dict[Refused, None] = dict.fromkeys(_rows(self._work.refused, kernel.X_STRIDE))
        new = [Refusal(_word(key[0])) for key in refused if key not in self._refused and key[0] not in PASSING]
        self._refused = refused
        return new

    def _is_too_large(self, side: Side, bounds: Bounds) -> bool:
        """Whether a side's levels alone, all filled, would take the position over the hard limit."""
        s = SIDES.index(side)
        rows = [W_ROWS + W_SIDE * s + W_STRIDE * j for j in range(int(self._want[W_COUNT + s]))]
        levels = [Level(int(self._want[at]), int(self._want[at + 1])) for at in rows]
        ntl_e6 = sum(level.px_u * level.sz_u for level in levels)
        px_u = levels[0].px_u if levels else 0
        return bool(levels) and not side * bounds.position_u * px_u + ntl_e6 <= bounds.hard_e6 * OVER_CAP


def _rows(changes: Any, stride: int) -> list[tuple[int, ...]]:
    flat = [int(value) for value in changes[1 : 1 + stride * int(changes[0])]]
    return [tuple(flat[at : at + stride]) for at in range(0, len(flat), stride)]


def _word(why: int) -> str:
    """The metric's label of a reason."""
    if why == kernel.JUST_CROSSED:
        return "just_crossed"
    return str(SOON[why - kernel.TOO_SOON] if why >= kernel.TOO_SOON else WORDS[why])
