"""`make up` refuses in one sentence what cannot work; `make down` leaves nothing resting, whatever has died."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from common import killfile
from common.cpus import uniform_host
from common.errors import EXIT_CONFIG, EXIT_FAULT, EXIT_OK, EXIT_REFUSED, ConfigError, LinkDown
from common.kernel import ROOT
from scripts import container_plan as plan
from scripts import containers, secret_files
from scripts.containers import Venue, cancel_all, main, up_command, wishes_of
from scripts.engine import Compose
from scripts.seen import Seen
from tests.support.ports import free_port_base


class Engine(Compose):
    """Notes what it is told to do."""

    def __init__(self, on_stop: Callable[[], None] = lambda: None) -> None:
        super().__init__(Path("nowhere"))
        self.told: list[str] = []
        self.runs: list[str] = []
        self._on_stop = on_stop

    def running(self) -> list[str]:
        return self.runs

    def remove_volumes(self, names: Sequence[str]) -> None:
        self.told.append(f"forget {' '.join(names)}")

    def run(self, *arguments: str, environ: object = None) -> int:
        self.told.append(" ".join(arguments))
        if arguments[0] == "stop":
            self._on_stop()
        return 0


class Orders(Venue):
    """So many orders rest; each way to cancel them works or does not."""

    def __init__(self, latch: Path, *, page: bool, warden: bool = True, is_paper: bool = True) -> None:
        self.rests: int | None = 24
        self.latch, self.is_paper = latch, is_paper
        self.page, self.warden, self.asked = page, warden, 0

    def command(self, verb: str, reason: str) -> None:
        if not self.page:
            raise LinkDown("refused")
        assert (verb, reason) == ("pause", "make down")
        self.rests = 0

    def resting(self) -> int:
        self.asked += 1
        if self.rests is None:
            raise LinkDown("no answer")
        if self.warden and killfile.read(self.latch) is not None:
            self.rests = 0
        return self.rests


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for what does not come."""
    for name in ("PAUSED_S", "STOPPED_S", "WARDEN_S"):
        monkeypatch.setattr(containers, name, 0.05)


# ---------------------------------------------------------------------- down
def test_a_pause_is_enough(tmp_path: Path) -> None:
    engine = Engine()
    assert cancel_all(engine, Orders(tmp_path, page=True)) == 0
    assert engine.told == []
    assert killfile.read(tmp_path) is None


def test_without_a_page_the_executor_cancels_as_it_ends(tmp_path: Path) -> None:
    orders = Orders(tmp_path, page=False)
    engine = Engine(on_stop=lambda: setattr(orders, "rests", 0))
    assert cancel_all(engine, orders) == 0
    assert engine.told == ["stop quoter executor"]
    assert killfile.read(tmp_path) is None


def test_a_dead_executor_leaves_it_to_the_warden_and_paper_is_not_latched_afterwards(tmp_path: Path) -> None:
    assert cancel_all(Engine(), Orders(tmp_path, page=False)) == 0
    assert killfile.read(tmp_path) is None


def test_on_a_real_network_the_latch_stays_until_a_person_arms(tmp_path: Path) -> None:
    assert cancel_all(Engine(), Orders(tmp_path, page=False, is_paper=False)) == 0
    assert killfile.read(tmp_path) is not None


def test_orders_that_nobody_cancels_are_counted_and_the_latch_stays(tmp_path: Path) -> None:
    assert cancel_all(Engine(), Orders(tmp_path, page=False, warden=False)) == 24
    assert killfile.read(tmp_path) is not None


def test_a_venue_that_does_not_answer_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    orders = Orders(tmp_path, page=False)
    orders.rests = None
    assert cancel_all(Engine(), orders) is None


# ---------------------------------------------------------------------- up
def test_no_engine_ends_up_and_down_with_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for verb in ("up", "down"):
        assert main([verb]) == EXIT_CONFIG
        told = capsys.readouterr().err
        assert "make demo" in told
        assert told.count("\n") == 1


def test_mainnet_is_refused_before_the_engine_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("NETWORK", "mainnet")
    monkeypatch.setenv("VENUE_URL", "https://api.hyperliquid.xyz")
    assert main(["up"]) == EXIT_REFUSED
    assert "go-live gates" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "environ", "word"),
    [
        (["up", "--market", "nosuch"], {}, "nosuch"),
        (["up"], {"GRAFANA": "maybe"}, "GRAFANA"),
        (["up"], {"LEVERAGE": "999"}, "leverage"),
        (["up", "--data", "/no/such/day.npz"], {}, "DATA"),
        (["up", "--data", __file__, "--flow", "btc"], {}, "FLOW"),
    ],
)
def test_a_bad_wish_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    environ: dict[str, str],
    word: str,
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert main(arguments) == EXIT_CONFIG
    assert word in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["up", "--speed", "0"], ["up", "--speed", "101"], ["up", "--flow", "nosuch"]])
def test_a_number_or_word_out_of_range_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == EXIT_CONFIG


def test_compose_up_args_are_passed_on_and_decide_about_building() -> None:
    assert up_command("")[-1] == "--build"
    assert up_command("--scale grafana=0 --pull never")[-4:] == ["--scale", "grafana=0", "--pull", "never"]
    assert "--build" not in up_command("--no-build")
    assert {"--detach", "--wait"} <= set(up_command("--no-build"))


def test_a_native_quoter_is_asked_for_by_name(stack: Path) -> None:
    arguments = containers._arguments(["up"])
    assert not wishes_of(arguments, {"NATIVE_QUOTER": "0"}).native_quoter
    wishes = wishes_of(arguments, {"NATIVE_QUOTER": "1"})
    settings = containers.load("monitor", {"MODELS_DIR": str(stack / "models"), "PORT_BASE": "500"})
    containers.write_files(settings, wishes, {})
    found = plan.read_env((plan.STACK / "compose.env").read_text())
    assert found["COMPOSE_FILE"].split(":") == ["docker-compose.yml", "compose.native-quoter.yml"]
    assert found["PORT_REDIS"] == "6879"
    scraped = (plan.STACK / "prometheus.yml").read_text()
    assert '"host.docker.internal:9602"' in scraped  # the host's ports are shifted, those inside containers are not
    assert '"riskd:9104"' in scraped
    with pytest.raises(ConfigError, match="NATIVE_QUOTER"):
        wishes_of(arguments, {"NATIVE_QUOTER": "perhaps"})


def test_alerts_open_a_way_out_only_where_one_is_configured() -> None:
    arguments = containers._arguments(["up"])
    assert not wishes_of(arguments, {}).alerts
    assert wishes_of(arguments, {"SLACK_WEBHOOK": "https://hooks.example/x"}).alerts


# ---------------------------------------------------------------------- what is traded
@pytest.mark.parametrize(
    ("words", "flow", "speed"),
    [
        ((), "lively", 20.0),
        (("--flow", "us500"), "us500", 20.0),
        (("--speed", "1"), "lively", 1.0),
        (("--data", __file__), "", 1.0),
        (("--data", __file__, "--speed", "5"), "", 5.0),
    ],
)
def test_without_a_word_paper_plays_what_is_seen_filling(words: tuple[str, ...], flow: str, speed: float) -> None:
    wishes = wishes_of(containers._arguments(["up", *words]), {})
    assert (wishes.flow, wishes.speed) == (flow, speed)


@pytest.mark.parametrize(("given", "handed"), [((), False), (("SPEED=5",), True)])
@pytest.mark.parametrize("verb", ["up", "demo"])
def test_make_hands_on_a_speed_that_was_given_and_no_other(verb: str, given: tuple[str, ...], handed: bool) -> None:
    environ = {name: text for name, text in os.environ.items() if name not in ("SPEED", "MAKEFLAGS", "MAKELEVEL")}
    command = ["make", "--dry-run", verb, *given]
    said = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True).stdout
    assert ("--speed 5" in said, "--speed" in said) == (handed, handed)


# ---------------------------------------------------------------------- the files
@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of its own for run/stack and secrets/."""
    monkeypatch.setattr(plan, "STACK", tmp_path / "run" / "stack")
    monkeypatch.setattr(plan, "SECRETS", {"paper": tmp_path / "secrets" / "paper"})
    monkeypatch.setattr(containers, "look", lambda: Seen(uniform_host(4), "arm64", 4, (), is_virtual=True))
    return tmp_path


def test_everything_compose_names_is_there_before_it_is_started(stack: Path) -> None:
    settings = containers.load("monitor", {"MODELS_DIR": str(stack / "models"), "PORT_BASE": "500"})
    wallet = containers.write_files(settings, plan.Wishes(), {"MARKET": "us500", "LEVERAGE": "5"})
    found = plan.read_env((plan.STACK / "compose.env").read_text())
    for name in ("SECRETS", "ACL", "LATCH", "MODELS", "SERVICES_ENV", "GRAFANA_ENV"):
        assert Path(found[name]).exists(), name
    assert {path.name for path in Path(found["SECRETS"]).iterdir()} == {*secret_files.TOKENS, *secret_files.KEYS}
    assert found["QUOTER_PLATFORM"] == "linux/arm64"
    assert wallet in found["SIMVENUE_ARGUMENTS"]
    venue = Venue(plan.STACK)
    assert (venue.is_paper, venue.latch) == (True, plan.STACK / "latch")
    assert plan.read_env((plan.STACK / "services.env").read_text())["LEVERAGE"] == "5"


def test_a_second_session_has_the_same_keys_and_another_account(stack: Path) -> None:
    settings = containers.load("monitor", {"MODELS_DIR": str(stack / "models")})
    first = containers.write_files(settings, plan.Wishes(), {})
    keys = {path.name: path.read_text() for path in plan.SECRETS["paper"].iterdir()}
    assert containers.write_files(settings, plan.Wishes(), {}) != first
    assert {path.name: path.read_text() for path in plan.SECRETS["paper"].iterdir()} == keys


def started(stack: Path, monkeypatch: pytest.MonkeyPatch, engine: Engine, *arguments: str, **environ: str) -> int:
    """`up` on this engine, with a page that answers at once."""
    monkeypatch.setattr(containers, "require_engine", lambda: None)
    monkeypatch.setattr(containers, "Compose", lambda _: engine)
    monkeypatch.setattr(containers, "get", lambda *_: {"mode": "active"})
    monkeypatch.setenv("MODELS_DIR", str(stack / "models"))
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return main(["up", "--port-base", str(free_port_base("monitor")), *arguments])


def test_a_session_on_paper_begins_without_anything_of_the_last_one(
    stack: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    killfile.write(plan.STACK / "latch", killfile.Kill(1, "of the last session"))
    engine = Engine()
    assert started(stack, monkeypatch, engine, GRAFANA="off", COMPOSE_UP_ARGS="--pull never") == EXIT_OK
    assert [line.split()[0] for line in engine.told] == ["down", "forget", "up"]
    assert engine.told[1] == "forget redis executor quoter riskd warden"
    assert engine.told[2].endswith("--pull never")
    assert killfile.read(plan.STACK / "latch") is None
    printed = capsys.readouterr().out
    assert "page" in printed
    assert "grafana" not in printed
    assert "km:US500 on paper: a made-up market, order flow lively" in printed


def test_what_runs_already_is_not_touched(stack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine()
    engine.runs = ["feed"]
    assert started(stack, monkeypatch, engine) == EXIT_REFUSED
    assert engine.told == []


def test_a_taken_port_ends_with_its_name(
    stack: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setattr(containers.plan, "PROMETHEUS_PORT", taken.getsockname()[1] - 7)
        engine = Engine()
        assert started(stack, monkeypatch, engine, "--port-base", "7") == EXIT_CONFIG
    assert "prometheus" in capsys.readouterr().err
    assert engine.told == []


# ---------------------------------------------------------------------- logs
def test_logs_of_nothing_say_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(containers, "NATIVE_LOGS", tmp_path)
    assert main(["logs"]) == EXIT_FAULT
    assert "make up" in capsys.readouterr().err


def test_logs_of_the_demonstration_are_followed_without_an_engine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told: list[list[str]] = []
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(containers, "NATIVE_LOGS", tmp_path)
    monkeypatch.setattr(containers, "follow", lambda command: told.append(command) or EXIT_OK)
    for name in ("feed", "quoter"):
        (tmp_path / f"{name}.log").touch()
    assert main(["logs", "quoter"]) == EXIT_OK
    assert [Path(word).name for word in told[0] if word.endswith(".log")] == ["quoter.log"]
