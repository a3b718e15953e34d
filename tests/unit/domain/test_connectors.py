"""Connectors: statuses, and the session from Preparing to the stored stop."""

from __future__ import annotations

from mcpp.domain.connectors import ReportStatus, report_status
from mcpp.domain.events import ConnectorStatusChanged
from mcpp.domain.memory import Memory
from mcpp.domain.occasion import Result
from mcpp.domain.statuses import NO_ERROR, ConnectorError, ConnectorStatus
from tests.unit.domain.books import NOW, Books, minute


def report(books: Books, status: str, error_code: str = NO_ERROR) -> Result[None]:
    report = ReportStatus(1, ConnectorStatus(status), ConnectorError(error_code), None, None, None, NOW)
    return report_status(books.q, books.occasion(), report, Memory())


def session(books: Books) -> str | None:
    connector = books.q.get_connector(charge_point_key=books.occasion().charge_point_key, evse_id=0, connector_id=1)
    assert connector is not None
    return connector.session_correlation_id


def test_a_new_status_is_told_with_the_old_one_and_a_repeat_is_not(books: Books) -> None:
    (first,) = report(books, "Available").events
    repeated = report(books, "Available")
    (faulted,) = report(books, "Faulted", "GroundFailure").events

    assert isinstance(first, ConnectorStatusChanged)
    assert isinstance(faulted, ConnectorStatusChanged)
    assert (first.previous_status, first.status) == (None, "Available")
    assert repeated.events == ()
    assert (faulted.previous_status, faulted.error_code) == ("Available", "GroundFailure")
    point = books.q.get_charge_point(identity="CP-1")
    assert point is not None
    assert (point.last_status_at, point.last_error_at) == (NOW, NOW)


def test_a_session_lasts_from_preparing_to_the_stop(books: Books) -> None:
    report(books, "Preparing")
    begun = session(books)
    report(books, "Preparing")
    started = books.start()
    running = books.transaction(started.value.transaction_id)
    report(books, "Charging")
    report(books, "Finishing")
    still = session(books)
    books.stop(running.id, at=minute(5))

    assert begun is not None
    assert running.session_correlation_id == begun == still
    assert session(books) is None


def test_a_plug_without_a_transaction_ends_its_session_when_it_is_pulled(books: Books) -> None:
    report(books, "Preparing")
    first = session(books)
    report(books, "Available")
    between = session(books)
    report(books, "Preparing")

    assert between is None
    assert session(books) not in {None, first}


def test_a_start_without_preparing_begins_a_session(books: Books) -> None:
    started = books.start().value

    assert session(books) == books.transaction(started.transaction_id).session_correlation_id


def test_available_while_the_transaction_runs_keeps_the_session(books: Books) -> None:
    books.start()
    running = session(books)
    report(books, "Available")

    assert session(books) == running
