"""Configuration is right, or refused with one sentence that names key, value and what is allowed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.config import ENVIRONMENT, MAINNET_URL, TESTNET_URL, Settings, load
from common.config_text import parse_dotenv, to_typed
from common.errors import EXIT_CONFIG, ConfigError
from common.kernel import ROOT

OURS = (ROOT / "config" / "us500.toml").read_text(encoding="utf-8")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with one profile, ours."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "us500.toml").write_text(OURS)
    return tmp_path


def refused(root: Path, **environ: str) -> str:
    """The sentence of the refusal; fails when there is none."""
    with pytest.raises(ConfigError) as caught:
        load("quoter", environ, root)
    return str(caught.value)


def edited(root: Path, old: str, new: str) -> None:
    path = root / "config" / "us500.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


# ---------------------------------------------------------------------- what is good
@pytest.mark.parametrize("profile", [path.stem for path in sorted((ROOT / "config").glob("*.toml"))])
@pytest.mark.parametrize("service", ["feed", "quoter", "executor", "riskd", "monitor", "simvenue", "warden"])
def test_every_profile_loads_for_every_service(profile: str, service: str) -> None:
    settings = load(service, {"MARKET": profile})
    assert settings.service == service
    assert 9101 <= settings.metrics_port <= 9107


def test_environment_wins_over_dotenv_and_dotenv_over_the_profile(root: Path) -> None:
    assert load("quoter", {}, root).execution.leverage == 10
    (root / ".env").write_text("LEVERAGE=7\n")
    assert load("quoter", {}, root).execution.leverage == 7
    assert load("quoter", {"LEVERAGE": "5"}, root).execution.leverage == 5
    assert load("quoter", {"LEVERAGE": "5"}, root, over={"LEVERAGE": "3"}).execution.leverage == 3


def test_empty_value_is_no_value(root: Path) -> None:
    assert load("quoter", {"LEVERAGE": "", "MARKET": "", "TESTNET": ""}, root).execution.leverage == 10


def test_recording_is_off_until_asked_for(root: Path, tmp_path: Path) -> None:
    assert not load("feed", {}, root).recording.on
    found = load("feed", {"RECORD": "on", "RECORD_DIR": str(tmp_path), "RECORD_KEEP_DAYS": "7"}, root).recording
    assert (found.on, found.folder, found.keep_days, found.flush_s) == (True, tmp_path, 7.0, 2.0)


def test_settings_are_frozen_and_show_no_redis_password(root: Path) -> None:
    settings = load("quoter", {"REDIS_URL": "redis://user:hunter2@host:6379"}, root)
    assert "hunter2" not in repr(settings)
    with pytest.raises(ValueError, match="frozen"):
        settings.network = "mainnet"  # type: ignore[misc]


def test_hash_is_of_what_decides_and_of_nothing_else(root: Path) -> None:
    base = load("quoter", {}, root).config_hash()
    assert load("riskd", {"REDIS_URL": "unix:///tmp/x.sock", "PORT_BASE": "100"}, root).config_hash() == base
    assert load("quoter", {"VENUE_URL": "http://simvenue:3001"}, root).config_hash() == base
    assert load("riskd", {"LEVERAGE": "5"}, root).config_hash() != base
    assert load("riskd", {"NETWORK": "testnet", "VENUE_URL": TESTNET_URL}, root).config_hash() != base


@pytest.mark.parametrize(
    "url", ["unix:///run/redis.sock", "redis://127.0.0.1", "redis://u:p@redis:6379/0", "rediss://h:1"]
)
def test_usual_redis_urls_are_taken(root: Path, url: str) -> None:
    assert load("quoter", {"REDIS_URL": url}, root).redis_url == url


def test_testnet_word_of_the_seeds_chooses_network_and_url(root: Path) -> None:
    settings = load("quoter", {"TESTNET": "true"}, root)
    assert (settings.network, settings.venue_url) == ("testnet", TESTNET_URL)
    assert load("quoter", {"TESTNET": "false"}, root).network == "paper"
    assert load("quoter", {"NETWORK": "mainnet", "VENUE_URL": MAINNET_URL}, root).is_mainnet


def test_dotenv_takes_comments_quotes_export_crlf_and_a_bom(root: Path) -> None:
    text = "\ufeff# comment\r\n\r\nexport LEVERAGE = '4'\r\n\tORDER_LEVELS=\"13\"\r\n"
    (root / ".env").write_bytes(text.encode())
    settings = load("quoter", {}, root)
    assert (settings.execution.leverage, settings.quoting.order_levels) == (4, 13)


def test_a_profile_fills_in_what_nobody_else_says(root: Path) -> None:
    lean = load("quoter", {"PROFILE": "lean"}, root).quoting
    assert (lean.ladder, lean.ladder_bps, lean.side_gate) == ("list", [1.3, 1.8, 2.3], 1.0)
    assert (lean.out_bps, lean.in_bps, lean.needs_forecast) == (0.5, 0.2, True)
    assert load("quoter", {"PROFILE": "lean", "SIDE_GATE": "0.5"}, root).quoting.side_gate == 0.5
    tiered = load("quoter", {}, root).quoting
    assert (tiered.profile, tiered.ladder, tiered.out_bps, tiered.in_bps) == ("tiered", "table", 0.3, 0.3)


def test_the_older_table_of_btc_stays_a_choice_by_name(root: Path) -> None:
    own = load("quoter", {}, root).quoting
    older = load("quoter", {"VOL_TABLE": "btc-seed"}, root).quoting
    assert own.vol_table != older.vol_table
    assert [(row.from_vol, row.lo_bps) for row in older.vol_table[1:]] == [(0.04, 1), (0.115, 2), (0.2, 5), (0.3, 10)]
    assert older.order_levels == own.order_levels
    with pytest.raises(ConfigError, match="allowed market, btc-seed"):
        load("quoter", {"VOL_TABLE": "eth-seed"}, root)


def test_reference_markets_are_named_by_coin(root: Path) -> None:
    assert load("quoter", {}, root).quoting.reference_coins == ()
    found = load("quoter", {"REFERENCES": "xyz:SP500,BTC"}, root).quoting
    assert found.reference_coins == ("xyz:SP500", "BTC")
    for text in ("a,b,c,d,e", "BTC,", "BTC ETH", "../x"):
        with pytest.raises(ConfigError, match="references"):
            load("quoter", {"REFERENCES": text}, root)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ("hold_bps = 0.3\ndelta_scale = 20", "at most 0.25"),
        ("hold_bps = 0.3\nladder_bps = [2.0, 1.0]", "ladder_bps must rise"),
        ("hold_bps = 0.3\nglft_fit_from_bps = 9.0", "glft_fit_from_bps < glft_fit_to_bps"),
        ('hold_bps = 0.3\nprofile = "grid"', "allowed tiered, lean, glft"),
    ],
)
def test_a_ladder_that_breaks_a_limit_is_refused(root: Path, changes: str, said: str) -> None:
    edited(root, "hold_bps = 0.3", changes)
    assert said in refused(root)


# ---------------------------------------------------------------------- environment
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("LEVERAGE", "0", "execution.leverage = '0'"),
        ("LEVERAGE", "51", "allowed 1 .. 50"),
        ("LEVERAGE", "21", "the market's maximum"),
        ("LEVERAGE", "2.5", "must be a whole number, allowed 1 .. 50"),
        ("LEVERAGE", "1_0", "must be a whole number"),
        ("LEVERAGE", "\uff11\uff10", "must be a whole number"),
        ("LEVERAGE", " 10 ", "must be a whole number"),
        ("LEVERAGE", "0x10", "must be a whole number"),
        ("LEVERAGE", "ten", "must be a whole number"),
        ("LEVERAGE", "true", "must be a whole number"),
        ("LEVERAGE", "10 # my guess", "must be a whole number"),
        ("LEVERAGE", "9" * 30, "must be a whole number"),
        ("ORDER_LEVELS", "1000", "allowed 1 .. 20"),
        ("MIN_SPREAD_BPS", "0", "allowed above 0 .. 500"),
        ("MIN_SPREAD_BPS", "-1", "quoting.min_spread_bps"),
        ("MIN_SPREAD_BPS", "60", "must not exceed max_spread_bps"),
        ("MAX_SPREAD_BPS", "nan", "must be a plain number"),
        ("MAX_SPREAD_BPS", "inf", "must be a plain number"),
        ("MAX_SPREAD_BPS", "1e999", "must be a plain number"),
        ("MAX_SPREAD_BPS", "1,5", "must be a plain number"),
        ("MAX_DRAWDOWN", "5", "allowed above 0 .. 0.5"),
        ("MAX_DRAWDOWN", "1e308", "must be a plain number"),
        ("EQUITY", "0", "equity_usd"),
        ("NETWORK", "live", "allowed paper, testnet, mainnet"),
        ("NETWORK", "Mainnet", "allowed paper, testnet, mainnet"),
        ("LOG_LEVEL", "DEBUG", "allowed debug, info, warning, error"),
        ("PORT_BASE", "70000", "allowed 0 .. 50000"),
        ("PORT_BASE", "http", "must be a whole number"),
        ("TESTNET", "flase", "allowed are 1, true"),
        ("SYMBOL", "US500", "dex:COIN"),
        ("SYMBOL", "km:US500\n", "market.coin"),
        ("SYMBOL", "", ""),
        ("COLLATERAL", "usdh", "market.collateral"),
        ("WALLET_ADDRESS", "0x" + "AB" * 20, "40 hexadecimal digits in lower case"),
        ("WALLET_ADDRESS", "ab" * 20, "40 hexadecimal digits"),
        ("WALLET_ADDRESS", "0x" + "ab" * 19 + "a", "40 hexadecimal digits"),
        ("VENUE_URL", "http://127.0.0.1:3001/", "trailing slash"),
        ("VENUE_URL", "http://127.0.0.1:3001/info", "without path"),
        ("VENUE_URL", "ftp://host", "http(s)://host"),
        ("VENUE_URL", "http://user:hunter2@host", "http(s)://host"),
        ("VENUE_URL", "http://host\n", "http(s)://host"),
        ("VENUE_URL", MAINNET_URL, "paper never talks"),
        ("VENUE_URL", "https://API.HYPERLIQUID.xyz", "paper never talks"),
        ("REDIS_URL", "http://host", "unix:///path"),
        ("REDIS_URL", "redis://host:6379/3", "database 0"),
        ("REDIS_URL", "unix://relative", "unix:///path"),
        ("MARKET", "../secrets", "a profile's name"),
        ("MARKET", "us5000", "known profiles: us500"),
        ("AMM_PARENT", "-1", "parent_pid"),
        ("RECORD", "maybe", "allowed are 1, true"),
        ("RECORD_KEEP_DAYS", "0", "allowed 0.1 .. 3650"),
        ("RECORD_MAX_GB", "-1", "allowed 0.01 .. 100000"),
        ("RECORD_FREE_GB_MIN", "lots", "must be a plain number"),
    ],
)
def test_bad_value_is_named_with_what_is_allowed(root: Path, name: str, value: str, said: str) -> None:
    if said == "":
        load("quoter", {name: value}, root)
        return
    sentence = refused(root, **{name: value})
    assert said in sentence
    assert name in sentence or ENVIRONMENT.get(name, (name,))[-1] in sentence or "settings" in sentence
    assert "hunter2" not in sentence


@pytest.mark.parametrize(
    "environ",
    [
        {"NETWORK": "mainnet"},
        {"NETWORK": "mainnet", "VENUE_URL": TESTNET_URL},
        {"NETWORK": "mainnet", "VENUE_URL": MAINNET_URL + "/"},
        {"NETWORK": "mainnet", "VENUE_URL": MAINNET_URL.replace("https", "http")},
        {"NETWORK": "testnet", "VENUE_URL": MAINNET_URL},
        {"NETWORK": "mainnet", "VENUE_URL": MAINNET_URL, "TESTNET": "true"},
        {"NETWORK": "testnet", "VENUE_URL": TESTNET_URL, "TESTNET": "false"},
        {"TESTNET": "true", "VENUE_URL": MAINNET_URL},
        {"NETWORK": "mainnet", "VENUE_URL": MAINNET_URL, "LOG_LEVEL": "debug"},
    ],
)
def test_mixed_networks_are_refused(root: Path, environ: dict[str, str]) -> None:
    assert any(word in refused(root, **environ) for word in ("network", "TESTNET", "log_level", "trailing slash"))


@pytest.mark.parametrize("name", ["PRIVATE_KEY", "SECRET_KEY", "AGENT_KEY", "WARDEN_KEY"])
def test_key_in_the_environment_is_refused_with_the_command_that_writes_the_file(root: Path, name: str) -> None:
    key = "0x" + "5a" * 32
    assert "secrets/agent_key" in refused(root, **{name: key})
    (root / ".env").write_text(f"{name}={key}\n")
    sentence = refused(root)
    assert "install -m 0400" in sentence
    assert key not in sentence


# ---------------------------------------------------------------------- .env
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("LEVERAGE", "line 1: expected NAME=value"),
        ("\n\nleverage=5", "line 3: expected NAME=value"),
        ("LEVERAGE: 5", "expected NAME=value"),
        ("LEVERAGEE=5", "unknown key LEVERAGEE"),
        ("MAX_POSITON=5", "unknown key MAX_POSITON"),
        ("LEVERAGE=5\nLEVERAGE=6", "line 2: LEVERAGE is set twice"),
        ("LEVERAGE='5", "is not closed"),
        ('LEVERAGE="', "is not closed"),
        ("SYMBOL=${COIN}", "not expanded"),
        ("LEVERAGE=5 6", "must be a whole number"),
    ],
)
def test_bad_dotenv_names_its_line(root: Path, text: str, said: str) -> None:
    (root / ".env").write_text(text)
    assert said in refused(root)


def test_dotenv_that_cannot_be_read_is_a_sentence(root: Path) -> None:
    (root / ".env").write_bytes(b"LEVERAGE=\xff5\n")
    assert ".env is not UTF-8" in refused(root)
    (root / ".env").unlink()
    (root / ".env").mkdir()
    assert ".env cannot be read" in refused(root)


@given(st.text(max_size=60))
def test_any_text_is_a_dotenv_or_refused_by_line(text: str) -> None:
    try:
        found = parse_dotenv(text, tuple(ENVIRONMENT))
    except ConfigError as error:
        assert ".env line" in str(error)  # noqa: PT017
    else:
        assert set(found) <= set(ENVIRONMENT)


@given(st.text(max_size=30))
def test_any_text_is_a_number_or_refused(text: str) -> None:
    try:
        value = to_typed("MAX_DRAWDOWN", text, Settings, ("risk", "max_drawdown"))
    except ConfigError as error:
        assert "MAX_DRAWDOWN" in str(error)  # noqa: PT017
    else:
        assert abs(value) < 1e116


# ---------------------------------------------------------------------- the profile
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("order_levels = 12", "order_levels = true", "quoting.order_levels"),
        ("order_levels = 12", 'order_levels = "12"', "quoting.order_levels"),
        ("order_levels = 12", "order_levels = 12.5", "quoting.order_levels"),
        ("order_levels = 12", "order_levels = 12\norder_levels = 13", "not valid TOML"),
        ("order_levels = 12", "order_levls = 12", "quoting.order_levls: there is no such setting"),
        ("order_levels = 12", "order_levels = 1_000", "allowed 1 .. 20"),
        ("order_levels = 12", "order_levels = 0o17000", "allowed 1 .. 20"),
        ("order_levels = 12", "order_levels = 12:30", "not valid TOML"),
        ("order_levels = 12", "order_levels = yes", "not valid TOML"),
        ("order_levels = 12", "order_levels = 2026-01-01", "quoting.order_levels"),
        ("order_levels = 12", "order_levels = [12]", "quoting.order_levels"),
        ("order_levels = 12", f"order_levels = {'9' * 400}", "quoting.order_levels"),
        ("order_levels = 12", f"x = {'[' * 3000}", "not valid TOML"),
        ("hold_bps = 0.3", "hold_bps = inf", "quoting.hold_bps"),
        ("hold_bps = 0.3", "hold_bps = nan", "quoting.hold_bps"),
        ("hold_bps = 0.3", "hold_bps = -0.1", "allowed 0 .. 50"),
        ("hold_bps = 0.3", "hold_bps = false", "quoting.hold_bps"),
        ("[risk]", "[risk]\nmargin_high = 0.9\nmargin_emergency = 0.8", "margin_info < margin_high"),
        ("[risk]", "[risk]\ntaker_ratio_max = 5", "allowed 0 .. 0.05"),
        ("[risk]", "[risk]\nsoft_ratio = 0.26", "allowed above 0 .. 0.25"),
        ("[risk]", "[risk]\npermit_every_s = 0.5\npermit_ttl_s = 0.6", "half of permit_ttl_s"),
        ("[risk]", "[risk]\nsession_loss_usd = 1e308", "session_loss_usd"),
        ("[risk]", "[risk]\nstreak_pause = 3", "streak_fade < streak_pause"),
        ("[risk]", "[risk]\nprivate_key = 'correct-horse'", "risk.private_key: there is no such setting"),
        ("[risk]", "", "risk"),
        ("[market]", "service = 'feed'\n[market]", "service: there is no such setting"),
        ("[market]", "bind = 'localhost'\n[market]", "must be an IP address"),
        ("coin = \"km:US500\"", "", "market.coin"),
        ("dex_index = 5", "dex_index = 0", "dex:COIN"),
        ("leverage = 10", "leverage = 10\nladder_age_s = 0.3", "renew_s must be below"),
        ("from_vol = 0.05", "from_vol = 0.20", "vol_table rows must start"),
        ("lo_bps = 2.0, hi_bps = 10.0", "lo_bps = 10.0, hi_bps = 2.0", "lo_bps must be below hi_bps"),
        ("lo_bps = 2.0, hi_bps = 10.0", "lo_bps = 2.0, hi_bps = 10.0, mid_bps = 5", "vol_table.1.mid_bps"),
    ],
)  # fmt: skip
def test_bad_profile_is_refused_by_key(root: Path, old: str, new: str, said: str) -> None:
    edited(root, old, new)
    sentence = refused(root)
    assert said in sentence
    assert "us500.toml" in sentence
    assert "correct-horse" not in sentence


def _empty(path: Path) -> None:
    path.write_text("")


def _latin(path: Path) -> None:
    path.write_bytes(OURS.encode() + b"# caf\xe9\n")


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(("spoil", "said"), [(_empty, "market"), (_latin, "is not UTF-8"), (_folder, "cannot be read")])
def test_spoiled_profile_is_a_sentence(root: Path, spoil: Callable[[Path], None], said: str) -> None:
    spoil(root / "config" / "us500.toml")
    assert said in refused(root)


def test_profile_with_a_bom_and_crlf_is_read(root: Path) -> None:
    (root / "config" / "us500.toml").write_bytes(("\ufeff" + OURS).replace("\n", "\r\n").encode())
    assert load("quoter", {}, root).market.coin == "km:US500"


# ---------------------------------------------------------------------- as a process
PROGRAM = """
import os, sys
sys.addaudithook(lambda event, _: os._exit(99) if event == "socket.__new__" else None)
from common.process import main
async def build(settings): raise AssertionError("it was started")
main("quoter", build)
"""


def test_bad_configuration_ends_a_process_with_78_and_one_sentence_before_any_socket() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env={**os.environ, "LEVERAGE": "500"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == EXIT_CONFIG
    assert done.stderr.strip().splitlines() == [
        "quoter: config/us500.toml (or the environment): execution.leverage = '500': "
        "Input should be less than or equal to 50 (allowed 1 .. 50)"
    ]


# ---------------------------------------------------------------------- containers
def test_a_container_may_listen_elsewhere_and_keep_latch_and_line_apart(root: Path) -> None:
    environ = {"BIND": "0.0.0.0", "RUN_DIR": "/app/run", "LATCH_DIR": "/app/latch", "LINE_DIR": "/app/line"}
    settings = load("executor", environ, root)
    assert (settings.bind, settings.run_dir) == ("0.0.0.0", Path("/app/run"))
    assert (settings.kill_dir, settings.deadman_dir) == (Path("/app/latch"), Path("/app/line"))


def test_latch_and_line_lie_in_the_run_folder_unless_said_otherwise(root: Path) -> None:
    settings = load("warden", {"RUN_DIR": "/somewhere"}, root)
    assert settings.kill_dir == settings.deadman_dir == Path("/somewhere")


def test_bind_is_an_address_and_no_name(root: Path) -> None:
    assert "must be an IP address" in refused(root, BIND="localhost")


PASSWORD = "a-password_of-32-characters-0123"


def with_password(tmp_path: Path, text: str = PASSWORD + "\n") -> dict[str, str]:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "redis_password").write_text(text)
    return {"SECRETS_DIR": str(tmp_path / "secrets")}


@pytest.mark.parametrize("url", ["redis://redis:6379/0", "rediss://redis:6379", "unix:///run/redis.sock"])
def test_a_password_file_and_the_services_name_go_into_the_redis_url(root: Path, tmp_path: Path, url: str) -> None:
    settings = load("quoter", {"REDIS_URL": url, **with_password(tmp_path)}, root)
    scheme, _, rest = url.partition("://")
    assert settings.redis_url == f"{scheme}://quoter:{PASSWORD}@{rest}"
    assert PASSWORD not in repr(settings)


def test_a_password_file_serves_the_default_url_too(root: Path, tmp_path: Path) -> None:
    settings = load("feed", with_password(tmp_path), root)
    assert settings.redis_url == f"redis://feed:{PASSWORD}@127.0.0.1:6379/0"


def test_a_redis_url_that_names_a_user_is_left_alone(root: Path, tmp_path: Path) -> None:
    url = "redis://me:mine@redis:6379/0"
    assert load("quoter", {"REDIS_URL": url, **with_password(tmp_path)}, root).redis_url == url


@pytest.mark.parametrize("text", ["", "short", "with a blank in its middle", "at@sign-in-the-middle", "x" * 201])
def test_a_bad_password_file_is_refused_without_repeating_it(root: Path, tmp_path: Path, text: str) -> None:
    sentence = refused(root, **with_password(tmp_path, text))
    assert "secrets/redis_password" in sentence
    assert not text or text not in sentence


def test_the_password_is_no_part_of_the_configurations_hash(root: Path, tmp_path: Path) -> None:
    assert load("feed", with_password(tmp_path), root).config_hash() == load("feed", {}, root).config_hash()
