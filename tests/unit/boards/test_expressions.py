"""The tool that asks a Prometheus every question: it must notice an error, an empty answer and one without a number."""

from __future__ import annotations

import json
import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.support import expressions
from tests.support.expressions import Question, ask, bad_answers, filled, questions

ANSWERS = {
    "good": (200, [{"metric": {}, "values": [[0, "1.5"]]}]),
    "empty": (200, []),
    "none": (200, [{"metric": {}, "values": [[0, "NaN"], [15, "+Inf"]]}]),
    "one of two": (200, [{"metric": {}, "values": [[0, "NaN"]]}, {"metric": {}, "values": [[0, "NaN"], [15, "0"]]}]),
    "sum(": (400, "parse error"),
}


class Peer(BaseHTTPRequestHandler):
    """Prometheus' answer to a query over some minutes."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        code, said = ANSWERS[urllib.parse.parse_qs(body)["query"][0]]
        reply = {"status": "success", "data": {"result": said}} if code == 200 else {"status": "error", "error": said}
        self.send_response(code)
        self.end_headers()
        self.wfile.write(json.dumps(reply).encode())

    def log_message(self, *_: object) -> None:
        """Silent."""


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Peer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_errors_and_answers_without_a_number_are_told_apart(url: str) -> None:
    found = {expr: ask(url, Question("here", expr)) for expr in ANSWERS}
    assert found["sum("].error == "parse error"
    assert (found["empty"].series, found["empty"].finite) == (0, 0)
    assert (found["none"].series, found["none"].finite) == (1, 0)
    assert (found["one of two"].series, found["one of two"].finite) == (2, 1)


def test_bad_answers_are_named(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expressions, "questions", lambda: [Question("here", expr) for expr in ANSWERS])
    assert [bad.question.expr for bad in bad_answers(url)] == ["empty", "none", "sum("]


def test_every_variable_of_a_board_is_filled_in() -> None:
    assert filled('rate(x{coin=~"$coin"}[$__rate_interval])') == 'rate(x{coin=~".*"}[1m])'
    assert filled('label_replace(x, "le", "$1", "d", "(.+)")') == 'label_replace(x, "le", "$1", "d", "(.+)")'
    with pytest.raises(ValueError, match="left over"):
        filled("x{a=$other}")


def test_boards_recordings_and_alerts_are_all_asked() -> None:
    places = [question.where for question in questions()]
    assert len(places) > 200
    for where in ("risk/Margin used over equity", "amm:taker_ratio:notional_24h", "SessionLossKill"):
        assert where in places
