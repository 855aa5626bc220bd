"""A risk engine with its clocks, and what it hears."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from common.config import Settings, load
from common.killfile import Kill
from common.messages import (
    AccountState,
    AccountView,
    Alert,
    AssetContext,
    Command,
    Fill,
    Heartbeat,
    Liquidity,
    Mode,
    Position,
    RiskPermit,
    Side,
    Tick,
    Touch,
    Verb,
)
from riskd.engine import RiskEngine
from riskd.events import ClearKill, KillSeen, SaveState, WriteKill
from riskd.session import Session

S = 1_000_000_000
T0 = 1_780_000_000 * S
COIN = "km:US500"
PX = 752_000
IDENTITY = ("build", 1, "hash")

T = TypeVar("T")


def a_settings(**environ: str) -> Settings:
    return load("riskd", {"MARKET": "us500", **environ})


def live_settings() -> Settings:
    return a_settings(
        NETWORK="testnet", VENUE_URL="https://api.hyperliquid-testnet.xyz", WALLET_ADDRESS="0x" + "1" * 40
    )


def a_position(signed_u: int, entry_px: float = PX) -> Position:
    return Position(COIN, signed_u, entry_px, 0, 0)


class World:
    """The engine, market time and machine time together; every output is kept in `out`."""

    def __init__(
        self, settings: Settings | None = None, session: Session | None = None, *, looked: bool = True
    ) -> None:
        self.settings = settings or a_settings()
        self.engine = RiskEngine(self.settings, session or Session(account="a"), IDENTITY)
        self.t_ns = T0
        self.out: list[Any] = []
        self.tid = 0
        self.file: Kill | None = None
        self.tick()
        if looked:
            self.hear(KillSeen(None))

    # ------------------------------------------------------------------ in
    def hear(self, *events: Any) -> list[Any]:
        """Give events; a kill file that is written or cleared is there or gone at once."""
        new: list[Any] = []
        for event in events:
            new += self.engine.on(event)
        self.out += new
        for effect in new:
            if isinstance(effect, WriteKill) and self.file != effect.kill:
                self.file = effect.kill
                new += self.hear(KillSeen(effect.kill))
            elif isinstance(effect, ClearKill):
                self.file = None
                new += self.hear(KillSeen(None))
        return new

    def tick(self, seconds: float = 0.0) -> list[Any]:
        self.t_ns += int(seconds * S)
        return self.hear(Tick(self.t_ns, self.t_ns - T0 + 50 * S))

    def account(
        self,
        equity: float = 1_000.0,
        *,
        used: float = 0.0,
        positions: list[Position] | None = None,
        reconciled: bool = True,
        age_s: float = 0.0,
    ) -> list[Any]:
        t_ns = self.t_ns - int(age_s * S)
        return self.hear(
            AccountState(
                t_ns=t_ns, venue_t_ns=t_ns, equity_e8=round(equity * 1e8), margin_used_e8=round(used * 1e8),
                maintenance_e8=0, positions=positions or [], open_orders=0, unknown_orders=0, actions_used=0,
                actions_cap=10_000, maker_fee_ppb=30_000, taker_fee_ppb=81_000, reconciled=reconciled,
            )
        )  # fmt: skip

    def wallet(self, positions: list[Position] | None = None) -> list[Any]:
        return self.hear(AccountView(self.t_ns, self.t_ns, 1_000 * 10**8, 0, positions or [], 0))

    def touch(self, mid: int = PX) -> list[Any]:
        return self.hear(Touch(self.t_ns, COIN, self.t_ns, self.t_ns, mid - 50, 10, mid + 50, 10))

    def mark(self, px_u: int) -> list[Any]:
        return self.hear(AssetContext(self.t_ns, COIN, self.t_ns, px_u, px_u, 0.0, 1))

    def a_fill(
        self, *, side: Side = Side.BID, px_u: int = PX, sz_u: int = 100, taker: bool = False, **more: Any
    ) -> Fill:
        self.tid += 1
        liquidity = Liquidity.TAKER if taker else Liquidity.MAKER
        fill = Fill(self.t_ns, COIN, self.t_ns, self.tid, 1, "", side, px_u, sz_u, 0, liquidity, 0, -1, 2 * PX)
        return msgspec.structs.replace(fill, **more)

    def losing_fill(self, bps: float = 5.0, sz_u: int = 100) -> list[Any]:
        """A buy after which the mid falls by `bps`, and its score 5 s later."""
        self.touch()
        new = self.hear(self.a_fill(sz_u=sz_u))
        return new + self.after_fill(round(PX * (1 - bps * 1e-4)))

    def after_fill(self, mid: int) -> list[Any]:
        new = self.tick(1.0) + self.touch(mid) + self.account_again()
        new += self.tick(4.0) + self.touch(mid) + self.account_again()
        return new + self.tick(0.5) + self.touch(mid)

    def account_again(self) -> list[Any]:
        before = self.engine.account
        if before is None:
            return []
        return self.hear(msgspec.structs.replace(before, t_ns=self.t_ns, venue_t_ns=self.t_ns))

    def command(self, verb: Verb, epoch: int = 0, **more: Any) -> list[Any]:
        self.tid += 1
        facts: dict[str, Any] = {"id": f"command-{self.tid}", "reason": "test", **more}
        return self.hear(Command(t_ns=self.t_ns, verb=verb, arm_epoch=epoch, **facts))

    def beat(self, service: str, build: str = "build") -> list[Any]:
        return self.hear(Heartbeat(self.t_ns, service, build, 1, "hash", 0.0, True))

    # ------------------------------------------------------------------ out
    def all_of(self, kind: type[T]) -> list[T]:
        return [one for one in self.out if isinstance(one, kind)]

    @property
    def permit(self) -> RiskPermit:
        """The permit of this moment: a fresh one is due after a renewal's time."""
        return self.all_of(RiskPermit)[-1]

    @property
    def mode(self) -> Mode:
        return self.permit.mode

    @property
    def alerts(self) -> list[str]:
        return [alert.name for alert in self.all_of(Alert)]

    @property
    def saved(self) -> Session:
        """What the state file holds."""
        return msgspec.json.decode(self.all_of(SaveState)[-1].body, type=Session)


def a_running_world(settings: Settings | None = None, equity: float = 1_000.0) -> World:
    """Paper, armed, account and market known."""
    world = World(settings)
    world.touch()
    world.mark(PX)
    world.account(equity)
    world.tick(0.3)
    return world
