"""`python -m quoter`: run the quoter of the market named by MARKET."""

from common.service import main
from quoter.main import build

main("quoter", build)
