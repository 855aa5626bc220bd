"""The recorder over real sockets and processes: what came is on disk however a process ends, and plays back equal."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from common import metrics
from common.bus import Delivery, MemoryBus, Subscription
from common.clock import NS
from common.frames import CLOSED, OPENED, Damage, read, records_of
from common.messages import Alert
from common.streams import ALERTS
from feed.main import Feed
from feed.verify import Report, verify
from tests.integration.simvenue_process import SimVenue
from tests.support.ports import free_port_base
from tests.support.recorder import raw_records, record, recording_feed, streams
from tests.support.shared import ROOT
from tests.support.venue_peer import VenuePeer
from tests.support.waiting import until
from tests.unit.feed.builders import bbo

COIN, SZ_DECIMALS = "km:US500", 3
TIMED_STREAMS = ("touch", "fast", "trades")


def written(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*.rec")))


def reports(folder: Path) -> list[Report]:
    return [verify(path) for path in sorted(folder.rglob("*.rec"))]


# ---------------------------------------------------------------------- round trip
def market_seconds(seconds: float) -> Callable[[Feed], bool]:
    """Enough once the feed has followed the market for so long."""
    begun: list[int] = []

    def enough(feed: Feed) -> bool:
        now = feed.service.clock.now_ns()
        if feed.engine.touch is not None and feed.engine.context is not None and not begun:
            begun.append(now)
        return bool(begun) and now - begun[0] > seconds * NS

    return enough


async def recorded(folder: Path, seconds: float, *arguments: str) -> tuple[Path, dict[str, list[tuple[int, Any]]]]:
    """Record a simvenue process for so many market seconds: the market's folder, and its streams."""
    with SimVenue("--speed", "5", "--latency", "good", *arguments) as venue:
        found = await record(venue.url, folder, market_seconds(seconds), within_s=40.0)
        assert venue.errors() == []
    return found, streams(found, COIN, SZ_DECIMALS)


async def test_recording_of_a_replay_equals_its_source(tmp_path: Path) -> None:
    folder, source = await recorded(tmp_path / "source", 45.0, "--seed", "11", "--flow", "btc")
    assert not any(report.is_damaged or report.gaps for report in reports(folder))
    _, copy = await recorded(tmp_path / "copy", 30.0, "--market", "replay", "--data", str(folder))
    shifts = set()
    for name, said in copy.items():
        contents = [content for _, content in source[name]]
        begin = next(k for k in range(len(contents)) if contents[k : k + 3] == [content for _, content in said[:3]])
        assert [content for _, content in said] == contents[begin : begin + len(said)], name
        shifts |= {t_ns - source[name][begin + k][0] for k, (t_ns, _) in enumerate(said)} - {0}
    assert len(shifts) == 1  # all times are shifted by one constant
    assert {name: len(said) >= 5 for name, said in copy.items()} == dict.fromkeys(copy, True)


# ---------------------------------------------------------------------- as it came
async def test_frames_are_kept_as_they_came_with_their_connection(tmp_path: Path) -> None:
    odd = ['{"channel" : "bbo" , "data":{}}', "{", "µ", '{"channel":"l2Book","data":{"coin":"ETH"}}']
    async with VenuePeer() as peer, recording_feed(peer.url, tmp_path) as feed:
        await until(lambda: len(peer.follows("activeAssetCtx")) == 1, "subscriptions")
        for text in odd:
            await peer.say(text, "bbo")
        await until(lambda: raw_count(tmp_path, odd) == len(odd), "the frames on disk")
        await peer.drop()
        await until(lambda: len(peer.follows("bbo")) == 1, "the new connection", within_s=5.0)
        await peer.say(bbo(), "bbo")
        await until(lambda: any(r.connection == 2 and b'"bbo"' in r.body for r in raw_records(tmp_path)), "its frames")
        assert feed.keeping is not None
    records = [record for record in raw_records(tmp_path) if record.link == "main"]
    assert [r.body.decode() for r in records if r.body.decode() in odd] == odd
    ends = [(r.kind, r.connection) for r in records if r.kind in (OPENED, CLOSED)]
    assert ends[:3] == [(OPENED, 1), (CLOSED, 1), (OPENED, 2)]
    assert all(report.closed for report in reports(tmp_path))
    assert metrics.value("amm_recorder_messages_total", coin=COIN) >= len(odd)
    assert metrics.value("amm_recorder_bytes_total", coin=COIN) >= len(written(tmp_path))


def raw_count(folder: Path, texts: list[str]) -> int:
    return sum(record.body.decode() in texts for record in raw_records(folder))


async def test_disk_without_room_ends_the_recording_and_not_the_feed(tmp_path: Path) -> None:
    alerts: list[Any] = []
    async with VenuePeer() as peer, recording_feed(peer.url, tmp_path, RECORD_FREE_GB_MIN="100000") as feed:
        bus = feed.service.bus
        assert isinstance(bus, MemoryBus)
        async with MemoryBus(bus.hub, "monitor", block_ms=50) as reader:
            take = [Subscription(ALERTS, ALERTS.of("feed"), history=True)]
            reading = asyncio.create_task(reader.read(take, alerts.extend))
            await until(lambda: len(peer.follows("bbo")) == 1, "subscriptions")
            await until(lambda: any(isinstance(item, Delivery) for item in alerts), "the alert")
            before, touch = feed.engine.touch, bbo()
            touch["data"]["time"] = feed.service.clock.now_ns() // 10**6
            await peer.say(touch, "bbo")
            await until(lambda: feed.engine.touch is not before, "the feed to go on")
            await reader.close()
            await reading
    (alert,) = [item.message for item in alerts if isinstance(item.message, Alert)]
    assert alert.name == "recording_stopped"
    assert "less than 100000 GB free" in alert.text
    assert metrics.value("amm_recorder_on", coin=COIN) == 0.0
    assert metrics.value("amm_recorder_dropped_total", coin=COIN, reason="stopped") > 0.0
    assert written(tmp_path) == b""


# ---------------------------------------------------------------------- killed
def a_feed_process(url: str, folder: Path) -> subprocess.Popen[bytes]:
    """The real service; there is no Redis, and it records all the same."""
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TMPDIR")}
    environ = {
        **kept, "MARKET": "us500", "VENUE_URL": url, "RUN_DIR": str(folder / "run"), "RECORD": "on",
        "RECORD_DIR": str(folder), "RECORD_FREE_GB_MIN": "0", "PORT_BASE": str(free_port_base("feed")),
        "REDIS_URL": f"unix://{folder}/nobody.sock",
    }  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-m", "feed"], cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


async def test_killed_feed_loses_nothing_it_had_flushed(tmp_path: Path) -> None:
    with SimVenue("--speed", "10", "--latency", "good", "--flow", "btc") as venue:
        async with recording_feed(venue.url, tmp_path / "witness") as witness:
            process = a_feed_process(venue.url, tmp_path / "killed")
            try:
                await until(lambda: len(frames_of(tmp_path / "killed")) >= 3, "three frames", within_s=30.0)
                flushed = raw_records(tmp_path / "killed")
            finally:
                process.send_signal(signal.SIGKILL)
                process.wait(10)
            last = max(record.recv_t_ns for record in raw_records(tmp_path / "killed"))
            await until(lambda: witness.service.clock.now_ns() > last + 30 * NS, "the witness to pass it")
    found = raw_records(tmp_path / "killed")
    assert found[: len(flushed)] == flushed
    looked_at = reports(tmp_path / "killed")
    assert not any(report.is_damaged for report in looked_at)
    assert not looked_at[-1].closed
    killed, whole = (streams(tmp_path / name, COIN, SZ_DECIMALS) for name in ("killed", "witness"))
    for name in TIMED_STREAMS:  # a stretch of what the witness heard, without a hole
        begin = whole[name].index(killed[name][0])
        assert killed[name] == whole[name][begin : begin + len(killed[name])], name
    assert len(killed["touch"]) >= 5


def frames_of(folder: Path) -> list[Any]:
    found = [item for path in sorted(folder.rglob("*.rec")) for item in read(path.read_bytes())]
    return [item for item in found if not isinstance(item, Damage) and item.records]


WRITER = """
import os, sys
from pathlib import Path
from common.frames import TEXT, Record
from tests.unit.feed.recordings import a_disk
disk = a_disk(Path(sys.argv[1]))
k = 0
while True:
    disk.write([Record(TEXT, 1_780_000_000_000_000_000 + k, "main", 1, b"%d " % k + os.urandom(700_000))])
    sys.stdout.write(f"{k}\\n")
    sys.stdout.flush()
    k += 1
"""


@pytest.mark.parametrize("frames", [1, 3, 8])
def test_kill_in_the_middle_of_writing_costs_at_most_the_last_frame(frames: int, tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    done = [int(process.stdout.readline()) for _ in range(frames)]
    process.send_signal(signal.SIGKILL)  # it is writing the next one
    done += [int(line) for line in process.stdout.read().split()]
    process.wait(10)
    found = list(read(written(tmp_path)))
    numbers = [int(record.body.partition(b" ")[0]) for record in records_of(found)]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) - len(done) in (0, 1)  # whole in the file before it could say so
    assert [item.reason for item in found if isinstance(item, Damage)] in ([], ["torn"])
