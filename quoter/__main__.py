"""`python -m quoter`: run the quoter of the market named by MARKET.

`python -m quoter fit ...` fits its forecast, `python -m quoter explain ...` says why its quotes were what they were.
"""

import sys

if sys.argv[1:2] == ["fit"]:
    from quoter import fit

    raise SystemExit(fit.main(sys.argv[2:]))
if sys.argv[1:2] == ["explain"]:
    from quoter import explain

    raise SystemExit(explain.main(sys.argv[2:]))

from common.process import main
from quoter.main import build

main("quoter", build)
