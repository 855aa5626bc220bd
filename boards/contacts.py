"""`python -m boards contacts`: where Grafana sends alerts, as lines of an environment file that never lack a value.

Grafana does not start with an empty Slack address or an empty list of mail addresses. What is not set becomes an
address that nothing answers, inside Grafana's own container, so a message fails there and goes nowhere else. Needs
nothing but Python.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from common.errors import ConfigError

SLACK_NAME, EMAIL_NAME = "SLACK_WEBHOOK_URL", "ALERT_EMAILS"
NO_SLACK = "http://127.0.0.1:9/no-slack-webhook-is-set"
NO_EMAIL = "nobody@localhost"
URL = re.compile(r"https?://[^\s\"'$]{1,500}")
EMAILS = re.compile(r"[^\s@;,\"'$]{1,64}@[^\s@;,\"'$]{1,255}([;,] ?[^\s@;,\"'$]{1,64}@[^\s@;,\"'$]{1,255}){0,9}")


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Grafana's variables from a person's; raises ConfigError for what is set and cannot be an address."""
    slack, emails = environ.get(SLACK_NAME, "").strip(), environ.get(EMAIL_NAME, "").strip()
    if slack and not URL.fullmatch(slack):
        raise ConfigError(f"{SLACK_NAME} must be a web address (https://hooks.slack.com/services/...)")
    if emails and not EMAILS.fullmatch(emails):
        raise ConfigError(f"{EMAIL_NAME} must be mail addresses, separated by semicolons")
    return {"AMM_SLACK_WEBHOOK": slack or NO_SLACK, "AMM_ALERT_EMAILS": emails or NO_EMAIL}
