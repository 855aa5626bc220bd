"""`python -m feed`: the service; with a tool's name, a look at recordings (`tools.py`)."""

import sys

from common.process import main
from feed.main import build
from feed.tools import run

if len(sys.argv) > 1:
    sys.exit(run(sys.argv[1:]))
main("feed", build)
