"""One plan as a kernel: from what rests and what should rest to the changes wanted, allowed and affordable now.

What `planner.py` hands over and carries out, on flat vectors, so that the compiled replay plans by the very same
code. Both sides are diffed at the terms that moving has now; what is over the hard limit goes; while an urgent ladder's
cancels are under way nothing is placed; the rest is judged in order of worth, and what is too near and cannot be moved
is cancelled instead. Orders come in the order they were placed (ties are decided by it). Sides are 1 = bid, -1 = ask.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from common.kernel import istate, kernel, state
from common.ticks import MIN_NOTIONAL_E6
from executor.checks import (
    BK_LEN,
    HARD,
    LM_HARD,
    LM_POSITION,
    LM_REDUCING,
    PASSES,
    clear_book,
    count_in,
    room_of,
    stretch,
    why_refused,
)
from executor.diff import MISSING_BPS, SIZE_RATIO, assign, gap_bps
from executor.governor import V_TOKENS, price_bps, price_usd, worth_of
from executor.terms import F_FAIR, F_FLOOR, F_IS_KNOWN, PRICE_MAX_USD, set_terms
from executor.throttle import PASSES as IN_TIME
from executor.throttle import note_sent, too_soon

OVER_CAP = 1.02
"""Orders go when the worst case passes the hard limit by this much (equity moves; a hair is not worth a cancel)."""
POST_ONLY_PAUSE_NS = 2 * 10**9
"""Market time for which a side is not quoted as near again as where the venue refused a crossing post-only order."""

PLAN_EVERY_NS = 10**9 // 5
"""What waits (for tokens, for an answer) is planned anew this often; a ladder is planned when it arrives."""
LEVELS_MAX = 32

(
    R_SIDE,
    R_IS_LIVE,  # 1 = it rests or may rest
    R_PX,  # where it rests, or will once its open request has landed
    R_SZ,  # what of it is left there
    R_IS_LOCKED,  # 1 = a request is open or its state unknown: it counts, and nothing may be asked of it
    R_IS_SHOWN,  # 1 = the diff sees it: live and not on its way out
    R_IS_OPEN,
    R_IS_BUSY,  # 1 = an action of it has no answer
    R_AT_PX,  # where it rests as far as we know
    R_TO_PX,  # where it is being moved to, 0 = nowhere
    R_HELD,  # with what it counts against the hard limit
    R_UNBOOKED,  # filled as the venue says, and no fill has told yet
    R_STRIDE,
) = range(13)

W_COUNT = 0
W_ROWS = 2
W_PX, W_SZ, W_NUMBER, W_STRIDE = range(4)
W_SIDE = W_STRIDE * LEVELS_MAX
W_LEN = W_ROWS + 2 * W_SIDE
"""Wanted levels: counts of bids and asks, then (px_u, sz_u, number) rows of each, best first."""

CANCEL, OUTWARD, INWARD, NEW, NOTHING = range(5)
C_WHAT, C_SIDE, C_ORDER, C_PX, C_SZ, C_LEVEL, C_FROM_PX, C_FOUND, C_STRIDE = range(9)
"""A change: of which order (-1 = a new one), to what, and its number among those found; NOTHING = it is none now."""

TOO_SOON, JUST_CROSSED = 20, 30
"""Reasons beside those of `checks.py`; TOO_SOON + what `throttle.py` says."""
X_WHY, X_SIDE, X_PX, X_SZ, X_STRIDE = range(5)

(
    Q_IS_URGENT,  # 1 = the newest ladder wants cancels first
    Q_IS_CANCELLING,  # 1 = cancels are under way
    Q_CROSSED_PX,  # price a bid was refused at as crossing, and when; then an ask
    Q_CROSSED_T,
    _Q_CROSSED_ASK_PX,
    _Q_CROSSED_ASK_T,
    Q_LEN,
) = range(7)


class Work(NamedTuple):
    """What a plan writes: changes found and chosen, refusals, and scratch.  Counts stand first in each list."""

    px: Any
    sz: Any
    locked: Any
    place: Any
    want_px: Any
    want_sz: Any
    assigned: Any
    index: Any
    held: Any
    book: Any
    found: Any  # changes, in the order of the diff
    gaps: Any  # bps
    worths: Any
    chosen: Any  # changes to be sent, in order
    refused: Any  # `X_*` rows


def new_work(orders: int) -> Work:
    """Room for plans over so many orders."""
    changes = 2 * (orders + LEVELS_MAX)
    return Work(
        istate(orders), istate(orders), istate(orders), state(orders), istate(LEVELS_MAX), istate(LEVELS_MAX),
        istate(3 * orders + 2 * LEVELS_MAX), istate(changes), istate(orders), istate(BK_LEN),
        istate(1 + C_STRIDE * changes), state(changes), state(changes), istate(1 + C_STRIDE * changes),
        istate(1 + X_STRIDE * changes),
    )  # fmt: skip


# ---------------------------------------------------------------------- what is wanted
@kernel("i8(i8[::1], i8, i8)")
def narrow(want: list[int], side: int, position_u: int) -> int:
    """Of a side only what takes the position down, and no more than that; returns the levels left."""
    s = 0 if side > 0 else 1
    left = max(-side * position_u, 0)
    n = 0
    for j in range(want[W_COUNT + s]):
        row = W_ROWS + W_SIDE * s + W_STRIDE * j
        sz = min(want[row + W_SZ], left)
        if sz * want[row + W_PX] < MIN_NOTIONAL_E6:
            break
        want[row + W_SZ] = sz
        left -= sz
        n += 1
    want[W_COUNT + s] = n
    return n


# ---------------------------------------------------------------------- what would have to change
@kernel("i8(i8[::1], i8, i8, i8, i8, i8, i8, i8)", inline=True)
def put(changes: list[int], what: int, side: int, order: int, px: int, sz: int, level: int, from_px: int) -> int:
    """One more change at the end of a list; returns its number."""
    k = changes[0]
    at = 1 + C_STRIDE * k
    changes[at + C_WHAT] = what
    changes[at + C_SIDE] = side
    changes[at + C_ORDER] = order
    changes[at + C_PX] = px
    changes[at + C_SZ] = sz
    changes[at + C_LEVEL] = level
    changes[at + C_FROM_PX] = from_px
    changes[at + C_FOUND] = k
    changes[0] = k + 1
    return k


@kernel("i8(i8[::1], i8, i8, i8[::1], i8, i8)", inline=True)
def sorted_orders(orders: list[int], n: int, side: int, index: list[int], key: int, sign: int) -> int:
    """Numbers of a side's orders that are shown (key R_PX) or open (R_AT_PX), rising by sign x price; how many."""
    count = 0
    for i in range(n):
        row = R_STRIDE * i
        wanted = orders[row + R_IS_SHOWN] if key == R_PX else orders[row + R_IS_OPEN]
        if orders[row + R_SIDE] != side or wanted == 0:
            continue
        k = count
        while k > 0 and sign * orders[R_STRIDE * index[k - 1] + key] > sign * orders[row + key]:
            index[k] = index[k - 1]
            k -= 1
        index[k] = i
        count += 1
    return count


@kernel("f8(i8, i8, i8, i8)", inline=True)
def off_bps(px: int, sz: int, want_px: int, want_sz: int) -> float:
    """How far an order is from its place, in price and size (MISSING_BPS)."""
    size = float(abs(sz - want_sz)) / float(max(want_sz, 1))
    return gap_bps(px, want_px) + MISSING_BPS * min(size, 1.0)


@kernel(
    "i8(i8, i8[::1], i8, f8[::1], i8[::1], f8[::1], i8[::1], i8[::1], i8[::1], f8[::1], i8[::1], i8[::1], i8[::1], "
    "i8[::1], i8[::1], f8[::1])"
)
def diff_side(
    side: int, orders: list[int], n: int, places: list[float], want: list[int], terms: list[float],
    px: list[int], sz: list[int], locked: list[int], place: list[float], want_px: list[int], want_sz: list[int],
    assigned: list[int], index: list[int], found: list[int], gaps: list[float],
) -> int:  # fmt: skip
    """The changes of one side, added to `found` and `gaps`; returns how many orders may stay."""
    s = 0 if side > 0 else 1
    count = sorted_orders(orders, n, side, index, R_PX, -side)
    m = want[W_COUNT + s]
    for k in range(count):
        row = R_STRIDE * index[k]
        px[k] = orders[row + R_PX]
        sz[k] = orders[row + R_SZ]
        locked[k] = orders[row + R_IS_LOCKED]
        place[k] = places[index[k]]
    for j in range(m):
        row = W_ROWS + W_SIDE * s + W_STRIDE * j
        want_px[j] = want[row + W_PX]
        want_sz[j] = want[row + W_SZ]
    stay = assign(side, count, px, sz, locked, place, m, want_px, want_sz, terms, assigned)
    for k in range(count):
        if assigned[count + k] == 1:
            continue
        j = assigned[k]
        if j < 0:
            gaps[put(found, CANCEL, side, index[k], px[k], sz[k], -1, px[k])] = 0.0
            continue
        nearer = side * (px[k] - want_px[j])
        what = OUTWARD if nearer > 0 or (nearer == 0 and sz[k] > want_sz[j]) else INWARD
        number = want[W_ROWS + W_SIDE * s + W_STRIDE * j + W_NUMBER]
        at = put(found, what, side, index[k], want_px[j], want_sz[j], number, px[k])
        gaps[at] = off_bps(px[k], sz[k], want_px[j], want_sz[j])
    for k in range(count):
        if assigned[k] >= 0:
            want_px[assigned[k]] = 0  # served
    for j in range(m):
        if want_px[j] > 0:
            row = W_ROWS + W_SIDE * s + W_STRIDE * j
            gaps[put(found, NEW, side, -1, want_px[j], want_sz[j], want[row + W_NUMBER], 0)] = MISSING_BPS
    return stay


@kernel("i8(i8[::1], i8)", inline=True)
def is_going(found: list[int], order: int) -> int:
    """1 when an order is to be cancelled."""
    for k in range(found[0]):
        at = 1 + C_STRIDE * k
        if found[at + C_ORDER] == order and found[at + C_WHAT] == CANCEL:
            return 1
    return 0


@kernel("i8(i8, i8[::1], i8, i8[::1], i8[::1], i8[::1], f8[::1])")
def drop_excess(
    side: int, orders: list[int], n: int, limits: list[int], index: list[int], found: list[int], gaps: list[float]
) -> int:
    """Cancels of a side's outermost orders while its worst case is over the hard limit, added to `found`."""
    worst_u = side * limits[LM_POSITION]
    dearest = 0
    for i in range(n):
        if orders[R_STRIDE * i + R_SIDE] == side:
            worst_u += orders[R_STRIDE * i + R_HELD]
            dearest = max(dearest, orders[R_STRIDE * i + R_AT_PX])
    if float(worst_u) * float(dearest) <= float(limits[LM_HARD]) * OVER_CAP:
        return 0
    count = sorted_orders(orders, n, side, index, R_AT_PX, side)
    dropped = 0
    for k in range(count):
        row = R_STRIDE * index[k]
        if is_going(found, index[k]) == 1:
            worst_u -= orders[row + R_HELD]
        elif (
            float(worst_u) * float(orders[row + R_AT_PX]) > float(limits[LM_HARD]) * OVER_CAP
            and orders[row + R_IS_BUSY] == 0
        ):
            worst_u -= orders[row + R_HELD]
            gaps[put(found, CANCEL, side, index[k], orders[row + R_AT_PX], orders[row + R_SZ], -1, 0)] = 0.0
            dropped += 1
    return dropped


@kernel("i8(i8[::1], i8[::1])")
def cancel_first(found: list[int], q: list[int]) -> int:
    """The market ran away: what is too near goes now, and all else waits until it is gone.  Returns the cancels."""
    cancels = 0
    for k in range(found[0]):
        at = 1 + C_STRIDE * k
        if found[at + C_WHAT] == OUTWARD:
            found[at + C_WHAT] = CANCEL
        cancels += 1 if found[at + C_WHAT] == CANCEL else 0
    if cancels == 0 and q[Q_IS_CANCELLING] == 0:
        q[Q_IS_URGENT] = 0
        return 0
    for k in range(found[0]):
        at = 1 + C_STRIDE * k
        if found[at + C_WHAT] != CANCEL:
            found[at + C_WHAT] = NOTHING
    return cancels


# ---------------------------------------------------------------------- choosing
@kernel("void(i8[::1], i8, i8[::1], i8[::1], i8)")
def fill_book(orders: list[int], n: int, held: list[int], book: list[int], value_px_u: int) -> None:
    """What may rest of ours, into `book`, and with what each order counts, into `held`."""
    clear_book(book, value_px_u)
    for i in range(n):
        row = R_STRIDE * i
        side = orders[row + R_SIDE]
        held[i] = 0
        count_in(book, side, orders[row + R_UNBOOKED])
        if orders[row + R_IS_LIVE] == 0:
            continue
        held[i] = orders[row + R_HELD]
        count_in(book, side, held[i])
        stretch(book, side, orders[row + R_AT_PX])
        if orders[row + R_TO_PX] > 0:
            stretch(book, side, orders[row + R_TO_PX])


@kernel("i8(i8[::1], i8[::1], f8[::1], f8[::1], f8, f8, i8[::1])")
def rank(
    found: list[int], want: list[int], gaps: list[float], worths: list[float], mid_px: float, least_bps: float,
    index: list[int],
) -> int:  # fmt: skip
    """Numbers of the changes worth `least_bps` that are no cancels, outward moves first, then by worth; how many."""
    nearest_bid = max(abs(mid_px - float(want[W_ROWS + W_PX])), 1.0)
    nearest_ask = max(abs(mid_px - float(want[W_ROWS + W_SIDE + W_PX])), 1.0)
    mean_bid = mean_size(want, 0)
    mean_ask = mean_size(want, 1)
    count = 0
    for k in range(found[0]):
        at = 1 + C_STRIDE * k
        what = found[at + C_WHAT]
        if what in (CANCEL, NOTHING) or (found[at + C_ORDER] >= 0 and is_going(found, found[at + C_ORDER])):
            continue
        is_bid = found[at + C_SIDE] > 0
        worths[k] = worth_of(
            gaps[k], float(found[at + C_PX]), float(found[at + C_SZ]), mid_px,
            nearest_bid if is_bid else nearest_ask, mean_bid if is_bid else mean_ask,
        )  # fmt: skip
        if not worths[k] >= least_bps:
            continue
        i = count
        while i > 0 and goes_before(found, worths, k, index[i - 1]) == 1:
            index[i] = index[i - 1]
            i -= 1
        index[i] = k
        count += 1
    return count


@kernel("f8(i8[::1], i8)", inline=True)
def mean_size(want: list[int], side: int) -> float:
    """Mean size of a side's wanted levels (0 bids); 1 when there are none."""
    n = want[W_COUNT + side]
    total = 0
    for j in range(n):
        total += want[W_ROWS + W_SIDE * side + W_STRIDE * j + W_SZ]
    return float(total) / float(n) if n > 0 else 1.0


@kernel("i8(i8[::1], f8[::1], i8, i8)", inline=True)
def goes_before(found: list[int], worths: list[float], a: int, b: int) -> int:
    """1 when change `a` is served before `b`, which was found before it."""
    a_is_out = found[1 + C_STRIDE * a + C_WHAT] == OUTWARD
    b_is_out = found[1 + C_STRIDE * b + C_WHAT] == OUTWARD
    if a_is_out != b_is_out:
        return 1 if a_is_out else 0
    return 1 if worths[a] > worths[b] else 0


@kernel("i8(i8[::1], i8, i8, i8)", inline=True)
def just_crossed(q: list[int], side: int, px_u: int, t_ns: int) -> int:
    """1 when an order as near as this was refused a moment ago because it would have matched."""
    at = Q_CROSSED_PX if side > 0 else Q_CROSSED_PX + 2
    passed_ns = t_ns - q[at + 1]
    return 1 if 0 <= passed_ns <= POST_ONLY_PAUSE_NS and side * (px_u - q[at]) >= 0 else 0


@kernel(
    "i8(i8[::1], i8, i8[::1], i8[::1], f8[::1], i8[::1], f8[::1], i8[::1], f8[::1], i8[::1], i8[::1], i8[::1], "
    "i8[::1], f8, i8, i8)"
)
def choose(
    found: list[int], ranked: int, index: list[int], limits: list[int], marks: list[float], recent: list[int],
    bucket: list[float], q: list[int], worths: list[float], held: list[int], book: list[int], chosen: list[int],
    refused: list[int], hold_bps: float, t_ns: int, mono_ns: int,
) -> int:  # fmt: skip
    """What is worth its token and passes, in order of worth, added to `chosen`; returns how many."""
    sent = 0
    for r in range(ranked):
        k = index[r]
        if not worths[k] >= price_bps(bucket, hold_bps, bucket[V_TOKENS]):
            continue
        at = 1 + C_STRIDE * k
        side = found[at + C_SIDE]
        order = found[at + C_ORDER]
        px = found[at + C_PX]
        sz = found[at + C_SZ]
        held_u = held[order] if order >= 0 else 0
        why = why_refused(limits, marks, book, side, px, sz, held_u)
        if why == HARD:
            room_u = room_of(book, limits, side, px, held_u)
            if (1 - SIZE_RATIO) * float(sz) <= float(room_u):
                sz = room_u
                why = why_refused(limits, marks, book, side, px, sz, held_u)
        if why == PASSES:
            soon = too_soon(recent, side, px, sz, 1 if order < 0 else 0, mono_ns)
            if soon != IN_TIME:
                why = TOO_SOON + soon
            elif just_crossed(q, side, px, t_ns) == 1:
                why = JUST_CROSSED
        if why != PASSES:
            row = 1 + X_STRIDE * refused[0]
            refused[row + X_WHY] = why
            refused[row + X_SIDE] = side
            refused[row + X_PX] = px
            refused[row + X_SZ] = sz
            refused[0] += 1
        else:
            bucket[V_TOKENS] -= 1.0
            note_sent(recent, side, px, sz, 1 if order < 0 else 0, mono_ns)
            count_in(book, side, max(sz - held_u, 0))
            stretch(book, side, px)
            if order >= 0:
                held[order] = max(sz, held_u)
            c = put(chosen, found[at + C_WHAT], side, order, px, sz, found[at + C_LEVEL], found[at + C_FROM_PX])
            chosen[1 + C_STRIDE * c + C_FOUND] = k
            found[at + C_WHAT] = NOTHING
            sent += 1
    return sent


@kernel("i8(i8, i8, i8, f8[::1], f8)")
def is_too_near(side: int, from_px: int, px: int, facts: list[float], hold_bps: float) -> int:
    """1 when an order at from_px rests nearer to the fair price than its side's floor (less what may stay)."""
    if facts[F_IS_KNOWN] == 0.0:
        return 1 if gap_bps(from_px, px) > 2 * hold_bps else 0
    if from_px <= 0:
        return 1
    distance_bps = side * (facts[F_FAIR] / float(from_px) - 1.0) * 1e4
    return 0 if distance_bps >= facts[F_FLOOR + (0 if side > 0 else 1)] - hold_bps else 1


@kernel(
    "i8(i8[::1], i8, f8[::1], i8[::1], i8[::1], f8[::1], f8[::1], f8[::1], f8[::1], i8[::1], i8[::1], f8, f8, i8, i8, "
    "i8, i8[::1], i8[::1], i8[::1], f8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], f8[::1], "
    "f8[::1], i8[::1], i8[::1])"
)
def plan(
    orders: list[int], n: int, places: list[float], want: list[int], limits: list[int], marks: list[float],
    bucket: list[float], facts: list[float], terms: list[float], recent: list[int], q: list[int], hold_bps: float,
    mid_px: float, value_px_u: int, t_ns: int, mono_ns: int,
    px: list[int], sz: list[int], locked: list[int], place: list[float], want_px: list[int], want_sz: list[int],
    assigned: list[int], index: list[int], held: list[int], book: list[int], found: list[int], gaps: list[float],
    worths: list[float], chosen: list[int], refused: list[int],
) -> int:  # fmt: skip
    """What is to be sent now into `chosen` (cancels, then the rest in order), why not more into `refused`.

    `want` is narrowed to what the mode allows. Returns how many changes are to be sent.
    """
    found[0] = 0
    chosen[0] = 0
    refused[0] = 0
    price = min(price_usd(bucket), PRICE_MAX_USD)
    for s in range(2):
        side = 1 - 2 * s
        if limits[LM_REDUCING] == 1:
            narrow(want, side, limits[LM_POSITION])
        set_terms(terms, facts, s, price)
        diff_side(
            side, orders, n, places, want, terms, px, sz, locked, place, want_px, want_sz, assigned, index, found, gaps
        )
    for s in range(2):
        drop_excess(1 - 2 * s, orders, n, limits, index, found, gaps)
    if q[Q_IS_URGENT] == 1:
        cancel_first(found, q)
    for k in range(found[0]):
        at = 1 + C_STRIDE * k
        if found[at + C_WHAT] == CANCEL:
            put(chosen, CANCEL, found[at + C_SIDE], found[at + C_ORDER], found[at + C_PX], found[at + C_SZ], -1, 0)
    if found[0] == chosen[0]:
        return chosen[0]
    ranked = rank(found, want, gaps, worths, mid_px, price_bps(bucket, hold_bps, bucket[V_TOKENS]), index)
    if ranked > 0:
        fill_book(orders, n, held, book, value_px_u)
        choose(
            found, ranked, index, limits, marks, recent, bucket, q, worths, held, book, chosen, refused, hold_bps, t_ns,
            mono_ns,
        )  # fmt: skip
    for k in range(found[0]):
        at = 1 + C_STRIDE * k
        if found[at + C_WHAT] != OUTWARD or is_going(found, found[at + C_ORDER]) == 1:
            continue
        if is_too_near(found[at + C_SIDE], found[at + C_FROM_PX], found[at + C_PX], facts, hold_bps) == 1:
            put(chosen, CANCEL, found[at + C_SIDE], found[at + C_ORDER], found[at + C_PX], found[at + C_SZ], -1, 0)
    return chosen[0]
