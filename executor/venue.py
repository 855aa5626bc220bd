"""Signing, and the keys it needs: the only place that knows them and the only import of the venue's SDK.

A key is a file (`secrets/agent_key`, mode 0400: 64 hex digits, with or without 0x); it never enters a repr, a log line
or an error text. The action's hash is the SDK's; the EIP-712 digest around it is always the same three hashes, so it
is taken directly and signed by libsecp256k1 (coincurve): 0.04 ms instead of the SDK's 0.24. Every start signs a
sample both ways and ends when they differ, or when the SDK would use the pure-Python curve.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from coincurve import PrivateKey
from eth_account import Account
from eth_keys.backends import get_backend
from eth_keys.backends.coincurve import CoinCurveECCBackend
from eth_utils.crypto import keccak
from hyperliquid.utils.signing import action_hash, sign_l1_action

from common.errors import ConfigError, OurFault

_KEY = re.compile(r"(0x)?[0-9a-fA-F]{64}", re.ASCII)
_KEY_BYTES_MAX = 200

# EIP-712 of an L1 action (hyperliquid.md section 6): domain {Exchange, 1, 1337, 0x0}, Agent {source, connectionId}
_DOMAIN = keccak(
    keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
    + keccak(b"Exchange")
    + keccak(b"1")
    + (1337).to_bytes(32, "big")
    + bytes(32)
)
_AGENT = keccak(b"Agent(string source,bytes32 connectionId)")
_SAMPLE: dict[str, Any] = {"type": "cancel", "cancels": [{"a": 150_000, "o": 77_738_308}]}


class Signer:
    """One agent wallet. `repr` and `vars` show its address and nothing else."""

    __slots__ = ("_sign", "address")

    def __init__(self, key_file: Path, wallet_address: str, *, is_mainnet: bool) -> None:
        account = _account(key_file)
        self.address: str = account.address.lower()
        if self.address == wallet_address:
            raise ConfigError(
                f"{key_file.name} is the key of the wallet itself; an agent's key is wanted, which cannot withdraw"
            )
        self._sign = _signing(PrivateKey(account.key), is_mainnet)
        for expires_ms in (None, 1_780_000_000_000):
            theirs = sign_l1_action(account, _SAMPLE, None, 1, expires_ms, is_mainnet)
            if self.sign(_SAMPLE, 1, expires_ms or 0) != {k: _padded(v) for k, v in theirs.items()}:
                raise OurFault("our signature of a sample action differs from the SDK's")

    def __repr__(self) -> str:
        return f"Signer({self.address})"

    def sign(self, action: dict[str, Any], nonce: int, expires_ms: int) -> dict[str, Any]:
        """`{r, s, v}` of an action; r and s with all their 64 digits (the SDK drops leading zeros)."""
        return self._sign(action, nonce, expires_ms or None)


def _signing(key: PrivateKey, is_mainnet: bool) -> Callable[[Any, int, int | None], dict[str, Any]]:
    """A function that signs; the key lives in its closure only."""
    agent = _AGENT + keccak(b"a" if is_mainnet else b"b")

    def sign(action: Any, nonce: int, expires_ms: int | None) -> dict[str, Any]:
        connection_id = action_hash(action, None, nonce, expires_ms)
        digest = keccak(b"\x19\x01" + _DOMAIN + keccak(agent + connection_id))
        found = key.sign_recoverable(digest, hasher=None)
        return {"r": "0x" + found[:32].hex(), "s": "0x" + found[32:64].hex(), "v": found[64] + 27}

    return sign


def assert_fast_curve() -> None:
    """Raises OurFault unless signatures are made by coincurve."""
    if not isinstance(get_backend(), CoinCurveECCBackend):
        raise OurFault("signing would use the pure-Python curve: install coincurve (requirements of the executor)")


def _account(key_file: Path) -> Any:
    text = read_key(key_file)
    try:
        return Account.from_key(text)
    except Exception:  # any library error may carry the key: none is shown or chained
        raise ConfigError(f"{key_file.name} is not a usable private key (out of the curve's range)") from None


def read_key(key_file: Path) -> str:
    """The key's hex digits; raises ConfigError, whose text never holds any of them."""
    try:
        mode = key_file.stat().st_mode
        raw = key_file.read_bytes()[: _KEY_BYTES_MAX + 1]
    except OSError as error:
        raise ConfigError(
            f"{key_file}: {error.strerror}. Write the agent's key with: install -m 0400 /dev/stdin {key_file}"
        ) from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(f"{key_file} may be read by others (mode {stat.filemode(mode)}): chmod 0400 {key_file}")
    text = raw.decode("ascii", "replace").removesuffix("\n").removesuffix("\r")
    if _KEY.fullmatch(text) is None:
        raise ConfigError(f"{key_file} must hold 64 hex digits and nothing else (it holds {len(raw)} bytes)")
    return text.removeprefix("0x").lower()


def _padded(scalar: str | int) -> str | int:
    return "0x" + scalar.removeprefix("0x").rjust(64, "0") if isinstance(scalar, str) else scalar
