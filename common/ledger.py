"""One coin's money: fills and funding in, position and PnL out, exact to the last 1e-8 quote.

This room decides what a set of fills and funding payments amounts to; the order in which they arrive does not matter,
and what arrives twice counts once. It leaves to others: where the mark comes from, and comparing with the venue.

Integers only. px_u x sz_u is a notional in 1e-6 quote, so x 100 gives 1e-8 quote (`*_e8`). The four parts:
spread = what fills earned against the mid when they arrived, inventory = what the position then gained or lost,
fees (paid > 0), funding (received > 0); total = spread + inventory - fees + funding, which is what an account with this
one market has gained since the ledger began.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from common.errors import OurFault
from common.messages import Fill, FundingPayment, Liquidity

E6_TO_E8 = 100

KEYS_MAX = 500_000
"""Remembered fill keys (250 days at 2,000 fills a day); beyond it the oldest tenth goes, and nothing older counts."""


@dataclass(frozen=True, slots=True)
class Pnl:
    """1e-8 quote; `fees_e8` > 0 is paid, `funding_e8` > 0 is received."""

    spread_e8: int
    inventory_e8: int
    fees_e8: int
    funding_e8: int
    total_e8: int


class Ledger:
    """Position, cash and PnL of one coin."""

    def __init__(self, coin: str) -> None:
        self.coin = coin
        self.position_u = 0  # signed, long > 0
        self.cash_e8 = 0  # what trading alone has changed cash by: - side x px x sz
        self.fees_e8 = 0
        self.funding_e8 = 0
        self.spread_e8 = 0
        self.cost_e8 = 0  # signed cost of the open position at average entry
        self.maker_e6 = 0  # notionals traded
        self.taker_e6 = 0
        self.fills = 0
        self.unmarked_fills = 0  # without a mid: all of their PnL is inventory's
        self.duplicates = 0
        self._keys: dict[tuple[int, int], None] = {}
        self._funding_keys: set[int] = set()
        self._oldest_t_ns = 0

    # ------------------------------------------------------------------ in
    def apply_fill(self, fill: Fill) -> bool:
        """Book one fill; False when it was booked before.  Raises OurFault for another coin's."""
        if fill.coin != self.coin:
            raise OurFault(f"ledger of {self.coin} was handed a fill of {fill.coin}")
        key = (fill.venue_t_ns, fill.tid)
        if key in self._keys or fill.venue_t_ns < self._oldest_t_ns:
            self.duplicates += 1
            return False
        self._keys[key] = None
        signed_u = int(fill.side) * fill.sz_u
        value_e8 = fill.px_u * fill.sz_u * E6_TO_E8
        self._enter(signed_u, fill.px_u)
        self.position_u += signed_u
        self.cash_e8 -= int(fill.side) * value_e8
        self.fees_e8 += fill.fee_e8
        if fill.mid2_px_u:  # mid2 is twice the mid: half of 100 keeps it exact
            self.spread_e8 += signed_u * (fill.mid2_px_u - 2 * fill.px_u) * (E6_TO_E8 // 2)
        else:
            self.unmarked_fills += 1
        if fill.liquidity is Liquidity.MAKER:
            self.maker_e6 += fill.px_u * fill.sz_u
        else:
            self.taker_e6 += fill.px_u * fill.sz_u
        self.fills += 1
        if len(self._keys) > KEYS_MAX:
            self._shed()
        return True

    def apply_funding(self, payment: FundingPayment) -> bool:
        """Book one funding payment; False when it was booked before.  Raises OurFault for another coin's."""
        if payment.coin != self.coin:
            raise OurFault(f"ledger of {self.coin} was handed funding of {payment.coin}")
        if payment.venue_t_ns in self._funding_keys:
            self.duplicates += 1
            return False
        self._funding_keys.add(payment.venue_t_ns)
        self.funding_e8 += payment.usd_e8
        return True

    # ------------------------------------------------------------------ out
    def parts(self, mark_px_u: int) -> Pnl:
        """PnL at this mark (any price will do while flat); the parts add up exactly."""
        trading_e8 = self.cash_e8 + self.position_u * mark_px_u * E6_TO_E8
        return Pnl(
            spread_e8=self.spread_e8,
            inventory_e8=trading_e8 - self.spread_e8,
            fees_e8=self.fees_e8,
            funding_e8=self.funding_e8,
            total_e8=trading_e8 - self.fees_e8 + self.funding_e8,
        )

    @property
    def realised_e8(self) -> int:
        """Closed trading PnL at average entry, before fees and funding."""
        return self.cash_e8 + self.cost_e8

    def unrealised_e8(self, mark_px_u: int) -> int:
        """Open trading PnL: realised + unrealised is trading PnL to the last digit."""
        return self.position_u * mark_px_u * E6_TO_E8 - self.cost_e8

    @property
    def entry_px(self) -> float:
        """Average entry of the open position in px_u; 0 when flat."""
        return self.cost_e8 / (self.position_u * E6_TO_E8) if self.position_u else 0.0

    @property
    def volume_e6(self) -> int:
        """Notional traded, 1e-6 quote."""
        return self.maker_e6 + self.taker_e6

    # ------------------------------------------------------------------ state
    _NUMBERS = (
        "position_u", "cash_e8", "fees_e8", "funding_e8", "spread_e8", "cost_e8", "maker_e6", "taker_e6", "fills",
        "unmarked_fills", "duplicates",
    )  # fmt: skip

    def export(self) -> dict[str, Any]:
        """Everything, as plain JSON values."""
        return {
            "coin": self.coin,
            **{name: getattr(self, name) for name in self._NUMBERS},
            "keys": [list(key) for key in self._keys],
            "funding_keys": sorted(self._funding_keys),
            "oldest_t_ns": self._oldest_t_ns,
        }

    @classmethod
    def restore(cls, exported: dict[str, Any]) -> Ledger:
        """The ledger that `export` described; raises OurFault when something is missing or no integer."""
        try:
            ledger = cls(str(exported["coin"]))
            for name in cls._NUMBERS:
                setattr(ledger, name, _whole(exported[name]))
            ledger._keys = {(_whole(t_ns), _whole(tid)): None for t_ns, tid in exported["keys"]}
            ledger._funding_keys = {_whole(t_ns) for t_ns in exported["funding_keys"]}
            ledger._oldest_t_ns = _whole(exported["oldest_t_ns"])
        except (KeyError, TypeError, ValueError) as error:
            raise OurFault(f"not a ledger's export: {error!r}") from error
        return ledger

    # ------------------------------------------------------------------ helpers
    def _enter(self, signed_u: int, px_u: int) -> None:
        """Move the open position's cost: adding costs the price, reducing gives back its share, a flip starts anew."""
        before, after = self.position_u, self.position_u + signed_u
        if before * signed_u >= 0:
            self.cost_e8 += signed_u * px_u * E6_TO_E8
        elif before * after > 0:
            self.cost_e8 = _nearest(self.cost_e8 * after, before)
        else:
            self.cost_e8 = after * px_u * E6_TO_E8

    def _shed(self) -> None:
        by_age = sorted(self._keys)
        self._oldest_t_ns = by_age[KEYS_MAX // 10][0]
        self._keys = {key: None for key in by_age if key[0] >= self._oldest_t_ns}


def _nearest(numerator: int, denominator: int) -> int:
    """Integer division, rounded to the nearest."""
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    return (2 * numerator + denominator) // (2 * denominator)


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is no integer")
    return value
