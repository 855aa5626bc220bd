"""`make test`: every test that can run here, with line coverage held to its bar; says what was skipped and why.

Tests marked `slow` (whole recorded days) run only with `--all`, that is in `make test-all`.

Coverage is measured with plain kernels (compiled code cannot be traced); the compiled ones are held against the
plain ones by `tests/kernels`. Tests marked `untraced` (`tests/conftest.py`) run by themselves, compiled; those at real
sockets and processes are plain and not measured, since a traced process keeps others waiting. The bar stands on the
rooms that decide: common, quoter, executor, riskd and simvenue's core (pyproject.toml).
"""

from __future__ import annotations

import os
import subprocess
import sys

from common.cpus import usable
from common.kernel import ROOT

BAR_PERCENT = 85


def main() -> int:
    environ = {k: v for k, v in os.environ.items() if k != "AMM_KERNELS"}
    environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(ROOT / "run" / "hypothesis")
    for stale in ROOT.glob(".coverage.*"):
        stale.unlink()
    wanted = "not container" if "--all" in sys.argv else "not container and not slow"
    traced = f"{wanted} and not untraced"
    more = [argument for argument in sys.argv[1:] if argument != "--all"]
    workers = str(min(4, usable() + 1))  # one more than cores: tests at sockets mostly wait
    shared_out = ("-n", workers, "--dist", "loadfile", "--no-loadscope-reorder")

    def pytest(*arguments: str, **env: str) -> int:
        return subprocess.call(
            [sys.executable, "-m", "pytest", "-rs", *arguments, *more], cwd=ROOT, env={**environ, **env}
        )

    codes = [
        pytest("tests", "--ignore=tests/e2e", "-m", f"{wanted} and untraced", *shared_out),
        pytest("tests/unit", "-m", traced, *shared_out, "--cov", "--cov-report=", AMM_KERNELS="plain"),
        pytest("tests/integration", "-m", traced, *shared_out, AMM_KERNELS="plain"),
        pytest("tests/e2e", "-m", wanted),
    ]
    if wanted != "not container":
        sys.stdout.write("left out: tests marked slow (whole recorded days); make test-all runs them\n")
    bar = [sys.executable, "-m", "coverage", "report", f"--fail-under={BAR_PERCENT}", "--skip-covered"]
    return next(filter(None, [*codes, subprocess.call(bar, cwd=ROOT)]), 0)


if __name__ == "__main__":
    sys.exit(main())
