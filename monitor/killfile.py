"""The kill latch on disk: `run/kill`, a small JSON file that executor and warden watch (design 6).

Written atomically and fsynced, so that it is there after a crash and never half there. Needs no Redis, no network and
no other process. The file that cannot be read counts as a kill.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from common.messages import MAX_TEXT

NAME = "kill"
BYTES_MAX = 64 * 1024


class Kill(msgspec.Struct, frozen=True):
    """Why and when trading was stopped; an `arm` with a higher epoch clears it."""

    epoch: Annotated[int, Meta(ge=0, le=2**62)]
    reason: Annotated[str, Meta(max_length=MAX_TEXT)]
    t_ns: Annotated[int, Meta(ge=0)] = 0


def write(run_dir: Path, kill: Kill) -> Path:
    """Latch; an existing latch of a higher epoch stays as it is."""
    run_dir.mkdir(parents=True, exist_ok=True)
    path = run_dir / NAME
    before = read(run_dir)
    if before is not None and before.epoch > kill.epoch:
        return path
    temporary = run_dir / f".{NAME}.{os.getpid()}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        os.write(descriptor, msgspec.json.encode(kill))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(temporary, path)
    folder = os.open(run_dir, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return path


def clear(run_dir: Path, epoch: int) -> bool:
    """Remove the latch if it is older than `epoch`; True when none is left."""
    before = read(run_dir)
    if before is None:
        return True
    if before.epoch >= epoch:
        return False
    (run_dir / NAME).unlink(missing_ok=True)
    return True


def read(run_dir: Path) -> Kill | None:
    """What the latch says; None when there is none. Something unreadable is a kill without a known reason."""
    try:
        body = (run_dir / NAME).read_bytes()[:BYTES_MAX]
    except FileNotFoundError:
        return None
    except OSError as error:
        return Kill(1, f"the kill file cannot be read: {error.strerror}", 0)
    try:
        return msgspec.json.decode(body, type=Kill)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return Kill(1, "the kill file is there but not readable as JSON", 0)
