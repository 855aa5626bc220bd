"""Kernels: compiled where numba is, plain where it is not, never stale, never compiled late uncounted."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from common import kernel, kernel_cache
from common.kernel import ROOT, Compilations

INNER = """
from common.kernel import kernel

@kernel("f8(f8)")
def inner(x):
    return x + 1.0
"""
OUTER = """
from common.kernel import kernel
from quoter.inner import inner

@kernel("f8(f8)")
def outer(x):
    return inner(x) * 2.0
"""
ASK = """
from common.kernel import COMPILATIONS, COMPILED
from quoter.outer import outer
print(outer(1.0), COMPILATIONS.total, COMPILED)
"""

PART = """
    for k in range(len(v)):
        if v[k] > {0}.0:
            total += factor * v[k]
        elif v[k] < -{0}.0:
            total -= factor / v[k]
"""
MANY = f"""
from common.kernel import kernel

@kernel("f8(f8[::1], f8[::1], f8)")
def inner(v, unread, factor):
    total = 0.0
    {"".join(PART.format(least) for least in range(20))}
    return total
"""
"""Too large to be put where it is called."""
ROOT_OF_MANY = """
from common.kernel import kernel
from quoter.inner import inner

@kernel("f8(f8[::1], f8[::1])", root=True)
def outer(v, unread):
    return inner(v, unread, 2.0) + inner(v, unread, 3.0)
"""
CALLER_OF_MANY = """
from common.kernel import kernel
from quoter.inner import inner

@kernel("f8(f8[::1], f8[::1])")
def caller(v, unread):
    return inner(v, unread, 1.0) + inner(v, unread, 2.0)
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A package tree with two kernel files, one calling the other."""
    for package in ("common", "quoter"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    for name in ("kernel.py", "kernel_cache.py"):
        shutil.copy(ROOT / "common" / name, tmp_path / "common" / name)
    (tmp_path / "quoter" / "inner.py").write_text(INNER)
    (tmp_path / "quoter" / "outer.py").write_text(OUTER)
    return tmp_path


def python(code: str, cwd: Path, **environ: str) -> str:
    clean = {k: v for k, v in os.environ.items() if k not in ("AMM_KERNELS", "AMM_KERNEL_CACHE", "NUMBA_BOUNDSCHECK")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env={**clean, "PYTHONDONTWRITEBYTECODE": "1", **environ},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


def test_edited_callee_in_another_file_is_never_served_stale(tiny: Path) -> None:
    pytest.importorskip("numba")
    assert python(ASK, tiny) == "4.0 2 True"
    assert python(ASK, tiny) == "4.0 0 True", "the second start must compile nothing"
    (tiny / "quoter" / "inner.py").write_text(INNER.replace("x + 1.0", "x + 2.0"))
    assert python(ASK, tiny) == "6.0 2 True"


def test_a_roots_own_copy_is_never_taken_for_the_kernel(tiny: Path) -> None:
    """The copy is called in its own way (here without the second vector): whoever means the kernel gets the kernel."""
    pytest.importorskip("numba")
    (tiny / "quoter" / "inner.py").write_text(MANY)
    (tiny / "quoter" / "outer.py").write_text(ROOT_OF_MANY)
    (tiny / "quoter" / "caller.py").write_text(CALLER_OF_MANY)
    code = """
from common.kernel import state
from quoter.outer import outer
v, unread = state(4), state(4)
v[:] = [1.0, 2.0, 3.0, 4.0]
print(outer(v, unread))
from quoter.caller import caller
print(caller(v, unread))
from quoter.inner import inner
print(inner(v, unread, 2.0))
"""
    for _ in range(2):  # compiled, then read from the cache
        assert python(code, tiny).split() == ["150.0", "90.0", "60.0"]


def test_late_compilation_is_counted_and_a_cache_hit_is_not(tiny: Path) -> None:
    pytest.importorskip("numba")
    code = """
from common.kernel import COMPILATIONS
COMPILATIONS.ready()
from quoter.inner import inner
print(COMPILATIONS.late, inner(1.0), COMPILATIONS.late)
try:
    inner("no number")
except TypeError:
    print("refused", COMPILATIONS.late)
"""
    assert python(code, tiny).splitlines() == ["1 2.0 1", "refused 1"]
    assert python(code, tiny).splitlines() == ["0 2.0 0", "refused 0"]


def test_plain_mode_is_asked_for_by_name_and_needs_no_numba(tiny: Path) -> None:
    code = """
import sys
from common.kernel import COMPILED, KERNELS, SIGNATURES, istate, state
from quoter.outer import outer
print(COMPILED, state(2), istate(2), outer(1.0), sorted(KERNELS), SIGNATURES["quoter.outer.outer"])
print(sorted({"numba", "numpy", "llvmlite"} & set(sys.modules)))
"""
    expected = [
        "False [0.0, 0.0] [0, 0] 4.0 ['quoter.inner.inner', 'quoter.outer.outer'] f8(f8)",
        "[]",
    ]
    assert python(code, tiny, AMM_KERNELS="plain").splitlines() == expected
    assert python("import sys; sys.modules['numba'] = None" + code, tiny).splitlines()[0] == expected[0]
    assert not (tiny / "run").exists(), "plain kernels write nothing"


def test_cache_may_be_put_elsewhere(tiny: Path) -> None:
    pytest.importorskip("numba")
    python(ASK, tiny, AMM_KERNEL_CACHE=str(tiny / "elsewhere"))
    assert list((tiny / "elsewhere").rglob("*.nbi"))
    assert not (tiny / "run").exists()


def test_bounds_checks_are_compiled_apart(tiny: Path) -> None:
    pytest.importorskip("numba")
    reach = """
from common.kernel import kernel

@kernel("f8(f8[::1], i8)")
def reach(values, place):
    return values[place]
"""
    (tiny / "quoter" / "inner.py").write_text(reach)
    (tiny / "quoter" / "outer.py").unlink()
    code = """
from common.kernel import state
from quoter.inner import reach
try:
    reach(state(3), 5)
    print("read beyond")
except IndexError:
    print("refused")
"""
    assert python(code, tiny) == "read beyond"
    assert python(code, tiny, NUMBA_BOUNDSCHECK="1") == "refused"
    assert len(list((tiny / "run" / "kernels").iterdir())) == 2


def test_a_module_that_is_run_has_kernels_of_its_own(tiny: Path) -> None:
    pytest.importorskip("numba")
    (tiny / "quoter" / "outer.py").write_text(OUTER + "\nprint(outer(1.0))\n")
    code = "import runpy; runpy.run_module('quoter.outer', run_name='__main__', alter_sys=True)"
    assert python(code, tiny) == "4.0"
    assert list((tiny / "run" / "kernels").glob("quoter.outer-*"))


def test_kernels_nobody_asks_for_are_left_alone_until_everything_must_be_ready(tiny: Path) -> None:
    pytest.importorskip("numba")
    code = """
from common.kernel import COMPILATIONS
from quoter.outer import outer
print(COMPILATIONS.total)
COMPILATIONS.ready()
print(COMPILATIONS.total, COMPILATIONS.late)
"""
    assert python(code, tiny).splitlines() == ["0", "2 0"]


def test_reading_a_kernel_reads_none_of_its_callees(tiny: Path) -> None:
    pytest.importorskip("numba")
    python(ASK, tiny)
    code = ASK + "from quoter.inner import inner\nprint(len(outer.signatures), len(inner.signatures))"
    assert python(code, tiny).splitlines() == ["4.0 0 True", "1 0"]


def test_an_argument_of_another_type_is_refused_at_the_first_call_too(tiny: Path) -> None:
    pytest.importorskip("numba")
    code = """
from quoter.inner import inner
for argument in ("no number", None):
    try:
        inner(argument)
    except TypeError:
        print("refused")
print(inner(1))
"""
    assert python(code, tiny).splitlines() == ["refused", "refused", "2.0"]


def test_constant_of_a_file_without_kernels_is_never_served_stale(tiny: Path) -> None:
    pytest.importorskip("numba")
    (tiny / "quoter" / "inner.py").write_text(
        "from quoter import numbers_of\nfrom quoter.numbers_of import (\n    STEP,\n)\n" + INNER.replace("1.0", "STEP")
    )
    (tiny / "quoter" / "numbers_of.py").write_text("STEP = 1.0\n")
    assert python(ASK, tiny) == "4.0 2 True"
    (tiny / "quoter" / "numbers_of.py").write_text("STEP = 3.0\n")
    assert python(ASK, tiny) == "8.0 2 True"
    assert python(ASK, tiny) == "8.0 0 True"


def test_hash_covers_what_a_module_imports_and_nothing_else(tiny: Path) -> None:
    def hashes() -> tuple[str, str]:
        kernel_cache._imports.cache_clear()
        kernel_cache._is_ours.cache_clear()
        kernel_cache._source.cache_clear()
        return kernel_cache.source_hash("quoter.inner", root=tiny), kernel_cache.source_hash("quoter.outer", root=tiny)

    inner, outer = hashes()
    (tiny / "quoter" / "notes.py").write_text("x = 1\n")
    assert hashes() == (inner, outer)
    (tiny / "quoter" / "outer.py").write_text(OUTER + "# a comment\n")
    assert hashes()[0] == inner
    assert hashes()[1] != outer
    outer = hashes()[1]
    (tiny / "quoter" / "inner.py").write_text(INNER + "# a comment\n")
    assert inner not in hashes()
    assert hashes()[1] != outer
    assert kernel_cache.source_hash("quoter.inner", "another compiler", tiny) != hashes()[0]


def test_compilations_before_ready_are_not_late() -> None:
    counted = Compilations()
    counted.count()
    counted.ready()
    counted.count()
    assert (counted.total, counted.late) == (2, 1)


def test_command_loads_every_kernel(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["kernel"])
    assert kernel.main() == 0
    assert f"{len(kernel.KERNELS)} kernels" in capsys.readouterr().out
    assert {"common.ticks.tick_u", "common.ticks.floor_px"} <= set(kernel.KERNELS)
    assert set(kernel.KERNELS) == set(kernel.SIGNATURES)
