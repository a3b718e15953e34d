"""The figures of charge points and connectors follow what the domain tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from mcpp.domain.events import ChargePointConnected, Event
from mcpp.reads.live_connectors import HIGHEST_CONNECTOR
from mcpp.reads.stored_fleet import StoredChargePoint, StoredConnector, StoredTransaction
from mcpp.telemetry.fleet import state
from mcpp.telemetry.fleet.state import ChargePointFigures, ConnectorFigures
from mcpp_generated.db.enums import StopOrigin
from tests.events import BOOTED, CONNECTED, DISCONNECTED, FORGOTTEN, MEASURED, PREPARING, RECOVERED, STARTED, STOPPED
from tests.unit.domain.books import NOW
from tests.unit.telemetry.followed import FollowedFleet

STATUSES: Final = ("Available", "Preparing", "Charging", "Faulted")
ERROR_CODES: Final = ("NoError", "GroundFailure", "OtherError")
OTHER: Final = "_OTHER"


def fleet(limit: int = 100) -> FollowedFleet:
    return FollowedFleet(statuses=STATUSES, error_codes=ERROR_CODES, series_limit=limit)


def connected(identity: str = "CP-1") -> ChargePointConnected:
    return replace(CONNECTED, charge_point_id=identity)


def told(*events: Event) -> ChargePointFigures:
    """What is known of CP-1 after these."""
    followed = fleet()
    for event in (connected(), *events):
        followed(event)
    (figures,) = followed
    return figures


def connector(*events: Event) -> ConnectorFigures:
    return told(*events).connectors[0, 1]


def test_a_new_charge_point_is_there_at_once_with_nothing_counted() -> None:
    figures = told()

    assert (figures.identity, figures.boots, figures.transactions, figures.transaction_seconds) == ("CP-1", 0, 0, 0)
    assert (figures.energy_wh, figures.connectors) == (0, {})


def test_boots_and_ended_transactions_are_counted() -> None:
    figures = told(BOOTED, STARTED, MEASURED, STOPPED, BOOTED)

    assert (figures.boots, figures.transactions, figures.transaction_seconds) == (2, 1, 1800)


def test_a_transaction_counts_once_though_its_stop_supersedes_a_recovered_end() -> None:
    recovered = replace(RECOVERED, meter_stop=3000, energy_wh=2000, counted_wh=2000)
    late = replace(
        STOPPED, supersedes=3000, superseded_wh=2000, superseded_stopped_at=NOW, superseded_origin=StopOrigin.RECOVERED
    )
    figures = told(STARTED, recovered, late)

    assert (figures.transactions, figures.energy_wh) == (1, 3000)


def test_a_stop_before_its_start_takes_no_time() -> None:
    assert told(STARTED, replace(STOPPED, stopped_at=NOW - timedelta(hours=1))).transaction_seconds == 0


def test_status_changes_are_counted_by_the_status_changed_to() -> None:
    charging = replace(PREPARING, status="Charging", previous_status="Preparing")
    figures = connector(PREPARING, charging, replace(PREPARING, previous_status="Charging"))

    assert figures.live.status == "Preparing"
    assert figures.status_changes == {"Preparing": 2, "Charging": 1}


def test_more_info_on_the_same_status_is_no_change() -> None:
    figures = connector(PREPARING, replace(PREPARING, previous_status="Preparing", info="cable locked"))

    assert figures.status_changes == {"Preparing": 1}


def test_what_is_no_status_or_error_code_of_the_version_is_other() -> None:
    figures = connector(replace(PREPARING, status="Defekt", error_code="E-17"))

    assert (figures.live.status, figures.status_changes, figures.errors) == ("Defekt", {OTHER: 1}, {OTHER: 1})


def test_an_error_counts_when_it_comes_not_as_long_as_it_stays() -> None:
    ground = replace(PREPARING, status="Faulted", error_code="GroundFailure")
    still = replace(ground, previous_status="Faulted", info="since Monday")
    gone = replace(PREPARING, status="Available", previous_status="Faulted")
    other = replace(ground, error_code="OtherError")

    assert connector(ground, still, gone, ground, other).errors == {"GroundFailure": 2, "OtherError": 1}


def test_the_running_transaction_s_energy_is_there_while_it_runs() -> None:
    assert connector(PREPARING).live.live_energy_wh is None
    assert connector(STARTED).live.live_energy_wh == 0
    assert connector(STARTED, MEASURED).live.live_energy_wh == 2500
    assert connector(STARTED, MEASURED, replace(MEASURED, energy_wh=None)).live.live_energy_wh == 2500
    assert connector(STARTED, MEASURED, STOPPED).live.live_energy_wh is None


def test_the_end_of_an_older_transaction_leaves_the_running_one_alone() -> None:
    following = replace(STARTED, transaction_id=8)
    figures = told(STARTED, following, replace(MEASURED, transaction_id=8), STOPPED)

    assert figures.connectors[0, 1].live.live_energy_wh == 2500
    assert figures.energy_wh == 5500


def test_values_that_are_told_after_the_end_count_no_more() -> None:
    figures = told(STARTED, STOPPED, MEASURED)

    assert figures.energy_wh == 3000
    assert figures.connectors[0, 1].live.live_energy_wh is None


def test_readings_come_from_meter_values_of_any_time() -> None:
    idle = replace(MEASURED, transaction_id=None, energy_wh=None)
    figures = connector(idle)

    assert figures.live.power_watts(NOW) == {"": 7200}
    assert (figures.live.voltage_volts(NOW), figures.live.current_amperes(NOW)) == ({}, {})
    assert figures.live.peak_power_watts == 7200
    assert figures.live.power_watts(NOW + timedelta(minutes=6)) == {}


@pytest.mark.parametrize("number", [-1, HIGHEST_CONNECTOR + 1, 2**31])
def test_a_connector_of_a_strange_number_has_no_figures_but_its_energy_counts(number: int) -> None:
    strange = [replace(event, connector_id=number) for event in (PREPARING, STARTED, MEASURED, STOPPED)]
    figures = told(*strange)

    assert figures.connectors == {}
    assert (figures.transactions, figures.energy_wh) == (1, 3000)


def test_the_books_are_begun_with_also_for_those_who_are_not_connected() -> None:
    followed = fleet()
    running = [StoredTransaction(7, 2, 1500)]
    connectors = [
        StoredConnector(0, None, None),
        StoredConnector(1, "Faulted", "GroundFailure"),
        StoredConnector(2, "?", ""),
    ]
    followed.load(
        [
            StoredChargePoint("CP-1", 5000, 0, connectors, running),
            StoredChargePoint("CP-2", 5000, 8000),
            StoredChargePoint("CP-3", 0, 0),
        ]
    )
    first, second, third = followed

    assert [first.energy_wh, second.energy_wh, third.energy_wh] == [6500, 8000, 0]
    assert [known.live.status for known in first.connectors.values()] == [None, "Faulted", "?"]
    assert [known.live.live_energy_wh for known in first.connectors.values()] == [None, None, None]
    followed(connected())
    assert [known.live.live_energy_wh for known in first.connectors.values()] == [None, None, 1500]
    assert first.connectors[0, 1].errors == {}

    followed(replace(PREPARING, status="Faulted", previous_status="Faulted", error_code="GroundFailure", info="still"))
    assert first.connectors[0, 1].errors == {}
    assert first.connectors[0, 1].status_changes == {}


def test_beyond_the_limit_charge_points_are_a_number_and_the_first_keep_their_place() -> None:
    followed = fleet(limit=2)
    followed.load([StoredChargePoint("CP-B", 0, 0)])
    for identity in ("CP-C", "CP-A", "CP-B", "CP-D"):
        followed(connected(identity))

    assert [figures.identity for figures in followed] == ["CP-B", "CP-C"]
    assert followed.not_exported == 2


def test_one_beyond_the_limit_moves_up_when_another_is_forgotten() -> None:
    followed = fleet(limit=1)
    followed.load([StoredChargePoint("CP-0", 0, 0), StoredChargePoint("CP-1", 500, 0)])
    for event in (PREPARING, BOOTED, STARTED, MEASURED):
        followed(event)
    followed.forget("CP-0")
    followed(replace(PREPARING, status="Charging", previous_status="Preparing"))

    (figures,) = followed
    assert (figures.identity, figures.boots, figures.energy_wh) == ("CP-1", 1, 3000)
    assert figures.connectors[0, 1].live.status == "Charging"
    assert followed.not_exported == 0


def test_those_that_have_booted_or_charged_take_the_place_of_those_that_have_done_neither() -> None:
    followed = fleet(limit=2)
    followed.load([StoredChargePoint("CP-A", 0, 0, is_real=False), StoredChargePoint("CP-B", 500, 0)])
    for identity in ("made-up", "CP-1", "CP-2"):
        followed(connected(identity))
    assert [figures.identity for figures in followed] == ["CP-B", "CP-A"]

    followed(BOOTED)
    assert [figures.identity for figures in followed] == ["CP-B", "CP-1"]
    followed(replace(STARTED, charge_point_id="CP-2"))
    assert [figures.identity for figures in followed] == ["CP-B", "CP-1"]
    assert followed.not_exported == 3

    followed.forget("CP-B")
    assert [figures.identity for figures in followed] == ["CP-1", "CP-2"]
    followed.forget("CP-1")
    followed.forget("CP-2")
    assert {figures.identity for figures in followed} == {"CP-A", "made-up"}


def test_one_that_was_forgotten_stays_so_until_it_connects_again() -> None:
    followed = fleet()
    for event in (connected(), BOOTED, FORGOTTEN, DISCONNECTED, PREPARING, STOPPED):
        followed(event)
    assert list(followed) == []

    followed(connected())
    (figures,) = followed
    assert (figures.boots, figures.energy_wh) == (0, 0)


def test_with_a_limit_of_nothing_nothing_is_kept() -> None:
    followed = fleet(limit=0)
    followed.load([StoredChargePoint("CP-1", 5000, 0)])
    for event in (connected(), PREPARING, STARTED, MEASURED, STOPPED):
        followed(event)

    assert list(followed) == []
    assert followed.not_exported == 0


def test_charge_points_without_end_are_not_kept_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "MOST_KNOWN", 3)
    followed = fleet(limit=1)
    for number in range(10):
        followed(connected(f"CP-{number}"))

    assert len(list(followed)) + followed.not_exported == 3


def test_a_scrape_goes_on_while_charge_points_come_and_go() -> None:
    followed = fleet()
    for identity in ("CP-1", "CP-2"):
        followed(connected(identity))
    seen = []
    for figures in followed:
        seen.append(figures.identity)
        followed.forget("CP-2")
        followed(connected("CP-3"))

    assert seen == ["CP-1", "CP-2"]
