"""Plain Python and machine code decide alike: every kernel, many random cases, compared bit for bit.

`AMM_CASES` says how many cases every kernel gets; by default it is 1,000, down to 100 where the vectors are long.
To look at one that differs:
`AMM_KERNELS=plain python -m tests.kernels.run_kernels --show quoter.spread.half_range 17`, and without AMM_KERNELS.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from common.kernel import ROOT

CASES = int(os.environ.get("AMM_CASES", "1000"))
MORE = () if "AMM_CASES" in os.environ else ("--by-size",)
BOUNDS_CASES = max(CASES // 20, 20)
TIMEOUT_S = 600 + CASES / 20

pytestmark = pytest.mark.timeout(TIMEOUT_S)


def start(cases: int, *more: str, pipe: int | None = None, **environ: str) -> subprocess.Popen[bytes]:
    """`pipe` is the end of one that the child keeps."""
    clean = {name: value for name, value in os.environ.items() if name not in ("AMM_KERNELS", "NUMBA_BOUNDSCHECK")}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.kernels.run_kernels", "--cases", str(cases), *more],
        cwd=ROOT,
        env={**clean, **environ},
        pass_fds=() if pipe is None else (pipe,),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def report(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    out, errors = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0, errors.decode()[-3000:]
    found: dict[str, Any] = json.loads(out)
    return found


@pytest.fixture(scope="module")
def both() -> tuple[dict[str, Any], dict[str, Any]]:
    """(plain, compiled), run side by side on the cases that the plain one draws."""
    hear, tell = os.pipe()
    processes = (
        start(CASES, *MORE, "--tell", str(tell), pipe=tell, AMM_KERNELS="plain"),
        start(CASES, "--hear", str(hear), pipe=hear),
    )
    os.close(tell)
    os.close(hear)
    try:
        with ThreadPoolExecutor(2) as threads:  # both read at once: whoever waits for a reader would stop the other
            plain, compiled = threads.map(report, processes)
        return plain, compiled
    finally:
        for process in processes:
            process.kill()


@pytest.fixture(scope="module")
def plain(both: tuple[dict[str, Any], dict[str, Any]]) -> dict[str, Any]:
    return both[0]


@pytest.fixture(scope="module")
def compiled(both: tuple[dict[str, Any], dict[str, Any]]) -> dict[str, Any]:
    if not both[1]["compiled"]:
        pytest.skip("numba is not installed: there is nothing to compare with")
    return both[1]


def faults(found: dict[str, Any]) -> list[str]:
    """What went wrong with a kernel in one mode, whatever the other says."""
    return [f"{name}, {digests[-1]}" for name, digests in found["kernels"].items() if digests[-1].startswith("case")]


def test_every_kernel_has_a_case_generator(plain: dict[str, Any]) -> None:
    assert plain["missing"] == []
    assert plain["unknown"] == []
    assert len(plain["kernels"]) > 0


def test_every_kernel_takes_its_cases_in_plain_python(plain: dict[str, Any]) -> None:
    assert faults(plain) == []


def test_every_kernel_takes_its_cases_compiled(compiled: dict[str, Any]) -> None:
    assert faults(compiled) == []


def test_plain_and_compiled_agree_bit_for_bit(plain: dict[str, Any], compiled: dict[str, Any]) -> None:
    differ = []
    for name, ours in plain["kernels"].items():
        theirs = compiled["kernels"].get(name, [])
        places = [place for place, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b]
        if places or len(ours) != len(theirs):
            differ.append(f"{name}: {len(places)} of {len(ours)} cases differ, first {places[:3]}")
    assert differ == []


def test_no_argument_of_a_case_makes_a_kernel_compile_again(compiled: dict[str, Any]) -> None:
    assert compiled["late_compiles"] == 0


def test_kernels_stay_inside_their_vectors(compiled: dict[str, Any]) -> None:
    """The same with bounds checks compiled in: an index beyond a vector raises instead of reading what lies there."""
    checked = report(start(BOUNDS_CASES, NUMBA_BOUNDSCHECK="1"))
    assert faults(checked) == []
    for name, digests in checked["kernels"].items():
        assert digests == compiled["kernels"][name][: len(digests)], name
