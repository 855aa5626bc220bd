"""Every alert says what is wrong and what to do, is drawn somewhere, and has its bound tested on both sides."""

from __future__ import annotations

import re

import pytest

from boards.alerting import REPEAT, contact_points, policies, rules, templates, uid
from boards.alerts import GROUPS, RULES
from boards.cases import CASES
from boards.dashboards import place_of
from boards.prometheus import configuration
from boards.prometheus import rules as prometheus_rules
from boards.rule import BRACES, Rule, rendered
from common.config import METRICS_PORTS
from common.kernel import ROOT
from common.messages import Severity

RULE = pytest.mark.parametrize("rule", RULES, ids=[rule.alert for rule in RULES])
ELSEWHERE = {"up", "down", "pin-check"}
"""Verbs of the containers."""

CATALOGUE = """MarginRatioElevated MarginRatioHigh MarginRatioCritical MarginRatioEmergency TakerRatioHigh
    DrawdownWarning DrawdownKill SessionLossWarning SessionLossKill LosingFillsStreak KillSwitchTripped FundingHigh
    MarkoutNegative ServiceDown ServiceHeartbeatStale FeedStale StreamLag ReconnectStorm TickToOrderSlow RateLimitLow
    NoData"""


def by_name(name: str) -> Rule:
    return next(rule for rule in RULES if rule.alert == name)


def test_all_alerts_of_the_catalogue_are_there_and_no_name_comes_twice() -> None:
    names = [rule.alert for rule in RULES]
    assert set(CATALOGUE.split()) <= set(names)
    assert len(set(names)) == len(names)
    assert len({group.name for group in GROUPS}) == len(GROUPS)


# ---------------------------------------------------------------------- texts
@RULE
def test_an_alert_says_what_is_wrong_and_what_to_do(rule: Rule) -> None:
    assert len(rule.summary) > 15
    assert len(rule.description) > 30
    assert len(rule.runbook) > 30, "a runbook line that says what to do"
    assert rule.summary != rule.description


@RULE
def test_a_text_names_only_labels_that_the_condition_leaves(rule: Rule) -> None:
    kept = set(re.findall(r"\w+", " ".join(re.findall(r"by \(([^)]*)\)", rule.expr))))
    if rule.alert == "ServiceDown":
        kept |= {"service", "instance", "job"}
    if rule.alert in ("MarkoutNegative", "TickToOrderSlow"):
        kept |= {"coin", "horizon"}  # of the recording
    named = {word for text in rule.texts.values() for word in BRACES.findall(text)} - {"value"}
    assert named <= kept


def test_runbooks_name_verbs_that_exist() -> None:
    verbs = {word for rule in RULES for word in re.findall(r"\bmake ([a-z-]+)", rule.runbook)}
    verbs -= {"it", "fewer"}
    known = {verb for line in (ROOT / "Makefile").read_text("utf-8").splitlines() if ":" in line and line[:1].isalpha()
             for verb in line.partition(":")[0].split()}  # fmt: skip
    assert verbs - known - ELSEWHERE == set()


def test_a_text_is_rendered_for_each_reader() -> None:
    text = "{service} is {value} late"
    assert rendered(text, "{{ $labels.%s }}", "V") == "{{ $labels.service }} is V late"


# ---------------------------------------------------------------------- the design's numbers
@pytest.mark.parametrize(
    ("name", "expr"),
    [
        ("MarginRatioHigh", "max by (account) (amm_margin_ratio) > 0.8"
                            " and max by (account) (amm_margin_ratio) <= 0.85"),
        ("MarginRatioEmergency", "max by (account) (amm_margin_ratio) > 0.9"),
        ("TakerRatioHigh", "amm:taker_ratio:notional_24h > 0.05 and on () amm:fills:count_24h >= 100"),
        ("DrawdownKill", "max by (account) (amm_drawdown_ratio) > 0.05"),
        ("LosingFillsStreak", "max by (coin) (amm_consecutive_losing_fills) >= 10"),
        ("KillSwitchTripped", "max by (reason) (amm_kill_switch_tripped) == 1"),
        ("ServiceDown", 'up{job="amm500"} == 0'),
        ("StreamLag", "max by (stream, group) (amm_stream_lag_messages) > 500"
                      " or max by (stream, group) (amm_stream_oldest_pending_seconds) > 2"),
    ],
)  # fmt: skip
def test_an_expression_is_that_of_the_catalogue(name: str, expr: str) -> None:
    assert by_name(name).expr == expr


@pytest.mark.parametrize(
    ("name", "severity", "for_s"),
    [
        ("MarginRatioElevated", "info", 30), ("MarginRatioHigh", "warning", 15), ("MarginRatioCritical", "critical", 0),
        ("MarginRatioEmergency", "emergency", 0), ("TakerRatioHigh", "warning", 60), ("DrawdownKill", "emergency", 0),
        ("SessionLossKill", "emergency", 0), ("ServiceDown", "critical", 15), ("FeedStale", "critical", 5),
        ("TickToOrderSlow", "warning", 120), ("RateLimitLow", "warning", 60), ("NoData", "critical", 60),
        ("MarkoutNegative", "warning", 300), ("FundingHigh", "info", 300),
    ],
)  # fmt: skip
def test_severity_and_patience_are_those_of_the_catalogue(name: str, severity: str, for_s: int) -> None:
    assert (by_name(name).severity.value, by_name(name).for_s) == (severity, for_s)


def test_the_loss_that_kills_is_an_exported_figure_and_no_constant() -> None:
    for name, share in (("SessionLossWarning", "-0.5"), ("SessionLossKill", "-1")):
        compare = by_name(name).when[0]
        assert "amm_session_loss_limit_usd" in compare.left
        assert compare.bound == share


# ---------------------------------------------------------------------- tests of the bound
@RULE
def test_a_bound_is_tested_on_both_sides(rule: Rule) -> None:
    cases = [case for case in CASES if case.alert == rule.alert]
    phases = [phase for case in cases for phase in case.phases]
    assert any(phase.loud is None for phase in phases), "one that must not fire"
    assert any(phase.loud is not None for phase in phases), "one that must"
    first = cases[0].phases
    assert first[0].loud is None, "at the bound it does not fire yet"
    assert first[-1].loud is None, "it ends when all is well again"


@RULE
def test_a_committed_test_file_expects_it_to_fire_and_not_to(rule: Rule) -> None:
    text = "".join(path.read_text("utf-8") for path in sorted((ROOT / "prometheus" / "tests").glob("*.yml")))
    checks = text.split("- eval_time:")
    mine = [check for check in checks if f'alertname: "{rule.alert}"' in check]
    assert any("exp_alerts: []" in check for check in mine)
    assert any("exp_labels" in check for check in mine)


@RULE
def test_patience_is_tested_with_a_check_before_it_is_over(rule: Rule) -> None:
    loud = [phase for case in CASES if case.alert == rule.alert for phase in case.phases if phase.loud is not None]
    assert any(phase.seconds > rule.for_s + phase.settle_s for phase in loud)


# ---------------------------------------------------------------------- Prometheus
def test_every_process_is_scraped_under_its_name_every_5_s() -> None:
    data = configuration()
    assert data["global"]["scrape_interval"] == "5s"
    (job,) = data["scrape_configs"]
    assert (job["job_name"], job["honor_labels"]) == ("amm500", True)
    found = {one["labels"]["service"]: one["targets"] for one in job["static_configs"]}
    assert found == {name: [f"{name}:{port}"] for name, port in METRICS_PORTS.items()}
    assert found["warden"] == ["warden:9107"]


def test_emergencies_are_looked_at_every_5_s() -> None:
    for group in GROUPS:
        if any(rule.severity is Severity.EMERGENCY for rule in group.rules):
            assert group.interval_s == 5


def test_every_alert_has_its_severity_and_three_texts_in_the_file() -> None:
    alerts = [rule for group in prometheus_rules()["groups"] for rule in group["rules"] if "alert" in rule]
    assert len(alerts) == len(RULES)
    for alert in alerts:
        assert set(alert["labels"]) == {"severity"}
        assert set(alert["annotations"]) == {"summary", "description", "runbook"}
        assert not re.search(r"(?<!\{)\{(?!\{)", "".join(alert["annotations"].values())), "a brace is left over"


# ---------------------------------------------------------------------- Grafana
ALERTS = {one["title"]: (group, one) for group in rules()["groups"] for one in group["rules"]}


@RULE
def test_grafana_has_the_same_alert(rule: Rule) -> None:
    _, one = ALERTS[rule.alert]
    query, condition = one["data"]
    assert one["uid"] == uid(rule)
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", one["uid"])
    assert one["labels"] == {"severity": rule.severity.value}
    assert set(one["annotations"]) == {"summary", "description", "runbook"}
    assert "$value " not in "".join(one["annotations"].values()), "Grafana's own word is $values"
    assert (query["datasourceUid"], condition["datasourceUid"]) == ("prometheus", "__expr__")
    assert one["condition"] == condition["refId"] == condition["model"]["refId"] == "C"
    assert query["model"]["instant"] is True
    assert query["model"]["expr"] == (rule.when[0].left if rule.health else rule.expr)
    assert "$" not in query["model"]["expr"]
    assert (one["dashboardUid"], one["panelId"]) == place_of(rule.panel)


@RULE
def test_grafana_looks_and_waits_in_steps_of_10_s_and_never_less_than_prometheus(rule: Rule) -> None:
    group, one = ALERTS[rule.alert]
    interval_s, for_s = int(group["interval"][:-1]), int(one["for"][:-1])
    assert interval_s % 10 == for_s % 10 == 0
    assert rule.for_s <= for_s < rule.for_s + 10


@RULE
def test_no_data_alerts_where_the_figure_itself_is_asked_for(rule: Rule) -> None:
    _, one = ALERTS[rule.alert]
    test = one["data"][1]["model"]
    assert test["type"] == "math"
    if rule.health:
        assert (one["noDataState"], one["execErrState"]) == ("Alerting", "Alerting")
        assert rule.guard is None
        assert len(rule.when) == 1
        assert test["expression"] == f"$A {rule.when[0].op} {rule.when[0].bound}"
    else:
        assert one["noDataState"] == "OK", "a comparison that does not hold is empty"


def test_the_health_of_processes_and_feed_are_health_rules() -> None:
    assert {rule.alert for rule in RULES if rule.health} == {"ServiceDown", "ServiceHeartbeatStale", "FeedStale"}


def test_messages_go_where_their_severity_says() -> None:
    (tree,) = policies()["policies"]
    routes = [(route["object_matchers"][0][2], route["receiver"], route["repeat_interval"]) for route in tree["routes"]]
    assert routes == [
        ("emergency", "email", "5m"), ("emergency", "slack", "5m"), ("critical", "email", "30m"),
        ("critical", "slack", "30m"), ("warning", "slack", "4h"), ("info", "slack", "4h"),
    ]  # fmt: skip
    assert [route["continue"] for route in tree["routes"]] == [True, False, True, False, False, False]
    assert tree["routes"][-1]["mute_time_intervals"] == ["never"], "info is shown, not sent"
    assert set(REPEAT) == set(Severity)
    assert (tree["group_by"], tree["group_wait"], tree["group_interval"]) == (["alertname"], "10s", "1m")


def test_contact_points_exist_and_their_addresses_come_from_the_environment() -> None:
    points = {point["name"]: point["receivers"][0] for point in contact_points()["contactPoints"]}
    assert points["slack"]["settings"]["url"] == "${AMM_SLACK_WEBHOOK}"
    assert points["email"]["settings"]["addresses"] == "${AMM_ALERT_EMAILS}"
    assert ".Annotations.runbook" in templates()["templates"][0]["template"]
    for name in ("contact-points", "policies", "templates"):
        text = (ROOT / f"grafana/provisioning/alerting/{name}.yml").read_text("utf-8")
        assert set(re.findall(r"\$\{?(\w+)", text)) <= {"AMM_SLACK_WEBHOOK", "AMM_ALERT_EMAILS"}, (
            "$ is interpolated there"
        )
