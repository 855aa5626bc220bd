"""`docker-compose.yml` as compose itself understands it: every service hardened, and no way that is not meant to be.

Compose is asked (`docker compose config`), no engine is needed; without the command line tool the rules are skipped.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
from typing import Any

import pytest

from common.config import METRICS_PORTS
from common.kernel import ROOT
from scripts.acl import USERS
from scripts.container_plan import ports


def has_compose() -> bool:
    """Whether there is a docker command, and compose v2 with it."""
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(
    not has_compose(), reason="no docker command with compose v2 here to read compose files"
)

OURS = ("feed", "quoter", "executor", "warden", "riskd", "monitor", "simvenue")
ALL = (*OURS, "redis", "prometheus", "grafana")
SIGNERS = {"executor": "agent_key", "warden": "warden_key"}


@functools.cache
def composed(*variables: str) -> dict[str, Any]:
    """The whole file with these NAME=VALUE variables, and no environment or `.env` of anybody's."""
    command = ["docker", "compose", "--env-file", os.devnull, "--profile", "*", "config", "--format", "json"]
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environ = {**kept, **dict(item.split("=", 1) for item in variables)}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def service(name: str, *variables: str) -> dict[str, Any]:
    found: dict[str, Any] = composed(*variables)["services"][name]
    return found


def mounts(name: str) -> dict[str, dict[str, Any]]:
    return {mount["target"]: mount for mount in service(name).get("volumes") or ()}


def users_of(network: str) -> set[str]:
    return {name for name in ALL if network in service(name)["networks"]}


def is_internal(network: str, *variables: str) -> bool:
    return bool(composed(*variables)["networks"][network].get("internal"))


def has_way_out(network: str, *variables: str) -> bool:
    """Neither internal nor without the masquerading that answers find their way back by."""
    found = composed(*variables)["networks"][network]
    options = found.get("driver_opts") or {}
    return not found.get("internal") and options.get("com.docker.network.bridge.enable_ip_masquerade") != "false"


def can_leave(name: str, *variables: str) -> bool:
    return any(has_way_out(network, *variables) for network in service(name)["networks"])


# ---------------------------------------------------------------------- every service
def test_there_is_every_service_and_no_other() -> None:
    assert set(composed()["services"]) == set(ALL)


@pytest.mark.parametrize("name", ALL)
def test_nobody_may_do_more_than_the_work_needs(name: str) -> None:
    found = service(name)
    assert found["read_only"] is True
    assert found["cap_drop"] == ["ALL"]
    assert "cap_add" not in found
    assert found["security_opt"] == ["no-new-privileges:true"]
    assert found.get("privileged") is not True
    assert found["user"].partition(":")[0] not in ("", "0", "root")
    assert not {"pid", "ipc", "network_mode", "userns_mode", "devices"} & set(found)


@pytest.mark.parametrize("name", ALL)
def test_nobody_can_use_up_the_machine(name: str) -> None:
    found = service(name)
    limits = found["deploy"]["resources"]["limits"]
    assert 0 < int(limits["memory"]) <= 2 * 1024**3
    assert 0 < limits["pids"] <= 256
    assert found["logging"]["driver"] == "json-file"
    assert {"max-size", "max-file"} <= set(found["logging"]["options"])
    assert "core" in found["ulimits"]  # some releases leave zeros out of what they print
    assert any(path.startswith("/tmp:") and "size=" in path for path in found["tmpfs"])


@pytest.mark.parametrize("name", ALL)
def test_everybody_ends_in_order_and_comes_back(name: str) -> None:
    found = service(name)
    assert found["init"] is True
    assert found["stop_grace_period"] == "12s"
    assert found["restart"] == ("no" if name == "simvenue" else "unless-stopped")


@pytest.mark.parametrize("name", ALL)
def test_images_are_pinned_or_ours(name: str) -> None:
    image, _, tag = service(name)["image"].rpartition(":")
    if name in OURS:
        assert (image, tag) == (f"amm500/{name}", "dev")
        assert service(name)["build"]["target"] == name
    else:
        assert tag not in ("", "latest")


@pytest.mark.parametrize("name", ALL)
def test_no_secret_is_in_an_environment_and_none_is_a_folder(name: str) -> None:
    names = set(service(name).get("environment") or {})
    assert not {word for word in names if "PASSWORD" in word or "KEY" in word or "TOKEN" in word} - {
        "GF_SECURITY_ADMIN_PASSWORD__FILE"
    }
    assert all("file" in secret for secret in composed()["secrets"].values())
    assert not any("docker.sock" in str(mount.get("source")) for mount in mounts(name).values())


@pytest.mark.parametrize("name", ALL)
def test_ports_are_published_on_this_machine_only(name: str) -> None:
    for port in service(name).get("ports") or ():
        assert port["host_ip"] == "127.0.0.1"


def test_what_is_published_is_what_make_up_prints() -> None:
    published = {int(port["published"]) for name in ALL for port in service(name).get("ports") or ()}
    assert published == set(ports(0).values())
    shifted = [f"PORT_{name.upper()}={port}" for name, port in ports(1000).items()]
    moved = {int(port["published"]) for name in ALL for port in service(name, *shifted).get("ports") or ()}
    assert moved == set(ports(1000).values())


def test_nothing_depends_on_grafana_and_paper_alone_has_a_simulated_venue() -> None:
    assert service("grafana")["profiles"] == ["grafana"]
    assert service("simvenue")["profiles"] == ["paper"]
    for name in ALL:
        wanted = service(name).get("depends_on") or {}
        assert "grafana" not in wanted
        assert wanted.get("simvenue", {"required": False})["required"] is False


# ---------------------------------------------------------------------- who knows which secret
@pytest.mark.parametrize("name", ALL)
def test_each_secret_is_handed_to_those_who_need_it(name: str) -> None:
    got = {secret["source"] for secret in service(name).get("secrets") or ()}
    expected = {f"redis_{name}"} if name in USERS else set()
    expected |= {SIGNERS[name]} if name in SIGNERS else set()
    expected |= {"monitor": {"control_token"}, "redis": {"users.acl"}, "grafana": {"grafana_password"}}.get(name, set())
    assert got == expected


@pytest.mark.parametrize("name", USERS)
def test_a_password_lies_where_the_configuration_looks(name: str) -> None:
    targets = [secret["target"] for secret in service(name)["secrets"] if secret["source"] == f"redis_{name}"]
    assert targets == ["redis_password"]
    assert service(name)["environment"]["SECRETS_DIR"] == "/run/secrets"


# ---------------------------------------------------------------------- who sees which folder
def test_the_latch_is_written_by_riskd_and_monitor_and_read_by_executor_and_warden() -> None:
    found = {name: mounts(name)["/app/latch"] for name in ALL if "/app/latch" in mounts(name)}
    assert {name for name, mount in found.items() if not mount.get("read_only")} == {"riskd", "monitor"}
    assert {name for name, mount in found.items() if mount.get("read_only")} == {"executor", "warden"}
    assert len({mount["source"] for mount in found.values()}) == 1


def test_executor_and_warden_alone_share_their_line() -> None:
    assert {name for name in ALL if "/app/line" in mounts(name)} == {"executor", "warden"}
    assert composed()["volumes"]["line"]["driver_opts"]["type"] == "tmpfs"


def test_what_a_service_keeps_is_its_own() -> None:
    volumes = [mount["source"] for name in ALL for mount in mounts(name).values() if mount["type"] == "volume"]
    assert sorted(volumes) == sorted([*(set(volumes) - {"line"}), "line", "line"])
    assert {mounts(name)["/app/run"]["source"] for name in ("executor", "quoter", "riskd", "warden")} == {
        "executor", "quoter", "riskd", "warden",
    }  # fmt: skip


@pytest.mark.parametrize("name", ALL)
def test_what_comes_from_the_checkout_is_read_only(name: str) -> None:
    for target, mount in mounts(name).items():
        if mount["type"] == "bind" and target != "/app/latch":
            assert mount.get("read_only") is True, target


# ---------------------------------------------------------------------- who reaches whom
def test_redis_is_reached_by_its_users_alone_and_published_nowhere() -> None:
    assert users_of("bus") == {"redis", *USERS}
    assert set(service("redis")["networks"]) == {"bus"}
    assert "ports" not in service("redis")
    assert is_internal("bus")


def test_on_paper_nobody_can_leave() -> None:
    assert {name for name in ALL if can_leave(name)} == set()


def test_a_mirror_opens_the_way_of_the_simulated_venue_only() -> None:
    assert {name for name in ALL if can_leave(name, "MIRROR_OPEN=true")} == {"simvenue"}


def test_live_the_venue_is_reached_by_feed_executor_warden_and_monitor_only() -> None:
    live = ("VENUE_CLOSED=false", "VENUE_URL=https://api.hyperliquid.xyz")
    assert {name for name in ALL if can_leave(name, *live)} == {"feed", "executor", "warden", "monitor"}
    assert service("feed", *live)["environment"]["VENUE_URL"] == "https://api.hyperliquid.xyz"


def test_alerts_open_the_way_of_those_who_send_them() -> None:
    assert {name for name in ALL if can_leave(name, "PAGE_OPEN=true")} == {"monitor", "grafana"}


def test_the_quoter_and_riskd_never_leave_whatever_is_open() -> None:
    everything = ("VENUE_CLOSED=false", "MIRROR_OPEN=true", "PAGE_OPEN=true")
    assert not any(can_leave(name, *everything) for name in ("quoter", "riskd", "redis", "prometheus"))


def test_prometheus_reaches_every_metrics_page_and_scrapes_it() -> None:
    assert users_of("watch") == {"prometheus", *OURS}
    text = (ROOT / "prometheus" / "prometheus.yml").read_text(encoding="utf-8")
    assert re.search(r'job_name: "?amm500"?$', text, flags=re.MULTILINE)
    for name in OURS:
        assert f"{name}:{METRICS_PORTS[name]}" in text


# ---------------------------------------------------------------------- the rest
@pytest.mark.parametrize("name", OURS)
def test_a_persons_settings_cannot_move_what_a_container_fixes(name: str) -> None:
    environ = service(name)["environment"]
    assert (environ["BIND"], environ["PORT_BASE"], environ["RUN_DIR"]) == ("0.0.0.0", "0", "/app/run")
    assert (environ["LATCH_DIR"], environ["LINE_DIR"]) == ("/app/latch", "/app/line")
    assert "@" not in environ["REDIS_URL"]


def test_redis_keeps_what_production_keeps() -> None:
    words = " ".join(service("redis")["command"])
    assert "--appendonly yes --appendfsync everysec --aof-load-truncated yes" in words
    assert "--maxmemory-policy noeviction" in words
    assert "--aclfile /run/secrets/users.acl" in words


def test_quotes_stop_first_then_the_executor_then_what_guards_it() -> None:
    """Compose stops in the reverse order of what depends on what."""
    assert "executor" in service("quoter")["depends_on"]
    assert {"warden", "riskd", "feed", "redis", "simvenue"} <= set(service("executor")["depends_on"])


def test_cores_and_platform_are_variables_with_safe_defaults() -> None:
    assert not any(service(name).get("cpuset") for name in ALL)
    assert not service("quoter").get("platform")
    chosen = ("QUOTER_CPUSET=1", "OTHERS_CPUSET=0", "QUOTER_PLATFORM=linux/arm64")
    assert {service(name, *chosen)["cpuset"] for name in ALL if name != "quoter"} == {"0"}
    assert (service("quoter", *chosen)["cpuset"], service("quoter", *chosen)["platform"]) == ("1", "linux/arm64")


def test_only_the_optional_override_lets_the_quoter_ask_for_more() -> None:
    found = composed("COMPOSE_FILE=docker-compose.yml:docker-compose.nice.yml")["services"]
    assert {name: rest["cap_add"] for name, rest in found.items() if rest.get("cap_add")} == {"quoter": ["SYS_NICE"]}


def test_the_venue_is_started_with_the_words_it_is_given() -> None:
    words = service("simvenue", "SIMVENUE_ARGUMENTS=--speed 20 --data '/data/a day.npz'")["command"]
    assert words == ["--host", "0.0.0.0", "--port", "3001", "--speed", "20", "--data", "/data/a day.npz"]
