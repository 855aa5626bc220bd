"""Every capture of the real venue, held against what this one says in the same place, by shape.

A shape is field names, types and the form of texts (`tests/support/shapes.py`). What the venue has dropped or added
since a capture was taken is named field by field; a capture that nothing here produces is named with the reason, or
with the test that shows it is accepted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from simvenue.desk import refusals
from tests.integration.captured_session import AGENT, CLOID, COIN, GAMBLER, Session
from tests.support.shapes import complaints, learn
from tests.support.shared import ROOT, shared
from tests.unit.simvenue.small_market import MS, T0, USER

FOLDER = "fixtures/hyperliquid"
BEGIN_MS = T0 // MS


@pytest.fixture(scope="module")
def lived() -> Session:
    return Session().run()


def capture(name: str) -> Any:
    return json.loads(shared(f"{FOLDER}/{name}.json").read_text())


@dataclass(frozen=True)
class Case:
    """One capture, or a part of it: `theirs` picks the samples, `ours` says the same here."""

    name: str
    theirs: Callable[[Any], Sequence[Any]]
    ours: Callable[[Session], Any]
    theirs_only: tuple[str, ...] = ()  # dropped by the venue since
    ours_only: tuple[str, ...] = ()  # added by the venue since
    maps: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name


def body(found: Any) -> Sequence[Any]:
    """The one reply of a recorded cassette."""
    return [found[-1]["response"]]


def all_of(found: Any) -> Sequence[Any]:
    return list(found)


def whole(found: Any) -> Sequence[Any]:
    return [found]


def first(found: Any) -> Sequence[Any]:
    return [found[0]]


def reply(word: str, number: int = 0) -> Callable[[Session], Any]:
    """The n-th of our /exchange replies that says `word`."""
    return lambda s: [r for r in s.replies if word in json.dumps(r)][number]


def asked(kind: str, **fields: Any) -> Callable[[Session], Any]:
    return lambda s: s.info(kind, **fields)


def said(channel: str, pick: Callable[[Any], bool] = lambda _: True, who: str = USER) -> Callable[[Session], Any]:
    """The newest message of a channel."""
    return lambda s: next(m for m in reversed(s.heard(channel, who)) if pick(m["data"]))


def acknowledged(kind: str) -> Callable[[Session], Any]:
    """The acknowledgement of a plain subscription."""

    def is_plain(data: Any) -> bool:
        return data["subscription"]["type"] == kind and "fast" not in data["subscription"]

    return said("subscriptionResponse", is_plain)


def without(value: Any, name: str) -> Any:
    """The value with a field left out wherever it stands."""
    if isinstance(value, dict):
        return {k: without(v, name) for k, v in value.items() if k != name}
    return [without(v, name) for v in value] if isinstance(value, list) else value


def as_numbers(value: Any, names: Sequence[str]) -> Any:
    """ccxt keeps some whole numbers as texts; on the wire they are numbers."""
    if isinstance(value, dict):
        return {k: int(v) if k in names and isinstance(v, str) else as_numbers(v, names) for k, v in value.items()}
    return [as_numbers(v, names) for v in value] if isinstance(value, list) else value


RESTING = '"resting"'
TEXTS = ("oid", "tid", "time", "timestamp", "statusTimestamp", "value", "maxLeverage")
ADDED_TO_ORDERS = ("cloid",)
ADDED_TO_FILLS = ("tid", "feeToken", "twapId", "cloid")
ADDED_TO_META = ("marginTables", "collateralToken", "marginTableId")
#: `liquidationMarkPx` became the object `liquidation` in 2024.
OLD_FILL = {"theirs_only": ("liquidationMarkPx",), "ours_only": ("feeToken", "twapId", "liquidation", "cloid")}

CASES = (
    # ------------------------------------------------------------------ market
    Case("rest_all_mids", body, asked("allMids"), maps=("",)),
    Case("rest_meta", body, asked("meta"), ours_only=ADDED_TO_META),
    Case("rest_all_perp_metas_km_us500", whole, asked("allPerpMetas"), ours_only=("marginTableId", "isDelisted")),
    Case(
        "rest_perp_dexs_and_ctxs", lambda c: [c[0][1]], lambda s: s.info("perpDexs")[5],
        ours_only=("subDeployers", "deployerFeeScale", "lastDeployerFeeScaleChangeTime", "assetToFundingMultiplier",
                   "assetToFundingInterestRate"),
    ),
    Case(
        "rest_perp_dexs_and_ctxs", lambda c: [c[2]], asked("metaAndAssetCtxs"),
        theirs_only=("onlyIsolated",), ours_only=(*ADDED_TO_META, "dayBaseVlm"),
    ),
    Case(
        "rest_spot_meta_usdh", lambda c: [without(c, "tokenId")],  # a placeholder there
        lambda s: without(s.info("spotMeta"), "tokenId"),
        ours_only=("evmContract", "fullName", "deployerTradingFeeShare"),
    ),
    Case("rest_l2book", body, lambda s: {**s.info("l2Book", coin=COIN)}, ours_only=("time",)),
    Case("rest_l2book_btc_2025", whole, asked("l2Book", coin="BTC"), ours_only=("n",)),
    Case(
        "rest_candle_snapshot", body,
        asked("candleSnapshot", req={"coin": COIN, "interval": "1m", "startTime": 0, "endTime": BEGIN_MS + 10**9}),
    ),
    Case("rest_funding_history", body, asked("fundingHistory", coin="BTC", startTime=0)),
    Case("rest_funding_history_2026", whole, asked("fundingHistory", coin="BTC", startTime=0)),
    # ------------------------------------------------------------------ account
    Case(
        "rest_clearinghouse_state", body, asked("clearinghouseState", user=GAMBLER, dex="km"),
        theirs_only=("maxTradeSzs",), ours_only=("cumFunding", "maxLeverage", "crossMaintenanceMarginUsed", "time"),
    ),
    Case(
        "rest_clearinghouse_state_isolated", lambda c: as_numbers(c, TEXTS), asked("clearinghouseState", user=USER)
    ),
    Case(
        "rest_clearinghouse_state_negative_raw_usd", whole, asked("clearinghouseState", user=USER, dex="km"),
        ours_only=("marginSummary", "crossMaintenanceMarginUsed"),
    ),
    Case("rest_spot_clearinghouse_state", whole, asked("spotClearinghouseState", user=USER)),
    Case(
        "rest_user_fees", first, asked("userFees", user=USER),
        ours_only=("spotCross", "spotAdd", "stakingDiscountTiers", "userSpotCrossRate", "userSpotAddRate", "trial",
                   "feeTrialReward", "nextTrialAvailableTimestamp", "stakingLink", "activeStakingDiscount"),
    ),
    Case("rest_user_rate_limit", body, asked("userRateLimit", user=USER), ours_only=("nRequestsSurplus",)),
    Case("rest_user_role", body, asked("userRole", user=USER)),
    Case("rest_user_role", body, asked("userRole", user=AGENT), ours_only=("data",)),
    Case("rest_extra_agents", body, asked("extraAgents", user=USER)),
    Case("rest_user_funding", body, asked("userFunding", user=USER, startTime=0)),
    Case(
        "rest_user_non_funding_ledger", lambda c: [r for r in body(c)[0] if r["delta"]["type"] == "deposit"],
        lambda s: s.info("userNonFundingLedgerUpdates", user=USER, startTime=0)[0],
    ),
    # ------------------------------------------------------------------ orders
    Case("rest_open_orders", body, asked("openOrders", user=USER), ours_only=("origSz", "cloid")),
    Case(
        "rest_frontend_open_orders", lambda c: [[c[0]["response"][2]]], asked("frontendOpenOrders", user=USER),
        ours_only=ADDED_TO_ORDERS,
    ),
    Case("rest_historical_orders", body, asked("historicalOrders", user=USER)),
    Case("rest_open_order_duplicate_history", whole, asked("historicalOrders", user=USER)),
    Case(
        "rest_order_status", lambda c: [as_numbers(c[0], TEXTS)], asked("orderStatus", user=USER, oid=CLOID)
    ),
    Case("rest_order_status", lambda c: [c[2]], lambda s: s.info("openOrders", user=USER)[0]),
    Case("rest_order_status", lambda c: [c[1]], lambda s: statuses(reply("margin")(s))[0]),
    Case("rest_order_status", lambda c: [c[5]], lambda s: statuses(reply(RESTING)(s))[0], ours_only=("cloid",)),
    Case(
        "rest_order_status", lambda c: [as_numbers(c[3], TEXTS)],
        lambda s: s.info("userFills", user=USER)[0], **OLD_FILL,
    ),
    # ------------------------------------------------------------------ fills
    Case(
        "rest_user_fills", body, asked("userFills", user=GAMBLER),
        theirs_only=("liquidationMarkPx",), ours_only=(*ADDED_TO_FILLS, "liquidation"),
    ),
    Case(
        "rest_user_fills_by_time", body, asked("userFillsByTime", user=USER, startTime=0),
        theirs_only=("liquidationMarkPx",), ours_only=(*ADDED_TO_FILLS, "liquidation"),
    ),
    Case("rest_user_fills_2026", whole, asked("userFills", user=USER), ours_only=ADDED_TO_ORDERS),
    Case("rest_user_fills_hip3_usdh", whole, asked("userFills", user=GAMBLER), theirs_only=("builderFee",)),
    # ------------------------------------------------------------------ socket
    Case("ws_subscription_response", first, acknowledged("l2Book")),
    Case("ws_subscription_response", lambda c: [c[1]], acknowledged("trades")),
    Case("ws_l2book", whole, lambda s: [said("l2Book", lambda d: "fast" not in d)(s)]),
    Case("ws_l2book", first, said("l2Book", lambda d: "fast" in d), ours_only=("fast",)),
    Case("ws_trades", first, said("trades"), ours_only=("users",)),
    Case("ws_candle", first, said("candle")),
    Case("ws_all_mids", whole, said("allMids", lambda d: "dex" not in d), maps=("/data/mids",)),
    Case("ws_all_mids_hip3_flx", first, said("allMids", lambda d: "dex" in d), maps=("/data/mids",)),
    Case("ws_active_asset_ctx_derived", all_of, said("activeAssetCtx")),
    Case("ws_all_dexs_asset_ctxs_full", whole, said("allDexsAssetCtxs")),
    Case("ws_order_updates", first, said("orderUpdates"), ours_only=ADDED_TO_ORDERS),
    Case("ws_user_events_fills", all_of, said("user", lambda d: "fills" in d), theirs_only=("cloid",)),
    Case(
        "ws_user_events_fill_liquidation", whole, said("user", lambda d: "liquidation" in str(d.get("fills")), GAMBLER),
        theirs_only=("cloid",),
    ),
    Case("ws_user_fills_snapshot", first, lambda s: s.heard("userFills")[0], **OLD_FILL),
    Case("ws_errors", first, lambda s: posted(reply("margin")(s))),
    Case("ws_errors", lambda c: [c[1]], lambda s: s.complaint()),
    # ------------------------------------------------------------------ actions
    Case("exchange_order_resting", first, reply(RESTING), ours_only=("cloid",)),
    Case("exchange_batch_modify_ok", first, reply(RESTING, 1), ours_only=("cloid",)),
    Case("exchange_batch_modify_ok", lambda c: [c[1]], reply('"filled"')),
    Case("exchange_cancel_ok", first, reply("success")),
    Case("exchange_errors_ccxt", lambda c: c[1:3], reply("margin")),
    Case("exchange_errors_ccxt", lambda c: [c[3]], asked("orderStatus", user=USER, oid=1)),
)  # fmt: skip

#: Captures that are shown elsewhere, or that nothing here says, each with where or why.
ELSEWHERE = {
    "error_strings": "test_error_texts_are_the_venues below",
    "official_doc_examples": "test_documented_example_has_our_shape below",
    "signature_vectors": "tests/unit/simvenue/door/test_signature.py signs and recovers every vector",
    "node_schema_examples": "an empty list",
    "exchange_order_tpsl_waiting": "trigger orders do not exist here: refused with 422",
}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_capture_has_our_shape(lived: Session, case: Case) -> None:
    shape = learn(case.theirs(capture(case.name)), case.maps)
    ours = case.ours(lived)
    if isinstance(ours, list) and shape.kinds == {"dict"}:
        assert ours, "nothing to compare"
    for one in ours if isinstance(ours, list) and shape.kinds == {"dict"} else [ours]:
        assert complaints(shape, one, ours_only=case.ours_only, theirs_only=case.theirs_only) == []


def test_every_capture_is_held() -> None:
    shared(FOLDER)
    files = {path.stem for path in shared(FOLDER).glob("*.json")}
    assert files == {case.name for case in CASES} | set(ELSEWHERE)


# ---------------------------------------------------------------------- the documentation's own examples
PAGES = "/for-developers/api/"
DOCUMENTED = (
    ("info-endpoint", 0, asked("allMids"), ("",), (), ()),
    ("info-endpoint", 1, asked("openOrders", user=USER), (), ("origSz", "cloid"), ()),
    ("info-endpoint", 2, asked("frontendOpenOrders", user=USER), (), ("tif", "cloid", "children"), ()),
    ("info-endpoint", 3, asked("userFills", user=USER), (), ("twapId", "cloid"), ("builderFee",)),
    ("info-endpoint", 4, asked("userFillsByTime", user=USER, startTime=0), (), ("twapId", "cloid"), ("builderFee",)),
    ("info-endpoint", 5, asked("userRateLimit", user=USER), (), (), ()),
    ("info-endpoint", 6, asked("orderStatus", user=USER, oid=CLOID), (), (), ()),
    ("info-endpoint", 7, asked("orderStatus", user=USER, oid=1), (), (), ()),
    ("info-endpoint", 8, asked("l2Book", coin="BTC"), (), (), ()),
    ("info-endpoint", 9, asked("candleSnapshot", req={"coin": COIN, "interval": "1m", "startTime": 0}), (), (), ()),
    ("info-endpoint", 14, asked("userRole", user=USER), (), (), ()),
    ("info-endpoint", 18, asked("userRole", user="0x" + "d" * 40), (), (), ()),
    ("info-endpoint", 21, asked("userFees", user=USER), (), (), ()),
    ("info-endpoint", 27, asked("alignedQuoteTokenInfo", token=360), (), (), ()),
    ("info-endpoint/perpetuals", 3, asked("clearinghouseState", user=USER), (), (), ()),
    ("info-endpoint/perpetuals", 4, asked("userFunding", user=USER, startTime=0), (), ("nSamples",), ()),
    ("info-endpoint/perpetuals", 5, asked("fundingHistory", coin="BTC", startTime=0), (), (), ()),
    ("info-endpoint/perpetuals", 7, asked("perpsAtOpenInterestCap"), (), (), ()),
    ("info-endpoint/perpetuals", 9, asked("activeAssetData", user=GAMBLER, coin=COIN), (), (), ()),
    ("info-endpoint/perpetuals", 10, asked("perpDexLimits", dex="km"), (), (), ()),
    ("info-endpoint/spot", 0, asked("spotClearinghouseState", user=USER), (), (), ()),
    ("exchange-endpoint", 0, reply(RESTING), (), ("cloid",), ()),
    ("exchange-endpoint", 1, reply("margin"), (), (), ()),
    ("exchange-endpoint", 2, reply('"filled"'), (), (), ()),
    ("exchange-endpoint", 3, reply("success"), (), (), ()),
    ("exchange-endpoint", 5, reply("default"), (), (), ()),
)  # fmt: skip


@pytest.mark.parametrize("example", DOCUMENTED, ids=lambda e: f"{e[0]}-{e[1]}")
def test_documented_example_has_our_shape(lived: Session, example: Any) -> None:
    page, place, ours, maps, ours_only, theirs_only = example
    theirs = capture("official_doc_examples")["pages"][PAGES + page][place]
    assert complaints(learn([theirs], maps), ours(lived), ours_only=ours_only, theirs_only=theirs_only) == []


# ---------------------------------------------------------------------- error texts
#: Kinds of orders and limits that do not exist here, so that nothing can be refused with their text.
NO_OCCASION = {
    "MinTradeSpotNtl": "no spot is traded",
    "InsufficientSpotBalance": "no spot is traded",
    "Oracle": "its band is not published; the band of 80 % refuses before it",
    "BadTriggerPx": "no trigger orders",
    "MarketOrderNoLiquidity": "no market orders on the wire (clients send Ioc)",
    "TooAggressiveAtOpenInterestCap": "how aggressive is too aggressive is not published",
    "OpenInterestIncrease": "how quickly is too quickly is not published",
}


def test_error_texts_are_the_venues() -> None:
    """The fixed part of every text the venue was seen to use stands in our source, word by word."""
    source = "".join(path.read_text() for path in (ROOT / "simvenue").rglob("*.py"))
    missing = [
        row["type"]
        for row in capture("error_strings")
        if row["type"] not in NO_OCCASION and _fixed_part(row["text"]) not in source
    ]
    assert missing == []
    assert refusals.UNREADABLE


def _fixed_part(text: str) -> str:
    """Up to the first number, address or placeholder, without what ends a sentence."""
    for mark in (" (37986", "{", " 0x", " $1000000", " $10", "95%", "80%"):
        text = text.split(mark, maxsplit=1)[0]
    return text.rstrip(" .:")


def statuses(answer: Any) -> list[Any]:
    return list(answer["response"]["data"]["statuses"])


def posted(answer: Any) -> Any:
    return {"channel": "post", "data": {"id": 1, "response": {"type": "action", "payload": answer}}}
