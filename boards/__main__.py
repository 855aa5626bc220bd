"""`python -m boards` writes all files; `python -m boards contacts` prints Grafana's environment for its messages."""

from __future__ import annotations

import os
import sys
from importlib import import_module

from boards.contacts import environment
from common.config import dotenv
from common.errors import EXIT_CONFIG, ConfigError
from common.kernel import ROOT


def main(argv: list[str]) -> int:
    if argv == ["contacts"]:
        try:
            values = environment({**dotenv(ROOT / ".env"), **os.environ})
        except ConfigError as error:
            sys.stderr.write(f"{error}\n")
            return EXIT_CONFIG
        sys.stdout.write("".join(f"{name}={value}\n" for name, value in values.items()))
        return 0
    if argv:
        sys.stderr.write("python -m boards [contacts]\n")
        return EXIT_CONFIG
    for path in import_module("boards.files").write():  # needs grafana-foundation-sdk, which only a developer has
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
