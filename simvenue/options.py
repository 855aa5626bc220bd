"""The command line of simvenue: what may be asked for, checked word by word (design section 9).

A wrong option is a ConfigError with one sentence that names it; nothing is opened or loaded here. What may be chosen
(latencies, queue models, flows, account modes) is what the rooms that own it list.
"""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn, cast

from common.config import MAINNET_URL
from common.errors import ConfigError
from simvenue.book.queue_model import MODELS, POWER, POWER_MAX, POWER_MIN, QueueModel
from simvenue.desk.blocks import BLOCK_MS
from simvenue.door.ip_limits import CAPS
from simvenue.events import MODES
from simvenue.exchange import LATENCIES
from simvenue.synthetic.flows import FLOWS, PLANTS

FUND_MAX_USD = 10**9
SPEED_MAX = 1000.0
PORT_MAX = 65_535
BLOCK_MS_MAX = 1000
ALSO_MAX = 31
MARKETS = ("synthetic", "replay", "mirror")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)
_USD = re.compile(r"([0-9]{1,10})(?:\.0*)?", re.ASCII)
_URL = re.compile(r"https?://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?", re.ASCII)
_COIN = re.compile(r"([a-z0-9]{2,8}:)?[A-Za-z0-9]{1,16}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Options:
    """A checked command line; None = the configuration's own value."""

    host: str | None
    port: int | None
    metrics_port: int | None
    market: Literal["synthetic", "replay", "mirror"]
    data: Path | None
    speed: float
    seed: int
    latency: str
    latency_tails: bool
    latency_table: Path | None
    queue: QueueModel
    queue_power: float
    block_ms: int
    flow: str | None
    fund: tuple[tuple[str, int], ...]
    agents: tuple[tuple[str, str], ...]
    modes: tuple[tuple[str, str], ...]
    cut_gaps: bool
    profile: str | None
    also: tuple[str, ...]
    markets: Path | None
    upstream: str
    faults: Path | None
    ip_limits: str
    plant: tuple[tuple[str, float], ...] = ()


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message} (see python -m simvenue --help)")


def parse(arguments: list[str]) -> Options:
    """Raises ConfigError for a bad option."""
    given, unknown = _parser().parse_known_args(arguments)
    if unknown:
        raise ConfigError(f"unrecognized arguments: {' '.join(unknown)} (see python -m simvenue --help)")
    market = _market(given.named, given.market)
    _check_together(given, market)
    return Options(
        host=given.host,
        port=_port("--port", given.port),
        metrics_port=_port("--metrics-port", given.metrics_port),
        market=market,
        data=given.data,
        speed=_between("--speed", given.speed, 1e-6, SPEED_MAX),
        seed=given.seed,
        latency=given.latency,
        latency_tails=given.latency_tails,
        latency_table=given.latency_table,
        queue=cast(QueueModel, given.queue),
        queue_power=_between("--queue-power", given.queue_power, POWER_MIN, POWER_MAX),
        block_ms=int(_between("--block-ms", given.block_ms, 0, BLOCK_MS_MAX)),
        flow=given.flow,
        plant=tuple(_planted(text) for text in given.plant),
        fund=tuple(_funding(text) for text in given.fund),
        agents=tuple(_agent(text) for text in given.agent),
        modes=tuple(_mode(text) for text in given.mode),
        cut_gaps=given.cut_gaps,
        profile=given.profile,
        also=tuple(_coin(text) for text in given.also),
        markets=given.markets,
        upstream=_url(given.upstream),
        faults=given.faults,
        ip_limits="off" if given.no_ip_limit else given.ip_limits,
    )


def _parser() -> _Parser:
    parser = _Parser(prog="python -m simvenue", description="A simulated Hyperliquid venue.", allow_abbrev=False)
    add = parser.add_argument
    add("named", nargs="?", metavar="MARKET", help="the same as --market")
    add("--host", help="address to listen on (default: the configuration's bind, 127.0.0.1)")
    add("--port", type=int, help="port to listen on, 0 = any free one (default 3001 + PORT_BASE)")
    add("--metrics-port", type=int, help="port of /metrics and /healthz (default 9106 + PORT_BASE)")
    add("--market", choices=MARKETS, help="where the market comes from (default synthetic)")
    add("--data", type=Path, help="recorded market: a file or a folder of them")
    add("--speed", type=float, default=1.0, help="market seconds per second")
    add("--seed", type=int, default=1, help="seed of the synthetic market and of drawn latencies")
    add("--latency", choices=tuple(LATENCIES), default="typical")
    add("--latency-tails", action="store_true", help="draw delays from the preset's measured table, tails included")
    add("--latency-table", type=Path, metavar="FILE", help="draw delays from this table instead")
    add("--queue", choices=tuple(MODELS), default="risk-averse")
    add("--queue-power", type=float, default=POWER, help="exponent of the probabilistic queue")
    add("--block-ms", type=int, default=BLOCK_MS, help="actions act in blocks of so many ms of market time")
    add("--flow", choices=tuple(FLOWS), help="flow of the synthetic market")
    add("--plant", action="append", default=[], metavar="NAME=VALUE", help=PLANT_HELP)
    add("--fund", action="append", default=[], metavar="ADDRESS=USD", help="deposit; may be repeated")
    add("--agent", action="append", default=[], metavar="AGENT=MASTER", help="approved agent; may be repeated")
    add("--mode", action="append", default=[], metavar="ADDRESS=MODE", help="account mode: " + ", ".join(MODES))
    add("--cut-gaps", action="store_true", help="leave silences of more than 1.2 s out of the replay")
    add("--profile", help="market profile (default: MARKET of the environment)")
    add("--also", action="append", default=[], metavar="COIN", help=ALSO_HELP)
    add("--markets", type=Path, metavar="FILE", help="all markets, from a TOML file (see markets_file.py)")
    add("--upstream", default=MAINNET_URL, metavar="URL", help="venue that --market mirror follows")
    add("--faults", type=Path, metavar="FILE", help="faults on purpose, a JSON plan (see faults/rules.py)")
    add("--ip-limits", choices=tuple(CAPS), default="docs", help="what one IP may ask for (see door/ip_limits.py)")
    add("--no-ip-limit", action="store_true", help="the same as --ip-limits off")
    return parser


ALSO_HELP = (
    "trade this market too, in its own collateral: a made-up one of the first dex, or another one of the mirrored "
    "venue; may be repeated"
)


PLANT_HELP = f"put this figure into the flow, exactly; may be repeated: {', '.join(PLANTS)} (see synthetic/flows.py)"


def _market(named: str | None, market: str | None) -> Literal["synthetic", "replay", "mirror"]:
    if named not in (None, *MARKETS):
        raise ConfigError(f"{named!r} is no market: known are {', '.join(MARKETS)}")
    if named is not None and market not in (None, named):
        raise ConfigError(f"{named} and --market {market} contradict each other")
    return cast(Literal["synthetic", "replay", "mirror"], named or market or "synthetic")


def _check_together(given: argparse.Namespace, market: str) -> None:
    """Options that need or exclude each other."""
    if market == "replay" and given.data is None:
        raise ConfigError("--market replay needs --data PATH, a recorded file or a folder of them")
    if market != "replay" and (given.data is not None or given.cut_gaps):
        raise ConfigError("--data and --cut-gaps belong to --market replay")
    if market != "synthetic" and given.flow is not None:
        raise ConfigError("--flow belongs to --market synthetic")
    if given.plant and (market != "synthetic" or given.markets is not None):
        raise ConfigError("--plant belongs to --market synthetic")
    if market != "mirror" and given.upstream != MAINNET_URL:
        raise ConfigError("--upstream belongs to --market mirror")
    if market == "mirror" and given.speed != 1.0:
        raise ConfigError("--speed: a mirror's time is the mirrored venue's")
    if given.markets is not None and (market != "synthetic" or given.flow or given.also):
        raise ConfigError("--markets FILE says everything of the markets: leave --market, --flow and --also out")
    if given.latency_tails and given.latency_table is not None:
        raise ConfigError("--latency-tails and --latency-table contradict each other: choose one")
    if len(given.also) > ALSO_MAX:
        raise ConfigError(f"--also: at most {ALSO_MAX} further markets")


def _port(name: str, port: int | None) -> int | None:
    if port is not None and not 0 <= port <= PORT_MAX:
        raise ConfigError(f"{name} = {port}: a port is 0..{PORT_MAX}")
    return port


def _between(name: str, value: float, low: float, high: float) -> float:
    if not low <= value <= high:
        raise ConfigError(f"{name} = {value:g}: must be {low:g} .. {high:g}")
    return value


def _funding(text: str) -> tuple[str, int]:
    address, equals, usd = text.partition("=")
    amount = _USD.fullmatch(usd)
    if not equals or amount is None or not 1 <= int(amount[1]) <= FUND_MAX_USD:
        raise ConfigError(f"--fund {text!r}: expected ADDRESS=USD with whole dollars, 1..{FUND_MAX_USD}")
    return _address("--fund", address), int(amount[1])


def _planted(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise ConfigError(f"--plant {text!r}: expected NAME=VALUE with a number") from None


def _agent(text: str) -> tuple[str, str]:
    agent, _, master = text.partition("=")
    return _address("--agent", agent), _address("--agent", master)


def _mode(text: str) -> tuple[str, str]:
    address, _, mode = text.partition("=")
    if mode not in MODES:
        raise ConfigError(f"--mode {text!r}: expected ADDRESS=MODE with one of {', '.join(MODES)}")
    return _address("--mode", address), mode


def _address(name: str, text: str) -> str:
    if _ADDRESS.fullmatch(text) is None:
        raise ConfigError(f"{name}: {text[:50]!r} is not an address (0x and 40 hex digits)")
    return text.lower()


def _coin(text: str) -> str:
    if _COIN.fullmatch(text) is None:
        raise ConfigError(f"--also {text[:40]!r}: expected a coin such as BTC or km:US500")
    return text


def _url(text: str) -> str:
    if _URL.fullmatch(text) is None:
        raise ConfigError(f"--upstream {text[:80]!r}: expected http(s)://host or http(s)://host:port")
    return text
