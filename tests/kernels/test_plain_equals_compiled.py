"""Plain Python and machine code decide alike: every kernel, many random cases, compared bit for bit.

`AMM_CASES` says how many cases a kernel gets (default 1,000).  To look at one that differs:
`AMM_KERNELS=plain python -m tests.kernels.run_kernels --show quoter.spread.half_range 17`, and without AMM_KERNELS.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from common.kernel import ROOT

CASES = int(os.environ.get("AMM_CASES", "1000"))
BOUNDS_CASES = max(CASES // 10, 20)
TIMEOUT_S = 600 + CASES / 20

pytestmark = pytest.mark.timeout(TIMEOUT_S)


def report(cases: int, **environ: str) -> dict[str, Any]:
    clean = {name: value for name, value in os.environ.items() if name not in ("AMM_KERNELS", "NUMBA_BOUNDSCHECK")}
    done = subprocess.run(
        [sys.executable, "-m", "tests.kernels.run_kernels", "--cases", str(cases)],
        cwd=ROOT,
        env={**clean, **environ},
        capture_output=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    return report(CASES, AMM_KERNELS="plain")


@pytest.fixture(scope="module")
def compiled() -> dict[str, Any]:
    found = report(CASES)
    if not found["compiled"]:
        pytest.skip("numba is not installed: there is nothing to compare with")
    return found


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
    checked = report(BOUNDS_CASES, NUMBA_BOUNDSCHECK="1")
    assert faults(checked) == []
    for name, digests in checked["kernels"].items():
        assert digests == compiled["kernels"][name][: len(digests)], name
