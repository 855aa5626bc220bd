"""A recording played through the venue's matching and our quoter in one compiled loop.

Two books over one stream: the venue's truth, in which simvenue's kernels match, and ours, told `CF_FEED` later through
the feed's channels, on which the quoter's kernels decide; a request acts `CF_ORDER` after that. Both latencies are
constant and on exchange time (a row's own receive time, and rows flagged for the local side alone, belong to recorded
latencies and are not played). All rows of one stamp are one change. Gaps are played as they are: after `CF_SILENCE`
without a told book everything is cancelled. At one instant requests act first, then the market, then news reach us,
then the book is told. What is quoted is decided by the profile (`deciding.py`), what came of it is measured in
`scoring.py`. Nothing is drawn at random: same input, same output.
"""

from __future__ import annotations

from backtest.deciding import PRODUCTION, decide, measure
from backtest.desk import arrive, due, hear, pull, push, requote
from backtest.fixed import L_CAP, L_IN, L_OUT, L_REFILL, L_WEIGHT
from backtest.keeping import keep_places
from backtest.layout import (
    CF_CURVE,
    CF_CYCLE,
    CF_END_T,
    CF_FEED,
    CF_FIRST,
    CF_FORECAST,
    CF_FROM_T,
    CF_PROFILE,
    CF_QUEUE,
    CF_SILENCE,
    CF_TO_T,
    CF_VISIBLE,
    CURVE_STRIDE,
    D_CASH,
    D_CURVE_T,
    D_DECIDED_T,
    D_FULL,
    D_HEARD_N,
    D_LONG_N,
    D_POSITION,
    D_PULLED,
    D_PULLS,
    D_SHORT_N,
    D_TOLD_T,
    D_VOLUME,
    FILL_PX,
    FILL_SLOT,
    FILL_STRIDE,
    FILL_SZ,
    FILL_T,
    LOG_N,
    LOG_ROWS,
    MODEL,
    NEVER,
    NONE,
    TRADED,
)
from common.kernel import kernel
from quoter.fade import learn_score
from quoter.features import is_known, read_features
from quoter.floor import learn_adverse
from quoter.forecast import M_DEVIATION, forecast_bps
from quoter.layering import C_DEEP_T, C_FAST_LEVELS
from quoter.rebuilt import R_N
from quoter.sampling import see_instant
from quoter.state import I_POSITION, I_POSITION_T, NS, QUOTES_MAX, S_FORECAST, S_FORECAST_SD, S_FORECAST_WEIGHT, S_MID
from simvenue.book.levels import best_px
from simvenue.book.matching import E_KIND, E_PX, E_SLOT, E_STRIDE, E_SZ, FILLED, play_gap, play_stamp
from simvenue.book.table import H_POS

SHORT_NS = 5 * NS
LONG_NS = 60 * NS


@kernel("i8(i8[::1], i8, i8[::1], i8[::1], i8[::1], i8[::1])")
def take_fills(out: list[int], t_ns: int, desk: list[int], news: list[int], config: list[int], fills: list[int]) -> int:
    """Write down what the venue's last stamp filled, and send word of it; returns how many fills."""
    found = 0
    for k in range(out[0]):
        row = 1 + E_STRIDE * k
        if out[row + E_KIND] != FILLED:
            continue
        found += 1
        slot = out[row + E_SLOT]
        px = out[row + E_PX]
        sz = out[row + E_SZ]
        desk[D_CASH] += -px * sz if slot < QUOTES_MAX else px * sz
        desk[D_VOLUME] += px * sz
        at = LOG_ROWS + FILL_STRIDE * fills[LOG_N]
        if at + FILL_STRIDE > len(fills):
            desk[D_FULL] = 1
            return found
        fills[at + FILL_T] = t_ns
        fills[at + FILL_SLOT] = slot
        fills[at + FILL_PX] = px
        fills[at + FILL_SZ] = sz
        fills[LOG_N] += 1
        push(news, desk, t_ns + config[CF_FEED], slot, TRADED, px, sz)
    return found


@kernel("void(i8[::1], i8, i8, i8, i8[::1])")
def draw_curve(desk: list[int], t_ns: int, position: int, mid2: int, curve: list[int]) -> None:
    """One more row of position, cash and volume."""
    at = LOG_ROWS + CURVE_STRIDE * curve[LOG_N]
    if at + CURVE_STRIDE > len(curve):
        desk[D_FULL] = 1
        return
    curve[at] = t_ns
    curve[at + 1] = position
    curve[at + 2] = desk[D_CASH]
    curve[at + 3] = desk[D_VOLUME]
    curve[at + 4] = mid2
    curve[LOG_N] += 1


@kernel("void(i8[::1], i8[::1], i8, f8, f8[::1], i8[::1], f8[::1])")
def learn(
    desk: list[int], fills: list[int], t_ns: int, mid: float, state: list[float], ints: list[int], params: list[float]
) -> None:
    """Own fills whose 5 s and 60 s are over by `t_ns` teach the fade and the floor; `mid` is the last one before."""
    if mid <= 0.0:
        return
    while desk[D_SHORT_N] < desk[D_HEARD_N]:
        at = LOG_ROWS + FILL_STRIDE * desk[D_SHORT_N]
        if fills[at + FILL_T] + SHORT_NS > t_ns:
            break
        side = 0 if fills[at + FILL_SLOT] < QUOTES_MAX else 1
        px = float(fills[at + FILL_PX])
        gain = (mid - px if side == 0 else px - mid) / px * 1e4
        learn_score(state, ints, params, side, gain, px * float(fills[at + FILL_SZ]) * 1e-6, t_ns)
        desk[D_SHORT_N] += 1
    while desk[D_LONG_N] < desk[D_HEARD_N]:
        at = LOG_ROWS + FILL_STRIDE * desk[D_LONG_N]
        if fills[at + FILL_T] + LONG_NS > t_ns:
            break
        side = 0 if fills[at + FILL_SLOT] < QUOTES_MAX else 1
        px = float(fills[at + FILL_PX])
        lost = (px - mid if side == 0 else mid - px) / px * 1e4
        learn_adverse(state, ints, side, lost)
        desk[D_LONG_N] += 1


@kernel("void(i8[::1], i8[::1], i8)")
def hold(desk: list[int], ints: list[int], t_ns: int) -> None:
    """The quoter's position is what we have heard of."""
    before = ints[I_POSITION]
    ints[I_POSITION] = desk[D_POSITION]
    if desk[D_POSITION] == 0:
        ints[I_POSITION_T] = 0
    elif before == 0 or (before > 0) != (desk[D_POSITION] > 0):
        ints[I_POSITION_T] = t_ns


@kernel(
    "i8(i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], f8, "
    "i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], "
    "i8[::1], i8[::1], i8[::1], i8[::1], f8[::1], i8[::1], f8[::1], i8[::1], f8[::1], f8[::1], f8[::1], "
    "f8[::1], i8[::1], f8[::1], f8[::1], i8[::1], "
    "i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1])"
)
def replay(
    what: list[int],
    px: list[int],
    sz: list[int],
    stamp_ns: list[int],
    begin: list[int],
    begins_file: list[int],
    config: list[int],
    power: float,
    bids: list[int],
    asks: list[int],
    orders: list[int],
    bid_queue: list[int],
    ask_queue: list[int],
    holders: list[int],
    out: list[int],
    our_bids: list[int],
    our_asks: list[int],
    channel: list[int],
    book: list[int],
    floats: list[float],
    counts: list[int],
    logs: list[float],
    times: list[int],
    x: list[float],
    model: list[float],
    given: list[float],
    state: list[float],
    ints: list[int],
    params: list[float],
    rules: list[float],
    target: list[int],
    desk: list[int],
    actions: list[int],
    news: list[int],
    fills: list[int],
    curve: list[int],
    mids: list[int],
) -> int:
    """Play all instants; returns how many the venue played.  `mids` gets bid + ask after each, 0 = one is missing."""
    instants = len(stamp_ns)
    i = 0
    v = 0
    pull_t = NEVER
    stopped = 0
    profile = config[CF_PROFILE]
    while desk[D_FULL] == 0:
        market_t = stamp_ns[i] if i < instants and stamp_ns[i] <= config[CF_END_T] else NEVER
        view_t = stamp_ns[v] + config[CF_FEED] if v < i else NEVER
        action_t = due(actions)
        news_t = due(news)
        now = min(market_t, view_t, action_t, news_t, pull_t)
        if now == NEVER:
            break
        if action_t == now:
            arrive(desk, actions, news, config, now, bids, asks, orders, bid_queue, ask_queue)
            continue
        if market_t == now:
            if i < config[CF_FIRST]:
                i += 1
                continue
            if begins_file[i] == 1:
                play_gap(bids, asks, orders, bid_queue, ask_queue)
            play_stamp(
                what, px, sz, begin[i], begin[i + 1], i + 1, config[CF_VISIBLE], config[CF_QUEUE], power,
                bids, asks, orders, bid_queue, ask_queue, holders, out,
            )  # fmt: skip
            take_fills(out, now, desk, news, config, fills)
            bid = best_px(bids)
            ask = best_px(asks)
            mids[i] = bid + ask if bid > 0 and ask > 0 else 0
            if mids[i] > 0 and config[CF_FROM_T] <= now and now >= desk[D_CURVE_T]:
                draw_curve(desk, now, holders[H_POS], mids[i], curve)
                desk[D_CURVE_T] = now + config[CF_CURVE]
            i += 1
            continue
        if news_t == now:
            hear(desk, actions, news, config, now)
            continue
        if view_t != now:
            pull(desk, actions, config, now)
            desk[D_PULLS] += 1
            pull_t = NEVER
            continue
        if begins_file[v] == 1:
            our_bids[R_N] = 0
            our_asks[R_N] = 0
        before_mid = state[S_MID]
        seen_t = stamp_ns[v]
        told = see_instant(
            what, px, sz, begin[v], begin[v + 1], v + 1, seen_t, our_bids, our_asks, channel, book,
            floats, counts, logs, times,
        )  # fmt: skip
        v += 1
        if told == 0:
            continue
        desk[D_TOLD_T] = now
        if stopped == 0 and seen_t >= config[CF_FROM_T]:
            pull_t = now + config[CF_SILENCE]
        if profile == PRODUCTION:
            learn(desk, fills, seen_t, before_mid, state, ints, params)
        has_mid = measure(profile, state, ints, params, book, seen_t, channel[C_FAST_LEVELS], channel[C_DEEP_T])
        if config[CF_FORECAST] != NONE:
            state[S_FORECAST] = given[v - 1]
            state[S_FORECAST_SD] = model[M_DEVIATION]
            state[S_FORECAST_WEIGHT] = rules[L_WEIGHT] if is_known(counts) == 1 else 0.0
            if config[CF_FORECAST] == MODEL:
                state[S_FORECAST] = 0.0
                if is_known(counts) == 1:
                    read_features(floats, counts, logs, times, x)
                    state[S_FORECAST] = forecast_bps(model, x)
                given[v - 1] = state[S_FORECAST]
        if seen_t > config[CF_TO_T] and stopped == 0:
            stopped = 1
            pull_t = NEVER
            pull(desk, actions, config, now)
        if stopped == 1 or seen_t < config[CF_FROM_T] or has_mid == 0:
            continue
        if now - desk[D_DECIDED_T] < config[CF_CYCLE]:
            continue
        desk[D_DECIDED_T] = now
        desk[D_PULLED] = 0
        hold(desk, ints, seen_t)
        decide(profile, state, ints, params, rules, book, now, target)
        keep_places(desk, state, rules, target)
        requote(
            desk, actions, config, now, target, state[S_MID], rules[L_CAP], rules[L_OUT], rules[L_IN], rules[L_REFILL]
        )
    return i
