"""Intervals that cover what they claim, and a volatility that depends on stamps alone."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import OurFault
from common.stats import VolMeter, bootstrap_mean, rms_vol, weighted_mean

S = 1_000_000_000


def test_the_mean_is_weighted_by_usd() -> None:
    assert weighted_mean([1.0, -1.0], [300.0, 100.0]) == pytest.approx(0.5)
    assert weighted_mean([], []) is None
    assert weighted_mean([1.0], [0.0]) is None
    with pytest.raises(ValueError, match="shorter"):
        weighted_mean([1.0, 2.0], [1.0])


def test_too_few_blocks_give_no_interval() -> None:
    got = bootstrap_mean([1.0, 2.0, 3.0], [1.0, 1.0, 1.0], [1, 1, 2], seed=1)
    assert got is not None
    assert (got.mean, got.lo, got.hi, got.n, got.blocks) == (2.0, None, None, 3, 2)
    assert bootstrap_mean([], [], [], seed=1) is None


def test_the_same_seed_gives_the_same_digits() -> None:
    rng = random.Random(3)
    values = [rng.gauss(0, 1) for _ in range(300)]
    blocks = [i // 10 for i in range(300)]
    first = bootstrap_mean(values, [1.0] * 300, blocks, seed=7)
    assert first == bootstrap_mean(values, [1.0] * 300, blocks, seed=7)
    assert first != bootstrap_mean(values, [1.0] * 300, blocks, seed=8)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """40 blocks of 5 dependent fills, true mean 0.5: a 90 % interval covers it in roughly 90 % of 200 worlds."""
    rng, covered = random.Random(11), 0
    for world in range(200):
        values, blocks = [], []
        for block in range(40):
            common = rng.gauss(0.5, 1.0)
            values += [common + rng.gauss(0, 1) for _ in range(5)]
            blocks += [block] * 5
        got = bootstrap_mean(values, [1.0] * 200, blocks, seed=world, level=0.90, draws=300)
        assert got is not None
        assert got.lo is not None
        assert got.hi is not None
        assert got.lo <= got.mean <= got.hi
        covered += got.lo <= 0.5 <= got.hi
    assert 0.80 <= covered / 200 <= 0.97


# ---------------------------------------------------------------------- volatility
def by_definition(mids: list[tuple[int, int]], origin: int, end: int, step: int) -> tuple[float, int] | None:
    """The docstring, word by word."""
    last: list[int | None] = []
    for point in range(origin, end + 1, step):
        before = [mid for t, mid in mids if t <= point]
        last.append(before[-1] if before else None)
    returns = [math.log(b / a) for a, b in pairwise(last) if a and b]
    if not returns:
        return None
    rms = math.sqrt(math.fsum(r * r for r in returns) / len(returns))
    return rms * math.sqrt(365 * 86_400 * S / step), len(returns)


def test_a_known_walk() -> None:
    """1 bps every 5 s is 1e-4 x sqrt(365 x 17,280) a year."""
    mids = [(i * 5 * S, round(20_000_000 * math.exp(1e-4 * (i % 2)))) for i in range(100)]
    got = rms_vol(mids, 0, 99 * 5 * S)
    assert got is not None
    assert got.returns == 99
    assert got.annual == pytest.approx(1e-4 * math.sqrt(365 * 17_280), rel=1e-3)


def test_quiet_time_counts_as_zero_returns() -> None:
    meter = VolMeter(0)
    meter.on_mid(1 * S, 20_000)
    meter.on_mid(26 * S, 20_020)
    got = meter.read(30 * S)
    assert got is not None
    assert got.returns == 5
    assert got.annual == pytest.approx(math.log(20_020 / 20_000) / math.sqrt(5) * math.sqrt(365 * 17_280))


def test_nothing_is_known_before_the_first_return() -> None:
    meter = VolMeter(0)
    assert meter.read(100 * S) is None
    meter.on_mid(12 * S, 20_000)
    assert meter.read(14 * S) is None
    assert meter.read(15 * S) is None
    later = meter.read(20 * S)
    assert later is not None
    assert (later.annual, later.returns) == (0.0, 1)
    with pytest.raises(OurFault):
        VolMeter(0, 0.0)


def test_reading_does_not_change_the_meter() -> None:
    meter = VolMeter(0)
    meter.on_mid(1 * S, 20_000)
    meter.on_mid(6 * S, 20_100)
    assert meter.read(30 * S) == meter.read(30 * S)
    meter.on_mid(5 * S, 10), meter.on_mid(7 * S, 0)
    assert meter.read(10 * S) is not None


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 300), st.integers(15_000, 25_000)), max_size=60),
    st.integers(0, 60),
    st.integers(0, 60),
)
def test_the_stream_equals_the_definition(mids: list, origin_s: int, tail_s: int) -> None:
    mids = [(t * S, mid) for t, mid in sorted(mids, key=lambda m: m[0])]
    end = max([t for t, _ in mids] + [origin_s * S]) + tail_s * S
    got = rms_vol(mids, origin_s * S, end)
    want = by_definition(mids, origin_s * S, end, 5 * S)
    if want is None:
        assert got is None
    else:
        assert got is not None
        assert got.returns == want[1]
        assert got.annual == pytest.approx(want[0], rel=1e-9, abs=1e-12)


def test_a_recording_is_read_up_to_its_end() -> None:
    mids = [(1 * S, 20_000), (4 * S, 20_100), (9 * S, 20_200), (100 * S, 1)]
    assert rms_vol(mids, 0, 10 * S) == rms_vol(mids[:3], 0, 10 * S)
