"""The venue's door: who asks, is the request fresh and within its limits; a core request, or the venue's own refusal.

Decided here: shape, signature, agent and deposit, nonce, expiry, action budget, open orders. Left to the core: tick,
lot, minimum, margin and matching. No clock and no socket: market time comes as `now_t_ns`, and `arrives_t_ns` is when
the request will reach the matching engine. A refused request changes nothing but its signer's nonces and, when it came
too late, the budget.
"""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from common.clock import MS, NS
from common.errors import BadInput
from simvenue import actions, budget, signature
from simvenue.events import CancelOrders, ModifyOrders, Noop, PlaceOrders

UNREADABLE = "Failed to deserialize the JSON body into the target type"
NONCES_KEPT = 100
NONCE_PAST_NS = 2 * 86_400 * NS
NONCE_FUTURE_NS = 86_400 * NS
NAMED_AGENTS = 3
AGENT_LIFE_NS = 180 * 86_400 * NS  # what the venue's front end grants
_AGENT_NAME = re.compile(r"([^\s].{0,15}?)(?: valid_until ([0-9]{13}))?", re.ASCII)

Command: TypeAlias = PlaceOrders | ModifyOrders | CancelOrders | Noop | actions.SetLeverage


class Accounts(Protocol):
    """What the door asks the exchange."""

    def is_funded(self, address: str) -> bool: ...
    def open_order_count(self, address: str) -> int: ...
    def credit_e6(self, address: str) -> int: ...


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that may go in; `command` is None when the door has already done all (approveAgent)."""

    action: str
    address: str
    command: Command | None


@dataclass(frozen=True, slots=True)
class Refused:
    """`reason` is the metric's label; `as_status` wraps the text as the single status of an order reply."""

    reason: str
    text: str
    http: int = 200
    as_status: bool = False
    action: str = ""


@dataclass(frozen=True, slots=True)
class Agent:
    address: str
    master: str
    name: str  # "" = the one unnamed agent
    valid_until_ns: int


class _Refusal(Exception):
    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.text)
        self.refused = refused


class Gateway:
    """Admission for all addresses of one venue."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._agents: dict[str, Agent] = {}
        self._nonces: dict[str, list[int]] = defaultdict(list)
        self._budgets: dict[str, budget.Budget] = defaultdict(budget.Budget)

    # ------------------------------------------------------------------ reads
    def agent(self, address: str, now_t_ns: int) -> Agent | None:
        """The agent at `address` while it is valid."""
        found = self._agents.get(address)
        return found if found is not None and now_t_ns < found.valid_until_ns else None

    def agents_of(self, master: str, now_t_ns: int) -> list[Agent]:
        return [a for a in self._agents.values() if a.master == master and now_t_ns < a.valid_until_ns]

    def actions_used(self, address: str) -> int:
        return self._budgets[address].used if address in self._budgets else 0

    def actions_cap(self, address: str) -> int:
        return budget.action_cap(self._accounts.credit_e6(address))

    def addresses(self) -> Sequence[str]:
        """Every address that has spent actions."""
        return list(self._budgets)

    # ------------------------------------------------------------------ writes
    def register(self, agent: str, master: str, name: str, now_t_ns: int) -> None:
        """Let `agent` act for `master` from the start (the command line's `--agent`)."""
        self._agents[agent] = Agent(agent, master, name, now_t_ns + AGENT_LIFE_NS)

    def admit(self, body: bytes, now_t_ns: int, arrives_t_ns: int) -> Admitted | Refused:
        """Judge one POST /exchange body."""
        try:
            envelope, action = actions.decode(body)
        except BadInput as error:
            return Refused(error.reason, UNREADABLE, http=422, action=actions.action_name(body))
        try:
            if isinstance(action, actions.ApproveAgentAction):
                return self._approve(envelope, action, now_t_ns)
            return self._trade(envelope, action, now_t_ns, arrives_t_ns)
        except _Refusal as refusal:
            return refusal.refused

    def _trade(self, envelope: actions.Envelope, action: actions.Action, now_t_ns: int, arrives_t_ns: int) -> Admitted:
        signer = self._l1_signer(envelope, action, now_t_ns)
        agent = self.agent(signer, now_t_ns)
        address = signer if agent is None else agent.master
        if not self._accounts.is_funded(address):
            raise _refusal("not_deposited", f"Must deposit before performing actions. User: {address}")
        self._use_nonce(signer, envelope.nonce, now_t_ns)
        if envelope.vaultAddress is not None:
            raise _refusal("vault", f"Vault not registered: {envelope.vaultAddress.lower()}")
        count, purse = actions.entries(action), self._budgets[address]
        if envelope.expiresAfter is not None and arrives_t_ns > envelope.expiresAfter * MS:
            purse.penalise(count)
            raise _refusal("expired", f"Action expired: expiresAfter {envelope.expiresAfter} has passed.")
        self._check_orders(action, address)
        is_cancel = isinstance(action, actions.CancelAction | actions.CancelCloidAction)
        refusal = purse.charge(count, is_cancel, self._accounts.credit_e6(address), now_t_ns)
        if refusal is not None:
            raise _refusal("budget", refusal)
        return Admitted(_name(action), address, actions.command(action, address))

    def _l1_signer(self, envelope: actions.Envelope, action: actions.Action, now_t_ns: int) -> str:
        """The address that signed, for source `b` if that is known here, else for `a`."""
        try:
            vault = envelope.vaultAddress.lower() if envelope.vaultAddress is not None else None
            digest = signature.action_hash(actions.canonical(action), envelope.nonce, vault, envelope.expiresAfter)
            given = envelope.signature
            found = [signature.recover(signature.l1_digest(digest, s), given.r, given.s, given.v) for s in ("b", "a")]
        except BadInput as error:
            raise _refusal(error.reason, UNREADABLE, http=422) from None
        for signer in found:
            if self.agent(signer, now_t_ns) is not None or self._accounts.is_funded(signer):
                return signer
        raise _refusal("unknown_signer", f"User or API Wallet {found[0]} does not exist.")

    def _use_nonce(self, signer: str, nonce: int, now_t_ns: int) -> None:
        """Docs: above the smallest of the 100 highest kept, never used, within (T - 2 days, T + 1 day)."""
        if not now_t_ns - NONCE_PAST_NS < nonce * MS < now_t_ns + NONCE_FUTURE_NS:
            raise _refusal("nonce_window", f"Invalid nonce: {nonce} is not within 2 days before and 1 day after now")
        kept = self._nonces[signer]
        place = bisect_left(kept, nonce)
        if place < len(kept) and kept[place] == nonce:
            raise _refusal("nonce_duplicate", f"Invalid nonce: duplicate nonce {nonce}")
        if kept and nonce < kept[0]:
            raise _refusal("nonce_low", f"Invalid nonce: nonce {nonce} is below the smallest kept {kept[0]}")
        insort(kept, nonce)
        del kept[: max(len(kept) - NONCES_KEPT, 0)]

    def _check_orders(self, action: actions.Action, address: str) -> None:
        if not isinstance(action, actions.OrderAction):
            return
        if action.builder is not None:
            raise _refusal("builder", "Builder fee has not been approved.")
        open_now = self._accounts.open_order_count(address)
        reduce_only = any(o.r for o in action.orders)
        credit = self._accounts.credit_e6(address)
        text = budget.open_order_refusal(open_now, len(action.orders), reduce_only, credit)
        if text is not None:
            raise _Refusal(Refused("open_orders", text, as_status=True))

    def _approve(self, envelope: actions.Envelope, action: actions.ApproveAgentAction, now_t_ns: int) -> Admitted:
        """A user-signed approval; `agentName` may end in " valid_until <ms>"."""
        master = self._user_signer(envelope, action)
        if not self._accounts.is_funded(master):
            raise _refusal("not_deposited", f"Must deposit before performing actions. User: {master}")
        if action.nonce != envelope.nonce:
            raise _refusal("nonce_mismatch", f"Invalid nonce: {action.nonce} is not {envelope.nonce}")
        self._use_nonce(master, envelope.nonce, now_t_ns)
        address = action.agentAddress.lower()
        if address in self._agents or self._accounts.is_funded(address):
            raise _refusal("agent_used", "Extra agent already used.")
        name, until_ns = _agent_name(action.agentName or "", now_t_ns)
        others = [a for a in self.agents_of(master, now_t_ns) if a.name]
        replaced = next((a for a in self.agents_of(master, now_t_ns) if a.name == name), None)
        if name and replaced is None and len(others) >= NAMED_AGENTS:
            raise _refusal("agents_full", "Too many extra agents.")
        if replaced is not None:
            del self._agents[replaced.address]
        self._agents[address] = Agent(address, master, name, until_ns)
        return Admitted("approveAgent", master, None)

    def _user_signer(self, envelope: actions.Envelope, action: actions.ApproveAgentAction) -> str:
        message = {
            "hyperliquidChain": action.hyperliquidChain, "agentAddress": action.agentAddress.lower(),
            "agentName": action.agentName or "", "nonce": action.nonce,
        }  # fmt: skip
        chain_id = int(action.signatureChainId, 16)
        digest = signature.user_digest(signature.APPROVE_AGENT, signature.APPROVE_AGENT_FIELDS, message, chain_id)
        try:
            return signature.recover(digest, envelope.signature.r, envelope.signature.s, envelope.signature.v)
        except BadInput as error:
            raise _refusal(error.reason, UNREADABLE, http=422) from None


def _refusal(reason: str, text: str, http: int = 200) -> _Refusal:
    return _Refusal(Refused(reason, text, http))


def _name(action: actions.Action) -> str:
    return str(action.__struct_config__.tag)


def _agent_name(text: str, now_t_ns: int) -> tuple[str, int]:
    found = _AGENT_NAME.fullmatch(text)
    if text and found is None:
        raise _refusal("agent_name", "Invalid agent name.")
    if found is None:
        return "", now_t_ns + AGENT_LIFE_NS
    return found[1], int(found[2]) * MS if found[2] else now_t_ns + AGENT_LIFE_NS
