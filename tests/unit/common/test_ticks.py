"""The venue's grid in integers: exact text, five significant figures, rounding only towards a legal price."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from common.errors import BadInput
from common.ticks import (
    ceil_px,
    floor_px,
    is_legal_px,
    px_decimals,
    tick_u,
    to_text,
    to_units,
    to_units_nearest,
)

sz_decimals = st.integers(0, 6)
px = st.integers(1, 10**13)


def legal_by_the_book(px_u: int, decimals: int) -> bool:
    """The venue's rule in decimal text: whole, or at most 5 significant figures (and the grid's decimals)."""
    value = Decimal(px_u).scaleb(-px_decimals(decimals)).normalize()
    digits = value.as_tuple().digits
    return value == value.to_integral_value() or len(digits) <= 5


@given(px, sz_decimals)
def test_legal_price_is_what_the_docs_say(px_u: int, decimals: int) -> None:
    assert is_legal_px(px_u, decimals) == legal_by_the_book(px_u, decimals)


@given(px, sz_decimals)
def test_floor_and_ceil_are_legal_and_next_to_the_price(px_u: int, decimals: int) -> None:
    low, high = floor_px(px_u, decimals), ceil_px(px_u, decimals)
    assert low <= px_u <= high
    assert low == 0 or is_legal_px(low, decimals)
    assert is_legal_px(high, decimals)
    assert high - low in (0, tick_u(px_u, decimals))
    if is_legal_px(px_u, decimals):
        assert low == px_u == high


@given(st.integers(1 - 10**12, 10**12 - 1), st.integers(0, 8))
def test_text_and_units_are_each_others_inverse(units: int, decimals: int) -> None:
    text = to_text(units, decimals)
    assert to_units(text, decimals) == units
    assert Decimal(text) == Decimal(units).scaleb(-decimals)
    assert text != "-0"
    assert not ("." in text and text.endswith(("0", ".")))


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=0, max_value=10**9, places=6), st.integers(0, 6))
def test_finer_price_is_rounded_half_up(value: Decimal, decimals: int) -> None:
    exact = value.scaleb(decimals)
    found = to_units_nearest(f"{value:f}", decimals)
    assert abs(Decimal(found) - exact) <= Decimal("0.5")


@given(st.text(max_size=20))
def test_any_text_is_a_decimal_or_refused(text: str) -> None:
    try:
        units = to_units(text, 3)
    except BadInput as bad:
        assume(bad.reason in ("not_decimal", "off_grid"))
        return
    assert to_units(to_text(units, 3), 3) == units


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        ".5",
        "5.",
        "1_000",
        "\uff11\uff12",
        " 7 ",
        "0x10",
        "1e5",
        "NaN",
        "Infinity",
        "+1",
        "--1",
        "1.2.3",
        "9" * 13,
        "1\n",
        "1 ",
    ],
)
def test_what_only_python_would_take_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="not_decimal"):
        to_units(text, 3)
    with pytest.raises(BadInput, match="not_decimal"):
        to_units_nearest(text, 3)


@pytest.mark.parametrize("value", [None, 1, 1.0, True, b"1"])
def test_number_that_is_no_text_is_refused(value: object) -> None:
    with pytest.raises(BadInput, match="not_decimal"):
        to_units(value, 3)  # type: ignore[arg-type]


def test_price_finer_than_the_grid_is_refused_unless_the_rest_is_zeros() -> None:
    assert to_units("752.4100", 3) == 752_410
    with pytest.raises(BadInput, match="off_grid"):
        to_units("752.4101", 3)


def test_whole_prices_are_legal_however_many_figures() -> None:
    assert is_legal_px(1_234_567, 6)
    assert is_legal_px(1_234_567_0, 5)
    assert not is_legal_px(1_234_567_5, 5)
    assert not is_legal_px(0, 3)
