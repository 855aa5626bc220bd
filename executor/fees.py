"""Our fees over time: what the venue says it charges, whether that changed, and whether each fill paid it.

The rates come from the shell (`fee_reader.py`, hourly); a change is told to a person and, in AccountState, to the
quoter. Rates that cannot be known end all quoting. A fill of ours whose fee is further from the model than the
tolerance (5 %, design 4.6) is told once, and the rates are read again at once: the venue may have changed them since.
Rates in ppb of the notional (1 bps = 100,000 ppb), `maker` < 0 is a rebate.
"""

from __future__ import annotations

from typing import Any

from common.clock import NS
from common.fees import PPB_PER_BPS, agrees
from common.messages import Alert, Fill, Liquidity, Severity
from executor.events import Clock, FeeDiffers, FeesRead, ReadFees

TOLD_AGAIN_NS = 3_600 * NS
"""A difference that stays is told once an hour, machine time."""


class Fees:
    """The rates of one account in one market; None = not known."""

    def __init__(self, coin: str, tolerance: float) -> None:
        self.maker_ppb: int | None = None
        self.taker_ppb: int | None = None
        self._coin = coin
        self._tolerance = tolerance
        self._since_t_ns = 0  # market time from which fills are held against the rates
        self._told_mono_ns: dict[Liquidity, int] = {}

    @property
    def known(self) -> bool:
        return self.maker_ppb is not None and self.taker_ppb is not None

    def begin(self, maker_ppb: int | None, taker_ppb: int | None, now: Clock) -> None:
        """What the start found; fills of earlier lives may have paid something else."""
        self.maker_ppb, self.taker_ppb, self._since_t_ns = maker_ppb, taker_ppb, now.t_ns

    def on_read(self, read: FeesRead, now: Clock) -> list[Alert]:
        """The venue's newest word; alerts when it differs from the one before."""
        before, was_known = (self.maker_ppb, self.taker_ppb), self.known
        self.maker_ppb, self.taker_ppb = read.maker_ppb, read.taker_ppb
        if (self.maker_ppb, self.taker_ppb) == before:
            return []
        self._told_mono_ns.clear()
        if not self.known:
            text = f"{self._coin}: the venue's fees are not known ({read.why}): no quotes"
            return [Alert(now.t_ns, "FeesUnknown", Severity.CRITICAL, text[:500])]
        self._since_t_ns = now.t_ns
        if not was_known:
            return [Alert(now.t_ns, "FeesKnown", Severity.INFO, f"{self._coin}: {_words(*self._rates())}")]
        text = f"{self._coin}: fees changed from {_words(*before)} to {_words(*self._rates())}"
        return [Alert(now.t_ns, "FeesChanged", Severity.WARNING, text)]

    def on_fill(self, fill: Fill, now: Clock) -> list[Any]:
        """Hold a fill of ours against the model; a stranger's may carry a builder's fee, an old one other rates."""
        rate = self.maker_ppb if fill.liquidity is Liquidity.MAKER else self.taker_ppb
        if rate is None or not fill.cloid or fill.liquidation or fill.venue_t_ns < self._since_t_ns:
            return []
        if agrees(fill.fee_e8, fill.px_u, fill.sz_u, rate, self._tolerance):
            return []
        out: list[Any] = [FeeDiffers(fill.liquidity), ReadFees("fill")]
        told = self._told_mono_ns.get(fill.liquidity)
        if told is None or now.mono_ns - told >= TOLD_AGAIN_NS:
            self._told_mono_ns[fill.liquidity] = now.mono_ns
            paid_bps = 1e4 * fill.fee_e8 / (fill.px_u * fill.sz_u * 100)
            text = (
                f"{self._coin}: a {fill.liquidity.value} fill (tid {fill.tid}) paid {paid_bps:.4f} bps, "
                f"the model says {rate / PPB_PER_BPS:.4f}"
            )
            out.append(Alert(now.t_ns, "FeeDiffers", Severity.WARNING, text))
        return out

    def _rates(self) -> tuple[int | None, int | None]:
        return self.maker_ppb, self.taker_ppb


def _words(maker_ppb: int | None, taker_ppb: int | None) -> str:
    maker, taker = ((ppb or 0) / PPB_PER_BPS for ppb in (maker_ppb, taker_ppb))
    return f"maker {maker:.4f} / taker {taker:.4f} bps"
