"""Numeric decisions, written once: compiled where numba is, plain Python where it is not.

A kernel is a small pure function `step(state, params, event, out) -> n` over flat float64 / int64 vectors and
scalars. Rules: loops for sums (one order of additions), no fastmath, no division by an unchecked value, one
explicit signature (another type raises instead of compiling), 1-d vectors only, so that plain lists work too, and no
index counted from the end: compiled, `v[-1]` is not the last one but out of bounds.

A kernel is compiled, or read from its module's cache (`kernel_cache.py`), when it is first called or asked for by
another kernel's compilation: machine code holds its callees, so a replay that begins reads one entry instead of three
hundred. `COMPILATIONS.ready()` and `load_all()` bring in all that were declared. `AMM_KERNELS=plain` asks for plain
Python although numba is installed (executor, riskd and warden run so). `python -m common.kernel` compiles everything
and prints the seconds.
"""

from __future__ import annotations

import gc
import importlib
import inspect
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from common import kernel_cache

ROOT = kernel_cache.ROOT

POOLS = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""What numba, numpy and torch size their pools of threads by when imported: by the CPUs we may use, unless set."""

F = TypeVar("F", bound=Callable[..., Any])

_collects = gc.isenabled()
gc.disable()  # nothing that is being imported is garbage, and looking for some took a tenth of a start
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
    from llvmlite.binding import Linkage
    from numba.core.codegen import CPUCodeLibrary
    from numba.core.registry import CPUDispatcher

    COMPILED = True
except ImportError:
    COMPILED = False
finally:
    if _collects:
        gc.enable()

OPTIONS = {"fastmath": False, "_nrt": False}
"""For numba. Kernels allocate nothing, so references to the vectors they are handed need not be counted: the atomic
counts at every call took twelve times as long as the matching itself."""

#: Every kernel of the modules imported so far, by "module.function"; the plain function is kept for comparison.
KERNELS: dict[str, Callable[..., Any]] = {}
SIGNATURES: dict[str, str] = {}


class Compilations:
    """Counts compilations, and those after `ready()`: a live service must never wait for a compiler."""

    def __init__(self) -> None:
        self.total = 0
        self.late = 0
        self._ready = False
        self._loads: list[Callable[[], None]] = []

    def declared(self, load: Callable[[], None]) -> None:
        """`load` compiles or reads one kernel; once everything is ready a new kernel is loaded where it is declared."""
        if self._ready:
            load()
        else:
            self._loads.append(load)

    def load(self) -> None:
        """Bring in every kernel declared so far."""
        loads, self._loads = self._loads, []
        for load in loads:
            load()

    def ready(self) -> None:
        """Everything declared is brought in; from now on every compilation is a late one."""
        self.load()
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

    numba.core.event.register("numba:compile", _Listener())

    def _index(context: Any, builder: Any, kind: Any, index: Any, _size: Any) -> Any:
        return context.cast(builder, index, kind, numba.types.intp if kind.signed else numba.types.uintp)

    @contextmanager
    def _counted_from_the_front() -> Iterator[None]:
        """While a kernel compiles, numba's "below 0 counts from the end" is left out.

        It looks at every vector's length at every access, which was a third of the replay's instructions. With
        `NUMBA_BOUNDSCHECK=1`, as a test runs every kernel, an index below 0 raises.
        """
        from numba.np import arrayobj  # noqa: PLC0415  who only reads a kernel does without it

        kept = arrayobj.fix_integer_index
        arrayobj.fix_integer_index = _index
        try:
            yield
        finally:
            arrayobj.fix_integer_index = kept

    def _names_alone(module: Any) -> Any:
        """A module that defines what others may ask `module` for, and says nothing of it."""
        hidden = (Linkage.internal, Linkage.private)
        functions = [x.name for x in module.functions if not x.is_declaration and x.linkage not in hidden]
        numbers = [x.name for x in module.global_variables if not x.is_declaration and x.linkage not in hidden]
        lines = [f'define void @"{name}"() {{ ret void }}' for name in functions]
        lines += [f'@"{name}" = global i64 0' for name in numbers]
        return llvmlite.binding.parse_assembly("\n".join(lines))

    @contextmanager
    def _callees_of_its_own(name: str) -> Iterator[None]:
        """While the root `name` compiles (its own library, not its callees'), nobody else may call its callees.

        A vector is handed on as seven words of which a kernel needs one. Where the compiler knows every caller it
        leaves the others out, and puts what is called once where it is called: 0.7 of the time of a replay. No one
        calls a root, so that nothing but its names is kept for callers to take in.
        """
        kept = CPUCodeLibrary._optimize_final_module
        kept_for_callers = CPUCodeLibrary._get_module_for_linking

        def optimize(library: Any) -> None:
            if library.name == name:
                for function in library._final_module.functions:
                    if not function.is_declaration and function.linkage == Linkage.linkonce_odr:
                        function.linkage = Linkage.internal
                        function.name = f"{function.name} of {name}"  # or it is found where the kernel is meant
            kept(library)

        def for_callers(library: Any) -> Any:
            return _names_alone(library._final_module) if library.name == name else kept_for_callers(library)

        CPUCodeLibrary._optimize_final_module = optimize
        CPUCodeLibrary._get_module_for_linking = for_callers
        try:
            yield
        finally:
            CPUCodeLibrary._optimize_final_module = kept
            CPUCodeLibrary._get_module_for_linking = kept_for_callers

    _cpu = numba.core.config.CPU_NAME or llvmlite.binding.get_host_cpu_name()
    SALT = (
        f"{numba.__version__} {llvmlite.__version__} {_cpu} {sys.version_info[:2]} "
        f"boundscheck={numba.core.config.BOUNDSCHECK} {OPTIONS} from the front, roots of their own"
    )

    CACHE = Path(os.environ.get("AMM_KERNEL_CACHE") or ROOT / "run" / "kernels")

    @contextmanager
    def _our_rules(dispatcher: Any, root: str) -> Iterator[None]:
        """What `dispatcher` compiles and then keeps follows our rules; what it only reads needs none."""
        compiling = dispatcher._compiler.compile
        with ExitStack() as rules:

            def compiled(*arguments: Any) -> Any:
                rules.enter_context(_counted_from_the_front())
                rules.enter_context(_callees_of_its_own(root))
                return compiling(*arguments)

            dispatcher._compiler.compile = compiled
            yield

    def _promised(dispatcher: Any, signature: str, is_root: bool) -> Any:
        """`dispatcher`, which compiles for exactly `signature`, or reads that from the cache, when first needed."""

        def load() -> None:
            if not dispatcher._can_compile:
                return
            del dispatcher._compile_for_args, dispatcher.get_call_template
            spec = sys.modules[dispatcher.py_func.__module__].__spec__  # knows the name of what runs as __main__, too
            folder = kernel_cache.folder(CACHE, spec.name if spec else dispatcher.py_func.__module__, SALT)
            folder.mkdir(parents=True, exist_ok=True)
            numba.core.config.CACHE_DIR = str(folder)
            dispatcher.enable_caching()
            # Not refreshed: what numba knows of lowering, its longest import, is for who compiles, and he loads it.
            dispatcher._cache.load_overload = dispatcher._cache._load_overload
            with _our_rules(dispatcher, dispatcher.py_func.__name__ if is_root else ""):
                dispatcher.compile(signature)
            dispatcher.disable_compile()

        def callee(*arguments: Any) -> Any:
            load()
            return dispatcher

        def template(arguments: Any, named: Any) -> Any:
            load()
            return dispatcher.get_call_template(arguments, named)

        dispatcher._compile_for_args, dispatcher.get_call_template = callee, template
        dispatcher.bring_in = load
        COMPILATIONS.declared(load)
        return dispatcher


def kernel(signature: str, *, inline: bool = False, root: bool = False) -> Callable[[F], F]:
    """Compile `function` for exactly `signature` (numba's text form, e.g. `"i8(f8[::1], i8)"`), or leave it plain.

    `inline` puts the machine code into every caller: for small kernels that many vectors are handed to, row by row.
    `root` makes a copy of all it calls that is its own: for a kernel that runs for seconds and that none calls.
    Raises TypeError at the call when an argument has another type (compiled kernels only).
    """

    def decorate(function: F) -> F:
        name = f"{function.__module__}.{function.__name__}"
        compiled = function
        if COMPILED:
            function.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]  # numba asks twice
            options = {"nopython": True, "forceinline": inline, **OPTIONS}
            compiled = _promised(CPUDispatcher(function, targetoptions=options), signature, root)
        KERNELS[name] = compiled
        SIGNATURES[name] = signature
        return compiled

    return decorate


def bring_in(function: Callable[..., Any]) -> None:
    """Read or compile one kernel, and what it calls, before it is first called; plain ones need nothing."""
    if COMPILED:
        function.bring_in()  # type: ignore[attr-defined]


def state(n: int) -> Any:
    """A zeroed float64 vector of length n: a numpy array with numba, a plain list without."""
    return np.zeros(n, np.float64) if COMPILED else [0.0] * n


def istate(n: int) -> Any:
    """A zeroed int64 vector of length n: a numpy array with numba, a plain list without."""
    return np.zeros(n, np.int64) if COMPILED else [0] * n


def load_all(packages: Sequence[str] = ()) -> None:
    """Import every module (of these packages) that holds kernels, and bring them all in."""
    for path in kernel_cache.kernel_files():
        if packages and path.relative_to(ROOT).parts[0] not in packages:
            continue
        importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    COMPILATIONS.load()


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
