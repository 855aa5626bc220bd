"""All boards, and where an alert's panel is."""

from __future__ import annotations

from boards.grid import placed
from boards.overview import OVERVIEW
from boards.panel import Panel
from boards.risk import RISK
from boards.system import SYSTEM
from boards.trading import TRADING

BOARDS = (OVERVIEW, TRADING, RISK, SYSTEM)


def place_of(panel: str) -> tuple[str, int]:
    """(uid of the board, id of the panel) of "board/title"; raises LookupError."""
    name, _, title = panel.partition("/")
    for board in BOARDS:
        for place in placed(board):
            if board.name == name and isinstance(place.item, Panel) and place.item.title == title:
                return board.uid, place.id
    raise LookupError(f"no panel {panel!r}")
