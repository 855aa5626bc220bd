"""Whole processes: exit codes, one sentence on stderr, JSON logs, and children that die with their parent."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from common.config import METRICS_PORTS
from common.errors import EXIT_CONFIG, EXIT_FAULT, EXIT_OK, EXIT_REFUSED
from common.kernel import ROOT
from common.redis_server import RedisServer, watch
from tests.support.ports import free_port_base

DEADLINE_S = 15.0
SERVICE = """
import sys
from common.bus import Hub, MemoryBus
from common.process import main
from common.service import Service

class Engine:
    def on(self, event, /):
        return []

async def build(settings):
    service = Service(settings, Engine(), MemoryBus(Hub(), "riskd", block_ms=20), subscriptions=[], tick_s=0.05)
    async def ready():
        service.mark_ready()
        print("ready", flush=True)
    service.spawn(ready(), "ready")
    return await service.run()

main("riskd", build)
"""
FAILING = """
from common.errors import Refused
from common.process import main
async def build(settings):
    raise {error}
main("riskd", build)
"""
STARTING = """
import asyncio
from common.process import main
async def build(settings):
    print("starting", flush=True)
    await asyncio.sleep(60)
main("riskd", build)
"""


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "TESTNET": "true", "PORT_BASE": str(free_port_base("riskd")), **more}


def start(code: str, **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def alive(pid: int) -> bool:
    """Running, and not a zombie nobody has waited for."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat")
        return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_a_service_with_0_and_its_log_is_json(number: signal.Signals) -> None:
    process = start(SERVICE)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    _, errors = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == EXIT_OK
    events = [json.loads(line) for line in errors.splitlines()]
    assert [e["event"] for e in events if e["room"] == "service"] == [
        "service_started", "service_ready", "service_stopping", "service_stopped",
    ]  # fmt: skip
    assert {e["service"] for e in events} == {"riskd"}


def test_taken_port_ends_with_78_and_one_sentence() -> None:
    with socket.socket() as taken:
        base = free_port_base("riskd")
        taken.bind(("127.0.0.1", METRICS_PORTS["riskd"] + base))
        taken.listen()
        process = start(SERVICE, PORT_BASE=str(base))
        _, errors = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == EXIT_CONFIG
    said = [line for line in errors.splitlines() if not line.startswith("{")]
    assert len(said) == 1
    assert f"port {METRICS_PORTS['riskd'] + base}" in said[0]
    assert "PORT_BASE" in said[0]


@pytest.mark.parametrize(
    ("error", "code"), [("Refused('not now')", EXIT_REFUSED), ("ValueError('0x' + 'ab' * 32)", EXIT_FAULT)]
)
def test_refusal_and_fault_have_their_exit_codes(error: str, code: int) -> None:
    process = start(FAILING.format(error=error))
    _, errors = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == code
    assert "ab" * 32 not in errors


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_before_the_service_runs_ends_with_0(number: signal.Signals) -> None:
    process = start(STARTING)
    assert process.stdout is not None
    assert process.stdout.readline() == "starting\n"
    process.send_signal(number)
    _, errors = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, errors) == (EXIT_OK, "")


def test_service_ends_when_its_parent_is_gone() -> None:
    """The parent starts a service with AMM_PARENT=1, tells its pid, and is killed."""
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import subprocess, sys\np = subprocess.Popen([sys.executable, '-c', {SERVICE!r}])\np.wait()",
        ],
        cwd=ROOT,
        env=environment(AMM_PARENT="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "ready\n"
    children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
    if not children.exists():
        pytest.skip("needs /proc to find the child")
    child = int(children.read_text().split()[0])
    parent.kill()
    parent.wait()
    until(lambda: not alive(child), "the child outlived its parent")
    parent.stdout.close()


REDIS_OWNER = """
import sys, time
from pathlib import Path
from common.redis_server import RedisServer
server = RedisServer(Path(sys.argv[1])).start()
print(server.pid, flush=True)
time.sleep(60)
"""


def test_redis_dies_with_its_starter(tmp_path: Path, mortal_redis: RedisServer) -> None:
    folder = mortal_redis.folder / "owned"
    owner = subprocess.Popen(
        [sys.executable, "-c", REDIS_OWNER, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    assert alive(pid)
    owner.kill()
    owner.wait()
    owner.stdout.close()
    until(lambda: not alive(pid), "Redis outlived its starter")


def test_watcher_shell_ends_what_it_watches_when_its_starter_is_gone() -> None:
    """What other systems than Linux rely on."""
    code = (
        "import subprocess, time\nfrom common.redis_server import watch\n"
        "p = subprocess.Popen(['sleep', '60'], start_new_session=True)\nwatch(p.pid)\n"
        "print(p.pid, flush=True)\ntime.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    owner.kill()
    owner.wait()
    owner.stdout.close()
    until(lambda: not alive(pid), "the watched process outlived its starter")


def test_watcher_shell_ends_with_what_it_watches() -> None:
    sleeper = subprocess.Popen(["sleep", "60"])
    watcher = watch(sleeper.pid)
    sleeper.kill()
    sleeper.wait()
    until(lambda: watcher.poll() is not None, "the watcher stayed")


def test_redis_runs_in_the_foreground_for_supervisor(mortal_redis: RedisServer) -> None:
    folder = mortal_redis.folder / "fore"
    process = subprocess.Popen(
        [sys.executable, "-m", "common.redis_server", "--folder", str(folder)],
        cwd=ROOT,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    server = RedisServer(folder)
    until(server.answers, "Redis never answered")
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == EXIT_OK, errors
    assert not server.answers()


def test_redis_configuration_is_that_of_production(redis_server: RedisServer) -> None:
    from redis import Redis

    with Redis(unix_socket_path=str(redis_server.socket_path)) as client:
        config = client.config_get()
    wanted = {
        "appendonly": "yes", "appendfsync": "everysec", "aof-load-truncated": "yes", "maxmemory-policy": "noeviction",
        "save": "", "port": "0", "unixsocketperm": "700",
    }  # fmt: skip
    assert {name: config[name] for name in wanted} == wanted
    assert int(config["maxmemory"]) == 256 * 1024 * 1024
