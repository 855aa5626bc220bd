"""The fit finds a planted forecast, judges it on hours it was not given, and refuses what it cannot judge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from common.errors import EXIT_OK, EXIT_REFUSED, BadInput, ConfigError
from quoter import fit as fitting
from quoter.card_file import read_card
from quoter.features import OWN_FEATURES
from quoter.fit import HOUR_NS, fit, judged, keep, labels, score, within
from quoter.rows import find, read, span_ns
from quoter.samples import Samples
from quoter.state import NS
from tests.unit.quoter.builders import settings

START = 1_767_657_600 * NS
STEP_NS = 2 * NS


def planted(hours: int = 12, strength: float = 0.2, seed: int = 1) -> Samples:
    """Every 2 s: noise in all features; the first one drifts the mid by `strength` bps a step for 30 s."""
    rng = np.random.default_rng(seed)
    n = hours * int(HOUR_NS // STEP_NS)
    x = rng.normal(size=(n, OWN_FEATURES))
    drift = np.convolve(x[:, 0], np.full(15, strength))[:n]
    moves = np.concatenate(([0.0], drift[:-1])) + rng.normal(scale=0.5, size=n)
    log_mid = 11.0 + np.cumsum(moves) * 1e-4
    return Samples(START + STEP_NS * np.arange(n, dtype=np.int64), log_mid, x)


def whole(samples: Samples) -> tuple[int, int]:
    return int(samples.t_ns[0]), int(samples.t_ns[-1]) + 1


def test_a_planted_forecast_is_found_and_accepted() -> None:
    samples = planted()
    card = fit(samples, whole(samples), settings(), latency_ms=4_000.0)
    at_30 = card.of(30)
    assert card.refusal == ""
    assert at_30 is not None
    assert np.argmax(np.abs(at_30.weights)) == 0
    # 15 steps of 0.2 bps each follow a feature of deviation 1: 3 bps, less what the penalty and cut labels take
    assert at_30.weights[0] == pytest.approx(2.8, abs=0.4)
    assert at_30.r2.lo is not None
    assert at_30.r2.lo > 0.05
    assert at_30.r2_late.mean < at_30.r2.mean


def test_noise_is_not_accepted() -> None:
    samples = planted(strength=0.0)
    card = fit(samples, whole(samples), settings())
    assert card.refusal
    assert all(h.r2.mean < 0.01 for h in card.horizons)


def test_what_was_fitted_holds_on_another_day_of_the_same_market() -> None:
    samples, other = planted(), planted(seed=2)
    card = fit(samples, whole(samples), settings())
    found = judged(card, other, whole(other))
    at_30 = card.of(30)
    assert at_30 is not None
    assert found[30].mean == pytest.approx(at_30.r2.mean, abs=0.03)


def test_a_few_hours_are_too_short() -> None:
    samples = planted(hours=7)
    with pytest.raises(BadInput, match="too_short"):
        fit(samples, whole(samples), settings())


def test_a_label_needs_a_mid_that_late() -> None:
    samples = planted(hours=1)
    gap = np.ones(len(samples.t_ns), bool)
    gap[100:110] = False
    cut = Samples(samples.t_ns[gap], samples.log_mid[gap], samples.x[gap])
    moves = labels(cut, cut.t_ns, 5)
    assert np.isfinite(moves[:97]).all()
    assert np.isnan(moves[99])  # nothing was seen 5 s later
    assert np.isnan(moves[-2:]).all()


def test_the_score_of_a_perfect_forecast_is_one_and_of_none_zero() -> None:
    moves, hours = np.arange(1.0, 241.0), np.repeat(np.arange(24), 10)
    assert score(moves, moves, hours).mean == pytest.approx(1.0)
    assert score(moves, 0.0 * moves, hours).mean == pytest.approx(0.0)
    assert score(moves[:30], moves[:30], hours[:30]).lo is None


def test_within_a_span_there_is_nothing_else() -> None:
    samples = planted(hours=2)
    inside = within(samples, (START + HOUR_NS, START + 2 * HOUR_NS))
    assert (int(inside.t_ns[0]), len(inside.t_ns)) == (START + HOUR_NS, 1_800)


def shifted(samples: Samples, *, features: int = 0, late: int = 0) -> float:
    """R2 at 5 s with features of a later event, or labels that begin at a later one."""
    n = len(samples.t_ns) - 10
    moves = labels(samples, samples.t_ns, 5)
    z, y = samples.x[features : n + features, :1], moves[late : n + late]
    ok = np.isfinite(y)
    weight = float((z[ok, 0] * y[ok]).sum() / (z[ok, 0] ** 2).sum())
    return 1.0 - float(((y[ok] - weight * z[ok, 0]) ** 2).sum() / (y[ok] ** 2).sum())


def test_features_of_the_next_event_would_show_a_leak_and_later_labels_would_not() -> None:
    """A feature that knows the last move: one event later it knows part of the label, which must show."""
    samples = planted(hours=8)
    past = np.concatenate(([0.0], np.diff(samples.log_mid))) * 1e4
    honest = Samples(samples.t_ns, samples.log_mid, past[:, None])
    leaking = Samples(samples.t_ns, samples.log_mid, np.roll(past, -1)[:, None])
    assert shifted(honest, features=1) > shifted(honest) + 0.05
    assert shifted(honest, late=1) <= shifted(honest) + 0.01
    assert shifted(leaking, late=1) < shifted(leaking) - 0.05  # so a leak cannot pass for skill


# ---------------------------------------------------------------------- the command's parts
def test_a_refused_fit_never_replaces_an_accepted_one(tmp_path: Path) -> None:
    path = tmp_path / "us500.json"
    good, noise = planted(), planted(strength=0.0)
    assert keep(fit(good, whole(good), settings()), path) == EXIT_OK
    assert keep(fit(noise, whole(noise), settings()), path) == EXIT_REFUSED
    assert read_card(path).refusal == ""


def test_spans_are_dates_or_times_in_utc() -> None:
    assert span_ns("2026-01-06") == (START, START + 24 * HOUR_NS)
    assert span_ns("2026-01-06/2026-01-07") == (START, START + 24 * HOUR_NS)
    assert span_ns("2026-01-06T01:00/2026-01-06T02:00+00:00") == (START + HOUR_NS, START + 2 * HOUR_NS)
    for text in ("yesterday", "2026-01-07/2026-01-06", "a/b/c"):
        with pytest.raises(ConfigError):
            span_ns(text)


def test_a_folder_gives_the_files_of_the_profiles_market(tmp_path: Path) -> None:
    for name in ("standx_BTC_2026-01-06.npz", "standx_BTC_2026-01-07.npz", "hl_BTC_2025-09-03.npz"):
        (tmp_path / name).touch()
    assert [p.name[-14:] for p in find([str(tmp_path)], "standx")] == ["2026-01-06.npz", "2026-01-07.npz"]
    with pytest.raises(ConfigError, match="name the files"):
        find([str(tmp_path)], "us500")
    with pytest.raises(ConfigError, match="no such file"):
        find([str(tmp_path / "x.npz")], "standx")


DTYPE = [("ev", "u8"), ("exch_ts", "i8"), ("local_ts", "i8"), ("px", "f8"), ("qty", "f8")]
BOTH, EXCHANGE, LOCAL, BUY, SELL = 3 << 30, 1 << 31, 1 << 30, 1 << 29, 1 << 28


def recording(path: Path, rows: list[tuple[Any, ...]]) -> Path:
    np.savez(path, data=np.array(rows, dtype=DTYPE))
    return path


def test_rows_flagged_for_the_exchange_count_at_their_exchange_time(tmp_path: Path) -> None:
    rows = [
        (1 | BOTH | BUY, 10, 20, 100.1, 0.5),
        (1 | LOCAL | SELL, 10, 20, 100.2, 0.5),
        (1 | EXCHANGE | SELL, 10, 25, 100.3, 0.5),
        (2 | BOTH | SELL, 30, 45, 100.1, 0.25),
    ]
    found = read(recording(tmp_path / "a.npz", rows), 4)
    assert found.what.tolist() == [1, -1, -2]
    assert found.px_u.tolist() == [10_010, 10_030, 10_010]
    assert found.sz_u.tolist() == [5_000, 5_000, 2_500]
    assert (found.stamp_ns.tolist(), found.begin.tolist()) == ([10, 30], [0, 2, 3])


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((1 | BOTH | BUY, 10, 20, 100.123, 0.5), "off_grid"),
        ((1 | BOTH | BUY, 5, 20, float("nan"), 0.5), "not_a_recording"),
        ((9 | BOTH | BUY, 10, 20, 100.1, 0.5), "not_a_recording"),
        ((1 | BOTH | BUY, 4, 20, 100.1, 0.5), "out_of_order"),
    ],
)
def test_a_broken_recording_is_refused(tmp_path: Path, row: tuple[Any, ...], reason: str) -> None:
    path = recording(tmp_path / "a.npz", [(1 | BOTH | BUY, 5, 20, 100.1, 0.5), row])
    with pytest.raises(BadInput) as caught:
        read(path, 4)
    assert caught.value.reason == reason


def test_what_is_no_event_array_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"not a zip")
    with pytest.raises(BadInput):
        read(tmp_path / "a.npz", 4)


def test_the_command_refuses_plain_kernels_and_unknown_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "COMPILED", False)
    assert fitting.main(["--market", "standx", "--data", "x"]) == 78
    monkeypatch.setattr(fitting, "COMPILED", True)
    assert fitting.main(["--market", "standx", "--data", "/nowhere/x.npz"]) == 78
