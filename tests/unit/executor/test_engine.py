"""The core as a whole: what it sends, when, and what it never does."""

from __future__ import annotations

import msgspec
import pytest

from common.clock import MS, NS
from common.events import Link
from common.messages import (
    AccountState,
    ActionReport,
    Alert,
    Command,
    Fill,
    FundingPayment,
    Gap,
    Level,
    MarketSpec,
    Mode,
    OrderState,
    OrderUpdate,
    Side,
    Verb,
)
from common.orders import make_cloid
from executor.events import (
    ActionReply,
    AskStatus,
    Facts,
    FillSeen,
    FrameRefused,
    FundingSeen,
    JournalTrouble,
    KillFile,
    Kind,
    Latch,
    Recovered,
    Refusal,
    ReserveNonces,
    SnapshotFailed,
    Status,
    StatusAnswer,
    Stop,
    StoreFill,
    TopUp,
    Unlatch,
    UserStream,
    VenueOrder,
)
from executor.gates import Stance
from tests.unit.executor.builders import (
    ASSET,
    COIN,
    MID_U,
    Bench,
    a_fill,
    a_ladder,
    a_permit,
    a_touch,
    actions,
    an_account,
    asked,
    kinds,
    levels,
)


def command(verb: Verb, epoch: int = 0, name: str = "command-1") -> Command:
    return Command(0, verb, name, epoch, "a test")


def quoting(**changes: float) -> Bench:
    bench = Bench(**changes).start()
    bench.quote()
    return bench


# ---------------------------------------------------------------------- placing
def test_the_first_ladder_becomes_one_action_of_post_only_orders() -> None:
    bench = Bench().start()
    (sent,) = bench.ladder()
    assert (sent.kind, len(sent.entries), sent.asset_id) == (Kind.ORDER, 6, ASSET)
    assert {e.px_u for e in sent.entries} == {MID_U + d for d in (-600, -400, -200, 200, 400, 600)}


def test_an_order_action_expires_within_three_market_seconds() -> None:
    bench = Bench().start()
    (sent,) = bench.ladder()
    assert 0 < sent.expires_ms * MS - bench.t_ns <= 3 * NS


def test_nonces_are_reserved_before_they_are_used() -> None:
    bench = Bench().start()
    bench.post(TopUp())
    assert bench.post(TopUp()) == []
    reserved = max(item.until for item in bench.out if isinstance(item, ReserveNonces))
    assert all(sent.nonce <= reserved for sent in bench.ladder())


def test_without_a_reservation_ahead_the_action_brings_its_own() -> None:
    bench = Bench().start()
    bench.version += 1
    out = bench.post(a_ladder(1, t_ns=bench.t_ns))
    (sent,) = actions(out)
    (reserved,) = [item for item in out if isinstance(item, ReserveNonces)]
    assert out.index(reserved) < out.index(sent)
    assert sent.nonce <= reserved.until


def test_every_change_of_an_order_is_published() -> None:
    bench = quoting()
    states = [item.state for item in bench.out if isinstance(item, OrderUpdate)]
    assert states.count(OrderState.PENDING) == states.count(OrderState.OPEN) == 6


def test_each_action_is_reported_with_its_times() -> None:
    bench = Bench().start()
    (sent,) = bench.ladder()
    bench.wait(0.2)
    bench.take([sent])
    report = next(item for item in bench.out if isinstance(item, ActionReport))
    assert (report.nonce, report.outcome, report.entries, report.kind) == (sent.nonce, "ok", 6, "order")
    assert report.quote_t_ns <= report.send_t_ns < report.reply_t_ns


def test_a_renewal_causes_no_action() -> None:
    bench = quoting()
    assert actions(bench.wait(2.0)) == []


def test_a_moved_market_moves_orders_in_one_action_and_outward_ones_first() -> None:
    bench = quoting()
    (sent,) = bench.ladder(MID_U + 60)
    assert sent.kind is Kind.MODIFY
    assert [e.side for e in sent.entries] == [Side.ASK] * 3 + [Side.BID] * 3
    assert all(e.oid for e in sent.entries)


def test_one_action_at_a_time_per_order() -> None:
    bench = quoting()
    first = bench.ladder(MID_U + 60)
    assert first
    assert bench.ladder(MID_U + 120) == []
    bench.take(first)
    assert bench.engine.tracker.flying == 0


def test_the_newest_target_is_pursued_once_the_answer_is_there() -> None:
    bench = quoting()
    first = bench.ladder(MID_U + 60)
    bench.ladder(MID_U + 120)
    bench.take(first)
    assert {o.px_u for o in bench.live} == {MID_U + 120 + d for d in (-600, -400, -200, 200, 400, 600)}


def test_a_withdrawn_side_is_cancelled_by_number() -> None:
    bench = quoting()
    (sent,) = bench.ladder(bids=[])
    assert (sent.kind, len(sent.entries), sent.expires_ms) == (Kind.CANCEL, 3, 0)


def test_an_urgent_ladder_cancels_before_it_places() -> None:
    bench = quoting()
    (sent,) = bench.ladder(MID_U + 1_500, urgent=True)
    assert (sent.kind, {e.side for e in sent.entries}) == (Kind.CANCEL, {Side.ASK})
    assert actions(bench.wait(0.3, feed=False)) == []
    after = bench.post(bench.ok(sent))
    assert set(kinds(after)) == {Kind.MODIFY, Kind.ORDER}


def test_no_order_is_sent_at_a_price_the_venue_would_refuse() -> None:
    bench = Bench().start()
    sent = bench.ladder(bids=[Level(MID_U - 200, 100), Level(MID_U - 405, 100)], asks=[Level(MID_U + 200, 12)])
    assert [e.px_u for action in sent for e in action.entries] == [MID_U - 200]
    assert {item.reason for item in bench.out if isinstance(item, Refusal)} == {"off_tick", "min_notional"}


def test_a_refusal_is_told_once_not_every_tick() -> None:
    bench = Bench().start()
    bench.ladder(bids=[Level(MID_U - 201, 100)], asks=[])
    bench.wait(2.0)
    assert sum(isinstance(item, Refusal) for item in bench.out) == 1


def test_without_own_market_data_nothing_is_sent() -> None:
    bench = Bench().start()
    bench.mono_ns += 2 * NS
    bench.post(a_permit(5, t_ns=bench.t_ns))
    assert actions(bench.post(a_ladder(1, t_ns=bench.t_ns))) == []


def test_a_ladder_over_the_hard_limit_is_cut_and_told() -> None:
    bench = Bench().start()
    sent = bench.ladder(n=6, sz_u=200)  # 6 x $150 a side, hard $500
    assert sum(e.sz_u for a in sent for e in a.entries if e.side is Side.BID) * MID_U <= 500 * 10**6
    assert [item for item in bench.out if isinstance(item, Refusal)] == [Refusal("ladder_too_large")]


def test_an_order_takes_the_room_that_is_left_when_that_is_nearly_enough() -> None:
    """$500 is 664 lots; 580 rest, and until they have shrunk there is room for 84 of 100, but not for 84 of 150."""
    for wanted_u, placed_u in ((100, 84), (150, None)):
        bench = Bench().start()
        bench.quote(bids=levels(Side.BID, n=2, sz_u=290), asks=[])
        bids = [*levels(Side.BID, n=2, sz_u=110), Level(MID_U - 600, wanted_u)]
        sent = {a.kind: a for a in bench.ladder(bids=bids, asks=[])}
        assert [e.sz_u for e in sent[Kind.MODIFY].entries] == [110, 110]
        assert (sent[Kind.ORDER].entries[0].sz_u if Kind.ORDER in sent else None) == placed_u


# ---------------------------------------------------------------------- the budget
def test_the_budget_bounds_actions_of_a_nervous_market() -> None:
    """A mid that jumps 4 bps twice a second for 10 market minutes: burst + 6.25 a minute, plus free cancels."""
    bench = quoting()
    bench.engine.governor.reconcile(6, 10_000)
    sent = 0
    for i in range(1200):
        bench.wait(0.5, step_s=0.25)
        found = bench.ladder(MID_U + (300 if i % 2 else 0))
        sent += sum(len(a.entries) for a in found)
        bench.take(found)
    assert sent <= 2 * (60 + 6.25 * 10) + 12


def test_an_empty_budget_only_cancels() -> None:
    bench = quoting()
    bench.engine.governor.exhausted()
    assert bench.ladder(MID_U + 60, bids=levels(Side.BID, MID_U + 60)) == []
    (sent,) = bench.ladder(asks=[])
    assert sent.kind is Kind.CANCEL


def test_an_order_nearer_than_the_floor_goes_when_it_cannot_be_moved() -> None:
    bench = quoting()
    bench.engine.governor.exhausted()
    (sent,) = bench.ladder(MID_U + 180)  # the first ask is 0.3 bps from the fair price, the floor is 1
    assert (sent.kind, [e.px_u for e in sent.entries]) == (Kind.CANCEL, [MID_U + 200])


def test_the_venues_word_on_the_budget_stops_orders_and_asks_for_the_count() -> None:
    bench = Bench().start()
    (sent,) = bench.ladder()
    text = "Too many cumulative requests sent (10001 > 10000) for cumulative volume traded $0.00."
    bench.post(ActionReply(sent.nonce, "refused", reason=text))
    assert bench.live == []
    assert bench.ladder(MID_U + 30) == []
    assert asked(bench.wait(1.2))


def test_own_actions_are_counted_between_the_venues_counts() -> None:
    bench = quoting()
    assert bench.engine.governor.used == 6
    bench.quote(MID_U + 60)
    assert bench.engine.governor.used == 12


# ---------------------------------------------------------------------- stopping
def test_silence_of_quoter_and_riskd_cancels_within_1_6_s() -> None:
    bench = quoting()
    assert actions(bench.wait(1.5, feed=False)) == []
    (sent,) = actions(bench.wait(0.1, feed=False))
    assert (sent.kind, len(sent.entries)) == (Kind.CANCEL, 6)


@pytest.mark.parametrize("mode", [Mode.PAUSED, Mode.KILLED, Mode.DISARMED])
def test_a_mode_without_trading_cancels_at_once(mode: Mode) -> None:
    bench = quoting()
    (sent,) = actions(bench.post(a_permit(9, mode, t_ns=bench.t_ns)))
    assert len(sent.entries) == 6


def test_reducing_keeps_only_what_takes_the_position_down() -> None:
    bench = Bench().start(position_u=150)
    bench.quote()
    found = actions(bench.post(a_permit(9, Mode.REDUCING, t_ns=bench.t_ns)))
    bench.take(found)
    left = bench.live
    assert {o.side for o in left} == {Side.ASK}
    assert sum(o.remaining_u for o in left) <= 150


def test_orders_placed_while_reducing_are_reduce_only() -> None:
    bench = Bench().start(position_u=150)
    bench.post(a_permit(9, Mode.REDUCING, t_ns=bench.t_ns))
    (sent,) = bench.ladder()
    assert all(e.reduce_only and e.side is Side.ASK for e in sent.entries)
    assert sum(e.sz_u for e in sent.entries) == 150


def test_a_kill_latches_and_only_a_higher_arm_clears_it() -> None:
    bench = quoting()
    out = bench.post(command(Verb.KILL, 3, "kill-0001"))
    assert [item for item in out if isinstance(item, Latch)] == [Latch(3, "a test")]
    assert len(actions(out)[0].entries) == 6
    bench.take(actions(out))
    assert bench.post(command(Verb.ARM, 3, "arm-00001")) == []
    assert bench.ladder() == []
    out = bench.post(command(Verb.ARM, 4, "arm-00002"))
    assert Unlatch(4) in out
    assert kinds(out) == [Kind.ORDER]


def test_a_command_counts_once_by_its_id() -> None:
    bench = quoting()
    bench.post(command(Verb.PAUSE, name="same-one"))
    bench.post(command(Verb.RESUME, name="another1"))
    bench.post(command(Verb.PAUSE, name="same-one"))
    assert bench.engine._judge()[0] is Stance.QUOTE


def test_pause_cancels_and_resume_quotes_again() -> None:
    bench = quoting()
    bench.take(actions(bench.post(command(Verb.PAUSE))))
    assert bench.live == []
    assert kinds(bench.post(command(Verb.RESUME, name="command-2"))) == [Kind.ORDER]


def test_drain_only_reduces_until_resume() -> None:
    bench = quoting()
    bench.take(actions(bench.post(command(Verb.DRAIN))))
    assert bench.live == []
    assert kinds(bench.post(command(Verb.RESUME, name="command-2"))) == [Kind.ORDER]


def test_the_kill_file_cancels_latches_and_its_absence_alone_clears_nothing() -> None:
    bench = quoting()
    out = bench.post(KillFile(True, 2, "drawdown"))
    assert Latch(2, "drawdown") in out
    bench.take(actions(out))
    assert actions(bench.post(KillFile(False))) == []
    assert bench.engine.stance is Stance.CANCEL
    assert kinds(bench.post(command(Verb.ARM, 3))) == [Kind.ORDER]


def test_arming_does_not_help_while_the_kill_file_is_there() -> None:
    bench = quoting()
    bench.take(actions(bench.post(KillFile(True, 2, "x"))))
    bench.post(command(Verb.ARM, 3))
    assert bench.ladder() == []


def test_a_stop_cancels_and_places_nothing_more() -> None:
    bench = quoting()
    out = bench.post(Stop())
    assert kinds(out) == [Kind.CANCEL]
    bench.take(actions(out))
    assert bench.ladder(MID_U + 50) == []


def test_a_disk_that_takes_nothing_leaves_only_cancels() -> None:
    bench = quoting()
    out = bench.post(JournalTrouble("disk full"))
    assert kinds(out) == [Kind.CANCEL]
    assert any(isinstance(item, Alert) and item.name == "JournalFailed" for item in out)
    bench.take(actions(out))
    assert bench.ladder() == []


def test_an_unanswered_cancel_is_repeated_every_second_and_the_order_asked_for() -> None:
    bench = quoting()
    (sent,) = actions(bench.post(command(Verb.PAUSE)))
    bench.post(ActionReply(sent.nonce, "unknown", reason="TimeoutError"))
    assert {o.state for o in bench.live} == {OrderState.UNKNOWN}
    assert len([item for item in bench.wait(0.1) if isinstance(item, AskStatus)]) == 4  # the rest after the answers
    (again,) = actions(bench.wait(1.1))
    assert (again.kind, len(again.entries)) == (Kind.CANCEL, 6)
    assert again.nonce > sent.nonce
    bench.take([again])
    assert bench.live == []


def test_orders_that_must_go_and_do_not_make_us_powerless_until_they_have_gone() -> None:
    bench = quoting()
    (sent,) = actions(bench.post(command(Verb.PAUSE)))
    bench.wait(0.9)
    assert not bench.engine.powerless  # an answer may take its time
    bench.wait(0.4)
    assert bench.engine.powerless
    bench.take(actions(bench.post(ActionReply(sent.nonce, "unknown", reason="TimeoutError"))))
    bench.wait(0.1)
    assert (bench.live, bench.engine.powerless) == ([], False)


def test_quotes_that_may_rest_never_make_us_powerless() -> None:
    bench = quoting()
    bench.wait(5.0)
    assert bench.live
    assert not bench.engine.powerless


# ---------------------------------------------------------------------- what is not known
def test_no_answer_makes_unknown_and_voids_the_nonce() -> None:
    bench = Bench().start()
    (sent,) = bench.ladder()
    bench.wait(2.0)
    out = bench.post(ActionReply(sent.nonce, "unknown", reason="TimeoutError"))
    assert {o.state for o in bench.live} == {OrderState.UNKNOWN}
    (noop,) = [a for a in actions(out) if a.kind is Kind.NOOP]
    assert noop.nonce == sent.nonce


def test_unknown_orders_count_and_their_levels_are_not_quoted_again() -> None:
    bench = Bench().start()
    (sent,) = bench.ladder()
    bench.post(ActionReply(sent.nonce, "unknown", reason="TimeoutError"))
    bench.look(orders=())  # whatever doubt there was is answered
    assert [a for a in bench.ladder(MID_U + 60) if a.kind is not Kind.NOOP] == []
    assert bench.engine.tracker.table.exposure_u(Side.BID) == 300


def test_an_accepted_noop_allows_the_question_and_its_answer_ends_the_order() -> None:
    bench = Bench().start()
    (sent,) = bench.ladder(n=1)
    out = bench.post(ActionReply(sent.nonce, "unknown", reason="TimeoutError"))
    assert [item for item in bench.wait(0.6) if isinstance(item, AskStatus)] == []
    bench.post(ActionReply(actions(out)[0].nonce, "ok"))
    questions = [item for item in bench.wait(0.1) if isinstance(item, AskStatus)]
    assert len(questions) == 2
    bench.post(StatusAnswer(questions[0].cloid, bench.t_ns, "unknownOid"))
    assert bench.engine.tracker.table.orders[questions[0].cloid].state is OrderState.REJECTED


def test_without_a_noop_the_question_waits_until_the_action_cannot_land() -> None:
    bench = Bench().start()
    (sent,) = bench.ladder(n=1)
    (noop,) = actions(bench.post(ActionReply(sent.nonce, "unknown", reason="TimeoutError")))
    bench.post(ActionReply(noop.nonce, "unknown", reason="TimeoutError"))
    assert [item for item in bench.wait(3.9) if isinstance(item, AskStatus)] == []
    assert [item for item in bench.wait(0.2) if isinstance(item, AskStatus)] != []


def test_an_unanswered_question_is_asked_again_and_teaches_nothing() -> None:
    bench = Bench().start()
    (sent,) = bench.ladder(n=1, asks=[])
    bench.t_ns += 5 * NS
    bench.post(ActionReply(sent.nonce, "unknown", reason="TimeoutError"))
    (question,) = [item for item in bench.wait(0.1) if isinstance(item, AskStatus)]
    bench.post(StatusAnswer(question.cloid, bench.t_ns, ""))
    assert bench.live[0].state is OrderState.UNKNOWN
    assert [item for item in bench.wait(0.6) if isinstance(item, AskStatus)] == [question]


def test_an_unknown_order_that_rests_is_adopted_and_moved_on() -> None:
    bench = Bench().start()
    (sent,) = bench.ladder(n=1, asks=[])
    bench.t_ns += 5 * NS
    bench.post(ActionReply(sent.nonce, "unknown", reason="TimeoutError"))
    (question,) = [item for item in bench.wait(0.1) if isinstance(item, AskStatus)]
    entry = sent.entries[0]
    found = VenueOrder(COIN, 55, entry.cloid, entry.side, entry.px_u, entry.sz_u, entry.sz_u)
    bench.post(StatusAnswer(question.cloid, bench.t_ns, "open", found))
    assert [(o.state, o.oid) for o in bench.live] == [(OrderState.OPEN, 55)]


def test_two_unanswered_actions_in_a_row_stop_new_orders_until_the_venue_was_seen() -> None:
    bench = quoting()
    for i in (1, 2):
        (sent,) = bench.ladder(MID_U + 400 * i, asks=[], bids=levels(Side.BID, MID_U, 3)[:2] if i == 1 else [])
        bench.post(ActionReply(sent.nonce, "unknown", reason="TimeoutError"))
    assert bench.engine.lookout.doubt == "no_answer"


def test_a_refused_action_ends_its_orders_and_they_may_be_placed_again() -> None:
    bench = Bench().start()
    (sent,) = bench.ladder()
    out = bench.post(ActionReply(sent.nonce, "refused", reason="link_down"))
    assert {u.state for u in out if isinstance(u, OrderUpdate)} >= {OrderState.REJECTED}
    assert [e.px_u for e in actions(out)[0].entries] == [e.px_u for e in sent.entries]


def test_a_single_refused_order_is_rejected_with_the_venues_reason() -> None:
    bench = Bench().start()
    (sent,) = bench.ladder(n=1)
    text = "Post only order would have immediately matched, bbo was 752.3@752.4. asset=150000"
    out = bench.post(ActionReply(sent.nonce, "ok", (Status("error", text=text), Status("resting", 5))))
    rejected = [u for u in out if isinstance(u, OrderUpdate) and u.state is OrderState.REJECTED]
    assert [u.reason for u in rejected] == ["bad_alo_px"]


def test_a_price_refused_as_crossing_is_not_tried_again_at_once() -> None:
    bench = Bench().start()
    (sent,) = bench.ladder(n=1, asks=[])
    text = "Post only order would have immediately matched, bbo was 752.1@752.2. asset=150000"
    bench.post(ActionReply(sent.nonce, "ok", (Status("error", text=text),)))
    assert actions(bench.wait(1.9)) == []
    assert bench.ladder(MID_U + 10, n=1, asks=[]) == []
    assert bench.ladder(MID_U - 10, n=1, asks=[]) != []
    assert len(actions(bench.wait(0.3))) == 0  # that one is on its way


# ---------------------------------------------------------------------- fills
def test_a_fill_is_stored_before_it_is_told_and_carries_level_and_mid() -> None:
    bench = quoting()
    order = max((o for o in bench.live if o.side is Side.BID), key=lambda o: o.px_u)
    out = bench.post(FillSeen(a_fill(cloid=order.cloid, oid=order.oid, px_u=order.px_u, t_ns=bench.t_ns)))
    told = next(item for item in out if isinstance(item, Fill))
    assert out.index(StoreFill(told)) < out.index(told)
    assert (told.level, told.mid2_px_u) == (0, 2 * MID_U)
    assert order.state is OrderState.FILLED
    assert bench.engine.account.position_u == 100


def test_a_fill_is_told_once() -> None:
    bench = quoting()
    fill = a_fill(t_ns=bench.t_ns)
    bench.post(FillSeen(fill))
    assert bench.post(FillSeen(msgspec.structs.replace(fill, t_ns=5))) == []


def test_a_filled_level_is_quoted_again() -> None:
    bench = quoting()
    order = max((o for o in bench.live if o.side is Side.BID), key=lambda o: o.px_u)
    out = bench.post(FillSeen(a_fill(cloid=order.cloid, oid=order.oid, px_u=order.px_u, t_ns=bench.t_ns)))
    assert [(a.kind, a.entries[0].px_u) for a in actions(out)] == [(Kind.ORDER, order.px_u)]


def test_fills_never_carry_the_position_past_the_hard_limit() -> None:
    """hard $500 = 664 lots of 0.001; 6 bids of 100 rest, each filled one is replaced only while there is room."""
    bench = Bench().start()
    bench.quote(n=6, sz_u=100)
    position = 0
    for i in range(30):
        bids = [o for o in bench.live if o.side is Side.BID]
        if not bids:
            break
        best = max(bids, key=lambda o: o.px_u)
        fill = a_fill(
            cloid=best.cloid, oid=best.oid, px_u=best.px_u, tid=i, t_ns=bench.t_ns, start_u=position, sz_u=100
        )
        position += 100
        bench.take(actions(bench.post(FillSeen(fill))))
        bench.take(actions(bench.wait(0.3)))
        assert bench.engine.tracker.table.worst_case_u(Side.BID, position) * MID_U <= 500 * 10**6 * 1.001
    assert position == 600


def test_funding_is_told_once() -> None:
    bench = quoting()
    payment = FundingPayment(bench.t_ns, COIN, bench.t_ns, -500, 0.0001, 10)
    assert payment in bench.post(FundingSeen(payment))
    assert bench.post(FundingSeen(payment)) == []


# ---------------------------------------------------------------------- looking
def test_nothing_is_sent_before_the_first_clean_look() -> None:
    bench = Bench()
    assert asked(bench.post(Facts(ASSET, 3, 20, 30_000, 81_000)))
    bench.post(UserStream(True), a_touch(t_ns=bench.t_ns), a_permit(t_ns=bench.t_ns))
    assert bench.ladder() == []
    assert bench.engine.stance is Stance.HOLD


def test_withdrawn_quotes_go_even_when_the_market_is_too_old_to_place_any() -> None:
    bench = quoting()
    bench.t_ns += 2 * NS
    bench.post(a_permit(5, t_ns=bench.t_ns))
    sent = bench.ladder(bids=[], asks=[], venue_t_ns=bench.t_ns - 2 * NS)
    assert (bench.engine.stance, bench.engine.why) == (Stance.HOLD, "market_old")
    assert {action.kind for action in sent} == {Kind.CANCEL}
    assert sum(len(action.entries) for action in sent) == len(bench.live) > 0


def test_one_withdrawn_side_goes_and_the_other_stays_while_holding() -> None:
    bench = quoting()
    bench.t_ns += 2 * NS
    sent = bench.ladder(bids=[], venue_t_ns=bench.t_ns - 2 * NS)
    assert {entry.side for action in sent for entry in action.entries} == {Side.BID}


def test_unknown_fees_hold() -> None:
    bench = Bench()
    bench.post(Facts(ASSET, 3, 20, None, None), UserStream(True))
    bench.look()
    bench.wait(1.1)
    bench.look()
    bench.post(a_permit(t_ns=bench.t_ns))
    assert bench.ladder() == []
    assert bench.engine.why == "market_unknown"


def test_strays_are_taken_in_cancelled_and_looked_for_again() -> None:
    bench = Bench()
    bench.post(Facts(ASSET, 3, 20, 30_000, 81_000), UserStream(True))
    ours = make_cloid(3, 1, Side.ASK, 9)
    strays = (
        VenueOrder(COIN, 11, "", Side.BID, MID_U - 100, 50, 50),
        VenueOrder(COIN, 12, ours, Side.ASK, MID_U + 100, 50, 60),
    )
    out = bench.look(strays)
    assert sorted(e.oid for a in actions(out) for e in a.entries) == [11, 12]
    assert bench.engine.lookout.doubt
    bench.take(actions(out))
    assert asked(bench.wait(1.1, feed=False))
    bench.look()
    assert bench.engine.lookout.doubt == ""
    assert bench.engine.in_control


def test_quoting_waits_until_no_earlier_action_can_land() -> None:
    bench = Bench()
    bench.post(Recovered(500, bench.t_ns // MS + 3_000, [], []), Facts(ASSET, 3, 20, 30_000, 81_000), UserStream(True))
    for _ in range(6):
        bench.look()
        bench.wait(0.5, feed=False)
    assert bench.engine.lookout.doubt
    for _ in range(6):
        bench.wait(1.0, feed=False)
        bench.look()
    assert bench.engine.lookout.doubt == ""
    assert bench.engine.tracker.nonces.last >= 500


def test_an_order_missing_at_the_venue_is_asked_for_not_given_up() -> None:
    bench = quoting()
    gone = bench.live[0]
    bench.wait(31.0)
    rows = tuple(row for row in bench.rows() if row.cloid != gone.cloid)
    bench.look(rows)
    assert gone.state is OrderState.UNKNOWN
    assert bench.engine.lookout.doubt == "missing_orders"
    questions = [item for item in bench.wait(0.1) if isinstance(item, AskStatus)]
    assert [q.cloid for q in questions] == [gone.cloid]


def test_a_look_that_agrees_changes_nothing() -> None:
    bench = quoting()
    bench.wait(31.0)
    out = bench.look(bench.rows())
    assert actions(out) == []
    assert bench.engine.lookout.doubt == ""


def test_an_order_touched_after_the_question_is_left_alone() -> None:
    bench = quoting()
    bench.wait(31.0)
    bench.quote(MID_U + 60)
    bench.mono_ns -= NS  # the answer was asked for before that
    bench.look(())
    bench.mono_ns += NS
    assert {o.state for o in bench.live} == {OrderState.OPEN}


def test_every_reconnection_of_the_user_stream_is_followed_by_a_look() -> None:
    bench = quoting()
    bench.post(UserStream(False, "closed"))
    assert bench.ladder(MID_U + 60) == []
    assert bench.engine.why == "user_stream"
    assert asked(bench.post(UserStream(True)))
    assert bench.ladder(MID_U + 70) == []
    bench.look(bench.rows())
    assert bench.ladder(MID_U + 80)


def test_what_may_have_hidden_something_asks_for_a_look() -> None:
    bench = quoting()
    assert asked(bench.post(FrameRefused("shape")))
    assert bench.engine.stance is not Stance.CANCEL


def test_losing_redis_cancels_at_once_and_only_fresh_word_brings_quotes_back() -> None:
    bench = quoting()
    out = bench.post(Link(False, 0))
    assert kinds(out) == [Kind.CANCEL]
    assert asked(out)
    bench.take(actions(out))
    assert bench.live == []
    bench.look()
    assert actions(bench.post(Link(True, 0))) == []
    assert bench.engine.stance is Stance.CANCEL  # what was known before counts no more
    bench.fresh()
    assert kinds(bench.ladder()) == [Kind.ORDER]


def test_a_failed_look_is_tried_again_and_teaches_nothing() -> None:
    bench = quoting()
    bench.post(UserStream(False), UserStream(True))
    bench.post(SnapshotFailed("down"))
    assert {o.state for o in bench.live} == {OrderState.OPEN}
    assert asked(bench.wait(1.2))
    assert bench.engine.lookout.doubt == "user_stream"


def test_looks_in_lasting_doubt_slow_down() -> None:
    bench = quoting()
    bench.post(FrameRefused("shape"))
    looks = 0
    for _ in range(60):
        looks += asked(bench.wait(1.0))
        bench.post(SnapshotFailed("down"))
    assert 8 <= looks <= 20


def test_the_venue_is_looked_at_every_30_s() -> None:
    bench = quoting()
    looks = 0
    for _ in range(12):
        if asked(bench.wait(10.0, step_s=0.25)):
            looks += 1
            bench.look(bench.rows())
    assert looks == 4


# ---------------------------------------------------------------------- telling
def test_the_account_is_told_twice_a_second_and_after_a_fill() -> None:
    bench = quoting()
    told = [item for item in bench.wait(5.0) if isinstance(item, AccountState)]
    assert 9 <= len(told) <= 11
    assert told[-1].reconciled
    assert (told[-1].open_orders, told[-1].maker_fee_ppb, told[-1].actions_cap) == (6, 30_000, 10_000)
    bench.wait(0.05)
    bench.post(FillSeen(a_fill(t_ns=bench.t_ns)))
    assert any(isinstance(item, AccountState) for item in bench.wait(0.05))


def test_doubt_is_told_when_one_look_does_not_settle_it() -> None:
    bench = quoting()
    bench.post(FrameRefused("shape"))
    told = [item for item in bench.wait(1.5) if isinstance(item, AccountState)]
    assert all(state.reconciled for state in told)
    told = [item for item in bench.wait(1.1) if isinstance(item, AccountState)]
    assert (told[-1].reconciled, told[-1].reconcile_reason) == (False, "frame_refused")
    bench.look(bench.rows())
    assert [item for item in bench.wait(0.6) if isinstance(item, AccountState)][-1].reconciled


def test_before_the_first_clean_look_nothing_is_called_reconciled() -> None:
    bench = Bench()
    bench.post(Facts(ASSET, 3, 20, 30_000, 81_000), an_account(t_ns=bench.t_ns))
    (state,) = [item for item in bench.wait(0.1) if isinstance(item, AccountState)]
    assert (state.reconciled, state.reconcile_reason) == (False, "start")


def test_another_asset_under_our_name_holds() -> None:
    bench = quoting()
    spec = MarketSpec(bench.t_ns, COIN, 110_000, 3, 20, "USDH", True, False)
    bench.post(spec)
    assert bench.ladder(MID_U + 60) == []
    assert bench.engine.why == "spec_differs"
    bench.post(msgspec.structs.replace(spec, asset_id=ASSET))
    assert bench.ladder(MID_U + 70)


def test_a_delisted_market_holds() -> None:
    bench = quoting()
    bench.post(MarketSpec(bench.t_ns, COIN, ASSET, 3, 20, "USDH", True, True))
    assert bench.ladder(MID_U + 60) == []


def test_a_restarted_quoter_is_heard_although_its_versions_start_anew() -> None:
    bench = quoting()
    bench.version = 500
    bench.quote(MID_U + 60)
    bench.version = 0
    assert bench.ladder(MID_U + 120) == []
    bench.post(Gap(f"quotes:{COIN}", "quoter", -1), Gap("permit", "riskd", -1), a_permit(1, t_ns=bench.t_ns))
    bench.version = 0
    assert bench.ladder(MID_U + 120)


def test_missed_commands_are_alerted() -> None:
    bench = quoting()
    (alert,) = [i for i in bench.post(Gap("control:monitor", "monitor", 2)) if isinstance(i, Alert)]
    assert alert.name == "CommandsMissed"
    assert bench.post(Gap(f"md:{COIN}", "feed", 5)) == []


def test_a_stale_ladder_is_refused_by_name() -> None:
    bench = quoting()
    out = bench.post(a_ladder(50, t_ns=bench.t_ns - 10 * NS))
    assert out == [Refusal("ladder_expired")]


def test_events_that_mean_nothing_here_do_nothing() -> None:
    assert quoting().post(object(), Link(True, 0)) == []
