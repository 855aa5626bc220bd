"""Free ports for services that listen on fixed ones."""

from __future__ import annotations

import os
import random
import socket

from common.config import METRICS_PORTS, PAGE_PORT, VENUE_PORT


def free_port_base() -> int:
    """An offset at which every port of ours is free now; unlikely to be chosen by two test processes at once."""
    rng = random.Random(os.getpid())
    for _ in range(200):
        base = rng.randrange(20_000, 50_000, 11)
        if all(_is_free(port + base) for port in (VENUE_PORT, PAGE_PORT, *METRICS_PORTS.values())):
            return base
    raise RuntimeError("no free block of ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
