"""An operator closes what a charger that's gone left open."""

from __future__ import annotations

import json

import pytest

from mcpp.domain.closing import close_by_operator
from mcpp.domain.errors import Conflict, Unknown
from mcpp.domain.events import TransactionRecovered, TransactionStopped
from mcpp.domain.occasion import OperatorOccasion
from mcpp_generated.db.enums import StopOrigin
from tests.unit.domain.books import NOW, Books, energy, minute

OPERATOR = OperatorOccasion("0" * 31 + "1", minute(600))


def session(books: Books) -> str | None:
    connector = books.q.get_connector(charge_point_key=books.occasion().charge_point_key, evse_id=0, connector_id=1)
    assert connector is not None
    return connector.session_correlation_id


def test_it_closes_by_the_last_meter_value(books: Books) -> None:
    transaction_id = books.start(meter=1000).value.transaction_id
    books.meter_values(energy(minute(10), "1500"), energy(minute(20), "2100"), transaction_id=transaction_id)
    (event,) = close_by_operator(books.q, OPERATOR, transaction_id).events

    closed = books.transaction(transaction_id)
    assert (closed.meter_stop, closed.stopped_at, closed.stop_received_at) == (2100, minute(20), minute(600))
    assert (closed.stop_origin, closed.stop_reason) == (StopOrigin.OPERATOR, "Other")
    assert json.loads(closed.evidence or "") == {"cause": "operator", "source": "meter_value"}
    assert isinstance(event, TransactionStopped)
    assert not isinstance(event, TransactionRecovered)
    assert (event.charge_point_id, event.connector_id, event.energy_wh) == ("CP-1", 1, 1100)
    assert (event.origin, event.evidence, event.supersedes) == (StopOrigin.OPERATOR, closed.evidence, None)
    assert (event.correlation_id, event.at) == (OPERATOR.correlation_id, OPERATOR.at)
    assert session(books) is None


def test_without_meter_values_only_the_start_is_left(books: Books) -> None:
    transaction_id = books.start(meter=1000).value.transaction_id
    close_by_operator(books.q, OPERATOR, transaction_id)

    closed = books.transaction(transaction_id)
    assert (closed.meter_stop, closed.stopped_at) == (1000, NOW)
    assert json.loads(closed.evidence or "") == {"cause": "operator", "source": "meter_start"}


def test_the_chargers_own_stop_still_counts(books: Books) -> None:
    transaction_id = books.start(meter=1000).value.transaction_id
    close_by_operator(books.q, OPERATOR, transaction_id)
    (event,) = books.stop(transaction_id, meter=2500, at=minute(25)).events

    closed = books.transaction(transaction_id)
    assert (closed.meter_stop, closed.stop_origin, closed.evidence) == (2500, StopOrigin.CHARGER, None)
    assert isinstance(event, TransactionStopped)
    assert event.supersedes == 1000


@pytest.mark.parametrize("by", ["charger", "operator"])
def test_a_stopped_one_is_not_closed_again(books: Books, by: str) -> None:
    transaction_id = books.start().value.transaction_id
    if by == "charger":
        books.stop(transaction_id, at=minute(5))
    else:
        close_by_operator(books.q, OPERATOR, transaction_id)
    before = books.transaction(transaction_id)

    with pytest.raises(Conflict):
        close_by_operator(books.q, OPERATOR, transaction_id)
    assert books.transaction(transaction_id) == before


def test_an_unknown_one(books: Books) -> None:
    with pytest.raises(Unknown):
        close_by_operator(books.q, OPERATOR, 4711)
