"""The rights of every user once more, in the Redis image that the stack runs: skipped, and said, without an engine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError, RedisError

from scripts.acl import acl_lines
from scripts.stack import wait_for
from tests.support.acl_rules import COIN, PASSWORDS, AclRules, Server

IMAGE = "redis:7-bookworm"
os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")  # we stop what we start; its image is not everywhere

pytestmark = pytest.mark.container


@pytest.fixture(scope="module")
def acl_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    import docker
    from docker.errors import APIError, DockerException, ImageNotFound
    from testcontainers.core.container import DockerContainer

    try:
        engine = docker.from_env()
        engine.ping()
    except DockerException as error:
        pytest.skip(f"no container engine answers: {type(error).__name__}")
    try:
        engine.images.get(IMAGE)
    except ImageNotFound:
        try:
            engine.images.pull(IMAGE)
        except APIError as error:
            pytest.skip(f"image {IMAGE} is not here and cannot be had: {error.explanation}")
    path: Path = tmp_path_factory.mktemp("acl") / "users.acl"
    path.write_text("\n".join([*acl_lines(PASSWORDS, [COIN]), "user admin on >admin-of-the-test ~* &* +@all"]) + "\n")
    path.chmod(0o444)
    container = DockerContainer(IMAGE).with_exposed_ports(6379).with_volume_mapping(str(path), "/users.acl", "ro")
    with container.with_command("redis-server --save '' --aclfile /users.acl") as running:
        host, port = running.get_container_host_ip(), int(running.get_exposed_port(6379))

        def answers() -> bool:
            try:
                with Redis(host=host, port=port) as client:
                    client.ping()
            except AuthenticationError:
                return True
            except RedisError:
                return False
            return False

        wait_for(answers, 30, "the container's Redis")
        yield Server({"host": host, "port": port}, lambda user: f"redis://{user}:{PASSWORDS[user]}@{host}:{port}/0")


class TestContainerAcl(AclRules):
    @pytest.fixture
    def server(self, acl_server: Server) -> Server:
        return acl_server
