"""The quoter beside the containers: where it runs, what it exports of it, and how it starts and stops."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.config import METRICS_PORTS, TESTNET_URL, Settings, load
from common.cpus import affinity, read_host
from common.errors import EXIT_CONFIG, EXIT_FAULT, EXIT_OK, ConfigError
from common.kernel import COMPILED, POOLS, ROOT
from scripts import native_quoter
from scripts.core_plan import plan_cores
from scripts.native_quoter import overrides, running
from tests.support.ports import free_port_base

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads the affinity of another process (Linux)")


class Native:
    """One run folder, one port, no Redis: the quoter becomes ready and waits for it."""

    def __init__(self, folder: Path) -> None:
        self.pid_file = folder / "quoter.pid"
        self.environ = {
            **os.environ, "TESTNET": "true", "AMM_KERNELS": "plain", "RUN_DIR": str(folder),
            "PORT_BASE": str(free_port_base("quoter")), "REDIS_URL": f"unix://{folder}/none.sock",
        }  # fmt: skip

    def ask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "scripts.native_quoter", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.environ, capture_output=True, text=True, timeout=100, check=False
        )

    def metrics(self) -> dict[str, float]:
        port = METRICS_PORTS["quoter"] + int(self.environ["PORT_BASE"])
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        link.request("GET", "/metrics")
        lines = link.getresponse().read().decode().splitlines()
        link.close()
        return {name: float(value) for name, _, value in (x.rpartition(" ") for x in lines if not x.startswith("#"))}


@pytest.fixture
def native(tmp_path: Path) -> Iterator[Native]:
    world = Native(tmp_path)
    yield world
    if pid := running(world.pid_file):
        os.kill(pid, signal.SIGKILL)


def test_it_runs_on_the_chosen_cores_exports_them_and_stops_cleanly(native: Native) -> None:
    host = read_host(may_use=affinity())
    wanted = plan_cores(host).quoter
    started = native.ask("start")
    assert started.returncode == EXIT_OK, started.stderr
    pid = running(native.pid_file)
    assert os.sched_getaffinity(pid) == wanted
    found = native.metrics()
    assert found["amm_quoter_cpu_pinned"] == float(wanted < host.online)
    assert [name for name in found if name.startswith("amm_quoter_cpus_info")]
    assert native.ask("start").returncode == EXIT_CONFIG  # one at a time
    stopped = native.ask("stop")
    assert (stopped.returncode, stopped.stderr) == (EXIT_OK, "")
    assert running(native.pid_file) == 0
    log = native.pid_file.with_suffix(".log").read_text()
    assert log.count('"event":"cpus_seen"') == 1
    assert '"event":"service_stopped"' in log


@pytest.mark.skipif(not COMPILED, reason="without numba there are no pools")
def test_pools_of_threads_are_sized_by_the_cpus_it_may_use() -> None:
    one = min(os.sched_getaffinity(0))
    code = "import common.kernel; print([os.environ.get(name) for name in common.kernel.POOLS])"
    environ = {k: v for k, v in os.environ.items() if not k.endswith("_THREADS") and k != "AMM_KERNELS"}
    command = [sys.executable, "-c", f"import os; os.sched_setaffinity(0, {{{one}}})\n{code}"]
    text = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True).stdout.strip()
    assert text == str(["1"] * len(POOLS))


def test_a_cpu_that_is_not_there_is_refused_before_anything_runs(native: Native) -> None:
    asked = native.ask("run", "--cpus", "8191")
    assert asked.returncode == EXIT_CONFIG
    assert "8191" in asked.stderr


def test_a_start_that_fails_says_where_to_look(native: Native) -> None:
    asked = native.ask("start", "--cpus", "x")
    assert asked.returncode == EXIT_CONFIG
    assert "quoter.log" in asked.stderr
    assert not native.pid_file.exists()


def test_nothing_to_stop_is_stopped(native: Native) -> None:
    assert native.ask("stop").returncode == EXIT_OK


def test_a_number_that_passed_to_another_program_is_left_alone(native: Native) -> None:
    native.pid_file.write_text(f"{os.getppid()}\n")
    assert running(native.pid_file) == 0
    native.pid_file.write_text("not a number")
    assert running(native.pid_file) == 0


def test_one_that_ignores_the_signal_is_killed_and_said(
    native: Native, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    deaf = subprocess.Popen([sys.executable, "-c", code, "scripts.native_quoter"], stdout=subprocess.PIPE)
    assert deaf.stdout is not None
    assert deaf.stdout.readline() == b"up\n"
    native.pid_file.write_text(str(deaf.pid))
    monkeypatch.setattr(native_quoter, "STOP_S", 0.3)
    assert native_quoter.stop(native.pid_file) == EXIT_FAULT
    assert "was killed" in capsys.readouterr().err
    assert deaf.wait() == -signal.SIGKILL
    deaf.stdout.close()


# ---------------------------------------------------------------------- settings
def a_config(**environ: str) -> Settings:
    return load("quoter", environ)


def test_password_of_the_quoters_redis_user_comes_from_its_file(tmp_path: Path) -> None:
    secret = tmp_path / "redis_quoter"
    secret.write_text("p/w@1 \n")
    over = overrides(a_config(PORT_BASE="1000"), "", secret)
    assert over["REDIS_URL"] == "redis://quoter:p%2Fw%401@127.0.0.1:7379/0"
    assert over["VENUE_URL"] == "http://127.0.0.1:4001"
    assert over["RUN_DIR"] == str(ROOT / "run" / "native")
    assert load("quoter", {"PORT_BASE": "1000"}, over=over).redis_url == over["REDIS_URL"]


def test_what_a_person_set_stays(tmp_path: Path) -> None:
    mine = {"REDIS_URL": "redis://elsewhere:1/0", "VENUE_URL": "http://venue:1", "RUN_DIR": str(tmp_path)}
    assert overrides(a_config(**mine)) == {}


def test_a_live_venue_is_never_replaced() -> None:
    assert "VENUE_URL" not in overrides(a_config(NETWORK="testnet", VENUE_URL=TESTNET_URL))


def test_a_password_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        overrides(a_config(), "", tmp_path / "none")


def test_it_runs_the_configuration_that_the_containers_run() -> None:
    settings = a_config()
    inside = a_config(VENUE_URL="http://simvenue:3001", REDIS_URL="redis://redis:6379/0", RUN_DIR="/run/amm")
    assert load("quoter", {}, over=overrides(settings)).config_hash() == inside.config_hash()
