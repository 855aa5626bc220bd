"""What stands between the feeds and one socket: frames that wait, arrive twice, change places or never come.

`Pipe` keeps the order of what waits and is pure; `Line` adds the event loop's timer. While the plan concerns no frames
and nothing waits, a frame goes straight through. Times are machine time in ns.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from common.clock import NS, mono_ns
from simvenue.faults.faults import UNHARMED, Fate, Faults

HELD_S = 1.0
"""A frame held back goes out after this long although fewer than `by` have passed."""
_CHANNEL = b'{"channel":"'
_COIN = b'"coin":"'


class Pipe:
    """Frames on their way: a delayed one holds up all behind it, one held back lets others pass."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._held: list[tuple[int, int, bytes]] = []  # (others still to pass, latest time, frame)

    @property
    def is_empty(self) -> bool:
        return not self._waiting and not self._held

    def put(self, now_ns: int, frame: bytes, fate: Fate) -> None:
        if fate.copies == 0:
            return
        if fate.behind:
            late_ns = now_ns + int((HELD_S + fate.delay_s) * NS)
            self._held.extend([(fate.behind, late_ns, frame)] * fate.copies)
            return
        due_ns = now_ns + int(fate.delay_s * NS)
        if self._waiting:
            due_ns = max(due_ns, self._waiting[-1][0])
        self._waiting.extend([(due_ns, frame)] * fate.copies)
        self._passed(due_ns)

    def due(self, now_ns: int) -> list[bytes]:
        """What goes out now, in order."""
        for late in [held for held in self._held if held[1] <= now_ns]:
            self._held.remove(late)
            self._waiting.append((now_ns, late[2]))
        out = []
        while self._waiting and self._waiting[0][0] <= now_ns:
            out.append(self._waiting.popleft()[1])
        return out

    def next_ns(self) -> int | None:
        """When something is due, None while the pipe is empty."""
        times = [held[1] for held in self._held]
        if self._waiting:
            times.append(self._waiting[0][0])
        return min(times, default=None)

    def _passed(self, due_ns: int) -> None:
        """One frame has passed those held back; whose turn it is now follows right behind."""
        left = [(others - 1, late_ns, frame) for others, late_ns, frame in self._held]
        self._held = [held for held in left if held[0] > 0]
        self._waiting.extend((due_ns, frame) for others, _, frame in left if others <= 0)


class Socket(Protocol):
    """What a line leads to."""

    def push(self, frame: bytes) -> None: ...
    def cut(self) -> None: ...


class Line:
    """One client of the feeds; `follows` are the accounts it has subscribed to."""

    def __init__(self, number: int, socket: Socket, faults: Callable[[], Faults]) -> None:
        self.number = number
        self.follows: set[str] = set()
        self._socket = socket
        self._faults = faults
        self._pipe = Pipe()
        self._timer: asyncio.TimerHandle | None = None
        self._silent_until_ns = 0

    @property
    def is_silent(self) -> bool:
        return mono_ns() < self._silent_until_ns

    def push(self, frame: bytes) -> None:
        faults = self._faults()
        if not faults.touches_frames and self._pipe.is_empty and not self._silent_until_ns:
            self._socket.push(frame)
            return
        now_ns = mono_ns()
        fate = faults.frame(now_ns, self.number, *named(frame), self.follows) if faults.touches_frames else UNHARMED
        if fate.cut:
            self._socket.cut()
            return
        if fate.silent_s:
            self._silent_until_ns = max(self._silent_until_ns, now_ns + int(fate.silent_s * NS))
        if now_ns < self._silent_until_ns:
            return
        self._pipe.put(now_ns, frame, fate)
        self._drain()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._faults().gone(self.number)

    def _drain(self) -> None:
        now_ns = mono_ns()
        for frame in self._pipe.due(now_ns):
            self._socket.push(frame)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        next_ns = self._pipe.next_ns()
        if next_ns is not None:
            self._timer = asyncio.get_running_loop().call_later((next_ns - now_ns) / NS, self._drain)


def named(frame: bytes) -> tuple[str, str]:
    """(channel, coin) of a frame of ours, "" where it has none; the greeting is of no channel."""
    channel = _word(frame, len(_CHANNEL)) if frame.startswith(_CHANNEL) else ""
    place = frame.find(_COIN)
    return channel, _word(frame, place + len(_COIN)) if place >= 0 else ""


def _word(frame: bytes, begin: int) -> str:
    return frame[begin : frame.index(b'"', begin)].decode()
