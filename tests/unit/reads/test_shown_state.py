"""In which state a connector is shown."""

from __future__ import annotations

import pytest

from mcpp.domain.statuses import ConnectorStatus as Status
from mcpp.reads.connector_names import connector_mark, connector_name, shown_numbers
from mcpp.reads.shown_state import ShownState, shown_state


@pytest.mark.parametrize(
    ("status", "idle", "with_transaction"),
    [
        (None, "unavailable", "charging"),
        (Status.AVAILABLE, "free", "charging"),
        (Status.PREPARING, "plugged_in", "charging"),
        (Status.CHARGING, "charging", "charging"),
        (Status.SUSPENDED_EV, "plugged_in", "plugged_in"),
        (Status.SUSPENDED_EVSE, "plugged_in", "plugged_in"),
        (Status.FINISHING, "plugged_in", "plugged_in"),
        (Status.RESERVED, "reserved", "charging"),
        (Status.UNAVAILABLE, "unavailable", "unavailable"),
        (Status.FAULTED, "faulted", "faulted"),
    ],
)
def test_by_status(status: str | None, idle: str, with_transaction: str) -> None:
    def shown(*, transaction: bool) -> ShownState:
        return shown_state(connected=True, has_connected=True, status=status, has_transaction=transaction)

    assert (shown(transaction=False), shown(transaction=True)) == (idle, with_transaction)


def test_a_reservation_shows_where_nobody_is() -> None:
    for status, state in (
        (Status.AVAILABLE, "reserved"),
        (Status.PREPARING, "plugged_in"),
        (Status.FAULTED, "faulted"),
    ):
        assert shown_state(connected=True, has_connected=True, status=status, is_reserved=True) == state


def test_what_is_not_connected_says_nothing_else() -> None:
    assert shown_state(connected=False, has_connected=True, status=Status.FAULTED) == "offline"
    assert shown_state(connected=False, has_connected=False, status=None) == "never_connected"


def test_connector_0_is_shown_where_there_is_no_other() -> None:
    assert shown_numbers([(0, 2), (0, 0), (0, 1)]) == [(0, 1), (0, 2)]
    assert shown_numbers([(0, 0), (2, 1), (1, 2), (1, 0), (1, 1)]) == [(1, 1), (1, 2), (2, 1)]
    assert shown_numbers([(0, 0)]) == shown_numbers([]) == [(0, 0)]


@pytest.mark.parametrize(
    ("evse_id", "connector_id", "several", "name", "mark"),
    [
        (0, 0, None, "the whole charger", "#0"),
        (0, 2, None, "connector 2", "#2"),
        (1, 1, False, "EVSE 1", "EVSE 1"),
        (1, 2, True, "EVSE 1, connector 2", "EVSE 1 #2"),
        (1, 1, True, "EVSE 1, connector 1", "EVSE 1 #1"),
        (1, 2, None, "EVSE 1, connector 2", "EVSE 1 #2"),
        (1, 1, None, "EVSE 1", "EVSE 1"),
        (1, 0, True, "EVSE 1", "EVSE 1"),
    ],
)
def test_what_a_connector_is_called(
    evse_id: int, connector_id: int, several: bool | None, name: str, mark: str
) -> None:
    assert connector_name(connector_id, evse_id, several=several) == name
    assert connector_mark(connector_id, evse_id, several=several) == mark
