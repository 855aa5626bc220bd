"""Recordings as samples: the features at every book that was told, with the mid and the time of it.

Reads event arrays (`.npz`, passed through the venue's channels) and the feed's own recordings (raw files or Parquet
tables, which are those channels), with other markets beside them when their features are wanted. What is made of the
samples is decided in `fit.py`. Times of the recording in ns.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from common.config import load
from common.errors import ConfigError
from common.kernel import state
from quoter.features import FEATURES_MAX, OWN_FEATURES, REFERENCE_FEATURES, REFERENCES_MAX, new_features
from quoter.heard import hear
from quoter.layering import new_channels
from quoter.rebuilt import new_side
from quoter.references import Beside, Mids
from quoter.retold import is_own, own_files
from quoter.rows import Rows, find, read, sha256
from quoter.sampling import sample
from quoter.state import new_book


class Samples(NamedTuple):
    """Recorded time (n,), log mid (n,) and features (n, k), oldest first."""

    t_ns: Any
    log_mid: Any
    x: Any


class Other(NamedTuple):
    """A market and its recordings, in order of time."""

    coin: str
    sz_decimals: int
    paths: tuple[Path, ...]


def take_samples(parts: Sequence[Rows], references: Sequence[Mids] = ()) -> Samples:
    """Features at every told book of consecutive recordings, one memory through all of them.

    `references`: mids of other markets, a feature slot each in this order.
    """
    beside, features = Beside(references), new_features(len(references))
    width = OWN_FEATURES + REFERENCE_FEATURES * len(references)
    channel, book, x = new_channels(), new_book(), state(FEATURES_MAX)
    taken = []
    for rows in parts:
        n, count = len(rows.stamp_ns), 0
        bids, asks = new_side(1, rows.keep), new_side(-1, rows.keep)  # a recording begins with a full picture
        t_ns: Any = np.zeros(n, np.int64)
        log_mid: Any = np.zeros(n)
        flat: Any = np.zeros(n * width)
        for first, last in beside.stretches(features, rows.stamp_ns):
            count += sample(
                rows.what, rows.px_u, rows.sz_u, rows.stamp_ns, rows.begin, first, last,
                bids, asks, channel, book, *features, x, width,
                t_ns[count:], log_mid[count:], flat[count * width :],
            )  # fmt: skip
        taken.append((t_ns[:count], log_mid[:count], flat[: count * width].reshape(count, width)))
    return Samples(*(np.concatenate(columns) for columns in zip(*taken, strict=True)))


def read_samples(own: Other, beside: Sequence[Other] = ()) -> Samples:
    """Samples of a market's recordings; raises BadInput and ConfigError for what cannot be read."""
    mids = [mids_of(read_samples(other)) for other in beside]
    kinds = {path.suffix == ".npz" for path in own.paths}
    if len(kinds) != 1:
        raise ConfigError(f"{own.coin}: event arrays (.npz) and own recordings do not mix")
    if kinds == {True}:
        return take_samples([read(path, own.sz_decimals) for path in own.paths], mids)
    coins = tuple(other.coin for other in beside)
    t_ns, log_mid, x = hear(own.paths, own.coin, own.sz_decimals, Beside(mids), coins)
    return Samples(np.array(t_ns, np.int64), np.array(log_mid), np.array(x))


def mids_of(samples: Samples) -> Mids:
    """A market's mids, exactly: a mid is half a whole number of price units."""
    return Mids(samples.t_ns.tolist(), (np.rint(2.0 * np.exp(samples.log_mid)) / 2.0).tolist())


# ---------------------------------------------------------------------- what was asked for
def recordings(paths: Sequence[str], profile: str) -> list[Path]:
    """The recordings PATHs stand for: own ones as they are named, event arrays by name."""
    found: list[Path] = []
    for text in paths:
        found += [Path(text)] if is_own(Path(text)) else find([text], profile)
    return sorted(found, key=lambda path: path.name)


def others_of(asked: Sequence[Sequence[str]]) -> list[Other]:
    """Reference markets as asked for: a profile and its PATHs each."""
    if len(asked) > REFERENCES_MAX:
        raise ConfigError(f"{len(asked)} reference markets, {REFERENCES_MAX} at most")
    found = []
    for profile, *paths in asked:
        if not paths:
            raise ConfigError(f"--reference {profile}: a profile, then its recordings")
        settings = load("quoter", over={"MARKET": profile})
        found.append(Other(settings.market.coin, settings.venue.sz_decimals, tuple(recordings(paths, profile))))
    return found


def digest(path: Path) -> str:
    """SHA-256 of a recording: of the file, or of all files of a folder in their order."""
    if path.is_file():
        return sha256(path)
    raw, tables = own_files(path)
    return hashlib.sha256("".join(sha256(file) for file in raw or tables).encode()).hexdigest()
