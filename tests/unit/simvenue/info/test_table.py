"""The door of the reads: what a request weighs, and what is refused by which name."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import BadInput
from tests.unit.simvenue.info_desk import Desk
from tests.unit.simvenue.small_market import T0, USER


@pytest.fixture(scope="module")
def desk() -> Desk:
    return Desk()


# ---------------------------------------------------------------------- weights and refusals
@pytest.mark.parametrize(
    ("kind", "fields", "weight"),
    [("l2Book", {"coin": "BTC"}, 2), ("meta", {}, 20), ("userRole", {"user": USER}, 60),
     ("clearinghouseState", {"user": USER}, 2)],
)  # fmt: skip
def test_weights_are_the_venues(desk: Desk, kind: str, fields: dict[str, str], weight: int) -> None:
    assert desk.weight(kind, **fields) == weight


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({"type": "webData3", "user": USER}, "type_unknown"),
        ({"type": "candleSnapshot"}, "shape"),
        ({"type": "candleSnapshot", "req": {"coin": "BTC", "interval": "7m", "startTime": 0}}, "shape"),
        ({"type": "candleSnapshot", "req": {"coin": "ETH", "interval": "1m", "startTime": 0}}, "coin_unknown"),
        ({"type": "perpDexLimits"}, "dex_unknown"),
        ({"type": "orderStatus", "user": USER}, "shape"),
        ({"type": "userFills"}, "shape"),
        ({"type": "userFills", "user": "0x12"}, "shape"),
        ({"type": "userFills", "user": USER + "\n"}, "shape"),
        ({"type": "meta", "dex": "nope"}, "dex_unknown"),
        ({"type": "orderStatus", "user": USER, "oid": -1}, "shape"),
        ({"type": "l2Book", "coin": "BTC", "nSigFigs": 1}, "grid_unknown"),
        ({"type": "l2Book", "coin": "BTC", "nSigFigs": 6}, "grid_unknown"),
        ({"type": "l2Book", "coin": "BTC", "nSigFigs": 4, "mantissa": 2}, "grid_unknown"),
        ({"type": "l2Book", "coin": "BTC", "nSigFigs": 5, "mantissa": 3}, "grid_unknown"),
        ({"type": "l2Book", "coin": "BTC", "mantissa": 5}, "grid_unknown"),
        ({"type": "activeAssetData", "user": USER, "coin": "ETH"}, "coin_unknown"),
        ({"user": USER}, "shape"),
        ([], "shape"),
    ],
)
def test_what_the_venue_would_not_read_is_refused_by_name(desk: Desk, query: Any, reason: str) -> None:
    with pytest.raises(BadInput) as caught:
        desk.info.answer(json.dumps(query).encode(), T0)
    assert caught.value.reason == reason


_VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=50) | st.sampled_from([USER, "BTC", "km:US500"])
_KINDS = st.sampled_from(
    ["meta", "l2Book", "orderStatus", "userFills", "userFillsByTime", "userFunding", "fundingHistory", "recentTrades",
     "activeAssetData", "clearinghouseState", "alignedQuoteTokenInfo", "allMids", "userRole"]
)  # fmt: skip


@given(_KINDS, st.dictionaries(st.sampled_from(["user", "coin", "dex", "oid", "startTime", "token"]), _VALUES))
def test_any_query_is_answered_or_refused(desk: Desk, kind: str, fields: dict[str, Any]) -> None:
    try:
        answer = desk.info.answer(json.dumps({"type": kind, **fields}).encode(), T0)
    except BadInput:
        return
    assert answer.weight >= 2
    msgspec.json.encode(answer.body)


@given(st.binary(max_size=100))
def test_any_bytes_are_refused(desk: Desk, body: bytes) -> None:
    with pytest.raises(BadInput):
        desk.info.answer(body, T0)
