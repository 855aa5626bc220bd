"""The world's command: the session report on a recording, reconciled with the venue."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backtest.exact import main
from common.errors import EXIT_CONFIG, EXIT_FAULT, EXIT_OK
from tests.support.shared import shared


def recording() -> str:
    return str(shared("data/events/standx_BTC_2026-01-05.npz"))


def test_report_is_the_sessions_and_leaves_no_residual(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", recording(), "--hours", "0.02", "--json"]) == EXIT_OK
    text = capsys.readouterr().out
    report = json.loads(text[: text.rindex("}") + 1])
    assert report["market"] == "sx:BTC"
    assert report["residual_e8"] == 0
    assert report["fills"] == report["venue_fills"]
    assert report["market_hours"] == pytest.approx(0.02, abs=0.005)
    assert report["actions"] > 0


def test_two_runs_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    for _ in range(2):
        main(["--data", recording(), "--hours", "0.01", "--from-hour", "0.2"])
        said.append([line for line in capsys.readouterr().out.splitlines() if "second" not in line])
    assert said[0] == said[1]
    assert any(line.startswith("log ") for line in said[0])


def test_what_cannot_be_played_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "broken.npz").write_bytes(b"no recording")
    assert main(["--data", str(tmp_path / "broken.npz")]) == EXIT_FAULT
    assert main(["--market", "nowhere", "--data", recording()]) == EXIT_CONFIG
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert "broken.npz" in said[0]
