"""Candles and funding from a server that replays what the venue answered, whole, continued, and cut off."""

from __future__ import annotations

import argparse
import asyncio
import gzip
import io
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp import web
from rich.console import Console

from backtest.data import fetch
from backtest.data.bars import read_bars
from backtest.data.history import FUNDING_MAX, fetch_candles, fetch_funding
from backtest.data.places import Places
from common.clock import mono_ns
from common.errors import BadInput, ConfigError, LinkDown
from common.hyperliquid import InfoClient
from common.weights import Weights
from tests.support.ports import free_port_base
from tests.support.shared import shared

KPEPE, BTC = "hl_info_candleSnapshot_kPEPE_1h", "hl_info_fundingHistory_BTC_2023"


def capture(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(gzip.decompress(shared(f"data/fixtures/{name}.json.gz").read_bytes()))
    return found


class Venue:
    """Answers from real captures, as the venue pages them; `fails_after` requests it hangs up."""

    def __init__(self, fails_after: int = 10**9) -> None:
        self.candles, self.funding = capture(KPEPE), capture(BTC)
        self.asked: list[dict[str, Any]] = []
        self.mangle: Callable[[Any], Any] = lambda answer: answer
        self._fails_after = fails_after

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked.append(body)
        if len(self.asked) > self._fails_after:
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        if body["type"] == "candleSnapshot":
            asked = body["req"]
            rows = [
                row for row in self.candles
                if row["s"] == asked["coin"] and row["i"] == asked["interval"]
                and asked["startTime"] <= row["t"] <= asked["endTime"]
            ]  # fmt: skip
            return web.json_response(self.mangle(rows))
        rows = [row for row in self.funding if row["coin"] == body["coin"] and row["time"] >= body["startTime"]]
        return web.json_response(self.mangle(rows[:FUNDING_MAX]))


@asynccontextmanager
async def served(venue: Venue) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/info", venue.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def asking(venue: Venue) -> AsyncIterator[InfoClient]:
    """A client whose weight comes back a thousand times as fast."""
    weights = Weights("fetch", mono=lambda: 1_000 * mono_ns())
    async with served(venue) as url, InfoClient(url, weights, 5.0, 5.0) as client:
        yield client


def files(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


def ignore(_done: int, _total: int) -> None:
    """Nobody looks at the progress here."""


# ---------------------------------------------------------------------- candles
async def test_candles_are_the_venues_and_the_open_one_is_left_out(tmp_path: Path) -> None:
    venue, places = Venue(), Places(tmp_path)
    now_ms = venue.candles[-1]["t"] + 60_000  # the last one is still open
    async with asking(venue) as client:
        got = await fetch_candles(client, places, "kPEPE", "1h", 30.0, now_ms)
    bars = read_bars(places.candles("kPEPE", "1h"))
    assert got.new == got.rows == len(bars) == len(venue.candles) - 1
    assert bars.ts_ms.tolist() == [row["t"] for row in venue.candles[:-1]]
    assert np.array_equal(bars.close, [float(row["c"]) for row in venue.candles[:-1]])
    noted = places.noted(places.candles("kPEPE", "1h"))
    assert noted is not None
    assert (noted.rows, noted.first_ms) == (got.rows, int(bars.ts_ms[0]))


async def test_second_fetch_asks_only_for_what_came_since(tmp_path: Path) -> None:
    venue, places = Venue(), Places(tmp_path)
    middle = venue.candles[10]["t"]
    async with asking(venue) as client:
        first = await fetch_candles(client, places, "kPEPE", "1h", 30.0, middle)
        second = await fetch_candles(client, places, "kPEPE", "1h", 30.0, venue.candles[-1]["T"] + 1)
        third = await fetch_candles(client, places, "kPEPE", "1h", 30.0, venue.candles[-1]["T"] + 1)
    assert (first.rows, second.new, second.rows, third.new) == (10, 14, 24, 0)
    assert venue.asked[1]["req"]["startTime"] == middle
    assert len(venue.asked) == 2
    assert len(read_bars(places.candles("kPEPE", "1h"))) == 24


@pytest.mark.parametrize(
    "mangle",
    [
        lambda rows: {"error": "no"},
        lambda rows: rows[::-1],
        lambda rows: [rows[0] | {"s": "BTC"}, *rows[1:]],
        lambda rows: [rows[0] | {"h": "0.0000001"}, *rows[1:]],
        lambda rows: [rows[0] | {"c": "NaN"}, *rows[1:]],
        lambda rows: [rows[0], *rows],
        lambda rows: [],
    ],
)
async def test_answer_that_is_none_is_refused_and_nothing_is_written(tmp_path: Path, mangle: Any) -> None:
    venue, places = Venue(), Places(tmp_path)
    venue.mangle = mangle
    async with asking(venue) as client:
        with pytest.raises(BadInput):
            await fetch_candles(client, places, "kPEPE", "1h", 30.0, venue.candles[-1]["T"] + 1)
    assert files(tmp_path) == []


# ---------------------------------------------------------------------- funding
async def test_funding_is_paged_to_its_end(tmp_path: Path) -> None:
    venue, places = Venue(), Places(tmp_path)
    now_ms = venue.funding[-1]["time"] + 60_000
    async with asking(venue) as client:
        got = await fetch_funding(client, places, "BTC", 3_000.0, now_ms, ignore)
    assert got.rows == len(venue.funding) == 1_038
    assert [body["startTime"] for body in venue.asked][1:] == [venue.funding[k]["time"] + 1 for k in (499, 999)]
    lines = places.funding("BTC").read_text().splitlines()
    assert lines[1] == f"{venue.funding[0]['time']},{venue.funding[0]['fundingRate']}"


async def test_interruption_keeps_every_page_that_came_and_the_next_run_goes_on(tmp_path: Path) -> None:
    venue, places = Venue(fails_after=1), Places(tmp_path)
    now_ms = venue.funding[-1]["time"] + 60_000
    async with asking(venue) as client:
        with pytest.raises(LinkDown):
            await fetch_funding(client, places, "BTC", 3_000.0, now_ms, ignore)
    assert len(places.funding("BTC").read_text().splitlines()) == 1 + FUNDING_MAX
    again = Venue()
    async with asking(again) as client:
        got = await fetch_funding(client, places, "BTC", 3_000.0, now_ms, ignore)
    assert (got.new, got.rows) == (538, 1_038)
    assert again.asked[0]["startTime"] == venue.funding[499]["time"] + 1
    assert not [name for name in files(tmp_path) if name.endswith(".part")]


async def test_lists_are_paid_for_by_their_length(tmp_path: Path) -> None:
    """20 for the request and 1 for 20 rows: the second page of the same minute has to wait for it."""
    weights = Weights("fetch", mono=lambda: 0)
    async with served(Venue()) as url, InfoClient(url, weights, 5.0, 0.0) as client:
        for _ in range(2):  # 20 + 25 + 20 of 100
            await client.funding_history("BTC", 0)
        with pytest.raises(LinkDown, match="request weight"):
            await client.funding_history("BTC", 0)


# ---------------------------------------------------------------------- the command
def told(url: str, folder: Path, *more: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    fetch.arguments(parser)
    return parser.parse_args(["--market", "us500", "--days", "30", "--url", url, "--out", str(folder), *more])


def test_without_a_network_everybody_asked_is_one_sentence_and_old_files_stay(tmp_path: Path) -> None:
    def nobody(places: Places, days: float) -> Path:
        raise LinkDown("no network: nobody answers")

    old = Places(tmp_path).candles("km:US500", "1m")
    old.parent.mkdir(parents=True)
    old.write_text("ts_ms,open,high,low,close,volume\n1780272000000,1.0,1.0,1.0,1.0,1.0\n")
    before = old.read_bytes()
    said = io.StringIO()
    port = free_port_base("feed")
    code = fetch.main(told(f"http://127.0.0.1:{3001 + port}", tmp_path), Console(file=said, width=400), nobody)
    lines = said.getvalue().splitlines()
    assert code == 75
    failed = [line for line in lines if "not fetched: " in line and "what is there stays" in line]
    assert [line.split(":")[-1].split("and ")[-1] for line in failed] == [
        "the venue is asked no further", "Yahoo is asked no further",
    ]  # fmt: skip
    assert any("requester pays" in line for line in lines)
    assert old.read_bytes() == before
    assert len(list(tmp_path.rglob("*.csv"))) == 1


def test_what_came_is_said_part_by_part_and_the_rest_still_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The venue knows this coin's hours only: the other intervals are refused by name, funding and ^OEX come."""

    def brings(places: Places, days: float) -> Path:
        path = places.yahoo("^OEX", "5m")
        places.note(path, b"ts_ms,open,high,low,close,volume\n", 7, 0, 1, "test")
        return path

    venue = Venue()
    monkeypatch.setattr(fetch, "wall_ms", lambda: venue.candles[-1]["T"] + 1)
    for row in venue.candles:
        row["s"] = "km:US500"
    for row in venue.funding:
        row["coin"] = "km:US500"
    monkeypatch.setattr(fetch, "Weights", lambda service: Weights(service, mono=lambda: 1_000 * mono_ns()))
    said = io.StringIO()

    async def whole() -> int:
        async with served(venue) as url:
            arguments = told(url, tmp_path)
            return await fetch._fetch(
                arguments, fetch.load("quoter", over={"MARKET": "us500"}), Console(file=said), brings
            )

    assert asyncio.run(whole()) == 75
    lines = dict(line.split(": ", 1) for line in said.getvalue().splitlines() if ": " in line)
    assert lines["km:US500 candles 1h"] == "24 new, 24 in all, 1.0 days"
    assert "no 1m candles of km:US500" in lines["km:US500 candles 1m"]
    assert lines["km:US500 funding"].endswith("hours in all")
    assert lines["^OEX bars"] == "7 bars in OEX_5m.csv"


def test_days_out_of_range_are_a_wrong_option(tmp_path: Path) -> None:
    arguments = told("http://127.0.0.1:9", tmp_path)
    arguments.days = 0.0
    with pytest.raises(ConfigError, match="--days"):
        fetch.main(arguments, Console(file=io.StringIO()))
