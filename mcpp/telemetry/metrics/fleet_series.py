"""The series of charge points and connectors as text, by far the most lines of a scrape.

A line is an f-string rather than a sample of the library: 0.5 µs instead of 5. Counters are there at 0 for every value
of their closed sets, since `increase` doesn't see the event that a series begins with.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from mcpp.domain.memory import NO_EVSE
from mcpp.reads.connector_names import Numbers
from mcpp.telemetry.fleet.state import ChargePointFigures, ConnectorFigures, Fleet
from mcpp.telemetry.metrics.exposition import Family, family, sum_family

ConnectedSince: TypeAlias = Callable[[str], float | None]
"""Returns Unix time in seconds, None for a charge point that isn't connected."""


def fleet_series(fleet: Fleet, connected_since: ConnectedSince, now: datetime) -> Iterator[Family]:
    """The families of one scrape: for the charge points that are exported as it begins, with figures of its course."""
    series = _Series(list(fleet))
    text = "Charge points without series of their own, since the limit is reached."
    yield sum_family("mcpp_charge_points_not_exported", text, [fleet.not_exported])
    yield from _of_charge_points(series, connected_since)
    yield from _of_connectors(series, fleet)
    yield from _of_meters(series, now)


def _of_charge_points(series: _Series, connected_since: ConnectedSince) -> Iterator[Family]:
    yield series.per_charge_point(
        "mcpp_charge_point_connected",
        "1 while the charge point is connected, else 0.",
        lambda point: 0 if connected_since(point.identity) is None else 1,
    )
    yield series.per_charge_point(
        "mcpp_charge_point_connected_since_seconds",
        "When its connection began, in Unix time; absent while there is none.",
        lambda point: connected_since(point.identity),
    )
    yield series.per_charge_point(
        "mcpp_charge_point_boots_total",
        "BootNotifications that were accepted.",
        lambda point: point.boots,
    )
    yield series.per_charge_point(
        "mcpp_charge_point_transactions_total",
        "Transactions that ended.",
        lambda point: point.transactions,
    )
    yield series.per_charge_point(
        "mcpp_charge_point_transaction_seconds_total",
        "Duration of the transactions that ended, by the charge point's clock.",
        lambda point: point.transaction_seconds,
    )
    yield series.per_charge_point(
        "mcpp_charge_point_energy_watt_hours_total",
        "Energy of all transactions, running ones included; goes on over restarts of the server.",
        lambda point: point.energy_wh,
    )


def _of_connectors(series: _Series, fleet: Fleet) -> Iterator[Family]:
    yield series.per_connector_and(
        "status",
        "mcpp_connector_status",
        "1 for the status that the connector is in, 0 for the others.",
        lambda connector: {fleet.status_label(connector.live.status): 1} if connector.live.status else {},
        fleet.statuses,
    )
    yield series.per_connector_and(
        "status",
        "mcpp_connector_status_changes_total",
        "Changes of the connector's status, by the new one.",
        lambda connector: connector.status_changes,
        fleet.statuses,
    )
    yield series.per_connector_and(
        "error_code",
        "mcpp_connector_errors_total",
        "Errors that the charge point reported with the connector's status.",
        lambda connector: connector.errors,
        fleet.error_codes,
    )


def _of_meters(series: _Series, now: datetime) -> Iterator[Family]:
    yield series.per_connector_and(
        "phase",
        "mcpp_connector_power_watts",
        "Power that is drawn now, by phase; without a phase it is the connector's, and 0 once nothing flows any more.",
        lambda connector: connector.live.power_watts(now),
    )
    yield series.per_connector_and(
        "phase",
        "mcpp_connector_voltage_volts",
        "Voltage while current may flow, of a phase or between two; without a phase as the charge point reports it.",
        lambda connector: connector.live.voltage_volts(now),
    )
    yield series.per_connector_and(
        "phase",
        "mcpp_connector_current_amperes",
        "Current that is drawn now, by phase; without a phase it is the sum, and 0 once nothing flows any more.",
        lambda connector: connector.live.current_amperes(now),
    )
    yield series.per_connector(
        "mcpp_connector_peak_power_watts",
        "The highest power since the server started.",
        lambda connector: connector.live.peak_power_watts,
    )
    yield series.per_connector(
        "mcpp_connector_transaction_energy_watt_hours",
        "Energy of the running transaction; absent while there is none, or its charge point is offline.",
        lambda connector: connector.live.live_energy_wh,
    )


class _Series:
    """The charge points of one scrape, and how their figures become lines."""

    def __init__(self, points: Sequence[ChargePointFigures]) -> None:
        self._points = points
        self._labels = _Labels()

    def per_charge_point(self, name: str, text: str, value: Callable[[ChargePointFigures], float | None]) -> Family:
        """A family with a series per charge point, where it has a value."""

        def lines() -> Iterator[bytes]:
            for point in self._points:
                number = value(point)
                yield b"" if number is None else f"{name}{{{self._labels[point.identity]}}} {number}\n".encode()

        return family(name, text, lines())

    def per_connector(self, name: str, text: str, value: Callable[[ConnectorFigures], float | None]) -> Family:
        """A family with a series per connector, where it has a value."""

        def lines(labels: str, connector: ConnectorFigures) -> str:
            number = value(connector)
            return "" if number is None else f"{name}{{{labels}}} {number}\n"

        return family(name, text, self._connector_lines(lines))

    def per_connector_and(
        self,
        label: str,
        name: str,
        text: str,
        values: Callable[[ConnectorFigures], Mapping[str, float]],
        closed_set: Collection[str] = (),
    ) -> Family:
        """A family with a series per connector and value of a label; those of the closed set are 0 where they lack."""
        zeros = dict.fromkeys(closed_set, 0)
        # Most connectors never had an error.
        only_zeros = "".join(f'{name}{{\0,{label}="{value}"}} 0\n' for value in closed_set)

        def lines(labels: str, connector: ConnectorFigures) -> str:
            numbers = values(connector)
            if not numbers:
                return only_zeros.replace("\0", labels)
            numbers = {**zeros, **numbers}
            return "".join([f'{name}{{{labels},{label}="{value}"}} {numbers[value]}\n' for value in numbers])

        return family(name, text, self._connector_lines(lines))

    def _connector_lines(self, lines: Callable[[str, ConnectorFigures], str]) -> Iterator[bytes]:
        for point in self._points:
            labels = self._labels[point.identity]
            # All of one charge point at once: connectors may be met between the pieces of a scrape.
            yield "".join(
                [
                    lines(f"{labels},{_of_connector(numbers)}", connector)
                    for numbers, connector in point.connectors.items()
                    if connector.live.is_shown
                ]
            ).encode()


def _of_connector(numbers: Numbers) -> str:
    """The labels of a connector; without an EVSE there is no label `evse`, which to Prometheus is the same as ""."""
    evse_id, connector_id = numbers
    evse = "" if evse_id == NO_EVSE else f'evse="{evse_id}",'
    return f'{evse}connector="{connector_id}"'


class _Labels(dict[str, str]):
    """A charge point's labels as text, by its identity; escaped once a scrape."""

    def __missing__(self, identity: str) -> str:
        escaped = identity.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        labels = self[identity] = f'charge_point="{escaped}"'
        return labels
