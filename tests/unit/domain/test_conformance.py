"""The conformance record: gathered, bounded, and kept with the firmware that departed from the contract."""

from __future__ import annotations

from datetime import datetime

import pytest

from mcpp.domain import charge_points
from mcpp.domain.charge_points import Boot
from mcpp.domain.conformance import (
    ELSEWHERE,
    KINDS_PER_CHARGE_POINT,
    ConformanceBook,
    Kind,
    Seen,
    Waiting,
    write_departures,
)
from mcpp.domain.events import ChargePointForgotten
from mcpp.domain.occasion import OperatorOccasion
from mcpp.reads.conformance import Departure, list_all, list_all_of
from mcpp_generated.db.enums import MessageRole
from tests.unit.domain.books import NOW, Books, minute

UNIT = Kind("MeterValues", MessageRole.CALL, "letter_case", "meterValue[].sampledValue[].unit")


def seen(times: int = 1, at: datetime = NOW, example: str = '"wh"', taken_as: str = '"Wh"') -> Seen:
    return Seen(times, at, at, example, taken_as)


def field(number: int) -> Kind:
    return UNIT._replace(field=f"field{number}")


def boot(firmware_version: str | None, vendor: str = "Acme") -> Boot:
    return Boot(vendor, "One", None, None, firmware_version, None, None, None, None)


def record(books: Books, *waiting: Waiting) -> None:
    write_departures(books.q, waiting)


def of(books: Books, charge_point_id: str = "CP-1") -> list[Departure]:
    found = list_all_of(books.q, charge_point_id)
    assert found is not None
    return found


def test_what_is_of_one_kind_is_counted_together_and_the_last_example_is_kept() -> None:
    book = ConformanceBook()
    book.add("CP-1", UNIT, seen(2))
    book.add("CP-1", UNIT, seen(3, minute(1), '"wH"'))
    book.add("CP-2", UNIT, seen())

    assert book.take() == [
        Waiting("CP-1", UNIT, Seen(5, NOW, minute(1), '"wH"', '"Wh"')),
        Waiting("CP-2", UNIT, seen()),
    ]
    assert book.take() == []


def test_what_could_not_be_written_is_older_than_what_came_since() -> None:
    book = ConformanceBook()
    book.add("CP-1", UNIT, seen(2))
    taken = book.take()
    book.add("CP-1", UNIT, seen(1, minute(1), '"wH"'))
    book.put_back(taken)

    assert book.take() == [Waiting("CP-1", UNIT, Seen(3, NOW, minute(1), '"wH"', '"Wh"'))]


def test_memory_is_bounded_and_what_is_more_is_counted_elsewhere() -> None:
    book = ConformanceBook(limit=KINDS_PER_CHARGE_POINT + 50)
    for number in range(300):
        book.add("CP-1", field(number), seen())
        book.add("CP-2", field(number), seen())
    taken = book.take()
    elsewhere = {w.charge_point_id: w.seen for w in taken if w.kind == ELSEWHERE}

    assert len(taken) == KINDS_PER_CHARGE_POINT + 50 + 2
    assert sum(w.seen.times for w in taken) == 600
    assert {it.example for it in elsewhere.values()} == {""}


def test_a_forgotten_charge_point_takes_its_record_with_it(books: Books) -> None:
    book = ConformanceBook()
    record(books, Waiting("CP-1", UNIT, seen()), Waiting("CP-2", UNIT, seen()))
    book.add("CP-1", UNIT, seen())
    result = charge_points.delete_charge_point(books.q, OperatorOccasion("f" * 32, NOW), "CP-1", purge=True)
    (event,) = result.events
    assert isinstance(event, ChargePointForgotten)
    book(event)
    record(books, Waiting("CP-1", UNIT, seen()))

    assert book.take() == []
    assert list_all_of(books.q, "CP-1") is None
    (left,) = list_all(books.q)
    assert (left.charge_points, left.count) == (1, 1)


def test_times_add_up_in_the_database(books: Books) -> None:
    record(books, Waiting("CP-1", UNIT, seen(2)))
    record(books, Waiting("CP-1", UNIT, seen(3, minute(7), '"wH"', "")))

    (departure,) = of(books)
    assert (departure.count, departure.first_at, departure.last_at) == (5, NOW, minute(7))
    assert (departure.example, departure.taken_as) == ('"wH"', None)


def test_a_new_firmware_is_not_blamed_for_an_old_one(books: Books) -> None:
    charge_points.boot(books.q, books.occasion(), boot("1.0"))
    record(books, Waiting("CP-1", UNIT, seen(2)))
    # What waits at the boot was done by the firmware before.
    charge_points.boot(books.q, books.occasion(at=minute(5)), boot("1.1"), [Waiting("CP-1", UNIT, seen(3, minute(4)))])
    record(books, Waiting("CP-1", UNIT, seen(1, minute(6))))

    assert [(it.firmware_version, it.count, it.first_at) for it in of(books)] == [
        ("1.0", 5, NOW),
        ("1.1", 1, minute(6)),
    ]


def test_what_came_before_the_first_boot_is_the_first_firmware_s(books: Books) -> None:
    charge_points.boot(books.q, books.occasion(), boot("1.0"), [Waiting("CP-1", UNIT, seen(3))])

    assert [(it.firmware_version, it.count) for it in of(books)] == [("1.0", 3)]


def test_a_charge_point_that_never_booted_has_a_record(books: Books) -> None:
    record(books, Waiting("CP-1", Kind("", MessageRole.OTHER, "no_subprotocol", ""), seen(1, NOW, "", "")))

    (departure,) = of(books)
    assert (departure.vendor, departure.model, departure.firmware_version) == (None, None, None)
    assert (departure.action, departure.field, departure.example) == (None, None, None)


@pytest.mark.parametrize("at_once", [True, False])
def test_rows_of_a_charge_point_are_bounded_and_nothing_is_uncounted(books: Books, *, at_once: bool) -> None:
    waiting = [Waiting("CP-1", field(number), seen()) for number in range(KINDS_PER_CHARGE_POINT + 30)]
    for portion in [waiting] if at_once else [waiting[:150], waiting[150:]]:
        record(books, *portion)
    record(books, Waiting("CP-1", field(0), seen()))
    departures = of(books)

    assert len(departures) == KINDS_PER_CHARGE_POINT + 1
    assert sum(it.count for it in departures) == KINDS_PER_CHARGE_POINT + 31
    assert [it.count for it in departures if it.rule == ELSEWHERE.rule] == [30]
    assert [it.count for it in departures if it.field == "field0"] == [2]


def test_an_old_firmware_makes_room_for_a_new_one(books: Books) -> None:
    charge_points.boot(books.q, books.occasion(), boot("1.0"))
    record(
        books, *(Waiting("CP-1", field(number), seen(1, minute(number))) for number in range(KINDS_PER_CHARGE_POINT))
    )
    charge_points.boot(books.q, books.occasion(), boot("1.1"))
    record(books, Waiting("CP-1", UNIT, seen()), Waiting("CP-1", field(0), seen()))
    departures = of(books)

    assert len(departures) == KINDS_PER_CHARGE_POINT
    assert [(it.field, it.count) for it in departures if it.firmware_version == "1.1"] == [
        ("field0", 1),
        (UNIT.field, 1),
    ]
    assert {it.field for it in departures if it.firmware_version == "1.0"} & {"field0", "field1"} == set()


def test_chargers_of_one_firmware_are_summed_up(books: Books) -> None:
    for charge_point_id in ("CP-1", "CP-2"):
        charge_points.boot(books.q, books.occasion(charge_point_id), boot("1.0"))
    record(
        books, Waiting("CP-1", UNIT, seen(2, minute(3), '"old"')), Waiting("CP-2", UNIT, seen(5, minute(9), '"new"'))
    )
    record(books, Waiting("CP-2", field(1), seen()))

    unit, other = sorted(list_all(books.q), key=lambda it: -it.count)
    assert (unit.charge_points, unit.count, unit.example) == (2, 7, '"new"')
    assert (unit.first_at, unit.last_at) == (minute(3), minute(9))
    assert (other.charge_points, other.count) == (1, 1)
