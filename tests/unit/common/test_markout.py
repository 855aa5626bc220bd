"""Markouts: the last mid at or before the horizon, once it is certain; gaps are counted, never guessed."""

from __future__ import annotations

import random
from bisect import bisect_right

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import common.markout as room
from common.markout import HORIZONS_S, Markouts, markout_bps
from common.messages import Fill, Liquidity, Side

S = 1_000_000_000


def a_fill(t_ns: int, *, side: Side = Side.BID, px_u: int = 10_000, tid: int = 1) -> Fill:
    return Fill(t_ns, "BTC", t_ns, tid, 1, "", side, px_u, 5, 0, Liquidity.MAKER, 0)


def test_a_buy_below_a_rising_mid_gains() -> None:
    assert markout_bps(int(Side.BID), 10_000, 20_002) == pytest.approx(1.0)
    assert markout_bps(int(Side.ASK), 10_000, 20_002) == pytest.approx(-1.0)


def test_a_markout_is_rounded_once_for_each_step_of_its_formula() -> None:
    rng = random.Random(7)
    for _ in range(500):
        side, px, mid2 = rng.choice((1, -1)), rng.randint(10**5, 10**7), rng.randint(2 * 10**5, 2 * 10**7)
        assert markout_bps(side, px, mid2) == side * (mid2 - 2 * px) * 5_000.0 / px


def test_the_last_mid_at_or_before_the_horizon_counts() -> None:
    markouts = Markouts((1,))
    markouts.on_mid(100 * S, 20_000)
    assert markouts.on_fill(a_fill(100 * S)) == []
    assert markouts.on_mid(101 * S, 20_004) == [], "a mid at the horizon could still be replaced"
    assert markouts.on_mid(101 * S, 20_006) == []
    (scored,) = markouts.on_mid(101 * S + 1, 30_000)
    assert (scored.horizon_s, scored.bps) == (1, pytest.approx(3.0))
    assert markouts.waiting == 0


def test_a_late_fill_is_scored_from_the_mids_that_passed() -> None:
    markouts = Markouts()
    for i in range(400):
        markouts.on_mid((100 + i) * S, 20_000 + 2 * i)
    scores = {one.horizon_s: one.bps for one in markouts.on_fill(a_fill(110 * S, px_u=10_010))}
    assert set(scores) == set(HORIZONS_S)
    assert scores[60] == pytest.approx(60 / 10_010 * 1e4)


def test_a_gap_around_the_horizon_leaves_it_unscored() -> None:
    markouts = Markouts((1, 60))
    markouts.on_mid(100 * S, 20_000)
    markouts.on_fill(a_fill(100 * S))
    scores = markouts.on_mid(131 * S, 20_000)
    assert scores == []
    assert markouts.unscored == {1: 1, 60: 0}
    assert markouts.on_mid(155 * S, 20_000) == []
    assert [one.horizon_s for one in markouts.on_mid(161 * S, 20_000)] == [60]


def test_a_fill_before_the_first_mid_is_unscored() -> None:
    markouts = Markouts((1,))
    markouts.on_fill(a_fill(100 * S))
    assert markouts.on_mid(150 * S, 20_000) == []
    assert markouts.unscored == {1: 1}


def test_silence_is_given_up_after_the_gap() -> None:
    markouts = Markouts((1, 300))
    markouts.on_mid(100 * S, 20_000)
    markouts.on_fill(a_fill(100 * S))
    assert markouts.on_time(131 * S) == 0
    assert markouts.on_time(131 * S + 1) == 1
    assert markouts.unscored == {1: 1, 300: 0}
    assert Markouts().on_time(5 * S) == 0


def test_a_repeated_fill_and_an_older_mid_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    markouts = Markouts((1,))
    markouts.on_mid(100 * S, 20_000)
    markouts.on_mid(99 * S, 50_000)
    markouts.on_fill(a_fill(100 * S))
    markouts.on_fill(a_fill(100 * S))
    assert [one.bps for one in markouts.on_mid(102 * S, 20_000)] == [0.0]
    monkeypatch.setattr(room, "KEYS_MAX", 2)
    for tid in range(5):
        markouts.on_fill(a_fill(100 * S, tid=tid))
    assert len(markouts._keys) <= 3


def test_old_mids_are_dropped() -> None:
    markouts = Markouts()
    for i in range(5_000):
        markouts.on_mid(i * S, 20_000)
    assert len(markouts._t_ns) < 1_300
    markouts.on_fill(a_fill(10 * S))
    assert markouts.unscored[1] == 1


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(19_000, 21_000)), max_size=60, unique_by=lambda m: m[0]),
    st.lists(st.integers(0, 400), max_size=10),
    st.randoms(use_true_random=False),
)
def test_scores_depend_on_stamps_only_not_on_arrival(mids: list, fill_times: list, rng) -> None:  # type: ignore[no-untyped-def]
    """Fills may be late by any number of mids: the scores are those of the whole record."""
    mids.sort()
    events: list = [("mid", t, v) for t, v in mids]
    for tid, t_s in enumerate(fill_times):
        place = rng.randint(bisect_right([t for t, _ in mids], t_s - 1), len(events))
        events.insert(place, ("fill", t_s, tid))
    markouts, got = Markouts((5, 30)), {}
    for kind, t_s, value in events:
        new = markouts.on_mid(t_s * S, value) if kind == "mid" else markouts.on_fill(a_fill(t_s * S, tid=value))
        got.update({(one.fill.tid, one.horizon_s): one.bps for one in new})
    want = {}
    times = [t for t, _ in mids]
    for tid, t_s in enumerate(fill_times):
        for horizon_s in (5, 30):
            after = bisect_right(times, t_s + horizon_s)
            if 0 < after < len(mids) and times[after] - times[after - 1] <= 30:
                want[tid, horizon_s] = markout_bps(int(Side.BID), 10_000, mids[after - 1][1])
    assert got == want


# ---------------------------------------------------------------------- by side, level and session
def scored(
    bps: float, *, side: Side = Side.BID, level: int = 0, horizon_s: int = 60, px_u: int = 10_000
) -> room.Scored:
    fill = Fill(S, "BTC", S, 1, 1, "", side, px_u, 500, 0, Liquidity.MAKER, 0, level)
    return room.Scored(fill, horizon_s, bps)


def test_each_side_level_and_session_has_its_own_markouts() -> None:
    table = room.MarkoutTable()
    for one, session in (
        (scored(1.0), "regular"),
        (scored(3.0), "regular"),
        (scored(9.0, level=1), "regular"),
        (scored(-2.0, side=Side.ASK), "regular"),
        (scored(5.0, horizon_s=1), "overnight"),
    ):
        table.add(one, session)
    rows = table.rows()
    assert [(r["session"], r["side"], r["level"]) for r in rows] == [
        ("overnight", "buy", 0), ("regular", "buy", 0), ("regular", "buy", 1), ("regular", "sell", 0),
    ]  # fmt: skip
    at = rows[1]["at"]
    assert isinstance(at, dict)
    assert at["60"] == {"mean_bps": 2.0, "lo_bps": 0.04, "hi_bps": 3.96, "fills": 2, "usd": 10.0}


def test_one_fill_has_a_mean_and_no_confidence() -> None:
    cell = room.Cell()
    cell.add(4.0, 100.0)
    assert (cell.mean_bps, cell.error_bps) == (4.0, None)


@given(st.lists(st.tuples(st.floats(-50, 50), st.floats(1, 500)), min_size=2, max_size=40))
def test_a_cell_is_the_weighted_mean_whatever_the_order(scores: list[tuple[float, float]]) -> None:
    cell = room.Cell()
    for bps, usd in scores:
        cell.add(bps, usd)
    whole = sum(usd for _, usd in scores)
    assert cell.mean_bps == pytest.approx(sum(bps * usd for bps, usd in scores) / whole, abs=1e-9)
    assert cell.error_bps is not None
    assert cell.error_bps >= 0.0
