"""The faults at the door: which plan is in force, and what a request goes through on its way in and out.

Decides nothing itself: `faults.py` says what happens, this carries it out on the event loop. A request that is held
back (`reorder`) waits for others to pass; one that gets no answer ends in `Vanished`, and whoever owns its socket
closes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from common.clock import mono_ns
from common.log import get_log
from simvenue.faults import rules as fault_rules
from simvenue.faults.faults import Faults, Ordeal, Page
from simvenue.faults.line import HELD_S

HTML = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center><hr></body></html>"
PHRASES = {
    200: "OK", 403: "403 Forbidden", 404: "404 Not Found", 408: "408 Request Time-out", 422: "422 Unprocessable Entity",
    429: "429 Too Many Requests", 500: "500 Internal Server Error", 502: "502 Bad Gateway",
    503: "503 Service Temporarily Unavailable", 504: "504 Gateway Time-out",
}  # fmt: skip

T = TypeVar("T")
log = get_log("simvenue")


class Vanished(Exception):
    """No answer will come; the connection ends."""


@dataclass(frozen=True, slots=True)
class Passed(Generic[T]):
    """The venue's own answer."""

    answer: T


class Gate:
    """The plan in force and those who wait in front of it."""

    def __init__(self, plan: fault_rules.Plan | None = None) -> None:
        self.faults = Faults(plan or fault_rules.Plan(), mono_ns())
        self.post_only_for: Callable[[float], None] = lambda _seconds: None
        """Called before an action while the venue takes post-only orders alone, with the seconds left."""
        self._waiting: list[tuple[list[int], asyncio.Event]] = []

    def put(self, plan: fault_rules.Plan) -> None:
        """A new plan, from now on."""
        self.faults = Faults(plan, mono_ns())
        log.info("faults_set", seed=plan.seed, rules=[fault_rules.name(rule) for rule in plan.rules])

    @property
    def needs_address(self) -> bool:
        """Whether a rule asks whose request it is: finding out costs a signature's recovery."""
        return self.faults.needs_address

    def report(self) -> dict[str, Any]:
        return self.faults.report(mono_ns())

    def clock_offset_ns(self) -> int:
        return self.faults.clock_offset_ns(mono_ns())

    def connect(self) -> Page | None:
        return self.faults.connect(mono_ns())

    async def request(
        self, kind: str, name: str, address: str, carry_out: Callable[[], Awaitable[T]]
    ) -> Passed[T] | Page:
        """The venue's answer, or the page instead of it; raises Vanished when there is none."""
        ordeal = self.faults.request(mono_ns(), kind, name, address)
        await self._wait(ordeal)
        left_s = self.faults.post_only_left_s(mono_ns()) if kind == "action" else 0.0
        if left_s > 0.0:
            self.post_only_for(left_s)
        answers = [await carry_out() for _ in range(ordeal.copies)]
        if ordeal.hang_s is not None:
            await asyncio.sleep(ordeal.hang_s)
            raise Vanished
        if ordeal.page is not None:
            return ordeal.page
        return Passed(answers[0])

    async def _wait(self, ordeal: Ordeal) -> None:
        if ordeal.delay_s:
            await asyncio.sleep(ordeal.delay_s)
        if ordeal.behind:
            entry = ([ordeal.behind], asyncio.Event())
            self._waiting.append(entry)
            try:
                async with asyncio.timeout(HELD_S):
                    await entry[1].wait()
            except TimeoutError:
                log.info("request_held_alone")
            finally:
                if entry in self._waiting:
                    self._waiting.remove(entry)
            return
        for others, turn in self._waiting:
            others[0] -= 1
            if others[0] <= 0:
                turn.set()


def page_text(page: Page) -> tuple[str, str]:
    """(body, content type): HTML as a proxy in front of the venue writes it, else a short text; 429 is `null`."""
    if page.is_html:
        return HTML.format(PHRASES[page.status]), "text/html"
    if page.status == 429:
        return "null", "application/json"
    return PHRASES[page.status], "text/plain"


def post_text(page: Page) -> str:
    """The same as a post over a WebSocket tells it: the HTTP error in words."""
    return page_text(page)[0] if page.is_html else PHRASES[page.status]


class _Question(msgspec.Struct):
    type: str = ""
    user: str = ""


_QUESTION = msgspec.json.Decoder(_Question)


def question(body: bytes) -> tuple[str, str]:
    """(type, account) of an info request, "" for what cannot be read."""
    try:
        asked = _QUESTION.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return "", ""
    return asked.type[:64], asked.user.lower()[:42]
