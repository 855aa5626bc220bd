"""The bodies of POST /exchange: strict decoding, the venue's own form of an action for its hash, and its meaning.

The venue hashes what it has understood, not what was sent: keys in its own order, numbers without trailing zeros,
hex in lower case, unknown keys left out. A client that signs another form gets "User or API Wallet ... does not
exist"; the same happens here. Whether the action is allowed is `gateway.py`'s business.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from common.errors import BadInput
from simvenue.events import CancelOrders, ModifyOrders, Noop, OrderSpec, PlaceOrders

Uint: TypeAlias = Annotated[int, Meta(ge=0, le=2**53)]
Asset: TypeAlias = Annotated[int, Meta(ge=0, le=10**8)]
Decimal: TypeAlias = Annotated[str, Meta(pattern=r"^-?[0-9]{1,12}(\.[0-9]{1,12})?\Z")]
Hex128: TypeAlias = Annotated[str, Meta(pattern=r"^0x[0-9a-fA-F]{32}\Z")]
Address: TypeAlias = Annotated[str, Meta(pattern=r"^0x[0-9a-fA-F]{40}\Z")]
Scalar: TypeAlias = Annotated[str, Meta(pattern=r"^0x[0-9a-fA-F]{1,64}\Z")]


# ---------------------------------------------------------------------- the envelope
class Signature(Struct, frozen=True):
    r: Scalar
    s: Scalar
    v: Annotated[int, Meta(ge=0, le=28)]


class Envelope(Struct, frozen=True):
    action: msgspec.Raw
    nonce: Uint
    signature: Signature
    vaultAddress: Address | None = None  # noqa: N815
    expiresAfter: Uint | None = None  # noqa: N815


# ---------------------------------------------------------------------- actions
class Limit(Struct, frozen=True):
    tif: Literal["Alo", "Ioc", "Gtc"]


class Kind(Struct, frozen=True):
    """Trigger orders are a kind of the real venue that this one does not have."""

    limit: Limit


class Builder(Struct, frozen=True):
    b: Address
    f: Uint


class Order(Struct, frozen=True):
    a: Asset
    b: bool
    p: Decimal
    s: Decimal
    r: bool
    t: Kind
    c: Hex128 | None = None


class Cancel(Struct, frozen=True):
    a: Asset
    o: Uint


class CancelCloid(Struct, frozen=True):
    asset: Asset
    cloid: Hex128


class Modify(Struct, frozen=True):
    oid: Uint | Hex128
    order: Order


class OrderAction(Struct, frozen=True, tag_field="type", tag="order"):
    orders: Annotated[list[Order], Meta(min_length=1)]
    grouping: Literal["na"]
    builder: Builder | None = None


class CancelAction(Struct, frozen=True, tag_field="type", tag="cancel"):
    cancels: Annotated[list[Cancel], Meta(min_length=1)]
    f: bool | None = None  # fast cancel: accepted, treated as any other


class CancelCloidAction(Struct, frozen=True, tag_field="type", tag="cancelByCloid"):
    cancels: Annotated[list[CancelCloid], Meta(min_length=1)]
    f: bool | None = None


class ModifyAction(Struct, frozen=True, tag_field="type", tag="modify"):
    oid: Uint | Hex128
    order: Order


class BatchModifyAction(Struct, frozen=True, tag_field="type", tag="batchModify"):
    modifies: Annotated[list[Modify], Meta(min_length=1)]


class NoopAction(Struct, frozen=True, tag_field="type", tag="noop"):
    pass


class LeverageAction(Struct, frozen=True, tag_field="type", tag="updateLeverage"):
    asset: Asset
    isCross: bool  # noqa: N815
    leverage: Annotated[int, Meta(ge=0, le=10**6)]


class ApproveAgentAction(Struct, frozen=True, tag_field="type", tag="approveAgent"):
    hyperliquidChain: Literal["Mainnet", "Testnet"]  # noqa: N815
    signatureChainId: Annotated[str, Meta(pattern=r"^0x[0-9a-fA-F]{1,8}\Z")]  # noqa: N815
    agentAddress: Address  # noqa: N815
    nonce: Uint
    agentName: Annotated[str, Meta(max_length=64)] | None = None  # noqa: N815


Action: TypeAlias = (
    OrderAction
    | CancelAction
    | CancelCloidAction
    | ModifyAction
    | BatchModifyAction
    | NoopAction
    | LeverageAction
    | ApproveAgentAction
)


@dataclass(frozen=True, slots=True)
class SetLeverage:
    """What `updateLeverage` asks for; it acts on the account, not on the book."""

    address: str
    asset: int
    is_cross: bool
    leverage: int


class _Type(Struct, frozen=True):
    type: str


_ENVELOPE = msgspec.json.Decoder(Envelope)
_ACTION: msgspec.json.Decoder[Action] = msgspec.json.Decoder(Action)
_TYPE = msgspec.json.Decoder(_Type)
_NAMES = frozenset(kind.__struct_config__.tag for kind in Action.__args__)
#: Actions of the real venue that are left out here: refused by name, so that a log says what was missing.
NOT_HERE = frozenset(
    (
        "scheduleCancel", "updateIsolatedMargin", "topUpIsolatedOnlyMargin", "usdSend", "spotSend", "withdraw3",
        "usdClassTransfer", "sendAsset", "vaultTransfer", "subAccountTransfer", "createSubAccount", "setReferrer",
        "approveBuilderFee", "twapOrder", "twapCancel", "reserveRequestWeight", "tokenDelegate",
        "convertToMultiSigUser", "multiSig", "userDexAbstraction", "userSetAbstraction", "agentSetAbstraction",
        "agentEnableDexAbstraction", "evmUserModify", "perpDeploy", "spotDeploy", "cDeposit", "cWithdraw",
    )
)  # fmt: skip


def decode(body: bytes) -> tuple[Envelope, Action]:
    """Envelope and action of a request; raises BadInput with a reason fit for a metric label."""
    try:
        envelope = _ENVELOPE.decode(body)
        return envelope, _ACTION.decode(envelope.action)
    except msgspec.ValidationError as error:
        raise BadInput(_reason(body), str(error)) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadInput("not_json", type(error).__name__) from None


def _reason(body: bytes) -> str:
    """Why a well-formed JSON body is refused: an action left out here is told from a malformed one."""
    try:
        name = _TYPE.decode(_ENVELOPE.decode(body).action).type
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return "shape"
    if name in NOT_HERE:
        return "action_left_out"
    return "shape" if name in _NAMES else "action_unknown"


def action_name(body: bytes) -> str:
    """The action's type as sent, for the log; empty when there is none."""
    try:
        return _TYPE.decode(_ENVELOPE.decode(body).action).type[:40]
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ""


# ---------------------------------------------------------------------- what is hashed
def canonical(action: Action) -> dict[str, Any]:
    """The action as the venue writes it itself; the order of keys is part of the hash."""
    match action:
        case OrderAction():
            tree: dict[str, Any] = {
                "type": "order",
                "orders": [_order(o) for o in action.orders],
                "grouping": action.grouping,
            }
            if action.builder is not None:
                tree["builder"] = {"b": action.builder.b.lower(), "f": action.builder.f}
            return tree
        case CancelAction():
            return _fast({"type": "cancel", "cancels": [{"a": c.a, "o": c.o} for c in action.cancels]}, action.f)
        case CancelCloidAction():
            cancels = [{"asset": c.asset, "cloid": c.cloid.lower()} for c in action.cancels]
            return _fast({"type": "cancelByCloid", "cancels": cancels}, action.f)
        case ModifyAction():
            return {"type": "modify", "oid": _oid(action.oid), "order": _order(action.order)}
        case BatchModifyAction():
            modifies = [{"oid": _oid(m.oid), "order": _order(m.order)} for m in action.modifies]
            return {"type": "batchModify", "modifies": modifies}
        case LeverageAction():
            return {
                "type": "updateLeverage", "asset": action.asset, "isCross": action.isCross, "leverage": action.leverage,
            }  # fmt: skip
        case NoopAction():
            return {"type": "noop"}
        case ApproveAgentAction():
            raise BadInput("user_signed")


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


def _fast(tree: dict[str, Any], fast: bool | None) -> dict[str, Any]:
    return tree if fast is None else {**tree, "f": fast}


# ---------------------------------------------------------------------- what it asks for
def command(action: Action, address: str) -> PlaceOrders | ModifyOrders | CancelOrders | Noop | SetLeverage:
    """The same action as the core takes it, on behalf of account `address`."""
    match action:
        case OrderAction():
            return PlaceOrders(address, tuple(_spec(o) for o in action.orders))
        case ModifyAction():
            return ModifyOrders(address, ((_oid(action.oid), _spec(action.order)),), single=True)
        case BatchModifyAction():
            return ModifyOrders(address, tuple((_oid(m.oid), _spec(m.order)) for m in action.modifies))
        case CancelAction():
            return CancelOrders(address, tuple((c.a, c.o) for c in action.cancels))
        case CancelCloidAction():
            return CancelOrders(address, tuple((c.asset, c.cloid.lower()) for c in action.cancels))
        case LeverageAction():
            return SetLeverage(address, action.asset, action.isCross, action.leverage)
        case NoopAction():
            return Noop(address)
        case ApproveAgentAction():
            raise BadInput("user_signed")


def _spec(order: Order) -> OrderSpec:
    cloid = order.c.lower() if order.c is not None else None
    return OrderSpec(order.a, order.b, plain(order.p), plain(order.s), order.r, order.t.limit.tif, cloid)


def entries(action: Action) -> int:
    """What the action costs in the address's budget: one per order, modify or cancel in it."""
    match action:
        case OrderAction():
            return len(action.orders)
        case BatchModifyAction():
            return len(action.modifies)
        case CancelAction() | CancelCloidAction():
            return len(action.cancels)
    return 1
