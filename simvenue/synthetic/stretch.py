"""Many stamps of a made-up market in one go, written down one behind the other, for who wants the whole of it.

The stamps are those of `aggressors.next_stamp`, one after another; those without a row are left out. The pace is the
caller's and holds for the stretch. Columns as in `source.py`, times ns.
"""

from __future__ import annotations

from common.kernel import kernel
from simvenue.book.levels import Ints
from simvenue.synthetic.aggressors import next_stamp
from simvenue.synthetic.layout import B_DUE_NS, R_PX, R_SZ, R_WHAT, ROWS_MAX, S_SIGNAL, Floats

ROWS, STAMPS = range(2)
"""How much is written down."""


@kernel(
    "i8(f8[::1], f8[::1], i8[::1], i8[::1], i8[::1], i8, i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], f8[::1], i8[::1])"
)
def write_until(
    state: Floats, terms: Floats, book: Ints, chance: Ints, rows: Ints, until_ns: int, what: Ints, px: Ints, sz: Ints,
    stamp_ns: Ints, end: Ints, signal: Floats, written: Ints,
) -> int:  # fmt: skip
    """Play on while there is room for a full stamp, up to `until_ns`; returns 1 when that was reached.

    Each stamp's time, the end of its rows and the planted signal go to `stamp_ns`, `end` and `signal`.
    """
    while book[B_DUE_NS] < until_ns:
        n = written[STAMPS]
        at = written[ROWS]
        if n == len(stamp_ns) or at + ROWS_MAX > len(what):
            return 0
        t_ns = book[B_DUE_NS]
        count = next_stamp(state, terms, book, chance, rows)
        if count == 0:
            continue
        for k in range(count):
            what[at + k] = rows[R_WHAT + k]
            px[at + k] = rows[R_PX + k]
            sz[at + k] = rows[R_SZ + k]
        stamp_ns[n] = t_ns
        end[n] = at + count
        signal[n] = state[S_SIGNAL]
        written[ROWS] = at + count
        written[STAMPS] = n + 1
    return 1
