"""The domain's words for how a connector of an EVSE stands: a line of the module's table each."""

from __future__ import annotations

import pytest

from mcpp.domain.evse_states import (
    ChargingState,
    ReportedStatus,
    status_after_end,
    status_after_event,
    status_after_report,
)
from mcpp.domain.statuses import ConnectorStatus

AVAILABLE, OCCUPIED, RESERVED = ReportedStatus.AVAILABLE, ReportedStatus.OCCUPIED, ReportedStatus.RESERVED
CHARGING, CONNECTED, IDLE = ChargingState.CHARGING, ChargingState.EV_CONNECTED, ChargingState.IDLE


@pytest.mark.parametrize(
    ("reported", "before", "state", "status"),
    [
        (AVAILABLE, "Preparing", IDLE, "Preparing"),
        (AVAILABLE, "Preparing", None, "Preparing"),
        (AVAILABLE, "Charging", CHARGING, "Available"),
        (AVAILABLE, "Finishing", IDLE, "Available"),
        (OCCUPIED, "Available", CHARGING, "Charging"),
        (OCCUPIED, "Charging", ChargingState.SUSPENDED_EV, "SuspendedEV"),
        (OCCUPIED, "Charging", ChargingState.SUSPENDED_EVSE, "SuspendedEVSE"),
        (OCCUPIED, "Available", CONNECTED, "Preparing"),
        (OCCUPIED, "Charging", CONNECTED, "Finishing"),
        (OCCUPIED, "Available", None, "Charging"),
        (RESERVED, "Available", CONNECTED, "Preparing"),
        (ReportedStatus.UNAVAILABLE, "Charging", CHARGING, "Unavailable"),
        (ReportedStatus.FAULTED, "Charging", CHARGING, "Faulted"),
    ],
)
def test_a_report_while_a_transaction_runs(
    reported: ReportedStatus, before: str, state: ChargingState | None, status: str
) -> None:
    assert status_after_report(reported, before, runs=True, state=state) == status


@pytest.mark.parametrize(
    ("reported", "before", "status"),
    [
        (AVAILABLE, "Finishing", "Available"),
        (RESERVED, "Available", "Reserved"),
        (OCCUPIED, "Available", "Preparing"),
        (OCCUPIED, None, "Preparing"),
        (OCCUPIED, "Finishing", "Finishing"),
        (ReportedStatus.FAULTED, "Available", "Faulted"),
    ],
)
def test_a_report_without_a_transaction(reported: ReportedStatus, before: str | None, status: str) -> None:
    assert status_after_report(reported, before, runs=False, state=None) == status


@pytest.mark.parametrize(
    ("reported", "before", "state", "status"),
    [
        ("Available", "Available", CHARGING, "Charging"),
        (None, None, CONNECTED, "Preparing"),
        ("Occupied", "SuspendedEV", IDLE, "Finishing"),
        ("Faulted", "Faulted", CHARGING, "Faulted"),
    ],
)
def test_an_event_says_that_the_connector_is_taken(
    reported: str | None, before: str | None, state: ChargingState, status: str
) -> None:
    assert status_after_event(reported, before, state) == status


@pytest.mark.parametrize(
    ("reported", "state", "status"),
    [
        ("Occupied", IDLE, "Finishing"),
        ("Available", CONNECTED, "Available"),
        (None, IDLE, "Available"),
        (None, CONNECTED, "Finishing"),
        ("Unavailable", IDLE, "Unavailable"),
    ],
)
def test_an_end_leaves_the_connector(reported: str | None, state: ChargingState, status: str) -> None:
    assert status_after_end(reported, state) == status


def test_every_word_means_something() -> None:
    for reported in ReportedStatus:
        for before in (None, *ConnectorStatus):
            for state in (None, *ChargingState):
                assert status_after_report(reported, before, runs=True, state=state) in ConnectorStatus
