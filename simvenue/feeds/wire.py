"""The venue's JSON: field names, number texts and shapes of what the core says (hyperliquid.md 3-5, real captures).

Prices, sizes and money are decimal texts with at least one decimal and no other trailing zero ("77562.0", "752.44"),
rates have up to 10 decimals, times are unix ms, addresses lower case. Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from simvenue.events import (
    BUY,
    Bbo,
    Book,
    Context,
    Deposit,
    Error,
    Filled,
    LedgerUpdate,
    Liquidated,
    OrderEvent,
    Reply,
    Resting,
    Status,
    Success,
    Trade,
    UserFill,
    UserFunding,
)
from simvenue.feeds.candles import Candle

if TYPE_CHECKING:
    from simvenue.exchange import OpenOrder, OrderState

Json = Any

_MS = 1_000_000
_TID_HASH_DIGITS = 64


# ---------------------------------------------------------------------- numbers
def decimal(units: int, decimals: int) -> str:
    """`decimal(752440, 3) == "752.44"`, `decimal(77562, 0) == "77562.0"`."""
    magnitude = str(abs(units)).rjust(decimals + 1, "0")
    whole, fraction = (magnitude[:-decimals], magnitude[-decimals:]) if decimals else (magnitude, "")
    sign = "-" if units < 0 else ""
    return f"{sign}{whole}.{fraction.rstrip('0') or '0'}"


def money(e8: int) -> str:
    return decimal(e8, 8)


def rate(value: float) -> str:
    """A rate or ratio with at most 10 decimals."""
    return decimal(round(value * 10**10), 10)


def ms(t_ns: int) -> int:
    return t_ns // _MS


def side(sign: int) -> str:
    return "B" if sign == BUY else "A"


def tx_hash(tid: int) -> str:
    """The transaction a print belongs to: one hash for the trade and both its fills."""
    return f"0x{tid:0{_TID_HASH_DIGITS}x}"


class Wire:
    """Shapes for one venue; `sz_decimals` by coin is all it needs to know of a market."""

    def __init__(self, sz_decimals: Mapping[str, int]) -> None:
        self._sz_decimals = dict(sz_decimals)

    def px(self, coin: str, px_u: int) -> str:
        return decimal(px_u, 6 - self._sz_decimals[coin])

    def sz(self, coin: str, sz_u: int) -> str:
        return decimal(sz_u, self._sz_decimals[coin])

    def mid(self, coin: str, mid2_px_u: int) -> str:
        """`mid2_px_u` is bid + ask, so the mid may lie between two price units."""
        return decimal(mid2_px_u * 5, 7 - self._sz_decimals[coin])

    # ------------------------------------------------------------------ replies
    def reply(self, action: str, coins: Sequence[str], reply: Reply) -> Json:
        """The body of an /exchange answer; `coins[i]` is the market of the action's entry i."""
        if reply.error is not None:
            return refusal(reply.error)
        if action in ("order", "batchModify"):
            together = len(reply.statuses) == len(coins)  # else one refusal stands for the whole batch
            statuses = [self._status(s, c) for s, c in zip(reply.statuses, coins, strict=together)]
            return {"status": "ok", "response": {"type": "order", "data": {"statuses": statuses}}}
        if action in ("cancel", "cancelByCloid"):
            statuses = [self._status(s, c) for s, c in zip(reply.statuses, coins, strict=True)]
            return {"status": "ok", "response": {"type": "cancel", "data": {"statuses": statuses}}}
        failed = next((s.text for s in reply.statuses if isinstance(s, Error)), None)
        return DEFAULT_OK if failed is None else refusal(failed)

    def _status(self, status: Status, coin: str) -> Json:
        match status:
            case Resting():
                return {"resting": _with_cloid({"oid": status.oid}, status.cloid)}
            case Filled():
                filled = {"totalSz": self.sz(coin, status.total_sz_u), "avgPx": status.avg_px, "oid": status.oid}
                return {"filled": _with_cloid(filled, status.cloid)}
            case Success():
                return "success"
            case Error():
                return {"error": status.text}

    # ------------------------------------------------------------------ market data
    def levels(self, coin: str, levels: Iterable[tuple[int, int, int]]) -> list[Json]:
        return [self._level(coin, level) for level in levels]

    def _level(self, coin: str, level: tuple[int, int, int]) -> Json:
        return {"px": self.px(coin, level[0]), "sz": self.sz(coin, level[1]), "n": level[2]}

    def book(self, book: Book) -> Json:
        levels = [self.levels(book.coin, book.bids), self.levels(book.coin, book.asks)]
        data: Json = {"coin": book.coin, "time": ms(book.t_ns), "levels": levels}
        if book.fast:
            data["fast"] = True
        return data

    def bbo(self, bbo: Bbo) -> Json:
        touch = [None if level is None else self._level(bbo.coin, level) for level in (bbo.bid, bbo.ask)]
        return {"coin": bbo.coin, "time": ms(bbo.t_ns), "bbo": touch}

    def trade(self, trade: Trade) -> Json:
        return {
            "coin": trade.coin, "side": side(trade.side), "px": self.px(trade.coin, trade.px_u),
            "sz": self.sz(trade.coin, trade.sz_u), "time": ms(trade.t_ns),
            "hash": trade.hash or tx_hash(trade.tid), "tid": trade.tid, "users": [trade.buyer, trade.seller],
        }  # fmt: skip

    def candle(self, coin: str, interval: str, candle: Candle) -> Json:
        prices = {
            "o": candle.open_px_u, "c": candle.close_px_u, "h": candle.high_px_u, "l": candle.low_px_u,
        }  # fmt: skip
        return {
            "t": candle.open_ms, "T": candle.close_ms - 1, "s": coin, "i": interval,
            **{name: self.px(coin, px_u) for name, px_u in prices.items()},
            "v": self.sz(coin, candle.volume_u), "n": candle.prints,
        }  # fmt: skip

    def context(self, context: Context, impact: tuple[int, int] | None, prev_day_px_u: int) -> Json:
        """`impact` is the (bid, ask) an impact notional trades at; without a two-sided book it and the mid are null."""
        coin, mid2 = context.coin, context.mid2_px_u
        return {
            "funding": rate(context.funding_rate_1h),
            "openInterest": self.sz(coin, context.open_interest_u),
            "prevDayPx": self.px(coin, prev_day_px_u),
            "dayNtlVlm": decimal(context.day_ntl_e6, 6),
            "premium": None if context.premium is None else rate(context.premium),
            "oraclePx": self.px(coin, context.oracle_px_u),
            "markPx": self.px(coin, context.mark_px_u),
            "midPx": None if mid2 is None else self.mid(coin, mid2),
            "impactPxs": None if impact is None or mid2 is None else [self.px(coin, px_u) for px_u in impact],
            "dayBaseVlm": self.sz(coin, context.day_ntl_e6 // max(context.mark_px_u, 1)),
        }

    # ------------------------------------------------------------------ accounts
    def order(self, order: OpenOrder) -> Json:
        """An order as `openOrders` lists it."""
        return _with_cloid(self._order(order), order.cloid)

    def frontend_order(self, order: OpenOrder) -> Json:
        """An order as `frontendOpenOrders`, `orderStatus` and `historicalOrders` show it."""
        return {
            **self._order(order), "cloid": order.cloid, "reduceOnly": order.reduce_only, "tif": order.tif,
            "orderType": "Limit", "isTrigger": False, "triggerPx": "0.0", "triggerCondition": "N/A",
            "isPositionTpsl": False, "children": [],
        }  # fmt: skip

    def _order(self, order: OpenOrder | OrderEvent) -> dict[str, Json]:
        return {
            "coin": order.coin, "side": side(order.side), "limitPx": self.px(order.coin, order.px_u),
            "sz": self.sz(order.coin, order.sz_u), "oid": order.oid, "timestamp": ms(order.placed_t_ns),
            "origSz": self.sz(order.coin, order.orig_sz_u),
        }  # fmt: skip

    def order_state(self, state: OrderState) -> Json:
        order = self.frontend_order(state.order)
        return {"order": order, "status": state.status, "statusTimestamp": ms(state.status_t_ns)}

    def order_update(self, event: OrderEvent) -> Json:
        order = _with_cloid(self._order(event), event.cloid)
        return {"order": order, "status": event.status, "statusTimestamp": ms(event.t_ns)}

    def fill(self, fill: UserFill) -> Json:
        body = {
            "coin": fill.coin, "px": self.px(fill.coin, fill.px_u), "sz": self.sz(fill.coin, fill.sz_u),
            "side": side(fill.side), "time": ms(fill.t_ns), "startPosition": self.sz(fill.coin, fill.start_position_u),
            "dir": fill.direction, "closedPnl": money(fill.closed_pnl_e8), "hash": tx_hash(fill.tid), "oid": fill.oid,
            "crossed": fill.crossed, "fee": money(fill.fee_e8), "tid": fill.tid,
        }  # fmt: skip
        body = _with_cloid(body, fill.cloid)
        if fill.liquidation is not None:
            forced = fill.liquidation
            body["liquidation"] = {
                "liquidatedUser": forced.address, "markPx": self.px(fill.coin, forced.mark_px_u),
                "method": forced.method,
            }  # fmt: skip
        return {**body, "feeToken": fill.fee_token, "twapId": None}

    def funding(self, payment: UserFunding) -> Json:
        return {
            "time": ms(payment.t_ns), "coin": payment.coin, "usdc": money(payment.usd_e8),
            "szi": self.sz(payment.coin, payment.position_u), "fundingRate": rate(payment.rate_1h), "nSamples": None,
        }  # fmt: skip

    def ledger_update(self, update: LedgerUpdate) -> Json:
        """A row of `userNonFundingLedgerUpdates`, the same over REST and socket."""
        return {"time": ms(update.t_ns), "hash": tx_hash(0), "delta": self._delta(update)}

    def _delta(self, update: LedgerUpdate) -> Json:
        match update:
            case Deposit() if update.usd_e8 >= 0:
                return {"type": "deposit", "usdc": money(update.usd_e8)}
            case Deposit():
                return {"type": "withdraw", "usdc": money(-update.usd_e8), "nonce": ms(update.t_ns), "fee": "0.0"}
            case Liquidated():
                return {
                    "type": "liquidation", "liquidatedNtlPos": decimal(update.notional_e6, 6),
                    "accountValue": money(update.equity_e8), "leverageType": "Cross" if update.is_cross else "Isolated",
                    "liquidatedPositions": [
                        {"coin": coin, "szi": self.sz(coin, szi_u)} for coin, szi_u in update.positions
                    ],
                }  # fmt: skip

    def liquidation(self, update: Liquidated, liquidator: str) -> Json:
        """What `userEvents` says of it; the number is the time, for want of the venue's."""
        return {
            "lid": ms(update.t_ns), "liquidator": liquidator, "liquidated_user": update.address,
            "liquidated_ntl_pos": decimal(update.notional_e6, 6), "liquidated_account_value": money(update.equity_e8),
        }  # fmt: skip


DEFAULT_OK: Json = {"status": "ok", "response": {"type": "default"}}


def refusal(text: str) -> Json:
    return {"status": "err", "response": text}


def status_refusal(text: str) -> Json:
    """One status for a whole batch that was refused before any order was looked at."""
    return {"status": "ok", "response": {"type": "order", "data": {"statuses": [{"error": text}]}}}


def _with_cloid(body: dict[str, Json], cloid: str | None) -> dict[str, Json]:
    return body if cloid is None else {**body, "cloid": cloid}
