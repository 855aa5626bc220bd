"""The figures behind each permit, for Prometheus and the log; nothing here is read back."""

from __future__ import annotations

from common import metrics
from common.log import get_log
from common.messages import Mode
from riskd.engine import is_trading
from riskd.events import Shown

ACCOUNT = "main"
MODES = tuple(Mode)

log = get_log("riskd")


class Gauges:
    """Sets the gauges of one market's risk and logs every change of mode or reasons."""

    def __init__(self, coin: str) -> None:
        self._coin = coin
        self._before: tuple[str, tuple[str, ...]] | None = None
        self._kill_label = ""

    def show(self, shown: Shown) -> None:
        self._log_change(shown)
        values = {
            "amm_equity_usd": shown.equity_usd,
            "amm_equity_peak_usd": shown.peak_usd,
            "amm_margin_used_usd": shown.margin_used_usd,
            "amm_margin_available_usd": shown.equity_usd - shown.margin_used_usd,
            "amm_margin_ratio": shown.margin_ratio,
            "amm_drawdown_ratio": shown.drawdown,
            "amm_session_pnl_usd": shown.session_pnl_usd,
            "amm_session_loss_limit_usd": shown.session_loss_limit_usd,
        }
        if shown.known:
            for name, value in values.items():
                metrics.set(name, value, account=ACCOUNT)
        metrics.set("amm_taker_ratio", shown.taker_ratio, window="24h")
        metrics.set("amm_consecutive_losing_fills", float(shown.streak), coin=self._coin)
        metrics.set("amm_losing_streak_loss_usd", shown.streak_loss_usd, coin=self._coin)
        metrics.set("amm_risk_mode", float(MODES.index(shown.mode)))
        metrics.set("amm_trading_enabled", float(is_trading(shown.mode)))
        self._show_kill(shown.kill_label)

    def _show_kill(self, label: str) -> None:
        """One series a kind of kill, so that the label stays bounded whatever people write."""
        if self._kill_label and self._kill_label != label:
            metrics.set("amm_kill_switch_tripped", 0.0, reason=self._kill_label)
        if label:
            metrics.set("amm_kill_switch_tripped", 1.0, reason=label)
        self._kill_label = label

    def _log_change(self, shown: Shown) -> None:
        now = (shown.mode.value, shown.reasons)
        if now != self._before:
            log.info("permit_changed", coin=self._coin, mode=now[0], reasons=list(now[1]), kill=shown.kill_reason)
            self._before = now
