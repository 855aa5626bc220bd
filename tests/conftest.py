"""Which tests `make test` leaves out of coverage: they run with compiled kernels, two to ten times as fast.

Coverage needs plain kernels, because machine code cannot be traced, and a traced line costs several times its own time.
That is paid for tests which lead through lines of the measured rooms by example. Judges of something else, and property
tests, which go through the same lines a hundred times, are marked `untraced`; so is a test that lasts and leads
through no line of its own. Tests started by hand run all together, in the mode of the process.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import is_hypothesis_test

HERE = Path(__file__).parent

UNTRACED = (
    "kernels",  # judges in processes of its own; first, because nothing else lasts as long
    "integration/test_oracle.py",
    "integration/test_parity.py",
    "integration/test_planted.py",
    "integration/test_edge.py",
    "unit/backtest",
    "unit/boards",
    "unit/feed",
    "unit/monitor",
    "unit/scripts",
)
"""Files and folders that judge no measured room."""

LASTING = (
    "unit/common/test_kernel.py",
    "unit/executor/test_interleavings.py",
    "unit/quoter/test_kept.py",
    "unit/quoter/test_references.py",
    "unit/simvenue/book/test_quiet.py",
    "unit/simvenue/synthetic/test_calibration.py",
    "unit/simvenue/synthetic/test_synthetic.py",
)
"""Long random or made-up markets, and compilers at work."""


def _is_untraced(item: pytest.Item) -> bool:
    path = item.path.relative_to(HERE)
    listed = any(path.is_relative_to(place) for place in (*UNTRACED, *LASTING))
    return listed or is_hypothesis_test(getattr(item, "obj", None))


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _is_untraced(item):
            item.add_marker("untraced")
    items.sort(key=lambda item: not item.path.is_relative_to(HERE / UNTRACED[0]))
