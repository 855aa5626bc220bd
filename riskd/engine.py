"""The risk engine: everything that is known of the account, folded into a permit every 250 ms.

Events in: fills, account (executor) and wallet (monitor), touch and context, heartbeats, commands, the kill file, Tick.
Out: RiskPermit, Alert, Command (a kill), and effects for the shell. The permit lives 1.5 s of machine time; who does
not get the next one only cancels. This room measures the figures; `limits.py` says what they mean, `control.py` what
people ordered, `session.py` what survives a crash. Nothing is permitted before the first Tick, the first look at the
kill file and the first reconciled account.
"""

from __future__ import annotations

from typing import Any

from common.clock import NS
from common.config import Settings
from common.events import Replayed
from common.kernel import state
from common.ledger import Ledger
from common.markout import Markouts, Scored
from common.messages import (
    AccountState,
    AccountView,
    AssetContext,
    BookUpdate,
    Command,
    Fill,
    FundingPayment,
    Gap,
    Heartbeat,
    Mode,
    RiskPermit,
    Tick,
    Touch,
)
from common.streams import CONTROL, FILLS
from riskd import limits, losses, margin, streak
from riskd.alerts import Alerts
from riskd.control import Control
from riskd.events import ClockRate, KillSeen, Shown
from riskd.limits import Limits, Verdict
from riskd.opinions import Opinions
from riskd.session import Session
from riskd.taker import TakerWindow

E8 = 1e8
E6 = 1e6
BEAT_AGE_S = 5.0
"""Services not heard for longer do not count when builds are compared (machine time)."""
SAVE_EVERY_S = 1.0
"""A rising peak is saved at most this often; everything else at once."""


class RiskEngine:
    """One account, one market."""

    def __init__(self, settings: Settings, session: Session, identity: tuple[str, int, str]) -> None:
        """`session`: what an earlier life left. `identity`: our build, schema and configuration hash."""
        self.risk = settings.risk
        self.coin = settings.market.coin
        paper = settings.network == "paper"
        if paper:
            session.arm_epoch = max(session.arm_epoch, 1)
        self.control = Control(session, armed=paper)
        self.session = session
        self.limits = Limits(self.risk)
        self.alerts = Alerts()
        self.opinions = Opinions()
        self.taker = TakerWindow()
        self.ledger = Ledger(self.coin)
        self.markouts = Markouts((streak.HORIZON_S,))
        self.figures = state(limits.FIGURES)
        self.account: AccountState | None = None
        self.verdict: Verdict | None = None
        self._streak = state(streak.SIZE)
        self._streak[streak.COUNT], self._streak[streak.LOSS_USD] = session.streak, session.streak_loss_usd
        self._streak_pause_t_ns = 0
        self._losing_bps = settings.quoting.fade_losing_bps
        self._identity = identity
        self._beats: dict[str, tuple[int, tuple[str, int, str]]] = {}
        self._mark_px_u = 0
        self._rate = 1.0
        self._t_ns = self._mono_ns = 0
        self._account_mono_ns = self._reconciled_mono_ns = self._market_mono_ns = 0
        self._gap = self._liquidated = False
        self._permit_mono_ns = self._saved_mono_ns = 0
        self._version = 0
        self._dirty = False

    # ------------------------------------------------------------------ events
    def on(self, event: Any) -> list[Any]:
        match event:
            case Tick():
                return self._on_tick(event)
            case Replayed():
                return self._on_past(event.message)
            case Touch():
                return self._on_touch(event)
            case BookUpdate():
                self._market_mono_ns = self._mono_ns
            case AssetContext():
                self._mark_px_u = event.mark_px_u
            case Fill():
                return self._on_fill(event)
            case FundingPayment():
                self._on_funding(event)
            case AccountState():
                return self._on_account(event)
            case AccountView():
                self.opinions.on_wallet(event.positions, self._mono_ns)
            case Command():
                out = self.control.on_command(event, self._t_ns, self._obstacle(), self._equity_e8())
                return self._after_command(out)
            case Heartbeat():
                self._beats[event.service] = (self._mono_ns, (event.build, event.schema, event.config_hash))
            case KillSeen():
                return [*self.control.on_file(event.kill), *self._judge()]
            case ClockRate():
                self._rate = event.rate
            case Gap():
                self._gap |= event.missed > 0 and event.stream.startswith((FILLS.of(""), CONTROL.of("")))
        return []

    def _on_tick(self, tick: Tick) -> list[Any]:
        if self._mono_ns == 0:
            self._version = tick.t_ns // 1_000_000  # above every version of an earlier life
        self._t_ns, self._mono_ns = tick.t_ns, tick.mono_ns
        self.taker.on_time(tick.t_ns)
        self.markouts.on_time(tick.t_ns)
        return [*self._judge(), *self._save()]

    def _on_past(self, message: Any) -> list[Any]:
        """History rebuilds what fills alone can tell; scores need mids, which are not kept: the state file has them."""
        if isinstance(message, Fill) and message.coin == self.coin:
            self.taker.on_fill(message)
            self.ledger.apply_fill(message)
        elif isinstance(message, FundingPayment):
            self._on_funding(message)
        return []

    def _on_touch(self, touch: Touch) -> list[Any]:
        self._market_mono_ns = self._mono_ns
        if touch.coin != self.coin or not (touch.bid_px_u and touch.ask_px_u):
            return []
        return self._score(self.markouts.on_mid(touch.venue_t_ns, touch.bid_px_u + touch.ask_px_u))

    def _on_fill(self, fill: Fill) -> list[Any]:
        if fill.coin != self.coin:
            return []
        self.taker.on_fill(fill)
        self.ledger.apply_fill(fill)
        self._liquidated |= fill.liquidation
        scored = self._score(self.markouts.on_fill(fill))
        return scored or (self._judge() if fill.liquidation else [])

    def _on_funding(self, payment: FundingPayment) -> None:
        if payment.coin == self.coin:
            self.ledger.apply_funding(payment)

    def _on_account(self, account: AccountState) -> list[Any]:
        self.account, self._account_mono_ns = account, self._mono_ns
        self.opinions.on_account(account.positions, self._mono_ns)
        if account.reconciled and self._mono_ns and self._account_age_s() <= self.risk.account_age_max_s:
            self._reconciled_mono_ns = self._mono_ns
            self._gap = False
            self._dirty |= self.session.on_equity(self._t_ns, account.equity_e8, self._earned_e8(account))
        return self._judge()

    def _after_command(self, out: list[Any]) -> list[Any]:
        """An `arm` begins a new session: the streak starts anew as well."""
        self._streak[streak.COUNT] = min(self._streak[streak.COUNT], self.session.streak)
        self._streak[streak.LOSS_USD] = min(self._streak[streak.LOSS_USD], self.session.streak_loss_usd)
        if self.control.armed and not self.control.killed:
            self._liquidated = False
        return [*out, *self._judge()]

    # ------------------------------------------------------------------ the streak
    def _score(self, scores: list[Scored]) -> list[Any]:
        for scored in scores:
            notional_usd = scored.fill.px_u * scored.fill.sz_u / E6
            count = streak.step(self._streak, scored.bps, notional_usd, self._losing_bps)
            if count >= self.risk.streak_pause:
                self._streak_pause_t_ns = self._t_ns + int(self.risk.streak_pause_s * NS)
            self.session.streak = float(self._streak[streak.COUNT])
            self.session.streak_loss_usd = float(self._streak[streak.LOSS_USD])
        return [*self._judge(), self.control.save(durable=False)] if scores else []

    # ------------------------------------------------------------------ figures -> verdict -> permit
    def _judge(self) -> list[Any]:
        """Measure, judge, kill if a rule says so, and send what is due."""
        if self._mono_ns == 0:
            return []
        out: list[Any] = []
        verdict = self._verdict()
        killers = [limit for limit in verdict.held if limit.latches]
        if killers and not self.control.killed:
            out += self.control.trip(", ".join(limit.name for limit in killers), self._t_ns)
            verdict = self._verdict()
        values = {limit.name: float(self.figures[limit.figure]) for limit in verdict.held}
        out += self.alerts.of(verdict.held, self._t_ns, self._mono_ns, values)
        before, self.verdict = self.verdict, verdict
        changed = before is None or _differs(before, verdict)
        if changed or self._mono_ns - self._permit_mono_ns >= int(self.risk.permit_every_s * NS):
            self._version += 1 if changed else 0
            self._permit_mono_ns = self._mono_ns
            out += [self._permit(verdict), self._shown(verdict), *self.control.retry()]
        return out

    def _verdict(self) -> Verdict:
        self._measure()
        return self.limits.verdict(self.figures, self._equity_e8() / E8, self.session.size_scale)

    def _measure(self) -> None:
        """Every figure of the table, each finite."""
        f, control, mono_ns = self.figures, self.control, self._mono_ns
        self._measure_money()
        f[limits.STREAK] = self._streak[streak.COUNT]
        f[limits.STREAK_PAUSED] = float(self._t_ns < self._streak_pause_t_ns)
        f[limits.TAKER] = self.taker.ratio if len(self.taker) >= self.risk.taker_min_fills else 0.0
        f[limits.ACCOUNT_AGE_S] = self._account_age_s()
        f[limits.UNRECONCILED_S] = self._age_s(self._reconciled_mono_ns)
        f[limits.MARKET_AGE_S] = self._age_s(self._market_mono_ns)
        f[limits.NO_ACCOUNT] = float(self._reconciled_mono_ns == 0)
        f[limits.MISMATCH] = float(self.opinions.mismatch(mono_ns))
        f[limits.GAP] = float(self._gap)
        f[limits.BUILDS] = float(self._builds_differ())
        flat = self._position_u() == 0 and self.account is not None
        f[limits.PAUSED] = float(self.session.paused)
        f[limits.DRAINING] = float(self.session.draining)
        f[limits.DRAINED] = float(self.session.draining and flat)
        f[limits.DISARMED] = float(not control.armed)
        f[limits.STARTING] = float(not control.looked)
        f[limits.LIQUIDATED] = float(self._liquidated)
        f[limits.KILLED] = float(control.killed)

    def _measure_money(self) -> None:
        f, equity_e8 = self.figures, self._equity_e8()
        if self.account is None or not self.session.began:
            return
        ratio = margin.margin_ratio(self.account.margin_used_e8 / E8, equity_e8 / E8)
        f[limits.MARGIN] = ratio
        f[limits.MARGIN_REDUCING] = margin.reducing(
            f[limits.MARGIN_REDUCING], ratio, self.risk.margin_critical, self.risk.margin_info
        )
        f[limits.DRAWDOWN] = min(self.session.drawdown(equity_e8), 1e6)
        f[limits.SESSION_LOSS] = self.session.loss_share(
            equity_e8, self.risk.session_loss_usd, self.risk.session_loss_ratio
        )
        f[limits.STREAK_KILL] = streak.kills(
            self._streak, float(self.risk.streak_kill), equity_e8 / E8, self.risk.streak_min_loss_ratio
        )
        f[limits.ADVERSE] = self._adverse()

    def _permit(self, verdict: Verdict) -> RiskPermit:
        return RiskPermit(
            t_ns=self._t_ns,
            version=self._version,
            mode=verdict.mode,
            size_scale=verdict.size_scale,
            spread_scale=verdict.spread_scale,
            soft_usd=verdict.soft_usd,
            hard_usd=verdict.hard_usd,
            margin_ratio=float(self.figures[limits.MARGIN]),
            drawdown=float(self.figures[limits.DRAWDOWN]),
            expires_t_ns=self._t_ns + int(self.risk.permit_ttl_s * NS * max(self._rate, 1e-3)),
            reasons=verdict.reasons[:32],
            arm_epoch=self.session.arm_epoch,
        )

    def _shown(self, verdict: Verdict) -> Shown:
        account, equity_e8 = self.account, self._equity_e8()
        return Shown(
            mode=verdict.mode,
            reasons=tuple(verdict.reasons),
            known=account is not None,
            kill_reason=self.control.kill_reason,
            kill_label=self.control.kill_label,
            equity_usd=equity_e8 / E8,
            peak_usd=self.session.peak_e8 / E8,
            margin_used_usd=account.margin_used_e8 / E8 if account else 0.0,
            margin_ratio=float(self.figures[limits.MARGIN]),
            drawdown=float(self.figures[limits.DRAWDOWN]),
            session_pnl_usd=(equity_e8 - self.session.start_e8) / E8 if account and self.session.began else 0.0,
            taker_ratio=self.taker.ratio,
            streak=int(self._streak[streak.COUNT]),
            streak_loss_usd=float(self._streak[streak.LOSS_USD]),
            session_loss_limit_usd=self.session.loss_limit_usd(
                self.risk.session_loss_usd, self.risk.session_loss_ratio
            ),
        )

    def _save(self) -> list[Any]:
        if not self._dirty or self._mono_ns - self._saved_mono_ns < SAVE_EVERY_S * NS:
            return []
        self._dirty, self._saved_mono_ns = False, self._mono_ns
        return [self.control.save(durable=False)]

    # ------------------------------------------------------------------ what is known
    def _equity_e8(self) -> int:
        return self.account.equity_e8 if self.account else 0

    def _position_u(self) -> int:
        positions = self.account.positions if self.account else []
        return sum(p.signed_u for p in positions if p.coin == self.coin)

    def _adverse(self) -> float:
        """How far the mark has moved against the open position, as a share of its entry."""
        for held in self.account.positions if self.account else []:
            if held.coin == self.coin:
                entry_px_u, mark_px_u = float(held.entry_px), float(self._mark_px_u)
                return float(losses.adverse_share(held.signed_u, entry_px_u, mark_px_u))
        return 0.0

    def _earned_e8(self, account: AccountState) -> int:
        """What the known fills earned, when they explain the whole position; else nothing is worked back."""
        if self.ledger.position_u != self._position_u() or (self.ledger.position_u and not self._mark_px_u):
            return 0
        return self.ledger.parts(self._mark_px_u).total_e8

    def _age_s(self, mono_ns: int) -> float:
        """Machine seconds since; 0 for what was never there (other rows speak for that)."""
        return max((self._mono_ns - mono_ns) / NS, 0.0) if mono_ns else 0.0

    def _account_age_s(self) -> float:
        """Since receipt, or by the message's own stamp: what a stream held from an earlier life is old at once."""
        if self.account is None:
            return 0.0
        stamped_s = (self._t_ns - self.account.t_ns) / NS / max(self._rate, 1e-3)
        return max(self._age_s(self._account_mono_ns), stamped_s)

    def _builds_differ(self) -> bool:
        oldest = self._mono_ns - int(BEAT_AGE_S * NS)
        return any(said != self._identity for heard, said in self._beats.values() if heard >= oldest)

    def _obstacle(self) -> str:
        """Why an `arm` would not be obeyed now."""
        risk = self.risk
        if not self.control.looked:
            return "the kill file was not looked at yet"
        if self.account is None or not self.account.reconciled or self._account_age_s() > risk.account_age_max_s:
            return "there is no fresh, reconciled account"
        if self._builds_differ():
            return "services run different builds or configurations"
        if margin.margin_ratio(self.account.margin_used_e8 / E8, self._equity_e8() / E8) > risk.margin_emergency:
            return "the margin ratio is an emergency"
        return ""


def _differs(before: Verdict, after: Verdict) -> bool:
    """Whether a reader must know at once; limits that follow equity can wait for the next renewal."""
    return (
        before.mode is not after.mode
        or before.size_scale != after.size_scale
        or before.spread_scale != after.spread_scale
        or before.held != after.held
        or (before.hard_usd == 0.0) != (after.hard_usd == 0.0)
    )


def is_trading(mode: Mode) -> bool:
    """Whether new orders may be sent at all."""
    return mode in (Mode.ACTIVE, Mode.REDUCING)
