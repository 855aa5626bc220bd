"""The venue's answer about our account, as a message."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from common.errors import BadInput, LinkDown
from common.messages import AccountView, MarketSpec
from common.venue_types import ClearinghouseState
from monitor import wallet
from monitor.wallet import Wallet, view_of
from tests.support.shared import shared
from tests.unit.monitor.builders import COIN, E8, T0, spec


def a_state(szi: str = "-0.231", entry: str | None = "752.31", value: str = "1003.2", coin: str = COIN) -> Any:
    summary = {"accountValue": value, "totalMarginUsed": "17.37", "totalNtlPos": "173.8", "totalRawUsd": "1177.0"}
    position = {
        "coin": coin,
        "szi": szi,
        "leverage": {"type": "isolated", "value": 10},
        "marginUsed": "17.37",
        "positionValue": "173.8",
        "unrealizedPnl": "-0.03",
        "entryPx": entry,
        "liquidationPx": None,
    }
    return msgspec.convert(
        {
            "assetPositions": [{"type": "oneWay", "position": position}],
            "crossMarginSummary": summary,
            "marginSummary": summary,
            "crossMaintenanceMarginUsed": "4.3",
            "withdrawable": "985.8",
            "time": T0 // 1_000_000,
        },
        ClearinghouseState,
    )


def test_account_becomes_a_view_in_units() -> None:
    seen = view_of(a_state(), spec(), 12, T0 + 5)
    [held] = seen.positions
    assert (seen.equity_e8, seen.margin_used_e8, seen.open_orders, seen.venue_t_ns) == (
        100_320_000_000,
        1_737_000_000,
        12,
        T0,
    )
    assert (held.signed_u, round(held.entry_px, 6), held.unrealised_e8) == (-231, 752_310.0, -3_000_000)


def test_position_without_entry_is_at_zero() -> None:
    assert view_of(a_state(entry=None), spec(), 0, T0).positions[0].entry_px == 0.0


def test_foreign_position_on_the_account_is_shown_too() -> None:
    assert view_of(a_state(coin="km:OTHER", szi="0.00005"), spec(), 0, T0).positions[0].coin == "km:OTHER"


@pytest.mark.parametrize("state", [a_state(szi="0.0001"), a_state(value="999999999999"), a_state(entry="-1")])
def test_what_no_account_can_say_is_refused(state: ClearinghouseState) -> None:
    with pytest.raises(BadInput):
        view_of(state, spec(), 0, T0)


def test_captured_account_with_two_positions_becomes_a_view() -> None:
    capture = json.loads(shared("fixtures/hyperliquid/rest_clearinghouse_state.json").read_text())
    body = {"crossMaintenanceMarginUsed": "0.0", "time": T0 // 1_000_000, **capture[0]["response"]}
    btc = MarketSpec(T0, "BTC", 0, 5, 40, "USDC", False, False)
    held = {p.coin: p.signed_u for p in view_of(msgspec.convert(body, ClearinghouseState), btc, 0, T0).positions}
    assert held["BTC"] == -785
    assert len(held) > 1


class Answers:
    """Stands in for the venue: each question takes the next answer, an exception is raised."""

    def __init__(self, *states: Any) -> None:
        self.states = list(states)
        self.orders_asked = 0

    async def open_orders(self, user: str, dex: str) -> list[Any]:
        self.orders_asked += 1
        return [1, 2, 3]

    async def clearinghouse_state(self, user: str, dex: str) -> Any:
        answer = self.states.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_failed_question_publishes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wallet, "EVERY_S", 0.0)
    seen: list[AccountView] = []
    answers = Answers(a_state(), LinkDown("away"), BadInput("not_json"), a_state())
    watch = Wallet(answers, "0x", "km", spec, lambda: T0, seen.append)  # type: ignore[arg-type]
    with pytest.raises(IndexError):
        await watch.run()
    assert [one.equity_e8 for one in seen] == [1_003 * E8 + 20_000_000] * 2
    assert seen[0].open_orders == 3
    assert answers.orders_asked == 1
