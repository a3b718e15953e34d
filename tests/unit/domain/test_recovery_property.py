"""Whatever happens to charger, line and server, in whatever order: each session is booked once, and ends."""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mcpp.storage.sqlite.database import open_writer
from mcpp.storage.sqlite.migrations import migrate
from mcpp_generated.db.enums import StopOrigin
from mcpp_generated.db.models import Transaction
from tests.examples import examples
from tests.unit.domain.honest_charger import GRACE, Books, Charger, Clock, Fate, PowerCut, Session

NUMBERS = st.sampled_from([1, 2])
WH = st.integers(0, 5000)


@cache
def _empty_database() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        connection = open_writer(path)
        migrate(connection)
        connection.close()
        return path.read_bytes()


class Charging(RuleBasedStateMachine):
    """Random days of a charge point with two connectors."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        path = self.folder / "mcpp.db"
        path.write_bytes(_empty_database())
        self.clock = Clock()
        self.books = Books(path, self.clock)
        self.charger = Charger(self.books, self.clock)

    # People.

    @rule(
        number=NUMBERS,
        parts=st.lists(WH, max_size=3),
        delivered=st.sampled_from([0, 0, 1, 9]),
        leaves=st.booleans(),
        pulls=st.booleans(),
    )
    def come_and_charge(self, number: int, parts: list[int], delivered: int, leaves: bool, pulls: bool) -> None:
        if self.charger.connectors[number].session is None:
            self.charger.plug_in(number)
        for wh in parts:
            self.charger.charge(number, wh)
            self.charger.sample(number)
        self.charger.deliver(delivered)
        if leaves:
            self.charger.charge(number, 50)
            self.charger.stop(number)
        if leaves and pulls:
            self.charger.unplug(number)

    @precondition(lambda self: self.charging())
    @rule(data=st.data(), wh=WH)
    def charge_silently(self, data: st.DataObject, wh: int) -> None:
        self.charger.charge(data.draw(st.sampled_from(self.charging())), wh)

    @precondition(lambda self: self.charging())
    @rule(data=st.data(), status=st.sampled_from(["Charging", "SuspendedEV", "SuspendedEVSE"]))
    def suspend(self, data: st.DataObject, status: str) -> None:
        self.charger.suspend(data.draw(st.sampled_from(self.charging())), status)

    @precondition(lambda self: self.charging())
    @rule(data=st.data(), pulls=st.booleans())
    def leave(self, data: st.DataObject, pulls: bool) -> None:
        number = data.draw(st.sampled_from(self.charging()))
        self.charger.stop(number)
        if pulls:
            self.charger.unplug(number)

    @precondition(lambda self: self.idle())
    @rule(data=st.data(), pulls=st.booleans())
    def do_little(self, data: st.DataObject, pulls: bool) -> None:
        number = data.draw(st.sampled_from(self.idle()))
        if pulls:
            self.charger.unplug(number)
        else:
            self.charger.sample(number)

    def charging(self) -> list[int]:
        return [number for number, connector in self.charger.connectors.items() if connector.session]

    def idle(self) -> list[int]:
        return [number for number, connector in self.charger.connectors.items() if not connector.session]

    # The line.

    @initialize(online=st.booleans())
    def begin(self, online: bool) -> None:
        if online:
            self.charger.connect()

    @precondition(lambda self: not self.charger.online)
    @rule()
    def connect(self) -> None:
        self.charger.connect()

    @precondition(lambda self: self.charger.online)
    @rule()
    def cut(self) -> None:
        self.charger.cut()

    @rule(fate=st.sampled_from([Fate.HANDLED, Fate.LOST]))
    def lose_a_message(self, fate: Fate) -> None:
        self.charger.next_fate = fate

    @precondition(lambda self: self.charger.online)
    @rule(most=st.integers(1, 5))
    def deliver(self, most: int) -> None:
        self.charger.deliver(most)

    @precondition(lambda self: self.charger.online)
    @rule()
    def repeat(self) -> None:
        self.charger.repeat()

    # Power and time.

    @rule(cut=st.sampled_from(PowerCut), status=st.sampled_from(["Available", "Preparing", "Faulted"]))
    def cut_power(self, cut: PowerCut, status: str) -> None:
        self.charger.cut_power(cut, status)

    @rule(killed=st.booleans())
    def restart_the_server(self, killed: bool) -> None:
        self.charger.hang_up()
        if killed:
            self.books.kill_in_the_middle_of_a_recovery()
        else:
            self.books.restart()

    @rule(seconds=st.sampled_from([60, 121, 3600]))
    def wait(self, seconds: int) -> None:
        self.clock.tick(seconds)
        self.books.look_for_orphans()

    # What must hold.

    @invariant()
    def ids_are_unique_and_never_reused(self) -> None:
        given = [session.answers for session in self.charger.sessions if session.answers]
        assert all(len(ids) == 1 for ids in given)
        assert len(set().union(*given)) == len(given)

    @invariant()
    def nobody_owes_negative_energy(self) -> None:
        for transaction in self.transactions():
            assert transaction.implausible_reason is None
            assert transaction.meter_stop is None or transaction.meter_stop >= transaction.meter_start

    @invariant()
    def nothing_is_kept_aside(self) -> None:
        assert self.books.q.list_unmatched(before_id=2**63 - 1, page_size=9) == []

    @rule()
    def after_a_quiet_hour_the_books_are_right(self) -> None:
        self.let_it_all_be_delivered()
        for session in self.charger.sessions:
            self.check(session)
        booked = [session for session in self.charger.sessions if session.answers]
        assert len(self.transactions()) == len(booked)

    def teardown(self) -> None:
        try:
            self.after_a_quiet_hour_the_books_are_right()
        finally:
            self.books.connection.close()
            shutil.rmtree(self.folder)

    def let_it_all_be_delivered(self) -> None:
        self.charger.next_fate = Fate.ANSWERED
        while not self.charger.has_delivered_all:
            if self.charger.online:
                self.charger.deliver(1000)
            else:
                self.charger.connect()
        self.clock.tick(GRACE.total_seconds())
        self.books.look_for_orphans()

    def check(self, session: Session) -> None:
        if not session.answers:
            assert session.ended, "it was forgotten before anybody heard of it"
            return
        (transaction_id,) = session.answers
        transaction = self.books.q.find_transaction(id=transaction_id)
        assert transaction is not None
        assert (transaction.connector_id, transaction.id_tag) == (session.connector, session.tag)
        assert (transaction.meter_start, transaction.started_at) == (session.meter_start, session.started_at)
        if session.ended is None:
            assert transaction.stopped_at is None
            assert transaction.suspicion is None
            return
        wh, at = session.ended
        assert transaction.stopped_at is not None
        assert transaction.meter_stop is not None
        if session.told_stop:
            assert (transaction.meter_stop, transaction.stopped_at) == (wh, at)
            assert (transaction.stop_origin, transaction.evidence) == (StopOrigin.CHARGER, None)
            return
        assert transaction.stop_origin is StopOrigin.RECOVERED
        assert transaction.evidence is not None
        proven = max(session.told_values, default=session.meter_start)
        assert max(proven, session.meter_start) <= max(transaction.meter_stop, session.meter_start)
        assert transaction.meter_stop <= self.last_register_before_another(session)

    def last_register_before_another(self, session: Session) -> int:
        """What its connector showed before the next session that anybody heard of; the others count as part of it."""
        sessions = [other for other in self.charger.sessions if other.connector == session.connector]
        register = 0
        for other in sessions[sessions.index(session) :]:
            if other is not session and other.answers:
                return other.meter_start
            assert other.ended is not None
            register, _ = other.ended
        return register

    def transactions(self) -> list[Transaction]:
        rows = self.books.connection.execute("SELECT id FROM transactions")
        found = [self.books.q.find_transaction(id=transaction_id) for (transaction_id,) in rows]
        return [transaction for transaction in found if transaction is not None]


TestCharging = Charging.TestCase
TestCharging.settings = examples(times=3, steps=40)
