"""May we quote now, must we wait, or must everything go: one answer from permit, ladder, latches and links.

Ages are machine time since receipt on this process's own clock; a message that was already expired when it arrived,
or that repeats an older version, refreshes nothing. In doubt the answer is the safer one. The limits of a single
order are `checks.py`'s.
"""

from __future__ import annotations

import enum
from itertools import pairwise

from common.clock import NS
from common.config import Execution
from common.messages import Ladder, Mode, RiskPermit
from executor.events import Clock

STREAM_DOWN_S = 3.0
"""How long we may be blind to fills before our orders go."""

VENUE_AGE_S = 1.5
"""Market time by which a ladder may be older than the venue's message behind it (design section 2), at rate 1."""


class Stance(enum.Enum):
    QUOTE = "quote"
    HOLD = "hold"  # nothing new; what rests may stay
    CANCEL = "cancel"  # everything goes


#: Modes under which orders may rest.
TRADING = frozenset({Mode.ACTIVE, Mode.REDUCING})


class Gates:
    """The newest permit and ladder with their receipts, and every reason to stop."""

    def __init__(self, execution: Execution) -> None:
        self.ladder: Ladder | None = None
        self.permit: RiskPermit | None = None
        self.stopping = False
        self.latched: tuple[int, str] | None = None  # (epoch, reason) of the kill that holds
        self.kill_file = False
        self.journal_ok = True
        self.link_up = True
        self.paused = False
        self.draining = False
        self.facts_known = False
        self.fees_lost = False
        self.spec_agrees = True
        self._hold_ns = int(execution.ladder_age_s * NS)
        self._cancel_ns = int(execution.cancel_age_s * NS)
        self._ladder_mono_ns = self._permit_mono_ns = 0
        self._stream_down_mono_ns: int | None = 0  # None = the user stream is up

    # ------------------------------------------------------------------ receipts
    def on_ladder(self, ladder: Ladder, now: Clock) -> str | None:
        """Take over a ladder: a renewal refreshes, a newer version replaces.  Returns why it was refused, or None."""
        if now.t_ns >= ladder.expires_t_ns:
            return "ladder_expired"
        held = self.ladder
        if held is not None and ladder.version < held.version:
            return "ladder_version"
        if held is not None and ladder.version == held.version and _differs(ladder, held):
            return "ladder_version"
        if not _is_sane(ladder):
            return "ladder_shape"
        self.ladder, self._ladder_mono_ns = ladder, now.mono_ns
        return None

    def on_permit(self, permit: RiskPermit, now: Clock) -> str | None:
        """Take over a permit; returns why it was refused, or None."""
        if now.t_ns >= permit.expires_t_ns:
            return "permit_expired"
        if self.permit is not None and permit.version < self.permit.version:
            return "permit_version"
        self.permit, self._permit_mono_ns = permit, now.mono_ns
        return None

    def forget_ladder(self) -> None:
        """The quoter began a new life: its versions start anew."""
        self.ladder = None

    def forget_permit(self) -> None:
        self.permit = None

    def on_stream(self, up: bool, now: Clock) -> None:
        if up:
            self._stream_down_mono_ns = None
        elif self._stream_down_mono_ns is None:
            self._stream_down_mono_ns = now.mono_ns

    # ------------------------------------------------------------------ the answer
    @property
    def reducing(self) -> bool:
        return self.draining or (self.permit is not None and self.permit.mode is Mode.REDUCING)

    def judge(self, now: Clock, doubt: str = "") -> tuple[Stance, str]:
        """What may be done now, and the word that says why not more; `doubt` is the lookout's."""
        must_go = self._must_go(now)
        if must_go:
            return Stance.CANCEL, must_go
        wait = self._must_wait(now) or (f"unreconciled_{doubt}" if doubt else "")
        return (Stance.HOLD, wait) if wait else (Stance.QUOTE, "")

    def _must_go(self, now: Clock) -> str:
        if self.stopping:
            return "stopping"
        if self.latched is not None or self.kill_file:
            return "killed"
        if not self.journal_ok:
            return "journal"
        if not self.link_up:
            return "redis_down"
        if self.paused:
            return "paused"
        if self.fees_lost:
            return "fees_unknown"
        if self.permit is None or not self._fresh(self._permit_mono_ns, now, self._cancel_ns):
            return "permit_old"
        if self.permit.mode not in TRADING:
            return self.permit.mode.value
        if self.ladder is None or not self._fresh(self._ladder_mono_ns, now, self._cancel_ns):
            return "ladder_old"
        down = self._stream_down_mono_ns
        if down is not None and not now.mono_ns - down <= STREAM_DOWN_S * NS:
            return "user_stream"
        return ""

    def _must_wait(self, now: Clock) -> str:
        permit, ladder = self.permit, self.ladder
        if permit is None or ladder is None:
            return "permit_old"
        if not self._fresh(self._permit_mono_ns, now, self._hold_ns) or not now.t_ns < permit.expires_t_ns:
            return "permit_aging"
        if not self._fresh(self._ladder_mono_ns, now, self._hold_ns) or not now.t_ns < ladder.expires_t_ns:
            return "ladder_aging"
        if not now.t_ns - ladder.venue_t_ns <= VENUE_AGE_S * NS * max(1.0, now.rate / 4):
            return "market_old"
        if not self.facts_known:
            return "market_unknown"
        if not self.spec_agrees:
            return "spec_differs"
        if self._stream_down_mono_ns is not None:
            return "user_stream"
        return ""

    @staticmethod
    def _fresh(mono_ns: int, now: Clock, limit_ns: int) -> bool:
        return 0 <= now.mono_ns - mono_ns <= limit_ns


def _differs(ladder: Ladder, held: Ladder) -> bool:
    """A renewal may not change what should rest."""
    return ladder.bids != held.bids or ladder.asks != held.asks


def _is_sane(ladder: Ladder) -> bool:
    """Best level first, no price twice, bids below asks."""
    bids, asks = [level.px_u for level in ladder.bids], [level.px_u for level in ladder.asks]
    falling = all(a > b for a, b in pairwise(bids))
    rising = all(a < b for a, b in pairwise(asks))
    return falling and rising and (not bids or not asks or bids[0] < asks[0])
