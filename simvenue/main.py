"""One simulated venue as a process: a venue opened (`opening.py`), its sockets with it, and all closed at a signal.

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
from typing import Any, NoReturn

from aiohttp import web

from common import metrics
from common.build import build_id
from common.config import VENUE_PORT, Settings
from common.errors import EXIT_CONFIG, EXIT_FAULT, EXIT_OK, EXIT_REFUSED, ConfigError
from common.exporter import Exporter
from common.kernel import COMPILATIONS, COMPILED
from common.log import get_log
from common.messages import SCHEMA
from common.process import on_stop_signal, run, watch_parent
from simvenue.door.ip_limits import CAPS
from simvenue.door.server import Server
from simvenue.faults.gate import Gate
from simvenue.opening import Opened, open_venue, read_faults
from simvenue.options import Options, parse
from simvenue.venue import Venue

COMPILES_CHECK_S = 1.0
SHUTDOWN_S = 1.0

log = get_log("simvenue")


def main() -> NoReturn:
    try:
        options = parse(sys.argv[1:])
    except ConfigError as error:
        sys.exit(_say(error, EXIT_CONFIG))
    over = {} if options.profile is None else {"MARKET": options.profile}
    sys.exit(run("simvenue", lambda settings: serve(settings, options), over))


async def serve(settings: Settings, options: Options) -> int:
    """Run until SIGTERM, SIGINT or the parent's end; returns the exit code."""
    plan = read_faults(options.faults)
    opened = await open_venue(settings, options, time.time_ns())
    venue, gate = opened.venue, Gate()
    server = Server(venue, caps=CAPS[options.ip_limits], gate=gate)
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
        if plan.rules:
            gate.put(plan)  # their time begins with the market's
        _ready(venue, settings, exporter.port, url)
        tasks.append(asyncio.create_task(_stop_when_failed(opened, stopping)))
        await stopping.wait()
    finally:
        venue.stop()
        for task in (*tasks, *([opened.following] if opened.following is not None else [])):
            task.cancel()
        await runner.cleanup()
        await exporter.stop()
    if venue.failed.is_set():
        return EXIT_FAULT
    return EXIT_REFUSED if opened.link is not None and opened.link.is_lost_for_good.is_set() else EXIT_OK


async def _stop_when_failed(opened: Opened, stopping: asyncio.Event) -> None:
    """Our own fault, or a mirrored venue that cannot be followed any more."""
    waits: list[asyncio.Task[bool]] = [asyncio.create_task(_failed(opened.venue))]
    if opened.following is not None:
        waits.append(asyncio.create_task(_ended(opened)))
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waits:
            task.cancel()
    _stop(stopping, "fault" if opened.venue.failed.is_set() else "mirror lost")


async def _failed(venue: Venue) -> bool:
    return await venue.failed.wait()


async def _ended(opened: Opened) -> bool:
    """The link's task ends by itself only when its venue is lost for good, or by a fault of ours."""
    assert opened.following is not None
    try:
        await asyncio.shield(opened.following)
    except Exception:
        log.exception("mirror_link_failed")
        opened.venue.failed.set()
    return True


def _stop(stopping: asyncio.Event, reason: str) -> None:
    if not stopping.is_set():
        log.info("simvenue_stopping", reason=reason)
        stopping.set()


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
