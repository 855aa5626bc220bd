"""What the compiled replay keeps of our side: known orders, requests and news on their way, and what is written down.

All vectors are flat int64. A *slot* is one place of a ladder (side x level) and at once the row of its order in the
venue's table. Requests and news travel with constant latency, so each kind is a ring that is read in the order written.
Times ns of the recording, prices px_u, sizes sz_u, money 1e-6 quote.
"""

from __future__ import annotations

from typing import Any

from common.kernel import istate
from quoter.state import QUOTES_MAX

SLOTS = 2 * QUOTES_MAX
NEVER = 2**62

(
    CF_FEED,  # ns from the venue to us, books and news alike
    CF_ORDER,  # ns from us to the venue
    CF_SILENCE,  # ns without a book until everything is cancelled
    CF_FROM_T,  # first and last venue time we quote at
    CF_TO_T,
    CF_END_T,  # venue time at which the replay ends
    CF_CYCLE,  # ns between decisions at least, 0 = at every told book
    CF_VISIBLE,  # levels a side the recording really shows
    CF_QUEUE,  # queue model (simvenue/book/queue_model.py)
    CF_PROFILE,  # which kernel decides (deciding.py)
    CF_FORECAST,  # where the forecast comes from: MODEL, GIVEN, NONE
    CF_CURVE,  # ns between rows of the curve
    CF_FIRST,  # instant from which the venue's book is played: the first one of a file
    CF_LEN,
) = range(14)

MODEL = 0  # the model, in the loop
GIVEN = 1  # the vector handed in, one number an instant
NONE = 2

(
    D_POSITION,  # sz_u, as we know it
    D_ACTIONS,  # places, moves and cancels sent
    D_REFUSED,  # post-only orders that would have crossed
    D_LOST,  # moves and cancels that came too late
    D_PLACED,
    D_MOVED,
    D_CANCELLED,
    D_PULLS,  # times everything was cancelled for silence
    D_DECIDED_T,
    D_TOLD_T,  # our time of the last told book
    D_PULLED,  # 1 = everything is being cancelled
    D_CASH,  # 1e-6 quote, of the venue's truth
    D_VOLUME,  # 1e-6 quote traded
    D_CURVE_T,
    D_SHORT_N,  # fills scored at the short and the long horizon
    D_LONG_N,
    D_HEARD_N,  # fills we know of
    D_FULL,  # 1 = a log ran out of room
    D_ROWS,
) = range(19)
K_STRIDE = 6
K_LIVE = 0  # 1 = it rests, as we know it
K_PX = 1
K_LEFT = 2
K_BUSY = 3  # 1 = a request is on its way
K_WANT_PX = 4
K_WANT_SZ = 5
D_LEN = D_ROWS + K_STRIDE * SLOTS

RING_HEAD = 0
RING_TAIL = 1
RING_SIZE = 2  # rows there is room for, a power of two
RING_ROWS = 3
RING_STRIDE = 5
G_T = 0
G_SLOT = 1
G_KIND = 2
G_PX = 3
G_SZ = 4
NEWS_MAX = 4096
"""Requests or news on their way at once: a slot has one request, but a burst of prints may fill often."""

PLACE, MOVE, CANCEL = 1, 2, 3
RESTS, TRADED, ENDED = 11, 12, 13

LOG_N = 0
LOG_ROWS = 1
FILL_STRIDE = 4
FILL_T, FILL_SLOT, FILL_PX, FILL_SZ = 0, 1, 2, 3
CURVE_STRIDE = 5
CURVE_T, CURVE_POSITION, CURVE_CASH, CURVE_VOLUME, CURVE_MID2 = 0, 1, 2, 3, 4


def new_desk() -> Any:
    return istate(D_LEN)


def new_ring(size: int = NEWS_MAX) -> Any:
    ring = istate(RING_ROWS + RING_STRIDE * size)
    ring[RING_SIZE] = size
    return ring


def new_log(rows: int, stride: int) -> Any:
    return istate(LOG_ROWS + stride * rows)
