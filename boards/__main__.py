"""The command line: `python -m boards` writes all files (it alone needs grafana-foundation-sdk).

`contacts` prints Grafana's environment for its messages. `scrape [service=host ...] [port_base=N]` prints
prometheus.yml for processes that are not where the compose file has them (a quoter on the host, a native system).
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

from boards.contacts import environment
from boards.prometheus import configuration
from boards.text import to_yaml
from common.config import METRICS_PORTS, read_dotenv
from common.errors import EXIT_CONFIG, ConfigError
from common.kernel import ROOT


def main(argv: list[str]) -> int:
    """Raises nothing for what a person typed wrongly: one sentence, and the exit code of a bad configuration."""
    try:
        match argv:
            case []:
                text = "".join(f"{path}\n" for path in import_module("boards.files").write())
            case ["contacts"]:
                values = environment({**read_dotenv(ROOT), **os.environ})
                text = "".join(f"{name}={value}\n" for name, value in values.items())
            case ["scrape", *places]:
                text = scrape(places)
            case _:
                raise ConfigError("python -m boards [contacts | scrape [service=host ...] [port_base=N]]")
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_CONFIG
    sys.stdout.write(text)
    return 0


def scrape(places: list[str]) -> str:
    """prometheus.yml with other hosts or ports; raises ConfigError for a service there is none of."""
    hosts, port_base = {name: name for name in METRICS_PORTS}, 0
    for place in places:
        name, _, value = place.partition("=")
        if name == "port_base" and value.isdecimal() and int(value) <= 50_000:
            port_base = int(value)
        elif name in hosts and value:
            hosts[name] = value
        else:
            raise ConfigError(f"{place}: expected service=host ({', '.join(hosts)}) or port_base=0..50000")
    return to_yaml(configuration(hosts, port_base))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
