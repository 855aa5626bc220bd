"""A made-up market: a seeded generator of book changes and prints that needs no data and never ends.

An efficient price moves by a little diffusion, rare jumps and the impact of orders; a book is quoted around it with a
short delay, and aggressors trade against that book. Impact is what makes flow informed: after an order the mid follows
it by `Flow.markout_bps` within about 5 s, of which a quarter fades over the next minutes, so quoting the touch without
looking is not a money machine. Touch sizes lean towards where the price is about to go. One seed, one market: the only
source of chance is `random.Random(seed)`. Prices px_u, sizes sz_u, moves in bps.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random
from typing import Any

from common.clock import MS, NS
from simvenue.flows import Flow
from simvenue.rules import tick_u
from simvenue.source import ASK_LEVEL, BID_LEVEL, BUY_PRINT, SELL_PRINT, Rows, rows_of

LOT_USD = 1e-6
"""What px_u x sz_u = 1 is worth."""
YEAR_S = 365 * 86_400
LEVELS = 40
BUY, SELL = 1, -1

PUSH_S = 1.5
"""How fast the price follows an order."""
FADE_S = 60.0
FADE_SHARE = 0.25
IMPACT_POWER = 0.3
"""Impact grows with size to this power (1 = linear)."""
IMPACT_BPS_MAX = 3.0
FLOW_VARIANCE_SHARE = 0.7
"""At most this share of the wanted variance may come from impact; above, impact is scaled down."""

STALE_TICKS = 0.6
"""The quoted mid is left alone while it is this near to the efficient price."""
RESPREAD_CHANCE = 0.1
TOUCH_REFRESH_CHANCE = 0.5
DEEP_REFRESH_CHANCE = 0.05
TOUCH_LOG_SD = 1.1
DEEP_LOG_SD = 0.4
LEAN = 0.6
"""How strongly touch sizes show the move to come: a side's share of the touch is 1 + tanh(this x ticks to come)."""
FORMER_TOUCH_RATIO = 3.0
"""A level this many times larger than is usual at its distance was a touch once: it thins out."""

Stamp = tuple[int, list[tuple[int, int, int]]]


class Synthetic:
    """A `Source` without end."""

    visible = LEVELS
    kept = 4 * LEVELS
    session_offset_ns = 0
    cut_ns = 0
    gaps_cut = 0

    def __init__(
        self,
        flow_name: str,
        flow: Flow,
        sz_decimals: int,
        *,
        px_start: float,
        vol_annual: float,
        seed: int,
        origin_ns: int,
    ) -> None:
        self._name, self._flow, self._seed, self._vol_annual = flow_name, flow, seed, vol_annual
        self._walk = _Walk(flow, px_start * 10 ** (6 - sz_decimals), vol_annual, Random(f"price {seed}"))
        self._quotes = _Quotes(flow, sz_decimals, Random(f"book {seed}"))
        self._orders = _Orders(flow, Random(f"orders {seed}"))
        self._chance = Random(f"times {seed}")
        self._stamps = self._play(origin_ns)
        self._due = next(self._stamps)

    def next_t_ns(self) -> int | None:
        return self._due[0]

    def take(self) -> Rows:
        rows = self._due[1]
        self._due = next(self._stamps)
        return rows_of(rows)

    def describe(self) -> dict[str, Any]:
        """What is asked of the generator; impact as scaled to the wanted volatility."""
        flow = self._flow
        return {
            "market": "synthetic",
            "seed": self._seed,
            "flow": self._name,
            "orders_per_s": round(flow.orders_per_s, 4),
            "order_usd_p50_p90_p99": [round(flow.size_usd(share)) for share in (0.5, 0.9, 0.99)],
            "sign_autocorrelation": flow.sign_autocorrelation,
            "markout_5s_bps": round(self._walk.markout_bps, 3),
            "touch_usd": flow.touch_usd,
            "depth_1bps_usd": flow.depth_1bps_usd,
            "vol_annual": self._vol_annual,
            "jumps_per_h": flow.jumps_per_h,
            "jump_bps": flow.jump_bps,
        }

    def _play(self, t_ns: int) -> Iterator[Stamp]:
        """Stamps for ever: the whole book first, then quote updates and orders as they come."""
        walk, quotes, flow = self._walk, self._quotes, self._flow
        yield t_ns, quotes.update(walk.px, walk.coming_bps)
        rate = flow.orders_per_s + flow.updates_per_s
        while True:
            step_s = self._chance.expovariate(rate)
            t_ns += max(1, round(step_s * NS / MS)) * MS
            walk.move(step_s)
            if self._chance.random() * rate < flow.orders_per_s:
                side, usd = self._orders.next()
                rows = quotes.trade(side, usd)
                walk.push(side, usd)
            else:
                rows = quotes.update(walk.px, walk.coming_bps)
            if rows:
                yield t_ns, rows


class _Walk:
    """The efficient price."""

    def __init__(self, flow: Flow, px: float, vol_annual: float, chance: Random) -> None:
        self.px = px
        self._chance = chance
        self._push_bps = 0.0  # move still to come
        self._fade_bps = 0.0  # move still to be taken back
        self._jumps_per_s = flow.jumps_per_h / 3_600
        self._jump_bps = flow.jump_bps
        variance = (vol_annual * 1e4) ** 2 / YEAR_S  # bps^2 per second
        shares = [(k + 0.5) / 1000 for k in range(1000)]
        powers = [(flow.size_usd(p) / flow.size_usd(0.5)) ** IMPACT_POWER for p in shares]
        mean, square = sum(powers) / 1000, sum(p * p for p in powers) / 1000
        runs = (1 + flow.sign_autocorrelation) / (1 - flow.sign_autocorrelation)
        kept = 1 - FADE_SHARE
        from_flow = flow.orders_per_s * runs * square * (flow.markout_bps * kept / mean) ** 2
        scale = min(1.0, math.sqrt(FLOW_VARIANCE_SHARE * variance / from_flow))
        self.markout_bps = flow.markout_bps * scale
        self._impact_bps = self.markout_bps / mean
        self._size_usd = flow.size_usd(0.5)
        from_jumps = self._jumps_per_s * flow.jump_bps**2
        self._sd_bps = math.sqrt(max(0.05 * variance, variance - from_flow * scale**2 - from_jumps))

    @property
    def coming_bps(self) -> float:
        """The part of the next moves that is already decided."""
        return self._push_bps

    def move(self, step_s: float) -> None:
        pushed = self._push_bps * (1 - math.exp(-step_s / PUSH_S))
        faded = self._fade_bps * (1 - math.exp(-step_s / FADE_S))
        self._push_bps -= pushed
        self._fade_bps -= faded
        bps = pushed - faded + self._sd_bps * math.sqrt(step_s) * self._chance.gauss(0.0, 1.0)
        if self._chance.random() < self._jumps_per_s * step_s:
            bps += self._chance.gauss(0.0, self._jump_bps)
        self.px *= 1 + bps * 1e-4

    def push(self, side: int, usd: float) -> None:
        """An order of this size on this side: the price will follow it."""
        bps = side * min(self._impact_bps * (usd / self._size_usd) ** IMPACT_POWER, IMPACT_BPS_MAX)
        self._push_bps += bps
        self._fade_bps += bps * FADE_SHARE


class _Orders:
    """Side and size of the next aggressor."""

    def __init__(self, flow: Flow, chance: Random) -> None:
        self._flow, self._chance = flow, chance
        self._side = BUY

    def next(self) -> tuple[int, float]:
        if self._chance.random() > (1 + self._flow.sign_autocorrelation) / 2:
            self._side = -self._side
        return self._side, self._flow.size_usd(self._chance.random())


class _Quotes:
    """The quoted book: what it shows, and the rows that change it."""

    def __init__(self, flow: Flow, sz_decimals: int, chance: Random) -> None:
        self._flow, self._chance = flow, chance
        self._sz_decimals = sz_decimals
        self._spread = 0
        self._touch = {BUY: 0, SELL: 0}
        self._levels: dict[int, dict[int, int]] = {BUY: {}, SELL: {}}

    def update(self, px: float, coming_bps: float) -> list[tuple[int, int, int]]:
        """Quote anew around the efficient price; returns the level rows that changed."""
        tick = tick_u(round(px), self._sz_decimals)
        self._place_touch(px, tick)
        mid = (self._touch[BUY] + self._touch[SELL]) / 2
        lean = LEAN * max(-2.0, min(2.0, (px * (1 + coming_bps * 1e-4) - mid) / tick))
        rows: list[tuple[int, int, int]] = []
        for side in (BUY, SELL):
            rows += self._requote(side, tick, px, side * lean)
        return rows

    def trade(self, side: int, usd: float) -> list[tuple[int, int, int]]:
        """An aggressor takes `usd` from the other side: prints, then the levels it changed."""
        levels = self._levels[-side]
        prints: list[tuple[int, int, int]] = []
        changes: list[tuple[int, int, int]] = []
        rest = 0
        for px in sorted(levels, reverse=side == SELL):
            if not prints:
                rest = max(1, round(usd / (px * LOT_USD)))
            taken = min(rest, levels[px])
            prints.append((BUY_PRINT if side == BUY else SELL_PRINT, px, taken))
            changes.append((ASK_LEVEL if side == BUY else BID_LEVEL, px, levels[px] - taken))
            rest -= taken
            if rest == 0:
                break
        for _, px, left in changes:
            if left:
                levels[px] = left
            else:
                del levels[px]
        return prints + changes

    def _place_touch(self, px: float, tick: int) -> None:
        """Move the touch when it is stale, was traded away, or the spread changes."""
        if self._spread == 0 or self._chance.random() < RESPREAD_CHANCE:
            ticks, shares = zip(*self._flow.spread_ticks, strict=True)
            self._spread = self._chance.choices(ticks, shares)[0]
        bid, ask = self._touch[BUY], self._touch[SELL]
        stale = abs((bid + ask) / 2 - px) > (STALE_TICKS + 0.5 * (self._spread % 2)) * tick
        if stale or ask - bid != self._spread * tick or bid % tick:
            bid = math.floor(px / tick - self._spread / 2 + 0.5) * tick
            self._touch = {BUY: bid, SELL: bid + self._spread * tick}

    def _requote(self, side: int, tick: int, px: float, lean: float) -> list[tuple[int, int, int]]:
        levels, touch = self._levels[side], self._touch[side]
        what = BID_LEVEL if side == BUY else ASK_LEVEL
        rows = []
        for level_px in list(levels):
            steps = side * (touch - level_px)
            if steps < 0 or steps >= 2 * LEVELS * tick or level_px % tick:
                del levels[level_px]
                rows.append((what, level_px, 0))
        for k in range(LEVELS):
            level_px = touch - side * k * tick
            usual = self._usual_usd(k, tick / px * 1e4) / (level_px * LOT_USD)
            refresh = TOUCH_REFRESH_CHANCE if k == 0 else DEEP_REFRESH_CHANCE
            known = levels.get(level_px)
            thins = k > 0 and known is not None and known > FORMER_TOUCH_RATIO * usual
            if known is not None and not thins and self._chance.random() >= refresh:
                continue
            sd = TOUCH_LOG_SD if k == 0 else DEEP_LOG_SD
            noise = math.exp(self._chance.gauss(-sd * sd / 2, sd))
            sz = max(1, round(usual * noise * (1 + math.tanh(lean) if k == 0 else 1)))
            if known != sz:
                levels[level_px] = sz
                rows.append((what, level_px, sz))
        return rows

    def _usual_usd(self, k: int, tick_bps: float) -> float:
        """Size of the k-th level: a heavy touch, a thin step behind it, then density that rises with distance."""
        if k == 0:
            return self._flow.touch_usd
        behind = self._flow.depth_1bps_usd - self._flow.touch_usd
        from_touch = 1.0 - self._spread * tick_bps / 2  # bps between the touch and 1 bps
        shape = 0.7 + 0.6 * k * tick_bps  # averages 1 over the first bps
        return behind / max(from_touch, 0.1) * tick_bps * shape
