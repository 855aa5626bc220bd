"""When what goes wrong: the plan's rules against everything that passes, decided by seed.

Sans-IO: machine time comes as `now_ns`, a frame or request is described in words, and what is to happen to it comes
back; carrying it out is the shell's (`gate.py`, `line.py`). Each decision is drawn from the seed, the
rule, the *stream* (a connection's channel and coin, or a kind of request by its account) and the place within that
stream, so it does not depend on how streams interleave: the same seed does the same to the same streams.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import msgspec

from common.clock import NS
from simvenue.faults import rules

ANY = "*"
_CHANCES = 2**64

Stream: TypeAlias = tuple[str, ...]


class Fate(NamedTuple):
    """What happens to one frame: how often it arrives, how much later, behind how many others, and to its socket."""

    copies: int = 1
    delay_s: float = 0.0
    behind: int = 0
    cut: bool = False
    silent_s: float = 0.0


class Page(NamedTuple):
    """An answer that is not the venue's."""

    status: int
    is_html: bool


class Ordeal(NamedTuple):
    """What happens to one request; it is carried out `copies` times (0 = the venue never sees it).

    `page` is answered instead of the venue's own words; `hang_s` (None = answered) says how long the asker waits for
    nothing before his connection ends.
    """

    copies: int = 1
    delay_s: float = 0.0
    behind: int = 0
    page: Page | None = None
    hang_s: float | None = None


UNHARMED = Fate()
NO_ORDEAL = Ordeal()


class Faults:
    """One plan at work since `began_ns` (machine time)."""

    def __init__(self, plan: rules.Plan, began_ns: int) -> None:
        self.plan = plan
        self._began_ns = began_ns
        self._matched = [0] * len(plan.rules)
        self._done = [0] * len(plan.rules)
        self._places: dict[tuple[int, Stream], int] = defaultdict(int)
        self._lines: dict[int, str] = {}
        self._lines_seen = 0
        frames = [r for r in plan.rules if getattr(r, "channel", None) is not None]
        self.touches_frames = bool(frames) or any(isinstance(r, rules.Maintenance) for r in plan.rules)
        self.needs_address = any(getattr(r, "address", None) is not None for r in plan.rules if r not in frames)

    # ------------------------------------------------------------------ what passes
    def frame(self, now_ns: int, line: int, channel: str, coin: str, follows: frozenset[str] | set[str]) -> Fate:
        """A frame for the connection `line`, which has subscribed to the accounts in `follows`."""
        if self.maintenance(now_ns) is not None:
            return Fate(copies=0, cut=True)
        fate = UNHARMED
        stream = (self._place(line), channel, coin)
        for number, rule in self._awake(now_ns):
            if not isinstance(rule, rules.OfFrames | rules.OfAny) or rule.channel not in (channel, ANY):
                continue
            if rule.coin not in (None, coin) or not (rule.address is None or rule.address in follows):
                continue
            if self._strikes(number, rule, stream):
                fate = self._harmed(fate, rule, number, stream)
        return fate

    def request(self, now_ns: int, kind: str, name: str, address: str) -> Ordeal:
        """A request: `kind` is "action" or "info", `name` its type, `address` its account ("" = not known)."""
        closed = self.maintenance(now_ns)
        if closed is not None:
            return Ordeal(copies=0, page=closed)
        ordeal = NO_ORDEAL
        stream = (kind, name, address)
        for number, rule in self._awake(now_ns):
            if not isinstance(rule, rules.OfRequests) or getattr(rule, kind) not in (name, ANY):
                continue
            if rule.address in (None, address) and self._strikes(number, rule, stream):
                ordeal = self._tried(ordeal, rule, number, stream)
        return ordeal

    def connect(self, now_ns: int) -> Page | None:
        """Somebody opens a WebSocket: None, or what he is answered instead."""
        closed = self.maintenance(now_ns)
        if closed is not None:
            return closed
        for number, rule in self._awake(now_ns):
            if isinstance(rule, rules.Answer) and rule.connect and self._strikes(number, rule, ("connect",)):
                return Page(rule.status, rule.html)
        return None

    def gone(self, line: int) -> None:
        """The connection has ended: what was counted of it is not needed any more."""
        place = self._lines.pop(line, "")
        for key in [key for key in self._places if key[1][0] == place]:
            del self._places[key]

    # ------------------------------------------------------------------ the whole venue
    def maintenance(self, now_ns: int) -> Page | None:
        """What everybody is answered while the venue is closed."""
        for number, rule in self._awake(now_ns):
            if isinstance(rule, rules.Maintenance):
                self._matched[number] += 1
                self._done[number] += 1
                return Page(rule.status, is_html=True)
        return None

    def post_only_left_s(self, now_ns: int) -> float:
        """For how long the venue still takes post-only orders alone after a maintenance; 0 = it does not."""
        age_s = (now_ns - self._began_ns) / NS
        ends = [
            rule.until_s + rule.post_only_s
            for rule in self.plan.rules
            if isinstance(rule, rules.Maintenance) and rule.until_s is not None and rule.until_s <= age_s
        ]
        return max([0.0, *(end - age_s for end in ends)])

    def clock_offset_ns(self, now_ns: int) -> int:
        """By how much the venue's word about its clock is wrong; of several rules the sum."""
        total = 0.0
        for number, rule in self._awake(now_ns):
            if isinstance(rule, rules.ClockOffset):
                self._matched[number] += 1
                self._done[number] += 1
                total += rule.offset_s
        return int(total * NS)

    def report(self, now_ns: int) -> dict[str, Any]:
        """The plan, and of each rule how often it was asked and how often it struck."""
        rows = [
            {**msgspec.to_builtins(rule), "matched": matched, "done": done}
            for rule, matched, done in zip(self.plan.rules, self._matched, self._done, strict=True)
        ]
        return {"seed": self.plan.seed, "age_s": (now_ns - self._began_ns) / NS, "rules": rows}

    # ------------------------------------------------------------------ inside
    def _place(self, line: int) -> str:
        """A connection by the order in which this plan first met it."""
        if line not in self._lines:
            self._lines[line] = f"line {self._lines_seen}"
            self._lines_seen += 1
        return self._lines[line]

    def _awake(self, now_ns: int) -> Iterator[tuple[int, rules.AnyRule]]:
        age_s = (now_ns - self._began_ns) / NS
        for number, rule in enumerate(self.plan.rules):
            if rule.from_s <= age_s and (rule.until_s is None or age_s < rule.until_s):
                yield number, rule

    def _strikes(self, number: int, rule: rules.Chancy, stream: Stream) -> bool:
        self._matched[number] += 1
        self._places[number, stream] += 1
        if rule.limit is not None and self._done[number] >= rule.limit:
            return False
        if self._chance(number, stream, "strikes") >= rule.probability:
            return False
        self._done[number] += 1
        return True

    def _chance(self, number: int, stream: Stream, what: str) -> float:
        """Uniform in [0, 1): a function of seed, rule, stream, the place within it and what is asked."""
        text = "|".join([str(self.plan.seed), str(number), *stream, str(self._places[number, stream]), what])
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") / _CHANCES

    def _delay_s(self, rule: rules.Delay, number: int, stream: Stream) -> float:
        low, high = rule.delay_s
        return low + (high - low) * self._chance(number, stream, "delay")

    def _harmed(self, fate: Fate, rule: rules.OfFrames | rules.OfAny, number: int, stream: Stream) -> Fate:
        match rule:
            case rules.Drop():
                return fate._replace(copies=0)
            case rules.Duplicate():
                return fate._replace(copies=fate.copies + (fate.copies > 0))
            case rules.Delay():
                return fate._replace(delay_s=fate.delay_s + self._delay_s(rule, number, stream))
            case rules.Reorder():
                return fate._replace(behind=fate.behind + rule.by)
            case rules.Disconnect():
                return fate._replace(copies=0, cut=True)
            case rules.Silence():
                return fate._replace(copies=0, silent_s=max(fate.silent_s, rule.for_s))
        return fate

    def _tried(self, ordeal: Ordeal, rule: rules.OfRequests, number: int, stream: Stream) -> Ordeal:
        match rule:
            case rules.Drop():
                return ordeal._replace(copies=0, hang_s=0.0)
            case rules.Duplicate():
                return ordeal._replace(copies=ordeal.copies + (ordeal.copies > 0))
            case rules.Delay():
                return ordeal._replace(delay_s=ordeal.delay_s + self._delay_s(rule, number, stream))
            case rules.Reorder():
                return ordeal._replace(behind=ordeal.behind + rule.by)
            case rules.LoseReply():
                return ordeal._replace(hang_s=rule.hang_s)
            case rules.Answer():
                return ordeal._replace(page=Page(rule.status, rule.html), copies=ordeal.copies if rule.after else 0)
        return ordeal
