"""Logs: one JSON event a line on stderr, secrets taken out, errors counted.

`get_log("feed").info("book_dropped", coin=..., reason=...)`: the event is a verb in the past.  `configure` is called
once by a service's main; before it (tests, tools) the same lines appear at level info.  Lines of libraries come in
the same form as `library_said`.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

from common import metrics
from common.redact import redact, redact_value

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}

_service = "-"


def get_log(name: str) -> structlog.typing.FilteringBoundLogger:
    """The logger of one room; `name` appears as `room`."""
    if not structlog.is_configured():
        configure(_service, "info")
    log: structlog.typing.FilteringBoundLogger = structlog.get_logger(room=name)
    return log


def configure(service: str, level: str, stream: TextIO | None = None) -> None:
    """Write events at or above `level` as JSON lines with `service` on stderr (or `stream`)."""
    global _service
    _service = service
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
            structlog.processors.format_exc_info,
            _clean,
            _render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=_Lines(stream),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_Library()]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(True)
    sys.excepthook = _uncaught


class _Lines:
    """Makes the object that writes a finished line; stderr is looked up late so that it can be redirected."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    def __call__(self, *_: Any) -> _Lines:
        return self

    def msg(self, line: str) -> None:
        stream = self._stream or sys.stderr
        stream.write(line + "\n")
        stream.flush()

    log = debug = info = warning = warn = error = critical = exception = fatal = msg


def _clean(_: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide secrets, name the service, count errors."""
    level = event.get("level")
    if level in ("error", "critical"):
        metrics.count("amm_log_errors_total")
    cleaned = {name: redact_value(value, name) for name, value in event.items() if name not in ("ts", "level", "event")}
    return {
        "ts": event.get("ts"),
        "level": level,
        "service": _service,
        "event": redact(str(event.get("event"))),
        **cleaned,
    }


def _render(_: Any, method: str, event: MutableMapping[str, Any]) -> str:
    """JSON of what `_clean` left: escapes keep a line one line whatever is in it."""
    return json.dumps(event, default=repr, separators=(",", ":"))


class _Library(logging.Handler):
    """Lines of the standard logging module (aiohttp, asyncio, warnings) in our form."""

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.exc_info and record.exc_info[0] is not None:
            text += "\n" + logging.Formatter().formatException(record.exc_info)
        log = structlog.get_logger(room=record.name)
        log.log(min(record.levelno, logging.ERROR), "library_said", text=text)


def _uncaught(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    structlog.get_logger(room="main").error("exception_not_caught", exc_info=(kind, error, trace))
