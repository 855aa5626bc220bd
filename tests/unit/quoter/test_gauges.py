"""What the quoter shows: every figure under its name, and a markout's mean from counters."""

from __future__ import annotations

from typing import Any

import pytest

import quoter.gauges
from common import metrics
from common.errors import OurFault
from common.markout import Scored
from common.messages import Side
from quoter.events import Figures, Refused
from quoter.gauges import Gauges, half_spread_bps
from tests.unit.quoter.builders import PX, Desk

COIN = "km:US500"


@pytest.fixture
def desk() -> Desk:
    return Desk().start()


@pytest.fixture
def gauges(desk: Desk) -> Gauges:
    return Gauges(desk.settings, desk.engine)


def shown(name: str, **labels: str) -> float:
    return metrics.value(name, coin=COIN, **labels)


def figures_of(desk: Desk) -> Figures:
    return Figures(desk.ladder, desk.engine.view, 0)


def test_prices_are_shown_in_dollars(desk: Desk, gauges: Gauges) -> None:
    gauges.show(figures_of(desk))
    assert shown("amm_mid_price_usd") == pytest.approx(752.41)
    assert shown("amm_best_bid_price_usd") == pytest.approx(752.40)
    assert shown("amm_best_ask_price_usd") == pytest.approx(752.42)
    assert shown("amm_quote_price_usd", side="bid", level="00") == pytest.approx(desk.ladder.bids[0].px_u / 1000)
    assert shown("amm_quote_size_usd", side="bid", level="00") > 10
    assert shown("amm_spread_floor_bps") == pytest.approx(2.7667, abs=1e-3)
    assert shown("amm_vol_known") == 0
    assert shown("amm_book_depth_usd", side="bid", distance_bps="010") == pytest.approx(20_000, rel=0.01)
    assert shown("amm_book_depth_usd", side="bid", distance_bps="001") < 20_000


def test_a_withdrawn_level_shows_zero(desk: Desk, gauges: Gauges) -> None:
    gauges.show(figures_of(desk))
    desk.send(desk.fill(Side.BID, 340))
    gauges.show(figures_of(desk))
    assert shown("amm_quote_size_usd", side="bid", level="00") == 0
    assert shown("amm_quote_size_usd", side="ask", level="00") > 0


def test_a_score_counts_in_the_histogram_and_in_the_counters_that_give_its_mean(desk: Desk, gauges: Gauges) -> None:
    names = [f"amm_markout_{name}_total" for name in ("fills", "favourable_bps", "adverse_bps")]
    before = [shown(name, horizon="5s") for name in names]
    for bps in (2.0, -3.0):
        gauges.on(Scored(desk.fill(Side.BID, 5), 5, bps))
    after = [shown(name, horizon="5s") for name in names]
    assert [b - a for a, b in zip(before, after, strict=True)] == [2.0, 2.0, 3.0]


def test_counters_exist_before_the_first_fill(gauges: Gauges) -> None:
    assert shown("amm_markout_fills_total", horizon="300s") >= 0


def test_a_refused_book_is_counted_with_its_reason(gauges: Gauges) -> None:
    before = metrics.value("amm_bad_input_total", boundary="book", reason="crossed")
    gauges.on(Refused("crossed"))
    assert metrics.value("amm_bad_input_total", boundary="book", reason="crossed") == before + 1


class Heard:
    """A log that keeps its events."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Any]] = []

    def info(self, event: str, **facts: Any) -> None:
        self.events.append((event, facts["reasons"]))


def test_a_change_of_reasons_is_logged_once(desk: Desk, gauges: Gauges, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Heard()
    monkeypatch.setattr(quoter.gauges, "log", heard)
    for _ in range(3):
        gauges.on(figures_of(desk))
    desk.send(desk.fill(Side.BID, 340))
    gauges.on(figures_of(desk))
    assert heard.events == [("quoting_changed", []), ("quoting_changed", ["bid_one_sided"])]


def test_an_effect_nobody_knows_is_our_fault(gauges: Gauges) -> None:
    with pytest.raises(OurFault):
        gauges.on(object())


def test_nothing_is_shown_before_there_is_a_market(desk: Desk) -> None:
    empty = Desk()
    empty.send()
    Gauges(empty.settings, empty.engine).show(Figures(empty.ladder, empty.engine.view, 0))


def test_the_half_spread_is_half_the_gap_or_the_only_sides_distance(desk: Desk) -> None:
    ladder = desk.ladder
    gap = ladder.asks[0].px_u - ladder.bids[0].px_u
    assert half_spread_bps(ladder, float(PX)) == pytest.approx(gap / 2 / PX * 1e4)
    desk.send(desk.fill(Side.BID, 340))
    assert half_spread_bps(desk.ladder, float(PX)) == pytest.approx((desk.ladder.asks[0].px_u - PX) / PX * 1e4)
    assert half_spread_bps(desk.ladder, 0.0) == 0.0
