"""Recordings survive whatever happens to their bytes: every damage is found, and costs only the frames it lies in."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from common import frames
from common.frames import HEADER, MAGIC, Damage, Frame, Record, Sealer, read, records_of

T0 = 1_780_000_000_000_000_000
FACTS = {"coin": "km:US500", "sz_decimals": 3}


def a_record(k: int, body: bytes | None = None) -> Record:
    return Record(frames.TEXT, T0 + k, "main" if k % 3 else "deep", 1 + k // 7, body or b'{"channel":"x","k":%d}' % k)


def a_file(frames_of: Sequence[int] = (3, 1, 4), *, closed: bool = True) -> tuple[bytes, list[list[Record]]]:
    """Facts, frames with so many records each, and an end; the records by frame."""
    sealer = Sealer()
    data = sealer.facts(FACTS)
    batches = []
    for n in frames_of:
        batches.append([a_record(sum(map(len, batches)) + k) for k in range(n)])
        data += sealer.records(batches[-1])
    return data + (sealer.end({"frames": sealer.number}) if closed else b""), batches


def flat(batches: Sequence[list[Record]]) -> list[Record]:
    return [record for batch in batches for record in batch]


def damages(data: bytes) -> list[Damage]:
    return [item for item in read(data) if isinstance(item, Damage)]


def spans(data: bytes) -> list[tuple[int, int]]:
    """Where each frame begins and ends."""
    return [(item.offset, item.offset + item.length) for item in read(data) if isinstance(item, Frame)]


def test_what_was_written_is_read() -> None:
    data, batches = a_file()
    found = list(read(data))
    assert [item.kind for item in found if isinstance(item, Frame)] == [frames.FACTS, *[frames.RECORDS] * 3, frames.END]
    assert found[0].facts == FACTS  # type: ignore[union-attr]
    assert list(records_of(found)) == flat(batches)
    assert damages(data) == []


def test_empty_file_holds_nothing() -> None:
    assert list(read(b"")) == []


def test_text_beyond_ascii_and_binary_come_back() -> None:
    body = "µ €".encode() + bytes(range(256))
    sealer = Sealer()
    assert list(records_of(read(sealer.records([a_record(1, body)])))) == [a_record(1, body)]


def survivors(batches: Sequence[list[Record]], spans_: Sequence[tuple[int, int]], at: int) -> list[Record]:
    """The records of the frames that do not hold byte `at` (frame 0 is the facts)."""
    return flat([batch for k, batch in enumerate(batches) if not spans_[k + 1][0] <= at < spans_[k + 1][1]])


def test_every_single_changed_byte_is_found_and_costs_only_its_frame() -> None:
    data, batches = a_file()
    where = spans(data)
    for at in range(len(data)):
        for mask in (0x01, 0x80, 0xFF):
            spoilt = data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]
            found = list(read(spoilt))
            assert list(records_of(found)) == survivors(batches, where, at), at
            (bad,) = [item for item in found if isinstance(item, Damage)]
            assert bad.offset <= at < bad.offset + bad.length, at
            assert bad.frames == (-1 if at >= where[-1][0] else 1), at


@given(st.integers(0, 10**9), st.integers(1, 40), st.randoms())
def test_any_spoilt_stretch_is_found_and_costs_only_its_frames(at: int, length: int, rng: object) -> None:
    data, batches = a_file((2, 5, 1, 3))
    at %= len(data)
    hit = range(at, min(at + length, len(data)))
    noise = bytes(data[k] ^ rng.randrange(1, 256) for k in hit)  # type: ignore[attr-defined]
    found = list(read(data[:at] + noise + data[at + len(noise) :]))
    where = spans(data)
    kept = [b for k, b in enumerate(batches) if where[k + 1][1] <= hit[0] or where[k + 1][0] > hit[-1]]
    assert list(records_of(found)) == flat(kept)
    assert any(isinstance(item, Damage) for item in found)


def test_every_truncation_is_seen_and_loses_only_the_torn_frame() -> None:
    data, batches = a_file()
    where = spans(data)
    for end in range(len(data)):
        found = list(read(data[:end]))
        whole = [batch for k, batch in enumerate(batches) if where[k + 1][1] <= end]
        assert list(records_of(found)) == flat(whole), end
        assert not any(isinstance(item, Frame) and item.kind == frames.END for item in found)
        at_a_border = end in {0, *(stop for _, stop in where)}
        torn = [item for item in found if isinstance(item, Damage)]
        assert [item.reason for item in torn] == ([] if at_a_border else ["torn"]), end


@given(st.integers(0, 10**9), st.binary(min_size=1, max_size=60))
def test_bytes_put_in_between_cost_at_most_the_frame_they_split(at: int, junk: bytes) -> None:
    data, batches = a_file()
    at %= len(data)
    found = list(read(data[:at] + junk + data[at:]))
    where = spans(data)
    split = [batch for k, batch in enumerate(batches) if not where[k + 1][0] < at < where[k + 1][1]]
    assert list(records_of(found)) == flat(split)
    assert damages(data[:at] + junk + data[at:])


@given(st.integers(0, 10**9), st.integers(1, 200))
@example(176, 43)
def test_bytes_taken_out_cost_only_the_frames_they_belonged_to(at: int, length: int) -> None:
    data, batches = a_file((2, 5, 1, 3))
    at %= len(data)
    end = min(at + length, len(data))
    left, n = data[:at] + data[end:], end - at
    cuts = [cut for cut in range(len(data) - n + 1) if data[:cut] + data[cut + n :] == left]  # who can tell them apart?
    where = spans(data)
    kept = [
        b for k, b in enumerate(batches) if any(where[k + 1][1] <= cut or where[k + 1][0] >= cut + n for cut in cuts)
    ]
    found = list(read(left))
    assert list(records_of(found)) == flat(kept)
    assert any(isinstance(item, Damage) for item in found) or not closed(found)


def closed(found: Sequence[Frame | Damage]) -> bool:
    return isinstance(found[-1], Frame) and found[-1].kind == frames.END if found else False


def test_a_whole_frame_taken_out_is_missed_by_its_number() -> None:
    data, _ = a_file((3, 1, 4))
    begin, end = spans(data)[2]
    assert damages(data[:begin] + data[end:]) == [Damage(begin, 0, "missing", 1)]


def test_a_frame_that_is_there_twice_counts_once() -> None:
    data, batches = a_file((3, 1, 4))
    begin, end = spans(data)[2]
    found = list(read(data[:end] + data[begin:]))
    assert list(records_of(found)) == flat(batches)
    assert [item.reason for item in found if isinstance(item, Damage)] == ["content"]


def test_files_put_together_are_read_as_one() -> None:
    first, batches = a_file((2,))
    second, more = a_file((3,))
    assert list(records_of(read(first + second))) == flat([*batches, *more])
    assert damages(first + second) == []


def test_magic_inside_a_message_is_no_frame() -> None:
    sealer = Sealer()
    record = a_record(0, MAGIC * 3 + bytes(HEADER.size))
    data = sealer.records([record]) + sealer.records([a_record(1)])
    assert list(records_of(read(data))) == [record, a_record(1)]


@pytest.mark.parametrize("length", [5, 31, 4096])
def test_tail_of_zeros_after_a_power_cut_is_damage(length: int) -> None:
    data, batches = a_file(closed=False)
    found = list(read(data + bytes(length)))
    assert list(records_of(found)) == flat(batches)
    assert [(item.offset, item.length) for item in found if isinstance(item, Damage)] == [(len(data), length)]


def test_frame_of_a_later_version_is_not_guessed_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "VERSION", 2)
    data, _ = a_file((1,))
    monkeypatch.undo()
    assert [item.reason for item in damages(data)] == ["content"]


@given(st.binary(max_size=400))
def test_any_bytes_are_read_without_an_error(data: bytes) -> None:
    assert list(records_of(read(data))) == []


@given(st.lists(st.tuples(st.integers(0, 2**63 - 1), st.text(max_size=8), st.integers(0, 2**32 - 1), st.binary())))
def test_any_record_comes_back(rows: list[tuple[int, str, int, bytes]]) -> None:
    records = [Record(frames.TEXT, t_ns, link, connection, body) for t_ns, link, connection, body in rows]
    assert list(records_of(read(Sealer().records(records)))) == records
