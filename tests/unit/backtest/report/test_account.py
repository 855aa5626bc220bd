"""The account of a replay is the ledger's, to the last 1e-8, and its parts are all there is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.loop.account import Charges
from backtest.loop.layout import CURVE_CASH, CURVE_MID2, CURVE_POSITION, CURVE_T
from backtest.playing import Terms, play
from backtest.report.account import account_of, chained
from common.errors import OurFault
from common.ledger import Ledger
from common.messages import Side
from quoter.state import NS
from simvenue.money.fees import fee_e8
from tests.unit.backtest.builders import MID, T0, Script, a_quoter, random_market
from tests.unit.backtest.report.builders import COSTS, HOUR, Trade, a_played, an_account, flat, some_trades, wandering
from tests.unit.common.test_ledger import COIN, a_fill


def by_ledger(trades: list[Trade], mids: list[tuple[float, int]]) -> dict[str, int]:
    """The same fills through `common/ledger.py`, valued at the last mid."""
    ledger = Ledger(COIN)
    for tid, (t, side, px, sz) in enumerate(trades):
        before = [mid for at, mid in mids if at < t]
        mid2 = before[-1] if before else mids[0][1]
        whose, fee = Side.BID if side > 0 else Side.ASK, fee_e8(px * sz, COSTS.maker_ppb)
        ledger.apply_fill(a_fill(whose, px, sz, tid=tid, t_ns=T0 + round(t * NS), fee_e8=fee, mid2=mid2))
    mark2 = mids[-1][1]
    trading = ledger.cash_e8 + ledger.position_u * mark2 * 50
    spread, fees = ledger.spread_e8, -ledger.fees_e8
    return {"net": trading + fees, "spread": spread, "inventory": trading - spread, "fees": fees, "funding": 0}


@given(seed=st.integers(0, 10_000), count=st.integers(0, 60))
def test_the_parts_are_the_ledgers_and_sum_to_net(seed: int, count: int) -> None:
    trades, mids = some_trades(6.0, seed, count), wandering(6.0, seed)
    parts = an_account(trades, mids, 6.0).parts_e8
    assert parts == by_ledger(trades, mids)
    assert sum(value for name, value in parts.items() if name != "net") == parts["net"]


def test_a_fee_is_what_the_venue_would_charge() -> None:
    account = an_account([(5.0, 1, MID + 7, 13)])
    assert account.fee_e8.tolist() == [fee_e8((MID + 7) * 13, COSTS.maker_ppb)]


def test_a_rebate_is_received() -> None:
    played = a_played([(5.0, 1, MID, 10)], [(0.0, 2 * MID), (9.0, 2 * MID)], maker_ppb=-1_000)
    assert account_of(played, COSTS, T0, T0 + 10 * NS).parts_e8["fees"] == -fee_e8(MID * 10, -1_000) > 0


def test_funding_is_a_part_of_its_own() -> None:
    played = a_played([(60.0, -1, MID, 10)], flat(3.0), funding=((HOUR, 700), (2 * HOUR, -300)))
    account = account_of(played, COSTS, T0, T0 + 3 * HOUR * NS)
    without = account_of(a_played([(60.0, -1, MID, 10)], flat(3.0)), COSTS, T0, T0 + 3 * HOUR * NS)
    assert account.parts_e8["funding"] == 400
    assert account.parts_e8["net"] == without.parts_e8["net"] + 400
    assert account.parts_e8["inventory"] == without.parts_e8["inventory"]
    assert account.funding_by_row_e8[90] == 700


def test_a_replay_without_an_account_is_no_report() -> None:
    with pytest.raises(OurFault):
        account_of(replace(a_played([], flat(1.0)), money=None), COSTS, T0, T0 + HOUR * NS)


@pytest.mark.parametrize("seed", range(6))
def test_the_account_is_the_replays_own(seed: int) -> None:
    """A market that trades, gaps and moves: fees, funding and cash are what the replay's venue booked."""
    charges = Charges(30_000, 90_000, 10, 20, 1_000.0, interest_rate_1h=0.0001, impact_usd=100.0)
    script = random_market(seed, 300)
    market = Script([(t + 3_590 * NS, rows) for t, rows in script.stamps])  # an hour ends ten seconds later
    asked = Terms(T0 + 3_590 * NS, T0 + 5_400 * NS, charges=charges)
    played = play(market.tape(), a_quoter((0.2, 1.0), (150.0, 150.0)), asked)
    account = account_of(played, COSTS, asked.from_t_ns, asked.to_t_ns)
    parts, money, curve = account.parts_e8, played.money, played.curve
    assert money is not None
    assert len(account.px_u) > 0
    assert parts["fees"] == -money.fees_e8
    assert parts["funding"] == money.funding_e8
    n = len(curve)
    assert account.position_u[:n].tolist() == curve[:, CURVE_POSITION].tolist()
    trading = (curve[:, CURVE_CASH] * 2 + curve[:, CURVE_POSITION] * curve[:, CURVE_MID2]) * 50
    fees = [account.fee_e8[account.fill_t_ns <= t].sum() for t in curve[:, CURVE_T]]
    own = account.equity_e8[:n] - account.funding_by_row_e8[:n] + fees
    assert own.tolist() == trading.tolist()


def test_spread_is_measured_against_the_mid_before_the_fill() -> None:
    """The print that fills us also moves the mid: what it moved belongs to inventory."""
    account = an_account([(10.0, 1, MID - 100, 10)], [(0.0, 2 * MID), (10.0, 2 * MID - 1_000), (20.0, 2 * MID - 1_000)])
    parts = account.parts_e8
    assert parts["spread"] == 100 * 10 * 100
    assert parts["inventory"] == -500 * 10 * 100


def test_margin_is_the_positions_notional_over_leverage() -> None:
    account = an_account([(10.0, -1, MID, 10)], [(0.0, 2 * MID), (20.0, 2 * MID)], hours=1.0)
    assert account.margin_e8.tolist() == [0, MID * 10 * 100 // COSTS.leverage]


def test_nothing_traded_is_an_account_of_zeros() -> None:
    account = an_account()
    assert set(account.parts_e8.values()) == {0}


def test_spans_played_apart_add_up() -> None:
    one = an_account(some_trades(6.0, 1), wandering(6.0, 1), 6.0)
    two = an_account(some_trades(6.0, 2), wandering(6.0, 2), 6.0)
    both = chained([one, two])
    for part in ("net", "spread", "inventory", "fees", "funding"):
        assert both.parts_e8[part] == one.parts_e8[part] + two.parts_e8[part]
    assert both.length_ns == 12 * HOUR * NS
    assert both.counts["actions"] == 20
    assert len(both.px_u) == len(one.px_u) + len(two.px_u)
    assert both.equity_e8[len(one.t_ns) - 1] == one.parts_e8["net"]


def test_markouts_keep_their_horizons() -> None:
    mids = [(0.0, 2 * MID), (62.0, 2 * MID + 2 * 930), (600.0, 2 * MID)]
    account = an_account([(10.0, 1, MID, 10)], mids, 1.0)
    assert account.after_bps[0].tolist()[:3] == [0.0, 0.0, 0.0]  # 1, 5, 30 s
    assert account.after_bps[0, 3] == pytest.approx(1.0)  # 60 s: 930 px_u of 9,300,000 are 1 bps
