"""A word or a PATH becomes tapes, and says what it is and why it is nothing better."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtest.data.history import DAY_MS
from backtest.data.opened import Opened, joined
from backtest.data.places import OEX, Places
from backtest.data.sources import WORDS, open_source
from backtest.data.stand_ins import STAND_IN_VOL
from common.config import Settings
from common.errors import ConfigError, LinkDown
from feed.disk import market_folder
from simvenue.recorded.recording import BadRecording
from tests.unit.backtest.data.builders import MONDAY_MS, a_csv, an_lz4, archive_line, profile, walk_bars
from tests.unit.simvenue.recorded.test_replay import BOOK, BOTH, A, B, a_file

SHORT = 0.002
"""Days: three minutes, so that a made-up market is made in a moment."""

HALF_HOURS = 1_800_000


def settings_in(folder: Path, market: str = "us500") -> Settings:
    """The market's settings, its recordings below the test's folder."""
    settings = profile(market)
    recording = settings.recording.model_copy(update={"folder": folder / "recordings"})
    return settings.model_copy(update={"recording": recording})


def opened(folder: Path, text: str, *, market: str = "us500", days: float = SHORT, **how: Any) -> Opened:
    how.setdefault("yahoo", None)
    places = Places(folder / "data")
    return open_source(text, settings_in(folder, market), days, folder / "cache", places=places, **how)


def oex(folder: Path, count: int = 52) -> Path:
    bars = walk_bars(count, HALF_HOURS, px=2_700.0, vol=0.3)
    return a_csv(Places(folder / "data").yahoo(OEX, "5m"), bars)


# ---------------------------------------------------------------------- words
def test_with_nothing_on_disk_auto_is_made_up_and_says_why_at_once(tmp_path: Path) -> None:
    begun = time.monotonic()
    found = opened(tmp_path, "auto")
    assert time.monotonic() - begun < 5.0
    assert found.kind == "synthetic"
    assert [reason.split(":")[0] for reason in found.reasons] == [
        "not recordings", "not venue history", "not S&P 100", "not BTC",
    ]  # fmt: skip
    assert found.caveats[: len(found.reasons)] == found.reasons
    assert "made up" in found.caveats[-2]
    tape = found.tape()
    assert len(tape.stamp_ns) > 100
    assert found.datasets[0].rows == len(tape.what)


def test_network_that_is_not_there_is_one_of_the_reasons(tmp_path: Path) -> None:
    def nobody(places: Places, days: float) -> Path:
        raise LinkDown("no network: nobody answers")

    found = opened(tmp_path, "auto", yahoo=nobody)
    assert found.kind == "synthetic"
    assert any("S&P 100" in reason and "no network" in reason for reason in found.reasons)


def test_index_takes_the_stand_in_that_yahoo_brings(tmp_path: Path) -> None:
    asked: list[float] = []

    def brings(places: Places, days: float) -> Path:
        asked.append(days)
        return oex(tmp_path)

    found = opened(tmp_path, "auto", days=1.0, yahoo=brings)
    assert asked == [1.0]
    assert (found.kind, found.name.split(",")[0]) == ("bars", "S&P 100 (^OEX)")
    assert len(found.reasons) == 2
    assert any("price scaled to 752.4, volatility" in line and f"{100 * STAND_IN_VOL:g} %" in line
               for line in found.caveats)  # fmt: skip
    last = found.parts[-1].load()
    touch = last.px_u[np.flatnonzero(last.what == 1)[-200:]]
    assert abs(touch.max() / 752_400 - 1) < 0.01


def test_own_candles_are_better_when_there_are_thirty_days_of_them(tmp_path: Path) -> None:
    oex(tmp_path)
    places = Places(tmp_path / "data")
    path = a_csv(places.candles("km:US500", "1h"), walk_bars(20 * 24, 3_600_000))
    few = opened(tmp_path, "auto", days=0.0)
    assert few.name.startswith("S&P 100")
    assert any("not venue history: 20.0 days of it, 30 are wanted" in reason for reason in few.reasons)
    a_csv(path, walk_bars(31 * 24, 3_600_000))
    enough = opened(tmp_path, "auto", days=0.0)
    assert enough.name.startswith("Hyperliquid km:US500")
    assert enough.days == pytest.approx(30.0)
    assert not any("stands in" in line for line in enough.caveats)


def test_a_better_source_that_is_broken_is_told_and_passed_over(tmp_path: Path) -> None:
    path = oex(tmp_path)
    path.write_text(path.read_text().replace(",", ";", 40))
    found = opened(tmp_path, "auto")
    assert found.kind == "synthetic"
    assert any("not S&P 100: its data cannot be played" in reason and str(path) in reason for reason in found.reasons)


@pytest.mark.parametrize("word", ["recorded", "hyperliquid", "xyz100", "btc"])
def test_word_that_has_nothing_says_how_to_get_it(tmp_path: Path, word: str) -> None:
    with pytest.raises(ConfigError, match=r"make fetch|RECORD"):
        opened(tmp_path, word)


def test_every_word_has_an_opener() -> None:
    from backtest.data import sources

    assert set(sources._OPENERS) == set(WORDS)


def test_finest_bars_that_reach_back_far_enough_are_taken(tmp_path: Path) -> None:
    places = Places(tmp_path / "data")
    a_csv(places.candles("BTC", "1m"), walk_bars(300, 60_000))
    a_csv(places.candles("BTC", "5m"), walk_bars(300, 300_000))
    assert "1-minute" in opened(tmp_path, "btc", market="btc", days=0.2).name
    assert "5-minute" in opened(tmp_path, "btc", market="btc", days=0.9).name
    assert "5-minute" in opened(tmp_path, "btc", market="btc", days=5.0).name


def test_funding_history_of_the_venue_goes_with_its_candles(tmp_path: Path) -> None:
    places = Places(tmp_path / "data")
    a_csv(places.candles("BTC", "1m"), walk_bars(60, 60_000))
    places.funding("BTC").write_text(f"ts_ms,rate_1h\n{MONDAY_MS - 1},0.00002\n{MONDAY_MS + 1_800_000},-0.00001\n")
    found = opened(tmp_path, "btc", market="btc", days=1.0)
    told = found.tape().context
    assert set(told.funding_1h.tolist()) == {2e-5, -1e-5}
    assert [touched.name for touched in found.datasets] == ["candles_1m.csv", "funding.csv"]


@pytest.mark.parametrize(
    ("text", "row", "why"),
    [("x,0.1", 1, "not a funding rate"), (f"{MONDAY_MS - 1},0.1", 1, "repeat"), (f"{MONDAY_MS},nan", 1, "of nan")],
)
def test_bad_funding_row_is_named(tmp_path: Path, text: str, row: int, why: str) -> None:
    places = Places(tmp_path / "data")
    a_csv(places.candles("BTC", "1m"), walk_bars(10))
    places.funding("BTC").write_text(f"ts_ms,rate_1h\n{MONDAY_MS - 1},0.00002\n{text}\n")
    with pytest.raises(BadRecording) as found:
        opened(tmp_path, "btc", market="btc", days=1.0)
    assert (found.value.path, found.value.row) == (places.funding("BTC"), row)
    assert why in found.value.why


def test_recordings_are_looked_for_where_the_recorder_writes_them(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    folder = market_folder(settings.recording.folder, "mainnet", settings.market.coin)
    folder.mkdir(parents=True)
    with pytest.raises(ConfigError, match=str(folder)):
        opened(tmp_path, "recorded")


def test_archive_of_other_markets_is_no_history_of_this_one(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    places = Places(tmp_path / "data")
    line = archive_line(MONDAY_MS, [3_000.0], [3_001.0], "ETH")
    an_lz4(places.archive / "market_data/20260601/0/l2Book/ETH.lz4", line)
    with pytest.raises(ConfigError, match="neither archive nor candles of BTC"):
        opened(tmp_path, "hyperliquid", market="btc")


# ---------------------------------------------------------------------- paths
def test_arrays_of_a_folder_are_one_part_each_and_follow_each_other(tmp_path: Path) -> None:
    later = [(ev, ms + 5_000, px, qty) for ev, ms, px, qty in BOOK]
    for name, rows in (("standx_2026-01-01", BOOK), ("standx_2026-01-02", later)):
        a_file(tmp_path / f"{name}.npz", [*rows, (1 | B | BOTH, rows[-1][1] + 100, 89_999.0, 0.1)])
    found = opened(tmp_path, str(tmp_path), market="standx", days=0.0)
    assert (found.kind, len(found.parts)) == ("npz", 2)
    tape = found.tape()
    assert np.flatnonzero(tape.begins_file).tolist() == [0, 2]
    assert tape.begin.tolist()[-1] == len(tape.what) == 6
    assert [touched.rows for touched in found.datasets] == [3, 3]


def test_second_opening_reads_the_prepared_columns(tmp_path: Path) -> None:
    path = a_file(tmp_path / "standx_x.npz", [*BOOK, (1 | A | BOTH, 100, 90_000.2, 0.1)])
    first = opened(tmp_path, str(path), market="standx", days=0.0)
    entries = set((tmp_path / "cache").iterdir())
    again = opened(tmp_path, str(path), market="standx", days=0.0)
    assert set((tmp_path / "cache").iterdir()) == entries
    assert np.array_equal(first.tape().px_u, again.tape().px_u)
    assert again.caveats == first.caveats
    assert again.datasets == first.datasets


def test_changed_file_is_prepared_anew(tmp_path: Path) -> None:
    path = a_file(tmp_path / "standx_x.npz", [*BOOK, (1 | A | BOTH, 100, 90_000.2, 0.1)])
    before = opened(tmp_path, str(path), market="standx", days=0.0)
    a_file(path, [*BOOK, (1 | A | BOTH, 100, 90_000.3, 0.1)])
    after = opened(tmp_path, str(path), market="standx", days=0.0)
    assert before.datasets[0].sha256 != after.datasets[0].sha256
    assert after.tape().px_u[-1] == 9_000_030


def test_archive_has_its_days_contexts_and_says_that_it_has_no_prints(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    root = tmp_path / "bucket"
    for hour in (9, 10):
        lines = [archive_line(MONDAY_MS + hour * 3_600_000 + k * 500, [90_000.0 + k], [90_001.0 + k]) for k in range(4)]
        an_lz4(root / f"market_data/20260601/{hour}/l2Book/BTC.lz4", b"".join(lines))
    context = "time,coin,funding,oracle_px,mark_px\n2026-06-01T09:00:00Z,BTC,0.00001,90000.5,90000.6\n"
    an_lz4(root / "asset_ctxs/20260601.csv.lz4", context.encode())
    found = opened(tmp_path, str(root), market="btc", days=0.0)
    assert found.kind == "hyperliquid"
    assert "no prints" in found.caveats[0]
    tape = found.tape()
    assert len(tape.stamp_ns) == 8
    assert tape.context.oracle_px_u.tolist() == [900_005]


def test_folder_with_two_kinds_or_with_nothing_known_is_refused(tmp_path: Path) -> None:
    a_csv(tmp_path / "both" / "bars.csv", walk_bars(5))
    a_file(tmp_path / "both" / "x.npz", BOOK)
    with pytest.raises(ConfigError, match="event arrays and bars"):
        opened(tmp_path, str(tmp_path / "both"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="nothing that can be played"):
        opened(tmp_path, str(tmp_path / "empty"))
    with pytest.raises(ConfigError, match="no such file"):
        opened(tmp_path, str(tmp_path / "missing"))


def test_bars_of_several_markets_must_be_named(tmp_path: Path) -> None:
    for name in ("BTC_1m", "ETH_1m"):
        a_csv(tmp_path / "bars" / f"{name}.csv", walk_bars(5))
    with pytest.raises(ConfigError, match="tables of 2 names"):
        opened(tmp_path, str(tmp_path / "bars"))


def test_bad_bars_are_refused_with_file_and_row(tmp_path: Path) -> None:
    path = a_csv(tmp_path / "x.csv", walk_bars(5))
    path.write_text(path.read_text().replace(str(MONDAY_MS + 120_000), str(MONDAY_MS), 1))
    with pytest.raises(BadRecording, match=rf"{path} row 2: times run backwards"):
        opened(tmp_path, str(path))


def test_fetched_file_that_was_changed_since_is_refused(tmp_path: Path) -> None:
    bars = walk_bars(60)
    places = Places(tmp_path / "data")
    path = places.candles("BTC", "1m")
    places.note(path, a_csv(path, bars).read_bytes(), 60, 0, 1, "test")
    opened(tmp_path, "btc", market="btc")
    path.write_text(path.read_text().replace("750.0", "751.0", 1))
    with pytest.raises(ConfigError, match="checksum differs"):
        opened(tmp_path, "btc", market="btc")


def test_long_spans_of_bars_are_coarse_and_say_so(tmp_path: Path) -> None:
    path = a_csv(tmp_path / "x.csv", walk_bars(16 * 24, 3_600_000))
    found = opened(tmp_path, str(path), days=0.0)
    assert any(line.startswith("coarse:") for line in found.caveats)
    fine = opened(tmp_path, str(path), days=1.0)
    assert not any(line.startswith("coarse:") for line in fine.caveats)
    assert fine.days <= 1.0 + 1 / 24
    assert fine.parts[-1].last_t_ns == (MONDAY_MS + 16 * DAY_MS) * 10**6


def test_parts_are_joined_only_in_order(tmp_path: Path) -> None:
    path = a_file(tmp_path / "standx_x.npz", [*BOOK, (1 | A | BOTH, 100, 90_000.2, 0.1)])
    tape = opened(tmp_path, str(path), market="standx", days=0.0).tape()
    with pytest.raises(ConfigError, match="begins before"):
        joined([tape, tape])


def test_more_than_a_month_of_a_made_up_market_is_made_of_bars(tmp_path: Path) -> None:
    month, longer = opened(tmp_path, "synthetic", days=31.1), opened(tmp_path, "synthetic", days=60.0)
    assert month.kind == longer.kind == "synthetic"
    assert (len(longer.parts), longer.days) == (60, 60.0)
    assert [len(list((tmp_path / "cache").glob("*/meta.json")))] == [0]  # nothing of it is kept
    assert "5-minute bars" in longer.name
    said = " ".join(longer.caveats)
    assert "the market is made up" in said
    assert "coarse" in said
    assert (longer.cycle_ms, opened(tmp_path, "auto").cycle_ms) == (1_000.0, 0.0)
    tape = longer.parts[2].load()
    assert np.array_equal(tape.px_u, month.parts[2].load().px_u) is False  # a longer span is another walk
    bids = tape.px_u[tape.what == 1] / 10 ** (6 - settings_in(tmp_path, "us500").venue.sz_decimals)
    start = settings_in(tmp_path, "us500").venue.px_start
    assert 0.8 * start < bids.min() < bids.max() < 1.25 * start


def test_made_up_days_go_on_where_the_day_before_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from backtest.data import made_up_days

    monkeypatch.setattr(made_up_days, "DAY_NS", 120 * 10**9)
    found = opened(tmp_path, "synthetic", days=3.0)
    assert len(found.parts) == 3
    first, second, _ = found.tapes()
    bids = first.px_u[np.flatnonzero(first.what == 1)]
    opening = second.px_u[slice(int(second.begin[0]), int(second.begin[1]))]
    assert abs(float(np.median(opening)) / float(np.median(bids[-50:])) - 1) < 0.002
    assert not np.array_equal(first.what[:500], second.what[:500])
    assert opened(tmp_path, "synthetic", days=1.0).parts[0].name == found.parts[0].name
