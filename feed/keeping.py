"""The recorder as the feed's shell uses it: built from the settings, told its market, shown to people.

Everything here runs on the feed's loop, away from the path of the messages. A recording that has stopped, or loses
messages, is one alert each; trading goes on without it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from common import metrics
from common.build import build_id
from common.clock import MarketClock
from common.config import Settings
from common.hyperliquid import MarketFacts
from common.log import get_log
from common.messages import MAX_TEXT, SCHEMA, Alert, Severity
from feed.disk import Disk, market_folder
from feed.recorder import Figures, Recorder

log = get_log("recorder")


class Keeping:
    """One feed's recording: `take` on the path of the messages, the rest beside it."""

    def __init__(self, settings: Settings, clock: MarketClock, send: Callable[[list[Any]], None]) -> None:
        self._settings = settings
        self._clock = clock
        self._send = send
        self._coin = settings.market.coin
        self.folder = market_folder(settings.recording.folder, settings.network, self._coin)
        self._recorder = Recorder(
            Disk(settings.recording, self.folder),
            clock.now_ns,
            flush_s=settings.recording.flush_s,
            buffer_bytes=int(settings.recording.buffer_mb * 1e6),
        )
        self._shown = Figures(0, 0, {}, 0.0, "", "")
        self._told: set[str] = set()
        self.take = self._recorder.take

    def start(self) -> None:
        self._recorder.start()
        log.info("recording_started", folder=str(self.folder))

    def describe(self, facts: MarketFacts) -> None:
        """The market file a replay needs, and the clock the receive times are of."""
        settings, clock = self._settings, self._clock
        self._recorder.describe(
            {
                **dataclasses.asdict(facts), "network": settings.network, "venue_url": settings.venue_url,
                "rate": clock.rate, "session_offset_ns": clock.session_offset_ns, "build": build_id(),
                "schema": SCHEMA,
            }
        )  # fmt: skip

    def show(self) -> None:
        """Metrics, and one alert for each thing that went wrong."""
        now, before, coin = self._recorder.figures(), self._shown, self._coin
        self._shown = now
        metrics.set("amm_recorder_on", 0.0 if now.stopped else 1.0, coin=coin)
        metrics.set("amm_recorder_lag_seconds", now.lag_s, coin=coin)
        metrics.count("amm_recorder_messages_total", now.messages - before.messages, coin=coin)
        metrics.count("amm_recorder_bytes_total", now.bytes - before.bytes, coin=coin)
        for reason, dropped in now.dropped.items():
            more = max(dropped - before.dropped.get(reason, 0), 0)
            metrics.count("amm_recorder_dropped_total", more, coin=coin, reason=reason)
        if now.stopped:
            self._tell("recording_stopped", f"{coin}: recording has stopped ({now.stopped}: {now.detail})")
        elif now.dropped.get("buffer", 0):
            self._tell("recording_lossy", f"{coin}: the disk is too slow, market messages were not recorded")

    async def close(self) -> None:
        await self._recorder.close()
        self.show()
        log.info("recording_ended", messages=self._shown.messages, bytes=self._shown.bytes)

    def _tell(self, name: str, text: str) -> None:
        if name in self._told:
            return
        self._told.add(name)
        log.warning(name, coin=self._coin, reason=self._shown.stopped or "buffer", detail=self._shown.detail[:400])
        self._send([Alert(self._clock.now_ns(), name, Severity.WARNING, text[:MAX_TEXT])])
