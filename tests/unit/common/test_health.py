"""A container is healthy when its service says that it is ready, and not a moment before."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest

from common.exporter import Exporter
from common.health import HEALTHY, UNHEALTHY, is_ready
from common.kernel import ROOT
from tests.support.ports import free_port


@pytest.fixture
async def exporter() -> AsyncIterator[tuple[int, dict[str, bool]]]:
    """The port of a service's /healthz and the facts it tells."""
    facts = {"ready": False}
    served = Exporter("127.0.0.1", 0, lambda: facts)
    await served.start()
    yield served.port, facts
    await served.stop()


async def test_ready_is_healthy_and_anything_else_is_not(exporter: tuple[int, dict[str, bool]]) -> None:
    port, facts = exporter
    assert not await asyncio.to_thread(is_ready, port)
    facts["ready"] = True
    assert await asyncio.to_thread(is_ready, port)


def test_nobody_there_is_unhealthy() -> None:
    assert not is_ready(free_port())


async def test_a_service_that_does_not_answer_in_time_is_unhealthy() -> None:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    assert not await asyncio.to_thread(is_ready, port, 0.1)
    server.close()


@pytest.mark.parametrize("line", [b"", b"\r\n", b"HTTP/1.0\r\n", b"HTTP/1.0 2000 OK\r\n", b"200\r\n", b"\xff" * 300])
async def test_what_is_no_http_200_is_unhealthy(line: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(line)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    assert not await asyncio.to_thread(is_ready, server.sockets[0].getsockname()[1])
    server.close()


async def test_the_check_of_an_image_ends_with_the_answer(exporter: tuple[int, dict[str, bool]]) -> None:
    port, facts = exporter

    def check() -> int:
        return subprocess.run(
            [sys.executable, "-SE", "-m", "common.health", str(port)], cwd=ROOT, check=False
        ).returncode

    assert await asyncio.to_thread(check) == UNHEALTHY
    facts["ready"] = True
    assert await asyncio.to_thread(check) == HEALTHY
