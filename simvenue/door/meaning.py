"""What an action says: the venue's own form of it, which is hashed, what it asks of the core, and what it costs.

The venue hashes what it has understood, not what was sent: keys in its own order, numbers without trailing zeros,
hex in lower case, unknown keys left out. A client that signs another form gets "User or API Wallet ... does not
exist"; the same happens here.
"""

from __future__ import annotations

from typing import Any

from common.errors import BadInput
from simvenue.door import signature
from simvenue.door.actions import (
    Action,
    AgentAbstractionAction,
    BatchModifyAction,
    CancelAction,
    CancelCloidAction,
    Envelope,
    IsolatedMarginAction,
    LeverageAction,
    ModifyAction,
    Order,
    OrderAction,
    ReserveWeightAction,
    ScheduleCancelAction,
    TopUpIsolatedAction,
    Trading,
    UserAbstractionAction,
    UserSigned,
)
from simvenue.events import (
    CancelOrders,
    ModifyOrders,
    Noop,
    OrderSpec,
    PlaceOrders,
    Request,
    ReserveWeight,
    ScheduleCancel,
    SetAbstraction,
    TopUpIsolatedMargin,
    UpdateIsolatedMargin,
    UpdateLeverage,
)

AGENT_MODES = {"u": "unifiedAccount", "p": "portfolioMargin", "i": "disabled"}


# ---------------------------------------------------------------------- what is hashed
def canonical(action: Action) -> dict[str, Any]:
    """The action as the venue writes it itself; the order of keys is part of the hash.

    Raises BadInput for an action that is signed another way.
    """
    if isinstance(action, UserSigned):
        raise BadInput("user_signed")
    return {"type": action.__struct_config__.tag, **_fields(action)}


def _fields(action: Trading) -> dict[str, Any]:
    match action:
        case OrderAction():
            tree: dict[str, Any] = {"orders": [_order(o) for o in action.orders], "grouping": action.grouping}
            builder = action.builder
            return tree if builder is None else {**tree, "builder": {"b": builder.b.lower(), "f": builder.f}}
        case CancelAction():
            return _with("f", action.f, {"cancels": [{"a": c.a, "o": c.o} for c in action.cancels]})
        case CancelCloidAction():
            cancels = [{"asset": c.asset, "cloid": c.cloid.lower()} for c in action.cancels]
            return _with("f", action.f, {"cancels": cancels})
        case ModifyAction():
            return _with("a", action.a, {"oid": _oid(action.oid), "order": _order(action.order)})
        case BatchModifyAction():
            modifies = [{"oid": _oid(m.oid), "order": _order(m.order)} for m in action.modifies]
            return _with("a", action.a, {"modifies": modifies})
        case _:
            return _settings_fields(action)


def _settings_fields(action: Trading) -> dict[str, Any]:
    """Actions that send nothing to a book."""
    match action:
        case LeverageAction():
            return {"asset": action.asset, "isCross": action.isCross, "leverage": action.leverage}
        case IsolatedMarginAction():
            return {"asset": action.asset, "isBuy": action.isBuy, "ntli": action.ntli}
        case TopUpIsolatedAction():
            return {"asset": action.asset, "leverage": plain(action.leverage)}
        case ScheduleCancelAction():
            return _with("time", action.time, {})
        case ReserveWeightAction():
            return {"weight": action.weight}
        case AgentAbstractionAction():
            return {"abstraction": action.abstraction}
    return {}


def plain(text: str) -> str:
    """A decimal without trailing zeros, as the venue writes it back: `"752.40" -> "752.4"`, `"-0" -> "0"`."""
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, _, fraction = digits.partition(".")
    whole, fraction = whole.lstrip("0") or "0", fraction.rstrip("0")
    shown = whole + ("." + fraction if fraction else "")
    return shown if shown == "0" else sign + shown


def _order(order: Order) -> dict[str, Any]:
    tree: dict[str, Any] = {
        "a": order.a, "b": order.b, "p": plain(order.p), "s": plain(order.s), "r": order.r,
        "t": {"limit": {"tif": order.t.limit.tif}},
    }  # fmt: skip
    if order.c is not None:
        tree["c"] = order.c.lower()
    return tree


def _oid(oid: int | str) -> int | str:
    return oid.lower() if isinstance(oid, str) else oid


def _with(key: str, value: bool | int | None, tree: dict[str, Any]) -> dict[str, Any]:
    """A key that is only written when it was given."""
    return tree if value is None else {**tree, key: value}


def user_signer(envelope: Envelope, action: UserSigned) -> str:
    """Who signed an action that is an EIP-712 message of its own; raises BadInput when nobody can have."""
    chain, chain_id = action.hyperliquidChain, int(action.signatureChainId, 16)
    if isinstance(action, UserAbstractionAction):
        primary, fields = signature.USER_ABSTRACTION, signature.USER_ABSTRACTION_FIELDS
        message = {"user": action.user.lower(), "abstraction": action.abstraction}
    else:
        primary, fields = signature.APPROVE_AGENT, signature.APPROVE_AGENT_FIELDS
        message = {"agentAddress": action.agentAddress.lower(), "agentName": action.agentName or ""}
    digest = signature.user_digest(
        primary, fields, {"hyperliquidChain": chain, "nonce": action.nonce, **message}, chain_id
    )
    return signature.recover(digest, envelope.signature.r, envelope.signature.s, envelope.signature.v)


# ---------------------------------------------------------------------- what it asks for
def command(action: Trading, address: str) -> Request:
    """The same action as the core takes it, on behalf of account `address`."""
    match action:
        case OrderAction():
            return PlaceOrders(address, tuple(_spec(o) for o in action.orders))
        case ModifyAction():
            modify = (_oid(action.oid), _spec(action.order))
            return ModifyOrders(address, (modify,), single=True, always_place=bool(action.a))
        case BatchModifyAction():
            modifies = tuple((_oid(m.oid), _spec(m.order)) for m in action.modifies)
            return ModifyOrders(address, modifies, always_place=bool(action.a))
        case CancelAction():
            return CancelOrders(address, tuple((c.a, c.o) for c in action.cancels), bool(action.f))
        case CancelCloidAction():
            return CancelOrders(address, tuple((c.asset, c.cloid.lower()) for c in action.cancels), bool(action.f))
        case _:
            return _setting(action, address)


def _setting(action: Trading, address: str) -> Request:
    match action:
        case LeverageAction():
            return UpdateLeverage(address, action.asset, action.isCross, action.leverage)
        case IsolatedMarginAction():
            return UpdateIsolatedMargin(address, action.asset, action.ntli)
        case TopUpIsolatedAction():
            return TopUpIsolatedMargin(address, action.asset, plain(action.leverage))
        case ScheduleCancelAction():
            return ScheduleCancel(address, action.time)
        case ReserveWeightAction():
            return ReserveWeight(address, action.weight)
        case AgentAbstractionAction():
            return SetAbstraction(address, AGENT_MODES[action.abstraction])
    return Noop(address)


def _spec(order: Order) -> OrderSpec:
    cloid = order.c.lower() if order.c is not None else None
    return OrderSpec(order.a, order.b, plain(order.p), plain(order.s), order.r, order.t.limit.tif, cloid)


def entries(action: Trading) -> int:
    """What the action costs in the address's budget: one per order, modify or cancel in it."""
    match action:
        case OrderAction():
            return max(len(action.orders), 1)
        case BatchModifyAction():
            return len(action.modifies)
        case CancelAction() | CancelCloidAction():
            return len(action.cancels)
    return 1
