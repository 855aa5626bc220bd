"""Write one service's streams: stamp, queue, pipeline, and on doubt send the same entry under the same id again.

A stream has one producer, so ids are ours to give: wall-clock ms and a number, never smaller than what the stream
holds.  A link that breaks after a command was sent leaves doubt; "equal or smaller" then means "already written",
after the stored body has been compared.  Market data and targets are worthless when late and are dropped after
KEEP_S; group entries wait for the link, up to a limit.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from common import metrics, replies
from common.bus_types import CommandError, Wire
from common.errors import BadInput, LinkDown
from common.inbox import AHEAD_MS_MAX, FIELD, EntryId, decode_fields, id_text
from common.link import RETRY_S, Wiring
from common.log import get_log
from common.messages import AnyMessage, Envelope
from common.streams import STREAM_OF, Kind, Stream, route

KEEP_NS = 1_500_000_000
"""Older PLAIN and NEWEST entries are dropped, not written: their readers have given them up by then."""

KEPT_MAX = 20_000
"""Entries that may wait for a broken link; the oldest go first.  At 40 actions a market minute: hours."""

BATCH_MAX = 256
DOUBTS_MAX = 3

log = get_log("bus")
_encode = msgspec.msgpack.Encoder().encode


@dataclass(slots=True)
class _Line:
    """One of our streams: the newest id given, and our life and count on it; `opened` once Redis was asked."""

    key: str
    stream: Stream
    epoch: int
    seq: int = 0
    last_id: EntryId = (0, 0)
    opened: bool = False

    def next_id(self, now_ms: int) -> EntryId:
        ms, number = self.last_id
        self.last_id = (now_ms, 0) if now_ms > ms else (ms, number + 1)
        return self.last_id


@dataclass(slots=True)
class _Entry:
    line: _Line
    seq: int
    message: AnyMessage
    queued_ns: int
    epoch: int
    body: bytes = field(repr=False)
    id: EntryId | None = None
    doubts: int = 0
    written: bool = False


class Writer:
    """Queue on one side, one connection on the other; `run` moves entries until `stop` and the queue is empty."""

    def __init__(self, wiring: Wiring) -> None:
        self._service = wiring.service
        self._connect = wiring.connect
        self._link = wiring.link
        self._now_ms = wiring.now_ms
        self._mono_ns = wiring.mono_ns
        self._epoch = wiring.now_ms()
        self._lines: dict[str, _Line] = {}
        self._queue: deque[_Entry] = deque()
        self._work = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._stopping = asyncio.Event()
        self._wire: Wire | None = None
        self._link.expect("writer")

    # ------------------------------------------------------------------ for the bus
    def put(self, messages: Iterable[AnyMessage]) -> None:
        """Queue messages; each gets its place in its stream now, so that a dropped one leaves a gap others see."""
        try:
            for message in messages:
                self._queue.append(self._entry(message))
        finally:
            if self._queue:
                self._idle.clear()
                self._work.set()
        if len(self._queue) > KEPT_MAX:
            self._drop_oldest()

    def _entry(self, message: AnyMessage) -> _Entry:
        key = route(self._service, message)
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = _Line(key, STREAM_OF[type(message)], self._epoch)
            metrics.count("amm_stream_dropped_total", 0, stream=key)  # so that the first drop is an increase
        body = _encode(Envelope(self._service, line.epoch, line.seq + 1, message))
        line.seq += 1
        return _Entry(line, line.seq, message, self._mono_ns(), line.epoch, body)

    async def flush(self, timeout_s: float) -> bool:
        try:
            async with asyncio.timeout(timeout_s):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    def stop(self) -> None:
        self._stopping.set()
        self._work.set()

    async def run(self) -> None:
        while self._queue or not self._stopping.is_set():
            try:
                wire = await self._connected()
                if not self._queue:
                    await self._work.wait()
                self._work.clear()
                await self._write(wire)
            except (LinkDown, CommandError) as error:
                await self._lost(error)
                if self._stopping.is_set():
                    break
                await self._pause()
        await self._close()

    # ------------------------------------------------------------------ the link
    async def _connected(self) -> Wire:
        if self._wire is None:
            wire = await self._connect()
            try:
                await wire.call("PING")
            except (LinkDown, CommandError):
                await wire.close()
                raise
            self._wire = wire
            self._link.ok("writer")
        return self._wire

    async def _lost(self, error: Exception) -> None:
        self._link.down("writer", str(error))
        await self._close()

    async def _close(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            await wire.close()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(RETRY_S):
                await self._stopping.wait()
        except TimeoutError:
            self._drop_late()

    # ------------------------------------------------------------------ entries
    async def _write(self, wire: Wire) -> None:
        """Write one batch; what is not known to be written goes back to the head of the queue, in order."""
        self._drop_late()
        batch = [self._queue.popleft() for _ in range(min(len(self._queue), BATCH_MAX))]
        if not batch:
            return
        try:
            for line in {id(e.line): e.line for e in batch if not e.line.opened}.values():
                await self._open(wire, line)
            replies = await wire.pipeline([self._command(entry) for entry in batch])
            self._link.ok("writer")
            for entry, reply in zip(batch, replies, strict=True):
                entry.written = not isinstance(reply, CommandError)
            for entry, reply in zip(batch, replies, strict=True):
                if not entry.written:
                    await self._settle(wire, entry, reply)
        finally:
            self._queue.extendleft(entry for entry in reversed(batch) if not entry.written)
            if not self._queue:
                self._idle.set()

    def _command(self, entry: _Entry) -> tuple[Any, ...]:
        line, stream = entry.line, entry.line.stream
        if entry.id is None:
            entry.id = line.next_id(self._now_ms())
            if entry.epoch != line.epoch:
                entry.epoch = line.epoch
                entry.body = _encode(Envelope(self._service, line.epoch, entry.seq, entry.message))
        if stream.kind is Kind.GROUP:
            trim: tuple[Any, ...] = ("MINID", "~", f"{max(self._now_ms() - stream.keep_s * 1000, 0)}-0")
        else:
            trim = ("MAXLEN", "~", stream.maxlen)
        return ("XADD", line.key, *trim, id_text(entry.id), FIELD, entry.body)

    async def _open(self, wire: Wire, line: _Line) -> None:
        """Begin where the stream ends: after its newest id, in a life after its last one."""
        try:
            newest = replies.entries(await wire.call("XREVRANGE", line.key, "+", "-", "COUNT", 1))
        except CommandError as error:
            if "WRONGTYPE" not in str(error):
                raise
            newest = []
            await self._begin_anew(wire, line, "wrong_type")
        if newest:
            line.epoch = max(line.epoch, self._epoch_after(newest[0][1]))
            await self._go_after(wire, line, newest[0][0])
        line.opened = True

    def _epoch_after(self, fields: list[bytes] | None) -> int:
        """One more than the newest entry's epoch, if that is a sane one of ours (the wall clock was set back)."""
        try:
            envelope = decode_fields(fields)
        except BadInput:
            return 0
        sane = envelope.producer == self._service and envelope.epoch < self._now_ms() + AHEAD_MS_MAX
        return envelope.epoch + 1 if sane else 0

    async def _settle(self, wire: Wire, entry: _Entry, error: CommandError) -> None:
        """A refused XADD: already written, an id that is taken, a key that is no usable stream, or a real no."""
        entry.doubts += 1
        text = str(error)
        if entry.doubts > DOUBTS_MAX:
            raise error
        if "equal or smaller" in text and entry.id is not None:
            place = id_text(entry.id)
            stored = replies.entries(await wire.call("XRANGE", entry.line.key, place, place))
            if stored and stored[0][1] == [FIELD, entry.body]:
                entry.written = True
                return
            await self._take_newer_id(wire, entry.line)
        elif "last possible ID" in text or "WRONGTYPE" in text:
            await self._begin_anew(wire, entry.line, "id_ahead" if "ID" in text else "wrong_type")
        else:
            raise error
        entry.id = None
        self._work.set()

    async def _take_newer_id(self, wire: Wire, line: _Line) -> None:
        """Somebody else wrote to our stream: count it and go on after what he wrote."""
        _refused(line.key, "id_taken")
        info = replies.facts(await wire.call("XINFO", "STREAM", line.key))
        await self._go_after(wire, line, replies.entry_id(info.get("last-generated-id")))

    async def _go_after(self, wire: Wire, line: _Line, newest: EntryId) -> None:
        """Our next id comes after `newest`, unless that is nobody's clock."""
        if newest[0] > self._now_ms() + AHEAD_MS_MAX:
            await self._begin_anew(wire, line, "id_ahead")
        else:
            line.last_id = max(line.last_id, newest)

    async def _begin_anew(self, wire: Wire, line: _Line, reason: str) -> None:
        """Our key cannot be written any more (a string, or ids at the end of time): replace it.

        Redis is transport, so its history may go; readers find their group gone and make it again.  Our ids go on
        rising, so that no reader takes a new entry for one it has seen.
        """
        _refused(line.key, reason)
        await wire.call("DEL", line.key)

    # ------------------------------------------------------------------ dropping
    def _drop_late(self) -> None:
        """Forget PLAIN and NEWEST entries that waited longer than KEEP_NS."""
        oldest_ns = self._mono_ns() - KEEP_NS
        if not self._queue or self._queue[0].queued_ns >= oldest_ns:
            return
        kept: deque[_Entry] = deque()
        for entry in self._queue:
            if entry.queued_ns < oldest_ns and entry.line.stream.kind is not Kind.GROUP:
                metrics.count("amm_stream_dropped_total", stream=entry.line.key)
            else:
                kept.append(entry)
        self._queue = kept
        if not kept:
            self._idle.set()

    def _drop_oldest(self) -> None:
        lost = [self._queue.popleft() for _ in range(len(self._queue) - KEPT_MAX)]
        for entry in lost:
            metrics.count("amm_stream_dropped_total", stream=entry.line.key)
        if any(entry.line.stream.kind is Kind.GROUP for entry in lost):
            log.error("entries_dropped", reason="the link was down too long", entries=len(lost), kept=KEPT_MAX)


def _refused(key: str, reason: str) -> None:
    metrics.count("amm_bad_input_total", boundary="stream", reason=reason)
    log.warning("own_stream_spoiled", stream=key, reason=reason)
