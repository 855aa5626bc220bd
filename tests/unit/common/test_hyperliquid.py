"""Questions to the venue: every good capture decodes, every bad answer has a name, weight is never overdrawn."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.json import Decoder

import common.hyperliquid as room
from common.bus_types import Bucket
from common.errors import BadInput, LinkDown, Refused, VenueError
from common.fees import Fees
from common.hyperliquid import InfoClient, MarketFacts, asset_id, decode, facts_of, locate
from common.venue_types import AssetMeta, PerpDex, PerpMeta, SpotMeta, StatusRow, Token, UserFees
from common.weights import ALONE, RESERVED, SHARED, WARDEN, LocalBucket, Weights
from tests.support.shared import shared

USER = "0x" + "a" * 40
S = 1_000_000_000
STATUS_ROWS = Decoder(list[StatusRow])


# ---------------------------------------------------------------------- captures
def capture(name: str) -> Any:
    return json.loads(shared(f"fixtures/hyperliquid/{name}").read_text())


def recorded(name: str) -> Any:
    """The reply of a recorded exchange."""
    return capture(name)[0]["response"]


def read(value: Any, decoder: Decoder[Any]) -> Any:
    return decode(json.dumps(value).encode(), decoder)


def a_state() -> dict[str, Any]:
    """The documented clearinghouseState, with one isolated position."""
    for page in capture("official_doc_examples.json")["pages"].values():
        for example in page:
            if isinstance(example, dict) and "crossMaintenanceMarginUsed" in example:
                return copy.deepcopy(example)
    raise AssertionError("the documentation has no clearinghouseState any more")


def test_captures_of_fills_decode() -> None:
    usdh = read(capture("rest_user_fills_hip3_usdh.json"), room.FILLS)
    assert {row.fee_token for row in usdh} >= {"USDH", "USDC"}
    liquidated = next(row for row in usdh if row.liquidation)
    assert (liquidated.coin, liquidated.liquidation.method, liquidated.crossed) == ("flx:CRCL", "market", True)
    assert len(read(capture("rest_user_fills_2026.json"), room.FILLS)) >= 4
    streams = [capture("ws_user_events_fill_liquidation.json"), *capture("ws_user_events_fills.json")]
    rows = [read(message["data"]["fills"], room.FILLS)[0] for message in streams]
    assert all(row.cloid.startswith("0x") for row in rows)


def test_captures_of_orders_decode() -> None:
    orders = read(recorded("rest_open_orders.json"), room.ORDERS)
    assert (orders[0].coin, orders[0].side, orders[0].orig_sz) == ("MATIC", "B", None)
    assert read(recorded("rest_frontend_open_orders.json"), room.ORDERS)[0].orig_sz == "12.5"
    history = read(capture("rest_open_order_duplicate_history.json"), STATUS_ROWS)
    assert [row.status for row in history] == ["canceled", "open"]
    assert read(recorded("rest_historical_orders.json"), STATUS_ROWS)
    assert read(capture("ws_order_updates.json")[0]["data"], STATUS_ROWS)[0].order.cloid is None
    wrapped = {"status": "order", "order": capture("rest_open_order_duplicate_history.json")[0]}
    assert read(wrapped, room.ORDER_STATUS).order.status == "canceled"
    assert read(capture("exchange_errors_ccxt.json")[3], room.ORDER_STATUS).order is None


def test_captures_of_the_account_decode() -> None:
    state = read(a_state(), room.STATE)
    assert state.asset_positions[0].position.szi == "0.0335"
    assert state.asset_positions[0].position.leverage.raw_usd == "-95.059824"
    limit = read(recorded("rest_user_rate_limit.json"), room.RATE_LIMIT)
    assert (limit.n_requests_used, limit.n_requests_cap) == (36_589_831_368, 170_043_731_737)
    assert read(capture("rest_user_fees.json")[0], room.USER_FEES) == UserFees("0.00035", "0.0001", "0.0")
    assert read(recorded("rest_user_funding.json"), room.FUNDING)[0].delta.coin == "APE"


def test_captures_of_markets_decode() -> None:
    metas = [read(one, room.PERP_META) for one in capture("rest_all_perp_metas_km_us500.json")]
    assert metas[1].universe[0] == AssetMeta("km:US500", 3, 20, growth_mode="enabled")
    assert len(read(recorded("rest_meta.json"), room.PERP_META).universe) > 10
    assert read(capture("rest_perp_dexs_and_ctxs.json")[0], room.PERP_DEXS) == [None, PerpDex("xyz")]
    tokens = read(capture("rest_spot_meta_usdh.json"), room.SPOT_META)
    assert {token.name: token.index for token in tokens.tokens}["USDH"] == 360
    facts = facts_of("km:US500", [None, PerpDex("km", "1.0")], metas[1], tokens)
    assert (facts.asset_id, facts.collateral, facts.growth_mode, facts.sz_decimals) == (110_000, "USDH", True, 3)


@pytest.mark.parametrize(
    ("name", "decoder"),
    [
        ("rest_user_fills.json", room.FILLS),  # 2023: no tid, so a fill could not be told from its twin
        ("rest_clearinghouse_state.json", room.STATE),  # 2023: no maintenance margin
    ],
)
def test_captures_of_2023_lack_what_we_need_and_are_refused(name: str, decoder: Decoder[Any]) -> None:
    with pytest.raises(BadInput) as caught:
        read(recorded(name), decoder)
    assert caught.value.reason == "bad_shape"


def broken_states() -> dict[str, Callable[[dict[str, Any]], Any]]:
    return {
        "positions missing": lambda s: s.pop("assetPositions"),
        "summary missing": lambda s: s.pop("marginSummary"),
        "szi empty": lambda s: s["assetPositions"][0]["position"].update(szi=""),
        "szi NaN": lambda s: s["assetPositions"][0]["position"].update(szi="NaN"),
        "szi a number": lambda s: s["assetPositions"][0]["position"].update(szi=1.5),
        "value with a space": lambda s: s["marginSummary"].update(accountValue=" 7"),
        "value with a newline": lambda s: s["marginSummary"].update(accountValue="7\n"),
        "value with an underscore": lambda s: s["marginSummary"].update(accountValue="1_000"),
        "full-width digits": lambda s: s["marginSummary"].update(accountValue="\uff11\uff12"),
        "exponent": lambda s: s["marginSummary"].update(accountValue="1e999"),
        "bool": lambda s: s["marginSummary"].update(accountValue=True),
        "10,000 digits": lambda s: s["marginSummary"].update(accountValue="9" * 10_000),
        "time a string": lambda s: s.update(time="1700000000000"),
        "time negative": lambda s: s.update(time=-1),
        "null": lambda s: s.update(withdrawable=None),
    }


@pytest.mark.parametrize("what", list(broken_states()))
def test_a_malformed_state_is_refused(what: str) -> None:
    state = a_state()
    broken_states()[what](state)
    with pytest.raises(BadInput):
        read(state, room.STATE)


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{}", b"<html>", b'{"a":NaN}', b"\xef\xbb\xbf{}", b"\xff", b"[" * 100_000, b"3"]
)
def test_what_is_no_answer_is_refused(body: bytes) -> None:
    with pytest.raises(BadInput):
        decode(body, room.STATE)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_whatever_do_more_than_raise_bad_input(body: bytes) -> None:
    for decoder in (room.STATE, room.FILLS, room.ORDER_STATUS, room.PERP_DEXS):
        with suppress(BadInput):
            decode(body, decoder)


# ---------------------------------------------------------------------- market facts
DEXS: list[PerpDex | None] = [None, PerpDex("xyz", "0.5"), PerpDex("km", "1.0")]
TOKENS = SpotMeta([Token("USDC", 0), Token("USDH", 360)])


def a_meta(**changes: Any) -> PerpMeta:
    asset = {"name": "km:US500", "sz_decimals": 3, "max_leverage": 20, "growth_mode": "enabled"}
    return PerpMeta([AssetMeta("km:OLD", 2, 10), AssetMeta(**{**asset, **changes})], collateral_token=360)


@given(st.integers(0, 200), st.integers(0, 9_999))
def test_an_asset_id_leads_back_to_its_place(dex_index: int, index: int) -> None:
    assert locate(asset_id(dex_index, index)) == (dex_index, index)


def test_the_first_dex_needs_no_prefix() -> None:
    meta = PerpMeta([AssetMeta("BTC", 5, 40)])
    facts = facts_of("BTC", DEXS, meta, TOKENS)
    assert (facts.asset_id, facts.dex, facts.collateral, facts.deployer_fee_scale) == (0, "", "USDC", "0")
    assert facts.fees(UserFees("0.00045", "0.00015")) == Fees(150_000, 450_000)


def test_a_builder_market_has_its_own_ids_fees_and_collateral() -> None:
    facts = facts_of("km:US500", DEXS, a_meta(), TOKENS, aligned=True)
    assert (facts.asset_id, facts.dex_index, facts.index) == (120_001, 2, 1)
    assert facts.fees(UserFees("0.00045", "0.00015")) == Fees(30_000, 81_000)
    assert facts.spec(5).asset_id == 120_001
    facts.require("USDH")


def test_fees_are_unknown_while_the_dex_does_not_say_its_scale() -> None:
    facts = facts_of("km:US500", [None, PerpDex("xyz"), PerpDex("km")], a_meta(), TOKENS)
    assert facts.fees(UserFees("0.00045", "0.00015")) is None


@pytest.mark.parametrize(
    ("coin", "dexs", "meta", "reason"),
    [
        ("km:US500", [None, PerpDex("xyz")], a_meta(), "no_such_market"),
        ("km:US500", [None, PerpDex("km"), PerpDex("km")], a_meta(), "no_such_market"),
        ("US500", DEXS, a_meta(), "no_such_market"),
        ("KM:us500", DEXS, a_meta(), "no_such_market"),
        ("km:US500", DEXS, PerpMeta([], 360), "no_such_market"),
        ("km:US500", DEXS, PerpMeta([AssetMeta("km:US500", 3, 20)] * 2, 360), "no_such_market"),
        ("km:US500", DEXS, PerpMeta([AssetMeta("km:US500", 3, 20)], 999), "no_such_token"),
        ("km:US500", DEXS, a_meta(growth_mode="perhaps"), "growth_mode"),
    ],
)
def test_an_ambiguous_market_is_refused(coin: str, dexs: list[PerpDex | None], meta: PerpMeta, reason: str) -> None:
    with pytest.raises(BadInput) as caught:
        facts_of(coin, dexs, meta, TOKENS)
    assert caught.value.reason == reason


def test_more_assets_than_ids_have_room_for_cannot_lead_to_another_market() -> None:
    many = PerpMeta([AssetMeta(f"xyz:A{i}", 3, 20) for i in range(10_001)], 360)
    with pytest.raises(BadInput) as caught:
        facts_of("xyz:A10000", DEXS, many, TOKENS)
    assert caught.value.reason == "id_mismatch"


@pytest.mark.parametrize(
    ("changes", "collateral", "word"),
    [({"is_delisted": True}, "USDH", "delisted"), ({}, "USDC", "USDH"), ({"sz_decimals": 7}, "USDH", "decimals")],
)
def test_a_market_that_may_not_be_traded_is_refused(changes: dict[str, Any], collateral: str, word: str) -> None:
    facts: MarketFacts = facts_of("km:US500", DEXS, a_meta(**changes), TOKENS)
    with pytest.raises(Refused, match=word):
        facts.require(collateral)


# ---------------------------------------------------------------------- the client against a real server
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def a_venue(handler: Handler, timeout_s: float = 2.0) -> AsyncIterator[InfoClient]:
    app = web.Application()
    app.router.add_post("/info", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        async with InfoClient(f"http://{host}:{port}/", Weights("executor", Store()), timeout_s) as client:
            yield client
    finally:
        await runner.cleanup()


def answering(answers: dict[str, Any]) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        question = await request.json()
        answer = answers.get(question["type"])
        return (
            web.json_response(answer) if answer is not None else web.Response(status=422, text="Failed to deserialize")
        )

    return handler


def always(**what: Any) -> Handler:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(**what)

    return handler


async def test_discover_asks_for_everything_a_service_needs() -> None:
    answers = {
        "perpDexs": [None, {"name": "km", "deployerFeeScale": "1.0"}],
        "meta": capture("rest_all_perp_metas_km_us500.json")[1],
        "spotMeta": capture("rest_spot_meta_usdh.json"),
        "alignedQuoteTokenInfo": {"isAligned": True},
        "userFees": {"userCrossRate": "0.00045", "userAddRate": "0.00015", "activeReferralDiscount": "0.04"},
    }
    async with a_venue(answering(answers)) as client:
        facts = await client.discover("km:US500")
        assert (facts.asset_id, facts.collateral, facts.aligned) == (110_000, "USDH", True)
        assert facts.fees(await client.user_fees(USER)) == Fees(28_800, 77_760)
    del answers["alignedQuoteTokenInfo"]
    async with a_venue(answering(answers)) as client:
        assert not (await client.discover("km:US500")).aligned, "a venue that does not say so gives no discount"


async def test_the_account_is_read() -> None:
    order = capture("rest_open_order_duplicate_history.json")[0]
    answers = {
        "clearinghouseState": a_state(),
        "frontendOpenOrders": recorded("rest_frontend_open_orders.json"),
        "userFills": capture("rest_user_fills_hip3_usdh.json"),
        "userFillsByTime": capture("rest_user_fills_hip3_usdh.json"),
        "userFunding": recorded("rest_user_funding.json"),
        "userRateLimit": recorded("rest_user_rate_limit.json"),
        "orderStatus": {"status": "order", "order": order},
    }
    async with a_venue(answering(answers)) as client:
        assert (await client.clearinghouse_state(USER, "km")).withdrawable
        assert len(await client.open_orders(USER, "km")) > 0
        assert len(await client.user_fills(USER)) == len(await client.user_fills_by_time(USER, 5))
        assert (await client.user_funding(USER, 0))[0].delta.usdc == "0.145796"
        assert (await client.user_rate_limit(USER)).n_requests_cap > 0
        status = await client.order_status(USER, "0x" + "0" * 32)
        assert status is not None
        assert status.status == "canceled"
        answers["orderStatus"] = {"status": "unknownOid"}
        assert await client.order_status(USER, 5) is None
        for nonsense in ({"status": "order"}, {"status": "perhaps"}):
            answers["orderStatus"] = nonsense
            with pytest.raises(BadInput):
                await client.order_status(USER, 5)


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ({"status": 200, "text": "<html>busy</html>"}, BadInput),
        ({"status": 200, "text": ""}, BadInput),
        ({"status": 200, "text": "null"}, BadInput),
        ({"status": 200, "text": "[]"}, BadInput),
        ({"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}}, BadInput),
        ({"status": 200, "body": b"x", "headers": {"Content-Encoding": "gzip"}}, BadInput),
        ({"status": 400, "text": '"bad"'}, VenueError),
        ({"status": 403, "text": "geo"}, VenueError),
        ({"status": 404}, VenueError),
        ({"status": 422, "text": "Failed to deserialize the JSON body"}, VenueError),
        ({"status": 429, "text": "null"}, VenueError),
        ({"status": 500, "text": "x" * 10_000}, VenueError),
        ({"status": 502, "text": "<html>"}, VenueError),
    ],
)
async def test_every_bad_reply_has_a_name(what: dict[str, Any], error: type[Exception]) -> None:
    async with a_venue(always(**what)) as client:
        with pytest.raises(error) as caught:
            await client.clearinghouse_state(USER)
        assert len(str(caught.value)) < 300


async def test_a_body_beyond_the_cap_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "BODY_BYTES_MAX", 1_000)
    async with a_venue(always(status=200, text="[" + "1," * 2_000)) as client:
        with pytest.raises(BadInput, match="too_big"):
            await client.user_fills(USER)


async def test_silence_is_link_down() -> None:
    released = asyncio.Event()

    async def silent(_: web.Request) -> web.Response:
        await released.wait()
        return web.Response()

    async with a_venue(silent, timeout_s=0.05) as client:
        with pytest.raises(LinkDown):
            await client.user_fills(USER)
        released.set()


async def test_nobody_there_is_link_down() -> None:
    async with InfoClient("http://127.0.0.1:1", Weights("riskd")) as client:
        with pytest.raises(LinkDown):
            await client.meta()
    with pytest.raises(LinkDown):
        await InfoClient("http://127.0.0.1:1", Weights("riskd")).meta()


async def test_a_reply_cut_short_is_link_down() -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"Content-Length": "500"})
        await reply.prepare(request)
        await reply.write(b"[1,")
        assert request.transport is not None
        request.transport.abort()
        return reply

    async with a_venue(cut) as client:
        with pytest.raises(LinkDown):
            await client.user_fills(USER)


# ---------------------------------------------------------------------- weight
class Store:
    """A bus's bucket: says what it is told to, and remembers what was taken."""

    def __init__(self, *answers: float | None) -> None:
        self.answers = list(answers)
        self.taken: list[tuple[str, float, float]] = []

    async def take(self, bucket: Bucket, tokens: float, keep: float = 0.0) -> float | None:
        answer = self.answers.pop(0) if self.answers else 0.0
        if answer == 0.0:
            self.taken.append((bucket.name, tokens, keep))
        return answer


def test_all_services_together_stay_within_the_venues_minute() -> None:
    """Shared bucket and warden, from full, over any 60 s."""
    assert SHARED.capacity + 60 * SHARED.rate_per_s + WARDEN.capacity + 60 * WARDEN.rate_per_s <= 1_200
    assert 6 * (ALONE.capacity + 60 * ALONE.rate_per_s) <= 1_200
    assert RESERVED + WARDEN.capacity + 60 * WARDEN.rate_per_s >= 300


async def test_everyone_but_the_executor_leaves_the_reserve() -> None:
    store = Store()
    await Weights("riskd", store).spend(20, 1.0)
    await Weights("executor", store).spend(20, 1.0)
    assert store.taken == [("ip-weight", 20, RESERVED), ("ip-weight", 20, 0.0)]


async def test_the_warden_never_asks_a_store() -> None:
    store, now = Store(), [0]
    weights = Weights("warden", store, lambda: now[0])
    await weights.spend(WARDEN.capacity, 0.0)
    with pytest.raises(LinkDown):
        await weights.spend(2, 0.0)
    now[0] += 4 * S
    await weights.spend(2, 0.0)
    assert store.taken == []


async def test_a_long_answer_is_paid_for_by_the_next_request() -> None:
    store = Store()
    weights = Weights("executor", store)
    weights.owe(100)
    await weights.spend(20, 1.0)
    await weights.spend(20, 1.0)
    assert [tokens for _, tokens, _ in store.taken] == [120, 20]


async def test_a_debt_beyond_the_bucket_is_paid_in_parts() -> None:
    weights = Weights("executor", None, lambda: 0)
    weights.owe(150)
    await weights.spend(20, 1.0)
    assert weights._debt == pytest.approx(70.0)


async def test_without_a_link_a_service_keeps_to_its_own_share() -> None:
    weights = Weights("feed", Store(*[None] * 10), lambda: 0)
    for _ in range(5):
        await weights.spend(20, 0.0)
    with pytest.raises(LinkDown):
        await weights.spend(20, 0.5)


async def test_waiting_is_bounded_by_patience() -> None:
    store = Store(0.001, 0.001, 0.0)
    await Weights("feed", store).spend(2, 1.0)
    assert len(store.taken) == 1
    with pytest.raises(LinkDown):
        await Weights("feed", Store(5.0)).spend(2, 1.0)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 20)), max_size=60))
def test_a_local_bucket_never_gives_more_than_it_has(requests: list[tuple[int, int]]) -> None:
    bucket, now_s, given_out = LocalBucket(ALONE, 0), 0, 0.0
    for tokens, pause_s in requests:
        now_s += pause_s
        wait_s = bucket.take(tokens, now_s * S)
        assert wait_s >= 0.0
        given_out += tokens if wait_s == 0.0 else 0.0
        assert given_out <= ALONE.capacity + ALONE.rate_per_s * now_s + 1e-6
