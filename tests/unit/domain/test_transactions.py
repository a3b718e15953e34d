"""Transactions begin once and end once, whatever the charger repeats, loses or forgets."""

from __future__ import annotations

import json

import pytest

from mcpp.domain.events import TransactionRecovered, TransactionStarted, TransactionStopped
from mcpp_generated.db.enums import StopOrigin
from tests.unit.domain.books import NOW, Books, energy, minute


def test_a_start_is_booked_and_told(books: Books) -> None:
    outcome = books.start(meter=1000)

    transaction = books.transaction(outcome.value.transaction_id)
    assert (transaction.meter_start, transaction.started_at, transaction.stopped_at) == (1000, NOW, None)
    (event,) = outcome.events
    assert isinstance(event, TransactionStarted)
    assert event.transaction_id == transaction.id
    assert event.session_correlation_id == transaction.session_correlation_id


def test_a_repeated_start_gets_the_same_id_and_tells_nobody(books: Books) -> None:
    first = books.start()
    again = books.start()

    assert again.value.transaction_id == first.value.transaction_id
    assert again.events == ()
    assert books.count("transactions") == 1


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"connector": 2}, id="another connector"),
        pytest.param({"charger": "CP-2"}, id="another charge point"),
        pytest.param({"at": minute(1)}, id="another time"),
        pytest.param({"tag": "OTHER"}, id="another id tag"),
        pytest.param({"meter": 1001}, id="another register"),
    ],
)
def test_what_differs_is_another_start(books: Books, other: dict[str, object]) -> None:
    first = books.start().value.transaction_id
    second = books.start(**other).value.transaction_id  # type: ignore[arg-type]  # a table of keyword arguments

    assert second > first > 0


def test_ids_are_never_reused(books: Books) -> None:
    first = books.start().value.transaction_id
    books.connection.execute("DELETE FROM transactions")

    assert books.start().value.transaction_id > first


def test_a_stop_closes(books: Books) -> None:
    transaction_id = books.start(meter=1000).value.transaction_id
    outcome = books.stop(transaction_id, meter=4200, at=minute(30), tag="TAG")

    transaction = books.transaction(transaction_id)
    assert (transaction.meter_stop, transaction.stopped_at) == (4200, minute(30))
    assert transaction.stop_origin is StopOrigin.CHARGER
    (event,) = outcome.events
    assert isinstance(event, TransactionStopped)
    assert (event.energy_wh, event.energy_implausible, event.supersedes) == (3200, False, None)
    assert outcome.value.authorization is not None


def test_a_repeated_stop_changes_nothing(books: Books) -> None:
    transaction_id = books.start().value.transaction_id
    books.stop(transaction_id, meter=4200, at=minute(30), samples=[energy(minute(30), "4200")])
    again = books.stop(
        transaction_id, meter=4200, at=minute(30), received=minute(40), samples=[energy(minute(30), "4200")]
    )

    assert books.transaction(transaction_id).meter_stop == 4200
    assert books.values(transaction_id) == ["4200"]
    assert again.events == ()


@pytest.mark.parametrize("meter_stop", [999, -1, 0])
def test_a_register_that_fell_closes_without_energy_and_is_marked(books: Books, meter_stop: int) -> None:
    transaction_id = books.start(meter=1000).value.transaction_id
    (event,) = books.stop(transaction_id, meter=meter_stop, at=minute(1)).events

    assert isinstance(event, TransactionStopped)
    assert (event.energy_wh, event.energy_implausible) == (0, True)
    assert books.transaction(transaction_id).implausible_reason is event.implausible_reason is not None


def test_a_start_closes_what_its_connector_left_open_by_the_last_meter_value(books: Books) -> None:
    left = books.start(meter=1000).value.transaction_id
    books.meter_values(energy(minute(10), "1500"), energy(minute(20), "2100"), transaction_id=left)
    outcome = books.start(meter=3000, at=minute(60))

    recovered, started = outcome.events
    assert isinstance(recovered, TransactionRecovered)
    assert isinstance(started, TransactionStarted)
    transaction = books.transaction(left)
    assert (transaction.meter_stop, transaction.stopped_at) == (2100, minute(20))
    assert (transaction.stop_reason, transaction.stop_origin) == ("Other", StopOrigin.RECOVERED)
    assert json.loads(transaction.evidence or "") == {
        "cause": "next_start",
        "source": "meter_value",
        "next_started_at": "2026-05-01T13:00:00.000Z",
        "next_meter_start": 3000,
    }


def test_without_meter_values_the_next_start_is_the_evidence(books: Books) -> None:
    left = books.start(meter=1000).value.transaction_id
    books.start(meter=3000, at=minute(60))

    transaction = books.transaction(left)
    assert (transaction.meter_stop, transaction.stopped_at) == (3000, minute(60))
    assert json.loads(transaction.evidence or "")["source"] == "next_start"


def test_where_the_register_was_reset_only_the_own_start_is_left(books: Books) -> None:
    left = books.start(meter=1000).value.transaction_id
    books.start(meter=0, at=minute(60))

    transaction = books.transaction(left)
    assert (transaction.meter_stop, transaction.stopped_at) == (1000, NOW)
    assert json.loads(transaction.evidence or "")["source"] == "meter_start"


def test_the_real_stop_supersedes_a_recovery_once(books: Books) -> None:
    left = books.start(meter=1000).value.transaction_id
    books.start(meter=3000, at=minute(60))
    (event,) = books.stop(left, meter=2900, at=minute(50)).events
    again = books.stop(left, meter=2900, at=minute(50))

    assert isinstance(event, TransactionStopped)
    assert (event.supersedes, event.meter_stop) == (3000, 2900)
    transaction = books.transaction(left)
    assert (transaction.meter_stop, transaction.stop_origin, transaction.evidence) == (2900, StopOrigin.CHARGER, None)
    assert again.events == ()


def test_starts_queued_offline_are_booked_at_their_own_time(books: Books) -> None:
    first = books.start(meter=100, at=minute(-600)).value.transaction_id
    books.stop(first, meter=200, at=minute(-500))
    second = books.start(meter=200, at=minute(-400)).value.transaction_id

    assert books.transaction(first).started_at == minute(-600)
    assert books.transaction(second).started_at == minute(-400)
