"""A real Prometheus, asked through its API: what fires, and since when."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from common.errors import LinkDown

STEP_S = 1


def asked(url: str, path: str, **words: object) -> Any:
    """`data` of one answer; raises LinkDown."""
    body = urllib.parse.urlencode(words)
    try:
        with urllib.request.urlopen(f"{url}/api/v1/{path}?{body}", timeout=10) as reply:
            said = json.load(reply)
    except (OSError, ValueError) as error:
        raise LinkDown(f"{path}: {error}") from error
    if said.get("status") != "success":
        raise LinkDown(f"{path}: {said.get('error')}")
    return said["data"]


def firing(url: str) -> set[str]:
    """Names of all alerts that fire now."""
    alerts = asked(url, "alerts")["alerts"]
    return {one["labels"]["alertname"] for one in alerts if one["state"] == "firing"}


def first_fired(url: str, alert: str, since_s: float) -> float | None:
    """Seconds after `since_s` (Unix) at which the alert first fired, to the second; None = not yet."""
    query = f'ALERTS{{alertname="{alert}",alertstate="firing"}}'
    rows = asked(url, "query_range", query=query, start=since_s, end=max(time.time(), since_s), step=STEP_S)["result"]
    times = [float(row["values"][0][0]) for row in rows if row["values"]]
    return min(times) - since_s if times else None
