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
from quoter.hold import has_run_away, is_worth_telling, new_hold
from quoter.pace import Pace
from quoter.report import inputs_of, levels_of
from quoter.state import ASK_SIDE, BID_SIDE, S_MID, new_out
from quoter.view import MarketView

MS = 1_000_000


class Publisher:
    """`ladder` is the newest one sent, None before the first."""

    def __init__(self, settings: Settings, pace: Pace, view: MarketView, state: Any, ints: Any, params: Any) -> None:
        self._q = settings.quoting
        self._ttl_s = settings.execution.cancel_age_s
        self._coin = settings.market.coin
        self._pace, self._view = pace, view
        self._state, self._ints, self._params = state, ints, params
        self.shown, self._hold = new_out(), new_hold(settings.quoting)
        self._shown_mid = 0.0
        self._shown_t_ns = 0
        self.ladder: Ladder | None = None

    @property
    def is_quoting(self) -> bool:
        return self.ladder is not None and bool(self.ladder.bids or self.ladder.asks)

    def has_run_away(self) -> bool:
        """Whether the book moved so far since the shown ladder that orders must go before new ones come."""
        return bool(has_run_away(self.shown, float(self._state[S_MID]), self._shown_mid, self._hold))

    def differs(self, target: Any, reasons: list[str], *, adapt: bool) -> bool:
        """Whether `target` is worth publishing; with `adapt`, or after ORDER_MAX_AGE, even a small move is."""
        if self.ladder is None or reasons != self.ladder.reasons:
            return True
        age_ns = self._pace.t_ns - self._shown_t_ns
        return bool(is_worth_telling(target, self.shown, self._state, self._hold, int(adapt), age_ns))

    def publish(self, target: Any, reasons: list[str], *, urgent: bool, record: QuoteRecord | None = None) -> Ladder:
        """Show `target` from now on, under a new version, with the record of its decision (None = none was made)."""
        before = self.ladder
        self.shown[:] = target
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
