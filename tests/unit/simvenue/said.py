"""What an exchange says, as a feed would record it: wire text by link, raw recordings of it, and streams to compare."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

from common import frames
from common.frames import Record
from simvenue.events import Bbo, Book, Context, Output, Trade
from simvenue.exchange import Exchange
from simvenue.feeds.wire import Wire
from simvenue.market import MarketDef
from tests.unit.feed.recordings import a_disk

Heard = tuple[int, str, Any]
"""Receive time, link, message."""


def heard(exchange: Exchange, market: MarketDef, to_t_ns: int, every_ns: int = 20_000_000) -> list[Heard]:
    """Every market message up to `to_t_ns`, in the order in which a client has it."""
    wire = Wire({market.coin: market.sz_decimals})
    found: list[Heard] = []
    now = exchange.now_ns
    while now < to_t_ns:
        now = min(now + every_ns, to_t_ns)
        outputs = [o for o in exchange.advance(now) if isinstance(o, (Bbo, Book, Context, Trade))]
        for t_ns, together in groupby(outputs, key=lambda output: output.deliver_t_ns):
            found += _messages(wire, exchange, t_ns, list(together))
    return found


def _messages(wire: Wire, exchange: Exchange, t_ns: int, outputs: list[Output]) -> list[Heard]:
    found: list[Heard] = []
    for output in outputs:
        match output:
            case Bbo():
                found.append((t_ns, "main", {"channel": "bbo", "data": wire.bbo(output)}))
            case Book():
                link = "main" if output.fast else "deep"
                found.append((t_ns, link, {"channel": "l2Book", "data": wire.book(output)}))
            case Context():
                figures = output.figures or wire.context(output, exchange.impact_px(output.coin), output.mark_px_u)
                data = {"coin": output.coin, "ctx": figures}
                found.append((t_ns, "main", {"channel": "activeAssetCtx", "data": data}))
    prints = [wire.trade(output) for output in outputs if isinstance(output, Trade)]
    return found + ([(t_ns, "main", {"channel": "trades", "data": prints})] if prints else [])


def recorded(folder: Path, market: MarketDef, said: Iterable[Heard], events: Iterable[Record] = ()) -> Path:
    """The market's folder after a recorder heard this; `events` are put in by their receive time."""
    records = [Record(frames.TEXT, t_ns, link, 1, msgspec.json.encode(message)) for t_ns, link, message in said]
    records = sorted([*records, *events], key=lambda record: record.recv_t_ns)
    disk = a_disk(folder)
    disk.facts = {"coin": market.coin, "sz_decimals": market.sz_decimals}
    for begin in range(0, len(records), 50):
        disk.write(records[begin : begin + 50])
    disk.close()
    return folder / "paper" / "km-US500"


def streams(said: Iterable[Heard], from_ms: int = 0) -> dict[str, list[Any]]:
    """Contents stream by stream, times counted from `from_ms`; prints one by one."""
    found: dict[str, list[Any]] = defaultdict(list)
    for _, link, message in said:
        data = message["data"]
        for row in data if isinstance(data, list) else [data]:
            timed = {**row, "time": row["time"] - from_ms} if "time" in row else row
            found[f"{message['channel']} {link}"].append(timed)
    return found


def first(said: Iterable[Heard], wanted: Callable[[Any], bool]) -> int:
    return next(k for k, item in enumerate(said) if wanted(item[2]))
