"""Compare JSON by shape: field names, types and the form of texts, learned from samples.

`learn` takes what a venue once said, `complaints` says where another text differs. A number in a text is a `decimal`
("0.5"), a whole number in a text ("20") is not; hex texts differ by length, times (13 digits) from other whole numbers.
`null` fits everywhere. A field every sample has must be there, one no sample has must not. A list whose members are of
different kinds ([coin, context]) is compared place by place, any other member by member.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

_FORMS = (
    ("decimal", re.compile(r"-?\d+\.\d+")),
    ("whole", re.compile(r"-?\d+")),
    ("hex", re.compile(r"0x[0-9a-f]*")),
    ("date", re.compile(r"\d{4}-\d\d-\d\d")),
)
MS = range(10**12, 10**13)


@dataclass
class Shape:
    """What samples of one place have in common."""

    kinds: set[str] = field(default_factory=set)
    fields: dict[str, Shape] = field(default_factory=dict)
    needed: set[str] = field(default_factory=set)
    member: Shape | None = None
    places: list[Shape] | None = None


def kind_of(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool() | float() | dict() | list():
            return type(value).__name__
        case int():
            return "ms" if value in MS else "int"
    form = next((name for name, pattern in _FORMS if pattern.fullmatch(value)), "words")
    return f"hex{len(value)}" if form == "hex" else form


def learn(samples: Sequence[Any], maps: Sequence[str] = (), path: str = "") -> Shape:
    """`maps` are paths of objects whose names are data (coins): all their values have one shape."""
    shape = Shape({kind_of(sample) for sample in samples} - {"null"})
    objects = [sample for sample in samples if isinstance(sample, dict)]
    if objects and path in maps:
        shape.member = learn([value for sample in objects for value in sample.values()], maps, f"{path}/*")
        return shape
    for name in dict.fromkeys(name for sample in objects for name in sample):
        values = [sample[name] for sample in objects if name in sample]
        shape.fields[name] = learn(values, maps, f"{path}/{name}")
        if len(values) == len(objects):
            shape.needed.add(name)
    lists = [sample for sample in samples if isinstance(sample, list) and sample]
    if lists and all(_is_row(sample, len(lists[0])) for sample in lists):
        shape.places = [learn(list(column), maps, f"{path}/{i}") for i, column in enumerate(zip(*lists, strict=True))]
    elif lists:
        shape.member = learn([member for sample in lists for member in sample], maps, f"{path}/-")
    return shape


def complaints(
    shape: Shape, ours: Any, *, ours_only: Sequence[str] = (), theirs_only: Sequence[str] = (), path: str = ""
) -> list[str]:
    """Where our value differs; the names given may be on one side alone, wherever they stand."""
    kind = kind_of(ours)
    if kind == "null" or not shape.kinds:
        return []
    if kind not in shape.kinds and not (kind == "decimal" and "whole" in shape.kinds):
        return [f"{path or '/'}: {kind}, not {' or '.join(sorted(shape.kinds))}"]
    found: list[str] = []

    def go_on(part: Shape, value: Any, name: str) -> None:
        found.extend(complaints(part, value, ours_only=ours_only, theirs_only=theirs_only, path=f"{path}/{name}"))

    if isinstance(ours, dict) and shape.member is not None:
        for value in ours.values():
            go_on(shape.member, value, "*")
    elif isinstance(ours, dict):
        found += [f"{path}/{name}: ours only" for name in sorted(set(ours) - set(shape.fields) - set(ours_only))]
        found += [f"{path}/{name}: missing" for name in sorted(shape.needed - set(ours) - set(theirs_only))]
        for name in ours.keys() & shape.fields.keys():
            go_on(shape.fields[name], ours[name], name)
    elif isinstance(ours, list) and shape.places is not None and ours:
        if len(ours) != len(shape.places):
            return [f"{path}: {len(ours)} places, not {len(shape.places)}"]
        for i, (part, value) in enumerate(zip(shape.places, ours, strict=True)):
            go_on(part, value, str(i))
    elif isinstance(ours, list) and shape.member is not None:
        for value in ours:
            go_on(shape.member, value, "-")
    return list(dict.fromkeys(found))


def _is_row(sample: list[Any], length: int) -> bool:
    """Whether the members are of different kinds: a row of places rather than a list of the like."""
    kinds = {"text" if isinstance(member, str) else type(member).__name__ for member in sample if member is not None}
    return len(kinds) > 1 and len(sample) == length
