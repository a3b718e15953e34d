"""Meter values are filed with the transaction of their time, once however often they come."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mcpp.domain.events import MeterValuesReceived, RecordUnmatched
from mcpp.domain.memory import Memory
from tests.unit.domain.books import ENERGY, NOW, Books, energy, minute


def test_samples_are_stored_once_whoever_names_the_transaction(books: Books) -> None:
    transaction_id = books.start().value.transaction_id
    books.meter_values(energy(minute(1), "1100"), transaction_id=transaction_id)
    books.meter_values(energy(minute(1), "1100"), transaction_id=transaction_id)
    books.meter_values(energy(minute(1), "1100"))
    books.stop(transaction_id, at=minute(2), samples=[energy(minute(1), "1100"), energy(minute(2), "1200")])

    assert books.values(transaction_id) == ["1100", "1200"]


def test_a_clock_that_stands_still_loses_no_value(books: Books) -> None:
    transaction_id = books.start().value.transaction_id
    for value in ("1100", "1200", "1200", "1300"):
        books.meter_values(energy(NOW, value), transaction_id=transaction_id)

    assert sorted(books.values(transaction_id)) == ["1100", "1200", "1300"]


@pytest.mark.parametrize("claimed", [0, 4711])
def test_without_a_known_id_they_go_to_the_transaction_of_their_time(books: Books, claimed: int) -> None:
    first = books.start().value.transaction_id
    books.stop(first, at=minute(10))
    second = books.start(at=minute(20), meter=5000).value.transaction_id
    books.meter_values(energy(minute(5), "1"), transaction_id=claimed)
    books.meter_values(energy(minute(25), "2"), transaction_id=claimed)

    assert (books.values(first), books.values(second)) == (["1"], ["2"])


def test_a_stale_id_gives_way_to_the_transaction_that_runs(books: Books) -> None:
    first = books.start().value.transaction_id
    books.stop(first, at=minute(10))
    second = books.start(at=minute(20), meter=5000).value.transaction_id
    books.meter_values(energy(minute(25), "2"), transaction_id=first)

    assert (books.values(first), books.values(second)) == ([], ["2"])


def test_values_after_the_stop_stay_with_their_transaction(books: Books) -> None:
    transaction_id = books.start().value.transaction_id
    books.stop(transaction_id, at=minute(10))
    books.meter_values(energy(minute(11), "5000"), transaction_id=transaction_id)

    assert books.values(transaction_id) == ["5000"]


def test_values_outside_of_any_transaction_stay_with_the_connector(books: Books) -> None:
    (event,) = books.meter_values(energy(NOW, "7")).events
    books.meter_values(energy(NOW, "7"))

    assert isinstance(event, MeterValuesReceived)
    assert event.transaction_id is None
    assert books.count("connector_samples") == 1


def test_values_of_an_unknown_transaction_are_kept_whole_once(books: Books) -> None:
    kept, shown = books.meter_values(energy(NOW, "7"), transaction_id=4711).events
    (again,) = books.meter_values(energy(NOW, "7"), transaction_id=4711).events

    assert isinstance(kept, RecordUnmatched)
    assert kept.claimed_transaction_id == 4711
    for event in (shown, again):
        assert isinstance(event, MeterValuesReceived)
        assert (event.transaction_id, event.energy_wh, event.historic) == (None, None, False)
    assert (books.count("unmatched"), books.count("connector_samples")) == (1, 0)


@pytest.mark.parametrize("claimed", [-1, 2**31, 2**63 - 1, 2**64])
def test_an_id_that_no_transaction_can_have_counts_as_none(books: Books, claimed: int) -> None:
    (event,) = books.meter_values(energy(NOW, "7"), transaction_id=claimed).events

    assert isinstance(event, MeterValuesReceived)
    assert (books.count("unmatched"), books.count("connector_samples")) == (0, 1)


def test_values_of_a_transaction_that_is_over_are_of_the_past(books: Books) -> None:
    transaction_id = books.start().value.transaction_id
    (running,) = books.meter_values(energy(minute(1), "1100"), transaction_id=transaction_id).events
    books.stop(transaction_id, at=minute(10))
    (late,) = books.meter_values(energy(minute(5), "1200"), transaction_id=transaction_id).events

    assert isinstance(running, MeterValuesReceived)
    assert isinstance(late, MeterValuesReceived)
    assert (running.historic, late.historic) == (False, True)


def test_another_charge_points_transaction_gets_no_values(books: Books) -> None:
    foreign = books.start(charger="CP-2").value.transaction_id
    books.meter_values(energy(minute(1), "7"), transaction_id=foreign, charger="CP-1")

    assert books.values(foreign) == []
    assert books.count("unmatched") == 1


def test_a_kind_is_stored_once_whether_it_is_remembered_or_not(books: Books) -> None:
    power = replace(ENERGY, measurand="Power.Active.Import", unit="W")
    memory = Memory()
    for number in range(2):
        books.meter_values(energy(minute(number), "1"), energy(minute(number), "2", power), memory=memory)
    keys = dict(memory.kinds)
    memory.rolled_back()
    books.meter_values(energy(minute(2), "1"), energy(minute(2), "2", power), memory=memory)

    assert set(keys) == {ENERGY, power}
    assert memory.kinds == keys
    assert books.count("sample_kinds") == 2
