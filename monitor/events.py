"""What goes into the monitor's core besides stream messages and time."""

from __future__ import annotations

import msgspec

from common.messages import AccountView, Command


class ClockRead(msgspec.Struct, frozen=True, gc=False):
    """The market clock as the shell has it: its speed, where its session began, and what wall time it stands for."""

    rate: float
    origin_t_ns: int
    session_offset_ns: int
    cut_ns: int = 0  # of the recording, left out so far


class WalletRead(msgspec.Struct, frozen=True):
    """Our own look at the account, straight from the venue."""

    view: AccountView


class KillSeen(msgspec.Struct, frozen=True, gc=False):
    """The kill file as it lies on disk; epoch 0 = there is none."""

    epoch: int
    reason: str


class Asked(msgspec.Struct, frozen=True):
    """A person's command, authenticated and checked."""

    command: Command
