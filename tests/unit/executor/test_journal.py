"""What is on disk before it is on the wire."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from common.messages import FundingPayment, Side
from executor.events import Entry, Kind, SendAction
from executor.journal import KEEP_NS, Journal, JournalError
from tests.unit.executor.builders import COIN, T0, a_fill


def opened(folder: Path, life: str = "venue-1", signer: str = "0xa") -> Journal:
    journal = Journal(folder / "journal.sqlite", signer)
    journal.begin(life)
    return journal


def sent(nonce: int, expires_ms: int = 0) -> SendAction:
    return SendAction(nonce, Kind.ORDER, 1, (Entry("0x", 1, Side.BID, 5, 6, 0),), expires_ms, T0)


def test_a_new_journal_is_empty(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    assert (journal.last_nonce(), journal.last_expiry_ms(), journal.latched()) == (0, 0, None)
    assert journal.fills(0) == []
    assert journal.get("begun") is None


def test_nonces_survive_a_restart(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.reserve(500)
    journal.reserve(400)
    assert opened(tmp_path).last_nonce() == 500
    journal.intend(sent(700, 9))
    journal.intend(sent(701, 3))
    again = opened(tmp_path)
    assert (again.last_nonce(), again.last_expiry_ms()) == (701, 9)


def test_nonces_are_each_signers_own(tmp_path: Path) -> None:
    opened(tmp_path).reserve(500)
    assert opened(tmp_path, signer="0xb").last_nonce() == 0


def test_a_new_venue_starts_with_empty_hands_but_stays_killed(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.reserve(500)
    journal.store_fill(a_fill())
    journal.latch(3, "drawdown")
    other = opened(tmp_path, life="venue-2")
    assert (other.last_nonce(), other.fills(0)) == (0, [])
    assert other.latched() == (3, "drawdown")


def test_a_fill_is_recorded_once_and_told_until_it_is_published(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    fill = a_fill(tid=7)
    journal.store_fill(fill)
    journal.store_fill(fill)
    again = opened(tmp_path)
    assert again.unpublished() == [fill]
    again.published([(fill.venue_t_ns, COIN, 7)])
    assert opened(tmp_path).unpublished() == []
    assert opened(tmp_path).fills(0) == [fill]


def test_funding_is_recorded_once(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    payment = FundingPayment(T0, COIN, T0, -5, 0.0001, 7)
    journal.store_funding(payment)
    journal.store_funding(payment)
    assert opened(tmp_path).fundings() == [payment]


def test_a_higher_kill_replaces_and_a_lower_one_does_not(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.latch(5, "a")
    journal.latch(4, "b")
    assert journal.latched() == (5, "a")
    journal.latch(6, "c")
    assert journal.latched() == (6, "c")


def test_only_a_higher_epoch_clears_the_latch(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.latch(5, "a")
    journal.unlatch(5)
    assert opened(tmp_path).latched() == (5, "a")
    journal.unlatch(6)
    assert opened(tmp_path).latched() is None


def test_the_days_state_is_kept(tmp_path: Path) -> None:
    opened(tmp_path).put("begun", 5)
    assert opened(tmp_path).get("begun") == 5


def test_old_rows_are_dropped_but_never_an_unpublished_fill(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    told, untold = a_fill(tid=1, t_ns=T0), a_fill(tid=2, t_ns=T0)
    journal.store_fill(told)
    journal.store_fill(untold)
    journal.published([(told.venue_t_ns, COIN, 1)])
    journal.intend(sent(1))
    journal.prune(T0 + KEEP_NS + 10**9)
    assert journal.fills(0) == [untold]


def test_a_disk_that_takes_nothing_is_told_by_name(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.intend(sent(1))
    with pytest.raises(JournalError):
        journal.intend(sent(1))  # the same nonce twice can only be a fault
    blocker = sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")
    with pytest.raises(JournalError, match="locked"):
        journal.intend(sent(2))
    blocker.execute("ROLLBACK")
    journal.intend(sent(2))


def test_a_folder_that_is_none_is_told_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError):
        Journal(tmp_path / "file" / "journal.sqlite", "0xa")


def test_both_connections_are_as_durable_as_they_must_be(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    assert journal._quick.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert journal._quick.execute("PRAGMA synchronous").fetchone() == (1,)
    assert journal._firm.execute("PRAGMA synchronous").fetchone() == (2,)
    assert journal._firm.execute("PRAGMA fullfsync").fetchone() == (1,)
    journal.close()
