"""What the compiled replay keeps of our side: known orders, requests and news on their way, and what is written down.

All vectors are flat int64. A *slot* is one place of a ladder (side x level) and at once the row of its order in the
venue's table. Requests and news never overtake their like, so each kind is a ring that is read in the order written.
Times ns of the recording, prices px_u, sizes sz_u, money 1e-6 quote.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    CF_STOP_T,  # our time from which the edge gate lets us only take the position down (gating.py), NEVER = it does not
    CF_STEP,  # ns between decisions by the clock, from the first instant on; 0 = we decide when the book is told
    CF_ASKS,  # first slot of the asks
    CF_MARKET_FIRST,  # 1 = at one instant the market moves before requests act
    CF_WHOLE,  # 1 = whatever trades with an order fills it in full
    CF_OWN,  # 1 = a post-only order may not meet our own orders either
    CF_EXECUTES,  # 1 = orders are planned by the executor's kernels (executing.py), else the desk follows the ladder
    CF_TICK,  # ns between the executor's and the quoter's looks at the clock
    CF_PLAN,  # ns after which what waits is planned anew
    CF_REBALANCE,  # ns after which the quoter decides though nothing was told
    CF_PACE,  # ns between the executor's looks at market data
    CF_START,  # ns from the first instant until account and permit are there
    CF_LEN,
) = range(26)

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
    D_TAKING,  # 1 = an order that takes is on its way
    D_ROWS,
) = range(20)
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
RING_LAST_T = 3  # when the last row arrives: nothing overtakes
RING_DELAY = 4  # ns every row takes, when delays are not drawn
RING_DRAWN = 5  # delays drawn beforehand, behind the rows: one for each HOLD_NS, over and over; 0 = none
RING_ROWS = 6
RING_STRIDE = 6
G_T = 0  # when it arrives
G_SLOT = 1
G_KIND = 2
G_PX = 3
G_SZ = 4
G_SENT_T = 5
NEWS_MAX = 4096
"""Requests or news on their way at once: a slot has one request, but a burst of prints may fill often."""

PLACE, MOVE, CANCEL, TAKE = 1, 2, 3, 4
RESTS, TRADED, ENDED, KEPT, TOOK, CROSSED, WITHDRAWN = 11, 12, 13, 14, 15, 16, 17
"""Nothing rests any more when it ENDED, CROSSED (it would have matched) or was WITHDRAWN (by the venue). KEPT: a
request was refused, what rests goes on resting; TOOK: a fill of no slot's, sold when the slot is an ask."""

LOG_N = 0
LOG_ROWS = 1
FILL_STRIDE = 7
FILL_T, FILL_SLOT, FILL_PX, FILL_SZ = 0, 1, 2, 3
FILL_TAKER, FILL_FEE = 5, 6  # 1 = we took; 1e-8 quote, 0 without an account
FILL_FAIR = 4  # fair price (px_u / FAIR_PARTS) of the last decision before the fill, 0 = there was none
FAIR_PARTS = 1 << 29
"""So many keep every bit of a price between 2^23 and 2^24; up to 2^34 they fit."""
CURVE_STRIDE = 8
CURVE_T, CURVE_POSITION, CURVE_CASH, CURVE_VOLUME, CURVE_MID2 = 0, 1, 2, 3, 4
CURVE_FUNDING, CURVE_SEIZED, CURVE_SENT = 5, 6, 7  # so far: 1e-8 quote received, and kept by the backstop; actions


def new_desk() -> Any:
    return istate(D_LEN)


def new_ring(delay_ns: int, drawn_ns: Sequence[int] = (), size: int = NEWS_MAX) -> Any:
    """A ring whose rows take `delay_ns`, or the drawn delays."""
    rows = RING_ROWS + RING_STRIDE * size
    ring = istate(rows + len(drawn_ns))
    ring[RING_SIZE], ring[RING_DELAY], ring[RING_DRAWN] = size, delay_ns, len(drawn_ns)
    for k, each_ns in enumerate(drawn_ns):
        ring[rows + k] = each_ns
    return ring


def new_log(rows: int, stride: int) -> Any:
    return istate(LOG_ROWS + stride * rows)
