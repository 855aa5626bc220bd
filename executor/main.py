"""The executor's shell: one process, one signer, one market; see `engine.py` for what it decides.

Starts the service loop with the desk as its hands, watches the kill file, tells the warden that it lives, looks at
the account, and on the way out cancels everything before it says goodbye.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from pathlib import Path
from typing import Any

import msgspec

from common import killfile, metrics
from common.build import build_id
from common.bus import Bus, RedisBus, Subscription
from common.clock import NS, mono_ns, wall_ns
from common.config import Settings
from common.errors import ConfigError, Refused
from common.fees import PPB_PER_BPS
from common.hyperliquid import InfoClient
from common.log import get_log
from common.messages import SCHEMA, AccountState, Alert, Fill, Heartbeat, Liquidity, Severity, Side
from common.service import Service
from common.streams import CONTROL, MD, PERMIT, QUOTES
from common.weights import Weights
from executor import wire
from executor.deadman import (
    BEAT_S,
    ENCODE,
    EXECUTOR_SOCKET,
    ORDERS_MAX,
    TO_EXECUTOR,
    WARDEN_SOCKET,
    Beat,
    Goodbye,
    Line,
)
from executor.desk import Desk
from executor.engine import ExecutorEngine
from executor.events import KillFile, Stop, TopUp
from executor.gates import Stance
from executor.journal import Journal
from executor.startup import prepare
from executor.transport import Transport
from executor.venue import Signer, assert_fast_curve

TICK_S = 0.05
MD_PACE_S = 0.02
"""The market is its reference for checks; what it acts on at once is ladder, permit and command."""

KILL_WATCH_S = 0.05
TOP_UP_S = 0.1
ACCOUNT_S = 2.0
PUBLISHED_S = 1.0
STOP_S = 5.0
LOOK_RETRY_S = 0.5
WARDEN_SILENT_S = 10.0
HEARTBEAT_S = 0.5
WEIGHT_PATIENCE_S = 30.0
"""A look or a start that has paid for its first requests waits for the others: giving up would waste what it paid."""

log = get_log("executor")


class Executor:
    """The running process around one engine."""

    def __init__(self, settings: Settings, engine: ExecutorEngine, desk: Desk, agent: str, epoch: int) -> None:
        self._settings = settings
        self._engine = engine
        self._desk = desk
        self._agent = agent
        self._epoch = epoch
        self._line: Line | None = None
        self._beats = 0
        self._heard_mono_ns = 0
        self._heard_state = ""
        self._warden_missed = False
        self._unpublished: list[tuple[int, str, int]] = []
        self._warden_path = str(settings.deadman_dir / WARDEN_SOCKET)

    async def run(self, bus: Bus) -> int:
        coin = self._settings.market.coin
        service = Service(
            self._settings,
            self,
            bus,
            subscriptions=[
                Subscription(MD, MD.of(coin), pace_s=MD_PACE_S),
                Subscription(QUOTES, QUOTES.of(coin)),
                Subscription(PERMIT, PERMIT.of()),
                *(Subscription(CONTROL, CONTROL.of(writer)) for writer in CONTROL.writers),
            ],
            tick_s=TICK_S,
            effect=self._desk.effect,
            state=self.state,
        )
        self._desk.service, self._desk.placed = service, self._say_alive
        self._begin_metrics()
        self._line = Line(self._settings.deadman_dir / EXECUTOR_SOCKET, self._hear)
        service.spawn(prepare(self._settings, self._desk), "start-up")
        service.spawn(self._watch_kill_file(), "kill file")
        service.spawn(self._top_up(), "nonces")
        service.spawn(self._beat(), "beats to the warden")
        service.spawn(self._follow_account(), "account")
        service.spawn(self._note_published(), "published fills")
        service.on_stop.append(self._cancel_all)
        try:
            return await service.run()
        finally:
            self._line.close()

    def on(self, event: Any) -> list[Any]:
        """The engine's answer, with what people watch taken from it."""
        out = self._engine.on(event)
        for item in out:
            if isinstance(item, AccountState):
                self._measure(item)
            elif isinstance(item, Fill):
                self._unpublished.append((item.venue_t_ns, item.coin, item.tid))
        return out

    def state(self) -> str:
        return self._engine.stance.value + (f" {self._engine.why}" if self._engine.why else "")

    def _begin_metrics(self) -> None:
        """Every counter at 0, so that the first of each is an increase; and the latch of an earlier life."""
        coin = self._settings.market.coin
        for liquidity in Liquidity:
            metrics.count("amm_fee_differences_total", 0, coin=coin, liquidity=liquidity.value)
            for side in Side:
                labels = {"coin": coin, "side": side.name.lower(), "liquidity": liquidity.value}
                metrics.count("amm_fills_total", 0, **labels)
                metrics.count("amm_fill_notional_usd_total", 0, **labels)
        for reason in wire.WORDS:
            metrics.count("amm_order_rejects_total", 0, reason=reason)
        metrics.count("amm_ws_reconnects_total", 0, channel="user")
        metrics.set("amm_kill_switch_tripped", float(self._engine.gates.latched is not None), reason="executor")

    def _measure(self, state: AccountState) -> None:
        coin = self._settings.market.coin
        metrics.set("amm_open_orders", state.open_orders, coin=coin)
        metrics.set("amm_unknown_orders", state.unknown_orders, coin=coin)
        metrics.set("amm_governor_tokens", state.governor_tokens, account="main")
        self._measure_terms()
        for liquidity, ppb in ((Liquidity.MAKER, state.maker_fee_ppb), (Liquidity.TAKER, state.taker_fee_ppb)):
            if ppb is not None:
                metrics.set("amm_fee_rate_bps", ppb / PPB_PER_BPS, coin=coin, liquidity=liquidity.value)
        remaining = state.actions_cap - state.actions_used
        metrics.set("amm_rate_limit_remaining_requests", remaining, account="main")
        metrics.set("amm_trading_enabled", float(self._engine.stance is Stance.QUOTE))

    def _measure_terms(self) -> None:
        """What moving an order is worth and costs."""
        coin, terms = self._settings.market.coin, self._engine.planner.terms
        metrics.set("amm_action_price_usd", terms.price_usd, account="main")
        for side, band_bps in terms.bands.items():
            metrics.set("amm_requote_hold_bps", band_bps, coin=coin, side=side.name.lower())
        gained_usd, paid_usd = terms.take()
        metrics.count("amm_requote_gain_usd_total", gained_usd, coin=coin)
        metrics.count("amm_requote_cost_usd_total", paid_usd, coin=coin)

    # ------------------------------------------------------------------ tasks
    async def _watch_kill_file(self) -> None:
        seen: killfile.Signature = None
        while True:
            found = killfile.signature(self._settings.kill_dir)
            if found != seen:
                seen = found
                kill = killfile.read(self._settings.kill_dir)
                event = KillFile(True, kill.epoch, kill.reason) if kill else KillFile(False)
                log.warning("kill_file_seen", present=event.present, epoch=event.epoch, reason=event.reason)
                self._desk.post(event)
            await asyncio.sleep(KILL_WATCH_S)

    async def _top_up(self) -> None:
        """Away from the ticks that come with stream messages: the disk may take milliseconds."""
        while True:
            self._desk.post(TopUp())
            await asyncio.sleep(TOP_UP_S)

    async def _follow_account(self) -> None:
        while True:
            await self._desk.look_at_account()
            await asyncio.sleep(ACCOUNT_S)

    async def _note_published(self) -> None:
        """Fills that are in the stream need not be told again after a restart."""
        while True:
            await asyncio.sleep(PUBLISHED_S)
            told, self._unpublished = self._unpublished, []
            if told and await self._desk.service.bus.flush(PUBLISHED_S):
                self._desk.published(told)
            elif told:
                self._unpublished = told + self._unpublished

    # ------------------------------------------------------------------ the warden
    async def _beat(self) -> None:
        """While our orders are under control: before, and when what must go does not, silence is the truth."""
        told_ns, speaking = 0, False
        while True:
            was_speaking, speaking = speaking, self._engine.in_control and not self._engine.powerless
            if speaking:
                if not was_speaking:
                    self._heard_mono_ns = mono_ns()  # an answer is due from now on
                self._say_alive()
                if mono_ns() - told_ns >= HEARTBEAT_S * NS:
                    told_ns = mono_ns()
                    self._tell_of_warden()
            await asyncio.sleep(BEAT_S)

    def _say_alive(self) -> None:
        """One beat, with every order that rests or may rest."""
        facts = self._engine.tracker.facts
        if facts is None:
            return
        self._beats += 1
        assets = [(self._settings.market.coin, facts.asset_id)]
        orders = [(facts.asset_id, order.cloid) for order in self._engine.tracker.table.live()]
        self._say(Beat(self._epoch, self._beats, assets, self._agent, orders[:ORDERS_MAX]))

    def _say(self, what: Beat | Goodbye) -> None:
        if self._line is not None:
            self._line.send(ENCODE(what), self._warden_path)

    def _hear(self, data: bytes, _: str) -> None:
        try:
            heard = TO_EXECUTOR.decode(data)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            metrics.count("amm_bad_input_total", boundary="deadman", reason="shape")
            return
        self._heard_mono_ns, self._heard_state = mono_ns(), heard.state

    def _tell_of_warden(self) -> None:
        """Its heartbeat while it answers; one alert when it has not for too long."""
        silent_s = (mono_ns() - self._heard_mono_ns) / NS
        t_ns = self._desk.service.clock.now_ns()
        if silent_s <= 1.0:
            self._warden_missed = False
            self._desk.service.bus.send([self._warden_heartbeat(t_ns)])
        elif silent_s > WARDEN_SILENT_S and not self._warden_missed:
            self._warden_missed = True
            log.warning("warden_silent", silent_s=round(silent_s, 1))
            text = "the dead-man process does not answer: nobody cancels if this one dies"
            self._desk.service.bus.send([Alert(t_ns, "WardenSilent", Severity.CRITICAL, text)])

    def _warden_heartbeat(self, t_ns: int) -> Heartbeat:
        return Heartbeat(
            t_ns=t_ns,
            service="warden",
            build=build_id(),
            schema=SCHEMA,
            config_hash=self._settings.config_hash(),
            loop_lag_s=0.0,
            ready=True,
            state=self._heard_state,
        )

    # ------------------------------------------------------------------ the end
    async def _cancel_all(self) -> None:
        """Cancel until the venue itself shows nothing, then let the warden go."""
        if self._engine.tracker.facts is None:
            return  # this life has sent nothing; what an earlier one left is the warden's
        loop = asyncio.get_running_loop()
        deadline = loop.time() + STOP_S
        self._desk.post(Stop())
        resting: int | None = None
        while loop.time() < deadline and resting != 0:
            await asyncio.sleep(TICK_S)
            if not self._engine.tracker.table.live():
                resting = await self._look_before(deadline)
                if resting is None:
                    await asyncio.sleep(LOOK_RETRY_S)
        if resting == 0:
            log.info("all_cancelled")
            self._say(Goodbye(self._epoch))
        else:
            log.warning("orders_left", resting=resting, reason="the warden keeps cancelling")

    async def _look_before(self, deadline: float) -> int | None:
        try:
            async with asyncio.timeout_at(deadline):
                return await self._desk.look("end", whole=False)
        except TimeoutError:
            return None


def lock(run_dir: Path) -> int:
    """The only executor of this run folder; raises Refused when there is one."""
    run_dir.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(run_dir / "executor.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise Refused(f"another executor holds {run_dir / 'executor.lock'}: one signer, one process") from None
    return descriptor


async def build(settings: Settings) -> int:
    """The whole process; mainnet stays closed until its gates are built."""
    if settings.is_mainnet:
        raise Refused("network = mainnet is refused: the go-live gates are not built yet")
    if not settings.wallet_address:
        raise ConfigError("WALLET_ADDRESS is empty: the address of the account that is traded (not the agent's)")
    assert_fast_curve()
    signer = Signer(settings.secrets_dir / "agent_key", settings.wallet_address, is_mainnet=settings.is_mainnet)
    held = lock(settings.run_dir)
    bus = RedisBus(settings.redis_url, "executor")
    weights = Weights("executor", bus)
    journal = Journal(settings.run_dir / "journal.sqlite", signer.address)
    epoch = wall_ns() // NS % 2**32
    engine = ExecutorEngine(settings, epoch=epoch, latched=journal.latched())
    try:
        async with (
            InfoClient(settings.venue_url, weights, patience_s=WEIGHT_PATIENCE_S) as info,
            Transport(settings.venue_url, settings.execution.reply_timeout_s) as transport,
        ):
            desk = Desk(
                settings,
                journal=journal,
                signer=signer,
                transport=transport,
                info=info,
                weights=weights,
                nonces=engine.tracker.nonces,
            )
            return await Executor(settings, engine, desk, signer.address, epoch).run(bus)
    finally:
        journal.close()
        os.close(held)
