"""Our position: what the fills add up to, held against what the venue says.

The sum begins at the earliest fill's own `start_position_u`, so a stream that no longer holds all history is enough;
without any fill the account's figure counts. A difference that lasts makes the quoter stop (`position_disagrees`);
one that stays the same for longer is taken over from the venue, which is the final truth, and reported. An account
figure holds the fills its producer had told of when it was made, so it is compared with those (`t_ns`, one producer).
Sizes sz_u signed, long > 0; ages in machine ns.
"""

from __future__ import annotations

from collections import deque

from common.ledger import Ledger
from common.messages import AccountState, Fill

NS = 1_000_000_000
DISAGREE_NS = 5 * NS
TAKE_OVER_NS = 20 * NS
RECENT_FILLS = 4096


class Inventory:
    """Signed position of one coin and since when it has had its sign."""

    def __init__(self, coin: str) -> None:
        self.coin = coin
        self.position_u = 0
        self.since_t_ns = 0  # market ns, 0 = flat
        self.difference_u = 0  # the account's figure less ours
        self.take_overs = 0
        self._ledger = Ledger(coin)
        self._base_u: int | None = None
        self._base_t_ns = 0
        self._recent: deque[tuple[int, int]] = deque(maxlen=RECENT_FILLS)
        self._account: AccountState | None = None
        self._since_mono_ns: int | None = None

    @property
    def known(self) -> bool:
        """Whether the venue or a fill has told a position."""
        return self._account is not None or self._base_u is not None

    def on_fill(self, fill: Fill) -> bool:
        """Book a fill; False when it was booked before."""
        if not self._ledger.apply_fill(fill):
            return False
        signed_u = int(fill.side) * fill.sz_u
        ends_at_base = fill.start_position_u + signed_u == self._base_u and fill.venue_t_ns == self._base_t_ns
        if self._base_u is None or fill.venue_t_ns < self._base_t_ns or ends_at_base:
            self._base_u, self._base_t_ns = fill.start_position_u, fill.venue_t_ns
        self._recent.append((fill.t_ns, signed_u))
        self._settle(fill.venue_t_ns)
        return True

    def on_account(self, account: AccountState) -> None:
        """Take the venue's figure; an older one than the last changes nothing."""
        if self._account is not None and account.t_ns < self._account.t_ns:
            return
        self._account = account
        self._settle(account.t_ns)

    def disagrees(self, mono_ns: int) -> bool:
        """Whether the difference to the venue has lasted too long; to be asked regularly."""
        if self.difference_u == 0:
            self._since_mono_ns = None
            return False
        if self._since_mono_ns is None:
            self._since_mono_ns = mono_ns
        age_ns = mono_ns - self._since_mono_ns
        if age_ns > TAKE_OVER_NS and self._account is not None and self._account.reconciled:
            self._take_over()
            return False
        return age_ns > DISAGREE_NS

    def _account_u(self) -> int:
        positions = self._account.positions if self._account else []
        return sum(p.signed_u for p in positions if p.coin == self.coin)

    def _settle(self, t_ns: int) -> None:
        before_u = self.position_u
        if self._base_u is None:
            self.position_u = self._account_u()
        else:
            self.position_u = self._base_u + self._ledger.position_u
        if self.position_u == 0:
            self.since_t_ns = 0
        elif before_u * self.position_u <= 0:
            self.since_t_ns = t_ns
        self._compare()

    def _compare(self) -> None:
        difference_u = 0
        if self._account is not None and self._base_u is not None:
            later_u = sum(signed_u for t_ns, signed_u in self._recent if t_ns > self._account.t_ns)
            difference_u = self._account_u() - (self.position_u - later_u)
        if difference_u != self.difference_u:
            self._since_mono_ns = None
        self.difference_u = difference_u

    def _take_over(self) -> None:
        if self._base_u is not None:
            self._base_u += self.difference_u
        self.take_overs += 1
        self._since_mono_ns = None
        self._settle(self._account.t_ns if self._account else 0)
