"""What Prometheus reads: whom to scrape, what to record, when to alert.

The label `service` of a target names the process that was scraped. Some metrics speak of another one (heartbeats are
told by the monitor, so that a dead process still has an ageing one) and carry that label themselves, so scraped labels
win (`honor_labels`); the targets are all our own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from boards import bounds
from boards.alerts import GROUPS
from boards.recordings import RECORDING_GROUP, RECORDING_S, RECORDINGS
from boards.rule import Rule, rendered
from common.config import METRICS_PORTS

JOB = "amm500"


def configuration(hosts: Mapping[str, str] | None = None, port_base: int = 0) -> dict[str, Any]:
    """prometheus.yml; `hosts`: each service's host or host:port (default: its own name, as in the compose file)."""
    hosts = hosts or {name: name for name in METRICS_PORTS}
    places = {n: h if ":" in h else f"{h}:{METRICS_PORTS[n] + port_base}" for n, h in hosts.items()}
    targets = [{"targets": [places[name]], "labels": {"service": name}} for name in METRICS_PORTS]
    return {
        "global": {"scrape_interval": f"{bounds.SCRAPE_S}s", "scrape_timeout": "4s", "evaluation_interval": "15s"},
        "rule_files": ["rules.yml"],
        "scrape_configs": [{"job_name": JOB, "honor_labels": True, "static_configs": targets}],
    }


def rules() -> dict[str, Any]:
    """rules.yml: the recordings, then every group of alerts."""
    records = [{"record": one.record, "expr": one.expr} for one in RECORDINGS]
    groups: list[dict[str, Any]] = [{"name": RECORDING_GROUP, "interval": f"{RECORDING_S}s", "rules": records}]
    for group in GROUPS:
        alerts = [_alert(rule) for rule in group.rules]
        groups.append({"name": group.name, "interval": f"{group.interval_s}s", "rules": alerts})
    return {"groups": groups}


def _alert(rule: Rule) -> dict[str, Any]:
    alert: dict[str, Any] = {"alert": rule.alert, "expr": rule.expr}
    if rule.for_s:
        alert["for"] = f"{rule.for_s}s"
    alert["labels"] = {"severity": rule.severity.value}
    value = f"{{{{ $value | {rule.form} }}}}"
    alert["annotations"] = {name: rendered(text, "{{ $labels.%s }}", value) for name, text in rule.texts.items()}
    return alert
