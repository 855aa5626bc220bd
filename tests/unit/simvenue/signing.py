"""Requests signed by the official SDK: the independent hand against which simvenue's own verification is held."""

from __future__ import annotations

import json
from typing import Any

import eth_account
from hyperliquid.utils.signing import sign_agent, sign_l1_action, sign_user_set_abstraction_action

MASTER = eth_account.Account.from_key("0x" + "11" * 32)
AGENT = eth_account.Account.from_key("0x" + "22" * 32)
STRANGER = eth_account.Account.from_key("0x" + "33" * 32)


def address(wallet: Any) -> str:
    return str(wallet.address).lower()


def an_order(**changes: Any) -> dict[str, Any]:
    order = {"a": 150000, "b": True, "p": "752.4", "s": "0.5", "r": False, "t": {"limit": {"tif": "Alo"}}}
    return {**order, **changes}


def place(*orders: dict[str, Any]) -> dict[str, Any]:
    return {"type": "order", "orders": list(orders) or [an_order()], "grouping": "na"}


def signed(
    action: dict[str, Any],
    nonce: int,
    *,
    wallet: Any = MASTER,
    mainnet: bool = False,
    vault: str | None = None,
    expires_after: int | None = None,
    sent: dict[str, Any] | None = None,
) -> bytes:
    """The body of POST /exchange; `sent` replaces the action after it was signed."""
    signature = sign_l1_action(wallet, action, vault, nonce, expires_after, mainnet)
    return json.dumps(
        {
            "action": sent or action, "nonce": nonce, "signature": signature, "vaultAddress": vault,
            "expiresAfter": expires_after,
        }
    ).encode()  # fmt: skip


def approval(agent: str, nonce: int, *, name: str | None = None, wallet: Any = MASTER) -> bytes:
    action: dict[str, Any] = {"type": "approveAgent", "agentAddress": agent, "agentName": name or "", "nonce": nonce}
    signature = sign_agent(wallet, action, False)
    if name is None:
        del action["agentName"]
    return json.dumps({"action": action, "nonce": nonce, "signature": signature, "vaultAddress": None}).encode()


def a_mode(mode: str, nonce: int, *, user: str | None = None, wallet: Any = MASTER) -> bytes:
    """`userSetAbstraction` for the wallet's own account unless told otherwise."""
    action = {
        "type": "userSetAbstraction", "user": (user or wallet.address).lower(), "abstraction": mode, "nonce": nonce
    }  # fmt: skip
    signature = sign_user_set_abstraction_action(wallet, action, False)
    return json.dumps({"action": action, "nonce": nonce, "signature": signature, "vaultAddress": None}).encode()
