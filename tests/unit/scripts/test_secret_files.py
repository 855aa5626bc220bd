"""What a container is handed is made once, readable by its owner alone, and real keys are never made."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from common.config import load
from common.errors import ConfigError
from scripts import secret_files as files
from scripts.acl import USERS

ME = files.Owner(os.getuid(), os.getgid())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_every_token_is_made_once_with_0400_in_a_folder_of_0700(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    files.make_tokens(folder, ME)
    first = {path.name: path.read_text() for path in folder.iterdir()}
    assert set(first) == set(files.TOKENS)
    assert {mode(path) for path in folder.iterdir()} == {0o400}
    assert mode(folder) == 0o700
    files.make_tokens(folder, ME)
    assert {path.name: path.read_text() for path in folder.iterdir()} == first


def test_every_user_of_redis_has_a_password_of_its_own_that_the_configuration_takes(tmp_path: Path) -> None:
    files.make_tokens(tmp_path / "made", ME)
    texts = set()
    for user in USERS:
        (tmp_path / user).mkdir()
        text = (tmp_path / "made" / f"redis_{user}").read_text()
        (tmp_path / user / "redis_password").write_text(text)
        url = load(user, {"SECRETS_DIR": str(tmp_path / user), "REDIS_URL": "redis://redis:6379/0"}).redis_url
        assert url == f"redis://{user}:{text.strip()}@redis:6379/0"
        texts.add(text)
    assert len(texts) == len(USERS)


def test_a_missing_token_is_made_and_the_others_stay(tmp_path: Path) -> None:
    files.make_tokens(tmp_path, ME)
    kept = (tmp_path / "redis_feed").read_text()
    (tmp_path / "control_token").unlink()
    files.make_tokens(tmp_path, ME)
    assert (tmp_path / "control_token").exists()
    assert (tmp_path / "redis_feed").read_text() == kept


def test_paper_keys_are_two_and_differ(tmp_path: Path) -> None:
    files.make_paper_keys(tmp_path, ME)
    found = {files.key_address(tmp_path / name) for name in files.KEYS}
    assert len(found) == 2
    assert {mode(tmp_path / name) for name in files.KEYS} == {0o400}


def test_the_address_is_that_of_the_key(tmp_path: Path) -> None:
    """The first account of the mnemonic that every Ethereum tool tests with."""
    path = tmp_path / "agent_key"
    path.write_text("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80\n")
    assert files.key_address(path) == "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"


@pytest.mark.parametrize("text", ["", "0x", "zz" * 32, "12" * 31, "00" * 32])
def test_a_file_that_holds_no_key_is_named_and_not_repeated(tmp_path: Path, text: str) -> None:
    (tmp_path / "agent_key").write_text(text)
    with pytest.raises(ConfigError) as caught:
        files.key_address(tmp_path / "agent_key")
    assert "agent_key" in str(caught.value)
    assert not text or text not in str(caught.value)


def test_a_real_key_that_is_missing_is_asked_for_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="install -m 0400"):
        files.require_keys(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_access_rules_hold_no_password_and_may_be_read_by_redis(tmp_path: Path) -> None:
    files.make_tokens(tmp_path, ME)
    files.write_acl(tmp_path / "users.acl", tmp_path, ["km:US500"], ME)
    text = (tmp_path / "users.acl").read_text()
    assert mode(tmp_path / "users.acl") == 0o444
    assert text.startswith("user default off")
    assert not any((tmp_path / f"redis_{user}").read_text().strip() in text for user in USERS)
    files.write_acl(tmp_path / "users.acl", tmp_path, ["BTC"], ME)  # a file of 0444 is replaced
    assert "md:BTC" in (tmp_path / "users.acl").read_text()


def test_containers_never_run_as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 0)
    assert files.owner_here() == files.Owner(10_001, 10_001)
    monkeypatch.setattr(os, "getuid", lambda: 501)
    monkeypatch.setattr(os, "getgid", lambda: 20)
    assert files.owner_here() == files.Owner(501, 20)


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give files away")
def test_what_root_makes_belongs_to_the_user_of_the_containers(tmp_path: Path) -> None:
    files.make_tokens(tmp_path, files.Owner(10_001, 10_001))
    assert {(path.stat().st_uid, path.stat().st_gid) for path in tmp_path.iterdir()} == {(10_001, 10_001)}


def test_accounts_of_two_sessions_differ() -> None:
    assert files.new_address() != files.new_address()
