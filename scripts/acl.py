"""Who may do what in Redis: the lines of an ACL file, made from the table in `common/streams.py`.

One user a service. Each may read the streams it reads, write the keys it alone produces, acknowledge what it reads in
a group, and take request weight from the shared bucket if it asks the venue anything; `default` is off. A key can be
read, acknowledged and written by different selectors only, because XACK needs write permission and a reader that has
it beside XADD could forge entries. Key permissions need Redis 7; passwords are kept as SHA-256.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from common.streams import ALL, SERVICES, Kind, Stream
from common.weights import SHARED

USERS = tuple(service for service in SERVICES if service != "warden")
"""Those with a connection to Redis; the warden's heartbeat is written by the executor."""

ASKING = ("feed", "executor", "monitor")
"""Services that ask the venue by REST, and so draw from the bucket of request weight."""

HEALTH = "health"
"""May PING and nothing else, without a password: for the container's health check."""

BUCKET_KEY = f"bucket:{SHARED.name}"

WRITE = ("xadd", "xrevrange", "xrange", "xinfo|stream", "del")
READ = ("xread", "xrevrange")
READ_GROUP = ("xreadgroup", "xrevrange", "xrange", "xpending", "xinfo|groups")
JOIN_GROUP = ("xack", "xgroup|create")
TAKE = ("eval", "time", "hmget", "hset", "expire")
"""Verbs the bus really uses (`common/bus*.py`)."""


def keys(stream: Stream, coins: Sequence[str]) -> tuple[str, ...]:
    """Every key of a stream, when these coins are traded or followed."""
    if stream.has_many_writers:
        return tuple(stream.of(service) for service in stream.writers)
    return tuple(stream.of(coin) for coin in coins) if "{" in stream.name else (stream.of(),)


def written_keys(service: str, coins: Sequence[str]) -> list[str]:
    """The keys whose only producer is this service."""
    return [key for stream in ALL for key in keys(stream, coins) if stream.producer(key) == service]


def read_keys(service: str, coins: Sequence[str], *, group: bool) -> list[str]:
    """The keys this service reads, in a group or newest first."""
    return [
        key
        for stream in ALL
        if service in stream.readers and (stream.kind is Kind.GROUP) == group
        for key in keys(stream, coins)
    ]


def acl_lines(passwords: Mapping[str, str], coins: Sequence[str]) -> list[str]:
    """The ACL file for these users' passwords and these coins; raises KeyError when a user has no password."""
    first = ["user default off resetpass resetkeys resetchannels -@all"]
    first += [f"user {HEALTH} on nopass resetkeys resetchannels -@all +ping"]
    return first + [_line(user, passwords[user], coins) for user in USERS]


def _line(user: str, password: str, coins: Sequence[str]) -> str:
    digest = hashlib.sha256(password.encode()).hexdigest()
    grouped = read_keys(user, coins, group=True)
    selectors = [
        _selector("~", written_keys(user, coins), WRITE),
        _selector("%R~", read_keys(user, coins, group=False), READ),
        _selector("%R~", grouped, READ_GROUP),
        _selector("%W~", grouped, JOIN_GROUP),
        _selector("~", [BUCKET_KEY] if user in ASKING else [], TAKE),
    ]
    parts = [f"user {user} on resetpass #{digest} resetkeys resetchannels -@all +ping", *selectors]
    return " ".join(part for part in parts if part)


def _selector(permission: str, names: Sequence[str], verbs: Sequence[str]) -> str:
    """One right: these verbs on these keys and no others; "" for no keys."""
    if not names:
        return ""
    return f"({' '.join([f'{permission}{name}' for name in names] + [f'+{verb}' for verb in verbs])})"
