"""When the warden must cancel: a core of its own, fed with beats, goodbyes, the kill file and machine time.

Silence of an executor that was heard, a kill file, or nothing heard since the start mean the same: cancel until the
venue shows nothing, twice, the second time when no action of a dead executor can land any more. Then wait to be told
otherwise. Times are the machine's monotonic ns.
"""

from __future__ import annotations

import enum

from common.clock import NS

SILENCE_NS = 2 * NS
FIRST_NS = 10 * NS
"""How long a warden that has just started waits for an executor before it clears what rests."""

GOODBYE_NS = 20 * NS
SETTLE_NS = int(3.5 * NS)
"""An action signed just before the silence may land for expires_after_s (3 s) more."""

AGAIN_NS = 60 * NS
"""While a kill file stays, the venue is looked at again this often."""


KILL, SILENT, UNHEARD, LEFT = "kill file", "executor silent", "nobody heard", "silent after goodbye"
REASONS = (KILL, SILENT, UNHEARD, LEFT)
"""Why the warden cancels; after a start without an executor, or after a goodbye, nothing should rest any more."""


class State(enum.Enum):
    WAITING = "waiting"  # started, nobody heard yet
    ARMED = "armed"
    DISARMED = "disarmed"  # the executor said goodbye
    FIRING = "firing"
    DONE = "done"  # nothing rests; nobody is heard


class Vigil:
    """Decides; `fire` becomes true when orders must go, `cleared` tells what the venue showed."""

    def __init__(self, mono_ns: int) -> None:
        self.state = State.WAITING
        self.reason = ""
        self.fires = 0
        self._since_ns = mono_ns  # of the state, or of the last beat while armed
        self._kill = False
        self._heard_ns: int | None = None
        self._fired_ns = 0
        self._zero_seen = False

    @property
    def must_cancel(self) -> bool:
        return self.state is State.FIRING

    def on_beat(self, mono_ns: int) -> None:
        """The executor lives; while a kill file is there that changes nothing."""
        self._heard_ns = mono_ns
        if not self._kill:
            self.state, self._since_ns, self.reason = State.ARMED, mono_ns, ""

    def on_goodbye(self, mono_ns: int) -> None:
        if not self._kill:
            self.state, self._since_ns = State.DISARMED, mono_ns

    def on_kill(self, present: bool, mono_ns: int) -> None:
        """The kill file appeared or went away."""
        self._kill = present
        if present:
            self._fire(KILL, mono_ns)
        elif self.state in (State.FIRING, State.DONE) and self.reason == KILL:
            self.state, self._since_ns = State.WAITING, mono_ns

    def on_tick(self, mono_ns: int) -> None:
        """Let machine time pass; what limits a state's patience is `_since_ns`."""
        passed_ns = mono_ns - self._since_ns
        if self.state is State.ARMED and passed_ns > SILENCE_NS:
            self._fire(SILENT, mono_ns)
        elif self.state is State.WAITING and passed_ns > FIRST_NS:
            self._fire(UNHEARD, mono_ns)
        elif self.state is State.DISARMED and passed_ns > GOODBYE_NS:
            self._fire(LEFT, mono_ns)
        elif self.state is State.DONE and self._kill and passed_ns > AGAIN_NS:
            self._fire(KILL, mono_ns)

    def on_shown(self, open_orders: int, asked_mono_ns: int, mono_ns: int) -> None:
        """What the venue showed when asked at `asked_mono_ns`: done after two zeros, the last one late enough."""
        if self.state is not State.FIRING:
            return
        if open_orders:
            self._zero_seen = False
        elif self._zero_seen and asked_mono_ns - self._fired_ns >= SETTLE_NS:
            self.state, self._since_ns = State.DONE, mono_ns
        else:
            self._zero_seen = True

    def on_cancelled(self) -> None:
        """Everything the last look showed is cancelled, said the venue: as good as a first zero."""
        self._zero_seen = self.state is State.FIRING

    def next_look_ns(self, mono_ns: int) -> int:
        """How long to wait before the venue is asked again, ns: after a zero, until nothing can land any more."""
        return max(self._fired_ns + SETTLE_NS - mono_ns, NS // 2) if self._zero_seen else NS // 2

    def _fire(self, reason: str, mono_ns: int) -> None:
        self.state, self.reason, self._since_ns = State.FIRING, reason, mono_ns
        self._fired_ns, self._zero_seen = mono_ns, False
        self.fires += 1
