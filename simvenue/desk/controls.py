"""What the venue's operators do to a market: prices set from outside, halt, delisting, a deleveraging from elsewhere.

None of it can be asked for by a trader. Everything happens at the time of the last `advance`; what is said about it
comes out with the next one. The rules are in `money/prices.py`, `settlement.py`, `money/deleverage.py` and
`money/liquidation.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from simvenue.book.pit import Pit
from simvenue.desk import settlement
from simvenue.door.latency import Latency
from simvenue.events import BUY, SELL
from simvenue.money import deleverage
from simvenue.money.liquidation import Liquidator
from simvenue.reads import Reads
from simvenue.source import premium_at, told_by


class Controls(Reads):
    """The operators' half of `Exchange`."""

    def __init__(self, pits: Sequence[Pit], latency: Latency, origin_ns: int) -> None:
        super().__init__(pits, latency, origin_ns)
        self._liquidator = Liquidator(pits, self._registry, self._clearing, latency)

    # ---------------------------------------------------------------- prices
    def set_oracle(self, coin: str, oracle_px_u: int, marks_px_u: Sequence[int] = ()) -> str | None:
        """A deployer's `setOracle`; None when it was taken.  From then on nobody else sets the market's oracle."""
        pit = self._by_coin[coin]
        refused = pit.prices.set_oracle(self.now_ns, oracle_px_u, marks_px_u, _touch(pit))
        if refused is None:
            self._after_marks(self.now_ns)
        return refused

    def _update_prices(self, pit: Pit, t_ns: int) -> bool:
        """The market's regular update; returns whether there is an oracle."""
        told = told_by(pit.source)
        if told is not None:
            return pit.prices.follow(told.oracle_px_u, told.mark_px_u)
        premium = premium_at(pit.source, t_ns)
        return pit.prices.update(pit.recorded_mid2(), pit.local_mid2(), t_ns, _touch(pit), premium)

    def _after_marks(self, t_ns: int) -> None:
        """Marks or funding moved money: who must be liquidated, and what everybody may still open."""
        self._liquidator.check(t_ns)
        self._clearing.recheck(self.addresses(), t_ns)

    # ---------------------------------------------------------------- the market's life
    def is_halted(self, coin: str) -> bool:
        return self._by_coin[coin].is_halted

    def is_delisted(self, coin: str) -> bool:
        return self._by_coin[coin].is_delisted

    def is_capped(self, coin: str) -> bool:
        """Whether the market's open interest is at its cap."""
        return self._clearing.is_capped(self._by_coin[coin])

    def halt(self, coin: str) -> int:
        """Cancel all orders, settle all positions at the mark, refuse new orders; returns that price in px_u."""
        return settlement.halt(self._clearing, self._registry, self._by_coin[coin], self.now_ns)

    def delist(self, coin: str) -> int:
        """The same for good, at the delisting's price."""
        return settlement.delist(self._clearing, self._registry, self._by_coin[coin], self.now_ns)

    def resume(self, coin: str) -> None:
        """Trade again, unless the market is delisted."""
        if not self._by_coin[coin].is_delisted:
            self._by_coin[coin].resume()

    def deleverage(self, coin: str, side: int, sz_u: int) -> list[str]:
        """A trader outside this venue's accounts went under: close up to `sz_u` of those who hold `side` here.

        The first of the queue first, at the previous mark, against the house; returns whom it met.
        """
        met = deleverage.close_opposite(self._clearing, self._by_coin[coin], self.now_ns, side, sz_u, None)
        self._clearing.recheck(met, self.now_ns)
        return met


def _touch(pit: Pit) -> tuple[int, int] | None:
    bid, ask = pit.best(BUY), pit.best(SELL)
    return (bid[0], ask[0]) if bid and ask else None
