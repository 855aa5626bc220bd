"""The venue's door: every refusal in the venue's words, and nothing admitted that should not be."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simvenue.desk.budget import Means
from simvenue.desk.refusals import UNREADABLE
from simvenue.door.gateway import Admitted, Gateway, Refused
from simvenue.events import (
    CancelOrders,
    ModifyOrders,
    Noop,
    OrderSpec,
    PlaceOrders,
    ReserveWeight,
    ScheduleCancel,
    SetAbstraction,
    TopUpIsolatedMargin,
    UpdateIsolatedMargin,
    UpdateLeverage,
)
from tests.unit.simvenue.signing import AGENT, MASTER, STRANGER, a_mode, address, an_order, approval, place, signed

NOW_MS = 1_780_000_000_000
NOW_NS = NOW_MS * 1_000_000
CLOID = "0x00000000000000000000000000000a01"
RATE_LIMIT_TEXT = (
    "Too many cumulative requests sent (37986 > 10436) for cumulative volume traded $437.92. "
    "Place taker orders to free up 1 request per USDC traded."
)


@dataclass
class Books:
    """What the door asks of the exchange, as a test wants it."""

    funded: set[str] = field(default_factory=lambda: {address(MASTER)})
    credit: int = 0
    bought: int = 0
    mode: str = "disabled"

    def is_funded(self, address: str) -> bool:
        return address in self.funded

    def means(self, address: str) -> Means:
        return Means(self.credit, self.bought, self.mode)


class Door:
    """A gateway at a fixed hour, with the nonce counted on."""

    def __init__(self, **books: Any) -> None:
        self.books = Books(**books)
        self.gateway = Gateway(self.books)
        self.nonce = NOW_MS

    def send(self, action: dict[str, Any], *, after_s: float = 0.0, nonce: int | None = None, **how: Any) -> Any:
        if nonce is None:
            self.nonce += 1
            nonce = self.nonce
        now = NOW_NS + int(after_s * 1e9)
        return self.gateway.admit(signed(action, nonce, **how), now, now + 300_000_000)

    def raw(self, body: bytes) -> Any:
        return self.gateway.admit(body, NOW_NS, NOW_NS)


def refused(verdict: Admitted | Refused, reason: str) -> str:
    assert isinstance(verdict, Refused), verdict
    assert verdict.reason == reason
    return verdict.text


# ---------------------------------------------------------------------- what comes through
@pytest.mark.parametrize(
    ("action", "want"),
    [
        (place(an_order(p="752.40")), None),
        ({"type": "cancel", "cancels": [{"a": 150000, "o": 7}]}, CancelOrders(address(MASTER), ((150000, 7),))),
        ({"type": "noop"}, Noop(address(MASTER))),
        (
            {"type": "updateLeverage", "asset": 150000, "isCross": True, "leverage": 10},
            UpdateLeverage(address(MASTER), 150000, True, 10),
        ),
        (
            {"type": "updateIsolatedMargin", "asset": 150000, "isBuy": True, "ntli": -5_000_000},
            UpdateIsolatedMargin(address(MASTER), 150000, -5_000_000),
        ),
        (
            {"type": "topUpIsolatedOnlyMargin", "asset": 150000, "leverage": "5.5"},
            TopUpIsolatedMargin(address(MASTER), 150000, "5.5"),
        ),
        ({"type": "scheduleCancel", "time": NOW_MS}, ScheduleCancel(address(MASTER), NOW_MS)),
        ({"type": "scheduleCancel"}, ScheduleCancel(address(MASTER), None)),
        ({"type": "reserveRequestWeight", "weight": 100}, ReserveWeight(address(MASTER), 100)),
        ({"type": "agentSetAbstraction", "abstraction": "u"}, SetAbstraction(address(MASTER), "unifiedAccount")),
        (
            {"type": "cancel", "cancels": [{"a": 150000, "o": 7}], "f": True},
            CancelOrders(address(MASTER), ((150000, 7),), fast=True),
        ),
        (
            {"type": "cancelByCloid", "cancels": [{"asset": 150000, "cloid": CLOID}], "f": False},
            CancelOrders(address(MASTER), ((150000, CLOID),)),
        ),
    ],
)
def test_an_action_comes_through_for_its_signer(action: dict[str, Any], want: Any) -> None:
    verdict = Door().send(action)
    if action["type"] == "order":  # the trailing zero makes it another action than the one signed
        assert "does not exist" in refused(verdict, "unknown_signer")
    else:
        assert verdict == Admitted(action["type"], address(MASTER), want)


def test_order_keeps_its_text_and_its_cloid_in_lower_case() -> None:
    verdict = Door().send(place(an_order(c=CLOID), an_order(b=False, r=True, t={"limit": {"tif": "Ioc"}})))
    assert isinstance(verdict, Admitted)
    assert verdict.command == PlaceOrders(
        address(MASTER),
        (
            OrderSpec(150000, True, "752.4", "0.5", False, "Alo", CLOID),
            OrderSpec(150000, False, "752.4", "0.5", True, "Ioc", None),
        ),
    )


def test_upper_case_cloid_is_hashed_as_the_venue_writes_it() -> None:
    action = place(an_order(c=CLOID))
    sent = place(an_order(c="0x" + CLOID[2:].upper()))
    assert isinstance(Door().send(action, sent=sent), Admitted)


def test_modify_names_an_order_by_oid_or_cloid() -> None:
    batch = {"type": "batchModify", "modifies": [{"oid": 5, "order": an_order()}, {"oid": CLOID, "order": an_order()}]}
    verdict = Door().send(batch)
    assert isinstance(verdict, Admitted)
    assert isinstance(verdict.command, ModifyOrders)
    assert [key for key, _ in verdict.command.modifies] == [5, CLOID]
    single = Door().send({"type": "modify", "oid": CLOID, "order": an_order()})
    assert single.command.single is True
    anyway = Door().send({"type": "modify", "oid": CLOID, "order": an_order(), "a": True})
    assert anyway.command.always_place is True


def test_key_order_of_the_body_does_not_matter_only_the_signed_one_does() -> None:
    shuffled = place(dict(reversed(an_order().items())))
    assert isinstance(Door().send(place(), sent=shuffled), Admitted)
    assert "does not exist" in refused(Door().send(shuffled), "unknown_signer")


def test_mainnet_signature_is_taken_when_the_testnet_signer_is_unknown() -> None:
    assert isinstance(Door().send(place(), mainnet=True), Admitted)


# ---------------------------------------------------------------------- who
def test_unknown_signer_is_named() -> None:
    text = refused(Door().send(place(), wallet=STRANGER), "unknown_signer")
    assert text == f"User or API Wallet {address(STRANGER)} does not exist."


def test_agent_of_an_account_without_deposit_is_told_whose_deposit_is_missing() -> None:
    door = Door()
    door.gateway.register(address(AGENT), address(STRANGER), "", NOW_NS)
    text = refused(door.send(place(), wallet=AGENT), "not_deposited")
    assert text == f"Must deposit before performing actions. User: {address(STRANGER)}"


def test_agent_acts_for_its_master_until_it_expires() -> None:
    door = Door()
    door.gateway.register(address(AGENT), address(MASTER), "bot", NOW_NS)
    verdict = door.send(place(), wallet=AGENT)
    assert isinstance(verdict, Admitted)
    assert verdict.address == address(MASTER)
    late = door.gateway.admit(
        signed(place(), NOW_MS + 200 * 86_400_000, wallet=AGENT), NOW_NS + 200 * 86_400 * 10**9, NOW_NS
    )
    assert "does not exist" in refused(late, "unknown_signer")


def test_vault_address_is_part_of_the_hash_and_then_refused() -> None:
    vault = "0x" + "ab" * 20
    assert refused(Door().send(place(), vault=vault), "vault") == f"Vault not registered: {vault}"


# ---------------------------------------------------------------------- approveAgent
def test_approved_agent_may_trade_at_once_and_is_listed_by_name() -> None:
    door = Door()
    assert door.raw(approval(AGENT.address, NOW_MS, name="bot")) == Admitted("approveAgent", address(MASTER), None)
    assert isinstance(door.send(place(), wallet=AGENT), Admitted)
    (agent,) = door.gateway.agents_of(address(MASTER), NOW_NS)
    assert (agent.name, agent.address) == ("bot", address(AGENT))


def test_unnamed_agent_replaces_the_one_before() -> None:
    door = Door()
    assert isinstance(door.raw(approval(AGENT.address, NOW_MS)), Admitted)
    assert isinstance(door.raw(approval("0x" + "77" * 20, NOW_MS + 1)), Admitted)
    assert "does not exist" in refused(door.send(place(), wallet=AGENT), "unknown_signer")


def test_agent_name_may_carry_its_expiry() -> None:
    door = Door()
    door.raw(approval(AGENT.address, NOW_MS, name=f"bot valid_until {NOW_MS + 1000}"))
    assert isinstance(door.send(place(), wallet=AGENT), Admitted)
    assert "does not exist" in refused(door.send(place(), wallet=AGENT, after_s=2), "unknown_signer")


def test_fourth_named_agent_and_a_used_address_are_refused() -> None:
    door = Door()
    for i in range(3):
        assert isinstance(door.raw(approval(f"0x{i + 1:040x}", NOW_MS + i, name=f"a{i}")), Admitted)
    text = refused(door.raw(approval("0x" + "77" * 20, NOW_MS + 3, name="a3")), "agents_full")
    assert text == "Too many extra agents for cumulative volume traded. Current limit is 3"
    text = refused(door.raw(approval(f"0x{1:040x}", NOW_MS + 4, name="a0")), "agent_used")
    assert text == "Extra agent already used."
    assert isinstance(door.raw(approval("0x" + "78" * 20, NOW_MS + 5, name="a1")), Admitted)


def test_account_of_its_own_cannot_be_an_agent() -> None:
    door = Door(funded={address(MASTER), address(STRANGER)})
    refused(door.raw(approval(STRANGER.address, NOW_MS, name="bot")), "agent_used")


def test_agent_without_an_expiry_lasts_ninety_days() -> None:
    door = Door()
    door.raw(approval(AGENT.address, NOW_MS, name="bot"))
    (agent,) = door.gateway.agents_of(address(MASTER), NOW_NS)
    assert agent.valid_until_ns == NOW_NS + 90 * 86_400 * 10**9


@pytest.mark.parametrize("away_ms", [0, -1, 180 * 86_400_000 + 1])
def test_expiry_in_the_past_or_beyond_180_days_is_refused(away_ms: int) -> None:
    name = f"bot valid_until {NOW_MS + away_ms}"
    text = refused(Door().raw(approval(AGENT.address, NOW_MS, name=name)), "agent_expiry")
    assert text == "Agent valid_until already expired."


@pytest.mark.parametrize("name", [None, "bot"])
def test_zero_address_removes_the_agent_and_blocks_approvals_for_five_seconds(name: str | None) -> None:
    door = Door()
    door.raw(approval(AGENT.address, NOW_MS, name=name))
    assert isinstance(door.raw(approval("0x" + "0" * 40, NOW_MS + 1, name=name)), Admitted)
    assert "does not exist" in refused(door.send(place(), wallet=AGENT), "unknown_signer")
    again = approval("0x" + "77" * 20, NOW_MS + 2, name="new")
    assert refused(door.raw(again), "agent_leaving") == "User has pending agent removal"
    later = NOW_NS + 5 * 10**9
    assert isinstance(door.gateway.admit(approval("0x" + "77" * 20, NOW_MS + 3, name="new"), later, later), Admitted)


def test_approval_by_a_stranger_must_deposit_first() -> None:
    text = refused(Door().raw(approval(AGENT.address, NOW_MS, wallet=STRANGER)), "not_deposited")
    assert text == f"Must deposit before performing actions. User: {address(STRANGER)}"


@pytest.mark.parametrize("name", [" ", "x" * 17, "a valid_until soon and more words"])
def test_agent_name_must_be_short_and_plain(name: str) -> None:
    text = refused(Door().raw(approval(AGENT.address, NOW_MS, name=name)), "agent_name")
    assert text == "Extra agent name must be between 1 and 16 characters long"


def test_account_mode_is_chosen_by_the_account_itself() -> None:
    door = Door()
    want = SetAbstraction(address(MASTER), "portfolioMargin")
    assert door.raw(a_mode("portfolioMargin", NOW_MS)) == Admitted("userSetAbstraction", address(MASTER), want)
    refused(door.raw(a_mode("disabled", NOW_MS + 1, user=STRANGER.address)), "mode")
    refused(door.raw(a_mode("disabled", NOW_MS, wallet=STRANGER)), "not_deposited")


def test_agent_may_not_buy_actions() -> None:
    door = Door()
    door.gateway.register(address(AGENT), address(MASTER), "bot", NOW_NS)
    text = refused(door.send({"type": "reserveRequestWeight", "weight": 1}, wallet=AGENT), "not_deposited")
    assert text == f"Must deposit before performing actions. User: {address(AGENT)}"


@pytest.mark.parametrize("body", [signed(place(), NOW_MS), approval(AGENT.address, NOW_MS)])
def test_signature_no_key_can_have_made_is_a_422(body: bytes) -> None:
    tree = json.loads(body)
    tree["signature"] = {"r": "0x0", "s": "0x0", "v": 27}
    verdict = Door().raw(json.dumps(tree).encode())
    assert refused(verdict, "signature_invalid") == UNREADABLE
    assert verdict.http == 422


def test_approval_whose_inner_nonce_differs_is_refused() -> None:
    body = json.loads(approval(AGENT.address, NOW_MS))
    body["nonce"] += 1
    assert refused(Door().raw(json.dumps(body).encode()), "nonce_mismatch") == "Nonce mismatch."


# ---------------------------------------------------------------------- nonces and expiry
def test_nonce_is_used_once_per_signer() -> None:
    door = Door()
    assert isinstance(door.send(place(), nonce=NOW_MS), Admitted)
    assert refused(door.send(place(), nonce=NOW_MS), "nonce_duplicate") == f"Invalid nonce: duplicate nonce {NOW_MS}"
    door.gateway.register(address(AGENT), address(MASTER), "bot", NOW_NS)
    assert isinstance(door.send(place(), nonce=NOW_MS, wallet=AGENT), Admitted)


@pytest.mark.parametrize("away_ms", [-2 * 86_400_000, -2 * 86_400_000 + 119_999, -3 * 86_400_000])
def test_nonce_of_two_days_ago_is_too_low(away_ms: int) -> None:
    text = refused(Door().send(place(), nonce=NOW_MS + away_ms), "nonce_low")
    assert text == f"Invalid nonce: nonce too low {NOW_MS + away_ms} < {NOW_MS - 2 * 86_400_000 + 120_000}"


@pytest.mark.parametrize("away_ms", [86_400_000 - 119_999, 86_400_000, 10**14])
def test_nonce_of_tomorrow_is_too_high(away_ms: int) -> None:
    text = refused(Door().send(place(), nonce=NOW_MS + away_ms), "nonce_high")
    assert text == f"Invalid nonce: nonce too high {NOW_MS + away_ms} > {NOW_MS + 86_400_000 - 120_000}"


def test_nonce_must_exceed_the_smallest_of_the_hundred_kept() -> None:
    door = Door()
    for i in range(0, 240, 2):
        assert isinstance(door.send({"type": "noop"}, nonce=NOW_MS + i), Admitted)
    text = refused(door.send({"type": "noop"}, nonce=NOW_MS + 39), "nonce_low")
    assert text == f"Invalid nonce: nonce too low {NOW_MS + 39} < {NOW_MS + 40}"
    assert isinstance(door.send({"type": "noop"}, nonce=NOW_MS + 41), Admitted)


@given(st.lists(st.integers(-50, 50), max_size=200))
def test_no_nonce_is_ever_admitted_twice(offsets: list[int]) -> None:
    door, used = Gateway(Books()), set()
    for offset in offsets:
        try:
            door._use_nonce("0x", NOW_MS + offset, NOW_NS)
        except Exception:
            continue
        assert offset not in used
        used.add(offset)
    assert len(door._nonces["0x"]) <= 100


def test_action_that_arrives_after_its_expiry_is_refused_and_costs_five_times() -> None:
    door = Door()
    text = refused(door.send(place(an_order(), an_order()), expires_after=NOW_MS + 299), "expired")
    assert text == "Action already expired"
    assert door.gateway.actions_used(address(MASTER)) == 10
    assert isinstance(door.send(place(), expires_after=NOW_MS + 300), Admitted)
    assert door.gateway.actions_used(address(MASTER)) == 11


# ---------------------------------------------------------------------- budgets
def test_batch_of_n_costs_n_and_trading_earns_actions() -> None:
    door = Door(credit=500 * 10**6)
    door.send(place(*[an_order()] * 3))
    assert door.gateway.actions_used(address(MASTER)) == 3
    assert door.gateway.actions_cap(address(MASTER)) == 10_500


def test_empty_budget_answers_in_the_venues_words() -> None:
    """The capture of `error_strings.json`, to the letter."""
    door = Door(credit=437_920_000)
    door.gateway._budgets[address(MASTER)].sent = 37_984
    assert isinstance(door.send(place()), Admitted)  # one in ten seconds
    assert refused(door.send(place()), "budget") == RATE_LIMIT_TEXT


def test_with_the_budget_gone_one_action_in_ten_seconds_passes() -> None:
    door = Door()
    door.gateway._budgets[address(MASTER)].sent = 10_000
    assert isinstance(door.send(place()), Admitted)
    refused(door.send(place(), after_s=9.9), "budget")
    assert isinstance(door.send(place(), after_s=10.0), Admitted)
    assert door.gateway.actions_used(address(MASTER)) == 10_002


def test_bought_actions_are_taken_off_what_was_used() -> None:
    door = Door(bought=50)
    door.gateway._budgets[address(MASTER)].sent = 10_010
    assert isinstance(door.send(place(*[an_order()] * 10)), Admitted)
    assert door.gateway.actions_used(address(MASTER)) == 9_970
    assert door.gateway.actions_surplus(address(MASTER)) == 0


def test_empty_batch_is_refused_in_words() -> None:
    verdict = Door().send({"type": "order", "orders": [], "grouping": "na"})
    assert refused(verdict, "no_orders") == "Orders are empty."
    assert verdict.as_status


def test_builder_fee_was_never_approved() -> None:
    action = place() | {"builder": {"b": "0x" + "ab" * 20, "f": 10}}
    assert refused(Door().send(action), "builder") == "Builder fee has not been approved."


# ---------------------------------------------------------------------- malformed
@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ({"type": "scheduleCancel", "time": "soon"}, "shape"),
        ({"type": "updateIsolatedMargin", "asset": 0, "isBuy": True, "ntli": 1.5}, "shape"),
        ({"type": "agentSetAbstraction", "abstraction": "x"}, "shape"),
        ({"type": "twapOrder"}, "action_left_out"),
        ({"type": "usdSend"}, "action_left_out"),
        ({"type": "mystery"}, "action_unknown"),
        (place(an_order(p="1e3")), "shape"),
        (place(an_order(p=752.4)), "shape"),
        (place(an_order(p="752.4\n")), "shape"),
        (place(an_order(b=1)), "shape"),
        (place(an_order(c="0xzz")), "shape"),
        (place(an_order(t={"trigger": {"isMarket": True, "triggerPx": "1", "tpsl": "sl"}})), "shape"),
        (place() | {"grouping": "normalTpsl"}, "shape"),
        ({"type": "cancel", "cancels": [{"a": -1, "o": 7}]}, "shape"),
    ],
)
def test_malformed_or_missing_action_is_a_422_and_changes_nothing(action: dict[str, Any], reason: str) -> None:
    door = Door()
    verdict = door.send(action, nonce=NOW_MS)
    assert refused(verdict, reason) == UNREADABLE
    assert verdict.http == 422
    assert isinstance(door.send(place(), nonce=NOW_MS), Admitted)  # the nonce was not used up


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(st.binary(max_size=200) | _JSON.map(lambda tree: json.dumps(tree).encode()))
def test_any_bytes_are_refused_without_a_trace(body: bytes) -> None:
    door = Door()
    verdict = door.raw(body)
    assert isinstance(verdict, Refused)
    assert verdict.http == 422
    assert not door.gateway._nonces
    assert not door.gateway._budgets


@given(st.sampled_from(["action", "nonce", "signature", "vaultAddress", "expiresAfter"]), _JSON)
def test_mangled_envelope_is_never_admitted(key: str, value: Any) -> None:
    body = json.loads(signed(place(), NOW_MS))
    if body[key] == value:
        return
    body[key] = value
    assert isinstance(Door().raw(json.dumps(body).encode()), Refused)
