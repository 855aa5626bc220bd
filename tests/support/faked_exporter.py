"""An exporter of made-up metrics, a folder of it for each made-up system; runs alone inside a container.

    python faked_exporter.py SCRIPT.json PORT

The script gives, for each system, series with their course before and after the fault: a number, `{"rise": n}` (a
counter, n more every 5 s), `{"age": s}` (a time stamp always s seconds old) or null (no sample). `/SYSTEM/metrics` is
what Prometheus reads; `/fault` begins the fault in all of them and answers with its Unix time.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

STEP_S = 5.0


class Script:
    """Every system's series; a counter never falls when the fault begins."""

    def __init__(self, systems: dict[str, dict[str, list[Any]]]) -> None:
        self.systems = systems
        self.began_s = time.time()
        self.fault_s: float | None = None
        self._lock = threading.Lock()

    def strike(self) -> float:
        with self._lock:
            self.fault_s = self.fault_s or time.time()
            return self.fault_s

    def text(self, system: str) -> str:
        now_s = time.time()
        rows = []
        for series, (before, after) in self.systems[system].items():
            value = self._value(before, after, now_s)
            if value is not None:
                rows.append(f"{series} {value!r}\n")
        return "".join(rows)

    def _value(self, before: Any, after: Any, now_s: float) -> float | None:
        course = before if self.fault_s is None else after
        if course is None:
            return None
        if isinstance(course, dict) and "age" in course:
            return now_s - float(course["age"])
        if isinstance(course, dict):
            struck_s = now_s if self.fault_s is None else self.fault_s
            return _risen(before, struck_s - self.began_s) + _risen(after, now_s - struck_s)
        return float(course)


def _risen(course: Any, seconds: float) -> float:
    return float(course["rise"]) * int(seconds / STEP_S) if isinstance(course, dict) and "rise" in course else 0.0


def handler_of(script: Script) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            system, _, what = self.path.strip("/").partition("/")
            if self.path == "/fault":
                self._answer(repr(script.strike()))
            elif what == "metrics" and system in script.systems:
                self._answer(script.text(system))
            else:
                self.send_error(404)

        def _answer(self, text: str) -> None:
            body = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Prometheus asks often enough to be heard without a line each time."""

    return Handler


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        asked = Script(json.load(file))
    ThreadingHTTPServer(("0.0.0.0", int(sys.argv[2])), handler_of(asked)).serve_forever()
