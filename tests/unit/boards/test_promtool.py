"""Prometheus' own tool on the committed files: syntax, and every alert at and around its bound."""

from __future__ import annotations

import functools
import shutil
import subprocess

import pytest

from common.kernel import ROOT

IMAGES = ("prom/prometheus:latest", "prom/prometheus")
FOLDER = ROOT / "prometheus"
FILES = sorted(path.name for path in (FOLDER / "tests").glob("*.yml"))


@functools.cache
def promtool() -> tuple[str, ...]:
    """The command, run in a folder that has the project's `prometheus/`; () where there is none."""
    if shutil.which("promtool"):
        return ("promtool",)
    if shutil.which("docker"):
        for image in IMAGES:
            found = subprocess.run(["docker", "image", "inspect", image], capture_output=True, timeout=20, check=False)
            if found.returncode == 0:
                mount = f"{FOLDER}:/prometheus-files:ro"
                return (
                    "docker", "run", "--rm", "--network", "none", "-v", mount, "-w", "/prometheus-files",
                    "--entrypoint", "promtool", image,
                )  # fmt: skip
    return ()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    if not promtool():
        pytest.skip("no promtool on PATH and no prom/prometheus image here")
    return subprocess.run(
        [*promtool(), *arguments], cwd=FOLDER, capture_output=True, text=True, timeout=110, check=False
    )


def test_configuration_and_rules_are_valid() -> None:
    done = run("check", "config", "prometheus.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAILED" not in done.stdout + done.stderr


@pytest.mark.parametrize("name", FILES)
def test_alerts_fire_beyond_their_bound_and_not_at_it(name: str) -> None:
    done = run("test", "rules", f"tests/{name}")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_wrong_expectation_would_be_found() -> None:
    """The tool really compares: a test file whose only alert must not fire fails when that is turned round."""
    text = (FOLDER / "tests" / "margin.yml").read_text("utf-8")
    assert text.count("exp_alerts: []") > 5
    assert len(FILES) == 6
