"""The venue's archive bucket (`s3://hyperliquid-archive`): requester pays, so only on request, and only by `aws`.

Whoever fetches pays the transfer and needs an account with Amazon; keys stay with the `aws` command, which this room
calls and never looks into. One file at a time: to a name of its own, checked to be a whole LZ4 file, then renamed. What
is there already is not fetched again. An hour that the bucket does not have is counted, not a failure.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from backtest.data.archive import check_whole
from backtest.data.places import Places
from common.errors import ConfigError, LinkDown

BUCKET = "s3://hyperliquid-archive"
PAYS = f"the archive {BUCKET} is requester pays: your account with Amazon pays the transfer"
NO_AWS = f"{PAYS}; install and configure the `aws` command for it, or go without"
ABSENT = ("404", "NoSuchKey", "does not exist")
COMMAND = "aws"
ERROR_CHARS = 200


@dataclass(frozen=True, slots=True)
class Hours:
    """How many files came, were there already, or are not in the bucket."""

    new: int
    known: int
    absent: int


async def fetch_archive(
    places: Places, coin: str, days: float, now_ms: int, tell: Callable[[int, int], None], command: str = COMMAND
) -> Hours:
    """Books and contexts of the last `days` days; raises ConfigError without the command, LinkDown when it fails."""
    found = shutil.which(command)
    if found is None:
        raise ConfigError(NO_AWS)
    wanted = names(coin, days, now_ms)
    new = known = absent = 0
    for done, name in enumerate(wanted):
        path = places.archive / name
        if path.exists():
            known += 1
        elif await _copy(found, name, path):
            new += 1
        else:
            absent += 1
        tell(done + 1, len(wanted))
    return Hours(new, known, absent)


def names(coin: str, days: float, now_ms: int) -> list[str]:
    """What the bucket calls the books of each hour, and the contexts of each day, that have ended."""
    now = datetime.fromtimestamp(now_ms / 1000, UTC).replace(minute=0, second=0, microsecond=0)
    at = now - timedelta(hours=max(round(days * 24), 1))
    wanted: list[str] = []
    while at < now:
        if not wanted or at.hour == 0:
            wanted.append(f"asset_ctxs/{at:%Y%m%d}.csv.lz4")
        wanted.append(f"market_data/{at:%Y%m%d}/{at.hour}/l2Book/{coin}.lz4")
        at += timedelta(hours=1)
    return wanted


async def _copy(command: str, name: str, path: Path) -> bool:
    """Bring one file; False = the bucket has none of this name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.part")
    told = ("s3", "cp", "--quiet", "--request-payer", "requester", f"{BUCKET}/{name}", str(unfinished))
    process = await asyncio.create_subprocess_exec(
        command, *told, stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    try:
        _, errors = await process.communicate()
        if process.returncode != 0:
            text = errors.decode("utf-8", "replace").strip()
            if any(word in text for word in ABSENT):
                return False
            raise LinkDown(f"{BUCKET}/{name}: {text[-ERROR_CHARS:] or f'aws ended with {process.returncode}'}")
        check_whole(unfinished)
        unfinished.replace(path)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        unfinished.unlink(missing_ok=True)
    return True
