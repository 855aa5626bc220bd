"""`make up NATIVE_QUOTER=1`: the quoter as a process of this machine, beside the containers of all other services.

`start` leaves it running and waits until it is ready, `run` stays in the foreground, `stop` ends it.  On macOS its
thread gets the highest class of service, the only way there to performance cores; on Linux it is bound to the cores
that `scripts/cores` chose, with a higher priority where that is permitted.  Both are set in this process, on the
thread that will trade, before anything counts CPUs: a class of service does not survive an exec.

Redis and the simulated venue are reached through the ports that `compose.native-quoter.yml` opens on 127.0.0.1; the
password of the quoter's Redis user comes from its file.  All other settings come from the environment and `.env`.
"""

from __future__ import annotations

import argparse
import http.client
import importlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

from common.config import VENUE_PORT, Settings, load
from common.cpus import affinity, format_list, parse_list, read_host
from common.errors import EXIT_CONFIG, EXIT_FAULT, EXIT_OK, ConfigError
from common.qos import set_qos
from scripts.core_plan import plan_cores

REDIS_PORT = 6379
NICE = -10
"""Ahead of what people look at, behind the kernel's own threads; needs a privilege on Linux."""

READY_S, STOP_S = 90.0, 10.0
"""A first start compiles the kernels; a stop must be over 8 s after SIGTERM."""

POLL_S = 0.1
ROOT = Path(__file__).resolve().parent.parent


def main(argv: list[str] | None = None) -> int:
    """Exit codes of the quoter itself for `run`; 78 for a setting that cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m scripts.native_quoter", description=__doc__)
    parser.add_argument("verb", choices=("start", "run", "stop"))
    parser.add_argument("--redis", default="", help="HOST:PORT; default 127.0.0.1:6379 + PORT_BASE")
    parser.add_argument("--password-file", type=Path, help="password of the Redis user `quoter`")
    parser.add_argument("--cpus", default="", help="bind to these instead of the chosen ones (Linux)")
    parsed = parser.parse_args(argv)
    try:
        over = overrides(load("quoter"), parsed.redis, parsed.password_file)
        settings = load("quoter", over=over)
        pid_file = settings.run_dir / "quoter.pid"
        if parsed.verb == "stop":
            return stop(pid_file)
        if parsed.verb == "start":
            return start(settings, sys.argv[1:] if argv is None else argv, pid_file)
        sys.stderr.write(f"native quoter: {settle(parsed.cpus)}\n")
    except ConfigError as error:
        sys.stderr.write(f"native quoter: {error}\n")
        return EXIT_CONFIG
    return int(importlib.import_module("common.process").run("quoter", _build(), over))


def overrides(settings: Settings, redis: str = "", password_file: Path | None = None) -> dict[str, str]:
    """What differs from the container, by environment name; raises ConfigError for a password that cannot be read."""
    over = {}
    if settings.run_dir == Settings.model_fields["run_dir"].default:
        over["RUN_DIR"] = str(settings.run_dir / "native")
    if redis or password_file:
        who = f"quoter:{quote(_password(password_file), safe='')}@" if password_file else ""
        over["REDIS_URL"] = f"redis://{who}{redis or f'127.0.0.1:{REDIS_PORT + settings.port_base}'}/0"
    if settings.network == "paper" and settings.venue_url == Settings.model_fields["venue_url"].default:
        over["VENUE_URL"] = f"http://127.0.0.1:{VENUE_PORT + settings.port_base}"
    return over


def settle(cpus: str = "") -> str:
    """Put this thread where it should run, and say in words what was granted; raises ConfigError."""
    if sys.platform == "darwin":
        granted = set_qos("user_interactive")
        return f"class of service user-interactive {'set' if granted else 'refused'}; macOS binds nothing to cores"
    host = read_host(may_use=affinity())
    try:
        wanted = parse_list(cpus) if cpus else plan_cores(host).quoter
        os.sched_setaffinity(0, wanted)
    except (OSError, ValueError) as error:
        raise ConfigError(f"CPU {cpus or '(as chosen)'} out of {format_list(host.allowed)}: {error}") from None
    try:
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
    except PermissionError:
        return f"bound to CPU {format_list(wanted)}; a higher priority is not permitted here"
    return f"bound to CPU {format_list(wanted)}, nice {NICE}"


def start(settings: Settings, argv: list[str], pid_file: Path) -> int:
    """Start `run` with the same arguments in a session of its own; 0 once the quoter says it is ready."""
    if (pid := running(pid_file)) != 0:
        raise ConfigError(f"a native quoter already runs (process {pid}): stop it first")
    if _is_ready(settings):
        raise ConfigError(f"port {settings.metrics_port}: another quoter already answers there")
    pid_file.parent.mkdir(parents=True, exist_ok=True)
    log_file = pid_file.with_suffix(".log")
    command = [sys.executable, "-m", "scripts.native_quoter", *("run" if word == "start" else word for word in argv)]
    with log_file.open("ab") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    pid_file.write_text(f"{process.pid}\n", encoding="utf-8")
    end = time.monotonic() + READY_S
    while process.poll() is None and time.monotonic() < end:
        if _is_ready(settings):
            sys.stdout.write(f"native quoter runs (process {process.pid}, log {log_file})\n")
            return EXIT_OK
        time.sleep(POLL_S)
    process.kill()
    code = process.wait()
    pid_file.unlink()
    sys.stderr.write(f"native quoter: did not become ready, see {log_file}\n")
    return EXIT_CONFIG if code == EXIT_CONFIG else EXIT_FAULT


def stop(pid_file: Path) -> int:
    """SIGTERM, so that it withdraws its quotes; 1 when it had to be killed."""
    pid = running(pid_file)
    pid_file.unlink(missing_ok=True)
    if not pid:
        return EXIT_OK
    os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + STOP_S
    while _lives(pid):
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
            sys.stderr.write(f"native quoter: process {pid} did not end within {STOP_S:.0f} s and was killed\n")
            return EXIT_FAULT
        time.sleep(POLL_S)
    return EXIT_OK


def running(pid_file: Path) -> int:
    """The process of the pid file while it is ours and lives, else 0."""
    try:
        pid = int(pid_file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return 0
    return pid if _lives(pid) else 0


def _lives(pid: int) -> bool:
    """Whether this process is a native quoter of ours: a number may have passed to another program."""
    asked = subprocess.run(
        ["ps", "-ww", "-o", "stat=,args=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return "scripts.native_quoter" in asked.stdout and not asked.stdout.startswith("Z")


def _is_ready(settings: Settings) -> bool:
    link = http.client.HTTPConnection(settings.bind, settings.metrics_port, timeout=2)
    try:
        link.request("GET", "/healthz")
        return link.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        link.close()


def _build() -> object:
    """Imported late: the kernels' libraries count the CPUs that are left after `settle`."""
    return importlib.import_module("quoter.main").build


def _password(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; `make up` writes it") from None


if __name__ == "__main__":
    sys.exit(main())
