"""Figures mean what they say, comparisons are fair, and the command refuses what it cannot do."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtest.playing import Played
from backtest.scoring import drawdown_usd, equity, figures, markout, markouts
from backtest.scoring import edge as edge_of
from backtest.studies import contest, edge
from backtest.studies.contest import EDGE, NAMES, NO_EDGE, UNDECIDED, Contest, Entry, earlier, verdict
from backtest.studies.gating import Gated, gate_line, judge
from backtest.studies.pictures import write_page
from backtest.tape import Tape, cut, iso, read_tape
from common.errors import ConfigError
from quoter.state import NS, QUOTES_MAX
from tests.unit.backtest.builders import MID, T0, as_vector, random_market, stall, terms
from tests.unit.quoter.builders import settings
from tests.unit.quoter.test_fit import BOTH, BUY, SELL, recording
from tests.unit.quoter.test_forecast import a_card

HOUR_NS = 3600 * NS


def a_played(gain_bps: float, hours: int = 24) -> Played:
    """Every minute we buy 10 lots at the mid, and 30 s later the mid is `gain_bps` higher for good."""
    n = hours * 60
    times = T0 + 60 * NS * np.arange(n, dtype=np.int64)
    mids = MID * (1 + gain_bps * 1e-4) ** np.arange(n + 1)
    stamps = np.concatenate([times, times + 30 * NS])
    mid2 = np.rint(2 * np.concatenate([mids[:-1], mids[1:]])).astype(np.int64)
    order = np.argsort(stamps)
    stamps, mid2 = stamps[order], mid2[order]
    px = np.rint(mids[:-1]).astype(np.int64)
    fills = np.stack([times, np.zeros(n, np.int64), px, np.full(n, 10)], 1)
    cash, position = -np.cumsum(px * 10), 10 * np.arange(1, n + 1)
    curve = np.stack([times, position, cash, -cash, 2 * px], 1)
    return Played(fills, curve, stamps, mid2, np.zeros(len(stamps)), 5, 5, 0, 0, 0, 0, 0)


def test_a_markout_is_the_move_after_the_fill_in_our_direction() -> None:
    played = a_played(1.0)
    assert markouts(played, 30)[:-1] == pytest.approx(1.0, abs=1e-2)
    played.fills[:, 1] = QUOTES_MAX  # the same as asks
    assert markouts(played, 30)[:-1] == pytest.approx(-1.0, abs=1e-2)


def test_a_markout_is_unknown_beyond_the_recording() -> None:
    assert np.isnan(markouts(a_played(1.0), 300)[-1])


def test_the_fee_comes_off_every_markout_and_every_dollar() -> None:
    played = a_played(1.0)
    gross, net = markout(played, 30, 0.0), markout(played, 30, 0.3)
    assert gross is not None
    assert net is not None
    assert gross.mean - net.mean == pytest.approx(0.3)
    paid = equity(played, 0.0)[-1] - equity(played, 0.3)[-1]
    assert paid == pytest.approx(0.3e-4 * played.curve[-1, 3] * 1e-6)


def test_edge_is_money_over_dollars_traded_with_an_interval_round_it() -> None:
    found = edge_of(a_played(0.0), 0.3)
    assert found is not None
    assert found.mean == pytest.approx(-0.3, abs=1e-3)
    assert found.blocks == 24
    assert found.lo is not None


def test_a_loss_draws_down_and_a_gain_does_not() -> None:
    assert drawdown_usd(a_played(1.0), 0.0) == pytest.approx(0.0, abs=1e-3)
    assert drawdown_usd(a_played(-1.0), 0.0) > 1.0


def test_a_verdict_needs_the_whole_interval_on_one_side() -> None:
    assert verdict(a_played(1.0), 0.3) == EDGE
    assert verdict(a_played(-1.0), 0.3) == NO_EDGE
    assert verdict(a_played(1.0, hours=1), 0.3) == EDGE  # 5-minute blocks
    empty = a_played(1.0)
    nothing = Played(empty.fills[:0], empty.curve, empty.stamp_ns, empty.mid2, empty.forecast, 0, 0, 0, 0, 0, 0, 0)
    assert verdict(nothing, 0.3) == UNDECIDED


def test_a_placebo_forecast_is_the_newest_one_of_an_hour_before() -> None:
    stamps = T0 + 600 * NS * np.arange(20, dtype=np.int64)
    forecast = np.where(np.arange(20) % 3 == 0, np.arange(20) + 1.0, 0.0)
    found = earlier(stamps, forecast, HOUR_NS)
    assert found[12] == forecast[6]
    assert found[13] == forecast[6]  # nothing was told at the seventh
    assert found[0] == forecast[0]


# ---------------------------------------------------------------------- contest and report
def an_entry(name: str, played: Played) -> Entry:
    found = {**figures(played, terms(seconds=86_400.0), 0.3), "verdict": verdict(played, 0.3), "note": ""}
    gate = settings("standx")
    judged = judge(played, gate, 0.3, terms(seconds=86_400.0), forecasts=False)
    hours = None if judged.stop_t_ns is None else (judged.stop_t_ns - T0) / HOUR_NS
    return Entry(name, "", played, {**found, "gate": gate_line(Gated(played, judged, hours, None), gate, 0.3)})


def test_every_quoter_plays_and_those_with_a_model_need_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contest, "HINDSIGHT_BPS", (1.0,))
    tape, conditions = random_market(2, 120).tape(), terms(seconds=60.0)
    bare = [entry.name for entry in Contest(tape, conditions, stall(), None).run(NAMES)]
    assert bare == [name for name in NAMES if name not in ("lean", "placebo", "bare_lean")]
    found = {e.name: e for e in Contest(tape, conditions, stall(), a_card()).run(("placebo", "lean"))}
    assert list(found) == ["placebo", "lean"]
    assert np.asarray(found["placebo"].played.forecast).shape == np.asarray(found["lean"].played.forecast).shape


def test_the_report_names_every_quoter_and_draws_one_page(tmp_path: Path) -> None:
    entries = [an_entry("lean", a_played(1.0)), an_entry("symmetric", a_played(-1.0))]
    told = argparse.Namespace(
        fee=0.3, latency="100,300", queue="risk-averse", tick="0.1", strict=True, executor="plain"
    )
    tape = random_market(1, 5).tape()
    span = (T0, T0 + HOUR_NS)
    report = edge.written(told, stall().settings, tape, (span, span), a_card(), {}, "", entries)
    assert report["lean"]["m60"] == pytest.approx(report["lean"]["m60_interval"]["mean"])
    assert set(report["lean"]["edge_bps"]) == {"mean", "lo", "hi"}
    assert report["run"]["conclusion"] == "lean: edge"
    write_page(tmp_path / "p.html", "t", ["<b>"], entries, 0.3)
    text = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;" in text
    assert "src=" not in text.split("</script>")[-1]


def test_the_conclusion_says_when_there_is_no_edge() -> None:
    assert edge.conclusion([], "1 hours of data").startswith(NO_EDGE)
    assert edge.conclusion([an_entry("lean", a_played(-1.0))], "").startswith(NO_EDGE)
    assert edge.conclusion([an_entry("lean", a_played(1.0))], "") == "lean: edge"


def test_figures_are_printed_beside_the_studys(capsys: pytest.CaptureFixture[str]) -> None:
    entries = [an_entry("lean", a_played(1.0))]
    run = {
        "coin": "sx:BTC", "fit": "a", "score": "b", "fee_bps": 0.3, "latency_ms": "100,300", "queue": "q",
        "tick": "0.1",        "strict": True, "cap_usd": 500.0, "conclusion": "lean: edge",
    }  # fmt: skip
    forecast = {"accepted": True, "r2_5s": 0.2, "r2_30s": 0.1, "r2_60s": 0.05}
    report: dict[str, Any] = {"run": run, "forecast": forecast}
    edge.show(report, entries, edge.said(report, entries), beside=True)
    said = capsys.readouterr().out
    assert "0.93" in said
    assert "5 s 0.200" in said


# ---------------------------------------------------------------------- what is asked for
def days(n: int) -> Tape:
    stamps = as_vector([T0, T0 + n * 24 * HOUR_NS - NS])
    empty = as_vector([])
    return Tape(("x",), empty, empty, empty, stamps, as_vector([0, 0, 0]), as_vector([1, 0]), 1)


def test_by_default_the_last_day_is_scored_and_the_one_before_fitted() -> None:
    fit_span, score_span = edge.spans(days(3), "", "")
    assert [iso(t) for t in (*fit_span, *score_span)] == [
        "2026-01-07T00:00", "2026-01-08T00:00", "2026-01-08T00:00", "2026-01-09T00:00",
    ]  # fmt: skip


def test_a_short_recording_is_halved() -> None:
    (fit_from, fit_to), (score_from, score_to) = edge.spans(days(1), "", "")
    assert (fit_from, fit_to) == (T0, score_from)
    assert score_to - score_from == pytest.approx(12 * HOUR_NS, abs=NS)


def test_a_forecast_is_never_scored_on_what_it_was_fitted_on() -> None:
    with pytest.raises(ConfigError, match="overlap"):
        edge.spans(days(3), "2026-01-06", "2026-01-06T12:00/2026-01-07T00:00")


@pytest.mark.parametrize("text", ["100", "a,b", "1,2,3", "-1,5", "1,99999999"])
def test_a_latency_is_two_numbers_of_ms(text: str) -> None:
    with pytest.raises(ConfigError):
        edge.pair(text)


def test_profiles_and_ticks_are_checked() -> None:
    assert edge.wanted("") == NAMES
    assert edge.wanted("lean, placebo") == ("lean", "placebo")
    with pytest.raises(ConfigError):
        edge.wanted("martingale")
    tape = random_market(1, 5).tape()
    settings = stall().settings
    assert edge.tick_px_u("0.1", tape, settings) == 10
    assert edge.tick_px_u("", tape, settings) == 100
    with pytest.raises(ConfigError):
        edge.tick_px_u("x", tape, settings)


def test_a_tape_is_cut_to_the_files_a_span_needs(tmp_path: Path) -> None:
    paths = []
    for day in range(3):
        t = (T0 + day * 24 * HOUR_NS, T0 + day * 24 * HOUR_NS + HOUR_NS)
        rows = [
            (1 | BOTH | flag, when, when + 1, px, 1.0) for when in t for flag, px in ((BUY, 93_000.0), (SELL, 93_001.0))
        ]
        paths.append(recording(tmp_path / f"{day}.npz", rows))
    tape = read_tape(paths, 4)
    assert tape.begins_file.tolist() == [1, 0, 1, 0, 1, 0]
    found = cut(tape, T0 + 48 * HOUR_NS, T0 + 72 * HOUR_NS)
    assert found.stamp_ns.tolist() == tape.stamp_ns.tolist()[2:]
    assert found.begin.tolist() == [0, 2, 4, 6, 8]
    with pytest.raises(ConfigError):
        cut(tape, T0 + 96 * HOUR_NS, T0 + 97 * HOUR_NS)
    with pytest.raises(ConfigError, match="begins before"):
        read_tape(paths[::-1], 4)
