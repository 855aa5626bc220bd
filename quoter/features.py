"""What is known of the next minute: sixteen figures of book, flow and moves, kept up to date event by event.

*Feature clock*: features change only with a message of the feed, in the order told; decays and windows use that
message's venue time, which here never goes back (a late print counts when it arrives). Order-flow imbalance is fed by
touches alone, imbalance within 1 and 2 bps by the merged book, flow by prints. Live engine, replay and fit call these
same kernels, so a feature is the same number everywhere. What a forecast makes of them: `forecast.py`.

Formulas (source: edge.md 6, the study's signals.py; moves in log space, nothing depends on the price's unit):
- `imb0`, `imb1`, `imb2`: (bid size - ask size) / sum at the touch and within 1 and 2 bps of mid; deep levels count less
  the older their snapshot is; `micro`: imb0 x half spread in bps.
- `ofi1/5/30`: the touch's order-flow imbalance (Cont, Kukanov, Stoikov 2014) over the average size of a touch, decayed
  with 1, 5, 30 s; its signed square root. A change over a silence of 3 s or more is no flow.
- `flow1/5/30`: aggressors' signed sqrt(size) over sqrt(average print), decayed alike; its signed square root.
- `move1/5/30/120/600`: log mid moves in bps; `last`: log(last print / mid) in bps, within +-3.
- of each reference market: its moves over 1, 5 and 30 s, and `gap`: how far the log ratio of the two mids lies from its
  slow average, in bps; 0 while the reference has been silent for 10 s: the gap would be our own move, reversed.
"""

from __future__ import annotations

import math
from typing import Any

from common.kernel import istate, kernel, state
from quoter.analysis import deep_share, imbalance
from quoter.paths import new_paths, read_moves, remember
from quoter.state import ASK_SIDE, B_COUNT, B_ROWS, B_SIDE, BID_SIDE, NS

NAMES = (
    "move1", "move5", "move30", "move120", "move600", "micro", "imb0", "imb1", "imb2",
    "ofi1", "ofi5", "ofi30", "flow1", "flow5", "flow30", "last",
)  # fmt: skip
REFERENCE_NAMES = ("move1", "move5", "move30", "gap")
OWN_FEATURES = 16
REFERENCE_FEATURES = 4
REFERENCES_MAX = 4
FEATURES_MAX = OWN_FEATURES + REFERENCES_MAX * REFERENCE_FEATURES

MOVES = 5
REFERENCE_MOVES = 3
X_MICRO, X_IMB, X_OFI, X_FLOW, X_LAST = 5, 6, 9, 12, 15

(
    F_LOG_MID,  # 0.0 with J_MID 0 = no mid yet
    F_LOG_LAST,  # log of the last print's price
    F_MICRO,
    F_IMB,  # touch, 1 bps, 2 bps
    _F_IMB1,
    _F_IMB2,
    F_OFI,  # decayed with 1, 5, 30 s
    _F_OFI5,
    _F_OFI30,
    F_FLOW,  # decayed with 1, 5, 30 s
    _F_FLOW5,
    _F_FLOW30,
    F_TOUCH_SZ,  # sz_u, slow average of both touch sizes together
    F_PRINT_SZ,  # sz_u, average size of the last prints
    F_MID,  # px_u
    F_NEAR,  # sz_u within 1 bps of bids and asks, within 2 bps of bids and asks
    _F_NEAR_ASK,
    _F_NEAR2,
    _F_NEAR2_ASK,
    F_REF,  # a reference each: log mid, slow average of log(reference / own)
) = range(20)
F_LEN = F_REF + 2 * REFERENCES_MAX

(
    J_T,  # feature clock, venue ns
    J_TOUCH,  # touch before: bid px_u, bid sz_u, ask px_u, ask sz_u
    _J_BID_SZ,
    _J_ASK_PX,
    _J_ASK_SZ,
    J_PRINTS,  # prints seen
    J_MID,  # 1 = there is a mid
    J_DOUBT_T,  # venue ns until which flow is not whole (messages were lost), 0 = it is
    J_REFERENCES,  # slots in use
    J_REF_T,  # venue ns of the newest mid, a reference each, 0 = none
) = range(10)
J_LEN = J_REF_T + REFERENCES_MAX

DECAY_NS = 30.0 * NS
SILENCE_NS = 3 * NS
DOUBT_NS = 30 * NS
TOUCH_AVERAGE_NS = 300.0 * NS
GAP_AVERAGE_NS = 600.0 * NS
REFERENCE_AGE_NS = 10 * NS
PRINTS_AVERAGE = 2000
LAST_MAX_BPS = 3.0


def new_features(references: int = 0) -> tuple[Any, Any, Any, Any]:
    """(floats, integers, log mids, times) of features that have seen nothing."""
    ints = istate(J_LEN)
    ints[J_REFERENCES] = references
    logs, times = new_paths(1 + references)
    return state(F_LEN), ints, logs, times


def no_features() -> tuple[Any, Any, Any, Any]:
    """Vectors of one whom no forecast asks for features: what is told him leaves them as they are."""
    return state(0), istate(0), state(0), istate(0)


def names(references: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Names of all features in the order of the vector."""
    return NAMES + tuple(f"{coin}.{name}" for coin in references for name in REFERENCE_NAMES)


@kernel("i8(f8[::1], i8[::1], i8)")
def pass_time(floats: list[float], ints: list[int], t_ns: int) -> int:
    """Move the feature clock to `t_ns` and let flows decay; returns by how much it moved."""
    if ints[J_T] == 0:
        ints[J_T] = t_ns
        return 0
    dt = t_ns - ints[J_T]
    if dt <= 0:
        return 0
    ints[J_T] = t_ns
    slow = math.exp(-float(dt) / DECAY_NS)
    square = slow * slow
    middle = square * square * square  # 30 s / 6
    fast = middle * middle
    fast = fast * fast * middle  # 5 s / 5
    floats[F_OFI] *= fast
    floats[F_OFI + 1] *= middle
    floats[F_OFI + 2] *= slow
    floats[F_FLOW] *= fast
    floats[F_FLOW + 1] *= middle
    floats[F_FLOW + 2] *= slow
    return dt


@kernel("f8(i8[::1], i8, i8, i8, i8)")
def touch_flow(ints: list[int], bid_px: int, bid_sz: int, ask_px: int, ask_sz: int) -> float:
    """Order-flow imbalance between the touch before and this one (sz_u)."""
    flow = 0.0
    if bid_px >= ints[J_TOUCH]:
        flow += float(bid_sz)
    if bid_px <= ints[J_TOUCH]:
        flow -= float(ints[J_TOUCH + 1])
    if ask_px <= ints[J_TOUCH + 2]:
        flow -= float(ask_sz)
    if ask_px >= ints[J_TOUCH + 2]:
        flow += float(ints[J_TOUCH + 3])
    return flow


@kernel("void(f8[::1], i8[::1], i8, i8, i8, i8, i8)")
def see_touch(
    floats: list[float], ints: list[int], t_ns: int, bid_px: int, bid_sz: int, ask_px: int, ask_sz: int
) -> None:
    """A touch of the feed, without our own orders; one with an empty side only moves the clock."""
    if len(floats) == 0:
        return
    dt = pass_time(floats, ints, t_ns)
    if bid_px <= 0 or ask_px <= 0:
        ints[J_TOUCH] = 0
        return
    both = float(bid_sz + ask_sz)
    if floats[F_TOUCH_SZ] <= 0.0:
        floats[F_TOUCH_SZ] = both
    else:
        floats[F_TOUCH_SZ] += (both - floats[F_TOUCH_SZ]) * (float(dt) / (float(dt) + TOUCH_AVERAGE_NS))
    if ints[J_TOUCH] > 0 and dt < SILENCE_NS and floats[F_TOUCH_SZ] > 0.0:
        flow = touch_flow(ints, bid_px, bid_sz, ask_px, ask_sz) / floats[F_TOUCH_SZ]
        for k in range(3):
            floats[F_OFI + k] += flow
    ints[J_TOUCH] = bid_px
    ints[J_TOUCH + 1] = bid_sz
    ints[J_TOUCH + 2] = ask_px
    ints[J_TOUCH + 3] = ask_sz


@kernel("void(f8[::1], i8[::1], i8, f8, i8, f8)")
def see_near(floats: list[float], book: list[int], side: int, mid: float, fast_levels: int, deep_weight: float) -> None:
    """Sizes of a side within 1 and 2 bps of mid (F_NEAR), each level looked at once; deep ones count `deep_weight`."""
    at = B_ROWS + side * B_SIDE
    direction = 1
    inner = math.ceil(mid * (1.0 - 1e-4))
    outer = math.ceil(mid * (1.0 - 2e-4))
    if side == ASK_SIDE:
        direction = -1
        inner = -math.floor(mid * (1.0 + 1e-4))
        outer = -math.floor(mid * (1.0 + 2e-4))
    fresh = 0
    deep = 0
    level = 0
    n = book[B_COUNT + side]
    while level < n and book[at + 2 * level] * direction >= inner:
        if level < fast_levels:
            fresh += book[at + 2 * level + 1]
        else:
            deep += book[at + 2 * level + 1]
        level += 1
    floats[F_NEAR + side] = float(fresh) + float(deep) * deep_weight
    while level < n and book[at + 2 * level] * direction >= outer:
        if level < fast_levels:
            fresh += book[at + 2 * level + 1]
        else:
            deep += book[at + 2 * level + 1]
        level += 1
    floats[F_NEAR + 2 + side] = float(fresh) + float(deep) * deep_weight


@kernel("i8(f8[::1], i8[::1], f8[::1], i8[::1], i8, i8[::1], i8, i8)")
def see_book(
    floats: list[float], ints: list[int], logs: list[float], times: list[int], t_ns: int, book: list[int],
    fast_levels: int, deep_t_ns: int,
) -> int:  # fmt: skip
    """The merged book after a touch or snapshot, without our own orders; returns 1 when it gives a mid."""
    if len(floats) == 0:
        return 0
    pass_time(floats, ints, t_ns)
    if book[B_COUNT + BID_SIDE] == 0 or book[B_COUNT + ASK_SIDE] == 0:
        return 0
    bid = B_ROWS
    ask = B_ROWS + B_SIDE
    mid = 0.5 * (float(book[bid]) + float(book[ask]))
    if mid <= 0.0:
        return 0
    if mid != floats[F_MID]:
        floats[F_MID] = mid
        floats[F_LOG_MID] = math.log(mid)
    ints[J_MID] = 1
    remember(logs, times, 0, ints[J_T], floats[F_LOG_MID])
    floats[F_IMB] = imbalance(float(book[bid + 1]), float(book[ask + 1]))
    floats[F_MICRO] = floats[F_IMB] * 0.5 * float(book[ask] - book[bid]) / mid * 1e4
    weight = deep_share(t_ns, deep_t_ns)
    see_near(floats, book, BID_SIDE, mid, fast_levels, weight)
    see_near(floats, book, ASK_SIDE, mid, fast_levels, weight)
    floats[F_IMB + 1] = imbalance(floats[F_NEAR], floats[F_NEAR + 1])
    floats[F_IMB + 2] = imbalance(floats[F_NEAR + 2], floats[F_NEAR + 3])
    return 1


@kernel("void(f8[::1], i8[::1], i8, i8, i8, i8)")
def see_print(floats: list[float], ints: list[int], t_ns: int, side: int, px: int, sz: int) -> None:
    """A print by an aggressor (side 1 = a buyer)."""
    if len(floats) == 0:
        return
    pass_time(floats, ints, t_ns)
    if px <= 0 or sz <= 0:
        return
    n = min(ints[J_PRINTS] + 1, PRINTS_AVERAGE)
    ints[J_PRINTS] += 1
    floats[F_PRINT_SZ] += (float(sz) - floats[F_PRINT_SZ]) / float(n)
    flow = float(side) * math.sqrt(float(sz) / floats[F_PRINT_SZ])
    for k in range(3):
        floats[F_FLOW + k] += flow
    floats[F_LOG_LAST] = math.log(float(px))


@kernel("void(f8[::1], i8[::1], f8[::1], i8[::1], i8, i8, f8)")
def see_reference(
    floats: list[float], ints: list[int], logs: list[float], times: list[int], slot: int, t_ns: int, mid: float
) -> None:
    """A mid of the reference market in `slot`, in any unit."""
    if mid <= 0.0 or slot < 0 or slot >= ints[J_REFERENCES]:
        return
    pass_time(floats, ints, t_ns)
    dt = max(ints[J_T] - ints[J_REF_T + slot], 0)
    first = ints[J_REF_T + slot] == 0
    ints[J_REF_T + slot] = ints[J_T]
    at = F_REF + 2 * slot
    floats[at] = math.log(mid)
    remember(logs, times, 1 + slot, ints[J_T], floats[at])
    if ints[J_MID] == 1:
        ratio = floats[at] - floats[F_LOG_MID]
        if first or floats[at + 1] == 0.0:
            floats[at + 1] = ratio
        else:
            floats[at + 1] += (ratio - floats[at + 1]) * (float(dt) / (float(dt) + GAP_AVERAGE_NS))


@kernel("void(f8[::1], i8[::1], i8)")
def doubt_flow(floats: list[float], ints: list[int], t_ns: int) -> None:
    """Messages were lost: flows begin anew, and are not whole for the next 30 s."""
    pass_time(floats, ints, t_ns)
    for k in range(3):
        floats[F_OFI + k] = 0.0
        floats[F_FLOW + k] = 0.0
    ints[J_TOUCH] = 0
    ints[J_DOUBT_T] = max(ints[J_T], t_ns) + DOUBT_NS


@kernel("i8(i8[::1])")
def is_known(ints: list[int]) -> int:
    """1 when there is a mid and no message was lost lately."""
    return 1 if ints[J_MID] == 1 and ints[J_T] >= ints[J_DOUBT_T] else 0


@kernel("f8(f8)")
def signed_sqrt(x: float) -> float:
    """sqrt(|x|) with the sign of x."""
    return math.sqrt(x) if x >= 0.0 else -math.sqrt(-x)


@kernel("i8(f8[::1], i8[::1], f8[::1], i8[::1], f8[::1])")
def read_features(floats: list[float], ints: list[int], logs: list[float], times: list[int], x: list[float]) -> int:
    """All features at the feature clock, into `x`; returns how many."""
    t_ns = ints[J_T]
    read_moves(logs, times, 0, MOVES, t_ns, x, 0)
    x[X_MICRO] = floats[F_MICRO]
    for k in range(3):
        x[X_IMB + k] = floats[F_IMB + k]
        x[X_OFI + k] = signed_sqrt(floats[F_OFI + k])
        x[X_FLOW + k] = signed_sqrt(floats[F_FLOW + k])
    x[X_LAST] = 0.0
    if ints[J_PRINTS] > 0 and ints[J_MID] == 1:
        x[X_LAST] = min(max((floats[F_LOG_LAST] - floats[F_LOG_MID]) * 1e4, -LAST_MAX_BPS), LAST_MAX_BPS)
    for slot in range(ints[J_REFERENCES]):
        at = OWN_FEATURES + REFERENCE_FEATURES * slot
        read_moves(logs, times, 1 + slot, REFERENCE_MOVES, t_ns, x, at)
        x[at + REFERENCE_MOVES] = 0.0
        of = F_REF + 2 * slot
        is_heard = ints[J_REF_T + slot] > 0 and t_ns - ints[J_REF_T + slot] <= REFERENCE_AGE_NS
        if is_heard and ints[J_MID] == 1 and floats[of + 1] != 0.0:
            x[at + REFERENCE_MOVES] = (floats[of] - floats[F_LOG_MID] - floats[of + 1]) * 1e4
    return OWN_FEATURES + REFERENCE_FEATURES * ints[J_REFERENCES]
