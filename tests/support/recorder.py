"""A feed with its recorder on, over real sockets against any venue, and recordings as streams that can be compared."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from common.bus import Hub, MemoryBus
from common.config import load
from common.frames import Record, read, records_of
from common.recorded import AnyRow, BookRow, ContextRow, LinkRow, Market, TouchRow, TradeRow, rows
from feed.main import Feed
from tests.support.ports import free_port_base
from tests.support.waiting import until


@asynccontextmanager
async def recording_feed(url: str, folder: Path, market: str = "us500", **environ: str) -> AsyncIterator[Feed]:
    """A feed that records what `url` says into `folder` until the block ends."""
    settings = load(
        "feed",
        {
            "MARKET": market,
            "VENUE_URL": url,
            "RUN_DIR": str(folder / "run"),
            "PORT_BASE": str(free_port_base("feed")),
            "RECORD": "on",
            "RECORD_DIR": str(folder),
            "RECORD_FREE_GB_MIN": "0",
            **environ,
        },
    )
    recording = settings.recording.model_copy(update={"flush_s": 0.1})
    feed = Feed(settings.model_copy(update={"recording": recording}), MemoryBus(Hub(), "feed", block_ms=50))
    running = asyncio.create_task(feed.run())
    try:
        yield feed
    finally:
        feed.service.stop("the test is over")
        await asyncio.gather(running, return_exceptions=True)


async def record(url: str, folder: Path, enough: Callable[[Feed], bool], within_s: float, **how: str) -> Path:
    """Record until there is enough; the market's folder."""
    async with recording_feed(url, folder, **how) as feed:
        await until(lambda: enough(feed), "enough of the market", within_s)
        assert feed.keeping is not None
        return feed.keeping.folder


def raw_records(folder: Path) -> list[Record]:
    return [r for path in sorted(folder.rglob("*.rec")) for r in records_of(read(path.read_bytes()))]


def streams(folder: Path, coin: str, sz_decimals: int) -> dict[str, list[tuple[int, Any]]]:
    """What the venue said, stream by stream, as (venue time, content), each thing once; contexts have no time."""
    found: dict[str, list[tuple[int, Any]]] = {name: [] for name in ("touch", "fast", "slow", "trades", "context")}
    for seq, record in enumerate(raw_records(folder)):
        for row in rows(record, seq, Market(coin, sz_decimals)):
            name, said = _said(row)
            if name and said not in found[name][-200:]:  # told again to a new connection
                found[name].append(said)
    return {name: sorted(said, key=lambda item: item[0]) for name, said in found.items()}


def _said(row: AnyRow) -> tuple[str, Any]:
    match row:
        case TouchRow():
            return "touch", (row.venue_t_ns, (row.bid, row.ask))
        case BookRow():
            return "fast" if row.fast else "slow", (row.venue_t_ns, (row.bids, row.asks))
        case TradeRow():
            return "trades", (row.venue_t_ns, (row.side, row.px_u, row.sz_u, row.tid, row.hash, row.buyer, row.seller))
        case ContextRow():
            figures = (
                row.mark_px, row.oracle_px, row.mid_px, row.impact_bid_px, row.impact_ask_px, row.prev_day_px,
                row.funding_1h, row.premium, row.open_interest, row.day_ntl, row.day_base,
            )  # fmt: skip
            return "context", (0, figures)
        case LinkRow():
            return "", None
