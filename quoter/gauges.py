"""The quoter's figures for Prometheus and the log; nothing here is read back.

A markout histogram has negative buckets, so it exports no sum: the mean comes from the three counters beside it.
"""

from __future__ import annotations

from typing import Any

from common import metrics
from common.clock import NS, mono_ns
from common.config import SESSION_NAMES, Settings
from common.errors import OurFault
from common.log import get_log
from common.markout import Scored
from common.messages import Ladder
from common.ticks import px_decimals
from quoter.engine import QuoteEngine
from quoter.events import Figures, Refused
from quoter.evidence import show_evidence
from quoter.features import X_OFI
from quoter.sessions import UNKNOWN
from quoter.signals import BANDS_BPS, G_DEPTH, G_PRESSURE, G_THIN
from quoter.state import BPS, I_LIQUID, S_VOL_MODEL

EVERY_NS = NS // 4
FLOWS = ("1s", "5s", "30s")
E6 = 1e-6

log = get_log("quoter")


class Gauges:
    """Carries out the engine's effects: shows figures, counts scores and refused messages, logs changes of mood."""

    def __init__(self, settings: Settings, engine: QuoteEngine) -> None:
        self._coin = settings.market.coin
        self._levels = settings.quoting.order_levels
        self._engine = engine
        self._shown_mono_ns = 0
        self._reasons: list[str] | None = None
        for horizon_s in engine.markouts.horizons_s:
            for name in ("favourable_bps", "adverse_bps", "fills"):
                metrics.count(f"amm_markout_{name}_total", 0, coin=self._coin, horizon=f"{horizon_s}s")

    def on(self, effect: Any) -> None:
        match effect:
            case Figures():
                self._log_change(effect.ladder)
                now = mono_ns()
                if now - self._shown_mono_ns >= EVERY_NS:
                    self._shown_mono_ns = now
                    self.show(effect)
            case Scored():
                self._score(effect)
            case Refused():
                metrics.count("amm_bad_input_total", boundary="book", reason=effect.reason)
            case _:
                raise OurFault(f"the quoter's shell knows no {type(effect).__name__}")

    def _log_change(self, ladder: Ladder) -> None:
        if ladder.reasons != self._reasons:
            self._reasons = ladder.reasons
            log.info(
                "quoting_changed", coin=self._coin, t_ns=ladder.t_ns, bids=len(ladder.bids), asks=len(ladder.asks),
                reasons=ladder.reasons,
            )  # fmt: skip

    def _score(self, scored: Scored) -> None:
        labels = {"coin": self._coin, "horizon": f"{scored.horizon_s}s"}
        metrics.observe("amm_markout_bps", scored.bps, **labels)
        metrics.count("amm_markout_fills_total", **labels)
        metrics.count("amm_markout_favourable_bps_total", max(scored.bps, 0.0), **labels)
        metrics.count("amm_markout_adverse_bps_total", max(-scored.bps, 0.0), **labels)

    def show(self, figures: Figures) -> None:
        """Set every gauge from the newest decision."""
        ladder, inputs = figures.ladder, figures.ladder.inputs
        spec = self._engine.gate.spec
        if inputs is None or spec is None or inputs.mid_px <= 0.0:
            return
        usd = 10.0 ** -px_decimals(spec.sz_decimals)
        view = figures.view
        values = {
            "amm_mid_price_usd": inputs.mid_px * usd,
            "amm_microprice_usd": inputs.micro_px * usd,
            "amm_best_bid_price_usd": (view.bids[0][0] if view.bids else 0) * usd,
            "amm_best_ask_price_usd": (view.asks[0][0] if view.asks else 0) * usd,
            "amm_spread_half_bps": half_spread_bps(ladder, inputs.fair_px),
            "amm_spread_floor_bps": max(inputs.floor_bid_bps, inputs.floor_ask_bps),
            "amm_quote_fade_multiplier": max(inputs.fade_bid, inputs.fade_ask),
            "amm_book_imbalance_ratio": inputs.imbalance,
            "amm_delta_ratio": inputs.delta,
            "amm_levels_merged": float(inputs.merged_levels),
            "amm_vol_known": float(inputs.vol_known),
        }
        for name, value in values.items():
            metrics.set(name, value, coin=self._coin)
        self._show_session()
        for estimator, vol in (("ewma_fast", inputs.vol_fast), ("ewma_slow", inputs.vol_slow)):
            metrics.set("amm_volatility_annualized_ratio", vol, coin=self._coin, estimator=estimator)
        metrics.set(
            "amm_volatility_annualized_ratio", self._engine.state[S_VOL_MODEL], coin=self._coin, estimator="model"
        )
        self._show_levels(ladder, usd)
        show_evidence(self._engine, self._coin, self._levels)
        self._show_signals(self._engine.signals())

    def _show_session(self) -> None:
        sessions = self._engine.sessions
        for name in (*SESSION_NAMES, UNKNOWN):
            metrics.set("amm_session_active", float(name == sessions.name), coin=self._coin, session=name)
        if sessions.days_left is not None:
            metrics.set("amm_session_calendar_days", sessions.days_left, coin=self._coin)

    def _show_levels(self, ladder: Ladder, usd: float) -> None:
        """Levels that are not quoted show price and size 0."""
        for side, levels in (("bid", ladder.bids), ("ask", ladder.asks)):
            for n in range(self._levels):
                px_u, sz_u = (levels[n].px_u, levels[n].sz_u) if n < len(levels) else (0, 0)
                labels = {"coin": self._coin, "side": side, "level": f"{n:02d}"}
                metrics.set("amm_quote_price_usd", px_u * usd, **labels)
                metrics.set("amm_quote_size_usd", px_u * sz_u * E6, **labels)

    def _show_signals(self, found: Any) -> None:
        """Depth within a distance counts old levels less; beyond the levels in view it is a lower bound."""
        for at, side in enumerate(("bid", "ask")):
            for band, within_bps in enumerate(BANDS_BPS):
                labels = {"coin": self._coin, "side": side, "distance_bps": f"{within_bps:03d}"}
                metrics.set("amm_book_depth_usd", found[G_DEPTH + 2 * band + at], **labels)
            metrics.set("amm_book_thin_levels", found[G_THIN + at], coin=self._coin, side=side)
        metrics.set("amm_book_pressure_ratio", found[G_PRESSURE], coin=self._coin)
        metrics.set("amm_book_liquid", float(self._engine.ints[I_LIQUID]), coin=self._coin)
        for name, flow in zip(FLOWS, self._engine.outlook.features()[X_OFI : X_OFI + len(FLOWS)], strict=True):
            metrics.set("amm_order_flow_imbalance", flow, coin=self._coin, window=name)


def half_spread_bps(ladder: Ladder, fair_px: float) -> float:
    """Half the gap between our innermost quotes, or the distance of the only side; 0 without quotes."""
    if fair_px <= 0.0:
        return 0.0
    bid = (fair_px - ladder.bids[0].px_u) if ladder.bids else None
    ask = (ladder.asks[0].px_u - fair_px) if ladder.asks else None
    present = [distance for distance in (bid, ask) if distance is not None]
    return sum(present) / len(present) / fair_px / BPS if present else 0.0
