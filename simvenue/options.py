"""The command line of simvenue: what may be asked for, checked word by word (design section 9).

A wrong option is a ConfigError with one sentence that names it; nothing is opened or loaded here.
"""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn, cast

from common.errors import ConfigError, Refused
from simvenue.exchange import LATENCIES, QueueModel
from simvenue.flows import FLOWS

FUND_MAX_USD = 10**9
SPEED_MAX = 1000.0
PORT_MAX = 65_535
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)
_USD = re.compile(r"([0-9]{1,10})(?:\.0*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Options:
    """A checked command line; None = the configuration's own value."""

    host: str | None
    port: int | None
    metrics_port: int | None
    market: Literal["synthetic", "replay"]
    data: Path | None
    speed: float
    seed: int
    latency: str
    queue: QueueModel
    flow: str | None
    fund: tuple[tuple[str, int], ...]
    agents: tuple[tuple[str, str], ...]
    cut_gaps: bool
    profile: str | None
    also: str | None
    ip_limit: bool


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message} (see python -m simvenue --help)")


def parse(arguments: list[str]) -> Options:
    """Raises ConfigError for a bad option and Refused for a market that is not there yet."""
    given = _parser().parse_args(arguments)
    if given.market == "mirror":
        raise Refused("--market mirror is not available yet: use synthetic, or replay with --data PATH")
    if given.market == "replay" and given.data is None:
        raise ConfigError("--market replay needs --data PATH, a recorded .npz file or a folder of them")
    if given.market == "synthetic" and (given.data is not None or given.cut_gaps):
        raise ConfigError("--data and --cut-gaps belong to --market replay")
    if given.market == "replay" and given.flow is not None:
        raise ConfigError("--flow belongs to --market synthetic")
    return Options(
        host=given.host,
        port=_port("--port", given.port),
        metrics_port=_port("--metrics-port", given.metrics_port),
        market=given.market,
        data=given.data,
        speed=_speed(given.speed),
        seed=given.seed,
        latency=given.latency,
        queue=cast(QueueModel, given.queue),
        flow=given.flow,
        fund=tuple(_funding(text) for text in given.fund),
        agents=tuple(_agent(text) for text in given.agent),
        cut_gaps=given.cut_gaps,
        profile=given.profile,
        also=given.also,
        ip_limit=not given.no_ip_limit,
    )


def _parser() -> _Parser:
    parser = _Parser(prog="python -m simvenue", description="A simulated Hyperliquid venue.", allow_abbrev=False)
    add = parser.add_argument
    add("--host", help="address to listen on (default: the configuration's bind, 127.0.0.1)")
    add("--port", type=int, help="port to listen on, 0 = any free one (default 3001 + PORT_BASE)")
    add("--metrics-port", type=int, help="port of /metrics and /healthz (default 9106 + PORT_BASE)")
    add("--market", choices=("synthetic", "replay", "mirror"), default="synthetic")
    add("--data", type=Path, help="recorded market: an .npz file or a folder of them")
    add("--speed", type=float, default=1.0, help="market seconds per second")
    add("--seed", type=int, default=1, help="seed of the synthetic market")
    add("--latency", choices=tuple(LATENCIES), default="typical")
    add("--queue", choices=("risk-averse", "probabilistic"), default="risk-averse")
    add("--flow", choices=tuple(FLOWS), help="flow of the synthetic market")
    add("--fund", action="append", default=[], metavar="ADDRESS=USD", help="deposit; may be repeated")
    add("--agent", action="append", default=[], metavar="AGENT=MASTER", help="approved agent; may be repeated")
    add("--cut-gaps", action="store_true", help="leave silences of more than 1.2 s out of the replay")
    add("--profile", help="market profile (default: MARKET of the environment)")
    add("--also", metavar="COIN", help="trade this market of the first dex too, made up, in the same collateral")
    add("--no-ip-limit", action="store_true", help="do not count request weight by IP")
    return parser


def _port(name: str, port: int | None) -> int | None:
    if port is not None and not 0 <= port <= PORT_MAX:
        raise ConfigError(f"{name} = {port}: a port is 0..{PORT_MAX}")
    return port


def _speed(speed: float) -> float:
    if not 0.0 < speed <= SPEED_MAX:
        raise ConfigError(f"--speed = {speed}: above 0 and at most {SPEED_MAX:g}")
    return speed


def _funding(text: str) -> tuple[str, int]:
    address, equals, usd = text.partition("=")
    amount = _USD.fullmatch(usd)
    if not equals or amount is None or not 1 <= int(amount[1]) <= FUND_MAX_USD:
        raise ConfigError(f"--fund {text!r}: expected ADDRESS=USD with whole dollars, 1..{FUND_MAX_USD}")
    return _address("--fund", address), int(amount[1])


def _agent(text: str) -> tuple[str, str]:
    agent, _, master = text.partition("=")
    return _address("--agent", agent), _address("--agent", master)


def _address(name: str, text: str) -> str:
    if _ADDRESS.fullmatch(text) is None:
        raise ConfigError(f"{name}: {text[:50]!r} is not an address (0x and 40 hex digits)")
    return text.lower()
