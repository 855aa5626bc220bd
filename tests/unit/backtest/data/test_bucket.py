"""The requester-pays bucket is reached through the person's own `aws`, one whole file at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from backtest.data.bucket import Hours, fetch_archive, names
from backtest.data.places import Places
from common.errors import BadInput, ConfigError, LinkDown
from tests.unit.backtest.data.builders import MONDAY_MS, an_lz4, archive_line

pytest.importorskip("pyarrow")
HOUR_MS = 3_600_000
NOW_MS = MONDAY_MS + 2 * HOUR_MS + 5


def an_aws(folder: Path, script: str) -> str:
    """A command that takes what `aws s3 cp` takes; `$6` is the source, `$7` the target."""
    path = folder / "aws"
    path.write_text(f'#!/bin/sh\nfrom="$6"; to="$7"\n{script}\n')
    path.chmod(0o755)
    return str(path)


def ignore(_done: int, _total: int) -> None:
    """Nobody looks at the progress here."""


def a_bucket(folder: Path) -> Path:
    root = folder / "bucket"
    line = archive_line(MONDAY_MS, [90_000.0], [90_001.0])
    for hour in (0, 1):
        an_lz4(root / f"market_data/20260601/{hour}/l2Book/BTC.lz4", line)
    return root


def test_hours_that_have_ended_are_asked_for_by_the_buckets_names() -> None:
    assert names("BTC", 3 / 24, NOW_MS) == [
        "asset_ctxs/20260531.csv.lz4",
        "market_data/20260531/23/l2Book/BTC.lz4",
        "asset_ctxs/20260601.csv.lz4",
        "market_data/20260601/0/l2Book/BTC.lz4",
        "market_data/20260601/1/l2Book/BTC.lz4",
    ]


async def test_files_come_once_and_what_the_bucket_lacks_is_counted(tmp_path: Path) -> None:
    root, places = a_bucket(tmp_path), Places(tmp_path / "data")
    copy = f'cp "{root}/${{from#s3://hyperliquid-archive/}}" "$to" 2>/dev/null'
    script = f"{copy} || {{ echo 404 >&2; exit 1; }}"
    command = an_aws(tmp_path, script)
    first = await fetch_archive(places, "BTC", 2 / 24, NOW_MS, ignore, command)
    again = await fetch_archive(places, "BTC", 2 / 24, NOW_MS, ignore, command)
    assert (first, again) == (Hours(2, 0, 1), Hours(0, 2, 1))
    got = places.archive / "market_data/20260601/1/l2Book/BTC.lz4"
    assert got.read_bytes() == (root / "market_data/20260601/1/l2Book/BTC.lz4").read_bytes()


async def test_requester_pays_is_said_to_the_bucket(tmp_path: Path) -> None:
    places = Places(tmp_path / "data")
    command = an_aws(tmp_path, f'echo "$@" > {tmp_path}/said; echo 404 >&2; exit 1')
    await fetch_archive(places, "BTC", 1 / 24, NOW_MS, ignore, command)
    assert "--request-payer requester" in (tmp_path / "said").read_text()


async def test_without_the_command_it_says_what_is_needed_and_who_pays(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"requester pays.*install and configure"):
        await fetch_archive(Places(tmp_path), "BTC", 1.0, NOW_MS, ignore, str(tmp_path / "no-aws"))


async def test_refusal_is_the_buckets_own_sentence(tmp_path: Path) -> None:
    command = an_aws(tmp_path, "echo 'Unable to locate credentials' >&2; exit 255")
    with pytest.raises(LinkDown, match="Unable to locate credentials"):
        await fetch_archive(Places(tmp_path / "data"), "BTC", 1 / 24, NOW_MS, ignore, command)


async def test_file_that_arrives_cut_short_never_gets_its_name(tmp_path: Path) -> None:
    root, places = a_bucket(tmp_path), Places(tmp_path / "data")
    whole = root / "market_data/20260601/1/l2Book/BTC.lz4"
    command = an_aws(tmp_path, f'head -c 20 "{whole}" > "$to"')
    with pytest.raises(BadInput):
        await fetch_archive(places, "BTC", 1 / 24, NOW_MS, ignore, command)
    assert [path for path in places.archive.rglob("*") if path.is_file()] == []
