"""The judge of stream entries by itself: order, lives, late entries, and limits on what it remembers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from common.bus_types import Delivery, Subscription
from common.inbox import MISSING_MAX, Inbox, id_text, parse_id
from common.messages import Gap
from common.streams import FILLS, HEARTBEAT, MD
from tests.support.messages import COIN, a_fill, a_heartbeat, a_touch, an_entry

FILLS_SUB = Subscription(FILLS, FILLS.of(COIN))
MD_SUB = Subscription(MD, MD.of(COIN))
NOW_MS = 1_700_000_000_000


def fill(inbox: Inbox, number: int, seq: int, epoch: int = 1) -> list[object]:
    """Entry number `number` of the stream, holding fill `seq` of life `epoch`; deliveries by their seq."""
    items = inbox.take(FILLS_SUB, (number, 0), an_entry("executor", epoch, seq, a_fill(seq)), NOW_MS)
    return [item.seq if isinstance(item, Delivery) else item for item in items]


def test_same_entry_twice_is_seen_once() -> None:
    inbox = Inbox()
    assert fill(inbox, 1, 1) == [1]
    assert fill(inbox, 1, 1) == []
    assert inbox.last_id(FILLS_SUB.key) == (1, 0)


def test_older_entry_that_was_missed_is_delivered_and_one_that_was_seen_is_not() -> None:
    """Another process under our name took entry 2 and died: it comes back by its old id."""
    inbox = Inbox()
    assert fill(inbox, 1, 1) == [1]
    assert fill(inbox, 3, 3) == [Gap(FILLS_SUB.key, "executor", 1), 3]
    assert fill(inbox, 1, 1) == []
    assert fill(inbox, 2, 2) == [2]
    assert fill(inbox, 2, 2) == []


def test_older_entry_of_an_older_life_stays_out() -> None:
    inbox = Inbox()
    fill(inbox, 1, 1)
    fill(inbox, 5, 1, epoch=2)
    fill(inbox, 7, 3, epoch=2)
    assert fill(inbox, 3, 2, epoch=1) == []


def test_stream_that_began_anew_is_judged_by_producer_and_place() -> None:
    inbox = Inbox()
    fill(inbox, 9, 1)
    inbox.rewind(FILLS_SUB.key)
    assert fill(inbox, 1, 1) == []
    assert fill(inbox, 2, 2) == [2]


def test_plain_stream_forgets_what_was_missed() -> None:
    inbox = Inbox()
    for number, seq in ((1, 1), (2, 3)):
        inbox.take(MD_SUB, (number, 0), an_entry("feed", 1, seq, a_touch(seq)), NOW_MS)
    assert inbox.take(MD_SUB, (3, 0), an_entry("feed", 1, 2, a_touch(2)), NOW_MS) == []


def test_a_jump_of_the_count_costs_no_memory() -> None:
    inbox = Inbox()
    fill(inbox, 1, 1)
    assert fill(inbox, 2, 2**61) == [Gap(FILLS_SUB.key, "executor", 2**61 - 2), 2**61]
    assert fill(inbox, 3, 2**61 + 5_000)[1] == 2**61 + 5_000
    assert len(inbox._line(FILLS_SUB.key).missing) <= MISSING_MAX


def test_heartbeat_of_one_service_in_anothers_name_is_refused() -> None:
    inbox, sub = Inbox(), Subscription(HEARTBEAT, "hb:feed")
    assert inbox.take(sub, (1, 0), an_entry("feed", 1, 1, a_heartbeat("riskd")), NOW_MS) == []
    assert len(inbox.take(sub, (2, 0), an_entry("feed", 1, 2, a_heartbeat("feed")), NOW_MS)) == 1


def test_wardens_heartbeat_comes_through_the_executor() -> None:
    inbox, sub = Inbox(), Subscription(HEARTBEAT, "hb:warden")
    assert inbox.take(sub, (1, 0), an_entry("warden", 1, 1, a_heartbeat("warden")), NOW_MS) == []
    assert len(inbox.take(sub, (2, 0), an_entry("executor", 1, 1, a_heartbeat("warden")), NOW_MS)) == 1


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_ids_are_read_as_they_are_written(ms: int, number: int) -> None:
    assert parse_id(id_text((ms, number)).encode()) == (ms, number)


@given(st.permutations(range(1, 9)), st.lists(st.integers(0, 7), max_size=6))
def test_every_group_entry_is_delivered_exactly_once_in_any_order_and_however_often(
    order: list[int], again: list[int]
) -> None:
    """Group entries reordered and repeated: each seq is delivered once, and gaps only tell, they never lose."""
    inbox, delivered = Inbox(), []
    fill(inbox, 1, 0 + 1, epoch=0)
    sequence = [*order, *(order[place] for place in again)]
    for number, seq in enumerate(sequence, 2):
        delivered += [item for item in fill(inbox, number, seq) if isinstance(item, int)]
    first = order[0]
    assert sorted(delivered) == sorted(seq for seq in order if seq >= first)
    assert len(set(delivered)) == len(delivered)
