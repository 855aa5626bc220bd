"""`python -m simvenue`: see `options.py` for what may be asked."""

from simvenue.main import main

main()
