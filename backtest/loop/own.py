"""Our own orders in the book that is told, and off it again, as venue and quoter have them.

The venue shows our resting size among everyone's: it makes a touch of its own, takes one of the few levels told and
hides what lies behind. The quoter takes off what it looks for by the rules of `quoter/own.py`: from the moment an order
was sent, at every price where it may rest, until a book newer than its end has been seen. Both are read off the rings
in which requests and news travel, so that nobody else needs to know. One int64 vector (`OW_*`): what the told book
shows of each slot and each side, the places looked for (`PL_*`) and their sum a side. Prices px_u, sizes sz_u, times
ns.
"""

from __future__ import annotations

from typing import Any

from backtest.loop.layout import (
    CROSSED,
    ENDED,
    G_KIND,
    G_PX,
    G_SENT_T,
    G_SLOT,
    G_SZ,
    G_T,
    NEVER,
    PLACE,
    RESTS,
    RING_HEAD,
    RING_ROWS,
    RING_SIZE,
    RING_STRIDE,
    RING_TAIL,
    TOOK,
    TRADED,
    WITHDRAWN,
)
from backtest.loop.slots import ALL_SLOTS, OS_ACTION, OS_STRIDE, SL_ROWS, SLOTS_A_SIDE
from common.kernel import istate, kernel
from quoter.features import see_book, see_touch
from quoter.intensity import see_print as see_depth
from quoter.layering import (
    C_DEEP,
    C_DEEP_N,
    C_DEEP_T,
    C_FAST_LEVELS,
    C_FAST_T,
    C_SIDE,
    C_TOLD,
    C_TOLD_N,
    C_TOUCH,
    C_TOUCH_T,
    DEEP_LEVELS,
    FAST_LEVELS,
    TOLD_BOOK,
    TOLD_TOUCH,
    add_deep,
)
from quoter.rebuilt import BUY_ROW, HEAD, R_N, R_PX, R_SZ, SELL_ROW, STRIDE
from quoter.sampling import take_rows
from quoter.state import ASK_SIDE, B_COUNT, B_ROWS, B_SIDE, BID_SIDE, VIEW_MAX

PLACES_MAX = 4 * ALL_SLOTS
PRINTED = 4
"""One more bit of what is told (`TOLD_*`): prints."""
(
    OW_TOLD,  # rows of the news that the told book holds
    OW_HEARD,  # rows of the news, and of the requests, that the quoter has been told of
    OW_SENT,
    OW_N,  # places looked for
    OW_UNTIL_T,  # when the first of them ends
    OW_BID,  # the touch the executor has read, ours included
    OW_ASK,
    OW_NEW_BID,  # and the one it has been told since
    OW_NEW_ASK,
    OW_NEW_T,  # when; 0 = there is none
    OW_MARK,  # mark and oracle the executor has read
    OW_ORACLE,
    OW_NEW_MARK,  # and those the venue has told, or is telling, since
    OW_NEW_ORACLE,
    OW_NEW_PRICE_T,  # when; 0 = there are none
    OW_BASE_T,  # the executor's next look at the account, and what it saw at the last
    OW_WHOLE_T,  # ... and at everything
    OW_BASE_E8,
    OW_BASE_USED_E8,  # margin
    OW_BASE_MARK,
    OW_BASE_U,
    OW_BASE_FILLS,
    OW_PAID_E8,  # funding since, and when it is told
    OW_PAID_T,
    OW_LOOK_T,  # its newest look at market data, or the next one
    OW_TELL_T,  # when the account is to be told again, when it will be, and the equity and margin it told last
    OW_STATE_T,
    OW_STATE_E8,
    OW_STATE_USED_E8,
    OW_RISK_E8,  # those riskd has read
    OW_RISK_USED_E8,
    OW_PERMIT_T,  # riskd's next permit, and its next look for a reason to make one before
    OW_JUDGE_T,
    OW_MID2,  # bid + ask of the last touch it has been told, and its venue time
    OW_MID_T,
    OW_TELLS,  # what is being told now: TOLD_*, PRINTED
    OW_TELLS_T,  # when, NEVER = nothing is
    OW_SEEN_T,  # its venue time
    OW_HOLD_T,  # when the quoter takes a new position over, NEVER = it has
    OW_HELD_T,  # when that position came to be
    OW_ANSWERED,  # the action answered by the last news, 0 = they answered none
    OW_SLOTS,  # (px, sz) the told book shows of each slot
) = range(42)
SHOWN_SIDE = 1 + 2 * SLOTS_A_SIDE
MINE_SIDE = 1 + 2 * PLACES_MAX
OW_SHOWN = OW_SLOTS + 2 * ALL_SLOTS
"""A side: a count, then (px, sz) rows, best first."""
OW_MINE = OW_SHOWN + 2 * SHOWN_SIDE
OW_PLACES = OW_MINE + 2 * MINE_SIDE
PL_SLOT, PL_SIDE, PL_PX, PL_SZ, PL_UNTIL_T, PL_STRIDE = range(6)
"""Slot -1: of an order that has ended."""
OW_LEN = OW_PLACES + PL_STRIDE * PLACES_MAX


def new_own() -> Any:
    """Nothing of ours anywhere."""
    own = istate(OW_LEN)
    for place in (
        OW_UNTIL_T, OW_TELLS_T, OW_HOLD_T, OW_BASE_T, OW_WHOLE_T, OW_TELL_T, OW_STATE_T, OW_PERMIT_T, OW_JUDGE_T,
    ):  # fmt: skip
        own[place] = NEVER
    return own


@kernel("i8(i8[::1], i8, i8, i8, i8)")
def add_up(own: list[int], at: int, side: int, px: int, sz: int) -> int:
    """So much more at px in the list at `at` of a side (0 bids), best first; returns its rows."""
    direction = 1 if side == BID_SIDE else -1
    n = own[at]
    k = n
    while k > 0 and direction * own[at + 2 * k - 1] <= direction * px:
        k -= 1
    row = at + 1 + 2 * k
    if k < n and own[row] == px:
        own[row + 1] += sz
        return n
    for j in range(at + 2 * n, row - 1, -1):
        own[j + 2] = own[j]
    own[row] = px
    own[row + 1] = sz
    own[at] = n + 1
    return n + 1


@kernel("i8(i8[::1], i8)")
def ring_row(ring: list[int], number: int) -> int:
    """Where a ring has its row of that number."""
    return RING_ROWS + RING_STRIDE * (number & (ring[RING_SIZE] - 1))


# ---------------------------------------------------------------------- in the told book
@kernel("i8(i8[::1], i8[::1], i8)", inline=True)
def own_due(own: list[int], news: list[int], feed_ns: int) -> int:
    """When a book is told that holds more of our orders' news than the last."""
    if own[OW_TOLD] == news[RING_TAIL]:
        return NEVER
    return news[ring_row(news, own[OW_TOLD]) + G_SENT_T] + feed_ns


@kernel("i8(i8[::1], i8[::1], i8)")
def show_own(own: list[int], news: list[int], t_ns: int) -> int:
    """The told book is that of venue time `t_ns` from now on; returns how many news of ours came in."""
    found = 0
    while own[OW_TOLD] < news[RING_TAIL]:
        at = ring_row(news, own[OW_TOLD])
        if news[at + G_SENT_T] > t_ns:
            break
        own[OW_TOLD] += 1
        found += 1
        kind = news[at + G_KIND]
        row = OW_SLOTS + 2 * news[at + G_SLOT]
        if kind == RESTS:
            own[row] = news[at + G_PX]
            own[row + 1] = news[at + G_SZ]
        elif kind == TRADED:
            own[row + 1] = max(own[row + 1] - news[at + G_SZ], 0)
        elif kind in (ENDED, CROSSED, WITHDRAWN):
            own[row + 1] = 0
    if found > 0:
        for side in range(2):
            shown = OW_SHOWN + side * SHOWN_SIDE
            own[shown] = 0
            for slot in range(side * SLOTS_A_SIDE, (side + 1) * SLOTS_A_SIDE):
                if own[OW_SLOTS + 2 * slot + 1] > 0:
                    add_up(own, shown, side, own[OW_SLOTS + 2 * slot], own[OW_SLOTS + 2 * slot + 1])
    return found


@kernel("i8(i8[::1], i8[::1], i8, i8, i8[::1], i8)")
def copy_best_with(rows: list[int], own: list[int], side: int, count: int, target: list[int], at: int) -> int:
    """The best `count` levels of a side with ours among them, as (px, sz) rows from `at` on; returns how many."""
    direction = 1 if side == BID_SIDE else -1
    shown = OW_SHOWN + side * SHOWN_SIDE
    i = rows[R_N] - 1
    k = 0
    n = 0
    while n < count and (i >= 0 or k < own[shown]):
        px = 0
        sz = 0
        if i >= 0:
            px = rows[HEAD + STRIDE * i + R_PX]
        if k < own[shown] and (i < 0 or direction * own[shown + 1 + 2 * k] > direction * px):
            px = own[shown + 1 + 2 * k]
        if i >= 0 and rows[HEAD + STRIDE * i + R_PX] == px:
            sz = rows[HEAD + STRIDE * i + R_SZ]
            i -= 1
        if k < own[shown] and own[shown + 1 + 2 * k] == px:
            sz += own[shown + 2 + 2 * k]
            k += 1
        target[at + 2 * n] = px
        target[at + 2 * n + 1] = sz
        n += 1
    return n


@kernel("i8(i8[::1], i8[::1], i8, i8[::1])")
def touch_changed_with(rows: list[int], own: list[int], side: int, channel: list[int]) -> int:
    """Take the best level of a side, ours included, into the touch; 1 when it differs from what was told."""
    at = C_TOUCH + 2 * side
    px = channel[at]
    sz = channel[at + 1]
    channel[at] = 0
    channel[at + 1] = 0
    copy_best_with(rows, own, side, 1, channel, at)
    return 1 if px != channel[at] or sz != channel[at + 1] else 0


# ---------------------------------------------------------------------- what is looked for
@kernel("void(i8[::1], i8, i8)")
def end_places(own: list[int], slot: int, t_ns: int) -> None:
    """The order of a slot has ended, as heard at `t_ns`."""
    for k in range(own[OW_N]):
        at = OW_PLACES + PL_STRIDE * k
        if own[at + PL_SLOT] == slot:
            own[at + PL_SLOT] = -1
            own[at + PL_UNTIL_T] = min(own[at + PL_UNTIL_T], t_ns)


@kernel("void(i8[::1], i8, i8, i8, i8)")
def rest_place(own: list[int], slot: int, px: int, sz: int, t_ns: int) -> None:
    """The order of a slot rests, or is to rest, at px: where it was else it is being left."""
    found = 0
    for k in range(own[OW_N]):
        at = OW_PLACES + PL_STRIDE * k
        if own[at + PL_SLOT] == slot and own[at + PL_PX] == px:
            own[at + PL_SZ] = sz
            own[at + PL_UNTIL_T] = NEVER
            found = 1
        elif own[at + PL_SLOT] == slot:
            own[at + PL_UNTIL_T] = min(own[at + PL_UNTIL_T], t_ns)
    if found == 0 and own[OW_N] < PLACES_MAX:
        at = OW_PLACES + PL_STRIDE * own[OW_N]
        own[OW_N] += 1
        own[at + PL_SLOT] = slot
        own[at + PL_SIDE] = BID_SIDE if slot < SLOTS_A_SIDE else ASK_SIDE
        own[at + PL_PX] = px
        own[at + PL_SZ] = sz
        own[at + PL_UNTIL_T] = NEVER


@kernel("void(i8[::1], i8, i8, i8)")
def fill_place(own: list[int], slot: int, sz: int, t_ns: int) -> None:
    """So much of the order of a slot was filled at venue time `t_ns`."""
    left = 0
    for k in range(own[OW_N]):
        at = OW_PLACES + PL_STRIDE * k
        if own[at + PL_SLOT] == slot and own[at + PL_UNTIL_T] == NEVER:
            own[at + PL_SZ] = max(own[at + PL_SZ] - sz, 0)
            left += own[at + PL_SZ]
    if left == 0:
        end_places(own, slot, t_ns)


@kernel("i8(i8[::1], i8[::1], i8)")
def heard_before(own: list[int], news: list[int], now: int) -> int:
    """The last time whose news the quoter knows when it is told a book at `now`.

    An answer of the venue is known before the book of its instant, and with it all news of that instant; a fill alone
    comes after it.
    """
    k = own[OW_HEARD]
    while k < news[RING_TAIL]:
        at = ring_row(news, k)
        if news[at + G_T] > now:
            break
        if news[at + G_T] == now and news[at + G_KIND] not in (TRADED, WITHDRAWN):
            return now
        k += 1
    return now - 1


@kernel("i8(i8[::1], i8[::1], i8[::1], i8)")
def look_for(own: list[int], actions: list[int], news: list[int], now: int) -> int:
    """Take what was sent and heard before a book told at `now` into the places; returns how many rows there were."""
    found = 0
    until_t = heard_before(own, news, now)
    while True:
        sent_t = NEVER
        heard_t = NEVER
        request = ring_row(actions, own[OW_SENT])
        word = ring_row(news, own[OW_HEARD])
        if own[OW_SENT] < actions[RING_TAIL]:
            sent_t = actions[request + G_SENT_T]
        if own[OW_HEARD] < news[RING_TAIL]:
            heard_t = news[word + G_T]
        if min(sent_t, heard_t) > until_t:
            break
        found += 1
        if sent_t < heard_t:
            own[OW_SENT] += 1
            if actions[request + G_KIND] == PLACE:
                rest_place(own, actions[request + G_SLOT], actions[request + G_PX], actions[request + G_SZ], sent_t)
            continue
        own[OW_HEARD] += 1
        kind = news[word + G_KIND]
        slot = news[word + G_SLOT]
        if kind == RESTS:
            rest_place(own, slot, news[word + G_PX], news[word + G_SZ], heard_t)
        elif kind == TRADED:
            fill_place(own, slot, news[word + G_SZ], news[word + G_SENT_T])
        elif kind in (ENDED, CROSSED, WITHDRAWN):
            end_places(own, slot, heard_t)
    return found


@kernel("i8(i8[::1], i8)")
def add_places(own: list[int], t_ns: int) -> int:
    """Drop places that ended before a book of venue time `t_ns`, sum the others up; returns how many there are."""
    n = 0
    own[OW_UNTIL_T] = NEVER
    own[OW_MINE] = 0
    own[OW_MINE + MINE_SIDE] = 0
    for k in range(own[OW_N]):
        at = OW_PLACES + PL_STRIDE * k
        if own[at + PL_UNTIL_T] < t_ns:
            continue
        to = OW_PLACES + PL_STRIDE * n
        for j in range(PL_STRIDE):
            own[to + j] = own[at + j]
        own[OW_UNTIL_T] = min(own[OW_UNTIL_T], own[to + PL_UNTIL_T])
        add_up(own, OW_MINE + own[to + PL_SIDE] * MINE_SIDE, own[to + PL_SIDE], own[to + PL_PX], own[to + PL_SZ])
        n += 1
    own[OW_N] = n
    return n


@kernel("i8(i8[::1], i8[::1], i8, i8[::1])")
def put_without(channel: list[int], own: list[int], side: int, book: list[int]) -> int:
    """One side of the merged book (`put_over`) less what is looked for; returns the levels left."""
    direction = 1 if side == BID_SIDE else -1
    mine = OW_MINE + side * MINE_SIDE
    at = B_ROWS + side * B_SIDE
    row = C_TOUCH + 2 * side
    behind = C_TOLD + side * C_SIDE
    end = behind + 2 * channel[C_TOLD_N + side]
    while behind < end and direction * channel[behind] >= direction * channel[row]:
        behind += 2
    levels = min((end - behind) // 2 + 1, VIEW_MAX) if channel[row] > 0 else 0
    n = 0
    k = 0
    for level in range(levels):
        px = channel[row]
        sz = channel[row + 1]
        row = behind + 2 * level
        while k < own[mine] and direction * own[mine + 1 + 2 * k] > direction * px:
            k += 1
        if k < own[mine] and own[mine + 1 + 2 * k] == px:
            sz -= own[mine + 2 + 2 * k]
        if sz > 0:
            book[at + 2 * n] = px
            book[at + 2 * n + 1] = sz
            n += 1
    book[B_COUNT + side] = n
    return n


# ---------------------------------------------------------------------- told
@kernel("i8(i8[::1], i8[::1], i8[::1], i8, i8, i8, i8, i8[::1], i8[::1], i8[::1], f8[::1], i8[::1], i8[::1], i8[::1])")
def hear_change(
    what: list[int], px: list[int], sz: list[int], begin: int, end: int, stamp: int, t_ns: int, bids: list[int],
    asks: list[int], channel: list[int], floats: list[float], ints: list[int], own: list[int], news: list[int],
) -> int:  # fmt: skip
    """What the venue says of rows `begin .. end` and of our orders at `t_ns`: TOLD_TOUCH, PRINTED, both or nothing."""
    levels = take_rows(what, px, sz, begin, end, stamp, t_ns, bids, asks, floats, ints)
    tells = 0
    for k in range(begin, end):
        if what[k] == BUY_ROW or what[k] == SELL_ROW:
            tells = PRINTED
    changed = levels + show_own(own, news, t_ns)
    for k in range(traded_from(own, news, t_ns), own[OW_TOLD]):
        if news[ring_row(news, k) + G_KIND] == TRADED:
            tells = PRINTED
    if changed == 0:
        return tells
    if touch_changed_with(bids, own, BID_SIDE, channel) + touch_changed_with(asks, own, ASK_SIDE, channel) > 0:
        channel[C_TOUCH_T] = t_ns
        if channel[C_TOUCH] + channel[C_TOUCH + 2] > 0:  # the feed takes no empty book
            tells += TOLD_TOUCH
    return tells


@kernel("i8(i8[::1], i8[::1], i8[::1], i8[::1], i8, i8)")
def hear_snapshot(bids: list[int], asks: list[int], channel: list[int], own: list[int], t_ns: int, is_deep: int) -> int:
    """A snapshot of venue time `t_ns`, ours among it, TOLD_BOOK or nothing: the feed takes no empty book.

    A slow one comes after the fast one of the same time.
    """
    if bids[R_N] + asks[R_N] + own[OW_SHOWN] + own[OW_SHOWN + SHOWN_SIDE] == 0:
        return 0
    if is_deep == 1:
        channel[C_DEEP_T] = t_ns
        channel[C_DEEP_N] = copy_best_with(bids, own, BID_SIDE, DEEP_LEVELS, channel, C_DEEP)
        channel[C_DEEP_N + 1] = copy_best_with(asks, own, ASK_SIDE, DEEP_LEVELS, channel, C_DEEP + C_SIDE)
    channel[C_FAST_T] = t_ns
    channel[C_TOLD_N] = copy_best_with(bids, own, BID_SIDE, FAST_LEVELS, channel, C_TOLD)
    channel[C_TOLD_N + 1] = copy_best_with(asks, own, ASK_SIDE, FAST_LEVELS, channel, C_TOLD + C_SIDE)
    channel[C_FAST_LEVELS] = min(channel[C_TOLD_N], channel[C_TOLD_N + 1])
    add_deep(channel, BID_SIDE, t_ns)
    add_deep(channel, ASK_SIDE, t_ns)
    return TOLD_BOOK


@kernel("i8(i8[::1], i8[::1], i8[::1], i8[::1], i8, i8, i8[::1], f8[::1], i8[::1], f8[::1], i8[::1])")
def see_told(
    own: list[int], actions: list[int], news: list[int], channel: list[int], t_ns: int, now: int, book: list[int],
    floats: list[float], ints: list[int], logs: list[float], times: list[int],
) -> int:  # fmt: skip
    """The market without us as the quoter makes it of what is told at `now` of venue time `t_ns`; what was told."""
    told = own[OW_TELLS] & (TOLD_TOUCH | TOLD_BOOK)
    own[OW_TELLS] = 0
    own[OW_TELLS_T] = NEVER
    if told == 0:
        return 0
    if look_for(own, actions, news, now) > 0 or t_ns > own[OW_UNTIL_T]:
        add_places(own, t_ns)
    bids = put_without(channel, own, BID_SIDE, book)
    asks = put_without(channel, own, ASK_SIDE, book)
    if told & TOLD_TOUCH:
        bid = B_ROWS
        ask = B_ROWS + B_SIDE
        see_touch(
            floats, ints, t_ns, book[bid] if bids > 0 else 0, book[bid + 1] if bids > 0 else 0,
            book[ask] if asks > 0 else 0, book[ask + 1] if asks > 0 else 0,
        )  # fmt: skip
    see_book(floats, ints, logs, times, t_ns, book, channel[C_FAST_LEVELS], channel[C_DEEP_T])
    return told


@kernel("i8(i8[::1], i8[::1], i8)")
def traded_from(own: list[int], news: list[int], t_ns: int) -> int:
    """The first of the news in the told book that are of venue time `t_ns`."""
    k = own[OW_TOLD]
    while k > 0 and news[ring_row(news, k - 1) + G_SENT_T] == t_ns:
        k -= 1
    return k


@kernel("i8(i8[::1], i8[::1], i8[::1], i8, i8, i8, i8[::1], i8[::1], f8[::1], i8[::1], f8[::1])")
def see_prints(
    what: list[int], px: list[int], sz: list[int], begin: int, end: int, t_ns: int, own: list[int], news: list[int],
    state: list[float], ints: list[int], params: list[float],
) -> int:  # fmt: skip
    """Prints of rows `begin .. end` as the venue tells them: what we traded at our own price, and what that left.

    Returns how many were told.
    """
    found = 0
    k = traded_from(own, news, t_ns)
    for i in range(begin, end + 1):
        is_last = i == end  # what we traded with no print: the other side came to our price
        if not is_last and what[i] != BUY_ROW and what[i] != SELL_ROW:
            continue
        rest = 0 if is_last else sz[i]
        while k < own[OW_TOLD] and (is_last or rest > 0):
            at = ring_row(news, k)
            if news[at + G_KIND] == TRADED:
                side = 1 if news[at + G_SLOT] < SLOTS_A_SIDE else -1
                if not is_last and (side * (news[at + G_PX] - px[i]) < 0 or news[at + G_SZ] > rest):
                    break
                rest -= news[at + G_SZ]
                found += 1
                see_depth(state, ints, params, news[at + G_PX], t_ns)
            k += 1
        if rest > 0:
            found += 1
            see_depth(state, ints, params, px[i], t_ns)
    return found


# ---------------------------------------------------------------------- news, one event of the executor's after another
@kernel("void(i8[::1], i8[::1], i8[::1])")
def note_news(own: list[int], slots: list[int], news: list[int]) -> None:
    """The first news are about to be heard."""
    at = ring_row(news, news[RING_HEAD])
    own[OW_ANSWERED] = 0
    if news[at + G_KIND] not in (TRADED, TOOK, WITHDRAWN):
        own[OW_ANSWERED] = slots[SL_ROWS + OS_STRIDE * news[at + G_SLOT] + OS_ACTION]


@kernel("i8(i8[::1], i8[::1], i8[::1])")
def hears_more(own: list[int], slots: list[int], news: list[int]) -> int:
    """1 when the first news came with those heard last: answers to one action are one event, each fill is its own."""
    at = ring_row(news, news[RING_HEAD])
    if own[OW_ANSWERED] == 0 or news[at + G_KIND] in (TRADED, TOOK, WITHDRAWN):
        return 0
    return 1 if slots[SL_ROWS + OS_STRIDE * news[at + G_SLOT] + OS_ACTION] == own[OW_ANSWERED] else 0
