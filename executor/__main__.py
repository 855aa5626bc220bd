"""`python -m executor`."""

from common.process import main
from executor.main import build

main("executor", build)
