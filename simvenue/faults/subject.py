"""Whose request it is, found out before the venue has judged it: for rules that concern one account's requests only.

The same reading and recovery as the venue's door makes (`door/actions.py`, `door/meaning.py`, `door/signature.py`),
without its judgement; what cannot be read is nobody's. The shell asks only while a rule in force names an address.
"""

from __future__ import annotations

from collections.abc import Callable

from common.errors import BadInput
from simvenue.door import actions, meaning, signature


def account_of(body: bytes, master_of: Callable[[str], str | None]) -> str:
    """The account an L1 action is for: its vault, else the first signer `master_of` knows; "" when nobody's."""
    try:
        envelope, action = actions.decode(body)
        vault = envelope.vaultAddress.lower() if envelope.vaultAddress is not None else None
        if vault is not None:
            return vault
        digest = signature.action_hash(meaning.canonical(action), envelope.nonce, vault, envelope.expiresAfter)
        given = envelope.signature
        signers = [signature.recover(signature.l1_digest(digest, s), given.r, given.s, given.v) for s in ("b", "a")]
    except BadInput:
        return ""
    return next((master for master in map(master_of, signers) if master), "")
