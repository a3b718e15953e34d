"""However a charger groups and repeats its samples, each is stored once, and read in order of time, then as sent."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from mcpp.domain.energy import account_of
from mcpp.domain.memory import Memory
from mcpp.domain.samples import ENERGY_REGISTER, Sample, SampleKind
from mcpp_generated.db.models import ListTransactionSamplesRow
from tests.unit.domain.books import NOW, Books, energy, minute

KINDS = (
    SampleKind(ENERGY_REGISTER, "", "Wh", "Sample.Periodic", "Outlet", "Raw"),
    SampleKind(ENERGY_REGISTER, "", "kWh", "Transaction.End", "Outlet", "Raw"),
    SampleKind(ENERGY_REGISTER, "L1", "Wh", "Sample.Periodic", "Outlet", "Raw"),
    SampleKind("Voltage", "L1-N", "V", "Sample.Periodic", "Outlet", "Raw"),
)

moments = st.sampled_from([minute(number) for number in range(3)])
"""Few, as of a clock that stands still now and then."""
values = st.sampled_from(["1000", "2", "2 000", "", '"', "\\u0000", "naïve"])
messages = st.lists(st.tuples(moments, st.sampled_from(KINDS), values), min_size=1, max_size=6)
Message = Sequence[tuple[datetime, SampleKind, str]]


def sent(message: Message) -> list[Sample]:
    """With positions within each moment, as MeterValues has them."""
    by_moment: dict[datetime, int] = {}
    samples = []
    for measured_at, kind, value in message:
        position = by_moment[measured_at] = by_moment.get(measured_at, -1) + 1
        samples.append(Sample(measured_at, kind, value, position))
    return samples


def pages(books: Books, transaction_id: int, page_size: int) -> list[ListTransactionSamplesRow]:
    """All samples of a transaction, some at a time."""
    found: list[ListTransactionSamplesRow] = []
    measured_at, position, kind_id, value = datetime.min.replace(tzinfo=UTC), -1, 0, ""
    while page := books.q.list_transaction_samples(
        transaction_id=transaction_id,
        measured_at=measured_at,
        position=position,
        kind_id=kind_id,
        value=value,
        page_size=page_size,
    ):
        found += page
        measured_at, position, kind_id, value = page[-1][:4]
    return found


@given(
    deliveries=st.lists(st.tuples(st.sampled_from(["open", "stop", "connector"]), messages), max_size=6),
    page_size=st.integers(1, 20),
)
def test_each_sample_is_stored_once(deliveries: list[tuple[str, Message]], page_size: int) -> None:
    books = Books()
    with closing(books.connection):
        transaction_id = books.start(at=minute(-1)).value.transaction_id
        stored: dict[tuple[datetime, SampleKind, str], None] = {}
        elsewhere: set[tuple[datetime, SampleKind, str]] = set()
        for number, (way, message) in enumerate(deliveries):
            samples, received = sent(message), minute(100 + number)
            if way == "connector":
                books.meter_values(*samples, connector=2, received=received)
                elsewhere.update(message)
                continue
            if way == "open":
                books.meter_values(*samples, transaction_id=transaction_id, received=received)
            else:
                books.stop(transaction_id, at=minute(99), received=received, samples=samples)
            stored |= dict.fromkeys(message)

        rows = pages(books, transaction_id, page_size)

        assert rows == pages(books, transaction_id, 1000)
        assert [row[:4] for row in rows] == sorted(row[:4] for row in rows)
        assert sorted((row.measured_at, *row[4:], row.value) for row in rows) == sorted(
            (at, *kind.as_dict().values(), value) for at, kind, value in stored
        )
        assert books.count("connector_samples") == len(elsewhere)


@given(message=messages)
def test_the_samples_of_a_moment_are_read_as_sent(message: Message) -> None:
    books = Books()
    with closing(books.connection):
        transaction_id = books.start(at=minute(-1)).value.transaction_id
        books.meter_values(*sent(message), transaction_id=transaction_id)

        rows = pages(books, transaction_id, 1000)
        found = [(row.measured_at, SampleKind(*row[4:]), row.value) for row in rows]
        assert found == sorted(dict.fromkeys(message), key=lambda sample: sample[0])
        assert books.count("transaction_readings") == len({measured_at for measured_at, _, _ in message})


@given(deliveries=st.lists(messages, max_size=6))
def test_the_energy_is_the_same_whether_it_is_remembered_or_read(deliveries: list[Message]) -> None:
    books, memory = Books(), Memory()
    with closing(books.connection):
        transaction_id = books.start(meter=0, at=minute(-1)).value.transaction_id
        for number, message in enumerate(deliveries):
            books.meter_values(
                *sent(message), transaction_id=transaction_id, received=minute(100 + number), memory=memory
            )
        transaction = books.transaction(transaction_id)

        assert memory.account(books.q, transaction).claim() == account_of(books.q, transaction).claim()


def test_a_reading_at_the_limit_counts_and_a_later_one_does_not(books: Books) -> None:
    transaction_id = books.start().value.transaction_id
    for number, value in ((1, "1100"), (2, "1200"), (3, "1300")):
        books.meter_values(energy(minute(number), value), transaction_id=transaction_id)
    transaction = books.transaction(transaction_id)

    assert account_of(books.q, transaction, until=minute(2)).energy_wh == 200
    assert account_of(books.q, transaction, until=minute(2) - timedelta(milliseconds=1)).energy_wh == 100
    assert account_of(books.q, transaction, until=minute(0.5)).energy_wh is None


def test_a_nul_does_not_end_a_value(books: Books) -> None:
    transaction_id = books.start().value.transaction_id
    for _ in range(2):
        books.meter_values(energy(NOW, "12\x0034"), energy(NOW, "56"), transaction_id=transaction_id)
        books.meter_values(energy(NOW, "78\x0090"), transaction_id=transaction_id)

    assert sorted(books.values(transaction_id)) == ["12\ufffd34", "56", "78\ufffd90"]
