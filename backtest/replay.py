"""A recording played through the venue's matching and our quoter in one compiled loop.

Two books over one stream: the venue's truth, in which simvenue's kernels match (`loop/market.py`), and ours, told
`CF_FEED` later, or when the tape says so, through the feed's channels, on which the quoter's kernels decide. Requests
and news travel in rings that know their delays, constant or drawn (`loop/layout.py`). All rows of one stamp are one
change. Gaps are played as they are: after `CF_SILENCE` without a told book everything is cancelled. At one instant
requests act first (or the market, `CF_MARKET_FIRST`), then the market, then the account is looked at
(`loop/account.py`, `loop/guard.py`, `loop/forced.py`), then news reach us, then the book is told; where an executor
plans, riskd is told and judges last (`loop/reading.py`). What is quoted is decided by the profile
(`loop/deciding.py`), what came of it is measured in `scoring.py`. Nothing is drawn here: same input, same output.
"""

from __future__ import annotations

from backtest.loop.account import (
    A_DUE_T,
    A_FUNDING_E8,
    A_LOOK,
    A_MARK,
    A_MODE,
    A_ON,
    A_PRICE_T,
    A_START_E8,
    equity_e8,
    look,
    measure_margin,
    rest_until_price,
)
from backtest.loop.course import (
    C_BEGUN,
    C_DECIDE_T,
    C_ENDED,
    C_MARKET,
    C_PLAN_T,
    C_PULL_T,
    C_RENEW_T,
    C_STEP_T,
    C_STOPPED,
    C_TELL_DEEP_T,
    C_TELL_FAST_T,
    C_UNTIL_T,
    C_VIEW,
    next_tick,
)
from backtest.loop.deciding import PRODUCTION, decide, measure
from backtest.loop.desk import arrive, due, hear, next_kind, pull, requote
from backtest.loop.executing import (
    EXECUTING,
    X_RECONCILE_NS,
    X_RENEW_NS,
    count_actions,
    execute,
    is_overdue,
    renew_ladder,
    take_over,
    take_permit,
    tell_ladder,
    want_nothing,
)
from backtest.loop.fixed import L_CAP, L_IN, L_OUT, L_REFILL, L_WEIGHT
from backtest.loop.forced import flatten, liquidate, take_next
from backtest.loop.guard import G_ROWS, guard, score_fills
from backtest.loop.keeping import keep_places
from backtest.loop.layout import (
    CF_CYCLE,
    CF_END_T,
    CF_EXECUTES,
    CF_FEED,
    CF_FIRST,
    CF_FORECAST,
    CF_FROM_T,
    CF_MARKET_FIRST,
    CF_PACE,
    CF_PLAN,
    CF_PROFILE,
    CF_REBALANCE,
    CF_SILENCE,
    CF_START,
    CF_STEP,
    CF_STOP_T,
    CF_TICK,
    CF_TO_T,
    D_DECIDED_T,
    D_FULL,
    D_HEARD_N,
    D_POSITION,
    D_PULLED,
    D_PULLS,
    D_TOLD_T,
    FILL_STRIDE,
    FILL_T,
    LOG_ROWS,
    MODEL,
    NEVER,
    NONE,
    TAKE,
)
from backtest.loop.learning import hear_prints, hold, learn
from backtest.loop.market import play_until
from backtest.loop.own import (
    OW_BASE_T,
    OW_HELD_T,
    OW_HOLD_T,
    OW_PERMIT_T,
    OW_RISK_E8,
    OW_SEEN_T,
    OW_STATE_T,
    OW_TELL_T,
    OW_TELLS,
    OW_TELLS_T,
    OW_WHOLE_T,
    PRINTED,
    hear_change,
    hear_snapshot,
    hears_more,
    note_news,
    own_due,
    see_prints,
    see_told,
)
from backtest.loop.pictures import P_TOLD, show_picture, take_pictures
from backtest.loop.places import hear_place, requote_places
from backtest.loop.reading import (
    begin_judging,
    begin_reading,
    equity_known,
    hear_prices,
    look_at_account,
    look_soon,
    margin_known,
    mark_told,
    next_plan,
    note_funding,
    note_prices,
    note_touch,
    position_known,
    read_market,
    reading_due,
    score_touch,
    tell_account,
    tell_soon,
    tell_whole,
)
from backtest.loop.reference import quote_reference, see_best, show_best
from backtest.loop.slots import (
    NEWS,
    OPEN,
    QUOTE,
    SL_ADAPTS,
    SL_DECIDED_T,
    SL_IS_NEW,
    SL_ON_ITS_WAY,
    SL_PLANNED_T,
    SL_SENT_T,
    SL_STANCE,
    WITHDRAW,
    hear_order,
    in_state,
)
from common.kernel import kernel
from executor.governor import refill
from quoter.features import is_known, read_features
from quoter.forecast import M_DEVIATION, forecast_bps
from quoter.layering import C_DEEP_T, C_FAST_LEVELS, DEEP_NS, FAST_NS, TOLD_TOUCH
from quoter.rebuilt import R_N
from quoter.sampling import see_instant
from quoter.state import (
    B_COUNT,
    B_ROWS,
    B_SIDE,
    I_REDUCING,
    NS,
    S_EQUITY,
    S_FAIR,
    S_FORECAST,
    S_FORECAST_SD,
    S_FORECAST_WEIGHT,
    S_MID,
    S_ORACLE,
    S_SIZE_SCALE,
    S_SPREAD_SCALE,
    S_VOL_LAST,
)
from riskd.limits import KILL, MARGIN, OUT_SIZE, OUT_SPREAD, PAUSE, REDUCING
from simvenue.book.levels import best_px
from simvenue.book.table import H_POS

MS = 1_000_000
SHORT_NS = 5 * NS
LONG_NS = 60 * NS


@kernel(
    "i8(i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], f8, "
    "i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], "
    "i8[::1], i8[::1], i8[::1], i8[::1], f8[::1], i8[::1], f8[::1], i8[::1], f8[::1], f8[::1], f8[::1], "
    "f8[::1], i8[::1], f8[::1], f8[::1], i8[::1], "
    "i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], "
    "i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], "
    "i8[::1], i8[::1], f8[::1], i8[::1], i8[::1], i8[::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[::1], "
    + EXECUTING
    + ", i8[::1], i8[::1])",
    root=True,
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
    seen_what: list[int],
    seen_px: list[int],
    seen_sz: list[int],
    seen_ns: list[int],
    seen_begin: list[int],
    told_ns: list[int],
    places: list[int],
    pictures: list[int],
    account: list[int],
    sums: list[float],
    price_ns: list[int],
    oracle_px: list[int],
    mark_px: list[int],
    funding_1h: list[float],
    knobs: list[float],
    limits: list[float],
    figures: list[float],
    verdict: list[float],
    losing: list[float],
    slots: list[int],
    shown: list[int],
    manner: list[float],
    hold_terms: list[float],
    known: list[int],
    placed: list[float],
    want: list[int],
    bounds: list[int],
    marks: list[float],
    bucket: list[float],
    sent: list[int],
    facts: list[float],
    terms: list[float],
    recent: list[int],
    q: list[int],
    w_px: list[int],
    w_sz: list[int],
    w_locked: list[int],
    w_place: list[float],
    w_want_px: list[int],
    w_want_sz: list[int],
    w_assigned: list[int],
    w_index: list[int],
    w_held: list[int],
    w_book: list[int],
    w_found: list[int],
    w_gaps: list[float],
    w_worths: list[float],
    w_chosen: list[int],
    w_refused: list[int],
    own: list[int],
    course: list[int],
) -> int:
    """Play on, up to `C_UNTIL_T`; returns how many instants the venue has played.

    `mids`, if it has room, gets bid + ask after each, 0 = one is missing.

    `seen_*` is the stream as it reaches us, most often the venue's own vectors; instant v comes at `told_ns[v]`, or
    `CF_FEED` after its stamp when that is empty. With room for `pictures` who decides by the clock sees those.
    """
    instants = len(stamp_ns)
    i = course[C_MARKET]
    v = course[C_VIEW]
    pull_t = course[C_PULL_T]
    stopped = course[C_STOPPED]
    step_t = course[C_STEP_T]
    until = course[C_UNTIL_T]
    profile = config[CF_PROFILE]
    plan_t = course[C_PLAN_T]
    decide_t = course[C_DECIDE_T]
    renew_t = course[C_RENEW_T]
    fast_t = course[C_TELL_FAST_T]
    deep_t = course[C_TELL_DEEP_T]
    executes = config[CF_EXECUTES]
    origin = stamp_ns[config[CF_FIRST]]
    ready_t = origin + config[CF_START]
    if course[C_BEGUN] == 0:
        course[C_BEGUN] = 1
        i = config[CF_FIRST]
        if executes == 1:
            fast_t = origin + config[CF_FEED]
            deep_t = fast_t
            begin_reading(
                own, ready_t if account[A_ON] == 1 else NEVER, int(manner[X_RECONCILE_NS]), account[A_START_E8]
            )
        if config[CF_STEP] > 0:
            step_t = stamp_ns[0] + config[CF_STEP]
    while desk[D_FULL] == 0:
        if len(pictures) > 0 and pictures[P_TOLD] == i:
            take_pictures(pictures, i, config[CF_STEP], told_ns, bids, asks)
        market_t = stamp_ns[i] if i < instants and stamp_ns[i] <= config[CF_END_T] else NEVER
        view_t = NEVER
        if step_t == NEVER and v < len(seen_ns) and seen_ns[v] <= config[CF_END_T]:
            view_t = told_ns[v] if len(told_ns) > 0 else seen_ns[v] + config[CF_FEED]
        action_t = due(actions)
        news_t = due(news) if step_t == NEVER else NEVER
        look_t = account[A_DUE_T] if market_t < NEVER else NEVER
        own_t = NEVER
        base_t = NEVER
        read_t = NEVER
        tells_t = NEVER
        hold_t = NEVER
        if executes == 1:
            own_t = own_due(own, news, config[CF_FEED])
            if market_t < NEVER:
                base_t = own[OW_BASE_T]
                read_t = reading_due(own)
            tells_t = own[OW_TELLS_T]
            hold_t = own[OW_HOLD_T]
        now = min(
            market_t, view_t, own_t, base_t, read_t, tells_t, hold_t, action_t, news_t, pull_t, step_t, look_t, plan_t,
            decide_t, renew_t, fast_t, deep_t,
        )  # fmt: skip
        if now == NEVER or (
            now in (step_t, plan_t, decide_t, renew_t, fast_t, deep_t) and market_t == NEVER and action_t == NEVER
        ):
            course[C_ENDED] = 1
            break
        if now >= until:
            break
        if action_t == now and (market_t > now or config[CF_MARKET_FIRST] == 0):
            while due(actions) == now:
                if next_kind(actions) == TAKE:
                    take_next(
                        desk, account, actions, news, fills, now, state[S_FAIR],
                        bids, asks, orders, bid_queue, ask_queue, holders, out,
                    )  # fmt: skip
                else:
                    arrive(desk, account, actions, news, config, now, bids, asks, orders, bid_queue, ask_queue)
            continue
        if market_t == now:
            last = pictures[P_TOLD] if len(pictures) > 0 and pictures[P_TOLD] > i else instants
            until_t = min(
                view_t, own_t, base_t, read_t, tells_t, hold_t, news_t, pull_t, step_t, look_t, plan_t, decide_t,
                renew_t, fast_t, deep_t, action_t - 1 + config[CF_MARKET_FIRST], until - 1,
            )  # fmt: skip
            i = play_until(
                what, px, sz, stamp_ns, begin, begins_file, i, last, until_t, config, power,
                bids, asks, orders, bid_queue, ask_queue, holders, out,
                state[S_FAIR], desk, account, news, fills, curve, mids,
            )  # fmt: skip
            continue
        if look_t == now:
            price_t = account[A_PRICE_T]
            paid_e8 = account[A_FUNDING_E8]
            ill = look(
                account, sums, desk, holders[H_POS], now, price_ns, oracle_px, mark_px, funding_1h,
                bids, asks, orders, bid_queue, ask_queue,
            )  # fmt: skip
            if ill == 1:
                liquidate(
                    desk, account, news, fills, now, state[S_FAIR], bids, asks, orders, bid_queue, ask_queue, holders,
                    out,
                )  # fmt: skip
            if executes == 1 and account[A_FUNDING_E8] != paid_e8:
                note_funding(own, account[A_FUNDING_E8] - paid_e8, now + config[CF_FEED])
            if executes == 1 and account[A_PRICE_T] > price_t and account[A_MARK] > 0:
                note_prices(own, account, origin, config, now + config[CF_FEED])
            if executes == 1:
                rest_until_price(account)
            if executes == 0 and knobs[G_ROWS] > 0.0 and account[A_MARK] > 0:
                before = account[A_MODE]
                bid = best_px(bids)
                ask = best_px(asks)
                score_fills(account, fills, now, bid + ask if bid > 0 and ask > 0 else 0, knobs, losing)
                guard(
                    account, desk, fills, holders[H_POS], equity_e8(account, desk, holders[H_POS]),
                    measure_margin(account, sums, desk, holders[H_POS]), account[A_MARK], now,
                    knobs, limits, figures, verdict, losing,
                )  # fmt: skip
                state[S_SIZE_SCALE] = verdict[OUT_SIZE]
                state[S_SPREAD_SCALE] = verdict[OUT_SPREAD]
                if account[A_MODE] >= PAUSE and before < PAUSE:
                    pull(desk, actions, now)
                if account[A_MODE] == KILL:
                    flatten(desk, actions, now, state[S_MID])
            continue
        if base_t == now:
            look_at_account(own, account, desk, fills, holders[H_POS], origin, config[CF_PACE], now)
            continue
        if news_t == now and (executes == 0 or slots[SL_IS_NEW] != NEWS or hears_more(own, slots, news) == 1):
            if executes == 1:
                heard = desk[D_HEARD_N]
                refill(bucket, sent, next_tick(origin, now, config[CF_TICK]) - config[CF_TICK], in_state(slots, OPEN))
                note_news(own, slots, news)
                hear_order(slots, desk, news, q, fills, now)
                plan_t = now
                if desk[D_HEARD_N] > heard:
                    tell_soon(own, origin, config, now)
                    own[OW_HOLD_T] = now
                    own[OW_HELD_T] = fills[LOG_ROWS + FILL_STRIDE * heard + FILL_T] // MS * MS
                elif stopped == 0 and is_overdue(slots, config, now) == 1:
                    decide_t = now
                if slots[SL_SENT_T] > 0 and float(now - slots[SL_SENT_T]) >= manner[X_RENEW_NS]:
                    renew_t = now
            else:
                hear(desk, actions, news, now)
            continue
        if now == step_t:
            while due(news) <= now:
                hear_place(desk, news, places)
            if len(pictures) > 0:
                show_picture(pictures, book)
            else:
                v = see_best(
                    seen_what, seen_px, seen_sz, seen_ns, seen_begin, told_ns, v, now, config, our_bids, our_asks
                )
                book[B_COUNT] = show_best(our_bids, book, B_ROWS)
                book[B_COUNT + 1] = show_best(our_asks, book, B_ROWS + B_SIDE)
            quote_reference(rules, desk[D_POSITION], book, target)
            requote_places(desk, actions, now, target, places)
            step_t = now + config[CF_STEP]
            continue
        is_told = now in (view_t, tells_t)
        if executes == 1 and tells_t > now and now in (view_t, own_t, fast_t, deep_t):
            if view_t == now:
                if begins_file[v] == 1:
                    our_bids[R_N] = 0
                    our_asks[R_N] = 0
                own[OW_SEEN_T] = seen_ns[v]
                own[OW_TELLS] = hear_change(
                    seen_what, seen_px, seen_sz, seen_begin[v], seen_begin[v + 1], v + 1, seen_ns[v],
                    our_bids, our_asks, channel, floats, counts, own, news,
                )  # fmt: skip
                v += 1
            else:
                own[OW_SEEN_T] = now - config[CF_FEED]
                is_deep = 0 if fast_t == now else 1
                if own_t == now:
                    own[OW_TELLS] = hear_change(
                        seen_what, seen_px, seen_sz, 0, 0, v, own[OW_SEEN_T], our_bids, our_asks, channel, floats,
                        counts, own, news,
                    )  # fmt: skip
                elif v > 0:
                    own[OW_TELLS] = hear_snapshot(our_bids, our_asks, channel, own, own[OW_SEEN_T], is_deep)
                if own_t > now and is_deep == 1:
                    deep_t = now + DEEP_NS if v < len(seen_ns) else NEVER
                elif own_t > now:
                    fast_t = now + FAST_NS if v < len(seen_ns) else NEVER
            if own[OW_TELLS] == 0:
                own[OW_TELLS_T] = NEVER
                continue
            own[OW_TELLS_T] = now
            tells_t = now
            is_told = True
        if hold_t == now and not is_told and decide_t != now and slots[SL_IS_NEW] == 0:
            own[OW_HOLD_T] = NEVER
            hold(desk, ints, own[OW_HELD_T])
            slots[SL_ADAPTS] = 1
            if stopped == 0:
                decide_t = max(now, slots[SL_DECIDED_T] + config[CF_CYCLE])
            continue
        if not is_told and pull_t == now:
            if executes == 1:
                slots[SL_STANCE] = WITHDRAW
                plan_t = now
            else:
                pull(desk, actions, now)
            desk[D_PULLS] += 1
            pull_t = NEVER
            continue
        if (
            read_t == now
            and min(news_t, hold_t, own_t, view_t, fast_t, deep_t, tells_t, decide_t, plan_t, renew_t) > now
        ):
            if own[OW_STATE_T] == now:
                tell_account(own, account, desk, fills, state, origin, config, now)
                if stopped == 0 and is_overdue(slots, config, now) == 1:
                    decide_t = now
                continue
            if own[OW_WHOLE_T] == now:
                look_at_account(own, account, desk, fills, holders[H_POS], origin, config[CF_PACE], now)
                count_actions(bucket, sent, slots, desk, account, now)
                tell_whole(own, origin, config, int(manner[X_RECONCILE_NS]), slots[SL_SENT_T], now)
                continue
            is_due = begin_judging(own, account, origin, config, now)
            if knobs[G_ROWS] > 0.0 and account[A_MARK] > 0:
                before = account[A_MODE]
                differs = guard(
                    account, desk, fills, holders[H_POS], own[OW_RISK_E8], margin_known(own), mark_told(own, now), now,
                    knobs, limits, figures, verdict, losing,
                )  # fmt: skip
                if is_due == 1 or differs == 1:
                    own[OW_PERMIT_T] = now + account[A_LOOK]
                    own[OW_STATE_T] = now if own[OW_TELL_T] <= now else own[OW_STATE_T]
                    adapts = take_permit(state, manner, verdict, figures[MARGIN], own[OW_RISK_E8])
                    if account[A_MODE] != before:
                        slots[SL_STANCE] = WITHDRAW if account[A_MODE] >= PAUSE else slots[SL_STANCE]
                        plan_t = now
                        adapts = 1
                    if adapts == 1:
                        slots[SL_ADAPTS] = 1
                        decide_t = now if stopped == 0 and desk[D_TOLD_T] > 0 else NEVER
                    if account[A_MODE] == KILL:
                        flatten(desk, actions, now, state[S_MID])
            continue
        plans = 0
        if executes == 1:
            is_late = is_told and is_overdue(slots, config, now) == 1
            if slots[SL_IS_NEW] > 0:
                plans = 1
            elif stopped == 0 and (is_late or (not is_told and decide_t == now)):
                decide_t = next_tick(origin, now + config[CF_REBALANCE], config[CF_TICK])
                slots[SL_DECIDED_T] = now
                if channel[C_FAST_LEVELS] == 0:
                    continue
                ints[I_REDUCING] = 1 if now >= config[CF_STOP_T] or account[A_MODE] == REDUCING else 0
                hear_prices(own, state, now - 1 if is_told else now)  # what comes now comes after the Tick
                if account[A_MODE] >= PAUSE or (account[A_ON] == 1 and state[S_ORACLE] == 0.0):
                    want_nothing(target)
                else:
                    decide(profile, state, ints, params, rules, book, now, target)
                tell_ladder(slots, shown, manner, hold_terms, target, state, now)
                slots[SL_STANCE] = WITHDRAW if account[A_MODE] >= PAUSE else QUOTE
                renew_t = now
                if is_told or now in (hold_t, pull_t):
                    continue
            if plans == 0 and (is_told or renew_t == now):
                renew_ladder(slots, manner, state, now)
                renew_t = NEVER
                if slots[SL_SENT_T] > 0:
                    renew_t = next_tick(origin, slots[SL_SENT_T] + int(manner[X_RENEW_NS]), config[CF_TICK])
                if not is_told:
                    if slots[SL_ON_ITS_WAY] == 0:
                        continue
                    plan_t = now
            if plans == 0 and not is_told and slots[SL_ON_ITS_WAY] > 0:
                plans = 1
                if own[OW_TELL_T] <= now < own[OW_STATE_T]:
                    own[OW_STATE_T] = now
                if slots[SL_PLANNED_T] == 0 or now - slots[SL_PLANNED_T] < config[CF_PLAN]:
                    take_over(slots, shown, facts, q, manner)
                    if slots[SL_IS_NEW] == 0:
                        plan_t = next_plan(origin, config, slots[SL_PLANNED_T])
                        continue
            elif plan_t == now and not is_told:
                plans = 1
        if plans == 1:
            read_market(own, origin, config[CF_PACE], now)
            equity = int(state[S_EQUITY] * 1e8)
            held = desk[D_POSITION]
            if account[A_ON] == 1:
                equity = equity_known(own, desk, fills, now)
                held = position_known(own, desk, fills)
            acted = execute(
                desk, account, actions, own, state, ints, held, equity, now, slots, shown, manner, hold_terms, known,
                placed, want, bounds, marks, bucket, sent, facts, terms, recent, q, w_px, w_sz, w_locked, w_place,
                w_want_px, w_want_sz, w_assigned, w_index, w_held, w_book, w_found, w_gaps, w_worths, w_chosen,
                w_refused,
            )  # fmt: skip
            plan_t = now if slots[SL_ON_ITS_WAY] > 0 else next_plan(origin, config, now)
            if acted > 0 and stopped == 0 and is_overdue(slots, config, now) == 1:
                decide_t = now
            continue
        last_mid = state[S_VOL_LAST]
        if executes == 1:
            seen_t = own[OW_SEEN_T]
            tells = own[OW_TELLS]
            told = see_told(own, actions, news, channel, seen_t, now, book, floats, counts, logs, times)
            look_soon(own, origin, config[CF_PACE], now)
            if told > 0:
                note_touch(own, channel, origin, config[CF_PACE], now)
            if told & TOLD_TOUCH:
                paced_t = next_tick(origin, now, config[CF_TICK])
                score_touch(own, account, fills, seen_t, paced_t, channel, knobs, losing, desk)
            if plan_t < NEVER:
                paced_t = next_tick(origin, now, config[CF_PACE])
                if paced_t >= slots[SL_PLANNED_T] + config[CF_PLAN]:
                    plan_t = min(plan_t, paced_t)
        else:
            seen_t = seen_ns[v]
            if begins_file[v] == 1:
                our_bids[R_N] = 0
                our_asks[R_N] = 0
            told = see_instant(
                seen_what, seen_px, seen_sz, seen_begin[v], seen_begin[v + 1], v + 1, seen_t,
                our_bids, our_asks, channel, book, floats, counts, logs, times,
            )  # fmt: skip
            tells = PRINTED if profile == PRODUCTION else 0
            v += 1
        if executes == 0 and tells == PRINTED:
            hear_prints(seen_what, seen_px, seen_begin[v - 1], seen_begin[v], seen_t, state, ints, params)
        if tells == PRINTED and executes == 1:
            see_prints(
                seen_what, seen_px, seen_sz, seen_begin[v - 1], seen_begin[v], seen_t, own, news, state, ints, params
            )
        if told == 0:
            continue
        since_ns = now - desk[D_TOLD_T]
        desk[D_TOLD_T] = now
        if stopped == 0 and executes == 0 and seen_t >= config[CF_FROM_T]:
            pull_t = now + config[CF_SILENCE]
        has_mid = measure(profile, state, ints, params, book, seen_t, channel[C_FAST_LEVELS], channel[C_DEEP_T])
        if profile == PRODUCTION and has_mid == 1 and learn(
            desk, fills, seen_t - executes, now if executes == 1 else seen_t, last_mid, since_ns, state, ints, params
        ) == 1:  # fmt: skip
            slots[SL_ADAPTS] = 1
        if executes == 1 and tells & PRINTED:
            see_prints(
                seen_what, seen_px, seen_sz, seen_begin[v - 1], seen_begin[v], seen_t, own, news, state, ints, params
            )
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
            decide_t = NEVER
            if executes == 1:
                slots[SL_STANCE] = WITHDRAW
                plan_t = now
            else:
                pull(desk, actions, now)
        if stopped == 1 or seen_t < config[CF_FROM_T] or account[A_MODE] >= PAUSE:
            continue
        if executes == 1:  # a book without a side takes the quotes away
            decide_t = max(now, slots[SL_DECIDED_T] + config[CF_CYCLE], ready_t)
            continue
        if has_mid == 0 or now - desk[D_DECIDED_T] < config[CF_CYCLE]:
            continue
        desk[D_DECIDED_T] = now
        desk[D_PULLED] = 0
        hold(desk, ints, seen_t)
        ints[I_REDUCING] = 1 if now >= config[CF_STOP_T] or account[A_MODE] == REDUCING else 0
        decide(profile, state, ints, params, rules, book, now, target)
        keep_places(desk, state, rules, target)
        requote(desk, actions, now, target, state[S_MID], rules[L_CAP], rules[L_OUT], rules[L_IN], rules[L_REFILL])
    course[C_MARKET] = i
    course[C_VIEW] = v
    course[C_PULL_T] = pull_t
    course[C_STOPPED] = stopped
    course[C_STEP_T] = step_t
    course[C_PLAN_T] = plan_t
    course[C_DECIDE_T] = decide_t
    course[C_RENEW_T] = renew_t
    course[C_TELL_FAST_T] = fast_t
    course[C_TELL_DEEP_T] = deep_t
    return i
