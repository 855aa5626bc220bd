"""How a recording lies on disk: checksummed zstd frames, one after the other, in a file that is only ever appended to.

A frame is a header of 32 bytes (magic, version, kind, number in the file, records, payload length, CRC-32 of the
payload, CRC-32 of the header itself) and a zstd payload. Kinds: FACTS (JSON: market, units, clock; repeated, so that
no single frame is needed to read the others), RECORDS, END (the writer closed the file; without it the tail is torn
or still being written). `read` finds every intact frame whatever happened to the bytes between, and says what it
could not read, where, and how many frames are missing. CRC-32 finds every burst of up to 32 bits, so every changed
byte. Bytes in, bytes out: files are opened by others.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

import msgspec
import zstandard

from common.errors import BadInput

MAGIC = b"\x89AMMREC\n"
"""The first byte is no text and the last is a line end, so that a transfer as text breaks it visibly (as in PNG)."""

VERSION = 1
FACTS, RECORDS, END = 1, 2, 3
HEADER = struct.Struct("<8sBBHIIIII")
RAW_BYTES_MAX = 4 << 20
"""Records of one frame before compression; a message of the largest legal size (1 MiB) still fits."""

PAYLOAD_BYTES_MAX = 2 * RAW_BYTES_MAX
ZSTD_LEVEL = 3

TEXT, BINARY, OPENED, CLOSED, LOST = 1, 2, 3, 4, 5
"""What a record is: a message as received; a connection's begin or end; messages that were not recorded (a count)."""

_RECORD = struct.Struct("<qBBII")


class Record(NamedTuple):
    """One thing that happened on a connection; `connection` counts from 1 in each life of the recorder."""

    kind: int
    recv_t_ns: int
    link: str
    connection: int
    body: bytes


class Frame(NamedTuple):
    """An intact frame: where it lies and what is in it (`facts` of FACTS and END, `records` of RECORDS)."""

    offset: int
    length: int
    kind: int
    number: int
    facts: dict[str, Any]
    records: list[Record]


class Damage(NamedTuple):
    """Bytes that are no frame (`length` may be 0 when whole frames are missing); `frames` is -1 where unknown."""

    offset: int
    length: int
    reason: str  # header, checksum, content, torn, missing
    frames: int


Found: TypeAlias = Frame | Damage


# ---------------------------------------------------------------------- writing
class Sealer:
    """Makes the frames of one file, in order; for one thread."""

    def __init__(self) -> None:
        self._zstd = zstandard.ZstdCompressor(level=ZSTD_LEVEL)
        self.number = 0

    def facts(self, facts: dict[str, Any]) -> bytes:
        return self._seal(FACTS, 0, msgspec.json.encode(facts))

    def records(self, records: list[Record]) -> bytes:
        return self._seal(RECORDS, len(records), b"".join(map(_packed, records)))

    def end(self, facts: dict[str, Any]) -> bytes:
        return self._seal(END, 0, msgspec.json.encode(facts))

    def _seal(self, kind: int, count: int, raw: bytes) -> bytes:
        payload = self._zstd.compress(raw)
        start = HEADER.pack(MAGIC, VERSION, kind, 0, self.number, count, len(payload), zlib.crc32(payload), 0)[:-4]
        self.number += 1
        return start + zlib.crc32(start).to_bytes(4, "little") + payload


def size(record: Record) -> int:
    """Bytes of a record before compression."""
    return _RECORD.size + len(record.link) + len(record.body)


def _packed(record: Record) -> bytes:
    link = record.link.encode()
    return (
        _RECORD.pack(record.recv_t_ns, record.kind, len(link), record.connection, len(record.body)) + link + record.body
    )


# ---------------------------------------------------------------------- reading
def read(data: bytes) -> Iterator[Found]:
    """Every intact frame of a file, and between them what is damaged or missing."""
    reader = _Reader(data)
    offset = 0
    while offset < len(data):
        found = reader.frame_at(offset)
        if isinstance(found, str):
            offset = reader.skip(offset, found)
        else:
            yield from reader.accept(found)
            offset = found.offset + found.length
    yield from reader.rest()


class _Reader:
    """One pass over a file: which number is expected, and what could not be read since the last good frame."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._zstd = zstandard.ZstdDecompressor()
        self._expected = 0
        self._bad: Damage | None = None

    def frame_at(self, offset: int) -> Frame | str:
        """The frame that begins there, or the reason why none does."""
        data = self._data
        if len(data) - offset < HEADER.size:
            return "torn" if MAGIC.startswith(data[offset : offset + len(MAGIC)]) else "header"
        magic, version, kind, _, number, count, length, crc, head_crc = HEADER.unpack_from(data, offset)
        if magic != MAGIC or zlib.crc32(data[offset : offset + HEADER.size - 4]) != head_crc:
            return "header"
        begin = offset + HEADER.size
        payload = data[begin : begin + length]
        if len(payload) < length:
            return "torn"
        if zlib.crc32(payload) != crc:
            return "checksum"
        try:
            facts, records = self._content(version, kind, count, payload)
        except (BadInput, zstandard.ZstdError, msgspec.DecodeError, UnicodeDecodeError):
            return "content"
        return Frame(offset, HEADER.size + length, kind, number, facts, records)

    def _content(self, version: int, kind: int, count: int, payload: bytes) -> tuple[dict[str, Any], list[Record]]:
        if version != VERSION or kind not in (FACTS, RECORDS, END):
            raise BadInput("frame_version", f"version {version}, kind {kind}")
        if zstandard.frame_content_size(payload) > PAYLOAD_BYTES_MAX:
            raise BadInput("frame_size", str(zstandard.frame_content_size(payload)))
        raw = self._zstd.decompress(payload, max_output_size=PAYLOAD_BYTES_MAX)
        if kind == RECORDS:
            return {}, _unpacked(raw, count)
        return msgspec.json.decode(raw, type=dict[str, Any]), []

    def skip(self, offset: int, reason: str) -> int:
        """Note unreadable bytes; returns where the next frame may begin."""
        after = self._data.find(MAGIC, offset + 1)
        end = len(self._data) if after < 0 else after
        begin, first = (self._bad.offset, self._bad.reason) if self._bad else (offset, reason)
        self._bad = Damage(begin, end - begin, first, -1)
        return end

    def accept(self, frame: Frame) -> Iterator[Found]:
        """The frame, after what was lost before it; one that was there already is no new one."""
        begins = frame.kind == FACTS and frame.number == 0  # files put together by hand begin again
        missing = 0 if begins else frame.number - self._expected
        if self._bad is not None:
            yield self._bad._replace(frames=max(missing, 0))
        elif missing > 0:
            yield Damage(frame.offset, 0, "missing", missing)
        self._bad = None
        if missing < 0:
            yield Damage(frame.offset, frame.length, "content", 0)
            return
        self._expected = frame.number + 1
        yield frame

    def rest(self) -> Iterator[Found]:
        if self._bad is not None:
            yield self._bad


def _unpacked(raw: bytes, count: int) -> list[Record]:
    records = []
    at = 0
    for _ in range(count):
        if len(raw) - at < _RECORD.size:
            raise BadInput("record", "the frame ends inside a record")
        recv_t_ns, kind, link_length, connection, length = _RECORD.unpack_from(raw, at)
        at += _RECORD.size
        link, body = raw[at : at + link_length], raw[at + link_length : at + link_length + length]
        at += link_length + length
        records.append(Record(kind, recv_t_ns, link.decode(), connection, body))
    if at != len(raw):
        raise BadInput("record", f"{len(raw)} bytes, {at} expected")
    return records


def records_of(found: Iterable[Found]) -> Iterator[Record]:
    """The records of all intact frames."""
    for item in found:
        if isinstance(item, Frame):
            yield from item.records
