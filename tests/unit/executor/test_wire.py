"""What goes over the wire, to the key and the digit, and what an answer is taken to mean."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.messages import Side
from executor import wire
from executor.events import Entry, Kind, SendAction
from tests.support.shared import shared

CLOID = "0xa5000000000700" + "0b" + "0" * 15 + "1"
ORDER = Entry(CLOID, 0, Side.BID, 752_410, 500, 0)


def sent(kind: Kind = Kind.ORDER, n: int = 1) -> SendAction:
    return SendAction(1, kind, 150_000, (ORDER,) * n, 0, 0)


def ok(*statuses: Any) -> bytes:
    return json.dumps({"status": "ok", "response": {"type": "order", "data": {"statuses": statuses}}}).encode()


def test_order_action_has_the_keys_in_the_order_that_is_hashed() -> None:
    tree = wire.action(Kind.ORDER, 150_000, (ORDER,), 3)
    assert json.dumps(tree) == (
        '{"type": "order", "orders": [{"a": 150000, "b": true, "p": "752.41", "s": "0.5", "r": false, '
        '"t": {"limit": {"tif": "Alo"}}, "c": "' + CLOID + '"}], "grouping": "na"}'
    )


def test_modify_names_the_order_by_its_number_and_without_one_by_its_cloid() -> None:
    by_oid = Entry(CLOID, 77, Side.ASK, 752_410, 500, 0, reduce_only=True)
    first, second = wire.action(Kind.MODIFY, 1, (by_oid, ORDER), 3)["modifies"]
    assert (first["oid"], first["order"]["b"], first["order"]["r"]) == (77, False, True)
    assert second["oid"] == CLOID


def test_cancels_go_by_number_or_by_cloid() -> None:
    entry = Entry(CLOID, 77, Side.ASK, 752_410, 500, 0)
    assert wire.action(Kind.CANCEL, 5, (entry,), 3) == {"type": "cancel", "cancels": [{"a": 5, "o": 77}]}
    by_cloid = {"type": "cancelByCloid", "cancels": [{"asset": 5, "cloid": CLOID}]}
    assert wire.action(Kind.CANCEL_CLOID, 5, (entry,), 3) == by_cloid
    assert wire.action(Kind.NOOP, 5, (), 3) == {"type": "noop"}


def test_every_order_is_post_only() -> None:
    for kind in (Kind.ORDER, Kind.MODIFY):
        assert '"tif":"Alo"' in json.dumps(wire.action(kind, 1, (ORDER,), 3), separators=(",", ":"))


def test_body_carries_expiry_or_null() -> None:
    assert json.loads(wire.body({"type": "noop"}, 5, {"r": "0x1", "s": "0x2", "v": 27}, 9)) == {
        "action": {"type": "noop"}, "nonce": 5, "signature": {"r": "0x1", "s": "0x2", "v": 27}, "vaultAddress": None,
        "expiresAfter": 9,
    }  # fmt: skip
    assert json.loads(wire.body({"type": "noop"}, 5, {}, 0))["expiresAfter"] is None


# ---------------------------------------------------------------------- replies
def test_statuses_are_read_in_order() -> None:
    reply = wire.reply(sent(n=3), 200, ok({"resting": {"oid": 5}}, {"error": "no"}, {"filled": {"oid": 6}}))
    assert [s.word for s in reply.statuses] == ["resting", "error", "filled"]
    assert (reply.outcome, reply.statuses[0].oid) == ("ok", 5)


def test_one_error_stands_for_the_whole_batch() -> None:
    reply = wire.reply(sent(n=3), 200, ok({"error": "Order has invalid price."}))
    assert (reply.outcome, reply.reason) == ("refused", "Order has invalid price.")


@pytest.mark.parametrize("n", [1, 3])
def test_fewer_or_more_statuses_than_orders_prove_nothing(n: int) -> None:
    reply = wire.reply(sent(n=2), 200, ok(*({"resting": {"oid": i + 1}} for i in range(n))))
    assert (reply.outcome, reply.reason) == ("unknown", "status_count")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b"<html>502</html>", b'{"status":"ok"}', b'{"status":"ok","response":null}', b"\xff\xfe",
        b'{"status":"ok","response":{"data":{"statuses":{}}}}', b"[" * 100_000, b'{"status":"err","response":5}',
        b'{"status":"ok","response":{"data":{"statuses":[NaN]}}}', b"\xef\xbb\xbf{}", b'{"error":"x"}',
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_unknown(body: bytes) -> None:
    assert wire.reply(sent(), 200, body).outcome == "unknown"


@pytest.mark.parametrize("status", [302, 400, 422, 429, 500, 502, 504])
def test_any_http_status_but_200_is_unknown(status: int) -> None:
    assert wire.reply(sent(), status, ok({"resting": {"oid": 5}})).outcome == "unknown"


@pytest.mark.parametrize(
    "oid", ["5", 5.0, 0, -1, 2**63, True, None, [], {}], ids=lambda v: repr(v)[:12]
)  # fmt: skip
def test_a_number_that_is_none_makes_the_status_unclear(oid: Any) -> None:
    assert wire.reply(sent(), 200, ok({"resting": {"oid": oid}})).statuses[0].word == "unclear"


@pytest.mark.parametrize("item", ["waitingForFill", {"resting": {}}, {}, None, 5, {"filled": {"oid": "x"}}, []])
def test_a_strange_status_is_unclear(item: Any) -> None:
    assert wire.reply(sent(), 200, ok(item)).statuses[0].word == "unclear"


def test_a_refused_action_changed_nothing_but_a_used_nonce_may_have() -> None:
    text = "User or API Wallet 0x00 does not exist."
    assert wire.reply(sent(), 200, json.dumps({"status": "err", "response": text}).encode()).outcome == "refused"
    text = "Invalid nonce: duplicate nonce 5"
    assert wire.reply(sent(), 200, json.dumps({"status": "err", "response": text}).encode()).outcome == "unknown"


def test_noop_is_done_with_a_default_response() -> None:
    body = b'{"status":"ok","response":{"type":"default"}}'
    assert wire.reply(sent(Kind.NOOP, 0), 200, body).outcome == "ok"
    assert wire.refusal(body) is None
    assert wire.refusal(b'{"status":"err","response":"no"}') == "no"
    assert wire.refusal(b"<html>") == "not JSON"
    assert wire.refusal(b'{"status":"ok","response":{"type":"order"}}') == "unexpected shape"


def test_real_replies_are_understood() -> None:
    folder = shared("fixtures/hyperliquid")
    for name, kind, words in (
        ("exchange_order_resting", Kind.ORDER, [["resting"]]),
        ("exchange_batch_modify_ok", Kind.MODIFY, [["resting"], ["filled"]]),
        ("exchange_cancel_ok", Kind.CANCEL, [["success"]]),
    ):
        bodies = json.loads((folder / f"{name}.json").read_text())
        replies = [wire.reply(sent(kind), 200, json.dumps(body).encode()) for body in bodies]
        assert [[s.word for s in reply.statuses] for reply in replies] == words


def test_each_known_error_has_a_word_of_its_own() -> None:
    texts = [row["text"] for row in json.loads((shared("fixtures/hyperliquid") / "error_strings.json").read_text())]
    ours = [t for t in texts if t.startswith(("Post only", "Insufficient margin", "Too many cumulative", "Order was"))]
    assert ours
    assert all(wire.reason(text + " asset=4") != "other" for text in ours)
    assert wire.reason("something new") == "other"


@given(st.binary(max_size=300), st.integers(100, 599))
def test_no_bytes_raise(body: bytes, status: int) -> None:
    assert wire.reply(sent(n=2), status, body).outcome in ("ok", "refused", "unknown")


NAMES = st.sampled_from(["status", "response", "data", "statuses", "error", "resting", "oid"])
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner),
    max_leaves=12,
)


@given(TREES)
def test_no_json_raises(tree: Any) -> None:
    reply = wire.reply(sent(n=2), 200, json.dumps(tree).encode())
    assert reply.outcome in ("ok", "refused", "unknown")
    assert reply.outcome != "ok" or len(reply.statuses) == 2
