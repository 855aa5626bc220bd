"""Which control requests are obeyed: pure checks of one HTTP request, each refusal with a status and a named reason.

A request that changes something needs POST, a host name of this machine (against DNS rebinding), no foreign origin
(against other pages in a browser), the bearer token, and a small JSON object or nothing as its body. The reason a
person gives is text for logs and people: control characters go, the length is bounded.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from common.messages import MAX_TEXT, Verb

BODY_BYTES_MAX = 64 * 1024
TOKEN_CHARS_MIN = 16
VERBS: Final = {verb.value: verb for verb in (Verb.KILL, Verb.ARM, Verb.PAUSE, Verb.RESUME, Verb.DRAIN)}
LOCAL: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class Denied(Exception):
    """A request that is not obeyed; `reason` is a metric label, `status` the HTTP answer."""

    def __init__(self, status: int, reason: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.reason = reason


@dataclass(frozen=True)
class Sender:
    """The headers of a request that say who asks; `authorization` holds every header of that name."""

    method: str
    host: str
    origin: str | None
    fetch_site: str | None
    authorization: Sequence[str]
    query: str


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    reason: Annotated[str, Meta(max_length=BODY_BYTES_MAX)] = ""


_DECODER = msgspec.json.Decoder(_Body)


def check_host(host: str, allowed: Collection[str] = LOCAL) -> None:
    """Refuse a Host header that names no address of ours: a page elsewhere had its name point here."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        name = ""
    if name not in allowed:
        raise Denied(403, "foreign_host", "this host name is not served here")


def check_sender(sender: Sender, token: str, allowed: Collection[str] = LOCAL) -> None:
    """Refuse, before its body is read, a request that may not change anything."""
    if sender.method != "POST":
        raise Denied(405, "method", "POST only")
    check_host(sender.host, allowed)
    _check_origin(sender, allowed)
    _check_token(sender.authorization, token)
    if sender.query:
        raise Denied(400, "query", "no query string here: it would be logged")


def _check_origin(sender: Sender, allowed: Collection[str]) -> None:
    if sender.fetch_site not in (None, "same-origin", "none"):
        raise Denied(403, "foreign_origin", "a page of another origin may not do this")
    if sender.origin is None:
        return
    try:
        name = urlsplit(sender.origin).hostname
    except ValueError:
        name = None
    if name not in allowed:
        raise Denied(403, "foreign_origin", "a page of another origin may not do this")


def _check_token(headers: Sequence[str], token: str) -> None:
    if len(token) < TOKEN_CHARS_MIN:
        raise Denied(503, "no_token", "no control token is set up: write secrets/control_token (16 characters or more)")
    if len(headers) != 1:
        raise Denied(401, "no_auth" if not headers else "two_auth", "one Authorization: Bearer header is needed")
    scheme, _, given = headers[0].partition(" ")
    if scheme.lower() != "bearer":
        raise Denied(401, "not_bearer", "one Authorization: Bearer header is needed")
    if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), token.encode()):
        raise Denied(401, "wrong_token", "wrong token")


def reason_of(body: bytes, content_type: str) -> str:
    """The cleaned reason a body gives; an empty body gives none."""
    if len(body) > BODY_BYTES_MAX:
        raise Denied(413, "too_long", f"a body of at most {BODY_BYTES_MAX} bytes")
    if not body:
        return ""
    if content_type.lower() != "application/json":
        raise Denied(415, "content_type", "the body must be application/json")
    if body.count(b'"reason"') > 1:
        raise Denied(400, "duplicate_key", "reason is given twice")
    try:
        given = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise Denied(400, "bad_body", 'the body must be {"reason": "text"} or empty') from None
    return clean(given.reason)


def clean(text: str) -> str:
    """One line of printable text, at most 500 characters: nothing that could forge a log line or move a cursor."""
    printable = "".join(c if c.isprintable() else " " for c in text[: 4 * MAX_TEXT])
    return " ".join(printable.split())[:MAX_TEXT]
