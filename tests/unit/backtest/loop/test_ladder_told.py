"""The ladder in force: what it carries, and what takes it away."""

from __future__ import annotations

from backtest import quoters
from backtest.loop.account import Charges
from backtest.loop.executing import Executing, new_executing, renew_ladder, take_over
from backtest.loop.layout import CANCEL, G_KIND, G_SENT_T, G_T
from backtest.loop.slots import SL_SENT_T, SL_SHOWN_T
from backtest.playing import play
from executor.terms import F_FAIR
from quoter.state import NS, S_FAIR, new_state
from simvenue.source import ASK_LEVEL
from tests.unit.backtest.builders import ASK, T0, Script, stall, terms
from tests.unit.quoter.builders import settings

CHARGES = Charges(maker_ppb=30_000, taker_ppb=450_000, leverage=10, max_leverage=20, equity_usd=1_000.0)


def test_a_renewed_ladder_carries_the_figures_of_its_telling() -> None:
    made = Executing(*new_executing(settings("standx"), 4)[: len(Executing._fields)])
    told = new_state()[0]
    made.slots[SL_SHOWN_T] = made.slots[SL_SENT_T] = T0
    told[S_FAIR] = 9_300_000.0
    assert renew_ladder(made.slots, made.manner, told, T0 + NS) == 1
    told[S_FAIR] = 9_300_500.0
    take_over(made.slots, made.shown, made.facts, made.q, made.manner)
    assert made.facts[F_FAIR] == 9_300_000.0


def test_a_book_without_a_side_takes_the_quotes_away() -> None:
    script = Script().open().calm(0.25, 20.0).at(20.1, (ASK_LEVEL, ASK, 0), (ASK_LEVEL, ASK + 100, 0)).calm(20.25, 22.0)
    quoter = quoters.production(stall(), "tiered", weight=0.0, executes=True)
    conditions = terms(seconds=22.0, charges=CHARGES, risk=settings("standx").risk, keeps_requests=True)
    requests = play(script.tape(), quoter, conditions).requests
    emptied_t = T0 + round(20.2 * NS)
    rested = requests[requests[:, G_SENT_T] < emptied_t]
    gone = requests[requests[:, G_SENT_T] == emptied_t]
    assert len(rested) > 0
    assert len(gone) > 0
    assert set(gone[:, G_KIND].tolist()) == {CANCEL}
    assert (gone[:, G_T] > emptied_t).all()
