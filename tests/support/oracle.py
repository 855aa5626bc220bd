"""The same strategy on the same rows in hftbacktest and in our replay, every difference of ours switched to theirs.

`python -m tests.support.oracle made SEED STAMPS [AWKWARD ...]` or `... file PATH SZ_DECIMALS TICK ORDER_SIZE` prints
one JSON object: a comparison each, of (fills, position in orders, balance and fee to the cent) at the end, at how
many decisions the two accounts were apart, and what else happened. Needs compiled kernels and hftbacktest.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numba
import numpy as np
from hftbacktest import GTX, LIMIT, BacktestAsset, ROIVectorMarketDepthBacktest
from hftbacktest.types import event_dtype

from backtest import quoters
from backtest.loop.layout import FILL_PX, FILL_SLOT, FILL_SZ, FILL_T
from backtest.loop.reference import SEEN_TICKS, new_reference, tiers
from backtest.loop.rows import LOCAL_FLAG, tape_of_rows
from backtest.playing import Played, Terms, play
from backtest.quoters import Stall
from backtest.tape import Tape
from quoter.state import O_LEN, O_ROWS, O_SIDE, QUOTES_MAX
from simvenue.book.queue_model import PROBABILISTIC, RISK_AVERSE
from simvenue.recorded.recording import BUY_FLAG, DEPTH, EXCH_FLAG, SELL_FLAG
from tests.support.oracle_streams import BUY, LEVEL, MS, made
from tests.unit.quoter.builders import settings

MAKER, TAKER = 0.00015, 0.00045
ORDER_MS = 50
POWER = 3.0
MODELS = {"risk-averse": RISK_AVERSE, "probabilistic": PROBABILISTIC}
ASKS = 1 << 40
"""Added to the tick in their order numbers of asks."""
T0_NS = 1_767_657_600 * 10**9
NO_TRAIL = np.zeros((0, 4), np.int64)
"""Nothing of their way is written down."""


@numba.njit  # type: ignore[untyped-decorator]
def strategy(hbt: Any, step_ns: int, rules: Any, lot: float, size: float, px_per_tick: int, trail: Any) -> int:
    """Their loop: the same ladder, an order number a price; returns how many decisions.

    `trail`, while it has rows, gets (time ns, fills, position in lots, cash in cents) as known at each step.
    """
    out: Any = np.zeros(O_LEN, np.int64)
    want = np.zeros(2 * QUOTES_MAX, np.int64)
    decisions = 0
    step = 0
    while hbt.elapse(step_ns) == 0:
        if step < len(trail):
            account = hbt.state_values(0)
            trail[step, 0] = hbt.current_timestamp
            trail[step, 1] = account.num_trades
            trail[step, 2] = np.int64(np.rint(account.position / lot))
            trail[step, 3] = np.int64(np.rint(account.balance * 100))
            step += 1
        hbt.clear_inactive_orders(0)
        depth = hbt.depth(0)
        bid, ask = depth.best_bid_tick, depth.best_ask_tick
        if bid <= 0 or ask <= 0 or ask > ASKS:
            continue
        near_bid: Any = 0
        near_ask: Any = 0
        for k in range(SEEN_TICKS):
            near_bid += np.int64(np.rint(depth.bid_qty_at_tick(bid - k) / lot))
            near_ask += np.int64(np.rint(depth.ask_qty_at_tick(ask + k) / lot))
        held: Any = np.int64(np.rint(hbt.position(0) / size))
        tiers(rules, bid, ask, near_bid, near_ask, held, out)
        decisions += 1
        n = 0
        for side in range(2):
            for k in range(out[side]):
                want[n] = out[O_ROWS + side * O_SIDE + 2 * k] // px_per_tick + side * ASKS
                n += 1
        orders = hbt.orders(0)
        known = orders.values()
        while known.has_next():
            order = known.get()
            if order.cancellable and not np.any(want[:n] == np.int64(order.order_id)):
                hbt.cancel(0, order.order_id, False)
        for k in range(n):
            if np.uint64(want[k]) in orders:
                continue
            if want[k] < ASKS:
                hbt.submit_buy_order(0, want[k], want[k] * depth.tick_size, size, GTX, LIMIT, False)
            else:
                hbt.submit_sell_order(0, want[k], (want[k] - ASKS) * depth.tick_size, size, GTX, LIMIT, False)
    return decisions


class Case:
    """One stream on one grid, for both."""

    def __init__(self, name: str, events: Any, sz_decimals: int, tick: float, size: float) -> None:
        self.name, self.sz_decimals, self.tick, self.size = name, sz_decimals, tick, size
        self.events = events  # kept: their engine only points at it
        self.lot = 10.0**-sz_decimals
        self.tick_u = round(tick * 10 ** (6 - sz_decimals))
        self.size_u = round(size / self.lot)
        self.rules = new_reference(self.tick_u, self.size_u)
        self.tape: Tape = tape_of_rows(name, events, sz_decimals)

    def theirs(self, model: str, step_ms: int, trail: Any = NO_TRAIL) -> tuple[list[float], float]:
        """(fills, position, balance, fee) and CPU seconds."""
        low, high = float(self.events["px"].min()), float(self.events["px"].max())
        asset = (
            BacktestAsset().data(self.events).linear_asset(1.0).no_partial_fill_exchange()
            .constant_order_latency(ORDER_MS * MS, ORDER_MS * MS)
            .trading_value_fee_model(MAKER, TAKER).tick_size(self.tick).lot_size(self.lot).last_trades_capacity(0)
            .roi_lb(low * 0.99).roi_ub(high * 1.01)
        )  # fmt: skip
        asset = asset.risk_adverse_queue_model() if model == "risk-averse" else asset.power_prob_queue_model(POWER)
        hbt = ROIVectorMarketDepthBacktest([asset])
        begin = time.process_time()
        strategy(hbt, step_ms * MS, self.rules, self.lot, self.size, self.tick_u, trail)
        seconds = time.process_time() - begin
        found = hbt.state_values(0)
        result = [
            int(found.num_trades), round(found.position / self.size), round(found.balance, 2), round(found.fee, 2)
        ]  # fmt: skip
        hbt.close()
        return result, seconds

    def ours(self, model: str, step_ms: int) -> tuple[list[float], float, Played]:
        stall = Stall(settings("standx"), MAKER * 1e4, self.tick_u, False)
        stamps = self.tape.stamp_ns
        terms = Terms(
            int(stamps[0]), int(stamps[-1]), 0.0, ORDER_MS, MODELS[model], POWER, reply_ms=ORDER_MS,
            is_market_first=True, is_whole=True, meets_own=False, hides_crossed=True, keeps_mids=False,
        )  # fmt: skip
        begin = time.process_time()
        played = play(self.tape, quoters.reference(stall, self.size_u, step_ms), terms)
        seconds = time.process_time() - begin
        side = np.where(played.fills[:, FILL_SLOT] < QUOTES_MAX, 1, -1)
        sz_u, money = played.fills[:, FILL_SZ], played.fills[:, FILL_PX] * played.fills[:, FILL_SZ]
        result = [
            len(side), round(float((side * sz_u).sum()) / self.size_u), round(-float((side * money).sum()) * 1e-6, 2),
            round(float(money.sum()) * 1e-6 * MAKER, 2),
        ]  # fmt: skip
        return result, seconds, played

    def compared(self, step_ms: int = 500) -> dict[str, Any]:
        found = {}
        for model in MODELS:
            steps = int(self.events["local_ts"].max() - self.events["local_ts"].min()) // (step_ms * MS) + 2
            trail = np.zeros((steps, NO_TRAIL.shape[1]), np.int64)
            theirs, _ = self.theirs(model, step_ms, trail)
            ours, _, played = self.ours(model, step_ms)
            steps, apart, held = self.beside(trail[trail[:, 0] > 0], played.fills)
            found[model] = {
                "theirs": theirs, "ours": ours, "refused": played.refused, "lost": played.lost,
                "cancelled": played.cancelled, "steps": steps, "apart": apart, "held": held,
            }  # fmt: skip
        return found

    def beside(self, trail: Any, fills: Any) -> tuple[int, int, float]:
        """Steps of their trail, at how many of them our account is another, and the most orders held at one."""
        sz_u = np.where(fills[:, FILL_SLOT] < QUOTES_MAX, 1, -1) * fills[:, FILL_SZ]
        heard = np.searchsorted(fills[:, FILL_T] + ORDER_MS * MS, trail[:, 0], "right")
        position, money = (np.append(0, np.cumsum(each))[heard] for each in (sz_u, -sz_u * fills[:, FILL_PX]))
        ours = np.stack([heard, position, np.rint(money * 1e-4).astype(np.int64)], axis=1)
        apart = int(np.any(ours != trail[:, 1:], axis=1).sum())
        return len(trail), apart, float(np.abs(position).max()) / self.size_u


def made_case(seed: int, stamps: int, awkward: str) -> Case:
    """A made-up stream as event rows, received some 60 ms after their stamps."""
    stream = made(seed, stamps, awkward)
    rng = np.random.default_rng(seed)
    count = sum(len(rows) for _, rows in stream)
    events = np.zeros(count, event_dtype)
    k, local_ns = 0, 0
    for t_ms, rows in stream:
        stamp_ns = T0_NS + round(t_ms * 1e6)
        local_ns = max(local_ns + 1, stamp_ns + int(np.exp(rng.normal() * 0.25) * 60e6))
        for kind, side, tick, lots in rows:
            flags = EXCH_FLAG | LOCAL_FLAG | (BUY_FLAG if side == BUY else SELL_FLAG)
            events[k] = (
                flags | (DEPTH if kind == LEVEL else kind),
                stamp_ns,
                local_ns,
                tick * 0.1,
                lots * 1e-3,
                0,
                0,
                0,
            )
            k += 1
    return Case(awkward or "calm", events, 3, 0.1, 1.0)


def file_case(path: str, sz_decimals: int, tick: float, size: float) -> Case:
    """A recorded file, its prices as their engine reads them from its grid."""
    events = np.load(path)["data"].view(event_dtype)
    events["px"] = np.round(events["px"] / tick) * tick
    return Case(path.rsplit("/", 1)[-1], events, sz_decimals, tick, size)


def main(told: list[str]) -> int:
    if told[0] == "made":
        seed, stamps = int(told[1]), int(told[2])
        found = {name or "calm": made_case(seed, stamps, name).compared() for name in told[3:]}
    else:
        path, decimals, tick, size = told[1:]
        case = file_case(path, int(decimals), float(tick), float(size))
        found = {case.name: case.compared()}
    sys.stdout.write(json.dumps(found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
