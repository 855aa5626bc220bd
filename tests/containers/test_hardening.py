"""What the engine says of every container of the running stack, and what its processes say of themselves."""

from __future__ import annotations

import pytest

from common.errors import LinkDown
from tests.support.containers import SERVICES, Running

pytestmark = pytest.mark.container

MB = 2**20
MEMORY_MB = {
    "redis": 384, "simvenue": 2048, "feed": 512, "quoter": 1024, "executor": 512, "warden": 256, "riskd": 512,
    "monitor": 512, "prometheus": 1024,
}  # fmt: skip
SECRETS = {
    "redis": {"users.acl"}, "feed": {"redis_password"}, "quoter": {"redis_password"}, "riskd": {"redis_password"},
    "executor": {"redis_password", "agent_key"}, "warden": {"warden_key"},
    "monitor": {"redis_password", "control_token"}, "simvenue": set(), "prometheus": set(),
}  # fmt: skip
PUBLISHED = {"simvenue": "3001/tcp", "monitor": "8080/tcp", "prometheus": "9090/tcp"}
WRITABLE = {
    "redis": {"/data"}, "feed": {"/app/recordings"}, "quoter": {"/app/run"}, "riskd": {"/app/run", "/app/latch"},
    "executor": {"/app/run", "/app/line"}, "warden": {"/app/run", "/app/line"}, "monitor": {"/app/latch"},
    "prometheus": {"/prometheus"}, "simvenue": set(),
}  # fmt: skip
GRACE_S = 12


@pytest.mark.parametrize("service", SERVICES)
def test_container_is_hardened(stack: Running, service: str) -> None:
    found = stack.inspect(service)
    config, host = found["Config"], found["HostConfig"]
    assert config["User"].partition(":")[0] not in ("", "0", "root")
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert not host["Privileged"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["ReadonlyRootfs"]
    assert host["Init"]
    assert host["Memory"] == MEMORY_MB[service] * MB
    assert 0 < host["PidsLimit"] <= 64
    assert host["RestartPolicy"]["Name"] == ("no" if service == "simvenue" else "unless-stopped")
    assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-file": "5", "max-size": "10m"}}
    assert config["StopTimeout"] == GRACE_S
    assert {"Name": "core", "Hard": 0, "Soft": 0} in host["Ulimits"]
    assert (host["PidMode"], host["IpcMode"], host["NetworkMode"] == "host") == ("", "private", False)


@pytest.mark.parametrize("service", SERVICES)
def test_ports_are_published_on_this_machine_only(stack: Running, service: str) -> None:
    bound = stack.inspect(service)["HostConfig"]["PortBindings"] or {}
    assert set(bound) == ({PUBLISHED[service]} if service in PUBLISHED else set())
    assert {one["HostIp"] for rows in bound.values() for one in rows} <= {"127.0.0.1"}


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_holds_its_own_secrets_and_may_write_its_own_folders(stack: Running, service: str) -> None:
    mounts = stack.inspect(service)["Mounts"]
    secrets = {m["Destination"] for m in mounts if m["Destination"].startswith("/run/secrets/")}
    assert secrets == {f"/run/secrets/{name}" for name in SECRETS[service]}
    assert {m["Destination"] for m in mounts if m["RW"]} == WRITABLE[service]
    assert not any("docker.sock" in m["Source"] for m in mounts)


@pytest.mark.parametrize("service", SERVICES)
def test_its_process_has_no_rights_and_a_root_it_cannot_write(stack: Running, service: str) -> None:
    said = dict(
        line.split(":", 1) for line in stack.inside(service, "cat", "/proc/1/status").splitlines() if ":" in line
    )
    assert int(said["CapEff"], 16) == 0
    assert int(said["CapBnd"], 16) == 0
    assert said["NoNewPrivs"].strip() == "1"
    assert said["Uid"].split()[1] != "0"
    with pytest.raises(LinkDown, match=r"(?i)read-only file system"):
        stack.inside(service, "sh", "-c", "echo x > /etc/written")
