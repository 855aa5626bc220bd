"""Events in, ladders out: the quoter's core.  A ladder is a target, never a command.

The engine applies every message to its state and decides once per batch (`BatchEnd`) or, on ticks, when its timer is
due or the data has become too old. It publishes a ladder when it differs enough from the published one (`hold.py`) or
when safety asks for it, and renews the unchanged one every `renew_s` machine seconds: the renewal is the quoter's
heartbeat. What a ladder is made of is decided by the kernels (`ladder.quote_sides`), whether to quote by `gate.py`.

Effects for the shell: `Figures` (what to show), `Scored` (a marked-out fill), `Refused` (a message that was no use).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from common.config import Settings
from common.errors import BadInput
from common.markout import HORIZONS_S, Markouts, Scored
from common.messages import (
    AccountState,
    Alert,
    AssetContext,
    BookUpdate,
    Command,
    Fill,
    Ladder,
    Liquidity,
    MarketSpec,
    Mode,
    OrderUpdate,
    RiskPermit,
    Severity,
    Side,
    Tick,
    Touch,
)
from common.service import BatchEnd, Replayed
from quoter.analysis import analyse
from quoter.fade import learn_score
from quoter.floor import learn_adverse
from quoter.gate import Gate
from quoter.hold import SAME, difference, side_usd
from quoter.inventory import Inventory
from quoter.ladder import quote_sides
from quoter.own import OwnOrders
from quoter.pace import NS, Pace
from quoter.report import inputs_of, levels_of, words_of
from quoter.state import (
    ASK_SIDE,
    BID_SIDE,
    I_DEEP_T,
    I_FAST_LEVELS,
    I_POSITION,
    I_POSITION_T,
    I_REDUCING,
    I_SZ_DECIMALS,
    O_LEN,
    S_BUDGET,
    S_EQUITY,
    S_FAIR,
    S_FEE,
    S_HARD,
    S_MARGIN,
    S_MID,
    S_ORACLE,
    S_SIZE_SCALE,
    S_SOFT,
    S_SPREAD_SCALE,
    make_params,
    new_book,
    new_out,
    new_state,
    numbers,
)
from quoter.view import MarketView
from quoter.vol import see_mid

FLOOR_HORIZON_S = 60
PPB_PER_BPS = 1e5
BUDGET_SLACK = 1.0 + 1e-6

#: Reasons a person should hear of.
ALERTS = {
    "position_disagrees": (Severity.CRITICAL, "fills and account disagree on the position: not quoting"),
    "delisted": (Severity.CRITICAL, "the venue has delisted the market: not quoting"),
    "high_vol": (Severity.WARNING, "volatility above the pause level: not quoting"),
    "bid_fade_pause": (Severity.WARNING, "bids withheld after a losing streak"),
    "ask_fade_pause": (Severity.WARNING, "asks withheld after a losing streak"),
}


@dataclass(frozen=True, slots=True)
class Stop:
    """The process is about to end: withdraw all quotes now and for good."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What the newest decision rests on, for gauges and logs."""

    ladder: Ladder
    view: MarketView
    position_u: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that changed nothing because it breaks its contract."""

    reason: str


class QuoteEngine:
    """Decide which quotes should rest for one coin."""

    wants_batch_end = True

    def __init__(self, settings: Settings) -> None:
        self._q = settings.quoting
        self._ttl_s = settings.execution.cancel_age_s
        self.coin = settings.market.coin
        self.pace = Pace()
        self.view = MarketView()
        self.own = OwnOrders()
        self.inventory = Inventory(self.coin)
        self.gate = Gate(settings)
        self.fade_horizon_s = round(self._q.fade_horizon_s)
        self.markouts = Markouts(tuple(sorted({*HORIZONS_S, self.fade_horizon_s})))
        self.state, self.ints = new_state()
        self.params = make_params(settings)
        self.ladder: Ladder | None = None
        self._book, self._target, self._shown = new_book(), new_out(), new_out()
        self._shown_mid = 0.0
        self._data_mono_ns: int | None = None
        self._sent_mono_ns = 0
        self._decided_t_ns = 0
        self._dirty = False  # something a decision rests on has changed
        self._adapt = False  # ... and even a small difference matters
        self._out: list[Any] = []
        self._handlers: dict[type, Callable[[Any], None]] = {
            Tick: self._on_tick, BatchEnd: self._on_batch_end, Touch: self._on_market, BookUpdate: self._on_market,
            AssetContext: self._on_context, MarketSpec: self._on_spec, Fill: self._on_fill,
            OrderUpdate: self._on_order, AccountState: self._on_account, RiskPermit: self._on_permit,
            Command: self._on_command, Replayed: self._on_replayed, Stop: self._on_stop,
        }  # fmt: skip

    def on(self, event: Any) -> list[Any]:
        """Apply one event; messages for the bus and effects for the shell come out."""
        if getattr(event, "coin", self.coin) != self.coin:
            return []
        handler = self._handlers.get(type(event))
        if handler is None:
            return []
        self._out = []
        handler(event)
        return self._out

    @property
    def mood(self) -> str:
        """One word for people: quoting, or the first reason why not."""
        if self.ladder is None:
            return "starting"
        if self.ladder.bids or self.ladder.asks:
            return "quoting"
        return self.ladder.reasons[0] if self.ladder.reasons else "quiet"

    # ------------------------------------------------------------------ time
    def _on_tick(self, tick: Tick) -> None:
        self.pace.tick(tick)
        self.markouts.on_time(self.pace.t_ns)
        shown = self.ladder
        due = self.pace.t_ns - self._decided_t_ns >= self._q.rebalance_interval_s * NS
        if due or self._dirty or shown is None or (self._blocked() and (shown.bids or shown.asks)):
            self._decide()
        if self.ladder is not None and tick.mono_ns - self._sent_mono_ns >= self._q.renew_s * NS:
            self._send(self._stamped(self.ladder))

    def _on_batch_end(self, _: BatchEnd) -> None:
        if self._dirty and self.pace.mono_ns is not None:
            self._decide()

    # ------------------------------------------------------------------ the market
    def _on_market(self, message: Touch | BookUpdate) -> None:
        self.pace.see(message.t_ns)
        try:
            taken = self.view.on_touch(message) if isinstance(message, Touch) else self.view.on_book(message)
        except BadInput as error:
            self._out.append(Refused(error.reason))
            return
        if not taken:
            return
        self._data_mono_ns = self.pace.mono_ns
        self._dirty = True
        view, t_ns = self.view, self.view.venue_t_ns
        view.refresh(self.own)
        view.write(self._book)
        self.ints[I_FAST_LEVELS], self.ints[I_DEEP_T] = view.fast_levels, view.deep_t_ns
        if analyse(self.state, self.ints, self.params, self._book, t_ns):
            see_mid(self.state, self.ints, self.params, self.state[S_MID], t_ns)
            self._learn(self.markouts.on_mid(t_ns, view.bids[0][0] + view.asks[0][0]))

    def _on_context(self, context: AssetContext) -> None:
        self.pace.see(context.t_ns)
        self.gate.context = context
        self.state[S_ORACLE] = float(context.oracle_px_u)

    def _on_spec(self, spec: MarketSpec) -> None:
        self.pace.see(spec.t_ns)
        self.gate.spec = spec
        self.ints[I_SZ_DECIMALS] = spec.sz_decimals

    # ------------------------------------------------------------------ ourselves
    def _on_fill(self, fill: Fill) -> None:
        self.pace.see(fill.t_ns)
        if self.inventory.on_fill(fill):
            self._hold_position()
            self._learn(self.markouts.on_fill(fill))

    def _on_order(self, update: OrderUpdate) -> None:
        self.pace.see(update.t_ns)
        self.own.on_update(update)

    def _on_account(self, account: AccountState) -> None:
        self.pace.see(account.t_ns)
        self.gate.account = account
        self.inventory.on_account(account)
        self.state[S_EQUITY] = account.equity_e8 / 1e8
        if account.maker_fee_ppb is not None:
            self.state[S_FEE] = account.maker_fee_ppb / PPB_PER_BPS
        self._hold_position()

    def _on_permit(self, permit: RiskPermit) -> None:
        self.pace.see(permit.t_ns)
        before, state = self.gate.permit, self.state
        self.gate.on_permit(permit, self.pace.mono_ns or 0)
        state[S_HARD], state[S_SOFT] = permit.hard_usd, permit.soft_usd
        state[S_SIZE_SCALE], state[S_SPREAD_SCALE] = permit.size_scale, permit.spread_scale
        state[S_MARGIN] = permit.margin_ratio
        self.ints[I_REDUCING] = int(permit.mode is Mode.REDUCING)
        if before is None or (before.mode, before.size_scale, before.spread_scale) != (
            permit.mode, permit.size_scale, permit.spread_scale,
        ):  # fmt: skip
            self._dirty = self._adapt = True

    def _on_command(self, command: Command) -> None:
        self.pace.see(command.t_ns)
        self.gate.on_command(command)
        self._dirty = True

    def _on_stop(self, _: Stop) -> None:
        self.gate.stopping = True
        if self.pace.mono_ns is not None:
            self._decide()

    def _on_replayed(self, replayed: Replayed) -> None:
        """History rebuilds what rests and what we hold; old fills are not scored again."""
        message = replayed.message
        if getattr(message, "coin", "") != self.coin:
            return
        if isinstance(message, Fill):
            self.inventory.on_fill(message)
            self._hold_position()
        elif isinstance(message, OrderUpdate):
            self.own.on_update(message)

    def _hold_position(self) -> None:
        if self.ints[I_POSITION] != self.inventory.position_u:
            self._dirty = self._adapt = True
        self.ints[I_POSITION] = self.inventory.position_u
        self.ints[I_POSITION_T] = self.inventory.since_t_ns

    def _learn(self, scores: list[Scored]) -> None:
        """Own fills' markouts feed the fade (5 s) and the floor (60 s): makers' only, a taker's is no quote's."""
        for scored in scores:
            fill = scored.fill
            self._out.append(scored)
            if fill.liquidity is not Liquidity.MAKER:
                continue
            side = BID_SIDE if fill.side is Side.BID else ASK_SIDE
            if scored.horizon_s == self.fade_horizon_s:
                usd = fill.px_u * fill.sz_u / 1e6
                learn_score(self.state, self.ints, self.params, side, scored.bps, usd, self.pace.t_ns)
            if scored.horizon_s == FLOOR_HORIZON_S and fill.mid2_px_u:
                captured_bps = int(fill.side) * (fill.mid2_px_u - 2 * fill.px_u) * 5_000.0 / fill.px_u
                learn_adverse(self.state, self.ints, side, captured_bps - scored.bps)

    # ------------------------------------------------------------------ decide and publish
    def _blocked(self) -> list[str]:
        return self.gate.reasons(self.pace, self.inventory, self.view.venue_t_ns, self._data_mono_ns)

    def _decide(self) -> None:
        """Compute the target; publish it when it differs enough from what is shown."""
        reasons = self._blocked()
        self._hold_position()
        if reasons:
            self._target[:] = [0] * O_LEN
        else:
            quote_sides(self.state, self.ints, self.params, self._book, self.pace.t_ns, self._target)
            reasons = words_of(self._target)
        urgent = self._has_run_away()
        if urgent or self._differs(reasons):
            self._publish(reasons, urgent)
        self._decided_t_ns = self.pace.t_ns
        self._dirty = self._adapt = False

    def _has_run_away(self) -> bool:
        """Whether the book moved so far since the published ladder that orders must go before new ones come."""
        mid = float(self.state[S_MID])
        if self._shown_mid <= 0.0 or mid <= 0.0 or self.ladder is None or not (self.ladder.bids or self.ladder.asks):
            return False
        return abs(mid / self._shown_mid - 1.0) * 1e4 > self._q.cancel_move_bps

    def _differs(self, reasons: list[str]) -> bool:
        if self.ladder is None or reasons != self.ladder.reasons:
            return True
        target, shown, q = self._target, self._shown, self._q
        if self._adapt and numbers(target, 0, O_LEN) != numbers(shown, 0, O_LEN):
            return True
        if any(side_usd(shown, s) > self.state[S_BUDGET + s] * BUDGET_SLACK for s in (BID_SIDE, ASK_SIDE)):
            return True
        fair = float(self.state[S_FAIR])
        return bool(difference(target, shown, fair, q.hold_bps, q.hold_ratio, q.hold_size_ratio) != SAME)

    def _publish(self, reasons: list[str], urgent: bool) -> None:
        before = self.ladder
        self._shown[:] = self._target
        self._shown_mid = float(self.state[S_MID])
        self.ladder = Ladder(
            t_ns=self.pace.t_ns,
            coin=self.coin,
            version=max(before.version + 1 if before else 1, self.pace.t_ns // 1_000_000),
            venue_t_ns=self.view.venue_t_ns,
            recv_t_ns=self.view.recv_t_ns,
            expires_t_ns=0,
            bids=levels_of(self._target, BID_SIDE),
            asks=levels_of(self._target, ASK_SIDE),
            urgent=urgent,
            reasons=reasons,
        )
        self._send(self._stamped(self.ladder))
        self._out += [
            Alert(self.pace.t_ns, f"quoter_{word}", *ALERTS[word])
            for word in reasons
            if word in ALERTS and (before is None or word not in before.reasons)
        ]

    def _stamped(self, ladder: Ladder) -> Ladder:
        """The same ladder with new times and the newest figures."""
        return msgspec.structs.replace(
            ladder,
            t_ns=self.pace.t_ns,
            venue_t_ns=self.view.venue_t_ns,
            recv_t_ns=self.view.recv_t_ns,
            expires_t_ns=self.pace.t_ns + self.pace.market_ns(self._ttl_s),
            inputs=inputs_of(self.state, self.ints, self.params, self._target, self._q.profile),
        )

    def _send(self, ladder: Ladder) -> None:
        self.ladder = ladder
        self._sent_mono_ns = self.pace.mono_ns or 0
        self._out += [ladder, Figures(ladder, self.view, self.inventory.position_u)]
