"""The protocol's tables in simvenue/README.md say what the code does, and every test they name exists."""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest

from simvenue.door import actions
from simvenue.feeds.subscriptions import KINDS
from tests.support.shared import ROOT, shared
from tests.unit.simvenue.info_desk import Desk

README = ROOT / "simvenue" / "README.md"
INFO, EXCHANGE, SOCKET = "POST /info", "POST /exchange", "WebSocket /ws"
SERVED_ACTIONS = {kind.__struct_config__.tag for kind in actions.Action.__args__}


class Row(NamedTuple):
    name: str
    is_served: bool
    weight: str
    test: str


def rows(section: str) -> list[Row]:
    """The lines of a section's table."""
    text = README.read_text().split(f"\n## {section}\n")[1].split("\n## ")[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:3] == "| `"]
    shift = 1 if section == INFO else 0
    return [
        Row(row[0].strip("`"), row[1] == "yes", row[2] if shift else "", row[3 + shift].strip("`")) for row in cells
    ]


@pytest.fixture(scope="module")
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize("section", [INFO, EXCHANGE, SOCKET])
def test_nothing_stands_twice_or_without_a_word_of_service(section: str) -> None:
    text = README.read_text().split(f"\n## {section}\n")[1].split("\n## ")[0]
    assert {line.split("|")[2].strip() for line in text.splitlines() if line[:3] == "| `"} == {"yes", "refused"}
    names = [row.name for row in rows(section)]
    assert len(names) == len(set(names))


def test_info_types_are_those_of_the_code(desk: Desk) -> None:
    table = rows(INFO)
    assert {row.name for row in table if row.is_served} == set(desk.info.table)


def test_weights_are_those_of_the_code(desk: Desk) -> None:
    told = {row.name: row.weight for row in rows(INFO) if row.is_served}
    counted = {
        name: f"{entry.weight} +1/{entry.rows}" if entry.rows else str(entry.weight)
        for name, entry in desk.info.table.items()
    }
    assert told == counted


def test_actions_are_those_of_the_code() -> None:
    table = rows(EXCHANGE)
    assert {row.name for row in table if row.is_served} == SERVED_ACTIONS
    assert {row.name for row in table if not row.is_served} <= actions.NOT_HERE


def test_subscriptions_are_those_of_the_code() -> None:
    table = rows(SOCKET)
    assert {row.name for row in table if row.is_served} == KINDS


@pytest.mark.parametrize("section", [INFO, EXCHANGE, SOCKET])
def test_every_test_that_is_named_exists(section: str) -> None:
    missing = [row.test for row in rows(section) if not _exists(row.test)]
    assert missing == []


def _exists(name: str) -> bool:
    module, _, function = name.partition("::")
    folder = ROOT / "tests" / ("" if module.startswith("integration/") else "unit/simvenue")
    path = folder / f"{module}.py"
    return path.exists() and re.search(rf"^(async )?def {function}\(", path.read_text(), re.MULTILINE) is not None


# ---------------------------------------------------------------------- against the fact sheet
@pytest.mark.parametrize(
    ("section", "heading", "following"),
    [
        (INFO, "## 3. REST /info", "## 4. "),
        (EXCHANGE, "## 4. /exchange actions", "### Error strings"),
        (SOCKET, "## 5. WebSocket", "## 6. "),
    ],
)
def test_everything_on_the_fact_sheet_is_served_or_refused_here(section: str, heading: str, following: str) -> None:
    sheet = shared("docs/hyperliquid.md").read_text().split(heading)[1].split(following)[0]
    first_cells = [line.split("|")[1] for line in sheet.splitlines() if line.startswith("| `")]
    named = {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)}
    assert named
    assert named - {row.name for row in rows(section)} == set()
