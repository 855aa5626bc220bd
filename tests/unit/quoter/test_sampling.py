"""Replay and live give the same features, and no feature knows what comes later."""

from __future__ import annotations

from typing import Any

import pytest

from common.kernel import istate, state
from common.messages import TradePrint
from quoter.engine import QuoteEngine
from quoter.features import F_LOG_MID, FEATURES_MAX, J_MID, OWN_FEATURES, new_features, read_features
from quoter.layering import new_channels
from quoter.rebuilt import new_side
from quoter.sampling import sample, see_instant
from quoter.state import new_book
from tests.unit.quoter.builders import settings
from tests.unit.quoter.tapes import FeedOf, Instant, tape


def vector(values: list[int]) -> Any:
    made = istate(len(values))
    made[:] = values
    return made


def columns(instants: list[Instant]) -> tuple[Any, Any, Any, Any, Any]:
    rows = [row for instant in instants for row in instant.rows]
    begin = [0]
    for instant in instants:
        begin.append(begin[-1] + len(instant.rows))
    parts = [vector([row[k] for row in rows]) for k in range(3)]
    return parts[0], parts[1], parts[2], vector([i.t_ns for i in instants]), vector(begin)


def replayed(instants: list[Instant]) -> list[list[float]]:
    """Features after each instant, by the kernels of fit and replay."""
    what, px, sz, stamps, begin = columns(instants)
    bids, asks, channel, book, features = new_side(1), new_side(-1), new_channels(), new_book(), new_features()
    x, found = state(FEATURES_MAX), []
    for k in range(len(instants)):
        see_instant(
            what, px, sz, int(begin[k]), int(begin[k + 1]), k + 1, int(stamps[k]), bids, asks, channel, book, *features
        )
        read_features(*features, x)
        found.append([float(value) for value in x[:OWN_FEATURES]])
    return found


def lived(instants: list[Instant]) -> list[list[float]]:
    """Features after each instant, by the live engine on the feed's messages."""
    engine, feed, found = QuoteEngine(settings()), FeedOf(), []
    for instant in instants:
        for message in feed.messages(instant):
            engine.on(message)
        found.append(engine.outlook.features())
    return found


@pytest.mark.parametrize("seed", range(12))
def test_live_and_replay_give_the_same_features_bit_for_bit(seed: int) -> None:
    instants = tape(seed)
    assert lived(instants) == replayed(instants)


def sampled(instants: list[Instant]) -> list[tuple[int, float, list[float]]]:
    what, px, sz, stamps, begin = columns(instants)
    n = len(instants)
    t_ns, logs, flat = istate(n), state(n), state(n * OWN_FEATURES)
    count = sample(
        what, px, sz, stamps, begin, 0, n, new_side(1), new_side(-1), new_channels(), new_book(), *new_features(),
        state(FEATURES_MAX), OWN_FEATURES, t_ns, logs, flat,
    )  # fmt: skip
    rows = [[float(v) for v in flat[k * OWN_FEATURES : (k + 1) * OWN_FEATURES]] for k in range(count)]
    return [(int(t_ns[k]), float(logs[k]), rows[k]) for k in range(count)]


@pytest.mark.parametrize("seed", range(5))
def test_no_feature_changes_with_what_comes_later(seed: int) -> None:
    instants = tape(seed)
    whole = sampled(instants)
    for cut in (10, 25, 44):
        later = zip(tape(seed + 100)[cut:], instants[cut:], strict=True)
        other = instants[:cut] + [Instant(mine.t_ns, o.rows, o.bids, o.asks) for o, mine in later]
        before = instants[cut].t_ns
        assert [s for s in sampled(other) if s[0] < before] == [s for s in whole if s[0] < before]


def test_a_sample_is_taken_whenever_the_feed_tells_of_the_book() -> None:
    instants, feed = tape(3), FeedOf()
    told = [i.t_ns for i in instants if [m for m in feed.messages(i) if not isinstance(m, TradePrint)]]
    assert [t_ns for t_ns, _, _ in sampled(instants)] == told


def test_features_start_unknown() -> None:
    floats, ints, logs, times = new_features()
    x = state(FEATURES_MAX)
    assert read_features(floats, ints, logs, times, x) == OWN_FEATURES
    assert list(x[:OWN_FEATURES]) == [0.0] * OWN_FEATURES
    assert ints[J_MID] == 0
    assert floats[F_LOG_MID] == 0.0
