"""Every panel and the left side of every rule, asked of the Prometheus that scrapes what `make up` starts."""

from __future__ import annotations

import pytest

from common.errors import LinkDown
from scripts.stack import wait_for
from tests.support.containers import Running, note
from tests.support.expressions import bad_answers, questions

pytestmark = pytest.mark.container

ANSWERED_S = 400.0
"""Markouts and the edge of our fills exist a market minute after the first fill."""


def test_every_expression_has_an_answer_on_the_running_stack(shown: Running) -> None:
    shown.await_health()
    try:
        wait_for(lambda: not bad_answers(shown.prometheus), ANSWERED_S, "every expression answered", every_s=5)
    except LinkDown:
        bad = bad_answers(shown.prometheus)
        assert [f"{one.question.where}: {one.error or 'empty'}: {one.question.expr}" for one in bad] == []
    asked = list(questions())
    note(f"{len(asked)} expressions, every one with an answer")
    assert len(asked) > 200
