"""Agents (API wallets): who may sign for whom, how many, under what name and until when.

From the docs: one unnamed and three named agents an account; approving a name again replaces its agent, approving the
zero address removes it; " valid_until <ms>" after the name sets an expiry of at most 180 days. From public probes: 90
days without one, an agent's address cannot be approved twice, and for 5 s after a removal no other approval is taken.
The venue grants more names with more volume (its curve is not published: here three) and lets an expired agent go
on until it is pruned, minutes or more later; here it ends at its time, the stricter reading. Times are market time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from common.clock import MS, NS
from simvenue.desk import refusals
from simvenue.desk.refusals import Words

NAMED_AGENTS = 3
DAY_NS = 86_400 * NS
AGENT_LIFE_NS = 180 * DAY_NS
DEFAULT_LIFE_NS = 90 * DAY_NS
REMOVAL_NS = 5 * NS
NOBODY = "0x" + "0" * 40
_VALID_UNTIL = re.compile(r"(.*) valid_until ([0-9]{1,15})", re.ASCII | re.DOTALL)
_NAME_MAX = 16

Refusal = tuple[str, str]
"""(the metric's label, the venue's text)."""


@dataclass(frozen=True, slots=True)
class Agent:
    address: str
    master: str
    name: str  # "" = the one unnamed agent
    valid_until_ns: int


class Agents:
    """All agents of one venue; an address that has been one stays known after its expiry."""

    def __init__(self) -> None:
        self._by_address: dict[str, Agent] = {}
        self._removed_ns: dict[str, int] = {}

    def at(self, address: str, now_t_ns: int) -> Agent | None:
        """The agent at `address` while it is valid."""
        found = self._by_address.get(address)
        return found if found is not None and now_t_ns < found.valid_until_ns else None

    def of(self, master: str, now_t_ns: int) -> list[Agent]:
        return [a for a in self._by_address.values() if a.master == master and now_t_ns < a.valid_until_ns]

    def put(self, agent: Agent) -> None:
        self._by_address[agent.address] = agent

    def approve(self, master: str, address: str, text: str, now_t_ns: int, *, is_account: bool) -> Refusal | None:
        """What `approveAgent` asks for; None when it is done.  `is_account`: the address trades for itself."""
        name, until_ns = _parts(text, now_t_ns)
        if len(name) > _NAME_MAX or (text and not name.strip()):
            return _refused(refusals.AGENT_NAME)
        if not now_t_ns < until_ns <= now_t_ns + AGENT_LIFE_NS:
            return _refused(refusals.AGENT_EXPIRY)
        if now_t_ns < self._removed_ns.get(master, -REMOVAL_NS) + REMOVAL_NS:
            return _refused(refusals.AGENT_LEAVING)
        before = next((a for a in self.of(master, now_t_ns) if a.name == name), None)
        if address == NOBODY:
            self._remove(before, now_t_ns)
            return None
        if address in self._by_address or is_account:
            return _refused(refusals.AGENT_USED)
        if name and before is None and sum(bool(a.name) for a in self.of(master, now_t_ns)) >= NAMED_AGENTS:
            return refusals.AGENTS_FULL.reason, refusals.AGENTS_FULL.of(cap=NAMED_AGENTS)
        if before is not None:
            del self._by_address[before.address]
        self.put(Agent(address, master, name, until_ns))
        return None

    def _remove(self, agent: Agent | None, now_t_ns: int) -> None:
        if agent is not None:
            del self._by_address[agent.address]
            self._removed_ns[agent.master] = now_t_ns


def _parts(text: str, now_t_ns: int) -> tuple[str, int]:
    """(name, valid until) of what was written as the agent's name."""
    found = _VALID_UNTIL.fullmatch(text)
    return (text, now_t_ns + DEFAULT_LIFE_NS) if found is None else (found[1], int(found[2]) * MS)


def _refused(words: Words) -> Refusal:
    return words.reason, words.text
