"""The same wishes give the same variables; paper is closed, and nothing of a person's moves a container's ports."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.config import TESTNET_URL, Settings, load
from common.errors import ConfigError
from scripts import container_plan as plan
from scripts.secret_files import Owner
from simvenue.options import parse

WALLET, AGENT, WARDEN = "0x" + "1" * 40, "0x" + "a" * 40, "0x" + "b" * 40
AGENTS = {"agent_key": AGENT, "warden_key": WARDEN}
OWNER = Owner(501, 20)


def settings(**environ: str) -> Settings:
    return load("monitor", environ)


def variables(wishes: plan.Wishes = plan.Wishes(), **environ: str) -> dict[str, str]:  # noqa: B008 (frozen)
    return plan.compose_env(settings(**environ), wishes, WALLET, AGENTS, OWNER)


def test_on_paper_every_way_out_is_closed() -> None:
    found = variables()
    assert (found["VENUE_CLOSED"], found["PAGE_OPEN"]) == ("true", "false")
    assert "MIRROR_OPEN" not in found
    assert found["COMPOSE_PROFILES"] == "paper,grafana"


def test_alerts_open_the_way_of_those_who_send_them_only() -> None:
    found = variables(plan.Wishes(alerts=True))
    assert (found["VENUE_CLOSED"], found["PAGE_OPEN"]) == ("true", "true")


def test_a_real_network_opens_the_venue_and_has_no_simulated_one() -> None:
    found = variables(NETWORK="testnet", VENUE_URL=TESTNET_URL)
    assert found["VENUE_CLOSED"] == "false"
    assert found["VENUE_URL"] == TESTNET_URL
    assert found["COMPOSE_PROFILES"] == "grafana"
    assert "SIMVENUE_ARGUMENTS" not in found
    assert found["SECRETS"] != variables()["SECRETS"]


def test_grafana_is_left_out_when_asked() -> None:
    assert variables(plan.Wishes(grafana=False))["COMPOSE_PROFILES"] == "paper"
    assert "grafana" not in plan.ports(0, grafana=False)


def test_port_base_shifts_every_port_that_is_published() -> None:
    plain, shifted = variables(), variables(PORT_BASE="1000")
    ports = [name for name in plain if name.startswith("PORT_")]
    assert len(ports) == 4
    assert all(int(shifted[name]) == int(plain[name]) + 1000 for name in ports)


def test_containers_run_as_the_owner_of_their_secrets() -> None:
    assert (variables()["RUN_UID"], variables()["RUN_GID"]) == ("501", "20")


def test_the_venue_understands_its_arguments() -> None:
    text = variables(plan.Wishes(speed=20.0, seed=7, flow="btc", latency="bad"), EQUITY="2500")["SIMVENUE_ARGUMENTS"]
    options = parse(shlex.split(text))
    assert (options.market, options.flow, options.speed, options.seed, options.latency) == (
        "synthetic", "btc", 20.0, 7, "bad",
    )  # fmt: skip
    assert options.fund == ((WALLET, 2500),)
    assert set(options.agents) == {(AGENT, WALLET), (WARDEN, WALLET)}


def test_a_recording_is_mounted_where_the_venue_looks_for_it() -> None:
    found = variables(plan.Wishes(data=Path("/far away/a day.npz")))
    assert found["SIMVENUE_DATA"] == "/far away/a day.npz"
    options = parse(shlex.split(found["SIMVENUE_ARGUMENTS"]))
    assert (options.market, str(options.data)) == ("replay", found["SIMVENUE_DATA_AT"])


def test_a_persons_settings_are_passed_on_and_places_are_not() -> None:
    given = {"LEVERAGE": "5", "MARKET": "btc", "PORT_BASE": "1000", "REDIS_URL": "redis://elsewhere", "HOME": "/root"}
    found = plan.services_env(given | {"BIND": "::", "SLACK_WEBHOOK": "x"}, WALLET, 1000.0)
    assert found == {"LEVERAGE": "5", "MARKET": "btc", "WALLET_ADDRESS": WALLET, "EQUITY": "1000"}


def test_cores_go_into_the_variables() -> None:
    wishes = plan.with_cores(plan.Wishes(), {"QUOTER_CPUSET": "4-9"})
    assert variables(wishes)["QUOTER_CPUSET"] == "4-9"


@given(st.dictionaries(st.from_regex(r"[A-Z_]{1,12}", fullmatch=True), st.text(max_size=30), max_size=5))
def test_an_env_file_reads_back_as_written_or_is_refused(values: dict[str, str]) -> None:
    try:
        text = plan.env_text(values)
    except ConfigError:
        assert any(mark in value for value in values.values() for mark in plan.UNWRITABLE)
    else:
        assert plan.read_env(text) == values


@pytest.mark.parametrize("value", ["it's", "a\nb", "back\\slash"])
def test_what_an_env_file_cannot_hold_is_refused_by_name(value: str) -> None:
    with pytest.raises(ConfigError, match="SYMBOL"):
        plan.env_text({"SYMBOL": value})


@pytest.mark.parametrize(
    ("wishes", "environ", "words"),
    [
        (
            plan.Wishes(flow="lively", speed=20.0),
            {},
            "km:US500 on paper: a made-up market, order flow lively (made to be seen filling, measured nowhere), "
            "at 20 market seconds a second",
        ),
        (
            plan.Wishes(flow="btc"),
            {"MARKET": "btc"},
            "BTC on paper: a made-up market, order flow btc, at 1 market seconds a second",
        ),
        (
            plan.Wishes(data=Path("/days/monday.npz"), speed=5.0),
            {"MARKET": "standx"},
            "sx:BTC on paper: monday.npz replayed at 5 market seconds a second",
        ),
        (plan.Wishes(), {"NETWORK": "testnet", "VENUE_URL": TESTNET_URL}, f"km:US500 on testnet, at {TESTNET_URL}"),
    ],
)
def test_a_person_is_told_what_is_traded(wishes: plan.Wishes, environ: dict[str, str], words: str) -> None:
    assert plan.traded(settings(**environ), wishes) == words
