"""What a person sees who types `make up` and nothing else: which market it is, and fills in `make status`."""

from __future__ import annotations

import json
import time

import pytest

from scripts.stack import wait_for
from tests.support.containers import Running, make, note

pytestmark = pytest.mark.container

FILL_S = 360.0
"""The README's bound, for a weekend; three minutes otherwise."""


def status(stack: Running) -> dict[str, object]:
    """What `make status` prints."""
    found: dict[str, object] = json.loads(make("status", PORT_BASE=str(stack.port_base)))
    return found


def test_make_up_says_what_is_traded(shown: Running) -> None:
    assert "km:US500 on paper: a made-up market, order flow lively" in shown.said
    assert "at 20 market seconds a second" in shown.said


def test_make_status_shows_fills_of_the_market_that_nobody_chose(shown: Running) -> None:
    began = time.monotonic()
    found = wait_for(lambda: (said := status(shown))["fills_count"] and said, FILL_S, "a fill", every_s=1.0)
    note(f"make up without a word: {found['fills_count']} fills {time.monotonic() - began:.0f} s after it was healthy")
    assert found["speed"] == 20
    assert found["fills"]
