"""A private Redis for tests: one a session, and one that may be killed.

Import the fixtures in a `conftest.py` (`from tests.support.redis import mortal_redis, redis_server`).  The folder is
a short one in the system's temporary folder, since a socket's path may have about 100 bytes.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.redis_server import RedisServer, find_binary


def _served() -> Iterator[RedisServer]:
    folder = Path(tempfile.mkdtemp(prefix="amm-redis-"))
    server = RedisServer(folder, binary=find_binary())
    try:
        yield server.start()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """One server for the whole session; use keys of your own, never kill it."""
    yield from _served()


@pytest.fixture
def mortal_redis() -> Iterator[RedisServer]:
    """A server for one test: `kill`, `pause`, `resume`, `start` at will."""
    yield from _served()
