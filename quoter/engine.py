"""Events in, ladders out: the quoter's core.  A ladder is a target, never a command.

The engine applies every message to its state and decides once per batch (`BatchEnd`) or, on ticks, when its timer is
due or the data has become too old. It renews an unchanged ladder every `renew_s` machine seconds: the renewal is the
quoter's heartbeat. What a ladder is made of is decided by the kernels (`quote.quote_sides`), whether to quote by
`gate.py`, whether a new one is worth telling by `publisher.py`.

Effects for the shell: `Figures` (what to show), `Scored` (a marked-out fill), `Refused` (a message that was no use).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from common.config import Settings
from common.errors import BadInput
from common.events import BatchEnd, Replayed
from common.markout import HORIZONS_S, Markouts, Scored
from common.messages import (
    AccountState,
    Alert,
    AssetContext,
    BookUpdate,
    Command,
    Fill,
    Gap,
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
    TradePrint,
    Verb,
)
from common.sessions import Calendar
from common.streams import MD
from quoter.adverse import learn_reach
from quoter.analysis import analyse, deep_share
from quoter.edge_gate import HORIZON_S, SETTLED_NS, EdgeGate
from quoter.events import EdgeKept, Figures, Model, Refused, Stop
from quoter.fade import learn_score
from quoter.gate import Gate
from quoter.intensity import see_print as see_depth
from quoter.inventory import Inventory
from quoter.modes import learn_mode
from quoter.outlook import Outlook
from quoter.own import OwnOrders
from quoter.pace import NS, Pace
from quoter.past import FairPast
from quoter.places import QueueBook
from quoter.publisher import Publisher
from quoter.quote import quote_sides
from quoter.record import record_of
from quoter.report import words_of
from quoter.sessions import Sessions
from quoter.signals import new_signals, read_signals
from quoter.state import (
    ASK_SIDE,
    BID_SIDE,
    I_DEEP_T,
    I_FAST_LEVELS,
    I_HALF_T,
    I_MODE,
    I_PAUSE_T,
    I_POSITION,
    I_POSITION_T,
    I_REDUCING,
    I_SZ_DECIMALS,
    O_LEN,
    S_EQUITY,
    S_FADE_BASE,
    S_FAIR,
    S_FEE,
    S_HARD,
    S_MARGIN,
    S_MID,
    S_ORACLE,
    S_SIZE_SCALE,
    S_SOFT,
    S_SPREAD_SCALE,
    S_VOL_MODEL,
    make_params,
    new_book,
    new_out,
    new_state,
    numbers,
)
from quoter.view import MarketView
from quoter.vol import see_mid
from quoter.vol_model import VolModel, model_of

NO_EDGE = "no_edge"
PPB_PER_BPS = 1e5
AGES = {"stale_data", "stale_venue", "permit_expired"}
DOUBT_NS = 30 * NS // 1000
"""An age must be too great at two ticks: the first one may precede the very batch that ends it."""

#: Reasons a person should hear of: alert name, severity, text.
ALERTS = {
    "position_disagrees": (
        "PositionDisagrees",
        Severity.CRITICAL,
        "fills and account differ on the position: no quotes",
    ),
    "delisted": ("MarketDelisted", Severity.CRITICAL, "the venue has delisted the market: no quotes"),
    "high_vol": ("HighVolatilityPause", Severity.WARNING, "volatility above the pause level: no quotes"),
    "bid_fade_pause": ("BidsPaused", Severity.WARNING, "bids withheld after a losing streak"),
    "ask_fade_pause": ("AsksPaused", Severity.WARNING, "asks withheld after a losing streak"),
    "fade_pause": ("MarketPaused", Severity.WARNING, "both sides withheld after a losing streak"),
}


class QuoteEngine:
    """Decide which quotes should rest for one coin."""

    wants_batch_end = True

    def __init__(self, settings: Settings, calendar: Calendar | None = None, vol: VolModel | None = None) -> None:
        """`calendar`: sessions of the underlying, None = it trades all day; `vol`: instead of the configured one."""
        self._q = settings.quoting
        self.vol_model = vol or model_of(settings.quoting)
        self.coin = settings.market.coin
        self.pace = Pace()
        self.view = MarketView()
        self.own = OwnOrders()
        self.outlook = Outlook(self._q.forecast_weight, self._q.reference_coins)
        self.past = FairPast()
        self.edge_gate = EdgeGate(settings)
        self.queue = QueueBook()
        self.inventory = Inventory(self.coin)
        self.gate = Gate(settings)
        self.sessions = Sessions(settings, calendar)
        self.fade_horizon_s = round(self._q.fade_horizon_s)
        self.markouts = Markouts(tuple(sorted({*HORIZONS_S, self.fade_horizon_s})))
        self.state, self.ints = new_state()
        self.params = make_params(settings)
        self.publisher = Publisher(settings, self.pace, self.view, self.state, self.ints, self.params)
        self._book, self._target, self._signals = new_book(), new_out(), new_signals()
        self._data_mono_ns: int | None = None
        self._sent_mono_ns = 0
        self._decided_t_ns = 0
        self._doubt_mono_ns: int | None = None
        self._dirty = False  # something a decision rests on has changed
        self._adapt = False  # ... and even a small difference matters
        self._out: list[Any] = []
        self._handlers: dict[type, Callable[[Any], None]] = {
            Tick: self._on_tick, BatchEnd: self._on_batch_end, Touch: self._on_market, BookUpdate: self._on_market,
            AssetContext: self._on_context, MarketSpec: self._on_spec, Fill: self._on_fill,
            OrderUpdate: self._on_order, AccountState: self._on_account, RiskPermit: self._on_permit,
            Command: self._on_command, Replayed: self._on_replayed, Stop: self._on_stop,
            TradePrint: self._on_print, Gap: self._on_gap, Model: self._on_model, EdgeKept: self._on_edge_kept,
        }  # fmt: skip

    def on(self, event: Any) -> list[Any]:
        """Apply one event; messages for the bus and effects for the shell come out."""
        if getattr(event, "coin", self.coin) != self.coin:
            return self._on_reference(event)
        handler = self._handlers.get(type(event))
        if handler is None:
            return []
        self._out = []
        handler(event)
        return self._out

    @property
    def ladder(self) -> Ladder | None:
        """The newest one sent."""
        return self.publisher.ladder

    def signals(self) -> Any:
        """Book signals (`signals.py`, `G_*`) of the newest book; the vector is used again with the next call."""
        weight = deep_share(self.view.venue_t_ns, self.view.deep_t_ns)
        read_signals(self._book, self._signals, self.view.fast_levels, weight, self._q.thin_ratio)
        return self._signals

    @property
    def mood(self) -> str:
        """One word for people: quoting, or the first reason why not."""
        if self.ladder is None:
            return "starting"
        if self.publisher.is_quoting:
            return "quoting"
        return self.ladder.reasons[0] if self.ladder.reasons else "quiet"

    # ------------------------------------------------------------------ time
    def _on_tick(self, tick: Tick) -> None:
        self.pace.tick(tick)
        if self.sessions.on_tick(tick, self.state):
            self._dirty = self._adapt = True
        self._out += self.sessions.warning(tick.t_ns)
        self.markouts.on_time(self.pace.t_ns)
        self._judge_edge()
        blocked = self._blocked()
        if self._is_in_doubt(blocked, tick.mono_ns):
            return
        due = self.pace.t_ns - self._decided_t_ns >= self._q.rebalance_interval_s * NS
        if due or self._dirty or self.ladder is None or (blocked and self.publisher.is_quoting):
            self._decide()
        if self.ladder is not None and tick.mono_ns - self._sent_mono_ns >= self._q.renew_s * NS:
            self._send(self.publisher.renew(self.ladder, self._target))

    def _judge_edge(self) -> None:
        """Say so when our own fills show no edge here; where the gate enforces, stop."""
        if self.publisher.is_quoting:
            self.edge_gate.on_quoted(self.pace.t_ns)
        if self.edge_gate.look(self.pace.t_ns, SETTLED_NS):
            self._say_no_edge()

    def _say_no_edge(self) -> None:
        does = "the market is stopped" if self.edge_gate.enforces else "EDGE_GATE=warn: quoting goes on"
        severity = Severity.CRITICAL if self.edge_gate.enforces else Severity.WARNING
        self._out.append(Alert(self.pace.t_ns, "NoEdge", severity, f"{self.edge_gate.why}: {does}"))
        self._dirty = self._adapt = True

    @property
    def _leaves(self) -> bool:
        """Whether the edge gate lets us do nothing but get rid of the position."""
        return self.edge_gate.stopped and self.edge_gate.enforces

    def _is_in_doubt(self, blocked: list[str], mono_ns: int) -> bool:
        """Whether only ages speak against the shown quotes, and only since now: neither withdraw nor renew them yet."""
        if not self.publisher.is_quoting or not blocked or not AGES.issuperset(blocked):
            self._doubt_mono_ns = None
            return False
        if self._doubt_mono_ns is None:
            self._doubt_mono_ns = mono_ns
        return mono_ns - self._doubt_mono_ns < DOUBT_NS

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
        if isinstance(message, Touch):
            self.queue.on_book(message.venue_t_ns, view.bids, view.asks, 1)
        else:
            self.queue.on_book(message.fast_t_ns, view.bids, view.asks, view.fast_levels)
        self.ints[I_FAST_LEVELS], self.ints[I_DEEP_T] = view.fast_levels, view.deep_t_ns
        self.outlook.on_market(message, view, self._book)
        self.outlook.expect(self.state)
        if analyse(self.state, self.ints, self.params, self._book, t_ns):
            see_mid(self.state, self.ints, self.params, self.state[S_MID], t_ns)
            if self.vol_model is not None:
                wall_ns = t_ns + self.sessions.offset_ns
                self.state[S_VOL_MODEL] = self.vol_model.see(float(self.state[S_MID]), t_ns, wall_ns)
            self._learn(self.markouts.on_mid(t_ns, view.bids[0][0] + view.asks[0][0]))

    def _on_reference(self, event: Any) -> list[Any]:
        """Another market's message: a reference's mid is news for the forecast, all else is not for us."""
        if isinstance(event, Touch | BookUpdate) and self.outlook.on_reference(event):
            self.pace.see(event.t_ns)
            self.outlook.expect(self.state)
            self._dirty = True
        return []

    def _on_print(self, trade: TradePrint) -> None:
        self.pace.see(trade.t_ns)
        self.outlook.on_print(trade)
        self.queue.on_print(trade)
        see_depth(self.state, self.ints, self.params, trade.px_u, trade.venue_t_ns)

    def _on_gap(self, gap: Gap) -> None:
        if gap.stream == MD.of(self.coin):
            self.outlook.on_gap()

    def _on_model(self, model: Model) -> None:
        self.outlook.install(model.card)
        self.edge_gate.on_model(model.card.seal if model.card else None)
        self._dirty = True

    def _on_edge_kept(self, event: EdgeKept) -> None:
        if event.kept is None:
            self.edge_gate.distrust()
        else:
            self.edge_gate.take_up(event.kept)
        if self.edge_gate.stopped:
            self._say_no_edge()

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
            self.past.on_fill(fill)
            self.queue.on_fill(fill)
            self._learn(self.markouts.on_fill(fill))

    def _on_order(self, update: OrderUpdate) -> None:
        self.pace.see(update.t_ns)
        self.own.on_update(update)
        self.queue.on_order(update)

    def _on_account(self, account: AccountState) -> None:
        self.pace.see(account.t_ns)
        self.gate.account = account
        self.inventory.on_account(account)
        self.state[S_EQUITY] = account.equity_e8 / 1e8
        if account.maker_fee_ppb is not None:
            fee_bps = account.maker_fee_ppb / PPB_PER_BPS
            if fee_bps != self.state[S_FEE]:
                self._dirty = self._adapt = True
            self.state[S_FEE] = fee_bps
            self.edge_gate.on_fee(account.maker_fee_ppb)
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
        if command.verb in (Verb.ARM, Verb.RESUME):
            self.edge_gate.rearm()
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
            if scored.horizon_s == HORIZON_S:
                usd = fill.px_u * fill.sz_u / 1e6
                self.edge_gate.on_score(fill.venue_t_ns, scored.bps - fill.fee_e8 / usd / 1e4, usd)
            if fill.liquidity is not Liquidity.MAKER:
                continue
            side = BID_SIDE if fill.side is Side.BID else ASK_SIDE
            if scored.horizon_s == self.fade_horizon_s:
                usd = fill.px_u * fill.sz_u / 1e6
                fades = self._fades()
                learn_score(self.state, self.ints, self.params, side, scored.bps, usd, self.pace.t_ns)
                learn_mode(self.state, self.ints, self.params, scored.bps, usd)
                if self._fades() != fades:
                    self._dirty = self._adapt = True
            if scored.horizon_s == HORIZON_S and (distance_bps := self.past.take(fill)) is not None:
                learn_reach(self.state, self.ints, side, distance_bps, distance_bps - scored.bps)

    def _fades(self) -> list[Any]:
        """What own fills say of distances, sizes, pauses and the mode."""
        return [
            *numbers(self.state, S_FADE_BASE, S_FADE_BASE + 2),
            *numbers(self.ints, I_HALF_T, I_HALF_T + 2),
            *numbers(self.ints, I_PAUSE_T, I_PAUSE_T + 2),
            int(self.ints[I_MODE]),
        ]

    # ------------------------------------------------------------------ decide and publish
    def _blocked(self) -> list[str]:
        """Why nothing may be quoted now; asking also settles a lasting difference about the position."""
        taken_over = self.inventory.take_overs
        reasons = self.gate.reasons(self.pace, self.inventory, self.view.venue_t_ns, self._data_mono_ns)
        if self.inventory.take_overs > taken_over:
            text = f"position taken over from the venue: {self.inventory.position_u} sz_u"
            self._out.append(Alert(self.pace.t_ns, "PositionTakenOver", Severity.WARNING, text))
        if self._leaves and self.inventory.position_u == 0:
            reasons.append(NO_EDGE)
        return reasons

    def _decide(self) -> None:
        """Compute the target; publish it when it differs enough from what is shown."""
        reasons = blocked = self._blocked()
        self._hold_position()
        if blocked:
            self._target[:] = [0] * O_LEN
        else:
            permit = self.gate.permit
            self.ints[I_REDUCING] = int(self._leaves or (permit is not None and permit.mode is Mode.REDUCING))
            quote_sides(self.state, self.ints, self.params, self._book, self.pace.t_ns, self._target)
            self.past.decided(self.pace.t_ns, float(self.state[S_FAIR]))
            reasons = words_of(self._target) + ([NO_EDGE] if self._leaves else [])
        urgent = self.publisher.has_run_away()
        if urgent or self.publisher.differs(self._target, reasons, adapt=self._adapt):
            before = self.ladder.reasons if self.ladder else []
            record = None if blocked else record_of(self.state, self.ints, self.params, self._book, self._target)
            self._send(self.publisher.publish(self._target, reasons, urgent=urgent, record=record))
            news = [word for word in reasons if word in ALERTS and word not in before]
            self._out += [Alert(self.pace.t_ns, *ALERTS[word]) for word in news]
        self._decided_t_ns = self.pace.t_ns
        self._doubt_mono_ns = None
        self._dirty = self._adapt = False

    def _send(self, ladder: Ladder) -> None:
        self._sent_mono_ns = self.pace.mono_ns or 0
        self._out += [ladder, Figures(ladder, self.view, self.inventory.position_u)]
