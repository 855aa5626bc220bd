"""A server's answers in all their shapes; any other shape is a broken link, never a broken reader."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import replies
from common.errors import LinkDown

ROW = [b"5-1", [b"v1", b"x"]]
ENTRY = ((5, 1), [b"v1", b"x"])
READERS = (
    replies.entries, replies.streams, replies.pending, replies.deliveries, replies.groups, replies.facts,
    replies.entry_id,
)  # fmt: skip


@pytest.mark.parametrize("reply", [[[b"k", [ROW]]], {b"k": [ROW]}, {b"k": [[b"5-1", {b"v1": b"x"}]]}])
def test_list_and_map_are_the_same_streams(reply: Any) -> None:
    assert replies.streams(reply) == [("k", [ENTRY])]


@pytest.mark.parametrize("reply", [None, [], {}])
def test_nothing_is_no_streams(reply: Any) -> None:
    assert replies.streams(reply) == []


def test_trimmed_body_is_none() -> None:
    assert replies.entries([[b"5-1", None], ROW]) == [((5, 1), None), ENTRY]


def test_pending_says_how_many_and_since_when() -> None:
    assert replies.pending([0, None, None, None]) == (0, (0, 0))
    assert replies.pending([2, b"5-1", b"6-0", [[b"riskd", b"2"]]]) == (2, (5, 1))
    assert replies.deliveries([[b"5-1", b"riskd", 17, 3]]) == [((5, 1), 3)]


@pytest.mark.parametrize("row", [[b"name", b"riskd", b"lag", 4], {b"name": b"riskd", b"lag": 4}])
def test_group_facts_come_by_name(row: Any) -> None:
    assert replies.groups([row]) == {"riskd": {"name": b"riskd", "lag": 4}}


_anything = st.recursive(
    st.none() | st.integers() | st.binary(max_size=6) | st.text(max_size=4) | st.just(b"5-1"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.binary(max_size=3), inner, max_size=2),
    max_leaves=12,
)


@pytest.mark.parametrize("read", READERS, ids=lambda f: f.__name__)
@given(reply=_anything)
def test_any_other_shape_is_a_broken_link(read: Callable[[Any], Any], reply: Any) -> None:
    try:
        read(reply)
    except LinkDown:
        return
