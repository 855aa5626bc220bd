"""When the venue is looked at, how thoroughly, and what ends the doubt."""

from __future__ import annotations

import itertools

from common.clock import MS, NS
from executor.events import AskVenue, Clock
from executor.lookout import LOOK_SLOW_NS, PAUSES_NS, WHOLE_NS, Lookout

EVERY_S = 30.0


def at(mono_ns: int) -> Clock:
    return Clock(mono_ns, mono_ns)


def settled(mono_ns: int = 0) -> Lookout:
    """A lookout whose first look agreed."""
    lookout = Lookout(EVERY_S)
    lookout.want("start", 0, at(mono_ns))
    assert lookout.due(at(mono_ns)) == [AskVenue("start", whole=True)]
    lookout.seen("", at(mono_ns))
    assert lookout.doubt == ""
    return lookout


def test_the_first_look_is_whole_and_ends_the_doubt() -> None:
    assert settled().in_control


def test_a_doubt_right_after_a_whole_look_costs_a_small_one() -> None:
    lookout = settled()
    lookout.want("user_stream", 0, at(NS))
    assert lookout.due(at(NS)) == [AskVenue("user_stream", whole=False)]


def test_a_doubt_later_on_is_settled_by_a_whole_look() -> None:
    lookout = settled()
    lookout.want("user_stream", 0, at(WHOLE_NS))
    assert lookout.due(at(WHOLE_NS)) == [AskVenue("user_stream", whole=True)]


def test_looks_that_follow_in_the_same_doubt_are_small() -> None:
    lookout = settled()
    now = 20 * NS
    lookout.want("no_answer", 0, at(now))
    assert lookout.due(at(now)) == [AskVenue("no_answer", whole=True)]
    lookout.seen("strays", at(now))
    now += PAUSES_NS[0]
    assert lookout.due(at(now)) == [AskVenue("strays", whole=False)]


def test_a_whole_look_that_failed_is_whole_again_and_a_small_one_small() -> None:
    lookout = Lookout(EVERY_S)
    lookout.want("start", 0, at(0))
    lookout.due(at(0))
    lookout.failed(at(0))
    now = PAUSES_NS[0]
    assert lookout.due(at(now)) == [AskVenue("start", whole=True)]
    lookout.seen("missing_orders", at(now))
    now += PAUSES_NS[1]
    assert lookout.due(at(now)) == [AskVenue("missing_orders", whole=False)]
    lookout.failed(at(now))
    now += PAUSES_NS[2]
    assert lookout.due(at(now)) == [AskVenue("missing_orders", whole=False)]


def test_the_routine_look_is_whole() -> None:
    lookout = settled()
    now = int(EVERY_S * NS)
    assert lookout.due(at(now - 1)) == []
    assert lookout.due(at(now)) == [AskVenue("routine", whole=True)]


def test_a_lasting_doubt_is_looked_at_less_and_less_often() -> None:
    lookout = settled()
    now, asked = 20 * NS, []
    lookout.want("no_answer", 0, at(now))
    while len(asked) < 6:
        if lookout.due(at(now)):
            asked.append(now)
            lookout.seen("strays", at(now))
        now += NS // 20
    gaps = [after - before for before, after in itertools.pairwise(asked)]
    assert gaps == [*PAUSES_NS, LOOK_SLOW_NS, LOOK_SLOW_NS]


def test_no_look_before_an_earlier_life_can_land_no_more_ends_the_doubt() -> None:
    lookout = Lookout(EVERY_S)
    lookout.past_actions(5 * NS // MS)
    lookout.want("start", 0, at(0))
    lookout.due(at(0))
    lookout.seen("", at(0))
    assert lookout.doubt == "past_actions"
    assert lookout.due(at(4 * NS)) == []
    (look,) = lookout.due(at(20 * NS))
    assert look == AskVenue("past_actions", whole=False)
    lookout.seen("", at(20 * NS))
    assert lookout.doubt == ""
