"""Where the machine code of a module's kernels is kept, and under which name it is never stale.

numba notices an edited function, not an edited callee or constant in another file. So every module has a folder of its
own, named by a hash over its source and that of every module of ours it imports, directly or not, beside the compiler's
versions and the CPU compiled for: editing a leaf compiles what uses it, and nothing else.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("common", "quoter", "executor", "riskd", "simvenue", "backtest")
MARK = "@kernel("
HIDDEN = ("common.kernel", "common.kernel_cache")
"""They compile, they are not compiled; what they ask of the compiler is in the salt."""

_FROM = re.compile(r"^[ \t]*from[ \t]+([\w.]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n]+)", re.MULTILINE)
_IMPORT = re.compile(r"^[ \t]*import[ \t]+([\w., \t]+)", re.MULTILINE)


def kernel_files(root: Path = ROOT) -> list[Path]:
    """Source files under our packages that define at least one kernel, in a fixed order."""
    found = [p for name in PACKAGES for p in sorted((root / name).rglob("*.py"))]
    return [p for p in found if MARK in p.read_text(encoding="utf-8") and p.stem not in ("kernel", "kernel_cache")]


def source_hash(module: str, salt: str = "", root: Path = ROOT) -> str:
    """16 hex digits over `salt` and the source of `module` ("quoter.ladder") and of all it imports of ours."""
    digest = hashlib.sha256(salt.encode())
    for name in sorted(closure(module, root)):
        digest.update(name.encode() + b"\0" + _source(name, root) + b"\0")
    return digest.hexdigest()[:16]


def folder(base: Path, module: str, salt: str = "", root: Path = ROOT) -> Path:
    """Where below `base` compiled kernels of exactly this source live."""
    return base / f"{module}-{source_hash(module, salt, root)}"


def closure(module: str, root: Path = ROOT) -> set[str]:
    """The module and every one of ours it reaches by imports."""
    found: set[str] = set()
    open_ = [module]
    while open_:
        name = open_.pop()
        if name not in found:
            found.add(name)
            open_.extend(_imports(name, root))
    return found


@cache
def _imports(module: str, root: Path) -> Sequence[str]:
    """Our modules that the source names in an import, a package's submodules included."""
    text = _source(module, root).decode()
    named = [name.split(" as ")[0].strip() for group in _IMPORT.findall(text) for name in group.split(",")]
    for source, names in _FROM.findall(text):
        named.append(source)
        named += [f"{source}.{name.split(' as ')[0].strip()}" for name in names.strip("()").split(",")]
    return [name for name in named if name not in HIDDEN and _is_ours(name, root)]


@cache
def _is_ours(module: str, root: Path) -> bool:
    return module.partition(".")[0] in PACKAGES and os.path.isfile(_path(module, root))


@cache
def _source(module: str, root: Path) -> bytes:
    with open(_path(module, root), "rb") as file:
        return file.read()


def _path(module: str, root: Path) -> str:
    """As text: a thousand are looked at before a replay begins, and a Path takes ten times as long to make."""
    return f"{root}{os.sep}{module.replace('.', os.sep)}.py"
