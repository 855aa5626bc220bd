"""What the quoter's tests are made of: settings, a rig of bare vectors, and a desk round a whole engine."""

from __future__ import annotations

import functools
import tomllib
from typing import Any

from common.config import Settings
from common.events import BatchEnd
from common.kernel import ROOT
from common.messages import (
    AccountState,
    AssetContext,
    BookUpdate,
    Fill,
    Ladder,
    Liquidity,
    MarketSpec,
    Mode,
    OrderState,
    OrderUpdate,
    Position,
    RiskPermit,
    Side,
    Tick,
    Touch,
)
from common.ticks import tick_u
from quoter.analysis import analyse
from quoter.engine import QuoteEngine
from quoter.quote import quote_sides
from quoter.state import (
    ASK_SIDE,
    B_COUNT,
    B_ROWS,
    B_SIDE,
    BID_SIDE,
    I_DEEP_T,
    I_FAST_LEVELS,
    I_POSITION,
    I_SZ_DECIMALS,
    I_VOL_N,
    NS,
    O_COUNT,
    O_ROWS,
    O_SIDE,
    S_EQUITY,
    S_FEE,
    S_HARD,
    S_ORACLE,
    S_SIZE_SCALE,
    S_SOFT,
    S_SPREAD_SCALE,
    S_VOL_FAST,
    make_params,
    new_book,
    new_out,
    new_state,
    numbers,
)

T0 = 1_780_000_000 * NS
COIN = "km:US500"
PX = 752_410  # US500 at 752.41, one tick is 10


@functools.cache
def _profile(name: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / "config" / f"{name}.toml").read_text(encoding="utf-8"))


def settings(profile: str = "us500", kind: str = "tiered", **quoting: Any) -> Settings:
    """Of the market `profile`, quoted in the way `kind` (tiered, lean, glft)."""
    tree = _profile(profile)
    quoting = {"profile": kind, **quoting}
    return Settings.model_validate(
        {**tree, "quoting": {**tree["quoting"], **quoting}, "service": "quoter", "profile": profile}
    )


def levels(best_u: int, step_u: int, sz_u: int, n: int = 10) -> list[tuple[int, int]]:
    """`n` levels of equal size from `best_u` on; a negative step makes bids."""
    return [(best_u + i * step_u, sz_u) for i in range(n)]


def a_book(mid_u: int = PX, tick: int = 10, usd: float = 20_000.0, n: int = 10) -> tuple[list[Any], list[Any]]:
    """A symmetric book two ticks wide, `usd` deep a side."""
    sz_u = max(int(usd * 1e6 / n / mid_u), 1)
    return levels(mid_u - tick, -tick, sz_u, n), levels(mid_u + tick, tick, sz_u, n)


class Rig:
    """The kernels' vectors, without an engine."""

    def __init__(self, profile: str = "us500", sz_decimals: int = 3, kind: str = "tiered", **quoting: Any) -> None:
        self.params = make_params(settings(profile, kind, **quoting))
        self.state, self.ints = new_state()
        self.vector, self.out = new_book(), new_out()
        self.ints[I_SZ_DECIMALS] = sz_decimals
        self.told()

    def told(
        self,
        equity: float = 1000.0,
        fee: float = 0.3,
        hard: float = 500.0,
        soft: float = 250.0,
        size_scale: float = 1.0,
    ) -> Rig:
        for place, value in (
            (S_EQUITY, equity), (S_FEE, fee), (S_HARD, hard), (S_SOFT, soft), (S_SIZE_SCALE, size_scale),
            (S_SPREAD_SCALE, 1.0),
        ):  # fmt: skip
            self.state[place] = value
        return self

    def vol(self, annual: float) -> Rig:
        """As if so much volatility had been measured for long enough."""
        self.state[S_VOL_FAST] = annual
        self.ints[I_VOL_N] = 1000
        return self

    def see(self, bids: list[Any], asks: list[Any], t_ns: int = T0) -> int:
        for side, rows in ((BID_SIDE, bids), (ASK_SIDE, asks)):
            self.vector[B_COUNT + side] = len(rows)
            for i, (px_u, sz_u) in enumerate(rows):
                at = B_ROWS + side * B_SIDE + 2 * i
                self.vector[at], self.vector[at + 1] = px_u, sz_u
        self.ints[I_FAST_LEVELS], self.ints[I_DEEP_T] = 32, t_ns
        return int(analyse(self.state, self.ints, self.params, self.vector, t_ns))

    def quote(self, position_u: int = 0, t_ns: int = T0) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        self.ints[I_POSITION] = position_u
        quote_sides(self.state, self.ints, self.params, self.vector, t_ns, self.out)
        return self.side(BID_SIDE), self.side(ASK_SIDE)

    def side(self, side: int) -> list[tuple[int, int]]:
        begin = O_ROWS + side * O_SIDE
        flat = numbers(self.out, begin, begin + 2 * int(self.out[O_COUNT + side]))
        return list(zip(flat[::2], flat[1::2], strict=True))

    def liquid(self, oracle: float | None = None) -> Rig:
        """Told, a calm market, a liquid symmetric book, an oracle at its mid."""
        self.vol(0.10).see(*a_book())
        self.state[S_ORACLE] = oracle if oracle is not None else float(PX)
        return self


def step_of(px_u: int, sz_decimals: int) -> int:
    return int(tick_u(px_u, sz_decimals))


class Desk:
    """An engine and the messages it lives on; `now_s` is market and machine time alike unless `rate` says otherwise."""

    def __init__(self, profile: str = "us500", rate: float = 1.0, kind: str = "tiered", **quoting: Any) -> None:
        self.settings = settings(profile, kind, **quoting)
        self.coin = self.settings.market.coin
        self.engine = QuoteEngine(self.settings)
        self.rate = rate
        self.mono_s = 0.0
        self.position_u = 0
        self.out: list[Any] = []
        self._tid = 0

    @property
    def t_ns(self) -> int:
        return T0 + round(self.mono_s * self.rate * NS)

    @property
    def mono_ns(self) -> int:
        return round(self.mono_s * NS)

    @property
    def ladders(self) -> list[Ladder]:
        return [message for message in self.out if isinstance(message, Ladder)]

    @property
    def ladder(self) -> Ladder:
        """The newest ladder ever sent."""
        assert self.engine.ladder is not None
        return self.engine.ladder

    def found(self, kind: type[Any]) -> list[Any]:
        return [item for item in self.out if isinstance(item, kind)]

    def send(self, *events: Any) -> Desk:
        """One batch, as the service delivers it; `out` keeps what came of the newest batch."""
        self.out = list(self.engine.on(Tick(self.t_ns, self.mono_ns)))
        for event in events:
            self.out += self.engine.on(event)
        self.out += self.engine.on(BatchEnd(self.t_ns, self.mono_ns))
        return self

    def wait(self, seconds: float, *events: Any, step_s: float = 0.05) -> Desk:
        """Ticks for so many machine seconds, then a batch."""
        kept: list[Any] = []
        for _ in range(round(seconds / step_s)):
            self.mono_s += step_s
            kept += self.engine.on(Tick(self.t_ns, self.mono_ns))
        if events:
            self.send(*events)
            kept += self.out
        self.out = kept
        return self

    def live(self, seconds: float, step_s: float = 0.25, mid_u: int = PX) -> Desk:
        """Time passes with a fresh book and permit every step."""
        kept: list[Any] = []
        for _ in range(round(seconds / step_s)):
            self.wait(step_s, self.permit(), self.book(mid_u))
            kept += self.out
        self.out = kept
        return self

    def start(self, mid_u: int = PX) -> Desk:
        """Everything a first quote needs."""
        return self.send(self.spec(), self.context(mid_u), self.account(), self.permit(), self.book(mid_u))

    # ------------------------------------------------------------------ messages
    def spec(self, **changes: Any) -> MarketSpec:
        fields: dict[str, Any] = {
            "coin": self.coin, "asset_id": 150_000, "sz_decimals": 3, "max_leverage": 20, "collateral": "USDH",
            "growth_mode": True, "is_delisted": False,
        }  # fmt: skip
        return MarketSpec(self.t_ns, **{**fields, **changes})

    def context(self, oracle_u: int = PX) -> AssetContext:
        return AssetContext(self.t_ns, self.coin, self.t_ns, oracle_u, oracle_u, 1e-5, 0)

    def account(self, equity_usd: float = 1000.0, fee_ppb: int | None = 30_000, position_u: int | None = None) -> Any:
        held_u = self.position_u if position_u is None else position_u
        return AccountState(
            t_ns=self.t_ns, venue_t_ns=self.t_ns, equity_e8=round(equity_usd * 1e8), margin_used_e8=0,
            maintenance_e8=0, positions=[Position(self.coin, held_u, 0.0, 0, 0)] if held_u else [], open_orders=0,
            unknown_orders=0, actions_used=0, actions_cap=10_000, maker_fee_ppb=fee_ppb, taker_fee_ppb=90_000,
            reconciled=True,
        )  # fmt: skip

    def permit(self, mode: Mode = Mode.ACTIVE, ttl_s: float = 1.5, **changes: Any) -> RiskPermit:
        fields: dict[str, Any] = {
            "version": 1, "mode": mode, "size_scale": 1.0, "spread_scale": 1.0, "soft_usd": 250.0, "hard_usd": 500.0,
            "margin_ratio": 0.0, "drawdown": 0.0, "expires_t_ns": self.t_ns + round(ttl_s * self.rate * NS),
            "reasons": [],
        }  # fmt: skip
        return RiskPermit(self.t_ns, **{**fields, **changes})

    def book(self, mid_u: int = PX, usd: float = 20_000.0, **changes: Any) -> BookUpdate:
        bids, asks = a_book(mid_u, usd=usd)
        now = self.t_ns
        fields: dict[str, Any] = {
            "coin": self.coin, "venue_t_ns": now, "recv_t_ns": now, "bids": bids, "asks": asks, "touch_t_ns": now,
            "fast_t_ns": now, "deep_t_ns": now, "fast_levels": 5,
        }  # fmt: skip
        return BookUpdate(now, **{**fields, **changes})

    def touch(self, bid_u: int, ask_u: int, sz_u: int = 5_000, **changes: Any) -> Touch:
        fields: dict[str, Any] = {
            "coin": self.coin, "venue_t_ns": self.t_ns, "recv_t_ns": self.t_ns, "bid_px_u": bid_u, "bid_sz_u": sz_u,
            "ask_px_u": ask_u, "ask_sz_u": sz_u,
        }  # fmt: skip
        return Touch(self.t_ns, **{**fields, **changes})

    def fill(self, side: Side, sz_u: int, px_u: int = PX, **changes: Any) -> Fill:
        """The next fill of ours; the desk's own position follows."""
        self._tid += 1
        fields: dict[str, Any] = {
            "coin": self.coin, "venue_t_ns": self.t_ns, "tid": self._tid, "oid": self._tid, "cloid": "", "side": side,
            "px_u": px_u, "sz_u": sz_u, "fee_e8": 0, "liquidity": Liquidity.MAKER,
            "start_position_u": self.position_u, "mid2_px_u": 2 * PX,
        }  # fmt: skip
        self.position_u += int(side) * sz_u
        return Fill(self.t_ns, **{**fields, **changes})

    def order(
        self, side: Side, px_u: int, sz_u: int, state: OrderState = OrderState.OPEN, n: int = 1, **changes: Any
    ) -> Any:
        fields: dict[str, Any] = {
            "coin": self.coin, "cloid": f"0xa500{n:028x}", "oid": n, "side": side, "px_u": px_u, "sz_u": sz_u,
            "filled_u": 0, "state": state, "reason": "",
        }  # fmt: skip
        return OrderUpdate(self.t_ns, **{**fields, **changes})
