"""The rights of every user once more, in the Redis image that the stack runs: skipped, and said, without an engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError, RedisError

from scripts.acl import acl_lines
from scripts.stack import wait_for
from tests.support.acl_rules import COIN, PASSWORDS, AclRules, Server

pytestmark = pytest.mark.container


@pytest.fixture(scope="module")
def acl_server(redis_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    from testcontainers.core.container import DockerContainer

    path: Path = tmp_path_factory.mktemp("acl") / "users.acl"
    path.write_text("\n".join([*acl_lines(PASSWORDS, [COIN]), "user admin on >admin-of-the-test ~* &* +@all"]) + "\n")
    path.chmod(0o444)
    container = DockerContainer(redis_image).with_exposed_ports(6379).with_volume_mapping(str(path), "/users.acl", "ro")
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
