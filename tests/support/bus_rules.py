"""What every bus promises, as tests: subclassed once for the hub and once for a real Redis.

A subclass gives the fixture `world`.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from common import metrics
from common.bus import Bucket, Delivery, Subscription
from common.errors import OurFault
from common.inbox import FIELD
from common.messages import Command, Gap, Verb
from common.streams import ALERTS, CONTROL, FILLS, HEARTBEAT, MD, PERMIT
from tests.support.bus_world import Listener, World
from tests.support.messages import COIN, a_fill, a_heartbeat, a_permit, a_touch, an_alert, an_entry

FILLS_SUB = Subscription(FILLS, FILLS.of(COIN))
HISTORY_SUB = Subscription(FILLS, FILLS.of(COIN), history=True)
MD_SUB = Subscription(MD, MD.of(COIN))
PERMIT_SUB = Subscription(PERMIT, PERMIT.of())
PACED_SUB = Subscription(MD, MD.of(COIN), pace_s=0.05)
FLUSH_S = 5.0


def refused(reason: str) -> float:
    return metrics.value("amm_bad_input_total", boundary="stream", reason=reason)


def encoded(fill: Any, **swaps: Any) -> list[bytes]:
    """An entry whose message has some fields replaced on the wire by values no builder would take."""
    fields = msgspec.msgpack.decode(an_entry("executor", 1, 1, fill)[1])
    names = ["tag", *type(fill).__struct_fields__]
    for name, value in swaps.items():
        fields[3][names.index(name)] = value
    return [FIELD, msgspec.msgpack.encode(fields)]


_GOOD = an_entry("executor", 1, 1, a_fill(1))
BAD_ENTRIES: dict[str, tuple[list[bytes], str]] = {
    "no schema": ([b"data", _GOOD[1]], "schema"),
    "another schema": ([b"v9", _GOOD[1]], "schema"),
    "name not utf-8": ([b"\xff\xfe", _GOOD[1]], "schema"),
    "field twice": (_GOOD + _GOOD, "fields"),
    "extra field": ([*_GOOD, b"more", b"1"], "fields"),
    "empty value": ([FIELD, b""], "not_msgpack"),
    "cut": ([FIELD, _GOOD[1][:-3]], "not_msgpack"),
    "bytes after": ([FIELD, _GOOD[1] + b"\x00"], "not_msgpack"),
    "json": ([FIELD, b'{"px": 1}'], "type_or_range"),
    "deep": ([FIELD, b"\x91" * 60_000], "type_or_range"),
    "half a megabyte": ([FIELD, b"\x00" * 524_288], "too_big"),
    "a number": ([FIELD, msgspec.msgpack.encode(7)], "type_or_range"),
    "unknown tag": ([FIELD, msgspec.msgpack.encode(["executor", 1, 1, ["Nonsense", 1]])], "type_or_range"),
    "field missing": ([FIELD, msgspec.msgpack.encode(["executor", 1, 1, ["Fill", 1]])], "type_or_range"),
    "size 0": (encoded(a_fill(1), sz_u=0), "type_or_range"),
    "size negative": (encoded(a_fill(1), sz_u=-5), "type_or_range"),
    "size a float": (encoded(a_fill(1), sz_u=1e5), "type_or_range"),
    "size a text": (encoded(a_fill(1), sz_u="5"), "type_or_range"),
    "size true": (encoded(a_fill(1), sz_u=True), "type_or_range"),
    "side a word": (encoded(a_fill(1), side="buy "), "type_or_range"),
    "time in the year 2200": (encoded(a_fill(1), t_ns=7_258_118_400_000_000_000), "type_or_range"),
    "coin with a newline": (encoded(a_fill(1), coin="km:US500\n"), "type_or_range"),
    "another coin": (an_entry("executor", 1, 1, a_fill(1, coin="BTC")), "wrong_coin"),
    "another service": (an_entry("riskd", 1, 1, a_fill(1)), "wrong_producer"),
    "another stream's message": (an_entry("executor", 1, 1, a_permit(1)), "wrong_stream"),
    "seq 0": (an_entry("executor", 1, 0, a_fill(1)), "bad_seq"),
    "epoch of the year 3000": (an_entry("executor", 32_503_680_000_000, 1, a_fill(1)), "epoch_ahead"),
}


class BusRules:
    """Collected through its subclasses only."""

    # ------------------------------------------------------------------ kinds
    async def test_message_arrives_with_its_producer_and_place(self, world: World) -> None:
        async with world.bus("executor") as writer, Listener(world.bus("riskd"), FILLS_SUB) as reader:
            writer.send([a_fill(1), a_fill(2)])
            assert await reader.got(2) == [a_fill(1), a_fill(2)]
            first, second = (item for item in reader.items if isinstance(item, Delivery))
            assert (first.producer, first.seq, second.seq, first.epoch) == ("executor", 1, 2, second.epoch)
            assert not first.replayed

    async def test_newest_begins_with_the_entry_that_is_there(self, world: World) -> None:
        async with world.bus("riskd") as writer:
            writer.send([a_permit(1), a_permit(2), a_permit(3)])
            assert await writer.flush(FLUSH_S)
            async with Listener(world.bus("executor"), PERMIT_SUB) as reader:
                assert await reader.got(1) == [a_permit(3)]
                writer.send([a_permit(4)])
                assert await reader.got(2) == [a_permit(3), a_permit(4)]

    async def test_newest_begins_with_the_newest_good_entry(self, world: World) -> None:
        world.add(PERMIT.of(), an_entry("riskd", 1, 1, a_permit(1)))
        world.add(PERMIT.of(), [b"what", b"ever"])
        async with Listener(world.bus("executor"), PERMIT_SUB) as reader:
            assert await reader.got(1) == [a_permit(1)]

    async def test_plain_begins_after_what_is_there(self, world: World) -> None:
        async with world.bus("feed") as writer:
            writer.send([a_touch(1)])
            assert await writer.flush(FLUSH_S)
            async with Listener(world.bus("quoter"), MD_SUB) as reader:
                writer.send([a_touch(2), a_touch(3)])
                assert await reader.got(2) == [a_touch(2), a_touch(3)]

    async def test_paced_reader_hears_everything_in_order_in_fewer_batches(self, world: World) -> None:
        touches = [a_touch(number) for number in range(1, 301)]
        async with (
            world.bus("feed") as writer,
            world.bus("riskd") as risk,
            Listener(world.bus("executor"), PACED_SUB, PERMIT_SUB) as reader,
        ):
            for touch in touches:
                writer.send([touch])
                assert await writer.flush(FLUSH_S)
            risk.send([a_permit(1)])
            heard = await reader.got(301)
            assert [message for message in heard if message != a_permit(1)] == touches
            assert len(reader.batches) < 150

    async def test_group_begins_with_all_that_nobody_has_acknowledged(self, world: World) -> None:
        async with world.bus("executor") as writer:
            writer.send([a_fill(1), a_fill(2)])
            assert await writer.flush(FLUSH_S)
            async with Listener(world.bus("riskd"), FILLS_SUB) as first:
                await first.got(2)
            writer.send([a_fill(3)])
            async with (
                Listener(world.bus("riskd"), FILLS_SUB) as again,
                Listener(world.bus("monitor"), FILLS_SUB) as other,
            ):
                assert await again.got(1) == [a_fill(3)]
                assert await other.got(3) == [a_fill(1), a_fill(2), a_fill(3)]
        assert world.command("XPENDING", FILLS_SUB.key, "riskd")[0] == 0

    async def test_unacknowledged_entry_comes_again_after_a_crash(self, world: World) -> None:
        async with world.bus("executor") as writer:
            writer.send([a_fill(1)])
            assert await writer.flush(FLUSH_S)
        async with Listener(world.bus("riskd"), FILLS_SUB, fail_on=lambda _: True) as broken:
            assert isinstance(await broken.failed(), ZeroDivisionError)
        assert world.command("XPENDING", FILLS_SUB.key, "riskd")[0] == 1
        async with Listener(world.bus("riskd"), FILLS_SUB) as next_life:
            assert await next_life.got(1) == [a_fill(1)]

    async def test_history_is_replayed_once_then_the_group_goes_on(self, world: World) -> None:
        async with world.bus("executor") as writer:
            writer.send([a_fill(n) for n in range(1, 601)])
            assert await writer.flush(FLUSH_S)
            async with Listener(world.bus("riskd"), FILLS_SUB) as before:
                await before.got(600)
            writer.send([a_fill(601)])
            assert await writer.flush(FLUSH_S)
            bus = world.bus("riskd")
            async with Listener(bus, HISTORY_SUB) as reader:
                await reader.got(601)
                assert bus.history_read.is_set()
                writer.send([a_fill(602)])
                assert await reader.got(602) == [a_fill(n) for n in range(1, 603)]
            flags = [item.replayed for item in reader.items if isinstance(item, Delivery)]
            assert flags == [True] * 601 + [False]

    async def test_history_of_an_empty_stream_is_read_at_once(self, world: World) -> None:
        bus = world.bus("riskd")
        assert not bus.history_read.is_set()
        async with Listener(bus, HISTORY_SUB):
            await asyncio.wait_for(bus.history_read.wait(), FLUSH_S)

    async def test_one_reader_follows_all_kinds_at_once(self, world: World) -> None:
        alerts, beats = Subscription(ALERTS, "alerts:executor"), Subscription(HEARTBEAT, "hb:executor")
        async with world.bus("executor") as writer, Listener(world.bus("monitor"), alerts, beats, FILLS_SUB) as reader:
            writer.send([an_alert(1), a_heartbeat("executor"), a_fill(1)])
            await reader.got(3)
            assert {item.key for item in reader.items if isinstance(item, Delivery)} == {
                alerts.key, beats.key, FILLS_SUB.key,
            }  # fmt: skip

    # ------------------------------------------------------------------ refusals
    @pytest.mark.parametrize("case", BAD_ENTRIES)
    async def test_bad_entry_is_counted_acknowledged_and_skipped(self, world: World, case: str) -> None:
        fields, reason = BAD_ENTRIES[case]
        before = refused(reason)
        world.add(FILLS_SUB.key, fields)
        world.add(FILLS_SUB.key, an_entry("executor", 2, 1, a_fill(2)))
        async with Listener(world.bus("riskd"), FILLS_SUB) as reader:
            assert await reader.got(1) == [a_fill(2)]
        assert refused(reason) == before + 1
        assert world.command("XPENDING", FILLS_SUB.key, "riskd")[0] == 0

    @pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf"), -0.1, 1.1])
    async def test_float_out_of_range_is_refused(self, world: World, bad: float) -> None:
        before = refused("type_or_range")
        world.add(PERMIT.of(), an_entry("riskd", 1, 1, a_permit(1, size_scale=bad)))
        world.add(PERMIT.of(), an_entry("riskd", 1, 2, a_permit(2)))
        async with Listener(world.bus("executor"), PERMIT_SUB) as reader:
            assert await reader.got(1) == [a_permit(2)]
        assert refused("type_or_range") == before + 1

    async def test_riskd_commands_nothing_but_a_kill(self, world: World) -> None:
        key = CONTROL.of("riskd")
        arm = Command(t_ns=1, verb=Verb.ARM, id="00000001", arm_epoch=1, reason="")
        kill = Command(t_ns=2, verb=Verb.KILL, id="00000002", arm_epoch=1, reason="")
        before = refused("wrong_verb")
        async with world.bus("riskd") as writer, Listener(world.bus("executor"), Subscription(CONTROL, key)) as reader:
            writer.send([arm, kill])
            assert await reader.got(1) == [kill]
        assert refused("wrong_verb") == before + 1

    async def test_service_may_not_write_another_services_stream(self, world: World) -> None:
        async with world.bus("quoter") as bus:
            with pytest.raises(OurFault, match="quoter may not write Fill"):
                bus.send([a_fill(1)])

    async def test_message_that_cannot_be_encoded_raises_at_its_sender_and_harms_nothing(self, world: World) -> None:
        async with world.bus("executor") as writer, Listener(world.bus("riskd"), FILLS_SUB) as reader:
            with pytest.raises(OverflowError):
                writer.send([a_fill(1, sz_u=2**70)])
            writer.send([a_fill(2)])
            assert await reader.got(1) == [a_fill(2)]
            assert len(reader.items) == 1

    async def test_bus_is_read_once(self, world: World) -> None:
        bus = world.bus("riskd")
        with pytest.raises(OurFault, match="entered once"):
            await bus.read([FILLS_SUB], list)
        async with Listener(bus, FILLS_SUB):
            with pytest.raises(OurFault, match="read once"):
                await bus.read([PERMIT_SUB], list)

    async def test_the_same_key_twice_is_our_fault(self, world: World) -> None:
        async with world.bus("riskd") as bus:
            with pytest.raises(OurFault, match="subscribed twice"):
                await bus.read([FILLS_SUB, HISTORY_SUB], list)

    # ------------------------------------------------------------------ order
    async def test_gap_stands_where_messages_are_missing(self, world: World) -> None:
        for seq in (1, 4, 5):
            world.add(FILLS_SUB.key, an_entry("executor", 1, seq, a_fill(seq)))
        async with Listener(world.bus("riskd"), FILLS_SUB) as reader:
            await reader.got(3)
        found = [item.seq if isinstance(item, Delivery) else item for item in reader.items]
        assert found == [1, Gap(FILLS_SUB.key, "executor", 2), 4, 5]

    async def test_late_group_entry_is_delivered_when_it_was_missed(self, world: World) -> None:
        before = refused("duplicate")
        for seq in (1, 3, 2, 3, 2):
            world.add(FILLS_SUB.key, an_entry("executor", 1, seq, a_fill(seq)))
        async with Listener(world.bus("riskd"), FILLS_SUB) as reader:
            assert await reader.got(3) == [a_fill(1), a_fill(3), a_fill(2)]
            await reader.until(lambda: refused("duplicate") == before + 2)

    async def test_new_life_of_a_producer_is_told_and_the_old_one_is_refused(self, world: World) -> None:
        before = refused("old_epoch")
        for epoch, seq in ((5, 7), (6, 1), (5, 8), (6, 2)):
            world.add(FILLS_SUB.key, an_entry("executor", epoch, seq, a_fill(epoch * 10 + seq)))
        async with Listener(world.bus("riskd"), FILLS_SUB) as reader:
            await reader.got(3)
        assert [item for item in reader.items if isinstance(item, Gap)] == [Gap(FILLS_SUB.key, "executor", -1)]
        assert reader.messages == [a_fill(57), a_fill(61), a_fill(62)]
        assert refused("old_epoch") == before + 1

    async def test_newest_tells_a_new_life_but_no_gap(self, world: World) -> None:
        async with Listener(world.bus("executor"), PERMIT_SUB) as reader:
            for number, (epoch, seq) in enumerate(((1, 1), (1, 9), (2, 1)), 1):
                world.add(PERMIT.of(), an_entry("riskd", epoch, seq, a_permit(number)))
                await reader.got(number)
        assert [item for item in reader.items if isinstance(item, Gap)] == [Gap(PERMIT.of(), "riskd", -1)]

    async def test_second_life_of_a_bus_has_a_later_epoch(self, world: World) -> None:
        async with Listener(world.bus("executor"), PERMIT_SUB) as reader:
            for number in (1, 2):
                async with world.bus("riskd") as writer:
                    writer.send([a_permit(number)])
                    await reader.got(number)
            first, second = (item for item in reader.items if isinstance(item, Delivery))
            assert second.epoch > first.epoch
            assert (first.seq, second.seq) == (1, 1)

    async def test_epoch_rises_although_the_wall_clock_was_set_back(self, world: World) -> None:
        ahead = int(world.add(PERMIT.of(), an_entry("riskd", 1, 1, a_permit(1))).partition("-")[0]) + 3_600_000
        world.add(PERMIT.of(), an_entry("riskd", ahead, 1, a_permit(2)), f"{ahead}-5")
        async with Listener(world.bus("executor"), PERMIT_SUB) as reader, world.bus("riskd") as writer:
            await reader.got(1)
            writer.send([a_permit(3)])
            assert await reader.got(2) == [a_permit(2), a_permit(3)]
        newest = world.command("XREVRANGE", PERMIT.of(), "+", "-", "COUNT", 1)[0][0]
        assert newest == f"{ahead}-6".encode()

    # ------------------------------------------------------------------ losses
    async def test_entry_trimmed_before_it_was_handled_is_a_gap(self, world: World) -> None:
        before = refused("trimmed")
        entry_id = world.add(FILLS_SUB.key, an_entry("executor", 1, 1, a_fill(1)))
        async with Listener(world.bus("riskd"), FILLS_SUB, fail_on=lambda _: True) as broken:
            await broken.failed()
        world.forget(FILLS_SUB.key, entry_id)
        async with Listener(world.bus("riskd"), FILLS_SUB) as reader:
            await reader.until(lambda: bool(reader.items))
        assert reader.items == [Gap(FILLS_SUB.key, "executor", 1)]
        assert refused("trimmed") == before + 1
        assert world.command("XPENDING", FILLS_SUB.key, "riskd")[0] == 0

    async def test_entry_that_kills_its_reader_again_and_again_is_put_aside(self, world: World) -> None:
        before = refused("poison")
        world.add(FILLS_SUB.key, an_entry("executor", 1, 1, a_fill(1)))
        world.add(FILLS_SUB.key, an_entry("executor", 1, 2, a_fill(2)))
        for _ in range(12):
            async with Listener(world.bus("riskd"), FILLS_SUB, fail_on=lambda i: i.message == a_fill(1)) as broken:
                await broken.until(lambda: broken.ended or bool(broken.items))
                if broken.items:
                    break
                await broken.failed()
        assert broken.messages == [a_fill(2)]
        assert refused("poison") >= before + 1
        assert world.command("XPENDING", FILLS_SUB.key, "riskd")[0] == 0

    async def test_wiped_server_costs_nothing_that_comes_later(self, world: World) -> None:
        async with world.bus("executor") as writer, Listener(world.bus("riskd"), FILLS_SUB) as reader:
            writer.send([a_fill(1)])
            await reader.got(1)
            world.wipe()
            writer.send([a_fill(2)])
            assert await reader.got(2) == [a_fill(1), a_fill(2)]
        assert world.command("XPENDING", FILLS_SUB.key, "riskd")[0] == 0

    @pytest.mark.parametrize("subscription", [PERMIT_SUB], ids=["newest"])
    async def test_stream_with_ids_at_the_end_of_time_is_replaced_by_its_writer(
        self, world: World, subscription: Subscription
    ) -> None:
        last = 2**64 - 1
        world.add(subscription.key, [b"what", b"ever"], f"{last}-{last}")
        async with world.bus("riskd") as writer:
            reading = Listener(world.bus("executor"), subscription)
            writer.send([a_permit(1)])
            assert await writer.flush(FLUSH_S)
            async with reading:
                writer.send([a_permit(2)])
                await reading.until(lambda: a_permit(2) in reading.messages)

    async def test_spoiled_live_stream_recovers(self, world: World) -> None:
        async with world.bus("riskd") as writer, Listener(world.bus("executor"), PERMIT_SUB) as reader:
            writer.send([a_permit(1)])
            await reader.got(1)
            world.add(PERMIT.of(), [b"what", b"ever"], f"{2**64 - 1}-0")
            writer.send([a_permit(2)])
            await reader.until(lambda: a_permit(2) in reader.messages)
            world.spoil(PERMIT.of())
            writer.send([a_permit(3)])
            await reader.until(lambda: a_permit(3) in reader.messages)

    async def test_foreign_entry_makes_the_writer_take_a_later_id(self, world: World) -> None:
        before = refused("id_taken")
        async with world.bus("executor") as writer, Listener(world.bus("riskd"), FILLS_SUB) as reader:
            writer.send([a_fill(1)])
            await reader.got(1)
            newest = int(world.command("XREVRANGE", FILLS_SUB.key, "+", "-", "COUNT", 1)[0][0].partition(b"-")[0])
            world.add(FILLS_SUB.key, [b"what", b"ever"], f"{newest + 60_000}-0")
            writer.send([a_fill(2)])
            assert await reader.got(2) == [a_fill(1), a_fill(2)]
        assert refused("id_taken") == before + 1

    # ------------------------------------------------------------------ the link
    async def test_outage_loses_no_group_entry_and_doubles_none(self, world: World) -> None:
        told: list[bool] = []
        writer = world.bus("executor")
        writer.on_link(told.append)
        async with writer, Listener(world.bus("riskd"), FILLS_SUB) as reader:
            writer.send([a_fill(1)])
            await reader.got(1)
            world.down()
            writer.send([a_fill(2)])
            await reader.until(lambda: not writer.link_up)
            writer.send([a_fill(3)])
            assert not await writer.flush(0.05)
            world.up()
            assert await reader.got(3) == [a_fill(1), a_fill(2), a_fill(3)]
            await reader.until(lambda: writer.link_up)
        assert told == [True, False, True]
        assert [item for item in reader.items if isinstance(item, Gap)] == []

    async def test_plain_goes_on_from_the_newest_after_an_outage(self, world: World) -> None:
        bus = world.bus("quoter")
        async with world.bus("feed") as writer, Listener(bus, MD_SUB) as reader:
            writer.send([a_touch(1)])
            await reader.got(1)
            world.down()
            await reader.until(lambda: not bus.link_up)
            world.up()
            await reader.until(lambda: bus.link_up and writer.link_up)
            writer.send([a_touch(2)])
            await reader.until(lambda: a_touch(2) in reader.messages)

    async def test_start_without_a_server_waits_for_it(self, world: World) -> None:
        world.down()
        writer = world.bus("riskd")
        async with writer:
            assert not writer.link_up
            assert writer.last_ok_mono_ns == 0
            world.up()
            async with Listener(world.bus("executor"), PERMIT_SUB) as reader:
                writer.send([a_permit(1)])
                await reader.got(1)
                assert writer.last_ok_mono_ns > 0

    async def test_flush_of_nothing_is_true_and_close_is_quick(self, world: World) -> None:
        async with world.bus("riskd") as bus:
            assert await bus.flush(0.1)
            reading = asyncio.create_task(bus.read([PERMIT_SUB], list))
            await asyncio.sleep(0)
            await asyncio.wait_for(bus.close(), 2.0)
            await asyncio.wait_for(reading, 0.1)

    async def test_what_was_queued_at_the_close_is_written(self, world: World) -> None:
        async with world.bus("executor") as writer:
            writer.send([a_fill(n) for n in range(1, 1001)])
        assert len(world.command("XRANGE", FILLS_SUB.key, "-", "+")) == 1000

    # ------------------------------------------------------------------ shared budget
    async def test_bucket_is_shared_and_keeps_its_reserve(self, world: World) -> None:
        bucket = Bucket("test-weight", capacity=100.0, rate_per_s=1.0)
        async with world.bus("feed") as feed, world.bus("executor") as executor:
            assert await feed.take(bucket, 60.0, keep=30.0) == 0.0
            wait_s = await feed.take(bucket, 60.0, keep=30.0)
            assert wait_s is not None
            assert 45.0 < wait_s <= 50.0
            assert await executor.take(bucket, 39.0) == 0.0
            world.down()
            assert await executor.take(bucket, 1.0) is None
            world.up()
