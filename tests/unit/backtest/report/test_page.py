"""The page needs nothing but itself, hides nothing, and says to the last digit what the file says."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from backtest.data.opened import Touched
from backtest.report import story, terminal, written
from backtest.report.bands import Result, result_of
from backtest.report.charts import thinned
from backtest.report.figures import Terms
from backtest.report.page import Material, write_page
from backtest.report.running import Done
from backtest.report.scenarios import scenarios
from backtest.report.words import Facts, answer, exact, spent
from tests.unit.backtest.report.builders import COSTS, a_flow, an_account, some_trades, wandering

BAND = scenarios("risk-averse", "table:typical")
DATA = (Touched("made <up>", 1_234, "ab" * 32, 10**18, 2 * 10**18),)
PROMISED = (
    "source", "span", "commit", "config_hash", "fills", "maker_share", "taker_share", "pnl", "edge_bps", "sharpe",
    "max_drawdown", "trades_per_day", "actions", "liquidation_probability", "bands",
)  # fmt: skip
"""Keys of design section 9."""


def facts(**more: Any) -> Facts:
    told: dict[str, Any] = {
        "coin": "km:US500", "market": "us500", "profile": "tiered", "source": "made-up market", "kind": "synthetic",
        "span": "then to now", "commit": "abc", "config_hash": "def", "equity_usd": 1_000.0,
        "leverage": 10, "growth": True,
        "px_decimals": 2, "ceiling": "little", "budget": "scarce", "assumptions": ("<b>nothing</b> is known",),
        "parameters": (("market", "km:US500"),),
    }  # fmt: skip
    return Facts(**{**told, **more})


def a_result(count: int = 300, hours: float = 48.0) -> Result:
    done = [
        Done(0, scenario, an_account(some_trades(hours, k, count), wandering(hours, k), hours), a_flow())
        for k, scenario in enumerate(BAND)
    ]
    return result_of(done, BAND, Terms(COSTS, growth=True, seed=1), 0.5)


RESULT = a_result()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "latest.html"
    write_page(path, Material(facts(), RESULT, None, DATA, "python -m backtest run"))
    return path.read_text(encoding="utf-8")


def tree() -> dict[str, Any]:
    made: dict[str, Any] = written.report(facts(), RESULT, None, DATA, "python -m backtest run", 1.0)
    return made


def test_the_file_has_the_promised_keys() -> None:
    made = tree()
    assert set(PROMISED) <= set(made)
    assert set(made["pnl"]) >= {"net", "spread", "inventory", "fees", "funding"}
    assert set(made["edge_bps"]) == {"mean", "lo", "hi"}
    assert set(made["sharpe"]) >= {"value", "se"}
    assert len(made["scenarios"]) == 9
    assert {band["name"] for band in made["bands"]} >= {"edge_bps", "sharpe", "roi", "max_drawdown", "peak_margin"}


def test_the_parts_of_every_scenario_sum_exactly() -> None:
    for one in tree()["scenarios"]:
        pnl = one["pnl"]
        assert pnl["net_e8"] == pnl["spread_e8"] + pnl["inventory_e8"] + pnl["fees_e8"] + pnl["funding_e8"]


def test_the_page_loads_nothing(page: str) -> None:
    """No script, style, picture or font from anywhere; what plotly could fetch (maps, its own site) is never asked."""
    own = page[: page.index("<script>")] + page[page.index("</script>") :]
    assert not re.search(r"""(?:src|href)\s*=\s*["']""", own)
    assert "@import" not in own
    assert "fetch(" not in own


def test_the_page_shows_every_part_to_the_last_digit(page: str) -> None:
    for one in RESULT.found:
        for value in one.account.parts_e8.values():
            assert exact(value) in page


def test_words_from_outside_are_told_not_run(page: str) -> None:
    assert "<b>nothing</b>" not in page
    assert "&lt;b&gt;nothing" in page
    assert "made &lt;up&gt;" in page


def test_the_page_has_every_picture_and_every_scenario(page: str) -> None:
    for name in ("money", "parts", "edges", "fills", "decay_level", "decay_session", "levels", "holdings", "actions"):
        assert f'id="chart-{name}"' in page
    for scenario in BAND:
        assert scenario.name in page


def test_a_replay_without_a_fill_has_a_page_too(tmp_path: Path) -> None:
    done = [Done(0, scenario, an_account(hours=9.0), a_flow()) for scenario in BAND]
    empty = result_of(done, BAND, Terms(COSTS, growth=True, seed=1), 0.5)
    write_page(tmp_path / "p.html", Material(facts(), empty, None, DATA, "x"))
    assert "never traded" in (tmp_path / "p.html").read_text(encoding="utf-8")
    assert written.report(facts(), empty, None, DATA, "x", 1.0)["edge_bps"]["mean"] is None


def test_the_file_is_written_whole_and_reads_back(tmp_path: Path) -> None:
    paths = [tmp_path / "a" / "latest.json", tmp_path / "b" / "latest.json"]
    written.write(tree(), paths)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert msgspec.json.decode(paths[0].read_bytes())["fills"] == 300
    assert list(tmp_path.glob("*/*.part")) == []


def test_few_fills_are_no_answer() -> None:
    text, kind = answer(a_result(count=40))
    assert "too few to tell" in text
    assert kind == ""


def test_a_budget_that_is_gone_early_is_said() -> None:
    account = an_account(some_trades(240.0, 1, 50), wandering(240.0, 1), 240.0)
    rows = np.arange(len(account.t_ns))
    early = replace(account, actions_by_row=np.minimum(rows * 400, 4_000))
    late = replace(account, actions_by_row=rows * 10)
    assert spent(early, 0.9).startswith(" Its action budget lasted ")
    assert "of 10.0 days" in spent(early, 0.9)
    assert spent(early, 0.5) == ""
    assert spent(late, 0.9) == ""


def test_leverage_beyond_the_market_is_said_first(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    terminal.show(RESULT, facts(leverage=20, leverage_asked=25), tmp_path)
    assert "leverage 20 (the market's maximum; 25 was asked for)" in capsys.readouterr().out


def test_money_is_written_without_rounding() -> None:
    assert exact(123_456_789_012) == "+1,234.56789012"
    assert exact(-5) == "\N{MINUS SIGN}0.00000005"


def test_thinning_keeps_every_extreme_that_matters() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=50_000).cumsum()
    at = thinned(values, 800)
    assert len(at) <= 802
    assert values[at].max() == values.max()
    assert values[at].min() == values.min()
    assert at[0] == 0
    assert at[-1] == len(values) - 1


def test_data_that_do_not_reach_as_far_as_asked_are_told() -> None:
    assert "365 days were asked for; the data have 46.0" in story._fewer(365.0, 46.0)[0]
    assert story._fewer(7.0, 6.99) == []
    assert story._fewer(0.0, 3.0) == []
