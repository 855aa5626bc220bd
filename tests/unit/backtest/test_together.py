"""Markets of one account: played in turns they are what they are alone, until the account says otherwise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backtest.loop import account as ac
from backtest.loop.account import Charges
from backtest.loop.layout import FILL_SZ
from backtest.playing import Money, Played, Replay, Terms
from backtest.together import play_together
from common.config import Risk
from quoter.state import NS
from riskd.limits import KILL
from tests.unit.backtest.builders import MID, T0, Script, a_quoter, random_market, run, seller, terms

CHARGES = Charges(maker_ppb=30_000, taker_ppb=450_000, leverage=10, max_leverage=20, equity_usd=1_000.0)
OURS = MID - 930


def ready(script: Script, conditions: Terms | None = None, distance_bps: float = 0.5) -> Replay:
    return Replay(script.tape(), a_quoter((distance_bps,)), conditions or terms(charges=CHARGES))


def money(played: Played) -> Money:
    assert played.money is not None
    return played.money


def same(one: Played, other: Played) -> bool:
    return bool(
        np.array_equal(one.fills, other.fills) and np.array_equal(one.curve, other.curve)
        and np.array_equal(one.mid2, other.mid2) and one.actions == other.actions
    )  # fmt: skip


@pytest.mark.parametrize("turn_ns", [NS // 7, NS, 13 * NS])
@pytest.mark.parametrize("risk", [None, Risk.model_validate({})])
def test_a_replay_in_turns_is_the_replay_in_one(turn_ns: int, risk: Risk | None) -> None:
    conditions = terms(charges=CHARGES, risk=risk)
    whole = run(random_market(2), a_quoter((0.5,)), conditions)
    [turned] = play_together([ready(random_market(2), conditions)], T0, turn_ns)
    assert len(whole.fills) > 3
    assert same(whole, turned)
    assert money(whole) == money(turned)


def test_markets_that_ask_nothing_of_the_account_trade_as_they_do_alone() -> None:
    alone = [run(random_market(seed), a_quoter((0.5,)), terms(charges=CHARGES)) for seed in (1, 2)]
    together = play_together([ready(random_market(seed)) for seed in (1, 2)], T0)
    assert all(same(one, other) for one, other in zip(alone, together, strict=True))
    assert [money(one).equity_e8 for one in alone] == [money(one).equity_e8 for one in together]


def test_everybody_hears_what_the_account_is_without_him() -> None:
    replays = [ready(random_market(seed)) for seed in (1, 2, 3)]
    found = play_together(replays, T0)
    added = [money(one).equity_e8 - 1_000 * 10**8 for one in found]
    assert len({*added}) == 3
    for k, one in enumerate(replays):
        assert one.account[ac.A_OTHERS_E8] == sum(added) - added[k]
        assert one.account[ac.A_OTHERS_SENT] == sum(m.actions for m in found) - found[k].actions
        assert one.account[ac.A_OTHERS_FILLS] == sum(len(m.fills) for m in found) - len(found[k].fills)


def ruin() -> Script:
    """Our bid is filled, then the market falls by a tenth."""
    script = Script().open().at(0.5, seller(OURS - 10, 5_000)).calm(0.75, 3.0)
    fallen = random_market(9, 40)
    moved = [(t + 4 * NS, [(what, px * 9 // 10 // 10 * 10, sz) for what, px, sz in rows]) for t, rows in fallen.stamps]
    script.stamps += moved
    return script.calm(30.0, 60.0)


def test_a_kill_in_one_market_stops_the_other() -> None:
    risk = Risk.model_validate({})
    conditions = terms(charges=replace(CHARGES, equity_usd=60.0), risk=risk)
    calm = Script().open().calm(0.25, 60.0)
    alone = run(calm, a_quoter((0.5,)), conditions)
    assert money(alone).killed_t_ns == 0
    lost, stopped = play_together([ready(ruin(), conditions, 1.0), ready(calm, conditions)], T0)
    assert money(lost).killed_t_ns > 0
    assert money(stopped).killed_t_ns > 0
    assert money(stopped).killed_by == money(lost).killed_by
    assert money(stopped).mode == KILL


def test_actions_of_one_market_are_missing_in_the_other() -> None:
    charges = replace(CHARGES, has_budget=True)
    first, second = (ready(random_market(seed), terms(charges=charges)) for seed in (1, 2))
    first.account[ac.A_SENT] = 9_990
    alone = run(random_market(2), a_quoter((0.5,)), terms(charges=charges))
    found = play_together([first, second], T0)
    assert money(alone).actions_over == 0
    assert money(found[1]).actions_over > 0


def test_a_market_that_ends_first_keeps_what_it_holds() -> None:
    short = Script().open().at(0.5, seller(OURS - 10, 5_000)).calm(0.75, 3.0)
    ends, goes_on = play_together([ready(short, distance_bps=1.0), ready(random_market(1))], T0)
    assert ends.fills[:, FILL_SZ].sum() > 0
    assert len(goes_on.fills) > 3
