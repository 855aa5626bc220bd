"""From a command line to a venue that can be started: its markets, where they come from, deposits, agents, modes.

Made-up and recorded markets are built at once; a mirror first asks its venue for the facts, opens its link and waits
until every market has shown a book. Raises ConfigError for what cannot be played and Refused when the mirrored venue
cannot be reached.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from common.config import ENVIRONMENT, Settings, load
from common.errors import BadInput, ConfigError, LinkDown, Refused
from common.log import get_log
from simvenue import markets_file
from simvenue.clocks import Clock, MirrorClock, SimClock
from simvenue.door.latency_table import chosen
from simvenue.exchange import Exchange
from simvenue.faults import rules as fault_rules
from simvenue.market import MarketDef, market_of
from simvenue.mirror import facts as mirror_facts
from simvenue.mirror.following import Mirror
from simvenue.mirror.link import MirrorLink
from simvenue.mirror.market import MirrorMarket
from simvenue.mirror.venue_time import VenueTime
from simvenue.options import Options
from simvenue.recorded.captured import capture
from simvenue.recorded.playback import Playback
from simvenue.recorded.recording import recordings
from simvenue.recorded.replay import Replay
from simvenue.source import Source
from simvenue.synthetic.flows import FLOWS, planted
from simvenue.synthetic.synthetic import Synthetic
from simvenue.venue import Venue

FIRST_BOOKS_S = 30.0
"""How long a mirror waits for its venue at the start."""
LOOK_S = 0.02

Markets: TypeAlias = list[tuple[MarketDef, Source]]
log = get_log("simvenue")


@dataclass(frozen=True, slots=True)
class Opened:
    """A venue and, when it is a mirror, the link that keeps it fed and the task that runs it."""

    venue: Venue
    link: MirrorLink | None = None
    following: asyncio.Task[None] | None = None


async def open_venue(settings: Settings, options: Options, origin_ns: int) -> Opened:
    """Everything but the sockets; a mirror's origin is its venue's time."""
    if options.market != "mirror":
        markets = _listed(settings, options, origin_ns)
        return Opened(_venue(markets, options, SimClock(origin_ns, options.speed)))
    coins = list(dict.fromkeys([settings.market.coin, *options.also]))
    try:
        defs = await mirror_facts.markets(options.upstream, coins)
        rate, session_offset_ns = await mirror_facts.clock(options.upstream)
    except (LinkDown, BadInput) as error:
        raise Refused(f"--upstream {options.upstream} cannot be mirrored: {error}") from None
    sources = [MirrorMarket(one.coin, one.sz_decimals, session_offset_ns) for one in defs]
    mirror = Mirror(options.upstream, sources, VenueTime(rate))
    link = MirrorLink(mirror, random.Random())
    following = asyncio.create_task(link.run(), name="mirror link")
    try:
        await _first_books(mirror, following)
        clock = MirrorClock(mirror.time)
        for source in sources:
            source.begin(clock.origin_ns)
        venue = _venue(list(zip(defs, sources, strict=True)), options, clock, mirror)
    except BaseException:
        following.cancel()
        raise
    link.on_news = lambda: _news(venue)
    link.on_delisted = lambda coin: _delist(venue, coin)
    return Opened(venue, link, following)


def read_faults(path: Path | None) -> fault_rules.Plan:
    """The plan of `--faults`; an empty one without."""
    if path is None:
        return fault_rules.Plan()
    try:
        return fault_rules.decode(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"--faults {path}: {error.strerror}") from None
    except BadInput as error:
        raise ConfigError(f"--faults {path}: {error.detail}") from None


async def _first_books(mirror: Mirror, following: asyncio.Task[None]) -> None:
    try:
        async with asyncio.timeout(FIRST_BOOKS_S):
            while not mirror.is_complete:
                if following.done():
                    following.result()
                await asyncio.sleep(LOOK_S)
    except TimeoutError:
        blind = ", ".join(coin for coin in mirror.markets if mirror.is_blind(coin)) or "prices"
        raise Refused(f"--upstream {mirror.url}: nothing seen of {blind} within {FIRST_BOOKS_S:g} s") from None


def _news(venue: Venue) -> None:
    if venue.is_running:
        venue.pump()


def _delist(venue: Venue, coin: str) -> None:
    """What the mirrored venue no longer trades is settled at its mark here too."""
    if not venue.exchange.is_delisted(coin):
        log.warning("mirrored_market_delisted", coin=coin)
        venue.exchange.delist(coin)
        _news(venue)


def _venue(markets: Markets, options: Options, clock: Clock, mirror: Mirror | None = None) -> Venue:
    latency = chosen(options.latency, tails=options.latency_tails, table=options.latency_table)
    origin_ns = clock.origin_ns
    exchange = Exchange(
        markets, origin_ns=origin_ns, latency=latency, queue=options.queue, queue_power=options.queue_power,
        block_ns=options.block_ms * 10**6, latency_seed=options.seed,
    )  # fmt: skip
    for address, usd in options.fund:
        exchange.fund(address, usd)
    for address, mode in options.modes:
        exchange.set_mode(address, mode)
    venue = Venue(exchange, clock, latency, mirror)
    for place, (agent, master) in enumerate(options.agents, 1):
        venue.gateway.register(agent, master, f"agent{place}", origin_ns)
    for market in exchange.markets:
        log.info("market_opened", coin=market.coin, asset_id=market.asset_id, **exchange.describe(market.coin))
    return venue


# ---------------------------------------------------------------------- made up or recorded
def _listed(settings: Settings, options: Options, origin_ns: int) -> Markets:
    if options.markets is not None:
        return [
            (market, _source(entry, profile, market, place, options, origin_ns))
            for place, (entry, profile, market) in enumerate(markets_file.read(options.markets))
        ]
    first = market_of(settings)
    if options.data is None:
        markets: Markets = [(first, _made_up(settings, first, options.flow, options.seed, origin_ns, options.plant))]
    else:
        markets = [(first, _recorded(options.data, first, options.cut_gaps, origin_ns, "--data"))]
    for place, name in enumerate(options.also, 1):
        markets.append(_also(name, [market for market, _ in markets], options.seed + place, origin_ns))
    return markets


def _source(
    entry: markets_file.Entry, profile: Settings, market: MarketDef, place: int, options: Options, origin_ns: int
) -> Source:
    """Where a market of `--markets` comes from."""
    if entry.data is not None:
        assert options.markets is not None
        path = options.markets.parent / entry.data
        return _recorded(path, market, entry.cut_gaps, origin_ns, f"--markets: {market.coin}")
    if entry.flow is not None and entry.flow not in FLOWS:
        raise ConfigError(f"--markets: {market.coin}: flow = {entry.flow!r}: known are {', '.join(FLOWS)}")
    venue = profile.venue.model_copy(
        update={k: v for k in ("px_start", "vol_annual") if (v := getattr(entry, k)) is not None}
    )
    seed = options.seed + place if entry.seed is None else entry.seed
    return _made_up(profile.model_copy(update={"venue": venue}), market, entry.flow, seed, origin_ns)


def _recorded(path: Path, market: MarketDef, cut_gaps: bool, origin_ns: int, what: str) -> Source:
    try:
        ours = capture(path)
        if ours is not None:
            return Playback(ours, market.coin, market.sz_decimals, origin_ns=origin_ns, cut_gaps=cut_gaps)
        return Replay(recordings(path), market.sz_decimals, origin_ns=origin_ns, cut_gaps=cut_gaps)
    except (BadInput, OSError) as error:
        raise ConfigError(f"{what}: {error}") from None


def _also(name: str, others: Sequence[MarketDef], seed: int, origin_ns: int) -> tuple[MarketDef, Source]:
    """A further market of the first dex, in its own collateral."""
    settings = load("simvenue", {**dict.fromkeys(ENVIRONMENT, ""), "MARKET": name.lower()})
    market = market_of(settings)
    if market.is_hip3 or market.coin in [other.coin for other in others]:
        raise ConfigError(f"--also {name}: must be a market of the first dex that is not there yet")
    return market, _made_up(settings, market, None, seed, origin_ns)


def _made_up(
    settings: Settings,
    market: MarketDef,
    flow: str | None,
    seed: int,
    origin_ns: int,
    plant: Sequence[tuple[str, float]] = (),
) -> Source:
    name = flow or ("btc" if settings.market.kind == "crypto" else "xyz100")
    start, vol = settings.venue.px_start, settings.venue.vol_annual
    try:
        made = planted(FLOWS[name], dict(plant)) if plant else FLOWS[name]
        return Synthetic(name, made, market.sz_decimals, px_start=start, vol_annual=vol, seed=seed, origin_ns=origin_ns)
    except ValueError as error:
        raise ConfigError(f"{market.coin}: {error}") from None
