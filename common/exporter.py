"""The two pages every process has on its own port: /metrics for Prometheus, /healthz for people and containers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from common import metrics, usage
from common.errors import ConfigError

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
HEALTHY, NOT_READY = 200, 503


class Exporter:
    """`health` gives the facts of /healthz; `ready` among them decides between 200 and 503."""

    def __init__(self, host: str, port: int, health: Callable[[], Mapping[str, Any]]) -> None:
        self._host = host
        self._port = port
        self._health = health
        self._runner: web.AppRunner | None = None

    @property
    def port(self) -> int:
        """The port in use (that which was asked for, or a free one for 0)."""
        if self._runner is None or not self._runner.addresses:
            return self._port
        return int(self._runner.addresses[0][1])

    async def start(self) -> None:
        """Listen; raises ConfigError when the port is taken."""
        app = web.Application(client_max_size=1024)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/healthz", self._healthz)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.5)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError as error:
            await self.stop()
            raise ConfigError(
                f"port {self._port} on {self._host} cannot be used ({error.strerror or error}): "
                f"stop what uses it, or set PORT_BASE (0..50000), which is added to every port"
            ) from None

    async def stop(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _metrics(self, _: web.Request) -> web.Response:
        usage.show()
        return web.Response(body=await metrics.exposition(), headers={"Content-Type": CONTENT_TYPE})

    async def _healthz(self, _: web.Request) -> web.Response:
        facts = self._health()
        status = HEALTHY if facts.get("ready") else NOT_READY
        return web.Response(text=json.dumps(facts), status=status, content_type="application/json")
