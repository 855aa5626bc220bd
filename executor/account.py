"""The account between two looks at the venue: position, equity, taker share, and whether all of it agrees.

The venue's `clearinghouseState` is the base; fills and funding with a later venue time are added to it, and equity
follows the mark. Whether a fill of the same millisecond is in the base is told by the position before it
(`start_position_u`). Money in 1e-8 quote, position in sz_u (long > 0).
"""

from __future__ import annotations

from collections import deque

from common.clock import NS
from common.messages import AccountState, Fill, FundingPayment, Liquidity, Position
from executor.events import AccountSeen, Holding
from executor.governor import Governor

DAY_NS = 86_400 * NS
KEYS_MAX = 200_000
DIFFERENCES_MAX = 5
"""Looks in a row at which the venue's position is not the one our fills lead to (2 s apart: 10 s, P21)."""


class Account:
    """One account, one traded coin."""

    def __init__(self, coin: str) -> None:
        self.coin = coin
        self.maker_ppb: int | None = None
        self.taker_ppb: int | None = None
        self.base: AccountSeen | None = None
        self.differences = 0
        self._base_mark_px_u = 0
        self._mark_px_u = 0
        self._recent: list[Fill] = []  # with a venue time at or after the base's
        self._later: list[Fill] = []  # those of them that the base does not hold
        self._paid: deque[tuple[int, int]] = deque()  # funding after the base: venue time, usd_e8
        self._keys: dict[tuple[int, int], None] = {}
        self._fundings: dict[int, None] = {}
        self._day: deque[tuple[int, int, bool]] = deque()  # venue time, notional in 1e-6 quote, taker
        self._maker_e6 = 0
        self._taker_e6 = 0
        self._told_base: AccountSeen | None = None  # the look our own count of the position starts from,
        self._told: list[Fill] = []  # and the fills since

    # ------------------------------------------------------------------ in
    def seed(self, fills: list[Fill], fundings: list[FundingPayment]) -> None:
        """What earlier lives recorded: known already, but part of the taker share."""
        for fill in fills:
            if (fill.venue_t_ns, fill.tid) not in self._keys:
                self._keys[(fill.venue_t_ns, fill.tid)] = None
                self._count(fill)
        for payment in fundings:
            self._fundings[payment.venue_t_ns] = None

    def on_fill(self, fill: Fill) -> bool:
        """Add a fill; False when it was known."""
        key = (fill.venue_t_ns, fill.tid)
        if key in self._keys:
            return False
        self._keys[key] = None
        if len(self._keys) > KEYS_MAX:
            del self._keys[next(iter(self._keys))]
        self._count(fill)
        self._recent.append(fill)
        self._told.append(fill)
        self._later = _after(self.base, self._recent)
        return True

    def on_funding(self, payment: FundingPayment) -> bool:
        """Add a payment; False when it was known."""
        if payment.venue_t_ns in self._fundings:
            return False
        self._fundings[payment.venue_t_ns] = None
        if self.base is not None and payment.venue_t_ns > self.base.venue_t_ns:
            self._paid.append((payment.venue_t_ns, payment.usd_e8))
        return True

    def on_mark(self, mark_px_u: int) -> None:
        self._mark_px_u = mark_px_u

    def on_seen(self, seen: AccountSeen) -> bool:
        """A newer look at the venue becomes the base; False when it is older than the one held."""
        if self.base is not None and seen.venue_t_ns < self.base.venue_t_ns:
            return False
        self.base, self._base_mark_px_u = seen, self._mark_px_u
        self._recent = [f for f in self._recent if f.venue_t_ns >= seen.venue_t_ns]
        self._later = _after(seen, self._recent)
        while self._paid and self._paid[0][0] <= seen.venue_t_ns:
            self._paid.popleft()
        if self._told_base is None:
            self.accept()
        self._told = _after(self._told_base, self._told, keep_same=True)
        told_u = _position_u(self._told_base, _after(self._told_base, self._told), self.coin)
        self.differences = self.differences + 1 if told_u != self.position_u else 0
        return True

    def accept(self) -> None:
        """All fills the venue has are in: from here on its position is the one our fills start from."""
        self._told_base, self._told, self.differences = self.base, list(self._recent), 0

    # ------------------------------------------------------------------ reading
    @property
    def known(self) -> bool:
        return self.base is not None

    @property
    def agrees(self) -> bool:
        """Whether the venue's position is the one our fills lead to (a difference may be on its way for a while)."""
        return self.differences < DIFFERENCES_MAX

    @property
    def position_u(self) -> int:
        """The position now; 0 when nothing is known (`known` says so)."""
        return _position_u(self.base, self._later, self.coin)

    @property
    def equity_e8(self) -> int:
        """Equity at the newest mark; 0 when nothing is known."""
        if self.base is None:
            return 0
        equity_e8 = self.base.equity_e8 + sum(usd_e8 for _, usd_e8 in self._paid)
        held, mark_px_u = self._holding(), self._mark_px_u
        if held and self._base_mark_px_u and mark_px_u:
            equity_e8 += held.signed_u * (mark_px_u - self._base_mark_px_u) * 100
        for fill in self._later:
            gained_u = int(fill.side) * fill.sz_u * ((mark_px_u or fill.px_u) - fill.px_u)
            equity_e8 += gained_u * 100 - fill.fee_e8
        return equity_e8

    def taker_ratio(self, t_ns: int) -> float:
        """Taker share of the notional of the last 24 h of market time."""
        while self._day and self._day[0][0] < t_ns - DAY_NS:
            _, ntl_e6, taker = self._day.popleft()
            self._taker_e6 -= ntl_e6 if taker else 0
            self._maker_e6 -= 0 if taker else ntl_e6
        total_e6 = self._maker_e6 + self._taker_e6
        return self._taker_e6 / total_e6 if total_e6 else 0.0

    def state(
        self, t_ns: int, governor: Governor, open_orders: int, unknown_orders: int, doubt: str
    ) -> AccountState | None:
        """The message for riskd and the others; None before the first look at the venue."""
        if self.base is None:
            return None
        return AccountState(
            t_ns=t_ns,
            venue_t_ns=self.base.venue_t_ns,
            equity_e8=self.equity_e8,
            margin_used_e8=self.base.margin_used_e8,
            maintenance_e8=self.base.maintenance_e8,
            positions=self._positions(),
            open_orders=open_orders,
            unknown_orders=unknown_orders,
            actions_used=governor.used,
            actions_cap=governor.cap,
            maker_fee_ppb=self.maker_ppb,
            taker_fee_ppb=self.taker_ppb,
            reconciled=not doubt,
            reconcile_reason=doubt[:64],
            taker_ratio_24h=min(max(self.taker_ratio(t_ns), 0.0), 1.0),
            governor_tokens=governor.tokens,
        )

    # ------------------------------------------------------------------ helpers
    def _holding(self) -> Holding | None:
        return _held(self.base, self.coin)

    def _count(self, fill: Fill) -> None:
        taker, ntl_e6 = fill.liquidity is Liquidity.TAKER, fill.px_u * fill.sz_u
        self._day.append((fill.venue_t_ns, ntl_e6, taker))
        self._taker_e6 += ntl_e6 if taker else 0
        self._maker_e6 += 0 if taker else ntl_e6

    def _positions(self) -> list[Position]:
        """Other coins as the venue has them; ours with the later fills and at the newest mark."""
        found = [
            Position(h.coin, h.signed_u, h.entry_px, h.unrealised_e8, h.margin_used_e8)
            for h in (self.base.holdings if self.base else ())
            if h.coin != self.coin
        ]
        held = self._holding()
        signed_u, entry_px = (held.signed_u, held.entry_px) if held else (0, 0.0)
        for fill in self._later:
            signed_u, entry_px = _entered(signed_u, entry_px, int(fill.side) * fill.sz_u, fill.px_u)
        if signed_u:
            mark_px_u = self._mark_px_u or entry_px
            unrealised_e8 = round(signed_u * (mark_px_u - entry_px) * 100)
            margin_e8 = held.margin_used_e8 if held else 0
            found.append(Position(self.coin, signed_u, entry_px, unrealised_e8, margin_e8))
        return found


def _held(seen: AccountSeen | None, coin: str) -> Holding | None:
    return next((h for h in (seen.holdings if seen else ()) if h.coin == coin), None)


def _position_u(seen: AccountSeen | None, later: list[Fill], coin: str) -> int:
    held = _held(seen, coin)
    return (held.signed_u if held else 0) + sum(int(f.side) * f.sz_u for f in later)


def _after(seen: AccountSeen | None, fills: list[Fill], *, keep_same: bool = False) -> list[Fill]:
    """The fills that this look at the venue does not hold.

    Later ones are; of those of its own millisecond the ones that its position leads to, fill by fill. (A round trip
    within that millisecond cannot be told apart; the next look settles it.)
    """
    if seen is None:
        return fills
    same = [f for f in fills if f.venue_t_ns == seen.venue_t_ns]
    if same and not keep_same:
        held = _held(seen, same[0].coin)
        reached, grew = {held.signed_u if held else 0}, True
        while grew:
            led_to = {f.start_position_u + int(f.side) * f.sz_u for f in same if f.start_position_u in reached}
            grew = not led_to <= reached
            reached |= led_to
        same = [f for f in same if f.start_position_u in reached]
    return [*same, *(f for f in fills if f.venue_t_ns > seen.venue_t_ns)]


def _entered(signed_u: int, entry_px: float, added_u: int, px_u: int) -> tuple[int, float]:
    """Position and average entry after a fill: averaged when it grows, kept when it shrinks, new when it turns."""
    after_u = signed_u + added_u
    if after_u == 0:
        return 0, 0.0
    if signed_u == 0 or (signed_u > 0) != (after_u > 0):
        return after_u, float(px_u)
    if abs(after_u) < abs(signed_u):
        return after_u, entry_px
    return after_u, (entry_px * signed_u + px_u * added_u) / after_u
