"""What people are told of a recording: figures as metrics, and one alert for each thing that went wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from common import metrics
from common.clock import MarketClock
from common.config import load
from common.messages import Severity
from feed.keeping import Keeping
from feed.recorder import Figures, Recorder

COIN = "km:US500"
NAMES = ("amm_recorder_messages_total", "amm_recorder_bytes_total")


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the recorder says of itself, to be changed by a test."""
    said: dict[str, Any] = {
        "messages": 0, "bytes": 0, "dropped": {"buffer": 0, "stopped": 0}, "lag_s": 0.0, "stopped": "", "detail": ""
    }  # fmt: skip
    monkeypatch.setattr(Recorder, "figures", lambda _: Figures(**said))
    return said


@pytest.fixture
def sent() -> list[Any]:
    return []


@pytest.fixture
def keeping(tmp_path: Path, sent: list[Any], figures: dict[str, Any]) -> Keeping:
    settings = load("feed", {"RECORD": "on", "RECORD_DIR": str(tmp_path)})
    return Keeping(settings, MarketClock(), sent.extend)


def counted() -> list[float]:
    dropped = [metrics.value("amm_recorder_dropped_total", coin=COIN, reason=r) for r in ("buffer", "stopped")]
    return [*(metrics.value(name, coin=COIN) for name in NAMES), *dropped]


def test_counters_rise_by_what_is_new(keeping: Keeping, figures: dict[str, Any]) -> None:
    before = counted()
    for messages, size, dropped in ((3, 300, 0), (3, 300, 1), (10, 900, 5)):
        figures |= {"messages": messages, "bytes": size, "dropped": {"buffer": dropped, "stopped": 0}, "lag_s": 0.25}
        keeping.show()
    assert [now - then for now, then in zip(counted(), before, strict=True)] == [10.0, 900.0, 5.0, 0.0]
    assert metrics.value("amm_recorder_on", coin=COIN) == 1.0
    assert metrics.value("amm_recorder_lag_seconds", coin=COIN) == 0.25


def test_lost_messages_and_the_end_are_told_once_each(
    keeping: Keeping, figures: dict[str, Any], sent: list[Any]
) -> None:
    keeping.show()
    assert sent == []
    for _ in range(3):
        figures["dropped"] = {"buffer": figures["dropped"]["buffer"] + 1, "stopped": 0}
        keeping.show()
    for _ in range(3):
        figures |= {"stopped": "disk_full", "detail": "No space left on device"}
        keeping.show()
    assert [(alert.name, alert.severity) for alert in sent] == [
        ("recording_lossy", Severity.WARNING), ("recording_stopped", Severity.WARNING),
    ]  # fmt: skip
    assert "disk_full: No space left on device" in sent[1].text
    assert metrics.value("amm_recorder_on", coin=COIN) == 0.0
