"""Who reaches whom: derived from the compose file's networks, proven by sockets from inside every container.

Each listening port is tried at every address its container has, from every other container: one that shares no network
with that address must not get through, whatever names resolve to. Nothing on paper finds a way out.
"""

from __future__ import annotations

import json

import pytest

from common.config import METRICS_PORTS, PAGE_PORT, VENUE_PORT
from scripts.engine import Compose
from tests.support.containers import PROJECT, SERVICES, Running, docker, note

pytestmark = pytest.mark.container

PORTS = {name: [port] for name, port in METRICS_PORTS.items()} | {"redis": [6379], "prometheus": [9090]}
PORTS["simvenue"] = [*PORTS["simvenue"], VENUE_PORT]
PORTS["monitor"] = [*PORTS["monitor"], PAGE_PORT]

BUS = {"feed", "quoter", "executor", "riskd", "monitor"}
"""Redis' clients, and nobody else."""
ASK_THE_VENUE = {"feed", "quoter", "executor", "warden", "riskd", "monitor"}
REAL_VENUE = {"feed", "executor", "warden", "monitor"}
OUTSIDE = ("192.0.2.1", 443), ("1.1.1.1", 443)
"""An address that is nobody's, and one that answers wherever there is a way to it."""

CONNECT = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor
def reaches(target):
    try:
        socket.create_connection(tuple(target), 1.5).close()
    except OSError as error:
        return f"{type(error).__name__} {error}"
    return ""
targets = json.loads(sys.argv[1])
with ThreadPoolExecutor(16) as pool:
    print(json.dumps(list(pool.map(reaches, targets))))
"""
AT_ONCE = 4
"""Tries of a shell at a time: containers may have few processes."""

SHELL = {
    "redis": "timeout 1.5 bash -c 'exec 3<>/dev/tcp/{host}/{port}' 2>/dev/null",
    "prometheus": "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 1 {host} {port} >/dev/null 2>&1",
}


def reached(stack: Running, source: str, targets: list[tuple[str, int]]) -> list[bool]:
    """Whether each (host, port) lets `source` connect; our images have Python, the others a shell."""
    if source not in SHELL:
        said = json.loads(stack.inside(source, "python", "-c", CONNECT, json.dumps(targets)))
        return [error == "" for error in said]
    tries = [f"({SHELL[source].format(host=host, port=port)} && echo {i}) &" for i, (host, port) in enumerate(targets)]
    rounds = ["\n".join(tries[i : i + AT_ONCE]) for i in range(0, len(tries), AT_ONCE)]
    said = stack.inside(source, "sh", "-c", "\nwait\n".join([*rounds, "true"]))
    return [str(i) in said.split() for i in range(len(targets))]


@pytest.fixture(scope="module")
def declared(stack: Running, compose: Compose) -> dict[str, set[str]]:
    """Service -> its networks, as the compose file has them."""
    tree = json.loads(compose.output("--profile", "paper", "config", "--format", "json"))
    return {name: set(tree["services"][name]["networks"]) for name in SERVICES}


def test_containers_are_on_the_networks_of_the_compose_file(stack: Running, declared: dict[str, set[str]]) -> None:
    for name in SERVICES:
        assert set(stack.networks(name)) == {f"{PROJECT}_{network}" for network in declared[name]}


@pytest.mark.parametrize("source", SERVICES)
def test_a_container_reaches_those_on_its_networks_and_nobody_else(
    stack: Running, declared: dict[str, set[str]], source: str
) -> None:
    targets, expected = [], []
    for name in SERVICES:
        if name != source:
            for network, facts in stack.inspect(name)["NetworkSettings"]["Networks"].items():
                for port in PORTS[name]:
                    targets.append((facts["IPAddress"], port))
                    expected.append((name, network.removeprefix(f"{PROJECT}_") in declared[source]))
    got = reached(stack, source, targets)
    wrong = [
        f"{source} -> {name} {host}:{port}: {'reached' if through else 'not reached'}"
        for (host, port), (name, meant), through in zip(targets, expected, got, strict=True)
        if through != meant
    ]
    assert wrong == []
    note(f"{source}: {sum(got)} of {len(got)} addresses reached, as declared")


def test_roles_of_the_networks_are_the_designs(declared: dict[str, set[str]]) -> None:
    """Written once more by hand, so that a wrong line in the compose file cannot pass on both sides."""
    on = {network: users(declared, network) for network in set().union(*declared.values())}
    assert on["bus"] == BUS | {"redis"}
    assert on["sim"] == ASK_THE_VENUE | {"simvenue"}
    assert on["venue"] == REAL_VENUE
    assert on["mirror"] == {"simvenue"}
    assert on["page"] == {"monitor"}
    assert on["boards"] == on["graphs"] == {"prometheus"}
    assert on["watch"] == {*SERVICES} - {"redis"}
    assert len(on) == 8


def users(declared: dict[str, set[str]], network: str) -> set[str]:
    return {name for name, networks in declared.items() if network in networks}


def test_networks_are_closed_on_paper(stack: Running) -> None:
    """Those that publish a port have a way in; without masquerade nothing finds its way back in from outside."""
    for network in ("bus", "sim", "watch", "venue"):
        assert facts(network)["Internal"], network
    for network in ("mirror", "page", "graphs"):
        assert facts(network)["Options"]["com.docker.network.bridge.enable_ip_masquerade"] == "false", network


def facts(network: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads(docker("network", "inspect", f"{PROJECT}_{network}"))[0]
    return found


@pytest.mark.parametrize("source", SERVICES)
def test_nobody_finds_a_way_out_on_paper(stack: Running, source: str) -> None:
    assert not any(reached(stack, source, list(OUTSIDE)))
