"""The built stack in containers, as the tests see it: what it says of itself, and the levers that break it.

Everything is done with the engine's own commands, so that it works wherever `make up` does. A process is killed from
inside its container (the first child of the init): the container then ends as after a crash, and the engine restarts
it; `docker kill` would count as an operator's stop. Seconds are wall seconds of this machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from common.errors import EXIT_OK, LinkDown
from common.kernel import ROOT
from scripts.container_plan import ports, read_env, secrets_folder, stack_folder
from scripts.stack import ask, get, wait_for
from tests.e2e.conftest import free_port_base
from tests.support.prometheus import asked, first_fired

PROJECT = "amm500-test"
"""Beside whatever a person runs from this checkout: its containers, networks and volumes bear this name."""

OURS = ("simvenue", "feed", "quoter", "executor", "warden", "riskd", "monitor")
SERVICES = (*OURS, "redis", "prometheus")
PUBLISHED_BY = {"simvenue": "mirror", "monitor": "page", "prometheus": "graphs"}
"""The network through which a container publishes its port: cut off, it could not be asked any more."""

PAPER = {"NETWORK": "paper", "SESSION": "auto", "RECORD": "true", "GRAFANA": "off", "TAG": "dev"}
"""What a person's `.env` may not decide for these tests."""

ENGINE_S = 180.0
"""Longer than nine containers take to stop one after the other."""

FREEZE_S = 10.0
"""An engine on a busy machine may be unable to freeze a container at the first try."""

LATE_S = 0.2
"""A probe that only waits may be so late; beyond it the machine, not the system, decided the measurement."""


NOTES: list[str] = []
"""Measured figures, shown at the end of the run."""


def note(text: str) -> None:
    NOTES.append(text)


def docker(*arguments: str) -> str:
    """What one engine command prints; raises LinkDown with its last words."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=ENGINE_S, check=False)
    if done.returncode != 0:
        raise LinkDown(f"docker {arguments[0]}: {done.stderr.strip()[-300:]}")
    return done.stdout


def make(verb: str, *arguments: str, **environ: str) -> str:
    """What `make up`, `make down` or `make status` does, for our project; its output, or LinkDown with it."""
    module = "scripts.containers" if verb in ("up", "down") else "scripts.control"
    command = [sys.executable, "-m", module, verb, *arguments]
    ours = {"COMPOSE_PROJECT_NAME": PROJECT, "AMM_KERNELS": "plain"}
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **ours, **environ}, capture_output=True, text=True, check=False
    )
    if done.returncode != EXIT_OK:
        raise LinkDown(f"make {verb}: exit code {done.returncode}: {(done.stdout + done.stderr)[-3000:]}")
    return done.stdout


@dataclass(frozen=True)
class Measured:
    """`late_s`: how late an idle probe of this machine came at worst meanwhile."""

    seconds: float
    late_s: float

    @property
    def disturbed(self) -> bool:
        return self.late_s > LATE_S


class Running:
    """A stack that was started; `market` and `environ` are what `make up` got, `said` is what it printed."""

    def __init__(self, port_base: int, market: tuple[str, ...], environ: dict[str, str], said: str) -> None:
        self.port_base, self.market, self.environ, self.said = port_base, market, environ, said
        self.ports = ports(port_base, grafana=False)
        services = read_env((stack_folder(PROJECT) / "services.env").read_text(encoding="utf-8"))
        self.address = services["WALLET_ADDRESS"]

    # ------------------------------------------------------------------ asking
    @property
    def prometheus(self) -> str:
        return f"http://127.0.0.1:{self.ports['prometheus']}"

    def ledger(self) -> dict[str, Any]:
        """The venue's own truth; raises LinkDown."""
        return get(self.ports["venue"], "/sim/ledger")

    def status(self) -> dict[str, Any]:
        return get(self.ports["page"], "/api/status")

    def session(self, mark_px: str) -> dict[str, Any]:
        return get(self.ports["page"], f"/api/session?mark_px={mark_px}")

    def command(self, verb: str, reason: str = "a test") -> dict[str, Any]:
        """Through the control API, with the token of the paper stack."""
        token = (secrets_folder("paper") / "control_token").read_text(encoding="ascii").strip()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return ask(self.ports["page"], "POST", f"/api/{verb}", json.dumps({"reason": reason}).encode(), headers)

    def cloids(self) -> set[str]:
        """Our orders that rest at the venue."""
        return {row["cloid"] for row in self.ledger()["orders"] if row["address"] == self.address}

    def resting(self) -> int:
        return len(self.cloids())

    def booked(self) -> set[str]:
        """Our orders as the page shows them."""
        resting = self.status()["quotes"]["resting"]
        return {row["cloid"] for row in resting["bids"] + resting["asks"]}

    def actions(self) -> int:
        """What the venue has counted of our order actions: it rises while we quote."""
        return int(self.ledger()["actions"][self.address]["used"])

    def deadman_fires(self) -> int:
        """How often the warden of this life has begun to cancel."""
        ask_it = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:9107/healthz').read().decode())"
        said: str = wait_for(
            lambda: self.inside("warden", "python", "-c", ask_it), 30, "the warden's answer", every_s=0.5
        )
        return int(json.loads(said)["fires"])

    def fires_after(self, alert: str, t_s: float) -> float | None:
        """Seconds after `t_s` (wall) at which the alert began to fire; None = it has not yet."""
        return first_fired(self.prometheus, alert, t_s)

    # ------------------------------------------------------------------ containers
    def name(self, service: str) -> str:
        return f"{PROJECT}-{service}-1"

    def inspect(self, service: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(docker("inspect", self.name(service)))[0]
        return found

    def inside(self, service: str, *command: str) -> str:
        """What a command prints inside the container; raises LinkDown when it fails."""
        return docker("exec", self.name(service), *command)

    def healthy(self, service: str) -> bool:
        state = self.inspect(service)["State"]
        return bool(state["Running"] and not state["Paused"] and state["Health"]["Status"] == "healthy")

    def networks(self, service: str) -> list[str]:
        return sorted(self.inspect(service)["NetworkSettings"]["Networks"])

    def kill(self, service: str) -> None:
        """SIGKILL to the service's process; its container ends with it and is restarted by the engine's policy."""
        self.inside(service, "sh", "-c", "kill -9 $(cat /proc/1/task/1/children)")

    @contextmanager
    def paused(self, *services: str) -> Iterator[None]:
        """Frozen while the block runs, as a machine that hangs."""
        for name in map(self.name, services):
            wait_for(lambda one=name: docker("pause", one), FREEZE_S, f"{name} frozen")
        try:
            yield
        finally:
            for service in services:
                docker("unpause", self.name(service))

    @contextmanager
    def cut_off(self, service: str) -> Iterator[None]:
        """Without its networks, but for the one that publishes the port we ask, while the block runs."""
        keeps = f"{PROJECT}_{PUBLISHED_BY.get(service, '')}"
        cut = [name for name in self.networks(service) if name != keeps]
        for network in cut:
            docker("network", "disconnect", network, self.name(service))
        try:
            yield
        finally:
            for network in cut:
                docker("network", "connect", "--alias", service, network, self.name(service))

    # ------------------------------------------------------------------ waiting
    def await_health(self, within_s: float = 120.0) -> None:
        """Every service heard and ready, trading permitted, quotes at the venue: as before the first fault."""
        wait_for(lambda: asked(self.prometheus, "query", query="up")["result"], within_s, "Prometheus answers")
        wait_for(lambda: all(row["alive"] and row["ready"] for row in self.status()["services"]), within_s, "services")
        wait_for(lambda: self.status()["mode"] == "active", within_s, "permission to quote")
        wait_for(lambda: self.resting() > 0, within_s, "quotes at the venue")

    def await_fresh_scrapes(self, within_s: float = 60.0) -> None:
        """Prometheus has scraped all of them since the last fault."""
        wait_for(lambda: self._up() >= len(OURS), within_s, "every target up", every_s=0.5)

    def _up(self) -> int:
        return sum(row["value"][1] == "1" for row in asked(self.prometheus, "query", query="up")["result"])

    def until_none_rest(self, limit_s: float, since_mono_s: float) -> Measured:
        """Seconds until the venue shows none of our orders; raises LinkDown after `limit_s`."""
        return self.until(lambda: self.resting() == 0, limit_s, since_mono_s, "0 resting at the venue")

    def until(self, condition: Callable[[], bool], limit_s: float, since_mono_s: float, what: str) -> Measured:
        late_s = 0.0
        while not condition():
            now = time.monotonic()
            if now - since_mono_s > limit_s:
                raise LinkDown(f"{what}: not within {limit_s:g} s (a probe was {late_s:.2f} s late)")
            time.sleep(0.05)
            late_s = max(late_s, time.monotonic() - now - 0.05)
        return Measured(time.monotonic() - since_mono_s, late_s)


@contextmanager
def started(words: tuple[str, ...], environ: dict[str, str]) -> Iterator[Running]:
    """`make up` with these words, in place of whatever ran of our project; removed at the end."""
    remove()
    base = free_port_base()
    market = (*words, "--port-base", str(base))
    began = time.monotonic()
    try:
        said = make("up", *market, COMPOSE_UP_ARGS="--no-build", **environ)
        note(f"make up {' '.join(words)}: healthy after {time.monotonic() - began:.0f} s, images built before")
        yield Running(base, market, environ, said)
    finally:
        remove()


def remove() -> None:
    """Containers, networks and volumes of our project, also those that a broken run left."""
    docker("compose", "-p", PROJECT, "--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "12")


def image_sizes() -> dict[str, float]:
    """MB of each of our images."""
    sizes = {}
    for name in OURS:
        row = json.loads(docker("image", "inspect", f"amm500/{name}:{os.environ.get('TAG', 'dev')}"))[0]
        sizes[name] = row["Size"] / 1e6
    return sizes
