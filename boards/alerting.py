"""The same alerts for Grafana, which delivers them, with contact points and policies (grafana.md sections 3 and 5).

Query A has the whole comparison, so that both evaluate the same; C is true for whatever A returns, whether a number
below 0 or 0 itself. A false comparison is an empty answer, so no data means that all is well. A *health* rule asks
Prometheus for the figure alone and compares in C: there no data means that nobody watches, which alerts as well.

Grafana evaluates no more often than every 10 s and wants multiples of that, or it refuses the file.
"""

from __future__ import annotations

from typing import Any

from boards.alerts import GROUPS
from boards.dashboards import place_of
from boards.rule import Rule, rendered
from common.messages import Severity

DATASOURCE = "prometheus"
FOLDER = "AMM-500"
STEP_S = 10
SLACK, EMAIL = "slack", "email"
NEVER = "never"
REPEAT = {Severity.EMERGENCY: "5m", Severity.CRITICAL: "30m", Severity.WARNING: "4h", Severity.INFO: "4h"}
SLACK_URL, EMAILS = "AMM_SLACK_WEBHOOK", "AMM_ALERT_EMAILS"
"""Variables that `boards.contacts` never leaves empty: an empty one would keep Grafana from starting."""


def rules() -> dict[str, Any]:
    """alerting/rules.yml."""
    return {
        "apiVersion": 1,
        "groups": [
            {
                "orgId": 1, "name": group.name, "folder": FOLDER, "interval": f"{_steps(group.interval_s)}s",
                "rules": [_rule(rule) for rule in group.rules],
            }
            for group in GROUPS
        ],
    }  # fmt: skip


def uid(rule: Rule) -> str:
    return f"amm-{rule.alert.lower()}"


def _steps(seconds: int) -> int:
    return -(-seconds // STEP_S) * STEP_S


def _rule(rule: Rule) -> dict[str, Any]:
    board, panel = place_of(rule.panel)
    value = f"{{{{ {rule.form} $values.A.Value }}}}"
    return {
        "uid": uid(rule),
        "title": rule.alert,
        "condition": "C",
        "for": f"{_steps(rule.for_s)}s",
        "noDataState": "Alerting" if rule.health else "OK",
        "execErrState": "Alerting" if rule.health else "Error",
        "dashboardUid": board,
        "panelId": panel,
        "labels": {"severity": rule.severity.value},
        "annotations": {name: rendered(text, "{{ $labels.%s }}", value) for name, text in rule.texts.items()},
        "data": [_query(rule), _condition(rule)],
    }


def _query(rule: Rule) -> dict[str, Any]:
    (left, *_), health = rule.lefts, rule.health
    model = {"refId": "A", "expr": left if health else rule.expr, "instant": True, "range": False}
    return {
        "refId": "A",
        "datasourceUid": DATASOURCE,
        "relativeTimeRange": {"from": 600, "to": 0},
        "model": model | {"intervalMs": 1000, "maxDataPoints": 43200},
    }


def _condition(rule: Rule) -> dict[str, Any]:
    """Math on A: 1 for what is to alert."""
    compare = rule.when[0]
    test = f"$A {compare.op} {compare.bound}" if rule.health else "is_number($A) || is_inf($A)"
    return {
        "refId": "C",
        "datasourceUid": "__expr__",
        "relativeTimeRange": {"from": 600, "to": 0},
        "model": {
            "refId": "C",
            "type": "math",
            "expression": test,
            "datasource": {"type": "__expr__", "uid": "__expr__"},
        },
    }


def contact_points() -> dict[str, Any]:
    """alerting/contact-points.yml: one for Slack, one for mail."""
    text = '{{ template "amm.message" . }}'
    slack = {"url": f"${{{SLACK_URL}}}", "title": '{{ template "amm.title" . }}', "text": text}
    email = {
        "addresses": f"${{{EMAILS}}}",
        "singleEmail": True,
        "subject": '{{ template "amm.title" . }}',
        "message": text,
    }
    return {
        "apiVersion": 1,
        "contactPoints": [
            {"orgId": 1, "name": name, "receivers": [{"uid": f"amm-{name}", "type": name, "settings": settings}]}
            for name, settings in ((SLACK, slack), (EMAIL, email))
        ],
    }


def templates() -> dict[str, Any]:
    """alerting/templates.yml: what a message says: how bad, what, and what to do."""
    title = (
        '{{ define "amm.title" }}[{{ if eq .Status "firing" }}{{ .CommonLabels.severity | toUpper }}{{ else }}RESOLVED'
        "{{ end }}] {{ .CommonLabels.alertname }}{{ end }}"
    )
    message = (
        '{{ define "amm.message" }}{{ range .Alerts }}{{ .Annotations.summary }}\n{{ .Annotations.description }}\n'
        "To do: {{ .Annotations.runbook }}\n\n{{ end }}{{ end }}"
    )
    return {
        "apiVersion": 1,
        "templates": [{"orgId": 1, "name": "amm", "template": f"{title}\n{message}\n"}],
    }


def policies() -> dict[str, Any]:
    """alerting/policies.yml, the whole tree: mail for what cannot wait, Slack for all but info, which only shows."""
    routes = []
    for severity in (Severity.EMERGENCY, Severity.CRITICAL):
        routes += [_route(severity, EMAIL, more=True), _route(severity, SLACK)]
    routes.append(_route(Severity.WARNING, SLACK))
    routes.append({**_route(Severity.INFO, SLACK), "mute_time_intervals": [NEVER]})
    root = {"orgId": 1, "receiver": SLACK, "group_by": ["alertname"], "group_wait": "10s", "group_interval": "1m"}
    return {"apiVersion": 1, "policies": [{**root, "repeat_interval": "4h", "routes": routes}]}


def _route(severity: Severity, receiver: str, *, more: bool = False) -> dict[str, Any]:
    return {
        "receiver": receiver,
        "object_matchers": [["severity", "=", severity.value]],
        "group_by": ["alertname"],
        "repeat_interval": REPEAT[severity],
        "continue": more,
    }


def mute_timings() -> dict[str, Any]:
    """alerting/mute-timings.yml: all of the day, for what is shown and not sent."""
    whole_day = {"times": [{"start_time": "00:00", "end_time": "24:00"}]}
    return {"apiVersion": 1, "muteTimes": [{"orgId": 1, "name": NEVER, "time_intervals": [whole_day]}]}


def datasource() -> dict[str, Any]:
    """datasources/prometheus.yml."""
    one = {
        "name": "Prometheus", "uid": DATASOURCE, "type": "prometheus", "access": "proxy",
        "url": "http://prometheus:9090", "isDefault": True, "editable": False,
        "jsonData": {"httpMethod": "POST", "timeInterval": "5s"},
    }  # fmt: skip
    return {"apiVersion": 1, "datasources": [one]}


def provider() -> dict[str, Any]:
    """dashboards/amm.yml: where Grafana finds the boards."""
    one = {
        "name": "amm", "orgId": 1, "folder": FOLDER, "type": "file", "disableDeletion": True, "allowUiUpdates": False,
        "updateIntervalSeconds": 30,
        "options": {"path": "/var/lib/grafana/dashboards", "foldersFromFilesStructure": False},
    }  # fmt: skip
    return {"apiVersion": 1, "providers": [one]}
