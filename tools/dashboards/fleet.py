"""All chargers at a glance: who is here, who charges, who needs help."""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard as model

from tools.dashboards.board import Row
from tools.dashboards.board import dashboard as board
from tools.dashboards.panels import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    RED,
    STATUSES,
    YELLOW,
    Column,
    charger_table,
    graph,
    number,
    ranking,
    states,
)
from tools.dashboards.queries import STEP, increase, now, over_time, table

_CONNECTION = {"1": ("online", GREEN), "0": ("offline", RED)}


def dashboard() -> model.Dashboard:
    return board(
        "mcpp-fleet",
        "MCPP: fleet",
        "All chargers at a glance: who is here, who charges, who needs help.",
        [_figures(), _over_time(), _trouble(), _chargers()],
    )


def _figures() -> Row:
    return "Now", [
        number(
            "Online",
            over_time("sum(mcpp_charge_points_connected{INSTANCE})"),
            "Chargers that are connected.",
            trend=True,
        ),
        number(
            "Offline",
            now("count(mcpp_charge_point_connected{INSTANCE} == 0) or vector(0)"),
            "Chargers in the database that aren't connected, also those that never were.",
            steps={float("-inf"): GREEN, 1: ORANGE},
        ),
        number(
            "Charging",
            over_time('sum(mcpp_connector_status{INSTANCE, status="Charging"}) or vector(0)'),
            "Connectors that say they are charging.",
            steps={1: BLUE},
            trend=True,
        ),
        number(
            "Faulted",
            now('sum(mcpp_connector_status{INSTANCE, status="Faulted"}) or vector(0)'),
            "Connectors that nobody can charge at until someone looks.",
            steps={float("-inf"): GREEN, 1: RED},
        ),
        number(
            "Power",
            over_time('sum(mcpp_connector_power_watts{INSTANCE, phase=""}) or vector(0)'),
            "What all chargers draw, by their latest meter values.",
            unit="watt",
            trend=True,
        ),
        number(
            "Open transactions",
            over_time("sum(mcpp_transactions_active{INSTANCE})"),
            "Transactions in the database without an end.",
            trend=True,
        ),
    ]


def _over_time() -> Row:
    return "Over time", [
        graph(
            "Connectors by status",
            [over_time("sum by (status) (instance_status:mcpp_connector_status:sum{INSTANCE}) > 0", "{{status}}")],
            "What the connectors last reported; a charger that is offline keeps its last status.",
            stacked=True,
            colors=STATUSES,
            calcs=("lastNotNull", "max"),
        ),
        graph(
            "Power",
            [over_time("sum(instance:mcpp_connector_power_watts:sum{INSTANCE})", "all chargers")],
            "Sum over all connectors.",
            unit="watt",
        ),
        graph(
            "Chargers online",
            [
                over_time("sum(mcpp_charge_points_connected{INSTANCE})", "online"),
                over_time("count(mcpp_charge_point_connected{INSTANCE})", "known"),
            ],
            "A step down that many take at once has one cause, mostly the network.",
            colors={"online": GREEN, "known": GREY},
            calcs=("lastNotNull", "min"),
        ),
        graph(
            "Transactions",
            [over_time(increase("mcpp_transactions_total", "event", STEP), "{{event}}")],
            "recovered: closed by the server in the charger's stead, with the best evidence.",
            bars=True,
            colors={"started": GREEN, "stopped": BLUE, "recovered": ORANGE},
            calcs=("sum",),
        ),
        graph(
            "Connections",
            [over_time(increase("mcpp_connections_total", "outcome", STEP) + " > 0", "{{outcome}}")],
            "How connections began (accepted), were refused, or ended (closed, lost, idle, …).",
            bars=True,
            stacked=True,
            calcs=("sum",),
        ),
        graph(
            "Changes of status",
            [over_time(increase("mcpp_connector_status_changes_total", "status", STEP) + " > 0", "to {{status}}")],
            "Many changes without transactions: connectors that flap.",
            bars=True,
            stacked=True,
            colors={f"to {status}": color for status, color in STATUSES.items()},
            calcs=("sum",),
        ),
    ]


def _trouble() -> Row:
    connected = "mcpp_charge_point_connected{INSTANCE}"
    return "Who needs help", [
        states(
            "Chargers that were offline",
            over_time(
                f"max by (charge_point) ({connected}) and on (charge_point) min_over_time({connected}[$__range]) == 0",
                "{{charge_point}}",
            ),
            "Only those that were offline within the time shown. A click leads to the charger.",
            _CONNECTION,
            link=True,
            height=8,
        ),
        ranking(
            "Errors that connectors report",
            now(
                f"topk(15, {increase('mcpp_connector_errors_total', 'charge_point, error_code')} > 0)",
                "{{charge_point}} {{error_code}}",
            ),
            "By charger and error code, in the time shown.",
            link=True,
        ),
        ranking(
            "Boots",
            now(f"topk(15, {increase('mcpp_charge_point_boots_total', 'charge_point')} > 0)", "{{charge_point}}"),
            "A charger that boots often has unstable power or unstable firmware.",
            link=True,
        ),
        ranking(
            "Departures from OCPP",
            now(f"topk(15, {increase('mcpp_contract_deviations_total', 'action, rule')} > 0)", "{{action}} {{rule}}"),
            "What chargers got wrong and the server repaired, by message and rule.",
        ),
    ]


def _chargers() -> Row:
    return "All chargers", [
        charger_table(
            "Chargers",
            [
                table("connected", "max by (charge_point) (mcpp_charge_point_connected{INSTANCE})"),
                table("since", "1000 * max by (charge_point) (mcpp_charge_point_connected_since_seconds{INSTANCE})"),
                table("power", "sum by (charge_point) (charge_point:mcpp_connector_power_watts:sum{INSTANCE})"),
                table("charging", 'sum by (charge_point) (mcpp_connector_status{INSTANCE, status="Charging"})'),
                table("faulted", 'sum by (charge_point) (mcpp_connector_status{INSTANCE, status="Faulted"})'),
                table("energy", increase("mcpp_charge_point_energy_watt_hours_total", "charge_point")),
                table("transactions", increase("mcpp_charge_point_transactions_total", "charge_point")),
                table("boots", increase("mcpp_charge_point_boots_total", "charge_point")),
            ],
            [
                Column("connected", "State", texts=_CONNECTION),
                Column("since", "Connected since", unit="dateTimeFromNow"),
                Column("power", "Power", unit="watt", gauge=True),
                Column("charging", "Charging"),
                Column("faulted", "Faulted", texts={"0": ("–", GREY), "1": ("1", RED), "2": ("2", RED)}),
                Column("energy", "Energy", unit="watth"),
                Column("transactions", "Transactions", decimals=0),
                Column("boots", "Boots", decimals=0),
            ],
            "Energy, transactions and boots are of the time shown. A name leads to the charger's dashboard.",
            sort_by="Power",
        ),
        number(
            "Chargers without series",
            now("sum(mcpp_charge_points_not_exported{INSTANCE})"),
            "More chargers than per-charger-metrics-limit: the panels above don't show these.",
            steps={float("-inf"): GREEN, 1: YELLOW},
        ),
    ]
