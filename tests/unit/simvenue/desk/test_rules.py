"""The venue's grid, minimum, band and words, from the examples of its documents."""

from __future__ import annotations

from decimal import Decimal

import pytest

from simvenue.desk import grid, rules
from simvenue.desk.rules import Parsed
from simvenue.events import OrderSpec
from simvenue.market import MarketDef
from tests.unit.simvenue.tape import STANDX

US500 = MarketDef("km:US500", 150000, 3, 20, "USDH", "km", True, True, 1.0, 0.0000057078, 6000.0)


def a_spec(px: str = "752.41", sz: str = "0.5", *, reduce: bool = False, tif: str = "Alo") -> OrderSpec:
    return OrderSpec(150000, True, px, sz, reduce, tif)


@pytest.mark.parametrize(
    ("px", "sz_decimals", "ok"),
    [
        ("1234.5", 1, True), ("1234.56", 1, False), ("0.001234", 0, True), ("0.0012345", 0, False),
        ("0.01234", 1, True), ("0.012345", 1, False), ("123456", 0, True), ("123456.0", 0, True), ("12345.6", 0, False),
        ("752.41", 3, True), ("752.410", 3, True), ("752.411", 3, False), ("77562", 5, True), ("77562.5", 5, False),
        ("100000", 5, True), ("9999.9", 5, True), ("9999.91", 5, False), ("0.5", 6, False), ("1", 6, True),
    ],
)  # fmt: skip
def test_prices_have_five_significant_figures_or_are_whole(px: str, sz_decimals: int, ok: bool) -> None:
    assert isinstance(rules.parse_px(px, sz_decimals), int) == ok


def test_too_many_figures_and_too_many_decimals_have_different_words() -> None:
    assert rules.parse_px("752.411", 3) == rules.OFF_TICK
    assert rules.parse_px("752.4101", 3) == rules.BAD_PX


@pytest.mark.parametrize(
    "text", ["", " 1", "1 ", "+1", "-1", "1e3", "0x1", "NaN", "Infinity", "1.", ".5", "1,5", "\uff11", "1_0", "9" * 20]
)
def test_texts_that_are_no_plain_number_are_refused(text: str) -> None:
    assert rules.parse_px(text, 3) == rules.BAD_PX
    assert rules.parse_sz(text, 3) == rules.BAD_SZ


def test_sizes_are_whole_lots_above_zero() -> None:
    assert rules.parse_sz("0.014", 3) == 14
    assert rules.parse_sz("0.0140", 3) == 14
    assert rules.parse_sz("0.0145", 3) == rules.BAD_SZ
    assert rules.parse_sz("0", 3) == rules.ZERO_SZ
    assert rules.parse_sz("7", 0) == 7


def test_an_order_below_ten_dollars_is_refused_unless_it_closes() -> None:
    assert rules.parse(a_spec(sz="0.013"), US500) == rules.TOO_SMALL  # 9.78
    assert rules.parse(a_spec(sz="0.014"), US500) == Parsed(752_410, 14)  # 10.53
    assert rules.parse(a_spec(sz="0.013", reduce=True), US500) == Parsed(752_410, 13)
    assert rules.parse(OrderSpec(210000, True, "100000", "0.0001", False, "Ioc"), STANDX) == Parsed(10_000_000, 1)


def test_the_first_fault_of_an_order_is_named() -> None:
    assert rules.parse(a_spec(tif="Fok"), US500) == rules.BAD_TIF
    assert rules.parse(a_spec(px="x", sz="x"), US500) == rules.BAD_SZ
    assert rules.parse(a_spec(px="x"), US500) == rules.BAD_PX


def test_the_band_is_eighty_percent_of_the_reference() -> None:
    assert rules.is_in_band(1_800, 1_000)
    assert not rules.is_in_band(1_801, 1_000)
    assert rules.is_in_band(200, 1_000)
    assert not rules.is_in_band(199, 1_000)
    assert rules.is_in_band(1, 0)


@pytest.mark.parametrize(
    ("px_u", "sz_decimals", "tick"),
    [
        (752_410, 3, 10),
        (99_999, 3, 1),
        (100_000, 3, 10),
        (7_756_200, 5, 10),
        (775_620, 5, 10),
        (9_000_000, 4, 100),
        (10**9, 4, 100),
        (5, 6, 1),
    ],
)
def test_the_tick_grows_with_the_price_up_to_one(px_u: int, sz_decimals: int, tick: int) -> None:
    assert grid.tick_u(px_u, sz_decimals) == tick


def test_numbers_become_the_venues_texts() -> None:
    assert [rules.text_of(u, 3) for u in (752_410, 752_000, 5, 0, 100_000)] == ["752.41", "752", "0.005", "0", "100"]
    assert rules.text_of(-1_500, 3) == "-1.5"
    assert rules.average_text(9_000_100 * 1_000 + 9_000_200 * 500, 1_500, 2) == "90001.33"
    assert rules.average_text(0, 0, 2) == "0"


def test_an_orders_value_is_bounded_by_the_markets_leverage() -> None:
    """Docs: $5M for 20x to 25x, ten times that for a limit order."""
    assert rules.ntl_max_e6(20) == 50_000_000 * 10**6
    assert [rules.ntl_max_e6(n) // 10**13 for n in (40, 25, 24, 19, 9)] == [15, 15, 5, 2, 0]
    assert rules.parse(OrderSpec(150000, True, "500", "100000", False, "Alo"), US500) == Parsed(500_000, 100_000_000)
    assert rules.parse(OrderSpec(150000, True, "500", "100000.002", False, "Alo"), US500) == rules.TOO_LARGE


def test_on_tick_reads_decimals_not_floats() -> None:
    assert grid.is_on_tick(Decimal("752.40"))
    assert not grid.is_on_tick(Decimal("752.401"))
