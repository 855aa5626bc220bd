"""The comparison by shape that conformance rests on: what it must notice."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.shapes import complaints, learn


def differences(theirs: Any, ours: Any, **more: Any) -> list[str]:
    return complaints(learn([theirs]), ours, **more)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ({"px": "1.5"}, {"px": "77562.0"}),
        ({"sz": "2000"}, {"sz": "0.5"}),
        ({"cloid": None}, {"cloid": "0x" + "a" * 32}),
        ([["BTC", {"n": 1}]], [["ETH", {"n": 2}]]),
        ({"rows": []}, {"rows": [{"any": 1}]}),
        ({"time": 1780000000000}, {"time": 1690000000000}),
    ],
)
def test_same_shape_with_other_values_is_accepted(theirs: Any, ours: Any) -> None:
    assert differences(theirs, ours) == []


@pytest.mark.parametrize(
    ("theirs", "ours", "complaint"),
    [
        ({"px": "1.5"}, {"px": 1.5}, "/px: float, not decimal"),
        ({"px": "1.5"}, {"px": "1"}, "/px: whole, not decimal"),
        ({"n": 1}, {"n": True}, "/n: bool, not int"),
        ({"a": 1}, {"a": 1, "b": 2}, "/b: ours only"),
        ({"a": 1, "b": 2}, {"a": 1}, "/b: missing"),
        ({"hash": "0x" + "a" * 64}, {"hash": "0xaa"}, "/hash: hex4, not hex66"),
        ({"time": 1780000000000}, {"time": 1780000000}, "/time: int, not ms"),
        ([{"a": 1}], [{"a": 1}, {"a": "x"}], "/-/a: words, not int"),
        ([["BTC", {"n": 1}]], [["BTC", 5]], "/-/1: int, not dict"),
        ({"a": 1}, [], "/: list, not dict"),
    ],
)
def test_difference_is_named_by_its_place(theirs: Any, ours: Any, complaint: str) -> None:
    assert differences(theirs, ours) == [complaint]


def test_field_that_only_some_samples_have_is_optional() -> None:
    shape = learn([{"a": 1, "b": 2}, {"a": 1}])
    assert complaints(shape, {"a": 3}) == []
    assert complaints(shape, {"b": 3}) == ["/a: missing"]


def test_named_fields_may_be_on_one_side_alone() -> None:
    assert differences({"old": 1, "a": {"old": 2}}, {"new": 1, "a": {}}, ours_only=["new"], theirs_only=["old"]) == []


def test_object_keyed_by_data_has_one_shape_for_all_values() -> None:
    shape = learn([{"mids": {"BTC": "1.5", "ETH": "2.5"}}], maps=["/mids"])
    assert complaints(shape, {"mids": {"km:US500": "752.44"}}) == []
    assert complaints(shape, {"mids": {"km:US500": 752.44}}) == ["/mids/*: float, not decimal"]
