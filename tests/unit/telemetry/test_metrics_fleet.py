"""The series of charge points and connectors, as a scraper reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mcpp.domain.events import Event
from mcpp.reads.stored_fleet import StoredChargePoint, StoredConnector
from mcpp.telemetry.labels import OTHER
from mcpp.telemetry.metrics import exposition
from mcpp.telemetry.metrics.definitions import Metrics
from mcpp.telemetry.metrics.fleet_series import fleet_series
from mcpp_generated.ocpp16.models import ChargePointErrorCode, ChargePointStatus
from tests.events import BOOTED, CONNECTED, FORGOTTEN, MEASURED, PREPARING, STARTED, STOPPED, sample
from tests.programs import promtool
from tests.unit.telemetry.followed import FollowedFleet
from tests.unit.telemetry.scrapes import OPENMETRICS, families_in, scrape, text_of, value, values

# INTERFACE.md §5: type and labels by name.
PROMISED = {
    "mcpp_charge_points_not_exported": ("gauge", set()),
    "mcpp_charge_point_connected": ("gauge", {"charge_point"}),
    "mcpp_charge_point_connected_since_seconds": ("gauge", {"charge_point"}),
    "mcpp_charge_point_boots_total": ("counter", {"charge_point"}),
    "mcpp_charge_point_transactions_total": ("counter", {"charge_point"}),
    "mcpp_charge_point_transaction_seconds_total": ("counter", {"charge_point"}),
    "mcpp_charge_point_energy_watt_hours_total": ("counter", {"charge_point"}),
    "mcpp_connector_status": ("gauge", {"charge_point", "connector", "status"}),
    "mcpp_connector_status_changes_total": ("counter", {"charge_point", "connector", "status"}),
    "mcpp_connector_errors_total": ("counter", {"charge_point", "connector", "error_code"}),
    "mcpp_connector_power_watts": ("gauge", {"charge_point", "connector", "phase"}),
    "mcpp_connector_voltage_volts": ("gauge", {"charge_point", "connector", "phase"}),
    "mcpp_connector_current_amperes": ("gauge", {"charge_point", "connector", "phase"}),
    "mcpp_connector_peak_power_watts": ("gauge", {"charge_point", "connector"}),
    "mcpp_connector_transaction_energy_watt_hours": ("gauge", {"charge_point", "connector"}),
}

STATUSES = [status.value for status in ChargePointStatus]
ERROR_CODES = [code.value for code in ChargePointErrorCode]
NO_ERRORS = {code: 0 for code in ERROR_CODES if code != "NoError"}
NOW = datetime.now(UTC)


CHARGING = replace(PREPARING, status="Charging", previous_status="Preparing", error_code="HighTemperature")
END = replace(
    STOPPED, meter_stop=1100, energy_wh=100, counted_wh=100, stopped_at=STARTED.started_at + timedelta(seconds=90.5)
)
METERED = replace(
    MEASURED,
    transaction_id=8,
    energy_wh=250,
    samples=[
        sample("Power.Active.Import", "", "kW", "11.04"),
        *(sample("Voltage", f"L{phase}-N", "V", f"23{phase}") for phase in (1, 2, 3)),
        *(sample("Current.Import", f"L{phase}", "A", "16") for phase in (1, 2, 3)),
    ],
)
SESSION = (BOOTED, PREPARING, CHARGING, STARTED, END, replace(STARTED, transaction_id=8), METERED)
"""A charge point in its second transaction."""


class Site:
    """A fleet, and a server's metrics that show it."""

    def __init__(self, limit: int = 2000) -> None:
        self.fleet = FollowedFleet(statuses=STATUSES, error_codes=ERROR_CODES, series_limit=limit)
        self.connected: dict[str, float] = {}
        self.metrics = Metrics(version="1", actions=(), error_codes=(), stop_reasons=())
        self.metrics.watch_fleet(lambda: fleet_series(self.fleet, self.connected.get, datetime.now(UTC)))

    def happen(self, *events: Event, name: str = "CP-1") -> None:
        """All of it to the charge point of that name, which is connected."""
        self.connected[name] = 1_700_000_000.5
        for event in (CONNECTED, *events):
            # Now: readings become stale, and a suite takes its time.
            self.fleet(replace(event, charge_point_id=name, at=datetime.now(UTC)))


@pytest.mark.parametrize("accept", ["", OPENMETRICS])
async def test_names_types_and_labels_are_as_promised(accept: str) -> None:
    site = Site()
    site.happen(*SESSION)
    families = await scrape(site.metrics, accept)
    found = {
        name: (family.type, {label for sample in family.samples for label in sample.labels})
        for name, family in families.items()
        if name.startswith(("mcpp_charge_point_", "mcpp_charge_points_not", "mcpp_connector_"))
    }

    assert found == PROMISED


async def test_promtool_minds_nothing_but_the_fields_unit_of_energy() -> None:
    site = Site()
    site.happen(*SESSION, name='CP "1"\\n')
    checked = promtool("check", "metrics", stdin=(await text_of(site.metrics)).encode())

    hints = [line for line in checked.stderr.decode().splitlines() if 'use base unit "seconds"' not in line]
    assert (hints, checked.stdout) == ([], b"")


async def test_what_a_charge_point_has_done_and_does() -> None:
    site = Site()
    site.happen(*SESSION)
    families = await scrape(site.metrics)

    for name, expected in {
        "connected": 1,
        "connected_since_seconds": 1_700_000_000.5,
        "boots_total": 1,
        "transactions_total": 1,
        "transaction_seconds_total": 90.5,
        "energy_watt_hours_total": 350,
    }.items():
        assert value(families, f"mcpp_charge_point_{name}", charge_point="CP-1") == expected, name
    of_connector = {"charge_point": "CP-1", "connector": "1"}
    assert values(families, "mcpp_connector_status", **of_connector) == dict.fromkeys(STATUSES, 0) | {"Charging": 1}
    assert values(families, "mcpp_connector_status_changes_total", **of_connector) == (
        dict.fromkeys(STATUSES, 0) | {"Preparing": 1, "Charging": 1}
    )
    assert values(families, "mcpp_connector_errors_total", **of_connector) == NO_ERRORS | {"HighTemperature": 1}
    assert values(families, "mcpp_connector_power_watts", **of_connector) == {"": 11040}
    assert values(families, "mcpp_connector_voltage_volts", **of_connector) == {"L1": 231, "L2": 232, "L3": 233}
    assert values(families, "mcpp_connector_current_amperes", **of_connector) == {"": 48, "L1": 16, "L2": 16, "L3": 16}
    assert value(families, "mcpp_connector_peak_power_watts", **of_connector) == 11040
    assert value(families, "mcpp_connector_transaction_energy_watt_hours", **of_connector) == 250


async def test_a_mixed_fleet_has_the_label_evse_where_there_are_evses() -> None:
    site = Site()
    site.happen(*SESSION)
    site.fleet(replace(CONNECTED, charge_point_id="CP-2", has_evses=True))
    for event in (PREPARING, CHARGING, STARTED, replace(METERED, transaction_id=7)):
        site.fleet(replace(event, charge_point_id="CP-2", evse_id=2, at=datetime.now(UTC)))
    families = await scrape(site.metrics)

    power = {tuple(sorted(it.labels.items())): it.value for it in families["mcpp_connector_power_watts"].samples}
    assert power == {
        (("charge_point", "CP-1"), ("connector", "1"), ("phase", "")): 11040,
        (("charge_point", "CP-2"), ("connector", "1"), ("evse", "2"), ("phase", "")): 11040,
    }
    status = {"charge_point": "CP-2", "connector": "1", "evse": "2"}
    assert values(families, "mcpp_connector_status", **status) == dict.fromkeys(STATUSES, 0) | {"Charging": 1}

    site.fleet(replace(CONNECTED, charge_point_id="CP-2", has_evses=False))
    families = await scrape(site.metrics)
    assert {it.labels["charge_point"] for it in families["mcpp_connector_status"].samples} == {"CP-1"}


async def test_counters_are_there_at_zero_before_anything_happens() -> None:
    site = Site()
    site.fleet.load([StoredChargePoint("CP-1", 7000, 0, [StoredConnector(1, "Available", None)])])
    families = await scrape(site.metrics)
    of_connector = {"charge_point": "CP-1", "connector": "1"}

    assert value(families, "mcpp_charge_point_connected", charge_point="CP-1") == 0
    assert families["mcpp_charge_point_connected_since_seconds"].samples == []
    assert value(families, "mcpp_charge_point_boots_total", charge_point="CP-1") == 0
    assert value(families, "mcpp_charge_point_transactions_total", charge_point="CP-1") == 0
    assert value(families, "mcpp_charge_point_transaction_seconds_total", charge_point="CP-1") == 0
    assert value(families, "mcpp_charge_point_energy_watt_hours_total", charge_point="CP-1") == 7000
    assert values(families, "mcpp_connector_status_changes_total", **of_connector) == dict.fromkeys(STATUSES, 0)
    assert values(families, "mcpp_connector_errors_total", **of_connector) == NO_ERRORS


async def test_what_is_outside_of_the_closed_sets_is_other() -> None:
    site = Site()
    site.happen(replace(PREPARING, status='Odd"}', error_code="Odd"))
    families = await scrape(site.metrics)
    of_connector = {"charge_point": "CP-1", "connector": "1"}

    assert values(families, "mcpp_connector_status", **of_connector) == dict.fromkeys(STATUSES, 0) | {OTHER: 1}
    assert values(families, "mcpp_connector_status_changes_total", **of_connector)[OTHER] == 1
    assert values(families, "mcpp_connector_errors_total", **of_connector)[OTHER] == 1


@pytest.mark.parametrize("accept", ["", OPENMETRICS])
async def test_any_identity_comes_through_as_it_is(accept: str) -> None:
    names = {'a"b', "a\\b", "a\\nb", 'a\\"', "{a='b'}, #", "aü€😀", "a b", "\\"}
    site = Site()
    for name in names:
        site.happen(*SESSION, name=name)
    families = await scrape(site.metrics, accept)

    for name in PROMISED.keys() - {"mcpp_charge_points_not_exported"}:
        assert {sample.labels["charge_point"] for sample in families[name].samples} == names, name


@pytest.mark.parametrize(("limit", "exported", "left_out"), [(2, 2, 3), (5, 5, 0), (9, 5, 0), (0, 0, 0)])
async def test_series_are_limited(limit: int, exported: int, left_out: int) -> None:
    site = Site(limit)
    for number in range(5):
        site.happen(*SESSION, name=f"CP-{number}")
    families = await scrape(site.metrics)

    assert list(values(families, "mcpp_charge_point_connected")) == [f"CP-{number}" for number in range(exported)]
    assert len(families["mcpp_connector_status"].samples) == exported * len(STATUSES)
    assert value(families, "mcpp_charge_points_not_exported") == left_out


@pytest.mark.parametrize("accept", ["", OPENMETRICS])
async def test_the_fleet_may_change_while_it_is_rendered(monkeypatch: pytest.MonkeyPatch, accept: str) -> None:
    monkeypatch.setattr(exposition, "TURN_SECONDS", 0)
    site = Site()
    for number in range(10):
        site.happen(*SESSION, name=f"CP-{number}")
    text = b""
    _, pieces = site.metrics.render(accept)
    count = 0
    async for piece in pieces:
        text += piece
        changing = f"CP-{count % 10}"
        steps: Sequence[Event] = (
            FORGOTTEN,
            CONNECTED,
            replace(CHARGING, connector_id=2),
            replace(STARTED, connector_id=3),
            replace(MEASURED, connector_id=4),
        )
        site.happen(steps[count % len(steps)], name=changing)
        site.happen(name=f"new-{count}")
        count += 1
    families = families_in(text.decode())

    assert count > 100
    exported = list(values(families, "mcpp_charge_point_connected"))
    assert len(exported) >= 9
    for name in ("boots_total", "transactions_total", "transaction_seconds_total", "energy_watt_hours_total"):
        assert list(values(families, f"mcpp_charge_point_{name}")) == exported, name
