"""The files that must exist before a container starts: passwords, tokens, throw-away keys, Redis' access rules.

Each is made once, of the system's own randomness, readable by its owner alone (0400), and kept: a second start uses
the same. Where we are root the containers run as another user, who then owns the files. Real keys are never made
here: on a real network a missing one is refused with the command that writes it.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coincurve import PrivateKey
from eth_hash.auto import keccak

from common.config_text import read_text
from common.errors import ConfigError
from scripts.acl import USERS, acl_lines

KEYS = ("agent_key", "warden_key")
TOKENS = ("control_token", "grafana_password", *(f"redis_{user}" for user in USERS))
CONTAINER_ID = 10_001
"""Owner of everything where root starts the containers; the images' own user."""


@dataclass(frozen=True)
class Owner:
    """User and group the containers run as."""

    uid: int
    gid: int

    def take(self, path: Path) -> None:
        """Make it theirs; nothing to do when it is made by them."""
        if (self.uid, self.gid) != (os.getuid(), os.getgid()):
            os.chown(path, self.uid, self.gid)


def owner_here() -> Owner:
    """Whoever we are, so that no file changes hands; never root."""
    return Owner(CONTAINER_ID, CONTAINER_ID) if os.getuid() == 0 else Owner(os.getuid(), os.getgid())


def make_tokens(folder: Path, owner: Owner) -> None:
    """Passwords and tokens that are missing."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    for name in TOKENS:
        if not (folder / name).exists():
            _write(folder / name, secrets.token_urlsafe(32), owner, 0o400)


def make_paper_keys(folder: Path, owner: Owner) -> None:
    """Keys that are missing, for a venue that knows no real money."""
    for name in KEYS:
        if not (folder / name).exists():
            _write(folder / name, "0x" + PrivateKey().secret.hex(), owner, 0o400)


def require_keys(folder: Path) -> None:
    """Raises ConfigError that says how to write the first key that is missing."""
    for name in KEYS:
        if not (folder / name).is_file():
            raise ConfigError(f"{folder / name} is missing: install -m 0400 /dev/stdin {folder / name}")


def key_address(path: Path) -> str:
    """The address of a key file; raises ConfigError that does not repeat what the file holds."""
    text = read_text(path, path.name).strip().removeprefix("0x")
    try:
        if re.fullmatch(r"[0-9a-fA-F]{64}", text) is None:
            raise ValueError("not 64 digits")
        key = PrivateKey(bytes.fromhex(text))
    except ValueError:
        raise ConfigError(f"{path.name} holds no key: 64 hexadecimal digits, on paper made anew when missing") from None
    return "0x" + keccak(key.public_key.format(compressed=False)[1:])[-20:].hex()


def new_address() -> str:
    """An account nobody has a key of, for one session on paper."""
    return "0x" + secrets.token_hex(20)


def write_acl(path: Path, folder: Path, coins: Sequence[str], owner: Owner) -> None:
    """Redis' access rules, readable for Redis' own user: digests of 32 random bytes tell nothing."""
    passwords = {user: read_text(folder / f"redis_{user}", f"redis_{user}").strip() for user in USERS}
    _write(path, "\n".join(acl_lines(passwords, coins)), owner, 0o444)


def _write(path: Path, text: str, owner: Owner, mode: int) -> None:
    """Put the whole file in place in one step, with its final mode from the first byte on."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="ascii") as file:
        file.write(text + "\n")
    part.chmod(mode)
    owner.take(part)
    part.replace(path)
