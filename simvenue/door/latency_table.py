"""Measured delays as small text files: how they are read, and how the three that come with the venue were made.

A table is CSV: lines that begin with # are for people, then `share,feed_ms,order_ms,reply_ms`, then one row a share,
from 0 to 1, rising; so large a share of the delays is at most this many ms. Write one from your own measurements and
name it with `--latency-table`.

`config/latency/{good,typical,bad}.csv` have the medians of the presets of the same name (`latency.py`; the edge
study's 50 + 100, 100 + 300, 500 + 1500 ms) and measured tails:
- feed and reply: the spread of the receive lag of real Hyperliquid messages around their median, `FEED_SPREAD` (column
  "HL BTC 2025-09-01..05 (touch)" of market-data.md table 1, collector lag p50 380 ms; 19,392 messages, five pieces);
- order: hyperliquid.md 1, "order to committed reply, co-located: median 0.2 s, p99 0.9 s", as a lognormal; nothing is
  faster than half the median, since a block takes 0.07-0.1 s, and nothing is beyond the share 0.999.

`python -m simvenue.door.latency_table` writes the three files again; a test holds them against this module.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from itertools import pairwise
from math import exp, log
from pathlib import Path
from statistics import NormalDist

from common.clock import MS
from common.errors import ConfigError
from common.kernel import ROOT
from simvenue.door.latency import LATENCIES, Latency, Quantiles, Tails

FOLDER = ROOT / "config" / "latency"
COLUMNS = ("share", "feed_ms", "order_ms", "reply_ms")
DELAY_MS_MAX = 60_000.0
ROWS_MAX = 1_000

#: Lag over median lag, by share: the recorded touch changes of market-data.md (`local_ts - exch_ts`, all five pieces).
FEED_SPREAD = (
    (0.0, 0.43), (0.01, 0.62), (0.1, 0.75), (0.25, 0.86), (0.5, 1.0), (0.75, 1.19), (0.9, 1.47), (0.95, 1.76),
    (0.99, 2.61), (0.995, 4.25), (0.999, 9.86), (1.0, 17.7),
)  # fmt: skip
REPLY_P99_OVER_P50 = 0.9 / 0.2
ORDER_LEAST = 0.5


def chosen(name: str, *, tails: bool, table: Path | None) -> Latency:
    """What the command line asks for: a preset's constants, its measured tails, or somebody's own table."""
    if table is not None:
        return read(table)
    return read(FOLDER / f"{name}.csv") if tails else LATENCIES[name]


def read(path: Path) -> Latency:
    """Raises ConfigError with file, line and reason."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"latency table {path} cannot be read ({error})") from None
    rows = list(_rows(path, text))
    columns = list(zip(*rows, strict=True))
    if not rows or columns[0][0] != 0.0 or columns[0][-1] != 1.0:
        raise ConfigError(f"latency table {path}: shares go from 0 to 1")
    for name, values in zip(COLUMNS, columns, strict=True):
        if any(after < before for before, after in pairwise(values)):
            raise ConfigError(f"latency table {path}: {name} must not fall from row to row")
    feed, order, reply = (_quantiles(columns[0], values) for values in columns[1:])
    return Latency(median_ns(feed), median_ns(order), median_ns(reply), Tails(feed, order, reply))


def median_ns(quantiles: Quantiles) -> int:
    """The delay at share 0.5, on the straight line between its neighbours."""
    for (share0, delay0), (share1, delay1) in pairwise(quantiles):
        if share0 <= 0.5 <= share1:
            part = (0.5 - share0) / (share1 - share0) if share1 > share0 else 0.0
            return round(delay0 + part * (delay1 - delay0))
    return quantiles[0][1]


def _rows(path: Path, text: str) -> Iterator[tuple[float, ...]]:
    header = True
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line and not line.startswith("#")]
    if len(lines) > ROWS_MAX:
        raise ConfigError(f"latency table {path}: more than {ROWS_MAX} rows")
    for (number, _), cells in zip(lines, csv.reader(line for _, line in lines), strict=True):
        if header and tuple(cells) == COLUMNS:
            header = False
            continue
        yield _row(f"latency table {path} line {number}", cells, header)


def _row(where: str, cells: list[str], header: bool) -> tuple[float, ...]:
    if header or len(cells) != len(COLUMNS):
        raise ConfigError(f"{where}: expected {','.join(COLUMNS)}")
    try:
        share, *delays = map(float, cells)
    except ValueError:
        raise ConfigError(f"{where}: not a number") from None
    if not 0.0 <= share <= 1.0 or not all(0.0 <= delay <= DELAY_MS_MAX for delay in delays):
        raise ConfigError(f"{where}: shares are 0..1, delays 0..{DELAY_MS_MAX:g} ms")
    return (share, *delays)


def _quantiles(shares: tuple[float, ...], delays_ms: tuple[float, ...]) -> Quantiles:
    return tuple((share, round(delay * MS)) for share, delay in zip(shares, delays_ms, strict=True))


# ---------------------------------------------------------------------- the three that come with the venue
def order_spread(share: float) -> float:
    """Order delay over its median: a lognormal with the venue's p99 / p50, cut at both ends."""
    normal = NormalDist()
    sigma = log(REPLY_P99_OVER_P50) / normal.inv_cdf(0.99)
    return max(ORDER_LEAST, exp(sigma * normal.inv_cdf(min(max(share, 0.001), 0.999))))


def table_text(name: str) -> str:
    """The file of a preset."""
    median = LATENCIES[name]
    lines = [
        f"# {name}: medians {median.feed_ns // MS} (feed) + {median.order_ns // MS} (order) ms (edge.md section 5);",
        "# feed, reply: spread of the lag of 19,392 Hyperliquid BTC touch changes (market-data.md table 1, p50 380 ms)",
        "# order: lognormal, p99 / p50 = 0.9 s / 0.2 s (hyperliquid.md section 1, order to committed reply).",
        ",".join(COLUMNS),
    ]
    for share, spread in FEED_SPREAD:
        feed, reply = (spread * ns / MS for ns in (median.feed_ns, median.reply_ns))
        lines.append(f"{share:g},{feed:.1f},{order_spread(share) * median.order_ns / MS:.1f},{reply:.1f}")
    return "\n".join(lines) + "\n"


def main() -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in ("good", "typical", "bad"):
        (FOLDER / f"{name}.csv").write_text(table_text(name), encoding="utf-8")
        sys.stdout.write(f"{FOLDER / name}.csv\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
