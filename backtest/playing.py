"""One quoter on one tape: the vectors of a replay made, played, and what was written down handed back.

Leaves the rules of time and matching to `replay.py`, what a quoter is to `quoters.py`, figures to `scoring.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.loop.account import (
    A_FEES_E8,
    A_FUNDING_E8,
    A_KILL_ROWS,
    A_KILLED_T,
    A_LIQUIDATIONS,
    A_MODE,
    A_OTHERS_E8,
    A_OVER,
    A_PEAK_MARGIN_E8,
    A_SEIZED_E8,
    A_SENT,
    A_TAKEN_E6,
    Y_PEAK_RATIO,
    Charges,
    Standing,
    earned_e6,
    equity_e8,
    new_account,
    sent_in_all,
    standing_of,
)
from backtest.loop.course import C_ENDED, C_UNTIL_T, new_course
from backtest.loop.deciding import REFERENCE
from backtest.loop.executing import new_executing
from backtest.loop.guard import names_of, new_guard
from backtest.loop.layout import (
    CF_ASKS,
    CF_CURVE,
    CF_CYCLE,
    CF_END_T,
    CF_EXECUTES,
    CF_FEED,
    CF_FIRST,
    CF_FORECAST,
    CF_FROM_T,
    CF_LEN,
    CF_MARKET_FIRST,
    CF_OWN,
    CF_PACE,
    CF_PLAN,
    CF_PROFILE,
    CF_QUEUE,
    CF_REBALANCE,
    CF_SILENCE,
    CF_START,
    CF_STEP,
    CF_STOP_T,
    CF_TICK,
    CF_TO_T,
    CF_VISIBLE,
    CF_WHOLE,
    CURVE_STRIDE,
    D_ACTIONS,
    D_CANCELLED,
    D_FULL,
    D_HEARD_N,
    D_LOST,
    D_MOVED,
    D_PLACED,
    D_PULLS,
    D_REFUSED,
    FILL_SLOT,
    FILL_STRIDE,
    GIVEN,
    LOG_N,
    LOG_ROWS,
    MODEL,
    NEVER,
    NEWS_MAX,
    NONE,
    RING_ROWS,
    RING_STRIDE,
    RING_TAIL,
    new_desk,
    new_log,
    new_ring,
)
from backtest.loop.own import new_own
from backtest.loop.pictures import PICTURES, new_pictures
from backtest.loop.places import HALF, new_places
from backtest.loop.reference import FARTHEST_BPS, SKEW_BPS
from backtest.loop.slots import SLOTS_A_SIDE, level_slot
from backtest.quoters import Quoter
from backtest.replay import replay
from backtest.tape import TAIL_NS, Tape, as_told, grid_of
from backtest.timing import INSTANT, Timing
from common.errors import ConfigError, OurFault
from common.kernel import istate, state
from common.ticks import tick_u
from executor.plan import PLAN_EVERY_NS
from quoter.features import FEATURES_MAX, new_features, no_features
from quoter.forecast import new_model
from quoter.layering import new_channels
from quoter.rebuilt import new_side
from quoter.state import I_SZ_DECIMALS, NS, QUOTES_MAX, new_book, new_out
from simvenue.book.levels import B_HIDES, B_RULES, can_rule, new_ruled
from simvenue.book.levels import new_book as new_levels
from simvenue.book.queue_model import POWER
from simvenue.book.state import VenueState
from simvenue.book.state import new_state as new_venue
from simvenue.book.table import H_POS, H_ROOM
from simvenue.desk.actions import action_cap
from simvenue.door.latency import HOLD_NS, Latency, delay_at, draw, new_line, new_table

if TYPE_CHECKING:
    from common.config import Risk

MS = 1_000_000
SILENCE_MS = 1_500.0
CURVE_NS = 10 * 10**9
FILLS_MAX = 1_000_000
REQUESTS_KEPT = 1 << 20
NO_LIMIT = 2**60
RULES_MAX = 1 << 20
"""Rows of a ruled book at most (32 MB a side)."""
COUNTS = {
    "actions": D_ACTIONS, "placed": D_PLACED, "moved": D_MOVED, "cancelled": D_CANCELLED, "refused": D_REFUSED,
    "lost": D_LOST, "pulls": D_PULLS,
}  # fmt: skip
DRAWN = 1 << 14
"""Delays drawn of a table: 4.5 hours of spells, then they come again."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Under what conditions a quoter plays.  Times of the recording in ns, latencies in ms."""

    from_t_ns: int
    to_t_ns: int
    feed_ms: float = 100.0
    order_ms: float = 300.0
    queue: int = 0
    power: float = POWER
    silence_ms: float = SILENCE_MS
    reply_ms: float | None = None  # the venue's word on our orders; None = as long as the feed takes
    latency: Latency | None = None  # measured tables with tails instead of the three constants
    is_recorded: bool = False  # the book is told when the recorder received it (`Tape.local_ns`)
    seed: int = 0  # of what is drawn
    is_market_first: bool = False  # at one instant the market moves before requests act
    is_whole: bool = False  # no partial fills: whatever trades with an order fills it in full
    charges: Charges | None = None  # fees, funding, margin and liquidation; None: none of them
    risk: Risk | None = None  # riskd's limits and kills; only with an account
    hides_crossed: bool = False  # a crossed level is passed over, not taken out of the book
    meets_own: bool = True  # a post-only order may not meet our own orders either
    keeps_requests: bool = False  # every request is handed back (`Played.requests`)
    timing: Timing = INSTANT  # periods of our own processes
    keeps_mids: bool = True  # for markouts; False: nothing is written down of an instant
    stop_t_ns: int = NEVER  # the edge gate lets us only take the position down from here on (gating.py)


@dataclass(frozen=True, slots=True)
class Money:
    """What an account came to, 1e-8 quote; equity change = cash and position at the mark - fees + funding - seized."""

    equity_e8: int  # at the last mark
    fees_e8: int  # paid > 0
    funding_e8: int  # what it added
    seized_e8: int  # kept by the venue's backstop
    margin_peak_e8: int
    margin_ratio_peak: float
    taken_e6: int  # volume of ours that took, 1e-6 quote
    liquidations: int
    actions_counted: int
    actions_over: int  # refused for want of budget
    actions_left: int
    killed_t_ns: int  # 0 = never
    killed_by: tuple[str, ...]
    mode: int  # of riskd/limits.py, at the end


@dataclass(frozen=True, slots=True)
class Played:
    """What a replay wrote down: fills (n, 5), curve (n, 5), mid2 (if kept) and forecast of each instant, counts."""

    fills: Any
    curve: Any
    stamp_ns: Any
    mid2: Any
    forecast: Any
    actions: int
    placed: int
    moved: int
    cancelled: int
    refused: int
    lost: int
    pulls: int
    money: Money | None = None
    requests: Any = None  # (n, RING_STRIDE), where kept: rows as `loop/layout.py` has them (`G_*`)


def grid_decimals(tick_px_u: int, px_u: int, usual: int = 6) -> int:
    """Size decimals whose price grid has steps of `tick_px_u` at px_u (`common/ticks.py`): the usual, if they do."""
    tried: tuple[int, ...] = (usual, *range(6, -1, -1))
    for decimals in tried:
        if tick_u(px_u, decimals) == tick_px_u:
            return decimals
    raise ConfigError(f"no grid of the venue has steps of {tick_px_u} px_u at {px_u}")


class Replay:
    """One quoter on one tape, ready to be played in one go or in turns."""

    def __init__(self, tape: Tape, quoter: Quoter, terms: Terms, model: Any = None, given: Any = None) -> None:
        self._tape, self._quoter, self._terms = tape, quoter, terms
        grid = tape.grid or grid_of(tape.px_u)
        venue, ours = _books(tape, quoter, grid)
        if terms.hides_crossed:
            _hide(venue.bids, venue.asks, *(ours if quoter.profile == REFERENCE else ()))
        venue.holders[H_ROOM] = NO_LIMIT
        instants = len(tape.stamp_ns)
        self.holders, self.desk, self.course, self._mids = (
            venue.holders,
            new_desk(),
            new_course(),
            istate(instants if terms.keeps_mids else 0),
        )
        self.fills, self._curve = new_log(FILLS_MAX, FILL_STRIDE), new_log(_curve_rows(terms), CURVE_STRIDE)
        floats, ints = quoter.new_state()
        usual = quoter.executes.venue.sz_decimals if quoter.executes else 6
        ints[I_SZ_DECIMALS] = grid_decimals(quoter.tick_px_u, int(tape.px_u[0]), usual)
        source = _source(quoter, model, given)
        self._forecast = state(instants if source != NONE else 0)
        if given is not None:
            self._forecast[:] = given
        seen, told_ns = _seen(tape, terms)
        first_ns = int(tape.stamp_ns[_first(tape, terms)])
        self.account, self._sums = new_account(terms.charges, first_ns, terms.timing.permit_ns)
        self._executing = new_executing(quoter.executes, int(ints[I_SZ_DECIMALS]))
        self._rings = _rings(terms)
        self._own = new_own() if quoter.executes else istate(1)
        self._vectors: tuple[Any, ...] = (
            tape.what, tape.px_u, tape.sz_u, tape.stamp_ns, tape.begin, tape.begins_file,
            _config(tape, quoter, terms, source), terms.power,
            venue.bids, venue.asks, venue.orders, venue.bid_queue, venue.ask_queue, venue.holders, venue.out,
            *ours, new_channels(), new_book(), *(no_features() if source == NONE else new_features()),
            state(FEATURES_MAX), new_model() if model is None else model, self._forecast,
            floats, ints, quoter.params, quoter.lean, new_out(), self.desk, *self._rings, self.fills, self._curve,
            self._mids, *seen, told_ns, _places(quoter, grid), _pictures(tape, quoter, terms),
            self.account, self._sums, *_prices(tape),
            *new_guard(terms.risk if terms.charges is not None else None), *self._executing, self._own, self.course,
        )  # fmt: skip

    @property
    def has_ended(self) -> bool:
        return int(self.course[C_ENDED]) == 1

    @property
    def position_u(self) -> int:
        """At the venue, sz_u."""
        return int(self.holders[H_POS])

    @property
    def standing(self) -> Standing:
        """What the account's next span begins with."""
        return standing_of(self.account, self.desk, self.position_u)

    def go(self, until_t_ns: int = NEVER) -> None:
        """Play everything before a time."""
        self.course[C_UNTIL_T] = until_t_ns
        replay(*self._vectors)
        if self.desk[D_FULL]:
            raise OurFault("a log of the replay ran out of room")

    def played(self) -> Played:
        """What was written down so far."""
        return Played(
            _sided(_rows(self.fills, FILL_STRIDE), self._quoter, int(self.desk[D_HEARD_N]), self._executing[0]),
            _rows(self._curve, CURVE_STRIDE),
            np.asarray(self._tape.stamp_ns), np.asarray(self._mids), np.asarray(self._forecast),
            **{name: int(self.desk[place]) for name, place in COUNTS.items()},
            money=_money(self.account, self._sums, self.desk, self.position_u, self._terms),
            requests=_requests(self._rings[0]) if self._terms.keeps_requests else None,
        )  # fmt: skip


def play(tape: Tape, quoter: Quoter, terms: Terms, model: Any = None, given: Any = None) -> Played:
    """Play the tape; `given` is a forecast for each instant instead of the model's."""
    made = Replay(tape, quoter, terms, model, given)
    made.go()
    return made.played()


def _books(tape: Tape, quoter: Quoter, grid: tuple[int, int, int]) -> tuple[VenueState, tuple[Any, Any]]:
    """The venue's state, its books ruled where the tape's prices allow it, and our two sides."""
    low, high, tick = grid
    is_ruled = can_rule(low, high, tick) and (high - low) // tick < RULES_MAX

    def both() -> tuple[Any, Any]:
        if is_ruled:
            return new_ruled(1, tape.kept, *grid), new_ruled(-1, tape.kept, *grid)
        return new_levels(1, tape.kept), new_levels(-1, tape.kept)

    bids, asks = both()
    venue = new_venue(tape.kept)._replace(bids=bids, asks=asks)
    return venue, both() if quoter.profile == REFERENCE else (new_side(1, tape.kept), new_side(-1, tape.kept))


def _hide(*books: Any) -> None:
    for book in books:
        if book[B_RULES] == 0:
            raise ConfigError("crossed levels are only passed over in a ruled book: the tape's prices span too much")
        book[B_HIDES] = 1


def _places(quoter: Quoter, grid: tuple[int, int, int]) -> Any:
    """The reference's desk, with a mark for every price of the tape and as far again as its farthest tier."""
    if quoter.profile != REFERENCE:
        return istate(0)
    low, high, _ = grid
    tick, far = quoter.tick_px_u, high * int(FARTHEST_BPS + 2 * SKEW_BPS) // 10_000
    return new_places((low - far) // tick * tick, high + far, tick)


def _pictures(tape: Tape, quoter: Quoter, terms: Terms) -> Any:
    """Room for what the reference sees, where that is the venue's book of a while ago; else none."""
    seen, step_ns, stamps = tape.seen, round(quoter.step_ms * MS), tape.stamp_ns
    if quoter.profile != REFERENCE or seen is None or seen.lag_ns is None or seen.lag_ns >= PICTURES * step_ns:
        return istate(0)
    if _first(tape, terms) > 0 or terms.to_t_ns + TAIL_NS < int(stamps[-1]):
        return istate(0)
    first_t = int(stamps[0]) + step_ns
    return new_pictures(first_t, int(np.searchsorted(seen.told_ns, first_t, "right")))


def _seen(tape: Tape, terms: Terms) -> tuple[tuple[Any, ...], Any]:
    """The stream as we see it, and when its instants reach us; no times: `feed_ms` after their stamps."""
    if tape.seen is not None:
        seen = tape.seen
        return (seen.what, seen.px_u, seen.sz_u, seen.stamp_ns, seen.begin), seen.told_ns
    rows = tape.what, tape.px_u, tape.sz_u, tape.stamp_ns, tape.begin
    if terms.is_recorded:
        if len(tape.local_ns) != len(tape.stamp_ns):
            raise ConfigError(f"{tape.names[0]} does not say when it was received")
        return rows, as_told(np.maximum(np.asarray(tape.local_ns), np.asarray(tape.stamp_ns)))
    if terms.latency is not None and terms.latency.tails is not None:
        drawn = np.asarray(drawn_ns(terms.latency.tails.feed, f"feed {terms.seed}"))
        stamps = np.asarray(tape.stamp_ns)
        return rows, as_told(stamps + drawn[stamps // HOLD_NS % len(drawn)])
    return rows, istate(0)


def _rings(terms: Terms) -> tuple[Any, Any]:
    """Requests on their way to the venue, and its news on their way to us."""
    size = REQUESTS_KEPT if terms.keeps_requests else NEWS_MAX
    tails = terms.latency.tails if terms.latency is not None else None
    order_ms, reply_ms = terms.order_ms, terms.feed_ms if terms.reply_ms is None else terms.reply_ms
    if tails is None:
        return new_ring(round(order_ms * MS), size=size), new_ring(round(reply_ms * MS))
    orders, replies = (
        drawn_ns(table, f"{name} {terms.seed}") for name, table in (("order", tails.order), ("reply", tails.reply))
    )
    return new_ring(0, orders, size), new_ring(0, replies)


def drawn_ns(quantiles: Sequence[tuple[float, int]], seed: str) -> list[int]:
    """Delays drawn from a measured table, one for each `HOLD_NS` of market time."""
    line, table = new_line(seed), new_table(quantiles)
    return [int(delay_at(table, draw(line))) for _ in range(DRAWN)]


def _requests(ring: Any) -> Any:
    """All that was ever sent, from a ring that did not come round."""
    sent = int(ring[RING_TAIL])
    if sent > REQUESTS_KEPT:
        raise OurFault(f"{sent} requests, {REQUESTS_KEPT} are kept")
    return np.array(ring[RING_ROWS : RING_ROWS + RING_STRIDE * sent], np.int64).reshape(sent, RING_STRIDE)


def _prices(tape: Tape) -> tuple[Any, Any, Any, Any]:
    """The tape's own oracle, mark and funding, as the account reads them."""
    told, n = tape.context, len(tape.context.t_ns)
    columns = istate(n), istate(n), istate(n), state(n)
    for column, values in zip(columns, (told.t_ns, told.oracle_px_u, told.mark_px_u, told.funding_1h), strict=True):
        column[:] = values
    return columns


def _money(account: Any, sums: Any, desk: Any, position: int, terms: Terms) -> Money | None:
    if terms.charges is None:
        return None
    left = int(action_cap(earned_e6(account, desk))) - int(sent_in_all(account))
    return Money(
        equity_e8=int(equity_e8(account, desk, position)) - int(account[A_OTHERS_E8]), fees_e8=int(account[A_FEES_E8]),
        funding_e8=int(account[A_FUNDING_E8]), seized_e8=int(account[A_SEIZED_E8]),
        margin_peak_e8=int(account[A_PEAK_MARGIN_E8]), margin_ratio_peak=float(sums[Y_PEAK_RATIO]),
        taken_e6=int(account[A_TAKEN_E6]), liquidations=int(account[A_LIQUIDATIONS]),
        actions_counted=int(account[A_SENT]), actions_over=int(account[A_OVER]),
        actions_left=left, killed_t_ns=int(account[A_KILLED_T]),
        killed_by=names_of(int(account[A_KILL_ROWS]), terms.risk) if terms.risk is not None else (),
        mode=int(account[A_MODE]),
    )  # fmt: skip


def _curve_rows(terms: Terms) -> int:
    return (terms.to_t_ns + TAIL_NS - terms.from_t_ns) // CURVE_NS + 10


def _source(quoter: Quoter, model: Any, given: Any) -> int:
    if given is not None:
        return GIVEN
    return MODEL if quoter.uses_forecast and model is not None else NONE


def _first(tape: Tape, terms: Terms) -> int:
    """The first instant of the file in which quoting begins: there the book is shown in full."""
    begun = int(np.searchsorted(np.asarray(tape.stamp_ns), terms.from_t_ns, "right"))
    starts = np.flatnonzero(tape.begins_file[:begun])
    return int(starts[-1]) if len(starts) > 0 else int(np.argmax(tape.begins_file))


def _config(tape: Tape, quoter: Quoter, terms: Terms, source: int) -> Any:
    config, executes = istate(CF_LEN), quoter.executes
    reply_ms = terms.feed_ms if terms.reply_ms is None else terms.reply_ms
    for place, value in (
        (CF_FEED, round(terms.feed_ms * MS)), (CF_SILENCE, round(terms.silence_ms * MS)),
        (CF_FROM_T, terms.from_t_ns), (CF_TO_T, terms.to_t_ns),
        (CF_END_T, terms.to_t_ns + TAIL_NS), (CF_CYCLE, round(quoter.cycle_ms * MS)), (CF_VISIBLE, tape.visible),
        (CF_QUEUE, terms.queue), (CF_PROFILE, quoter.profile), (CF_FORECAST, source), (CF_CURVE, CURVE_NS),
        (CF_FIRST, _first(tape, terms)), (CF_STOP_T, terms.stop_t_ns),
        (CF_STEP, round(quoter.step_ms * MS)), (CF_ASKS, _first_ask(quoter)), (CF_EXECUTES, int(executes is not None)),
        (CF_TICK, terms.timing.quoter_tick_ns), (CF_PLAN, max(PLAN_EVERY_NS, round(quoter.cycle_ms * MS))),
        (CF_PACE, terms.timing.executor_pace_ns), (CF_START, round((terms.order_ms + reply_ms) * MS)),
        (CF_REBALANCE, round(executes.quoting.rebalance_interval_s * NS) if executes else 0),
        (CF_MARKET_FIRST, int(terms.is_market_first or executes is not None)), (CF_WHOLE, int(terms.is_whole)),
        (CF_OWN, int(terms.meets_own)),
    ):  # fmt: skip
        config[place] = value
    return config


def _first_ask(quoter: Quoter) -> int:
    if quoter.executes is not None:
        return SLOTS_A_SIDE
    return HALF if quoter.profile == REFERENCE else QUOTES_MAX


def _sided(fills: Any, quoter: Quoter, heard: int, slots: Any) -> Any:
    """Fills with a slot that says side and level as everybody else's does; those not `heard` of have their own yet."""
    if quoter.profile == REFERENCE:
        fills[:, FILL_SLOT] = np.where(fills[:, FILL_SLOT] < HALF, 0, QUOTES_MAX)
    elif quoter.executes is not None:
        for row in fills[heard:]:
            row[FILL_SLOT] = level_slot(slots, int(row[FILL_SLOT]))
    return fills


def _rows(log: Any, stride: int) -> Any:
    n = int(log[LOG_N])
    return np.array(log[LOG_ROWS : LOG_ROWS + stride * n], np.int64).reshape(n, stride)
