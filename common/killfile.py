"""The kill latch on disk: `run/kill`, a small JSON file that executor, warden and riskd watch (design 6).

It needs no Redis, no network and no other process: whoever may write the folder can stop trading. Written atomically
and fsynced, so that it is there after a power cut and never half there. A file that cannot be read or understood is a
kill. Everything here touches the disk and belongs to shells.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from common.messages import MAX_TEXT

NAME = "kill"
BYTES_MAX = 64 * 1024

Signature: TypeAlias = tuple[int, int, int] | None
"""What a look at the file costs nothing to compare: (mtime_ns, inode, size); None = no file."""


class Kill(msgspec.Struct, frozen=True):
    """Why and when trading was stopped; an `arm` with a higher epoch clears it."""

    epoch: Annotated[int, Meta(ge=0, le=2**62)]
    reason: Annotated[str, Meta(max_length=MAX_TEXT)]
    t_ns: Annotated[int, Meta(ge=0, le=2**62)] = 0


def path_of(run_dir: Path) -> Path:
    return run_dir / NAME


def signature(run_dir: Path) -> Signature:
    """Cheap enough for every 50 ms; a file that cannot be looked at counts as one that is there."""
    try:
        found = path_of(run_dir).stat()
    except FileNotFoundError:
        return None
    except OSError:
        return (-1, -1, -1)
    return (found.st_mtime_ns, found.st_ino, found.st_size)


def read(run_dir: Path) -> Kill | None:
    """What the latch says; None when there is none. Anything unreadable is a kill of epoch 1 that says so."""
    try:
        body = path_of(run_dir).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        return Kill(1, f"the kill file cannot be read: {error.strerror}")
    if len(body) > BYTES_MAX:
        return Kill(1, "the kill file is too long")
    try:
        return msgspec.json.decode(body, type=Kill)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return Kill(1, "the kill file is there but does not say why")


def write(run_dir: Path, kill: Kill) -> None:
    """Latch; one of a higher epoch that is there already stays.  Raises OSError when the disk does not take it."""
    run_dir.mkdir(parents=True, exist_ok=True)
    before = read(run_dir)
    if before is None or before.epoch <= kill.epoch:
        replace(path_of(run_dir), msgspec.json.encode(kill), durable=True)


def clear(run_dir: Path) -> None:
    """Take the latch away (an operator's `arm`); no error when it is gone already."""
    path_of(run_dir).unlink(missing_ok=True)
    if run_dir.exists():
        _sync_folder(run_dir)


def clear_older(run_dir: Path, epoch: int) -> bool:
    """Take away a latch older than `epoch`; True when none is left."""
    before = read(run_dir)
    if before is not None and before.epoch >= epoch:
        return False
    clear(run_dir)
    return True


def replace(path: Path, body: bytes, *, durable: bool) -> None:
    """Put `body` in the place of `path` in one step; `durable` also survives a power cut.  Raises OSError."""
    # Not the process id: in containers that share the folder two writers may have the same one.
    temporary = path.with_name(f".{path.name}.{os.urandom(6).hex()}")
    try:
        _write(temporary, body, durable=durable)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        _sync_folder(path.parent)


def _write(path: Path, body: bytes, *, durable: bool) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        left = memoryview(body)
        while left:
            left = left[os.write(descriptor, left) :]
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
