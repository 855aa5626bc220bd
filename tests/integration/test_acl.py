"""The rights of every user of Redis, on the server of this machine; skipped, and said, where it is older than 7."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.errors import ConfigError
from common.redis_server import VERSION_MIN, RedisServer, find_binary
from scripts.acl import acl_lines
from tests.support.acl_rules import COIN, PASSWORDS, AclRules, Server

ADMIN = "user admin on >admin-of-the-test ~* &* +@all"


class OwnServer(RedisServer):
    """The server of the demonstration, with an ACL file."""

    def command(self) -> list[str]:
        return [*super().command(), "--aclfile", str(self.folder / "users.acl")]

    def answers(self) -> bool:
        """It listens: to ask more needs a password."""
        return self.socket_path.exists()


@pytest.fixture(scope="module")
def own_server() -> Iterator[Server]:
    try:
        binary = find_binary()
    except ConfigError as error:
        pytest.skip(str(error))
    if binary.version < VERSION_MIN:
        version = ".".join(map(str, binary.version))
        pytest.skip(
            f"key permissions need Redis 7; here is {version} (tests/containers has the same rules in an image)"
        )
    folder = Path(tempfile.mkdtemp(prefix="amm-acl-"))
    (folder / "users.acl").write_text("\n".join([*acl_lines(PASSWORDS, [COIN]), ADMIN]) + "\n")
    server = OwnServer(folder, binary=binary)
    try:
        server.start()
        path = server.socket_path
        yield Server({"unix_socket_path": str(path)}, lambda user: f"unix://{user}:{PASSWORDS[user]}@{path}")
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


class TestOwnServer(AclRules):
    @pytest.fixture
    def server(self, own_server: Server) -> Server:
        return own_server
