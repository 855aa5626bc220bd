"""Recordings become tapes exactly; what breaks their contract is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backtest.data.layouts import recognise
from backtest.data.oddities import oddities
from backtest.data.recorded import tape_of_array, tape_of_capture
from common.clock import MS
from feed.tables import convert
from simvenue.recorded.captured import capture
from simvenue.recorded.recording import BadRecording
from tests.support.shared import shared
from tests.unit.feed.builders import bbo, context, l2, trade, trades
from tests.unit.simvenue.recorded.test_replay import BOOK, BOTH, DAY, B, a_file
from tests.unit.simvenue.said import Heard, recorded
from tests.unit.simvenue.small_market import T0, US500

BUY_ROW = 2 | B | BOTH


def test_array_is_played_from_its_exchange_rows_with_its_receive_times(tmp_path: Path) -> None:
    path = a_file(tmp_path / "x.npz", [*BOOK, (BUY_ROW, 500, 90_000.1, 0.1)])
    with np.load(path) as archive:
        data = archive["data"]
    data["local_ts"] = data["exch_ts"] + 70 * MS
    np.savez_compressed(path, data=data)
    tape = tape_of_array(path, 4)
    assert tape.stamp_ns.tolist() == [DAY, DAY + 500 * MS]
    assert tape.local_ns.tolist() == [DAY + 70 * MS, DAY + 570 * MS]
    assert tape.px_u.tolist() == [9_000_000, 9_000_010, 9_000_010]
    assert tape.begins_file.tolist() == [1, 0]
    assert len(tape.context.t_ns) == 0
    assert oddities(path, tape) == []


def test_array_that_does_not_say_when_it_was_received_leaves_it_open(tmp_path: Path) -> None:
    assert len(tape_of_array(a_file(tmp_path / "x.npz", BOOK), 4).local_ns) == 0


def test_times_in_ms_are_refused(tmp_path: Path) -> None:
    path = a_file(tmp_path / "x.npz", BOOK)
    with np.load(path) as archive:
        data = archive["data"]
    data["exch_ts"] //= MS
    np.savez_compressed(path, data=data)
    with pytest.raises(BadRecording, match=r"row 0: exchange time .* is not in ns"):
        tape_of_array(path, 4)


def test_real_day_has_its_known_silence_and_no_crossed_book() -> None:
    path = shared("data/events/standx_BTC_2026-01-05.npz")
    tape = tape_of_array(path, 4)
    assert oddities(path, tape) == []
    assert 300 < float(np.median(tape.local_ns - tape.stamp_ns)) / MS < 450


# ---------------------------------------------------------------------- our own
def said() -> list[Heard]:
    """A whole book, prices, a print, and a book after that."""
    return [
        (T0 + 40 * MS, "deep", l2(-30, bids=["752.4", "752.2"], asks=["752.5", "752.8"])),
        (T0 + 45 * MS, "main", context()),
        (T0 + 50 * MS, "main", bbo(0)),
        (T0 + 60 * MS, "main", l2(0, fast=True, bids=["752.4", "752.3"], asks=["752.5", "752.6"])),
        (T0 + 560 * MS, "main", trades(trade(400))),
        (T0 + 570 * MS, "main", bbo(500, bid="752.3")),
    ]


@pytest.mark.parametrize("layout", ["raw", "parquet"])
def test_own_recording_plays_alike_from_raw_files_and_tables(tmp_path: Path, layout: str) -> None:
    folder = recorded(tmp_path, US500, said())
    if layout == "parquet":
        list(convert(folder))
        for path in folder.rglob("*.rec"):
            path.unlink()
    found = recognise(folder, "us500", US500.coin)
    assert found.layout == "own"
    assert layout in found.name.lower()
    taken = capture(folder)
    assert taken is not None
    tape, lines = tape_of_capture(taken, US500.coin, US500.sz_decimals)
    assert lines == []
    assert tape.stamp_ns.tolist() == [T0, T0 + 400 * MS, T0 + 500 * MS]
    assert tape.local_ns.tolist() == [T0 + 60 * MS, T0 + 560 * MS, T0 + 570 * MS]
    assert tape.begins_file.tolist() == [1, 0, 0]
    assert (np.abs(tape.what) == 2).sum() == 1
    assert len(tape.context.t_ns) == 1
    assert tape.context.oracle_px_u[0] > 0


def test_context_of_a_span_begins_with_what_held_before_it() -> None:
    path = shared("data/events/hl_ETH_2025-12-10.npz")
    tape = tape_of_array(path, 4)
    stamps = np.arange(0, 100, 10)
    told = replace(tape.context, t_ns=stamps, oracle_px_u=stamps, mark_px_u=stamps, funding_1h=stamps * 1.0)
    assert told.between(35, 60).t_ns.tolist() == [30, 40, 50, 60]
    assert told.between(-5, 5).t_ns.tolist() == [0]
