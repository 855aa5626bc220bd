"""A recorded day at full speed with traders in it: 24 hours of StandX BTC, and nothing is made or lost.

Six accounts of different size, margin mode and leverage place, cancel and take orders every few seconds; some of them
are liquidated on the way. Every hour each book must sum to zero with the house, and each account's money must be
what its fills, fees and funding say. Runs longer than 10 s: marked `slow`.
"""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from simvenue.events import BUY, SELL, CancelOrders, Liquidated, OrderSpec, PlaceOrders, Reply, Trade, UserFill
from simvenue.exchange import Exchange, Latency
from simvenue.money.accounts import HOUSE
from simvenue.recorded.replay import Replay
from tests.support.shared import shared
from tests.unit.simvenue.tape import MS, STANDX, T0, S, is_zero

HOURS = 24
STEP_NS = 4 * S
COIN, ASSET = STANDX.coin, STANDX.asset_id
TRADERS = {f"0x{n:040x}": usd for n, usd in enumerate((1_000, 2_000, 5_000, 20_000, 100_000, 1_000_000), 1)}
#: These only ever add to one side, until they are liquidated.
GAMBLERS = dict(zip(TRADERS, (BUY, SELL), strict=False))
LATENCY = Latency(feed_ns=50 * MS, order_ns=100 * MS, reply_ns=50 * MS)


class Traders:
    """Random but seeded hands."""

    def __init__(self, exchange: Exchange, seed: int) -> None:
        self._exchange = exchange
        self._rng = Random(seed)
        self._sent = 0

    def act(self, now_ns: int) -> None:
        rng, who = self._rng, self._rng.choice(list(TRADERS))
        book = self._exchange.snapshot(COIN, 1)
        if not book.bids or not book.asks:
            return
        kind = rng.random()
        if kind < 0.1:
            orders = self._exchange.open_orders(who)[:20]
            self._send(now_ns, CancelOrders(who, tuple((ASSET, order.oid) for order in orders)))
        elif kind < 0.13 and who not in GAMBLERS:
            self._exchange.set_leverage(who, COIN, rng.choice([5, 10, 20]), is_cross=rng.random() < 0.5)
        else:
            side = GAMBLERS.get(who) or rng.choice([BUY, SELL])
            touch = book.bids[0][0] if side == BUY else book.asks[0][0]
            if kind < 0.6:
                px, tif = touch - side * rng.randint(0, 20) * 10, "Alo"
            else:
                px, tif = touch + side * rng.randint(1, 30) * 10, rng.choice(["Ioc", "Gtc"])
            sz_u = max(2, int(TRADERS[who] * rng.choice([0.1, 1.0, 8.0]) / (px / 100) * 10_000))
            spec = OrderSpec(ASSET, side > 0, f"{px // 10 / 10:.1f}", f"{sz_u / 10_000:.4f}", rng.random() < 0.1, tif)
            self._send(now_ns, PlaceOrders(who, (spec,)))

    def _send(self, now_ns: int, request: PlaceOrders | CancelOrders) -> None:
        self._sent += 1
        self._exchange.submit(now_ns, self._sent, request)


def check(exchange: Exchange) -> None:
    """Everything the venue says of everybody's money agrees."""
    ledger = exchange.ledger()
    assert is_zero(ledger["zero"])
    accounts = exchange._clearing.accounts
    books = [*accounts.held("USDC"), accounts.house]
    assert sum(exchange._clearing.equity_e8(book) - book.deposits_e8 for book in books) == 0
    for who in TRADERS:
        account, fills = exchange.account(who), exchange.fills(who)
        size = account.positions_u.get(COIN, 0)
        assert size == sum(f.side * f.sz_u for f in fills) == exchange._by_coin[COIN].position_u(who)
        assert account.fees_e8 == sum(f.fee_e8 for f in fills)
        assert account.funding_e8 == sum(p.usd_e8 for p in exchange.fundings(who))
        closed = sum(f.closed_pnl_e8 for f in fills)
        taken = account.deposits_e8 + closed - account.fees_e8 + account.funding_e8
        given = account.cash_e8 + account.entry_ntl_e6.get(COIN, 0) * 100
        if not any(f.liquidation and f.liquidation.method == "backstop" for f in fills):
            assert given == taken  # a backstop also takes the margin
        assert (COIN in account.isolated_e8) == (size != 0 and exchange.is_isolated(who, COIN))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_recorded_day_with_traders_conserves_everything() -> None:
    path = shared("data/events/standx_BTC_2026-01-06.npz")
    source = Replay([path], STANDX.sz_decimals, origin_ns=T0, cut_gaps=False)
    exchange = Exchange([(STANDX, source)], origin_ns=T0, latency=LATENCY)
    for who, usd in TRADERS.items():
        exchange.fund(who, usd)
    traders, seen = Traders(exchange, 4711), Counter[str]()
    taken_u = 0
    for step in range(1, HOURS * 3_600 * S // STEP_NS + 1):
        now_ns = T0 + step * STEP_NS
        for output in exchange.advance(now_ns):
            seen[type(output).__name__] += 1
            if isinstance(output, UserFill):
                seen["maker" if not output.crossed else "taker"] += 1
            elif isinstance(output, Trade) and HOUSE not in (output.buyer, output.seller):
                taken_u += output.sz_u
        traders.act(now_ns)
        if now_ns // (3_600 * S) != (now_ns - STEP_NS) // (3_600 * S):
            check(exchange)
    check(exchange)
    assert exchange.ended or exchange.now_ns == T0 + HOURS * 3_600 * S
    assert len(exchange.funding_history(COIN)) == HOURS
    assert min(seen["maker"], seen["taker"]) > 500
    assert seen[Liquidated.__name__] > 0
    assert seen[Reply.__name__] > 10_000
    assert taken_u > 0  # traders met each other too
