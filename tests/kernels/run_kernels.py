"""Run every kernel on random cases in this process' mode and write down what came of it, bit for bit.

Started by `test_plain_equals_compiled.py`, once plain and once compiled. A case depends on the kernel's name and its
number alone; drawing it costs more than running it, so one process may tell the other its cases over a pipe (`--tell`,
`--hear`: file descriptors). With `--by-size` kernels on long vectors get fewer cases than the others. One digest a case
covers the result and every vector after the call; `--show KERNEL CASE` prints one case in full.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib
import json
import math
import random
import re
import sys
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import msgspec

from common.kernel import COMPILATIONS, COMPILED, KERNELS, SIGNATURES, istate, load_all, state

Case: TypeAlias = Callable[[random.Random], tuple[Any, ...]]
HERE = Path(__file__).resolve().parent
TYPES = ("i8", "f8", "i8[::1]", "f8[::1]")
NAN = float("nan")
ENCODER = msgspec.msgpack.Encoder()
SMALL = 500
LARGE_SHARE = 10
"""By size: a kernel gets all cases up to `SMALL` numbers in one, above fewer in proportion, a tenth at the least. What
a case costs goes with its numbers; below a hundred cases of a thousand, rare branches would be missed."""


class CaseError(Exception):
    """A case generator or a kernel breaks the rules of kernels."""


def all_cases() -> dict[str, Case]:
    """CASES of every `*_cases.py` beside this file."""
    found: dict[str, Case] = {}
    for path in sorted(HERE.glob("*_cases.py")):
        for name, case in importlib.import_module(f"tests.kernels.{path.stem}").CASES.items():
            if name in found:
                raise CaseError(f"{name} has two case generators")
            found[name] = case
    return found


def types_of(signature: str) -> tuple[str, list[str]]:
    """`"i8(f8[::1], i8)" -> ("i8", ["f8[::1]", "i8"])`; raises CaseError for a type kernels may not use."""
    found = re.fullmatch(r"(void|i8|f8)\((.*)\)", signature.strip())
    arguments = [text.strip() for text in found[2].split(",")] if found and found[2] else []
    if found is None or any(text not in TYPES for text in arguments):
        raise CaseError(f"signature {signature!r}: only i8, f8, i8[::1], f8[::1] and a void, i8 or f8 result")
    return found[1], arguments


def checked(arguments: tuple[Any, ...], types: list[str]) -> list[Any]:
    """The case's own arguments, refused when a type is not the signature's."""
    if len(arguments) != len(types):
        raise CaseError(f"{len(arguments)} arguments for {len(types)}")
    for place, (value, kind) in enumerate(zip(arguments, types, strict=True)):
        wanted = float if kind.startswith("f8") else int
        values = value if kind.endswith("]") else [value]
        if kind.endswith("]") != isinstance(value, list) or not set(map(type, values)) <= {wanted}:
            raise CaseError(f"argument {place} must be {kind}, not {type(value).__name__}")
    return list(arguments)


def prepared(value: Any, kind: str) -> Any:
    """A list becomes the vector this process' kernels work on."""
    if not kind.endswith("]"):
        return value
    if not COMPILED:
        return list(value)
    vector = state(len(value)) if kind.startswith("f8") else istate(len(value))
    vector[:] = value
    return vector


def packed(values: list[Any], kind: str) -> bytes:
    """8 bytes a number; every NaN is the same, a whole number is what it is in int64."""
    if kind.startswith("f8"):
        if math.isnan(sum(values)):  # there may be one: inf - inf is one too
            values = [NAN if math.isnan(value) else value for value in values]
        return array("d", values).tobytes()
    try:
        return array("q", values).tobytes()
    except TypeError:
        if any(value != int(value) for value in values):
            raise CaseError("a fraction where a whole number must be") from None
        return array("q", map(int, values)).tobytes()


def outcome(name: str, case: Any, *, is_checked: bool = False) -> tuple[Any, list[Any], bytes]:
    """Result, arguments after the call, digest of both; raises CaseError for anything a kernel may not do."""
    result_kind, types = types_of(SIGNATURES[name])
    arguments = case if is_checked else checked(case, types)
    ready = [prepared(value, kind) for value, kind in zip(arguments, types, strict=True)]
    result = KERNELS[name](*ready)
    digest = hashlib.blake2b(digest_size=8)
    try:
        if result_kind != "void":
            digest.update(packed([result], result_kind))
        for value, kind in zip(ready, types, strict=True):
            if kind.endswith("]"):
                digest.update(packed(value if isinstance(value, list) else value.tolist(), kind))
    except (OverflowError, ValueError) as error:
        raise CaseError(f"a number does not fit: {error}") from error
    return result, ready, digest.digest()


def share(number_of_cases: int, case: tuple[Any, ...]) -> int:
    """How many of these cases a kernel gets by the size of its first one."""
    numbers = sum(len(value) if isinstance(value, list) else 1 for value in case)
    return max(number_of_cases * SMALL // max(numbers, SMALL), number_of_cases // LARGE_SHARE, 1)


def drawn(name: str, case: Case, number_of_cases: int, by_size: bool, tell: BinaryIO | None) -> Iterator[Any]:
    """The kernel's cases, told on as they are drawn; a message of no bytes ends them."""
    place = 0
    try:
        while place < number_of_cases:
            arguments = case(random.Random(f"{name}:{place}"))
            if by_size and place == 0:
                number_of_cases = share(number_of_cases, arguments)
            if tell is not None:
                text = ENCODER.encode(arguments)
                tell.write(len(text).to_bytes(4, "little") + text)
            yield arguments
            place += 1
    finally:
        if tell is not None:
            tell.write(bytes(4))


def heard(hear: BinaryIO) -> Iterator[Any]:
    """The kernel's cases as the other process drew them; whoever stops early still reads to their end."""
    left = iter(lambda: int.from_bytes(hear.read(4), "little"), 0)
    try:
        for size in left:
            yield msgspec.msgpack.decode(hear.read(size))
    finally:
        for size in left:
            hear.read(size)


def digests_of(name: str, cases: Iterator[Any], is_checked: bool) -> list[str]:
    """One digest a case; the last line says what went wrong when something did."""
    digests: list[str] = []
    try:
        for case in cases:
            digests.append(outcome(name, case, is_checked=is_checked)[2].hex())
    except Exception as error:
        digests.append(f"case {len(digests)}: {type(error).__name__}: {error}")
    return digests


def run(
    number_of_cases: int, by_size: bool = False, tell: BinaryIO | None = None, hear: BinaryIO | None = None
) -> dict[str, Any]:
    """Digests of all kernels, or the first thing that went wrong with a kernel."""
    load_all()
    cases = all_cases()
    report: dict[str, Any] = {"compiled": COMPILED, "missing": sorted(set(KERNELS) - set(cases)), "kernels": {}}
    report["unknown"] = sorted(set(cases) - set(KERNELS))
    COMPILATIONS.ready()
    for name in sorted(set(KERNELS) & set(cases)):
        source = drawn(name, cases[name], number_of_cases, by_size, tell) if hear is None else heard(hear)
        with contextlib.closing(source):
            report["kernels"][name] = digests_of(name, source, hear is not None)
    report["late_compiles"] = COMPILATIONS.late
    return report


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--by-size", action="store_true", help="fewer cases for kernels on long vectors")
    parser.add_argument("--tell", type=int, metavar="FD", help="write every case drawn here")
    parser.add_argument("--hear", type=int, metavar="FD", help="read the cases here instead of drawing them")
    parser.add_argument("--show", nargs=2, metavar=("KERNEL", "CASE"))
    parsed = parser.parse_args()
    if parsed.show:
        load_all()
        name, place = parsed.show
        arguments = all_cases()[name](random.Random(f"{name}:{place}"))
        result, after, _ = outcome(name, arguments)
        shown = [value if isinstance(value, (int, float)) else list(value) for value in after]
        sys.stdout.write(f"before {arguments}\nresult {result!r}\nafter {shown}\n")
        return 0
    with contextlib.ExitStack() as stack:
        tell = stack.enter_context(open(parsed.tell, "wb")) if parsed.tell is not None else None
        hear = stack.enter_context(open(parsed.hear, "rb")) if parsed.hear is not None else None
        json.dump(run(parsed.cases, parsed.by_size, tell, hear), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
