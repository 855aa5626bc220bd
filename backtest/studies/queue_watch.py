"""`python -m backtest queue`: the quoter's queue estimate held against the venue's own queue, and against the fills.

Four small orders rest on a tape, at the touch and two levels behind it, on both sides; each is put anew when it is
filled, or when the market has left it. The venue's matching core keeps their true places; the quoter's `QueueBook` is
told what a live quoter is told, prints and then the book through the feed's channels, and keeps its estimate. Once a
second, wherever both know a place, they are compared. What is true depends on whose a withdrawal was, which no public
feed says: the estimate is judged against each of the venue's queue models. Sizes are shares of the level (the
estimate's: what stands before us, we and what stands behind), fills USD. A fill that no print explains (the other
side's quotes came over our price) says nothing of a queue: it is counted apart.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from backtest.data.made_up import made_up
from backtest.tape import Tape, read_tape
from common.build import build_id
from common.config import Settings, load
from common.errors import ConfigError
from common.kernel import COMPILED, ROOT
from common.messages import Fill, Liquidity, OrderState, OrderUpdate, Side, TradePrint
from quoter.layering import C_FAST_LEVELS, TOLD_BOOK, new_channels, tell
from quoter.places import BUCKETS, Calibration, QueueBook
from quoter.rebuilt import new_side, see_rows
from quoter.rows import find
from quoter.state import ASK_SIDE, B_COUNT, B_ROWS, B_SIDE, BID_SIDE, NS, new_book
from simvenue.book.matching import E_KIND, E_PX, E_SLOT, E_STRIDE, E_SZ, FILLED, cancel_order, play_stamp, rest_order
from simvenue.book.queue_model import MODELS, POWER
from simvenue.book.state import new_state
from simvenue.book.table import H_ROOM, O_AHEAD, O_LEFT, O_PX, O_SIDE, O_STRIDE, UNKNOWN
from simvenue.source import BUY_PRINT, SELL_PRINT
from simvenue.synthetic.flows import FLOWS, as_column

DEPTHS = (0, 2)
"""Levels behind the touch at which our orders rest."""
LEFT_BEHIND = 5
"""Levels behind the touch from which an order is put anew: beyond them the fast channel shows nothing."""
ORDER_USD = 50.0
SAMPLE_NS = NS
ORIGIN_NS = 1_767_571_200 * NS


@dataclass(slots=True)
class Watched:
    """Places as estimated and as they were, in sz_u, one entry a sample; what prints should have filled and did."""

    estimate: list[float] = field(default_factory=list)
    truth: list[float] = field(default_factory=list)
    level: list[float] = field(default_factory=list)
    calibration: Calibration = field(default_factory=Calibration)
    fills: int = 0
    crossed_usd: list[float] = field(default_factory=lambda: [0.0] * BUCKETS)  # filled as quotes came over, no print


class _Watch:
    """One pass over a tape: the venue, our orders in it, and the quoter's book of queues."""

    def __init__(self, tape: Tape, model: int, coin: str) -> None:
        self._tape, self._model, self._coin = tape, model, coin
        self._venue = new_state(tape.kept)
        self._venue.holders[H_ROOM] = 2**60
        self._bids, self._asks = new_side(1, tape.kept), new_side(-1, tape.kept)
        self._channel, self._book = new_channels(), new_book()
        self._queue = QueueBook()
        self._resting: dict[int, OrderUpdate] = {}
        self._tid = 0
        self.found = Watched(calibration=self._queue.calibration)

    def play(self, first: int, last: int) -> Watched:
        """Instants `first .. last`."""
        stamps, sample_t = self._tape.stamp_ns, 0
        for i in range(first, last):
            t_ns = int(stamps[i])
            self._venue_plays(i, t_ns)
            told = self._quoter_hears(i, t_ns)
            if told & TOLD_BOOK and t_ns >= sample_t:
                self._compare()
                sample_t = t_ns + SAMPLE_NS
            if told:
                self._put_orders(t_ns)
        return self.found

    # ------------------------------------------------------------------ the venue
    def _venue_plays(self, i: int, t_ns: int) -> None:
        tape, v = self._tape, self._venue
        play_stamp(
            tape.what, tape.px_u, tape.sz_u, int(tape.begin[i]), int(tape.begin[i + 1]), i + 1, tape.visible,
            self._model, POWER, v.bids, v.asks, v.orders, v.bid_queue, v.ask_queue, v.holders, v.out,
        )  # fmt: skip
        self._fills = [
            (int(v.out[row + E_SLOT]), int(v.out[row + E_PX]), int(v.out[row + E_SZ]))
            for row in range(1, 1 + E_STRIDE * int(v.out[0]), E_STRIDE)
            if v.out[row + E_KIND] == FILLED
        ]
        v.holders[0] = 0  # what we hold does not matter here

    # ------------------------------------------------------------------ the quoter
    def _quoter_hears(self, i: int, t_ns: int) -> int:
        """Prints, our fills, the book: as the channels tell them."""
        tape = self._tape
        begin, end = int(tape.begin[i]), int(tape.begin[i + 1])
        for k in range(begin, end):
            if tape.what[k] in (BUY_PRINT, SELL_PRINT):
                side = Side.BID if tape.what[k] == BUY_PRINT else Side.ASK
                px, sz = int(tape.px_u[k]), int(tape.sz_u[k])
                self._queue.on_print(TradePrint(t_ns, self._coin, t_ns, t_ns, side, px, sz, 1))
        for slot, px, sz in self._fills:
            before = list(self._queue.calibration.observed_usd)
            self._hear_fill(slot, px, sz, t_ns)
            if not self._is_printed(slot, px, begin, end):
                after = self._queue.calibration.observed_usd
                for bucket in range(BUCKETS):
                    self.found.crossed_usd[bucket] += after[bucket] - before[bucket]
        gone = [slot for slot in self._resting if self._venue.orders[O_STRIDE * slot + O_SIDE] == 0]
        for slot in gone:
            del self._resting[slot]
        if see_rows(tape.what, tape.px_u, tape.sz_u, begin, end, i + 1, self._bids, self._asks) == 0:
            return 0
        told = int(tell(self._bids, self._asks, self._channel, t_ns, self._book))
        if told:
            fresh = int(self._channel[C_FAST_LEVELS]) if told & TOLD_BOOK else 1
            self._queue.on_book(t_ns, self._side(BID_SIDE), self._side(ASK_SIDE), fresh)
        return told

    def _is_printed(self, slot: int, px: int, begin: int, end: int) -> bool:
        """Whether a print of this instant reached the order's price; else the other side's quotes came over it."""
        tape, side = self._tape, int(self._resting[slot].side)
        return any(
            tape.what[k] in (BUY_PRINT, SELL_PRINT) and side * (int(tape.px_u[k]) - px) <= 0 for k in range(begin, end)
        )

    def _hear_fill(self, slot: int, px: int, sz: int, t_ns: int) -> None:
        update, self._tid = self._resting[slot], self._tid + 1
        self.found.fills += 1
        self._queue.on_fill(
            Fill(
                t_ns, self._coin, t_ns, self._tid, update.oid, update.cloid, update.side, px, sz, 0, Liquidity.MAKER, 0
            )
        )

    def _side(self, side: int) -> list[tuple[int, int]]:
        at = B_ROWS + side * B_SIDE
        return [
            (int(self._book[at + 2 * k]), int(self._book[at + 2 * k + 1]))
            for k in range(int(self._book[B_COUNT + side]))
        ]

    # ------------------------------------------------------------------ our orders
    def _put_orders(self, t_ns: int) -> None:
        """One order a side and depth; those the market has left behind are put anew."""
        for side, signed in ((BID_SIDE, 1), (ASK_SIDE, -1)):
            levels = self._side(side)
            if len(levels) <= LEFT_BEHIND:
                continue
            for n, depth in enumerate(DEPTHS):
                slot, far = side * len(DEPTHS) + n, levels[LEFT_BEHIND - 1][0]
                resting = self._resting.get(slot)
                if resting is not None and signed * (resting.px_u - far) < 0:
                    self._withdraw(slot, t_ns)
                    resting = None
                if resting is None:
                    self._rest(slot, signed, levels[depth][0], t_ns)

    def _withdraw(self, slot: int, t_ns: int) -> None:
        update, v = self._resting.pop(slot), self._venue
        cancel_order(v.queue(int(update.side)), v.orders, slot)
        self._queue.on_order(msgspec.structs.replace(update, t_ns=t_ns, state=OrderState.CANCELLED))

    def _rest(self, slot: int, signed: int, px: int, t_ns: int) -> None:
        v, sz = self._venue, max(int(ORDER_USD * 1e6 / px), 1)
        rest_order(v.queue(signed), v.orders, v.book(signed), slot, signed, px, sz, 0, 0, self._tape.visible)
        self._tid += 1
        update = OrderUpdate(
            t_ns, self._coin, f"0x{self._tid:032x}", self._tid, Side(signed), px, sz, 0, OrderState.OPEN, "", slot
        )
        self._resting[slot] = update
        self._queue.on_order(update)

    def _compare(self) -> None:
        orders = self._venue.orders
        for place in self._queue.places:
            row = O_STRIDE * place.level
            known = orders[row + O_SIDE] == int(place.side) and orders[row + O_PX] == place.px_u
            if not known or orders[row + O_AHEAD] == UNKNOWN or orders[row + O_LEFT] <= 0:
                continue
            self.found.estimate.append(place.front)
            self.found.truth.append(float(orders[row + O_AHEAD]))
            self.found.level.append(place.front + place.left + place.behind)


def watch(tape: Tape, model: int, coin: str, first: int, last: int) -> Watched:
    """Places over the instants `first .. last` of a tape, the venue's queue being `model`'s."""
    return _Watch(tape, model, coin).play(first, last)


# ---------------------------------------------------------------------- figures
def figures(found: Watched) -> dict[str, Any]:
    """Bias and error as shares of the level, correlation, and USD filled over USD promised by bucket and in all."""
    estimate, truth, level = (np.array(x) for x in (found.estimate, found.truth, found.level))
    whole = np.maximum(level, 1.0)
    off = (estimate - truth) / whole
    expected = found.calibration.expected_usd
    observed = [all_ - crossed for all_, crossed in zip(found.calibration.observed_usd, found.crossed_usd, strict=True)]
    varied = len(off) > 2 and estimate.std() > 0 and truth.std() > 0
    return {
        "samples": len(off),
        "fills": found.fills,
        "bias": float(off.mean()) if len(off) else None,
        "error": float(np.abs(off).mean()) if len(off) else None,
        "correlation": float(np.corrcoef(estimate / whole, truth / whole)[0, 1]) if varied else None,
        "expected_usd": list(expected),
        "observed_usd": observed,
        "crossed_usd": sum(found.crossed_usd),
        "filled_over_promised": sum(observed) / sum(expected) if sum(expected) > 0 else None,
    }


# ---------------------------------------------------------------------- command
def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--market", default="standx", help="profile in config/")
    parser.add_argument("--data", nargs="*", default=[], help="recorded files; none: the made-up flow of --flow")
    parser.add_argument("--flow", choices=sorted(FLOWS), default="xyz100")
    parser.add_argument("--hours", type=float, default=2.0, help="from the recording's beginning")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=ROOT / "reports" / "queue")


def main(asked: argparse.Namespace) -> int:
    """Watch under each queue model and report; raises ConfigError and BadInput for what the person must change."""
    if not COMPILED:
        raise ConfigError("the queue study needs compiled kernels: unset AMM_KERNELS")
    if not 0.05 <= asked.hours <= 48.0:
        raise ConfigError(f"--hours {asked.hours:g}: 0.05..48")
    settings = load("quoter", over={"MARKET": asked.market})
    tape = _tape(asked, settings)
    last = int(np.searchsorted(tape.stamp_ns, int(tape.stamp_ns[0]) + int(asked.hours * 3600 * NS)))
    found: dict[str, dict[str, Any]] = {}
    for name, model in MODELS.items():
        found[name] = figures(watch(tape, model, settings.market.coin, 0, last))
    report = {"run": {"tape": list(tape.names), "hours": asked.hours, "commit": build_id()}, **found}
    asked.out.mkdir(parents=True, exist_ok=True)
    text = msgspec.json.format(msgspec.json.encode(report), indent=1)
    (asked.out / "latest.json").write_bytes(text + b"\n")
    show(tape.names, found)
    return 0


def _tape(asked: argparse.Namespace, settings: Settings) -> Tape:
    if asked.data:
        return read_tape(find(asked.data, asked.market), settings.venue.sz_decimals)
    flow = as_column(FLOWS[asked.flow])
    return made_up(asked.flow, flow, settings, span_h=asked.hours, seed=asked.seed, origin_ns=ORIGIN_NS).tape


def show(names: Sequence[str], found: dict[str, dict[str, Any]]) -> None:
    table = Table(show_edge=False, title=", ".join(names))
    for heading in ("venue's queue", "samples", "bias", "error", "correlation", "fills", "filled / promised"):
        table.add_column(heading, justify="right", no_wrap=True)
    for buckets in range(BUCKETS):
        table.add_column(f"{buckets / BUCKETS:.1f}", justify="right", no_wrap=True)
    for name, f in found.items():
        shares = [o / e if e > 0 else None for o, e in zip(f["observed_usd"], f["expected_usd"], strict=True)]
        values = (f["bias"], f["error"], f["correlation"])
        table.add_row(
            name, str(f["samples"]), *("-" if v is None else f"{v:.3f}" for v in values), str(f["fills"]),
            *("-" if v is None else f"{v:.2f}" for v in (f["filled_over_promised"], *shares)),
        )  # fmt: skip
    Console(width=None if sys.stdout.isatty() else 160).print(table)
