"""Ask a simulated venue for its clock: `GET /sim/clock`, strictly decoded."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import aiohttp
import msgspec
from msgspec import Meta

from common.clock import ClockReading, mono_ns
from common.errors import BadInput, LinkDown

TIMEOUT_S = 2.0
ANSWER_BYTES_MAX = 4_096

_Ns: TypeAlias = Annotated[int, Meta(ge=-(2**62), le=2**62)]


class _Answer(msgspec.Struct, frozen=True):
    origin_ns: _Ns
    rate: Annotated[float, Meta(gt=0.0, le=1e4)]
    now_ns: Annotated[int, Meta(ge=0, le=2**62)]
    session_offset_ns: _Ns
    cut_ns: _Ns


async def read_clock(client: aiohttp.ClientSession, venue_url: str) -> tuple[ClockReading, int, int]:
    """The venue's clock and our machine time before and after asking; raises LinkDown or BadInput."""
    asked_ns = mono_ns()
    try:
        async with client.get(f"{venue_url}/sim/clock", allow_redirects=False) as reply:
            body = await reply.content.read(ANSWER_BYTES_MAX)
            answered_ns = mono_ns()
            if reply.status != 200:
                raise BadInput("clock_status", str(reply.status))
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise LinkDown(f"{venue_url}/sim/clock: {type(error).__name__}") from error
    return parse_clock(body), asked_ns, answered_ns


def parse_clock(body: bytes) -> ClockReading:
    """Raises BadInput for anything but the five numbers in their ranges."""
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except msgspec.ValidationError as error:
        raise BadInput("clock_range", str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput("clock_not_json", str(error)) from None
    return ClockReading(answer.origin_ns, answer.rate, answer.now_ns, answer.session_offset_ns, answer.cut_ns)


def clock_client() -> aiohttp.ClientSession:
    """A client that gives up after TIMEOUT_S and uses no proxy."""
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S), trust_env=False)
