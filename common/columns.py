"""Recorded rows as Parquet: one file a stream and hour, typed columns, and back.

Streams: `touches`, `books_fast`, `books_slow`, `trades`, `contexts`, `links`. Prices and sizes are int64 in the
market's units (`px_u`, `sz_u`), times int64 ns, a context's figures decimal(38, 12): nothing is a float. The file's
metadata (key `amm`, JSON) names the market, its units and the raw files it was made from. Only tools and the replay
of Parquet files import this room: pyarrow is large, and no service carries it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple, fields
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from common.errors import BadInput
from common.recorded import CONTEXT_DECIMALS, AnyRow, BookRow, ContextRow, LevelRow, LinkRow, TouchRow, TradeRow

STREAMS = ("touches", "books_fast", "books_slow", "trades", "contexts", "links")
FORMAT = 1
META_KEY = b"amm"
EXACT = pa.decimal128(38, CONTEXT_DECIMALS)

_WHERE = [("seq", pa.int64()), ("recv_t_ns", pa.int64()), ("link", pa.string()), ("connection", pa.int32())]
_VENUE = [*_WHERE, ("venue_t_ns", pa.int64())]
_SIDES = [f"{side}_{what}" for side in ("bid", "ask") for what in ("px_u", "sz_u", "n")]
_FIGURES = [field.name for field in fields(ContextRow)][len(_WHERE) :]

SCHEMAS: dict[str, Any] = {
    "touches": pa.schema([*_VENUE, *((name, pa.int64()) for name in _SIDES)]),
    "books_fast": pa.schema([*_VENUE, *((name, pa.list_(pa.int64())) for name in _SIDES)]),
    "books_slow": pa.schema([*_VENUE, *((name, pa.list_(pa.int64())) for name in _SIDES)]),
    "trades": pa.schema(
        [
            *_VENUE, ("side", pa.int8()), ("px_u", pa.int64()), ("sz_u", pa.int64()), ("tid", pa.int64()),
            ("hash", pa.string()), ("buyer", pa.string()), ("seller", pa.string()),
        ]
    ),
    "contexts": pa.schema([*_WHERE, *((name, EXACT) for name in _FIGURES)]),
    "links": pa.schema([*_WHERE, ("event", pa.string()), ("messages", pa.int64())]),
}  # fmt: skip


def stream_of(row: AnyRow) -> str:
    match row:
        case TouchRow():
            return "touches"
        case BookRow():
            return "books_fast" if row.fast else "books_slow"
        case TradeRow():
            return "trades"
        case ContextRow():
            return "contexts"
        case LinkRow():
            return "links"


# ---------------------------------------------------------------------- writing
def write(path: Path, stream: str, rows: Sequence[AnyRow], meta: dict[str, Any]) -> None:
    """The whole file at once, in place of an older one; half a file is never seen under its name."""
    schema = SCHEMAS[stream].with_metadata({META_KEY: json.dumps(meta).encode()})
    columns = zip(*map(_values, rows), strict=True) if rows else ([] for _ in schema)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        with unfinished.open("wb") as file:
            pq.write_table(pa.Table.from_arrays(arrays, schema=schema), file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _values(row: AnyRow) -> tuple[Any, ...]:
    """A row in its columns' order."""
    match row:
        case TouchRow():
            sides = [(None, None, None) if side is None else side for side in (row.bid, row.ask)]
            return (*_where(row), row.venue_t_ns, *sides[0], *sides[1])
        case BookRow():
            return (*_where(row), row.venue_t_ns, *_lists(row.bids), *_lists(row.asks))
        case ContextRow():
            figures = (None if text is None else Decimal(text) for text in astuple(row)[len(_WHERE) :])
            return (*_where(row), *figures)
    return astuple(row)


def _where(row: AnyRow) -> tuple[Any, ...]:
    return row.seq, row.recv_t_ns, row.link, row.connection


def _lists(levels: Sequence[LevelRow]) -> Iterable[list[int]]:
    return ([level[k] for level in levels] for k in range(3))


# ---------------------------------------------------------------------- reading
def read_meta(path: Path) -> dict[str, Any]:
    """What a file says of itself; raises BadInput when it is none of ours."""
    try:
        found = (pq.read_schema(path).metadata or {}).get(META_KEY)
    except (pa.ArrowInvalid, OSError) as error:
        raise BadInput("parquet", f"{path}: {str(error)[:200]}") from None
    if found is None:
        raise BadInput("parquet", f"{path}: not one of our recordings")
    meta: dict[str, Any] = json.loads(found)
    if meta.get("format") != FORMAT or meta.get("stream") not in STREAMS:
        raise BadInput("parquet", f"{path}: format {meta.get('format')!r}, stream {meta.get('stream')!r}")
    return meta


def read(path: Path) -> Iterator[AnyRow]:
    """The file's rows in their order; raises BadInput."""
    stream = read_meta(path)["stream"]
    table = pq.read_table(path)
    if table.schema.names != SCHEMAS[stream].names:
        raise BadInput("parquet", f"{path}: columns {table.schema.names}")
    make = _MAKERS[stream]
    for batch in table.to_batches(max_chunksize=4096):
        for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            yield make(values)


def _touch(values: Any) -> TouchRow:
    sides = (None if values[k] is None else values[k : k + 3] for k in (5, 8))
    return TouchRow(*values[:5], *sides)


def _book(values: Any, *, fast: bool) -> BookRow:
    sides = (tuple(zip(*values[k : k + 3], strict=True)) for k in (5, 8))
    return BookRow(*values[:5], *(fast, *sides))


def _trade(values: Any) -> TradeRow:
    return TradeRow(*values)


def _context(values: Any) -> ContextRow:
    return ContextRow(*values[:4], *(None if figure is None else _text(figure) for figure in values[4:]))


def _link(values: Any) -> LinkRow:
    return LinkRow(*values)


_MAKERS: dict[str, Callable[[Any], AnyRow]] = {
    "touches": _touch,
    "books_fast": partial(_book, fast=True),
    "books_slow": partial(_book, fast=False),
    "trades": _trade,
    "contexts": _context,
    "links": _link,
}


def _text(figure: Decimal) -> str:
    """As the venue writes it: plain, at least one decimal, no other trailing zero."""
    whole, _, fraction = f"{figure:f}".partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}"
