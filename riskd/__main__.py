"""`python -m riskd`."""

from common.service import main
from riskd.main import build

if __name__ == "__main__":
    main("riskd", build)
