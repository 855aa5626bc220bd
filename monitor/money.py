"""Our money: fills and funding into exact PnL, the account as two parties see it, and whether the two agree.

PnL comes from our own ledger (every fill and funding payment since it began). Against it stand the executor's
AccountState and our own independent AccountView: positions must agree at the view's own time, and cash (equity less
open PnL) may only have changed by what the ledger booked. Integers in 1e-8 quote; times market ns unless `mono`.
Every part of PnL is told as what it *added*: fees paid are negative, so spread + inventory + fees + funding = net.
"""

from __future__ import annotations

from collections import deque

from common.ledger import Ledger
from common.messages import AccountState, AccountView, Fill, FundingPayment, Liquidity, Position

S = 1_000_000_000
DAY_NS = 86_400 * S
SETTLE_S = 2.0
"""Machine time a view waits for fills still on their way to us."""
POSITION_WINDOW_S = 2.0
"""The venue's answer and its fills may disagree about their order by this much market time (times the speed)."""
RESIDUAL_E8 = 1_000_000
"""One cent: the venue rounds fees and open PnL to 1e-6 quote."""
FILLS_KEPT = 50


class MoneyBoard:
    """Ledger, account and wallet of one coin."""

    def __init__(self, coin: str) -> None:
        self.coin = coin
        self.ledger = Ledger(coin)
        self.account: AccountState | None = None
        self.wallet: AccountView | None = None
        self.wallet_mono_ns: int | None = None
        self.fills: deque[Fill] = deque(maxlen=FILLS_KEPT)
        self.opening_u = 0
        self.position_wrong_since: int | None = None
        self.residual_since: int | None = None
        self.residual_e8 = 0
        self._base_e8: int | None = None
        self._unchecked: AccountView | None = None
        self._positions: deque[tuple[int, int]] = deque(maxlen=4_000)  # (venue_t_ns, position_u after it)
        self._day: deque[tuple[int, int, bool]] = deque()  # (venue_t_ns, ntl_e6, maker)
        self._day_e6 = {True: 0, False: 0}

    # ------------------------------------------------------------------ in
    def on_fill(self, fill: Fill) -> bool:
        """Book a fill; False when it was booked before."""
        if not self.ledger.apply_fill(fill):
            return False
        if self.ledger.fills == 1:
            self.opening_u = fill.start_position_u
            self._positions.append((0, self.opening_u))
        self.fills.append(fill)
        self._positions.append((fill.venue_t_ns, self.position_u))
        ntl_e6, maker = fill.px_u * fill.sz_u, fill.liquidity is Liquidity.MAKER
        self._day.append((fill.venue_t_ns, ntl_e6, maker))
        self._day_e6[maker] += ntl_e6
        return True

    def on_funding(self, payment: FundingPayment) -> bool:
        return self.ledger.apply_funding(payment)

    def on_account(self, account: AccountState) -> None:
        self.account = account

    def on_wallet(self, view: AccountView, mono_ns: int) -> None:
        self.wallet, self.wallet_mono_ns = view, mono_ns
        self._unchecked = view

    def on_time(self, t_ns: int, mono_ns: int, rate: float) -> None:
        """Forget fills older than a day in the shares; compare the wallet once its fills must have arrived."""
        while self._day and t_ns - self._day[0][0] > DAY_NS:
            _, ntl_e6, maker = self._day.popleft()
            self._day_e6[maker] -= ntl_e6
        if self._unchecked is None or self.wallet_mono_ns is None:
            return
        if mono_ns - self.wallet_mono_ns >= SETTLE_S * S:
            self._compare(self._unchecked, mono_ns, rate)
            self._unchecked = None

    # ------------------------------------------------------------------ out
    @property
    def position_known(self) -> bool:
        return self.ledger.fills > 0 or self.account is not None or self.wallet is not None

    @property
    def position_u(self) -> int:
        """Signed position by our own fills; before the first one, by the account."""
        if self.ledger.fills:
            return self.opening_u + self.ledger.position_u
        seen = self._seen()
        return seen.signed_u if seen else 0

    @property
    def equity_e8(self) -> int | None:
        """The newer of the two views of the account."""
        views = [view for view in (self.account, self.wallet) if view is not None]
        return max(views, key=lambda view: view.venue_t_ns).equity_e8 if views else None

    def pnl(self, mark_px_u: int) -> dict[str, int]:
        """Net PnL and its parts at this mark, each as what it added, 1e-8 quote."""
        parts = self.ledger.parts(mark_px_u)
        return {
            "net": parts.total_e8,
            "spread": parts.spread_e8,
            "inventory": parts.inventory_e8,
            "fees": -parts.fees_e8,
            "funding": parts.funding_e8,
        }

    def shares_24h(self) -> tuple[float | None, float | None]:
        """(maker, taker) share of our notional over the last market day; None without fills."""
        total = sum(self._day_e6.values())
        if total == 0:
            return None, None
        return self._day_e6[True] / total, self._day_e6[False] / total

    @property
    def fills_24h(self) -> int:
        return len(self._day)

    def _seen(self) -> Position | None:
        views = [view for view in (self.account, self.wallet) if view is not None]
        if not views:
            return None
        newest = max(views, key=lambda view: view.venue_t_ns)
        return next((p for p in newest.positions if p.coin == self.coin), None)

    # ------------------------------------------------------------------ second opinion
    def _compare(self, view: AccountView, mono_ns: int, rate: float) -> None:
        held = next((p for p in view.positions if p.coin == self.coin), None)
        held_u = held.signed_u if held else 0
        window_ns = int(POSITION_WINDOW_S * max(1.0, rate) * S)
        recent = self._between(view.venue_t_ns - window_ns, view.venue_t_ns + window_ns)
        agrees = held_u in recent if self.ledger.fills else True
        self.position_wrong_since = None if agrees else (self.position_wrong_since or mono_ns)
        if agrees and len(recent) <= 1:  # no fill near the view: cash can be compared
            self._check_cash(view, mono_ns)

    def _between(self, from_t_ns: int, to_t_ns: int) -> set[int]:
        """Positions we held at some moment of the window."""
        found, before = set(), self.opening_u
        for t_ns, position_u in self._positions:
            if t_ns > to_t_ns:
                break
            if t_ns >= from_t_ns:
                found.add(position_u)
            else:
                before = position_u
        return found | {before}

    def _check_cash(self, view: AccountView, mono_ns: int) -> None:
        cash_e8 = view.equity_e8 - sum(p.unrealised_e8 for p in view.positions)
        booked_e8 = self.ledger.realised_e8 - self.ledger.fees_e8 + self.ledger.funding_e8
        if self._base_e8 is None:
            self._base_e8 = cash_e8 - booked_e8
        self.residual_e8 = cash_e8 - booked_e8 - self._base_e8
        ours_alone = self.opening_u == 0 and all(p.coin == self.coin for p in view.positions)
        wrong = ours_alone and abs(self.residual_e8) > RESIDUAL_E8
        self.residual_since = (self.residual_since or mono_ns) if wrong else None
