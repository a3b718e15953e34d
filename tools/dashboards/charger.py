"""One charger: its connection, its connectors, what it draws and what it has delivered."""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard as model

from tools.dashboards.board import Row, charge_point_variable
from tools.dashboards.board import dashboard as board
from tools.dashboards.panels import GREEN, ORANGE, RED, STATUSES, graph, number, ranking, states, traces_table
from tools.dashboards.queries import now, over_time, placed, traces

_CONNECTION = {"1": ("online", GREEN), "0": ("offline", RED)}
_ERRORS = "increase(mcpp_connector_errors_total{CHARGER}[$__range])"
_CODES = {status: code for code, status in enumerate(STATUSES, start=1)}


def dashboard() -> model.Dashboard:
    return board(
        "mcpp-charger",
        "MCPP: one charger",
        "One charger: its connection, its connectors, what it draws and what it has delivered.",
        [_figures(), _connectors(), _readings(), _sessions(), _traces()],
        variables=[charge_point_variable()],
    )


def _figures() -> Row:
    return "$charge_point", [
        number(
            "Connection",
            now("max(mcpp_charge_point_connected{CHARGER})"),
            "Whether it is connected now.",
            texts=_CONNECTION,
        ),
        number(
            "Connected since",
            now("1000 * max(mcpp_charge_point_connected_since_seconds{CHARGER})"),
            "When its present connection began.",
            unit="dateTimeFromNow",
        ),
        number(
            "Power",
            over_time('sum(mcpp_connector_power_watts{CHARGER, phase=""}) or vector(0)'),
            "Sum over its connectors, by the latest meter values.",
            unit="watt",
            trend=True,
        ),
        number(
            "Energy",
            now("sum(increase(mcpp_charge_point_energy_watt_hours_total{CHARGER}[$__range]))"),
            "Delivered in the time shown, over all its transactions.",
            unit="watth",
        ),
        number(
            "Transactions",
            now("sum(increase(mcpp_charge_point_transactions_total{CHARGER}[$__range]))"),
            "Ended in the time shown.",
            decimals=0,
        ),
        number(
            "Boots",
            now("sum(increase(mcpp_charge_point_boots_total{CHARGER}[$__range]))"),
            "In the time shown. More than one or two want an explanation.",
            decimals=0,
            steps={float("-inf"): GREEN, 3: ORANGE},
        ),
    ]


def _connectors() -> Row:
    return "Connectors", [
        states(
            "Status",
            over_time(placed(_status_code()), "{{place}}"),
            "What each connector reported, in the words of OCPP 1.6. Connector 0 is the charger as a whole.",
            {str(code): (status, STATUSES[status]) for status, code in _CODES.items()},
        ),
        states(
            "Connection",
            over_time("max(mcpp_charge_point_connected{CHARGER})", "connection"),
            "Readings have gaps where it was offline.",
            _CONNECTION,
            height=4,
        ),
    ]


def _status_code() -> str:
    """A number for each status, since a state timeline colors values and not labels."""
    each = (f'mcpp_connector_status{{CHARGER, status="{status}"}} * {code}' for status, code in _CODES.items())
    return f"sum by (evse, connector) ({' or '.join(each)})"


def _readings() -> Row:
    by_phase = "{{place}} {{phase}}"
    return "Readings", [
        graph(
            "Power",
            [over_time(placed('mcpp_connector_power_watts{CHARGER, phase=""}'), "{{place}}")],
            "The whole connector. A line ends some minutes after its last meter value.",
            unit="watt",
        ),
        graph(
            "Power by phase",
            [over_time(placed('mcpp_connector_power_watts{CHARGER, phase!=""}'), by_phase)],
            "Shows a car that charges on one phase, and a phase that is missing.",
            unit="watt",
        ),
        graph(
            "Current by phase",
            [over_time(placed("mcpp_connector_current_amperes{CHARGER}"), by_phase)],
            "Compare with the limit that a charging profile sets.",
            unit="amp",
        ),
        graph(
            "Voltage by phase",
            [over_time(placed("mcpp_connector_voltage_volts{CHARGER}"), by_phase)],
            "Falls with the load where the supply is long or thin.",
            unit="volt",
            calcs=("min", "max"),
            from_zero=False,
        ),
    ]


def _sessions() -> Row:
    return "Sessions", [
        graph(
            "Energy of the running transaction",
            [over_time(placed("mcpp_connector_transaction_energy_watt_hours{CHARGER}"), "{{place}}")],
            "Starts at 0 with each transaction.",
            unit="watth",
            calcs=("lastNotNull", "max"),
        ),
        graph(
            "Energy by hour",
            [over_time("sum(increase(mcpp_charge_point_energy_watt_hours_total{CHARGER}[1h]))", "energy")],
            "Each bar is the hour that ends there.",
            unit="watth",
            bars=True,
            interval="1h",
            calcs=("sum", "max"),
        ),
        ranking(
            "Peak power",
            now(placed("max by (evse, connector) (mcpp_connector_peak_power_watts{CHARGER})"), "{{place}}"),
            "The greatest since the server started.",
            unit="watt",
            span=6,
        ),
        ranking(
            "Errors",
            now(
                placed(f"sum by (evse, connector, error_code) ({_ERRORS}) > 0"),
                "{{place}} {{error_code}}",
            ),
            "What its connectors reported in the time shown.",
            span=6,
        ),
        ranking(
            "Changes of status",
            now(
                "sum by (status) (increase(mcpp_connector_status_changes_total{CHARGER}[$__range])) > 0",
                "to {{status}}",
            ),
            "In the time shown. Many without transactions: a connector that flaps.",
            span=6,
        ),
        number(
            "Time in transactions",
            now("sum(increase(mcpp_charge_point_transaction_seconds_total{CHARGER}[$__range]))"),
            "Length of the transactions that ended in the time shown, over all connectors.",
            unit="dtdurations",
            span=6,
        ),
    ]


def _traces() -> Row:
    return "Traces", [
        traces_table(
            "Newest traces of this charger",
            traces('{ resource.service.name = "mcpp" && span.ocpp.charge_point_id = "$charge_point" }'),
            "Empty where tracing is off. A trace id is the correlation_id of its log lines: mcpp trace finds them.",
        )
    ]
