"""A scripted market for the benchmark: the whole book steps up and down by a fixed amount at a fixed pace.

Each step moves every quote of ours by more than the hold threshold and by less than its distance, so exactly one
order action follows each step; nothing trades.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

EVENT = np.dtype(
    {
        "names": ["ev", "exch_ts", "local_ts", "px", "qty", "order_id", "ival", "fval"],
        "formats": ["u8", "i8", "i8", "f8", "f8", "u8", "i8", "f8"],
    }
)
DEPTH, BUY, SELL, BOTH = 1, 1 << 29, 1 << 28, (1 << 31) | (1 << 30)
LEVELS = 20
START_NS = 1_767_657_600_000_000_000


def write(
    path: Path,
    *,
    steps: int,
    every_s: float,
    mid: float = 93_000.0,
    step: float = 12.0,
    qty: float = 0.5,
    phase_s: float = 0.0,
) -> None:
    """`steps` book moves of +-`step` USD around `mid`, one level a dollar, as an hftbacktest event array.

    The first book is at the start, move k at `phase_s + k x every_s` after it.
    """
    rows: list[tuple[int, int, float, float]] = []
    for number in range(steps):
        t_ns = START_NS + (int((phase_s + number * every_s) * 1e9) if number else 0)
        centre, before = (mid, mid + step) if number % 2 == 0 else (mid + step, mid)
        for sign, flag in ((-1, BUY), (1, SELL)):
            if number:
                rows += [(flag, t_ns, before + sign * (k + 1), 0.0) for k in range(LEVELS)]
            rows += [(flag, t_ns, centre + sign * (k + 1), qty) for k in range(LEVELS)]
    data = np.zeros(len(rows), EVENT)
    data["ev"] = [DEPTH | flag | BOTH for flag, *_ in rows]
    data["exch_ts"] = [row[1] for row in rows]
    data["local_ts"] = data["exch_ts"] + 1_000_000
    data["px"] = [row[2] for row in rows]
    data["qty"] = [row[3] for row in rows]
    np.savez(path, data=data)
