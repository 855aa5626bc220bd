"""The table that proves each alert by a fault is whole, and its made-up systems mean what they say."""

from __future__ import annotations

import pytest

from boards.alerts import RULES
from tests.support.faked_exporter import Script
from tests.support.faked_systems import course_of, due_s, systems_of
from tests.support.injections import FAKED, LIVE, PROVEN_LIVE
from tests.support.promql import NAME


def test_every_alert_is_proven_exactly_once() -> None:
    assert sorted([*PROVEN_LIVE, *FAKED]) == sorted(rule.alert for rule in RULES)


def test_no_two_alerts_of_a_made_up_system_read_the_same_metric() -> None:
    systems = systems_of(FAKED)
    assert sorted(alert for system in systems for alert in system) == sorted(FAKED)
    for system in systems:
        told = [{name for series in course for name in NAME.findall(series)} for course in system.values()]
        assert sum(map(len, told)) == len(set().union(*told))


@pytest.mark.parametrize("alert", FAKED)
def test_a_fault_changes_what_is_told(alert: str) -> None:
    assert any(before != after for before, after in course_of(alert).values())


def test_time_to_fire_is_never_less_than_the_alerts_own() -> None:
    rules = {rule.alert: rule for rule in RULES}
    assert all(due_s(alert) > rules[alert].for_s for alert in FAKED)
    assert all(within_s > rules[alert].for_s for one in LIVE for alert, within_s in one.fires.items())


def test_exporter_tells_each_course_before_and_after_the_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [1_000.0]
    monkeypatch.setattr("tests.support.faked_exporter.time.time", lambda: now_s[0])
    script = Script(
        {
            "0": {
                "a_level": [1.0, 2.0],
                'a_count{of="x"}': [{"rise": 2.0}, {"rise": 3.0}],
                "a_stamp": [{"age": 1.0}, {"age": 60.0}],
                "a_series_that_ends": [1.0, None],
            }
        }
    )
    now_s[0] += 20.0
    assert script.text("0") == 'a_level 1.0\na_count{of="x"} 8.0\na_stamp 1019.0\na_series_that_ends 1.0\n'
    assert script.strike() == script.strike() == 1_020.0
    assert 'a_count{of="x"} 8.0\n' in script.text("0")
    now_s[0] += 10.0
    assert script.text("0") == 'a_level 2.0\na_count{of="x"} 14.0\na_stamp 970.0\n'
