"""The whole system as processes of this machine: generated configuration, one supervisor, nothing outside 127.0.0.1.

`Stack` prepares a run folder (throw-away keys, sockets, supervisor's configuration), starts every service in
dependency order and stops them in the reverse one: the quoter first, the executor (which cancels all) next, the
venue and Redis last. The demonstration, the end-to-end tests and the benchmark use the same object.
"""

from __future__ import annotations

import contextlib
import ctypes
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coincurve import PrivateKey
from eth_hash.auto import keccak
from supervisor.xmlrpc import SupervisorTransport

from common.config import METRICS_PORTS, PAGE_PORT, VENUE_PORT
from common.errors import ConfigError, LinkDown
from common.kernel import ROOT

SOCKET_PATH_MAX = 100  # bytes a unix socket's path may have on every platform we run on
COMPILED = ("quoter", "simvenue")  # everything else runs its kernels as plain Python
PR_SET_PDEATHSIG = 1

#: Start order; supervisor stops in the reverse one.
ORDER = ("redis", "simvenue", "feed", "riskd", "executor", "warden", "monitor", "quoter")
NICE = {"monitor": "nice -n 5 "}
"""What people look at gives way to what trades."""
MODULES = {"redis": "common.redis_server", "warden": "executor.warden"}


@dataclass(frozen=True)
class Plan:
    """What to run; `speed` is market seconds per second."""

    market: str = "us500"
    data: Path | None = None
    speed: float = 1.0
    seed: int = 1
    latency: str = "typical"
    queue: str = "risk-averse"
    flow: str = ""
    equity_usd: int = 1000
    port_base: int = 0
    run_dir: Path = ROOT / "run" / "demo"
    cut_gaps: bool = True
    environ: dict[str, str] = field(default_factory=dict)


class Stack:
    """One run of the system; use as a context manager so that nothing outlives its user."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.dir = plan.run_dir
        self.master = "0x" + secrets.token_hex(20)
        self.token = secrets.token_urlsafe(24)
        self._process: subprocess.Popen[bytes] | None = None

    # ------------------------------------------------------------------ life
    def __enter__(self) -> Stack:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def prepare(self) -> None:
        """Make the run folder anew and refuse, with one sentence, what could not work."""
        longest = self.dir / "supervisor.sock"
        if len(bytes(longest)) > SOCKET_PATH_MAX:
            raise ConfigError(f"{longest} is too long for a socket ({SOCKET_PATH_MAX} bytes): use a shorter folder")
        if (running := _running_pid(self.dir / "supervisord.pid")) != 0:
            raise ConfigError(f"a system already runs from {self.dir} (process {running}): stop it first")
        if self.plan.data is not None and not self.plan.data.exists():
            raise ConfigError(f"DATA = {self.plan.data}: there is no such file or folder")
        for name, port in {"simvenue": self.venue_port, "page": self.page_port, **self.metrics_ports}.items():
            refuse_taken(name, port)
        shutil.rmtree(self.dir, ignore_errors=True)
        for folder in ("logs", "secrets", "redis"):
            (self.dir / folder).mkdir(parents=True)
        self._write_secret("control_token", self.token)
        agents = {name: self._write_key(f"{name}_key") for name in ("agent", "warden")}
        (self.dir / "supervisord.conf").write_text(self._configuration(agents), encoding="utf-8")

    def start(self) -> None:
        """Start supervisor in a session of its own, so that Ctrl-C reaches only us."""
        with (self.dir / "logs" / "supervisord.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "supervisor.supervisord",
                    "--nodaemon",
                    "-c",
                    str(self.dir / "supervisord.conf"),
                ],
                cwd=ROOT,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 (no threads run here yet)
            )

    def stop(self, timeout_s: float = 40.0) -> int | None:
        """Stop everything in order; returns supervisor's exit code, None when it was never started."""
        process, self._process = self._process, None
        if process is None:
            return None
        process.terminate()
        try:
            return process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return process.wait()

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    # ------------------------------------------------------------------ addresses
    @property
    def venue_port(self) -> int:
        return VENUE_PORT + self.plan.port_base

    @property
    def page_port(self) -> int:
        return PAGE_PORT + self.plan.port_base

    @property
    def metrics_ports(self) -> dict[str, int]:
        return {name: port + self.plan.port_base for name, port in METRICS_PORTS.items()}

    # ------------------------------------------------------------------ asking
    def ledger(self) -> dict[str, Any]:
        """The venue's own truth (`GET /sim/ledger`); raises LinkDown."""
        return get(self.venue_port, "/sim/ledger")

    def clock(self) -> dict[str, Any]:
        return get(self.venue_port, "/sim/clock")

    def status(self) -> dict[str, Any]:
        return get(self.page_port, "/api/status")

    def session(self, mark_px: str) -> dict[str, Any]:
        """What the monitor knows of the session, the position valued at `mark_px`."""
        return get(self.page_port, f"/api/session?mark_px={mark_px}")

    def metric(self, service: str, name: str) -> float:
        """The sum of a metric's samples as the service exports it; raises LinkDown when it exports none."""
        text = _fetch(self.metrics_ports[service], "GET", "/metrics").decode()
        samples = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
        values = [float(value) for label, value in samples if label.partition("{")[0] == name]
        if not values:
            raise LinkDown(f"{service} exports no {name}")
        return sum(values)

    def resting(self) -> int:
        """How many of our orders rest at the venue."""
        return sum(order["address"] == self.master for order in self.ledger()["orders"])

    def command(self, verb: str, reason: str = "") -> dict[str, Any]:
        """POST to the control API with the run's token."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        return ask(self.page_port, "POST", f"/api/{verb}", json.dumps({"reason": reason}).encode(), headers)

    def pid(self, name: str) -> int:
        """Process id of a running service, 0 when it is down."""
        info = self.supervisor().getProcessInfo(name)
        return int(info["pid"]) if info["statename"] == "RUNNING" else 0

    def supervisor(self) -> Any:
        """Supervisor's own RPC interface over its private socket."""
        transport = SupervisorTransport(None, None, f"unix://{self.dir / 'supervisor.sock'}")
        return xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport).supervisor

    def log_lines(self, name: str) -> Iterator[dict[str, Any]]:
        """What a service logged; a line that is not JSON comes as `{"level": "error", "event": "not_json", ...}`."""
        path = self.dir / "logs" / f"{name}.log"
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else ():
            try:
                entry = json.loads(line)
                if not isinstance(entry, dict):
                    raise TypeError(line)
            except (ValueError, TypeError):
                entry = {"level": "error", "event": "not_json", "line": line[:500]}
            yield entry

    def errors(self) -> list[dict[str, Any]]:
        """Every line logged at ERROR or above, with its service."""
        return [
            {"service": name, **entry}
            for name in ORDER
            if name != "redis"
            for entry in self.log_lines(name)
            if str(entry.get("level", "")).lower() in ("error", "critical")
        ]

    # ------------------------------------------------------------------ files
    def _write_secret(self, name: str, text: str) -> None:
        path = self.dir / "secrets" / name
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "w") as file:
            file.write(text + "\n")

    def _write_key(self, name: str) -> str:
        """A throw-away agent key; returns its address."""
        key = PrivateKey()
        self._write_secret(name, "0x" + key.secret.hex())
        return "0x" + keccak(key.public_key.format(compressed=False)[1:])[-20:].hex()

    def _environment(self) -> dict[str, str]:
        ours = {
            "MARKET": self.plan.market,
            "NETWORK": "paper",
            "VENUE_URL": f"http://127.0.0.1:{self.venue_port}",
            "REDIS_URL": f"unix://{self.dir / 'redis' / 'redis.sock'}",
            "WALLET_ADDRESS": self.master,
            "EQUITY": str(self.plan.equity_usd),
            "RUN_DIR": str(self.dir),
            "SECRETS_DIR": str(self.dir / "secrets"),
            "PORT_BASE": str(self.plan.port_base),
            "AMM_PARENT": "1",
            "PYTHONUNBUFFERED": "1",
            "PYTHONHASHSEED": "0",
        }
        return {**os.environ, **ours, **self.plan.environ}

    def _venue_arguments(self, agents: dict[str, str]) -> str:
        plan = self.plan
        parts = [
            "--host",
            "127.0.0.1",
            "--port",
            str(self.venue_port),
            "--speed",
            f"{plan.speed:g}",
            "--seed",
            str(plan.seed),
        ]
        parts += ["--latency", plan.latency, "--queue", plan.queue, "--fund", f"{self.master}={plan.equity_usd}"]
        for address in agents.values():
            parts += ["--agent", f"{address}={self.master}"]
        if plan.data is None:
            parts += ["--market", "synthetic"] + (["--flow", plan.flow] if plan.flow else [])
        else:
            parts += ["--market", "replay", "--data", str(plan.data)] + (["--cut-gaps"] if plan.cut_gaps else [])
        return " ".join(_quoted(part) for part in parts)

    def _configuration(self, agents: dict[str, str]) -> str:
        sections = [
            f"[unix_http_server]\nfile={self.dir}/supervisor.sock\nchmod=0700",
            f"[supervisord]\nnodaemon=true\nlogfile={self.dir}/logs/supervisor.log\npidfile={self.dir}/supervisord.pid\n"
            f"identifier=amm-500\nminfds=1024\nloglevel=info",
            "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
        ]
        for place, name in enumerate(ORDER, 1):
            module = MODULES.get(name, name)
            arguments = {
                "redis": f"--folder {_quoted(str(self.dir / 'redis'))}",
                "simvenue": self._venue_arguments(agents),
            }
            kernels = f'environment=AMM_KERNELS="{"compiled" if name in COMPILED else "plain"}"\n'
            sections.append(
                f"[program:{name}]\n"
                f"command={NICE.get(name, '')}{_quoted(sys.executable)} -m {module} {arguments.get(name, '')}\n"
                f"directory={ROOT}\n{kernels}"
                f"priority={place * 10}\nautostart=true\nautorestart=unexpected\nexitcodes=0,75,78\n"
                f"startsecs=1\nstartretries=20\nstopsignal=TERM\nstopwaitsecs=10\n"
                f"stdout_logfile={self.dir}/logs/{name}.out\nstderr_logfile={self.dir}/logs/{name}.log\n"
                f"stdout_logfile_maxbytes=20MB\nstderr_logfile_maxbytes=50MB\n"
            )
        return "\n\n".join(section.replace("%", "%%") for section in sections) + "\n"


def _quoted(text: str) -> str:
    return f'"{text}"' if " " in text else text


def _die_with_parent() -> None:
    """On Linux the kernel ends supervisor, in order, when its starter is gone; elsewhere the services watch for it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _running_pid(path: Path) -> int:
    """The process id in a pid file, 0 when there is none or it has ended."""
    try:
        pid = int(path.read_text())
        os.kill(pid, 0)
    except (FileNotFoundError, ValueError, ProcessLookupError):
        return 0
    return pid


def refuse_taken(name: str, port: int) -> None:
    """Raises ConfigError that names the port when something listens on it."""
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise ConfigError(f"port {port} ({name}) is taken: stop what uses it, or add PORT_BASE=1000") from None


def get(port: int, path: str) -> dict[str, Any]:
    """The object at a path of this machine's `port`; raises LinkDown."""
    return ask(port, "GET", path)


def ask(
    port: int, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> dict[str, Any]:
    """The object that answers one request to this machine's `port`; raises LinkDown."""
    try:
        answer = json.loads(_fetch(port, method, path, body, headers))
    except ValueError as error:
        raise LinkDown(f"{method} {path}: {error}") from error
    if not isinstance(answer, dict):
        raise LinkDown(f"{method} {path}: not an object")
    return answer


def _fetch(
    port: int, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> bytes:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        link.request(method, path, body, headers or {})
        reply = link.getresponse()
        text = reply.read()
    except (OSError, http.client.HTTPException) as error:
        raise LinkDown(f"{method} {path}: {error}") from error
    finally:
        link.close()
    if reply.status != http.HTTPStatus.OK:
        raise LinkDown(f"{method} {path}: HTTP {reply.status} {text[:200]!r}")
    return text


def wait_for(condition: Any, timeout_s: float, what: str, every_s: float = 0.05) -> Any:
    """Poll `condition` until it is true (its value is returned) or raise LinkDown naming what never came."""
    deadline = time.monotonic() + timeout_s
    while True:
        with contextlib.suppress(LinkDown, KeyError):
            value = condition()
            if value:
                return value
        if time.monotonic() > deadline:
            raise LinkDown(f"{what}: not within {timeout_s:g} s")
        time.sleep(every_s)
