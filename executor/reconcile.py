"""Our orders held against the venue's: what rests there and should not, and what we believe and the venue does not.

Pure comparison; what happened to an order after the question was sent is left alone, for the answer may be older than
it. The venue is right: strangers are taken in to be cancelled, missing orders become UNKNOWN and are asked for one by
one (never "gone" because one list did not show them), differing sizes are taken over.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from common.messages import OrderState
from common.orders import STRAY_EPOCH, Order, Said, is_ours, make_cloid
from executor.events import Clock, Snapshot, VenueOrder
from executor.tracker import Tracker


class Findings(Struct):
    """What one comparison found, and the messages it made."""

    strays: list[Order]
    missing: int
    changed: int
    out: list[Any]

    @property
    def clean(self) -> bool:
        return not self.strays and not self.missing


def compare(tracker: Tracker, snapshot: Snapshot, coin: str, now: Clock) -> Findings:
    """Bring our table in line with the venue's list of open orders; the strays found are for the caller to cancel."""
    found = Findings([], 0, 0, [])
    shown = {order.oid: order for order in snapshot.orders if order.coin == coin}
    for order in list(tracker.table.live()):
        if tracker.untouched_since(order, snapshot.asked_mono_ns):
            _hold(tracker, order, shown.get(order.oid), found, now)
    known = {oid for order in tracker.table for oid in (*order.oids, order.oid)}
    for stray in _strays(shown.values(), known, tracker):
        _take_in(tracker, stray, found, now)
    return found


def _hold(tracker: Tracker, order: Order, shown: VenueOrder | None, found: Findings, now: Clock) -> None:
    if shown is None:
        if order.state is OrderState.OPEN:
            found.missing += 1
            update = tracker.table.hear(
                now.t_ns, order.cloid, Said.STATUS, oid=order.oid, status="missing", reason="not_in_open_orders"
            )
            found.out += [update] if update else []
        return
    if (shown.px_u, shown.sz_u) != (order.px_u, order.remaining_u) or order.state is OrderState.UNKNOWN:
        found.changed += 1
        update = tracker.table.hear(
            now.t_ns,
            order.cloid,
            Said.FOUND,
            oid=shown.oid,
            status="open",
            px_u=shown.px_u,
            sz_u=shown.orig_sz_u,
            filled_u=max(shown.orig_sz_u - shown.sz_u, 0),
        )
        found.out += [update] if update else []


def _take_in(tracker: Tracker, stray: VenueOrder, found: Findings, now: Clock) -> None:
    cloid = stray.cloid if is_ours(stray.cloid) else make_cloid(STRAY_EPOCH, -1, stray.side, stray.oid)
    if cloid in tracker.table.orders:  # ended for us, alive under a new number for the venue
        filled_u = max(stray.orig_sz_u - stray.sz_u, 0)
        update = tracker.table.hear(
            now.t_ns, cloid, Said.STATUS, oid=stray.oid, status="open", px_u=stray.px_u, sz_u=stray.orig_sz_u,
            filled_u=filled_u,
        )  # fmt: skip
    else:
        update = tracker.table.adopt(
            now.t_ns, cloid, stray.side, stray.px_u, stray.sz_u, oid=stray.oid, state=OrderState.OPEN
        )
    found.out += [update] if update else []
    found.strays.append(tracker.table.orders[cloid])


def _strays(shown: Iterable[VenueOrder], known: set[int], tracker: Tracker) -> list[VenueOrder]:
    """Orders we know nothing of; one whose placement has no answer yet is not a stray but late."""
    late = {order.cloid for order in tracker.table.live()}
    return [order for order in shown if order.oid not in known and order.cloid not in late]
