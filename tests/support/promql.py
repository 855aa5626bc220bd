"""The metric names in an expression, and which of them our services really set: our own source, read as data."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from common.kernel import ROOT
from common.metrics import METRICS

NAME = re.compile(r"\bamm_[a-z0-9_]+\b")
SERVICE = re.compile(r"(amm_[a-z0-9_]+)\{[^}]*service=\"(\w+)\"")
HISTOGRAM = re.compile(r"_(bucket|sum|count)$")
TEXT = re.compile(r"\"(?:[^\"\\]|\\.)*\"")


def metrics_of(expr: str) -> set[str]:
    """Rows of the table that an expression asks for (a histogram's series belong to its row)."""
    names = set(NAME.findall(TEXT.sub("", expr)))
    return {name if name in METRICS else HISTOGRAM.sub("", name) for name in names}


def set_by(package: str) -> set[str]:
    """Metrics whose name stands in the package's code: whole, or put together from texts of the same function.

    The table itself, docstrings and reads (`metrics.value`) do not count.
    """
    found: set[str] = set()
    for path in sorted((ROOT / package).rglob("*.py")):
        if path != ROOT / "common" / "metrics.py":
            found |= _set_in(path)
    return found


def _set_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {node.value for node in _texts(tree) if node.value in METRICS}
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            words = {str(node.value) for node in _texts(function)}
            for node in ast.walk(function):
                if isinstance(node, ast.JoinedStr):
                    pattern = _pattern(node)
                    matches = ((name, re.fullmatch(pattern, name)) for name in METRICS)
                    found |= {name for name, match in matches if match and set(match.groups()) <= words}
    return found


def _texts(tree: ast.AST) -> Iterator[ast.Constant]:
    """Texts of the code, less what is only read or only told."""
    skipped = {id(node) for call in ast.walk(tree) if _is_read(call) for node in ast.walk(call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(id(node.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            yield node


def _is_read(node: ast.AST) -> bool:
    """`metrics.value(...)` or `stack.metric(...)`."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("value", "metric")


def _pattern(text: ast.JoinedStr) -> str:
    parts = (re.escape(str(part.value)) if isinstance(part, ast.Constant) else "(.+)" for part in text.values)
    return "".join(parts)
