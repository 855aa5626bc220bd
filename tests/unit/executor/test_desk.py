"""The executor's hands: journal before wire, and what an absent answer becomes."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from common.errors import LinkDown, UnknownOutcome, VenueError
from common.messages import FundingPayment, Side
from common.venue_types import OrderRow, StatusRow
from common.weights import Weights
from executor.desk import Desk
from executor.events import (
    AccountSeen,
    ActionReply,
    AskStatus,
    AskVenue,
    Clock,
    Entry,
    Facts,
    FillSeen,
    FundingSeen,
    JournalTrouble,
    Kind,
    Latch,
    Refusal,
    ReserveNonces,
    SendAction,
    SnapshotFailed,
    StatusAnswer,
    StoreFill,
    StoreFunding,
    Unlatch,
)
from executor.journal import Journal, JournalError
from executor.nonce import Nonces
from executor.venue import Signer
from tests.unit.executor.builders import ASSET, COIN, T0, a_fill, settings

RESTING = b'{"status":"ok","response":{"type":"order","data":{"statuses":[{"resting":{"oid":7}}]}}}'
CLOID = "0xa5000000000700" + "0b" + "0" * 15 + "1"


class FullDisk:
    """A journal whose disk takes nothing."""

    def __getattr__(self, _: str) -> Any:
        def refuse(*_: Any) -> None:
            raise JournalError("disk full")

        return refuse


class Wire:
    """A transport that answers, or fails, as it is told."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.answer: bytes | Exception = RESTING

    async def post(self, body: bytes) -> tuple[int, bytes]:
        self.bodies.append(body)
        if isinstance(self.answer, Exception):
            raise self.answer
        return 200, self.answer


class Info:
    """An info client that knows one order, or nobody at all."""

    def __init__(self) -> None:
        self.down = False
        self.rows: dict[int | str, StatusRow] = {}

    async def order_status(self, _: str, key: int | str) -> StatusRow | None:
        if self.down:
            raise LinkDown("down")
        return self.rows.get(key)

    async def open_orders(self, *_: str) -> list[OrderRow]:
        raise VenueError("HTTP 502")

    async def clearinghouse_state(self, *_: str) -> Any:
        raise LinkDown("down")


class Around:
    """What a desk has around it: a service that records, and tasks that run to their end."""

    rate = 1.0

    def __init__(self, folder: Path, journal: Any = None) -> None:
        key = folder / "agent_key"
        key.write_text("12" * 32)
        key.chmod(0o400)
        self.events: list[Any] = []
        self.wire, self.info = Wire(), Info()
        self.clock = self
        self._tasks: list[asyncio.Task[Any]] = []
        if journal is None:
            journal = Journal(folder / "journal.sqlite", "agent")
            journal.begin("venue")
        self.journal = journal
        self.desk = Desk(
            settings(), journal=journal, signer=Signer(key, "", is_mainnet=False), transport=self.wire,
            info=self.info, weights=Weights("executor"), nonces=Nonces(),
        )  # type: ignore[arg-type]  # fmt: skip
        self.desk.service = self  # type: ignore[assignment]
        self.placed = 0
        self.desk.placed = self.on_placed
        self.desk.market(Facts(ASSET, 3, 20, 30_000, 81_000), T0)

    def on_placed(self) -> None:
        self.placed += 1

    @staticmethod
    def now_ns() -> int:
        return T0

    def post(self, event: Any) -> None:
        if not isinstance(event, Clock):
            self.events.append(event)

    def spawn(self, coroutine: Coroutine[Any, Any, Any], _: str) -> None:
        self._tasks.append(asyncio.ensure_future(coroutine))

    async def carry_out(self, *effects: Any) -> list[Any]:
        """Effects and all that follows; the events the core would be handed."""
        self.events.clear()
        for effect in effects:
            self.desk.effect(effect)
        while self._tasks:
            await self._tasks.pop()
        await asyncio.sleep(0)
        return self.events


def sent(kind: Kind = Kind.ORDER, nonce: int = 5) -> SendAction:
    entries = () if kind is Kind.NOOP else (Entry(CLOID, 7, Side.BID, 752_400, 100, 0),)
    return SendAction(nonce, kind, ASSET, entries, 9, T0, prompt=True, recv_t_ns=T0)


async def test_an_action_is_recorded_sent_and_answered(tmp_path: Path) -> None:
    around = Around(tmp_path)
    (reply,) = await around.carry_out(sent())
    assert (reply.nonce, reply.outcome, reply.statuses[0].oid) == (5, "ok", 7)
    assert around.journal.last_nonce() == 5
    assert len(around.wire.bodies) == 1


async def test_without_a_record_no_order_is_sent_but_a_cancel_is(tmp_path: Path) -> None:
    around = Around(tmp_path, FullDisk())
    events = await around.carry_out(sent())
    assert ActionReply(5, "refused", reason="journal") in events
    assert JournalTrouble("disk full") in events
    assert around.wire.bodies == []
    around.wire.answer = b'{"status":"ok","response":{"type":"cancel","data":{"statuses":["success"]}}}'
    (reply,) = await around.carry_out(sent(Kind.CANCEL))
    assert reply.outcome == "ok"


async def test_a_noop_needs_no_record_of_its_own(tmp_path: Path) -> None:
    around = Around(tmp_path)
    await around.carry_out(sent())
    around.wire.answer = b'{"status":"ok","response":{"type":"default"}}'
    assert await around.carry_out(sent(Kind.NOOP)) == [ActionReply(5, "ok")]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (LinkDown("refused"), "refused"),
        (UnknownOutcome("TimeoutError"), "unknown"),
        (b"<html>", "unknown"),
        (b'{"status":"err","response":"Must deposit before performing actions."}', "refused"),
    ],
)
async def test_what_no_answer_means(tmp_path: Path, answer: bytes | Exception, outcome: str) -> None:
    around = Around(tmp_path)
    around.wire.answer = answer
    (reply,) = await around.carry_out(sent())
    assert reply.outcome == outcome


async def test_an_entry_that_was_not_taken_is_told(tmp_path: Path) -> None:
    around = Around(tmp_path)
    text = b"Post only order would have immediately matched, bbo was 1@2."
    around.wire.answer = b'{"status":"ok","response":{"data":{"statuses":[{"error":"' + text + b'"}]}}}'
    (reply,) = await around.carry_out(sent())
    assert reply.statuses[0].word == "error"


def row(oid: int, status: str = "open") -> StatusRow:
    return StatusRow(OrderRow(COIN, "B", "752.4", "0.1", oid, 1, "0.1", CLOID), status, 1)


async def test_an_order_is_asked_for_by_cloid_and_by_the_number_we_know(tmp_path: Path) -> None:
    around = Around(tmp_path)
    around.info.rows = {CLOID: row(9, "badAloPxRejected"), 7: row(7)}
    answers = await around.carry_out(AskStatus(CLOID, 7))
    assert [(a.status, a.order.oid) for a in answers] == [("badAloPxRejected", 9), ("open", 7)]
    around.info.rows = {CLOID: row(7)}
    assert len(await around.carry_out(AskStatus(CLOID, 7))) == 1
    around.info.rows = {}
    assert [a.status for a in await around.carry_out(AskStatus(CLOID, 0))] == ["unknownOid"]


async def test_an_answer_that_cannot_be_had_teaches_nothing(tmp_path: Path) -> None:
    around = Around(tmp_path)
    around.info.down = True
    assert await around.carry_out(AskStatus(CLOID, 7)) == [StatusAnswer(CLOID, T0, "")]
    (failed,) = await around.carry_out(AskVenue("test"))
    assert isinstance(failed, SnapshotFailed)
    await around.desk.look_at_account()
    assert not any(isinstance(event, AccountSeen) for event in around.events)


async def test_the_warden_is_told_of_every_action_that_places_and_of_no_other(tmp_path: Path) -> None:
    around = Around(tmp_path)
    await around.carry_out(sent(Kind.CANCEL, 1), sent(Kind.CANCEL_CLOID, 2), sent(Kind.NOOP, 3))
    assert around.placed == 0
    await around.carry_out(sent(Kind.ORDER, 4), sent(Kind.MODIFY, 5))
    assert around.placed == 2


async def test_fills_funding_latch_and_nonces_are_recorded(tmp_path: Path) -> None:
    around = Around(tmp_path)
    payment = FundingPayment(T0, COIN, T0, -5, 0.0001, 7)
    effects = (StoreFill(a_fill()), StoreFunding(payment), Latch(3, "test"), ReserveNonces(900), Refusal("collar"))
    assert await around.carry_out(*effects) == []
    assert around.journal.unpublished() == [a_fill()]
    assert around.journal.fundings() == [payment]
    assert (around.journal.latched(), around.journal.last_nonce()) == ((3, "test"), 900)
    await around.carry_out(Unlatch(4))
    assert around.journal.latched() is None
    around.desk.published([(a_fill().venue_t_ns, COIN, 1)])
    assert around.journal.unpublished() == []


async def test_history_from_before_our_books_is_left_out(tmp_path: Path) -> None:
    around = Around(tmp_path)
    around.desk.floor_t_ns = T0
    payment = FundingPayment(T0, COIN, T0 - 1, -5, 0.0001, 7)
    around.desk.from_stream(FillSeen(a_fill(t_ns=T0 - 10**9)))
    around.desk.from_stream(FundingSeen(payment))
    assert around.events == []
    around.desk.from_stream(FillSeen(a_fill(t_ns=T0)))
    assert len(around.events) == 1


async def test_before_the_market_is_known_nothing_is_sent_or_asked(tmp_path: Path) -> None:
    around = Around(tmp_path)
    around.desk._facts = None
    assert await around.carry_out(sent()) == [ActionReply(5, "refused", reason="no_market")]
    assert await around.desk.look("test", whole=True) is None
    await around.desk.look_at_account()
    assert around.wire.bodies == []


async def test_other_actions_take_reserved_nonces_and_tell_the_refusal(tmp_path: Path) -> None:
    around = Around(tmp_path)
    around.wire.answer = b'{"status":"ok","response":{"type":"default"}}'
    assert await around.desk.act({"type": "noop"}) is None
    assert around.journal.last_nonce() >= around.desk.nonces.last
    around.wire.answer = b'{"status":"err","response":"no"}'
    assert await around.desk.act({"type": "noop"}) == "no"
