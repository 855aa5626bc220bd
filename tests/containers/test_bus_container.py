"""Every rule of the bus once more, on the Redis image that the containers run: skipped, and said, without an engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import RedisError

from common.bus import Bus, RedisBus
from scripts.stack import wait_for
from tests.support.bus_rules import BusRules
from tests.support.bus_world import BLOCK_MS, World
from tests.support.ports import free_port

pytestmark = pytest.mark.container


class ContainerWorld(World):
    """The same levers as a local server has, on a container with a fixed port."""

    def __init__(self, container: Any, host: str, port: int) -> None:
        self.container, self.host, self.port = container, host, port

    def bus(self, service: str) -> Bus:
        return RedisBus(f"redis://{self.host}:{self.port}/0", service, block_ms=BLOCK_MS)

    def command(self, *command: Any) -> Any:
        with Redis(host=self.host, port=self.port, protocol=2) as client:
            client.response_callbacks.clear()
            return client.execute_command(*command)

    def answers(self) -> bool:
        try:
            return bool(self.command("PING") == b"PONG")
        except RedisError:
            return False

    def down(self) -> None:
        self.container.kill()

    def up(self) -> None:
        self.container.start()
        wait_for(self.answers, 20, "the container's Redis again")

    def wipe(self) -> None:
        self.command("FLUSHALL")

    def spoil(self, key: str) -> None:
        self.command("DEL", key)
        self.command("SET", key, "no stream")

    def forget(self, key: str, entry_id: str) -> None:
        self.command("XDEL", key, entry_id)

    def add(self, key: str, fields: Any, entry_id: str = "*") -> str:
        text: bytes = self.command("XADD", key, entry_id, *fields)
        return text.decode()


@pytest.fixture(scope="module")
def redis_container(redis_image: str) -> Iterator[ContainerWorld]:
    from testcontainers.core.container import DockerContainer

    port = free_port()
    container = DockerContainer(redis_image).with_bind_ports(6379, port)
    container.with_command("redis-server --appendonly yes --appendfsync everysec --save ''")
    with container as running:
        world = ContainerWorld(running.get_wrapped_container(), running.get_container_host_ip(), port)
        wait_for(world.answers, 30, "the container's Redis")
        yield world


class TestContainerBus(BusRules):
    @pytest.fixture
    def world(self, redis_container: ContainerWorld) -> Iterator[World]:
        """The module's container, emptied; a rule that kills it leaves it running again."""
        redis_container.wipe()
        yield redis_container
        if not redis_container.answers():
            redis_container.up()
