"""riskd's shell on a real folder and a bus in memory: the kill file both ways, the state file, and the gauges."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from common import killfile, metrics
from common.bus_memory import Hub, MemoryBus
from common.bus_types import Delivery, Item, Subscription
from common.errors import OurFault
from common.killfile import Kill
from common.messages import AccountState, Mode, RiskPermit
from common.streams import PERMIT
from riskd.events import ClearKill, SaveState, Shown, WriteKill
from riskd.main import STATE_NAME, Shell, read_session, subscriptions
from riskd.session import Session
from tests.unit.riskd.builders import COIN, a_settings, live_settings


def a_shell(run_dir: Path) -> Shell:
    return Shell(a_settings(RUN_DIR=str(run_dir)), MemoryBus(Hub(), "riskd", block_ms=50))


def a_shown(**more: object) -> Shown:
    facts: dict[str, object] = {
        "mode": Mode.ACTIVE, "known": True, "reasons": (), "kill_reason": "", "kill_label": "", "equity_usd": 990.0,
        "peak_usd": 1_000.0, "margin_used_usd": 99.0, "margin_ratio": 0.1, "drawdown": 0.01, "session_pnl_usd": -10.0,
        "taker_ratio": 0.02, "streak": 3, "streak_loss_usd": 0.25, "session_loss_limit_usd": 99.0,
    }  # fmt: skip
    return Shown(**{**facts, **more})  # type: ignore[arg-type]


# ---------------------------------------------------------------------- the kill file
def test_a_kill_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    assert killfile.read(tmp_path) is None
    assert killfile.signature(tmp_path) is None
    killfile.write(tmp_path / "new", Kill(3, "smoke", 5))
    assert killfile.read(tmp_path / "new") == Kill(3, "smoke", 5)
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["kill"], "no half file stays behind"


def test_a_kill_of_a_higher_epoch_stays(tmp_path: Path) -> None:
    killfile.write(tmp_path, Kill(9, "person"))
    killfile.write(tmp_path, Kill(3, "rule"))
    assert killfile.read(tmp_path) == Kill(9, "person")
    killfile.write(tmp_path, Kill(10, "rule"))
    assert killfile.read(tmp_path) == Kill(10, "rule")


def test_clearing_is_idempotent_and_changes_the_signature(tmp_path: Path) -> None:
    killfile.write(tmp_path, Kill(1, "x"))
    there = killfile.signature(tmp_path)
    assert there is not None
    killfile.clear(tmp_path)
    killfile.clear(tmp_path)
    assert killfile.signature(tmp_path) is None
    killfile.write(tmp_path, Kill(1, "x"))
    assert killfile.signature(tmp_path) not in (None, there)


NONSENSE = [b"", b"{", b"null", b"[]", b'{"epoch": -1, "reason": ""}', b"\xff\xfe", b"[" * 9_000, b"x" * 70_000]


@pytest.mark.parametrize("body", NONSENSE)
def test_a_kill_file_that_says_nothing_sensible_is_a_kill(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "kill").write_bytes(body)
    kill = killfile.read(tmp_path)
    assert kill is not None
    assert kill.epoch == 1


def test_a_kill_file_that_cannot_be_opened_is_a_kill(tmp_path: Path) -> None:
    (tmp_path / "kill").mkdir()
    kill = killfile.read(tmp_path)
    assert kill is not None
    assert "cannot be read" in kill.reason
    (tmp_path / "file").write_text("x")
    assert killfile.signature(tmp_path / "file") == (-1, -1, -1)


# ---------------------------------------------------------------------- effects
def test_effects_reach_the_disk(tmp_path: Path) -> None:
    shell = a_shell(tmp_path)
    shell.effect(WriteKill(Kill(2, "rule")))
    assert killfile.read(tmp_path) == Kill(2, "rule")
    shell.effect(ClearKill())
    assert killfile.read(tmp_path) is None
    for durable in (True, False):
        shell.effect(SaveState(Session(account="x", arm_epoch=4).body(), durable))
    assert read_session(tmp_path / STATE_NAME, "x").arm_epoch == 4
    with pytest.raises(OurFault):
        shell.effect("nonsense")


def test_the_latch_may_have_a_folder_of_its_own_that_others_read(tmp_path: Path) -> None:
    settings = a_settings(RUN_DIR=str(tmp_path / "run"), LATCH_DIR=str(tmp_path / "latch"))
    shell = Shell(settings, MemoryBus(Hub(), "riskd", block_ms=50))
    shell.effect(WriteKill(Kill(7, "why", 1)))
    assert [path.name for path in (tmp_path / "latch").iterdir()] == ["kill"]
    assert list((tmp_path / "run").iterdir()) == []
    shell.effect(ClearKill())
    assert list((tmp_path / "latch").iterdir()) == []


def test_a_disk_that_refuses_is_told_and_does_not_end_the_service(tmp_path: Path) -> None:
    shell = a_shell(tmp_path)
    before = metrics.value("amm_log_errors_total")
    (tmp_path / STATE_NAME).mkdir()
    shell.effect(SaveState(b"{}", durable=True))
    (tmp_path / "kill").mkdir()
    shell.effect(WriteKill(Kill(2, "rule")))
    shell.effect(ClearKill())
    assert metrics.value("amm_log_errors_total") >= before


def test_a_state_file_that_cannot_be_read_is_a_kill(tmp_path: Path) -> None:
    assert read_session(tmp_path / STATE_NAME, "a") == Session(account="a")
    (tmp_path / STATE_NAME).mkdir()
    assert read_session(tmp_path / STATE_NAME, "a").kill is not None


# ---------------------------------------------------------------------- gauges
def test_gauges_show_the_figures_behind_the_permit(tmp_path: Path) -> None:
    shell = a_shell(tmp_path)
    shell.effect(a_shown())
    assert metrics.value("amm_equity_usd", account="main") == 990.0
    assert metrics.value("amm_margin_available_usd", account="main") == 891.0
    assert metrics.value("amm_consecutive_losing_fills", coin=COIN) == 3.0
    assert metrics.value("amm_losing_streak_loss_usd", coin=COIN) == 0.25
    assert metrics.value("amm_session_loss_limit_usd", account="main") == 99.0
    assert metrics.value("amm_risk_mode") == list(Mode).index(Mode.ACTIVE)
    assert metrics.value("amm_trading_enabled") == 1.0
    shell.effect(a_shown(mode=Mode.KILLED, kill_reason="drawdown", kill_label="drawdown"))
    assert metrics.value("amm_trading_enabled") == 0.0
    assert metrics.value("amm_kill_switch_tripped", reason="drawdown") == 1.0
    shell.effect(a_shown())
    assert metrics.value("amm_kill_switch_tripped", reason="drawdown") == 0.0


def test_an_unknown_account_shows_nothing_rather_than_zero(tmp_path: Path) -> None:
    shell = a_shell(tmp_path)
    shell.effect(a_shown(equity_usd=123.0))
    shell.effect(a_shown(known=False, equity_usd=0.0))
    assert metrics.value("amm_equity_usd", account="main") == 123.0


# ---------------------------------------------------------------------- the whole service
def free_port_base() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1]) - 9_104


async def until(condition: Callable[[], object], timeout_s: float = 5.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 (what is waited for is on disk or in a list)
            await asyncio.sleep(0.01)


async def test_a_kill_file_reaches_the_permit_and_a_kill_reaches_the_file(tmp_path: Path) -> None:
    """The real service loop, live profile: DISARMED, then KILLED by a file within a moment, and the state survives."""
    hub = Hub()
    settings = live_settings().model_copy(update={"run_dir": tmp_path, "port_base": free_port_base()})
    shell = Shell(settings, MemoryBus(hub, "riskd", block_ms=50))
    permits: list[RiskPermit] = []

    def keep(items: list[Item]) -> None:
        permits.extend(i.message for i in items if isinstance(i, Delivery) and isinstance(i.message, RiskPermit))

    async with MemoryBus(hub, "executor", block_ms=50) as executor:
        listening = asyncio.create_task(executor.read([Subscription(PERMIT, PERMIT.of())], keep))
        running = asyncio.create_task(shell.run())
        await until(lambda: permits and permits[-1].mode is Mode.DISARMED)
        t_ns = shell.service.clock.now_ns()
        executor.send(
            [
                AccountState(
                    t_ns=t_ns, venue_t_ns=t_ns, equity_e8=10**11, margin_used_e8=0, maintenance_e8=0, positions=[],
                    open_orders=0, unknown_orders=0, actions_used=0, actions_cap=10_000, maker_fee_ppb=1,
                    taker_fee_ppb=1, reconciled=True,
                )
            ]
        )  # fmt: skip
        await until(lambda: "no_account" not in permits[-1].reasons)
        killfile.write(tmp_path, Kill(5, "smoke"))
        await until(lambda: permits[-1].mode is Mode.KILLED)
        (tmp_path / "kill").unlink()
        await until(lambda: killfile.read(tmp_path) == Kill(5, "smoke"))
        shell.service.stop("test")
        assert await running == 0
        await executor.close()
        await listening
    assert read_session(tmp_path / STATE_NAME, f"{settings.wallet_address} {COIN}").kill == Kill(5, "smoke")


def test_riskd_hears_what_the_streams_let_it_read() -> None:
    assert all("riskd" in subscription.stream.readers for subscription in subscriptions(COIN))
