"""The latch and the people: kill, arm, pause, resume, drain, and what must be true before an `arm` counts.

A kill holds until an operator's `arm` with a higher epoch, whatever becomes of its file, of Redis or of this process:
it is in the state file too, and a kill file that vanishes without an `arm` is written again. Each command counts once,
by its id, also over restarts. `set size_scale` may only lower what the configuration allows.
"""

from __future__ import annotations

import math
from typing import Any

from common.killfile import Kill
from common.messages import MAX_TEXT, Alert, Command, Severity, Verb
from riskd.events import ClearKill, SaveState, WriteKill
from riskd.session import Session

RULES = frozenset({"drawdown", "session_loss", "streak", "liquidation"})
"""Names of the limits that latch."""
ORDERED = "ordered:"


class Control:
    """What holds by order of people and of the rules that kill.  Methods return effects and messages."""

    def __init__(self, session: Session, *, armed: bool) -> None:
        self.session = session
        self.armed = armed
        self.looked = False  # whether the kill file has been looked at since the start
        self.file: Kill | None = None

    @property
    def killed(self) -> bool:
        return self.session.kill is not None or self.file is not None

    @property
    def kill_reason(self) -> str:
        kill = self.session.kill or self.file
        return kill.reason if kill else ""

    @property
    def kill_label(self) -> str:
        """Who killed, as a metric's label: a rule's name, `person`, or `file` for what came from outside."""
        reason = self.kill_reason.partition(",")[0]
        if not self.killed:
            return ""
        if reason in RULES:
            return reason
        return "person" if reason.startswith(ORDERED) else "file"

    # ------------------------------------------------------------------ the latch
    def on_file(self, kill: Kill | None) -> list[Any]:
        """The kill file as it is on disk."""
        self.looked, self.file = True, kill
        latched = self.session.kill
        if kill is not None and (latched is None or kill.epoch > latched.epoch):
            self.session.kill = kill
            return [self.save()]
        return self.retry()

    def retry(self) -> list[Any]:
        """A latch whose file is not there yet (or no longer) is written again."""
        kill = self.session.kill
        return [WriteKill(kill)] if kill is not None and self.looked and self.file is None else []

    def trip(self, reason: str, t_ns: int, epoch: int = 0) -> list[Any]:
        """Kill, by a rule or a person; nothing new when killed already."""
        if self.session.kill is not None:
            return []
        kill = Kill(max(epoch, self.session.arm_epoch, 1), reason[:MAX_TEXT], t_ns)
        self.session.kill = kill
        command = Command(t_ns, Verb.KILL, f"riskd-{t_ns}", kill.epoch, kill.reason)
        return [WriteKill(kill), self.save(), command]

    def save(self, *, durable: bool = True) -> SaveState:
        return SaveState(self.session.body(), durable)

    # ------------------------------------------------------------------ commands
    def on_command(self, command: Command, t_ns: int, obstacle: str, equity_e8: int) -> list[Any]:
        """`obstacle`: why an `arm` would be refused now, "" = nothing stands against it."""
        if self.session.heard(command.id):
            return []
        match command.verb:
            case Verb.KILL:
                return [*self.trip(f"{ORDERED} {command.reason}", t_ns, command.arm_epoch), self.save()]
            case Verb.ARM:
                return self._arm(command, t_ns, obstacle, equity_e8)
            case Verb.PAUSE:
                self.session.paused = True
            case Verb.RESUME:
                self.session.paused = self.session.draining = False
            case Verb.DRAIN:
                self.session.draining = True
            case Verb.SET:
                return self._set(command, t_ns)
        return [self.save()]

    def _arm(self, command: Command, t_ns: int, obstacle: str, equity_e8: int) -> list[Any]:
        session = self.session
        latched = max(session.arm_epoch, session.kill.epoch if session.kill else 0, self.file.epoch if self.file else 0)
        if command.arm_epoch <= latched:
            obstacle = f"its epoch {command.arm_epoch} is not above {latched}"
        if obstacle:
            return [self.save(), Alert(t_ns, "arm_refused", Severity.WARNING, f"arm refused: {obstacle}"[:MAX_TEXT])]
        had_kill = self.killed
        session.arm_epoch, session.kill = command.arm_epoch, None
        session.rebase(t_ns, equity_e8)
        self.armed = True
        return [self.save(), *([ClearKill()] if had_kill else [])]

    def _set(self, command: Command, t_ns: int) -> list[Any]:
        value = _number(command.value)
        if command.key != "size_scale" or value is None or not 0.0 <= value <= 1.0:
            text = f"set refused: {command.key} = {command.value!r}; known: size_scale 0..1"
            return [self.save(), Alert(t_ns, "set_refused", Severity.WARNING, text[:MAX_TEXT])]
        self.session.size_scale = value
        return [self.save()]


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
