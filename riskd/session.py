"""What riskd must not forget: the session's start, the peak, the streak, what people ordered, and the latch.

Kept in one small file that is replaced at every change, so that a crash resets neither a drawdown nor a kill (P25).
A session begins at the first reconciled account, with every UTC day of market time, and with an operator's `arm`; the
peak only with an `arm`. Without a file the start is worked back from the fills of the last 24 h. Equity in 1e-8 quote.
A file that cannot be understood is a kill: nobody knows what it latched.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from common.clock import NS
from common.killfile import Kill
from common.messages import MAX_TEXT, Signed
from riskd import losses

DAY_NS = 86_400 * NS
COMMANDS_KEPT = 200


class Session(msgspec.Struct):
    """The state file; `account` names whose it is: another wallet's or another market's is not taken over."""

    account: str = ""
    arm_epoch: Annotated[int, Meta(ge=0, le=2**62)] = 0
    day: Annotated[int, Meta(ge=-1, le=10**6)] = -1
    start_e8: Signed = 0
    peak_e8: Signed = 0
    streak: Annotated[float, Meta(ge=0, le=1e9)] = 0.0
    streak_loss_usd: Annotated[float, Meta(ge=0, le=1e12)] = 0.0
    paused: bool = False
    draining: bool = False
    size_scale: Annotated[float, Meta(ge=0, le=1)] = 1.0
    kill: Kill | None = None
    commands: list[str] = []

    @property
    def began(self) -> bool:
        """Whether there is a start to measure from."""
        return self.day >= 0

    def on_equity(self, t_ns: int, equity_e8: int, earned_e8: int = 0) -> bool:
        """A reconciled equity; True when something changed.

        `earned_e8`: what the fills known so far have already earned, so that a start worked out late is not too kind.
        """
        day = t_ns // DAY_NS
        if not self.began:
            self.day, self.start_e8 = day, equity_e8 - earned_e8
            self.peak_e8 = max(self.start_e8, equity_e8)
            return True
        if day > self.day:
            self.day, self.start_e8 = day, equity_e8
            self.peak_e8 = max(self.peak_e8, equity_e8)
            return True
        if equity_e8 > self.peak_e8:
            self.peak_e8 = equity_e8
            return True
        return False

    def rebase(self, t_ns: int, equity_e8: int) -> None:
        """An operator armed: what was lost before counts no more."""
        self.day, self.start_e8, self.peak_e8 = t_ns // DAY_NS, equity_e8, equity_e8
        self.streak = self.streak_loss_usd = 0.0

    def drawdown(self, equity_e8: int) -> float:
        """Fall from the peak as a share of it, >= 0; 0 before there is a peak."""
        return float(losses.drawdown(self.peak_e8, equity_e8))

    def loss_share(self, equity_e8: int, limit_usd: float, limit_ratio: float) -> float:
        """Loss since the start as a share of what kills: the smaller of an amount and a share of the start."""
        return float(losses.loss_share(self.start_e8, equity_e8, limit_usd, limit_ratio)) if self.began else 0.0

    def loss_limit_usd(self, limit_usd: float, limit_ratio: float) -> float:
        """What this session may lose before it is killed; 0 before it began."""
        return min(limit_usd, limit_ratio * self.start_e8 / losses.E8) if self.began else 0.0

    def heard(self, command_id: str) -> bool:
        """Remember a command; True when it was heard before."""
        if command_id in self.commands:
            return True
        self.commands.append(command_id)
        del self.commands[:-COMMANDS_KEPT]
        return False

    def body(self) -> bytes:
        return msgspec.json.encode(self)


def load(body: bytes | None, account: str) -> Session:
    """The session on disk; a new one when there is none or it is another account's, a killed one when it is damaged."""
    if body is None:
        return Session(account=account)
    try:
        session = msgspec.json.decode(body, type=Session)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        return Session(account=account, kill=Kill(1, f"riskd's state file cannot be understood: {error}"[:MAX_TEXT]))
    return session if session.account == account else Session(account=account)
