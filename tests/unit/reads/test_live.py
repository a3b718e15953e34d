"""What is live at a connector: gone the moment its session ends, its status says so, or its charger is offline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mcpp.domain.events import ConnectorStatusChanged, Event, MeterValuesReceived, RecordUnmatched
from mcpp.domain.samples import Sample, SampleKind
from mcpp.reads.live import LiveReadings
from mcpp.reads.live_connectors import HIGHEST_CONNECTOR, LiveConnector, LiveValues
from mcpp.reads.stored_fleet import StoredChargePoint, StoredConnector, StoredTransaction
from mcpp.reads.transactions import duration_so_far
from tests.events import CONNECTED, DISCONNECTED, FORGOTTEN, MEASURED, NOW, RECOVERED, STARTED, STOPPED

FOREIGN = 4711
RESTING = ["Available", "Finishing", "Faulted", "Unavailable", "Reserved"]


def second(number: float) -> datetime:
    return NOW + timedelta(seconds=number)


def status(name: str, connector: int = 1) -> ConnectorStatusChanged:
    return ConnectorStatusChanged(
        charge_point_id="CP-1",
        correlation_id="c" * 32,
        at=NOW,
        connector_id=connector,
        status=name,
        previous_status=None,
        error_code="NoError",
        info=None,
        reported_at=NOW,
        session_correlation_id=None,
    )


def kind(measurand: str, phase: str = "", unit: str = "") -> SampleKind:
    return SampleKind(measurand, phase, unit, "Sample.Periodic", "Outlet", "Raw")


FULL = {
    kind("Power.Active.Import", "", "kW"): "11.04",
    kind("Voltage", "L1-N", "V"): "230.1",
    kind("Current.Import", "L1", "A"): "16",
    kind("Current.Import", "L2", "A"): "17",
    kind("SoC", "", "Percent"): "57",
}


def measured(
    at: float = 0,
    watts: object = None,
    *,
    transaction: int | None = 7,
    energy: int | None = None,
    foreign: int | None = None,
    historic: bool = False,
    connector: int = 1,
) -> MeterValuesReceived:
    told: Mapping[SampleKind, str] = FULL if watts is None else {kind("Power.Active.Import", "", "W"): str(watts)}
    return replace(
        MEASURED,
        at=second(at),
        connector_id=connector,
        transaction_id=transaction,
        energy_wh=energy,
        foreign_transaction_id=foreign,
        historic=historic,
        samples=[Sample(second(at), one, value, place) for place, (one, value) in enumerate(told.items())],
    )


def foreign(at: float = 0, watts: object = 5000) -> MeterValuesReceived:
    return measured(at, watts, transaction=None, foreign=FOREIGN)


def idle(at: float = 0, watts: object = 5000) -> MeterValuesReceived:
    return measured(at, watts, transaction=None)


def after(*events: Event, connector: int = 1) -> LiveConnector:
    """The connector after these, at a charge point that is connected."""
    live = LiveReadings()
    for event in (CONNECTED, *events):
        live(event)
    found = live.connector("CP-1", connector)
    assert found is not None
    return found


def watts(connector: LiveConnector, at: float = 10) -> float | None:
    return connector.power_watts(second(at)).get("")


def is_dark(connector: LiveConnector) -> bool:
    """Nothing is shown of a session."""
    return connector.values(second(10)) is None and connector.live_energy_wh is None


def test_all_that_is_measured_while_a_session_runs() -> None:
    charging = after(STARTED, status("Charging"), measured(energy=2500))

    assert charging.values(second(10)) == LiveValues(11_040, {"": 33, "L1": 16, "L2": 17}, {"L1": 230.1}, 57, NOW)
    assert (charging.live_energy_wh, charging.transaction_id) == (2500, 7)


def test_a_session_of_which_nothing_is_measured_yet() -> None:
    assert after(STARTED).values(NOW) == LiveValues(None, None, None, None, None)


def test_what_nothing_follows_is_not_shown_for_ever() -> None:
    charging = after(STARTED, measured(energy=2500))

    assert charging.values(second(301)) == LiveValues(None, None, None, None, None)
    assert charging.live_energy_wh == 2500


@pytest.mark.parametrize("end", [STOPPED, RECOVERED], ids=["stopped", "recovered"])
def test_the_end_of_the_transaction_ends_it(end: Event) -> None:
    ended = after(STARTED, status("Charging"), measured(energy=2500), end)

    assert is_dark(ended)
    assert (watts(ended), ended.current_amperes(second(10)), ended.voltage_volts(second(10))) == (0, {"": 0}, {})
    assert ended.peak_power_watts == 11_040


@pytest.mark.parametrize("name", RESTING)
def test_stop_and_status_end_it_in_either_order(name: str) -> None:
    charging = (STARTED, status("Charging"), measured(energy=2500))

    for ended in (after(*charging, STOPPED, status(name)), after(*charging, status(name), STOPPED)):
        assert is_dark(ended)
        assert watts(ended) == 0


@pytest.mark.parametrize("name", RESTING)
def test_a_status_without_current_ends_what_was_measured_before_it(name: str) -> None:
    waiting = after(STARTED, status("Charging"), measured(energy=2500), status(name))

    values = waiting.values(second(10))
    assert values == LiveValues(0, {"": 0}, None, None, None)
    assert waiting.live_energy_wh == 2500

    assert watts(after(STARTED, measured(), status(name), measured(10, 3000))) == 3000


@pytest.mark.parametrize("name", ["SuspendedEV", "SuspendedEVSE", "Charging", "?"])
def test_a_status_with_current_ends_nothing(name: str) -> None:
    assert watts(after(STARTED, measured(), status(name))) == 11_040


def test_offline_nothing_is_known_and_after_that_only_what_is_measured_anew() -> None:
    charging = (STARTED, status("Charging"), measured(energy=2500))
    gone = after(*charging, DISCONNECTED)
    assert is_dark(gone)
    assert (gone.power_watts(NOW), gone.current_amperes(NOW)) == ({}, {})
    assert gone.energy_wh == 2500

    back = after(*charging, DISCONNECTED, CONNECTED)
    assert back.values(NOW) == LiveValues(None, None, None, None, None)
    assert back.live_energy_wh == 2500
    assert watts(after(*charging, DISCONNECTED, CONNECTED, measured(10, 3000))) == 3000
    assert watts(after(*charging, CONNECTED)) is None


@pytest.mark.parametrize("end", [status("Finishing"), CONNECTED], ids=["status", "reconnect"])
def test_what_was_measured_before_the_end_and_comes_late_shows_nothing(end: Event) -> None:
    late = (measured(10, 7000), measured(20, 8000), end, measured(20, 8000), measured(10, 7000))
    shown = after(STARTED, *late)

    assert watts(shown) in {0, None}


def test_values_of_a_transaction_that_is_over_show_nothing() -> None:
    for late in (measured(20), measured(20, energy=9000), measured(20, historic=True)):
        assert is_dark(after(STARTED, status("Charging"), measured(), STOPPED, late))


def test_the_end_of_an_older_transaction_changes_nothing() -> None:
    following = (replace(STARTED, transaction_id=8), measured(transaction=8, energy=50))
    running = after(STARTED, *following, STOPPED)

    assert (watts(running), running.live_energy_wh, running.transaction_id) == (11_040, 50, 8)


def test_a_new_session_has_nothing_of_one_that_was_left_open() -> None:
    following = after(STARTED, measured(energy=2500), replace(STARTED, transaction_id=8))

    assert following.values(second(10)) == LiveValues(None, None, None, None, None)
    assert following.live_energy_wh == 0


def test_messages_of_the_past_change_nothing_live() -> None:
    past = replace(STARTED, transaction_id=6, historic=True)
    running = after(
        STARTED,
        measured(energy=2500),
        past,
        measured(20, 9000, transaction=6, historic=True),
        replace(STOPPED, transaction_id=6, historic=True),
        replace(STOPPED, historic=True),
        measured(30, 9000, historic=True),
    )
    assert (watts(running), running.live_energy_wh, running.transaction_id) == (11_040, 2500, 7)

    assert is_dark(after(replace(STARTED, historic=True), measured(historic=True)))


def test_late_values_of_the_running_transaction_count_for_its_energy_alone() -> None:
    running = after(STARTED, measured(energy=2500), measured(20, 9000, energy=2600, historic=True))

    assert (watts(running), running.live_energy_wh) == (11_040, 2600)


def test_one_whose_start_was_of_the_past_runs_when_it_is_measured_now() -> None:
    """It was offline, has said first how it stands, and sends only then what has happened."""
    running = after(status("Charging"), replace(STARTED, historic=True), measured(energy=2500))

    assert (watts(running), running.live_energy_wh, running.transaction_id) == (11_040, 2500, 7)


@pytest.mark.parametrize("name", [None, "Charging", "Preparing", "Available"])
def test_another_central_systems_transaction_is_shown(name: str | None) -> None:
    before = [] if name is None else [status(name)]
    shown = after(*before, foreign())

    values = shown.values(second(10))
    assert values is not None
    assert (values.power_w, values.measured_at) == (5000, NOW)
    assert (shown.transaction_id, shown.live_energy_wh) == (None, None)


def test_another_central_systems_transaction_ends_as_ours_do() -> None:
    unmatched = RecordUnmatched(
        charge_point_id="CP-1", correlation_id="c" * 32, at=NOW, kind="stop", claimed_transaction_id=FOREIGN
    )
    charging = (status("Charging"), foreign())
    for end in (unmatched, status("Finishing"), status("Available"), DISCONNECTED):
        assert is_dark(after(*charging, end))
    for other in (replace(unmatched, claimed_transaction_id=1), replace(unmatched, kind="meter_values")):
        assert watts(after(*charging, other)) == 5000


@pytest.mark.parametrize("name", RESTING)
def test_an_idle_connectors_values_show_nothing(name: str) -> None:
    resting = after(status(name), idle())

    assert is_dark(resting)
    assert watts(resting) is None


def test_values_that_name_no_transaction_are_shown_where_no_status_speaks_against_it() -> None:
    assert watts(after(idle())) == 5000
    charging = after(status("Charging"), idle())
    values = charging.values(second(10))
    assert values is not None
    assert values.power_w == 5000
    assert charging.values(second(301)) is None


def test_the_charge_point_as_a_whole_is_measured_until_a_session_ends() -> None:
    whole = measured(0, 12_000, transaction=None, connector=0)
    charging = (status("Available", 0), STARTED, status("Charging"), whole)

    assert watts(after(*charging, connector=0)) == 12_000
    assert watts(after(*charging, STOPPED, connector=0)) is None
    assert after(*charging, connector=0).values(second(10)) is not None
    standby = measured(10, 4, transaction=None, connector=0)
    at_rest = after(*charging, STOPPED, status("Available"), standby, connector=0)
    assert (watts(at_rest, 20), at_rest.values(second(20))) == (4, None)


def test_values_that_name_a_transaction_are_its_connectors_wherever_they_were_measured() -> None:
    live = LiveReadings()
    for event in (CONNECTED, STARTED, measured(0, 4000, connector=0), status("Available", 0)):
        live(event)

    (outlet, whole) = (live.connector("CP-1", number) for number in (1, 0))
    assert outlet is not None
    assert whole is not None
    assert (watts(outlet), watts(whole)) == (4000, None)


def test_the_books_are_begun_with() -> None:
    live = LiveReadings()
    connectors = [StoredConnector(1, "Charging", None), StoredConnector(2, "Available", None)]
    running = [StoredTransaction(7, 1, 2500), StoredTransaction(8, 2, None)]
    live.load([StoredChargePoint("CP-1", 0, 0, connectors, running)])
    first = live.running("CP-1", 7)
    assert first is not None
    assert (first.connector_id, first.status, first.energy_wh, first.live_energy_wh) == (1, "Charging", 2500, None)

    live(CONNECTED)
    assert first.live_energy_wh == 2500
    assert first.values(NOW) == LiveValues(None, None, None, None, None)
    live(STOPPED)
    assert live.running("CP-1", 7) is None
    second_one = live.running("CP-1", 8)
    assert second_one is not None
    assert second_one.energy_wh is None


def test_the_evses_of_a_charger_are_apart_and_those_of_another_version_are_not_shown() -> None:
    live = LiveReadings()
    live.load([StoredChargePoint("CP-1", 0, 0, [StoredConnector(1, "Charging", None)], [], has_evses=False)])
    live(replace(CONNECTED, ocpp_version="2.0.1", has_evses=True))
    for evse in (1, 2):
        live(replace(status("Charging"), evse_id=evse))
        live(replace(STARTED, evse_id=evse, transaction_id=evse))
        live(replace(measured(0, 1000 * evse, transaction=evse), evse_id=evse))
    live(replace(status("Available", 0), evse_id=2))
    assert live.connectors("CP-1") == [(1, 1), (2, 1)]
    for evse in (1, 2):
        connector = live.connector("CP-1", 1, evse)
        assert connector is not None
        assert (watts(connector), connector.transaction_id) == (1000 * evse, evse)

    live(replace(CONNECTED, has_evses=False))
    assert live.connectors("CP-1") == [(0, 1)]


def test_a_transaction_of_an_evse_that_was_not_told_runs_there_once_it_is_told() -> None:
    live = LiveReadings()
    live(replace(CONNECTED, has_evses=True))
    live(replace(STARTED, connector_id=0))
    live(replace(measured(1, 5000, energy=20), evse_id=2))

    running = live.running("CP-1", 7)
    assert running is not None
    assert (running.evse_id, running.connector_id, running.live_energy_wh, watts(running)) == (2, 1, 20, 5000)


def test_what_is_kept_is_bounded() -> None:
    live = LiveReadings(most_known=2)
    for name in ("CP-1", "CP-2", "CP-3"):
        live(replace(CONNECTED, charge_point_id=name))
        live(replace(STARTED, charge_point_id=name))
    assert [live.connector(name, 1) is None for name in ("CP-1", "CP-2", "CP-3")] == [False, False, True]
    for number in (-1, HIGHEST_CONNECTOR + 1, 2**31):
        live(replace(MEASURED, connector_id=number, transaction_id=None))
        assert live.connector("CP-1", number) is None

    live(FORGOTTEN)
    live(replace(CONNECTED, charge_point_id="CP-3"))
    assert live.connector("CP-1", 1) is None
    assert live.connector("CP-3", 1) is not None


RECEIVED = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("started", "seconds"),
    [
        (RECEIVED, 60),
        (RECEIVED - timedelta(seconds=2), 62),
        (RECEIVED - timedelta(hours=5), 18_060),
        (RECEIVED + timedelta(hours=2), 60),
        (RECEIVED - timedelta(days=8), 60),
        (datetime(1970, 1, 1, tzinfo=UTC), 60),
        (datetime(9999, 12, 31, tzinfo=UTC), 60),
    ],
)
def test_how_long_a_transaction_runs_by_the_servers_clock(started: datetime, seconds: int) -> None:
    assert duration_so_far(started, RECEIVED, RECEIVED + timedelta(seconds=60)) == seconds
    assert duration_so_far(RECEIVED, RECEIVED, RECEIVED - timedelta(hours=1)) == 0
