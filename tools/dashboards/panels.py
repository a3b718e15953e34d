"""The house style: a function for each kind of panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Final, TypeAlias

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    heatmap,
    prometheus,
    stat,
    statetimeline,
    table,
    tempo,
    timeseries,
)
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import common as options
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode

from tools.dashboards.queries import PROMETHEUS, TRACES

Query: TypeAlias = prometheus.Dataquery

SOME_SCRAPES: Final = "1m"
"""The least interval in which a counter's increase can be seen."""

GREEN, YELLOW, ORANGE, RED, BLUE, PURPLE, GREY = "green", "yellow", "orange", "red", "blue", "purple", "#8e8e8e"

STATUSES: Final = {
    "Available": GREEN,
    "Preparing": YELLOW,
    "Charging": BLUE,
    "SuspendedEVSE": "light-orange",
    "SuspendedEV": "light-blue",
    "Finishing": "light-purple",
    "Reserved": PURPLE,
    "Unavailable": GREY,
    "Faulted": RED,
    "_OTHER": "dark-orange",
}
"""A connector's statuses and the colors they have everywhere."""

_CHARGER_LINK: Final = "/d/mcpp-charger?" + "&".join(
    (
        "${__url_time_range}",
        "${prometheus:queryparam}",
        "${traces:queryparam}",
        "${instance:queryparam}",
        "var-charge_point=",
    )
)


def number(
    title: str,
    query: Query,
    description: str,
    *,
    unit: str = "short",
    decimals: int | None = None,
    steps: Mapping[float, str] | None = None,
    texts: Mapping[str, tuple[str, str]] | None = None,
    trend: bool = False,
    span: int = 4,
) -> stat.Panel:
    """One figure; `steps` color it from their value on, `texts` replace values by a word and its color."""
    panel = (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .with_target(query)
        .unit(unit)
        .thresholds(_thresholds(steps or {}))
        .color_mode(options.BigValueColorMode.VALUE)
        .graph_mode(options.BigValueGraphMode.AREA if trend else options.BigValueGraphMode.NONE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .no_value("–")
        .span(span)
        .height(4)
    )
    if decimals is not None:
        panel.decimals(decimals)
    if texts is not None:
        panel.mappings([_texts(texts)])
    return panel


def graph(
    title: str,
    queries: Sequence[Query],
    description: str,
    *,
    unit: str = "short",
    stacked: bool = False,
    bars: bool = False,
    interval: str = "",
    limits: Mapping[float, str] | None = None,
    colors: Mapping[str, str] | None = None,
    calcs: Sequence[str] = ("mean", "max"),
    from_zero: bool = True,
    link: bool = False,
    span: int = 12,
    height: int = 8,
) -> timeseries.Panel:
    """Values over time; `limits` are drawn as lines, `link` leads from a series to its charger."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .targets([query.ref_id(letter) for letter, query in zip(ascii_uppercase, queries, strict=False)])
        .unit(unit)
        .line_width(1)
        .fill_opacity(60 if bars else 30 if stacked else 8)
        .show_points(options.VisibilityMode.NEVER)
        .legend(
            common.VizLegendOptions()
            .show_legend(True)
            .display_mode(options.LegendDisplayMode.TABLE)
            .placement(options.LegendPlacement.BOTTOM)
            .calcs(list(calcs))
        )
        .tooltip(common.VizTooltipOptions().mode(options.TooltipDisplayMode.MULTI).sort(options.SortOrder.DESCENDING))
        .no_value("nothing in this time")
        .span(span)
        .height(height)
    )
    if from_zero:
        panel.min(0)
    if stacked:
        panel.stacking(common.StackingConfig().mode(options.StackingMode.NORMAL))
    if bars:
        panel.draw_style(options.GraphDrawStyle.BARS)
    if bars or interval:
        panel.interval(interval or SOME_SCRAPES)
    if limits:
        panel.thresholds(_thresholds(limits, base="transparent"))
        panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(options.GraphThresholdsStyleMode.DASHED))
    for name, color in (colors or {}).items():
        panel.override_by_name(name, [_fixed(color)])
    if link:
        panel.data_links([_charger_link("${__field.labels.charge_point:percentencode}")])
    return panel


def states(
    title: str,
    query: Query,
    description: str,
    texts: Mapping[str, tuple[str, str]],
    *,
    link: bool = False,
    span: int = 24,
    height: int = 6,
) -> statetimeline.Panel:
    """States over time, a line for each series."""
    panel = (
        statetimeline.Panel()
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .with_target(query)
        .mappings([_texts(texts)])
        .color_scheme(build.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
        .merge_values(True)
        .show_value(options.VisibilityMode.AUTO)
        .row_height(0.85)
        .legend(common.VizLegendOptions().show_legend(True).placement(options.LegendPlacement.BOTTOM))
        .per_page(20)
        .no_value("nothing in this time")
        .span(span)
        .height(height)
    )
    if link:
        panel.data_links([_charger_link("${__field.labels.charge_point:percentencode}")])
    return panel


def ranking(
    title: str,
    query: Query,
    description: str,
    *,
    unit: str = "short",
    link: bool = False,
    span: int = 8,
    height: int = 8,
) -> bargauge.Panel:
    """The greatest of many, as bars."""
    panel = (
        bargauge.Panel()
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .with_target(query)
        .unit(unit)
        .min(0)
        .orientation(options.VizOrientation.HORIZONTAL)
        .display_mode(options.BarGaugeDisplayMode.BASIC)
        .color_scheme(build.FieldColor().mode(model.FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .no_value("none")
        .span(span)
        .height(height)
    )
    if link:
        panel.data_links([_charger_link("${__field.labels.charge_point:percentencode}")])
    return panel


def heat(title: str, query: Query, description: str, *, unit: str, span: int = 12, height: int = 8) -> heatmap.Panel:
    """How a histogram's values are spread, over time."""
    return (
        heatmap.Panel()
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .with_target(query)
        .interval(SOME_SCRAPES)
        .calculate(False)
        .y_axis(heatmap.YAxisConfig().unit(unit))
        .color(heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Oranges").steps(64))
        .exemplars_color("rgba(255,0,255,0.7)")
        .mode(options.TooltipDisplayMode.SINGLE)
        .show_legend()
        .span(span)
        .height(height)
    )


class Column:
    """A column of a joined table: its query's name, its heading, and how its values look."""

    def __init__(
        self,
        name: str,
        heading: str,
        *,
        unit: str = "short",
        texts: Mapping[str, tuple[str, str]] | None = None,
        decimals: int | None = None,
        gauge: bool = False,
    ) -> None:
        self.field = f"Value #{name}"
        self.heading = heading
        self.properties = [model.DynamicConfigValue("unit", unit)]
        if decimals is not None:
            self.properties.append(model.DynamicConfigValue("decimals", decimals))
        if texts is not None:
            self.properties += [
                model.DynamicConfigValue("mappings", [_texts(texts)]),
                model.DynamicConfigValue("custom.cellOptions", {"type": "color-text"}),
            ]
        if gauge:
            self.properties.append(
                model.DynamicConfigValue(
                    "custom.cellOptions", {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"}
                )
            )


def charger_table(
    title: str,
    queries: Sequence[Query],
    columns: Sequence[Column],
    description: str,
    *,
    sort_by: str,
    span: int = 24,
    height: int = 12,
) -> table.Panel:
    """A line for each charger, its name leading to the charger's dashboard; the queries are joined by charge point."""
    names = {"charge_point": "Charge point"} | {column.field: column.heading for column in columns}
    panel = (
        table.Panel()
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .targets(list(queries))
        .with_transformation(
            model.DataTransformerConfig(id_val="joinByField", options={"byField": "charge_point", "mode": "outer"})
        )
        .with_transformation(
            model.DataTransformerConfig(id_val="filterFieldsByName", options={"include": {"names": [*names]}})
        )
        .with_transformation(
            model.DataTransformerConfig(
                id_val="organize",
                options={"renameByName": names, "indexByName": {field: place for place, field in enumerate(names)}},
            )
        )
        .sort_by([common.TableSortByFieldState().display_name(sort_by).desc(True)])
        .filterable(True)
        .no_value("–")
        .span(span)
        .height(height)
    )
    panel.override_by_name(
        "Charge point", [model.DynamicConfigValue("links", [_charger_link("${__value.raw:percentencode}").build()])]
    )
    for column in columns:
        panel.override_by_name(column.heading, column.properties)
    return panel


def traces_table(
    title: str, query: tempo.TempoQuery, description: str, *, span: int = 24, height: int = 8
) -> table.Panel:
    """Traces from the trace store; their ids lead into Explore."""
    return (
        table.Panel()
        .title(title)
        .description(description)
        .datasource(TRACES)
        .with_target(query)
        .span(span)
        .height(height)
    )


def _charger_link(charge_point: str) -> build.DashboardLink:
    return build.DashboardLink("This charger").url(_CHARGER_LINK + charge_point)


def _thresholds(steps: Mapping[float, str], base: str = "text") -> build.ThresholdsConfig:
    first = [] if float("-inf") in steps else [model.Threshold(None, base)]
    given = [model.Threshold(None if value == float("-inf") else value, color) for value, color in steps.items()]
    return build.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(first + given)


def _texts(texts: Mapping[str, tuple[str, str]]) -> model.ValueMap:
    return model.ValueMap(
        {
            value: model.ValueMappingResult(text=text, color=color, index=place)
            for place, (value, (text, color)) in enumerate(texts.items())
        }
    )


def _fixed(color: str) -> model.DynamicConfigValue:
    return model.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": color})
