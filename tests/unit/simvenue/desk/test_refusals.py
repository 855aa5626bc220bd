"""Every refusal has the venue's words and says where they were seen; every recorded text is answered for."""

from __future__ import annotations

import json

import pytest

from simvenue.desk import refusals
from simvenue.desk.refusals import Refusal, Words
from tests.support.shared import shared

#: Recorded texts that this venue never says, and why.
NOT_SAID = {
    "MinTradeSpotNtl": "no spot market",
    "InsufficientSpotBalance": "no spot market",
    "BadTriggerPx": "no trigger orders",
    "MarketOrderNoLiquidity": "no trigger or market orders",
    "Oracle": "the band is not published: the 80 % reference price is used",
    "OpenInterestIncrease": "the rate limit of open interest is not published",
    "TooAggressiveAtOpenInterestCap": "how much is too aggressive is not published",
}
#: Said, with figures or names in it: the recorded example is made from our template.
MADE = {
    "BadAloPx": refusals.alo("{bid}", "{ask}").text,
    "RateLimit": refusals.BUDGET_GONE.of(used=37986, cap=10436, volume="437.92"),
    "NoWallet": refusals.NO_SUCH_SIGNER.of(user="0xb8a6f8b26223de27c31938d56e470a5b832703a5"),
    "MustDeposit": refusals.NOT_DEPOSITED.of(user="0x123..."),
    "ScheduleCancelVolume": refusals.SCHEDULE_VOLUME.of(traded="373.47205"),
}


def recorded() -> dict[str, str]:
    rows = json.loads(shared("fixtures/hyperliquid/error_strings.json").read_text())
    return {row["type"]: row["text"] for row in rows}


def said() -> set[str]:
    orders, whole = refusals.order_refusals().values(), refusals.action_refusals().values()
    return {r.text for r in orders} | {w.text for w in whole} | set(MADE.values())


def test_every_recorded_text_is_said_to_the_letter_or_named_with_its_reason() -> None:
    elsewhere = {"WsParse", "Nonce"}  # the socket's own, and one whose nonce was cut off
    missing = {
        name: text for name, text in recorded().items() if text not in said() and name not in {*NOT_SAID, *elsewhere}
    }
    assert missing == {}
    assert refusals.NONCE_USED.text.startswith(recorded()["Nonce"])


def test_what_is_not_said_is_really_not_said() -> None:
    texts = recorded()
    assert [name for name in NOT_SAID if texts[name] in said()] == []


@pytest.mark.parametrize("name", sorted({*refusals.order_refusals(), *refusals.action_refusals()}))
def test_every_refusal_names_its_origin(name: str) -> None:
    refusal: Refusal | Words = getattr(refusals, name)
    assert refusal.origin in ("docs", "client", "probe", "node", "ours")
    assert refusal.text


def test_a_documented_text_is_in_the_fixture() -> None:
    """What we call documented was read in the documentation, not remembered."""
    documented = [r for r in refusals.order_refusals().values() if r.origin == "docs"]
    assert [r.text for r in documented if r.text not in set(recorded().values())] == []


def test_labels_are_few_words_and_never_shared_by_different_rules() -> None:
    words = refusals.action_refusals()
    labels = [w.reason for w in words.values()]
    assert sorted({label for label in labels if labels.count(label) > 1}) == ["leverage_margin"]  # cross and isolated
    assert all(label.replace("_", "").isalpha() for label in labels)


def test_live_order_texts_end_with_the_asset() -> None:
    assert refusals.NO_MARGIN.of(4) == "Insufficient margin to place order. asset=4"
