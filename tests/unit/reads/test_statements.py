"""Statements by property: a final one never changes, and all of a person's together are what the books say."""

from __future__ import annotations

import asyncio
import tempfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from mcpp.domain import charge_points, people
from mcpp.domain.authorization import AuthorizationPolicy
from mcpp.domain.closing import Stop, close_by_operator
from mcpp.domain.corrections import correct
from mcpp.domain.energy import counted_wh
from mcpp.domain.errors import Conflict
from mcpp.domain.memory import Memory
from mcpp.domain.occasion import Occasion, OperatorOccasion, OriginalMessage
from mcpp.domain.people import Move, WantedPerson
from mcpp.domain.prices import amount_of
from mcpp.domain.statuses import StopReason
from mcpp.domain.transactions import StartTransaction, StopTransaction, start_transaction, stop_transaction
from mcpp.reads.people import Holders
from mcpp.reads.statements import Month, Statement, read_statement
from mcpp.storage.sqlite.database import open_writer
from mcpp.storage.sqlite.migrations import migrate
from mcpp.storage.sqlite.readers import SqliteReaderPool
from mcpp_generated.db.sqlite.queries import SqliteQueries
from tests.examples import examples

BEGIN = datetime(2026, 1, 20, tzinfo=UTC)
MONTHS = [Month(2026, month) for month in range(1, 13)]
PEOPLE = ("anna", "ben")


class Step(NamedTuple):
    """Something that happens some hours after the one before."""

    kind: str
    hours: int
    number: int
    """Which card, person or transaction."""
    wh: int
    told_late: int
    """Hours that a start or a stop was on its way."""


STEPS = st.builds(
    Step,
    st.sampled_from(["start", "stop", "stop", "stop_again", "close", "correct", "name", "move", "undo", "take_away"]),
    st.integers(1, 300),
    st.integers(0, 5),
    st.integers(-500, 20_000),
    st.sampled_from([0, 0, 0, 1, 40, 400]),
)


class Site:
    """A database file, and one charger with a connector for each card."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "mcpp.db"
        self.connection = open_writer(self.path)
        migrate(self.connection)
        self.q = SqliteQueries(self.connection)
        self.now = BEGIN
        connected = charge_points.connect(self.q, "CP-1", "1.6", BEGIN, register_unknown=True)
        assert isinstance(connected, charge_points.Connected)
        self._key = connected.key
        self._began: list[int] = []

    def do(self, step: Step) -> None:
        self.now += timedelta(hours=step.hours)
        self.connection.execute("SAVEPOINT step")
        try:
            self._do(step)
        except Conflict:
            self.connection.execute("ROLLBACK TO step")
        self.connection.execute("RELEASE step")

    def _do(self, step: Step) -> None:
        card, person = "ABC"[step.number % 3], PEOPLE[step.number % 2]
        told_at = self.now - timedelta(hours=step.told_late)
        occasion = Occasion(self._key, "CP-1", "f" * 32, self.now, lambda: "e" * 32)
        mine = OperatorOccasion("f" * 32, self.now)
        match step.kind:
            case "start":
                command = StartTransaction("ABC".index(card) + 1, card, abs(step.wh), told_at, None)
                started = start_transaction(self.q, occasion, command, AuthorizationPolicy(), Memory())
                self._began.append(started.value.transaction_id)
            case "name" | "move" | "undo":
                move = {"name": None, "move": Move.FROM_NOW, "undo": Move.FROM_BEGINNING}[step.kind]
                cards = {*people.held_now(self.q, person), card}
                people.put(self.q, self.now, person, WantedPerson(cards=tuple(cards)), move)
            case "take_away":
                people.put(self.q, self.now, person, WantedPerson(cards=()))
            case "stop" | "stop_again" | "close" | "correct" if self._began:
                transaction_id = self._began[-1 - step.number % len(self._began)]
                transaction = self.q.find_transaction(id=transaction_id)
                assert transaction is not None
                if step.kind == "close":
                    close_by_operator(self.q, mine, transaction_id)
                elif step.kind == "correct":
                    correct(self.q, mine, transaction_id, abs(step.wh), "read", "M. Example")
                else:
                    stop = Stop(transaction.meter_start + step.wh, told_at, None, StopReason.LOCAL)
                    told = StopTransaction(transaction_id, stop, (), OriginalMessage("1.6", lambda: "{}"))
                    stop_transaction(self.q, occasion, told, AuthorizationPolicy(), Memory())
            case _:
                pass

    def booked(self, person_id: str) -> int:
        """What the books say now of a person's sessions that have ended, in Wh."""
        holders, total = Holders(self.q.list_cards(), self.q.list_all_people()), 0
        for transaction_id in set(self._began):
            record = self.q.get_transaction(transaction_id=transaction_id)
            assert record is not None
            holder = holders.of(record.id_tag, record.started_at)
            if record.stopped_at is not None and holder is not None and holder.id == person_id:
                total += counted_wh(record) or 0
        return total


async def check(steps: list[Step], folder: Path) -> None:
    site = Site(folder)
    pool = await SqliteReaderPool.open(site.path, size=1)
    final: dict[tuple[str, Month], Statement] = {}
    try:
        for person in PEOPLE:
            people.put(site.q, site.now, person, WantedPerson(name=person))
        for step in [*steps, Step("wait", 24 * 330, 0, 0, 0)]:
            site.do(step)
            for person, month in product(PEOPLE, MONTHS):
                if (person, month) not in final and month.begin(UTC) <= site.now:
                    shown = await read_statement(pool, person, month, UTC, site.now)
                    assert shown is not None
                    if shown.final:
                        final[person, month] = shown
        for (person, month), stated_then in final.items():
            assert await read_statement(pool, person, month, UTC, site.now) == stated_then
        for person in PEOPLE:
            assert sum(final[person, month].energy_wh for month in MONTHS if (person, month) in final) == site.booked(
                person
            )
    finally:
        await pool.close()
        site.connection.close()


@given(st.lists(STEPS, min_size=5, max_size=25))
@examples(times=0.5)
def test_a_final_statement_never_changes_and_all_together_are_the_books(steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(check(steps, Path(folder)))


@given(st.integers(0, 10**18), st.decimals(0, 1000, places=4))
def test_an_amount_is_rounded_once_and_half_to_even(energy_wh: int, price: Decimal) -> None:

    amount = amount_of(energy_wh, price)
    assert Fraction(amount) * 100 == round(Fraction(energy_wh) * Fraction(price) / 10)
