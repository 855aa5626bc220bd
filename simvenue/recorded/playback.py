"""A recording of ours as a market's source: what the recorded venue said is said again, at the same intervals.

Decides what makes one stamp: all that was said of one venue millisecond, until a kind of message comes twice. Besides
its rows a stamp carries what the recorded venue published with it (`spoken`), its own prices (`told`) and its prints'
identities (`prints`), so that a recording of the replay equals its source. The market opens with the first whole book
and touch; what led to it is not played. After a gap (a connection opened again, messages lost) nothing happens until
touch and book are whole again; then all levels and every order's place are as new, and prints of the gap are not
played. Recorded time becomes market time by one constant, kept to whole milliseconds, less the gaps cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from common.clock import MS, NS
from common.recorded import AnyRow, BookRow, ContextRow, LinkRow, TouchRow, TradeRow
from common.ticks import px_decimals, to_units_nearest
from simvenue.recorded.captured import Capture, VenueOrder, read_rows
from simvenue.recorded.layers import BUY, FAST_LEVELS, KEPT, SELL, Change, Layers
from simvenue.recorded.recording import BadRecording
from simvenue.recorded.replay import GAP_KEPT_NS, GAP_NS
from simvenue.source import ASK_LEVEL, BID_LEVEL, BUY_PRINT, GAP, SELL_PRINT, Printed, Rows, Told, rows_of

WHOLE_S = 5.0
"""A recording without touches (or without fast books) opens with what there is after so long."""


@dataclass(slots=True)
class Stamp:
    """One instant of the recording."""

    t_ns: int
    rows: list[Change] = field(default_factory=list)
    spoken: list[str] = field(default_factory=list)
    told: Told | None = None
    prints: list[Printed] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)
    message: int = -1  # whose prints these are
    recv_t_ns: int = 0  # when the recorder had all of it, by its own clock


class Playback:
    """A `Source` that is a `Teller` and a `Speaker` too."""

    visible = FAST_LEVELS
    kept = KEPT

    def __init__(self, taken: Capture, coin: str, sz_decimals: int, *, origin_ns: int, cut_gaps: bool) -> None:
        self._taken = taken
        self._cut_gaps = cut_gaps
        self._order = VenueOrder()
        self._maker = _Maker(sz_decimals)
        self._stamps = self._maker.stamps(self._order.of(read_rows(taken, coin, sz_decimals)))
        first = next(self._stamps, None)
        if first is None:
            raise BadRecording(taken.files[0], None, "it never shows a whole book")
        self._next: Stamp | None = first
        self._due_ns = -(-origin_ns // MS) * MS
        self._shift_ns = first.t_ns - self._due_ns
        self._last_ns = first.t_ns  # recorded time of the stamp that is due
        self.recv_t_ns = 0
        """When the recorder had the whole of the last stamp taken, by its own clock."""
        self.session_offset_ns = self._shift_ns
        self.cut_ns = 0
        self.gaps_cut = 0
        self.told: Told | None = None
        self.spoken: tuple[str, ...] = ()
        self.prints: list[Printed] = []
        self.order_counts: dict[int, dict[int, int]] = {BUY: {}, SELL: {}}

    def next_t_ns(self) -> int | None:
        return None if self._next is None else self._due_ns

    def take(self) -> Rows:
        """The stamp that is due; the next one becomes due."""
        stamp = self._next
        if stamp is None:
            raise BadRecording(self._taken.files[-1], None, "nothing is left to play")
        self.told = stamp.told or self.told
        self.spoken, self.prints = tuple(stamp.spoken), stamp.prints
        self.recv_t_ns = stamp.recv_t_ns
        cut_ns = self._shift_ns - self.session_offset_ns
        self.session_offset_ns = self._shift_ns
        self.cut_ns += cut_ns
        self.gaps_cut += cut_ns > 0
        self._schedule()
        for what, px_u, _, n in stamp.rows:
            self._count(what, px_u, n)
        return rows_of([change[:3] for change in stamp.rows])

    def _count(self, what: int, px_u: int, n: int) -> None:
        """Note how many orders the recorded venue had at a price."""
        if what in (BID_LEVEL, ASK_LEVEL):
            self.order_counts[what][px_u] = n
            if n == 0:
                del self.order_counts[what][px_u]
        elif what == GAP:
            for counts in self.order_counts.values():
                counts.clear()

    def describe(self) -> dict[str, Any]:
        files = self._taken.files
        return {
            "market": "replay", "layout": self._taken.layout, "files": [path.name for path in files],
            "visible_levels": self.visible, "cut_gaps": self._cut_gaps,
        }  # fmt: skip

    @property
    def left_out(self) -> dict[str, int]:
        """What was recorded and not played: rows that came too late, prints of gaps."""
        return {"late": self._order.late, "prints_of_gaps": self._maker.prints_missed}

    def _schedule(self) -> None:
        self._next = stamp = next(self._stamps, None)
        if stamp is None:
            return
        gap_ns = stamp.t_ns - self._last_ns
        if self._cut_gaps and gap_ns > GAP_NS:
            self._shift_ns += gap_ns - GAP_KEPT_NS
        self._last_ns = stamp.t_ns
        self._due_ns = max(stamp.t_ns - self._shift_ns, self._due_ns + 1)


class _Maker:
    """Makes stamps of rows in venue order."""

    def __init__(self, sz_decimals: int) -> None:
        self.layers = Layers()
        self.prints_missed = 0
        self._px_decimals = px_decimals(sz_decimals)
        self._has_begun = False
        self._whole: dict[str, int] = {}  # while blind: what has been heard, and when first
        self._is_blind = True
        self._told: Told | None = None
        self._stamp: Stamp | None = None
        self._heard: dict[str, tuple[int, Any]] = {}

    def stamps(self, timed: Iterator[tuple[int, AnyRow]]) -> Iterator[Stamp]:
        for t_ns, row in timed:
            kind = _kind(row)
            if isinstance(row, (TouchRow, BookRow)) and self._is_repeated(kind, row):
                continue
            done = self._stamp
            if done is not None and not _belongs(done, t_ns, kind, row):
                self._stamp = None
                yield done
            self._add(t_ns, kind, row)
        if self._stamp is not None:
            yield self._stamp

    def _is_repeated(self, kind: str, row: TouchRow | BookRow) -> bool:
        """A connection begins with what was said last: known already."""
        said = (row.venue_t_ns, (row.bid, row.ask) if isinstance(row, TouchRow) else (row.bids, row.asks))
        if self._heard.get(kind) == said:
            return True
        self._heard[kind] = said
        return False

    def _add(self, t_ns: int, kind: str, row: AnyRow) -> None:
        if isinstance(row, LinkRow):
            self._on_link(row)
        elif self._is_blind:
            self._look(t_ns, kind, row)
        else:
            stamp = self._stamp = self._stamp or Stamp(t_ns)
            stamp.kinds.add(kind)
            stamp.recv_t_ns = max(stamp.recv_t_ns, row.recv_t_ns)
            self._play(stamp, row)

    def _on_link(self, row: LinkRow) -> None:
        if row.link == "main" and row.event in ("opened", "lost") and not self._is_blind:
            self._is_blind = True
            self._whole.clear()
            self._heard.clear()
            self.layers.forget()

    def _look(self, t_ns: int, kind: str, row: AnyRow) -> None:
        """While blind: put the book together, and open when it is whole."""
        match row:
            case TouchRow():
                self.layers.touch(row)
            case BookRow():
                self.layers.book(row)
            case ContextRow():
                self._told = self._prices(row)
            case TradeRow():
                self.prints_missed += self._has_begun
        if isinstance(row, (TouchRow, BookRow)):
            self._whole.setdefault(kind, t_ns)
        first = min(self._whole.values(), default=t_ns)
        has_book = "fast" in self._whole or "slow" in self._whole
        if has_book and ({"touch", "fast"} <= self._whole.keys() or t_ns - first >= WHOLE_S * NS):
            self._open(t_ns, kind, row.recv_t_ns)

    def _open(self, t_ns: int, kind: str, recv_t_ns: int) -> None:
        gap: list[Change] = [(GAP, 0, 0, 0)] if self._has_begun else []
        spoken = ["context"] * (self._told is not None) + [kind] * (kind in ("fast", "slow"))
        self._stamp = Stamp(t_ns, gap + self.layers.everything(), spoken, self._told, kinds={kind}, recv_t_ns=recv_t_ns)
        self._is_blind = False
        self._has_begun = True

    def _play(self, stamp: Stamp, row: AnyRow) -> None:
        match row:
            case TouchRow():
                stamp.rows += self.layers.touch(row)
            case BookRow():
                stamp.rows += self.layers.book(row)
                stamp.spoken.append("fast" if row.fast else "slow")
            case TradeRow():
                stamp.message = row.seq
                stamp.rows.append((BUY_PRINT if row.side > 0 else SELL_PRINT, row.px_u, row.sz_u, 0))
                identity = (row.tid, row.hash, row.buyer, row.seller)
                stamp.prints.append(Printed(row.side, row.px_u, *identity))
            case ContextRow():
                stamp.told = self._told = self._prices(row)
                stamp.spoken.append("context")

    def _prices(self, row: ContextRow) -> Told:
        oracle = to_units_nearest(row.oracle_px, self._px_decimals)
        mark = to_units_nearest(row.mark_px, self._px_decimals)
        premium = None if row.premium is None else float(row.premium)
        return Told(oracle, mark, float(row.funding_1h), premium, _figures(row))


def _belongs(stamp: Stamp, t_ns: int, kind: str, row: AnyRow) -> bool:
    """Whether a row is part of the stamp: said of the same instant, and no second message of its kind."""
    if stamp.t_ns != t_ns or isinstance(row, LinkRow):
        return False
    return kind not in stamp.kinds or (kind == "trades" and row.seq == stamp.message)


def _kind(row: AnyRow) -> str:
    match row:
        case TouchRow():
            return "touch"
        case BookRow():
            return "fast" if row.fast else "slow"
        case TradeRow():
            return "trades"
        case ContextRow():
            return "context"
    return "link"


def _figures(row: ContextRow) -> dict[str, Any]:
    """The context as the recorded venue wrote it; what it left out is left out."""
    impact = None if row.impact_bid_px is None else [row.impact_bid_px, row.impact_ask_px]
    always = {
        "funding": row.funding_1h, "openInterest": row.open_interest, "premium": row.premium,
        "oraclePx": row.oracle_px, "markPx": row.mark_px, "midPx": row.mid_px, "impactPxs": impact,
    }  # fmt: skip
    maybe = {"prevDayPx": row.prev_day_px, "dayNtlVlm": row.day_ntl, "dayBaseVlm": row.day_base}
    return always | {name: text for name, text in maybe.items() if text is not None}
