"""What a session took is one answer, whoever is asked: live, the metrics, a broker's topics, `mcpp trace`, and in the
end the charger's stop, recovery, or the operator who closes it.

Each row of the table is what a charger sends, from the domain's door on; each column is read where a user reads it.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from mcpp.domain.closing import Cause, close_by_evidence, close_by_operator, last_evidence
from mcpp.domain.energy import energy_so_far
from mcpp.domain.events import TransactionStopped
from mcpp.domain.memory import Memory
from mcpp.domain.meter_values import RecordMeterValues, record_meter_values
from mcpp.domain.occasion import OperatorOccasion, OriginalMessage
from mcpp.domain.samples import Sample
from mcpp.reads.transactions import Transaction, transaction_of
from mcpp_generated.db.enums import StopOrigin
from tests.evidence_rows import ROWS, Message, Row, kind_of
from tests.integration.shown import CHARGE_POINTS, Session, ask_broker, ask_metrics, ask_trace
from tests.unit.domain.books import Books

# In the past, since messages are received now; readings become stale by the time of day.
BEGIN = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
ELSEWHERE = 99
"""A connector that has no session."""


def sent(message: Message) -> list[Sample]:
    at = BEGIN + timedelta(minutes=message.minute)
    return [Sample(at, kind_of(sampled), sampled["value"], place) for place, sampled in enumerate(message.samples)]


def hold(books: Books, row: Row, charge_point_id: str, connector_id: int) -> Session:
    """A session as the domain stores it, with the events that come of it."""
    memory = Memory()
    started = books.start(charger=charge_point_id, connector=connector_id, meter=row.start, at=BEGIN)
    session = Session(charge_point_id, connector_id, started.value.transaction_id, list(started.events))
    for message in row.messages:
        command = RecordMeterValues(
            ELSEWHERE if message.from_elsewhere else connector_id,
            session.transaction_id if message.names_it else 0,
            sent(message),
            OriginalMessage("1.6", lambda: "{}"),
        )
        occasion = books.occasion(charge_point_id, BEGIN + timedelta(minutes=message.minute))
        recorded = record_meter_values(books.q, occasion, command, memory)
        session.events += recorded.events
    return session


@dataclass
class Held:
    """All sessions, and the database that has them, open."""

    sessions: dict[str, Session]
    database: sqlite3.Connection

    @contextmanager
    def copy(self) -> Iterator[Books]:
        """The same once more, to end sessions in."""
        books = Books()
        with closing(books.connection):
            self.database.backup(books.connection)
            yield books


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Held]:
    books = Books()
    sessions = [
        hold(books, row, CHARGE_POINTS[number % len(CHARGE_POINTS)], 1 + number // len(CHARGE_POINTS))
        for number, row in enumerate(ROWS)
    ]
    path = tmp_path_factory.mktemp("evidence") / "mcpp.db"
    with closing(sqlite3.connect(path)) as file:
        books.connection.backup(file)
    ask_trace(path, [session for row, session in zip(ROWS, sessions, strict=True) if row.messages])
    asyncio.run(ask_metrics(sessions))
    asyncio.run(ask_broker(sessions))
    with closing(books.connection):
        yield Held({row.says: session for row, session in zip(ROWS, sessions, strict=True)}, books.connection)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.says)
def test_all_who_show_a_running_session_say_the_same(row: Row, held: Held) -> None:
    session = held.sessions[row.says]
    with held.copy() as books:
        live = energy_so_far(books.q, books.transaction(session.transaction_id))
    shown = {who: answer.wh for who, answer in session.answers.items()}

    assert live == row.wh
    # A session begins at 0 in the metrics and on the broker, and is in no trace's meter lines before its first value.
    assert shown == {"metrics": row.wh or None, "MQTT": row.wh or 0} | ({"trace": row.wh} if row.messages else {})


def ended(books: Books, transaction_id: int) -> Transaction:
    """As the API shows it."""
    record = books.q.get_transaction(transaction_id=transaction_id)
    assert record is not None
    return transaction_of(record)


def recover(books: Books, transaction_id: int) -> None:
    transaction = books.transaction(transaction_id)
    evidence = last_evidence(books.q, transaction, Cause.BOOT)
    close_by_evidence(books.q, books.occasion(at=BEGIN + timedelta(hours=1)), transaction, evidence)


def close(books: Books, transaction_id: int) -> None:
    close_by_operator(books.q, OperatorOccasion("a" * 32, BEGIN + timedelta(hours=1)), transaction_id)


@pytest.mark.parametrize("end", [recover, close])
@pytest.mark.parametrize("row", [row for row in ROWS if row.stop is None], ids=lambda row: row.says)
def test_without_a_stop_its_values_are_the_bill(row: Row, held: Held, end: Callable[[Books, int], None]) -> None:
    transaction_id = held.sessions[row.says].transaction_id
    with held.copy() as books:
        end(books, transaction_id)
        transaction = ended(books, transaction_id)
        evidence = json.loads(books.transaction(transaction_id).evidence or "{}")

    assert (transaction.energy_wh, transaction.energy_implausible) == (row.wh or 0, row.reason is not None)
    assert transaction.reason is row.reason
    told = {name: evidence[name] for name in ("register", "form", "fell_to_wh") if name in evidence}
    assert told == row.facts


@pytest.mark.parametrize("row", [row for row in ROWS if row.stop is not None], ids=lambda row: row.says)
def test_with_a_stop(row: Row, held: Held) -> None:
    session = held.sessions[row.says]
    assert row.stop is not None
    with held.copy() as books:
        stopped = books.stop(
            session.transaction_id, charger=session.charge_point_id, meter=row.stop, at=BEGIN + timedelta(hours=1)
        )
        transaction = ended(books, session.transaction_id)
    (event,) = stopped.events

    assert isinstance(event, TransactionStopped)
    assert (event.energy_wh, event.implausible_reason) == (row.bill, row.reason)
    assert (transaction.energy_wh, transaction.reason) == (row.bill, row.reason)
    assert (transaction.meter_stop, transaction.stop_origin) == (row.stop, StopOrigin.CHARGER)
    assert (transaction.evidence is None) == (row.reason is not None or row.bill == row.stop - row.start)
