"""Boards, alerts and services speak of the same metrics: nothing drawn that nobody sets, nothing set that is lost."""

from __future__ import annotations

import pytest

from boards.alerts import RULES
from boards.recordings import RECORDINGS
from common.metrics import METRICS
from tests.support.expressions import questions
from tests.support.promql import SERVICE, metrics_of, set_by

SETTERS = ("common", "feed", "quoter", "executor", "riskd", "monitor", "simvenue")
OWN = {package: set_by(package) for package in SETTERS}
"""The warden is a process of the executor's package."""

ASKED = [question.expr for question in questions()] + [rule.expr for rule in RULES]
USED = {name for expr in ASKED for name in metrics_of(expr)}


def test_what_boards_and_alerts_ask_for_is_registered_and_set_by_a_service() -> None:
    known = set(METRICS) & set().union(*OWN.values())
    assert USED - known == set()


def test_what_a_service_registers_is_drawn_or_alerts() -> None:
    assert set(METRICS) - USED == set()


def test_every_row_of_the_table_is_set_by_somebody() -> None:
    assert set(METRICS) - set().union(*OWN.values()) == set()


def test_an_expression_that_names_a_service_asks_for_what_that_service_sets() -> None:
    wrong = set()
    for expr in ASKED:
        for name, service in SERVICE.findall(expr):
            package = "executor" if service == "warden" else service
            row = next(iter(metrics_of(name)))
            if row not in OWN[package] | OWN["common"]:
                wrong.add((name, service))
    assert wrong == set()


def test_recorded_names_that_are_used_are_recorded() -> None:
    recorded = {one.record for one in RECORDINGS}
    used = {
        word for expr in ASKED for word in expr.replace("{", " ").replace("(", " ").split() if word.startswith("amm:")
    }
    assert {word.rstrip(")") for word in used} <= recorded
    assert recorded - {word.rstrip(")") for word in used} == set(), "recorded and never asked for"


def test_a_label_selected_or_kept_is_one_of_the_metrics_own_or_the_targets() -> None:
    targets = {"service", "instance", "job", "le"}
    for expr in ASKED:
        for name, body in _selectors(expr):
            labels = {part.split("=")[0].rstrip("!~").strip() for part in body.split(",") if part}
            row = name if name in METRICS else next(iter(metrics_of(name)))
            if row in METRICS:
                assert labels <= {*METRICS[row].labels, *targets}, expr


def _selectors(expr: str) -> list[tuple[str, str]]:
    import re

    return [(found[1], found[2]) for found in re.finditer(r"(amm_\w+)\{([^}]*)\}", expr)]


@pytest.mark.parametrize(
    ("expr", "names"),
    [
        ('sum(rate(amm_fills_total{coin="amm_x"}[1m]))', {"amm_fills_total"}),
        ("histogram_quantile(0.9, amm_tick_to_order_seconds_bucket)", {"amm_tick_to_order_seconds"}),
        ("amm_open_orders - amm_unknown_orders", {"amm_open_orders", "amm_unknown_orders"}),
        ("amm:fills:count_24h", set()),
    ],
)
def test_names_are_read_from_an_expression(expr: str, names: set[str]) -> None:
    assert metrics_of(expr) == names


def test_a_name_put_together_counts_with_its_words_only() -> None:
    """`f"amm_markout_{name}_total"` with the words beside it sets three rows, and no row whose word is elsewhere."""
    assert {"amm_markout_fills_total", "amm_markout_adverse_bps_total"} <= OWN["quoter"]
    assert "amm_markout_bps" in OWN["quoter"]
    assert "amm_equity_usd" not in OWN["quoter"]
