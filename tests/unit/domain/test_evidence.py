"""The table of evidence: series in, energy and reason out."""

from __future__ import annotations

import json
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpp.domain.account import EnergyAccount
from mcpp.domain.closing import Stop, close_by_charger
from mcpp.domain.energy import account_of
from mcpp.domain.events import TransactionStopped
from mcpp.domain.evidence import Origin
from mcpp.domain.memory import Memory
from mcpp.domain.plausibility import deliverable_wh, elapsed_seconds
from mcpp.domain.statuses import StopReason
from mcpp_generated.db.enums import Implausible
from tests.evidence_rows import ROWS, Row, kind_of
from tests.examples import examples
from tests.unit.domain.books import NOW, Books, energy, minute

assert len(ROWS) >= 60
assert len({row.says for row in ROWS}) == len(ROWS)


def account(row: Row, order: Random | None = None) -> EnergyAccount:
    """What a row's values say, in the order sent or in any other."""
    taken = EnergyAccount(row.start, NOW, NOW, None)
    values = []
    for message in row.messages:
        origin = Origin.ELSEWHERE if message.from_elsewhere else Origin.NAMED if message.names_it else Origin.UNNAMED
        at = minute(message.minute)
        values += [(kind_of(sampled), sampled["value"], at, origin) for sampled in message.samples]
    if order is not None:
        order.shuffle(values)
    for kind, value, at, origin in values:
        if kind.energy is not None:
            taken.take(kind.energy, value, at, at, origin)
    return taken


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.says)
def test_what_values_say(row: Row) -> None:
    assert account(row).energy_wh == row.wh


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.says)
@examples(times=0.2)
@given(seed=st.integers(0, 2**16))
def test_the_order_in_which_values_come_does_not_matter(row: Row, seed: int) -> None:
    assert account(row, Random(seed)).claim() == account(row).claim()


@pytest.mark.parametrize(
    ("seconds", "rated", "wh"),
    [(3600, None, 1_083_333), (0, None, 83_333), (3600, 11_000, 13_108), (0, 22_000, 2016)],
)
def test_what_can_be_delivered(seconds: float, rated: int | None, wh: int) -> None:
    assert deliverable_wh(seconds, rated) == wh


@pytest.mark.parametrize(
    ("by_charger", "by_us", "hours"),
    [
        (timedelta(hours=2), timedelta(hours=1), 2),
        (timedelta(hours=-3), timedelta(hours=1), 1),
        (timedelta(days=20_000), timedelta(hours=1), 31 * 24),
        (timedelta(hours=1), timedelta(days=40), 40 * 24),
        (timedelta(hours=-3), timedelta(0), 0),
    ],
)
def test_a_session_took_as_long_as_either_clock_says(by_charger: timedelta, by_us: timedelta, hours: int) -> None:
    begin = NOW - timedelta(days=30_000)
    assert elapsed_seconds(begin, NOW, begin + by_charger, NOW + by_us) == hours * 3600


@pytest.mark.parametrize(("rated", "wh"), [(None, 900_000), (11_000, None)])
def test_rated_power_bounds_what_can_be_true(books: Books, rated: int | None, wh: int | None) -> None:
    transaction_id = books.start(meter=0).value.transaction_id
    books.q.set_rated_power(key=books.occasion().charge_point_key, rated_power_w=rated)
    transaction = books.transaction(transaction_id)
    stop = Stop(900_000, minute(60), None, StopReason.LOCAL)

    close_by_charger(books.q, books.occasion(at=minute(60)), transaction, stop, Memory())

    ended = books.transaction(transaction_id)
    assert (ended.energy_wh if ended.implausible_reason is None else None) == wh


def test_a_stop_that_its_values_contradict_says_so(books: Books) -> None:
    transaction_id = books.start(meter=1000).value.transaction_id
    books.meter_values(energy(minute(5), "1300"), transaction_id=transaction_id, received=minute(5))

    (event,) = books.stop(transaction_id, meter=1050, at=minute(6)).events

    assert json.loads(books.transaction(transaction_id).evidence or "") == {
        "cause": "stop_register",
        "source": "meter_value",
        "distrust": "register_fell",
    }
    assert books.transaction(transaction_id).meter_stop == 1050
    assert account_of(books.q, books.transaction(transaction_id)).energy_wh == 300
    assert getattr(event, "energy_wh", None) == 300


@pytest.mark.parametrize(("meter_stop", "first"), [(-1, (0, Implausible.NO_READING)), (1000, (0, None))])
def test_values_that_come_after_a_stop_that_says_too_little_count(
    books: Books, meter_stop: int, first: tuple[int, Implausible | None]
) -> None:
    transaction_id = books.start(meter=1000).value.transaction_id
    books.stop(transaction_id, meter=meter_stop, at=minute(10))
    before = books.transaction(transaction_id)

    late = books.meter_values(energy(minute(9), "4000"), transaction_id=transaction_id, received=minute(20))
    again = books.meter_values(energy(minute(9), "4000"), transaction_id=transaction_id, received=minute(21))

    after = books.transaction(transaction_id)
    assert (before.energy_wh, before.implausible_reason) == first
    assert (after.energy_wh, after.implausible_reason, after.meter_stop) == (3000, None, meter_stop)
    (rebilled,) = [event for event in late.events if isinstance(event, TransactionStopped)]
    assert (rebilled.energy_wh, rebilled.counted_wh, rebilled.superseded_wh) == (3000, 3000, 0)
    assert not [event for event in again.events if isinstance(event, TransactionStopped)]
