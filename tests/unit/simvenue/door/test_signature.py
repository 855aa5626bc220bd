"""The venue's hash and recovery, held against every published vector and against the signing SDK."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from common.errors import BadInput
from simvenue.door import actions, meaning
from simvenue.door.signature import (
    APPROVE_AGENT,
    APPROVE_AGENT_FIELDS,
    action_hash,
    address_bytes,
    l1_digest,
    recover,
    user_digest,
)
from tests.support.shared import shared
from tests.unit.simvenue.signing import AGENT, MASTER, address, an_order, approval, place, signed


def vectors() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(shared("fixtures/hyperliquid/signature_vectors.json").read_text())[
        "vectors"
    ]
    return found


def test_every_published_vector_verifies_for_both_networks() -> None:
    seen = vectors()
    assert len(seen) == 22
    for vector in seen:
        digest = action_hash(vector["action"], vector["nonce"], vector["vaultAddress"], vector["expiresAfter"])
        assert "0x" + digest.hex() == vector["connectionId"], vector["source"]
        for network, source in (("mainnet", "a"), ("testnet", "b")):
            given = vector[network]
            assert recover(l1_digest(digest, source), given["r"], given["s"], given["v"]) == vector["address"]


def test_our_own_form_of_an_action_hashes_like_the_vectors() -> None:
    """Decoding and rewriting an action must not change its hash; `2000.0` is rewritten, as the venue does."""
    checked = 0
    for vector in vectors():
        if vector["action"]["type"] not in actions._NAMES or "trigger" in json.dumps(vector["action"]):
            continue
        action = msgspec.json.decode(json.dumps(vector["action"]), type=actions.Action)
        digest = action_hash(meaning.canonical(action), vector["nonce"], vector["vaultAddress"], vector["expiresAfter"])
        trailing_zero = '"2000.0"' in json.dumps(vector["action"])
        assert ("0x" + digest.hex() == vector["connectionId"]) is not trailing_zero, vector["source"]
        checked += 1
    assert checked >= 14


def test_signature_without_leading_zeros_is_read_as_the_sdk_writes_it() -> None:
    for nonce in range(1, 400):
        body = json.loads(signed(place(), nonce))
        if len(body["signature"]["r"]) < 66:
            break
    digest = action_hash(place(), nonce, None, None)
    given = body["signature"]
    assert len(given["r"]) < 66
    assert recover(l1_digest(digest, "b"), given["r"], given["s"], given["v"]) == address(MASTER)


def test_approval_recovers_the_master() -> None:
    body = json.loads(approval(address(AGENT), 7, name="bot"))
    action, given = body["action"], body["signature"]
    digest = user_digest(APPROVE_AGENT, APPROVE_AGENT_FIELDS, action, int(action["signatureChainId"], 16))
    assert recover(digest, given["r"], given["s"], given["v"]) == address(MASTER)


def test_reordered_keys_are_another_action() -> None:
    order = an_order()
    assert action_hash(place(order), 1, None, None) != action_hash(place(dict(reversed(order.items()))), 1, None, None)


@pytest.mark.parametrize(
    ("r", "s", "v"),
    [
        ("0x0", "0x0", 27),
        ("0x" + "f" * 64, "0x1", 27),
        ("0x1", "0x1", 29),
        ("1", "0x1", 27),
        ("0x" + "1" * 65, "0x1", 27),
        ("0xé", "0x1", 27),
    ],
)
def test_impossible_signature_is_refused_by_name(r: str, s: str, v: int) -> None:
    with pytest.raises(BadInput, match=r"signature_(shape|invalid)"):
        recover(bytes(32), r, s, v)


@pytest.mark.parametrize("text", ["", "0x", "0x" + "A" * 40, "0x" + "1" * 41, "0x" + "g" * 40])
def test_address_must_be_forty_lower_case_digits(text: str) -> None:
    with pytest.raises(BadInput, match="address"):
        address_bytes(text)
