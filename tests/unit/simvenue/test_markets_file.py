"""Several markets from one file: where each stands, and what is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.errors import ConfigError
from simvenue.markets_file import MARKETS_MAX, read


def a_file(folder: Path, *markets: str) -> Path:
    path = folder / "markets.toml"
    path.write_text("\n".join(f"[[market]]\n{text}\n" for text in markets))
    return path


def test_market_is_its_profile_unless_told(tmp_path: Path) -> None:
    ((entry, profile, market),) = read(a_file(tmp_path, 'profile = "us500"'))
    assert (market.coin, market.asset_id, market.sz_decimals, market.dex) == ("km:US500", 150000, 3, "km")
    assert profile.market.coin == market.coin
    assert entry.seed is None


def test_further_names_take_the_next_places_of_their_dex(tmp_path: Path) -> None:
    texts = ['profile = "btc"', 'profile = "btc"\ncoin = "ETH"', 'profile = "btc"\ncoin = "SOL"',
             'profile = "us500"', 'profile = "us500"\ncoin = "km:GOLD"\nmax_leverage = 10',
             'profile = "btc"\ncoin = "HYPE"\nasset_index = 159']  # fmt: skip
    found = [market for _, _, market in read(a_file(tmp_path, *texts))]
    assert [market.asset_id for market in found] == [0, 1, 2, 150000, 150001, 159]
    assert found[4].max_leverage == 10
    assert [market.collateral for market in found] == ["USDC"] * 3 + ["USDH"] * 2 + ["USDC"]


def test_market_of_another_dex_says_its_index(tmp_path: Path) -> None:
    text = 'profile = "us500"\ncoin = "xyz:SP500"\ndex_index = 1\ncollateral = "USDC"'
    ((_, _, market),) = read(a_file(tmp_path, text))
    assert (market.dex, market.asset_id, market.collateral) == ("xyz", 110000, "USDC")


@pytest.mark.parametrize(
    ("markets", "words"),
    [
        ([], "market"),
        (['profile = "atlantis"'], "atlantis"),
        (['profile = "btc"\nspeed = 2'], "speed"),
        (['profile = "btc"\npx_start = 0.0'], "px_start"),
        (['profile = "btc"\nasset_index = "1"'], "asset_index"),
        (['profile = "btc"', 'profile = "btc"'], "market[1]: BTC is there twice"),
        (['profile = "btc"', 'profile = "btc"\ncoin = "SOL"\nasset_index = 0'], "asset_index = 0 is taken"),
        (['profile = "us500"\ncoin = "xyz:SP500"'], "dex_index"),
        (['profile = "us500"\ndex_index = 0'], "the first dex has index 0"),
        (['profile = "us500"', 'profile = "us500"\ncoin = "xyz:SP500"\ndex_index = 5'], "one dex has one dex_index"),
        (['profile = "btc"'] * (MARKETS_MAX + 1), "length"),
        (["profile = "], "--markets"),
    ],
)
def test_wrong_market_is_refused_by_name(tmp_path: Path, markets: list[str], words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(a_file(tmp_path, *markets))
    assert words in str(refused.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml"):
        read(tmp_path / "none.toml")
