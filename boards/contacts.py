"""`python -m boards contacts`: where Grafana sends alerts, as lines of an environment file that never lack a value.

Grafana does not start with an empty Slack address or an empty list of mail addresses. What is not set becomes an
address that nothing answers, inside Grafana's own container, so a message fails there and goes nowhere else. Needs
nothing but Python.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from common.errors import ConfigError

SLACK_NAME, EMAIL_NAME = "SLACK_WEBHOOK", "ALERT_EMAIL"
SMTP_HOST, SMTP_USER, SMTP_PASS = "SMTP_HOST", "SMTP_USER", "SMTP_PASS"
NAMES = (SLACK_NAME, EMAIL_NAME, SMTP_HOST, SMTP_USER, SMTP_PASS)
"""What a person sets, in the environment or `.env`; the names are the seeds' own."""
NO_SLACK = "http://127.0.0.1:9/no-slack-webhook-is-set"
NO_EMAIL = "nobody@localhost"
URL = re.compile(r"https?://[^\s\"'$]{1,500}")
EMAILS = re.compile(r"[^\s@;,\"'$]{1,64}@[^\s@;,\"'$]{1,255}([;,] ?[^\s@;,\"'$]{1,64}@[^\s@;,\"'$]{1,255}){0,9}")
HOST = re.compile(r"[A-Za-z0-9.-]{1,253}:[0-9]{1,5}")
LINE = re.compile(r"[^\s$]{1,200}")
"""A user or a password: compose would take a dollar sign for a variable."""


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Grafana's variables from a person's; raises ConfigError for what is set and cannot be used."""
    given = {name: environ.get(name, "").strip() for name in NAMES}
    slack, emails = given[SLACK_NAME], given[EMAIL_NAME]
    if slack and not URL.fullmatch(slack):
        raise ConfigError(f"{SLACK_NAME} must be a web address (https://hooks.slack.com/services/...)")
    if emails and not EMAILS.fullmatch(emails):
        raise ConfigError(f"{EMAIL_NAME} must be mail addresses, separated by semicolons")
    found = {"AMM_SLACK_WEBHOOK": slack or NO_SLACK, "AMM_ALERT_EMAILS": emails or NO_EMAIL}
    return {**found, **_mail(given)} if emails else found


def _mail(given: Mapping[str, str]) -> dict[str, str]:
    """How Grafana reaches the mail server that an address needs."""
    if not HOST.fullmatch(given[SMTP_HOST]):
        raise ConfigError(f"{EMAIL_NAME} needs {SMTP_HOST} = host:port of your mail server (smtp.example.org:587)")
    if not all(LINE.fullmatch(given[name]) for name in (SMTP_USER, SMTP_PASS)):
        raise ConfigError(f"{EMAIL_NAME} needs {SMTP_USER} and {SMTP_PASS}, without spaces or dollar signs")
    sender = given[SMTP_USER] if "@" in given[SMTP_USER] else given[EMAIL_NAME].partition(";")[0].partition(",")[0]
    return {
        "GF_SMTP_ENABLED": "true", "GF_SMTP_HOST": given[SMTP_HOST], "GF_SMTP_USER": given[SMTP_USER],
        "GF_SMTP_PASSWORD": given[SMTP_PASS], "GF_SMTP_FROM_ADDRESS": sender,
    }  # fmt: skip
