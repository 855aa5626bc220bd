"""A market that leads ours helps the forecast, is never known too early, and says the same live as in the fit."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.messages import Touch
from quoter.card import accept
from quoter.engine import QuoteEngine
from quoter.features import FEATURES_MAX, OWN_FEATURES, REFERENCE_AGE_NS, names, new_features
from quoter.fit import HOUR_NS, fit, labels
from quoter.main import subscriptions
from quoter.references import Beside, Mids
from quoter.rows import Rows
from quoter.samples import Samples, take_samples
from quoter.state import NS, S_MID
from tests.unit.quoter.builders import COIN, PX, Desk, settings
from tests.unit.quoter.tapes import FeedOf, tape
from tests.unit.quoter.test_forecast import HOUR, T, a_card
from tests.unit.quoter.test_sampling import columns, vector

MS = 1_000_000
LEADER = "xyz:SP500"
START = 1_767_657_600 * NS
STEP_NS = 4 * NS


# ---------------------------------------------------------------------- in order of time
class Noted:
    """`Beside`, which would tell a list what it tells the features."""

    def __init__(self, references: list[Mids]) -> None:
        self.beside = Beside(references)
        self.features = new_features(len(references))

    @property
    def told(self) -> list[tuple[int, int, float]]:
        return list(self.beside._told[: self.beside._next])


@given(
    st.lists(st.integers(0, 30), max_size=12), st.lists(st.integers(0, 30), max_size=12), st.lists(st.integers(1, 30))
)
def test_every_mid_is_told_once_before_the_first_later_event(one: list[int], two: list[int], own: list[int]) -> None:
    noted = Noted([Mids(sorted(one), [5.0] * len(one)), Mids(sorted(two), [7.0] * len(two))])
    stamps = sorted(own)
    covered: list[int] = []
    for first, last in noted.beside.stretches(noted.features, stamps):
        told = [t for t, _, _ in noted.told]
        assert all(t < stamps[first] for t in told)
        assert len(told) == sum(t < stamps[first] for t in one + two)
        assert not [t for t in one + two if stamps[first] <= t < stamps[last - 1]]
        covered += range(first, last)
    assert covered == list(range(len(stamps)))


# ---------------------------------------------------------------------- one market leads the other
def a_leader(hours: int, seed: int) -> list[float]:
    rng, log_px = random.Random(seed), [0.0]
    for _ in range(hours * int(HOUR_NS // STEP_NS)):
        log_px.append(log_px[-1] + rng.gauss(0.0, 1.0e-4))
    return log_px


def a_follower(log_px: list[float], lag: int) -> Rows:
    """One level a side every 4 s, `lag` steps behind; in another unit and on a grid of 0.01 bps."""
    what: list[int] = []
    px: list[int] = []
    sz: list[int] = []
    begin, before = [0], None
    for k in range(len(log_px)):
        mid = round(10_000_000 * math.exp(log_px[max(k - lag, 0)]))
        for at, size in ((before, 0), (mid, 5)):
            if at is not None:
                what += [1, -1]
                px += [at - 100, at + 100]
                sz += [size, size]
        before = mid
        begin.append(len(what))
    stamps = [START + k * STEP_NS for k in range(len(log_px))]
    return Rows(vector(what), vector(px), vector(sz), vector(stamps), vector(begin), 50)


def mids(log_px: list[float], late_ns: int = 0) -> Mids:
    return Mids([START + k * STEP_NS + late_ns for k in range(len(log_px))], [6_900.0 * math.exp(x) for x in log_px])


@pytest.fixture(scope="module")
def led() -> dict[str, Samples]:
    """Samples of a market that follows a leader by 8 s: alone, beside it, beside a stranger."""
    path = a_leader(8, seed=3)
    rows = a_follower(path, lag=2)
    stranger = mids(a_leader(8, seed=4))
    return {
        "alone": take_samples([rows]),
        "beside": take_samples([rows], [mids(path)]),
        "stranger": take_samples([rows], [stranger]),
    }


def r2(samples: Samples, references: tuple[str, ...]) -> tuple[float, float, float]:
    """Mean, low and high R2 at 5 s on left-out hours."""
    span = int(samples.t_ns[0]), int(samples.t_ns[-1]) + 1
    card = fit(samples, span, settings(), references=references)
    found = card.of(5)
    assert found is not None
    assert found.r2.lo is not None
    assert found.r2.hi is not None
    assert (card.references, card.features) == (list(references), list(names(references)))
    return found.r2.mean, found.r2.lo, found.r2.hi


def test_a_leading_market_raises_what_the_forecast_explains(led: dict[str, Samples]) -> None:
    alone, beside = r2(led["alone"], ()), r2(led["beside"], (LEADER,))
    stranger = r2(led["stranger"], (LEADER,))
    assert alone[0] < 0.02
    assert beside[1] > 0.5
    assert stranger[0] < 0.02
    assert led["beside"].x[:, :OWN_FEATURES].tolist() == led["alone"].x.tolist()


def explained(samples: Samples, *, features: int = 0, late: int = 0) -> float:
    """R2 at 5 s of the leader's gap: of a later event's, or on labels that begin at a later one."""
    n = len(samples.t_ns) - 10
    moves = labels(samples, samples.t_ns, 5)
    gap = samples.x[:, names((LEADER,)).index(f"{LEADER}.gap")]
    z, y = gap[features : n + features], moves[late : n + late]
    weight = float((z * y).sum() / (z * z).sum())
    return 1.0 - float(((y - weight * z) ** 2).sum() / (y * y).sum())


def test_the_shift_test_holds_beside_a_reference(led: dict[str, Samples]) -> None:
    """Labels that begin later are explained less, and a gap that knew the next event would explain more."""
    market = led["beside"]
    assert explained(market, late=1) < explained(market)
    path = a_leader(8, seed=3)
    foreseen = take_samples([a_follower(path, lag=1)], [mids(path, late_ns=-STEP_NS)])
    honest = take_samples([a_follower(path, lag=1)], [mids(path)])
    assert explained(foreseen) > explained(honest) + 0.05


def test_what_a_reference_does_later_changes_no_sample() -> None:
    path, other = a_leader(1, seed=3), a_leader(1, seed=9)
    cut = 500
    changed = path[:cut] + [path[cut - 1] + x for x in other[: len(path) - cut]]
    rows = a_follower(path, lag=2)
    whole, spoiled = (take_samples([rows], [mids(one)]) for one in (path, changed))
    before = whole.t_ns <= START + cut * STEP_NS
    assert whole.x[before].tolist() == spoiled.x[before].tolist()
    assert whole.x.tolist() != spoiled.x.tolist()


# ---------------------------------------------------------------------- live
def a_touch(t_ns: int, mid2: int, coin: str = LEADER, **sides: int) -> Touch:
    """`mid2` is twice the mid, so that it may lie between two prices."""
    bid, ask = mid2 // 2 - 5, mid2 - (mid2 // 2 - 5)
    sides = {"bid_px_u": bid, "ask_px_u": ask, **sides}
    return Touch(t_ns, coin, t_ns, t_ns, sides["bid_px_u"], 1, sides["ask_px_u"], 1)


@pytest.mark.parametrize("seed", range(6))
def test_live_and_fit_give_the_same_features_beside_a_reference(seed: int) -> None:
    instants, rng, feed = tape(seed), random.Random(seed), FeedOf()
    heard = [(i.t_ns - 1 - rng.randrange(300 * MS), 1_380_000 + rng.randrange(400)) for i in instants for _ in range(2)]
    heard.sort()
    what, px, sz, stamps, begin = columns(instants)
    fitted = take_samples(
        [Rows(what, px, sz, stamps, begin, 200)], [Mids([t for t, _ in heard], [m / 2 for _, m in heard])]
    )
    engine, lived, k = QuoteEngine(settings(references=LEADER)), [], 0
    for instant in instants:
        while k < len(heard) and heard[k][0] < instant.t_ns:
            engine.on(a_touch(*heard[k]))
            k += 1
        for message in feed.messages(instant):
            engine.on(message)
        lived.append((instant.t_ns, engine.outlook.features()))
    told = dict(lived)
    assert [told[int(t)] for t in fitted.t_ns] == [list(map(float, x)) for x in fitted.x]
    assert any(x[OWN_FEATURES] != 0.0 for x in told.values())


def test_a_references_touch_makes_a_decision_and_is_no_price_of_ours() -> None:
    desk = Desk(references=LEADER)
    desk.start()
    mid, venue_t_ns = float(desk.engine.state[S_MID]), desk.engine.view.venue_t_ns
    before = desk.engine.outlook.features()
    desk.wait(0.2).send(a_touch(desk.t_ns, 1_380_000))
    desk.wait(0.2).send(a_touch(desk.t_ns, 1_380_414))
    assert desk.engine.outlook.features() != before
    assert desk.engine._decided_t_ns == desk.t_ns
    assert (desk.engine.state[S_MID], desk.engine.view.venue_t_ns) == (mid, venue_t_ns)


@pytest.mark.parametrize(
    "touch", [a_touch(T, 1_380_000, coin="BTC"), a_touch(T, 1_380_000, bid_px_u=0), a_touch(T, 1_380_000, ask_px_u=0)]
)
def test_a_stranger_and_a_one_sided_reference_say_nothing(touch: Touch) -> None:
    desk = Desk(references=LEADER).start()
    before = desk.engine.outlook.features()
    assert desk.engine.on(touch) == []
    assert desk.engine.outlook.features() == before


def test_a_gap_is_measured_from_its_average_and_is_none_before_there_is_one() -> None:
    """A reference that was heard before our own first book: the ratio of two prices is no gap."""
    desk = Desk(references=LEADER)
    desk.send(a_touch(desk.t_ns, 1_380_000))
    desk.wait(1.0).send(desk.book())
    assert desk.engine.outlook.features()[OWN_FEATURES:] == [0.0] * 4


def test_a_silent_reference_has_no_gap() -> None:
    """Its last mid would say that all our own moves are to be undone."""
    desk = Desk(references=LEADER).start()
    place = names((LEADER,)).index(f"{LEADER}.gap")
    desk.send(a_touch(desk.t_ns, 1_380_000))
    desk.wait(1.0).send(desk.book(PX + 100))
    assert desk.engine.outlook.features()[place] < -1.0
    desk.wait(REFERENCE_AGE_NS / NS).send(desk.book(PX + 100))
    assert desk.engine.outlook.features()[place] == 0.0


def test_the_quoter_listens_to_its_references() -> None:
    keys = [subscription.key for subscription in subscriptions(COIN, (LEADER, "BTC"))]
    assert keys[:3] == [f"md:{COIN}", f"md:{LEADER}", "md:BTC"]
    assert len(keys) == len(subscriptions(COIN)) + 2


def a_card_beside(*references: str) -> Any:
    n = len(names(references))
    horizons = a_card().horizons
    return a_card(
        references=list(references), features=list(names(references)), deviations=[1.0] * n, horizons=horizons
    )


def test_a_card_is_used_only_beside_the_references_it_was_fitted_on() -> None:
    card = a_card_beside(LEADER)
    assert accept(card, COIN, T + HOUR, 48.0, (LEADER,)) == ""
    assert "fitted beside" in accept(card, COIN, T + HOUR, 48.0)
    assert "fitted beside" in accept(card, COIN, T + HOUR, 48.0, ("BTC", LEADER))
    assert accept(a_card(), COIN, T + HOUR, 48.0, (LEADER,)) == ""  # one without needs none


def test_four_references_fit_the_vector_of_features() -> None:
    assert len(names(("a", "b", "c", "d"))) == FEATURES_MAX
