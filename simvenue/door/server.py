"""The venue's HTTP paths: POST /info, POST /exchange, GET /ws, and the simulator's own under /sim/.

Bytes in, bytes out: every decision is `venue.py`'s, sockets are `sockets.py`'s, faults on purpose `faults/gate.py`'s.
What one IP may ask for is `ip_limits.py`'s. `/sim/ledger` and `/sim/clock` are for everybody who
can reach the port, `/sim/faults` for this machine alone: GET tells the plan and what it did, POST puts another in its
place (`{}` = none).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable

from aiohttp import web

from common import metrics
from common.errors import BadInput
from simvenue.desk.refusals import UNREADABLE
from simvenue.door.ip_limits import DOCS, Caps, IpLimits
from simvenue.door.sockets import BODY_MAX, Sockets
from simvenue.faults import rules as fault_rules
from simvenue.faults.gate import Gate, Passed, Vanished, page_text, question
from simvenue.feeds.feeds import encode
from simvenue.venue import Venue


class Server:
    """The aiohttp application around one venue."""

    def __init__(self, venue: Venue, *, caps: Caps = DOCS, gate: Gate | None = None) -> None:
        self._venue = venue
        self._gate = gate or Gate()
        self._gate.post_only_for = venue.post_only_for
        self._limits = IpLimits(caps)
        sockets = Sockets(venue, self._gate, self._limits)
        self.app = web.Application(client_max_size=BODY_MAX)
        self.app.add_routes(
            [
                web.post("/info", self._info),
                web.post("/exchange", self._exchange),
                web.get("/ws", sockets.handle),
                web.get("/sim/ledger", self._ledger),
                web.get("/sim/clock", self._clock),
                web.get("/sim/faults", self._faults),
                web.post("/sim/faults", self._set_faults),
            ]
        )
        self.app.on_shutdown.append(sockets.shut)

    # ------------------------------------------------------------------ the venue's paths
    async def _info(self, request: web.Request) -> web.Response:
        body = await request.read()
        return await self._through(request, "info", *question(body), lambda: self._told(request, body))

    async def _exchange(self, request: web.Request) -> web.Response:
        body = await request.read()
        subject = self._venue.subject(body, self._gate.needs_address)
        return await self._through(request, "action", *subject, lambda: self._acted(request, body))

    async def _through(
        self, request: web.Request, kind: str, name: str, address: str, carry_out: Callable[[], Awaitable[web.Response]]
    ) -> web.Response:
        """The venue's answer, unless a fault on purpose stands in its way."""
        try:
            passed = await self._gate.request(kind, name, address, carry_out)
        except Vanished:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        if isinstance(passed, Passed):
            return passed.answer
        body, content_type = page_text(passed)
        return web.Response(text=body, status=passed.status, content_type=content_type)

    async def _told(self, request: web.Request, body: bytes) -> web.Response:
        if self._spent(request, 1, take=False):
            return _json(None, 429)
        try:
            answer = self._venue.ask(body)
        except BadInput:
            self._spent(request, 1)
            return _text(UNREADABLE, 422)
        return _json(None, 429) if self._spent(request, answer.weight) else _json(answer.body)

    async def _acted(self, request: web.Request, body: bytes) -> web.Response:
        if self._spent(request, 1):
            return _json(None, 429)
        reply = await self._venue.act(body)
        if reply.more_weight:
            self._limits.owe_weight(request.remote or "", reply.more_weight, self._venue.clock.now_ns())
        return _text(reply.body, reply.status) if reply.is_text else _json(reply.body, reply.status)

    def _spent(self, request: web.Request, weight: int, *, take: bool = True) -> bool:
        """Whether the asking IP has no room for `weight`; room that there is gets taken."""
        ip, now_t_ns = request.remote or "", self._venue.clock.now_ns()
        ask = self._limits.take_weight if take else self._limits.has_weight
        enough = ask(ip, weight, now_t_ns)
        if not enough:
            metrics.count("amm_bad_input_total", boundary="http", reason="ip_weight")
        return not enough

    # ------------------------------------------------------------------ the simulator's own paths
    async def _ledger(self, _request: web.Request) -> web.Response:
        return _json(self._venue.ledger())

    async def _clock(self, _request: web.Request) -> web.Response:
        reading, wrong_ns = self._venue.clock_reading(), self._gate.clock_offset_ns()
        told = {**reading, "origin_ns": reading["origin_ns"] + wrong_ns, "now_ns": reading["now_ns"] + wrong_ns}
        return _json(told)

    async def _faults(self, request: web.Request) -> web.Response:
        return _json(self._gate.report()) if _is_local(request) else _text("only on this machine", 403)

    async def _set_faults(self, request: web.Request) -> web.Response:
        """JSON only: a page in this machine's browser cannot send that to another origin unasked."""
        if not _is_local(request):
            return _text("only on this machine", 403)
        if request.content_type != "application/json":
            return _text("send application/json", 415)
        try:
            self._gate.put(fault_rules.decode(await request.read()))
        except BadInput as error:
            metrics.count("amm_bad_input_total", boundary="faults", reason=error.reason)
            return _json({"reason": error.reason, "error": error.detail}, 422)
        return _json(self._gate.report())


def _is_local(request: web.Request) -> bool:
    try:
        address = ipaddress.ip_address(request.remote or "")
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(body=encode(body), status=status, content_type="application/json")


def _text(body: str, status: int) -> web.Response:
    return web.Response(text=body, status=status)
