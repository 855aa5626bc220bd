"""The command line: what is understood, and what is refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.errors import ConfigError, Refused
from simvenue.options import parse

ADDRESS = "0x" + "Ab" * 20
OTHER = "0x" + "cd" * 20


def test_defaults_are_a_made_up_market_in_real_time() -> None:
    options = parse([])
    assert (options.market, options.speed, options.latency, options.queue) == (
        "synthetic", 1.0, "typical", "risk-averse",
    )  # fmt: skip
    assert options.ip_limit is True
    assert options.port is None


def test_deposits_and_agents_may_be_repeated_and_are_lower_case() -> None:
    options = parse(["--fund", f"{ADDRESS}=1000", "--fund", f"{OTHER}=5.0", "--agent", f"{OTHER}={ADDRESS}"])
    assert options.fund == ((ADDRESS.lower(), 1000), (OTHER, 5))
    assert options.agents == ((OTHER, ADDRESS.lower()),)


def test_replay_takes_a_path() -> None:
    options = parse(["--market", "replay", "--data", "x.npz", "--cut-gaps", "--speed", "20"])
    assert (options.data, options.cut_gaps, options.speed) == (Path("x.npz"), True, 20.0)


def test_mirror_is_refused_for_now() -> None:
    with pytest.raises(Refused, match="mirror"):
        parse(["--market", "mirror"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--speed", "nan"], "--speed"),
        (["--speed", "-1"], "--speed"),
        (["--speed", "1001"], "--speed"),
        (["--port", "65536"], "--port"),
        (["--port", "x"], "--port"),
        (["--fund", ADDRESS], "--fund"),
        (["--fund", f"{ADDRESS}=0"], "--fund"),
        (["--fund", f"{ADDRESS}=1.5"], "--fund"),
        (["--fund", f"{ADDRESS}=-5"], "--fund"),
        (["--fund", "0x12=5"], "address"),
        (["--agent", ADDRESS], "address"),
        (["--latency", "none"], "--latency"),
        (["--flow", "nowhere"], "--flow"),
        (["--market", "replay"], "--data"),
        (["--market", "replay", "--data", "x", "--flow", "km"], "--flow"),
        (["--data", "x"], "--data"),
        (["--cut-gaps"], "--cut-gaps"),
        (["--spee", "2"], "--spee"),
    ],
)
def test_wrong_option_is_named(arguments: list[str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse(arguments)
