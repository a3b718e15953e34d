"""A charge point's energy as it is told: whatever happens, it never falls, and is right as soon as it may be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mcpp.domain.assignment import Content, assign
from mcpp.domain.closing import Stop, close_by_operator
from mcpp.domain.connectors import ReportStatus, report_status
from mcpp.domain.corrections import correct
from mcpp.domain.energy import counted_wh, energy_so_far
from mcpp.domain.events import Event
from mcpp.domain.memory import Memory
from mcpp.domain.occasion import OperatorOccasion
from mcpp.domain.recovery import close_orphans
from mcpp.domain.samples import Sample
from mcpp.domain.statuses import NO_ERROR, ConnectorStatus, StopReason
from mcpp.reads.stored_fleet import read_fleet
from mcpp_generated.db.enums import UnmatchedKind
from tests.events import CONNECTED
from tests.examples import examples
from tests.unit.domain.books import ENERGY, NOW, Books, energy, minute
from tests.unit.telemetry.followed import FollowedFleet

GRACE = timedelta(minutes=2)
BY_HAND = OperatorOccasion("a" * 32, NOW)


class Told:
    """The books of one charge point, and what its counter says of them."""

    def __init__(self) -> None:
        self.books = Books()
        self.restart()

    def restart(self) -> None:
        """Nothing but the books is kept."""
        self.fleet = FollowedFleet(statuses=(), error_codes=(), series_limit=10)
        self.fleet.load(read_fleet(self.books.q))

    def tell(self, events: Sequence[Event]) -> None:
        for event in events:
            self.fleet(event)

    @property
    def wh(self) -> int:
        (figures,) = [figures for figures in self.fleet if figures.identity == "CP-1"]
        return figures.energy_wh

    def running_wh(self, connector: int = 1) -> int | None:
        (figures,) = [figures for figures in self.fleet if figures.identity == "CP-1"]
        return figures.connectors[0, connector].live.energy_wh

    def start(self, meter: int = 1000, connector: int = 1, at: datetime = NOW) -> int:
        outcome = self.books.start(meter=meter, connector=connector, at=at, tag=f"TAG-{connector}")
        self.tell(outcome.events)
        return outcome.value.transaction_id

    def measure(
        self, value: str, transaction_id: int, at: datetime, connector: int = 1, received: datetime = NOW
    ) -> None:
        values = energy(at, value)
        outcome = self.books.meter_values(values, transaction_id=transaction_id, connector=connector, received=received)
        self.tell(outcome.events)

    def stop(self, transaction_id: int, meter: int, at: datetime, samples: Sequence[Sample] = ()) -> None:
        self.tell(self.books.stop(transaction_id, meter=meter, at=at, samples=samples).events)


@pytest.fixture
def told() -> Told:
    return Told()


def test_it_is_the_sum_over_all_transactions_running_ones_included(told: Told) -> None:
    first = told.start(1000)
    told.stop(first, 6000, minute(1))
    second = told.start(6000, at=minute(2))
    assert (told.wh, told.running_wh()) == (5000, 0)

    told.measure("7500", second, minute(3))
    told.start(0, connector=2, at=minute(4))
    assert (told.wh, told.running_wh(), told.running_wh(2)) == (6500, 1500, 0)

    told.stop(second, 8000, minute(5))
    assert (told.wh, told.running_wh()) == (7000, None)


def test_a_restart_changes_nothing(told: Told) -> None:
    first = told.start(1000)
    told.stop(first, 6000, minute(1))
    second = told.start(6000, at=minute(2))
    told.measure("7500", second, minute(3))
    told.restart()
    assert (told.wh, told.running_wh()) == (6500, 1500)

    told.measure("8000", second, minute(4))
    told.stop(second, 8100, minute(5))
    assert (told.wh, told.running_wh()) == (7100, None)


@pytest.mark.parametrize("restarted", [False, True])
def test_a_late_stop_with_less_energy_holds_it_until_it_has_caught_up(told: Told, restarted: bool) -> None:
    transaction = told.start(1000)
    told.measure("9000", transaction, minute(1))
    told.tell(close_by_operator(told.books.q, BY_HAND, transaction).events)
    assert told.wh == 8000

    told.stop(transaction, 6000, minute(0.5))
    if restarted:
        told.restart()
    assert told.wh == 8000

    following = told.start(6000, at=minute(3))
    told.measure("8500", following, minute(4))
    assert told.wh == 8000
    told.measure("9100", following, minute(5))
    assert told.wh == 8100


def test_a_late_stop_with_more_energy_counts_what_it_has_more(told: Told) -> None:
    transaction = told.start(1000)
    told.measure("3000", transaction, minute(1))
    told.tell(close_by_operator(told.books.q, BY_HAND, transaction).events)
    told.stop(transaction, 6000, minute(2))
    assert told.wh == 5000

    told.restart()
    assert told.wh == 5000


@pytest.mark.parametrize("restarted", [False, True])
def test_a_register_that_falls_while_charging_holds_it(told: Told, restarted: bool) -> None:
    transaction = told.start(1000)
    told.measure("9000", transaction, minute(1))
    told.measure("2000", transaction, minute(2))
    assert (told.wh, told.running_wh()) == (8000, 8000)

    if restarted:
        told.restart()
    told.stop(transaction, 3000, minute(3))
    assert told.wh == 8000


def test_a_stop_s_own_samples_are_no_energy_of_their_own(told: Told) -> None:
    transaction = told.start(1000)
    told.stop(transaction, 5000, minute(5), [energy(minute(4), "4500")])
    assert told.wh == 4000

    told.restart()
    assert told.wh == 4000


def test_values_from_before_the_newest_change_nothing(told: Told) -> None:
    transaction = told.start(1000)
    told.measure("9000", transaction, minute(2))
    told.measure("5000", transaction, minute(1))

    assert told.running_wh() == 8000


def test_assigned_stops_count_too(told: Told) -> None:
    transaction = told.start(1000)
    told.measure("9000", transaction, minute(1))
    told.tell(told.books.stop(77, tag="SOMEBODY", meter=6000, at=minute(2)).events)
    (kept,) = told.books.q.list_unmatched(before_id=2**63 - 1, page_size=9)

    def read(version: str, kind: UnmatchedKind, payload: str) -> Content:
        return Content(Stop(6000, minute(2), None, StopReason.LOCAL), [energy(minute(2), "8500")])

    told.tell(assign(told.books.q, BY_HAND, kept.id, transaction, read).events)
    assert told.wh == 8000
    told.restart()
    assert told.wh == 8000
    told.stop(told.start(6000, at=minute(3)), 10_000, minute(4))
    assert told.wh == 12_000


@pytest.mark.parametrize("misread", [2**32 - 1, 2**63 - 1])
def test_a_misread_register_does_not_spoil_it_for_ever(told: Told, misread: int) -> None:
    transaction = told.start(1000)
    told.measure(str(misread), transaction, minute(1))
    assert told.wh == 0

    told.stop(transaction, misread, minute(2))
    told.stop(told.start(-(2**63), at=minute(3)), misread, minute(4))
    told.stop(told.start(500, at=minute(5)), 700, minute(6))
    assert told.wh == 200
    told.restart()
    assert told.wh == 200


REGISTERS = st.one_of(st.integers(0, 5000), st.sampled_from([0, 4_294_967_295]))
CONNECTORS = st.sampled_from([1, 2])


class Counting(RuleBasedStateMachine):
    """Random days of a charger whose register goes up and down as it likes."""

    def __init__(self) -> None:
        super().__init__()
        self.told = Told()
        self.books = self.told.books
        self.minutes = 0
        self.highest = 0

    def later(self) -> datetime:
        self.minutes += 1
        return minute(self.minutes)

    def transactions(self, condition: str) -> list[tuple[int, int]]:
        """Ids with connector numbers."""
        found: list[tuple[int, int]] = self.books.connection.execute(
            f"SELECT id, connector_id FROM transactions WHERE {condition} ORDER BY id"
        ).fetchall()
        return found

    @rule(connector=CONNECTORS, meter=REGISTERS)
    def start(self, connector: int, meter: int) -> None:
        self.told.start(meter, connector, self.later())

    @precondition(lambda self: self.transactions("1"))
    @rule(data=st.data(), value=REGISTERS, minutes_ago=st.sampled_from([0, 0, 0, 1, 3]))
    def measure(self, data: st.DataObject, value: int, minutes_ago: int) -> None:
        """Of any transaction, newest or late."""
        transaction_id, connector = data.draw(st.sampled_from(self.transactions("1")[-4:]))
        now = self.later()
        self.told.measure(str(value), transaction_id, now - timedelta(minutes=minutes_ago), connector, now)

    @precondition(lambda self: self.transactions("stopped_at IS NULL"))
    @rule(data=st.data(), values=st.lists(REGISTERS, min_size=2, max_size=3))
    def measure_several(self, data: st.DataObject, values: list[int]) -> None:
        transaction_id, connector = data.draw(st.sampled_from(self.transactions("stopped_at IS NULL")))
        at = self.later()
        samples = [Sample(at, ENERGY, str(value), position) for position, value in enumerate(values)]
        outcome = self.books.meter_values(*samples, transaction_id=transaction_id, connector=connector, received=at)
        self.told.tell(outcome.events)

    @precondition(lambda self: self.transactions("stopped_at IS NULL"))
    @rule(data=st.data(), value=REGISTERS)
    def measure_in_a_write_that_fails(self, data: st.DataObject, value: int) -> None:
        transaction_id, connector = data.draw(st.sampled_from(self.transactions("stopped_at IS NULL")))
        self.books.connection.execute("BEGIN")
        self.books.meter_values(energy(self.later(), str(value)), transaction_id=transaction_id, connector=connector)
        self.books.connection.execute("ROLLBACK")

    @precondition(lambda self: self.transactions("1"))
    @rule(data=st.data(), meter=REGISTERS, value=st.one_of(st.none(), REGISTERS))
    def stop(self, data: st.DataObject, meter: int, value: int | None) -> None:
        """Any transaction, running, recovered, or stopped before."""
        transaction_id, _ = data.draw(st.sampled_from(self.transactions("1")[-4:]))
        at = self.later()
        samples = [] if value is None else [energy(at, str(value))]
        self.told.stop(transaction_id, meter, at, samples)

    @precondition(lambda self: self.transactions("stopped_at IS NULL"))
    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        transaction_id, _ = data.draw(st.sampled_from(self.transactions("stopped_at IS NULL")))
        self.told.tell(close_by_operator(self.books.q, OperatorOccasion("a" * 32, self.later()), transaction_id).events)

    @rule(connector=CONNECTORS)
    def unplug(self, connector: int) -> None:
        report = ReportStatus(connector, ConnectorStatus.AVAILABLE, NO_ERROR, None, None, None, self.later())
        self.told.tell(report_status(self.books.q, self.books.occasion(), report, Memory()).events)

    @rule()
    def recover(self) -> None:
        self.minutes += 5
        connected = {self.books.occasion().charge_point_key: NOW}
        recover = partial(close_orphans, self.books.q, minute(self.minutes), GRACE, connected, lambda: "e" * 32)
        self.told.tell(recover().events)

    @rule()
    def restart(self) -> None:
        self.told.restart()

    @invariant()
    def it_is_the_true_sum_or_the_highest_that_was_told(self) -> None:
        self.highest = max(self.highest, self.true_sum())

        assert self.told.wh == self.highest

    def true_sum(self) -> int:
        """What counts of each transaction by itself."""
        q, total = self.books.q, 0
        for transaction_id, _ in self.transactions("1"):
            record = q.get_transaction(transaction_id=transaction_id)
            assert record is not None
            running = record.stopped_at is None
            transaction = self.books.transaction(transaction_id)
            total += (energy_so_far(q, transaction) if running else counted_wh(record)) or 0
        return total

    @precondition(lambda self: self.transactions("stopped_at IS NOT NULL"))
    @rule(data=st.data(), wh=st.integers(0, 9000))
    def correct(self, data: st.DataObject, wh: int) -> None:
        transaction_id, _ = data.draw(st.sampled_from(self.transactions("stopped_at IS NOT NULL")))
        by = OperatorOccasion("a" * 32, self.later())
        self.told.tell(correct(self.books.q, by, transaction_id, wh, "misread", "me").events)

    def teardown(self) -> None:
        self.books.connection.close()


TestCounting = Counting.TestCase
TestCounting.settings = examples(times=1.5, steps=40)


def test_a_charge_point_that_comes_back_after_it_was_forgotten_begins_at_nothing(told: Told) -> None:
    told.stop(told.start(1000), 6000, minute(1))
    told.fleet.forget("CP-1")
    told.fleet(CONNECTED)

    assert told.wh == 0
