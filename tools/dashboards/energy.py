"""What was delivered: by hour, by charger, by session."""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard as model

from tools.dashboards.board import Row
from tools.dashboards.board import dashboard as board
from tools.dashboards.panels import Column, charger_table, graph, heat, number, ranking
from tools.dashboards.queries import STEP, buckets, increase, now, over_time, placed, table

_ENERGY = "mcpp_charge_point_energy_watt_hours_total"
_SESSION_ENERGY = "mcpp_transaction_energy_watt_hours"
_SESSION_SECONDS = "mcpp_transaction_duration_seconds"


def dashboard() -> model.Dashboard:
    return board(
        "mcpp-energy",
        "MCPP: energy",
        "What was delivered: by hour, by charger, by session. For bills use `mcpp report`, which reads the database.",
        [_figures(), _over_time(), _sessions(), _by_charger()],
        since="now-7d",
        refresh="5m",
    )


def _figures() -> Row:
    return "In the time shown", [
        number("Energy", now(increase(_ENERGY)), "Delivered by all chargers.", unit="watth"),
        number(
            "Power now",
            over_time('sum(mcpp_connector_power_watts{INSTANCE, phase=""}) or vector(0)'),
            "Sum over all connectors, by the latest meter values.",
            unit="watt",
            trend=True,
        ),
        number(
            "Peak",
            now("sum(max_over_time(instance:mcpp_connector_power_watts:sum{INSTANCE}[$__range]))"),
            "The greatest sum over all connectors of a server: what the grid connection had to bear.",
            unit="watt",
        ),
        number(
            "Sessions",
            now(increase(f"{_SESSION_ENERGY}_count")),
            "Transactions that ended with plausible energy.",
            decimals=0,
        ),
        number(
            "Energy of a session",
            now(_mean(_SESSION_ENERGY)),
            "Mean over those sessions.",
            unit="watth",
        ),
        number(
            "Length of a session",
            now(_mean(_SESSION_SECONDS)),
            "Mean, from start to stop by the charger's clock.",
            unit="dtdurations",
        ),
    ]


def _mean(histogram: str) -> str:
    return f"{increase(f'{histogram}_sum')} / {increase(f'{histogram}_count')}"


def _over_time() -> Row:
    return "Over time", [
        graph(
            "Energy by hour",
            [over_time("sum(instance:mcpp_charge_point_energy_watt_hours:increase1h{INSTANCE})", "energy")],
            "Each bar is the hour that ends there.",
            unit="watth",
            bars=True,
            interval="1h",
            calcs=("sum", "max"),
        ),
        graph(
            "Power of the greatest consumers",
            [
                over_time(
                    "topk(10, sum by (charge_point) (charge_point:mcpp_connector_power_watts:sum{INSTANCE})) > 0",
                    "{{charge_point}}",
                )
            ],
            "The ten that draw most at each moment. A click leads to the charger.",
            unit="watt",
            stacked=True,
            link=True,
        ),
    ]


def _sessions() -> Row:
    return "Sessions", [
        heat(
            "Energy of sessions",
            buckets(increase(f"{_SESSION_ENERGY}_bucket", "le", STEP)),
            "How many sessions ended with how much.",
            unit="watth",
        ),
        heat(
            "Length of sessions",
            buckets(increase(f"{_SESSION_SECONDS}_bucket", "le", STEP)),
            "How many sessions ended after how long.",
            unit="dtdurations",
        ),
        ranking(
            "Why sessions end",
            now(
                'sum by (event, reason) (increase(mcpp_transactions_total{INSTANCE, event!="started"}[$__range])) > 0',
                "{{event}} {{reason}}",
            ),
            "By the charger's reason; recovered ones were closed in the charger's stead.",
        ),
        ranking(
            "Energy by charger",
            now(f"topk(20, {increase(_ENERGY, 'charge_point')} > 0)", "{{charge_point}}"),
            "The twenty that delivered most.",
            unit="watth",
            link=True,
        ),
        ranking(
            "Peak power by connector",
            now(
                placed("topk(20, max by (charge_point, evse, connector) (mcpp_connector_peak_power_watts{INSTANCE}))"),
                "{{charge_point}} {{place}}",
            ),
            "The greatest since the server started.",
            unit="watt",
            link=True,
        ),
    ]


def _by_charger() -> Row:
    seconds = increase("mcpp_charge_point_transaction_seconds_total", "charge_point")
    return "By charger", [
        charger_table(
            "Chargers",
            [
                table("energy", increase(_ENERGY, "charge_point")),
                table("transactions", increase("mcpp_charge_point_transactions_total", "charge_point")),
                table("seconds", seconds),
                table("used", f"{seconds} / $__range_s"),
            ],
            [
                Column("energy", "Energy", unit="watth", gauge=True),
                Column("transactions", "Transactions", decimals=0),
                Column("seconds", "Time in transactions", unit="dtdurations"),
                Column("used", "Connectors in use", decimals=2),
            ],
            "Of the transactions that ended in the time shown. Connectors in use: the mean number at a time.",
            sort_by="Energy",
        )
    ]
