"""What is asked for, as the variables that `docker-compose.yml` names and the settings that every service gets.

Pure but for reading the key files' addresses: the same wishes give the same two files, `compose.env` (ports, folders,
addresses, cores) and `services.env` (what a person may set). `paper` closes every way out but a mirror's.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from common.config import ENVIRONMENT, OTHER_NAMES, PAGE_PORT, VENUE_PORT, Settings
from common.errors import ConfigError
from common.kernel import ROOT
from scripts.secret_files import Owner

PROMETHEUS_PORT, GRAFANA_PORT, REDIS_PORT = 9090, 3000, 6379
NATIVE_FILES = "docker-compose.yml:compose.native-quoter.yml"


def stack_folder(project: str) -> Path:
    """Where a system's files lie; a second one beside the first (COMPOSE_PROJECT_NAME) has a folder of its own."""
    return ROOT / "run" / (f"stack-{project}" if project else "stack")


STACK = stack_folder(os.environ.get("COMPOSE_PROJECT_NAME", ""))
SECRETS = {"paper": ROOT / "secrets" / "paper"}
PLACED = {
    "BIND", "PORT_BASE", "VENUE_URL", "REDIS_URL", "SECRETS_DIR", "RUN_DIR", "LATCH_DIR", "LINE_DIR", "RECORD_DIR",
    "MODELS_DIR", "REPORTS_DIR", "AMM_PARENT", "WALLET_ADDRESS", "EQUITY",
}  # fmt: skip
"""Names that `docker-compose.yml` or this plan fixes, whatever a person's environment says."""

UNWRITABLE = "'\\\n\r\0"
"""What no value of an env file may hold: quotes, backslashes, line breaks."""

SHOWN_FLOW, SHOWN_SPEED = "lively", 20.0
"""What paper plays when nobody says otherwise: of the market's own flow a ladder sees no fill in hours, and of this
one, at this speed, within three minutes (six on a weekend, when the quoter widens)."""

SETTABLE = tuple(name for name in (*ENVIRONMENT, *OTHER_NAMES) if name not in PLACED)


@dataclass(frozen=True)
class Wishes:
    """What a person asks of the simulated market and of the stack; `data` is a recording to replay."""

    data: Path | None = None
    speed: float = 1.0
    seed: int = 1
    latency: str = "typical"
    queue: str = "risk-averse"
    flow: str = ""
    grafana: bool = True
    alerts: bool = False
    native_quoter: bool = False
    cores: Mapping[str, str] = field(default_factory=dict)


def ports(port_base: int, *, paper: bool = True, grafana: bool = True, native_quoter: bool = False) -> dict[str, int]:
    """What is published on 127.0.0.1, by what a person calls it."""
    found = {"page": PAGE_PORT, "prometheus": PROMETHEUS_PORT}
    if paper:
        found["venue"] = VENUE_PORT
    if grafana:
        found["grafana"] = GRAFANA_PORT
    if native_quoter:
        found["redis"] = REDIS_PORT
    return {name: port + port_base for name, port in found.items()}


def secrets_folder(network: str) -> Path:
    """Where a network's keys and tokens lie: throw-away ones apart from real ones."""
    return SECRETS.get(network, ROOT / "secrets")


def profiles(network: str, grafana: bool) -> str:
    """COMPOSE_PROFILES: the services that are not always there."""
    return ",".join(["paper"] * (network == "paper") + ["grafana"] * grafana)


def compose_env(
    settings: Settings, wishes: Wishes, wallet: str, agents: Mapping[str, str], owner: Owner
) -> dict[str, str]:
    """The variables of `docker-compose.yml`; `agents` are the addresses of the key files."""
    paper = settings.network == "paper"
    found = {
        "RUN_UID": str(owner.uid),
        "RUN_GID": str(owner.gid),
        "SECRETS": str(secrets_folder(settings.network)),
        "ACL": str(STACK / "users.acl"),
        "LATCH": str(STACK / "latch"),
        "MODELS": str(settings.models_dir),
        "SERVICES_ENV": str(STACK / "services.env"),
        "GRAFANA_ENV": str(STACK / "grafana.env"),
        "VENUE_CLOSED": str(paper).lower(),
        "PAGE_OPEN": str(wishes.alerts or not paper).lower(),
        "COMPOSE_PROFILES": profiles(settings.network, wishes.grafana),
        **{
            f"PORT_{name.upper()}": str(port)
            for name, port in ports(settings.port_base, native_quoter=wishes.native_quoter).items()
        },
        **wishes.cores,
    }
    if wishes.native_quoter:
        found |= {"COMPOSE_FILE": NATIVE_FILES, "PROMETHEUS_CONFIG": str(STACK / "prometheus.yml")}
    if not paper:
        return found | {"VENUE_URL": settings.venue_url}
    found["SIMVENUE_ARGUMENTS"] = simvenue_arguments(wishes, wallet, settings.equity_usd, agents)
    if wishes.data is not None:
        found |= {"SIMVENUE_DATA": str(wishes.data), "SIMVENUE_DATA_AT": f"/data/{wishes.data.name}"}
    return found


def simvenue_arguments(wishes: Wishes, wallet: str, equity_usd: float, agents: Mapping[str, str]) -> str:
    """The simulated venue's command line, quoted for a shell."""
    parts = ["--speed", f"{wishes.speed:g}", "--seed", str(wishes.seed), "--latency", wishes.latency]
    parts += ["--queue", wishes.queue, "--fund", f"{wallet}={int(equity_usd)}"]
    for address in agents.values():
        parts += ["--agent", f"{address}={wallet}"]
    if wishes.data is None:
        parts += ["--market", "synthetic"] + (["--flow", wishes.flow] if wishes.flow else [])
    else:
        parts += ["--market", "replay", "--data", f"/data/{wishes.data.name}", "--cut-gaps"]
    return shlex.join(parts)


def traded(settings: Settings, wishes: Wishes) -> str:
    """What is traded, in words for a person."""
    coin = settings.market.coin
    if settings.network != "paper":
        return f"{coin} on {settings.network}, at {settings.venue_url}"
    pace = f"at {wishes.speed:g} market seconds a second"
    if wishes.data is not None:
        return f"{coin} on paper: {wishes.data.name} replayed {pace}"
    shown = " (made to be seen filling, measured nowhere)" if wishes.flow == SHOWN_FLOW else ""
    return f"{coin} on paper: a made-up market, order flow {wishes.flow or 'of its kind'}{shown}, {pace}"


def with_cores(wishes: Wishes, cores: Mapping[str, str]) -> Wishes:
    """The same wishes on these cores."""
    return replace(wishes, cores=cores)


def services_env(given: Mapping[str, str], wallet: str, equity_usd: float) -> dict[str, str]:
    """Every setting a person gave (environment over `.env`), the account and what it is funded with."""
    found = {name: given[name] for name in SETTABLE if given.get(name)}
    return found | {"WALLET_ADDRESS": wallet, "EQUITY": f"{equity_usd:g}"}


def env_text(values: Mapping[str, str]) -> str:
    """The lines of an env file, every value literal; raises ConfigError for one that cannot be written."""
    for name, value in values.items():
        if any(mark in value for mark in UNWRITABLE):
            raise ConfigError(f"{name}: quotes, backslashes and line breaks cannot be handed to a container")
    return "".join(f"{name}='{value}'\n" for name, value in values.items())


def read_env(text: str) -> dict[str, str]:
    """What `env_text` wrote."""
    pairs = (line.partition("=") for line in text.split("\n") if "=" in line)
    return {name: value.removeprefix("'").removesuffix("'") for name, _, value in pairs}
