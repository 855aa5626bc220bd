"""Settings: read once from a market profile (TOML) and the environment, checked, then frozen.

Only this file reads the environment (besides `AMM_KERNELS` and `AMM_KERNEL_CACHE` in `common/kernel.py`).
Precedence: environment, then `.env`, then the profile `config/<market>.toml`, then the defaults here. Unknown keys,
bad ranges, mixed networks and keys in the environment are refused with ConfigError, whose text names the key, the
value and the allowed range. Every number carries its unit in its name; `Field(description=...)` gives its meaning
and source.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import math
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from common.config_text import parse_dotenv, read_text, sentence, to_bool, to_typed
from common.errors import ConfigError
from common.kernel import ROOT
from common.redact import redact

MAINNET_URL = "https://api.hyperliquid.xyz"
TESTNET_URL = "https://api.hyperliquid-testnet.xyz"
METRICS_PORTS = {
    "feed": 9101, "quoter": 9102, "executor": 9103, "riskd": 9104, "monitor": 9105, "simvenue": 9106, "warden": 9107,
}  # fmt: skip
PAGE_PORT = 8080
VENUE_PORT = 3001


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class VolRow(_Part):
    """One row: at or above `from_vol` (annual, 0.2 = 20 %), half spreads run from `lo_bps` to `hi_bps`."""

    from_vol: float = Field(ge=0, le=10)
    lo_bps: float = Field(gt=0, le=500)
    hi_bps: float = Field(gt=0, le=500)


class Market(_Part):
    """Which market; everything the venue knows about it is read from the venue, not configured."""

    coin: str = Field(pattern=r"^([a-z0-9]{2,8}:)?[A-Za-z0-9]{1,16}$", description="venue name, with its dex prefix")
    collateral: str = Field(pattern=r"^[A-Z0-9]{2,8}$", description="token the market is margined in")
    kind: Literal["index", "crypto"] = Field(description="which volatility thresholds and sessions apply")

    @property
    def dex(self) -> str:
        """Builder dex of the coin, "" for the first dex."""
        return self.coin.partition(":")[0] if ":" in self.coin else ""


class Venue(_Part):
    """What `simvenue` takes the market to be (the market file of a replay); the services never read it."""

    sz_decimals: int = Field(ge=0, le=6)
    max_leverage: int = Field(ge=1, le=100)
    asset_index: int = Field(ge=0, le=9999, description="place in its dex's universe")
    dex_index: int = Field(ge=0, le=200, description="place in perpDexs; 0 = the first dex")
    deployer_fee_scale: float = Field(ge=0, le=3, description="HIP-3 deployer's share; 0 on the first dex")
    growth_mode: bool
    aligned: bool = Field(description="aligned quote token (USDH): lower taker fee")
    px_start: float = Field(gt=0, description="price the synthetic market starts at, quote")
    vol_annual: float = Field(gt=0, le=5, description="volatility of the synthetic market")
    interest_rate_1h: float = Field(ge=-0.001, le=0.001, description="funding's interest component per hour")
    impact_notional_usd: float = Field(
        gt=0, description="notional of the impact prices (docs: 20k BTC and ETH, 6k others)"
    )


class Quoting(_Part):
    """Design section 5; every number is a parameter of the quoter's kernels."""

    profile: Literal["tiered"] = "tiered"
    order_levels: int = Field(12, ge=1, le=20, description="levels a side at most")
    min_spread_bps: float = Field(1.0, gt=0, le=500, description="nearest half spread whatever the table says")
    max_spread_bps: float = Field(50.0, gt=0, le=500, description="furthest half spread")
    vol_table: list[VolRow] = Field(min_length=1, max_length=12, description="annual volatility -> half spread range")
    vol_hysteresis: float = Field(0.10, ge=0, le=0.5, description="share by which a row's border must be passed")
    vol_bucket_s: float = Field(5.0, gt=0, le=60, description="spacing of the mids whose returns are averaged")
    vol_fast_half_life_s: float = Field(60.0, gt=0, le=3600)
    vol_slow_half_life_s: float = Field(600.0, gt=0, le=86400)
    vol_min_samples: int = Field(24, ge=2, le=1000, description="5 s returns before the estimate is trusted")
    high_vol_annual: float = Field(0.5, gt=0, le=10, description="HIGH_VOL_THRESHOLD: defensive above, then pause")
    imbalance_trigger: float = Field(0.30, ge=0, le=1)
    imbalance_scale_min: float = Field(1.3, ge=1, le=5)
    imbalance_scale_max: float = Field(1.5, ge=1, le=5)
    deep_book_scale: float = Field(0.85, gt=0, le=1)
    thin_book_scale: float = Field(1.2, ge=1, le=5)
    liquid_usd: float = Field(5_000.0, gt=0, description="depth a side from which the book counts as liquid")
    liquid_exit_ratio: float = Field(0.6, gt=0, le=1)
    liquid_after_s: float = Field(3.0, ge=0, le=60, description="how long a liquidity change must last")
    illiquid_pull_s: float = Field(3.0, ge=0, le=60, description="illiquid for this much longer: pull all levels")
    illiquid_spread_scale: float = Field(1.2, ge=1, le=5)
    illiquid_size_scale: float = Field(0.5, ge=0, le=1)
    tier_shares: tuple[float, float, float] = Field((0.7, 0.2, 0.1), description="volume in inner, middle, outer third")
    tier_breaks: tuple[float, float] = Field((0.08, 0.29), description="where in lo..hi the thirds end (strategy.md 4)")
    notional_margin: float = Field(1.05, ge=1, le=2, description="least level notional over the venue's minimum")
    thick_ratio: float = Field(1.5, ge=1, le=10, description="local depth over its median: size x thick_scale")
    thick_scale: float = Field(1.5, ge=1, le=5)
    thin_ratio: float = Field(0.5, ge=0, le=1)
    thin_scale: float = Field(0.5, ge=0, le=1)
    eps_bps: float = Field(0.5, ge=0, le=50, description="prior adverse selection at 60 s (strategy.md 4)")
    eta: float = Field(0.4, ge=0, lt=1, description="prior impact per bps of depth")
    k_per_bps: float = Field(0.5, gt=0, le=10, description="prior decay of the fill intensity")
    safety_bps: float = Field(0.1, ge=0, le=50)
    floor_min_fills: int = Field(
        200, ge=10, le=100_000, description="marked-out fills before the measured floor counts"
    )
    delta_scale: float = Field(10.0, gt=0, le=100, description="DELTA_SCALE: delta = notional / (equity x this)")
    delta_balanced: float = Field(0.005, ge=0, le=1)
    delta_skew: float = Field(0.015, ge=0, le=1)
    delta_one_sided: float = Field(0.025, ge=0, le=0.025, description="= 0.25x equity at scale 10; more is refused")
    delta_full: float = Field(0.05, gt=0, le=0.05, description="= 0.5x equity, the hard cap")
    skew_away: float = Field(2.0, ge=0, le=10, description="distance of the growing side x (1 + this x urgency)")
    skew_towards: float = Field(0.3, ge=0, lt=1, description="distance of the reducing side x (1 - this x urgency)")
    max_position_s: float = Field(
        30.0, gt=0, le=86400, description="MAX_POSITION_SECONDS: older inventory adds urgency"
    )
    fade_horizon_s: float = Field(5.0, gt=0, le=300)
    fade_losing_bps: float = Field(0.2, ge=0, le=50, description="a fill whose 5 s score is below minus this is losing")
    fade_window: int = Field(10, ge=2, le=200)
    fade_mean_bps: float = Field(2.0, ge=0, le=50)
    fade_streak: int = Field(3, ge=2, le=50)
    fade_streak_scale: float = Field(2.5, ge=1, le=10)
    fade_pause_streak: int = Field(5, ge=3, le=50)
    fade_cooldown_s: float = Field(60.0, ge=0, le=3600)
    fade_rearm_s: float = Field(60.0, gt=0, le=3600, description="half life of a fade after its last losing fill")
    hold_bps: float = Field(0.3, ge=0, le=50, description="a smaller move of the target is not published")
    rebalance_interval_s: float = Field(0.5, gt=0, le=60, description="REBALANCE_INTERVAL, market time")
    renew_s: float = Field(0.4, gt=0, le=1.0, description="an unchanged ladder is renewed this often, machine time")
    order_max_age_s: float = Field(5.0, gt=0, le=3600)
    cancel_move_bps: float = Field(10.0, gt=0, le=1000, description="a book move beyond this cancels first")
    collar_bps: float = Field(100.0, gt=0, le=2000, description="quotes stay this near to the oracle")
    data_age_max_s: float = Field(1.5, gt=0, le=30)
    high_vol_pause_ratio: float = Field(
        1.5, ge=1, le=10, description="above this multiple of high_vol_annual: no quotes"
    )
    book_half_life_s: float = Field(
        5.0, gt=0, le=600, description="averaging of imbalance and local depth, so that one print does not flip a rule"
    )
    max_position_urgency: float = Field(
        0.5, ge=0, le=1, description="urgency an overdue position adds, in full at 2x max_position_s"
    )
    hold_ratio: float = Field(
        0.05, ge=0, le=1, description="nor is a move below this share of the level's distance published"
    )
    hold_size_ratio: float = Field(0.3, ge=0, le=1, description="a smaller relative change of a size is not published")

    @field_validator("tier_shares")
    @classmethod
    def _shares(cls, value: tuple[float, float, float]) -> tuple[float, float, float]:
        if any(v < 0 for v in value) or not math.isclose(sum(value), 1.0, abs_tol=1e-9):
            raise ValueError("three shares >= 0 that sum to 1")
        return value

    @model_validator(mode="after")
    def _ordered(self) -> Quoting:
        rows = [r.from_vol for r in self.vol_table]
        if rows != sorted(set(rows)) or rows[0] != 0.0:
            raise ValueError("vol_table rows must start at from_vol = 0 and rise")
        if any(r.lo_bps >= r.hi_bps for r in self.vol_table):
            raise ValueError("vol_table: lo_bps must be below hi_bps")
        if self.min_spread_bps > self.max_spread_bps:
            raise ValueError("min_spread_bps must not exceed max_spread_bps")
        if not self.delta_balanced <= self.delta_skew <= self.delta_one_sided <= self.delta_full:
            raise ValueError("delta_balanced <= delta_skew <= delta_one_sided <= delta_full")
        return self


class Risk(_Part):
    """Design section 6: quantity, level -> action."""

    permit_ttl_s: float = Field(1.5, gt=0, le=1.5)
    permit_every_s: float = Field(0.25, gt=0, le=0.5)
    margin_info: float = Field(0.70, gt=0, le=1)
    margin_high: float = Field(0.80, gt=0, le=1)
    margin_critical: float = Field(0.85, gt=0, le=1)
    margin_emergency: float = Field(0.90, gt=0, le=1)
    margin_high_scale: float = Field(0.8, ge=0, le=1)
    margin_critical_scale: float = Field(0.6, ge=0, le=1)
    account_age_max_s: float = Field(5.0, gt=0, le=60, description="older account data -> REDUCING")
    taker_ratio_max: float = Field(0.05, ge=0, le=0.05)
    taker_min_fills: int = Field(100, ge=1, le=10_000)
    taker_spread_scale: float = Field(1.5, ge=1, le=10)
    maker_pause_ratio: float = Field(0.80, ge=0, le=1)
    drawdown_alert: float = Field(0.02, gt=0, le=1)
    max_drawdown: float = Field(0.05, gt=0, le=0.5, description="MAX_DRAWDOWN: kill")
    session_loss_usd: float = Field(
        100.0, gt=0, le=1e6, description="kill at the smaller of this and session_loss_ratio x equity"
    )
    session_loss_ratio: float = Field(0.10, gt=0, le=1)
    streak_fade: int = Field(3, ge=2, le=100)
    streak_pause: int = Field(5, ge=2, le=100)
    streak_kill: int = Field(10, ge=3, le=1000)
    streak_min_loss_ratio: float = Field(0.001, ge=0, le=1, description="STREAK_MIN_LOSS as a share of equity")
    streak_pause_s: float = Field(60.0, ge=0, le=86400)
    stop_loss: float = Field(
        0.02, gt=0, le=0.5, description="STOP_LOSS_PCT as a share: close reduce-only with a collar"
    )
    soft_ratio: float = Field(0.25, gt=0, le=0.25, description="net position over equity: one-sided beyond")
    hard_ratio: float = Field(0.50, gt=0, le=0.50, description="worst case of position and orders over equity")

    @model_validator(mode="after")
    def _ordered(self) -> Risk:
        if not self.margin_info < self.margin_high < self.margin_critical < self.margin_emergency:
            raise ValueError("margin_info < margin_high < margin_critical < margin_emergency")
        if not self.streak_fade < self.streak_pause < self.streak_kill:
            raise ValueError("streak_fade < streak_pause < streak_kill")
        if self.soft_ratio > self.hard_ratio:
            raise ValueError("soft_ratio must not exceed hard_ratio")
        if 2 * self.permit_every_s > self.permit_ttl_s:
            raise ValueError("permit_every_s must be at most half of permit_ttl_s, so that one permit may be lost")
        return self


class Execution(_Part):
    """How the ladder becomes actions."""

    leverage: int = Field(10, ge=1, le=50, description="LEVERAGE, bounded by the market's maximum")
    action_budget_horizon_h: float = Field(
        24.0, gt=0, le=720, description="ACTION_BUDGET_HORIZON_H the budget must last"
    )
    action_reserve: int = Field(1000, ge=0, le=10_000, description="actions kept back for cancels")
    action_burst: float = Field(60.0, ge=1, le=1000, description="actions that may be spent at once when saved up")
    action_price_usd: float = Field(
        0.0005, ge=0, le=1, description="what one more action costs (docs: reserveRequestWeight)"
    )
    batch_max: int = Field(40, ge=1, le=40)
    ladder_age_s: float = Field(0.75, gt=0, le=0.75, description="older ladder or permit: no new orders")
    cancel_age_s: float = Field(1.5, gt=0, le=1.5, description="older ladder or permit: cancel all")
    expires_after_s: float = Field(3.0, gt=0, le=3.0, description="expiresAfter of order actions, market time")
    reply_timeout_s: float = Field(2.0, gt=0, le=10)
    reconcile_s: float = Field(30.0, ge=1, le=300)
    collar_bps: float = Field(200.0, gt=0, le=2000, description="orders further from the reference price are refused")
    reference_age_s: float = Field(1.5, gt=0, le=10)
    orders_per_s: int = Field(50, ge=1, le=1000, description="throttle on order entries, machine time")


class Settings(_Part):
    """Everything one service needs; `secrets/` is named here and read only by those who may."""

    service: str
    profile: str
    network: Literal["paper", "testnet", "mainnet"] = "paper"
    venue_url: str = f"http://127.0.0.1:{VENUE_PORT}"
    redis_url: str = Field("redis://127.0.0.1:6379/0", repr=False, description="may hold a password: no repr")
    wallet_address: str = Field("", description="master account, lower case")
    equity_usd: float = Field(1000.0, ge=100, le=100_000, description="what the demonstration account is funded with")
    run_dir: Path = ROOT / "run"
    secrets_dir: Path = ROOT / "secrets"
    reports_dir: Path = ROOT / "reports"
    port_base: int = Field(0, ge=0, le=50_000, description="added to every port")
    bind: str = "127.0.0.1"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    parent_pid: int = Field(
        0, ge=0, le=2**22, description="AMM_PARENT: end when this process is gone; 1 = whoever started us, 0 = nobody"
    )
    market: Market
    venue: Venue
    quoting: Quoting
    risk: Risk
    execution: Execution

    @field_validator("venue_url")
    @classmethod
    def _venue_url(cls, value: str) -> str:
        if re.fullmatch(r"https?://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?", value, re.ASCII) is None:
            raise ValueError("must be http(s)://host or http(s)://host:port, without path, user or trailing slash")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis_url(cls, value: str) -> str:
        tcp = r"rediss?://([^\s/@]*@)?[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?(/0)?"
        if re.fullmatch(rf"{tcp}|unix://([^\s/@]*@)?/[^\s?#]{{1,200}}", value) is None:
            raise ValueError("must be unix:///path, redis://host:port or redis://user:password@host:port (database 0)")
        return value

    @field_validator("wallet_address")
    @classmethod
    def _wallet(cls, value: str) -> str:
        if re.fullmatch(r"(0x[0-9a-f]{40})?", value, re.ASCII) is None:
            raise ValueError("must be 0x and 40 hexadecimal digits in lower case")
        return value

    @field_validator("bind")
    @classmethod
    def _bind(cls, value: str) -> str:
        try:
            return str(ipaddress.ip_address(value))
        except ValueError:
            raise ValueError("must be an IP address, e.g. 127.0.0.1") from None

    @property
    def metrics_port(self) -> int:
        return METRICS_PORTS[self.service] + self.port_base

    @property
    def page_port(self) -> int:
        return PAGE_PORT + self.port_base

    @property
    def is_mainnet(self) -> bool:
        """Which source letter signs an action."""
        return self.network == "mainnet"

    @property
    def ws_url(self) -> str:
        return re.sub(r"^http", "ws", self.venue_url) + "/ws"

    def config_hash(self) -> str:
        """Equal for all services that run the same configuration; secrets are not part of it."""
        body = self.model_dump_json(
            include={"profile", "network", "venue_url", "market", "quoting", "risk", "execution"}
        )
        return hashlib.sha256(body.encode()).hexdigest()[:12]

    @model_validator(mode="after")
    def _one_network(self) -> Settings:
        want = {"mainnet": MAINNET_URL, "testnet": TESTNET_URL}.get(self.network)
        if want is not None and self.venue_url != want:
            raise ValueError(f"venue_url must be exactly {want} when network is {self.network}")
        if want is None and "hyperliquid" in self.venue_url.lower():
            raise ValueError("network = paper never talks to a Hyperliquid host")
        if self.execution.leverage > self.venue.max_leverage:
            raise ValueError(f"execution.leverage must be 1..{self.venue.max_leverage}, the market's maximum")
        if bool(self.market.dex) != (self.venue.dex_index > 0):
            raise ValueError(
                f"market.coin = {self.market.coin!r} and venue.dex_index = {self.venue.dex_index}: a coin of a builder "
                f"dex is written dex:COIN and has a dex_index above 0, one of the first dex has neither"
            )
        if self.network == "mainnet" and self.log_level == "debug":
            raise ValueError("log_level must be info, warning or error when network is mainnet")
        if self.quoting.renew_s >= self.execution.ladder_age_s:
            raise ValueError("quoting.renew_s must be below execution.ladder_age_s, or every ladder goes stale")
        return self


#: Environment name -> path in Settings.  Names kept from the seeds where there were any.
ENVIRONMENT: dict[str, tuple[str, ...]] = {
    "NETWORK": ("network",),
    "VENUE_URL": ("venue_url",),
    "REDIS_URL": ("redis_url",),
    "WALLET_ADDRESS": ("wallet_address",),
    "EQUITY": ("equity_usd",),
    "RUN_DIR": ("run_dir",),
    "SECRETS_DIR": ("secrets_dir",),
    "REPORTS_DIR": ("reports_dir",),
    "PORT_BASE": ("port_base",),
    "LOG_LEVEL": ("log_level",),
    "AMM_PARENT": ("parent_pid",),
    "SYMBOL": ("market", "coin"),
    "COLLATERAL": ("market", "collateral"),
    "LEVERAGE": ("execution", "leverage"),
    "ACTION_BUDGET_HORIZON_H": ("execution", "action_budget_horizon_h"),
    "ORDER_LEVELS": ("quoting", "order_levels"),
    "MIN_SPREAD_BPS": ("quoting", "min_spread_bps"),
    "MAX_SPREAD_BPS": ("quoting", "max_spread_bps"),
    "REBALANCE_INTERVAL": ("quoting", "rebalance_interval_s"),
    "ORDER_MAX_AGE": ("quoting", "order_max_age_s"),
    "HIGH_VOL_THRESHOLD": ("quoting", "high_vol_annual"),
    "ILLIQUID_PULL_S": ("quoting", "illiquid_pull_s"),
    "DELTA_SCALE": ("quoting", "delta_scale"),
    "MAX_POSITION_SECONDS": ("quoting", "max_position_s"),
    "HOLD_BPS": ("quoting", "hold_bps"),
    "MAX_DRAWDOWN": ("risk", "max_drawdown"),
    "STOP_LOSS_PCT": ("risk", "stop_loss"),
}
FORBIDDEN = ("PRIVATE_KEY", "SECRET_KEY", "AGENT_KEY", "WARDEN_KEY")


OTHER_NAMES = ("MARKET", "TESTNET")


def load(
    service: str,
    environ: Mapping[str, str] | None = None,
    root: Path = ROOT,
    over: Mapping[str, str] | None = None,
) -> Settings:
    """Settings of `service` for the profile named by `MARKET` (default `us500`); raises ConfigError.

    `environ` stands for the process' environment; names in `over` (from a command line) win over it.
    """
    env = {**_dotenv(root / ".env"), **(os.environ if environ is None else environ), **(over or {})}
    for name in FORBIDDEN:
        if env.get(name):
            raise ConfigError(
                f"{name} must not be in the environment or .env: keys are files. "
                f"Write it with: install -m 0400 /dev/stdin secrets/agent_key"
            )
    profile = env.get("MARKET") or "us500"
    tree = _profile(profile, root)
    for name, path in ENVIRONMENT.items():
        if env.get(name, "") != "":
            _put(tree, path, to_typed(name, env[name], Settings, path))
    _apply_testnet(tree, env.get("TESTNET", ""))
    where = f"config/{profile}.toml (or the environment)"
    try:
        text = json.dumps({**tree, "service": service, "profile": profile}, default=str)
        # From JSON and strictly: true is no number, "12" is no number, 2.5 is no whole number.
        return Settings.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise ConfigError(sentence(error, Settings, where)) from None
    except (RecursionError, ValueError) as error:
        raise ConfigError(f"{where}: {error}") from None


def _apply_testnet(tree: dict[str, Any], text: str) -> None:
    """`TESTNET=true`, kept from the seeds, means network = testnet; it may not contradict NETWORK."""
    if text == "":
        return
    wanted = to_bool("TESTNET", text)
    network = tree.get("network", "testnet" if wanted else "paper")
    if wanted != (network == "testnet"):
        raise ConfigError(f"TESTNET = {text!r} and network = {network!r} contradict each other: set one of them")
    if wanted:
        tree["network"] = "testnet"
        tree.setdefault("venue_url", TESTNET_URL)


def _profile(profile: str, root: Path) -> dict[str, Any]:
    if re.fullmatch(r"[a-z0-9_-]{1,32}", profile) is None:
        raise ConfigError(f"MARKET = {redact(profile)[:40]!r}: a profile's name is 1-32 of a-z 0-9 _ -")
    path = root / "config" / f"{profile}.toml"
    try:
        tree = tomllib.loads(read_text(path, f"config/{path.name}"))
    except FileNotFoundError:
        known = ", ".join(sorted(p.stem for p in (root / "config").glob("*.toml")))
        raise ConfigError(f"MARKET = {profile!r}: there is no {path.name}; known profiles: {known}") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"config/{path.name} is not valid TOML: {error}") from None
    for name in ("service", "profile"):
        if name in tree:
            raise ConfigError(f"config/{path.name}: {name}: there is no such setting")
    return tree


def _dotenv(path: Path) -> dict[str, str]:
    try:
        text = read_text(path, ".env")
    except FileNotFoundError:
        return {}
    return parse_dotenv(text, (*ENVIRONMENT, *FORBIDDEN, *OTHER_NAMES))


def _put(tree: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for key in path[:-1]:
        tree = tree.setdefault(key, {})
    tree[path[-1]] = value
