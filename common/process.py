"""One process from start to exit code: configuration, logs, event loop, signals, and dying with its parent."""

from __future__ import annotations

import asyncio
import ctypes
import os
import resource
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NoReturn

import uvloop

from common.config import Settings, load
from common.errors import EXIT_CONFIG, EXIT_FAULT, EXIT_OK, EXIT_REFUSED, ConfigError, Refused
from common.log import configure, get_log
from common.redact import redact

PR_SET_PDEATHSIG = 1
PARENT_POLL_S = 0.5
ANY_PARENT = 1
"""`AMM_PARENT=1`: whoever started us, for those who start us through a configuration file."""

log = get_log("main")


def main(service: str, build: Callable[[Settings], Awaitable[int]]) -> NoReturn:
    """Run `build(settings)` to its exit code; 78 with one sentence for bad configuration, before any socket opens."""
    sys.exit(run(service, build))


def run(service: str, build: Callable[[Settings], Awaitable[int]], over: Mapping[str, str] | None = None) -> int:
    """As `main`, but returns; `over` holds settings of a command line, by their environment names."""
    try:
        settings = load(service, over=over)
    except ConfigError as error:
        return _say(service, error, EXIT_CONFIG)
    configure(service, settings.log_level)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold the keys
    if settings.parent_pid:
        die_with_parent(signal.SIGTERM)
    try:
        return uvloop.run(_guarded(build, settings))
    except ConfigError as error:
        return _say(service, error, EXIT_CONFIG)
    except Refused as error:
        return _say(service, error, EXIT_REFUSED)
    except KeyboardInterrupt:
        return EXIT_OK  # before the loop ran
    except Exception:
        log.exception("service_failed")
        return EXIT_FAULT


async def _guarded(build: Callable[[Settings], Awaitable[int]], settings: Settings) -> int:
    asyncio.get_running_loop().set_exception_handler(_loop_fault)
    building = asyncio.ensure_future(build(settings))
    stopped: list[str] = []

    def stop(name: str) -> None:
        stopped.append(name)
        building.cancel()

    on_stop_signal(stop)  # until the service takes the signals over
    try:
        return await building
    except asyncio.CancelledError:
        if not stopped:
            raise
        return EXIT_OK


def _loop_fault(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    log.error("callback_failed", what=str(context.get("message")), exc_info=error)


def _say(service: str, error: Exception, code: int) -> int:
    sys.stderr.write(f"{service}: {redact(str(error))}\n")
    return code


def on_stop_signal(stop: Callable[[str], None]) -> None:
    """Call `stop(name)` at the first SIGTERM or SIGINT; later ones are ignored while orders are being cancelled."""
    loop = asyncio.get_running_loop()
    seen: list[str] = []

    def once(name: str) -> None:
        if not seen:
            seen.append(name)
            stop(name)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, once, number.name)


def die_with_parent(number: signal.Signals) -> None:
    """On Linux the kernel sends us `number` when our parent is gone; elsewhere `watch_parent` must do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(number))


def parent_is_gone(parent_pid: int) -> Callable[[], bool]:
    """A question to be asked again and again; 0 = nobody to watch, ANY_PARENT = whoever is our parent now."""
    wanted = os.getppid() if parent_pid == ANY_PARENT else parent_pid
    return lambda: parent_pid != 0 and os.getppid() != wanted


async def watch_parent(parent_pid: int, stop: Callable[[str], None]) -> None:
    """Call `stop` once our parent is gone."""
    gone = parent_is_gone(parent_pid)
    while not gone():  # noqa: ASYNC110 (no event tells of it)
        await asyncio.sleep(PARENT_POLL_S)
    stop("parent is gone")
