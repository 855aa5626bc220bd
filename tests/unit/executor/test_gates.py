"""When orders may rest, when nothing new may go out, and when everything goes."""

from __future__ import annotations

import msgspec
import pytest

from common.clock import NS
from common.messages import Level, Mode
from executor.events import Clock
from executor.gates import Gates, Stance
from tests.unit.executor.builders import MID_U, MONO0, T0, a_ladder, a_permit, settings


def now(after_s: float = 0.0, *, market_s: float | None = None, rate: float = 1.0) -> Clock:
    market = after_s * rate if market_s is None else market_s
    return Clock(T0 + int(market * NS), MONO0 + int(after_s * NS), rate)


def gates(**changes: object) -> Gates:
    """Everything is in order at T0."""
    found = Gates(settings().execution)
    found.on_ladder(a_ladder(ttl_s=100.0), now())
    found.on_permit(a_permit(ttl_s=100.0), now())
    found.on_stream(True, now())
    found.facts_known = True
    for name, value in changes.items():
        setattr(found, name, value)
    return found


def test_all_in_order_quotes() -> None:
    assert gates().judge(now()) == (Stance.QUOTE, "")


@pytest.mark.parametrize(
    ("after_s", "stance"),
    [(0.75, Stance.QUOTE), (0.7501, Stance.HOLD), (1.5, Stance.HOLD), (1.5001, Stance.CANCEL), (60.0, Stance.CANCEL)],
)
def test_age_of_ladder_and_permit_decides(after_s: float, stance: Stance) -> None:
    assert gates().judge(now(after_s, market_s=0.0))[0] is stance


def test_either_age_is_enough() -> None:
    only_permit = gates()
    only_permit.on_ladder(a_ladder(2, ttl_s=100.0), now(2.0, market_s=0.0))
    assert only_permit.judge(now(2.0, market_s=0.0)) == (Stance.CANCEL, "permit_old")
    only_ladder = gates()
    only_ladder.on_permit(a_permit(2, ttl_s=100.0), now(2.0, market_s=0.0))
    assert only_ladder.judge(now(2.0, market_s=0.0)) == (Stance.CANCEL, "ladder_old")


def test_ages_are_machine_time_whatever_the_speed_of_the_market() -> None:
    fast = gates()
    assert fast.judge(now(0.5, rate=20.0))[0] is Stance.HOLD  # the market message is 10 market seconds old
    fast.on_ladder(a_ladder(t_ns=T0 + 10 * NS, ttl_s=100.0), now(0.5, rate=20.0))
    assert fast.judge(now(0.5, rate=20.0))[0] is Stance.QUOTE


def test_a_renewal_refreshes_the_age() -> None:
    found = gates()
    found.on_ladder(a_ladder(ttl_s=100.0), now(1.0, market_s=0.0))
    found.on_permit(a_permit(2, ttl_s=100.0), now(1.0, market_s=0.0))
    assert found.judge(now(1.7, market_s=0.0))[0] is Stance.QUOTE


def test_an_expired_message_refreshes_nothing() -> None:
    found = gates()
    late = now(1.0)
    assert found.on_ladder(a_ladder(2, ttl_s=0.5), late) == "ladder_expired"
    assert found.on_permit(a_permit(2, ttl_s=0.5), late) == "permit_expired"
    assert found.judge(now(1.6, market_s=0.0))[0] is Stance.CANCEL


def test_an_expiry_in_market_time_holds() -> None:
    found = gates()
    found.on_permit(a_permit(2, ttl_s=0.4), now())
    assert found.judge(now(0.5)) == (Stance.HOLD, "permit_aging")


def test_an_older_version_is_refused() -> None:
    found = gates()
    found.on_ladder(a_ladder(5), now())
    assert found.on_ladder(a_ladder(4), now()) == "ladder_version"
    found.on_permit(a_permit(5), now())
    assert found.on_permit(a_permit(4), now()) == "permit_version"


def test_a_new_life_of_the_producer_starts_versions_anew() -> None:
    found = gates()
    found.on_ladder(a_ladder(5), now())
    found.forget_ladder()
    assert found.judge(now())[0] is Stance.CANCEL
    assert found.on_ladder(a_ladder(1), now()) is None
    found.forget_permit()
    assert found.on_permit(a_permit(1), now()) is None


def test_a_renewal_may_not_change_the_levels() -> None:
    found = gates()
    assert found.on_ladder(a_ladder(1, MID_U + 50), now()) == "ladder_version"


@pytest.mark.parametrize(
    "changes",
    [
        {"bids": [Level(10, 1), Level(11, 1)]},
        {"bids": [Level(10, 1), Level(10, 1)]},
        {"asks": [Level(11, 1), Level(10, 1)]},
        {"bids": [Level(MID_U + 200, 1)]},
    ],
)
def test_a_ladder_out_of_order_is_refused(changes: dict[str, list[Level]]) -> None:
    assert gates().on_ladder(a_ladder(2, **changes), now()) == "ladder_shape"  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", [Mode.DISARMED, Mode.PAUSED, Mode.KILLED])
def test_modes_without_trading_cancel(mode: Mode) -> None:
    found = gates()
    found.on_permit(a_permit(2, mode), now())
    assert found.judge(now()) == (Stance.CANCEL, mode.value)


def test_reducing_trades() -> None:
    found = gates()
    found.on_permit(a_permit(2, Mode.REDUCING), now())
    assert found.judge(now())[0] is Stance.QUOTE
    assert found.reducing


@pytest.mark.parametrize(
    ("changes", "stance", "why"),
    [
        ({"stopping": True}, Stance.CANCEL, "stopping"),
        ({"latched": (1, "x")}, Stance.CANCEL, "killed"),
        ({"kill_file": True}, Stance.CANCEL, "killed"),
        ({"journal_ok": False}, Stance.CANCEL, "journal"),
        ({"paused": True}, Stance.CANCEL, "paused"),
        ({"facts_known": False}, Stance.HOLD, "market_unknown"),
        ({"spec_agrees": False}, Stance.HOLD, "spec_differs"),
    ],
)
def test_each_reason_to_stop(changes: dict[str, object], stance: Stance, why: str) -> None:
    assert gates(**changes).judge(now()) == (stance, why)


def test_doubt_about_the_account_holds() -> None:
    assert gates().judge(now(), "redis") == (Stance.HOLD, "unreconciled_redis")


def test_blindness_to_fills_holds_and_then_cancels() -> None:
    found = gates()
    found.on_stream(False, now())
    found.on_stream(False, now(0.5))
    assert found.judge(now(0.5, market_s=0.0)) == (Stance.HOLD, "user_stream")
    found.on_ladder(a_ladder(ttl_s=100.0), now(3.1, market_s=0.0))
    found.on_permit(a_permit(2, ttl_s=100.0), now(3.1, market_s=0.0))
    assert found.judge(now(3.1, market_s=0.0)) == (Stance.CANCEL, "user_stream")


def test_a_ladder_on_old_market_data_holds() -> None:
    found = gates()
    ladder = msgspec.structs.replace(a_ladder(2, ttl_s=100.0), venue_t_ns=T0 - 2 * NS)
    found.on_ladder(ladder, now())
    assert found.judge(now()) == (Stance.HOLD, "market_old")


def test_a_clock_that_jumped_back_is_no_freshness() -> None:
    assert gates().judge(now(-1.0, market_s=0.0))[0] is Stance.CANCEL


def test_nothing_known_cancels() -> None:
    assert Gates(settings().execution).judge(now())[0] is Stance.CANCEL
