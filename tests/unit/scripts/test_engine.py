"""Without an engine there is one sentence; with one, compose hears of our variables and of no others."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from common.errors import ConfigError, LinkDown
from scripts.engine import Compose, containers, require_engine

ROW = {"Service": "feed", "State": "running"}


def put_docker(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Path:
    """A `docker` of our own, alone on the path, that notes what it is asked."""
    folder.mkdir(exist_ok=True)
    path = folder / "docker"
    path.write_text(f'#!/bin/sh\necho "$@" >> {folder}/asked\n{script}\n')
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder / "asked"


def test_no_docker_is_one_sentence_that_points_to_the_demonstration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError) as caught:
        require_engine()
    assert "make demo" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("script", "word"), [("exit 1", "does not answer"), ('[ "$1" = info ]', "no compose v2"), ("exit 0", "")]
)
def test_what_of_the_engine_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, word: str
) -> None:
    put_docker(tmp_path / "bin", monkeypatch, script)
    if not word:
        require_engine()
        return
    with pytest.raises(ConfigError, match=word) as caught:
        require_engine()
    assert "make demo" in str(caught.value)


@pytest.mark.parametrize("text", [json.dumps([ROW, ROW]), f"{json.dumps(ROW)}\n{json.dumps(ROW)}\n"])
def test_both_ways_compose_lists_containers_are_understood(text: str) -> None:
    assert containers(text) == [ROW, ROW]


@pytest.mark.parametrize("text", ["", "\n", "[]"])
def test_no_containers_are_an_empty_list(text: str) -> None:
    assert containers(text) == []


def test_compose_never_reads_a_persons_dotenv(tmp_path: Path) -> None:
    assert Compose(tmp_path / "absent").command("ps")[2:4] == ["--env-file", os.devnull]
    (tmp_path / "compose.env").write_text("")
    assert Compose(tmp_path / "compose.env").command("ps")[2:4] == ["--env-file", str(tmp_path / "compose.env")]


def test_a_paused_container_runs_and_an_exited_one_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    states = {"a": "paused", "b": "exited", "c": "running"}
    rows = [{"Service": name, "State": state} for name, state in states.items()]
    put_docker(tmp_path / "bin", monkeypatch, f"echo '{json.dumps(rows)}'")
    assert Compose(tmp_path / "absent").running() == ["a", "c"]


def test_only_volumes_that_exist_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = """case "$*" in
        *config*) echo '{"name": "proj"}' ;;
        "volume ls --quiet") printf 'proj_redis\\nother_redis\\nproj_recordings\\n' ;;
    esac"""
    asked = put_docker(tmp_path / "bin", monkeypatch, script)
    Compose(tmp_path / "absent").remove_volumes(("redis", "riskd"))
    assert asked.read_text().splitlines()[-1] == "volume rm proj_redis"


def test_compose_that_fails_is_told_with_its_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_docker(tmp_path / "bin", monkeypatch, "echo 'no such thing' >&2; exit 14")
    with pytest.raises(LinkDown, match="no such thing"):
        Compose(tmp_path / "absent").running()
