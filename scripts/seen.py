"""What one look at this machine found: its CPUs as containers count them, its architecture, its container engine."""

from __future__ import annotations

from dataclasses import dataclass

from common.cpus import Host


@dataclass(frozen=True)
class Seen:
    """`engine_cpus`: 0 = no engine answered; `is_virtual`: containers do not run on this machine's own kernel."""

    host: Host
    machine: str
    engine_cpus: int
    words: tuple[str, ...]
    is_virtual: bool
