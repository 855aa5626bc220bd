"""Signing, and the keys it needs: the only place that knows them and the only import of the venue's SDK.

A key is a file (`secrets/agent_key`, mode 0400: 64 hex digits, with or without 0x); it never enters a repr, a log line
or an error text. Signing uses libsecp256k1 through coincurve, which is asserted at the start: the pure-Python curve
is ten times slower and would be the largest part of every tick (perf.md section 5).
"""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_keys.backends import get_backend
from eth_keys.backends.coincurve import CoinCurveECCBackend
from hyperliquid.utils.signing import sign_l1_action

from common.errors import ConfigError, OurFault

_KEY = re.compile(r"(0x)?[0-9a-fA-F]{64}", re.ASCII)
_KEY_BYTES_MAX = 200


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

        def sign(action: Any, nonce: int, expires_ms: int | None) -> dict[str, Any]:
            found: dict[str, Any] = sign_l1_action(account, action, None, nonce, expires_ms, is_mainnet)
            return found

        self._sign = sign

    def __repr__(self) -> str:
        return f"Signer({self.address})"

    def sign(self, action: dict[str, Any], nonce: int, expires_ms: int) -> dict[str, Any]:
        """`{r, s, v}` of an action; r and s with all their 64 digits (the SDK drops leading zeros)."""
        found = self._sign(action, nonce, expires_ms or None)
        return {"r": _padded(found["r"]), "s": _padded(found["s"]), "v": found["v"]}


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


def _padded(scalar: str) -> str:
    return "0x" + scalar.removeprefix("0x").rjust(64, "0")
