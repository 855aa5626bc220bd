"""Where each panel of a board stands and which number it has: 24 columns, from left to right, top to bottom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from boards.panel import Board, Panel, Row

COLUMNS = 24


@dataclass(frozen=True)
class Place:
    """A panel or heading with its id and its rectangle in grid units."""

    item: Panel | Row
    id: int
    x: int
    y: int
    width: int
    height: int


def placed(board: Board) -> Iterator[Place]:
    """Every item in order; a line of panels is as high as its highest."""
    x = y = line = 0
    for number, item in enumerate(board.items, 1):
        width, height = (item.width, item.height) if isinstance(item, Panel) else (COLUMNS, 1)
        if x + width > COLUMNS:
            x, y, line = 0, y + line, 0
        yield Place(item, number, x, y, width, height)
        x, line = x + width, max(line, height)
