"""The ledger: exact integers, each fill once, any order of arrival, and parts that add up."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import common.ledger as room
from common.errors import OurFault
from common.ledger import Ledger
from common.messages import Fill, FundingPayment, Liquidity, Side

COIN = "km:US500"


def a_fill(side: Side, px_u: int, sz_u: int, *, tid: int = 0, t_ns: int = 1, fee_e8: int = 0, mid2: int = 0) -> Fill:
    return Fill(t_ns, COIN, t_ns, tid, 1, "", side, px_u, sz_u, fee_e8, Liquidity.MAKER, 0, -1, mid2)


def funding(t_ns: int, usd_e8: int) -> FundingPayment:
    return FundingPayment(t_ns, COIN, t_ns, usd_e8, 0.0, 0)


def random_fills(rng: random.Random, n: int) -> list[Fill]:
    """Fills around one price with flips, rebates, equal stamps and unknown mids."""
    fills, px_u = [], 752_000
    for tid in range(n):
        px_u = max(px_u + rng.randint(-400, 400), 1)
        mid2 = 0 if rng.random() < 0.05 else max(2 * px_u + rng.randint(-41, 41), 1)
        side = rng.choice((Side.BID, Side.ASK))
        liquidity = Liquidity.MAKER if rng.random() < 0.95 else Liquidity.TAKER
        fee_e8 = rng.randint(-500, 5_000)
        t_ns = rng.randint(1, n)
        fills.append(
            Fill(t_ns, COIN, t_ns, tid, tid, "", side, px_u, rng.randint(1, 900), fee_e8, liquidity, 0, -1, mid2)
        )
    return fills


def test_a_round_trip_by_hand() -> None:
    ledger = Ledger(COIN)
    # buy 0.5 at 752.41 with the mid at 752.415, sell it at 752.43 with the mid at 752.42; fees 0.30 bps
    assert ledger.apply_fill(a_fill(Side.BID, 752_410, 500, tid=1, fee_e8=1_128_615, mid2=2 * 752_415))
    assert ledger.position_u == 500
    assert ledger.entry_px == 752_410
    assert ledger.unrealised_e8(752_420) == 500 * 10 * 100
    assert ledger.apply_fill(a_fill(Side.ASK, 752_430, 500, tid=2, fee_e8=1_128_645, mid2=2 * 752_420))
    assert ledger.position_u == 0
    parts = ledger.parts(999_999)
    assert parts.spread_e8 == 500 * 5 * 100 + 500 * 10 * 100
    assert parts.inventory_e8 == 500 * 5 * 100  # the mid rose by 0.005 while we were long
    assert parts.fees_e8 == 2_257_260
    assert parts.total_e8 == 500 * 20 * 100 - 2_257_260 == -1_257_260  # $0.01 less two fees
    assert ledger.realised_e8 == 500 * 20 * 100
    assert ledger.entry_px == 0.0


def test_a_half_unit_mid_is_exact() -> None:
    ledger = Ledger(COIN)
    ledger.apply_fill(a_fill(Side.BID, 100, 1, mid2=201))
    assert ledger.parts(100).spread_e8 == 50


def test_a_flip_starts_a_new_entry() -> None:
    ledger = Ledger(COIN)
    ledger.apply_fill(a_fill(Side.BID, 1000, 10, tid=1))
    ledger.apply_fill(a_fill(Side.ASK, 1100, 25, tid=2))
    assert ledger.position_u == -15
    assert ledger.entry_px == 1100
    assert ledger.realised_e8 == 10 * 100 * 100
    assert ledger.unrealised_e8(1000) == 15 * 100 * 100


def test_average_entry_over_adds_and_partial_closes() -> None:
    ledger = Ledger(COIN)
    ledger.apply_fill(a_fill(Side.ASK, 1000, 10, tid=1))
    ledger.apply_fill(a_fill(Side.ASK, 1200, 10, tid=2))
    assert ledger.entry_px == 1100
    ledger.apply_fill(a_fill(Side.BID, 900, 5, tid=3))
    assert ledger.entry_px == pytest.approx(1100)
    assert ledger.realised_e8 == 5 * 200 * 100


def test_funding_counts_once() -> None:
    ledger = Ledger(COIN)
    assert ledger.apply_funding(funding(3_600, -55))
    assert not ledger.apply_funding(funding(3_600, -55))
    assert ledger.apply_funding(funding(7_200, 20))
    assert ledger.parts(1).funding_e8 == ledger.parts(1).total_e8 == -35


def test_the_same_tid_at_another_time_is_another_fill() -> None:
    ledger = Ledger(COIN)
    assert ledger.apply_fill(a_fill(Side.BID, 10, 1, tid=5, t_ns=1))
    assert ledger.apply_fill(a_fill(Side.BID, 10, 1, tid=5, t_ns=2))
    assert not ledger.apply_fill(a_fill(Side.BID, 10, 1, tid=5, t_ns=2))
    assert ledger.duplicates == 1


def test_another_coins_money_is_our_fault() -> None:
    with pytest.raises(OurFault):
        Ledger("BTC").apply_fill(a_fill(Side.BID, 1, 1))
    with pytest.raises(OurFault):
        Ledger("BTC").apply_funding(funding(1, 1))


def test_volumes_are_told_apart_by_liquidity() -> None:
    ledger = Ledger(COIN)
    ledger.apply_fill(a_fill(Side.BID, 10, 3, tid=1))
    ledger.apply_fill(Fill(1, COIN, 1, 2, 1, "", Side.BID, 10, 2, 0, Liquidity.TAKER, 0))
    assert (ledger.maker_e6, ledger.taker_e6, ledger.volume_e6) == (30, 20, 50)
    assert ledger.unmarked_fills == 2


def test_the_accounting_identity_holds_on_ten_thousand_random_fills() -> None:
    """P22: equity change = realised + unrealised + funding - fees, to the last digit, and so do the four parts."""
    rng = random.Random(4711)
    fills = random_fills(rng, 10_000)
    paid = [funding(i * 3_600, rng.randint(-(10**6), 10**6)) for i in range(1, 200)]
    events = [*fills, *paid, *rng.sample(fills, 2_000), *rng.sample(paid, 50)]
    rng.shuffle(events)
    ledger = Ledger(COIN)
    for event in events:
        if isinstance(event, Fill):
            ledger.apply_fill(event)
        else:
            ledger.apply_funding(event)
    mark = 752_500
    cash = sum(-int(f.side) * f.px_u * f.sz_u * 100 - f.fee_e8 for f in fills) + sum(p.usd_e8 for p in paid)
    position = sum(int(f.side) * f.sz_u for f in fills)
    truth = cash + position * mark * 100
    parts = ledger.parts(mark)
    assert ledger.position_u == position
    assert ledger.fills == 10_000
    assert ledger.duplicates == 2_050
    assert parts.total_e8 == truth
    assert parts.spread_e8 + parts.inventory_e8 - parts.fees_e8 + parts.funding_e8 == truth
    assert ledger.realised_e8 + ledger.unrealised_e8(mark) + parts.funding_e8 - parts.fees_e8 == truth


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 60))
def test_order_duplicates_and_a_restart_change_nothing(seed: int, n: int) -> None:
    rng = random.Random(seed)
    fills = random_fills(rng, n)
    plain = Ledger(COIN)
    for fill in fills:
        plain.apply_fill(fill)
    other = Ledger(COIN)
    again = [*fills, *fills[: n // 2]]
    rng.shuffle(again)
    for i, fill in enumerate(again):
        if i == n // 2:
            other = Ledger.restore(json.loads(json.dumps(other.export())))
        other.apply_fill(fill)
    assert other.parts(752_000) == plain.parts(752_000)
    assert other.position_u == plain.position_u
    assert (other.maker_e6, other.taker_e6) == (plain.maker_e6, plain.taker_e6)


def test_an_export_that_is_none_is_refused() -> None:
    good = Ledger(COIN).export()
    for broken in ({}, {**good, "cash_e8": 1.5}, {**good, "fills": True}, {**good, "keys": [[1]]}, {**good, "keys": 3}):
        with pytest.raises(OurFault):
            Ledger.restore(broken)


def test_old_keys_are_shed_and_what_is_older_no_longer_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "KEYS_MAX", 100)
    ledger = Ledger(COIN)
    for i in range(101):
        ledger.apply_fill(a_fill(Side.BID, 10, 1, tid=i, t_ns=1_000 + i))
    position = ledger.position_u
    assert not ledger.apply_fill(a_fill(Side.BID, 10, 1, tid=0, t_ns=1_000)), "its key is gone, its age refuses it"
    assert not ledger.apply_fill(a_fill(Side.BID, 10, 1, tid=50, t_ns=1_050))
    assert ledger.position_u == position == 101
