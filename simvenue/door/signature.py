"""Who signed an action: the venue's hash of it, and the address recovered from the signature.

Trading actions ("L1 actions") are hashed as msgpack + nonce + vault + expiry and signed as an EIP-712 `Agent` whose
`source` is `a` on mainnet and `b` anywhere else; approvals are signed as EIP-712 messages of their own. Written from
the venue's documentation with msgpack, eth-hash and coincurve, apart from the signing SDK our executor uses, and held
against the published vectors by tests. What an action *means*, and whether its signer may do it, is decided elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import coincurve
import msgpack
from eth_hash.auto import keccak

from common.errors import BadInput

_ADDRESS = re.compile(r"0x[0-9a-f]{40}", re.ASCII)
_SCALAR = re.compile(r"0x[0-9a-fA-F]{1,64}", re.ASCII)  # the SDK writes r and s without leading zeros

_DOMAIN_TYPE = keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
_AGENT_TYPE = keccak(b"Agent(string source,bytes32 connectionId)")
_L1_CHAIN_ID = 1337  # docs: the same for mainnet and testnet; `source` tells them apart

APPROVE_AGENT = "HyperliquidTransaction:ApproveAgent"
APPROVE_AGENT_FIELDS = (
    ("hyperliquidChain", "string"),
    ("agentAddress", "address"),
    ("agentName", "string"),
    ("nonce", "uint64"),
)
USER_ABSTRACTION = "HyperliquidTransaction:UserSetAbstraction"
USER_ABSTRACTION_FIELDS = (
    ("hyperliquidChain", "string"),
    ("user", "address"),
    ("abstraction", "string"),
    ("nonce", "uint64"),
)


def action_hash(action: Any, nonce: int, vault: str | None, expires_after: int | None) -> bytes:
    """The 32 bytes that identify an L1 action; the order of `action`'s keys is part of it."""
    data: bytes = msgpack.packb(action) + nonce.to_bytes(8, "big")
    data += b"\x00" if vault is None else b"\x01" + address_bytes(vault)
    if expires_after is not None:
        data += b"\x00" + expires_after.to_bytes(8, "big")
    return keccak(data)


def l1_digest(connection_id: bytes, source: str) -> bytes:
    """What is signed for the action hash `connection_id` on network `source` (`a` mainnet, `b` others)."""
    struct = keccak(_AGENT_TYPE + keccak(source.encode()) + connection_id)
    return keccak(b"\x19\x01" + _domain("Exchange", _L1_CHAIN_ID) + struct)


def user_digest(primary: str, fields: Sequence[tuple[str, str]], message: Mapping[str, Any], chain_id: int) -> bytes:
    """What is signed for a user-signed action: its own EIP-712 type, in the signing wallet's chain domain."""
    header = f"{primary}({','.join(f'{kind} {name}' for name, kind in fields)})"
    body = b"".join(_encoded(kind, message[name]) for name, kind in fields)
    struct = keccak(keccak(header.encode()) + body)
    return keccak(b"\x19\x01" + _domain("HyperliquidSignTransaction", chain_id) + struct)


def recover(digest: bytes, r: str, s: str, v: int) -> str:
    """Address (lower case) whose key signed `digest`; raises BadInput if no key can have."""
    if v not in (0, 1, 27, 28) or _SCALAR.fullmatch(r) is None or _SCALAR.fullmatch(s) is None:
        raise BadInput("signature_shape")
    compact = int(r, 16).to_bytes(32, "big") + int(s, 16).to_bytes(32, "big") + bytes([v % 27])
    try:
        key = coincurve.PublicKey.from_signature_and_message(compact, digest, hasher=None)
    except ValueError as error:
        raise BadInput("signature_invalid", str(error)) from None
    return address_of(key)


def address_of(key: coincurve.PublicKey) -> str:
    """`0x` and the last 20 bytes of the key's hash, lower case."""
    return "0x" + keccak(key.format(compressed=False)[1:])[12:].hex()


def address_bytes(address: str) -> bytes:
    """20 bytes; raises BadInput for anything but a lower-case 0x address."""
    if _ADDRESS.fullmatch(address) is None:
        raise BadInput("address", address[:50])
    return bytes.fromhex(address[2:])


@lru_cache(maxsize=64)
def _domain(name: str, chain_id: int) -> bytes:
    return keccak(_DOMAIN_TYPE + keccak(name.encode()) + keccak(b"1") + chain_id.to_bytes(32, "big") + bytes(32))


def _encoded(kind: str, value: Any) -> bytes:
    """One EIP-712 field as 32 bytes."""
    if kind == "string":
        return keccak(value.encode())
    if kind == "address":
        return bytes(12) + address_bytes(value)
    return int(value).to_bytes(32, "big")
