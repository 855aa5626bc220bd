"""What the world stands on: the order of what is due, the tape as a market, hops that fail."""

from __future__ import annotations

from typing import Any

import numpy as np

from backtest.seats.loop import Loop, Steady
from backtest.seats.market import TapeMarket
from backtest.tape import Tape
from backtest.timing import BETWEEN, FROM_VENUE, TIMERS, Timing
from backtest.world import MASTER
from common.clock import MS, NS
from simvenue.book.pit import Pit
from simvenue.market import market_of
from simvenue.source import GAP
from tests.unit.backtest.builders import BID, T0, Script, random_market
from tests.unit.backtest.test_world import a_world, settings


# ---------------------------------------------------------------------- the loop
def test_what_is_due_at_one_instant_goes_by_rank_and_then_by_the_order_given() -> None:
    loop = Loop(T0, Steady())
    done: list[str] = []
    for rank, name in ((TIMERS, "timer"), (BETWEEN, "first"), (BETWEEN, "second"), (FROM_VENUE, "news")):
        loop.at(T0 + 5, rank, done.append, name)
    loop.at(T0 + 4, TIMERS, done.append, "earlier")
    while loop.next_ns < T0 + NS:
        loop.step()
    assert done == ["earlier", "news", "first", "second", "timer"]


def test_nothing_is_ever_done_in_the_past() -> None:
    loop = Loop(T0, Steady())
    times: list[int] = []
    loop.at(T0 - 5, TIMERS, lambda: times.append(loop.now_ns))
    loop.step()
    assert times == [T0]


def test_period_is_kept_however_long_it_runs() -> None:
    loop = Loop(T0, Steady())
    times: list[int] = []
    loop.every(3, T0 + 1, TIMERS, lambda: times.append(loop.now_ns - T0))
    for _ in range(4):
        loop.step()
    assert times == [1, 4, 7, 10]


# ---------------------------------------------------------------------- the tape as a market
def pit_on(tape: Tape, first: int, **more: Any) -> Pit:
    found = settings("standx")
    return Pit(market_of(found), TapeMarket(tape, first, len(tape.stamp_ns), **{"cut_gaps": False, **more}))


def test_span_within_a_file_begins_with_the_book_as_it_stood() -> None:
    tape = random_market(seed=3).tape()
    middle = len(tape.stamp_ns) // 2
    whole, part = pit_on(tape, 0), pit_on(tape, middle)
    for _ in range(middle):
        whole.play()
    for _ in range(middle, len(tape.stamp_ns)):
        assert whole.source.next_t_ns() == part.source.next_t_ns()
        whole.play()
        part.play()
        for side in (1, -1):
            assert part.source_levels(side) == whole.source_levels(side)
    assert part.source.next_t_ns() is None


def test_new_file_breaks_every_place_in_the_queue() -> None:
    tape = Script().open().calm(0.25, 2.0).tape()
    tape.begins_file[3] = 1
    market = TapeMarket(tape, 0, len(tape.stamp_ns), cut_gaps=False)
    kinds = [int(rows.what[rows.begin]) for rows in (market.take() for _ in range(len(tape.stamp_ns)))]
    assert [k for k, kind in enumerate(kinds) if kind == GAP] == [3]


def test_cut_silence_shrinks_to_a_millisecond_and_is_counted() -> None:
    tape = Script().open().calm(0.5, 1.1, 0.5).calm(61.0, 61.5, 0.5).tape()
    market = TapeMarket(tape, 0, len(tape.stamp_ns), cut_gaps=True)
    times = []
    while (t_ns := market.next_t_ns()) is not None:
        times.append(t_ns - T0)
        market.take()
    assert times == [0, 500 * MS, 1_000 * MS, 1_001 * MS]
    assert (market.gaps_cut, market.cut_ns, market.session_offset_ns) == (1, 60 * NS - MS, 60 * NS - MS)


def test_rows_of_an_instant_are_the_tapes() -> None:
    tape = Script().open().calm(0.25, 1.0).tape()
    market = TapeMarket(tape, 0, len(tape.stamp_ns), cut_gaps=False)
    market.take()
    rows = market.take()
    assert np.asarray(rows.px_u[rows.begin : rows.end]).tolist() == [BID]


# ---------------------------------------------------------------------- hops
class Doubled:
    """Every message between services arrives twice."""

    def arrivals(self, line: str, sent_ns: int, takes_ns: int) -> tuple[int, ...]:
        there_ns = sent_ns + takes_ns
        return (there_ns, there_ns) if line.endswith(">bus") else (there_ns,)


def test_messages_that_arrive_twice_change_nothing() -> None:
    worlds = [a_world(), a_world(hops=Doubled())]
    played = [world.play(T0 + 6 * NS) for world in worlds]
    assert played[0].digest == played[1].digest
    assert played[0].orders == played[1].orders
    assert played[0].orders


def test_market_time_that_runs_faster_makes_our_own_part_slower() -> None:
    timing, fast = Timing(), Timing().at_speed(20.0)
    assert (fast.feed_ns, fast.order_ns, fast.reply_ns) == (timing.feed_ns, timing.order_ns, timing.reply_ns)
    assert fast.bus_ns == 20 * timing.bus_ns
    assert fast.quoter_tick_ns == 20 * timing.quoter_tick_ns
    assert fast.riskd_pace_ns == 20 * 5 * MS
    assert timing.at_speed(1.0) == timing


def test_world_at_speed_quotes_too() -> None:
    world = a_world(rate=20.0)
    world.begin()
    world.run(T0 + 60 * NS)
    assert world.exchange.open_order_count(MASTER) > 0
    assert world.floor.mono_ns() - 10**12 == 3 * NS
