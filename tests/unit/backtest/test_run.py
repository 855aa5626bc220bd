"""The command refuses what it cannot do in one sentence, and what it says it played is what it played."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtest import run
from backtest.data.opened import Opened, Part
from backtest.report.running import quoter_of
from backtest.run import DAYS_MAX, band_of, check_recorded, days_of
from backtest.stands import (
    COUNTED_SPAN_DAYS,
    WHOLE_DAYS_MAX,
    Stand,
    forecast_of,
    pieces,
    plan_of,
    settings_of,
    shared_pieces,
    sources_of,
    stands_of,
)
from backtest.tape import Tape
from common.config import load
from common.errors import BadInput, ConfigError
from common.kernel import ROOT
from quoter.card_file import write_card
from tests.unit.backtest.builders import random_market
from tests.unit.quoter.test_forecast import a_card

DAY_NS = 86_400 * 10**9


def told(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    run.arguments(parser)
    return parser.parse_args(words)


def opened(*tapes: Tape, kind: Any = "npz") -> Opened:
    def part(tape: Tape) -> Part:
        return Part("part", int(tape.stamp_ns[0]), int(tape.stamp_ns[-1]), lambda: tape)

    return Opened(tuple(part(tape) for tape in tapes), "made for a test", kind, (), ())


def later(tape: Tape, by_ns: int) -> Tape:
    return replace(tape, stamp_ns=np.asarray(tape.stamp_ns) + by_ns)


def test_leverage_beyond_the_markets_is_its_maximum_and_said() -> None:
    settings, asked = settings_of(told("--leverage", "25"), "us500")
    assert settings.execution.leverage == settings.venue.max_leverage == 20
    assert asked == 25
    settings, asked = settings_of(told("--leverage", "15"), "us500")
    assert (settings.execution.leverage, asked) == (15, 0)


def test_months_are_days() -> None:
    assert days_of(told("--months", "12")) == pytest.approx(365.0)
    assert days_of(told()) == 0.0


@pytest.mark.parametrize(
    "words",
    [("--days", "-1"), ("--days", "nan"), ("--days", str(DAYS_MAX + 1)), ("--days", "3", "--months", "1")],
    ids=["negative", "nan", "too many", "twice"],
)
def test_days_that_are_none_are_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError):
        days_of(told(*words))


def test_a_stress_run_plays_the_corners_of_the_band() -> None:
    assert len(band_of(told("--months", "12"))) == 3
    assert len(band_of(told())) == 9
    assert len(band_of(told("--scenarios", "one"))) == 1
    assert len(band_of(told("--months", "12", "--scenarios", "nine"))) == 9


def test_fees_are_the_venues_unless_told() -> None:
    settings = load("quoter", {}, over={"MARKET": "standx"})
    market = opened(random_market(1, 50).tape())
    assert plan_of(told(), settings, market, None).costs.maker_ppb == 30_000
    assert plan_of(told(), settings, market, None).costs.taker_ppb == 90_000
    assert plan_of(told("--fee", "1.5"), settings, market, None).costs.maker_ppb == 150_000
    with pytest.raises(ConfigError):
        plan_of(told("--fee", "1000"), settings, market, None)


def test_the_action_budget_is_enforced_unless_it_is_only_to_be_counted() -> None:
    settings = load("quoter", {}, over={"MARKET": "standx"})
    market = opened(random_market(1, 50).tape(), kind="npz")
    assert plan_of(told(), settings, market, None).has_budget
    assert not plan_of(told("--budget", "counted"), settings, market, None).has_budget


def test_on_coarse_data_the_quoter_is_as_coarse() -> None:
    settings = load("quoter", {}, over={"MARKET": "standx"})
    market = replace(opened(random_market(1, 50).tape(), kind="bars"), cycle_ms=1_000.0)
    assert quoter_of(plan_of(told(), settings, market, None)).cycle_ms == 1_000.0


def test_a_short_span_is_one_replay_and_a_gap_makes_two() -> None:
    tape = random_market(1, 50).tape()
    follows, apart = later(tape, 600 * 10**9), later(tape, 3 * 3_600 * 10**9)
    assert [len(t.stamp_ns) for t in pieces(opened(tape, follows))] == [102]
    assert [len(t.stamp_ns) for t in pieces(opened(tape, apart))] == [51, 51]


def test_a_long_span_is_played_in_weeks() -> None:
    tape = random_market(1, 50).tape()
    days = int(WHOLE_DAYS_MAX) + 2
    half_hours = [later(tape, k * DAY_NS // 48) for k in range(48 * days)]
    parts = [Part("x", int(t.stamp_ns[0]), int(t.stamp_ns[0]) + DAY_NS // 48, lambda t=t: t) for t in half_hours]
    spans_d = [
        (int(t.stamp_ns[-1]) - int(t.stamp_ns[0])) / DAY_NS for t in pieces(Opened(tuple(parts), "long", "npz", (), ()))
    ]
    assert len(spans_d) == 5
    assert all(6.9 < days <= 7.0 for days in spans_d[:4])
    assert len(list(pieces(Opened(tuple(parts), "long", "npz", (), ()), COUNTED_SPAN_DAYS))) == days


# ---------------------------------------------------------------------- the forecast
def test_no_forecast_is_not_a_fault_but_is_said(tmp_path: Path) -> None:
    settings = load("quoter", {"MODELS_DIR": str(tmp_path)}, over={"MARKET": "standx"})
    card, why = forecast_of("auto", settings, opened(random_market(1, 50).tape()))
    assert card is None
    assert "standx.json" in why


def test_a_forecast_fitted_on_what_is_played_is_never_used(tmp_path: Path) -> None:
    """Its past would be its future."""
    card = a_card()
    path = tmp_path / "standx.json"
    write_card(card, path)
    settings = load("quoter", {"MODELS_DIR": str(tmp_path)}, over={"MARKET": "standx"})
    tape = random_market(1, 50).tape()
    within = later(tape, card.start_t_ns + 10**9 - int(tape.stamp_ns[0]))
    assert forecast_of("auto", settings, opened(within))[1].endswith("fitted on what is played")
    with pytest.raises(ConfigError, match="fitted on what is played"):
        forecast_of(str(path), settings, opened(within))
    before = later(tape, card.start_t_ns - DAY_NS - int(tape.stamp_ns[0]))
    assert forecast_of("auto", settings, opened(before))[0] is None


def test_a_named_forecast_that_is_not_there_is_a_fault() -> None:
    settings = load("quoter", {}, over={"MARKET": "standx"})
    with pytest.raises(BadInput):
        forecast_of("nowhere.json", settings, opened(random_market(1, 50).tape()))


# ---------------------------------------------------------------------- the whole command
def test_plain_kernels_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "COMPILED", False)
    with pytest.raises(ConfigError, match="compiled"):
        run.main(told())


@pytest.mark.slow
def test_a_made_up_hour_becomes_a_report(tmp_path: Path) -> None:
    """As a person types it: table, page and both files, the same seed the same figures."""
    environ = {name: value for name, value in os.environ.items() if name != "AMM_KERNELS"}
    environ |= {"REPORTS_DIR": str(tmp_path / "reports")}
    trees = []
    for folder in ("one", "two"):
        ran = subprocess.run(
            [sys.executable, "-m", "backtest", "run", "--data", "synthetic", "--days", "0.2", "--out", folder],
            cwd=tmp_path, env=environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=300,
            check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        assert "report: " in ran.stdout
        assert (tmp_path / folder / "latest.html").stat().st_size > 1_000_000
        trees.append(json.loads((tmp_path / folder / "latest.json").read_text()))
    assert json.loads((tmp_path / "reports" / "backtest" / "latest.json").read_text()) == trees[1]
    for tree in trees:
        assert len(tree["scenarios"]) == 9
        assert tree["days"] == pytest.approx(0.2 - 310 / 86_400, abs=0.001)
    assert trees[0]["scenarios"] == trees[1]["scenarios"]


# ---------------------------------------------------------------------- several markets
def test_a_source_for_all_or_one_for_each() -> None:
    names = ("us500", "btc")
    assert sources_of("synthetic", names) == {"us500": "synthetic", "btc": "synthetic"}
    assert sources_of("us500=a.csv, btc=b/", names) == {"us500": "a.csv", "btc": "b/"}
    assert sources_of("odd=name.csv", ("us500",)) == {"us500": "odd=name.csv"}
    for text in ("us500=a", "us500=a,btc=", "us500=a,btc=b,eth=c"):
        with pytest.raises(ConfigError, match="one source for all"):
            sources_of(text, names)


@pytest.mark.parametrize(
    "words", [("--market", "us500,us500"), ("--market", ","), ("--market", "us500,btc", "--tick", "1")]
)
def test_markets_that_cannot_be_played_together_are_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError):
        stands_of(told(*words), 1.0)


def test_markets_are_joined_where_any_has_data() -> None:
    tape = random_market(1, 50).tape()
    hour = 3_600 * 10**9
    first = opened(tape, later(tape, 10 * hour))
    second = opened(later(tape, hour // 2), later(tape, 20 * hour))
    found = [[(market, len(t.stamp_ns)) for market, t in piece] for piece in shared_pieces([first, second], "ab")]
    assert found == [[(0, 51), (1, 51)], [(0, 51)], [(1, 51)]]


def test_markets_of_different_times_have_nothing_to_share() -> None:
    tape = random_market(1, 50).tape()
    apart = opened(later(tape, 9 * 3_600 * 10**9))
    with pytest.raises(ConfigError, match="a and b have no data of the same time"):
        shared_pieces([opened(tape), apart], "ab")


def test_recorded_latency_needs_data_that_have_it() -> None:
    settings = load("quoter", {}, over={"MARKET": "standx"})
    tape = random_market(1, 50).tape()
    heard = replace(tape, local_ns=np.asarray(tape.stamp_ns) + 10**8)
    band = band_of(told("--latency", "recorded"))
    for market, speaks in ((opened(tape), False), (opened(heard), True)):
        stand = Stand(settings, market, plan_of(told(), settings, market, None), "", 0)
        if speaks:
            check_recorded(stand, band)
            continue
        check_recorded(stand, band_of(told()))
        with pytest.raises(ConfigError, match="does not say when it was received"):
            check_recorded(stand, band)


@pytest.mark.slow
def test_two_markets_become_three_reports_that_add_up(tmp_path: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if name != "AMM_KERNELS"}
    environ |= {"REPORTS_DIR": str(tmp_path / "reports"), "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [sys.executable, "-m", "backtest", "run", "--market", "us500,btc", "--data", "synthetic", "--days", "0.1",
         "--scenarios", "one", "--out", "both"],
        cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "source: us500: made-up market" in ran.stderr
    tree, us500, btc = (
        json.loads((tmp_path / "both" / folder / "latest.json").read_text()) for folder in ("", "us500", "btc")
    )
    for name in ("net_e8", "spread_e8", "inventory_e8", "fees_e8", "funding_e8"):
        assert tree["pnl"][name] == us500["pnl"][name] + btc["pnl"][name]
    assert tree["markets"]["btc"]["pnl"] == btc["pnl"]
    assert tree["actions"] == us500["actions"] + btc["actions"]
    assert "One account of" in tree["assumptions"][0]
    assert json.loads((tmp_path / "reports" / "backtest" / "latest.json").read_text()) == tree
    assert "Markets of this account" in (tmp_path / "both" / "latest.html").read_text()


def test_leverage_beyond_the_markets_is_no_setting_out_of_range_when_make_hands_it_on() -> None:
    """A word on make's command line is in the environment of what it starts, where it would be the setting itself."""
    done = subprocess.run(
        ["make", "-s", "backtest", "LEVERAGE=25", "DATA=/nonexistent"], cwd=ROOT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert "/nonexistent: there is no such file" in done.stdout + done.stderr
