"""What all dashboards share: variables, links between them, and rows of panels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as model

from tools.dashboards.queries import PROMETHEUS, filled

Panel: TypeAlias = Builder[model.Panel]

Row: TypeAlias = tuple[str, Sequence[Panel]]
"""Title and panels, from left to right; 24 columns make a line."""

_TAG: Final = "mcpp"


def dashboard(
    uid: str,
    title: str,
    description: str,
    rows: Sequence[Row],
    *,
    variables: Sequence[Builder[model.VariableModel]] = (),
    since: str = "now-6h",
    refresh: str = "30s",
) -> model.Dashboard:
    """A dashboard; its `uid` is what links lead to, so it stays the same for ever."""
    board = (
        build.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([_TAG])
        .time(since, "now")
        .refresh(refresh)
        .timezone("browser")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .link(
            build.DashboardLink("MCPP")
            .type(model.DashboardLinkType.DASHBOARDS)
            .tags([_TAG])
            .icon("external link")
            .tooltip("The other dashboards, with the same time range")
            .keep_time(True)
            .include_vars(True)
        )
        .annotation(_starts())
    )
    for variable in (*_shared_variables(), *variables):
        board.with_variable(variable)
    for heading, panels in rows:
        board.with_row(build.Row(heading))
        for panel in panels:
            board.with_panel(panel)
    built = board.build()
    for number, panel_or_row in enumerate(built.panels or (), start=1):
        panel_or_row.id_val = number
    return built


def charge_point_variable() -> Builder[model.VariableModel]:
    return _values_of("charge_point", "Charge point", "mcpp_charge_point_connected{INSTANCE}").description(
        "A charger's identity, as it stands in its URL"
    )


def _shared_variables() -> Sequence[Builder[model.VariableModel]]:
    return (
        build.DatasourceVariable("prometheus").label("Metrics").type("prometheus"),
        build.DatasourceVariable("traces").label("Traces").type("tempo"),
        _values_of("instance", "Server", "mcpp_build_info")
        .description("Which MCPP, where Prometheus scrapes several")
        .include_all(True)
        .all_value(".+")
        .current(model.VariableOption(text="All", value="$__all")),
    )


def _values_of(label: str, title: str, series: str) -> build.QueryVariable:
    return (
        build.QueryVariable(label)
        .label(title)
        .datasource(PROMETHEUS)
        .query({"qryType": 1, "query": f"label_values({filled(series)},{label})", "refId": label})
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.NATURAL_ASC)
    )


def _starts() -> build.AnnotationQuery:
    return (
        build.AnnotationQuery()
        .name("Server starts")
        .datasource(PROMETHEUS)
        .enable(True)
        .icon_color("purple")
        .expr(filled("changes(mcpp_start_time_seconds{INSTANCE}[2m]) > 0"))
    )
