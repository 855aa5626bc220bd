"""When the venue is looked at, and whether what we believe has been seen there since we last had reason to doubt it.

A look is a snapshot of orders and account, a whole one of fills and budget too. It is due every `reconcile_s`, and
soon after anything that may have hidden something: a stream that was away, an answer that never came, a list that
differed. While doubt lasts nothing new is sent (`gates.py` reads `doubt`). Machine time, but for what an earlier
process may still have in flight.
"""

from __future__ import annotations

from common.clock import MS, NS
from executor.events import AskVenue, Clock
from executor.inquiry import LAND_NS

RETRY_NS = NS
PAUSES_NS = (NS // 4, NS, 2 * NS)
LOOK_SLOW_NS = 10 * NS
"""While the doubt stays, the first looks follow each other after PAUSES_NS, later ones more slowly: a whole look costs
62 of request weight and 9 a second come back, so that a used-up bucket can pay for one again in 10 s."""

WHOLE_NS = 5 * NS
"""For so long after a whole look another one would only repeat it: the streams have told what came since."""

DOUBT_TOLD_NS = 2 * NS
"""A doubt that one look settles is nobody else's business: told only when it lasts (reliability.md P21: 10 s)."""


class Lookout:
    """The doubt and the looks that settle it."""

    def __init__(self, reconcile_s: float) -> None:
        self.doubt = "start"  # why the account is not reconciled; "" = it is
        self.in_control = False  # the venue has been seen to agree once: from here on our silence means something
        self._every_ns = int(reconcile_s * NS)
        self._open = False
        self._asked = Clock(0, 0)  # when the last look was asked for
        self._wanted_mono_ns: int | None = None  # an early look
        self._looks = 0  # asked for in this doubt
        self._whole = True  # the next look shall be whole
        self._whole_mono_ns: int | None = None  # when the last whole one was asked for
        self._since_mono_ns = 0
        self._settled_t_ns = 0

    def past_actions(self, last_expiry_ms: int) -> None:
        """Actions of an earlier process may land until then: no look before that settles anything."""
        self._settled_t_ns = last_expiry_ms * MS + LAND_NS if last_expiry_ms else 0

    def want(self, reason: str, in_ns: int, now: Clock, *, whole: bool = True) -> None:
        """Doubt, and look `in_ns` from now; "" asks for a look without new doubt."""
        self._whole |= whole and (self._whole_mono_ns is None or now.mono_ns - self._whole_mono_ns >= WHOLE_NS)
        if reason and not self.doubt:
            self._since_mono_ns = now.mono_ns
        self.doubt = reason or self.doubt
        self._wanted_mono_ns = max(now.mono_ns + in_ns, self._wanted_mono_ns or 0)

    def due(self, now: Clock) -> list[AskVenue]:
        """The question, when it is time and none is open."""
        passed_ns = now.mono_ns - self._asked.mono_ns
        pause_ns = self._pause_ns()
        wanted = self._wanted_mono_ns is not None and now.mono_ns >= self._wanted_mono_ns
        wanted = wanted and (self._looks == 0 or passed_ns >= pause_ns)
        if self._open or not (wanted or passed_ns >= self._every_ns):
            return []
        self._open, self._asked = True, now
        if wanted:
            self._wanted_mono_ns = None
            self._looks += 1
        whole, self._whole = self._whole or not wanted, False
        if whole:
            self._whole_mono_ns = now.mono_ns
        return [AskVenue(self.doubt or "routine", whole)]

    def _pause_ns(self) -> int:
        """How long after the last look the next one may come."""
        return PAUSES_NS[max(self._looks - 1, 0)] if self._looks <= len(PAUSES_NS) else LOOK_SLOW_NS

    def failed(self, now: Clock) -> None:
        """The venue could not be asked: the doubt stays as it is, and it is tried again."""
        self._open = False
        self._whole |= self._whole_mono_ns == self._asked.mono_ns
        self.want("", PAUSES_NS[0], now, whole=False)

    def seen(self, differs: str, now: Clock) -> None:
        """A look is in; `differs` names what was not as we believed, "" = all agreed."""
        self._open = False
        if differs:
            self.want(differs, PAUSES_NS[0], now, whole=False)
        elif self._asked.t_ns < self._settled_t_ns:
            wait_ns = int((self._settled_t_ns - now.t_ns) / max(now.rate, 1e-9))  # a look before it settles nothing
            self.want("past_actions", max(wait_ns, PAUSES_NS[0]), now, whole=False)
            self._looks = 1
        elif self._wanted_mono_ns is None or self._wanted_mono_ns <= self._asked.mono_ns:
            self.doubt, self._looks, self.in_control = "", 0, True

    def told(self, now: Clock) -> str:
        """The doubt as others shall hear of it."""
        lasting = not self.in_control or now.mono_ns - self._since_mono_ns >= DOUBT_TOLD_NS
        return self.doubt if lasting else ""
