"""A replay of our own recording says what was recorded: the same messages, at the same intervals, in the same words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from common import frames
from common.errors import ConfigError
from common.frames import Record
from feed.tables import convert
from simvenue.events import BUY, OrderSpec, PlaceOrders
from simvenue.exchange import Exchange, Latency, MarketDef
from simvenue.recorded.captured import capture
from simvenue.recorded.playback import Playback
from simvenue.recorded.recording import BadRecording
from simvenue.source import Source
from simvenue.synthetic.flows import FLOWS
from simvenue.synthetic.synthetic import Synthetic
from tests.unit.feed.builders import bbo, context, l2, trade, trades
from tests.unit.simvenue.said import Heard, heard, recorded, streams
from tests.unit.simvenue.small_market import MS, T0, US500

S = 1_000 * MS
ORIGIN = T0 + 3 * 3_600 * S + 123_456_789
ZERO = Latency(feed_ns=50 * MS)


def an_exchange(source: Source, market: MarketDef = US500, origin_ns: int = T0) -> Exchange:
    return Exchange([(market, source)], origin_ns=origin_ns, latency=ZERO)


def made_up(flow: str, seed: int, seconds: int, tmp_path: Path, market: MarketDef = US500) -> tuple[list[Heard], Path]:
    """What a synthetic market said, and the folder of its recording."""
    px = 752.4 if market is US500 else 77_562.0
    source = Synthetic(
        flow, FLOWS[flow], market.sz_decimals, px_start=px, vol_annual=0.3, seed=seed, origin_ns=T0 + 1_234
    )
    said = heard(an_exchange(source, market, T0 + 1_234), market, T0 + seconds * S)
    return said, recorded(tmp_path, market, said)


def a_playback(path: Path, market: MarketDef = US500, *, cut_gaps: bool = False) -> Playback:
    taken = capture(path)
    assert taken is not None
    return Playback(taken, market.coin, market.sz_decimals, origin_ns=ORIGIN, cut_gaps=cut_gaps)


def replayed(path: Path, market: MarketDef = US500, seconds: int = 3_600) -> list[Heard]:
    """What the venue says while it plays, and not a moment longer."""
    source = a_playback(path, market)
    exchange = an_exchange(source, market, ORIGIN)
    found: list[Heard] = []
    while (due := source.next_t_ns()) is not None and due < ORIGIN + seconds * S:
        found += heard(exchange, market, due)
    return found


def equal_tail(source: dict[str, list[Any]], copy: dict[str, list[Any]]) -> dict[str, int]:
    """Messages a stream that are equal up to the end; fails on the first that is not."""
    for name, said in copy.items():
        assert said == source[name][len(source[name]) - len(said) :], name
    return {name: len(said) for name, said in copy.items()}


@pytest.mark.parametrize(("flow", "seed"), [("btc", 1), ("btc", 2), ("xyz100", 3), ("xyz100", 4)])
@pytest.mark.parametrize("layout", ["raw", "parquet"])
def test_replay_of_a_recording_says_everything_again(flow: str, seed: int, layout: str, tmp_path: Path) -> None:
    said, folder = made_up(flow, seed, 20, tmp_path)
    if layout == "parquet":
        assert [hour.unreadable for hour in convert(folder)] == [0]
        folder /= "parquet"
    again = replayed(folder)
    source = streams(said, T0 // MS)
    copy = streams(again, (T0 - a_playback(folder).session_offset_ns) // MS)
    compared = equal_tail(source, copy)
    missing = {name: len(found) - compared[name] for name, found in source.items()}
    assert compared["bbo main"] >= 5
    assert compared["l2Book main"] >= 39
    assert compared["l2Book deep"] >= 3
    assert compared["activeAssetCtx main"] >= 6
    assert max(missing.values()) <= 1, missing  # what was said before the first whole book


def test_recorded_context_is_told_in_its_own_words(tmp_path: Path) -> None:
    figures = {
        "prevDayPx": "751.93",
        "dayNtlVlm": "3386355.58679",
        "midPx": "752.4455",
        "impactPxs": ["752.4", "752.6"],
    }
    path = recorded(tmp_path, US500, [*opening(), (T0 + 800 * MS, "main", context(dayBaseVlm="4503.499", **figures))])
    source = a_playback(path)
    exchange = an_exchange(source, US500, ORIGIN)
    exchange.advance(ORIGIN + S)
    told = exchange.context("km:US500")
    assert told is not None
    assert told.figures == {
        "funding": "0.0000057078", "openInterest": "3007.456", "premium": "-0.0000843843", "oraclePx": "752.51",
        "markPx": "752.44", "dayBaseVlm": "4503.499", **figures,
    }  # fmt: skip
    assert (told.oracle_px_u, told.mark_px_u) == (752_510, 752_440)


# ---------------------------------------------------------------------- recordings written by hand
def opening(at_ms: int = 0) -> list[Heard]:
    """A whole book: slow, touch, fast."""
    return [
        (T0 + (at_ms + 40) * MS, "deep", l2(at_ms - 30, bids=["752.4", "752.2"], asks=["752.5", "752.8"])),
        (T0 + (at_ms + 50) * MS, "main", bbo(at_ms)),
        (T0 + (at_ms + 60) * MS, "main", l2(at_ms, fast=True, bids=["752.4", "752.3"], asks=["752.5", "752.6"])),
    ]


def event(kind: int, at_ms: int, body: bytes = b"", connection: int = 1) -> Record:
    return Record(kind, T0 + at_ms * MS, "main", connection, body)


def stamps(source: Playback) -> list[tuple[int, list[tuple[int, int, int]], tuple[str, ...]]]:
    """(ms after the origin, rows, spoken) of every stamp."""
    found = []
    while (t_ns := source.next_t_ns()) is not None:
        rows = source.take()
        columns = (list(column)[rows.begin : rows.end] for column in (rows.what, rows.px_u, rows.sz_u))
        found.append(((t_ns - ORIGIN) // MS, list(zip(*columns, strict=True)), source.spoken))
    return found


def plays(tmp_path: Path, *said: Heard, events: list[Record] | None = None, cut_gaps: bool = False) -> Playback:
    return a_playback(recorded(tmp_path, US500, said, events or []), cut_gaps=cut_gaps)


def test_market_opens_with_the_first_whole_book(tmp_path: Path) -> None:
    early = (T0 + 20 * MS, "main", trades(trade(-500), trade(-20, tid=8)))
    ((ms, rows, spoken),) = stamps(plays(tmp_path, early, *opening()))
    assert (ms, spoken) == (0, ("fast",))
    assert sorted(rows) == [(-1, 752_500, 1_500), (-1, 752_600, 1_500), (1, 752_300, 1_500), (1, 752_400, 1_500)]


def test_one_instant_is_one_stamp_until_a_kind_comes_twice(tmp_path: Path) -> None:
    said = [
        *opening(),
        (T0 + 350 * MS, "main", trades(trade(300, tid=1), trade(300, tid=2))),
        (T0 + 350 * MS, "main", bbo(300, bid="752.3")),
        (T0 + 350 * MS, "main", trades(trade(300, tid=3))),
        (T0 + 350 * MS, "main", bbo(300, bid="752.2")),
    ]
    _, first, second = stamps(plays(tmp_path, *said))
    assert first == (300, [(2, 752_500, 200), (2, 752_500, 200), (1, 752_400, 0)], ())
    assert second == (300, [(2, 752_500, 200), (1, 752_300, 0), (1, 752_200, 1_500)], ())


def test_touch_is_right_against_a_slow_book_of_the_same_instant(tmp_path: Path) -> None:
    said = [
        *opening(),
        (T0 + 350 * MS, "main", bbo(300, bid="752.3")),
        (T0 + 360 * MS, "deep", l2(300, bids=["752.4", "752.1"], asks=["752.5", "752.9"])),
    ]
    (_, rows, spoken) = stamps(plays(tmp_path, *said))[1]
    assert spoken == ("slow",)
    assert (1, 752_400, 1_500) not in rows
    assert (1, 752_100, 1_500) in rows


def test_what_arrived_out_of_order_is_played_in_the_venues(tmp_path: Path) -> None:
    said = [
        *opening(),
        (T0 + 700 * MS, "main", bbo(600, bid="752.3")),
        (T0 + 900 * MS, "deep", l2(500, bids=["752.4", "752.2"], asks=["752.5", "752.8"])),
        (T0 + 950 * MS, "main", trades(trade(400, tid=5))),
    ]
    assert [(ms, spoken) for ms, _, spoken in stamps(plays(tmp_path, *said))] == [
        (0, ("fast",)), (400, ()), (500, ("slow",)), (600, ()),
    ]  # fmt: skip


def test_told_again_is_not_played_again(tmp_path: Path) -> None:
    first = (T0 + 350 * MS, "main", trades(trade(300, tid=5)))
    again = [(T0 + 400 * MS, link, message) for _, link, message in [*opening(), first]]
    assert len(stamps(plays(tmp_path, *opening(), first, *again))) == 2


def test_context_happens_as_long_after_the_last_message_as_it_was_received(tmp_path: Path) -> None:
    said = [
        *opening(),
        (T0 + 310 * MS, "main", context()),  # 250 ms after the fast book
        (T0 + 350 * MS, "main", bbo(300, bid="752.3")),
        (T0 + 2_900 * MS, "main", context()),  # later than the next message's own time: just before it
        (T0 + 2_950 * MS, "main", bbo(500, bid="752.4")),
    ]
    assert [(ms, spoken) for ms, _, spoken in stamps(plays(tmp_path, *said))] == [
        (0, ("fast",)), (250, ("context",)), (300, ()), (500, ("context",)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "gap", [event(frames.OPENED, 2_000, connection=2), event(frames.LOST, 2_000, b"7")], ids=["reconnection", "lost"]
)
def test_after_a_gap_the_book_is_as_new_and_its_prints_are_not_played(tmp_path: Path, gap: Record) -> None:
    history = (T0 + 2_010 * MS, "main", trades(trade(1_000, tid=1), trade(1_900, tid=2)))
    moved = opening(2_100)
    source = plays(tmp_path, *opening(), history, *moved, events=[event(frames.OPENED, -5), gap])
    first, second = stamps(source)
    assert second[:2] == (2_100, [(0, 0, 0), *first[1]])
    assert source.left_out == {"late": 0, "prints_of_gaps": 2}


def test_damaged_stretch_is_a_gap(tmp_path: Path) -> None:
    said = [*opening(), *((T0 + ms * MS, "main", bbo(ms, bid="752.3")) for ms in range(1_000, 1_120))]
    path = recorded(tmp_path, US500, [*said, *opening(2_000)])
    (file,) = (path / "raw").iterdir()
    data = bytearray(file.read_bytes())
    found = [item for item in frames.read(bytes(data)) if isinstance(item, frames.Frame) and item.records]
    data[found[1].offset + 40] ^= 1
    file.write_bytes(data)
    assert any((0, 0, 0) in rows for _, rows, _ in stamps(a_playback(path)))


def test_torn_tail_plays_up_to_its_last_whole_frame(tmp_path: Path) -> None:
    said = [
        *opening(),
        *((T0 + ms * MS, "main", bbo(ms, bid="752.3" if ms % 2 else "752.4")) for ms in range(500, 600)),
    ]
    path = recorded(tmp_path, US500, said)
    whole = stamps(a_playback(path))
    (file,) = (path / "raw").iterdir()
    last = [item for item in frames.read(file.read_bytes()) if isinstance(item, frames.Frame) and item.records][-1]
    file.write_bytes(file.read_bytes()[: last.offset + last.length - 1])
    assert stamps(a_playback(path)) == whole[: -len(last.records)]


def test_long_silences_are_cut_and_counted(tmp_path: Path) -> None:
    said = [*opening(), (T0 + 60_000 * MS, "main", bbo(60_000, bid="752.3")), (T0 + 60_200 * MS, "main", bbo(60_100))]
    source = plays(tmp_path, *said, cut_gaps=True)
    assert [ms for ms, _, _ in stamps(source)] == [0, 1, 101]
    assert (source.gaps_cut, source.cut_ns) == (1, 59_999 * MS)


def test_times_stay_whole_milliseconds_whatever_the_origin(tmp_path: Path) -> None:
    source = plays(tmp_path, *opening(), (T0 + 350 * MS, "main", bbo(301, bid="752.3")))
    assert source.next_t_ns() == -(-ORIGIN // MS) * MS
    source.take()
    assert source.next_t_ns() == -(-ORIGIN // MS) * MS + 301 * MS
    assert source.session_offset_ns % MS == 0


def test_recorded_numbers_of_orders_are_shown_with_ours_on_top(tmp_path: Path) -> None:
    said = opening()
    for _, _, message in said:
        for side in [*message["data"].get("levels", []), message["data"].get("bbo", [])]:
            for level in side:
                level["n"] = 7
    exchange = an_exchange(plays(tmp_path, *said), US500, ORIGIN)
    exchange.advance(ORIGIN + S)
    assert [n for _, _, n in exchange.snapshot("km:US500").bids] == [7, 7]
    who = "0x" + "aa" * 20
    exchange.fund(who, 10_000)
    exchange.submit(ORIGIN + S, 1, PlaceOrders(who, (OrderSpec(US500.asset_id, True, "752.4", "0.1", False, "Alo"),)))
    exchange.advance(ORIGIN + 2 * S)
    assert exchange.snapshot("km:US500").bids[0] == (752_400, 1_600, 8)
    assert exchange.source_levels("km:US500", BUY)[0] == (752_400, 1_500)


# ---------------------------------------------------------------------- what cannot be played
def test_recording_of_another_market_is_refused(tmp_path: Path) -> None:
    path = recorded(tmp_path, US500, opening())
    taken = capture(path)
    assert taken is not None
    with pytest.raises(BadRecording, match="km:US500 with 3 size decimals, the market is BTC with 5"):
        Playback(taken, "BTC", 5, origin_ns=ORIGIN, cut_gaps=False)


def test_recording_without_a_whole_book_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRecording, match="never shows a whole book"):
        plays(tmp_path, (T0, "main", trades(trade())))


def test_path_is_recognised_by_what_lies_there(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "r", US500, opening())
    (file,) = (folder / "raw").iterdir()
    list(convert(folder))
    found = [capture(path) for path in (file, folder / "raw", folder, folder / "parquet")]
    assert [(taken.layout, len(taken.files)) for taken in found if taken] == [("raw", 1)] * 3 + [("parquet", 1)]
    assert capture(tmp_path) is None
    assert capture(tmp_path / "x.npz") is None


def test_tables_of_another_making_are_refused(tmp_path: Path) -> None:
    folder = recorded(tmp_path, US500, opening())
    list(convert(folder))
    (path,) = (folder / "parquet/touches").iterdir()
    path.write_bytes(b"PAR1")
    with pytest.raises(BadRecording):
        a_playback(folder / "parquet")


def test_bad_recording_is_one_sentence_of_the_command_line(tmp_path: Path) -> None:
    from simvenue.opening import _recorded

    path = recorded(tmp_path, US500, opening())
    with pytest.raises(ConfigError, match=r"--data: .*the market is"):
        _recorded(path, MarketDef("BTC", 0, 5, 40, "USDC", "", False, False, 0.0, 0.0, 2e4), False, ORIGIN, "--data")
