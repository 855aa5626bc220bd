"""The ACL file says what the table of streams says, and holds no password."""

from __future__ import annotations

import hashlib
import re

import pytest

from common.streams import ALL, SERVICES, Kind
from scripts.acl import HEALTH, USERS, acl_lines, keys, read_keys, written_keys

PASSWORDS = {user: f"secret-of-{user}" for user in USERS}
COINS = ("km:US500", "xyz:SP500")
LINES = {line.split()[1]: line for line in acl_lines(PASSWORDS, COINS)}


def test_there_is_one_user_a_service_with_redis_the_health_check_and_nobody_else() -> None:
    assert set(LINES) == {"default", HEALTH, *USERS}
    assert set(SERVICES) - set(USERS) == {"warden"}


def test_default_is_off_and_may_do_nothing() -> None:
    assert LINES["default"] == "user default off resetpass resetkeys resetchannels -@all"


@pytest.mark.parametrize("user", USERS)
def test_passwords_are_digests(user: str) -> None:
    assert f"#{hashlib.sha256(PASSWORDS[user].encode()).hexdigest()}" in LINES[user].split()
    assert PASSWORDS[user] not in "".join(LINES.values())


@pytest.mark.parametrize("user", USERS)
def test_a_user_begins_with_nothing_and_has_no_pattern_that_covers_more_than_one_key(user: str) -> None:
    head = LINES[user].partition("(")[0]
    assert head.split()[-5:] == ["resetkeys", "resetchannels", "-@all", "+ping"][-5:] or "-@all +ping" in head
    assert "*" not in LINES[user]
    assert "@all" not in LINES[user].partition("-@all")[2]
    assert "allkeys" not in LINES[user]


@pytest.mark.parametrize("user", USERS)
def test_nobody_who_acknowledges_a_key_may_add_to_it(user: str) -> None:
    for selector in re.findall(r"\(([^)]*)\)", LINES[user]):
        assert not ("+xack" in selector and "+xadd" in selector)
        if "+xadd" in selector:
            assert set(re.findall(r"~(\S+)", selector)) == set(written_keys(user, COINS))


def test_each_key_has_one_writer() -> None:
    for stream in ALL:
        for key in keys(stream, COINS):
            writers = [user for user in USERS if key in written_keys(user, COINS)]
            assert len(writers) == (0 if key == "alerts:warden" else 1), key


def test_every_reader_of_the_table_reads_every_coin() -> None:
    for stream in ALL:
        for user in set(stream.readers) & set(USERS):
            assert set(keys(stream, COINS)) <= set(read_keys(user, COINS, group=stream.kind is Kind.GROUP))


def test_a_user_without_a_password_is_an_error_and_not_an_open_door() -> None:
    with pytest.raises(KeyError):
        acl_lines(dict.fromkeys(USERS[1:], "x"), COINS)
