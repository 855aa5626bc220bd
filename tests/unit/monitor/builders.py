"""Messages as the monitor hears them, and an engine with its clocks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from common.config import Settings, load
from common.messages import (
    AccountState,
    AccountView,
    ActionReport,
    AssetContext,
    BookUpdate,
    Fill,
    Heartbeat,
    Ladder,
    Level,
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
from common.streams import SERVICES
from monitor.engine import MonitorEngine
from monitor.events import ClockRead

S = 1_000_000_000
MS = 1_000_000
T0 = 1_780_000_000 * S
COIN = "km:US500"
E8 = 100_000_000


def a_settings(run_dir: Path, **environ: str) -> Settings:
    folders = {"RUN_DIR": str(run_dir), "SECRETS_DIR": str(run_dir / "secrets")}
    return load("monitor", {"MARKET": "us500", **folders, **environ})


def spec(t_ns: int = T0) -> MarketSpec:
    return MarketSpec(t_ns, COIN, 150_000, 3, 20, "USDH", True, False)


def touch(t_ns: int, bid: int = 752_400, ask: int = 752_500, sz: int = 1_500) -> Touch:
    return Touch(t_ns, COIN, t_ns, t_ns, bid, sz, ask, sz)


def book(t_ns: int, bids: list[tuple[int, int]], asks: list[tuple[int, int]]) -> BookUpdate:
    return BookUpdate(t_ns, COIN, t_ns, t_ns, bids, asks, t_ns, t_ns, 0, 5)


def context(t_ns: int, mark: int = 752_440, oracle: int = 752_510, funding: float = 5.7e-6) -> AssetContext:
    return AssetContext(t_ns, COIN, t_ns, mark, oracle, funding, 3_007_456, None)


def fill(t_ns: int, tid: int = 1, **changes: Any) -> Fill:
    facts: dict[str, Any] = {
        "t_ns": t_ns,
        "coin": COIN,
        "venue_t_ns": t_ns,
        "tid": tid,
        "oid": 77,
        "cloid": "",
        "side": Side.BID,
        "px_u": 752_400,
        "sz_u": 120,
        "fee_e8": 270_900,
        "liquidity": Liquidity.MAKER,
        "start_position_u": 0,
        "level": 0,
        "mid2_px_u": 2 * 752_450,
    }
    return Fill(**(facts | changes))


def permit(t_ns: int, mode: Mode = Mode.ACTIVE, **changes: Any) -> RiskPermit:
    facts: dict[str, Any] = {
        "t_ns": t_ns,
        "version": 1,
        "mode": mode,
        "size_scale": 1.0,
        "spread_scale": 1.0,
        "soft_usd": 250.0,
        "hard_usd": 500.0,
        "margin_ratio": 0.17,
        "drawdown": 0.002,
        "expires_t_ns": t_ns + 1_500 * MS,
        "reasons": [],
        "arm_epoch": 3,
    }
    return RiskPermit(**(facts | changes))


def ladder(t_ns: int, reasons: list[str] | None = None, version: int = 1) -> Ladder:
    bids = [Level(752_300 - 80 * i, 150 - 25 * i) for i in range(5)]
    asks = [Level(752_600 + 80 * i, 150 - 25 * i) for i in range(5)]
    quiet = bool(reasons)
    return Ladder(
        t_ns, COIN, version, t_ns, t_ns, t_ns + S, [] if quiet else bids, [] if quiet else asks, False, reasons or []
    )


def order(t_ns: int, n: int, state: OrderState = OrderState.OPEN, **changes: Any) -> OrderUpdate:
    facts: dict[str, Any] = {
        "t_ns": t_ns,
        "coin": COIN,
        "cloid": f"0x{n:032x}",
        "oid": 1_000 + n,
        "side": Side.BID,
        "px_u": 752_300,
        "sz_u": 150,
        "filled_u": 0,
        "state": state,
        "reason": "",
        "level": 0,
    }
    return OrderUpdate(**(facts | changes))


def action(t_ns: int, entries: int = 10, outcome: str = "ok") -> ActionReport:
    return ActionReport(t_ns, COIN, "order", entries, t_ns // MS, t_ns, t_ns, t_ns + 200 * MS, outcome, "")


def account(t_ns: int, **changes: Any) -> AccountState:
    facts: dict[str, Any] = {
        "t_ns": t_ns,
        "venue_t_ns": t_ns,
        "equity_e8": 1_000 * E8,
        "margin_used_e8": 17 * E8,
        "maintenance_e8": 5 * E8,
        "positions": [],
        "open_orders": 10,
        "unknown_orders": 0,
        "actions_used": 420,
        "actions_cap": 10_900,
        "maker_fee_ppb": 30_000,
        "taker_fee_ppb": 81_000,
        "reconciled": True,
    }
    return AccountState(**(facts | changes))


def view(t_ns: int, signed_u: int = 0, equity_e8: int = 1_000 * E8, unrealised_e8: int = 0) -> AccountView:
    held = [Position(COIN, signed_u, 752_400.0, unrealised_e8, 17 * E8)] if signed_u else []
    return AccountView(t_ns, t_ns, equity_e8, 17 * E8, held, 10)


def beat(t_ns: int, service: str, build: str = "abc", state: str = "live") -> Heartbeat:
    return Heartbeat(t_ns, service, build, 1, "cfg", 0.001, True, state)


class Watch:
    """A monitor's engine; market and machine time run together from T0 and 0."""

    def __init__(self, run_dir: Path, rate: float = 1.0, **environ: str) -> None:
        self.engine = MonitorEngine(a_settings(run_dir, **environ))
        self.s = 0.0
        self.engine.on(ClockRead(rate, T0, 0))
        self.tick(0.0)

    @property
    def t_ns(self) -> int:
        return T0 + int(self.s * S)

    def tick(self, at_s: float) -> list[Any]:
        self.s = at_s
        return self.engine.on(Tick(self.t_ns, int(at_s * S)))

    def ticks(self, until_s: float, step_s: float = 0.5) -> list[Any]:
        """Ticks up to `until_s`; everything they brought."""
        out: list[Any] = []
        while self.s + step_s <= until_s:
            out += self.tick(self.s + step_s)
        return out

    def healthy(self, until_s: float, step_s: float = 0.5) -> list[Any]:
        """As `ticks`, while every service speaks and a permit and market data keep coming."""
        out: list[Any] = []
        while self.s + step_s <= until_s:
            out += self.tick(self.s + step_s)
            for name in SERVICES:
                out += self.engine.on(beat(self.t_ns, name))
            for message in (permit(self.t_ns), ladder(self.t_ns), touch(self.t_ns), account(self.t_ns)):
                out += self.engine.on(message)
        return out

    def say(self, *messages: Any) -> list[Any]:
        return [one for message in messages for one in self.engine.on(message)]
