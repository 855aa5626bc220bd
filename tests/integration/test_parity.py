"""The exact world and the compiled replay: one market, the same decisions.

Two promises. *The same kernels*: whatever the world's quoter, executor and venue were told, the replay's kernels make
of it the same touches, ladders, plans, requests and fills, and their state is the same to the last bit at every
decision. *The same run*: played on their own, from the first instant on, both send the same requests at the same time,
our own orders in the told book, what each process knows when, and what fills lead to included.
"""

from __future__ import annotations

import bisect
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from backtest import quoters
from backtest.loop.account import Charges
from backtest.loop.layout import (
    CANCEL,
    FILL_FEE,
    FILL_PX,
    FILL_SLOT,
    FILL_SZ,
    FILL_T,
    G_KIND,
    G_PX,
    G_SLOT,
    G_SZ,
    G_T,
    MOVE,
    PLACE,
)
from backtest.loop.slots import SLOTS_A_SIDE
from backtest.playing import Played, Terms, play
from backtest.quoters import Stall
from backtest.tape import Tape, read_tape
from backtest.timing import INSTANT
from backtest.world import F_FEE, F_PX, F_SLOT, F_SZ, F_T, MASTER, TAIL_NS, World, WorldPlayed, play_world
from common.clock import MS, NS
from common.config import Settings, load
from common.ticks import px_decimals, tick_u, to_units
from simvenue.market import market_of
from simvenue.money.fees import PPB_PER_BPS, rates_ppb
from tests.support.matched import Matched, fills_of
from tests.support.shadow import Shadowed, touches_told
from tests.support.shadow_executor import ShadowExecutor
from tests.support.shared import shared
from tests.unit.backtest.builders import random_market
from tests.unit.backtest.test_world import check_money

MINUTE_NS = 60 * NS
TOUCHES_HEARD = 0.95
"""The others change behind an order of ours."""
LONG_DAYS = ("standx_BTC_2026-01-06", "standx_BTC_2026-01-07")
LONG_DAY_S = 4 * 3_600.0
FILES = (
    *((f"standx_BTC_2026-01-0{day}", "standx", 4) for day in (5, 6, 7)),
    *((f"hl_BTC_touch_2025-09-0{day}", "btc", 5) for day in range(1, 6)),
    ("hl_BTC_2025-09-03", "btc", 5), ("hl_ETH_2025-09-03", "btc", 4), ("hl_ETH_2025-12-10", "btc", 4),
    ("hl_SOL_2025-09-03", "btc", 2),
)  # fmt: skip
"""Name, market and size decimals."""
SAME_RUN_S = 600.0

Request = tuple[int, int, int, int, int]
"""Time it was sent, kind, side (0 of a cancel), px_u, sz_u."""


@dataclass(slots=True)
class Watched:
    """A world that was played, and its shadows."""

    world: World
    played: WorldPlayed
    executor: ShadowExecutor

    @property
    def quoter(self) -> Shadowed:
        engine = self.world.quoter.quoter
        assert isinstance(engine, Shadowed)
        return engine


def market(name: str, sz_decimals: int = 0) -> Settings:
    found = load("quoter", {"MARKET": name})
    if not sz_decimals:
        return found
    return found.model_copy(update={"venue": found.venue.model_copy(update={"sz_decimals": sz_decimals})})


def watched(tape: Tape, settings: Settings, until_ns: int) -> Watched:
    """The world from the tape's first instant on, hops of 0."""
    worlds: list[World] = []
    shadows: list[ShadowExecutor] = []
    decimals = settings.venue.sz_decimals

    def seen(world: World) -> None:
        worlds.append(world)
        shadows.append(ShadowExecutor(world.executor.executor, world.settings, decimals))

    played = play_world(tape, settings, INSTANT, to_t_ns=until_ns, seen=seen, quoter=Shadowed)
    return Watched(worlds[0], played, shadows[0])


def requests_of(t_ns: int, action: dict[str, Any], decimals: int) -> list[Request]:
    """The entries of an action as the replay counts them."""
    match action["type"]:
        case "order":
            entries = [(PLACE, order) for order in action["orders"]]
        case "batchModify":
            entries = [(MOVE, row["order"]) for row in action["modifies"]]
        case "cancel" | "cancelByCloid":
            return [(t_ns, CANCEL, 0, 0, 0) for _ in action["cancels"]]
        case _:
            return []
    return [
        (t_ns, kind, 1 if o["b"] else -1, to_units(o["p"], px_decimals(decimals)), to_units(o["s"], decimals))
        for kind, o in entries
    ]


def sent(tape: Tape, settings: Settings, until_ns: int) -> tuple[list[Request], WorldPlayed]:
    """What the world sends before a time, nobody watching, and what came of it."""
    requests: list[Request] = []

    def log(t_ns: int, where: str, body: bytes) -> None:
        if where == "executor>venue" and t_ns < until_ns:
            requests.extend(requests_of(t_ns, json.loads(body)["action"], settings.venue.sz_decimals))

    return requests, play_world(tape, settings, INSTANT, to_t_ns=until_ns, log=log)


def replayed(tape: Tape, settings: Settings, until_ns: int) -> tuple[list[Request], Played]:
    """What the compiled replay sends on the same span, and what came of it."""
    market, venue = market_of(settings), settings.venue
    maker_ppb, taker_ppb = rates_ppb(market)
    tick = tick_u(int(tape.px_u[0]), settings.venue.sz_decimals)
    stall = Stall(settings, maker_ppb / PPB_PER_BPS, tick, False)
    quoter = quoters.production(stall, settings.quoting.profile, weight=0.0, executes=True)
    charges = Charges(
        maker_ppb, taker_ppb, settings.execution.leverage, venue.max_leverage, settings.equity_usd,
        is_growth=market.growth_mode, is_hip3=market.is_hip3, has_budget=True,
        interest_rate_1h=market.interest_rate_1h, funding_clamp=market.funding_clamp,
        funding_multiplier=market.funding_multiplier, impact_usd=market.impact_notional_usd,
    )  # fmt: skip
    terms = Terms(
        int(tape.stamp_ns[0]), until_ns, INSTANT.feed_ns / MS, INSTANT.order_ns / MS, charges=charges,
        risk=settings.risk, keeps_requests=True,
    )  # fmt: skip
    played = play(tape, quoter, terms)
    requests = [_request(row) for row in played.requests]
    return [request for request in requests if request[0] < until_ns], played


def _request(row: Any) -> Request:
    slot, kind = int(row[G_SLOT]), int(row[G_KIND])
    side = 0 if kind == CANCEL else 1 if slot < SLOTS_A_SIDE else -1
    return int(row[G_T]) - INSTANT.order_ns, kind, side, int(row[G_PX]), int(row[G_SZ])


# ---------------------------------------------------------------------- the same kernels
def hold_parity(path: Path, settings: Settings, minutes: float) -> Watched:
    """A world on a file, its quoter, executor and venue held against the replay's kernels."""
    tape = read_tape([path], settings.venue.sz_decimals)
    until_ns = min(int(tape.stamp_ns[0]) + int(minutes * MINUTE_NS), int(tape.stamp_ns[-1]))
    found = watched(tape, settings, until_ns)
    check_money(found.world, found.played)
    assert found.quoter.differences == []
    assert found.executor.differences == []
    hold_touches(tape, found.quoter, until_ns)
    venue = Matched(tape)
    venue.play(found.played.orders, until_ns + TAIL_NS)
    assert venue.disagreements == []
    assert venue.fills == fills_of(found.world, MASTER)
    return found


def hold_touches(tape: Tape, engine: Shadowed, until_ns: int) -> None:
    """Touches in which nothing is ours are what the replay's channels tell, and nearly all of those come, on time."""
    told = touches_told(tape, until_ns)
    times = [row[0] for row in told]
    for t_ns, *best in engine.touches:
        at = bisect.bisect_right(times, t_ns) - 1
        assert at < 0 or t_ns > until_ns or best == list(told[at][1:])
    heard = {row[0] for row in engine.touches}
    assert sum(t_ns in heard for t_ns in times) >= TOUCHES_HEARD * len(times)


def test_ten_minutes_of_a_world_are_the_replays_touches_ladders_plans_and_fills() -> None:
    """Same touches at the same times, same ladders, plans and state bit for bit, same fills of the same orders."""
    found = hold_parity(shared("data/events/standx_BTC_2026-01-05.npz"), market("standx"), 10.0)
    assert len(found.played.fills) > 0
    assert found.quoter.decisions > 800
    assert found.executor.plans > 2_000
    assert found.executor.compared > found.executor.plans / 2
    assert found.executor.requests > 50


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize(("name", "profile", "sz_decimals"), FILES)
def test_hours_of_every_file_are_alike(name: str, profile: str, sz_decimals: int) -> None:
    """4 h of each long StandX day, every other file whole."""
    minutes = LONG_DAY_S / 60 if name in LONG_DAYS else 1e6
    found = hold_parity(shared(f"data/events/{name}.npz"), market(profile, sz_decimals), minutes)
    assert found.quoter.told_books > 0
    assert found.executor.plans > 0


# ---------------------------------------------------------------------- the same run
def recorded(name: str, settings: Settings) -> Tape:
    return read_tape([shared(f"data/events/{name}.npz")], settings.venue.sz_decimals)


def hold_same_run(tape: Tape, settings: Settings, seconds: float) -> list[Request]:
    """Every order, move and cancel: same time to the ns, same side, price and size; every fill and what it cost."""
    until_ns = min(int(tape.stamp_ns[0]) + int(seconds * NS), int(tape.stamp_ns[-1]))
    wanted, world = sent(tape, settings, until_ns)
    found, replay = replayed(tape, settings, until_ns)
    assert found == wanted
    ours, theirs = replay.fills, world.fills
    assert (
        ours[ours[:, FILL_T] < until_ns][:, [FILL_T, FILL_SLOT, FILL_PX, FILL_SZ, FILL_FEE]].tolist()
        == theirs[theirs[:, F_T] < until_ns][:, [F_T, F_SLOT, F_PX, F_SZ, F_FEE]].tolist()
    )
    return wanted


def test_both_send_the_same_requests_from_the_first_instant_on() -> None:
    """Ten minutes in which nine fills of ours are answered."""
    settings = market("standx")
    assert len(hold_same_run(recorded("standx_BTC_2026-01-07", settings), settings, SAME_RUN_S)) > 100


@pytest.mark.parametrize("seed", [1, 4, 5])
def test_what_happens_in_one_instant_is_the_same_run(seed: int) -> None:
    """Markets on a coarse grid of time: several fills, and answers to several actions of one kind, come at once."""
    assert len(hold_same_run(random_market(seed).tape(), market("standx"), 1e6)) > 90


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize(("name", "profile", "sz_decimals"), FILES)
def test_every_file_is_the_same_run(name: str, profile: str, sz_decimals: int) -> None:
    """4 h of each long StandX day, every other file whole."""
    settings, seconds = market(profile, sz_decimals), LONG_DAY_S if name in LONG_DAYS else 1e6
    assert len(hold_same_run(recorded(name, settings), settings, seconds)) > 100
