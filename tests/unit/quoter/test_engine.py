"""Events in, ladders out: when we quote, when we stop, and what is worth telling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from common.events import BatchEnd, Link, Replayed
from common.markout import Scored
from common.messages import Alert, Command, Gap, Ladder, Liquidity, Mode, Side, Tick, Touch, Verb
from quoter.engine import QuoteEngine
from quoter.events import Figures, Model, Refused, Stop
from quoter.state import I_ADVERSE_N, I_RING_N, S_FORECAST, S_FORECAST_SD
from tests.unit.quoter.builders import NS, PX, Desk
from tests.unit.quoter.test_forecast import a_card


@pytest.fixture
def desk() -> Desk:
    return Desk().start()


def is_empty(ladder: Ladder) -> bool:
    return not ladder.bids and not ladder.asks


# ---------------------------------------------------------------------- the first quote
def test_the_first_batch_with_everything_known_gives_a_two_sided_ladder(desk: Desk) -> None:
    ladder = desk.ladder
    assert ladder.bids
    assert ladder.asks
    assert ladder.reasons == []
    assert ladder.bids[0].px_u < PX < ladder.asks[0].px_u
    assert ladder.coin == "km:US500"
    assert ladder.venue_t_ns == desk.t_ns
    assert ladder.expires_t_ns == ladder.t_ns + 1_500_000_000
    assert desk.engine.mood == "quoting"


def test_a_ladder_carries_the_numbers_it_was_made_from(desk: Desk) -> None:
    inputs = desk.ladder.inputs
    assert inputs is not None
    assert inputs.mid_px == PX
    assert inputs.floor_bid_bps == pytest.approx(2.7667, abs=1e-3)
    assert (inputs.half_lo_bps, inputs.half_hi_bps, inputs.vol_known) == (10, 50, False)  # too little data
    assert inputs.is_liquid
    assert inputs.profile == "tiered"


def test_every_ladder_survives_the_wire(desk: Desk) -> None:
    encoder, decoder = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(Ladder)
    desk.live(3.0)
    assert desk.ladders
    for ladder in desk.ladders:
        assert decoder.decode(encoder.encode(ladder)) == ladder


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ("spec", "no_spec"), ("context", "no_oracle"), ("account", "no_account"), ("permit", "no_permit"),
        ("book", "no_data"),
    ],
)  # fmt: skip
def test_nothing_is_quoted_while_something_is_unknown(missing: str, reason: str) -> None:
    desk = Desk()
    makers: dict[str, Callable[[], Any]] = {
        "spec": desk.spec, "context": desk.context, "account": desk.account, "permit": desk.permit, "book": desk.book,
    }  # fmt: skip
    desk.send(*(make() for name, make in makers.items() if name != missing))
    assert is_empty(desk.ladder)
    assert reason in desk.ladder.reasons
    desk.send(makers[missing]())
    desk.wait(0.6)
    assert not is_empty(desk.ladder)


def test_before_the_first_tick_nothing_is_sent() -> None:
    desk = Desk()
    events = [desk.spec(), desk.context(), desk.account(), desk.permit(), desk.book(), BatchEnd(0, 0)]
    assert [out for event in events for out in desk.engine.on(event)] == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"fee_ppb": None}, "no_fee"), ({"equity_usd": 0.0}, "no_equity"), ({"equity_usd": -5.0}, "no_equity")],
)
def test_an_unknown_fee_or_no_equity_ends_quoting(desk: Desk, changes: dict[str, Any], reason: str) -> None:
    desk.send(desk.account(**changes))
    desk.wait(0.6)
    assert is_empty(desk.ladder)
    assert desk.ladder.reasons == [reason]


def test_a_delisted_market_is_not_quoted_and_a_person_hears_of_it(desk: Desk) -> None:
    desk.send(desk.spec(is_delisted=True))
    desk.wait(0.6)
    assert desk.ladder.reasons == ["delisted"]
    assert [alert.name for alert in desk.found(Alert)] == ["MarketDelisted"]


def test_lean_waits_for_a_model_and_measures_its_gate_in_the_models_deviation() -> None:
    desk = Desk(kind="lean").start()
    assert is_empty(desk.ladder)
    assert desk.ladder.reasons == ["no_forecast"]
    desk.wait(0.1, Model(a_card(forecast_deviation_bps=1e-9)), desk.permit(), desk.book(PX + 100))
    for step in range(4):
        desk.live(3.0, mid_u=PX + 100 + 10 * step)
    assert desk.engine.state[S_FORECAST_SD] == 1e-9
    assert desk.engine.state[S_FORECAST] > 0.0
    assert desk.ladder.bids
    assert desk.ladder.reasons == ["ask_side_gate"]
    assert desk.ladder.inputs is not None
    assert desk.ladder.inputs.profile == "lean"


# ---------------------------------------------------------------------- renewal and hold
def test_an_unchanged_ladder_is_renewed_under_its_version(desk: Desk) -> None:
    first = desk.ladder
    desk.live(1.3, step_s=0.05)
    renewals = desk.ladders
    assert len(renewals) == 3  # every 0.4 s
    assert {r.version for r in renewals} == {first.version}
    assert all(r.bids == first.bids and r.asks == first.asks for r in renewals)
    assert [r.expires_t_ns - r.t_ns for r in renewals] == [1_500_000_000] * 3
    assert renewals[0].t_ns < renewals[1].t_ns


def test_an_empty_ladder_is_renewed_too() -> None:
    desk = Desk().send()
    desk.wait(0.9)
    assert len(desk.ladders) == 2
    assert all(is_empty(ladder) for ladder in desk.ladders)


def test_a_move_within_hold_bps_is_not_published_a_larger_one_is(desk: Desk) -> None:
    version = desk.ladder.version
    desk.wait(0.1, desk.book(PX + 20))  # 0.27 bps
    assert desk.ladder.version == version
    desk.wait(0.1, desk.book(PX + 200))
    assert desk.ladder.version > version
    assert not desk.ladder.urgent


def test_after_order_max_age_even_a_move_within_hold_is_published_and_nothing_that_would_not_move(desk: Desk) -> None:
    desk.live(140.0)  # volatility is known, the ladder at rest
    version = desk.ladder.version
    desk.live(12.0)
    assert desk.ladder.version == version
    desk.live(0.5, mid_u=PX + 20)
    assert desk.ladder.version > version
    version = desk.ladder.version
    desk.live(1.5, mid_u=PX + 30)
    assert desk.ladder.version == version


def test_a_touch_is_enough_to_move(desk: Desk) -> None:
    before = desk.ladder
    desk.mono_s += 0.1
    desk.send(desk.touch(PX + 290, PX + 310))
    assert desk.ladder.bids[0].px_u > before.bids[0].px_u


def test_a_jump_of_the_book_is_urgent(desk: Desk) -> None:
    desk.wait(0.1, desk.book(PX + 800))  # 10.6 bps
    assert desk.ladder.urgent
    desk.wait(0.1, desk.permit(), desk.book(PX + 1000))
    assert not desk.ladder.urgent


def test_versions_rise_even_across_lives(desk: Desk) -> None:
    later = Desk()
    later.mono_s = 5.0
    later.start()
    assert later.ladder.version > desk.ladder.version


def test_one_decision_a_batch(desk: Desk) -> None:
    desk.mono_s += 0.1
    desk.send(*(desk.book(PX + shift, venue_t_ns=desk.t_ns + shift) for shift in (100, 300, 200)))
    assert len(desk.ladders) == 1
    assert desk.ladder.inputs is not None
    assert desk.ladder.inputs.mid_px == PX + 300  # the newest by the venue's time, not the last to come


def test_equal_events_give_equal_ladders() -> None:
    runs = []
    for _ in range(2):
        desk = Desk().start()
        desk.live(5.0)
        desk.send(desk.fill(Side.BID, 100))
        desk.live(5.0, mid_u=PX - 300)
        runs.append(desk.ladders)
    assert runs[0] == runs[1]


# ---------------------------------------------------------------------- age
def test_old_data_empties_the_ladder_at_once(desk: Desk) -> None:
    for _ in range(6):
        desk.wait(0.25, desk.permit())
    assert not is_empty(desk.ladder)
    desk.wait(0.1, desk.permit())
    assert is_empty(desk.ladder)
    assert desk.ladder.reasons == ["stale_data"]
    desk.wait(0.1, desk.permit(), desk.book())
    assert not is_empty(desk.ladder)


def test_a_pause_of_our_own_process_does_not_withdraw_quotes_when_fresh_data_wait_to_be_read(desk: Desk) -> None:
    desk.mono_s += 1.6
    desk.send(desk.permit(), desk.book())
    assert all(ladder.bids and ladder.asks for ladder in desk.ladders)


def test_in_doubt_the_old_ladder_is_not_renewed(desk: Desk) -> None:
    desk.mono_s += 1.6
    assert desk.engine.on(Tick(desk.t_ns, desk.mono_ns)) == []
    desk.wait(0.05)
    assert is_empty(desk.ladder)


def test_a_book_that_comes_late_from_the_venue_is_stale_whenever_it_was_received(desk: Desk) -> None:
    desk.mono_s += 2.0
    late = desk.t_ns - 1_600_000_000
    desk.send(desk.permit(), desk.book(venue_t_ns=late))
    assert desk.ladder.reasons == ["stale_venue"]


@pytest.mark.parametrize(("late_s", "stale"), [(7.4, False), (7.6, True)])
def test_the_market_time_bound_grows_with_a_quarter_of_the_rate(late_s: float, stale: bool) -> None:
    desk = Desk(rate=20.0).start()
    desk.live(2.0)
    desk.mono_s += 0.5
    desk.send(desk.permit(), desk.book(venue_t_ns=desk.t_ns - round(late_s * NS)))
    assert is_empty(desk.ladder) is stale


def test_a_faster_market_expires_its_ladders_later_in_market_time() -> None:
    desk = Desk(rate=20.0).start()
    desk.live(2.0)
    assert desk.ladder.expires_t_ns - desk.ladder.t_ns == 30 * NS


# ---------------------------------------------------------------------- permit and commands
@pytest.mark.parametrize("mode", [Mode.PAUSED, Mode.KILLED, Mode.DISARMED])
def test_without_leave_nothing_is_quoted(desk: Desk, mode: Mode) -> None:
    desk.wait(0.1, desk.permit(mode))
    assert is_empty(desk.ladder)
    assert desk.ladder.reasons == [mode.value]
    assert desk.engine.mood == mode.value


def test_a_permit_that_is_not_renewed_ends_quoting(desk: Desk) -> None:
    for _ in range(7):
        desk.wait(0.25, desk.book())
    assert desk.ladder.reasons == ["permit_expired"]


def test_an_old_permit_read_at_start_gives_no_leave() -> None:
    desk = Desk()
    old = desk.permit()
    desk.mono_s = 60.0
    desk.send(desk.spec(), desk.context(), desk.account(), old, desk.book())
    assert desk.ladder.reasons == ["permit_expired"]


def test_reducing_quotes_only_what_makes_the_position_smaller(desk: Desk) -> None:
    desk.send(desk.fill(Side.BID, 200))
    desk.wait(0.1, desk.permit(Mode.REDUCING), desk.book())
    assert not desk.ladder.bids
    assert sum(level.sz_u for level in desk.ladder.asks) == 200
    assert "bid_reducing" in desk.ladder.reasons


def test_the_permits_scales_reach_the_ladder_at_once(desk: Desk) -> None:
    before = desk.ladder
    desk.wait(0.1, desk.permit(size_scale=0.5))
    halved = desk.ladder
    assert sum(level.sz_u for level in halved.bids) < 0.6 * sum(level.sz_u for level in before.bids)
    desk.wait(0.1, desk.permit(spread_scale=2.0))
    assert desk.ladder.bids[0].px_u < before.bids[0].px_u


@pytest.mark.parametrize("verb", [Verb.PAUSE, Verb.KILL])
def test_a_persons_stop_counts_before_riskd_has_heard_it(desk: Desk, verb: Verb) -> None:
    desk.wait(0.1, Command(desk.t_ns, verb, "12345678", 1, "test"))
    assert desk.ladder.reasons == [f"command_{verb.value}"]
    desk.wait(0.3, desk.permit(), desk.book())
    assert is_empty(desk.ladder)  # that permit may be riskd's last word before the command
    desk.live(1.5)
    assert not is_empty(desk.ladder)


def test_a_resume_is_riskds_business(desk: Desk) -> None:
    version = desk.ladder.version
    desk.wait(0.1, Command(desk.t_ns, Verb.RESUME, "12345678", 1, "test"))
    assert desk.ladder.version == version


def test_a_stop_withdraws_everything_for_good(desk: Desk) -> None:
    out = desk.engine.on(Stop())
    assert [ladder.reasons for ladder in out if isinstance(ladder, Ladder)] == [["stopping"]]
    desk.live(1.0)
    assert is_empty(desk.ladder)


# ---------------------------------------------------------------------- fills and position
def test_a_fill_adapts_the_ladder_at_once(desk: Desk) -> None:
    before = desk.ladder
    desk.mono_s += 0.01
    desk.send(desk.fill(Side.BID, 300))
    assert desk.ladder.version > before.version
    assert sum(level.sz_u for level in desk.ladder.bids) < sum(level.sz_u for level in before.bids)


def test_the_floor_told_is_the_one_the_innermost_level_obeys(desk: Desk) -> None:
    desk.send(desk.fill(Side.BID, 300))
    inputs = desk.ladder.inputs
    assert inputs is not None
    assert inputs.floor_bid_bps == pytest.approx(2.7667, abs=1e-3)
    assert inputs.floor_ask_bps == pytest.approx(0.4, abs=1e-3)


def test_beyond_the_soft_cap_the_growing_side_is_withheld_and_said_so(desk: Desk) -> None:
    desk.send(desk.fill(Side.BID, 340))  # 256 USD of 250
    assert not desk.ladder.bids
    assert desk.ladder.asks
    assert desk.ladder.reasons == ["bid_one_sided"]


def test_history_rebuilds_the_position_without_scoring_it(desk: Desk) -> None:
    desk.send(Replayed(desk.fill(Side.BID, 340)), Replayed(desk.order(Side.BID, PX - 10, 5)))
    assert desk.engine.inventory.position_u == 340
    assert desk.engine.markouts.waiting == 0
    assert desk.ladder.reasons == ["bid_one_sided"]


def test_a_lasting_disagreement_about_the_position_ends_quoting_and_is_reported(desk: Desk) -> None:
    desk.send(desk.fill(Side.BID, 100))
    desk.mono_s += 0.1
    desk.send(desk.account(position_u=40))
    desk.live(4.5)
    assert not is_empty(desk.ladder)
    desk.live(1.5)
    assert desk.ladder.reasons == ["position_disagrees"]
    assert [alert.name for alert in desk.found(Alert)] == ["PositionDisagrees"]
    desk.send(desk.account())
    desk.live(1.0)
    assert not is_empty(desk.ladder)


def test_a_difference_that_stays_is_taken_over_and_reported(desk: Desk) -> None:
    desk.send(desk.fill(Side.BID, 100))
    desk.mono_s += 0.1
    desk.send(desk.account(position_u=40))
    desk.live(22.0)
    assert not is_empty(desk.ladder)
    assert desk.engine.inventory.position_u == 40
    assert [alert.name for alert in desk.found(Alert)] == ["PositionDisagrees", "PositionTakenOver"]


def test_a_bad_streak_of_fills_widens_that_side(desk: Desk) -> None:
    desk.live(130.0, step_s=1.0)
    before = desk.ladder.inputs
    for _ in range(3):
        desk.send(desk.fill(Side.BID, 20))
        desk.send(desk.fill(Side.ASK, 20))
        desk.live(7.0, step_s=1.0, mid_u=PX - 100)
        desk.live(1.0)
    after = desk.ladder.inputs
    assert before is not None
    assert after is not None
    assert before.fade_bid == 1.0
    assert after.fade_bid > 2.0
    assert after.fade_ask == 1.0


def test_fills_are_scored_and_takers_teach_nothing(desk: Desk) -> None:
    desk.send(desk.fill(Side.BID, 20, liquidity=Liquidity.TAKER), desk.fill(Side.ASK, 20))
    desk.live(62.0, step_s=1.0, mid_u=PX - 100)
    scored = desk.found(Scored)
    assert {(s.fill.side, s.horizon_s) for s in scored} == {(s, h) for s in Side for h in (1, 5, 30, 60)}
    assert [int(desk.engine.ints[I_RING_N + s]) for s in (0, 1)] == [0, 1]
    assert [int(desk.engine.ints[I_ADVERSE_N + s]) for s in (0, 1)] == [0, 1]


def test_our_own_quote_is_not_taken_for_the_market(desk: Desk) -> None:
    bid = desk.ladder.bids[0]
    desk.mono_s += 0.1
    far = desk.book(bids=[(PX - 1000, 20_000)])
    desk.send(desk.order(Side.BID, bid.px_u, bid.sz_u), far)
    alone = desk.ladder.inputs
    desk.mono_s += 0.1
    desk.send(desk.touch(bid.px_u, PX + 10, bid_sz_u=bid.sz_u))
    assert alone is not None
    assert desk.engine.view.bids[0][0] == PX - 1000


# ---------------------------------------------------------------------- illiquidity, oracle, bad input
def test_an_illiquid_book_is_quoted_smaller_then_not_at_all(desk: Desk) -> None:
    full = sum(level.sz_u for level in desk.ladder.bids)
    for step in range(30):
        desk.wait(0.25, desk.permit(), desk.book(usd=1_000.0))
        total = sum(level.sz_u for level in desk.ladder.bids)
        if step == 10:
            assert total > 0.8 * full  # 2.75 s: not yet
        if step == 14:
            assert 0 < total < 0.6 * full  # 3.75 s
    assert desk.ladder.reasons == ["illiquid"]


def test_an_oracle_far_from_the_market_leaves_one_side(desk: Desk) -> None:
    desk.wait(0.1, desk.context(round(PX * 0.98)), desk.book())
    assert not desk.ladder.asks
    assert "ask_collar" in desk.ladder.reasons


def test_a_crossed_book_changes_nothing_and_is_counted(desk: Desk) -> None:
    version = desk.ladder.version
    desk.wait(0.1, desk.book(bids=[(PX, 5)], asks=[(PX - 10, 5)]))
    assert desk.found(Refused) == [Refused("crossed")]
    assert desk.ladder.version == version


def test_another_coins_messages_are_ignored(desk: Desk) -> None:
    version = desk.ladder.version
    desk.mono_s += 0.1
    desk.send(desk.touch(PX + 5000, PX + 5010, coin="xyz:SP500"), desk.fill(Side.BID, 300, coin="xyz:SP500"))
    desk.send(Replayed(desk.fill(Side.BID, 300, coin="xyz:SP500")))
    assert desk.ladder.version == version
    assert desk.engine.inventory.position_u == 0


def test_what_the_quoter_does_not_use_does_nothing(desk: Desk) -> None:
    assert desk.engine.on(Gap("md:km:US500", "feed", 3)) == []
    assert desk.engine.on(Link(False, 0)) == []


def test_an_older_touch_does_not_count_as_fresh_data(desk: Desk) -> None:
    old: Touch = desk.touch(PX - 10, PX + 10, venue_t_ns=desk.t_ns - NS)
    for _ in range(7):
        desk.wait(0.25, desk.permit(), old)
    assert desk.ladder.reasons == ["stale_data"]


def test_each_publication_shows_its_figures(desk: Desk) -> None:
    desk.wait(0.1, desk.book(PX + 300))
    assert [figures.ladder for figures in desk.found(Figures)] == desk.ladders


def test_the_mood_is_one_word() -> None:
    desk = Desk()
    assert desk.engine.mood == "starting"
    desk.send()
    assert desk.engine.mood == "no_spec"


def test_ladders_of_a_larger_account_and_another_market() -> None:
    for profile, sz_decimals, mid_u in (("btc", 5, 775_620), ("standx", 4, 9_300_000)):
        desk = Desk(profile)
        desk.send(
            desk.spec(sz_decimals=sz_decimals), desk.context(mid_u), desk.account(equity_usd=50_000.0),
            desk.permit(hard_usd=25_000.0, soft_usd=12_500.0), desk.book(mid_u, usd=400_000.0),
        )  # fmt: skip
        assert desk.ladder.bids, desk.ladder.reasons
        total = sum(level.px_u * level.sz_u for level in desk.ladder.bids) / 1e6
        assert 20_000 < total <= 25_000


def test_ticks_alone_keep_an_engine_without_data_quiet() -> None:
    engine = QuoteEngine(Desk().settings)
    out = [item for step in range(40) for item in engine.on(Tick(step * NS, step * NS // 20))]
    assert all(is_empty(item) for item in out if isinstance(item, Ladder))
