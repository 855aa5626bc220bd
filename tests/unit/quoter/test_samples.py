"""Samples of our own recordings are what the live quoter would have known, from raw files and from Parquet alike."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest

from common.errors import BadInput, ConfigError
from common.kernel import ROOT
from common.messages import AssetContext, TradePrint
from quoter import explain
from quoter.card_file import read_card, write_card
from quoter.engine import QuoteEngine
from quoter.features import names
from quoter.fit import HOUR_NS
from quoter.retold import retold
from quoter.samples import Other, Samples, digest, others_of, read_samples, recordings
from tests.unit.feed.builders import T0
from tests.unit.quoter.builders import COIN, settings
from tests.unit.quoter.recordings import market, raw, tables
from tests.unit.quoter.test_explain import an_array
from tests.unit.quoter.test_references import LEADER, a_card_beside

MS = 1_000_000


def of(*paths: Path, coin: str = COIN) -> Other:
    return Other(coin, 3, paths)


def same(one: Samples, other: Samples) -> bool:
    return all(a.tolist() == b.tolist() for a, b in zip(one, other, strict=True))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(raw, Parquet) of the same half minute."""
    said = market(30.0)
    return raw(tmp_path_factory.mktemp("raw"), said), tables(tmp_path_factory.mktemp("tables"), said)


def test_raw_files_and_tables_give_the_same_samples(both: tuple[Path, Path]) -> None:
    found = [read_samples(of(path)) for path in both]
    assert same(*found)
    assert found[0].x.shape == (len(found[0].t_ns), len(names()))
    assert len(found[0].t_ns) >= 60
    assert (np.diff(found[0].t_ns) >= 0).all()


def test_a_sample_is_what_the_live_engine_knew_bit_for_bit(both: tuple[Path, Path]) -> None:
    engine, lived = QuoteEngine(settings()), []
    for _, messages in retold(both[1], COIN, 3, 0, 2**62):
        for message in messages:
            engine.on(message)
            if not isinstance(message, AssetContext | TradePrint):
                lived.append(engine.outlook.features())
    found = read_samples(of(both[1]))
    assert [list(map(float, x)) for x in found.x] == lived


def test_a_reference_beside_an_own_recording_has_its_features(both: tuple[Path, Path]) -> None:
    alone, found = read_samples(of(both[1])), read_samples(of(both[1]), [of(both[0])])
    assert found.x[:, : len(names())].tolist() == alone.x.tolist()
    # The market beside itself: what is told of it is what was there before our own event.
    place = names((COIN,)).index(f"{COIN}.move5")
    assert abs(found.x[-1, place]) > 0.0


def test_a_path_is_an_own_recording_or_event_arrays_by_name(both: tuple[Path, Path], tmp_path: Path) -> None:
    array = an_array(tmp_path / "standx_BTC.npz", seconds=2)
    assert recordings([str(both[1])], "us500") == [both[1]]
    assert recordings([str(tmp_path)], "standx") == [array]
    with pytest.raises(ConfigError, match="do not mix"):
        read_samples(of(array, both[0]))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError):
        recordings([str(tmp_path / "empty")], "us500")


def test_references_are_asked_for_by_profile(both: tuple[Path, Path]) -> None:
    assert others_of([["us500", str(both[0])]]) == [Other(COIN, settings().venue.sz_decimals, (both[0],))]
    with pytest.raises(ConfigError, match="then its recordings"):
        others_of([["us500"]])
    with pytest.raises(ConfigError, match="4 at most"):
        others_of([["us500", str(both[0])]] * 5)


def test_a_digest_is_of_every_byte_of_a_recording(both: tuple[Path, Path], tmp_path: Path) -> None:
    assert digest(both[0]) != digest(both[1])
    assert digest(both[0]) == digest(raw(tmp_path / "again", market(30.0)))
    assert digest(both[0]) != digest(raw(tmp_path / "other", market(30.0, seed=2)))


@pytest.mark.parametrize("place", [0, 1])
def test_a_recording_of_another_market_or_in_other_units_is_refused(both: tuple[Path, Path], place: int) -> None:
    with pytest.raises(BadInput, match="a recording of"):
        read_samples(Other("xyz:SP500", 3, (both[place],)))
    with pytest.raises(BadInput, match="szDecimals 3, not 5"):
        read_samples(Other(COIN, 5, (both[place],)))


def test_a_recording_without_a_book_is_refused(tmp_path: Path) -> None:
    path = raw(tmp_path, market(0.5)[:1])
    with pytest.raises(BadInput, match="no book"):
        read_samples(of(path))


@pytest.mark.parametrize("place", [0, 1])
def test_a_moment_of_an_own_recording_is_explained_stage_by_stage(
    both: tuple[Path, Path], place: int, capsys: pytest.CaptureFixture[str]
) -> None:
    at = str(T0 + 29_600 * MS)
    assert explain.main(["--from-recording", str(both[place]), "--at", at, "--warm", "0.4"]) == 0
    text = capsys.readouterr().out
    for stage in ("market", "fair", "volatility", "range", "widening", "floor", "position", "sizes", "levels"):
        assert f"\n  {stage}" in text
    assert "ask 0" in text
    assert "bid 0" in text
    assert "the record's numbers make these very levels" in text


def test_raw_files_and_tables_are_explained_alike(both: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    texts = []
    for path in both:
        explain.main(["--from-recording", str(path), "--at", str(T0 + 20_100 * MS), "--warm", "0.3"])
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]
    assert "decided at" in texts[0]


def test_a_forecast_that_hears_another_market_is_not_explained_without_it(
    both: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MODELS_DIR", str(tmp_path))
    monkeypatch.setenv("REFERENCES", LEADER)
    card = msgspec.structs.replace(a_card_beside(LEADER), start_t_ns=T0 - 20 * HOUR_NS, end_t_ns=T0 - HOUR_NS)
    weights = [0.1] * len(card.features)
    horizons = [msgspec.structs.replace(h, weights=weights) for h in card.horizons]
    write_card(msgspec.structs.replace(card, horizons=horizons), tmp_path / "us500.json")
    asked = ["--from-recording", str(both[1]), "--at", str(T0 + 20_100 * MS), "--warm", "0.3"]
    assert explain.main(asked) == 78
    assert f"hears {LEADER} too" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.timeout(600)  # kernels may have to be compiled first
def test_a_forecast_is_fitted_on_parquet_recordings_of_our_own(tmp_path: Path) -> None:
    """Eight hours in which the heavier side wins: found, accepted, and the card names the very files."""
    folder = tables(tmp_path, market(8.1 * 3600, step_ms=2_000, deep=5))
    out = tmp_path / "us500.json"
    command = [sys.executable, "-m", "quoter", "fit", "--data", str(folder), "--out", str(out)]
    environ = {name: value for name, value in os.environ.items() if name != "AMM_KERNELS"}
    done = subprocess.run(command, check=False, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=580)
    assert done.returncode == 0, done.stdout + done.stderr
    card = read_card(out)
    assert card.refusal == ""
    assert [(data.name, data.sha256) for data in card.data] == [(folder.name, digest(folder))]
    assert json.loads(out.read_bytes())["hours"] >= 8
