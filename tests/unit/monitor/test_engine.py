"""What the monitor makes of what it hears."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.events import Link, Replayed
from common.messages import (
    Alert,
    Command,
    FundingPayment,
    Liquidity,
    Mode,
    OrderState,
    QuoteRecord,
    Severity,
    Side,
    Verb,
)
from common.sessions import Calendar
from monitor.engine import Marked, Told
from monitor.events import Asked, ClockRead, KillSeen, WalletRead
from monitor.session import session
from monitor.status import status
from tests.unit.monitor.builders import (
    COIN,
    E8,
    MS,
    T0,
    S,
    Watch,
    account,
    action,
    beat,
    book,
    context,
    fill,
    ladder,
    order,
    permit,
    spec,
    touch,
    view,
)

STATUS_KEYS = {
    "mode", "reasons", "market", "equity", "pnl", "edge_bps", "position", "margin_ratio", "taker_ratio", "maker_ratio",
    "open_orders", "quotes", "action_budget", "services", "fills", "alerts", "volatility", "markouts",
}  # fmt: skip
PARTS = ("spread", "inventory", "fees", "funding")


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    return Watch(tmp_path)


def picture(watch: Watch) -> dict[str, Any]:
    """The status as a client reads it."""
    found: dict[str, Any] = json.loads(json.dumps(status(watch.engine, "b"), allow_nan=False))
    return found


def alerts(out: list[Any]) -> dict[str, Severity]:
    return {one.name: one.severity for one in out if isinstance(one, Alert)}


def test_status_has_its_promised_keys_before_anything_was_heard(watch: Watch) -> None:
    shown = picture(watch)
    assert set(shown) >= STATUS_KEYS
    assert (shown["mode"], shown["equity"], shown["margin_ratio"]) == ("unknown", None, None)
    assert "riskd: no permit yet" in shown["reasons"]


def test_mode_is_the_permits_while_it_is_fresh(watch: Watch) -> None:
    watch.say(permit(watch.t_ns, Mode.REDUCING, reasons=["margin_critical"]), ladder(watch.t_ns))
    assert picture(watch)["mode"] == "reducing"
    assert picture(watch)["reasons"] == ["riskd: margin_critical"]
    watch.ticks(2.5)
    assert picture(watch)["mode"] == "unknown"


def test_kill_file_shows_as_killed_whatever_the_permit_says(watch: Watch) -> None:
    watch.say(permit(watch.t_ns), KillSeen(9, "asked for"))
    assert picture(watch)["mode"] == "killed"
    assert picture(watch)["reasons"][0] == "kill file: asked for"


def test_why_nothing_is_quoted_comes_from_the_ladder(watch: Watch) -> None:
    watch.say(permit(watch.t_ns), ladder(watch.t_ns, reasons=["vol_unknown"]))
    assert picture(watch)["reasons"] == ["quoter: vol_unknown"]


def test_market_shows_touch_mark_and_age(watch: Watch) -> None:
    watch.say(spec(), touch(watch.t_ns), context(watch.t_ns), book(watch.t_ns, [(752_400, 1_000)], [(752_500, 2_000)]))
    watch.tick(0.75)
    market = picture(watch)["market"]
    assert (market["bid"], market["ask"], market["mid"], market["mark"]) == (752.4, 752.5, 752.45, 752.44)
    assert (market["book"]["asks"], market["data_age_s"]) == ([[752.5, 2.0]], 0.75)


def test_pnl_parts_sum_exactly_to_net(watch: Watch) -> None:
    watch.say(
        spec(), context(watch.t_ns), fill(watch.t_ns, 1), fill(watch.t_ns, 2, side=Side.ASK, px_u=752_610, sz_u=7)
    )
    watch.say(FundingPayment(watch.t_ns, COIN, T0, -12_345, 1e-5, 113))
    pnl = picture(watch)["pnl"]
    assert sum(pnl[f"{name}_e8"] for name in PARTS) == pnl["net_e8"]
    assert pnl["fees_e8"] == -2 * 270_900
    assert pnl["funding_e8"] == -12_345


@given(
    st.lists(
        st.tuples(
            st.sampled_from(Side), st.integers(700_000, 800_000), st.integers(1, 10**6), st.integers(-(10**6), 10**6)
        ),
        max_size=30,
    ),
    st.integers(700_000, 800_000),
)
def test_parts_sum_whatever_was_filled(fills: list[tuple[Side, int, int, int]], mark: int) -> None:
    watch = Watch(Path("/nonexistent"))
    for tid, (side, px_u, sz_u, fee_e8) in enumerate(fills):
        watch.say(fill(T0 + tid, tid, side=side, px_u=px_u, sz_u=sz_u, fee_e8=fee_e8))
    told = session(watch.engine, "b", mark)["pnl"]
    assert sum(told[f"{name}_e8"] for name in PARTS) == told["net_e8"]
    cash = sum(-int(s) * px * sz * 100 - fee for s, px, sz, fee in fills)
    held = sum(int(s) * sz for s, _, sz, _ in fills)
    assert told["net_e8"] == cash + held * mark * 100


def test_fill_counts_once_however_often_it_is_told(watch: Watch) -> None:
    one = fill(watch.t_ns)
    watch.say(Replayed(one), one, one)
    assert picture(watch)["fills_count"] == 1
    assert len(picture(watch)["fills"]) == 1


def test_fill_of_another_coin_is_not_ours(watch: Watch) -> None:
    watch.say(fill(watch.t_ns, coin="BTC"))
    assert picture(watch)["fills_count"] == 0


def test_fill_row_says_what_it_was_worth_then_and_later(watch: Watch) -> None:
    watch.say(spec(), touch(watch.t_ns), fill(watch.t_ns))
    watch.tick(1.0)
    watch.say(touch(watch.t_ns, 752_300, 752_400))
    watch.tick(1.5)
    out = watch.say(touch(watch.t_ns, 752_300, 752_400))
    [row] = picture(watch)["fills"]
    assert row["vs_mid_bps"] == pytest.approx(0.664, abs=0.001)
    assert row["markouts"] == {"1": pytest.approx(-0.665, abs=0.001)}
    assert [type(one) for one in out] == [Marked]


def test_shares_are_by_notional(watch: Watch) -> None:
    watch.say(fill(watch.t_ns, 1, sz_u=300), fill(watch.t_ns, 2, sz_u=100, liquidity=Liquidity.TAKER))
    assert picture(watch)["maker_ratio"] == 0.75
    watch.ticks(86_401.0, step_s=21_600.25)
    assert picture(watch)["taker_ratio"] is None


def test_resting_orders_and_wanted_ladder_are_both_shown(watch: Watch) -> None:
    watch.say(spec(), ladder(watch.t_ns), order(watch.t_ns, 1), order(watch.t_ns, 2, side=Side.ASK, px_u=752_600))
    watch.say(
        order(watch.t_ns, 3, OrderState.UNKNOWN), order(watch.t_ns, 4), order(watch.t_ns, 4, OrderState.CANCELLED)
    )
    shown = picture(watch)
    assert (shown["open_orders"], shown["unknown_orders"]) == (3, 1)
    assert [row["px"] for row in shown["quotes"]["resting"]["asks"]] == [752.6]
    assert shown["quotes"]["bids"][0] == {"px": 752.3, "sz": 0.15}


def test_the_decision_behind_the_ladder_is_told_stage_by_stage(watch: Watch) -> None:
    """The record comes from a real decision, made by hand here: the monitor knows no quoter."""
    fields: dict[str, Any] = dict.fromkeys(QuoteRecord.__struct_fields__, 1.0)
    pairs = ("depth_usd", "tilt", "fade", "fade_size", "budget_usd", "whole_usd", "adverse_bps")
    counts = ("levels", "thick", "thin", "why", "marked_out")
    fields |= dict.fromkeys(pairs, (1.0, 2.0)) | dict.fromkeys(counts, (0, 5))
    fields |= {"sz_decimals": 3, "vol_mode": 1, "adaptive_mode": -1, "floors_bid": [2.7], "floors_ask": [0.4, 1e5]}
    fields |= {"forecast_weight": 0.0, "position_u": -40, "merged": 2, "decided_t_ns": watch.t_ns}
    record = QuoteRecord(**fields)
    watch.say(spec(), msgspec.structs.replace(ladder(watch.t_ns), record=record))
    why = {row["stage"]: row["text"] for row in picture(watch)["quotes"]["why"] if row["stage"]}
    assert list(why)[:3] == ["market", "fair", "volatility"]
    assert "no accepted forecast" in why["fair"]
    assert why["floor"].endswith("bids 2.700, asks 0.400 -")
    assert why["levels"] == "0 / 5 asked for, 2 merged; enlarged by depth none / 0,2, made smaller none / 0,2"
    watch.say(ladder(watch.t_ns, ["paused"], version=2))
    assert picture(watch)["quotes"]["why"] == []


def test_markouts_are_told_by_side_level_and_session(watch: Watch) -> None:
    watch.engine.calendar = Calendar((0,), ("overnight",), 2**62)
    watch.say(spec(), touch(watch.t_ns))
    watch.say(fill(watch.t_ns, 1))
    for _ in range(10):
        watch.ticks(watch.s + 1.0)
        watch.say(touch(watch.t_ns))
    (row,) = picture(watch)["markouts_by"]
    assert (row["side"], row["session"]) == ("buy", "overnight")
    assert {horizon: at["fills"] for horizon, at in row["at"].items()} == {"1": 1, "5": 1}


def test_budget_tells_pace_and_hours_left(watch: Watch) -> None:
    watch.say(account(watch.t_ns), action(watch.t_ns, entries=30))
    watch.ticks(120.0)
    watch.say(action(watch.t_ns, entries=30))
    budget = picture(watch)["action_budget"]
    assert (budget["remaining"], budget["per_minute"]) == (10_480, 30.0)
    assert budget["hours_left"] == pytest.approx(10_480 / 1_800, abs=0.01)


def test_healthy_system_raises_no_alert(watch: Watch) -> None:
    assert alerts(watch.healthy(60.0)) == {}


def test_service_that_falls_silent_is_told_within_ten_seconds(watch: Watch) -> None:
    watch.healthy(10.0)
    out = watch.ticks(18.0)
    assert alerts(out)["silent_quoter"] is Severity.CRITICAL
    [row] = [row for row in picture(watch)["services"] if row["name"] == "quoter"]
    assert not row["alive"]


def test_service_never_heard_is_missed_after_the_grace(watch: Watch) -> None:
    assert "silent_riskd" not in alerts(watch.ticks(29.0))
    assert "silent_riskd" in alerts(watch.ticks(31.0))


def test_heartbeat_left_from_yesterday_is_not_life(watch: Watch) -> None:
    watch.say(beat(T0 - 86_400 * S, "quoter"))
    [row] = [row for row in picture(watch)["services"] if row["name"] == "quoter"]
    assert not row["alive"]


def test_other_build_is_told(watch: Watch) -> None:
    watch.healthy(5.0)
    watch.say(beat(watch.t_ns, "quoter", build="old"))
    assert alerts(watch.tick(5.5))["mismatch_quoter"] is Severity.CRITICAL


def test_pause_is_told_when_it_lasts(watch: Watch) -> None:
    told = []
    while watch.s < 8.0:
        watch.say(permit(watch.t_ns, Mode.PAUSED, reasons=["no_account"]), ladder(watch.t_ns))
        if "paused" in alerts(watch.tick(watch.s + 0.5)):
            told.append(watch.s)
    assert told == [5.5]


def test_lasting_finding_is_told_again_only_after_its_cool_down(watch: Watch) -> None:
    watch.say(KillSeen(5, "x"))
    first = [one for one in watch.ticks(299.0) if isinstance(one, Alert) and one.name == "killed"]
    later = [one for one in watch.ticks(302.0) if isinstance(one, Alert) and one.name == "killed"]
    assert (len(first), len(later)) == (1, 1)


def test_finding_that_comes_and_goes_is_told_once_a_minute(watch: Watch) -> None:
    told = 0
    for turn in range(60):
        watch.say(permit(watch.t_ns, drawdown=0.03 if turn % 2 else 0.0))
        told += sum(isinstance(one, Alert) and one.name == "drawdown" for one in watch.tick(watch.s + 1.0))
    assert told == 1


def test_worse_level_is_told_at_once(watch: Watch) -> None:
    watch.say(permit(watch.t_ns, margin_ratio=0.81))
    assert alerts(watch.tick(1.0))["margin"] is Severity.WARNING
    watch.say(permit(watch.t_ns, margin_ratio=0.91))
    assert alerts(watch.tick(2.0))["margin"] is Severity.EMERGENCY


def test_equality_belongs_to_the_lower_band(watch: Watch) -> None:
    watch.say(permit(watch.t_ns, margin_ratio=0.80))
    assert alerts(watch.tick(1.0))["margin"] is Severity.INFO
    watch.say(permit(watch.t_ns, margin_ratio=0.70))
    watch.tick(2.0)
    assert "margin" not in alerts(watch.tick(3.0))


def test_own_alert_that_comes_back_over_the_stream_is_shown_once(watch: Watch) -> None:
    watch.say(KillSeen(5, "x"))
    [alert] = [one for one in watch.tick(1.0) if isinstance(one, Alert) and one.name == "killed"]
    assert watch.say(alert) == []
    assert [row["name"] for row in picture(watch)["alerts"]].count("killed") == 1


def test_alert_of_another_service_is_told_and_an_old_one_only_shown(watch: Watch) -> None:
    one = Alert(watch.t_ns, "drawdown", Severity.WARNING, "5 %")
    assert watch.say(one) == [Told(one)]
    assert watch.say(Replayed(Alert(T0 - S, "old", Severity.INFO, ""))) == []
    assert [row["name"] for row in picture(watch)["alerts"]] == ["drawdown", "old"]


def test_position_the_venue_does_not_confirm_is_told_within_fifteen_seconds(watch: Watch) -> None:
    watch.say(spec(), touch(watch.t_ns), fill(watch.t_ns))
    out: list[Any] = []
    while watch.s < 15.0:
        watch.say(WalletRead(view(watch.t_ns, signed_u=0 if watch.s > 2.0 else 120)))
        out += watch.ticks(watch.s + 3.0)
    assert alerts(out)["position_mismatch"] is Severity.CRITICAL


def test_position_that_agrees_is_not_told_even_while_fills_arrive(watch: Watch) -> None:
    out: list[Any] = []
    for tid in range(10):
        watch.say(WalletRead(view(watch.t_ns, signed_u=120 * tid)))
        watch.tick(watch.s + 0.1)
        watch.say(fill(watch.t_ns, tid, start_position_u=120 * tid))
        out += watch.ticks(watch.s + 3.0)
    assert "position_mismatch" not in alerts(out)


def test_money_nobody_can_explain_is_told(watch: Watch) -> None:
    watch.say(spec())
    out: list[Any] = []
    while watch.s < 200.0:
        equity_e8 = 1_000 * E8 if watch.s < 30.0 else 999 * E8
        watch.say(WalletRead(view(watch.t_ns, equity_e8=equity_e8)))
        out += watch.ticks(watch.s + 3.0)
    assert alerts(out)["pnl_residual"] is Severity.CRITICAL
    assert picture(watch)["residual_e8"] == -E8


def test_fill_fee_and_open_profit_explain_the_account(watch: Watch) -> None:
    """Bought 0.12 at 752.40, mark now 753.00: equity moves by 0.072 less the fee, and that is no residual."""
    watch.say(spec(), WalletRead(view(watch.t_ns)))
    watch.ticks(9.0)
    watch.say(fill(watch.t_ns))
    watch.ticks(30.0)
    unrealised = 600 * 120 * 100
    watch.say(WalletRead(view(watch.t_ns, 120, 1_000 * E8 + unrealised - 270_900, unrealised)))
    watch.ticks(40.0)
    assert watch.engine.money.residual_e8 == 0
    assert watch.engine.money.residual_since is None


def test_view_is_passed_on_to_the_wallet_stream(watch: Watch) -> None:
    seen = view(watch.t_ns)
    assert watch.say(WalletRead(seen)) == [seen]


def test_stale_data_is_told(watch: Watch) -> None:
    watch.say(touch(watch.t_ns))
    assert alerts(watch.ticks(6.0))["feed_stale"] is Severity.CRITICAL


def test_dead_bus_is_one_alert_and_no_proof_of_silence(watch: Watch) -> None:
    watch.healthy(10.0)
    watch.say(Link(False, 10 * S))
    assert alerts(watch.ticks(30.0)) == {"redis_down": Severity.CRITICAL}
    assert picture(watch)["reasons"][0] == "Redis does not answer: nothing here is news"
    watch.say(Link(True, 30 * S))
    assert alerts(watch.ticks(32.5)) == {}
    assert "silent_feed" in alerts(watch.ticks(34.0))


def test_kill_file_that_riskd_ignores_is_an_emergency(watch: Watch) -> None:
    watch.healthy(1.0)
    watch.say(KillSeen(5, "x"))
    assert alerts(watch.healthy(6.0))["kill_not_seen"] is Severity.EMERGENCY


def test_command_goes_out_and_epochs_only_rise(watch: Watch) -> None:
    watch.say(permit(watch.t_ns, arm_epoch=10**18))
    epoch = watch.engine.next_epoch(5)
    assert epoch == 10**18 + 1
    command = Command(watch.t_ns, Verb.ARM, "12345678", epoch, "go")
    assert watch.say(Asked(command)) == [command]
    assert watch.engine.next_epoch(5) == epoch + 1
    watch.say(KillSeen(2 * 10**18, ""))
    assert watch.engine.next_epoch(5) == 2 * 10**18 + 1


def test_curve_keeps_the_whole_session_in_bounded_memory(watch: Watch) -> None:
    watch.say(spec(), context(watch.t_ns))
    watch.ticks(5_000.0, step_s=2.0)
    points = picture(watch)["history"]
    assert 100 <= len(points) <= 240
    assert points[0]["t_ns"] <= T0 + 60 * S
    assert points[-1]["t_ns"] >= T0 + 4_900 * S


def test_session_values_the_position_at_the_mark_it_is_given(watch: Watch) -> None:
    watch.say(spec(), context(watch.t_ns), fill(watch.t_ns))
    watch.ticks(60.0)
    at_mark, higher = session(watch.engine, "b"), session(watch.engine, "b", 753_440)
    assert higher["pnl"]["net_e8"] - at_mark["pnl"]["net_e8"] == 1_000 * 120 * 100
    assert higher["mark_px_u"] == 753_440


def test_session_tells_span_speed_and_rates(tmp_path: Path) -> None:
    watch = Watch(tmp_path, rate=20.0)
    watch.say(ClockRead(20.0, T0, -3_600 * S), spec(), touch(watch.t_ns), fill(watch.t_ns), action(watch.t_ns, 12))
    watch.ticks(3_600.0, step_s=10.0)
    told = json.loads(json.dumps(session(watch.engine, "b")))
    assert told["span"] == "2026-05-28T20:26:40.000Z/2026-05-28T21:26:40.000Z"
    assert told["recorded_span"] == "2026-05-28T19:26:40.000Z/2026-05-28T20:26:40.000Z"
    assert (told["fills"], told["trades_per_day"], told["actions_per_market_minute"]) == (1, 24.0, 0.2)
    assert (told["speed"], told["maker_share"], told["market_hours"]) == (20.0, 1.0, 1.0)


def test_volatility_rests_on_the_grid_of_the_sessions_origin(watch: Watch) -> None:
    for i in range(121):
        watch.tick(i * 1.0)
        watch.say(touch(watch.t_ns, 752_400 + 10 * (i % 7), 752_500 + 10 * (i % 7)))
    shown = picture(watch)["volatility"]
    assert shown["returns"] == 24
    assert 0.01 < shown["annualised"] < 1.0


def test_edge_needs_eight_blocks_for_its_interval(watch: Watch) -> None:
    watch.say(spec())
    for i in range(3_300):
        watch.tick(float(i))
        watch.say(touch(watch.t_ns))
        if i % 250 == 0:
            watch.say(fill(watch.t_ns, i))
    edge = session(watch.engine, "b")["edge_bps"]
    assert edge["fills"] == 13
    assert edge["lo"] <= edge["mean"] <= edge["hi"]
    assert edge["mean"] == pytest.approx(0.6645 - 0.3, abs=0.01)


def test_ten_minutes_of_everything_stay_small(watch: Watch) -> None:
    watch.say(spec())
    for i in range(600):
        watch.say(order(watch.t_ns, i), order(watch.t_ns, i, OrderState.FILLED), fill(watch.t_ns + i * MS, i))
        watch.healthy(watch.s + 1.0)
    assert len(json.dumps(picture(watch))) < 80_000
