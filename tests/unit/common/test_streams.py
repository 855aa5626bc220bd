"""Who writes what: every message has one stream, every key one producer."""

from __future__ import annotations

import typing

import pytest

from common import streams
from common.errors import OurFault
from common.messages import AnyMessage, Command, Verb
from common.streams import ALERTS, ALL, CONTROL, HEARTBEAT, MD, PERMIT, STREAM_OF, Kind, route
from tests.support.messages import COIN, a_fill, a_heartbeat, a_permit, a_touch, an_alert


def test_every_message_has_a_stream() -> None:
    assert set(STREAM_OF) == set(typing.get_args(AnyMessage))
    assert set(STREAM_OF.values()) == set(ALL)


@pytest.mark.parametrize("stream", ALL, ids=lambda s: s.name)
def test_stream_is_bounded_by_number_or_age_and_used_by_known_services(stream: streams.Stream) -> None:
    assert (stream.keep_s > 0) == (stream.kind is Kind.GROUP)
    assert (stream.maxlen > 0) == (stream.kind is not Kind.GROUP)
    assert set(stream.writers) | set(stream.readers) <= set(streams.SERVICES)
    assert stream.kind is not Kind.GROUP or stream.keep_s >= 86_400


def test_message_goes_to_the_key_of_its_coin_or_of_its_writer() -> None:
    kill = Command(t_ns=1, verb=Verb.KILL, id="12345678", arm_epoch=0, reason="")
    assert route("feed", a_touch(1)) == f"md:{COIN}"
    assert route("executor", a_fill(1)) == f"fills:{COIN}"
    assert route("riskd", a_permit(1)) == "permit"
    assert route("riskd", kill) == "control:riskd"
    assert route("monitor", an_alert(1)) == "alerts:monitor"
    assert route("feed", a_heartbeat("feed")) == "hb:feed"


@pytest.mark.parametrize(
    ("service", "message"), [("quoter", a_fill(1)), ("simvenue", a_touch(1)), ("feed", a_permit(1))]
)
def test_service_may_not_write_what_is_not_its_own(service: str, message: AnyMessage) -> None:
    with pytest.raises(OurFault, match=f"{service} may not write"):
        route(service, message)


def test_what_is_no_message_is_refused() -> None:
    with pytest.raises(OurFault):
        route("feed", object())  # type: ignore[arg-type]


def test_key_names_its_only_producer() -> None:
    assert MD.producer(f"md:{COIN}") == "feed"
    assert PERMIT.producer("permit") == "riskd"
    assert CONTROL.producer("control:riskd") == "riskd"
    assert ALERTS.producer("alerts:quoter") == "quoter"
    assert CONTROL.producer("control:quoter") == "", "the quoter commands nobody"
    assert HEARTBEAT.producer("hb:nobody") == ""
    assert PERMIT.producer("permit2") == ""
    assert MD.part(f"md:{COIN}") == COIN
