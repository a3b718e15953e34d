"""What the writer's units remember changes nothing but the number of look-ups: the database is the same without."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Final, TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from mcpp.domain import charge_points, connectors
from mcpp.domain.account import EnergyAccount
from mcpp.domain.authorization import AuthorizationPolicy
from mcpp.domain.charge_points import Boot
from mcpp.domain.closing import Stop, close_by_operator
from mcpp.domain.connectors import ReportStatus, report_status
from mcpp.domain.energy import account_of
from mcpp.domain.errors import DomainError
from mcpp.domain.memory import NO_EVSE, Memory, Place, as_stored, ensure_connector
from mcpp.domain.meter_values import RecordMeterValues, record_meter_values
from mcpp.domain.occasion import Occasion, OperatorOccasion, OriginalMessage
from mcpp.domain.recovery import close_orphans
from mcpp.domain.samples import ENERGY_REGISTER, Sample, SampleKind
from mcpp.domain.statuses import NO_ERROR, ConnectorStatus, StopReason
from mcpp.domain.transactions import StartTransaction, StopTransaction, start_transaction, stop_transaction
from mcpp.storage.pending import Pending
from mcpp.storage.sqlite.database import open_writer
from mcpp.storage.sqlite.migrations import migrate
from mcpp.storage.writer import Writer
from mcpp_generated.db.enums import Availability
from mcpp_generated.db.models import Transaction
from mcpp_generated.db.queries import Queries
from mcpp_generated.db.sqlite.queries import SqliteQueries

BEGIN: Final = datetime(2026, 5, 1, 12, tzinfo=UTC)
POLICY: Final = AuthorizationPolicy()
ORIGINAL: Final = OriginalMessage("1.6", lambda: "{}")
ENERGY: Final = SampleKind(ENERGY_REGISTER, "", "Wh", "Sample.Periodic", "Outlet", "Raw")
POWER: Final = SampleKind("Power.Active.Import", "", "W", "Sample.Periodic", "Outlet", "Raw")
IDENTITIES: Final = ("CP-1", "CP-2")

Step: TypeAlias = "Callable[[Site], Pending[object] | None]"


def moment(minute: float) -> datetime:
    return BEGIN + timedelta(minutes=minute)


class Forgetful(Memory):
    """Remembers nothing but the kinds of samples."""

    def place(self, q: Queries, charge_point_key: int, connector_id: int, evse_id: int = NO_EVSE) -> Place:
        return Place(ensure_connector(q, charge_point_key, connector_id, evse_id))

    def account(self, q: Queries, transaction: Transaction) -> EnergyAccount:
        return account_of(q, transaction)


class Site:
    """Two charge points and the one writer, with or without a memory that lasts from one unit to the next."""

    def __init__(self, path: Path, *, remembers: bool) -> None:
        self.memory = Memory() if remembers else Forgetful()
        connection = open_writer(path)
        migrate(connection)
        self.writer: Writer[Queries] = Writer(connection, SqliteQueries(connection), memory=self.memory)
        self._ids = (f"{number:032x}" for number in count(1))
        self.keys: list[int] = []

    def occasion(self, which: int, minute: float) -> Occasion:
        at = moment(minute)
        return Occasion(self.keys[which], IDENTITIES[which], "f" * 32, at, lambda: next(self._ids))


def status(which: int, connector: int, word: ConnectorStatus, minute: float) -> Step:
    at = moment(minute)
    report = ReportStatus(connector, word, NO_ERROR, None, None, None, at)
    return lambda site: site.writer.submit_keeping(report_status, site.occasion(which, minute), report, site.memory)


def start(which: int, connector: int, minute: float) -> Step:
    command = StartTransaction(connector, "TAG", 1000 + int(minute), moment(minute), None)
    return lambda site: site.writer.submit_about(
        site.keys[which], start_transaction, site.occasion(which, minute), command, POLICY, site.memory
    )


def stop(which: int, transaction_id: int, minute: float) -> Step:
    at = as_stored(moment(minute))
    samples = [Sample(at, ENERGY, str(1000 + 2 * int(minute)), 0)]
    command = StopTransaction(
        transaction_id, Stop(1000 + 2 * int(minute), at, None, StopReason.LOCAL), samples, ORIGINAL
    )
    return lambda site: site.writer.submit_about(
        site.keys[which], stop_transaction, site.occasion(which, minute), command, POLICY, site.memory
    )


def meter_values(which: int, connector: int, claimed: int, minute: float, wh: int) -> Step:
    at = as_stored(moment(minute))
    samples = [Sample(at, ENERGY, str(wh), 0), Sample(at, POWER, str(wh % 7000), 1)]
    command = RecordMeterValues(connector, claimed, samples, ORIGINAL)
    return lambda site: site.writer.submit_keeping(
        record_meter_values, site.occasion(which, minute), command, site.memory
    )


def boot(which: int, minute: float) -> Step:
    what = Boot("V", "M", None, None, None, None, None, None, None)
    return lambda site: site.writer.submit_about(
        site.keys[which], charge_points.boot, site.occasion(which, minute), what
    )


def order(which: int, connector: int, minute: float) -> Step:
    return lambda site: site.writer.submit_about(
        site.keys[which],
        connectors.order_availability,
        site.occasion(which, minute),
        connector,
        Availability.INOPERATIVE,
    )


def operator_closes(transaction_id: int, minute: float) -> Step:
    by = OperatorOccasion("a" * 32, moment(minute))
    return lambda site: site.writer.submit(close_by_operator, by, transaction_id)


def recovery(minute: float) -> Step:
    now = moment(minute)
    return lambda site: site.writer.submit(
        close_orphans, now, timedelta(minutes=2), dict.fromkeys(site.keys, BEGIN), lambda: next(site._ids)
    )


def fails(which: int, connector: int) -> Step:
    """A unit that writes and then fails: it's undone alone, and the batch that it is in runs again."""

    def unit(q: Queries, occasion: Occasion, memory: Memory) -> None:
        place = memory.place(q, occasion.charge_point_key, connector)
        q.begin_connector_session(key=place.connector.key, session_correlation_id="e" * 32, began_at=BEGIN)
        place.newest(q)
        raise DomainError("on purpose")

    return lambda site: site.writer.submit_about(site.keys[which], unit, site.occasion(which, 0), site.memory)


def wait(_: Site) -> None:
    """What comes next is in another batch."""


WHICH = st.integers(0, 1)
CONNECTOR = st.integers(0, 2)
MINUTE = st.sampled_from([minute + part for minute in range(40) for part in (0, 3e-8, 6e-8)])
"""Some are the same for the database, which keeps milliseconds."""
ID = st.integers(0, 6)
WORDS = st.sampled_from([ConnectorStatus.AVAILABLE, ConnectorStatus.PREPARING, ConnectorStatus.CHARGING])

STEPS = st.lists(
    st.one_of(
        st.builds(status, WHICH, CONNECTOR, WORDS, MINUTE),
        st.builds(start, WHICH, CONNECTOR, MINUTE),
        st.builds(stop, WHICH, ID, MINUTE),
        st.builds(meter_values, WHICH, CONNECTOR, ID, MINUTE, st.integers(900, 1100)),
        st.builds(meter_values, WHICH, CONNECTOR, ID, MINUTE, st.integers(900, 1100)),
        st.builds(boot, WHICH, MINUTE),
        st.builds(order, WHICH, CONNECTOR, MINUTE),
        st.builds(operator_closes, ID, MINUTE),
        st.builds(recovery, MINUTE),
        st.builds(fails, WHICH, CONNECTOR),
        st.just(wait),
    ),
    min_size=1,
    max_size=40,
)


@given(steps=STEPS)
def test_with_and_without_a_memory_the_database_is_the_same(steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mcpp.db"
        databases = [asyncio.run(stored(path.with_stem(name), steps, remembers=name == "with")) for name in MEMORIES]

    assert databases[0] == databases[1]


MEMORIES: Final = ("with", "without")


async def stored(path: Path, steps: list[Step], *, remembers: bool) -> list[str]:
    """The database as SQL, after the steps."""
    site = Site(path, remembers=remembers)
    for identity in IDENTITIES:
        connected = await site.writer.submit(charge_points.connect, identity, "1.6", BEGIN, register_unknown=True)
        assert isinstance(connected, charge_points.Connected)
        site.keys.append(connected.key)
    waiting: list[Pending[object]] = []
    for step in steps:
        pending = step(site)
        if pending is not None:
            waiting.append(pending.then(lambda value: value, lambda error: error))
        else:
            await settle(waiting)
    await settle(waiting)
    await site.writer.close()
    connection = sqlite3.connect(path)
    try:
        return list(_dump(connection))
    finally:
        connection.close()


async def settle(waiting: list[Pending[object]]) -> None:
    await asyncio.gather(*waiting, return_exceptions=True)
    waiting.clear()


def _dump(connection: sqlite3.Connection) -> Iterator[str]:
    return (line for line in connection.iterdump() if "schema_migrations" not in line)
