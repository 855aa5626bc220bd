"""The executor's core: what should rest + leave to trade + what the venue says -> signed actions, one event at a time.

Joins the newest ladder with a fresh permit (`gates`), finds the fewest changes (`diff`), has each judged (`checks`)
and paid for (`governor`), and hands them to the `tracker`, which follows every order to its proven end. Money is
`account`'s, comparing with the venue `reconcile`'s. Time comes as `Clock` (or Tick) events; machine time decides
safety, market time everything else. Effects are carried out by the shell in the order given.
"""

from __future__ import annotations

from typing import Any

import msgspec

from common.clock import NS
from common.config import Settings
from common.events import Link
from common.messages import (
    Alert,
    AssetContext,
    BookUpdate,
    Command,
    Fill,
    FundingPayment,
    Gap,
    Ladder,
    MarketSpec,
    OrderState,
    RiskPermit,
    Severity,
    Side,
    Tick,
    Touch,
    Verb,
)
from common.orders import level_of
from common.streams import CONTROL, MD, PERMIT, QUOTES
from executor.account import Account
from executor.events import (
    AccountSeen,
    ActionReply,
    Clock,
    Facts,
    FeesRead,
    FillSeen,
    FrameRefused,
    FundingSeen,
    JournalTrouble,
    KillFile,
    Latch,
    OrderSeen,
    Recovered,
    Refusal,
    Snapshot,
    SnapshotFailed,
    StatusAnswer,
    Stop,
    StoreFill,
    StoreFunding,
    TopUp,
    Unlatch,
    UserStream,
)
from executor.fees import Fees
from executor.gates import Gates, Stance
from executor.governor import Governor
from executor.lookout import RETRY_NS, Lookout
from executor.nonce import Nonces
from executor.plan import PLAN_EVERY_NS
from executor.planner import Planner
from executor.reconcile import compare
from executor.reference import Reference
from executor.tracker import Tracker

STATE_EVERY_NS = NS // 2
UNANSWERED_MAX = 2
"""Actions in a row without an answer after which the venue is looked at before anything new is sent."""

POWERLESS_NS = NS
"""Orders that must go and do not for this long (machine time) are the dead-man process' business too: it hears of us
again when they have gone, and acts when it has not for 2 s. A cancel in health is answered in a fraction of it."""

FORGET_EVERY_NS = 5 * NS
COMMANDS_KEPT = 1_000


class ExecutorEngine:
    """One market, one signer."""

    def __init__(self, settings: Settings, *, epoch: int, latched: tuple[int, str] | None) -> None:
        execution = settings.execution
        self.coin = settings.market.coin
        self.now = Clock(0, 0)
        self.gates = Gates(execution)
        self.gates.latched = latched
        self.governor = Governor(execution)
        self.account = Account(self.coin)
        self.fees = Fees(self.coin, execution.fee_tolerance)
        self.reference = Reference(execution.reference_age_s)
        self.tracker = Tracker(
            self.coin, epoch, Nonces(), execution.batch_max, execution.expires_after_s, execution.queue_age_s
        )
        self.planner = Planner(
            settings,
            gates=self.gates,
            tracker=self.tracker,
            account=self.account,
            governor=self.governor,
            reference=self.reference,
        )
        self.stance, self.why = Stance.CANCEL, "starting"
        self.lookout = Lookout(execution.reconcile_s)
        self._state_mono_ns = self._plan_mono_ns = self._forget_mono_ns = -FORGET_EVERY_NS
        self._commands: dict[str, None] = {}
        self._unanswered = 0
        self._clearing_mono_ns: int | None = None  # since when orders rest that must go

    @property
    def powerless(self) -> bool:
        """What must go still rests: cut off from the venue, we had better not claim to be there."""
        since = self._clearing_mono_ns
        return since is not None and self.now.mono_ns - since > POWERLESS_NS

    @property
    def in_control(self) -> bool:
        """The venue has been seen to agree with us once."""
        return self.lookout.in_control

    # ------------------------------------------------------------------ events
    def on(self, event: Any) -> list[Any]:
        """Apply one event; messages and effects to publish and carry out, in order."""
        match event:
            case Tick():
                self.now = Clock(event.t_ns, event.mono_ns, self.now.rate)
                return self._on_tick()
            case Clock():
                self.now = event
                return []
            case Ladder():
                return self._on_ladder(event)
            case RiskPermit():
                return self._on_permit(event)
            case Touch():
                self.reference.on_touch(event, self.now.mono_ns)
                return []
            case BookUpdate():
                self.reference.on_book(event, self.now.mono_ns)
                return []
            case AssetContext():
                self.reference.on_context(event, self.now.mono_ns)
                self.account.on_mark(event.mark_px_u)
                return []
            case ActionReply():
                return self._then_plan(self._on_reply(event))
            case OrderSeen():
                return self._then_plan(self._on_order(event))
            case FillSeen():
                return self._then_plan(self._on_fill(event.fill))
        return self._on_rare(event)

    def _on_rare(self, event: Any) -> list[Any]:
        match event:
            case FundingSeen():
                return self._on_funding(event.payment)
            case StatusAnswer():
                return self._then_plan(list(self.tracker.on_answer(event, self.now)))
            case AccountSeen():
                return self._on_account(event)
            case Snapshot():
                return self._then_plan(self._on_snapshot(event))
            case SnapshotFailed():
                self.lookout.failed(self.now)
                return []
            case UserStream():
                return self._on_stream(event)
            case TopUp():
                return list(self.tracker.reserve(self.now)) if self.tracker.facts is not None else []
            case FrameRefused():
                return self._doubt("frame_refused")
            case Recovered():
                return self._on_recovered(event)
            case Command():
                return self._on_command(event)
            case KillFile():
                return self._on_kill_file(event)
            case MarketSpec():
                return self._on_spec(event)
            case Facts():
                return self._on_facts(event)
            case FeesRead():
                return self._on_fees(event)
            case Gap():
                return self._on_gap(event)
            case Link():
                return self._on_link(event)
            case JournalTrouble():
                self.gates.journal_ok = False
                return [self._alert("JournalFailed", Severity.EMERGENCY, event.text), *self._plan()]
            case Stop():
                self.gates.stopping = True
                return self._plan()
        return []

    def _on_link(self, link: Link) -> list[Any]:
        """Without Redis we are blind to permit, target and kill: everything goes, and only fresh ones bring it back."""
        self.gates.link_up = link.up
        if link.up:
            return []
        self.gates.forget_ladder()
        self.gates.forget_permit()
        return [*self._doubt("redis"), *self._plan()]

    # ------------------------------------------------------------------ targets and leave
    def _on_ladder(self, ladder: Ladder) -> list[Any]:
        before = self.gates.ladder.version if self.gates.ladder else -1
        refused = self.gates.on_ladder(ladder, self.now)
        if refused:
            return [Refusal(refused)]
        if ladder.version == before:
            return []
        self.planner.new_ladder(ladder)
        return self._plan(prompt=True)

    def _on_permit(self, permit: RiskPermit) -> list[Any]:
        before = self.gates.permit.mode if self.gates.permit else None
        refused = self.gates.on_permit(permit, self.now)
        if refused:
            return [Refusal(refused)]
        return self._plan() if permit.mode is not before else []

    def _on_spec(self, spec: MarketSpec) -> list[Any]:
        """The feed's own look at the market must lead to the same asset as ours."""
        facts = self.tracker.facts
        if facts is None:
            return []
        self.gates.spec_agrees = (
            spec.coin == self.coin
            and spec.asset_id == facts.asset_id
            and spec.sz_decimals == facts.sz_decimals
            and not spec.is_delisted
        )
        return []

    def _on_gap(self, gap: Gap) -> list[Any]:
        if gap.stream == MD.of(self.coin):
            return []  # the ages of touch and context decide
        if gap.missed < 0 and gap.stream == QUOTES.of(self.coin):
            self.gates.forget_ladder()
        elif gap.missed < 0 and gap.stream == PERMIT.of():
            self.gates.forget_permit()
        elif gap.missed > 0 and gap.stream.startswith(CONTROL.of("")):
            return [self._alert("CommandsMissed", Severity.CRITICAL, f"{gap.missed} commands never arrived")]
        return []

    def _on_recovered(self, past: Recovered) -> list[Any]:
        self.tracker.nonces.start_above(past.last_nonce)
        self.lookout.past_actions(past.last_expiry_ms)
        self.account.seed(past.fills, past.fundings)
        return []

    def _on_facts(self, facts: Facts) -> list[Any]:
        self.tracker.facts = facts
        self.fees.begin(facts.maker_ppb, facts.taker_ppb, self.now)
        self._take_fees()
        return self._doubt("start")

    def _on_fees(self, read: FeesRead) -> list[Any]:
        """Told to everybody with the next AccountState; unknown fees take all quotes away."""
        told = self.fees.on_read(read, self.now)
        self._take_fees()
        self.gates.fees_lost = not self.fees.known
        return [*told, *self._state(), *self._plan()] if told else []

    def _take_fees(self) -> None:
        self.account.maker_ppb, self.account.taker_ppb = self.fees.maker_ppb, self.fees.taker_ppb
        self.gates.facts_known = self.fees.known

    # ------------------------------------------------------------------ people
    def _on_command(self, command: Command) -> list[Any]:
        """Each command once by its id; an old `arm` (epoch not above the kill's) clears nothing."""
        if command.id in self._commands:
            return []
        self._commands[command.id] = None
        if len(self._commands) > COMMANDS_KEPT:
            del self._commands[next(iter(self._commands))]
        out: list[Any] = []
        match command.verb:
            case Verb.KILL:
                out = self._latch(command.arm_epoch, command.reason)
            case Verb.ARM:
                out = self._arm(command.arm_epoch)
            case Verb.PAUSE:
                self.gates.paused = True
            case Verb.RESUME:
                self.gates.paused = self.gates.draining = False
            case Verb.DRAIN:
                self.gates.draining = True
        return out + self._plan()

    def _on_kill_file(self, file: KillFile) -> list[Any]:
        self.gates.kill_file = file.present
        return (self._latch(file.epoch, file.reason) if file.present else []) + self._plan()

    def _latch(self, epoch: int, reason: str) -> list[Any]:
        held = self.gates.latched
        if held is not None and held[0] >= epoch:
            return []
        self.gates.latched = (epoch, reason)
        return [Latch(epoch, reason)]

    def _arm(self, epoch: int) -> list[Any]:
        held = self.gates.latched
        if held is None or not epoch > held[0]:
            return []
        self.gates.latched = None
        return [Unlatch(epoch)]

    # ------------------------------------------------------------------ the venue
    def _on_reply(self, reply: ActionReply) -> list[Any]:
        out = self.tracker.on_reply(reply, self.now)
        self._unanswered = self._unanswered + 1 if reply.outcome == "unknown" else 0
        if self._unanswered >= UNANSWERED_MAX:
            out += self._doubt("no_answer")
        if reply.reason.startswith("Too many cumulative requests"):
            self.governor.exhausted()
            self.lookout.want("", RETRY_NS, self.now)
        return out

    def _on_order(self, seen: OrderSeen) -> list[Any]:
        strangers = self.tracker.table.strangers
        out: list[Any] = list(self.tracker.on_seen(seen, self.now))
        if self.tracker.table.strangers > strangers and seen.status == "open":
            out += self._doubt("stranger")
        return out

    def _on_fill(self, fill: Fill) -> list[Any]:
        """A fill counts once: durable first, then told, with the ladder level and the mid at its arrival."""
        full = msgspec.structs.replace(fill, level=level_of(fill.cloid), mid2_px_u=self.reference.mid2())
        if not self.account.on_fill(full):
            return []
        self._state_mono_ns = -FORGET_EVERY_NS
        return [StoreFill(full), full, *self.fees.on_fill(full, self.now), *self.tracker.on_fill(full, self.now)]

    def _on_funding(self, payment: FundingPayment) -> list[Any]:
        return [StoreFunding(payment), payment] if self.account.on_funding(payment) else []

    def _on_stream(self, stream: UserStream) -> list[Any]:
        """What happened while it was down is not told again: look before the next quote."""
        self.gates.on_stream(stream.up, self.now)
        return self._doubt("user_stream") if stream.up else []

    def _on_account(self, seen: AccountSeen) -> list[Any]:
        agreed = self.account.agrees
        self.account.on_seen(seen)
        if agreed and not self.account.agrees:
            return self._doubt("position")
        return []

    def _on_snapshot(self, snapshot: Snapshot) -> list[Any]:
        self.account.on_seen(snapshot.account)
        if snapshot.budget is not None:
            self.account.accept()
            self.governor.reconcile(*snapshot.budget)
        found = compare(self.tracker, snapshot, self.coin, self.now)
        self.lookout.seen("strays" if found.strays else "missing_orders" if found.missing else "", self.now)
        self._state_mono_ns = -FORGET_EVERY_NS
        out = [*found.out, *self.tracker.cancel(found.strays, self.now)]
        return out + [Refusal("stray_order", order.cloid) for order in found.strays]

    def _doubt(self, reason: str) -> list[Any]:
        """Nothing new until the venue has been looked at again."""
        self.lookout.want(reason, 0, self.now)
        return self._look()

    def _look(self) -> list[Any]:
        return list(self.lookout.due(self.now)) if self.tracker.facts is not None else []

    # ------------------------------------------------------------------ time
    def _on_tick(self) -> list[Any]:
        now = self.now
        self.governor.refill(now.t_ns, self.tracker.count(OrderState.OPEN))
        out: list[Any] = [*self.tracker.ask(now)]
        out += self._look()
        if now.mono_ns - self._plan_mono_ns >= PLAN_EVERY_NS or self._judge()[0] is not self.stance:
            out += self._plan()
        if now.mono_ns - self._forget_mono_ns >= FORGET_EVERY_NS:
            self._forget_mono_ns = now.mono_ns
            self.tracker.forget(now)
        if now.mono_ns - self._state_mono_ns >= STATE_EVERY_NS:
            out += self._state()
        return out

    def _state(self) -> list[Any]:
        self._state_mono_ns = self.now.mono_ns
        table = self.tracker.table
        unknown = self.tracker.count(OrderState.UNKNOWN)
        doubt = self.lookout.told(self.now) or ("" if self.account.agrees else "position")
        state = self.account.state(self.now.t_ns, self.governor, len(table.live()), unknown, doubt)
        return [state] if state is not None else []

    def _then_plan(self, out: list[Any]) -> list[Any]:
        return out + self._plan() if out else out

    def _judge(self) -> tuple[Stance, str]:
        return self.gates.judge(self.now, self.lookout.doubt)

    def _plan(self, *, prompt: bool = False) -> list[Any]:
        self._plan_mono_ns = self.now.mono_ns
        self.stance, self.why = self._judge()
        if self.stance is Stance.HOLD:
            out = self._withdrawn()
        elif self.stance is Stance.CANCEL:
            out = self.tracker.cancel(self.tracker.table.live(), self.now) if self.tracker.facts is not None else []
        else:
            out = self.planner.plan(self.now, prompt=prompt)
        self.governor.spent(self.tracker.take_sent())
        clearing = self.stance is Stance.CANCEL and bool(self.tracker.table.live())
        self._clearing_mono_ns = (self._clearing_mono_ns or self.now.mono_ns) if clearing else None
        return out

    def _withdrawn(self) -> list[Any]:
        """What the newest ladder wants none of goes, even while nothing new may be sent.

        A quoter that withdraws for old data says so on old data, so that such a ladder always finds us holding.
        """
        ladder = self.gates.ladder
        if ladder is None or self.tracker.facts is None:
            return []
        empty = {side for side, levels in ((Side.BID, ladder.bids), (Side.ASK, ladder.asks)) if not levels}
        return self.tracker.cancel([o for o in self.tracker.table.live() if o.side in empty], self.now)

    def _alert(self, name: str, severity: Severity, text: str) -> Alert:
        return Alert(self.now.t_ns, name, severity, text[:500])
