"""The monitor's HTTP server: the page, what it shows, and the five commands.

Reading needs no token (the page is on this machine only); changing anything does, see `control.py`. A kill writes the
kill file first and needs no Redis, no venue and no other service for that. Every refusal is counted with its reason.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from common import killfile, metrics
from common.clock import wall_ns
from common.errors import BadInput, ConfigError
from common.log import get_log
from common.messages import Command, Verb
from common.ticks import px_decimals, to_units
from monitor import page
from monitor.control import BODY_BYTES_MAX, LOCAL, VERBS, Denied, Sender, check_host, check_sender, reason_of
from monitor.engine import MonitorEngine
from monitor.events import Asked
from monitor.session import session
from monitor.status import status

BODY_S = 5.0
TOKEN_BYTES_MAX = 1_024
EVERYWHERE = frozenset({"0.0.0.0", "::"})
"""What a container binds to: no name under which a page is asked for."""
NO_REASON = "asked for through the control API"

log = get_log("api")


class _ServerLog(logging.Logger):
    """aiohttp's own lines: bytes that are no HTTP are bad input, everything else it reports is a fault of ours."""

    def exception(self, msg: object, *args: object, exc_info: Any = True, **more: Any) -> None:
        if isinstance(exc_info, HttpProcessingError):
            metrics.count("amm_bad_input_total", boundary="control", reason="bad_http")
            log.warning("request_refused", reason="bad_http", detail=type(exc_info).__name__)
        else:
            log.error("request_failed", what=str(msg), exc_info=exc_info)


class Api:
    """Serves one engine; `post` hands an authenticated command to it, `link_up` tells whether Redis takes it."""

    def __init__(
        self,
        engine: MonitorEngine,
        post: Callable[[Any], None],
        link_up: Callable[[], bool],
        ready: Callable[[], bool],
        now_t_ns: Callable[[], int],
        build: str,
    ) -> None:
        self.engine = engine
        self._settings = engine.settings
        self._post = post
        self._link_up = link_up
        self._ready = ready
        self._now_t_ns = now_t_ns
        self._build = build
        self._hosts = LOCAL | ({self._settings.bind} - EVERYWHERE)
        self._html, self._policy = page.load()
        self._runner: web.AppRunner | None = None

    # ------------------------------------------------------------------ life
    async def start(self, port: int) -> int:
        """Listen; the port in use. Raises ConfigError when it is taken."""
        app = web.Application(client_max_size=BODY_BYTES_MAX + 1, middlewares=[self._guard])
        app.router.add_get("/", self._page)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/api/status", self._status)
        app.router.add_get("/api/session", self._session)
        app.router.add_route("*", f"/api/{{verb:{'|'.join(VERBS)}}}", self._command)
        self._runner = web.AppRunner(
            app, access_log=None, handle_signals=False, shutdown_timeout=0.5, logger=_ServerLog("api.http")
        )
        await self._runner.setup()
        host = self._settings.bind
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            await self.stop()
            raise ConfigError(
                f"port {port} on {host} cannot be used for the page ({error.strerror or error}): "
                f"stop what uses it, or set PORT_BASE (0..50000), which is added to every port"
            ) from None
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Turn every refusal into JSON with its status, counted; put the safety headers on every answer."""
        try:
            response = await handler(request)
        except Denied as denied:
            response = self._refusal(request, denied)
        except web.HTTPException as error:
            reason = "no_route" if error.status == 404 else "method" if error.status == 405 else "http"
            response = self._refusal(request, Denied(error.status, reason, error.reason))
        response.headers.update(page.HEADERS)
        return response

    def _refusal(self, request: web.Request, denied: Denied) -> web.Response:
        metrics.count("amm_bad_input_total", boundary="control", reason=denied.reason)
        log.warning("request_refused", method=request.method, path=request.path[:80], reason=denied.reason)
        headers = {"Allow": "POST"} if denied.status == 405 else {}
        return _json({"error": str(denied), "reason": denied.reason}, denied.status, headers)

    # ------------------------------------------------------------------ reading
    async def _page(self, request: web.Request) -> web.Response:
        check_host(request.host, self._hosts)
        return web.Response(
            text=self._html, content_type="text/html", headers={"Content-Security-Policy": self._policy}
        )

    async def _healthz(self, _: web.Request) -> web.Response:
        facts = {"service": "monitor", "ready": self._ready(), "link_up": self._link_up(), "build": self._build}
        return _json(facts, 200 if facts["ready"] else 503)

    async def _status(self, request: web.Request) -> web.Response:
        check_host(request.host, self._hosts)
        return _json(status(self.engine, self._build))

    async def _session(self, request: web.Request) -> web.Response:
        """`?mark_px=752.44` values the position at that price instead of the venue's newest mark."""
        check_host(request.host, self._hosts)
        return _json(session(self.engine, self._build, self._mark(request.query.get("mark_px"))))

    def _mark(self, text: str | None) -> int | None:
        if text is None:
            return None
        try:
            mark_px_u = to_units(text, px_decimals(self.engine.market.sz_decimals))
        except BadInput as error:
            raise Denied(400, "mark_px", f"mark_px: {error}") from None
        if not 0 < mark_px_u <= 10**15:
            raise Denied(400, "mark_px", "mark_px must be a price above 0")
        return mark_px_u

    # ------------------------------------------------------------------ commands
    async def _command(self, request: web.Request) -> web.Response:
        verb = VERBS[request.match_info["verb"]]
        sender = Sender(
            request.method,
            request.host,
            request.headers.get("Origin"),
            request.headers.get("Sec-Fetch-Site"),
            request.headers.getall("Authorization", []),
            request.query_string,
        )
        check_sender(sender, read_token(self._settings.secrets_dir), self._hosts)
        return self._obey(verb, await self._read_reason(request))

    async def _read_reason(self, request: web.Request) -> str:
        if "Content-Encoding" in request.headers:
            raise Denied(415, "content_type", "the body must not be encoded")
        try:
            async with asyncio.timeout(BODY_S):
                body = await request.read()
        except TimeoutError:
            raise Denied(408, "slow_body", f"the body did not come within {BODY_S:.0f} s") from None
        except (ConnectionError, web.RequestPayloadError):
            raise Denied(400, "cut_off", "the body ended before its length") from None
        except web.HTTPRequestEntityTooLarge:
            raise Denied(413, "too_long", f"a body of at most {BODY_BYTES_MAX} bytes") from None
        return reason_of(body, request.content_type)

    def _obey(self, verb: Verb, reason: str) -> web.Response:
        """Carry a command out at once and without waiting: a caller that has gone changes nothing of it."""
        reason = reason or NO_REASON
        epoch = self.engine.next_epoch(wall_ns())
        link_up = self._link_up()
        latched = verb is Verb.KILL and self._latch(epoch, reason)
        if verb is not Verb.KILL and not link_up:
            raise Denied(503, "link_down", f"Redis does not answer, so nobody would hear {verb.value}")
        if verb is Verb.ARM and not killfile.clear_older(self._settings.kill_dir, epoch):
            raise Denied(409, "newer_kill", "a newer kill is latched")
        command = Command(self._now_t_ns(), verb, uuid.uuid4().hex, epoch, reason)
        self._post(Asked(command))
        log.warning("command_given", verb=verb.value, id=command.id, epoch=epoch, reason=reason)
        answer = {"verb": verb.value, "id": command.id, "epoch": epoch, "reason": reason, "published": link_up}
        half = verb is Verb.KILL and not latched
        return _json({**answer, "kill_file": latched}, 500 if half else 200)

    def _latch(self, epoch: int, reason: str) -> bool:
        """Write the kill file; a disk that refuses it must not keep the command from the stream."""
        try:
            killfile.write(self._settings.kill_dir, killfile.Kill(epoch, reason, self._now_t_ns()))
        except OSError as error:
            log.error("kill_file_not_written", reason=error.strerror)
            return False
        return True


def read_token(secrets_dir: Path) -> str:
    """The control token as it is now; "" when there is none, so that nothing is obeyed."""
    try:
        return (secrets_dir / "control_token").read_bytes()[:TOKEN_BYTES_MAX].decode("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _json(answer: dict[str, Any], code: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    text = json.dumps(answer, separators=(",", ":"), allow_nan=False)
    return web.Response(text=text, status=code, content_type="application/json", headers=headers)
