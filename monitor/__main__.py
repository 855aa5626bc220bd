"""`python -m monitor`."""

from common.service import main
from monitor.main import build

main("monitor", build)
