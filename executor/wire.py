"""Orders in units -> the venue's action, and the venue's reply -> statuses.

The order of keys is part of the signed hash, numbers are text without trailing zeros, cloids are lower case
(hyperliquid.md sections 4 and 6). A reply is believed only when it has exactly one clear status an entry; anything
else is `unknown`, never `rejected`. Only post-only limit orders are written here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from common.messages import Side
from common.ticks import px_decimals, to_text
from executor.events import ActionReply, Entry, Kind, SendAction, Status

OID_MAX = 2**53
_JSON = msgspec.json.Encoder()
_DECODE = msgspec.json.Decoder(Any)


# ---------------------------------------------------------------------- out
def action(kind: Kind, asset_id: int, entries: Sequence[Entry], sz_decimals: int) -> dict[str, Any]:
    """The action as the venue hashes it."""
    match kind:
        case Kind.ORDER:
            orders = [_order(e, asset_id, sz_decimals) for e in entries]
            return {"type": "order", "orders": orders, "grouping": "na"}
        case Kind.MODIFY:
            modifies = [{"oid": e.oid or e.cloid, "order": _order(e, asset_id, sz_decimals)} for e in entries]
            return {"type": "batchModify", "modifies": modifies}
        case Kind.CANCEL:
            return {"type": "cancel", "cancels": [{"a": asset_id, "o": e.oid} for e in entries]}
        case Kind.CANCEL_CLOID:
            return {"type": "cancelByCloid", "cancels": [{"asset": asset_id, "cloid": e.cloid} for e in entries]}
        case Kind.NOOP:
            return {"type": "noop"}


def leverage(asset_id: int, is_cross: bool, leverage: int) -> dict[str, Any]:
    """`updateLeverage`."""
    return {"type": "updateLeverage", "asset": asset_id, "isCross": is_cross, "leverage": leverage}


def _order(entry: Entry, asset_id: int, sz_decimals: int) -> dict[str, Any]:
    return {
        "a": asset_id,
        "b": entry.side is Side.BID,
        "p": to_text(entry.px_u, px_decimals(sz_decimals)),
        "s": to_text(entry.sz_u, sz_decimals),
        "r": entry.reduce_only,
        "t": {"limit": {"tif": "Alo"}},
        "c": entry.cloid,
    }


def body(tree: dict[str, Any], nonce: int, signature: dict[str, Any], expires_ms: int) -> bytes:
    """The request body of POST /exchange."""
    envelope = {"action": tree, "nonce": nonce, "signature": signature, "vaultAddress": None}
    return _JSON.encode({**envelope, "expiresAfter": expires_ms or None})


# ---------------------------------------------------------------------- in
def reply(sent: SendAction, http_status: int, raw: bytes) -> ActionReply:
    """What the venue's answer to `sent` says; never raises for what the venue may write."""
    if http_status != 200:
        return ActionReply(sent.nonce, "unknown", reason=f"http_{http_status}")
    try:
        tree = _DECODE.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ActionReply(sent.nonce, "unknown", reason="not_json")
    match tree:
        case {"status": "err", "response": str(text)}:
            return ActionReply(sent.nonce, _whole(text), reason=text[:200])
        case {"status": "ok", "response": {"type": "default"}} if sent.kind is Kind.NOOP:
            return ActionReply(sent.nonce, "ok")
        case {"status": "ok", "response": {"data": {"statuses": list(items)}}}:
            return _statuses(sent, items)
    return ActionReply(sent.nonce, "unknown", reason="shape")


def refusal(raw: bytes) -> str | None:
    """Of an action without entries: None when it was done, else the venue's text (or that it cannot be read)."""
    try:
        tree = _DECODE.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return "not JSON"
    match tree:
        case {"status": "ok", "response": {"type": "default"}}:
            return None
        case {"status": "err", "response": str(text)}:
            return text[:200]
    return "unexpected shape"


def _whole(text: str) -> str:
    """A refused action changed nothing, but a duplicate nonce says that it (or a twin) was taken before."""
    return "unknown" if "duplicate nonce" in text.lower() else "refused"


def _statuses(sent: SendAction, items: list[Any]) -> ActionReply:
    found = [_status(item) for item in items]
    if len(found) == 1 and len(sent.entries) > 1 and found[0].word == "error":
        return ActionReply(sent.nonce, "refused", reason=found[0].text)  # one error stands for the whole batch
    if len(found) != len(sent.entries):
        return ActionReply(sent.nonce, "unknown", reason="status_count")
    return ActionReply(sent.nonce, "ok", tuple(found))


def _status(item: Any) -> Status:
    match item:
        case "success":
            return Status("success")
        case {"error": str(text)}:
            return Status("error", text=text[:200])
        case {"resting": {"oid": int(oid)}} if _is_oid(oid):
            return Status("resting", oid)
        case {"filled": {"oid": int(oid)}} if _is_oid(oid):
            return Status("filled", oid)
    return Status("unclear", text=str(item)[:80])


def _is_oid(oid: int) -> bool:
    return not isinstance(oid, bool) and 0 < oid <= OID_MAX


# ---------------------------------------------------------------------- error texts -> short words
REASONS = (
    ("Post only order would have immediately matched", "bad_alo_px"),
    ("Only post-only orders allowed", "post_only_period"),
    ("Insufficient margin", "margin"),
    ("Reduce only order would increase", "reduce_only"),
    ("Order must have minimum value", "min_notional"),
    ("Order price too far from oracle", "oracle"),
    ("Order price cannot be more than", "reference_price"),
    ("Price must be divisible", "tick"),
    ("Order has invalid price", "tick"),
    ("Order has invalid size", "lot"),
    ("Order has zero size", "lot"),
    ("Order was never placed", "missing_order"),
    ("Cannot modify", "missing_order"),
    ("Too many cumulative requests", "action_budget"),
    ("Invalid nonce", "nonce"),
    ("User or API Wallet", "unknown_signer"),
    ("Must deposit", "unknown_signer"),
    ("Order would increase open interest", "open_interest"),
    ("Order rejected due to price more aggressive", "open_interest"),
    ("Order would cause position to exceed", "margin_tier"),
    ("Action expired", "expired"),
    ("Action already expired", "expired"),
)
"""Prefixes of hyperliquid.md section 4 (live ones end with ` asset=<id>`) and the metric label they get."""


WORDS = (*sorted({word for _, word in REASONS}), "other")
"""Every word `reason` may give."""


def reason(text: str) -> str:
    """The bounded word for one of the venue's error texts."""
    return next((word for prefix, word in REASONS if text.startswith(prefix)), "other")
