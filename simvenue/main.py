"""One simulated venue as a process: options and profile in, an exchange built, sockets opened, and closed at a signal.

All data is read and all kernels are loaded before the first socket opens. When ready it prints one line of JSON on
stdout, `{"listening": "http://host:port"}`; people's lines are logs on stderr.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NoReturn

from aiohttp import web

from common import metrics
from common.build import build_id
from common.config import ENVIRONMENT, VENUE_PORT, Settings, load
from common.errors import EXIT_CONFIG, EXIT_FAULT, EXIT_OK, EXIT_REFUSED, BadInput, ConfigError, Refused
from common.exporter import Exporter
from common.kernel import COMPILATIONS, COMPILED
from common.log import get_log
from common.messages import SCHEMA
from common.process import on_stop_signal, run, watch_parent
from simvenue.exchange import LATENCIES, Exchange
from simvenue.flows import FLOWS
from simvenue.market import MarketDef, market_of
from simvenue.options import Options, parse
from simvenue.recording import recordings
from simvenue.replay import Replay
from simvenue.server import Server
from simvenue.source import Source
from simvenue.synthetic import Synthetic
from simvenue.venue import SimClock, Venue

COMPILES_CHECK_S = 1.0
SHUTDOWN_S = 1.0

log = get_log("simvenue")


def main() -> NoReturn:
    try:
        options = parse(sys.argv[1:])
    except ConfigError as error:
        sys.exit(_say(error, EXIT_CONFIG))
    except Refused as error:
        sys.exit(_say(error, EXIT_REFUSED))
    over = {} if options.profile is None else {"MARKET": options.profile}
    sys.exit(run("simvenue", lambda settings: serve(settings, options), over))


async def serve(settings: Settings, options: Options) -> int:
    """Run until SIGTERM, SIGINT or the parent's end; returns the exit code."""
    venue = build(settings, options, time.time_ns())
    server = Server(venue, ip_limit=options.ip_limit)
    stopping = asyncio.Event()
    on_stop_signal(lambda reason: _stop(stopping, reason))
    metrics_port = settings.metrics_port if options.metrics_port is None else options.metrics_port
    exporter = Exporter(settings.bind, metrics_port, lambda: _health(venue, settings))
    await exporter.start()
    runner = web.AppRunner(server.app, access_log=None, handle_signals=False, shutdown_timeout=SHUTDOWN_S)
    tasks = [asyncio.create_task(_count_late_compiles())]
    if settings.parent_pid:
        tasks.append(asyncio.create_task(watch_parent(settings.parent_pid, lambda reason: _stop(stopping, reason))))
    try:
        url = await _listen(runner, settings, options)
        _ready(venue, settings, exporter.port, url)
        tasks.append(asyncio.create_task(_stop_when_failed(venue, stopping)))
        await stopping.wait()
    finally:
        venue.stop()
        for task in tasks:
            task.cancel()
        await runner.cleanup()
        await exporter.stop()
    return EXIT_FAULT if venue.failed.is_set() else EXIT_OK


async def _stop_when_failed(venue: Venue, stopping: asyncio.Event) -> None:
    await venue.failed.wait()
    _stop(stopping, "fault")


def _stop(stopping: asyncio.Event, reason: str) -> None:
    if not stopping.is_set():
        log.info("simvenue_stopping", reason=reason)
        stopping.set()


# ---------------------------------------------------------------------- building
def build(settings: Settings, options: Options, origin_ns: int) -> Venue:
    """A venue with its markets, deposits and agents; raises ConfigError when the data cannot be played."""
    markets = [_first_market(settings, options, origin_ns)]
    if options.also is not None:
        markets.append(_also(options, markets[0][0], origin_ns))
    latency = LATENCIES[options.latency]
    exchange = Exchange(markets, origin_ns=origin_ns, latency=latency, queue=options.queue)
    for address, usd in options.fund:
        exchange.fund(address, usd)
    venue = Venue(exchange, SimClock(origin_ns, options.speed), latency)
    for place, (agent, master) in enumerate(options.agents, 1):
        venue.gateway.register(agent, master, f"agent{place}", origin_ns)
    for market in exchange.markets:
        log.info("market_opened", coin=market.coin, asset_id=market.asset_id, **exchange.describe(market.coin))
    return venue


def _first_market(settings: Settings, options: Options, origin_ns: int) -> tuple[MarketDef, Source]:
    market = market_of(settings)
    if options.data is None:
        return market, _made_up(settings, market, options.flow, options.seed, origin_ns)
    try:
        paths = recordings(options.data)
        source = Replay(paths, market.sz_decimals, origin_ns=origin_ns, cut_gaps=options.cut_gaps)
    except (BadInput, OSError) as error:
        raise ConfigError(f"--data: {error}") from None
    return market, source


def _also(options: Options, first: MarketDef, origin_ns: int) -> tuple[MarketDef, Source]:
    """A second market of the first dex, in the first market's collateral: one exchange keeps one kind of money."""
    name = str(options.also)
    settings = load("simvenue", {**dict.fromkeys(ENVIRONMENT, ""), "MARKET": name.lower()})
    market = replace(market_of(settings), collateral=first.collateral)
    if market.is_hip3 or market.coin == first.coin:
        raise ConfigError(f"--also {name}: must be a market of the first dex other than {first.coin}")
    return market, _made_up(settings, market, None, options.seed + 1, origin_ns)


def _made_up(settings: Settings, market: MarketDef, flow: str | None, seed: int, origin_ns: int) -> Source:
    name = flow or ("btc" if settings.market.kind == "crypto" else "xyz100")
    start, vol = settings.venue.px_start, settings.venue.vol_annual
    return Synthetic(
        name, FLOWS[name], market.sz_decimals, px_start=start, vol_annual=vol, seed=seed, origin_ns=origin_ns
    )


# ---------------------------------------------------------------------- running
async def _listen(runner: web.AppRunner, settings: Settings, options: Options) -> str:
    host = options.host or settings.bind
    port = VENUE_PORT + settings.port_base if options.port is None else options.port
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        why = error.strerror or error
        raise ConfigError(f"port {port} on {host} cannot be used ({why}): choose another --port") from None
    bound = runner.addresses[0]
    return f"http://{bound[0]}:{bound[1]}"


def _ready(venue: Venue, settings: Settings, metrics_port: int, url: str) -> None:
    """Market time starts when a client can ask for it."""
    facts = {"build": build_id(), "schema": str(SCHEMA), "config_hash": settings.config_hash()}
    metrics.set("amm_build_info", 1.0, service="simvenue", **facts)
    for name in ("amm_late_compiles_total", "amm_log_errors_total", "amm_sim_lags_total"):
        metrics.count(name, 0)
    COMPILATIONS.ready()
    venue.start()
    gc.collect()
    gc.freeze()
    log.info("service_ready", listening=url, metrics_port=metrics_port, kernels="compiled" if COMPILED else "plain")
    sys.stdout.write(json.dumps({"listening": url}) + "\n")
    sys.stdout.flush()


async def _count_late_compiles() -> None:
    seen = 0
    while True:
        await asyncio.sleep(COMPILES_CHECK_S)
        metrics.count("amm_late_compiles_total", COMPILATIONS.late - seen)
        seen = COMPILATIONS.late


def _health(venue: Venue, settings: Settings) -> Mapping[str, Any]:
    return {
        "service": "simvenue", "ready": venue.is_running, "state": "ended" if venue.exchange.ended else "trading",
        "market": settings.market.coin, "rate": venue.clock.rate, "build": build_id(),
    }  # fmt: skip


def _say(error: Exception, code: int) -> int:
    sys.stderr.write(f"simvenue: {error}\n")
    return code
