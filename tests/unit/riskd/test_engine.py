"""The risk engine: when it permits, when it reduces, and what kills."""

from __future__ import annotations

import math
import random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.events import Replayed
from common.killfile import Kill
from common.messages import Alert, BookUpdate, Command, FundingPayment, Gap, Mode, RiskPermit, Side, Tick, Touch, Verb
from riskd.engine import RiskEngine
from riskd.events import ClearKill, ClockRate, KillSeen, SaveState, Shown, WriteKill
from riskd.session import Session, load
from tests.unit.riskd.builders import (
    COIN,
    IDENTITY,
    PX,
    T0,
    S,
    World,
    a_position,
    a_running_world,
    a_settings,
    live_settings,
)


# ---------------------------------------------------------------------- starting
def test_nothing_is_permitted_before_the_kill_file_was_looked_at() -> None:
    world = World(looked=False)
    world.account()
    assert world.mode is Mode.PAUSED
    assert "starting" in world.permit.reasons
    world.hear(KillSeen(None))
    assert world.mode is Mode.ACTIVE


def test_without_an_account_nothing_above_paused_is_permitted() -> None:
    world = World()
    assert (world.mode, world.permit.reasons) == (Mode.PAUSED, ["no_account"])
    world.account(reconciled=False)
    assert world.mode is Mode.PAUSED
    world.account()
    assert world.mode is Mode.ACTIVE


def test_an_account_of_an_earlier_life_is_none() -> None:
    world = World()
    world.account(equity=5_000.0, age_s=60.0)
    assert world.mode is Mode.PAUSED
    assert not world.engine.session.began


def test_a_live_system_boots_disarmed_and_paper_arms_itself() -> None:
    live = a_running_world(live_settings())
    assert live.mode is Mode.DISARMED
    live.command(Verb.ARM, 1)
    assert live.mode is Mode.ACTIVE
    assert live.permit.arm_epoch == 1
    assert a_running_world().mode is Mode.ACTIVE


def test_nothing_is_sent_before_market_time_is_known() -> None:
    engine = RiskEngine(a_settings(), Session(), IDENTITY)
    assert engine.on(KillSeen(Kill(1, "x"))) != [], "the latch is taken over and saved"
    assert [one for one in engine.on(ClockRate(1.0)) if isinstance(one, RiskPermit)] == []


# ---------------------------------------------------------------------- the permit
def test_a_permit_every_250_ms_and_it_lives_for_one_and_a_half_seconds() -> None:
    world = a_running_world()
    world.out.clear()
    for _ in range(40):
        world.tick(0.05)
    permits = world.all_of(RiskPermit)
    assert len(permits) == 8
    assert all(p.expires_t_ns - p.t_ns == 1_500_000_000 for p in permits)
    assert len({p.version for p in permits}) == 1, "a renewal repeats its version"


def test_a_faster_market_clock_stretches_the_stamp_only() -> None:
    world = a_running_world()
    world.hear(ClockRate(20.0))
    world.tick(0.3)
    assert world.permit.expires_t_ns - world.permit.t_ns == 30 * S


def test_a_changed_mode_is_told_at_once_with_a_higher_version() -> None:
    world = a_running_world()
    before = world.permit
    new = world.command(Verb.PAUSE)
    (permit,) = [one for one in new if isinstance(one, RiskPermit)]
    assert (permit.mode, permit.version) == (Mode.PAUSED, before.version + 1)


def test_versions_of_a_later_life_are_above_those_of_an_earlier_one() -> None:
    first = a_running_world()
    for _ in range(20):
        first.command(Verb.PAUSE)
        first.command(Verb.RESUME)
    later = World()
    later.tick(5.0)
    later.engine._version = 0
    fresh = World(session=first.engine.session)
    assert fresh.permit.version >= T0 // 1_000_000


def test_limits_follow_equity_and_configuration() -> None:
    world = a_running_world(equity=800.0)
    assert (world.permit.soft_usd, world.permit.hard_usd) == (200.0, 400.0)


def test_every_permit_comes_with_its_figures() -> None:
    world = a_running_world()
    world.account(900.0, used=90.0)
    world.tick(0.3)
    shown = world.all_of(Shown)[-1]
    assert (shown.equity_usd, shown.peak_usd, shown.margin_ratio) == (900.0, 1_000.0, 0.1)
    assert shown.session_pnl_usd == pytest.approx(-100.0)
    assert shown.drawdown == pytest.approx(0.1)
    assert shown.session_loss_limit_usd == pytest.approx(100.0)


# ---------------------------------------------------------------------- ages, gaps, opinions
def test_old_account_data_reduces_and_fresh_data_heals() -> None:
    world = a_running_world()
    for _ in range(6):
        world.touch()
        world.tick(1.0)
    assert world.mode is Mode.REDUCING
    assert "account_old" in world.permit.reasons
    world.account()
    assert world.mode is Mode.ACTIVE


def test_an_executor_that_stays_unreconciled_reduces() -> None:
    world = a_running_world()
    for _ in range(5):
        world.touch()
        world.account(reconciled=False)
        assert world.mode is Mode.ACTIVE, "the executor itself holds meanwhile"
        world.tick(1.0)
    assert world.permit.reasons == ["unreconciled"]
    assert world.mode is Mode.REDUCING


def test_blindness_pauses() -> None:
    world = a_running_world()
    world.tick(3.5)
    assert world.mode is Mode.PAUSED
    assert "market_data_old" in world.permit.reasons
    world.touch()
    world.tick(0.3)
    assert "market_data_old" not in world.permit.reasons


def test_two_opinions_that_differ_for_ten_seconds_reduce_and_alert() -> None:
    world = a_running_world()
    for i in range(13):
        world.account(positions=[a_position(100)])
        world.wallet([a_position(-100)])
        world.touch()
        world.tick(1.0)
        assert (world.mode is Mode.REDUCING) == (i >= 11), i
    assert "position_mismatch" in world.alerts
    world.wallet([a_position(100)])
    world.tick(0.3)
    assert world.mode is Mode.ACTIVE


def test_a_view_that_is_a_moment_behind_is_no_difference() -> None:
    world = a_running_world()
    for i in range(20):
        world.account(positions=[a_position(100 * i)])
        world.wallet([a_position(100 * (i - 1))] if i > 1 else [])
        world.touch()
        world.tick(1.0)
        assert world.mode is Mode.ACTIVE, i


def test_a_silent_monitor_changes_nothing() -> None:
    world = a_running_world()
    world.wallet([a_position(7)])
    for _ in range(15):
        world.account()
        world.touch()
        world.tick(1.0)
    assert world.mode is Mode.ACTIVE


def test_missed_fills_reduce_until_the_account_is_reconciled_again() -> None:
    world = a_running_world()
    world.hear(Gap(f"fills:{COIN}", "executor", 3))
    world.tick(0.3)
    assert world.permit.reasons == ["messages_missed"]
    world.account()
    assert world.mode is Mode.ACTIVE
    world.hear(Gap("md:" + COIN, "feed", 3), Gap(f"fills:{COIN}", "executor", -1))
    world.tick(0.3)
    assert world.mode is Mode.ACTIVE, "market data gaps and a new life of the executor are no loss of fills"


def test_services_of_different_builds_may_not_trade() -> None:
    world = a_running_world()
    world.beat("feed")
    world.tick(0.3)
    assert world.mode is Mode.ACTIVE
    world.beat("executor", build="older")
    world.tick(0.3)
    assert (world.mode, world.permit.reasons) == (Mode.PAUSED, ["builds_differ"])
    for _ in range(6):
        world.touch()
        world.account()
        world.tick(1.0)
    assert world.mode is Mode.ACTIVE, "a service that is gone does not count"


def test_what_is_of_another_market_changes_nothing() -> None:
    world = a_running_world()
    world.hear(world.a_fill(coin="BTC", liquidation=True), Replayed(world.a_fill(coin="BTC")))
    world.hear(Touch(world.t_ns, "BTC", world.t_ns, world.t_ns, 1, 1, 2, 1))
    world.hear(FundingPayment(1, "BTC", 1, 5, 0.0, 0), FundingPayment(1, COIN, 1, 5, 0.0, 0))
    assert (len(world.engine.taker), world.engine.ledger.funding_e8, world.mode) == (0, 5, Mode.ACTIVE)


def test_a_book_is_market_data_too() -> None:
    world = a_running_world()
    world.tick(2.5)
    world.hear(BookUpdate(world.t_ns, COIN, world.t_ns, world.t_ns, [], [], 0, 0, 0, 0))
    world.tick(2.5)
    assert "market_data_old" not in world.permit.reasons


# ---------------------------------------------------------------------- money
def test_a_margin_reduction_goes_on_until_the_info_level() -> None:
    world = a_running_world()
    for used, mode in ((750, Mode.ACTIVE), (870, Mode.REDUCING), (780, Mode.REDUCING), (700, Mode.ACTIVE)):
        world.account(used=float(used))
        assert world.mode is mode, used
    assert {"margin_info", "margin_critical", "margin_high"} >= set(world.alerts)


def test_margin_beyond_ninety_percent_cancels_everything() -> None:
    world = a_running_world()
    world.account(used=910.0)
    assert (world.mode, world.permit.size_scale, world.permit.hard_usd) == (Mode.PAUSED, 0.0, 0.0)
    assert "margin_emergency" in world.alerts


def test_a_drawdown_of_five_percent_from_the_peak_kills_and_latches() -> None:
    world = a_running_world()
    world.account(1_100.0)
    world.account(1_060.0)
    assert "drawdown_high" in world.alerts
    new = world.account(1_044.0)
    assert world.mode is Mode.KILLED
    (kill,) = [one for one in new if isinstance(one, Command)]
    assert (kill.verb, kill.reason, kill.arm_epoch) == (Verb.KILL, "drawdown", 1)
    assert world.file == Kill(1, "drawdown", world.t_ns)
    assert world.saved.kill == world.file
    world.account(1_100.0)
    assert world.mode is Mode.KILLED, "a recovery clears nothing"


def test_the_session_loss_limit_is_the_smaller_of_amount_and_share() -> None:
    small = a_running_world(a_settings(MAX_DRAWDOWN="0.5"), equity=500.0)
    small.account(476.0)
    assert "session_loss_half" not in small.alerts
    small.account(474.0)
    assert "session_loss_half" in small.alerts
    small.account(449.0)
    assert small.engine.control.kill_reason == "session_loss"
    large = a_running_world(a_settings(MAX_DRAWDOWN="0.5"), equity=50_000.0)
    large.account(49_899.0)
    assert large.engine.control.kill_reason == "session_loss"


def test_a_new_day_begins_a_new_session_but_keeps_the_peak() -> None:
    world = a_running_world()
    world.account(975.0)
    world.tick(86_400.0)
    world.touch()
    world.account(975.0)
    session = world.engine.session
    assert (session.start_e8, session.peak_e8) == (975 * 10**8, 1_000 * 10**8)


def test_an_adverse_move_of_the_mark_closes_the_position() -> None:
    world = a_running_world()
    world.account(positions=[a_position(500)])
    world.mark(round(PX * 0.979))
    world.tick(0.3)
    assert (world.mode, world.permit.reasons) == (Mode.REDUCING, ["stop_loss"])
    world.account(positions=[a_position(-500)])
    world.tick(0.3)
    assert world.mode is Mode.ACTIVE
    world.mark(round(PX * 1.021))
    world.tick(0.3)
    assert world.mode is Mode.REDUCING


def test_a_liquidation_kills() -> None:
    world = a_running_world()
    world.hear(world.a_fill(liquidation=True))
    assert world.mode is Mode.KILLED
    assert world.engine.control.kill_label == "liquidation"


# ---------------------------------------------------------------------- taker share
def test_taker_share_counts_from_a_hundred_fills_on() -> None:
    world = a_running_world()
    for _ in range(93):
        world.hear(world.a_fill())
    for _ in range(6):
        world.hear(world.a_fill(taker=True))
    world.tick(0.3)
    assert world.permit.spread_scale == 1.0
    world.hear(world.a_fill())
    world.tick(0.3)
    assert world.permit.spread_scale == 1.5
    assert world.permit.reasons == ["taker_share"]


def test_the_taker_window_is_rebuilt_from_history_and_counts_each_fill_once() -> None:
    world = a_running_world()
    fills = [world.a_fill(taker=i < 30) for i in range(100)]
    for fill in fills + fills:
        world.hear(Replayed(fill))
    world.hear(fills[0], Replayed(FundingPayment(1, COIN, 1, 5, 0.0, 0)), Replayed("nonsense"))
    world.tick(0.3)
    assert world.mode is Mode.PAUSED
    assert len(world.engine.taker) == 100
    world.tick(86_401.0)
    assert world.engine.taker.ratio == 0.0


# ---------------------------------------------------------------------- the streak
def test_three_losing_fills_are_told_five_pause_and_a_good_one_ends_it() -> None:
    world = a_running_world()
    for _ in range(3):
        world.losing_fill()
    assert "streak_fade" in world.permit.reasons
    assert world.mode is Mode.ACTIVE
    world.losing_fill()
    world.losing_fill()
    assert (world.mode, "streak_pause" in world.alerts) == (Mode.PAUSED, True)
    for _ in range(61):
        world.touch()
        world.account()
        world.tick(1.0)
    assert world.mode is Mode.ACTIVE, "the pause is over"
    world.losing_fill(bps=-3.0)
    assert world.engine.session.streak == 0.0
    assert "streak_fade" not in world.permit.reasons


def test_a_score_a_hair_below_zero_is_not_losing() -> None:
    world = a_running_world()
    world.losing_fill(bps=0.1)
    assert world.engine.session.streak == 0.0


def test_sells_lose_when_the_mid_rises_and_both_sides_make_one_streak() -> None:
    world = a_running_world()
    world.losing_fill()
    world.touch()
    world.hear(world.a_fill(side=Side.ASK))
    world.after_fill(round(PX * 1.0005))
    assert world.engine.session.streak == 2.0


def test_ten_losing_fills_kill_only_when_they_cost_something() -> None:
    cheap = a_running_world()
    for _ in range(12):
        cheap.losing_fill(bps=1.0, sz_u=20)  # $15 x 1 bp
    assert cheap.engine.session.kill is None
    dear = a_running_world()
    for i in range(10):
        assert dear.engine.session.kill is None, i
        dear.losing_fill(bps=5.0, sz_u=300)  # $225 x 5 bps = $0.11 each, $1.1 > 0.1 % of $1,000
    assert dear.engine.control.kill_reason == "streak"
    assert dear.saved.kill is not None


def test_the_plain_streak_rule_is_restored_by_zero() -> None:
    base = a_settings()
    plain = base.model_copy(update={"risk": base.risk.model_copy(update={"streak_min_loss_ratio": 0.0})})
    world = a_running_world(plain)
    for _ in range(10):
        world.losing_fill(bps=1.0, sz_u=20)
    assert world.engine.control.kill_reason == "streak"


# ---------------------------------------------------------------------- kill and arm
def test_a_kill_file_kills_whatever_it_says() -> None:
    world = a_running_world()
    world.hear(KillSeen(Kill(4, "smoke")))
    assert (world.mode, world.engine.control.kill_label) == (Mode.KILLED, "file")
    assert world.saved.kill == Kill(4, "smoke")


def test_a_kill_file_that_vanishes_without_an_arm_is_written_again() -> None:
    world = a_running_world()
    world.hear(KillSeen(Kill(4, "smoke")))
    new = world.hear(KillSeen(None))
    assert WriteKill(Kill(4, "smoke")) in new
    assert world.mode is Mode.KILLED


def test_a_kill_that_could_not_be_written_is_tried_again() -> None:
    world = a_running_world()
    world.engine.on(Command(world.t_ns, Verb.KILL, "command-x", 0, "now"))
    for _ in range(3):
        world.t_ns += int(0.3 * S)
        out = world.engine.on(Tick(world.t_ns, world.t_ns - T0 + 50 * S))
        assert any(isinstance(one, WriteKill) for one in out)


def test_only_an_arm_with_a_higher_epoch_clears_a_kill() -> None:
    world = a_running_world()
    world.command(Verb.KILL, 7)
    assert world.mode is Mode.KILLED
    for verb, epoch in ((Verb.ARM, 7), (Verb.ARM, 0), (Verb.RESUME, 99), (Verb.PAUSE, 99)):
        world.command(verb, epoch)
        assert world.mode is Mode.KILLED
    assert "arm_refused" in world.alerts
    world.command(Verb.RESUME)
    new = world.command(Verb.ARM, 8)
    assert any(isinstance(one, ClearKill) for one in new)
    assert (world.mode, world.permit.arm_epoch, world.file) == (Mode.ACTIVE, 8, None)
    assert world.saved.kill is None


def test_arming_begins_a_new_session() -> None:
    world = a_running_world()
    world.account(940.0)
    assert world.mode is Mode.KILLED
    world.command(Verb.ARM, 2)
    assert world.mode is Mode.ACTIVE
    assert world.engine.session.peak_e8 == world.engine.session.start_e8 == 940 * 10**8


@pytest.mark.parametrize("obstacle", ["account", "builds", "margin", "stale"])
def test_an_arm_is_refused_while_something_stands_against_it(obstacle: str) -> None:
    world = a_running_world()
    world.command(Verb.KILL)
    if obstacle == "account":
        world.account(reconciled=False)
    elif obstacle == "builds":
        world.beat("quoter", build="older")
    elif obstacle == "margin":
        world.account(used=950.0)
    else:
        world.tick(10.0)
    world.command(Verb.ARM, 9)
    assert world.mode is Mode.KILLED
    assert "arm_refused" in world.alerts
    unseen = World(looked=False)
    unseen.command(Verb.ARM, 9)
    assert unseen.engine.session.arm_epoch == 1


def test_a_command_counts_once_even_after_a_restart() -> None:
    world = a_running_world()
    world.command(Verb.PAUSE, id="command-once")
    world.command(Verb.RESUME)
    again = World(session=world.saved)
    again.touch()
    again.account()
    again.command(Verb.PAUSE, id="command-once")
    again.tick(0.3)
    assert again.mode is Mode.ACTIVE


def test_drain_reduces_to_flat_and_then_pauses() -> None:
    world = a_running_world()
    world.account(positions=[a_position(100)])
    world.command(Verb.DRAIN)
    assert (world.mode, world.permit.soft_usd) == (Mode.REDUCING, 0.0)
    world.account(positions=[])
    assert world.mode is Mode.PAUSED
    world.command(Verb.RESUME)
    assert world.mode is Mode.ACTIVE


def test_set_may_only_lower_the_size() -> None:
    world = a_running_world()
    world.command(Verb.SET, key="size_scale", value="0.25")
    world.tick(0.3)
    assert world.permit.size_scale == 0.25
    for key, value in (("size_scale", "2"), ("size_scale", "nan"), ("size_scale", "x"), ("hard_usd", "0.5")):
        world.command(Verb.SET, key=key, value=value)
    assert world.permit.size_scale == 0.25
    assert world.alerts.count("set_refused") == 4


# ---------------------------------------------------------------------- surviving
def test_a_crash_resets_neither_drawdown_nor_streak_nor_pause_nor_latch() -> None:
    world = a_running_world()
    world.account(1_100.0)
    world.losing_fill()
    assert world.saved.streak == 1.0, "saved at once"
    world.command(Verb.PAUSE)
    again = World(session=load(world.engine.session.body(), "a"))
    again.touch()
    again.account(1_060.0)
    again.tick(0.3)
    assert again.permit.drawdown == pytest.approx(40 / 1_100)
    assert again.engine.session.streak == 1.0
    assert again.mode is Mode.PAUSED
    world.command(Verb.KILL)
    killed = World(session=load(world.engine.session.body(), "a"))
    killed.account()
    assert killed.mode is Mode.KILLED
    assert killed.file is not None, "the lost kill file is written again"


def test_state_is_saved_soon_after_it_changed_and_not_at_every_tick() -> None:
    world = a_running_world()
    world.tick(1.0)
    world.out.clear()
    for i in range(40):
        world.account(1_000.0 + i)
        world.touch()
        world.tick(0.05)
    assert 1 <= len(world.all_of(SaveState)) <= 3
    world.tick(1.0)
    assert world.saved.peak_e8 == 1_039 * 10**8


def test_a_damaged_state_file_is_a_kill() -> None:
    for body in (b"", b"{", b"[]", b'{"streak": -1}', b'{"peak_e8": "many"}', b"\xff"):
        world = World(session=load(body, "a"))
        world.account()
        assert world.mode is Mode.KILLED
        assert world.file is not None
        world.command(Verb.ARM, 5)
        assert world.mode is Mode.ACTIVE


def test_another_accounts_state_is_not_taken_over() -> None:
    body = Session(account="b", kill=Kill(1, "x"), peak_e8=10**15).body()
    assert load(body, "a") == Session(account="a")
    assert load(None, "a") == Session(account="a")


def test_a_lost_state_file_is_worked_back_from_the_fills() -> None:
    """Bought 1.0 at 752, the mark is at 752 - 40: the session began $40 higher."""
    world = World()
    world.hear(Replayed(world.a_fill(sz_u=1_000)))
    world.mark(PX - 40_000)
    world.account(960.0, positions=[a_position(1_000)])
    assert world.engine.session.start_e8 == 1_000 * 10**8
    assert world.engine.session.drawdown(960 * 10**8) == pytest.approx(0.04)
    unexplained = World()
    unexplained.hear(Replayed(unexplained.a_fill(sz_u=1_000)))
    unexplained.account(960.0, positions=[a_position(7)])
    assert unexplained.engine.session.start_e8 == 960 * 10**8


# ---------------------------------------------------------------------- alerts
def test_a_limit_that_flickers_is_told_once_a_minute() -> None:
    world = a_running_world()
    for i in range(50):
        world.touch()
        world.account(used=820.0 if i % 2 else 100.0)
        world.tick(1.0)
    assert world.alerts.count("margin_high") == 1
    for i in range(40):
        world.touch()
        world.account(used=820.0 if i % 2 else 100.0)
        world.tick(1.0)
    assert world.alerts.count("margin_high") == 2


def test_a_limit_that_holds_is_told_again_after_half_an_hour() -> None:
    world = a_running_world()
    for _ in range(2_000):
        world.touch()
        world.account(used=820.0)
        world.tick(1.0)
    assert world.alerts.count("margin_high") == 2
    alert = next(one for one in world.all_of(Alert) if one.name == "margin_high")
    assert "0.82" in alert.text


# ---------------------------------------------------------------------- no input sequence whatever
def random_event(rng: random.Random, world: World) -> Any:
    def position() -> list[Any]:
        return [] if rng.random() < 0.4 else [a_position(rng.randint(-2_000, 2_000), PX * rng.choice([0.5, 1.0, 2.0]))]

    choices = [
        lambda: world.tick(rng.choice([0.0, 0.05, 0.3, 1.0, 6.0, 100.0, 90_000.0])),
        lambda: world.touch(rng.randint(1_000, 2 * PX)),
        lambda: world.mark(rng.randint(1, 2 * PX)),
        lambda: world.account(
            rng.choice([1_000.0, 990.0, 955.0, 0.0, -50.0, 1e9, rng.uniform(900, 1_100)]),
            used=rng.choice([0.0, 710.0, 860.0, 2_000.0]),
            positions=position(),
            reconciled=rng.random() < 0.8,
            age_s=rng.choice([0.0, 0.0, 0.0, 30.0]),
        ),
        lambda: world.wallet(position()),
        lambda: world.hear(
            world.a_fill(side=rng.choice(list(Side)), taker=rng.random() < 0.3, sz_u=rng.randint(1, 999))
        ),
        lambda: world.hear(Replayed(world.a_fill(t_ns=T0, venue_t_ns=rng.randint(0, 2 * T0)))),
        lambda: world.command(rng.choice(list(Verb)), rng.randint(0, 5), key="size_scale", value=str(rng.random())),
        lambda: world.hear(KillSeen(rng.choice([None, Kill(rng.randint(0, 5), "x")]))),
        lambda: world.beat("quoter", rng.choice(["build", "build", "other"])),
        lambda: world.hear(Gap(f"fills:{COIN}", "executor", rng.randint(-1, 3))),
        lambda: world.hear(ClockRate(rng.choice([1.0, 20.0, 1e-9, 1e4]))),
        lambda: world.losing_fill(rng.uniform(-5, 20)),
    ]
    return rng.choice(choices)()


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**40))
def test_no_sequence_of_inputs_yields_a_permit_beyond_the_rules(seed: int) -> None:
    rng = random.Random(seed)
    world = World(rng.choice([a_settings(), live_settings()]), looked=rng.random() < 0.7)
    risk = world.settings.risk
    for _ in range(40):
        begin = len(world.out)
        random_event(rng, world)
        engine = world.engine
        equity_usd = max(engine.account.equity_e8 / 1e8, 0.0) if engine.account else 0.0
        for one in world.out[begin:]:
            if not isinstance(one, RiskPermit):
                continue
            numbers = (one.size_scale, one.spread_scale, one.soft_usd, one.hard_usd, one.margin_ratio, one.drawdown)
            assert all(math.isfinite(number) and number >= 0.0 for number in numbers)
            msgspec.msgpack.decode(msgspec.msgpack.encode(one), type=RiskPermit)  # every range of the message holds
            assert one.soft_usd <= one.hard_usd <= 1e9
            assert one.expires_t_ns >= one.t_ns
            if one.mode in (Mode.ACTIVE, Mode.REDUCING):
                assert one.hard_usd > 0.0 or equity_usd <= 0.0
        last = [one for one in world.out if isinstance(one, RiskPermit)]
        if last and engine.control.killed:
            assert last[-1].mode is Mode.KILLED
            assert last[-1].hard_usd == last[-1].size_scale == 0.0
        if last and last[-1].mode is not Mode.KILLED and engine.account is not None:
            assert last[-1].hard_usd <= risk.hard_ratio * max(equity_usd, world_peak(world)) + 1e-6


def world_peak(world: World) -> float:
    return world.engine.session.peak_e8 / 1e8


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**40), st.floats(0, 500), st.floats(0, 500))
def test_a_worse_account_never_gets_a_wider_permit(seed: int, loss: float, more_used: float) -> None:
    """Two worlds with one past; the last account of the second is worse."""
    order = [Mode.ACTIVE, Mode.REDUCING, Mode.PAUSED, Mode.DISARMED, Mode.KILLED]
    worlds = []
    for worse in (False, True):
        rng = random.Random(seed)
        world = a_running_world()
        for _ in range(10):
            world.touch()
            world.account(rng.uniform(960, 1_040), used=rng.uniform(0, 900))
            world.tick(0.3)
        equity, used = rng.uniform(960, 1_040), rng.uniform(0, 900)
        world.account(equity - (loss if worse else 0.0), used=used + (more_used if worse else 0.0))
        world.tick(0.3)
        worlds.append(world)
    better, worse_off = (world.permit for world in worlds)
    assert order.index(worse_off.mode) >= order.index(better.mode)
    assert worse_off.size_scale <= better.size_scale
    assert worse_off.soft_usd <= better.soft_usd + 1e-9
    assert worse_off.hard_usd <= better.hard_usd + 1e-9
