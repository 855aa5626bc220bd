"""The dead-man process: when the executor is silent or a kill file appears, it cancels until the venue shows nothing.

`python -m executor.warden`. It has a key of its own (`secrets/warden_key`), needs neither Redis nor a strategy, and
knows nothing but what rests. When it must act is decided in `vigil.py`; here are its socket, its questions and its
cancels. It asks the venue nothing while all is well. What the last beat named is cancelled first, which needs no look
and so no request weight; then the venue itself says what is left.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from common import killfile, metrics
from common.build import build_id
from common.clock import NS, RESYNC_S, MarketClock, mono_ns, wall_ns
from common.config import Settings
from common.errors import EXIT_OK, BadInput, ConfigError, LinkDown, Refused, UnknownOutcome, VenueError
from common.exporter import Exporter
from common.hyperliquid import InfoClient, asset_id
from common.log import get_log
from common.messages import SCHEMA, Side
from common.process import main, on_stop_signal, watch_parent
from common.simclock import clock_client, read_clock
from common.venue_types import OrderRow
from common.weights import Weights
from executor import wire
from executor.deadman import ENCODE, TO_WARDEN, WARDEN_SOCKET, Beat, Heard, Line
from executor.events import Entry, Kind, SendAction
from executor.nonce import Nonces
from executor.transport import Transport
from executor.venue import Signer, assert_fast_curve
from executor.vigil import FIRST_NS, REASONS, SETTLE_NS, State, Vigil

AWAY_NS = NS // 2
WATCH_S = 0.05
RETRY_S = 0.5
ASSETS_RETRY_S = 5.0
CANCELS_MAX = 40
NONCE_FILE = "warden.nonce"
ASSETS_FILE = "warden.assets"
FAILURES = (LinkDown, VenueError, BadInput)
STATES = tuple(State)
log = get_log("warden")


class NonceFile:
    """Nonces of the warden's key, reserved ahead in one small file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._nonces = Nonces(int(path.read_text("ascii")))
        except (OSError, ValueError):
            self._nonces = Nonces()

    def take(self, t_ns: int) -> int:
        """The next nonce; a disk that cannot take the reservation does not keep the warden from cancelling."""
        until = self._nonces.due(t_ns)
        if until is not None:
            self._nonces.reserve(until)
            _write(self._path, str(until).encode())
        return self._nonces.take(t_ns)


class Warden:
    """One account's dead-man."""

    def __init__(self, settings: Settings, signer: Signer, info: InfoClient, transport: Transport) -> None:
        self.stopping = asyncio.Event()
        self.vigil = Vigil(mono_ns())
        self._settings = settings
        self._signer = signer
        self._info = info
        self._transport = transport
        self._clock = MarketClock()
        self._nonces = NonceFile(settings.run_dir / NONCE_FILE)
        self._assets_path = settings.run_dir / ASSETS_FILE
        self._assets: dict[str, int] = _read_assets(self._assets_path)
        self._dexs = list(dict.fromkeys((settings.market.dex, "")))
        self._kill_seen: killfile.Signature = None
        self._line: Line | None = None
        self._fault: ConfigError | None = None
        self._to_look_at = list(self._dexs)
        self._fires_told = self._fires_shown = 0
        self._told_failure = ""
        self._named: list[tuple[int, str]] = []  # (asset id, cloid) that may rest, by the last beat
        self._named_due_ns = 0

    async def run(self) -> int:
        """Until a stop signal; raises ConfigError when executor and warden were given the same key."""
        self._line = Line(self._settings.deadman_dir / WARDEN_SOCKET, self._hear)
        tasks = [self._watch(), self._work(), self._learn_assets()]
        if self._settings.network == "paper":
            tasks.append(self._follow_clock())
        running = [asyncio.ensure_future(task) for task in tasks]
        stop = asyncio.ensure_future(self.stopping.wait())
        try:
            done, _ = await asyncio.wait([stop, *running], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (stop, *running):
                task.cancel()
            self._line.close()
        if self._fault is not None:
            raise self._fault
        return EXIT_OK

    def health(self) -> dict[str, Any]:
        ready = bool(self._assets)
        return {"service": "warden", "ready": ready, "state": self.vigil.state.value, "fires": self.vigil.fires}

    # ------------------------------------------------------------------ hearing
    def _hear(self, data: bytes, sender: str) -> None:
        try:
            said = TO_WARDEN.decode(data)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            metrics.count("amm_bad_input_total", boundary="deadman", reason="shape")
            return
        if not isinstance(said, Beat):
            log.info("goodbye_heard")
            self.vigil.on_goodbye(mono_ns())
            return
        if said.agent == self._signer.address:
            self._fault = ConfigError("secrets/warden_key and secrets/agent_key hold the same key: use two agents")
            self.stopping.set()
            return
        self.vigil.on_beat(mono_ns())
        metrics.set("amm_heartbeat_timestamp_seconds", wall_ns() / NS, service="executor")
        self._learn(said.assets)
        self._named = said.orders
        if self._line is not None and sender:
            self._line.send(ENCODE(Heard(said.seq, self.vigil.state.value)), sender)

    def _learn(self, assets: list[tuple[str, int]]) -> None:
        """What the executor trades, kept for a start without it."""
        if any(self._assets.get(coin) != asset for coin, asset in assets):
            self._assets.update(assets)
            _write(self._assets_path, msgspec.json.encode(self._assets))

    async def _watch(self) -> None:
        """Kill file and silence, every 50 ms.

        Who was frozen (a machine that slept, a paused container) has not listened: what was said meanwhile is read,
        in the next turn of the loop, before silence is judged.
        """
        looked_ns, was_away = mono_ns(), False
        while True:
            was_away = mono_ns() - looked_ns > AWAY_NS and not was_away
            looked_ns = mono_ns()
            seen = killfile.signature(self._settings.kill_dir)
            if seen != self._kill_seen:
                self._kill_seen = seen
                self.vigil.on_kill(seen is not None, mono_ns())
            if not was_away:
                self.vigil.on_tick(mono_ns())
            self.show()
            await asyncio.sleep(WATCH_S)

    def show(self) -> None:
        """Set the gauge and bring the counter up to now."""
        metrics.set("amm_deadman_state", float(STATES.index(self.vigil.state)))
        if self.vigil.fires != self._fires_shown:
            metrics.count("amm_deadman_fires_total", self.vigil.fires - self._fires_shown, reason=self.vigil.reason)
            self._fires_shown = self.vigil.fires

    # ------------------------------------------------------------------ acting
    async def _work(self) -> None:
        while True:
            if not self.vigil.must_cancel:
                await asyncio.sleep(WATCH_S)
                continue
            self._tell()
            try:
                await self._cancel_named()
                wait_s = await self._clear()
            except FAILURES as error:
                if str(error)[:40] != self._told_failure:
                    self._told_failure = str(error)[:40]
                    log.warning("clearing_delayed", reason=str(error)[:200])
                wait_s = RETRY_S
            if not self.vigil.must_cancel:
                log.info("nothing_rests", reason=self.vigil.reason)
            await asyncio.sleep(wait_s)

    async def _clear(self) -> float:
        """Look, and cancel what is shown; how long the next look can wait, s."""
        asked_ns = mono_ns()
        rows = await self._look()
        self.vigil.on_shown(len(rows), asked_ns, mono_ns())
        if not self.vigil.must_cancel:
            return 0.0  # the executor came back meanwhile: these are its quotes
        if rows and await self._cancel(rows) == len(rows):
            self.vigil.on_cancelled()
        return self.vigil.next_look_ns(mono_ns()) / NS

    def _tell(self) -> None:
        if self.vigil.fires != self._fires_told:
            self._fires_told, self._told_failure = self.vigil.fires, ""
            self._to_look_at, self._named_due_ns = list(self._dexs), 0
            log.warning("clearing_started", reason=self.vigil.reason)

    async def _cancel_named(self) -> None:
        """What the last beat named: at once, and again when no action of a dead executor can land any more."""
        if not self._named or mono_ns() < self._named_due_ns:
            return
        self._named_due_ns = mono_ns() + SETTLE_NS
        by_asset: dict[int, list[Entry]] = {}
        for asset, cloid in self._named:
            by_asset.setdefault(asset, []).append(Entry(cloid, 0, Side.BID, 0, 0, -1))
        await self._send_all(Kind.CANCEL_CLOID, by_asset)

    async def _look(self) -> list[OrderRow]:
        """What rests: at first everywhere, then where something was found and where the executor trades (weight)."""
        rows: list[OrderRow] = []
        for dex in list(self._to_look_at):
            found = await self._info.open_orders(self._settings.wallet_address, dex)
            if not found and dex != self._settings.market.dex:
                self._to_look_at.remove(dex)
            rows += found
        return rows

    async def _cancel(self, rows: list[OrderRow]) -> int:
        """Cancel by number, market by market; how many the venue says are cancelled, the next look shows the others."""
        by_asset: dict[int, list[Entry]] = {}
        for row in rows:
            by_asset.setdefault(await self._asset(row.coin), []).append(Entry("", row.oid, Side.BID, 0, 0, -1))
        return await self._send_all(Kind.CANCEL, by_asset)

    async def _send_all(self, kind: Kind, by_asset: dict[int, list[Entry]]) -> int:
        gone = 0
        for asset, entries in by_asset.items():
            for start in range(0, len(entries), CANCELS_MAX):
                gone += await self._send(kind, asset, tuple(entries[start : start + CANCELS_MAX]))
        return gone

    async def _send(self, kind: Kind, asset: int, entries: tuple[Entry, ...]) -> int:
        t_ns = self._clock.now_ns()
        sent = SendAction(self._nonces.take(t_ns), kind, asset, entries, 0, t_ns)
        tree = wire.action(kind, asset, entries, 0)
        body = wire.body(tree, sent.nonce, self._signer.sign(tree, sent.nonce, 0), 0)
        metrics.count("amm_orders_sent_total", len(entries), action=kind.value)
        try:
            reply = wire.reply(sent, *await self._transport.post(body))
        except UnknownOutcome as error:
            log.warning("cancel_unanswered", reason=str(error)[:200], orders=len(entries))
            return 0
        gone = sum(status.word == "success" for status in reply.statuses)
        log.warning(
            "cancels_sent", orders=len(entries), cancelled=gone, outcome=reply.outcome, reason=reply.reason[:200]
        )
        return gone

    # ------------------------------------------------------------------ knowing
    async def _asset(self, coin: str) -> int:
        if coin not in self._assets:
            await self._load_dex(coin.partition(":")[0] if ":" in coin else "")
        if coin not in self._assets:
            raise BadInput("no_such_market", coin)
        return self._assets[coin]

    async def _load_dex(self, dex: str) -> None:
        dexs = await self._info.perp_dexs()
        names = [one.name if one else "" for one in dexs]
        if dex not in names:
            raise BadInput("no_such_dex", dex)
        meta = await self._info.meta(dex)
        number = names.index(dex)
        self._learn([(one.name, asset_id(number, i)) for i, one in enumerate(meta.universe)])

    async def _learn_assets(self) -> None:
        """The configured market's id, asked once unless an executor tells it: nothing is missing when it counts."""
        await asyncio.sleep(FIRST_NS / 2 / NS)
        while self._settings.market.coin not in self._assets:
            try:
                await self._load_dex(self._settings.market.dex)
            except FAILURES as error:
                log.info("market_not_known_yet", reason=str(error)[:200])
                await asyncio.sleep(ASSETS_RETRY_S)
        await asyncio.Event().wait()

    async def _follow_clock(self) -> None:
        """Market time of a simulated venue: nonces are within a day of it."""
        async with clock_client() as client:
            while True:
                try:
                    self._clock.sync(*await read_clock(client, self._settings.venue_url))
                except (LinkDown, BadInput) as error:
                    log.info("clock_not_read", reason=str(error)[:200])
                    await asyncio.sleep(RETRY_S)
                else:
                    await asyncio.sleep(RESYNC_S)


def _write(path: Path, body: bytes) -> None:
    try:
        killfile.replace(path, body, durable=True)
    except OSError as error:
        log.error("file_not_written", path=path.name, reason=str(error))


def _read_assets(path: Path) -> dict[str, int]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, int])
    except (OSError, msgspec.DecodeError, UnicodeError):
        return {}


async def build(settings: Settings) -> int:
    """The whole process; mainnet stays closed until its gates are built."""
    if settings.is_mainnet:
        raise Refused("network = mainnet is refused: the go-live gates are not built yet")
    if not settings.wallet_address:
        raise ConfigError("WALLET_ADDRESS is empty: the address of the account whose orders are watched")
    assert_fast_curve()
    signer = Signer(settings.secrets_dir / "warden_key", settings.wallet_address, is_mainnet=settings.is_mainnet)
    settings.run_dir.mkdir(parents=True, exist_ok=True)
    async with (
        InfoClient(settings.venue_url, Weights("warden")) as info,
        Transport(settings.venue_url, settings.execution.reply_timeout_s) as transport,
    ):
        warden = Warden(settings, signer, info, transport)
        exporter = Exporter(settings.bind, settings.metrics_port, warden.health)
        await exporter.start()
        facts = {"build": build_id(), "schema": str(SCHEMA), "config_hash": settings.config_hash()}
        metrics.set("amm_build_info", 1.0, service="warden", **facts)
        metrics.count("amm_log_errors_total", 0)
        for reason in REASONS:
            metrics.count("amm_deadman_fires_total", 0, reason=reason)
        on_stop_signal(lambda _: warden.stopping.set())
        if settings.parent_pid:
            parent = asyncio.ensure_future(watch_parent(settings.parent_pid, lambda _: warden.stopping.set()))
            parent.add_done_callback(lambda task: task.cancelled() or task.exception())
        log.info("warden_started", agent=signer.address, port=exporter.port)
        try:
            return await warden.run()
        finally:
            await exporter.stop()


if __name__ == "__main__":
    main("warden", build)
