"""Stacks for all tests of this folder: built, started as `make up` does, stopped and removed at the end.

One on a recorded market is looked at and broken, one that nobody chose a market for is looked at, one has an arm64
quoter: one after the other, under one name.

The made-up systems (`tests/support/faked_systems.py`) are struck first, because the longest alert takes ten minutes to
fire; everything else happens meanwhile. Tests run in the order below, whatever their files are called: what breaks the
stack comes after what looks at it, its end after that, and last what takes longest to fire.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from common.errors import ConfigError, LinkDown
from common.kernel import ROOT
from scripts.container_plan import stack_folder
from scripts.engine import Compose, require_engine
from tests.support.containers import NOTES, OURS, PAPER, PROJECT, Running, docker, image_sizes, note, started
from tests.support.faked_systems import EXPORTER, PORT, PROMETHEUS_IMAGE, Faked, write
from tests.support.injections import FAKED
from tests.support.shared import shared_root

os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")  # we stop what we start; its image is not everywhere

ORDER = (
    "test_nothing_fires_in_made_up_health",
    "test_stack.py",
    "test_hardening.py",
    "test_networks.py",
    "test_alerts.py",
    "test_faults.py",
    "test_acl_container.py",
    "test_bus_container.py",
    "test_stop.py",
    "test_make_up.py",
    "test_boards.py",
    "test_arm64.py",
    "test_made_up_systems_fire",
)
TEST_S = 900
REDIS_IMAGE = "redis:7-bookworm"
RECORDING = "data/events/standx_BTC_2026-01-06.npz"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In ORDER, and with time for the fixtures: images may have to be built."""
    here = [item for item in items if Path(item.fspath).parent == Path(__file__).parent]
    for item in here:
        item.add_marker(pytest.mark.timeout(TEST_S))
    places = [i for i, item in enumerate(items) if item in here]
    for place, item in zip(places, sorted(here, key=_rank), strict=True):
        items[place] = item


def _rank(item: pytest.Item) -> int:
    """By the test's own name, else by its file's."""
    for word in (item.nodeid.rpartition("::")[2], Path(item.fspath).name):
        if word in ORDER:
            return ORDER.index(word)
    return len(ORDER)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was measured, whatever passed or failed."""
    if NOTES:
        terminalreporter.section("measured")
        terminalreporter.write("\n".join(NOTES) + "\n")


@pytest.fixture(scope="session")
def engine() -> None:
    """Skips, and says why, where no containers can be run."""
    try:
        require_engine()
    except ConfigError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def redis_image(engine: None) -> str:
    """The image that the stack runs; skips, and says why, where it cannot be had."""
    try:
        docker("image", "inspect", REDIS_IMAGE)
    except LinkDown:
        try:
            docker("pull", "--quiet", REDIS_IMAGE)
        except LinkDown as error:
            pytest.skip(f"{REDIS_IMAGE} is not here and cannot be had: {error}")
    return REDIS_IMAGE


@pytest.fixture(scope="session")
def images(engine: None) -> None:
    """What changed is built; the measured seconds and sizes are printed."""
    began = time.monotonic()
    built = subprocess.run(
        ["docker", "compose", "--profile", "paper", "build", "--quiet"],
        cwd=ROOT, env={**os.environ, "COMPOSE_PROJECT_NAME": PROJECT}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr[-3000:]
    note(f"images built in {time.monotonic() - began:.0f} s (what did not change is kept)")
    note("image sizes, MB: " + ", ".join(f"{name} {size:.0f}" for name, size in image_sizes().items()))


@pytest.fixture(scope="session")
def faked(images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faked]:
    """A made-up exporter and one real Prometheus for each system of alerts."""
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.network import Network

    folder = tmp_path_factory.mktemp("faked")
    systems = write(folder, FAKED)
    script = ROOT / "tests" / "support" / "faked_exporter.py"
    with ExitStack() as stack:
        network = stack.enter_context(Network())
        exporter = DockerContainer(f"amm500/{OURS[-1]}:dev", entrypoint="python", healthcheck={"test": ["NONE"]})
        exporter.with_network(network)
        exporter.with_network_aliases(EXPORTER).with_exposed_ports(PORT)
        exporter.with_volume_mapping(str(folder / "script.json"), "/script.json", "ro")
        exporter.with_volume_mapping(str(script), "/faked_exporter.py", "ro")
        stack.enter_context(exporter.with_command(f"/faked_exporter.py /script.json {PORT}"))
        urls = {}
        for i, alerts in enumerate(systems):
            one = DockerContainer(PROMETHEUS_IMAGE).with_network(network).with_exposed_ports(9090)
            one.with_volume_mapping(str(folder / f"prometheus-{i}.yml"), "/etc/prometheus/prometheus.yml", "ro")
            one.with_volume_mapping(str(folder / "rules.yml"), "/etc/prometheus/rules.yml", "ro")
            stack.enter_context(one)
            url = f"http://{one.get_container_host_ip()}:{one.get_exposed_port(9090)}"
            urls |= dict.fromkeys(alerts, url)
        yield Faked(urls, f"http://{exporter.get_container_host_ip()}:{exporter.get_exposed_port(PORT)}")


@pytest.fixture(scope="session")
def compose() -> Iterator[Compose]:
    """Our project's, as `make` would address it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPOSE_PROJECT_NAME", PROJECT)
        yield Compose(stack_folder(PROJECT) / "compose.env")


@pytest.fixture(scope="session")
def stack(images: None, compose: Compose) -> Iterator[Running]:
    """The stack on a recorded market, or on a synthetic one where the recording is not here."""
    path = shared_root() / RECORDING
    source = ("--market", "standx", "--data", str(path)) if path.exists() else ("--market", "us500", "--flow", "btc")
    note(f"market: {path.name if path.exists() else f'synthetic, since {RECORDING} is not here (AMM_SHARED)'}")
    with started((*source, "--speed", "20"), PAPER | {"SESSION": "regular"}) as running:
        running.await_health()
        yield running


@pytest.fixture(scope="session")
def shown(images: None, compose: Compose) -> Iterator[Running]:
    """What `make up` starts for a person who says nothing of the market, and records."""
    with started((), PAPER) as running:
        yield running
