"""The command line: what is understood, and what is refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.errors import ConfigError
from simvenue.options import parse

ADDRESS = "0x" + "Ab" * 20
OTHER = "0x" + "cd" * 20


def test_defaults_are_a_made_up_market_in_real_time() -> None:
    options = parse([])
    assert (options.market, options.speed, options.latency, options.queue) == (
        "synthetic", 1.0, "typical", "risk-averse",
    )  # fmt: skip
    assert options.ip_limits == "docs"
    assert parse(["--no-ip-limit"]).ip_limits == "off"
    assert options.port is None


def test_deposits_and_agents_may_be_repeated_and_are_lower_case() -> None:
    options = parse(["--fund", f"{ADDRESS}=1000", "--fund", f"{OTHER}=5.0", "--agent", f"{OTHER}={ADDRESS}"])
    assert options.fund == ((ADDRESS.lower(), 1000), (OTHER, 5))
    assert options.agents == ((OTHER, ADDRESS.lower()),)


def test_queue_and_latency_models_may_be_chosen() -> None:
    options = parse(["--queue", "probabilistic", "--queue-power", "3", "--latency", "bad", "--latency-tails"])
    assert (options.queue, options.queue_power, options.latency_tails) == ("probabilistic", 3.0, True)
    own = parse(["--queue", "optimistic", "--latency-table", "home.csv"])
    assert (own.queue, own.latency_tails, own.latency_table) == ("optimistic", False, Path("home.csv"))


def test_figures_may_be_planted_in_a_made_up_market_only() -> None:
    given = ["--flow", "calm", "--plant", "eps=0.5", "--plant", "A=0.02"]
    assert parse(given).plant == (("eps", 0.5), ("A", 0.02))
    assert parse([]).plant == ()
    for bad in (["--plant", "eps"], ["--plant", "eps=much"], ["replay", "--data", "x", "--plant", "k=1"]):
        with pytest.raises(ConfigError, match="--plant"):
            parse(bad)


def test_replay_takes_a_path() -> None:
    options = parse(["--market", "replay", "--data", "x.npz", "--cut-gaps", "--speed", "20"])
    assert (options.data, options.cut_gaps, options.speed) == (Path("x.npz"), True, 20.0)


def test_market_may_be_named_first() -> None:
    assert parse(["mirror"]).market == parse(["--market", "mirror"]).market == "mirror"
    assert parse(["replay", "--data", "x"]).market == "replay"
    assert parse(["mirror", "--market", "mirror"]).market == "mirror"


def test_mirror_follows_the_real_venue_unless_told() -> None:
    assert parse(["mirror"]).upstream == "https://api.hyperliquid.xyz"
    given = parse(["mirror", "--upstream", "http://127.0.0.1:3002", "--also", "BTC", "--also", "xyz:SP500"])
    assert (given.upstream, given.also) == ("http://127.0.0.1:3002", ("BTC", "xyz:SP500"))


def test_account_modes_may_be_repeated() -> None:
    modes = ["--mode", f"{ADDRESS}=disabled", "--mode", f"{OTHER}=unifiedAccount"]
    assert parse(modes).modes == ((ADDRESS.lower(), "disabled"), (OTHER, "unifiedAccount"))


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
        (["--queue", "hopeful"], "--queue"),
        (["--queue", "probabilistic", "--queue-power", "0"], "--queue-power"),
        (["--queue", "probabilistic", "--queue-power", "nan"], "--queue-power"),
        (["--spee", "2"], "--spee"),
        (["moon"], "moon"),
        (["mirror", "--market", "replay"], "contradict"),
        (["mirror", "--speed", "2"], "--speed"),
        (["mirror", "--flow", "btc"], "--flow"),
        (["mirror", "--data", "x"], "--data"),
        (["--upstream", "http://127.0.0.1:1"], "--upstream"),
        (["mirror", "--upstream", "ftp://x"], "--upstream"),
        (["mirror", "--upstream", "http://x/path"], "--upstream"),
        (["--also", "../x"], "--also"),
        (["--also", "BTC"] * 32, "--also"),
        (["--markets", "x.toml", "--also", "BTC"], "--markets"),
        (["mirror", "--markets", "x.toml"], "--markets"),
        (["--block-ms", "1001"], "--block-ms"),
        (["--block-ms", "-1"], "--block-ms"),
        (["--queue-power", "0"], "--queue-power"),
        (["--mode", f"{ADDRESS}=rich"], "--mode"),
        (["--mode", "0x12=disabled"], "address"),
        (["--latency-tails", "--latency-table", "x"], "--latency-table"),
    ],
)
def test_wrong_option_is_named(arguments: list[str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse(arguments)
