"""Take secrets out of text before it leaves the process: log lines, alerts, tracebacks, refusals of configuration.

What looks like key material is replaced whatever it is, an order hash (64 hex digits) too: log those by a short
prefix on purpose.  Addresses (40 digits) and cloids (32 digits) stay readable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "[hidden]"
TEXT_MAX = 4_000
DEPTH_MAX = 6
SHORT = 8
"""Text of this length or less holds nothing worth hiding."""

_SECRET_NAME = re.compile(
    r"password|passwd|secret|token(?!s)|private_?key|agent_?key|warden_?key|authorization|webhook", re.IGNORECASE
)
_BYTES_LITERAL = r"\bb(?P<quote>['\"])(?=[^'\"]*\\x)(?:\\.|(?!(?P=quote)).){16,}?(?P=quote)"
_PATTERNS = re.compile(
    "|".join(
        (
            r"(?:0x)?[0-9a-fA-F]{41,}",  # keys and hashes of 32 bytes, signatures, and cut pieces of them
            r"(?<!\d)\d{70,78}(?!\d)",  # a key as a decimal number
            r"(?:\d{1,3},\s*){31}\d{1,3}",  # a key as a list of bytes
            # a key in base64; a path of that length rarely mixes digits and both cases
            r"(?-i:(?<![\w+/-])(?=[\w+/-]*[a-z])(?=[\w+/-]*[A-Z])(?=[\w+/-]*\d)[A-Za-z0-9+/_-]{43}=?(?![\w+/=-]))",
            _BYTES_LITERAL,
            r"\bBearer\s+\S+",
            r"hooks\.slack\.com/\S+",
            r"(?<=://)[^\s/@]*:[^\s/@]*@",  # user:password@ of any URL
            r"(?:password|passwd|secret|token|private_?key)\W{1,4}\S+",
        )
    ),
    re.IGNORECASE,
)


def redact(text: str) -> str:
    """`text` without anything that looks like key material, a password or a webhook; at most TEXT_MAX characters."""
    if len(text) > 4 * TEXT_MAX:
        text = text[: 4 * TEXT_MAX]
    if len(text) > SHORT:
        text = _PATTERNS.sub(HIDDEN, text)
    return text if len(text) <= TEXT_MAX else text[:TEXT_MAX] + "..."


def redact_value(value: Any, name: str = "", depth: int = 0) -> Any:
    """`value` fit for a JSON log line: secrets hidden by their name or their look, bytes by their number."""
    if value is None or isinstance(value, bool | float):
        return value
    if name and _SECRET_NAME.search(name) is not None:
        return HIDDEN
    if isinstance(value, int):
        return value if abs(value) < 1 << 64 else redact(str(value))
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    if depth >= DEPTH_MAX:
        return "[deep]"
    if isinstance(value, Mapping):
        return {redact(str(k)): redact_value(v, str(k), depth + 1) for k, v in list(value.items())[:200]}
    if isinstance(value, list | tuple | set | frozenset):
        # Judged as one text too: a key may come as a list of numbers.
        whole = repr(value)[:TEXT_MAX]
        return [redact_value(v, "", depth + 1) for v in list(value)[:200]] if redact(whole) == whole else HIDDEN
    return redact(repr(value))
