"""A real simvenue process for a test: started on free ports, spoken to over HTTP, ended with SIGTERM."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.shared import ROOT

START_S = 30.0
STOP_S = 10.0


class SimVenue:
    """`with SimVenue("--speed", "5") as venue:` runs until the block ends; kernels are plain, so nothing compiles."""

    def __init__(self, *arguments: str, profile: str = "us500", environ: dict[str, str] | None = None) -> None:
        self._command = [sys.executable, "-m", "simvenue", "--port", "0", "--metrics-port", "0", *arguments]
        kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TMPDIR")}
        self._environ = {**kept, "MARKET": profile, "AMM_KERNELS": "plain", **(environ or {})}
        self._process: subprocess.Popen[str] | None = None
        self._log: list[str] = []
        self.url = ""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, cwd=ROOT, env=self._environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        lines: queue.Queue[str] = queue.Queue()
        for stream, put in ((self._process.stdout, lines.put), (self._process.stderr, self._log.append)):
            threading.Thread(target=_pass_on, args=(stream, put), daemon=True).start()
        try:
            self.url = json.loads(lines.get(timeout=START_S))["listening"]
        except queue.Empty:
            self.end()
            raise AssertionError("".join(self._log)) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def end(self, number: int = signal.SIGTERM) -> int:
        """Signal the process and wait for its exit code."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(number)
        try:
            return self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise AssertionError(f"did not stop within {STOP_S} s: {self.log[-2000:]}") from None

    @property
    def log(self) -> str:
        return "".join(self._log)

    def errors(self) -> list[str]:
        """Log lines at ERROR or above."""
        return [line for line in self._log if '"level":"error"' in line or '"level":"critical"' in line]

    def post(self, path: str, body: Any) -> tuple[int, str]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return int(answer.status), answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def info(self, kind: str, **fields: Any) -> Any:
        status, body = self.post("/info", {"type": kind, **fields})
        assert status == 200, body
        return json.loads(body)

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return json.loads(answer.read())


def until(what: Callable[[], Any], seconds: float = 10.0, name: str = "") -> Any:
    """Ask again until the answer is true; the last answer."""
    deadline = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {name}"
        time.sleep(0.02)
    return answer


def run_to_end(*arguments: str, environ: dict[str, str] | None = None, cwd: Path = ROOT) -> tuple[int, str, str]:
    """Start a simvenue that is expected to refuse: exit code, stdout, stderr."""
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TMPDIR")}
    done = subprocess.run(
        [sys.executable, "-m", "simvenue", *arguments], cwd=cwd, timeout=START_S, text=True, capture_output=True,
        env={**kept, "AMM_KERNELS": "plain", **(environ or {})}, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def _pass_on(stream: Any, put: Callable[[str], object]) -> None:
    for line in stream:
        put(line)
