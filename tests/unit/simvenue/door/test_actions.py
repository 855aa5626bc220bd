"""Bodies of POST /exchange: every action hashed as the SDK or its documented form has it, and nothing else read."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import hyperliquid.exchange
import msgspec
import pytest
from hyperliquid.utils.signing import float_to_wire
from hypothesis import given
from hypothesis import strategies as st

from common.errors import BadInput
from simvenue.door import actions, meaning
from simvenue.door.signature import action_hash
from simvenue.events import ModifyOrders, PlaceOrders
from tests.unit.simvenue.signing import an_order, place, signed

CLOID = "0x00000000000000000000000000000a01"
T = 1_780_000_000_000

ACTIONS: list[dict[str, Any]] = [
    place(an_order(c=CLOID), an_order(t={"limit": {"tif": "Ioc"}})),
    place() | {"builder": {"b": "0x" + "ab" * 20, "f": 10}},
    {"type": "cancel", "cancels": [{"a": 0, "o": 7}]},
    {"type": "cancel", "cancels": [{"a": 0, "o": 7}], "f": True},
    {"type": "cancelByCloid", "cancels": [{"asset": 0, "cloid": CLOID}]},
    {"type": "cancelByCloid", "cancels": [{"asset": 0, "cloid": CLOID}], "f": False},
    {"type": "modify", "oid": 7, "order": an_order()},
    {"type": "modify", "oid": CLOID, "order": an_order(), "a": True},
    {"type": "batchModify", "modifies": [{"oid": 7, "order": an_order()}]},
    {"type": "noop"},
    {"type": "updateLeverage", "asset": 0, "isCross": False, "leverage": 3},
    {"type": "updateIsolatedMargin", "asset": 0, "isBuy": True, "ntli": -1},
    {"type": "topUpIsolatedOnlyMargin", "asset": 0, "leverage": "2.5"},
    {"type": "scheduleCancel"},
    {"type": "scheduleCancel", "time": T},
    {"type": "reserveRequestWeight", "weight": 1000},
    {"type": "agentSetAbstraction", "abstraction": "p"},
]


@pytest.mark.parametrize("action", ACTIONS, ids=lambda a: a["type"])
def test_an_action_in_its_documented_form_keeps_its_hash(action: dict[str, Any]) -> None:
    _, read = actions.decode(signed(action, T))
    assert meaning.canonical(read) == action
    assert list(meaning.canonical(read)) == list(action)
    assert action_hash(meaning.canonical(read), T, None, None) == action_hash(action, T, None, None)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda a: a["type"])
def test_order_of_keys_and_strange_keys_do_not_matter(action: dict[str, Any]) -> None:
    shuffled = {"strange": 1, **dict(reversed(action.items()))}
    _, read = actions.decode(signed(action, T, sent=shuffled))
    assert meaning.canonical(read) == action


def test_every_served_action_is_covered_here() -> None:
    user_signed = {"approveAgent", "userSetAbstraction"}
    assert {a["type"] for a in ACTIONS} | user_signed == actions._NAMES


def test_every_action_the_sdk_can_send_is_served_or_left_out_by_name() -> None:
    source = Path(hyperliquid.exchange.__file__).with_name("exchange.py").read_text()
    sent = set(re.findall(r'"type": "(\w+)"', source))
    assert sent - actions._NAMES - actions.NOT_HERE == set()
    assert len(sent) > 20


def test_served_and_left_out_never_overlap() -> None:
    assert actions._NAMES.isdisjoint(actions.NOT_HERE)


@pytest.mark.parametrize("name", sorted(actions.NOT_HERE))
def test_an_action_left_out_is_named(name: str) -> None:
    with pytest.raises(BadInput, match="action_left_out"):
        actions.decode(signed({"type": name}, T))
    assert actions.action_name(signed({"type": name}, T)) == name


def test_a_user_signed_action_has_no_l1_hash() -> None:
    action = {
        "type": "userSetAbstraction", "hyperliquidChain": "Testnet", "signatureChainId": "0x66eee",
        "user": "0x" + "ab" * 20, "abstraction": "disabled", "nonce": T,
    }  # fmt: skip
    _, read = actions.decode(signed(action, T))
    with pytest.raises(BadInput, match="user_signed"):
        meaning.canonical(read)


# ---------------------------------------------------------------------- properties
@given(st.decimals(min_value=0, max_value=10**9, places=8, allow_nan=False))
def test_a_decimal_is_rewritten_as_the_sdk_writes_it(value: Any) -> None:
    text = format(value, "f")
    rewritten = meaning.plain(text)
    assert rewritten == meaning.plain(rewritten)
    assert float(rewritten) == float(text)
    if float(text) < 10**7:  # beyond, the SDK's own float rounding shows
        assert rewritten == float_to_wire(float(text))


@given(st.text(alphabet="0123456789.-+eE \n_", max_size=20))
def test_only_plain_decimals_are_prices(text: str) -> None:
    try:
        actions.decode(signed(place(an_order(p=text)), T))
    except BadInput:
        return
    assert re.fullmatch(r"-?[0-9]{1,12}(\.[0-9]{1,12})?", text)


@given(st.integers(0, 2**32), st.integers(1, 50))
def test_entries_count_what_the_core_is_asked(seed: int, count: int) -> None:
    chance = random.Random(seed)
    orders = [an_order(b=chance.random() < 0.5) for _ in range(count)]
    modifies = [{"oid": chance.randrange(10**9), "order": order} for order in orders]
    cancels = [{"a": 0, "o": chance.randrange(10**9)} for _ in orders]
    for action in (
        place(*orders), {"type": "batchModify", "modifies": modifies}, {"type": "cancel", "cancels": cancels},
    ):  # fmt: skip
        read = msgspec.json.decode(json.dumps(action), type=actions.Action)
        command = meaning.command(read, "0x")
        assert meaning.entries(read) == count
        found = command.orders if isinstance(command, PlaceOrders) else getattr(command, "modifies", None)
        assert len(found if found is not None else command.cancels) == count  # type: ignore[union-attr]
        assert not isinstance(command, ModifyOrders) or not command.single
