"""What is committed is what the package makes; and its YAML reads back as it was meant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boards import files
from boards.__main__ import main
from boards.contacts import NO_EMAIL, NO_SLACK, environment
from boards.text import to_yaml
from common.errors import EXIT_CONFIG, ConfigError
from common.kernel import ROOT

MADE = files.made()


@pytest.mark.parametrize("path", sorted(MADE), ids=str)
def test_a_committed_file_is_what_the_code_makes(path: Path) -> None:
    assert (ROOT / path).read_text("utf-8") == MADE[path], "make boards, and commit what it changes"


def test_no_file_lies_there_that_nothing_makes() -> None:
    assert files.kept() == set(MADE)


# ---------------------------------------------------------------------- YAML
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.just([]) | st.just({})
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "expr", "for"]), inner, min_size=1)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["groups", "name", "x"]), TREES, min_size=1))
def test_yaml_reads_back_as_it_was(tree: dict[str, Any]) -> None:
    head, *lines = to_yaml(tree).removesuffix("\n").split("\n")
    assert head.startswith("#")
    assert read_at(lines, 0) == tree


def read_at(lines: list[str], depth: int) -> Any:
    """A reader of the few forms that are written: every level is two spaces deeper. Takes its lines away."""
    pad = "  " * depth
    body = lines[0][len(pad) :]
    if body.startswith("- "):
        items = []
        while lines and lines[0].startswith(pad + "- "):
            lines[0] = pad + "  " + lines[0][len(pad) + 2 :]
            items.append(read_at(lines, depth + 1))
        return items
    if body[0] in '"[{' or ":" not in body:
        return json.loads(lines.pop(0))
    found: dict[str, Any] = {}
    while lines and lines[0].startswith(pad) and lines[0][len(pad)] != " ":
        key, _, rest = lines.pop(0)[len(pad) :].partition(":")
        found[key] = json.loads(rest) if rest else read_at(lines, depth + 1)
    return found


# ---------------------------------------------------------------------- where messages go
def test_nothing_set_leaves_addresses_that_are_valid_and_answer_nobody() -> None:
    assert environment({}) == {"AMM_SLACK_WEBHOOK": NO_SLACK, "AMM_ALERT_EMAILS": NO_EMAIL}
    assert environment({"SLACK_WEBHOOK": " ", "ALERT_EMAIL": ""}) == environment({})


MAIL = {"SMTP_HOST": "smtp.b.org:587", "SMTP_USER": "me", "SMTP_PASS": "a-pass-word"}


def test_what_is_set_is_handed_on() -> None:
    mine = {"SLACK_WEBHOOK": "https://hooks.slack.com/services/T/B/x", "ALERT_EMAIL": "a@b.org; c@d.org"}
    assert environment({**mine, **MAIL}) == {
        "AMM_SLACK_WEBHOOK": mine["SLACK_WEBHOOK"], "AMM_ALERT_EMAILS": mine["ALERT_EMAIL"],
        "GF_SMTP_ENABLED": "true", "GF_SMTP_HOST": "smtp.b.org:587", "GF_SMTP_USER": "me",
        "GF_SMTP_PASSWORD": "a-pass-word", "GF_SMTP_FROM_ADDRESS": "a@b.org",
    }  # fmt: skip
    assert (
        environment({"ALERT_EMAIL": "a@b.org", **MAIL, "SMTP_USER": "me@b.org"})["GF_SMTP_FROM_ADDRESS"] == "me@b.org"
    )
    assert environment(MAIL) == environment({})


@pytest.mark.parametrize(
    "bad",
    [
        {"SLACK_WEBHOOK": "hooks.slack.com/x"},
        {"SLACK_WEBHOOK": "https://x/ y"},
        {"SLACK_WEBHOOK": "https://x/$HOME"},
        {"ALERT_EMAIL": "nobody"},
        {"ALERT_EMAIL": "a@b.org\nGF_SECURITY_ADMIN_PASSWORD=x"},
        {"ALERT_EMAIL": "a@b.org"},
        {"ALERT_EMAIL": "a@b.org", **MAIL, "SMTP_PASS": "dollar$sign"},
        {"ALERT_EMAIL": "a@b.org", **MAIL, "SMTP_HOST": "smtp.b.org"},
    ],
)
def test_what_cannot_be_an_address_is_refused_and_not_repeated(bad: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as caught:
        environment(bad)
    kept = set(bad.values()) - {MAIL["SMTP_USER"]}
    assert not any(value in str(caught.value) for value in kept)


def test_the_command_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name, value in {"ALERT_EMAIL": "a@b.org", "SLACK_WEBHOOK": "", **MAIL}.items():
        monkeypatch.setenv(name, value)
    assert main(["contacts"]) == 0
    assert f"AMM_SLACK_WEBHOOK={NO_SLACK}\nAMM_ALERT_EMAILS=a@b.org\n" in capsys.readouterr().out
    assert main(["scrape", "quoter=host.docker.internal", "port_base=3000"]) == 0
    shown = capsys.readouterr().out
    assert '"host.docker.internal:12102"' in shown
    assert '"feed:12101"' in shown
    assert main(["scrape", "nobody=x"]) == main(["scrape", "port_base=-1"]) == EXIT_CONFIG
    monkeypatch.setenv("ALERT_EMAIL", "nonsense")
    assert main(["contacts"]) == main(["whatever"]) == EXIT_CONFIG
