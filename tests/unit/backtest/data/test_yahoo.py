"""Yahoo's answers through yfinance, from a local server that says what Yahoo says."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

from backtest.data import yahoo
from backtest.data.bars import read_bars
from backtest.data.places import OEX, Places
from common.errors import BadInput, ConfigError, LinkDown
from tests.support.shared import shared


def test_finest_interval_that_reaches_back_is_asked_for() -> None:
    assert [yahoo.interval_for(days) for days in (1, 7, 8, 59, 60, 365, 2_000)] == [
        ("1m", 1), ("1m", 7), ("5m", 8), ("5m", 59), ("1h", 60), ("1h", 365), ("1h", 729.0),
    ]  # fmt: skip


def test_missing_network_is_found_out_quickly() -> None:
    begun = time.monotonic()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert not yahoo.is_reachable("127.0.0.1", taken.getsockname()[1], 0.5)
    assert time.monotonic() - begun < 2.0


def test_listener_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert yahoo.is_reachable("127.0.0.1", server.getsockname()[1], 2.0)


def test_without_yfinance_the_sentence_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yahoo, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="not installed"):
        yahoo.fetch(Places(tmp_path), 5.0)


# ---------------------------------------------------------------------- through yfinance
class Yahoo:
    """What the server answers to the chart request, and what it was asked."""

    def __init__(self) -> None:
        self.answer = b""
        self.status = 200
        self.asked: list[str] = []


@pytest.fixture
def said() -> Iterator[tuple[Yahoo, Any]]:
    """The server's words, and a session of requests all of whose ways lead to it."""
    pytest.importorskip("yfinance")
    requests = pytest.importorskip("requests")
    yahoo_said = Yahoo()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            yahoo_said.asked.append(self.path)
            is_chart = "/chart/" in self.path
            body = yahoo_said.answer if is_chart else b"crumb"
            self.send_response(yahoo_said.status if is_chart else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()

    class ToServer(requests.adapters.HTTPAdapter):  # type: ignore[misc, name-defined]
        def send(self, request: Any, **how: Any) -> Any:
            parts = urlsplit(request.url)
            request.url = f"http://127.0.0.1:{server.server_port}{parts.path}?{parts.query}"
            return super().send(request, **how)

    session = requests.Session()
    session.mount("https://", ToServer())
    session.mount("http://", ToServer())
    try:
        yield yahoo_said, session
    finally:
        session.close()
        server.shutdown()
        server.server_close()


def chart() -> dict[str, Any]:
    """Yahoo's envelope with real ^OEX bars in it, moved to five minutes apart within one session."""
    found: dict[str, Any] = json.loads(shared("data/fixtures/yahoo_chart_OEX_1d_DERIVED.json").read_bytes())
    (result,) = found["chart"]["result"]
    count = len(result["timestamp"])
    result["timestamp"] = [1_790_602_200 + 300 * k for k in range(count)]
    session = {"timezone": "EDT", "start": 1_790_602_200, "end": 1_790_625_600, "gmtoffset": -14_400}
    result["meta"] |= {"dataGranularity": "5m", "tradingPeriods": [[session]]}
    result["meta"]["currentTradingPeriod"] = dict.fromkeys(("pre", "regular", "post"), session)
    return found


def test_bars_of_yahoo_are_kept_and_continued(tmp_path: Path, said: tuple[Yahoo, Any]) -> None:
    answer, session = said
    answer.answer = json.dumps(chart()).encode()
    places = Places(tmp_path)
    path = yahoo.fetch(places, 20.0, session)
    quote = chart()["chart"]["result"][0]["indicators"]["quote"][0]
    bars = read_bars(path)
    assert path == places.yahoo(OEX, "5m")
    assert np.allclose(bars.close, quote["close"])
    assert np.allclose(bars.high, quote["high"])
    assert (bars.every_ms, int(bars.ts_ms[0])) == (300_000, 1_790_602_200_000)
    assert any("interval=5m" in asked and "OEX" in asked for asked in answer.asked)
    yahoo.fetch(places, 20.0, session)
    assert len(read_bars(path)) == len(bars)


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{}", 200), (b"not json", 200), (b'{"chart":{"result":null,"error":{"code":"x","description":"y"}}}', 404)],
)
def test_answer_that_is_none_is_one_sentence_and_keeps_the_file(
    tmp_path: Path, said: tuple[Yahoo, Any], body: bytes, status: int
) -> None:
    answer, session = said
    answer.answer = json.dumps(chart()).encode()
    path = yahoo.fetch(Places(tmp_path), 20.0, session)
    before = path.read_bytes()
    answer.answer, answer.status = body, status
    with pytest.raises((LinkDown, BadInput)) as found:
        yahoo.fetch(Places(tmp_path), 20.0, session)
    assert "\n" not in str(found.value)
    assert path.read_bytes() == before
