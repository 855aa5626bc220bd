"""When the warden cancels, and when it does not."""

from __future__ import annotations

from common.clock import NS
from executor.vigil import AGAIN_NS, FIRST_NS, GOODBYE_NS, SETTLE_NS, SILENCE_NS, State, Vigil

T = 1_000 * NS


def test_a_healthy_executor_never_makes_it_fire() -> None:
    vigil = Vigil(T)
    for i in range(10_000):
        vigil.on_beat(T + i * NS // 5)
        vigil.on_tick(T + i * NS // 5 + NS)
    assert vigil.state is State.ARMED
    assert vigil.fires == 0


def test_silence_for_two_seconds_fires() -> None:
    vigil = Vigil(T)
    vigil.on_beat(T)
    vigil.on_tick(T + SILENCE_NS)
    assert not vigil.must_cancel
    vigil.on_tick(T + SILENCE_NS + 1)
    assert vigil.must_cancel


def test_nobody_heard_at_the_start_fires_once() -> None:
    vigil = Vigil(T)
    vigil.on_tick(T + FIRST_NS)
    assert not vigil.must_cancel
    vigil.on_tick(T + FIRST_NS + 1)
    assert vigil.must_cancel
    zero(vigil, T + FIRST_NS + 1)
    vigil.on_tick(T + 100 * FIRST_NS)
    assert vigil.state is State.DONE


def zero(vigil: Vigil, at: int) -> None:
    """The venue shows nothing now, and nothing when no action can land any more."""
    vigil.on_shown(0, at, at)
    vigil.on_shown(0, at + SETTLE_NS, at + SETTLE_NS)


def test_what_was_shown_and_cancelled_is_as_good_as_a_first_zero() -> None:
    vigil = Vigil(T)
    vigil.on_kill(True, T)
    vigil.on_shown(3, T, T)
    vigil.on_cancelled()
    assert vigil.next_look_ns(T) == SETTLE_NS
    vigil.on_shown(0, T + SETTLE_NS, T + SETTLE_NS)
    assert vigil.state is State.DONE


def test_it_is_done_only_after_a_second_zero_that_is_late_enough() -> None:
    vigil = Vigil(T)
    vigil.on_kill(True, T)
    vigil.on_shown(3, T, T)
    vigil.on_shown(0, T + NS, T + NS)
    assert vigil.must_cancel
    assert vigil.next_look_ns(T + NS) == SETTLE_NS - NS
    vigil.on_shown(0, T + 2 * NS, T + 2 * NS)
    assert vigil.must_cancel
    vigil.on_shown(1, T + SETTLE_NS, T + SETTLE_NS)  # a late order landed
    assert vigil.next_look_ns(T + SETTLE_NS) == NS // 2
    vigil.on_shown(0, T + SETTLE_NS, T + SETTLE_NS)
    vigil.on_shown(0, T + 2 * SETTLE_NS, T + 2 * SETTLE_NS)
    assert vigil.state is State.DONE


def test_a_beat_ends_the_firing() -> None:
    vigil = Vigil(T)
    vigil.on_beat(T)
    vigil.on_tick(T + 3 * NS)
    vigil.on_beat(T + 4 * NS)
    assert vigil.state is State.ARMED


def test_a_goodbye_disarms_for_20_seconds() -> None:
    vigil = Vigil(T)
    vigil.on_beat(T)
    vigil.on_goodbye(T + NS)
    vigil.on_tick(T + NS + GOODBYE_NS)
    assert vigil.state is State.DISARMED
    vigil.on_tick(T + NS + GOODBYE_NS + 1)
    assert vigil.must_cancel


def test_a_kill_file_fires_although_beats_go_on() -> None:
    vigil = Vigil(T)
    vigil.on_beat(T)
    vigil.on_kill(True, T)
    vigil.on_beat(T + 1)
    vigil.on_goodbye(T + 2)
    assert vigil.must_cancel
    zero(vigil, T)
    assert vigil.state is State.DONE
    vigil.on_tick(T + SETTLE_NS + AGAIN_NS + 1)
    assert vigil.must_cancel  # looked at again while the file stays


def test_when_the_kill_file_goes_it_waits_for_beats_again() -> None:
    vigil = Vigil(T)
    vigil.on_kill(True, T)
    zero(vigil, T)
    vigil.on_kill(False, T + 10 * NS)
    assert vigil.state is State.WAITING
    vigil.on_beat(T + 11 * NS)
    assert vigil.state is State.ARMED


def test_what_is_shown_while_nothing_is_to_be_cancelled_changes_nothing() -> None:
    vigil = Vigil(T)
    vigil.on_beat(T)
    vigil.on_shown(5, T, T)
    assert vigil.state is State.ARMED
