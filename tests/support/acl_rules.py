"""What each user of Redis may do, as a table of its own, and the rules that hold it against a real server.

A subclass gives `server`: where a Redis >= 7 runs on the generated ACL file. What is allowed is written down here once
more, from the streams' writers and readers, so that one wrong line in `scripts/acl.py` cannot pass on both sides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError, NoPermissionError

from common.bus import RedisBus
from common.bus_types import Bucket, Item, Subscription
from common.messages import Alert, Severity
from common.streams import ALERTS, ALL, Kind, Stream
from common.weights import SHARED
from scripts.acl import BUCKET_KEY, HEALTH, USERS
from tests.support.waiting import until

COIN, OTHER_COIN = "km:US500", "BTC"
PASSWORDS = {user: f"password-of-{user}-0123456789" for user in USERS}

WRITING = {"xadd", "xrange", "xrevrange", "del"}
READING = {"xread", "xrevrange"}
GROUP_READING = {"xreadgroup", "xrange", "xrevrange", "xpending", "xack"}
SUBCOMMANDS = {"xinfo|stream": "writing", "xinfo|groups": "group", "xgroup|create": "group"}
ON_THE_BUCKET = {"eval", "hmget", "hset", "expire"}
ANYWHERE = {"ping"}
NO_KEY = {"time"}
"""Asked for within the script that takes request weight: needs no key, so those who may run it may ask for it."""

ALWAYS = {"auth", "hello", "quit", "reset"}
"""Open to everyone by Redis itself: they end or begin a session."""


@dataclass(frozen=True)
class Server:
    """How to reach it: keyword arguments of `redis.Redis`, and the URL of the bus."""

    options: dict[str, Any]
    url: Callable[[str], str]

    def client(self, user: str, password: str | None = None) -> Redis:
        secret = PASSWORDS.get(user, "-") if password is None else password
        return Redis(**self.options, username=user, password=secret, protocol=2, decode_responses=True)


def keys_of(stream: Stream, coin: str = COIN) -> list[str]:
    if len(stream.writers) > 1:
        return [stream.name.format(writer) for writer in stream.writers]
    return [stream.name.format(coin)]


def producer(stream: Stream, key: str) -> str:
    """The one service that writes this key; the executor writes what is heard of the warden, who has no Redis."""
    if len(stream.writers) == 1:
        return stream.writers[0]
    name = key.rpartition(":")[2]
    return "executor" if (name, stream.name) == ("warden", "hb:{}") else name


def allowed(user: str, command: str, stream: Stream, key: str) -> bool:
    """What the table of streams means for one command on one key."""
    writes, reads = producer(stream, key) == user, user in stream.readers
    if command in ANYWHERE:
        return True
    if writes and (command in WRITING or SUBCOMMANDS.get(command) == "writing"):
        return True
    if not reads:
        return False
    if stream.kind is Kind.GROUP:
        return command in GROUP_READING or SUBCOMMANDS.get(command) == "group"
    return command in READING


CALLS: dict[str, Callable[[str], list[Any]]] = {
    "xadd": lambda key: ["XADD", key, "MAXLEN", "~", "10", "*", "e", "x"],
    "xrange": lambda key: ["XRANGE", key, "-", "+"],
    "xrevrange": lambda key: ["XREVRANGE", key, "+", "-", "COUNT", "1"],
    "xread": lambda key: ["XREAD", "COUNT", "1", "STREAMS", key, "0"],
    "xreadgroup": lambda key: ["XREADGROUP", "GROUP", "g", "c", "COUNT", "1", "STREAMS", key, ">"],
    "xpending": lambda key: ["XPENDING", key, "g"],
    "xack": lambda key: ["XACK", key, "g", "1-1"],
    "xgroup|create": lambda key: ["XGROUP", "CREATE", key, "g", "0", "MKSTREAM"],
    "xinfo|stream": lambda key: ["XINFO", "STREAM", key],
    "xinfo|groups": lambda key: ["XINFO", "GROUPS", key],
    "del": lambda key: ["DEL", key],
    "eval": lambda key: ["EVAL", "return 1", "1", key],
    "hmget": lambda key: ["HMGET", key, "f"],
    "hset": lambda key: ["HSET", key, "f", "v"],
    "expire": lambda key: ["EXPIRE", key, "10"],
}
"""Every verb of the bus on one key."""


def other_command(name: str, arity: int, key: str) -> list[str]:
    """A call of any command with as many words as it wants."""
    words = name.upper().split("|")
    return [*words, *[key] * (abs(arity) - len(words))]


class AclRules:
    """Each test is a rule of the generated ACL file."""

    @pytest.fixture
    def server(self) -> Server:
        raise NotImplementedError

    @pytest.fixture
    def admin(self, server: Server) -> Iterator[Redis]:
        """A user of the test alone that may ask for anything."""
        with server.client("admin", "admin-of-the-test") as client:
            yield client

    @pytest.mark.parametrize("user", USERS)
    def test_every_user_command_and_stream_is_as_the_table_says(self, admin: Redis, user: str) -> None:
        wrong = []
        for stream in ALL:
            for key in keys_of(stream):
                for command, call in CALLS.items():
                    expected = allowed(user, command, stream, key)
                    if self._may(admin, user, call(key)) != expected:
                        wrong.append(f"{user} {command} {key}: must be {'allowed' if expected else 'refused'}")
        assert wrong == []

    @pytest.mark.parametrize("user", [*USERS, HEALTH])
    def test_every_other_command_of_the_server_is_refused(self, admin: Redis, user: str) -> None:
        ours = {*CALLS, *ANYWHERE, *ALWAYS, *(NO_KEY if user in ("feed", "executor", "monitor") else ())}
        found = []
        for name, arity in commands(admin):
            if name not in ours and self._may(admin, user, other_command(name, arity, "md:" + COIN)):
                found.append(name)
        assert found == []

    @pytest.mark.parametrize("user", [*USERS, HEALTH])
    def test_a_verb_on_a_key_that_is_no_stream_of_ours_is_refused(self, admin: Redis, user: str) -> None:
        foreign = [
            "x",
            f"md:{OTHER_COIN}",
            f"quotes:{OTHER_COIN}",
            "md:",
            f"md:{COIN}x",
            "control:executor",
            "bucket:x",
        ]
        found = [
            f"{command} {key}"
            for key in foreign
            for command, call in CALLS.items()
            if self._may(admin, user, call(key))
        ]
        assert found == []

    @pytest.mark.parametrize("user", USERS)
    def test_request_weight_is_taken_by_those_who_ask_the_venue(self, admin: Redis, user: str) -> None:
        asks = user in ("feed", "executor", "monitor")
        for command in ON_THE_BUCKET:
            assert self._may(admin, user, CALLS[command](BUCKET_KEY)) == asks, command

    def test_one_forbidden_key_among_allowed_ones_refuses_the_whole_read(self, admin: Redis) -> None:
        read = ["XREAD", "STREAMS", f"md:{COIN}", "permit", "0", "0"]
        assert self._may(admin, "quoter", read)
        assert not self._may(admin, "quoter", ["XREAD", "STREAMS", f"md:{COIN}", "wallet", "0", "0"])

    def test_the_default_user_is_off_and_a_wrong_password_opens_nothing(self, server: Server) -> None:
        with Redis(**server.options, protocol=2) as nobody, pytest.raises(AuthenticationError):
            nobody.ping()
        for user in ("feed", "warden", "simvenue"):
            with server.client(user, "wrong") as client, pytest.raises(AuthenticationError):
                client.ping()

    def test_the_health_check_may_ping_without_a_password_and_nothing_else(self, server: Server) -> None:
        with server.client(HEALTH) as client:
            assert client.ping()
            with pytest.raises(NoPermissionError):
                client.get("x")

    def test_a_script_has_no_more_rights_than_its_user(self, server: Server) -> None:
        forge = "return redis.call('XADD', 'permit', '*', 'e', 'x')"
        with server.client("feed") as client, pytest.raises(Exception, match="can't access at least one of the keys"):
            client.eval(forge, 1, BUCKET_KEY)

    async def test_the_bus_of_every_service_works_with_its_own_rights(self, server: Server) -> None:
        """All subscriptions of the table, an entry written, heard and acknowledged, request weight taken."""
        heard: list[str] = []

        def hear(items: list[Item]) -> None:
            heard.extend(item.message.name for item in items if isinstance(getattr(item, "message", None), Alert))

        buses = {user: RedisBus(server.url(user), user, block_ms=50) for user in USERS}
        async with asyncio.TaskGroup() as group:
            for user, bus in buses.items():
                await bus.__aenter__()
                wanted = [
                    Subscription(stream, key, history=stream.kind is Kind.GROUP)
                    for stream in ALL
                    if user in stream.readers
                    for key in keys_of(stream)
                ]
                group.create_task(bus.read(wanted, hear))
            for user, bus in buses.items():
                bus.send([Alert(1, f"From{user}", Severity.INFO, "a text")])
                assert await bus.flush(5.0), user
            await until(lambda: {f"From{user}" for user in USERS} <= set(heard), "every alert heard")
            await until(lambda: all(bus.link_up for bus in buses.values()), "every connection up")
            for user in ("feed", "executor", "monitor"):
                assert await buses[user].take(SHARED, 1.0) == 0.0
            assert await buses["riskd"].take(Bucket("ip-weight", 1.0, 1.0), 1.0) is None  # it asks no venue
            for bus in buses.values():
                await bus.close()
        with server.client("monitor") as client:
            for user in USERS:
                assert client.xpending(ALERTS.of(user), "monitor")["pending"] == 0

    @staticmethod
    def _may(admin: Redis, user: str, call: list[Any]) -> bool:
        """ACL DRYRUN: OK, or the reason it is refused."""
        answer = str(admin.execute_command("ACL", "DRYRUN", user, *call))
        assert "arguments" not in answer or "keys used" in answer, (call, answer)
        return answer == "OK"


def commands(admin: Redis) -> list[tuple[str, int]]:
    """Every command and subcommand this server knows, with its number of words."""
    found = []
    for entry in admin.execute_command("COMMAND").values():
        name, arity = entry["name"], int(entry["arity"])
        inner = entry.get("subcommands") or []
        found += [(str(sub[0]), int(sub[1])) for sub in inner] if inner else [(name, arity)]
    return found
