"""Builders for executor tests: km:US500 at about 752.4 (szDecimals 3: px_u 1e-3, sz_u 1e-3), equity $1,000."""

from __future__ import annotations

from functools import cache
from typing import Any

from common.clock import MS, NS
from common.config import Settings, load
from common.messages import (
    AssetContext,
    Fill,
    Ladder,
    Level,
    Liquidity,
    Mode,
    QuoteInputs,
    RiskPermit,
    Side,
    Touch,
)
from executor.engine import ExecutorEngine
from executor.events import (
    AccountSeen,
    ActionReply,
    AskVenue,
    Clock,
    Facts,
    Holding,
    Kind,
    OrderSeen,
    SendAction,
    Snapshot,
    Status,
    UserStream,
    VenueOrder,
)

COIN = "km:US500"
T0 = 1_780_000_000 * NS
MONO0 = 5_000 * NS
MID_U = 752_400
ASSET = 150_000
USER = "0x" + "ab" * 20


@cache
def settings(**changes: Any) -> Settings:
    found = load("executor", {"WALLET_ADDRESS": USER})
    if not changes:
        return found
    return found.model_copy(update={"execution": found.execution.model_copy(update=changes)})


def inputs(fair: float = MID_U, floor_bps: float = 1.0) -> QuoteInputs:
    return QuoteInputs(
        mid_px=fair, fair_px=fair, micro_px=fair, vol_fast=0.1, vol_slow=0.1, vol_known=True, half_lo_bps=2.0,
        half_hi_bps=10.0, floor_bid_bps=floor_bps, floor_ask_bps=floor_bps, imbalance=0.0, depth_bid_usd=1e4,
        depth_ask_usd=1e4, is_liquid=True, delta=0.0, urgency=0.0, fade_bid=1.0, fade_ask=1.0, size_scale=1.0,
        merged_levels=0, profile="tiered",
    )  # fmt: skip


def levels(side: Side, mid_u: int = MID_U, n: int = 3, sz_u: int = 100, step_u: int = 200) -> list[Level]:
    """n levels from 2.7 bps on, about 2.7 bps apart, $75 each."""
    return [Level(mid_u - side * step_u * (i + 1), sz_u) for i in range(n)]


def a_ladder(
    version: int = 1,
    mid_u: int = MID_U,
    *,
    t_ns: int = T0,
    n: int = 3,
    sz_u: int = 100,
    urgent: bool = False,
    bids: list[Level] | None = None,
    asks: list[Level] | None = None,
    ttl_s: float = 1.5,
    venue_t_ns: int | None = None,
    with_inputs: bool = True,
) -> Ladder:
    return Ladder(
        t_ns=t_ns, coin=COIN, version=version, venue_t_ns=t_ns if venue_t_ns is None else venue_t_ns, recv_t_ns=t_ns,
        expires_t_ns=t_ns + int(ttl_s * NS), bids=levels(Side.BID, mid_u, n, sz_u) if bids is None else bids,
        asks=levels(Side.ASK, mid_u, n, sz_u) if asks is None else asks, urgent=urgent, reasons=[],
        inputs=inputs(mid_u) if with_inputs else None,
    )  # fmt: skip


def a_permit(
    version: int = 1,
    mode: Mode = Mode.ACTIVE,
    *,
    t_ns: int = T0,
    hard_usd: float = 500.0,
    soft_usd: float = 250.0,
    ttl_s: float = 1.5,
) -> RiskPermit:
    return RiskPermit(
        t_ns=t_ns, version=version, mode=mode, size_scale=1.0, spread_scale=1.0, soft_usd=soft_usd, hard_usd=hard_usd,
        margin_ratio=0.1, drawdown=0.0, expires_t_ns=t_ns + int(ttl_s * NS), reasons=[],
    )  # fmt: skip


def a_touch(mid_u: int = MID_U, *, t_ns: int = T0, half_u: int = 10) -> Touch:
    return Touch(t_ns, COIN, t_ns, t_ns, mid_u - half_u, 5_000, mid_u + half_u, 5_000)


def a_context(mark_u: int = MID_U, *, t_ns: int = T0) -> AssetContext:
    return AssetContext(t_ns, COIN, t_ns, mark_u, mark_u, 0.00001, 1)


def an_account(
    signed_u: int = 0, equity_usd: float = 1000.0, *, t_ns: int = T0 - NS, entry_u: int = MID_U
) -> AccountSeen:
    held = (Holding(COIN, signed_u, float(entry_u), 0, 0),) if signed_u else ()
    return AccountSeen(t_ns, int(equity_usd * 1e8), 0, 0, held)


def a_fill(
    side: Side = Side.BID,
    sz_u: int = 100,
    px_u: int = MID_U - 200,
    *,
    tid: int = 1,
    t_ns: int = T0,
    cloid: str = "",
    oid: int = 1,
    start_u: int = 0,
    fee_e8: int = 2_000,
    taker: bool = False,
) -> Fill:
    return Fill(
        t_ns=t_ns, coin=COIN, venue_t_ns=t_ns // MS * MS, tid=tid, oid=oid, cloid=cloid, side=side, px_u=px_u,
        sz_u=sz_u, fee_e8=fee_e8, liquidity=Liquidity.TAKER if taker else Liquidity.MAKER, start_position_u=start_u,
    )  # fmt: skip


class Bench:
    """An engine with time in hand and a venue that answers what it is told to."""

    def __init__(self, **changes: Any) -> None:
        self.engine = ExecutorEngine(settings(**changes), epoch=7, latched=None)
        self.t_ns, self.mono_ns, self.rate = T0, MONO0, 1.0
        self.out: list[Any] = []
        self.version = 0
        self.oid = 100

    # ---- time and events
    def post(self, *events: Any) -> list[Any]:
        """Hand events over; what comes out is kept in `out` and returned."""
        found: list[Any] = []
        for event in events:
            self.engine.on(Clock(self.t_ns, self.mono_ns, self.rate))
            found += self.engine.on(event)
        self.out += found
        return found

    def wait(self, seconds: float, *, step_s: float = 0.05, feed: bool = True) -> list[Any]:
        """Machine time passes in ticks; `feed` keeps touch, ladder and permit fresh."""
        from common.messages import Tick

        found: list[Any] = []
        for _ in range(round(seconds / step_s)):
            self.t_ns += int(step_s * NS * self.rate)
            self.mono_ns += int(step_s * NS)
            if feed:
                found += self.fresh()
            self.engine.on(Clock(self.t_ns, self.mono_ns, self.rate))
            more = self.engine.on(Tick(self.t_ns, self.mono_ns))
            self.out += more
            found += more
        return found

    def fresh(self, mode: Mode = Mode.ACTIVE) -> list[Any]:
        """Touch, context, a renewal of the ladder and a new permit."""
        found = self.post(a_touch(t_ns=self.t_ns), a_context(t_ns=self.t_ns))
        held = self.engine.gates.ladder
        if held is not None:
            import msgspec

            expires_t_ns = self.t_ns + int(1.5 * NS * self.rate)
            found += self.post(
                msgspec.structs.replace(held, expires_t_ns=expires_t_ns, venue_t_ns=self.t_ns, t_ns=self.t_ns)
            )
        before = self.engine.gates.permit
        permit = a_permit((before.version if before else 0) + 1, before.mode if before else mode, t_ns=self.t_ns)
        return found + self.post(permit)

    # ---- usual beginnings
    def start(self, *, position_u: int = 0, equity_usd: float = 1000.0, used: int = 0, cap: int = 10_000) -> Bench:
        """Facts, streams and a first clean look: ready to quote."""
        self.post(Facts(ASSET, 3, 20, 30_000, 81_000), UserStream(True))
        self.look(position_u=position_u, equity_usd=equity_usd, used=used, cap=cap)
        while self.engine.lookout.doubt:
            self.wait(1.0, feed=False)
            self.look(position_u=position_u, equity_usd=equity_usd, used=used, cap=cap)
        self.post(a_touch(t_ns=self.t_ns), a_context(t_ns=self.t_ns), a_permit(t_ns=self.t_ns))
        return self

    def look(
        self,
        orders: tuple[VenueOrder, ...] = (),
        *,
        position_u: int = 0,
        equity_usd: float = 1000.0,
        used: int = 0,
        cap: int = 10_000,
    ) -> list[Any]:
        """Answer the open question about the venue."""
        account = an_account(position_u, equity_usd, t_ns=self.t_ns)
        return self.post(Snapshot(self.mono_ns, orders, account, (used, cap)))

    def ladder(self, mid_u: int = MID_U, **changes: Any) -> list[SendAction]:
        """A new ladder arrives; the actions it caused."""
        self.version += 1
        self.post(a_touch(mid_u, t_ns=self.t_ns))
        return actions(self.post(a_ladder(self.version, mid_u, t_ns=self.t_ns, **changes)))

    def quote(self, mid_u: int = MID_U, **changes: Any) -> None:
        """A new ladder, every action of which the venue takes."""
        self.take(self.ladder(mid_u, **changes))

    # ---- the venue
    def take(self, sent: list[SendAction]) -> list[Any]:
        """The venue does what these actions ask; so it does with what follows from the replies."""
        found: list[Any] = []
        while sent:
            more: list[Any] = []
            for action in sent:
                more += self.post(self.ok(action))
            found += more
            sent = actions(more)
        return found

    def ok(self, action: SendAction) -> ActionReply:
        if action.kind in (Kind.CANCEL, Kind.CANCEL_CLOID):
            return ActionReply(action.nonce, "ok", tuple(Status("success") for _ in action.entries))
        statuses = []
        for _ in action.entries:
            self.oid += 1
            statuses.append(Status("resting", self.oid))
        return ActionReply(action.nonce, "ok", tuple(statuses))

    def seen(self, cloid: str, status: str, *, oid: int | None = None, left_u: int | None = None) -> OrderSeen:
        order = self.engine.tracker.table.orders[cloid]
        left = order.sz_u if left_u is None else left_u
        return OrderSeen(
            VenueOrder(COIN, order.oid if oid is None else oid, cloid, order.side, order.px_u, left, order.sz_u),
            status,
            self.t_ns,
        )

    def rows(self) -> tuple[VenueOrder, ...]:
        """Our OPEN orders as the venue would list them."""
        return tuple(
            VenueOrder(COIN, o.oid, o.cloid, o.side, o.px_u, o.remaining_u, o.sz_u)
            for o in self.engine.tracker.table.live()
        )

    @property
    def live(self) -> list[Any]:
        return self.engine.tracker.table.live()


def actions(out: list[Any]) -> list[SendAction]:
    return [item for item in out if isinstance(item, SendAction)]


def kinds(out: list[Any]) -> list[Kind]:
    return [action.kind for action in actions(out)]


def asked(out: list[Any]) -> bool:
    return any(isinstance(item, AskVenue) for item in out)
