"""The bodies of POST /exchange: their shapes, strictly decoded; what is left out here is told by name.

Keys that are not in a shape are ignored, as at the venue. What an action means and how it is hashed is `meaning.py`'s
business, whether it is allowed `gateway.py`'s.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from common.errors import BadInput

Uint: TypeAlias = Annotated[int, Meta(ge=0, le=2**53)]
Asset: TypeAlias = Annotated[int, Meta(ge=0, le=10**8)]
Decimal: TypeAlias = Annotated[str, Meta(pattern=r"^-?[0-9]{1,12}(\.[0-9]{1,12})?\Z")]
Hex128: TypeAlias = Annotated[str, Meta(pattern=r"^0x[0-9a-fA-F]{32}\Z")]
Address: TypeAlias = Annotated[str, Meta(pattern=r"^0x[0-9a-fA-F]{40}\Z")]
Signed: TypeAlias = Annotated[int, Meta(ge=-(2**53), le=2**53)]
Scalar: TypeAlias = Annotated[str, Meta(pattern=r"^0x[0-9a-fA-F]{1,64}\Z")]
ChainId: TypeAlias = Annotated[str, Meta(pattern=r"^0x[0-9a-fA-F]{1,8}\Z")]


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
    orders: list[Order]  # an empty one is read, and refused in words
    grouping: Literal["na"]
    builder: Builder | None = None


class CancelAction(Struct, frozen=True, tag_field="type", tag="cancel"):
    cancels: Annotated[list[Cancel], Meta(min_length=1)]
    f: bool | None = None  # fast: does not wait for its block


class CancelCloidAction(Struct, frozen=True, tag_field="type", tag="cancelByCloid"):
    cancels: Annotated[list[CancelCloid], Meta(min_length=1)]
    f: bool | None = None


class ModifyAction(Struct, frozen=True, tag_field="type", tag="modify"):
    oid: Uint | Hex128
    order: Order
    a: bool | None = None  # place the new order even when the old one is gone


class BatchModifyAction(Struct, frozen=True, tag_field="type", tag="batchModify"):
    modifies: Annotated[list[Modify], Meta(min_length=1)]
    a: bool | None = None


class NoopAction(Struct, frozen=True, tag_field="type", tag="noop"):
    pass


class LeverageAction(Struct, frozen=True, tag_field="type", tag="updateLeverage"):
    asset: Asset
    isCross: bool  # noqa: N815
    leverage: Annotated[int, Meta(ge=0, le=10**6)]


class IsolatedMarginAction(Struct, frozen=True, tag_field="type", tag="updateIsolatedMargin"):
    asset: Asset
    isBuy: bool  # noqa: N815 (docs: no effect)
    ntli: Signed


class TopUpIsolatedAction(Struct, frozen=True, tag_field="type", tag="topUpIsolatedOnlyMargin"):
    asset: Asset
    leverage: Decimal


class ScheduleCancelAction(Struct, frozen=True, tag_field="type", tag="scheduleCancel"):
    time: Uint | None = None


class ReserveWeightAction(Struct, frozen=True, tag_field="type", tag="reserveRequestWeight"):
    weight: Uint


class AgentAbstractionAction(Struct, frozen=True, tag_field="type", tag="agentSetAbstraction"):
    abstraction: Literal["u", "p", "i"]


class UserAbstractionAction(Struct, frozen=True, tag_field="type", tag="userSetAbstraction"):
    hyperliquidChain: Literal["Mainnet", "Testnet"]  # noqa: N815
    signatureChainId: ChainId  # noqa: N815
    user: Address
    abstraction: Literal["unifiedAccount", "portfolioMargin", "disabled"]
    nonce: Uint


class ApproveAgentAction(Struct, frozen=True, tag_field="type", tag="approveAgent"):
    hyperliquidChain: Literal["Mainnet", "Testnet"]  # noqa: N815
    signatureChainId: ChainId  # noqa: N815
    agentAddress: Address  # noqa: N815
    nonce: Uint
    agentName: Annotated[str, Meta(max_length=64)] | None = None  # noqa: N815


Trading: TypeAlias = (
    OrderAction
    | CancelAction
    | CancelCloidAction
    | ModifyAction
    | BatchModifyAction
    | NoopAction
    | LeverageAction
    | IsolatedMarginAction
    | TopUpIsolatedAction
    | ScheduleCancelAction
    | ReserveWeightAction
    | AgentAbstractionAction
)
"""Signed as L1 actions: by the account itself or one of its agents."""
UserSigned: TypeAlias = ApproveAgentAction | UserAbstractionAction
"""Signed as EIP-712 messages of their own: by the account itself only."""
Action: TypeAlias = Trading | UserSigned


class _Type(Struct, frozen=True):
    type: str


_ENVELOPE = msgspec.json.Decoder(Envelope)
_ACTION: msgspec.json.Decoder[Action] = msgspec.json.Decoder(Action)
_TYPE = msgspec.json.Decoder(_Type)
_NAMES = frozenset(kind.__struct_config__.tag for kind in Action.__args__)
#: Actions of the real venue that are left out here: refused by name, so that a log says what was missing.
NOT_HERE = frozenset(
    (
        "usdSend", "spotSend", "withdraw3", "usdClassTransfer", "sendAsset", "agentSendAsset", "sendToEvmWithData",
        "vaultTransfer", "createVault", "vaultModify", "vaultDistribute", "subAccountTransfer",
        "subAccountSpotTransfer", "createSubAccount", "subAccountModify", "setReferrer", "registerReferrer",
        "setDisplayName", "approveBuilderFee", "twapOrder", "twapCancel", "tokenDelegate", "linkStakingUser",
        "claimRewards", "borrowLend", "convertToMultiSigUser", "multiSig", "userDexAbstraction",
        "userPortfolioMargin", "agentEnableDexAbstraction", "evmUserModify", "perpDeploy", "spotDeploy", "spotUser",
        "cDeposit", "cWithdraw", "CSignerAction", "CValidatorAction", "cSignerAction", "cValidatorAction",
        "gossipPriorityBid", "hip3LiquidatorTransfer", "userOutcome", "validatorL1Stream",
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
