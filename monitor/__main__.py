"""`python -m monitor`."""

from common.process import main
from monitor.main import build

main("monitor", build)
