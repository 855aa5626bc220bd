"""Nonces of one signer: strictly increasing whatever the clock does, and never one that a past life may have used.

A nonce is the venue's market time in ms, or one more than the last. Blocks are reserved ahead and made durable by
the shell (`ReserveNonces`) before the first nonce of the block is used, so that a restart, even after a power cut
and with a clock that stepped back, starts above everything ever signed. Source: hyperliquid.md section 6.
"""

from __future__ import annotations

BLOCK = 1_000
"""Nonces reserved at once; at market rate 1 a block lasts a second, so it is renewed off the hot path."""

MS = 1_000_000


class Nonces:
    """The allocator; `reserved` is the highest nonce the journal knows as possibly used."""

    def __init__(self, reserved: int = 0) -> None:
        self.last = reserved
        self.reserved = reserved

    def start_above(self, nonce: int) -> None:
        """Nonces up to this one may have been used by an earlier life."""
        self.last = max(self.last, nonce)
        self.reserved = max(self.reserved, nonce)

    def due(self, t_ns: int, rate: float = 1.0) -> int | None:
        """Up to which nonce to reserve now, or None while at least half a block lies ahead."""
        nearest = max(t_ns // MS, self.last + 1)
        block = int(BLOCK * max(1.0, rate))
        return nearest + block if self.reserved - nearest < block // 2 else None

    def reserve(self, until: int) -> None:
        """Note a reservation that was handed to the journal."""
        self.reserved = max(self.reserved, until)

    def take(self, t_ns: int) -> int:
        """The next nonce; the caller reserves first when `due` says so."""
        self.last = max(t_ns // MS, self.last + 1)
        return self.last
