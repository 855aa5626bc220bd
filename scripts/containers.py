"""`make up | down | logs`: the system in containers, from missing passwords to nothing resting.

`up` makes what is missing (tokens and throw-away keys in `secrets/paper`, Redis' access rules and two files of
settings in `run/stack`), builds what changed, starts, waits until everything is healthy and prints the addresses. A
simulated venue forgets its accounts when it ends, so on paper each `up` begins a session: a new account, and none of
the journals and streams of the last one. `down` pauses, waits until the venue itself shows none of our orders, then
stops. A real network keeps everything, and mainnet stays closed until its gates are built.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from boards import contacts
from common import killfile
from common.config import PAGE_PORT, VENUE_PORT, Settings, load, read_dotenv
from common.errors import EXIT_CONFIG, EXIT_FAULT, EXIT_OK, EXIT_REFUSED, AmmError, ConfigError, LinkDown, Refused
from common.kernel import ROOT
from scripts import container_plan as plan
from scripts import native_beside as native
from scripts import secret_files as files
from scripts.cores import decide, look
from scripts.engine import Compose, require_engine
from scripts.stack import ask, get, refuse_taken, wait_for
from simvenue.synthetic.flows import FLOWS

HEALTHY_S = 240
"""Longer than any start takes on a machine that is busy with something else."""
PAGE_S = 15.0
PAUSED_S = 20.0
STOPPED_S = 2.0
WARDEN_S = 20.0
SESSION_VOLUMES = ("redis", "executor", "quoter", "riskd", "warden")
"""What belongs to one life of a simulated venue; recordings and what Prometheus and Grafana keep stay."""

NATIVE_LOGS = ROOT / "run" / "demo" / "logs"


def main(argv: list[str] | None = None) -> int:
    arguments = _arguments(argv)
    try:
        match arguments.verb:
            case "up":
                return up(arguments, os.environ)
            case "down":
                return down()
            case _:
                return logs(arguments.services)
    except ConfigError as error:
        return _say(f"cannot start: {error}" if arguments.verb == "up" else str(error), EXIT_CONFIG)
    except Refused as error:
        return _say(str(error), EXIT_REFUSED)
    except AmmError as error:
        return _say(str(error), EXIT_FAULT)


def _say(text: str, code: int) -> int:
    sys.stderr.write(text + "\n")
    return code


# ---------------------------------------------------------------------- up
def up(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """The exit code; raises ConfigError and Refused before anything is started."""
    over = {"MARKET": arguments.market, "PORT_BASE": str(arguments.port_base)}
    settings = load("monitor", environ, over=over)
    if settings.is_mainnet:
        raise Refused("network = mainnet is refused: the go-live gates are not built yet")
    given = {**read_dotenv(ROOT), **environ, **over}
    wishes = wishes_of(arguments, given)
    require_engine()
    compose = Compose(plan.STACK / "compose.env")
    if running := compose.running():
        raise Refused(f"containers of this project run already ({', '.join(running)}): make down first")
    paper = settings.network == "paper"
    published = plan.ports(settings.port_base, paper=paper, grafana=wishes.grafana, native_quoter=wishes.native_quoter)
    for name, port in published.items():
        refuse_taken(name, port)
    if wishes.native_quoter:
        native.stop()
    if paper:
        compose.run("down", "--remove-orphans")
    wallet = write_files(settings, wishes, given)
    if paper:
        compose.remove_volumes(SESSION_VOLUMES)
        killfile.clear(plan.STACK / "latch")
    began = time.monotonic()
    code = compose.run(*up_command(environ.get("COMPOSE_UP_ARGS", "")))
    if code != 0:
        compose.run("ps", "--all")
        return _say("not everything became healthy: make logs says why, make down stops what runs", EXIT_FAULT)
    wait_for(lambda: get(published["page"], "/api/status"), PAGE_S, "the control page")
    if wishes.native_quoter and (code := native.start(plan.STACK, published["redis"], settings.port_base)) != EXIT_OK:
        return _say("the quoter does not run on this machine: make down stops the rest", code)
    seconds, there = time.monotonic() - began, compose.running()
    shown = {name: port for name, port in published.items() if name != "grafana" or name in there}
    said = f"healthy after {seconds:.0f} s; account {wallet}", plan.traded(settings, wishes), addresses(shown)
    sys.stdout.write("\n".join(said) + "\n")
    return EXIT_OK


def wishes_of(arguments: argparse.Namespace, environ: Mapping[str, str]) -> plan.Wishes:
    """What the command line and the environment ask for; raises ConfigError."""
    word = environ.get("GRAFANA", "").strip().lower() or "on"
    if word not in ("on", "off"):
        raise ConfigError(f"GRAFANA = {word[:20]!r}: allowed are on and off")
    data: Path | None = arguments.data.resolve() if arguments.data else None
    if data is not None and not data.exists():
        raise ConfigError(f"DATA = {data}: there is no such file or folder")
    if data is not None and arguments.flow:
        raise ConfigError("FLOW belongs to a synthetic market: leave DATA or FLOW out")
    return plan.Wishes(
        data=data,
        speed=arguments.speed or (plan.SHOWN_SPEED if data is None else 1.0),
        seed=arguments.seed,
        latency=arguments.latency,
        flow=arguments.flow or (plan.SHOWN_FLOW if data is None else ""),
        grafana=word == "on",
        native_quoter=_is_on("NATIVE_QUOTER", environ),
        alerts=any(environ.get(name) for name in (contacts.SLACK_NAME, contacts.EMAIL_NAME)),
    )


def _is_on(name: str, environ: Mapping[str, str]) -> bool:
    word = environ.get(name, "").strip().lower()
    if word not in ("", "0", "1", "off", "on"):
        raise ConfigError(f"{name} = {word[:20]!r}: allowed are 0 and 1")
    return word in ("1", "on")


def write_files(settings: Settings, wishes: plan.Wishes, given: Mapping[str, str]) -> str:
    """Everything that compose is handed; the address of the account that trades."""
    owner, paper = files.owner_here(), settings.network == "paper"
    secrets = plan.secrets_folder(settings.network)
    for folder in (plan.STACK / "latch", settings.models_dir):
        folder.mkdir(parents=True, exist_ok=True)
    plan.STACK.chmod(0o700)
    owner.take(plan.STACK / "latch")
    files.make_tokens(secrets, owner)
    if paper:
        files.make_paper_keys(secrets, owner)
    files.require_keys(secrets)
    wallet = files.new_address() if paper else settings.wallet_address
    if not wallet:
        raise ConfigError("WALLET_ADDRESS is empty: the address of the account that is traded (not the agent's)")
    coins = [settings.market.coin, *settings.quoting.reference_coins]
    files.write_acl(plan.STACK / "users.acl", secrets, coins, owner)
    agents = {name: files.key_address(secrets / name) for name in files.KEYS}
    cores, where = decide(look(), 0, given)
    wishes = plan.with_cores(wishes, plan.read_env(cores.lines(where)))
    for name, values in {
        "compose.env": plan.compose_env(settings, wishes, wallet, agents, owner),
        "services.env": plan.services_env(given, wallet, settings.equity_usd),
        "grafana.env": contacts.environment(given),
    }.items():
        (plan.STACK / name).write_text(plan.env_text(values), encoding="utf-8")
        (plan.STACK / name).chmod(0o600)
    if wishes.native_quoter:
        (plan.STACK / "prometheus.yml").write_text(native.prometheus_yml(settings.port_base), encoding="utf-8")
    return wallet


def up_command(more: str) -> list[str]:
    """`compose up`, with COMPOSE_UP_ARGS at its end; images are built unless those say otherwise."""
    asked = shlex.split(more)
    build = [] if {"--no-build", "--build"} & set(asked) else ["--build"]
    return ["up", "--detach", "--wait", "--wait-timeout", str(HEALTHY_S), *build, *asked]


def addresses(published: Mapping[str, int]) -> str:
    """What a person opens."""
    return "\n".join(f"  {name:11s} http://127.0.0.1:{port}/" for name, port in published.items())


# ---------------------------------------------------------------------- down
def down() -> int:
    """Stop all, the orders first; exit code 1 when the venue still showed some."""
    require_engine()
    compose = Compose(plan.STACK / "compose.env")
    left: int | None = 0
    if compose.running():
        left = cancel_all(compose, Venue(plan.STACK))
    native.stop()
    code = compose.run("--profile", "*", "down", "--remove-orphans")
    if left == 0 and (plan.STACK / "compose.env").exists():
        sys.stdout.write("stopped; none of our orders rest at the venue\n")
    elif left is None:
        return _say("stopped; the venue did not say what rests: look there yourself", EXIT_FAULT)
    elif left:
        return _say(f"stopped, but {left} orders rest at the venue: cancel them there", EXIT_FAULT)
    return EXIT_OK if code == 0 else EXIT_FAULT


class Venue:
    """The running system as this machine sees it: its page, and the venue's own word on what rests."""

    def __init__(self, stack: Path) -> None:
        chosen = plan.read_env((stack / "compose.env").read_text(encoding="utf-8"))
        services = plan.read_env((stack / "services.env").read_text(encoding="utf-8"))
        self.latch = Path(chosen["LATCH"])
        self.is_paper = "SIMVENUE_ARGUMENTS" in chosen
        self._secrets = Path(chosen["SECRETS"])
        self._wallet = services["WALLET_ADDRESS"]
        self._page = int(chosen.get("PORT_PAGE", PAGE_PORT))
        self._venue = int(chosen.get("PORT_VENUE", VENUE_PORT))

    def command(self, verb: str, reason: str) -> None:
        """Through the control API; raises LinkDown."""
        token = (self._secrets / "control_token").read_text(encoding="ascii").strip()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        ask(self._page, "POST", f"/api/{verb}", json.dumps({"reason": reason}).encode(), headers)

    def resting(self) -> int:
        """How many of our orders rest: by the ledger on paper, by our own page elsewhere; raises LinkDown."""
        if not self.is_paper:
            return int(get(self._page, "/api/status")["open_orders"])
        return sum(order["address"] == self._wallet for order in get(self._venue, "/sim/ledger")["orders"])


def cancel_all(compose: Compose, venue: Venue) -> int | None:
    """Pause and wait for 0 resting; else let the executor end, which cancels; else the kill file and the warden.

    What rests at the end; None when the venue does not say. On paper the latch goes with the session it belongs to.
    """
    try:
        venue.command("pause", "make down")
        if _none_rests(venue, PAUSED_S):
            return 0
    except LinkDown as error:
        sys.stderr.write(f"the control page does not take the pause ({error}); the executor cancels as it ends\n")
    compose.run("stop", "quoter", "executor")
    if not _none_rests(venue, STOPPED_S):
        killfile.write(venue.latch, killfile.Kill(time.time_ns(), "make down: orders were left", time.time_ns()))
        if _none_rests(venue, WARDEN_S) and venue.is_paper:
            killfile.clear(venue.latch)
    try:
        return venue.resting()
    except LinkDown:
        return None


def _none_rests(venue: Venue, patience_s: float) -> bool:
    try:
        wait_for(lambda: venue.resting() == 0, patience_s, "0 resting at the venue")
    except LinkDown:
        return False
    return True


# ---------------------------------------------------------------------- logs
def logs(services: list[str]) -> int:
    """Follow the containers' logs, else those of the native demonstration."""
    compose = Compose(plan.STACK / "compose.env")
    try:
        require_engine()
        in_containers = bool(compose.running())
    except ConfigError:
        in_containers = False
    if in_containers:
        return follow(compose.command("logs", "--follow", "--tail", "100", *services))
    found = sorted(path for path in NATIVE_LOGS.glob("*.log") if not services or path.stem in services)
    if not found:
        return _say("nothing runs here: neither containers (make up) nor processes (make demo)", EXIT_FAULT)
    return follow(["tail", "-n", "100", "-F", *map(str, found)])


def follow(command: list[str]) -> int:
    """Until Ctrl-C."""
    try:
        return subprocess.run(command, cwd=ROOT, check=False).returncode
    except KeyboardInterrupt:
        return EXIT_OK


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make up|down|logs", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    start = verbs.add_parser("up")
    start.add_argument("--market", default="us500", help="profile in config/")
    start.add_argument("--data", type=Path, help="a recording to replay; without it the market is synthetic")
    start.add_argument("--speed", type=float, help=f"market seconds a second: {plan.SHOWN_SPEED:g}, with DATA 1")
    start.add_argument("--seed", type=int, default=1)
    start.add_argument("--latency", choices=("good", "typical", "bad"), default="typical")
    start.add_argument("--flow", default="", help=f"made-up flow, without it {plan.SHOWN_FLOW}: {', '.join(FLOWS)}")
    start.add_argument("--port-base", type=int, default=0, help="added to every port")
    verbs.add_parser("down")
    verbs.add_parser("logs").add_argument("services", nargs="*")
    parsed = parser.parse_args(argv)
    if parsed.verb == "up" and parsed.speed is not None and not 0 < parsed.speed <= 100:
        parser.exit(EXIT_CONFIG, f"SPEED = {parsed.speed}: allowed is above 0 and at most 100\n")
    if parsed.verb == "up" and parsed.flow and parsed.flow not in FLOWS:
        parser.exit(EXIT_CONFIG, f"FLOW = {parsed.flow!r}: known are {', '.join(FLOWS)}\n")
    return parsed


if __name__ == "__main__":
    sys.exit(main())
