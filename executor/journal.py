"""The executor's own record: what may have been signed, what was filled, whether we are killed.

SQLite in WAL mode, two connections to one file. `quick` commits intents with `synchronous=NORMAL`: they survive a
killed process, and cost tens of microseconds. `firm` commits with `FULL` (`fullfsync` on macOS) what must survive a
power cut: nonce blocks, the kill latch, fills, the day's state. Raises `JournalError` when the disk does
not take it; the caller then only cancels.

On paper a venue lives as long as its process: rows carry its `life`, so that a new venue (whose clock may be behind
the old one's) starts with empty hands. The latch belongs to no life: it stays until an operator arms.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from common.errors import TheirFault
from common.messages import Fill, FundingPayment
from executor.events import SendAction

FillKey: TypeAlias = tuple[int, str, int]

KEEP_NS = 8 * 86_400 * 1_000_000_000
"""Intents and published fills older than this market time are dropped at the start."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS intents (
    life TEXT NOT NULL, nonce INTEGER NOT NULL, t_ns INTEGER NOT NULL, kind TEXT NOT NULL, expires_ms INTEGER NOT NULL,
    entries BLOB NOT NULL, PRIMARY KEY (life, nonce)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS nonces (life TEXT NOT NULL, signer TEXT NOT NULL, until INTEGER NOT NULL,
    PRIMARY KEY (life, signer)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fills (
    life TEXT NOT NULL, venue_t_ns INTEGER NOT NULL, coin TEXT NOT NULL, tid INTEGER NOT NULL, body BLOB NOT NULL,
    published INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (life, venue_t_ns, coin, tid)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fundings (
    life TEXT NOT NULL, venue_t_ns INTEGER NOT NULL, coin TEXT NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (life, venue_t_ns, coin)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS latch (
    one INTEGER PRIMARY KEY CHECK (one = 1), epoch INTEGER NOT NULL, reason TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS state (life TEXT NOT NULL, name TEXT NOT NULL, value INTEGER NOT NULL,
    PRIMARY KEY (life, name)) WITHOUT ROWID;
"""


class JournalError(TheirFault):
    """The disk did not take a record."""


class Journal:
    """One file for one executor (the OS lock on the run folder sees to that)."""

    def __init__(self, path: Path, signer: str) -> None:
        self._life = ""
        self._signer = signer
        self._encode = msgspec.msgpack.Encoder().encode
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._quick = _connect(path, "NORMAL")
            self._firm = _connect(path, "FULL")
            self._firm.executescript(SCHEMA)
        except (sqlite3.Error, OSError) as error:
            raise JournalError(f"{path}: {error}") from None

    def begin(self, life: str) -> None:
        """From now on rows are of this life of the venue."""
        self._life = life

    def close(self) -> None:
        self._quick.close()
        self._firm.close()

    # ------------------------------------------------------------------ intents
    def intend(self, sent: SendAction) -> None:
        """Record an action before it is sent."""
        row = (self._life, sent.nonce, sent.t_ns, sent.kind.value, sent.expires_ms, self._encode(sent.entries))
        self._write(self._quick, "INSERT INTO intents VALUES (?, ?, ?, ?, ?, ?)", row)

    def last_nonce(self) -> int:
        """The highest nonce that may have been used in this life of the venue; 0 = none."""
        reserved = self._one("SELECT until FROM nonces WHERE life = ? AND signer = ?", (self._life, self._signer))
        intended = self._one("SELECT MAX(nonce) FROM intents WHERE life = ?", (self._life,))
        return max(reserved, intended)

    def last_expiry_ms(self) -> int:
        """Market time (ms) after which no action of an earlier process can land any more; 0 = none was sent."""
        return self._one("SELECT MAX(expires_ms) FROM intents WHERE life = ?", (self._life,))

    def reserve(self, until: int) -> None:
        """Record that nonces up to `until` may be used."""
        sql = "INSERT INTO nonces VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET until = MAX(until, excluded.until)"
        self._write(self._firm, sql, (self._life, self._signer, until))

    # ------------------------------------------------------------------ fills and funding
    def store_fill(self, fill: Fill) -> None:
        """Record a fill; the same one twice is one."""
        row = (self._life, fill.venue_t_ns, fill.coin, fill.tid, self._encode(fill))
        sql = "INSERT OR IGNORE INTO fills (life, venue_t_ns, coin, tid, body) VALUES (?, ?, ?, ?, ?)"
        self._write(self._firm, sql, row)

    def fills(self, since_t_ns: int) -> list[Fill]:
        """Fills recorded with a venue time at or after `since_t_ns`, oldest first."""
        sql = "SELECT body FROM fills WHERE life = ? AND venue_t_ns >= ? ORDER BY venue_t_ns, tid"
        return [_FILL.decode(body) for (body,) in self._rows(sql, (self._life, since_t_ns))]

    def unpublished(self) -> list[Fill]:
        """Recorded fills that may not have reached the stream."""
        sql = "SELECT body FROM fills WHERE life = ? AND published = 0 ORDER BY venue_t_ns, tid"
        return [_FILL.decode(body) for (body,) in self._rows(sql, (self._life,))]

    def published(self, keys: Iterable[FillKey]) -> None:
        """Note that these fills are in the stream."""
        sql = "UPDATE fills SET published = 1 WHERE life = ? AND venue_t_ns = ? AND coin = ? AND tid = ?"
        for key in keys:
            self._write(self._quick, sql, (self._life, *key))

    def store_funding(self, payment: FundingPayment) -> None:
        """Record a funding payment; the same one twice is one."""
        row = (self._life, payment.venue_t_ns, payment.coin, self._encode(payment))
        self._write(self._firm, "INSERT OR IGNORE INTO fundings VALUES (?, ?, ?, ?)", row)

    def fundings(self) -> list[FundingPayment]:
        """Recorded funding payments, oldest first."""
        sql = "SELECT body FROM fundings WHERE life = ? ORDER BY venue_t_ns"
        return [_FUNDING.decode(body) for (body,) in self._rows(sql, (self._life,))]

    # ------------------------------------------------------------------ latch and state
    def latch(self, epoch: int, reason: str) -> None:
        """Record a kill; a higher epoch replaces a lower one."""
        sql = """INSERT INTO latch VALUES (1, ?, ?) ON CONFLICT DO UPDATE
                 SET epoch = excluded.epoch, reason = excluded.reason WHERE excluded.epoch >= latch.epoch"""
        self._write(self._firm, sql, (epoch, reason))

    def latched(self) -> tuple[int, str] | None:
        """(epoch, reason) of the kill that holds, or None."""
        rows = self._rows("SELECT epoch, reason FROM latch", ())
        return (rows[0][0], rows[0][1]) if rows else None

    def unlatch(self, epoch: int) -> None:
        """An operator armed with a higher epoch."""
        self._write(self._firm, "DELETE FROM latch WHERE epoch < ?", (epoch,))

    def put(self, name: str, value: int) -> None:
        """One number of the day's state."""
        self._write(self._firm, "INSERT OR REPLACE INTO state VALUES (?, ?, ?)", (self._life, name, value))

    def get(self, name: str) -> int | None:
        rows = self._rows("SELECT value FROM state WHERE life = ? AND name = ?", (self._life, name))
        return int(rows[0][0]) if rows else None

    def prune(self, now_t_ns: int) -> None:
        """Drop what no restart can need."""
        for table, time in (("intents", "t_ns"), ("fills", "venue_t_ns"), ("fundings", "venue_t_ns")):
            kept = " AND published = 1" if table == "fills" else ""
            self._write(self._quick, f"DELETE FROM {table} WHERE {time} < ?{kept}", (now_t_ns - KEEP_NS,))

    # ------------------------------------------------------------------ plumbing
    @staticmethod
    def _write(connection: sqlite3.Connection, sql: str, row: tuple[object, ...]) -> None:
        try:
            connection.execute(sql, row)
        except sqlite3.Error as error:
            raise JournalError(str(error)) from None

    def _rows(self, sql: str, row: tuple[object, ...]) -> list[tuple[Any, ...]]:
        try:
            return self._quick.execute(sql, row).fetchall()
        except sqlite3.Error as error:
            raise JournalError(str(error)) from None

    def _one(self, sql: str, row: tuple[object, ...]) -> int:
        rows = self._rows(sql, row)
        return int(rows[0][0] or 0) if rows else 0


_FILL = msgspec.msgpack.Decoder(Fill)
_FUNDING = msgspec.msgpack.Decoder(FundingPayment)


def _connect(path: Path, synchronous: str) -> sqlite3.Connection:
    """Autocommit: each statement is its own transaction."""
    connection = sqlite3.connect(path, timeout=0.5, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={synchronous}")
    connection.execute("PRAGMA fullfsync=1")
    connection.execute("PRAGMA wal_autocheckpoint=4000")
    return connection
