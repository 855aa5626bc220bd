"""The exact world: the same bytes for the same input, money that adds up, dead services, and the shells' own habits."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

import executor.main
import monitor.main
import monitor.wallet
import quoter.main
import riskd.main
from backtest.seats import monitor as monitor_seat
from backtest.seats import quoter as quoter_seat
from backtest.seats import riskd as risk_seat
from backtest.timing import Timing
from backtest.world import F_FEE, MASTER, World, WorldPlayed, play_world
from common.clock import NS
from common.config import Settings, load
from common.errors import ConfigError
from common.kernel import ROOT
from common.killfile import Kill
from simvenue.synthetic.flows import FLOWS
from simvenue.synthetic.synthetic import Synthetic
from tests.unit.backtest.builders import MID, T0, Script, seller


def settings(market: str = "us500") -> Settings:
    return load("quoter", {"MARKET": market})


def a_world(seed: int = 1, timing: Timing | None = None, **more: Any) -> World:
    """Everything on a made-up market."""
    found = settings()
    market = Synthetic(
        "xyz100", FLOWS["xyz100"], found.venue.sz_decimals, px_start=found.venue.px_start,
        vol_annual=found.venue.vol_annual, seed=seed, origin_ns=T0,
    )  # fmt: skip
    return World(found, market, timing or Timing(), begin_ns=T0, **more)


def resting(world: World) -> int:
    return world.exchange.open_order_count(MASTER)


def quoting_world(**more: Any) -> World:
    """A world that has quoted for a while."""
    world = a_world(**more)
    world.begin()
    world.run(T0 + 6 * NS)
    assert resting(world) > 0
    return world


# ---------------------------------------------------------------------- the same bytes
def test_same_input_gives_the_same_log_byte_for_byte() -> None:
    logs: list[list[tuple[int, str, bytes]]] = [[], []]
    played = [a_world(log=lambda *line, log=log: log.append(line)).play(T0 + 8 * NS) for log in logs]
    assert logs[0] == logs[1]
    assert len(logs[0]) > 500
    assert played[0].digest == played[1].digest
    assert played[0].orders == played[1].orders


@pytest.mark.slow
def test_plain_and_compiled_kernels_give_the_same_log() -> None:
    code = "from tests.unit.backtest.test_world import *; print(a_world().play(T0 + 20 * NS).digest)"
    told = [
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            cwd=ROOT,
            env={**os.environ, "AMM_KERNELS": mode},
        ).stdout
        for mode in ("plain", "")
    ]
    assert told[0] == told[1] != b""


def test_another_market_or_another_hop_gives_another_log() -> None:
    digests = {
        a_world().play(T0 + 4 * NS).digest,
        a_world(seed=2).play(T0 + 4 * NS).digest,
        a_world(timing=Timing(bus_ns=0)).play(T0 + 4 * NS).digest,
    }
    assert len(digests) == 3


# ---------------------------------------------------------------------- what dies
class Deaf:
    """Hops on which some lines are cut for a while."""

    def __init__(self, lines: tuple[str, ...], from_ns: int, to_ns: int = 2**62) -> None:
        self._lines, self._from_ns, self._to_ns = lines, from_ns, to_ns

    def arrivals(self, line: str, sent_ns: int, takes_ns: int) -> tuple[int, ...]:
        is_cut = line in self._lines and self._from_ns <= sent_ns < self._to_ns
        return () if is_cut else (sent_ns + takes_ns,)


@pytest.mark.parametrize(
    ("lines", "within_s"),
    [
        (("riskd>bus",), 2.5),
        (("quoter>bus",), 2.5),
        (("feed>bus",), 2.5),
        (("venue>feed main",), 2.5),
        (("executor>warden beat", "executor>venue action"), 5.0),
    ],
)
def test_quotes_are_gone_in_time_when_somebody_is_not_heard_any_more(lines: tuple[str, ...], within_s: float) -> None:
    world = quoting_world(hops=Deaf(lines, T0 + 6 * NS))
    way_ns = Timing().order_ns + Timing().journal_ns
    world.run(T0 + int((6 + within_s) * NS) + way_ns)
    assert resting(world) == 0


@pytest.mark.parametrize("line", ["riskd>bus", "quoter>bus", "feed>bus", "venue>feed main", "executor>bus"])
def test_quotes_come_back_when_all_is_heard_again(line: str) -> None:
    world = quoting_world(hops=Deaf((line,), T0 + 6 * NS, T0 + 14 * NS))
    world.run(T0 + 14 * NS)
    assert resting(world) == 0 or line == "executor>bus"
    world.run(T0 + 24 * NS)
    assert resting(world) > 0


def test_kill_file_clears_the_book_and_stays_latched() -> None:
    world = quoting_world()
    world.floor.kill = Kill(3, "a person")
    world.run(T0 + 7 * NS)
    assert resting(world) == 0
    assert world.executor.executor.gates.latched == (3, "a person")
    world.run(T0 + 12 * NS)
    assert resting(world) == 0
    assert world.riskd.riskd.control.killed


def test_stop_leaves_nothing_at_the_venue() -> None:
    world = a_world()
    world.play(T0 + 6 * NS)
    assert resting(world) == 0


# ---------------------------------------------------------------------- money
def check_money(world: World, played: WorldPlayed) -> None:
    """Nothing is made or lost at the venue, and our own books say to the last unit what its account says."""
    truth = world.exchange.ledger()["zero"]
    assert (truth["cash_e8"], truth["fees_e8"], truth["funding_e8"]) == (0, 0, 0)
    assert set(truth["positions_u"].values()) <= {0}
    parts = played.parts
    assert parts.spread_e8 + parts.inventory_e8 - parts.fees_e8 + parts.funding_e8 == parts.total_e8
    assert parts.total_e8 == played.earned_e8
    assert parts.fees_e8 == played.account["fees_e8"] == sum(played.fills[:, F_FEE])
    assert len(played.fills) == played.account["fills"] == world.monitor.monitor.money.ledger.fills


def test_parts_of_pnl_add_up_to_the_change_of_the_venues_account() -> None:
    """A market that falls through our bids fills them."""
    tape = Script().open().calm(0.2, 12.0).at(12.1, seller(MID - 60_000, 50_000)).calm(12.4, 30.0).tape()
    world, played = played_on(tape, settings("standx"))
    assert len(played.fills) > 0
    check_money(world, played)


def played_on(tape: Any, found: Settings, **more: Any) -> tuple[World, WorldPlayed]:
    worlds: list[World] = []
    played = play_world(tape, found, Timing(), seen=worlds.append, **more)
    return worlds[0], played


# ---------------------------------------------------------------------- the shells' habits
def test_seats_listen_to_what_their_shells_listen_to() -> None:
    coin = "km:US500"
    assert quoter_seat.subscriptions(coin) == quoter.main.subscriptions(coin)
    assert risk_seat.subscriptions(coin, risk_seat.PACE_S) == riskd.main.subscriptions(coin)
    assert monitor_seat.subscriptions(coin, monitor_seat.PACE_S) == monitor.main.subscriptions(coin)


def test_timing_is_that_of_the_shells_and_of_the_configuration() -> None:
    timing, found = Timing(), settings()
    shells = {
        "quoter_tick_ns": quoter.main.TICK_S, "executor_tick_ns": executor.main.TICK_S,
        "riskd_tick_ns": riskd.main.TICK_S, "monitor_tick_ns": monitor.main.TICK_S,
        "executor_pace_ns": executor.main.MD_PACE_S, "riskd_pace_ns": riskd.main.PACE_S,
        "monitor_pace_ns": monitor.main.PACE_S, "permit_ns": found.risk.permit_every_s,
    }  # fmt: skip
    assert {name: getattr(timing, name) for name in shells} == {name: round(s * NS) for name, s in shells.items()}
    assert round(monitor.wallet.EVERY_S * NS) == monitor_seat.WALLET_NS


@pytest.mark.parametrize("wrong", [{"feed_ns": -1}, {"quoter_tick_ns": 0}, {"riskd_pace_ns": 0}, {"permit_ns": 0}])
def test_timing_without_sense_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ConfigError):
        Timing(**wrong)
