"""Configuration as people write it: `.env` lines, numbers in text, and the sentence that says what is wrong.

Only text in, values or ConfigError out; nothing is read here.  A value that may be a secret is never repeated.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import annotated_types
from pydantic import BaseModel, ValidationError

from common.errors import ConfigError
from common.redact import HIDDEN, redact, redact_value

_INT = re.compile(r"-?[0-9]{1,15}", re.ASCII)
_FLOAT = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?([eE]-?[0-9]{1,2})?", re.ASCII)
TRUE, FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


def read_text(path: Path, what: str) -> str:
    """The file's text; raises ConfigError that names it (FileNotFoundError passes)."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise
    except UnicodeDecodeError as error:
        raise ConfigError(f"{what} is not UTF-8 (byte {error.start}): save it as UTF-8 text") from None
    except OSError as error:
        raise ConfigError(f"{what} cannot be read: {error.strerror}") from None


def parse_dotenv(text: str, known: Sequence[str]) -> dict[str, str]:
    """NAME=value lines, `#` comments, optional quotes around a value; any other name is refused."""
    found: dict[str, str] = {}
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.removeprefix("export ").partition("=")
        name = name.strip()
        if not equals or re.fullmatch(r"[A-Z][A-Z0-9_]*", name) is None:
            raise ConfigError(f".env line {number}: expected NAME=value")
        if name not in known:
            raise ConfigError(f".env line {number}: unknown key {name}; known keys: {', '.join(sorted(known))}")
        if name in found:
            raise ConfigError(f".env line {number}: {name} is set twice")
        found[name] = _unquoted(value.strip(), f".env line {number}: {name}")
    return found


def _unquoted(value: str, where: str) -> str:
    quote = value[:1]
    if quote in ("'", '"'):
        if len(value) < 2 or not value.endswith(quote):
            raise ConfigError(f"{where}: the quote {quote} is not closed")
        value = value[1:-1]
    if "${" in value or "\0" in value:
        raise ConfigError(f"{where}: $-expressions are not expanded; write the value itself")
    return value


def to_bool(name: str, text: str) -> bool:
    """Raises ConfigError for anything but the eight usual words."""
    word = text.strip().lower()
    if word not in TRUE + FALSE:
        raise ConfigError(f"{name} = {redact(text)[:40]!r}: allowed are {', '.join(TRUE)} and {', '.join(FALSE)}")
    return word in TRUE


def to_typed(name: str, text: str, model: type[BaseModel], path: tuple[str, ...]) -> Any:
    """Text of the environment as the type its setting has; raises ConfigError that names the allowed range."""
    kind = _field(model, path).annotation
    if kind is bool:
        return to_bool(name, text)
    pattern = {int: _INT, float: _FLOAT}.get(kind)
    if pattern is None:
        return text
    if pattern.fullmatch(text) is None:
        what = "a whole number" if kind is int else "a plain number"
        raise ConfigError(f"{name} = {redact(text)[:40]!r}: must be {what}, {allowed(model, path)}")
    return int(text) if kind is int else float(text)


def allowed(model: type[BaseModel], path: Sequence[Any]) -> str:
    """The range or choice of a setting in words, e.g. `allowed 1 .. 20`; "" when it has none."""
    try:
        field = _field(model, tuple(str(part) for part in path if not isinstance(part, int)))
    except KeyError:
        return ""
    if typing.get_origin(field.annotation) is Literal:
        return f"allowed {', '.join(map(str, typing.get_args(field.annotation)))}"
    low = high = ""
    for rule in field.metadata:
        match rule:
            case annotated_types.Ge():
                low = f"{rule.ge:g}"
            case annotated_types.Gt():
                low = f"above {rule.gt:g}"
            case annotated_types.Le():
                high = f"{rule.le:g}"
            case annotated_types.Lt():
                high = f"below {rule.lt:g}"
    if not low and not high:
        return ""
    return f"allowed {low or 'any'} .. {high}" if high else f"allowed {low} or more"


def _field(model: type[BaseModel], path: tuple[str, ...]) -> Any:
    """The setting's definition; raises KeyError when there is none."""
    if not path:
        raise KeyError(path)
    field = model.model_fields[path[0]]
    if len(path) == 1:
        return field
    inner = field.annotation
    if typing.get_origin(inner) is list:
        inner = typing.get_args(inner)[0]
    if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
        raise KeyError(path)
    return _field(inner, path[1:])


def sentence(error: ValidationError, model: type[BaseModel], where: str) -> str:
    """One sentence a problem: key, value, what is allowed."""
    return "; ".join(f"{where}: {_problem(item, model)}" for item in error.errors(include_url=False))


def _problem(item: Any, model: type[BaseModel]) -> str:
    key = ".".join(str(part) for part in item["loc"]) or "settings"
    text = redact(item["msg"].removeprefix("Value error, "))
    if item["type"] == "extra_forbidden":
        return f"{key}: there is no such setting"
    value = item.get("input")
    shown = redact_value(value, key)
    with_value = "" if isinstance(value, (dict, BaseModel)) or item["type"] == "missing" else f" = {str(shown)[:60]!r}"
    if shown == HIDDEN:
        with_value = ""
    range_text = allowed(model, item["loc"])
    return f"{key}{with_value}: {text}" + (f" ({range_text})" if range_text else "")
