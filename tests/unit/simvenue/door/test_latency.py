"""Delays: constants, measured tables with their tails, and messages of one line that never overtake each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.clock import MS, NS
from common.errors import ConfigError
from simvenue.door.latency import HOLD_NS, LATENCIES, Latency, Tails, arrive, delay_at, draw, new_line, new_table
from simvenue.door.latency_table import FOLDER, chosen, read, table_text
from simvenue.door.lines import Lines
from simvenue.events import OrderSpec, PlaceOrders, Reply
from simvenue.exchange import Exchange
from simvenue.source import BID_LEVEL
from tests.unit.simvenue.tape import ANN, STANDX, T0, Desk, Tape, a_book

PRESETS = ("good", "typical", "bad")


def quantile(values: list[int], share: float) -> float:
    return sorted(values)[min(int(share * len(values)), len(values) - 1)] / MS


def delays(name: str, line: str, count: int = 20_000, every_ns: int = HOLD_NS) -> list[int]:
    """What messages sent every so often on a fresh line of a preset's table would wait."""
    tails = chosen(name, tails=True, table=None).tails
    assert tails is not None
    state, table = new_line("test"), new_table(getattr(tails, line))
    return [int(arrive(state, table, k * every_ns)) - k * every_ns for k in range(count)]


# ---------------------------------------------------------------------- the tables that come with the venue
@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_and_its_table_have_the_same_medians(name: str) -> None:
    constant, table = LATENCIES[name], read(FOLDER / f"{name}.csv")
    assert (table.feed_ns, table.order_ns, table.reply_ns) == (constant.feed_ns, constant.order_ns, constant.reply_ns)
    assert chosen(name, tails=False, table=None) is constant


@pytest.mark.parametrize("name", PRESETS)
def test_the_files_are_what_their_figures_make(name: str) -> None:
    assert (FOLDER / f"{name}.csv").read_text() == table_text(name)


def test_the_presets_are_the_edge_studys() -> None:
    """Feed + order in ms: 50 + 100, 100 + 300, 500 + 1500."""
    figures = [(LATENCIES[name].feed_ns // MS, LATENCIES[name].order_ns // MS) for name in PRESETS]
    assert figures == [(50, 100), (100, 300), (500, 1500)]


def test_order_delays_have_the_venues_tail_and_feed_delays_the_recorded_one() -> None:
    """p99 over p50: 0.9 s / 0.2 s for orders, 2.61 in the recorded lags of Hyperliquid's touch."""
    for line, ratio in (("order", 4.5), ("feed", 2.61)):
        drawn = delays("typical", line, every_ns=20 * NS)
        median = quantile(drawn, 0.5)
        assert median == pytest.approx(300.0 if line == "order" else 100.0, rel=0.03)
        assert quantile(drawn, 0.99) / median == pytest.approx(ratio, rel=0.12)


def test_messages_in_quick_succession_have_the_tables_tail_too() -> None:
    """Ten a second for half an hour: a slow spell counts for its second, not once a message."""
    drawn = delays("typical", "feed", count=18_000, every_ns=NS // 10)
    assert quantile(drawn, 0.5) == pytest.approx(100.0, rel=0.05)
    assert quantile(drawn, 0.99) == pytest.approx(261.0, rel=0.4)


# ---------------------------------------------------------------------- lines
QUANTILES = st.lists(st.integers(0, 5 * NS), min_size=2, max_size=6).map(
    lambda delays: tuple((k / (len(delays) - 1), ns) for k, ns in enumerate(sorted(delays)))
)
SENT = st.lists(st.integers(0, 2 * NS), min_size=1, max_size=50)


@given(QUANTILES, SENT, st.integers(0, 100))
def test_messages_of_one_line_never_overtake_and_never_arrive_before_they_are_sent(
    quantiles: tuple[tuple[float, int], ...], steps: list[int], seed: int
) -> None:
    line, table = new_line(str(seed)), new_table(quantiles)
    t_ns, last = 0, 0
    for step in steps:
        t_ns += step
        at = int(arrive(line, table, t_ns))
        assert at >= max(last, t_ns + quantiles[0][1])
        assert at <= max(last, t_ns + quantiles[-1][1])
        last = at


@given(QUANTILES, st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_waits_no_less(quantiles: tuple[tuple[float, int], ...], one: float, other: float) -> None:
    table = new_table(quantiles)
    low, high = sorted((one, other))
    assert quantiles[0][1] <= delay_at(table, low) <= delay_at(table, high) <= quantiles[-1][1]


def test_draws_are_even_and_come_from_the_seed_alone() -> None:
    line, same, other = new_line("a"), new_line("a"), new_line("b")
    drawn = [draw(line) for _ in range(20_000)]
    assert drawn == [draw(same) for _ in range(20_000)]
    assert drawn[:5] != [draw(other) for _ in range(5)]
    assert all(0.0 < u < 1.0 for u in drawn)
    for k in range(10):
        assert sum(k <= 10 * u < k + 1 for u in drawn) == pytest.approx(2_000, rel=0.1)


def test_constant_delays_are_constant() -> None:
    lines = Lines(LATENCIES["good"])
    assert [lines.arrives(t_ns) - t_ns for t_ns in (0, 5 * NS, NS)] == [100 * MS] * 3


# ---------------------------------------------------------------------- the venue with them
def a_run(seed: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """(told, delivered) of everything a client hears over a market minute, and of the replies to an order a second."""
    latency = chosen("bad", tails=True, table=None)
    tape = Tape([(0, a_book()), *((200.0 * k, [(BID_LEVEL, 9_000_000, 900 + k)]) for k in range(1, 300))])
    exchange = Exchange([(STANDX, tape)], origin_ns=T0, latency=latency, latency_seed=seed)
    exchange.fund(ANN, 100_000)
    outputs = list(exchange.advance(T0))
    order = OrderSpec(STANDX.asset_id, True, "89990", "0.01", False, "Alo")
    for k in range(60):
        exchange.submit(T0 + k * NS, k, PlaceOrders(ANN, (order,)))
        outputs += exchange.advance(T0 + (k + 1) * NS)
    replies = [(o.t_ns, o.deliver_t_ns) for o in outputs if isinstance(o, Reply)]
    return [(o.t_ns, o.deliver_t_ns) for o in outputs if not isinstance(o, Reply)], replies


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 1_000))
def test_what_a_venue_says_is_heard_in_the_order_in_which_it_was_said(seed: int) -> None:
    for said in a_run(seed):
        heard = [deliver for _, deliver in said]
        assert heard == sorted(heard)
        assert len({deliver - t_ns for t_ns, deliver in said}) > 5
    assert a_run(seed) == a_run(seed)
    assert a_run(seed) != a_run(seed + 1)


def test_requests_reach_the_venue_in_the_order_in_which_they_were_sent() -> None:
    latency = chosen("bad", tails=True, table=None)
    desk = Desk(latency=latency)
    arrivals = [desk.exchange.arrives_ns(T0 + k * 10 * MS) for k in range(2_000)]
    assert arrivals == sorted(arrivals)
    assert max(at - T0 - k * 10 * MS for k, at in enumerate(arrivals)) > 2_000 * MS


# ---------------------------------------------------------------------- tables of one's own
def a_table(folder: Path, *rows: str, header: str = "share,feed_ms,order_ms,reply_ms") -> Path:
    path = folder / "mine.csv"
    path.write_text("\n".join(["# measured at home", header, *rows]) + "\n")
    return path


def test_a_table_of_ones_own_is_read(tmp_path: Path) -> None:
    found = chosen("good", tails=False, table=a_table(tmp_path, "0,10,20,30", "1,30,40,50"))
    assert found == Latency(
        20 * MS, 30 * MS, 40 * MS,
        Tails(((0.0, 10 * MS), (1.0, 30 * MS)), ((0.0, 20 * MS), (1.0, 40 * MS)), ((0.0, 30 * MS), (1.0, 50 * MS))),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], "shares go from 0 to 1"),
        (["0,1,1,1", "0.9,2,2,2"], "shares go from 0 to 1"),
        (["0,1,1,1", "0.6,2,2,2", "0.5,3,3,3", "1,4,4,4"], "share must not fall"),
        (["0,1,1,1", "0.5,3,2,2", "1,2,4,4"], "feed_ms must not fall"),
        (["0,1,1,1", "1,2,2"], "line 4: expected share"),
        (["0,1,1,one", "1,2,2,2"], "line 3: not a number"),
        (["0,1,1,1", "1,2,2,nan"], "line 4: shares are 0..1, delays 0..60000 ms"),
        (["0,-1,1,1", "1,2,2,2"], "line 3: shares are 0..1"),
        (["0,1,1,1", "1,2,2,60001"], "line 4: shares are 0..1"),
        (["0,1,1,1", *["0.5,1,1,1"] * 1_000, "1,2,2,2"], "more than 1000 rows"),
    ],
)
def test_a_bad_table_is_refused_with_its_line(tmp_path: Path, rows: list[str], why: str) -> None:
    with pytest.raises(ConfigError, match=r"mine\.csv") as caught:
        read(a_table(tmp_path, *rows))
    assert why in str(caught.value)


def test_a_table_without_its_header_or_its_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="line 2: expected share"):
        read(a_table(tmp_path, "0,1,1,1", "1,2,2,2", header="0,1,1,1"))
    with pytest.raises(ConfigError, match="cannot be read"):
        read(tmp_path / "absent.csv")
    with pytest.raises(ConfigError, match=r"zero\.csv cannot be read"):
        chosen("zero", tails=True, table=None)
