"""From nothing to a known market and account: what the executor must have read before its first order.

Repeats until the venue answers; only what can never become right (delisted, wrong collateral) ends the process. The
order is that of hyperliquid.md section 15: market and fees, leverage, what earlier lives may have left, then streams.
"""

from __future__ import annotations

import asyncio
import random

from common.config import Settings
from common.errors import EXIT_REFUSED, BadInput, LinkDown, Refused, UnknownOutcome, VenueError
from common.fees import Fees
from common.hyperliquid import MarketFacts
from common.log import get_log
from common.simclock import clock_client, read_clock
from executor import wire
from executor.desk import Desk
from executor.events import Facts, Recovered
from executor.parse import UserParser
from executor.userstream import UserStreams

RETRY_S = 1.0
HISTORY_NS = 2 * 86_400 * 1_000_000_000
"""How much of our own record is read again: enough for the rolling day of the taker share."""

FAILURES = (LinkDown, VenueError, BadInput, UnknownOutcome)
log = get_log("executor")


async def prepare(settings: Settings, desk: Desk) -> None:
    """Until all is known, again and again; then the engine may trade."""
    told = ""
    while True:
        try:
            await _once(settings, desk)
            return
        except Refused as error:
            log.warning("start_refused", reason=str(error))
            desk.service.stop(str(error), EXIT_REFUSED)
            return
        except FAILURES as error:
            if str(error) != told:
                told = str(error)
                log.warning("start_delayed", reason=told[:200])
            await asyncio.sleep(RETRY_S)


async def _once(settings: Settings, desk: Desk) -> None:
    market = await desk.info.discover(settings.market.coin)
    market.require(settings.market.collateral)
    fees = market.fees(await desk.info.user_fees(settings.wallet_address))
    desk.journal.begin(await _life(settings))
    recovered = _recover(desk)
    facts = _facts(market, fees)
    desk.market(facts, desk.floor_t_ns)
    desk.post(recovered)
    desk.service.bus.send(desk.journal.unpublished())
    await _set_leverage(settings, desk, market)
    desk.post(facts)
    log.info("market_known", asset_id=market.asset_id, growth=market.growth_mode, fees_known=fees is not None)
    parser = UserParser(settings.market.coin, market.sz_decimals, settings.wallet_address)
    streams = UserStreams(
        settings.ws_url,
        settings.wallet_address,
        parser,
        desk.from_stream,
        desk.service.clock.now_ns,
        random.Random(),
    )
    desk.service.spawn(streams.follow(), "user streams")
    desk.service.spawn(desk.fees.follow(known=fees is not None), "fees")
    desk.service.mark_ready()


async def _life(settings: Settings) -> str:
    """A simulated venue's life is its clock's origin; a real venue has one."""
    if settings.network != "paper":
        return settings.network
    async with clock_client() as client:
        reading, _, _ = await read_clock(client, settings.venue_url)
    return f"paper-{reading.origin_ns}"


def _recover(desk: Desk) -> Recovered:
    """What the journal knows of this venue; the first start on it sets from when on fills are ours."""
    now_ns = desk.service.clock.now_ns()
    begun_ns = desk.journal.get("begun_t_ns")
    if begun_ns is None:
        begun_ns = now_ns
        desk.journal.put("begun_t_ns", begun_ns)
    desk.journal.prune(now_ns)
    desk.floor_t_ns = max(begun_ns, now_ns - HISTORY_NS)
    return Recovered(
        last_nonce=desk.journal.last_nonce(),
        last_expiry_ms=desk.journal.last_expiry_ms(),
        fills=desk.journal.fills(desk.floor_t_ns),
        fundings=desk.journal.fundings(),
    )


def _facts(market: MarketFacts, fees: Fees | None) -> Facts:
    return Facts(
        asset_id=market.asset_id,
        sz_decimals=market.sz_decimals,
        max_leverage=market.max_leverage,
        maker_ppb=fees.maker_ppb if fees else None,
        taker_ppb=fees.taker_ppb if fees else None,
    )


async def _set_leverage(settings: Settings, desk: Desk, market: MarketFacts) -> None:
    """Set explicitly, so that margin is what we think it is; raises VenueError when the venue refuses."""
    wanted = min(settings.execution.leverage, market.max_leverage)
    text = await desk.act(wire.leverage(market.asset_id, market.margin_mode == "", wanted))
    if text is not None:
        raise VenueError(f"updateLeverage: {text}")
    log.info("leverage_set", leverage=wanted, cross=market.margin_mode == "")
