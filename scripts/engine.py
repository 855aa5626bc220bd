"""The container engine, asked through its own command line: is it there, what runs, start, stop, show.

Every call of `docker compose` gets our file of variables and no other: a person's `.env` holds settings of services,
not of compose.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from common.errors import ConfigError, LinkDown
from common.kernel import ROOT

INSTEAD = "`make demo` runs the whole system without one"
ANSWER_S = 30.0


def require_engine() -> None:
    """Raises ConfigError, in one sentence that says what to do instead, where no containers can be run."""
    if shutil.which("docker") is None:
        raise ConfigError(f"there is no container engine here (docker is not on the path): {INSTEAD}")
    if _answer("info", "--format", "{{.ServerVersion}}") is None:
        raise ConfigError(f"the container engine does not answer (docker info): start it, or {INSTEAD}")
    if _answer("compose", "version") is None:
        raise ConfigError(f"the container engine has no compose v2 (docker compose version): {INSTEAD}")


def _answer(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=ANSWER_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


class Compose:
    """Our project; `env_file` may not exist yet."""

    def __init__(self, env_file: Path) -> None:
        self.env_file = env_file

    def command(self, *arguments: str) -> list[str]:
        chosen = ["--env-file", str(self.env_file)] if self.env_file.exists() else ["--env-file", os.devnull]
        return ["docker", "compose", *chosen, *arguments]

    def run(self, *arguments: str, environ: Mapping[str, str] | None = None) -> int:
        """Before a person's eyes; the exit code."""
        return subprocess.run(self.command(*arguments), cwd=ROOT, env=environ, check=False).returncode

    def output(self, *arguments: str) -> str:
        """What it prints; raises LinkDown with its last words."""
        done = subprocess.run(self.command(*arguments), cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise LinkDown(f"docker compose {arguments[0]}: {done.stderr.strip()[-300:]}")
        return done.stdout

    def running(self) -> list[str]:
        """Services with a container that runs, whatever profile they are of."""
        rows = containers(self.output("--profile", "*", "ps", "--all", "--format", "json"))
        return sorted(row["Service"] for row in rows if row["State"] in ("running", "paused", "restarting"))

    def volumes(self, names: Sequence[str]) -> list[str]:
        """The full names of those of our volumes that exist."""
        project = json.loads(self.output("config", "--format", "json"))["name"]
        there = set((_answer("volume", "ls", "--quiet") or "").split())
        return [f"{project}_{name}" for name in names if f"{project}_{name}" in there]

    def remove_volumes(self, names: Sequence[str]) -> None:
        """Forget what these hold; raises LinkDown when one is in use."""
        found = self.volumes(names)
        if found and _answer("volume", "rm", *found) is None:
            raise LinkDown(f"volumes in use: {', '.join(found)}")


def containers(text: str) -> list[dict[str, Any]]:
    """`compose ps --format json`: a list in some releases, one object a line in others."""
    stripped = text.strip()
    if stripped.startswith("["):
        return list(json.loads(stripped))
    return [json.loads(line) for line in stripped.splitlines()]
