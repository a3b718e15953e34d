"""Queries: INSTANCE and CHARGER stand for the label matchers of the dashboard's variables."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders import prometheus, tempo
from grafana_foundation_sdk.models.dashboard import DataSourceRef
from grafana_foundation_sdk.models.prometheus import PromQueryFormat, QueryEditorMode

PROMETHEUS: Final = DataSourceRef(type_val="prometheus", uid="${prometheus}")
TRACES: Final = DataSourceRef(type_val="tempo", uid="${traces}")

_INSTANCE: Final = 'instance=~"$instance"'


def filled(expression: str) -> str:
    """The expression with the matchers in their places."""
    return expression.replace("CHARGER", f'{_INSTANCE}, charge_point="$charge_point"').replace("INSTANCE", _INSTANCE)


def over_time(expression: str, legend: str = "") -> prometheus.Dataquery:
    return _query(expression).range().legend_format(legend or "__auto")


def placed(expression: str) -> str:
    """With a label `place` that people read: `connector 1`, or `EVSE 2 #1` where the charger has EVSEs."""
    both = f'label_join({expression}, "place", "/", "evse", "connector")'
    of_evse = f'label_replace({both}, "place", "EVSE $1 #$2", "place", "(.+)/(.*)")'
    return f'label_replace({of_evse}, "place", "connector $1", "place", "/(.*)")'


def with_exemplars(expression: str, legend: str) -> prometheus.Dataquery:
    """Of a histogram: its exemplars are shown as points that lead to the trace."""
    return over_time(expression, legend).exemplar(True)


def now(expression: str, legend: str = "") -> prometheus.Dataquery:
    return _query(expression).instant().legend_format(legend or "__auto")


def table(name: str, expression: str) -> prometheus.Dataquery:
    """A table's column: joined with others, its values stand under `Value #name`."""
    return _query(expression).instant().format(PromQueryFormat.TABLE).ref_id(name)


def buckets(expression: str) -> prometheus.Dataquery:
    """A histogram's buckets, for a heat map."""
    return over_time(expression, "{{le}}").format(PromQueryFormat.HEATMAP)


def increase(counter: str, by: str = "", over: str = "$__range") -> str:
    """By how much a counter has grown, summed over all labels but those it is asked by."""
    grouping = f" by ({by})" if by else ""
    return f"sum{grouping} (increase({counter}{{INSTANCE}}[{over}]))"


STEP: Final = "$__interval"
"""From one bar to the next, so that their sum is the whole; a panel with it has a least interval of some scrapes."""


def quantile(share: float, histogram: str, by: str = "", matchers: str = "") -> str:
    """A quantile of a histogram of seconds, by more labels where asked."""
    labels = f"{by}, le" if by else "le"
    selector = f"{histogram}_bucket{{INSTANCE{matchers and f', {matchers}'}}}"
    return f"histogram_quantile({share}, sum by ({labels}) (rate({selector}[$__rate_interval])))"


def traces(query: str) -> tempo.TempoQuery:
    """The newest traces that a TraceQL query finds."""
    return tempo.TempoQuery().datasource(TRACES).query_type("traceql").query(query).limit(50).ref_id("A")


def _query(expression: str) -> prometheus.Dataquery:
    return (
        prometheus.Dataquery()
        .datasource(PROMETHEUS)
        .expr(filled(expression))
        .editor_mode(QueryEditorMode.CODE)
        .ref_id("A")
    )
