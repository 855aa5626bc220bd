"""One plan: from the newest ladder to the changes that are wanted, allowed and affordable now.

Narrows the ladder to what the mode allows, diffs it against what rests at the terms that moving has now, has every
change judged and the affordable ones chosen. An order that rests nearer than the quoter's floor and cannot be moved is
cancelled instead. While an urgent ladder's cancels are under way nothing is placed.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from common.config import Settings
from common.messages import Ladder, Level, Mode, OrderState, RiskPermit, Side
from common.ticks import MIN_NOTIONAL_E6
from executor import checks
from executor.account import Account
from executor.checks import Book, Bounds, Throttle
from executor.diff import SIZE_RATIO, Change, What, changes, gap_bps
from executor.events import Clock, Refusal
from executor.gates import Gates
from executor.governor import Governor, Scale, scale
from executor.reference import Reference
from executor.terms import Terms
from executor.tracker import Tracker

OVER_CAP = 1.02
"""Orders go when the worst case passes the hard limit by this much (equity moves; a hair is not worth a cancel)."""

PASSING = frozenset({"hard_limit", "own_cross"})
"""Refusals that are part of every re-quote: what still rests leaves no room yet.  A ladder that alone breaks the hard
limit is told as `ladder_too_large`."""

Wanted: TypeAlias = list[tuple[int, Level]]
Refused: TypeAlias = tuple[str, int, int, int]
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
        self._collar_bps = settings.execution.collar_bps
        self._hard_ratio = settings.risk.hard_ratio
        self._gates = gates
        self._tracker = tracker
        self._account = account
        self._governor = governor
        self._reference = reference
        self._throttle = Throttle(settings.execution.orders_per_s)
        self._urgent = False
        self._refused: dict[Refused, None] = {}

    def new_ladder(self, ladder: Ladder) -> None:
        self._urgent = ladder.urgent

    def plan(self, now: Clock, *, prompt: bool) -> list[Any]:
        """Messages and actions; only called when quoting is allowed, so ladder, permit and facts are there."""
        ladder, permit, facts = self._gates.ladder, self._gates.permit, self._tracker.facts
        if ladder is None or permit is None or facts is None or not self._account.known:
            return []
        bounds = self._bounds(permit, facts.sz_decimals, now)
        wanted = {side: _wanted(ladder, side, bounds) for side in Side}
        price_usd = self._governor.price_usd()
        found = [
            change
            for side in Side
            for change in changes(
                side,
                self._tracker.resting(side, now.t_ns),
                wanted[side],
                self.terms.of(ladder, side, price_usd, facts.sz_decimals),
            )
        ]
        found += self._excess(bounds, found)
        if self._urgent:
            found = self._cancel_first(found)
        mid_px = self._mid_px(ladder)
        scales = {side: scale([level for _, level in wanted[side]], mid_px) for side in Side}
        chosen, refusals = self._choose(found, bounds, scales, now)
        self.terms.note(ladder, chosen, facts.sz_decimals)
        if prompt and any(_is_too_large(side, wanted[side], bounds) for side in Side):
            refusals.append(Refusal("ladder_too_large"))
        return refusals + self._tracker.send(chosen, now, ladder, prompt=prompt, reduce_only=bounds.reducing)

    # ------------------------------------------------------------------ bounds
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

    def _excess(self, bounds: Bounds, found: list[Change]) -> list[Change]:
        """Outermost orders of a side whose worst case is over the hard limit."""
        going = {c.cloid for c in found if c.what is What.CANCEL}
        out = []
        for side in Side:
            orders = [o for o in self._tracker.table.live() if o.side is side and o.state is OrderState.OPEN]
            worst_u = self._tracker.table.worst_case_u(side, bounds.position_u)
            for order in sorted(orders, key=lambda o: side * o.px_u):
                if order.cloid in going:
                    worst_u -= order.exposure_u
                elif worst_u * order.px_u > bounds.hard_e6 * OVER_CAP and not self._tracker.is_busy(order):
                    worst_u -= order.exposure_u
                    out.append(Change(What.CANCEL, side, order.cloid, order.oid, order.px_u, order.remaining_u, -1))
        return out

    # ------------------------------------------------------------------ choosing
    def _choose(
        self, found: list[Change], bounds: Bounds, scales: dict[Side, Scale], now: Clock
    ) -> tuple[list[Change], list[Any]]:
        """What passes and is worth its token, in order of worth; what is too near and stuck is cancelled."""
        book = Book(self._tracker.table, bounds.dearest_px_u)
        cancels = [c for c in found if c.what is What.CANCEL]
        gone = {c.cloid for c in cancels}
        orders = [c for c in found if c.what is not What.CANCEL and c.cloid not in gone]
        refused: dict[Refused, None] = {}
        sent = []
        for worth, wanted in self._governor.rank(orders, scales):
            change, reason = self._judge(wanted, bounds, book, now)
            if reason is not None:
                refused[(reason, int(change.side), change.px_u, change.sz_u)] = None
            elif self._governor.affords(worth, self._hold_bps):
                self._governor.take()
                self._throttle.note(change, now.mono_ns)
                book.add(change)
                sent.append(change)
        gone |= {c.cloid for c in sent}
        stuck = [c for c in orders if c.what is What.OUTWARD and c.cloid not in gone and self._too_near(c)]
        new = [Refusal(key[0]) for key in refused if key not in self._refused and key[0] not in PASSING]
        self._refused = refused
        return [*cancels, *map(_cancelled, stuck), *sent], new

    def _judge(self, change: Change, bounds: Bounds, book: Book, now: Clock) -> tuple[Change, str | None]:
        """The change, cut to the room there is when that is nearly enough, and why it must not be sent now."""
        reason = checks.refuse(change, bounds, book)
        if reason == "hard_limit":
            room_u = book.room_u(change, bounds)
            if (1 - SIZE_RATIO) * change.sz_u <= room_u:
                change = msgspec.structs.replace(change, sz_u=room_u)
                reason = checks.refuse(change, bounds, book)
        if reason is None:
            reason = self._throttle.refuse(change, now.mono_ns)
        if reason is None and self._tracker.just_crossed(change.side, change.px_u, now):
            reason = "just_crossed"
        return change, reason

    def _too_near(self, change: Change) -> bool:
        """Whether the order rests nearer to the fair price than its side's floor (less what may stay)."""
        ladder = self._gates.ladder
        if ladder is None or ladder.inputs is None:
            return gap_bps(change.from_px_u, change.px_u) > 2 * self._hold_bps
        inputs = ladder.inputs
        floor_bps = inputs.floor_bid_bps if change.side is Side.BID else inputs.floor_ask_bps
        distance_bps = change.side * (inputs.fair_px / change.from_px_u - 1.0) * 1e4
        return not distance_bps >= floor_bps - self._hold_bps

    def _cancel_first(self, found: list[Change]) -> list[Change]:
        """The market ran away: what is too near goes now, and the rest waits until it is gone."""
        gone = [_cancelled(c) if c.what is What.OUTWARD else c for c in found]
        cancels = [c for c in gone if c.what is What.CANCEL]
        if cancels or self._tracker.count(OrderState.CANCELLING):
            return cancels
        self._urgent = False
        return gone

    def _mid_px(self, ladder: Ladder) -> float:
        """The middle that distances are measured from: own touch, else the ladder's own."""
        mid2 = self._reference.mid2()
        if mid2:
            return mid2 / 2
        nearest = [levels[0].px_u for levels in (ladder.bids, ladder.asks) if levels]
        return sum(nearest) / len(nearest) if nearest else 1.0


def _wanted(ladder: Ladder, side: Side, bounds: Bounds) -> Wanted:
    """A side's levels with their numbers; while reducing only what takes the position down, and no more than that."""
    levels = ladder.bids if side is Side.BID else ladder.asks
    if not bounds.reducing:
        return list(enumerate(levels))
    left_u = max(-side * bounds.position_u, 0)
    out: Wanted = []
    for number, level in enumerate(levels):
        sz_u = min(level.sz_u, left_u)
        if sz_u * level.px_u < MIN_NOTIONAL_E6:
            break
        out.append((number, Level(level.px_u, sz_u)))
        left_u -= sz_u
    return out


def _is_too_large(side: Side, wanted: Wanted, bounds: Bounds) -> bool:
    """Whether a side's levels alone, all filled, would take the position over the hard limit."""
    ntl_e6 = sum(level.px_u * level.sz_u for _, level in wanted)
    px_u = wanted[0][1].px_u if wanted else 0
    return bool(wanted) and not side * bounds.position_u * px_u + ntl_e6 <= bounds.hard_e6 * OVER_CAP


def _cancelled(change: Change) -> Change:
    return msgspec.structs.replace(change, what=What.CANCEL)
