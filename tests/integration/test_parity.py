"""The exact world and the compiled replay: one market, the same decisions.

Two promises. *The same kernels*: whatever the world's quoter, executor and venue were told, the replay's kernels make
of it the same touches, ladders, plans, requests and fills, and their state is the same to the last bit at every
decision. *The same run*: played on their own, from the first instant on, both send the same requests at the same time.
The second holds until an order of ours stands alone at the best price: what lies behind it the world's quoter does not
see until the next snapshot, and the replay's does.
"""

from __future__ import annotations

import bisect
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtest import quoters
from backtest.loop.account import Charges
from backtest.loop.layout import CANCEL, G_KIND, G_PX, G_SLOT, G_SZ, G_T, MOVE, PLACE
from backtest.loop.slots import SLOTS_A_SIDE
from backtest.playing import Terms, play
from backtest.quoters import Stall
from backtest.tape import Tape, read_tape
from backtest.timing import INSTANT
from backtest.world import MASTER, TAIL_NS, World, WorldPlayed, play_world
from common.clock import MS, NS
from common.config import Settings, load
from common.ticks import px_decimals, tick_u, to_units
from simvenue.market import market_of
from simvenue.money.fees import PPB_PER_BPS, rates_ppb
from tests.support.matched import Matched, fills_of
from tests.support.shadow import Shadowed, touches_told
from tests.support.shadow_executor import ShadowExecutor
from tests.support.shared import shared
from tests.unit.backtest.test_world import check_money

MINUTE_NS = 60 * NS
TOUCHES_HEARD = 0.95
"""The others change behind an order of ours."""
LONG_DAYS = ("standx_BTC_2026-01-06", "standx_BTC_2026-01-07")
SAME_RUN_S = 120.0
"""From the first instant of 6 January; the first request that differs comes at 124.2 s."""

Request = tuple[int, int, int, int, int]
"""Time it was sent, kind, side (0 of a cancel), px_u, sz_u."""


@dataclass(slots=True)
class Watched:
    """A world that was played, and its shadows."""

    world: World
    played: WorldPlayed
    executor: ShadowExecutor
    requests: list[Request] = field(default_factory=list)

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
    requests: list[Request] = []
    decimals = settings.venue.sz_decimals

    def seen(world: World) -> None:
        worlds.append(world)
        shadows.append(ShadowExecutor(world.executor.executor, world.settings, decimals))

    def log(t_ns: int, where: str, body: bytes) -> None:
        if where == "executor>venue":
            requests.extend(requests_of(t_ns, json.loads(body)["action"], decimals))

    played = play_world(tape, settings, INSTANT, to_t_ns=until_ns, seen=seen, quoter=Shadowed, log=log)
    return Watched(worlds[0], played, shadows[0], requests)


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


def replayed(tape: Tape, settings: Settings, until_ns: int) -> list[Request]:
    """What the compiled replay sends on the same span."""
    maker_ppb, taker_ppb = rates_ppb(market_of(settings))
    tick = tick_u(int(tape.px_u[0]), settings.venue.sz_decimals)
    stall = Stall(settings, maker_ppb / PPB_PER_BPS, tick, False)
    quoter = quoters.production(stall, settings.quoting.profile, weight=0.0, executes=True)
    charges = Charges(
        maker_ppb, taker_ppb, settings.execution.leverage, settings.venue.max_leverage, settings.equity_usd,
        has_budget=True,
    )  # fmt: skip
    terms = Terms(
        int(tape.stamp_ns[0]), until_ns, INSTANT.feed_ns / MS, INSTANT.order_ns / MS, charges=charges,
        risk=settings.risk, keeps_requests=True,
    )  # fmt: skip
    return [_request(row) for row in play(tape, quoter, terms).requests]


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
@pytest.mark.parametrize(
    ("name", "profile", "sz_decimals"),
    [
        *((f"standx_BTC_2026-01-0{day}", "standx", 4) for day in (5, 6, 7)),
        *((f"hl_BTC_touch_2025-09-0{day}", "btc", 5) for day in range(1, 6)),
        ("hl_BTC_2025-09-03", "btc", 5), ("hl_ETH_2025-09-03", "btc", 4), ("hl_ETH_2025-12-10", "btc", 4),
        ("hl_SOL_2025-09-03", "btc", 2),
    ],
)  # fmt: skip
def test_hours_of_every_file_are_alike(name: str, profile: str, sz_decimals: int) -> None:
    """4 h of each long StandX day, every other file whole."""
    minutes = 240.0 if name in LONG_DAYS else np.inf
    found = hold_parity(shared(f"data/events/{name}.npz"), market(profile, sz_decimals), min(minutes, 1e6))
    assert found.quoter.told_books > 0
    assert found.executor.plans > 0


# ---------------------------------------------------------------------- the same run
def test_both_send_the_same_requests_from_the_first_instant_on() -> None:
    """Every order, move and cancel: same time to the ns, same side, price and size."""
    settings = market("standx")
    tape = read_tape([shared("data/events/standx_BTC_2026-01-06.npz")], settings.venue.sz_decimals)
    until_ns = int(tape.stamp_ns[0]) + int(SAME_RUN_S * NS)
    wanted = [request for request in watched(tape, settings, until_ns).requests if request[0] < until_ns]
    found = [request for request in replayed(tape, settings, until_ns) if request[0] < until_ns]
    assert len(wanted) > 50
    assert found == wanted
