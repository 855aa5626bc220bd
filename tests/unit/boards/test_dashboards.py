"""The committed boards, read as Grafana reads them, against the rules of grafana.md section 7.

Left out of dashboard-linter's rules, on purpose: template-job and template-instance (one job; recording rules add
instances up), and fixed windows in recording rules.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import dashboard as dash

from boards import bounds
from boards.dashboards import BOARDS
from common.config import Quoting
from common.kernel import ROOT
from common.messages import Mode
from common.metrics import METRICS
from executor.vigil import State

FOLDER = ROOT / "grafana" / "dashboards"
DATA = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))}
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
RATES = re.compile(r"\b(?:rate|irate|increase|delta)\(([^\[]*)\[([^\]]+)\]")
FIGURES = ("stat", "gauge", "bargauge")


def panels(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Panels that ask something; rows may hold some when they are folded."""
    for panel in data["panels"]:
        if panel["type"] == "row":
            yield from panel["panels"]
        else:
            yield panel


ALL = [(uid, panel) for uid, data in DATA.items() for panel in panels(data)]
EACH = pytest.mark.parametrize(("uid", "panel"), ALL, ids=[f"{uid}-{panel['id']}" for uid, panel in ALL])
BOARD = pytest.mark.parametrize("data", DATA.values(), ids=DATA.keys())


def test_there_are_the_four_boards() -> None:
    assert set(DATA) == {"amm-overview", "amm-trading", "amm-risk", "amm-system"}


# ---------------------------------------------------------------------- a board
@BOARD
def test_a_board_reads_back_through_the_librarys_own_types(data: dict[str, Any]) -> None:
    """No field they do not know, none they would write otherwise (but the place of links, see build.py)."""
    register_default_plugins()
    back = json.loads(JSONEncoder(sort_keys=True).encode(dash.Dashboard.from_json(copy.deepcopy(data))))
    for link in back["links"]:
        del link["placement"]
    assert back == data


@BOARD
def test_a_board_is_classic_read_only_and_live(data: dict[str, Any]) -> None:
    assert data["schemaVersion"] == 42, "classic JSON of grafana-foundation-sdk 0.0.21"
    assert data["editable"] is False, "uneditable-dashboard"
    assert (data["refresh"], data["graphTooltip"]) == ("5s", 1), "every 5 s, shared crosshair"
    assert data["title"].startswith("AMM-500 / ")
    assert data["description"]


@BOARD
def test_a_board_has_the_variables_datasource_and_coin_and_no_other(data: dict[str, Any]) -> None:
    source, coin = data["templating"]["list"]
    assert (source["name"], source["label"], source["type"], source["query"]) == (
        "datasource", "Data Source", "datasource", "prometheus",
    )  # fmt: skip
    assert (coin["name"], coin["label"], coin["multi"], coin["includeAll"]) == ("coin", "Coin", True, True)
    assert coin["datasource"] == SOURCE
    assert coin["refresh"] == 2, "template-on-time-change-reload"


@BOARD
def test_a_board_links_to_the_others_with_time_and_variables(data: dict[str, Any]) -> None:
    (link,) = data["links"]
    assert (link["type"], link["tags"]) == ("dashboards", ["amm500"])
    assert link["keepTime"] is link["includeVars"] is True
    assert data["tags"] == ["amm500"]


@BOARD
def test_ids_are_unique_and_rectangles_lie_in_the_grid_and_do_not_overlap(data: dict[str, Any]) -> None:
    found = data["panels"]
    assert len({panel["id"] for panel in found}) == len(found)
    cells: set[tuple[int, int]] = set()
    for panel in found:
        box = panel["gridPos"]
        assert 0 <= box["x"] < box["x"] + box["w"] <= 24
        mine = {(x, y) for x in range(box["x"], box["x"] + box["w"]) for y in range(box["y"], box["y"] + box["h"])}
        assert not mine & cells, panel["title"]
        cells |= mine


@BOARD
def test_titles_of_a_board_are_unique_since_alerts_find_panels_by_them(data: dict[str, Any]) -> None:
    titles = [panel["title"] for panel in panels(data)]
    assert len(set(titles)) == len(titles)


def test_uids_are_unique_and_are_the_file_names() -> None:
    assert {data["uid"] for data in DATA.values()} == set(DATA) == {board.uid for board in BOARDS}


# ---------------------------------------------------------------------- a panel
@EACH
def test_a_panel_says_what_it_shows_and_asks_the_chosen_data_source(uid: str, panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert len(panel["description"]) > 10, "panel-title-description"
    assert panel["fieldConfig"]["defaults"]["unit"], "panel-units"
    assert panel["datasource"] == SOURCE, "panel-datasource"
    assert panel["targets"], "panel-no-targets"


@EACH
def test_a_target_has_a_legend_a_letter_of_its_own_and_the_same_source(uid: str, panel: dict[str, Any]) -> None:
    letters = [target["refId"] for target in panel["targets"]]
    assert letters == [chr(ord("A") + n) for n in range(len(letters))]
    for target in panel["targets"]:
        assert target["datasource"] == SOURCE
        assert target["legendFormat"]
        assert target["expr"].strip() == target["expr"] != ""


@EACH
def test_rates_use_the_rate_interval_and_counters_are_never_shown_bare(uid: str, panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        expr, within = target["expr"], [found[1] for found in RATES.finditer(target["expr"])]
        assert all(found[2] == "$__rate_interval" for found in RATES.finditer(expr)), "target-rate-interval"
        counters = re.findall(r"amm_\w+_(?:total|bucket|count|sum)\b", expr)
        assert all(any(name in body for body in within) for name in counters), "target-counter-agg"
        assert "[" not in RATES.sub("", expr), "a window of its own belongs into a recording rule"


@EACH
def test_no_rate_is_taken_of_a_gauge(uid: str, panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        for body in (found[1] for found in RATES.finditer(target["expr"])):
            assert re.match(r"amm_\w+_(total|bucket|count|sum)\b", body), body


@EACH
def test_a_single_figure_is_the_last_one(uid: str, panel: dict[str, Any]) -> None:
    if panel["type"] in FIGURES:
        assert panel["options"]["reduceOptions"]["calcs"] == ["lastNotNull"]


@EACH
def test_a_heat_map_takes_buckets_by_le_and_calculates_nothing(uid: str, panel: dict[str, Any]) -> None:
    """The data source puts frames together that differ in `le` alone; any other label would make each its own map."""
    if panel["type"] == "heatmap":
        assert panel["options"]["calculate"] is False
        (target,) = panel["targets"]
        assert (target["format"], target["legendFormat"]) == ("heatmap", "{{le}}")
        assert target["expr"].startswith("sum by (le) (")


@EACH
def test_thresholds_begin_at_the_bottom_and_rise(uid: str, panel: dict[str, Any]) -> None:
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    values = [step["value"] for step in steps]
    assert values[0] is None
    assert values[1:] == sorted(set(values[1:]))


@EACH
def test_a_selected_coin_is_the_variable(uid: str, panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        assert re.search(r'coin="', target["expr"]) is None
        for name, body in re.findall(r"(amm_\w+)\{([^}]*)\}", target["expr"]):
            if "coin=" in body:
                row = re.sub(r"_(bucket|count|sum)$", "", name)
                assert "coin" in METRICS.get(name, METRICS.get(row)).labels  # type: ignore[union-attr]


# ---------------------------------------------------------------------- what must be there
def panel_of(board: str, title: str) -> dict[str, Any]:
    return next(panel for panel in panels(DATA[f"amm-{board}"]) if panel["title"] == title)


def steps_of(board: str, title: str) -> list[float]:
    steps = panel_of(board, title)["fieldConfig"]["defaults"]["thresholds"]["steps"]
    return [step["value"] for step in steps[1:]]


@pytest.mark.parametrize(
    ("board", "title", "steps"),
    [
        ("risk", "Margin used over equity", [0.70, 0.80, 0.85, 0.90]),
        ("risk", "Taker share", [0.05]),
        ("risk", "Drawdown", [0.02, 0.05]),
        ("risk", "Losing fills in a row", [3, 5, 10]),
        ("risk", "Funding", [0.0001]),
        ("risk", "Action budget", [1000, 2000]),
        ("trading", "Maker share", [0.80, 0.95]),
        ("trading", "Markout by horizon", [-2.0]),
        ("system", "Heartbeat age", [5, 10]),
        ("system", "Feed age by layer", [5]),
        ("system", "Tick to order, percentiles", [0.05]),
    ],
)
def test_a_panels_lines_are_the_designs_limits(board: str, title: str, steps: list[float]) -> None:
    assert steps_of(board, title) == pytest.approx(steps)


def test_no_markets_file_moves_a_limit_that_boards_and_alerts_take_from_the_defaults() -> None:
    for path in (ROOT / "config").glob("*.toml"):
        text = path.read_text("utf-8")
        for name in (*type(bounds.RISK).model_fields, "delta_one_sided", "delta_full", "action_reserve"):
            assert re.search(rf"^{name}\s*=", text, re.MULTILINE) is None, f"{path.name}: {name}"
    assert Quoting.model_fields["delta_full"].default == 0.05


def test_limits_of_a_line_are_drawn_as_lines() -> None:
    for title in ("Taker share", "Drawdown"):
        assert panel_of("risk", title)["fieldConfig"]["defaults"]["custom"]["thresholdsStyle"]["mode"] == "dashed"


def test_both_sides_and_all_levels_are_drawn() -> None:
    exprs = [target["expr"] for target in panel_of("trading", "All quote levels")["targets"]]
    assert any('side="bid"' in expr for expr in exprs)
    assert any('side="ask"' in expr for expr in exprs)
    assert not any("level=" in expr for expr in exprs), "a chosen level would hide the others"
    assert panel_of("trading", "L2 depth, bids")["type"] == panel_of("trading", "L2 depth, asks")["type"] == "heatmap"


def test_modes_and_states_are_told_by_name() -> None:
    for title, names in (("Mode", Mode), ("Dead-man state", State)):
        mapping = panel_of("risk", title)["fieldConfig"]["defaults"]["mappings"][0]["options"]
        assert [mapping[str(place)]["text"] for place in range(len(names))] == [one.value for one in names]


@pytest.mark.parametrize(
    ("board", "words"),
    [
        ("trading", ("pnl", "edge", "quotes", "fills", "markout", "inventory", "spread", "depth")),
        ("risk", ("margin", "taker", "drawdown", "mode", "funding", "losing", "budget", "hours", "dead-man")),
        ("system", ("tick to order", "stream lag", "heartbeat", "feed age", "reconnect", "ip weight", "late compiles",
                    "cpu", "memory", "pinned")),
    ],
)  # fmt: skip
def test_a_board_has_what_was_asked_for(board: str, words: tuple[str, ...]) -> None:
    titles = " | ".join(panel["title"].lower() for panel in panels(DATA[f"amm-{board}"]))
    assert [word for word in words if word not in titles] == []
