"""How far away the venue is: when what was sent arrives, for each line of a connection.

A *line* is one direction of one connection. Its delay is constant, or drawn from a table of quantiles; a draw holds
for `HOLD_NS` of market time, because slow moments come in spells (drawn anew for every message, each spell would be
counted once a message and the tail would be far too heavy). Whatever is drawn, messages of one line never overtake
each other: each arrives no earlier than the one before it.

A venue has three lines for everybody, as if all clients sat in one place: `feed` (venue to client: market data and
user events), `order` (client to venue) and `reply` (the answer). Times are market time in ns. The kernels are for
compiled loops too: a line is one int64 vector (`S_LAST` .. `S_SEED2`), a table one float64 vector (a count, then pairs
of share and delay in ns). Randomness is seeded: the two 31-bit multiplicative generators of L'Ecuyer (1988) combined,
which stay within int64 in plain Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeAlias

from common.clock import MS, NS
from common.kernel import istate, kernel, state

Ints: TypeAlias = list[int]
Floats: TypeAlias = list[float]

Quantiles: TypeAlias = tuple[tuple[float, int], ...]
"""(share, delay in ns): so large a share of the delays is at most this; from share 0 to share 1."""

HOLD_NS = NS

S_LAST = 0  # when the last message arrived
S_DELAY = 1  # the delay that holds now
S_UNTIL = 2  # until when it holds
S_SEED1 = 3
S_SEED2 = 4
LINE_LENGTH = 5

T_N = 0
T_ROWS = 1  # then pairs: share, delay

MODULUS1, FACTOR1 = 2_147_483_563, 40_014
MODULUS2, FACTOR2 = 2_147_483_399, 40_692


@dataclass(frozen=True, slots=True)
class Tails:
    """Measured delays, one table a line."""

    feed: Quantiles
    order: Quantiles
    reply: Quantiles


@dataclass(frozen=True, slots=True)
class Latency:
    """`feed_ns`: venue to client (market data, user events); `order_ns`: client to matching; `reply_ns`: answer.

    With `tails` delays are drawn from these tables, and the three figures are their medians.
    """

    feed_ns: int = 0
    order_ns: int = 0
    reply_ns: int = 0
    tails: Tails | None = None


#: `--latency`: feed and entry as the edge study names them (edge.md 5); an answer travels as market data does.
LATENCIES = {
    "zero": Latency(),
    "good": Latency(50 * MS, 100 * MS, 50 * MS),
    "typical": Latency(100 * MS, 300 * MS, 100 * MS),
    "bad": Latency(500 * MS, 1500 * MS, 500 * MS),
}


def new_line(seed: str) -> Any:
    """A line on which nothing was sent yet."""
    line = istate(LINE_LENGTH)
    chance = Random(seed)
    line[S_SEED1], line[S_SEED2] = chance.randrange(1, MODULUS1), chance.randrange(1, MODULUS2)
    return line


def new_table(quantiles: Sequence[tuple[float, int]]) -> Any:
    table = state(T_ROWS + 2 * len(quantiles))
    table[T_N] = float(len(quantiles))
    for k, (share, delay_ns) in enumerate(quantiles):
        table[T_ROWS + 2 * k], table[T_ROWS + 2 * k + 1] = share, float(delay_ns)
    return table


@kernel("f8(i8[::1])")
def draw(line: Ints) -> float:
    """The line's next uniform number, above 0 and below 1."""
    line[S_SEED1] = line[S_SEED1] * FACTOR1 % MODULUS1
    line[S_SEED2] = line[S_SEED2] * FACTOR2 % MODULUS2
    z = line[S_SEED1] - line[S_SEED2]
    if z < 1:
        z += MODULUS1 - 1
    return float(z) / float(MODULUS1)


@kernel("i8(f8[::1], f8)")
def delay_at(table: Floats, share: float) -> int:
    """The delay (ns) that `share` of all stay below: straight lines between the table's rows."""
    last = T_ROWS + 2 * (int(table[T_N]) - 1)
    row = T_ROWS
    while row < last and table[row + 2] < share:
        row += 2
    if row >= last or share <= table[row]:
        return int(table[row + 1])
    width = table[row + 2] - table[row]
    part = (share - table[row]) / width if width > 0.0 else 0.0
    return int(table[row + 1] + part * (table[row + 3] - table[row + 1]))


@kernel("i8(i8[::1], f8[::1], i8)")
def arrive(line: Ints, table: Floats, t_ns: int) -> int:
    """When a message sent at `t_ns` arrives; messages are given in the order in which they are sent."""
    if t_ns >= line[S_UNTIL]:
        line[S_DELAY] = delay_at(table, draw(line))
        line[S_UNTIL] = t_ns + HOLD_NS
    line[S_LAST] = max(line[S_LAST], t_ns + line[S_DELAY])
    return line[S_LAST]
