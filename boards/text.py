"""Plain data as YAML, in the few forms the committed files need: block mappings and lists, every text quoted.

A JSON string is a YAML string, so quoting needs no rules of its own; keys are plain words.
"""

from __future__ import annotations

import json
from typing import Any

HEAD = "# Made by `make boards` from boards/; do not edit by hand.\n"


def to_yaml(data: Any) -> str:
    return HEAD + "\n".join(_lines(data, 0)) + "\n"


def _lines(data: Any, depth: int) -> list[str]:
    pad = "  " * depth
    if isinstance(data, dict) and data:
        return [line for key, value in data.items() for line in _entry(f"{pad}{key}:", value, depth + 1)]
    if isinstance(data, list) and data:
        return [line for value in data for line in _item(value, depth)]
    return [pad + _scalar(data)]


def _entry(head: str, value: Any, depth: int) -> list[str]:
    if isinstance(value, (dict, list)) and value:
        return [head, *_lines(value, depth)]
    return [f"{head} {_scalar(value)}"]


def _item(value: Any, depth: int) -> list[str]:
    """A list's entry: its first line begins with the dash, the others are below it."""
    first, *rest = _lines(value, depth + 1)
    return ["  " * depth + "- " + first[2 * (depth + 1) :], *rest]


def _scalar(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
