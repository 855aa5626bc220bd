"""What one simvenue carries: 8 markets, 16 clients that hear everything of all of them.

added_latency: a message is due (its market time, on the venue's clock) -> its last byte is read by a client. The
markets are scripted, so that the instant of every message is known to the nanosecond. Its floor: the barest server
writes a frame of the same size to 16 sockets at the same instants. messages_per_s: made-up markets played faster and
faster; the most that the venue delivered while it kept its time. Its floor: the barest server's most.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import script
from bench.ears import Ears
from bench.floor import percentiles
from common.kernel import ROOT

COINS = ("BTC", "ETH", "SOL", "HYPE", "XRP", "SUI", "DOGE", "LINK")
CLIENTS = 16
KINDS: tuple[dict[str, Any], ...] = (
    {"type": "bbo"}, {"type": "trades"}, {"type": "activeAssetCtx"}, {"type": "l2Book"},
    {"type": "l2Book", "fast": True},
)  # fmt: skip
TOPICS = [{**kind, "coin": coin} for coin in COINS for kind in KINDS]
STEP_S = 0.1
PHASE_S = 0.011
MEASURE_S = 8.0
SPEEDS = (5, 10, 20, 30, 40, 60, 80, 120, 160)
LAG_S_MAX = 0.1
SETTLE_S = 1.0
BBO = b'{"channel":"bbo"'
FLOOR_FRAME = b'{"channel":"bbo","data":{"coin":"BTC","time":%d,"bbo":[null,null]}}'
FRAME_BYTES = 150


# ---------------------------------------------------------------------- the venue
@contextmanager
def venue(folder: Path, *arguments: str, data: bool) -> Iterator[int]:
    """A venue of 8 markets as a process; its port."""
    lines = []
    for place, coin in enumerate(COINS):
        lines += ["[[market]]", 'profile = "btc"', f'coin = "{coin}"', f"seed = {place}"]
        if data:
            script.write(
                folder / f"{coin}.npz", steps=int((MEASURE_S + 20) / STEP_S), every_s=STEP_S, phase_s=PHASE_S * place
            )
            lines.append(f'data = "{coin}.npz"')
    (folder / "markets.toml").write_text("\n".join(lines) + "\n")
    command = [
        sys.executable, "-m", "simvenue", "--markets", str(folder / "markets.toml"), "--port", "0",
        "--metrics-port", "0", "--latency", "zero", "--no-ip-limit", *arguments,
    ]  # fmt: skip
    environ = {k: v for k, v in os.environ.items() if k not in ("MARKET", "AMM_KERNELS")}
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            assert process.stdout is not None
            yield int(json.loads(process.stdout.readline())["listening"].rpartition(":")[2])
        finally:
            process.terminate()
            process.wait(10)


def _clock(port: int) -> tuple[int, int]:
    """(market time, our monotonic time) of one instant: of many readings that with the shortest way."""
    best: tuple[int, int, int] | None = None
    for _ in range(50):
        asked = time.monotonic_ns()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/sim/clock", timeout=5) as answer:
            reading = json.loads(answer.read())
        took = time.monotonic_ns() - asked
        if best is None or took < best[0]:
            best = (took, int(reading["now_ns"]), asked + took // 2)
    assert best is not None
    return best[1], best[2]


def _origin(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/sim/clock", timeout=5) as answer:
        return int(json.loads(answer.read())["origin_ns"])


async def added_latency(folder: Path) -> tuple[list[int], list[int]]:
    """(venue, floor) in ns per message."""
    heard: list[tuple[bytes, int]] = []
    with venue(folder, data=True) as port:
        async with Ears(port, CLIENTS, TOPICS, lambda frame, at: heard.append((frame, at))):
            await asyncio.sleep(SETTLE_S)
            heard.clear()
            await asyncio.sleep(MEASURE_S)
        market_ns, mono_ns = await asyncio.to_thread(_clock, port)
        origin_ns = await asyncio.to_thread(_origin, port)
    times = []
    for frame, at in heard:
        if frame.startswith(BBO):
            due_ns = _due_ns(frame, origin_ns)
            times.append(at - (mono_ns + due_ns - market_ns))
    return times, await _floor_latency()


def _due_ns(frame: bytes, origin_ns: int) -> int:
    """The exact instant behind a touch's time in ms: the market's nearest step."""
    data = json.loads(frame)["data"]
    phase_ns = int(PHASE_S * COINS.index(data["coin"]) * 1e9)
    step_ns = int(STEP_S * 1e9)
    steps: int = round((data["time"] * 10**6 - origin_ns - phase_ns) / step_ns)
    return origin_ns + phase_ns + steps * step_ns


async def messages_per_s(folder: Path) -> tuple[float, float, int]:
    """(most the venue delivered in time, floor, speed at which it did)."""
    best, speed_of_best = 0.0, 0
    for speed in SPEEDS:
        with venue(folder, "--speed", str(speed), data=False) as port:
            rate, lag_s = await _delivered(port, speed)
        if lag_s > LAG_S_MAX:
            break
        best, speed_of_best = rate, speed
    return best, await _floor_rate(), speed_of_best


async def _delivered(port: int, speed: int) -> tuple[float, float]:
    """(messages a second over all clients, how far behind its own clock the last touches came, machine seconds)."""
    count = 0
    last: dict[bytes, int] = {}

    def on_frame(frame: bytes, at: int) -> None:
        nonlocal count
        count += 1
        if frame.startswith(BBO):
            last[frame] = at

    async with Ears(port, CLIENTS, TOPICS, on_frame) as ears:
        await asyncio.sleep(SETTLE_S)
        count = 0
        began = time.monotonic()
        await asyncio.sleep(MEASURE_S / 2)
        rate = count / (time.monotonic() - began)
        newest = sorted(last.items(), key=lambda item: item[1])[-CLIENTS * len(COINS) :]
        if ears.ended or not newest:
            return rate, float("inf")
    market_ns, mono_ns = await asyncio.to_thread(_clock, port)
    behind = [
        (at - mono_ns) / 1e9 - (json.loads(frame)["data"]["time"] * 10**6 - market_ns) / 1e9 / speed
        for frame, at in newest
    ]
    return rate, sorted(behind)[len(behind) // 2]


# ---------------------------------------------------------------------- the floor
@contextmanager
def _bare(mode: str) -> Iterator[int]:
    """The barest server in a process of its own; its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(listener, mode), daemon=True)
    process.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        process.terminate()
        process.join()
        listener.close()


async def _floor_latency() -> list[int]:
    times: list[int] = []

    def on_frame(frame: bytes, at: int) -> None:
        if frame.startswith(BBO):
            times.append(at - json.loads(frame)["data"]["time"])

    with _bare("paced") as port:
        async with Ears(port, CLIENTS, [], on_frame):
            await asyncio.sleep(SETTLE_S)
            times.clear()
            await asyncio.sleep(MEASURE_S / 2)
    return times


async def _floor_rate() -> float:
    count = 0

    def on_frame(_frame: bytes, _at: int) -> None:
        nonlocal count
        count += 1

    with _bare("flat out") as port:
        async with Ears(port, CLIENTS, [], on_frame):
            await asyncio.sleep(SETTLE_S)
            count = 0
            began = time.monotonic()
            await asyncio.sleep(MEASURE_S / 2)
            return count / (time.monotonic() - began)


def _serve(listener: socket.socket, mode: str) -> None:
    asyncio.run(_bare_server(listener, mode))


async def _bare_server(listener: socket.socket, mode: str) -> None:
    """Shake hands, then write frames: at fixed instants that they name, or as fast as the sockets take them."""

    async def on_client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        writers.append(writer)

    writers: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(on_client, sock=listener)
    due_ns = time.monotonic_ns()
    async with server:
        while True:
            if mode == "paced":
                due_ns += int(STEP_S * 1e9 / len(COINS))
                await asyncio.sleep(max(due_ns - time.monotonic_ns(), 0) / 1e9)
            for writer in writers:
                writer.write(_frame(due_ns))
            for writer in writers:
                await writer.drain()
            if mode != "paced":
                await asyncio.sleep(0)


def _frame(due_ns: int) -> bytes:
    body = (FLOOR_FRAME % due_ns).ljust(FRAME_BYTES)
    return bytes([0x81, 126]) + len(body).to_bytes(2, "big") + body


def rows(folder: Path) -> dict[str, dict[str, Any]]:
    """What goes into the report."""
    system, bare = asyncio.run(added_latency(folder))
    most, floor_most, speed = asyncio.run(messages_per_s(folder))
    found: dict[str, dict[str, Any]] = {}
    for name, place in (("p50", 0), ("p99", 1)):
        value, least = percentiles(system)[place], percentiles(bare)[place]
        found[f"venue_added_latency_{name}"] = {
            "value": round(value, 4), "unit": "ms", "floor": round(least, 4), "ratio": round(value / least, 2),
            "samples": len(system), "markets": len(COINS), "clients": CLIENTS,
        }  # fmt: skip
    found["venue_messages"] = {
        "value": round(most), "unit": "/s", "floor": round(floor_most), "ratio": round(floor_most / max(most, 1.0), 2),
        "samples": round(most * MEASURE_S / 2), "markets": len(COINS), "clients": CLIENTS, "speed": speed,
    }  # fmt: skip
    return found
