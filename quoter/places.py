"""Where each of our orders stands in its queue, as far as the market lets us know, and whether that is true.

On arrival all size others show at our price is before us. Prints at our price consume the front, then us, then what
came later; a print beyond our price has passed everybody. What a level loses without a print was withdrawn: the share
f(behind) / (f(front) + f(behind)), f(x) = log(1 + x), of it stood behind us (the probabilistic queue of hftbacktest;
log lets the large end give more). A level smaller than our place moves us up. What joins stands behind. Book and prints
travel apart: a print that a book already held is taken back from what that book's loss was split into.

Calibration: before each print that reaches our price the share of the level before us, in five buckets, and how much
the print should fill of us; the fills that follow are counted in the same bucket. Expected and observed size should
agree. Prices px_u, sizes sz_u (floats, since splits make fractions), times venue ns.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from common.book import LevelU
from common.messages import Fill, OrderState, OrderUpdate, Side, TradePrint
from common.orders import ENDED

BUCKETS = 5
ORDERS_MAX = 200
RESTS = (OrderState.OPEN, OrderState.MOVING, OrderState.CANCELLING)


@dataclass(slots=True)
class Place:
    """One order of ours in its queue."""

    side: Side
    px_u: int
    left: float
    level: int
    front: float = 0.0
    behind: float = 0.0
    seen: bool = False  # its level has been in the book since it arrived
    book_t_ns: int = 0  # venue time of the book last compared with
    lost: float = 0.0  # what that book had lost without a print we knew of
    lost_front: float = 0.0  # and how much of it was taken from before us
    promised: float = 0.0  # what prints should have filled and no fill has told of yet
    bucket: int = 0  # before the last print
    print_t_ns: int = 0

    @property
    def share(self) -> float:
        """Of the level: how much stands before us, 0..1."""
        whole = self.front + self.left + self.behind
        return self.front / whole if whole > 0.0 else 0.0


@dataclass(slots=True)
class Calibration:
    """Sizes by bucket of the share before us: what prints should have filled, what was filled (USD)."""

    expected_usd: list[float] = field(default_factory=lambda: [0.0] * BUCKETS)
    observed_usd: list[float] = field(default_factory=lambda: [0.0] * BUCKETS)
    chances: list[int] = field(default_factory=lambda: [0] * BUCKETS)


def behind_share(front: float, behind: float) -> float:
    """Share of a withdrawal that stood behind us, 0..1; all of it when nobody stands anywhere."""
    before, after = math.log1p(front), math.log1p(behind)
    return after / (before + after) if before + after > 0.0 else 1.0


def withdrawn_front(front: float, behind: float, lost: float) -> float:
    """How much of `lost` was withdrawn before us: never more than was there, all that was not behind."""
    mine = (1.0 - behind_share(front, behind)) * lost
    return min(max(mine, lost - behind), front)


class QueueBook:
    """Orders, books, prints and fills in; places and their calibration out."""

    def __init__(self) -> None:
        self.calibration = Calibration()
        self._places: dict[str, Place] = {}

    @property
    def places(self) -> list[Place]:
        """Those whose level has been seen, bids before asks, best first."""
        known = [place for place in self._places.values() if place.seen]
        return sorted(known, key=lambda place: (-place.side, -place.side * place.px_u))

    # ------------------------------------------------------------------ ourselves
    def on_order(self, update: OrderUpdate) -> None:
        """A new price is the end of the new queue; a smaller size keeps the place."""
        left = float(update.sz_u - update.filled_u)
        if update.state in ENDED or left <= 0.0:
            if update.state is not OrderState.FILLED:
                self._places.pop(update.cloid, None)
            return
        if update.state not in RESTS:
            return
        place = self._places.get(update.cloid)
        if place is None or (place.px_u != update.px_u and update.state is OrderState.OPEN):
            while len(self._places) >= ORDERS_MAX:
                self._places.pop(next(iter(self._places)))
            self._places[update.cloid] = Place(update.side, update.px_u, left, update.level, book_t_ns=update.t_ns)
        elif place.px_u == update.px_u:
            place.left = min(place.left, left)

    def on_fill(self, fill: Fill) -> None:
        """Count a fill in the bucket its order was in before the print that made it."""
        place = self._places.get(fill.cloid)
        if place is None or fill.px_u != place.px_u:
            return
        told = fill.venue_t_ns == place.print_t_ns
        if place.seen:
            bucket = place.bucket if told else _bucket(place)
            self.calibration.observed_usd[bucket] += fill.px_u * fill.sz_u * 1e-6
        if not told:
            place.front = 0.0
        place.left -= fill.sz_u
        place.promised = max(place.promised - fill.sz_u, 0.0)
        if place.left <= 0.0:
            del self._places[fill.cloid]

    # ------------------------------------------------------------------ the market without us
    def on_book(self, t_ns: int, bids: Sequence[LevelU], asks: Sequence[LevelU], fresh: int) -> None:
        """The book of venue time `t_ns`, of which `fresh` levels a side are of that time."""
        shown = {Side.BID: dict(bids[:fresh]), Side.ASK: dict(asks[:fresh])}
        edge = {side: levels[min(fresh, len(levels)) - 1][0] for side, levels in _sides(bids, asks, fresh)}
        for place in self._places.values():
            if t_ns <= place.book_t_ns or place.side not in edge:
                continue
            if place.side * (place.px_u - edge[place.side]) < 0:
                continue  # beyond what is shown
            self._compare(place, float(shown[place.side].get(place.px_u, 0)))
            place.book_t_ns = t_ns

    @staticmethod
    def _compare(place: Place, others: float) -> None:
        if not place.seen:
            place.seen, place.front = True, others
            return
        change = others - place.front - place.behind
        place.lost = place.lost_front = 0.0
        if change >= 0.0:
            place.behind += change
            return
        place.lost = -change
        place.lost_front = withdrawn_front(place.front, place.behind, place.lost)
        place.front -= place.lost_front
        place.behind = max(place.behind - (place.lost - place.lost_front), 0.0)

    def on_print(self, trade: TradePrint) -> None:
        """A seller consumes bids, a buyer asks."""
        for place in self._places.values():
            if place.side == trade.side or not place.seen:
                continue
            through = place.side * (trade.px_u - place.px_u)
            if through > 0:
                continue  # better prices than ours traded
            self._consume(place, trade, beyond=through < 0)

    def _consume(self, place: Place, trade: TradePrint, *, beyond: bool) -> None:
        if trade.venue_t_ns != place.print_t_ns:
            place.bucket, place.print_t_ns = _bucket(place), trade.venue_t_ns
            self.calibration.chances[place.bucket] += 1
        size = float(trade.sz_u)
        if not beyond and trade.venue_t_ns <= place.book_t_ns:
            self._take_back(place, size)
        rest = max(place.left - place.promised, 0.0)
        filled = rest if beyond else min(max(size - place.front, 0.0), rest)
        place.promised += filled
        place.front = 0.0 if beyond else max(place.front - size, 0.0)
        self.calibration.expected_usd[place.bucket] += place.px_u * filled * 1e-6

    @staticmethod
    def _take_back(place: Place, size: float) -> None:
        """What the newest book had lost was traded, not withdrawn: undo its split for so much."""
        undone = min(size, place.lost)
        if undone <= 0.0:
            return
        front = place.lost_front * undone / place.lost
        place.front += front
        place.behind += undone - front
        place.lost_front -= front
        place.lost -= undone


def _bucket(place: Place) -> int:
    return min(int(place.share * BUCKETS), BUCKETS - 1)


def _sides(bids: Sequence[LevelU], asks: Sequence[LevelU], fresh: int) -> list[tuple[Side, Sequence[LevelU]]]:
    return [(side, levels) for side, levels in ((Side.BID, bids), (Side.ASK, asks)) if levels and fresh > 0]
