"""Judge what comes off a stream: decode it, refuse what breaks a contract, drop what was seen, name what is missing.

A pure core: raw entries in, deliveries and gaps out; time comes as data.  A refused entry is counted with a named
reason and changes nothing else.  An entry is `(id, {FIELD: msgpack(Envelope)})`; the field's name carries the schema.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

import msgspec

from common import metrics
from common.bus_types import Delivery, Item, Subscription
from common.errors import BadInput
from common.log import get_log
from common.messages import SCHEMA, AnyMessage, Command, Envelope, Gap, Heartbeat, Verb
from common.streams import CONTROL, STREAM_OF, Kind

EntryId: TypeAlias = tuple[int, int]

FIELD = f"v{SCHEMA}".encode()
BODY_BYTES_MAX = 65_536
AHEAD_MS_MAX = 86_400_000
"""Ids and epochs are wall-clock ms; one more than a day ahead of ours is nobody's clock but somebody's mistake."""

MISSING_MAX = 1_000
"""Sequence numbers of a group stream that may still come late, per key."""

log = get_log("bus")
_DECODER = msgspec.msgpack.Decoder(Envelope)


def parse_id(text: bytes) -> EntryId:
    """`b"1700000000000-3" -> (1700000000000, 3)`."""
    ms, _, number = text.partition(b"-")
    return int(ms), int(number)


def id_text(entry_id: EntryId) -> str:
    return f"{entry_id[0]}-{entry_id[1]}"


def decode(body: bytes) -> Envelope:
    """The envelope in an entry's body; raises BadInput."""
    try:
        return _DECODER.decode(body)
    except msgspec.ValidationError as error:
        raise BadInput("type_or_range", str(error)[:200]) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput("not_msgpack", str(error)[:200]) from None


def decode_fields(fields: list[bytes] | None) -> Envelope:
    """The envelope in an entry's flat list of names and values; raises BadInput."""
    if not fields:
        raise BadInput("trimmed")
    if len(fields) != 2:
        raise BadInput("fields", f"{len(fields) // 2} fields")
    if fields[0] != FIELD:
        raise BadInput("schema", repr(fields[0][:20]))
    if len(fields[1]) > BODY_BYTES_MAX:
        raise BadInput("too_big", f"{len(fields[1])} bytes")
    return decode(fields[1])


@dataclass(slots=True)
class _Line:
    """What is known of one key: the newest entry's id, and the producer's life and count."""

    last_id: EntryId = (0, 0)
    epoch: int = -1
    seq: int = 0
    missing: set[int] = field(default_factory=set)


class Inbox:
    """All keys one service reads."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}
        self._refused: dict[tuple[str, str], int] = {}

    def last_id(self, key: str) -> EntryId:
        """Id of the newest entry handled on `key`; (0, 0) = none."""
        return self._line(key).last_id

    def rewind(self, key: str) -> None:
        """The stream began anew with smaller ids: what comes is judged by producer, epoch and seq alone."""
        self._line(key).last_id = (0, 0)

    def take(
        self,
        subscription: Subscription,
        entry_id: EntryId,
        fields: list[bytes] | None,
        now_ms: int,
        replayed: bool = False,
    ) -> list[Item]:
        """What one entry means for its reader: nothing, a delivery, a gap, or a gap and a delivery."""
        key = subscription.key
        line = self._line(key)
        if entry_id <= line.last_id and not line.missing:
            return []
        try:
            if entry_id[0] > now_ms + AHEAD_MS_MAX:
                raise BadInput("id_ahead", id_text(entry_id))
            if entry_id <= line.last_id:
                return self._late(key, line, decode_fields(fields), replayed)
            line.last_id = entry_id
            envelope = decode_fields(fields)
            _check(subscription, envelope, now_ms)
            gaps = self._follow(subscription, line, envelope, replayed)
        except BadInput as bad:
            self.refuse(key, bad)
            return [Gap(key, subscription.stream.producer(key), 1)] if bad.reason == "trimmed" else []
        delivery = Delivery(key, envelope.producer, envelope.epoch, envelope.seq, envelope.message, replayed)
        return [*gaps, delivery]

    @staticmethod
    def _late(key: str, line: _Line, envelope: Envelope, replayed: bool) -> list[Item]:
        """An entry from before the newest one: either seen, or one of those that were missed."""
        if envelope.epoch != line.epoch or envelope.seq not in line.missing:
            return []
        line.missing.discard(envelope.seq)
        return [Delivery(key, envelope.producer, envelope.epoch, envelope.seq, envelope.message, replayed)]

    def refuse(self, key: str, bad: BadInput) -> None:
        """Count a refusal; log the 1st, 2nd, 4th, 8th ... of a kind, so that a flood cannot fill the disk."""
        metrics.count("amm_bad_input_total", boundary="stream", reason=bad.reason)
        seen = self._refused[key, bad.reason] = self._refused.get((key, bad.reason), 0) + 1
        if seen & (seen - 1) == 0:
            log.warning("entry_refused", stream=key, reason=bad.reason, detail=bad.detail, seen=seen)

    def _line(self, key: str) -> _Line:
        return self._lines.setdefault(key, _Line())

    @staticmethod
    def _follow(subscription: Subscription, line: _Line, envelope: Envelope, replayed: bool) -> list[Item]:
        """Move the producer's count on; raises BadInput for what was seen or is out of date."""
        epoch, seq, kind = envelope.epoch, envelope.seq, subscription.stream.kind
        if epoch < line.epoch:
            raise BadInput("old_epoch", f"{epoch} after {line.epoch}")
        if epoch > line.epoch:
            new_life = line.epoch >= 0 and not replayed
            line.epoch, line.seq = epoch, seq
            line.missing.clear()
            return [Gap(subscription.key, envelope.producer, -1)] if new_life else []
        if seq in line.missing:
            line.missing.discard(seq)
            return []
        if seq <= line.seq:
            raise BadInput("duplicate", f"seq {seq} after {line.seq}")
        missed, before = seq - line.seq - 1, line.seq
        line.seq = seq
        if not missed or kind is Kind.NEWEST:
            return []
        if kind is Kind.GROUP:
            line.missing.update(range(max(before + 1, seq - MISSING_MAX), seq))
            while len(line.missing) > MISSING_MAX:
                line.missing.discard(min(line.missing))
        return [Gap(subscription.key, envelope.producer, missed)]


def _check(subscription: Subscription, envelope: Envelope, now_ms: int) -> None:
    """The writer table: who may say what on this key."""
    key, message, stream = subscription.key, envelope.message, subscription.stream
    if STREAM_OF[type(message)] is not stream:
        raise BadInput("wrong_stream", type(message).__name__)
    if envelope.producer != stream.producer(key):
        raise BadInput("wrong_producer", envelope.producer)
    if envelope.seq < 1:
        raise BadInput("bad_seq", str(envelope.seq))
    if envelope.epoch > now_ms + AHEAD_MS_MAX:
        raise BadInput("epoch_ahead", str(envelope.epoch))
    _check_subject(stream.part(key), envelope.producer, message)


def _check_subject(part: str, producer: str, message: AnyMessage) -> None:
    """The message is about what its key is about, and riskd commands nothing but a kill."""
    stream = STREAM_OF[type(message)]
    if part and not stream.has_many_writers and getattr(message, "coin", part) != part:
        raise BadInput("wrong_coin", str(getattr(message, "coin", "")))
    if isinstance(message, Heartbeat) and message.service != part:
        raise BadInput("wrong_service", message.service)
    if stream is CONTROL and isinstance(message, Command) and producer == "riskd" and message.verb is not Verb.KILL:
        raise BadInput("wrong_verb", message.verb.value)
