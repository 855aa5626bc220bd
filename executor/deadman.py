"""The line between executor and warden: datagrams on a unix socket in the run folder.

The executor says every 200 ms, and after each action that places orders, that it lives, what it trades and what may
rest; the warden answers each one. Silence is what the warden acts on, so the line needs no connection, no order and no
retry. Formats and the executor's end are here, the
warden's decisions are in `warden.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from common.errors import ConfigError

WARDEN_SOCKET = "warden.sock"
EXECUTOR_SOCKET = "warden-reply.sock"
BEAT_S = 0.2
CLOID = r"^0x[0-9a-f]{32}\Z"
PATH_BYTES_MAX = 100
DATAGRAM_BYTES_MAX = 8_192
ORDERS_MAX = 160
"""Orders named in one beat: twice as many as two sides of 20 levels with as many on their way out."""

READ_MAX = 64
"""Datagrams read in one turn of the loop."""


class Beat(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Executor -> warden: alive in life `epoch`; the markets it trades, the address of its agent, what may rest.

    `orders` are (asset id, cloid), so that the first thing the warden does costs no look at the venue.
    """

    epoch: Annotated[int, Meta(ge=0)]
    seq: Annotated[int, Meta(ge=0)]
    assets: Annotated[list[tuple[str, int]], Meta(max_length=64)]
    agent: Annotated[str, Meta(max_length=42)]
    orders: Annotated[list[tuple[int, Annotated[str, Meta(pattern=CLOID)]]], Meta(max_length=ORDERS_MAX)]


class Goodbye(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Executor -> warden: a planned end, after its last cancel."""

    epoch: Annotated[int, Meta(ge=0)]


class Heard(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Warden -> executor: heard beat `seq`; `state` is one word for people."""

    seq: Annotated[int, Meta(ge=0)]
    state: Annotated[str, Meta(max_length=32)]


ENCODE = msgspec.msgpack.Encoder().encode
TO_WARDEN = msgspec.msgpack.Decoder(Beat | Goodbye)
TO_EXECUTOR = msgspec.msgpack.Decoder(Heard)


class Line:
    """One bound end of the line; what arrives is handed on with the path of its sender."""

    def __init__(self, path: Path, hear: Callable[[bytes, str], None]) -> None:
        """Bind `path`, taking the place of a dead owner's socket; raises ConfigError when that cannot be."""
        if len(bytes(path)) > PATH_BYTES_MAX:
            raise ConfigError(f"RUN_DIR: {path} is too long for a socket ({PATH_BYTES_MAX} bytes): use a shorter one")
        self._hear = hear
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            self._socket.bind(str(path))
            path.chmod(0o600)
        except OSError as error:
            self._socket.close()
            raise ConfigError(f"RUN_DIR: {path} cannot be used: {error.strerror}") from None
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._read)

    def _read(self) -> None:
        for _ in range(READ_MAX):
            try:
                data, sender = self._socket.recvfrom(DATAGRAM_BYTES_MAX)
            except (BlockingIOError, InterruptedError, ConnectionError):
                return
            self._hear(data, sender or "")

    def send(self, data: bytes, path: str) -> None:
        """Best effort: an absent or slow peer is no error here, its silence is what counts."""
        with contextlib.suppress(OSError):
            self._socket.sendto(data, path)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()
