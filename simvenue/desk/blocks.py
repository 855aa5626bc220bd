"""The block clock: when an action acts, and which of a block's actions act first.

An action that has arrived waits for the next block; blocks begin at whole multiples of the period in market time. In a
block come first the actions that send no GTC or IOC order to any book (ALO-only orders and modifies, settings, noop),
then cancels, then those with at least one GTC or IOC; inside a class the order of arrival decides (docs: "Order book").
A fast cancel acts when it arrives (hyperliquid.md 4: in the mempool; how exactly is not published). With period 0
there are no blocks and no classes: every action acts alone, when it arrives.
"""

from __future__ import annotations

from dataclasses import dataclass

from simvenue.events import CancelOrders, ModifyOrders, PlaceOrders, Request

BLOCK_MS = 80
"""The process's default (`--block-ms`): real blocks come every 70 to 100 ms (hyperliquid.md 1)."""

POSTS = 0
CANCELS = 1
TAKES = 2


@dataclass(frozen=True, slots=True)
class BlockClock:
    """Blocks of `period_ns` of market time."""

    period_ns: int = 0

    @property
    def wait_ns(self) -> int:
        """How long an action waits on average; the order latency includes it, so that latencies stay as named."""
        return self.period_ns // 2

    def block_ns(self, arrives_ns: int) -> int:
        """When an action that arrives then acts: the next block, never one that has begun."""
        return arrives_ns if self.period_ns == 0 else (arrives_ns // self.period_ns + 1) * self.period_ns

    def place(self, arrives_ns: int, request: Request) -> tuple[int, int]:
        """(when it acts, its class there)."""
        if self.period_ns == 0 or (isinstance(request, CancelOrders) and request.fast):
            return arrives_ns, POSTS
        return self.block_ns(arrives_ns), class_of(request)


def class_of(request: Request) -> int:
    """Which class of a block a request belongs to; a modify is classed by its new orders."""
    match request:
        case CancelOrders():
            return CANCELS
        case PlaceOrders():
            tifs = [spec.tif for spec in request.orders]
        case ModifyOrders():
            tifs = [spec.tif for _, spec in request.modifies]
        case _:
            return POSTS
    return POSTS if all(tif == "Alo" for tif in tifs) else TAKES
