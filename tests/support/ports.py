"""Free ports for tests, as the PORT_BASE that makes a service use one."""

from __future__ import annotations

import socket

from common.config import METRICS_PORTS


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def free_port_base(service: str) -> int:
    """A PORT_BASE with which the metrics port of `service` is free."""
    while True:
        base = free_port() - METRICS_PORTS[service]
        if 0 <= base <= 50_000:
            return base
