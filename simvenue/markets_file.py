"""Several markets of one venue, from a TOML file: each takes after a profile and says what differs.

    [[market]]
    profile = "btc"             # config/btc.toml

    [[market]]
    profile = "btc"
    coin = "SOL"                # another name: another place in the same dex, the next free one unless told
    px_start = 150.0
    seed = 7
    data = "sol.npz"            # recorded; a path from this file's folder (left out: made up)

Decides what the file may say and where each market stands in its dex; what a profile means is `common/config.py`'s,
where data comes from `opening.py`'s. Raises ConfigError that names the market and the key.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta, Struct

from common.config import ENVIRONMENT, Settings, load
from common.config_text import read_text
from common.errors import ConfigError
from simvenue.market import MarketDef, asset_id_of, market_of

MARKETS_MAX = 32
PLACE_MAX = 9_999
LISTED = ("BTC", "ETH")
"""They hold the first places of the first dex whether traded or not (`info/universe.py`)."""

Coin: TypeAlias = Annotated[str, Meta(pattern=r"^([a-z0-9]{2,8}:)?[A-Za-z0-9]{1,16}\Z")]


class Entry(Struct, frozen=True, forbid_unknown_fields=True):
    """One `[[market]]`; None = as the profile has it."""

    profile: Annotated[str, Meta(pattern=r"^[a-z0-9_-]{1,32}\Z")]
    coin: Coin | None = None
    collateral: Annotated[str, Meta(pattern=r"^[A-Z0-9]{2,8}\Z")] | None = None
    dex_index: Annotated[int, Meta(ge=0, le=200)] | None = None
    asset_index: Annotated[int, Meta(ge=0, le=PLACE_MAX)] | None = None
    sz_decimals: Annotated[int, Meta(ge=0, le=6)] | None = None
    max_leverage: Annotated[int, Meta(ge=1, le=100)] | None = None
    px_start: Annotated[float, Meta(gt=0.0, le=1e7)] | None = None
    vol_annual: Annotated[float, Meta(gt=0.0, le=5.0)] | None = None
    flow: Annotated[str, Meta(max_length=32)] | None = None
    seed: Annotated[int, Meta(ge=0, le=2**53)] | None = None
    data: Annotated[str, Meta(min_length=1, max_length=1000)] | None = None
    cut_gaps: bool = False


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    market: Annotated[tuple[Entry, ...], Meta(min_length=1, max_length=MARKETS_MAX)]


def read(path: Path) -> list[tuple[Entry, Settings, MarketDef]]:
    """Every market of the file: what it says, its profile, and its definition."""
    try:
        tree = tomllib.loads(read_text(path, f"--markets {path}"))
        entries = msgspec.convert(tree, _File).market
    except FileNotFoundError:
        raise ConfigError(f"--markets {path}: there is no such file") from None
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, RecursionError) as error:
        raise ConfigError(f"--markets {path}: {error}") from None
    settings = [load("simvenue", {**dict.fromkeys(ENVIRONMENT, ""), "MARKET": entry.profile}) for entry in entries]
    found: list[MarketDef] = []
    for number, (entry, profile) in enumerate(zip(entries, settings, strict=True)):
        try:
            found.append(_place(entry, _changed(entry, market_of(profile)), found))
        except ConfigError as error:
            raise ConfigError(f"--markets {path}: market[{number}]: {error}") from None
    return list(zip(entries, settings, found, strict=True))


def _changed(entry: Entry, market: MarketDef) -> MarketDef:
    """The profile's market with what the entry says of its form."""
    said = {
        name: value
        for name in ("collateral", "sz_decimals", "max_leverage", "dex_index")
        if (value := getattr(entry, name)) is not None
    }
    market = replace(market, **said, margin_table_id=0 if entry.max_leverage else market.margin_table_id)
    if entry.coin is None or entry.coin == market.coin:
        return market
    dex = entry.coin.partition(":")[0] if ":" in entry.coin else ""
    if dex != market.dex and entry.dex_index is None:
        raise ConfigError(f"coin = {entry.coin!r} is of another dex than its profile's: say its dex_index")
    return replace(market, coin=entry.coin, dex=dex, margin_table_id=0)


def _place(entry: Entry, market: MarketDef, before: Sequence[MarketDef]) -> MarketDef:
    """The market at its place in its dex; raises ConfigError when name or place are taken, or dex and index differ."""
    if any(other.coin == market.coin for other in before):
        raise ConfigError(f"{market.coin} is there twice")
    if (market.dex == "") != (market.dex_index == 0):
        raise ConfigError(f"{market.coin} and dex_index = {market.dex_index}: the first dex has index 0 and no prefix")
    for other in before:
        if (other.dex == market.dex) != (other.dex_index == market.dex_index):
            raise ConfigError(f"{market.coin} and {other.coin}: one dex has one dex_index")
    taken = {other.asset_index for other in before if other.dex == market.dex}
    index = _index(entry, market, taken)
    if index in taken:
        raise ConfigError(f"{market.coin}: asset_index = {index} is taken")
    return replace(market, asset_index=index, asset_id=asset_id_of(market.dex_index, index))


def _index(entry: Entry, market: MarketDef, taken: set[int]) -> int:
    """What the entry says, else the profile's for its own coin, else the next free place."""
    if entry.asset_index is not None:
        return entry.asset_index
    if entry.coin is None:
        return market.asset_index
    if market.dex == "" and market.coin in LISTED:
        return LISTED.index(market.coin)
    return next(place for place in range(len(LISTED) if market.dex == "" else 0, PLACE_MAX) if place not in taken)
