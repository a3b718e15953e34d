"""Samples that aren't kept any longer go in portions, the books stay; so goes all that a purged charge point has."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from mcpp.domain import charge_points
from mcpp.domain.energy import account_of
from mcpp.domain.memory import ensure_connector
from mcpp.domain.occasion import OperatorOccasion
from mcpp.domain.retention import Place, purge_portion, thin_samples
from mcpp.domain.samples import Sample, SampleKind
from tests.unit.domain.books import NOW, Books, energy, minute

POWER = SampleKind("Power.Active.Import", "", "W", "Sample.Periodic", "Outlet", "Raw")
LATER = NOW + timedelta(days=30)


def moment(number: float, wh: int) -> tuple[Sample, Sample]:
    return energy(minute(number), str(wh)), Sample(minute(number), POWER, "7000", 1)


def thin(books: Books, before: datetime, rows: int = 1000) -> int:
    """All of it; how many portions that took."""
    place: Place | None = Place()
    portions = 0
    while place is not None:
        place = thin_samples(books.q, before, place, rows)
        portions += 1
        assert portions < 1000
    return portions


def ended(books: Books, moments: int = 30) -> int:
    transaction_id = books.start().value.transaction_id
    for number in range(1, moments + 1):
        books.meter_values(*moment(number, 1000 + 100 * number), transaction_id=transaction_id)
    books.stop(transaction_id, at=minute(moments + 1), meter=1000 + 100 * moments)
    return transaction_id


def all_rows(books: Books) -> list[object]:
    return [
        books.connection.execute(f"SELECT * FROM {table}").fetchall()
        for (table,) in books.connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        if table not in {"transactions", "transaction_readings", "connector_readings"}
    ]


@pytest.mark.parametrize("rows", [1, 2, 7, 1000])
def test_of_an_ended_transaction_the_evidence_stays(books: Books, rows: int) -> None:
    transaction_id = ended(books)
    booked, others = books.transaction(transaction_id), all_rows(books)
    claim = account_of(books.q, booked).claim()

    thin(books, LATER, rows)

    assert books.values(transaction_id) == [str(1000 + 100 * number) for number in range(1, 31)]
    assert books.transaction(transaction_id) == booked._replace(samples_thinned=True)
    assert account_of(books.q, booked).claim() == claim
    assert all_rows(books) == others


def test_what_ended_later_or_runs_is_untouched(books: Books) -> None:
    transaction_id = ended(books)
    running = books.start(at=minute(100), meter=9000).value.transaction_id
    books.meter_values(*moment(101, 9100), transaction_id=running)

    thin(books, NOW)
    assert len(books.values(transaction_id)) == 60
    thin(books, LATER)
    assert len(books.values(transaction_id)) == 30
    assert len(books.values(running)) == 2


def test_what_comes_late_for_a_thinned_transaction_goes_the_next_time(books: Books) -> None:
    transaction_id = ended(books)
    thin(books, LATER)
    books.meter_values(*moment(5.5, 1550), transaction_id=transaction_id)
    assert "7000" in books.values(transaction_id)

    thin(books, LATER)

    assert "7000" not in books.values(transaction_id)
    assert "1550" in books.values(transaction_id)


def test_what_was_measured_outside_of_transactions_goes(books: Books) -> None:
    for number in range(25):
        books.meter_values(Sample(minute(number), POWER, "0", 0))
    assert books.count("connector_readings") == 25

    thin(books, minute(0), 10)
    assert books.count("connector_readings") == 25
    thin(books, LATER, 10)
    assert books.count("connector_readings") == 0


def purge(books: Books, key: int, rows: int, between: Callable[[], None] = lambda: None) -> int:
    portions = 0
    while purge_portion(books.q, key, rows):
        between()
        portions += 1
        assert portions < 1000
    return portions


@pytest.mark.parametrize("rows", [1, 10, 1000])
def test_a_purge_leaves_little_and_only_its_own_for_the_last_step(books: Books, rows: int) -> None:
    ended(books)
    running = books.start(at=minute(100), meter=9000).value.transaction_id
    for number in range(40):
        books.meter_values(*moment(101 + number, 9000 + number), transaction_id=running)
    other = books.start(charger="CP-2").value.transaction_id
    key, least = books.occasion().charge_point_key, books.count("transaction_readings")

    def check() -> None:
        """What a crash between two portions would leave."""
        nonlocal least
        assert books.connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert least - books.count("transaction_readings") <= rows
        least = books.count("transaction_readings")

    purge(books, key, rows, check)
    assert books.count("transaction_readings") <= rows
    assert books.transaction(running).stopped_at is None

    deletion = charge_points.delete_charge_point(books.q, OperatorOccasion("f" * 32, NOW), "CP-1", purge=True)
    assert deletion.value is not None
    assert deletion.value.deleted
    assert books.count("transaction_readings") == 0
    assert books.transaction(other).stopped_at is None


def test_the_history_of_connectors_goes_in_portions_too(books: Books) -> None:
    key = books.occasion().charge_point_key
    for connector_id in range(1, 4):
        connector = ensure_connector(books.q, key, connector_id)
        for number in range(20):
            books.q.put_connector_status(
                connector_key=connector.key, slot=number, began_at=minute(number), status="Available"
            )

    left = [books.count("connector_statuses")]
    purge(books, key, 20, lambda: left.append(books.count("connector_statuses")))

    assert left == [60, 40, 20, 0]
