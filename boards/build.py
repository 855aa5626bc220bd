"""Boards as classic dashboard JSON, by grafana-foundation-sdk (the only room that needs it).

Its builders leave some things empty that Grafana wants said: the reduction of a single figure, the format of a heat
map's query, the data source of each panel and query.
"""

from __future__ import annotations

from typing import Any

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    gauge,
    heatmap,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as commons
from grafana_foundation_sdk.models import dashboard as dash
from grafana_foundation_sdk.models import heatmap as heat
from grafana_foundation_sdk.models import prometheus as prom

from boards.grid import Place, placed
from boards.panel import Board, Panel, Row

SOURCE = commons.DataSourceRef(type_val="prometheus", uid="${datasource}")
TAG = "amm500"
HIDDEN_COLUMNS = dict.fromkeys(("Time", "__name__", "instance", "job"), True)


def to_json(board: Board) -> str:
    """The file Grafana reads."""
    built = _dashboard(board).build()
    for link in built.links or ():
        vars(link)["placement"] = None  # the builder's default hides links in a menu that older versions do not have
    return JSONEncoder(sort_keys=True, indent=2).encode(built) + "\n"


def _dashboard(board: Board) -> dashboard.Dashboard:
    links = dashboard.DashboardLink("Boards").type(dash.DashboardLinkType.DASHBOARDS).tags([TAG])
    built = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .description(board.description)
        .tags([TAG])
        .refresh("5s")
        .time("now-1h", "now")
        .timezone("browser")
        .readonly()
        .tooltip(dash.DashboardCursorSync.CROSSHAIR)
        .link(links.keep_time(True).include_vars(True))
        .with_variable(dashboard.DatasourceVariable("datasource").label("Data Source").type("prometheus"))
        .with_variable(
            dashboard.QueryVariable("coin")
            .label("Coin")
            .datasource(SOURCE)
            .query("label_values(amm_mid_price_usd, coin)")
            .refresh(dash.VariableRefresh.ON_TIME_RANGE_CHANGED)
            .include_all(True)
            .multi(True)
        )
    )
    for place in placed(board):
        rectangle = dash.GridPos(x=place.x, y=place.y, w=place.width, h=place.height)
        if isinstance(place.item, Row):
            built.with_row(dashboard.Row(place.item.title).id(place.id).grid_pos(rectangle))
        else:
            built.with_panel(_panel(place.item, place).grid_pos(rectangle))
    return built


def _panel(panel: Panel, place: Place) -> Any:
    made = (
        KINDS[panel.kind](panel)
        .id(place.id)
        .title(panel.title)
        .description(panel.description)
        .unit(panel.unit)
        .datasource(SOURCE)
        .thresholds(_thresholds(panel))
    )
    for number, ask in enumerate(panel.asks):
        made.with_target(_target(panel, chr(ord("A") + number), ask.expr, ask.legend))
    for given, put in ((panel.low, made.min), (panel.high, made.max), (panel.decimals, made.decimals)):
        if given is not None:
            put(given)
    if panel.texts:
        results = {
            str(value): dash.ValueMappingResult(text=text, color=color, index=index)
            for index, (value, (text, color)) in enumerate(panel.texts.items())
        }
        made.mappings([dash.ValueMap(options=results)])
    return made


def _target(panel: Panel, ref_id: str, expr: str, legend: str) -> Any:
    query = prometheus.Dataquery().expr(expr).legend_format(legend).ref_id(ref_id).datasource(SOURCE)
    if panel.kind == "table":
        return query.format(prom.PromQueryFormat.TABLE).instant()
    form = prom.PromQueryFormat.HEATMAP if panel.kind == "heat" else prom.PromQueryFormat.TIME_SERIES
    return query.format(form).range()


def _thresholds(panel: Panel) -> dashboard.ThresholdsConfig:
    steps = panel.steps or (("green", None),)
    made = [dash.Threshold(value=value, color=color) for color, value in steps]
    return dashboard.ThresholdsConfig().mode(dash.ThresholdsMode.ABSOLUTE).steps(made)


def _color(mode: dash.FieldColorModeId) -> dashboard.FieldColor:
    return dashboard.FieldColor().mode(mode)


BY_THRESHOLD = dash.FieldColorModeId.THRESHOLDS
BY_SERIES = dash.FieldColorModeId.PALETTE_CLASSIC


def _last() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"]).values(False)


def _lines(panel: Panel) -> Any:
    legend = common.VizLegendOptions().show_legend(True).display_mode(commons.LegendDisplayMode.LIST)
    made = (
        timeseries.Panel()
        .color_scheme(_color(BY_SERIES))
        .line_width(1)
        .fill_opacity(0)
        .legend(legend.placement(commons.LegendPlacement.BOTTOM))
        .tooltip(common.VizTooltipOptions().mode(commons.TooltipDisplayMode.MULTI))
    )
    if panel.steps:
        style = commons.GraphThresholdsStyleMode.DASHED
        made.thresholds_style(common.GraphThresholdsStyleConfig().mode(style))
    return made


def _points(panel: Panel) -> Any:
    """Levels as dots in the colour of their side, the mid as a line."""
    made = (
        timeseries.Panel()
        .color_scheme(_color(BY_SERIES))
        .draw_style(commons.GraphDrawStyle.POINTS)
        .point_size(3)
        .legend(common.VizLegendOptions().show_legend(False))
        .tooltip(common.VizTooltipOptions().mode(commons.TooltipDisplayMode.SINGLE))
        .override_by_name("mid", [_property("custom.drawStyle", "line"), _fixed("yellow")])
    )
    for side, color in (("bid", "green"), ("ask", "red")):
        made.override_by_regexp(f"/^{side}/", [_fixed(color)])
    return made


def _property(name: str, value: Any) -> dash.DynamicConfigValue:
    return dash.DynamicConfigValue(id_val=name, value=value)


def _fixed(color: str) -> dash.DynamicConfigValue:
    return _property("color", {"mode": "fixed", "fixedColor": color})


def _stat(panel: Panel) -> Any:
    area = commons.BigValueGraphMode.NONE if panel.texts else commons.BigValueGraphMode.AREA
    made = stat.Panel().reduce_options(_last()).graph_mode(area).color_scheme(_color(BY_THRESHOLD))
    return made.color_mode(commons.BigValueColorMode.VALUE)


def _gauge(_: Panel) -> Any:
    made = gauge.Panel().reduce_options(_last()).color_scheme(_color(BY_THRESHOLD))
    return made.show_threshold_markers(True).show_threshold_labels(True)


def _heat(panel: Panel) -> Any:
    """Buckets come ready-made from Prometheus: nothing is to be calculated here."""
    colors = heatmap.HeatmapColorOptions().mode(heat.HeatmapColorMode.SCHEME).scheme("Turbo").steps(64)
    return (
        heatmap.Panel()
        .calculate(False)
        .color(colors)
        .y_axis(heatmap.YAxisConfig().unit(panel.axis or panel.unit))
        .cell_values(heatmap.CellValues().unit(panel.unit if panel.axis else "short"))
        .filter_values(heatmap.FilterValueRange().le(1e-9))
        .show_legend()
    )


def _states(_: Panel) -> Any:
    made = statetimeline.Panel().color_scheme(_color(BY_THRESHOLD)).merge_values(True)
    return made.show_value(commons.VisibilityMode.AUTO).row_height(0.8)


def _bars(_: Panel) -> Any:
    made = bargauge.Panel().reduce_options(_last()).color_scheme(_color(BY_THRESHOLD))
    return made.display_mode(commons.BarGaugeDisplayMode.BASIC).orientation(commons.VizOrientation.HORIZONTAL)


def _table(_: Panel) -> Any:
    organize = dash.DataTransformerConfig(id_val="organize", options={"excludeByName": HIDDEN_COLUMNS})
    return table.Panel().with_transformation(organize)


KINDS = {
    "lines": _lines, "points": _points, "stat": _stat, "gauge": _gauge, "heat": _heat, "states": _states,
    "bars": _bars, "table": _table,
}  # fmt: skip
