"""The S&P 100 index (`^OEX`) from Yahoo, through yfinance: the only room that knows it, and only when it is asked.

Yahoo keeps 1-minute bars for 7 days, 5-minute bars for 60 and hourly ones for two years, so the finest that reaches
back far enough is taken; what was fetched before is kept and continued. An index has bars in its session only, and
often no volume. Every failure is one sentence: LinkDown (nobody answers), BadInput (an answer that is none),
ConfigError (yfinance is not installed).
"""

from __future__ import annotations

import socket
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from backtest.data.bars import COLUMNS, PRICES, Bars, checked, continued, csv_of, read_bars
from backtest.data.places import OEX, Places
from common.errors import BadInput, ConfigError, LinkDown

HOST, PORT = "query2.finance.yahoo.com", 443
REACH_S = 1.5
ANSWER_S = 10.0
REACHES = (("1m", 7.0), ("5m", 59.0), ("1h", 729.0))
"""(interval, days Yahoo gives of it)."""

NO_YFINANCE = "yfinance is not installed (requirements/fetch.txt)"


def interval_for(days: float) -> tuple[str, float]:
    """(interval, days that can be had): the finest that reaches back far enough."""
    for interval, reach in REACHES:
        if days <= reach:
            return interval, days
    return REACHES[-1]


def fetch(places: Places, days: float, session: Any = None, within_s: float = REACH_S) -> Path:
    """The file of `^OEX` bars that reaches back `days`, brought up to date; a session of requests may be handed in."""
    if find_spec("yfinance") is None:
        raise ConfigError(NO_YFINANCE)
    if session is None and not is_reachable(HOST, PORT, within_s):
        raise LinkDown(f"no network: {HOST} does not answer within {within_s:g} s")
    import yfinance  # noqa: PLC0415 (large, and only needed here)

    yfinance.set_tz_cache_location(str(places.folder / "yahoo" / ".cache"))
    yfinance.config.debug.hide_exceptions = False
    interval, reach = interval_for(days)
    bars = _history(yfinance.Ticker(OEX, session=session), interval, reach)
    path = places.yahoo(OEX, interval)
    if path.exists():
        bars = continued(read_bars(path), bars)
    places.note(
        path, csv_of(bars), len(bars), int(bars.ts_ms[0]), int(bars.ts_ms[-1]), f"Yahoo {OEX} {interval}, by yfinance"
    )
    return path


def is_reachable(host: str, port: int, within_s: float) -> bool:
    """Whether somebody listens there; a resolver that hangs is not waited for."""
    answered = threading.Event()

    def look() -> None:
        try:
            socket.create_connection((host, port), within_s).close()
        except OSError:
            return
        answered.set()

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(within_s)
    return answered.is_set()


def _history(ticker: Any, interval: str, days: float) -> Bars:
    """Yahoo's bars, checked like any file; raises LinkDown or BadInput."""
    period = f"{max(int(np.ceil(days)), 1)}d"
    try:
        table = ticker.history(period=period, interval=interval, auto_adjust=False, actions=False, timeout=ANSWER_S)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise LinkDown(f"Yahoo gave no {interval} bars of {OEX} ({type(error).__name__}: {str(error)[:120]})") from None
    except Exception as error:  # yfinance's own tree hangs from Exception
        if not type(error).__module__.startswith("yfinance"):
            raise
        raise LinkDown(f"Yahoo gave no {interval} bars of {OEX} ({type(error).__name__}: {str(error)[:120]})") from None
    return checked(Path(f"Yahoo's {interval} bars of {OEX}"), _columns(table))


def _columns(table: Any) -> dict[str, Any]:
    """yfinance's table (index: times, `Open` .. `Volume`) as columns; rows without any price are Yahoo's blanks."""
    named = [(name, name.capitalize()) for name in COLUMNS[1:]]
    if len(table) == 0 or any(title not in table.columns for _, title in named):
        raise BadInput("yahoo", f"Yahoo's answer has {len(table)} rows and columns {list(table.columns)[:8]}")
    columns = {name: np.asarray(table[title], np.float64) for name, title in named}
    stamps = table.index.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[ms]").astype(np.float64)
    if len(stamps) > 2 and (stamps[-1] - stamps[0]) % np.median(np.diff(stamps)) != 0:  # the bar that is still open
        columns, stamps = {name: column[:-1] for name, column in columns.items()}, stamps[:-1]
    is_blank = np.logical_and.reduce([~np.isfinite(columns[name]) for name in PRICES])
    columns["volume"] = np.nan_to_num(columns["volume"])
    return {name: column[~is_blank] for name, column in {"ts_ms": stamps, **columns}.items()}
