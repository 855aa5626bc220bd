"""The venue's request weight per IP (1,200 a minute), shared by all services of one machine.

This room decides whether a REST request may go out now. All services draw from one token bucket behind the bus
(`WeightStore`), from which everyone but executor and warden leaves `RESERVED` untouched; without the store each
service keeps to a sixth on its own. The warden never asks a store: its own are set aside. In any minute at most
capacity + 60 x rate leave a bucket: 1,080 the shared one, 120 the warden's, together the venue's 1,200.
Source: hyperliquid.md 3 and 9; design 4.5.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from common.bus_types import Bucket
from common.clock import NS, mono_ns
from common.errors import LinkDown

SHARED = Bucket("ip-weight", capacity=540.0, rate_per_s=9.0)
RESERVED = 240.0
"""Kept for the executor."""
ALONE = Bucket("alone", capacity=100.0, rate_per_s=100.0 / 60.0)
WARDEN = Bucket("warden", capacity=90.0, rate_per_s=0.5)
"""One clearing looks three times, 20 each; what the executor had told of is cancelled before the first look."""


class WeightStore(Protocol):
    """What a bus offers: take `tokens` unless fewer than `keep` would stay; 0 taken, > 0 wait so long, None no link."""

    async def take(self, bucket: Bucket, tokens: float, keep: float = 0.0) -> float | None: ...


class LocalBucket:
    """A token bucket of this process alone; full at first."""

    def __init__(self, bucket: Bucket, now_mono_ns: int) -> None:
        self.bucket = bucket
        self._tokens = bucket.capacity
        self._at_ns = now_mono_ns

    def take(self, tokens: float, now_mono_ns: int) -> float:
        """0.0 when taken, else the seconds until it can be."""
        refill = self.bucket.rate_per_s * max(now_mono_ns - self._at_ns, 0) / NS
        self._tokens = min(self._tokens + refill, self.bucket.capacity)
        self._at_ns = max(now_mono_ns, self._at_ns)
        if tokens <= self._tokens:
            self._tokens -= tokens
            return 0.0
        return (tokens - self._tokens) / self.bucket.rate_per_s


class Weights:
    """The weight one service may spend."""

    def __init__(self, service: str, store: WeightStore | None = None, mono: Callable[[], int] = mono_ns) -> None:
        self._mono = mono
        self._store = None if service == "warden" else store
        self._keep = 0.0 if service in ("executor", "warden") else RESERVED
        self._local = LocalBucket(WARDEN if service == "warden" else ALONE, mono())
        self._debt = 0.0

    def owe(self, weight: float) -> None:
        """Weight that showed only in the answer (long lists); the next request pays for it."""
        self._debt += max(weight, 0.0)

    async def spend(self, weight: float, patience_s: float) -> None:
        """Take `weight` within `patience_s` machine seconds, or raise LinkDown: nothing was sent."""
        deadline = self._mono() + int(patience_s * NS)
        while (wait_s := await self._take(weight)) > 0.0:
            if self._mono() + int(wait_s * NS) > deadline:
                raise LinkDown(f"request weight of this minute is used up ({wait_s:.1f} s to wait)")
            await asyncio.sleep(wait_s)

    async def _take(self, weight: float) -> float:
        if self._store is not None:
            tokens = min(weight + self._debt, SHARED.capacity - self._keep)
            wait_s = await self._store.take(SHARED, tokens, self._keep)
            if wait_s is not None:
                return self._paid(weight, tokens, wait_s)
        tokens = min(weight + self._debt, self._local.bucket.capacity)
        return self._paid(weight, tokens, self._local.take(tokens, self._mono()))

    def _paid(self, weight: float, tokens: float, wait_s: float) -> float:
        if wait_s <= 0.0:
            self._debt = max(self._debt - (tokens - weight), 0.0)
        return wait_s
