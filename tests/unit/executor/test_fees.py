"""Fees while we run: a change is told, unknown ones end quoting, and every fill of ours is held against the model."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from common.clock import NS
from common.errors import BadInput, LinkDown
from common.fees import fee_e8
from common.hyperliquid import USER_FEES, MarketFacts, decode
from common.messages import AccountState, Alert, Fill, Severity, Side
from common.orders import make_cloid
from common.venue_types import UserFees
from executor.events import Clock, FeeDiffers, FeesRead, FillSeen, Kind, ReadFees
from executor.fee_reader import FeeReader
from executor.fees import TOLD_AGAIN_NS, Fees
from executor.gates import Stance
from tests.unit.executor.builders import COIN, MONO0, T0, Bench, a_fill, actions, settings

MAKER, TAKER = 30_000, 81_000
NOW = Clock(T0, MONO0)
CLOID = make_cloid(7, 1, Side.BID, 1)


def known(maker_ppb: int = MAKER) -> Fees:
    fees = Fees(COIN, 0.05)
    fees.begin(maker_ppb, TAKER, NOW)
    return fees


def paid(share: float, *, taker: bool = False, rate: int | None = None, **changes: Any) -> Fill:
    """A fill of ours of about $75 that paid `share` of what the model says."""
    rate = rate if rate is not None else (TAKER if taker else MAKER)
    fill = a_fill(cloid=CLOID, taker=taker, **changes)
    return msgspec.structs.replace(fill, fee_e8=round(fee_e8(fill.px_u, fill.sz_u, rate) * share))


# ---------------------------------------------------------------------- fills
@pytest.mark.parametrize("taker", [False, True])
@pytest.mark.parametrize("share", [0.951, 1.0, 1.049])
def test_a_fill_within_five_percent_is_as_expected(share: float, taker: bool) -> None:
    assert known().on_fill(paid(share, taker=taker), NOW) == []


@pytest.mark.parametrize("taker", [False, True])
@pytest.mark.parametrize("share", [-1.0, 0.0, 0.94, 1.06, 10.0])
def test_a_fill_further_off_is_told_and_the_fees_are_read_again(share: float, taker: bool) -> None:
    differs, read, alert = known().on_fill(paid(share, taker=taker), NOW)
    assert isinstance(differs, FeeDiffers)
    assert isinstance(read, ReadFees)
    assert isinstance(alert, Alert)
    assert (alert.name, alert.severity) == ("FeeDiffers", Severity.WARNING)


def test_a_rebate_is_held_against_the_model_as_well() -> None:
    assert known(-1_250).on_fill(paid(1.0, rate=-1_250), NOW) == []
    assert known(-1_250).on_fill(paid(1.0, rate=1_250), NOW) != []


def test_a_lasting_difference_is_told_once_an_hour_and_counted_always() -> None:
    fees = known()
    times = [MONO0 + k * TOLD_AGAIN_NS // 4 for k in range(8)]
    outs = [fees.on_fill(paid(2.0, tid=k), Clock(T0, at)) for k, at in enumerate(times)]
    assert [any(isinstance(x, Alert) for x in out) for out in outs] == [True, False, False, False] * 2
    assert all(any(isinstance(x, FeeDiffers) for x in out) for out in outs)


def test_after_a_change_of_rates_the_next_difference_is_news() -> None:
    fees = known()
    fees.on_fill(paid(2.0), NOW)
    fees.on_read(FeesRead(2 * MAKER, TAKER), NOW)
    assert fees.on_fill(paid(2.0), NOW) == []
    assert len(fees.on_fill(paid(1.0), NOW)) == 3


@pytest.mark.parametrize("changes", [{"cloid": ""}, {"liquidation": True}, {"venue_t_ns": T0 - 1}])
def test_fills_that_may_have_paid_something_else_are_left_out(changes: dict[str, Any]) -> None:
    """A stranger's order, a liquidation, and what was filled before the rates were read."""
    assert known().on_fill(msgspec.structs.replace(paid(3.0), **changes), NOW) == []


def test_without_rates_nothing_is_compared() -> None:
    fees = Fees(COIN, 0.05)
    fees.begin(None, None, NOW)
    assert fees.on_fill(paid(3.0), NOW) == []


# ---------------------------------------------------------------------- changes
def test_the_same_rates_are_no_news() -> None:
    assert known().on_read(FeesRead(MAKER, TAKER), NOW) == []


def test_a_change_names_both_rates() -> None:
    (alert,) = known().on_read(FeesRead(300_000, 810_000), NOW)
    assert (alert.name, alert.severity) == ("FeesChanged", Severity.WARNING)
    assert "from maker 0.3000 / taker 0.8100 bps to maker 3.0000 / taker 8.1000 bps" in alert.text


def test_rates_that_become_unknown_are_critical_and_coming_back_is_told() -> None:
    fees = known()
    (lost,) = fees.on_read(FeesRead(None, None, "not read for too long"), NOW)
    assert (lost.name, lost.severity) == ("FeesUnknown", Severity.CRITICAL)
    assert not fees.known
    (back,) = fees.on_read(FeesRead(MAKER, TAKER), NOW)
    assert back.name == "FeesKnown"


# ---------------------------------------------------------------------- the engine
def ready() -> Bench:
    """Three levels a side rest."""
    bench = Bench().start()
    bench.quote()
    return bench


def states(out: list[Any]) -> list[AccountState]:
    return [x for x in out if isinstance(x, AccountState)]


def test_a_change_is_in_the_account_state_at_once() -> None:
    bench = ready()
    out = bench.post(FeesRead(300_000, 810_000))
    assert [(s.maker_fee_ppb, s.taker_fee_ppb) for s in states(out)] == [(300_000, 810_000)]
    assert bench.post(FeesRead(300_000, 810_000)) == []


def test_unknown_fees_cancel_what_rests_and_known_ones_bring_it_back() -> None:
    bench = ready()
    assert bench.engine.stance is Stance.QUOTE
    out = bench.post(FeesRead(None, None, "no scale"))
    assert [(s.maker_fee_ppb, s.taker_fee_ppb) for s in states(out)] == [(None, None)]
    assert (bench.engine.stance, bench.engine.why) == (Stance.CANCEL, "fees_unknown")
    sent = actions(out)
    assert {x.kind for x in sent} <= {Kind.CANCEL, Kind.CANCEL_CLOID}
    assert len([entry for x in sent for entry in x.entries]) == 6
    bench.post(FeesRead(MAKER, TAKER))
    assert bench.engine.why != "fees_unknown"


def test_a_fill_through_the_engine_is_compared_once() -> None:
    bench = ready()
    out = bench.post(FillSeen(paid(2.0, t_ns=bench.t_ns)))
    assert [x.name for x in out if isinstance(x, Alert)] == ["FeeDiffers"]
    assert [x for x in bench.post(FillSeen(paid(2.0, t_ns=bench.t_ns))) if isinstance(x, (Alert, FeeDiffers))] == []


# ---------------------------------------------------------------------- reading
class Venue:
    """Answers like the venue, or fails."""

    def __init__(self) -> None:
        self.asked = 0
        self.failure: Exception | None = None
        self.growth, self.scale = True, "1.0"
        self.body = (
            b'{"userCrossRate": "0.00045", "userAddRate": "0.00015", "activeReferralDiscount": "0.0", "more": 1}'
        )

    async def discover(self, coin: str) -> MarketFacts:
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return MarketFacts(coin, "km", 5, 0, 150_000, 3, 20, "USDH", self.growth, False, "", self.scale, aligned=True)

    async def user_fees(self, _: str) -> UserFees:
        return decode(self.body, USER_FEES)


class Reading:
    """A reader, a venue and the machine's clock."""

    def __init__(self, retry_s: float = 60.0) -> None:
        self.venue, self.heard, self.mono_ns = Venue(), list[FeesRead](), MONO0
        self.told = asyncio.Event()
        self.reader = FeeReader(
            settings(), self.venue, self._hear, mono=lambda: self.mono_ns, retry_s=retry_s  # type: ignore[arg-type]
        )  # fmt: skip

    def _hear(self, read: FeesRead) -> None:
        self.heard.append(read)
        self.told.set()

    async def read(self, after_h: float = 1.0) -> list[FeesRead]:
        self.mono_ns += int(after_h * 3_600 * NS)
        self.heard.clear()
        await self.reader.read()
        return list(self.heard)


async def test_the_rates_are_the_accounts_scaled_by_the_market() -> None:
    reading = Reading()
    assert await reading.read() == [FeesRead(30_000, 81_000)]
    reading.venue.growth = False
    assert await reading.read() == [FeesRead(300_000, 810_000)]
    reading.venue.body = b'{"userCrossRate": "0.00028", "userAddRate": "-0.00001", "activeReferralDiscount": "0.04"}'
    assert await reading.read() == [FeesRead(-12_500, 483_840)]


async def test_a_scale_the_venue_does_not_say_is_unknown_at_once() -> None:
    reading = Reading()
    reading.venue.scale = None  # type: ignore[assignment]
    (read,) = await reading.read()
    assert (read.maker_ppb, read.taker_ppb) == (None, None)


@pytest.mark.parametrize("failure", [LinkDown("down"), BadInput("fee_rate", "5")])
async def test_a_failure_is_told_only_when_it_has_lasted_too_long(failure: Exception) -> None:
    reading = Reading()
    await reading.read()
    reading.venue.failure = failure
    assert await reading.read(1.0) == []
    assert await reading.read(1.9) == []
    (read,) = await reading.read(0.2)
    assert (read.maker_ppb, read.why) == (None, "not read for too long")
    reading.venue.failure = None
    assert await reading.read() == [FeesRead(30_000, 81_000)]


async def test_a_wanted_reading_does_not_wait_for_the_hour() -> None:
    reading = Reading(retry_s=0.0)
    following = asyncio.create_task(reading.reader.follow(known=True))
    try:
        for _ in range(5):
            await asyncio.sleep(0)
        assert reading.venue.asked == 0
        reading.reader.want()
        async with asyncio.timeout(5):
            await reading.told.wait()
    finally:
        following.cancel()
    assert reading.heard == [FeesRead(30_000, 81_000)]


async def test_unknown_fees_are_asked_for_without_being_wanted() -> None:
    reading = Reading(retry_s=0.0)
    following = asyncio.create_task(reading.reader.follow(known=False))
    try:
        async with asyncio.timeout(5):
            await reading.told.wait()
    finally:
        following.cancel()
    assert reading.venue.asked == 1
