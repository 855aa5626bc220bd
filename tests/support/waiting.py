"""Wait for a condition with a deadline; nothing here sleeps for a fixed time and hopes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def until(condition: Callable[[], T], what: str, within_s: float = 10.0) -> T:
    """The first truthy answer of `condition`, or a failure that names what never came."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        await asyncio.sleep(0.01)
    raise AssertionError(f"not within {within_s:.0f} s: {what}")
