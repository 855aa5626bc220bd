"""Liquidation is as likely as the account's own hours make it, and grows with what is held."""

from __future__ import annotations

import pytest

from backtest.report.blocks import blocks_of
from backtest.report.liquidation import full_scale, liquidation, wilson
from tests.unit.backtest.builders import MID
from tests.unit.backtest.report.builders import an_account, steady

HELD = an_account(
    [(60.0, 1, MID, 500)],  # 4,650 USD at a price of 93,000 with 2 decimals
    [(k * 60.0, 2 * MID + (k % 7 - 3) * 2_000) for k in range(48 * 60 + 1)],
    48.0,
)


def test_an_account_that_gains_every_hour_is_never_liquidated() -> None:
    found = liquidation(blocks_of(steady(1_000), 20), 1_000.0, 1.0, seed=1)
    assert found.probability == 0.0
    assert found.lo == 0.0
    assert found.hi is not None
    assert 0.0 < found.hi < 0.001


def test_an_account_that_loses_every_hour_is_surely_liquidated() -> None:
    """About 24 x what it has is lost in 30 days."""
    assert liquidation(blocks_of(steady(-10_000), 20), 1_000.0, 1.0, seed=1).probability == 1.0


def test_what_is_held_needs_its_maintenance_margin() -> None:
    """The same account: nothing is lost, but the position is too large for the equity that is there."""
    blocks = blocks_of(HELD, 20)
    needs = float(-blocks.need.min())
    assert needs > 500 * MID * 1e-6 / 40  # half of the initial margin at 20x
    assert liquidation(blocks, 3.0 * needs, 1.0, seed=1).probability == 0.0
    assert liquidation(blocks, 0.5 * needs, 1.0, seed=1).probability == 1.0


def test_more_leverage_is_never_safer() -> None:
    blocks = blocks_of(HELD, 20)
    chances = [liquidation(blocks, 1_000.0, scale, seed=1).probability or 0.0 for scale in (1.0, 5.0, 8.0, 12.0, 40.0)]
    assert chances == sorted(chances)
    assert chances[0] == 0.0
    assert chances[-1] == 1.0


def test_nothing_to_resample_is_no_answer() -> None:
    short = an_account(hours=0.05)
    assert liquidation(blocks_of(short, 20), 1_000.0, 1.0, seed=1).probability is None


def test_leverage_at_its_word_is_many_times_the_cap() -> None:
    assert full_scale(10, 0.5) == 20.0


def test_a_share_has_wilsons_interval() -> None:
    lo, hi = wilson(5, 10)
    assert (lo, hi) == pytest.approx((0.2692718, 0.7307282), abs=1e-6)  # Wilson (1927) at z = 1.644854
    assert wilson(0, 10)[0] == 0.0
