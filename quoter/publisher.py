"""The ladder others see: when a new target replaces it, and how it is renewed.

A target is published when it differs enough (`hold.py`), when the reasons differ, when safety asks for it, or when what
is shown no longer fits its budget. Versions rise within a life and, as they begin at market time, across lives. Times
are market ns; mids px_u.
"""

from __future__ import annotations

from typing import Any

import msgspec

from common.config import Settings
from common.messages import Ladder, QuoteRecord
from quoter.hold import SAME, difference, side_usd
from quoter.pace import NS, Pace
from quoter.report import inputs_of, levels_of
from quoter.state import ASK_SIDE, BID_SIDE, BPS, O_LEN, S_BUDGET, S_FAIR, S_MID, new_out, numbers
from quoter.view import MarketView

MS = 1_000_000
BUDGET_SLACK = 1.0 + 1e-6


class Publisher:
    """`ladder` is the newest one sent, None before the first."""

    def __init__(self, settings: Settings, pace: Pace, view: MarketView, state: Any, ints: Any, params: Any) -> None:
        self._q = settings.quoting
        self._ttl_s = settings.execution.cancel_age_s
        self._coin = settings.market.coin
        self._pace, self._view = pace, view
        self._state, self._ints, self._params = state, ints, params
        self._shown = new_out()
        self._shown_mid = 0.0
        self._shown_t_ns = 0
        self.ladder: Ladder | None = None

    @property
    def is_quoting(self) -> bool:
        return self.ladder is not None and bool(self.ladder.bids or self.ladder.asks)

    def has_run_away(self) -> bool:
        """Whether the book moved so far since the shown ladder that orders must go before new ones come."""
        mid = float(self._state[S_MID])
        if not self.is_quoting or self._shown_mid <= 0.0 or mid <= 0.0:
            return False
        return abs(mid / self._shown_mid - 1.0) > self._q.cancel_move_bps * BPS

    def differs(self, target: Any, reasons: list[str], *, adapt: bool) -> bool:
        """Whether `target` is worth publishing; with `adapt`, or after ORDER_MAX_AGE, even a small move is."""
        if self.ladder is None or reasons != self.ladder.reasons:
            return True
        shown, q = self._shown, self._q
        if adapt and numbers(target, 0, O_LEN) != numbers(shown, 0, O_LEN):
            return True
        if any(side_usd(shown, side) > self._state[S_BUDGET + side] * BUDGET_SLACK for side in (BID_SIDE, ASK_SIDE)):
            return True
        fair = float(self._state[S_FAIR])
        holds = (q.out_bps, q.in_bps, q.hold_ratio)
        if self._pace.t_ns - self._shown_t_ns >= q.order_max_age_s * NS:
            holds = (0.0, 0.0, 0.0)
        return bool(difference(target, shown, fair, *holds, q.hold_size_ratio) != SAME)

    def publish(self, target: Any, reasons: list[str], *, urgent: bool, record: QuoteRecord | None = None) -> Ladder:
        """Show `target` from now on, under a new version, with the record of its decision (None = none was made)."""
        before = self.ladder
        self._shown[:] = target
        self._shown_mid = float(self._state[S_MID])
        self._shown_t_ns = self._pace.t_ns
        self.ladder = Ladder(
            t_ns=self._pace.t_ns,
            coin=self._coin,
            version=max(before.version + 1 if before else 1, self._pace.t_ns // MS),
            venue_t_ns=0,
            recv_t_ns=0,
            expires_t_ns=0,
            bids=levels_of(target, BID_SIDE),
            asks=levels_of(target, ASK_SIDE),
            urgent=urgent,
            reasons=reasons,
            record=record,
        )
        return self.renew(self.ladder, target)

    def renew(self, ladder: Ladder, target: Any) -> Ladder:
        """The same ladder with new times and the newest figures."""
        self.ladder = msgspec.structs.replace(
            ladder,
            t_ns=self._pace.t_ns,
            venue_t_ns=self._view.venue_t_ns,
            recv_t_ns=self._view.recv_t_ns,
            expires_t_ns=self._pace.t_ns + self._pace.market_ns(self._ttl_s),
            inputs=inputs_of(self._state, self._ints, self._params, target, self._q.profile),
        )
        return self.ladder
