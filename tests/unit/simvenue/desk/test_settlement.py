"""Halt, delisting and resumption: orders go, positions settle, nothing is made or lost."""

from __future__ import annotations

from simvenue.desk import refusals
from simvenue.events import BUY, SELL, Error, Filled, OrderEvent, Resting
from tests.unit.simvenue.floor import BTC, USD, Floor, a_thick_book
from tests.unit.simvenue.tape import ANN, BOB, STANDX, is_zero

COIN = STANDX.coin
PX = 9_000_000


def traded() -> Floor:
    """ANN long 0.5, BOB short 0.2, both with an order that rests."""
    floor = Floor((STANDX, PX, 100))
    floor.trade(BUY, COIN, "90010", "0.5")
    floor.trade(SELL, COIN, "89990", "0.2", who=BOB)
    floor.trade(BUY, COIN, "89000", "0.1", "Alo")
    floor.trade(SELL, COIN, "91000", "0.1", "Alo", who=BOB)
    return floor


def test_a_halt_cancels_every_order_and_settles_every_position_at_the_mark_without_a_fee() -> None:
    floor = traded()
    floor.mark(COIN, PX + 10_000)
    values = {who: floor.exchange.equity_e8(who) for who in (ANN, BOB)}
    assert floor.exchange.halt(COIN) == PX + 10_000
    floor.wait(0)
    fills = [floor.exchange.fills(who)[-1] for who in (ANN, BOB)]
    assert [(f.direction, f.px_u, f.sz_u, f.fee_e8) for f in fills] == [
        ("Settlement", PX + 10_000, 5_000, 0), ("Settlement", PX + 10_000, 2_000, 0),
    ]  # fmt: skip
    assert {who: floor.exchange.equity_e8(who) for who in (ANN, BOB)} == values
    assert [o.status for o in floor.of(OrderEvent)][-2:] == ["delistedCanceled", "delistedCanceled"]
    assert floor.exchange.ledger()["house"]["positions_u"] == {COIN: 0}
    assert is_zero(floor.zero()[0])


def test_a_halted_market_shows_nothing_and_refuses_orders() -> None:
    floor = traded()
    floor.exchange.halt(COIN)
    floor.tapes[COIN].add(floor.now_ns, a_thick_book(PX, 100, 10))
    floor.wait(1)
    book = floor.exchange.snapshot(COIN)
    assert (book.bids, book.asks) == ((), ())
    assert floor.exchange.is_halted(COIN)
    assert floor.trade(BUY, COIN, "89000", "0.1", "Alo") == Error(refusals.HALTED.of(STANDX.asset_id))


def test_a_resumed_market_trades_again_from_a_new_book() -> None:
    floor = traded()
    floor.exchange.halt(COIN)
    floor.exchange.resume(COIN)
    floor.tapes[COIN].add(floor.now_ns, a_thick_book(PX, 100, 10_000))
    floor.wait(1)
    assert isinstance(floor.trade(BUY, COIN, "89000", "0.1", "Alo"), Resting)
    assert isinstance(floor.trade(BUY, COIN, "90010", "0.1"), Filled)
    assert floor.exchange.account(ANN).positions_u == {COIN: 1_000}


def test_a_delisted_market_never_resumes() -> None:
    floor = traded()
    floor.exchange.delist(COIN)
    floor.exchange.resume(COIN)
    assert floor.exchange.is_halted(COIN)
    assert floor.exchange.is_delisted(COIN)


def test_the_first_dex_delists_at_the_oracles_mean_of_the_last_hour() -> None:
    floor = Floor((BTC, 900_000, 10), (STANDX, PX, 100), sz_u=1_000_000)
    floor.trade(BUY, "BTC", "90010", "0.1")
    for px in (910_000, 920_000, 930_000):
        floor.mark("BTC", px)
    assert floor.exchange.delist("BTC") == 915_000
    floor.mark(COIN, PX + 50_000)
    assert floor.exchange.delist(COIN) == PX + 50_000  # a builder dex: the mark


def test_what_a_settled_account_owes_beyond_its_money_is_the_houses() -> None:
    floor = Floor((STANDX, PX, 100), usd=5_000)
    floor.trade(BUY, COIN, "90010", "1")
    floor.exchange._by_coin[COIN].prices.follow(PX // 2, PX // 2)  # a mark nobody has been liquidated at yet
    floor.exchange.halt(COIN)
    assert floor.exchange.equity_e8(ANN) < 0
    floor.wait(3)
    assert floor.exchange.equity_e8(ANN) == 0
    assert floor.exchange.equity_e8(BOB) == 5_000 * USD
    assert is_zero(floor.zero()[0])


def test_after_an_upgrade_only_post_only_orders_are_taken_for_a_while() -> None:
    floor = Floor((STANDX, PX, 100))
    floor.exchange.allow_post_only_until(floor.now_ns + 60 * 10**9)
    refused = floor.trade(BUY, COIN, "90010", "0.1")
    assert isinstance(refused, Error)
    assert refused.text.startswith("Only post-only orders allowed immediately after a network upgrade")
    assert isinstance(floor.trade(BUY, COIN, "89000", "0.1", "Alo"), Resting)
    floor.wait(60)
    assert isinstance(floor.trade(BUY, COIN, "90010", "0.1"), Filled)
