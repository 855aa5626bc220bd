"""Where a backtest's market comes from: a PATH, or a word - and with `auto`, the best there is, and why not better.

`auto` takes the market's own data when there are `OWN_DAYS` of it (recordings, archive, candles), else, for an index,
the S&P 100 (`^OEX`, from disk or through yfinance), else BTC's bars, else a made-up market. Every better source that
was passed over leaves one sentence. Nothing here waits for a network that is not there: it is looked for once, for
`REACH_S`. `xyz100` is the S&P 100 stand-in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from backtest.data import yahoo as yahoo_room
from backtest.data.archive import NO_PRINTS, read_contexts, tape_of_archive
from backtest.data.asked import Asked, Yahoo
from backtest.data.kept import Shelf, key_of
from backtest.data.layouts import ASSET_CTXS, Found, NothingKnown, day_of, recognise
from backtest.data.made_up_days import open_made_up
from backtest.data.oddities import RowOf, oddities
from backtest.data.opened import Kind, Opened, Touched
from backtest.data.places import OEX, Places, folder_name
from backtest.data.prepared import Made, Prepared, prepare
from backtest.data.recorded import row_in_array, tape_of_array, tape_of_capture
from backtest.data.stand_ins import DAYS, Stock, open_bars, sha256_of
from common.config import Settings
from common.errors import AmmError, BadInput, ConfigError, LinkDown
from simvenue.recorded.captured import Capture
from simvenue.recorded.recording import BadRecording

WORDS = ("auto", "recorded", "hyperliquid", "xyz100", "btc", "synthetic")
OWN_DAYS = 30.0
STAND_IN_DAYS = 0.25
"""One session of an index, nearly."""

HOUR_D = 1 / 24
"""What may be missing."""

DAY_NS = 86_400 * 10**9
INTERVALS = ("1m", "5m", "15m", "1h")
KINDS: dict[str, Kind] = {"own": "recorded", "npz": "npz", "archive": "hyperliquid"}


class NotThere(ConfigError):
    """This source has nothing to play; the text is the reason."""


def open_source(
    text: str, settings: Settings, days: float, cache: Path, *, seed: int = 1, flow: str = "",
    places: Places | None = None, yahoo: Yahoo | None = yahoo_room.fetch,
) -> Opened:  # fmt: skip
    """Open a PATH or a word (`WORDS`) for the market of `settings`, its last `days` days (0 = what is usual for it).

    Raises ConfigError (nothing to play, more than one kind of data, a wrong checksum) or BadRecording (a file that
    breaks its contract: file, row and reason).
    """
    if days < 0:
        raise ConfigError(f"--days {days:g}: 0 (all) or more")
    asked = Asked(settings, days, Shelf(cache), places or Places(), seed, flow, yahoo)
    opener = _OPENERS.get(text)
    opened = opener(asked) if opener is not None else _path(asked, Path(text))
    return replace(opened, caveats=tuple(dict.fromkeys((*opened.reasons, *opened.caveats))))


# ---------------------------------------------------------------------- words
def _auto(asked: Asked) -> Opened:
    reasons: list[str] = []
    for name, opener, least in _better(asked):
        reason = _why_not(asked, opener, least)
        if not reason:
            return replace(opener(asked), reasons=tuple(reasons))
        reasons.append(f"not {name}: {reason}")
    return replace(_synthetic(asked), reasons=tuple(reasons))


def _better(asked: Asked) -> Iterator[tuple[str, Callable[[Asked], Opened], float]]:
    """What is better than a made-up market, best first, and the days it must have at least."""
    yield "recordings", _recorded, OWN_DAYS
    yield "venue history", _hyperliquid, OWN_DAYS
    if asked.settings.market.kind == "index":
        yield "S&P 100", _xyz100, STAND_IN_DAYS
    if asked.settings.market.coin != "BTC":
        yield "BTC", _btc, STAND_IN_DAYS


def _why_not(asked: Asked, opener: Callable[[Asked], Opened], least: float) -> str:
    """Why a source is passed over, '' = it is not; however few days are asked for, it must have its own least."""
    try:
        opened = opener(replace(asked, days=max(asked.days, least) if asked.days else 0.0))
    except NotThere as error:
        return str(error)
    except AmmError as error:
        return f"its data cannot be played ({error})"
    return "" if opened.days >= least - HOUR_D else f"{opened.days:.1f} days of it, {least:g} are wanted"


def _recorded(asked: Asked) -> Opened:
    coin = asked.settings.market.coin
    folders = [asked.settings.recording.folder / network / folder_name(coin) for network in ("mainnet", "testnet")]
    for folder in folders:
        if folder.exists():
            return _path(asked, folder)
    raise NotThere(f"no recordings of {coin} (RECORD writes them to {folders[0]})")


def _hyperliquid(asked: Asked) -> Opened:
    """The archive where it is there, else the venue's candles."""
    coin = asked.settings.market.coin
    if asked.places.archive.exists():
        with suppress(NothingKnown):  # books of other markets
            return _path(asked, asked.places.archive)
    return open_bars(_candles(asked, coin, is_other=False), asked)


def _xyz100(asked: Asked) -> Opened:
    """The S&P 100 in place of the market; fetched when it is not there and a network may be asked."""
    why = "no ^OEX bars on disk (make fetch)"
    files = _there(asked.places.yahoo(OEX, interval) for interval in INTERVALS)
    if not files and asked.yahoo is not None:
        try:
            files = [asked.yahoo(asked.places, asked.days or DAYS)]
        except (LinkDown, BadInput, ConfigError) as error:
            why = f"{why}, and {error}"
    if not files:
        raise NotThere(why)
    stock = Stock("S&P 100 (^OEX)", tuple(files), is_other=True)
    return open_bars(stock, asked)


def _btc(asked: Asked) -> Opened:
    is_other = asked.settings.market.coin != "BTC"
    return open_bars(_candles(asked, "BTC", is_other=is_other), asked)


def _synthetic(asked: Asked) -> Opened:
    return open_made_up(asked)


_OPENERS: dict[str, Callable[[Asked], Opened]] = {
    "auto": _auto,
    "recorded": _recorded,
    "hyperliquid": _hyperliquid,
    "xyz100": _xyz100,
    "btc": _btc,
    "synthetic": _synthetic,
}


def _candles(asked: Asked, coin: str, *, is_other: bool) -> Stock:
    files = _there(asked.places.candles(coin, interval) for interval in INTERVALS)
    if not files:
        raise NotThere(f"neither archive nor candles of {coin} on disk (make fetch)")
    return Stock(f"Hyperliquid {coin}", tuple(files), is_other, None if is_other else asked.places.funding(coin))


def _there(paths: Iterable[Path]) -> list[Path]:
    return [path for path in paths if path.exists()]


# ---------------------------------------------------------------------- paths
def _path(asked: Asked, path: Path) -> Opened:
    found = recognise(path, asked.settings.profile, asked.settings.market.coin)
    if found.layout == "bars":
        stock = Stock(path.stem if path.is_file() else path.name, found.files, is_other=False)
        return open_bars(stock, asked)
    groups = _by_day(found) if found.layout != "npz" else [[file] for file in found.files]
    ready = _last([_group(asked, found, group) for group in groups], asked.days)
    _check_order([one for one, _ in ready])
    lines = [line for one, _ in ready for line in one.lines]
    if found.layout == "archive":
        lines.insert(0, NO_PRINTS)
    parts = tuple(one.part for one, _ in ready)
    return Opened(parts, found.name, KINDS[found.layout], tuple(lines), tuple(t for _, ts in ready for t in ts))


def _group(asked: Asked, found: Found, files: Sequence[Path]) -> tuple[Prepared, list[Touched]]:
    """The files of one part, prepared."""
    venue, coin = asked.settings.venue, asked.settings.market.coin
    extra = _contexts(found, files)
    hashes = [sha256_of(file, asked) for file in (*files, *extra)]
    key = key_of(found.layout, coin, venue.sz_decimals, *(file.name for file in files), *hashes)
    ready = prepare(asked.shelf, key, partial(_made, found, files, extra, coin, venue.sz_decimals))
    share = ready.rows // len(files)
    span = ready.part.first_t_ns, ready.part.last_t_ns
    return ready, [Touched(file.name, share, sha, *span) for file, sha in zip(files, hashes, strict=False)]


def _made(found: Found, files: Sequence[Path], extra: Sequence[Path], coin: str, sz_decimals: int) -> Made:
    lines: list[str] = []
    row_of: RowOf | None = None
    if found.layout == "npz":
        tape = tape_of_array(files[0], sz_decimals)
        row_of = partial(row_in_array, files[0])
    elif found.capture is not None:
        tape, lines = tape_of_capture(Capture(found.capture.layout, tuple(files)), coin, sz_decimals)
    else:
        tape, lines = tape_of_archive(files, coin, sz_decimals)
        for path in extra:
            tape = replace(tape, context=read_contexts(path, coin, sz_decimals))
    if len(tape.stamp_ns) < 2:
        raise BadRecording(files[0], None, "it has less than two instants")
    return tape, [*lines, *oddities(files[0], tape, row_of)]


def _contexts(found: Found, files: Sequence[Path]) -> list[Path]:
    """The day's asset contexts beside an archive's books."""
    day = day_of(files[0])
    if found.layout != "archive" or not day:
        return []
    for folder in files[0].parents:
        path = folder / "asset_ctxs" / f"{day}{ASSET_CTXS}"
        if path.exists():
            return [path]
    return []


def _by_day(found: Found) -> list[list[Path]]:
    days: dict[str, list[Path]] = {}
    for file in found.files:
        days.setdefault(day_of(file), []).append(file)
    return list(days.values())


def _last(ready: Sequence[tuple[Prepared, list[Touched]]], days: float) -> list[tuple[Prepared, list[Touched]]]:
    """The parts of the last `days` days; 0 = all of them."""
    if not days:
        return list(ready)
    first_t_ns = max(one.part.last_t_ns for one, _ in ready) - int(days * DAY_NS)
    return [(one, touched) for one, touched in ready if one.part.last_t_ns > first_t_ns]


def _check_order(ready: Sequence[Prepared]) -> None:
    spans = np.array([(one.part.first_t_ns, one.part.last_t_ns) for one in ready])
    overlaps = np.flatnonzero(spans[1:, 0] < spans[:-1, 1])
    if len(overlaps):
        k = int(overlaps[0])
        raise ConfigError(f"{ready[k + 1].part.name} begins before {ready[k].part.name} ends")
