"""`make test`: every test that can run here, with line coverage held to its bar; says what was skipped and why.

Tests marked `slow` (whole recorded days) run only with `--all`, that is in `make test-all`.

Coverage is measured with plain kernels (compiled code cannot be traced); the compiled ones are held against the
plain ones by `tests/kernels`. The bar stands on the rooms that decide: common, quoter, executor, riskd and
simvenue's core.
"""

from __future__ import annotations

import os
import subprocess
import sys

from common.cpus import usable
from common.kernel import ROOT

BAR_PERCENT = 85
ROOMS = ("common", "quoter", "executor", "riskd", "simvenue")


def main() -> int:
    environ = {**os.environ, "AMM_KERNELS": "plain", "HYPOTHESIS_STORAGE_DIRECTORY": str(ROOT / "run" / "hypothesis")}
    for stale in ROOT.glob(".coverage.*"):
        stale.unlink()
    workers = str(min(4, usable() + 1))  # one more than cores: tests at sockets mostly wait
    wanted = "not container" if "--all" in sys.argv else "not container and not slow"
    more = [argument for argument in sys.argv[1:] if argument != "--all"]
    fast = [
        sys.executable, "-m", "pytest", "tests", "--ignore=tests/e2e", "-m", wanted, "-n", workers,
        "--dist", "loadfile", "-rs", "--cov", "--cov-report=", *more,
    ]  # fmt: skip
    whole = [sys.executable, "-m", "pytest", "tests/e2e", "-m", wanted, "-rs", *more]
    code = subprocess.call(fast, cwd=ROOT, env=environ)
    code = subprocess.call(whole, cwd=ROOT, env={k: v for k, v in environ.items() if k != "AMM_KERNELS"}) or code
    if wanted != "not container":
        sys.stdout.write("left out: tests marked slow (whole recorded days); make test-all runs them\n")
    include = ",".join(f"{room}/*" for room in ROOMS)
    bar = [
        sys.executable,
        "-m",
        "coverage",
        "report",
        f"--include={include}",
        f"--fail-under={BAR_PERCENT}",
        "--skip-covered",
    ]
    return subprocess.call(bar, cwd=ROOT) or code


if __name__ == "__main__":
    sys.exit(main())
