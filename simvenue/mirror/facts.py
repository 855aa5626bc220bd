"""What is asked of the mirrored venue before its socket is opened: the markets' facts, and how fast its time runs.

Public questions over `/info` and, at a simulated venue, `/sim/clock`; no key. Answers are typed or refused by name
(`common/hyperliquid.py`). Raises LinkDown when there is no answer, BadInput when it is none, Refused for a market that
is not traded any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aiohttp
import msgspec
from msgspec.json import Decoder

from common.errors import BadInput, LinkDown, Refused
from common.hyperliquid import ALIGNED, PERP_DEXS, PERP_META, SPOT_META, MarketFacts, decode, facts_of
from common.simclock import read_clock
from common.venue_types import Dec, Name
from simvenue.market import FIRST_DEX_TABLES, MARGIN_TABLES, MarketDef

ANSWER_BYTES_MAX = 8 << 20
ASK_S = 5.0
HOURS_OF_RATE = 8  # interest is told by 8 hours
FIRST_DEX_INTEREST_1H = 0.0000125
IMPACT_USD = {"BTC": 20_000.0, "ETH": 20_000.0}
IMPACT_USD_OTHER = 6_000.0
"""Notional of the impact prices (docs: 20k BTC and ETH, 6k others)."""


class _Dex(msgspec.Struct, rename="camel"):
    asset_to_funding_interest_rate: list[tuple[Name, Dec]] = []


_INTEREST = Decoder(list[_Dex | None])


async def markets(url: str, coins: Sequence[str]) -> list[MarketDef]:
    """Each coin as the venue describes it."""
    async with _client() as session:
        body = await _fetch(session, url, {"type": "perpDexs"})
        dexs = decode(body, PERP_DEXS)
        tokens = decode(await _fetch(session, url, {"type": "spotMeta"}), SPOT_META)
        metas = {
            dex: decode(await _fetch(session, url, {"type": "meta", "dex": dex}), PERP_META)
            for dex in dict.fromkeys(map(_dex, coins))
        }
        aligned = {
            meta.collateral_token: await _is_aligned(session, url, meta.collateral_token)
            for meta in metas.values()
            if meta.collateral_token
        }
    interest = dict(row for dex in decode(body, _INTEREST) if dex for row in dex.asset_to_funding_interest_rate)
    found = []
    for coin in coins:
        meta = metas[_dex(coin)]
        one = facts_of(coin, dexs, meta, tokens, aligned=aligned.get(meta.collateral_token or 0, False))
        if one.is_delisted:
            raise Refused(f"{coin} is delisted at {url}: mirror another market")
        found.append(_market(one, float(interest.get(coin, "0"))))
    return found


async def delisted(url: str, coins: Sequence[str]) -> list[str]:
    """Those of the coins that are not traded any more."""
    async with _client() as session:
        metas = [
            decode(await _fetch(session, url, {"type": "meta", "dex": dex}), PERP_META)
            for dex in dict.fromkeys(map(_dex, coins))
        ]
    gone = {one.name for meta in metas for one in meta.universe if one.is_delisted}
    return [coin for coin in coins if coin in gone]


async def clock(url: str) -> tuple[float, int]:
    """(rate, session offset) of a simulated venue; the real one has no such path: (1.0, 0)."""
    async with _client() as session:
        try:
            reading, _, _ = await read_clock(session, url)
        except BadInput:
            return 1.0, 0
    return reading.rate, reading.session_offset_ns


def _market(one: MarketFacts, interest_8h: float) -> MarketDef:
    return MarketDef(
        coin=one.coin,
        asset_id=one.asset_id,
        sz_decimals=one.sz_decimals,
        max_leverage=one.max_leverage,
        collateral=one.collateral,
        dex=one.dex,
        growth_mode=one.growth_mode,
        aligned=one.aligned,
        deployer_fee_scale=float(one.deployer_fee_scale or "1"),
        interest_rate_1h=interest_8h / HOURS_OF_RATE if interest_8h else FIRST_DEX_INTEREST_1H,
        impact_notional_usd=IMPACT_USD.get(one.coin, IMPACT_USD_OTHER),
        dex_index=one.dex_index,
        asset_index=one.index,
        margin_table_id=_table_of(one),
        margin_mode=one.margin_mode,
    )


def _table_of(one: MarketFacts) -> int:
    """The first dex's tiered table where the venue's highest leverage is that of its first tier."""
    table = FIRST_DEX_TABLES.get(one.coin, 0)
    return table if table and MARGIN_TABLES[table][0][1] == one.max_leverage else 0


def _dex(coin: str) -> str:
    return coin.partition(":")[0] if ":" in coin else ""


def _client() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ASK_S), trust_env=False)


async def _is_aligned(session: aiohttp.ClientSession, url: str, token: int) -> bool:
    """A venue that does not say so has none (dearer, so safe)."""
    try:
        return decode(await _fetch(session, url, {"type": "alignedQuoteTokenInfo", "token": token}), ALIGNED).is_aligned
    except BadInput:
        return False


async def _fetch(session: aiohttp.ClientSession, url: str, question: dict[str, Any]) -> bytes:
    try:
        async with session.post(f"{url}/info", json=question, allow_redirects=False) as reply:
            answer = bytearray()
            async for chunk in reply.content.iter_chunked(1 << 16):
                answer += chunk
                if len(answer) > ANSWER_BYTES_MAX:
                    raise BadInput("info_size", str(question["type"]))
            if reply.status != 200:
                raise BadInput("info_status", f"{question['type']}: HTTP {reply.status}")
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise LinkDown(f"{url}/info: {type(error).__name__}") from None
    return bytes(answer)
