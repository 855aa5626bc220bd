"""What passes between the risk engine and its shell besides stream messages."""

from __future__ import annotations

from dataclasses import dataclass

from common.killfile import Kill
from common.messages import Mode


# ---------------------------------------------------------------------- in
@dataclass(frozen=True, slots=True)
class KillSeen:
    """The kill file as it is on disk now; None = there is none.  Sent at start and at every change."""

    kill: Kill | None


@dataclass(frozen=True, slots=True)
class ClockRate:
    """Market seconds per machine second: 1 live."""

    rate: float


# ---------------------------------------------------------------------- out: effects of the shell
@dataclass(frozen=True, slots=True)
class WriteKill:
    """Latch on disk; repeated until KillSeen says it is there."""

    kill: Kill


@dataclass(frozen=True, slots=True)
class ClearKill:
    """Take the kill file away: an `arm` was accepted."""


@dataclass(frozen=True, slots=True)
class SaveState:
    """Replace the state file; `durable` must survive a power cut."""

    body: bytes
    durable: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """The figures behind a permit, for the gauges.  USD and ratios."""

    mode: Mode
    known: bool  # an account was heard of: the figures mean something
    reasons: tuple[str, ...]
    kill_reason: str
    kill_label: str  # rule, person or file; "" = not killed
    equity_usd: float
    peak_usd: float
    margin_used_usd: float
    margin_ratio: float
    drawdown: float
    session_pnl_usd: float
    taker_ratio: float
    streak: int
    streak_loss_usd: float
    session_loss_limit_usd: float  # 0 = the session has not begun
