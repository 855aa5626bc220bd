"""Why the quotes at a moment of a recording would have been what they are, stage by stage."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from bench.script import BOTH, BUY, DEPTH, EVENT, SELL, START_NS
from common.errors import BadInput, ConfigError
from common.frames import TEXT, Record, Sealer
from common.messages import AssetContext, BookUpdate, Touch, TradePrint
from quoter import explain
from quoter.explain import moment_ns
from quoter.retold import retold
from quoter.state import NS
from tests.unit.quoter.tapes import FeedOf, tape

MS = 1_000_000
COIN = "sx:BTC"


def an_array(path: Path, seconds: int = 60) -> Path:
    """A quiet StandX-like book, ten levels a dollar apart, that steps by a dollar every half second."""
    rng = random.Random(3)
    rows: list[tuple[int, int, float, float]] = []
    mid, before = 93_000.0, None
    for k in range(2 * seconds):
        t_ns = START_NS + k * NS // 2
        if before is not None:
            rows += [(f, t_ns, before + sign * (n + 1), 0.0) for sign, f in ((-1, BUY), (1, SELL)) for n in range(10)]
        rows += [(f, t_ns, mid + sign * (n + 1), 0.5) for sign, f in ((-1, BUY), (1, SELL)) for n in range(10)]
        before, mid = mid, mid + rng.choice((-1.0, 0.0, 1.0))
    data = np.zeros(len(rows), EVENT)
    data["ev"] = [DEPTH | flag | BOTH for flag, *_ in rows]
    data["exch_ts"] = data["local_ts"] = [row[1] for row in rows]
    data["px"], data["qty"] = [row[2] for row in rows], [row[3] for row in rows]
    np.savez(path, data=data)
    return path


def test_a_moment_of_an_array_is_explained_stage_by_stage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = an_array(tmp_path / "standx.npz")
    at = str(START_NS + 50 * NS)
    assert explain.main(["--from-recording", str(path), "--at", at, "--market", "standx", "--warm", "0.5"]) == 0
    text = capsys.readouterr().out
    for stage in ("market", "fair", "volatility", "range", "widening", "floor", "position", "sizes", "levels"):
        assert f"\n  {stage}" in text
    assert "ask 0" in text
    assert "bid 0" in text
    assert "the record's numbers make these very levels" in text


def test_what_stops_every_stage_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = an_array(tmp_path / "standx.npz", seconds=20)
    at = str(START_NS + 30 * NS)
    assert explain.main(["--from-recording", str(path), "--at", at, "--market", "standx"]) == 0
    assert "withheld because: stale_data" in capsys.readouterr().out


def test_a_wrong_path_or_moment_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = an_array(tmp_path / "standx.npz", seconds=2)
    assert explain.main(["--from-recording", str(tmp_path), "--at", "5", "--market", "standx"]) == 78
    assert explain.main(["--from-recording", str(path), "--at", "noon", "--market", "standx"]) == 78
    assert explain.main(["--from-recording", str(path), "--at", "2020-01-01", "--market", "standx"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 3


def test_a_moment_is_utc_unless_it_says_otherwise() -> None:
    assert moment_ns("2026-01-07T12:00:00") == moment_ns("2026-01-07T13:00:00+01:00") == 1_767_787_200 * NS
    assert moment_ns("17") == 17


# ---------------------------------------------------------------------- recordings as messages
def test_an_array_is_told_through_the_channels_like_the_live_feed(tmp_path: Path) -> None:
    """The touches, prints and merged books of `tapes.FeedOf`, which is held against `common/book.py`."""
    instants = tape(seed=5)
    rows = [(row, now.t_ns) for now in instants for row in now.rows]
    data = np.zeros(len(rows), EVENT)
    kind = {1: DEPTH | BUY, -1: DEPTH | SELL, 2: 2 | BUY, -2: 2 | SELL}
    data["ev"] = [kind[what] | BOTH for (what, _, _), _ in rows]
    data["exch_ts"] = data["local_ts"] = [t_ns for _, t_ns in rows]
    data["px"], data["qty"] = [px * 1e-3 for (_, px, _), _ in rows], [sz * 1e-3 for (_, _, sz), _ in rows]
    np.savez(tmp_path / "x.npz", data=data)
    live: list[object] = []
    feed = FeedOf()
    for now in instants:
        messages = list(feed.messages(now))
        books = [m for m in messages if isinstance(m, BookUpdate)]
        live += [m for m in messages if not isinstance(m, BookUpdate)]
        live += books[-1:]
    told = [m for _, found in retold(tmp_path / "x.npz", "km:US500", 3, 0, 2**62) for m in found]
    told = [m for m in told if not isinstance(m, AssetContext)]
    assert [type(m) for m in told] == [type(m) for m in live]
    for mine, theirs in zip(told, live, strict=True):
        if isinstance(mine, BookUpdate) and isinstance(theirs, BookUpdate):
            assert (mine.bids, mine.asks, mine.fast_levels) == (theirs.bids, theirs.asks, theirs.fast_levels)
        elif isinstance(mine, Touch | TradePrint):
            assert mine == theirs


def a_recording(path: Path) -> Path:
    """What a venue said in three seconds, sealed as the feed seals it."""
    t_ns = 1_780_000_000 * NS
    said = []
    for k in range(6):
        ms = t_ns // MS + 500 * k
        levels = ",".join(f'{{"px":"{93000 - n}.0","sz":"0.5","n":1}}' for n in range(1, 6))
        asks = ",".join(f'{{"px":"{93000 + n}.0","sz":"0.5","n":1}}' for n in range(1, 6))
        said.append(
            f'{{"channel":"l2Book","data":{{"coin":"{COIN}","time":{ms},"levels":[[{levels}],[{asks}]],"fast":true}}}}'
        )
        best = f'[{{"px":"92999.0","sz":"0.{k + 1}","n":1}},{{"px":"93001.0","sz":"0.5","n":1}}]'
        said.append(f'{{"channel":"bbo","data":{{"coin":"{COIN}","time":{ms},"bbo":{best}}}}}')
    sealer = Sealer()
    records = [Record(TEXT, t_ns + k * NS // 4, "main", 1, text.encode()) for k, text in enumerate(said)]
    path.write_bytes(sealer.facts({"coin": COIN, "sz_decimals": 5}) + sealer.records(records))
    return path


def test_the_feeds_own_recording_is_told_as_it_was_received(tmp_path: Path) -> None:
    path = a_recording(tmp_path / "one.rec")
    told = [(t_ns, m) for t_ns, found in retold(path, COIN, 5, 0, 2**62) for m in found]
    assert [type(m) for _, m in told] == [BookUpdate, Touch] * 6
    assert told[0][0] == 1_780_000_000 * NS
    last = told[-1][1]
    assert isinstance(last, Touch)
    assert (last.bid_px_u, last.bid_sz_u) == (929_990, 60_000)


def test_another_markets_recording_is_refused(tmp_path: Path) -> None:
    path = a_recording(tmp_path / "one.rec")
    with pytest.raises(BadInput, match="a recording of"):
        list(retold(path, "km:US500", 3, 0, 2**62))
    with pytest.raises(ConfigError):
        list(retold(tmp_path / "none", COIN, 5, 0, 2**62))
