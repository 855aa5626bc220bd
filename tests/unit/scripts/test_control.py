"""The shell's verbs reach whichever system runs, and a kill needs no page."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from common import killfile
from common.config import PAGE_PORT
from common.errors import EXIT_FAULT, EXIT_OK
from scripts import control
from tests.support.ports import free_port

TOKEN = "the-token-of-what-runs"


class Page(http.server.BaseHTTPRequestHandler):
    """A control page that knows one token."""

    heard: list[tuple[str, str]] = []  # noqa: RUF012 (emptied by the fixture)

    def do_GET(self) -> None:
        self._answer(200, {"mode": "active", "fills": []})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        known = self.headers["Authorization"] == f"Bearer {TOKEN}"
        if known:
            Page.heard.append((self.path, body))
        self._answer(200 if known else 401, {"verb": self.path})

    def _answer(self, status: int, body: dict[str, object]) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        """Silent."""


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    Page.heard.clear()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("PORT_BASE", str(server.server_address[1] - PAGE_PORT))
    yield
    server.shutdown()
    server.server_close()


@pytest.fixture
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT_BASE", str(free_port() - PAGE_PORT))


def put_token(root: Path, folder: str, token: str) -> None:
    (root / folder).mkdir(parents=True)
    (root / folder / "control_token").write_text(token + "\n")


@pytest.mark.usefixtures("page")
def test_status_needs_no_token(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert control.main(["status"], tmp_path) == EXIT_OK
    assert json.loads(capsys.readouterr().out)["mode"] == "active"


@pytest.mark.usefixtures("page")
@pytest.mark.parametrize("folder", ["run/demo/secrets", "secrets/paper", "secrets"])
def test_a_verb_is_given_with_the_token_of_what_runs(tmp_path: Path, folder: str) -> None:
    put_token(tmp_path, folder, TOKEN)
    assert control.main(["pause", "--reason", "lunch"], tmp_path) == EXIT_OK
    assert Page.heard == [("/api/pause", '{"reason": "lunch"}')]


@pytest.mark.usefixtures("page")
def test_the_token_left_by_an_older_run_is_passed_over(tmp_path: Path) -> None:
    put_token(tmp_path, "run/demo/secrets", "of-a-demonstration-long-over")
    put_token(tmp_path, "secrets/paper", TOKEN)
    assert control.main(["resume"], tmp_path) == EXIT_OK
    assert [path for path, _ in Page.heard] == ["/api/resume"]


@pytest.mark.usefixtures("page")
@pytest.mark.parametrize("token", ["wrong", None])
def test_without_its_token_nothing_is_done_and_it_is_said(
    tmp_path: Path, token: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    if token is not None:
        put_token(tmp_path, "secrets/paper", token)
    assert control.main(["arm"], tmp_path) == EXIT_FAULT
    assert Page.heard == []
    assert "does not obey" in capsys.readouterr().err


@pytest.mark.usefixtures("page")
def test_a_page_that_does_not_know_our_token_does_not_stop_a_kill(tmp_path: Path) -> None:
    put_token(tmp_path, "secrets/paper", "wrong")
    (tmp_path / "run/stack/latch").mkdir(parents=True)
    assert control.main(["kill"], tmp_path) == EXIT_OK
    assert killfile.read(tmp_path / "run/stack/latch") is not None


@pytest.mark.usefixtures("no_page")
@pytest.mark.parametrize("folder", control.LATCH_FOLDERS)
def test_kill_without_a_page_is_the_file_that_executor_and_warden_watch(tmp_path: Path, folder: str) -> None:
    put_token(tmp_path, "secrets/paper", TOKEN)
    (tmp_path / folder).mkdir(parents=True)
    assert control.main(["kill", "--reason", "fire"], tmp_path) == EXIT_OK
    found = killfile.read(tmp_path / folder)
    assert found is not None
    assert found.reason == "fire"


@pytest.mark.usefixtures("no_page")
@pytest.mark.parametrize("verb", ["status", "arm", "pause", "kill"])
def test_where_nothing_runs_it_is_said(tmp_path: Path, verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    put_token(tmp_path, "secrets/paper", TOKEN)
    assert control.main([verb], tmp_path) == EXIT_FAULT
    assert "port" in capsys.readouterr().err
