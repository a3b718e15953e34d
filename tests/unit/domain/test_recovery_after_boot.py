"""After a boot the transactions that nothing speaks for are closed by the best evidence."""

from __future__ import annotations

import pytest

from mcpp.domain import charge_points
from tests.unit.domain.books import Books, minute
from tests.unit.domain.recovery_steps import boot, evidence, is_open, look, status, values


@pytest.mark.parametrize("afterwards", [None, "Available", "Preparing", "Finishing", "Faulted", "Unavailable"])
def test_after_a_boot_what_is_not_spoken_for_is_closed(books: Books, afterwards: str | None) -> None:
    orphan = books.start(meter=1000).value.transaction_id
    values(books, minute(10), "2100", orphan)
    boot(books, minute(20))
    if afterwards:
        status(books, afterwards, minute(20.1))
    look(books, minute(21.9))
    kept = is_open(books, orphan)
    look(books, minute(22))

    assert kept
    assert books.transaction(orphan).meter_stop == 2100
    told = evidence(books, orphan)
    cause = "connector_available" if afterwards == "Available" else "boot"
    assert (told["cause"], told["source"]) == (cause, "meter_value")
    if cause == "boot":
        assert told["suspicion_at"] == "2026-05-01T12:20:00.000Z"


def test_after_a_boot_without_meter_values_only_the_start_is_left(books: Books) -> None:
    orphan = books.start(meter=1000).value.transaction_id
    boot(books, minute(20))
    look(books, minute(22))

    assert books.transaction(orphan).meter_stop == 1000
    assert (evidence(books, orphan)["cause"], evidence(books, orphan)["source"]) == ("boot", "meter_start")


@pytest.mark.parametrize("alive", ["Charging", "SuspendedEV", "SuspendedEVSE"])
def test_a_transaction_that_is_resumed_after_a_boot_goes_on(books: Books, alive: str) -> None:
    orphan = books.start().value.transaction_id
    boot(books, minute(20))
    # Its clock may tell since when, or lag behind by the part of a second that it doesn't spell.
    status(books, alive, minute(19.99), received=minute(20.1))
    look(books, minute(500))

    assert is_open(books, orphan)


def test_meter_values_that_name_it_after_the_boot_speak_for_it(books: Books) -> None:
    orphan = books.start().value.transaction_id
    boot(books, minute(20))
    values(books, minute(21), "2000", orphan)
    look(books, minute(500))

    assert is_open(books, orphan)


def test_meter_values_that_name_nothing_do_not(books: Books) -> None:
    orphan = books.start().value.transaction_id
    values(books, minute(19), "1990", orphan)
    boot(books, minute(20))
    values(books, minute(20.5), "2000")
    values(books, minute(21), "2000")
    look(books, minute(22))

    assert books.transaction(orphan).meter_stop == 1990


def test_charging_that_was_told_before_the_boot_notification_counts(books: Books) -> None:
    orphan = books.start().value.transaction_id
    charge_points.connect(books.q, "CP-1", "1.6", minute(20), register_unknown=True)
    status(books, "Charging", minute(20.1))
    boot(books, minute(20.2), connect=False)
    look(books, minute(500))

    assert is_open(books, orphan)


def test_a_boot_notification_that_was_asked_for_is_no_reboot(books: Books) -> None:
    boot(books, minute(-5))
    orphan = books.start().value.transaction_id
    boot(books, minute(20), connect=False)
    look(books, minute(500))

    assert is_open(books, orphan)


def test_every_open_transaction_of_the_charge_point_is_meant_and_no_others(books: Books) -> None:
    orphans = [books.start(connector=number).value.transaction_id for number in (1, 2)]
    foreign = books.start(charger="CP-2").value.transaction_id
    boot(books, minute(20))
    look(books, minute(22))

    assert [is_open(books, orphan) for orphan in orphans] == [False, False]
    assert is_open(books, foreign)
