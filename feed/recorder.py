"""The recorder: every frame the venue sends goes to disk as it came, and never at the cost of quoting.

The feed's loop only appends to a queue (`take`); a thread of its own packs, compresses and writes a frame every
`flush_s`. The queue is bounded: when a disk stalls for longer than it holds, messages are dropped, counted, and the
recording says how many. Any failure of the disk (full, low on room, broken) ends the recording until the feed starts
again, is counted and told; the feed goes on. What lies on disk is `disk.py`'s and `common/frames.py`'s.
"""

from __future__ import annotations

import asyncio
import errno
import threading
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from common.clock import NS, mono_ns
from common.frames import BINARY, CLOSED, LOST, OPENED, TEXT, Record
from feed.disk import Disk, DiskLow
from feed.events import Closed, Frame, Opened

CLOSE_S = 3.0
"""How long a stop waits for the disk; a hung one loses its last frames."""

FLUSH_BYTES = 1 << 20
"""More than this waiting: the thread is woken before its time."""


class Figures(NamedTuple):
    """What the recorder has done so far; `stopped` is "" while it records, else one word for why not."""

    messages: int
    bytes: int
    dropped: Mapping[str, int]
    lag_s: float
    stopped: str
    detail: str


class _Waiting(NamedTuple):
    kind: int
    recv_t_ns: int
    link: str
    connection: int
    body: str | bytes
    mono_ns: int


class Recorder:
    """`take` from the loop; a thread of its own writes."""

    def __init__(self, disk: Disk, now_ns: Callable[[], int], *, flush_s: float, buffer_bytes: int) -> None:
        self._disk = disk
        self._now_ns = now_ns
        self._flush_s = flush_s
        self._buffer_bytes = buffer_bytes
        self._queue: deque[_Waiting] = deque()  # appended by the loop, taken from by the thread
        self._bytes_in = 0  # the loop's
        self._bytes_out = 0  # the thread's
        self._heard = 0
        self._dropped = 0  # for want of room in the queue
        self._lost = 0  # of these, not yet told in the recording
        self._in_hand_mono_ns = 0  # the oldest the thread is writing
        self._connections: dict[str, int] = {}
        self._wake = threading.Event()
        self._closing = False
        self._stopped, self._detail = "", ""
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    # ------------------------------------------------------------------ the loop's
    def start(self) -> None:
        self._thread.start()

    def describe(self, facts: Mapping[str, Any]) -> None:
        """What the files say of their market and clock from the next FACTS frame on."""
        self._disk.facts = dict(facts)

    def take(self, event: Frame | Opened | Closed) -> None:
        """Keep what a socket just said or did; returns at once, raises nothing."""
        match event:
            case Frame():
                kind = TEXT if isinstance(event.text, str) else BINARY
                self._add(kind, event.recv_t_ns, event.link, event.text, event.mono_ns)
            case Opened():
                self._connections[event.link] = self._connections.get(event.link, 0) + 1
                self._add(OPENED, self._now_ns(), event.link, b"", event.mono_ns)
            case Closed():
                self._add(CLOSED, self._now_ns(), event.link, b"", event.mono_ns)

    def figures(self) -> Figures:
        """What came and is neither on disk nor waiting was dropped."""
        disk, stopped = self._disk, self._stopped
        dropped = {"buffer": self._dropped, "stopped": self._heard - self._dropped - disk.messages if stopped else 0}
        oldest = 0 if stopped else self._in_hand_mono_ns or self._oldest_waiting()
        lag_s = (mono_ns() - oldest) / NS if oldest else 0.0
        return Figures(disk.messages, disk.bytes, dropped, lag_s, stopped, self._detail)

    def _oldest_waiting(self) -> int:
        try:
            return self._queue[0].mono_ns
        except IndexError:  # the thread may just have taken the last one
            return 0

    async def close(self) -> None:
        """Write what waits and end the file properly; nothing is taken any more."""
        self._closing = True
        self._wake.set()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join, CLOSE_S)

    def _add(self, kind: int, recv_t_ns: int, link: str, body: str | bytes, at_mono_ns: int) -> None:
        if self._closing:
            return
        is_message = kind in (TEXT, BINARY)
        self._heard += is_message
        if self._stopped:
            return
        if is_message and self._bytes_in - self._bytes_out + len(body) > self._buffer_bytes:
            self._lost += 1
            self._dropped += 1
            return
        connection = self._connections.get(link, 0)
        if self._lost:
            self._put(_Waiting(LOST, recv_t_ns, link, connection, b"%d" % self._lost, at_mono_ns))
            self._lost = 0
        self._put(_Waiting(kind, recv_t_ns, link, connection, body, at_mono_ns))

    def _put(self, waiting: _Waiting) -> None:
        self._bytes_in += len(waiting.body)
        self._queue.append(waiting)
        if self._bytes_in - self._bytes_out > FLUSH_BYTES:
            self._wake.set()

    # ------------------------------------------------------------------ the thread's
    def _run(self) -> None:
        try:
            while not self._closing:
                self._wake.wait(self._flush_s)
                self._wake.clear()
                self._flush()
            self._flush()
            self._disk.close()
        except OSError as error:
            self._disk.give_up()
            self._stop(_word(error), str(error))
        except Exception:
            self._disk.give_up()
            self._stop("fault", traceback.format_exc(limit=-3))

    def _flush(self) -> None:
        """Everything that waits now, as frames."""
        records = []
        weight = 0
        self._in_hand_mono_ns = self._oldest_waiting()
        while self._queue:
            waiting = self._queue.popleft()
            records.append(_record(waiting))
            weight += len(waiting.body)
        if records:
            self._disk.write(records)
            self._bytes_out += weight
        self._in_hand_mono_ns = 0

    def _stop(self, reason: str, detail: str) -> None:
        self._detail, self._stopped = detail, reason
        self._queue.clear()


def _record(waiting: _Waiting) -> Record:
    text = waiting.body
    body = text if isinstance(text, bytes) else text.encode(errors="surrogatepass")
    return Record(waiting.kind, waiting.recv_t_ns, waiting.link, waiting.connection, body)


def _word(error: OSError) -> str:
    if isinstance(error, DiskLow):
        return "low_room"
    return "disk_full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "disk_error"
