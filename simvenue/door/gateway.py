"""The venue's door: who asks, is the request fresh and within its limits; a core request, or the venue's own refusal.

Decided here: shape, signature, agent and deposit, nonce, expiry, action budget. Left to the core: tick, lot, minimum,
margin, open orders and matching. No clock and no socket: market time comes as `now_t_ns`, and `acts_t_ns` is when the
request would act (its block). A refused request changes nothing but its signer's nonces and, when it came too late,
the budget.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from common.clock import MS, NS
from common.errors import BadInput
from simvenue.desk import budget, refusals
from simvenue.desk.actions import action_cap
from simvenue.desk.agents import AGENT_LIFE_NS, Agent, Agents
from simvenue.desk.refusals import UNREADABLE, Words
from simvenue.door import actions, meaning, signature
from simvenue.events import Request, SetAbstraction

NONCES_KEPT = 100
NONCE_EDGE_NS = 120 * NS
"""Probes found the documented window of (T - 2 days, T + 1 day) narrower by two minutes at both ends."""
NONCE_PAST_NS = 2 * 86_400 * NS - NONCE_EDGE_NS
NONCE_FUTURE_NS = 86_400 * NS - NONCE_EDGE_NS

Command = Request


class Accounts(Protocol):
    """What the door asks the exchange."""

    def is_funded(self, address: str) -> bool: ...
    def means(self, address: str) -> budget.Means: ...


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


class _Refusal(Exception):
    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.text)
        self.refused = refused


class Gateway:
    """Admission for all addresses of one venue."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._agents = Agents()
        self._nonces: dict[str, list[int]] = defaultdict(list)
        self._budgets: dict[str, budget.Budget] = defaultdict(budget.Budget)

    # ------------------------------------------------------------------ reads
    def agent(self, address: str, now_t_ns: int) -> Agent | None:
        """The agent at `address` while it is valid."""
        return self._agents.at(address, now_t_ns)

    def agents_of(self, master: str, now_t_ns: int) -> list[Agent]:
        return self._agents.of(master, now_t_ns)

    def actions_used(self, address: str) -> int:
        return self._purse(address).used(self._accounts.means(address).bought)

    def actions_surplus(self, address: str) -> int:
        """Bought actions that no used one has met yet."""
        return self._purse(address).surplus(self._accounts.means(address).bought)

    def actions_cap(self, address: str) -> int:
        return action_cap(self._accounts.means(address).credit_e6)

    def addresses(self) -> Sequence[str]:
        """Every address that has spent actions."""
        return list(self._budgets)

    def _purse(self, address: str) -> budget.Budget:
        return self._budgets.get(address) or budget.Budget()

    # ------------------------------------------------------------------ writes
    def register(self, agent: str, master: str, name: str, now_t_ns: int) -> None:
        """Let `agent` act for `master` from the start (the command line's `--agent`)."""
        self._agents.put(Agent(agent, master, name, now_t_ns + AGENT_LIFE_NS))

    def admit(self, body: bytes, now_t_ns: int, acts_t_ns: int) -> Admitted | Refused:
        """Judge one POST /exchange body."""
        try:
            envelope, action = actions.decode(body)
        except BadInput as error:
            return Refused(error.reason, UNREADABLE, http=422, action=actions.action_name(body))
        try:
            if isinstance(action, actions.UserSigned):
                return self._set_up(envelope, action, now_t_ns)
            return self._trade(envelope, action, now_t_ns, acts_t_ns)
        except _Refusal as refusal:
            return refusal.refused

    # ------------------------------------------------------------------ trading
    def _trade(self, envelope: actions.Envelope, action: actions.Trading, now_t_ns: int, acts_t_ns: int) -> Admitted:
        signer = self.l1_signer(envelope, action, now_t_ns)
        address = self._account_of(signer, action, now_t_ns)
        self._use_nonce(signer, envelope.nonce, now_t_ns)
        if envelope.vaultAddress is not None:
            raise _refusal(refusals.NO_VAULT, vault=envelope.vaultAddress.lower())
        count, purse = meaning.entries(action), self._budgets[address]
        if envelope.expiresAfter is not None and acts_t_ns > envelope.expiresAfter * MS:
            purse.penalise(count, acts_t_ns)
            raise _refusal(refusals.EXPIRED)
        _check_orders(action)
        is_cancel = isinstance(action, actions.CancelAction | actions.CancelCloidAction)
        text = purse.charge(count, is_cancel, self._accounts.means(address), acts_t_ns)
        if text is not None:
            raise _Refusal(Refused(refusals.BUDGET_GONE.reason, text))
        return Admitted(_name(action), address, meaning.command(action, address))

    def _account_of(self, signer: str, action: actions.Trading, now_t_ns: int) -> str:
        """Whose account the signer acts on; buying actions is left to the account itself (probe)."""
        agent = self.agent(signer, now_t_ns)
        if agent is not None and isinstance(action, actions.ReserveWeightAction):
            raise _refusal(refusals.NOT_DEPOSITED, user=signer)
        address = signer if agent is None else agent.master
        if not self._accounts.is_funded(address):
            raise _refusal(refusals.NOT_DEPOSITED, user=address)
        return address

    def l1_signer(self, envelope: actions.Envelope, action: actions.Trading, now_t_ns: int) -> str:
        """The address that signed, for source `b` if that is known here, else for `a`."""
        try:
            vault = envelope.vaultAddress.lower() if envelope.vaultAddress is not None else None
            digest = signature.action_hash(meaning.canonical(action), envelope.nonce, vault, envelope.expiresAfter)
            given = envelope.signature
            found = [signature.recover(signature.l1_digest(digest, s), given.r, given.s, given.v) for s in ("b", "a")]
        except BadInput as error:
            raise _unreadable(error) from None
        for signer in found:
            if self.agent(signer, now_t_ns) is not None or self._accounts.is_funded(signer):
                return signer
        raise _refusal(refusals.NO_SUCH_SIGNER, user=found[0])

    def _use_nonce(self, signer: str, nonce: int, now_t_ns: int) -> None:
        """Docs: above the smallest of the 100 highest kept, never used, not too far from now."""
        least, most = (now_t_ns - NONCE_PAST_NS) // MS, (now_t_ns + NONCE_FUTURE_NS) // MS
        kept = self._nonces[signer]
        if kept:
            least = max(least, kept[0])
        if nonce > most:
            raise _refusal(refusals.NONCE_HIGH, nonce=nonce, most=most)
        place = bisect_left(kept, nonce)
        if place < len(kept) and kept[place] == nonce:
            raise _refusal(refusals.NONCE_USED, nonce=nonce)
        if nonce < least:
            raise _refusal(refusals.NONCE_LOW, nonce=nonce, least=least)
        insort(kept, nonce)
        del kept[: max(len(kept) - NONCES_KEPT, 0)]

    # ------------------------------------------------------------------ what only the account itself may sign
    def _set_up(self, envelope: actions.Envelope, action: actions.UserSigned, now_t_ns: int) -> Admitted:
        try:
            master = meaning.user_signer(envelope, action)
        except BadInput as error:
            raise _unreadable(error) from None
        if not self._accounts.is_funded(master):
            raise _refusal(refusals.NOT_DEPOSITED, user=master)
        if action.nonce != envelope.nonce:
            raise _refusal(refusals.NONCE_MISMATCH)
        self._use_nonce(master, envelope.nonce, now_t_ns)
        if isinstance(action, actions.UserAbstractionAction):
            if action.user.lower() != master:
                raise _refusal(refusals.NOT_OWN_MODE, user=action.user.lower())
            return Admitted(_name(action), master, SetAbstraction(master, action.abstraction))
        return self._approve(action, master, now_t_ns)

    def _approve(self, action: actions.ApproveAgentAction, master: str, now_t_ns: int) -> Admitted:
        address = action.agentAddress.lower()
        refused = self._agents.approve(
            master, address, action.agentName or "", now_t_ns, is_account=self._accounts.is_funded(address)
        )  # fmt: skip
        if refused is not None:
            raise _Refusal(Refused(*refused))
        return Admitted(_name(action), master, None)


def _check_orders(action: actions.Trading) -> None:
    if not isinstance(action, actions.OrderAction):
        return
    if not action.orders:
        raise _Refusal(Refused(refusals.NO_ORDERS.reason, refusals.NO_ORDERS.text, as_status=True))
    if action.builder is not None:
        raise _refusal(refusals.NO_BUILDER)


def _refusal(words: Words, **parts: object) -> _Refusal:
    return _Refusal(Refused(words.reason, words.of(**parts)))


def _unreadable(error: BadInput) -> _Refusal:
    return _Refusal(Refused(error.reason, UNREADABLE, http=422))


def _name(action: actions.Action) -> str:
    return str(action.__struct_config__.tag)
