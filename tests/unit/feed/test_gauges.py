"""What the feed exports: ages on the clock of whoever scrapes, however fast the market's own time runs."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from common import metrics
from common.bus import Hub, MemoryBus
from common.clock import NS
from common.config import load
from feed.main import Feed


@pytest.mark.parametrize("rate", [1.0, 20.0])
def test_a_channel_silent_for_a_second_is_a_second_old_at_any_speed(tmp_path: Path, rate: float) -> None:
    feed = Feed(load("feed", {"RUN_DIR": str(tmp_path)}), MemoryBus(Hub(), "feed", block_ms=50))
    clock = feed.service.clock
    clock.rate = rate
    feed.engine.channel_recv_t_ns["bbo"] = clock.now_ns() - int(rate * NS)
    feed._set_gauges()
    heard_s = metrics.value("amm_feed_last_message_timestamp_seconds", coin=feed.coin, channel="bbo")
    assert time.time() - heard_s == pytest.approx(1.0, abs=0.5)
