"""`python -m feed`."""

from common.service import main
from feed.main import build

main("feed", build)
