"""Numeric decisions, written once: compiled where numba is, plain Python where it is not.

A kernel is a small pure function `step(state, params, event, out) -> n` over flat float64 / int64 vectors and
scalars. Rules: loops for sums (one order of additions), no fastmath, no division by an unchecked value, one
explicit signature (another type raises instead of compiling), 1-d vectors only, so that plain lists work too.

The machine code is kept in `run/kernels/<hash>` (or under `AMM_KERNEL_CACHE`), where the hash covers the source of
*every* kernel file, the numba and llvmlite versions and the CPU: numba alone does not notice an edited callee in
another file. `AMM_KERNELS=plain` asks for plain Python although numba is installed (executor, riskd and warden run
so). `python -m common.kernel` compiles everything and prints the seconds.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("common", "quoter", "executor", "riskd", "simvenue", "backtest")
MARK = "@kernel("

POOLS = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""What numba, numpy and torch size their pools of threads by when imported: by the CPUs we may use, unless set."""

F = TypeVar("F", bound=Callable[..., Any])

try:
    if os.environ.get("AMM_KERNELS") == "plain":
        raise ImportError("plain kernels were asked for")
    _usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    os.environ.update({**dict.fromkeys(POOLS, str(_usable)), **os.environ})
    import llvmlite
    import numba
    import numba.core.config
    import numba.core.event
    import numpy as np

    COMPILED = True
except ImportError:
    COMPILED = False

OPTIONS = {"fastmath": False, "_nrt": False}
"""For numba. Kernels allocate nothing, so references to the vectors they are handed need not be counted: the atomic
counts at every call took twelve times as long as the matching itself."""

#: Every kernel of the modules imported so far, by "module.function"; the plain function is kept for comparison.
KERNELS: dict[str, Callable[..., Any]] = {}
SIGNATURES: dict[str, str] = {}


def kernel_files(root: Path = ROOT) -> list[Path]:
    """Source files under our packages that define at least one kernel, in a fixed order."""
    found = [p for name in PACKAGES for p in sorted((root / name).rglob("*.py"))]
    return [p for p in found if MARK in p.read_text(encoding="utf-8") and p.name != "kernel.py"]


def source_hash(root: Path = ROOT) -> str:
    """16 hex digits over every kernel file, the compiler's versions and the CPU it compiles for."""
    digest = hashlib.sha256()
    if COMPILED:
        cpu = numba.core.config.CPU_NAME or llvmlite.binding.get_host_cpu_name()
        digest.update(f"{numba.__version__} {llvmlite.__version__} {cpu} {sys.version_info[:2]}".encode())
        digest.update(f" boundscheck={numba.core.config.BOUNDSCHECK} {OPTIONS}".encode())
    for path in kernel_files(root):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def cache_folder(root: Path = ROOT) -> Path:
    """Where compiled kernels of exactly this source live."""
    base = os.environ.get("AMM_KERNEL_CACHE")
    return (Path(base) if base else root / "run" / "kernels") / source_hash(root)


class Compilations:
    """Counts compilations, and those after `ready()`: a live service must never wait for a compiler."""

    def __init__(self) -> None:
        self.total = 0
        self.late = 0
        self._ready = False

    def ready(self) -> None:
        """From now on every compilation is a late one."""
        self._ready = True

    def count(self) -> None:
        self.total += 1
        self.late += self._ready


COMPILATIONS = Compilations()

if COMPILED:

    class _Listener(numba.core.event.Listener):
        def on_start(self, event: Any) -> None:
            COMPILATIONS.count()

        def on_end(self, event: Any) -> None:
            """Only the start is counted."""

    _folder = cache_folder()
    _folder.mkdir(parents=True, exist_ok=True)
    numba.core.config.CACHE_DIR = str(_folder)
    numba.core.event.register("numba:compile", _Listener())


def kernel(signature: str, *, inline: bool = False) -> Callable[[F], F]:
    """Compile `function` for exactly `signature` (numba's text form, e.g. `"i8(f8[::1], i8)"`), or leave it plain.

    `inline` puts the machine code into every caller: for small kernels that many vectors are handed to, row by row.
    Raises TypeError at the call when an argument has another type (compiled kernels only).
    """

    def decorate(function: F) -> F:
        name = f"{function.__module__}.{function.__name__}"
        compiled = function
        if COMPILED:
            compiled = numba.njit(signature, cache=True, forceinline=inline, **OPTIONS)(function)
        KERNELS[name] = compiled
        SIGNATURES[name] = signature
        return compiled

    return decorate


def state(n: int) -> Any:
    """A zeroed float64 vector of length n: a numpy array with numba, a plain list without."""
    return np.zeros(n, np.float64) if COMPILED else [0.0] * n


def istate(n: int) -> Any:
    """A zeroed int64 vector of length n: a numpy array with numba, a plain list without."""
    return np.zeros(n, np.int64) if COMPILED else [0] * n


def load_all(packages: Sequence[str] = ()) -> None:
    """Import every module (of these packages) that holds kernels, which compiles them or reads them from the cache."""
    for path in kernel_files():
        if packages and path.relative_to(ROOT).parts[0] not in packages:
            continue
        importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))


def main() -> int:
    """`python -m common.kernel [PACKAGE...]`: make the kernels of these packages (all) ready."""
    begin = time.perf_counter()
    load_all(sys.argv[1:])
    how = "compiled" if COMPILED else "plain"
    sys.stdout.write(f"{len(KERNELS)} kernels {how} in {time.perf_counter() - begin:.1f} s\n")
    return 0


if __name__ == "__main__":
    # `python -m` would give this module a second name and a second registry.
    raise SystemExit(importlib.import_module("common.kernel").main())
