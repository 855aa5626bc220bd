"""`python -m riskd`."""

from common.process import main
from riskd.main import build

if __name__ == "__main__":
    main("riskd", build)
