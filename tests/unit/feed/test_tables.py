"""Raw hours become typed tables once, completely, and the same again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from common import columns, frames
from common.errors import BadInput
from common.recorded import AnyRow, Market, rows
from feed import disk
from feed.tables import convert, read_raw
from tests.unit.feed.builders import T0, bbo, context, l2, trade, trades
from tests.unit.feed.recordings import a_disk, heard, raw, written

HOUR_MS = 3_600_000
TO_NEXT_MS = HOUR_MS - T0 // 10**6 % HOUR_MS


def an_hour(at_ms: int = 0) -> list[frames.Record]:
    """One of everything, received from `at_ms` on."""
    return [
        heard(b"", at_ms, kind=frames.OPENED),
        heard(trades(trade(at_ms - 50, tid=at_ms + 1)), at_ms + 1),
        heard(bbo(at_ms), at_ms + 2),
        heard(l2(at_ms, fast=True), at_ms + 3),
        heard(l2(at_ms), at_ms + 4, link="deep"),
        heard(context(midPx="752.4455"), at_ms + 5),
        heard(b'{"channel":"pong"}', at_ms + 6),
        heard(bbo(at_ms + 10, bid=None), at_ms + 12),
        heard(trades(trade(at_ms + 20, tid=at_ms + 2), trade(at_ms + 20, tid=at_ms + 3, side="A")), at_ms + 22),
        heard(b"3", at_ms + 30, kind=frames.LOST),
    ]


def done(folder: Path, **how: Any) -> dict[str, str]:
    return {hour.hour: hour.done for hour in convert(folder, **how)}


def table(folder: Path, stream: str, k: int = 0) -> list[AnyRow]:
    return list(columns.read(sorted((folder / "parquet" / stream).glob("*.parquet"))[k]))


def all_rows(records: list[frames.Record]) -> list[AnyRow]:
    market = Market("km:US500", 3)
    return [row for seq, record in enumerate(records) for row in rows(record, seq, market)]


def test_every_row_of_the_hour_is_in_the_table_of_its_stream_exactly(tmp_path: Path) -> None:
    folder = written(tmp_path, an_hour()[:4], an_hour()[4:])
    (hour,) = convert(folder)
    assert hour.rows == {
        "touches": 2, "books_fast": 1, "books_slow": 1, "trades": 3, "contexts": 1, "links": 2,
    }  # fmt: skip
    found = sorted((row for stream in columns.STREAMS for row in table(folder, stream)), key=lambda row: row.seq)
    assert found == all_rows(an_hour())


def test_columns_are_typed_and_hold_no_float(tmp_path: Path) -> None:
    folder = written(tmp_path, an_hour())
    assert done(folder)
    for stream in columns.STREAMS:
        (path,) = (folder / "parquet" / stream).glob("*.parquet")
        schema = pq.read_schema(path)
        assert schema.field("recv_t_ns").type == "int64"
        assert not [field.name for field in schema if "double" in str(field.type) or "float" in str(field.type)]
        meta = columns.read_meta(path)
        assert (meta["coin"], meta["sz_decimals"], meta["px_decimals"], meta["stream"]) == ("km:US500", 3, 3, stream)
    assert str(pq.read_schema(folder / "parquet/contexts" / path.name).field("mark_px").type) == "decimal128(38, 12)"


def test_running_again_changes_nothing(tmp_path: Path) -> None:
    folder = written(tmp_path, an_hour())
    assert list(done(folder).values()) == ["written"]
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*.parquet")}
    assert list(done(folder).values()) == ["unchanged"]
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*.parquet")} == before
    assert list(folder.rglob("*.tmp")) == []


def test_hour_that_is_still_being_written_waits_unless_asked_for(tmp_path: Path) -> None:
    folder = written(tmp_path, an_hour(), close=False)
    assert list(done(folder).values()) == ["unfinished"]
    assert list(folder.rglob("*.parquet")) == []
    assert list(done(folder, unfinished_too=True).values()) == ["written"]


def test_hour_of_a_killed_feed_is_finished_once_a_later_one_has_begun(tmp_path: Path) -> None:
    killed = a_disk(tmp_path)
    killed.write(an_hour())
    killed.give_up()
    folder = written(tmp_path, an_hour(TO_NEXT_MS))
    assert list(done(folder).values()) == ["written", "written"]


def test_hour_that_grew_is_written_again(tmp_path: Path) -> None:
    growing = a_disk(tmp_path)
    growing.write(an_hour()[:5])
    folder = tmp_path / "paper" / "km-US500"
    assert list(done(folder, unfinished_too=True).values()) == ["written"]
    growing.write(an_hour()[5:])
    growing.close()
    assert list(done(folder).values()) == ["written"]
    assert len(table(folder, "trades")) == 3


def test_print_heard_again_is_kept_once_across_connections_and_hours(tmp_path: Path) -> None:
    first, second = trade(0, tid=1), trade(0, tid=2)
    folder = written(
        tmp_path,
        [heard(bbo()), heard(trades(first)), heard(trades(first, second), connection=2)],
        [heard(trades(first, second, trade(0, tid=3)), TO_NEXT_MS), heard(bbo(), TO_NEXT_MS)],
    )
    assert list(done(folder).values()) == ["written", "written"]
    assert [row.tid for row in table(folder, "trades", 0)] == [1, 2]  # type: ignore[union-attr]
    assert [row.tid for row in table(folder, "trades", 1)] == [3]  # type: ignore[union-attr]
    (path, _) = sorted((folder / "parquet/touches").glob("*.parquet"))
    path.unlink()  # the first hour anew, the second found unchanged
    assert list(done(folder).values()) == ["written", "unchanged"]


def test_what_cannot_be_read_is_counted_and_costs_nothing_else(tmp_path: Path) -> None:
    folder = written(tmp_path, [heard(b"{", 0), *an_hour(), heard(bbo(coin="BTC"))])
    (hour,) = convert(folder)
    assert (hour.unreadable, hour.rows["touches"]) == (2, 2)


def test_damage_costs_its_frame_and_is_counted(tmp_path: Path) -> None:
    folder = written(tmp_path, an_hour()[:4], an_hour()[4:])
    (path,) = raw(folder)
    data = bytearray(path.read_bytes())
    begin = next(item.offset for item in frames.read(bytes(data)) if isinstance(item, frames.Frame) and item.records)
    data[begin + 40] ^= 1
    path.write_bytes(data)
    (hour,) = convert(folder)
    assert (hour.damages, hour.rows["touches"], hour.rows["books_slow"]) == (1, 1, 1)


def test_files_of_two_markets_are_not_mixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = written(tmp_path, an_hour())
    monkeypatch.setattr(disk, "wall_ms", lambda: 1)  # another life's file
    other = a_disk(tmp_path)
    other.facts["sz_decimals"] = 2
    other.write(an_hour(1))
    other.close()
    assert len(raw(folder)) == 2
    with pytest.raises(BadInput, match="2 markets"):
        list(convert(folder))


def test_file_that_is_not_parquet_or_not_ours_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(b"PAR1 and more")
    with pytest.raises(BadInput, match="parquet"):
        columns.read_meta(path)
    import pyarrow as pa

    pq.write_table(pa.table({"a": [1]}), path)
    with pytest.raises(BadInput, match="not one of our recordings"):
        columns.read_meta(path)


def test_raw_file_knows_whether_it_was_closed(tmp_path: Path) -> None:
    (path,) = raw(written(tmp_path, an_hour()))
    assert read_raw(path).closed
    path.write_bytes(path.read_bytes()[:-1])
    file = read_raw(path)
    assert not file.closed
    assert [damage.reason for damage in file.damages] == ["torn"]
