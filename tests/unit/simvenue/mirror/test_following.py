"""A market that follows another venue: order of events, gaps, our orders among them, and when a link is given up."""

from __future__ import annotations

import json
from typing import Any

from common.recorded import BookRow, TouchRow, TradeRow
from simvenue.book.matching import GAP
from simvenue.events import Bbo, Book, Context, PlaceOrders, Trade
from simvenue.exchange import Exchange
from simvenue.mirror.following import ACK_S, DATA_S, PING_S, Mirror
from simvenue.mirror.market import FOREVER_NS, MirrorMarket
from simvenue.mirror.venue_time import HOLD_S, VenueTime
from simvenue.source import ASK_LEVEL, BID_LEVEL, BUY_PRINT, SELL_PRINT, Told
from tests.unit.simvenue.tape import ANN, MS, STANDX, T0, Desk, S

COIN = STANDX.coin
TOLD = Told(9_000_050, 9_000_040, 1e-5, 0.0)
NOWHERE = (0, 0, "mirror", 0)


def a_book(ms: int, *, bid: int = 9_000_000, ask: int = 9_000_100, fast: bool = True, sz: int = 1_000) -> BookRow:
    depth = 5 if fast else 20
    sides = (tuple((px - side * k * 100, sz, 2) for k in range(depth)) for side, px in ((1, bid), (-1, ask)))
    return BookRow(*NOWHERE, T0 + ms * MS, fast, *sides)


def a_touch(ms: int, bid: int, ask: int, sz: int = 700) -> TouchRow:
    return TouchRow(*NOWHERE, T0 + ms * MS, (bid, sz, 1), (ask, sz, 1))


def a_print(ms: int, px: int, sz: int, side: int = -1, tid: int = 1) -> TradeRow:
    return TradeRow(*NOWHERE, T0 + ms * MS, side, px, sz, tid, f"0x{tid}", "0xb", "0xs")


def a_market(begin: bool = True) -> MirrorMarket:
    """Open at T0 with a fast book of T0 - 50 ms, five levels a side."""
    market = MirrorMarket(COIN, STANDX.sz_decimals)
    market.hear(a_book(-50), 0)
    market.hear_prices(TOLD, 0)
    if begin:
        market.begin(T0)
    return market


def stamps(market: MirrorMarket) -> list[tuple[int, list[tuple[int, int, int]]]]:
    """Everything due, as (ms after T0, rows)."""
    found = []
    while (t_ns := market.next_t_ns()) != FOREVER_NS:
        rows = market.take()
        found.append(((t_ns - T0) // MS, list(zip(rows.what, rows.px_u, rows.sz_u, strict=True))))
    return found


def played(market: MirrorMarket) -> MirrorMarket:
    stamps(market)
    return market


# ---------------------------------------------------------------------- order of events
def test_market_opens_with_all_that_is_known_and_one_stamp() -> None:
    market = a_market(begin=False)
    assert market.is_complete
    market.hear(a_touch(-20, 9_000_010, 9_000_100), 0)
    market.hear_prints([a_print(-10, 9_000_000, 5)], 0)
    market.begin(T0)
    ((ms, rows),) = stamps(market)
    assert ms == 0
    assert (BID_LEVEL, 9_000_010, 700) in rows
    assert not any(what in (BUY_PRINT, SELL_PRINT) for what, *_ in rows)
    assert market.told == TOLD
    assert not market.is_blind
    assert set(market.spoken) == {"fast", "context"}


def test_messages_of_one_instant_are_one_change_whatever_their_order() -> None:
    market = played(a_market())
    market.hear(a_touch(30, 8_999_900, 9_000_100), T0)
    market.hear_prints([a_print(30, 9_000_000, 1_000)], T0)
    ((ms, rows),) = stamps(market)
    assert ms == 30
    assert (SELL_PRINT, 9_000_000, 1_000) in rows
    assert (BID_LEVEL, 9_000_000, 0) in rows
    assert [p.tid for p in market.prints] == [1]


def test_messages_happen_in_venue_time_though_heard_out_of_order() -> None:
    market = played(a_market())
    market.hear(a_touch(60, 9_000_000, 9_000_100), T0)
    market.hear_prints([a_print(40, 9_000_000, 1)], T0)
    market.hear(a_touch(50, 9_000_010, 9_000_100), T0)
    assert [ms for ms, _ in stamps(market)] == [40, 50, 60]
    assert (market.late, market.outdated) == (0, 0)


def test_late_print_happens_at_once_and_late_book_not_at_all() -> None:
    market = played(a_market())
    market.hear(a_touch(60, 9_000_020, 9_000_100), T0)
    stamps(market)
    now = T0 + 200 * MS
    market.hear_prints([a_print(55, 9_000_000, 1)], now)
    market.hear(a_touch(50, 9_000_010, 9_000_100), now)
    found = stamps(market)
    assert found == [(200, [(SELL_PRINT, 9_000_000, 1)])]
    assert (market.late, market.outdated) == (2, 1)


def test_history_and_repetitions_of_prints_are_not_played() -> None:
    market = played(a_market())
    market.hear_prints([a_print(-60, 9_000_000, 1, tid=1), a_print(10, 9_000_000, 1, tid=2)], T0)
    market.hear_prints([a_print(10, 9_000_000, 1, tid=2), a_print(10, 9_000_000, 1, tid=3)], T0)
    ((_, rows),) = stamps(market)
    assert len(rows) == 2


def test_mirrored_venues_own_snapshots_are_said_with_their_stamps() -> None:
    market = played(a_market())
    market.hear(a_book(500, sz=900), T0)
    market.take()
    assert market.spoken == ("fast",)
    assert market.order_counts[1][9_000_000] == 2


# ---------------------------------------------------------------------- gaps
def test_gap_forgets_all_levels_until_a_whole_book_comes() -> None:
    market = played(a_market())
    market.lose(T0 + 100 * MS)
    assert market.is_blind
    market.hear(a_touch(150, 9_000_500, 9_000_600), T0 + 150 * MS)
    market.hear_prints([a_print(150, 9_000_500, 1)], T0 + 150 * MS)
    assert stamps(market) == [(100, [(GAP, 0, 0)])]
    assert market.is_blind
    market.hear(a_book(300, bid=9_000_500, ask=9_000_600), T0 + 300 * MS)
    ((ms, rows),) = stamps(market)
    assert ms == 300
    assert rows[0] == (GAP, 0, 0)
    assert {what for what, *_ in rows[1:]} == {BID_LEVEL, ASK_LEVEL}
    assert not market.is_blind
    (gap,) = market.gaps
    assert (gap.from_t_ns, gap.to_t_ns, gap.prints_missed) == (T0 + 100 * MS, T0 + 300 * MS, 1)


def test_history_after_a_gap_counts_what_was_missed_and_plays_nothing() -> None:
    market = played(a_market())
    market.lose(T0 + 100 * MS)
    market.hear(a_book(300), T0 + 300 * MS)
    market.hear_prints([a_print(ms, 9_000_000, 1, tid=ms) for ms in (50, 150, 250, 350)], T0 + 310 * MS)
    played_prints = [row for _, rows in stamps(market) for row in rows if row[0] == SELL_PRINT]
    assert len(played_prints) == 1
    assert market.gaps[0].prints_missed == 2


def test_what_was_heard_before_the_loss_still_happens_before_it() -> None:
    market = played(a_market())
    market.hear(a_touch(120, 9_000_010, 9_000_100), T0 + 90 * MS)
    market.lose(T0 + 100 * MS)
    ((ms, rows),) = stamps(market)
    assert (ms, rows) == (120, [(GAP, 0, 0)])


def test_lost_twice_is_one_gap() -> None:
    market = played(a_market())
    market.lose(T0 + 100 * MS)
    market.lose(T0 + 200 * MS)
    assert len(market.gaps) == 1


# ---------------------------------------------------------------------- our orders in it
class MirrorDesk(Desk):
    """A hand at an exchange that follows a mirrored market."""

    def __init__(self) -> None:
        super().__init__()
        self.mirrored = a_market()
        self.exchange = Exchange([(STANDX, self.mirrored)], origin_ns=T0, latency=self.exchange.latency)
        self.exchange.fund(ANN, 1_000_000)
        self.outputs = self.exchange.advance(T0)

    def hear(self, row: BookRow | TouchRow) -> None:
        self.mirrored.hear(row, T0 + int(self.now_ms * MS))

    def trade(self, ms: int, px: int, sz: int, tid: int) -> None:
        self.mirrored.hear_prints([a_print(ms, px, sz, tid=tid)], T0 + int(self.now_ms * MS))

    @property
    def position_u(self) -> int:
        return self.exchange.account(ANN).positions_u.get(COIN, 0)


def test_own_order_queues_behind_the_mirrored_size_and_fills_by_mirrored_prints() -> None:
    desk = MirrorDesk()
    desk.place(1, "90000", "0.05")
    desk.trade(10, 9_000_000, 900, tid=1)
    desk.until(20)
    assert desk.position_u == 0
    desk.trade(30, 9_000_000, 300, tid=2)
    desk.until(40)
    assert desk.position_u == 200
    desk.trade(50, 8_999_900, 1_000, tid=3)
    desk.until(60)
    assert desk.position_u == 500
    assert desk.fills()[0].crossed is False


def test_own_order_is_in_the_published_book() -> None:
    desk = MirrorDesk()
    desk.place(1, "90000", "0.05")
    desk.hear(a_book(100))
    book = [o for o in desk.until(150) if isinstance(o, Book)][-1]
    assert book.t_ns == T0 + 100 * MS
    assert book.bids[:2] == ((9_000_000, 1_500, 3), (8_999_900, 1_000, 2))


def test_mirrored_prints_keep_their_identity() -> None:
    desk = MirrorDesk()
    desk.trade(10, 9_000_000, 900, tid=77)
    (trade,) = [o for o in desk.until(20) if isinstance(o, Trade)]
    assert (trade.tid, trade.t_ns) == (77, T0 + 10 * MS)


def test_taker_finds_nothing_in_a_gap_and_orders_lose_their_place() -> None:
    desk = MirrorDesk()
    desk.place(1, "90000", "0.05")
    desk.trade(5, 9_000_000, 1_000, tid=1)
    desk.until(10)
    desk.mirrored.lose(T0 + 10 * MS)
    desk.until(20)
    assert "could not immediately match" in getattr(desk.place(1, "91000", "0.01", "Ioc"), "text", "")
    desk.hear(a_book(30))
    desk.until(40)
    desk.trade(50, 9_000_000, 1_000, tid=2)
    desk.until(60)
    assert desk.position_u == 0  # behind all that is shown again
    desk.trade(70, 9_000_000, 1_200, tid=3)
    desk.until(80)
    assert desk.position_u > 0


def test_order_that_the_market_passed_in_a_gap_is_filled_at_its_own_price() -> None:
    desk = MirrorDesk()
    desk.place(1, "90000", "0.05")
    desk.mirrored.lose(T0 + 10 * MS)
    desk.until(20)
    desk.hear(a_book(30, bid=8_990_000, ask=8_990_100))
    desk.until(40)
    (fill,) = desk.fills()
    assert (fill.px_u, fill.sz_u) == (9_000_000, 500)


def test_mirrored_oracle_and_mark_are_taken_as_they_are() -> None:
    desk = MirrorDesk()
    desk.mirrored.hear_prices(Told(9_100_000, 9_050_000, 2e-5, 0.001, {"markPx": "90500.0"}), T0 + 10 * MS)
    (context,) = [o for o in desk.until(20) if isinstance(o, Context)]
    assert (context.oracle_px_u, context.mark_px_u) == (9_100_000, 9_050_000)


def test_source_never_runs_out() -> None:
    desk = MirrorDesk()
    desk.until(60_000)
    assert not desk.exchange.ended


def test_requests_of_a_long_silence_are_still_served() -> None:
    desk = MirrorDesk()
    desk.until(10_000)
    order = desk.place(1, "89000", "0.05")
    assert hasattr(order, "oid")
    desk.exchange.submit(T0 + 11_000 * MS, 99, PlaceOrders(ANN, (desk.spec(1, "89000", "0.01"),)))
    assert desk.until(12_000)


# ---------------------------------------------------------------------- the link
def a_mirror(*coins: str) -> Mirror:
    return Mirror("http://venue", [MirrorMarket(coin, 4) for coin in coins or (COIN,)], VenueTime(1.0))


def told(topic: dict[str, Any]) -> str:
    return json.dumps({"channel": "subscriptionResponse", "data": {"method": "subscribe", "subscription": topic}})


def book_frame(ms: int, coin: str = COIN) -> str:
    levels = [[{"px": "90000.0", "sz": "1.0", "n": 1}], [{"px": "90001.0", "sz": "1.0", "n": 1}]]
    return json.dumps({"channel": "l2Book", "data": {"coin": coin, "time": T0 // MS + ms, "levels": levels}})


def acknowledge(mirror: Mirror, mono_ns: int = 0) -> None:
    for text in mirror.opened(mono_ns):
        mirror.frame(told(json.loads(text)["subscription"]), mono_ns)


def test_every_market_is_asked_for_touch_trades_context_and_both_books() -> None:
    texts = [json.loads(text) for text in a_mirror(COIN, "BTC").opened(0)]
    assert {text["method"] for text in texts} == {"subscribe"}
    asked = [text["subscription"] for text in texts if text["subscription"]["coin"] == "BTC"]
    assert {(one["type"], one.get("fast", False)) for one in asked} == {
        ("bbo", False), ("trades", False), ("activeAssetCtx", False), ("l2Book", False), ("l2Book", True),
    }  # fmt: skip
    assert len(texts) == 10


def test_link_that_acknowledges_and_tells_is_kept() -> None:
    mirror = a_mirror()
    acknowledge(mirror)
    for second in range(60):
        mirror.frame(book_frame(second * 1000), second * S)
        assert mirror.fault(second * S) == ""


def test_link_is_given_up_for_silence_staleness_or_no_answer() -> None:
    unanswered = a_mirror()
    unanswered.opened(0)
    assert unanswered.fault(int(ACK_S * S)) == ""
    assert unanswered.fault(int(ACK_S * S) + 1) == "no_ack"
    stale = a_mirror()
    acknowledge(stale)
    stale.frame('{"channel":"pong"}', int(DATA_S * S))
    assert stale.fault(int(DATA_S * S) + 1) == "stale"


def test_ping_is_due_again_and_again_while_open() -> None:
    mirror = a_mirror()
    assert not mirror.ping_due(0)
    mirror.opened(0)
    due = [second for second in range(60) if mirror.ping_due(second * S)]
    assert due == [PING_S, 2 * PING_S, 3 * PING_S]


def test_refused_frames_are_counted_by_name_and_change_nothing() -> None:
    mirror = a_mirror()
    acknowledge(mirror)
    assert mirror.frame("{", 0) == "not_json"
    assert mirror.frame(b"{}", 0) == "binary"
    assert mirror.frame(book_frame(0, "ETH"), 0) == "wrong_coin"
    assert mirror.frame('{"channel":"error","data":"Invalid subscription"}', 0) == "complaint"
    assert mirror.report()["refused"] == {"not_json": 1, "binary": 1, "wrong_coin": 1, "complaint": 1}
    assert mirror.report()["complaints"] == ["Invalid subscription"]
    assert mirror.is_blind(COIN)


def test_market_time_is_learnt_from_books() -> None:
    mirror = a_mirror()
    acknowledge(mirror)
    mirror.frame(book_frame(0), 5 * S)
    assert mirror.time.at(6 * S) == T0 + S - int(HOLD_S * S)


def test_every_market_is_blind_when_the_link_is_gone() -> None:
    mirror = a_mirror(COIN, "BTC")
    acknowledge(mirror)
    for coin in (COIN, "BTC"):
        mirror.frame(book_frame(0, coin), 0)
        mirror.markets[coin].begin(T0)
        mirror.markets[coin].take()
    assert not mirror.is_blind(COIN)
    mirror.closed(T0 + S)
    assert mirror.is_blind(COIN)
    assert mirror.is_blind("BTC")
    assert not mirror.is_open


def test_touches_of_the_exchange_follow_the_mirrored_one() -> None:
    desk = MirrorDesk()
    desk.hear(a_touch(25, 9_000_020, 9_000_090))
    (bbo,) = [o for o in desk.until(30) if isinstance(o, Bbo)]
    assert (bbo.t_ns, bbo.bid, bbo.ask) == (T0 + 25 * MS, (9_000_020, 700, 1), (9_000_090, 700, 1))
