"""The native quoter beside the containers (`make up NATIVE_QUOTER=1`): the same settings, reached from this machine.

Everything else runs in containers; `compose.native-quoter.yml` opens Redis for it and lets Prometheus out to it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from boards.prometheus import configuration
from boards.text import to_yaml
from common.config import METRICS_PORTS
from common.kernel import ROOT
from scripts.container_plan import read_env

HOST = "host.docker.internal"
COMMAND = (sys.executable, "-m", "scripts.native_quoter")


def start(stack: Path, redis_port: int, port_base: int) -> int:
    """Start it with what the containers were told and wait until it is ready; its exit code."""
    secrets = read_env((stack / "compose.env").read_text(encoding="utf-8"))["SECRETS"]
    told = read_env((stack / "services.env").read_text(encoding="utf-8"))
    environ = {**os.environ, **told, "PORT_BASE": str(port_base), "AMM_KERNELS": "compiled"}
    password = str(Path(secrets) / "redis_quoter")
    command = [*COMMAND, "start", "--redis", f"127.0.0.1:{redis_port}", "--password-file", password]
    return subprocess.run(command, cwd=ROOT, env=environ, check=False).returncode


def stop() -> int:
    """End it if it runs; 1 when it had to be killed."""
    return subprocess.run([*COMMAND, "stop"], cwd=ROOT, check=False).returncode


def prometheus_yml(port_base: int) -> str:
    """Prometheus' configuration with the quoter where it is."""
    hosts = {name: f"{name}:{port}" for name, port in METRICS_PORTS.items()}
    return to_yaml(configuration({**hosts, "quoter": f"{HOST}:{METRICS_PORTS['quoter'] + port_base}"}))
