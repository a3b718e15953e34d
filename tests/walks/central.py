"""A central system without sockets and threads: a version's whole way of a message, over a database in memory."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache
from itertools import count
from typing import Any, NamedTuple, TypeVar, cast

from mcpp.csms.services import Services
from mcpp.csms.version import KnownVersion, SpokenVersion
from mcpp.domain import charge_points
from mcpp.domain.authorization import AuthorizationPolicy
from mcpp.domain.event_gaps import Gap, gaps_told
from mcpp.domain.events import Event
from mcpp.domain.inquiries import TransactionAnswer, take_answer, transactions_to_ask
from mcpp.domain.memory import Memory
from mcpp.domain.recovery import close_orphans
from mcpp.ocpp16.known import KNOWN as OCPP16
from mcpp.ocppj.errors import CallFault
from mcpp.ocppj.flow import Direction, Flow, Peer
from mcpp.ocppj.frames import Call
from mcpp.reads.transactions import Transaction, transaction_of
from mcpp.server.events import Events
from mcpp.server.versions import EVSE_VERSIONS
from mcpp.settings import Settings
from mcpp.storage.pending import Pending
from mcpp.storage.sqlite.database import CACHED_STATEMENTS, WriterConnection
from mcpp.storage.sqlite.migrations import migrate
from mcpp.storage.writer import Writer, _Batch
from mcpp_generated.db.queries import Queries
from mcpp_generated.db.sqlite.queries import SqliteQueries

T = TypeVar("T")

IDENTITY = "CP-1"
NEIGHBOUR = "CP-0"
"""Another charge point, whose transactions have ids too."""

GRACE = timedelta(seconds=int(Settings.model_fields["recovery_grace"].default))


class ImmediateWriter(Writer[Queries]):
    """Runs each unit at once and in this thread, each a batch of its own, by the writer's own rules."""

    def __init__(self, connection: WriterConnection, queries: Queries, memory: Memory) -> None:
        self._connection = connection
        self._queries = queries
        self._memory = memory
        self._loop = cast("asyncio.AbstractEventLoop", None)  # nobody waits

    def _gather(self, unit: Pending[T]) -> Pending[T]:
        self._write(_Batch([unit], unit.began))
        unit._committed = True  # whoever awaits it goes on at once
        return unit


class Said(NamedTuple):
    """A CALL with what became of it, for those who read the story of a walk."""

    at: datetime
    action: str
    payload: Mapping[str, object]
    answer: str


class Unmatched(NamedTuple):
    """A message that was kept aside."""

    id: int
    kind: str
    payload: dict[str, Any]


@cache
def _empty_database() -> bytes:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    return connection.serialize()


class Central:
    """The server; its clock is right."""

    def __init__(self, begin: datetime, version: KnownVersion = OCPP16) -> None:
        """Its charge points speak this version."""
        self.now = begin
        self.asked: Callable[[str], TransactionAnswer] = lambda _: TransactionAnswer.UNKNOWN
        """What a charge point says of a transaction, by its own id, where its version has such a question."""
        self._version = version
        self.story: list[Said | str] = []
        self._ids = (f"{number:032x}" for number in count(1))
        self._connection = sqlite3.connect(
            ":memory:", isolation_level=None, cached_statements=CACHED_STATEMENTS, factory=WriterConnection
        )
        self._connection.deserialize(_empty_database())
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.execute("PRAGMA temp_store = MEMORY")
        self.q = SqliteQueries(self._connection)
        self._connected_since: dict[int, datetime] = {}
        self._connections: dict[str, charge_points.Connected] = {}
        self._start()

    def _start(self) -> None:
        memory = Memory()
        self._writer = ImmediateWriter(self._connection, self.q, memory)
        services = Services(
            self._writer,
            self._publish,
            Events().wanted,
            AuthorizationPolicy(),
            heartbeat_interval=300,
            memory=memory,
            now=lambda: self.now,
        )
        self._dialect = SpokenVersion(self._version, services)
        self._looked_at = self.now

    def close(self) -> None:
        self._connection.close()

    def restart(self) -> None:
        """What is only in memory is lost, connections included."""
        self.story.append("the server restarts")
        self._connections.clear()
        self._connected_since.clear()
        self._start()

    # Connections and messages.

    def connect(self, identity: str = IDENTITY) -> None:
        connected = self._writer.submit(
            charge_points.connect,
            identity,
            self._version.name,
            self.now,
            register_unknown=True,
            evse_versions=EVSE_VERSIONS,
        ).result()
        assert isinstance(connected, charge_points.Connected)
        self._connections[identity] = connected
        self._connected_since[connected.key] = self.now
        self.story.append(f"{self.now:%d %H:%M:%S} {identity} connects")

    def disconnect(self, identity: str = IDENTITY) -> None:
        connected = self._connections.pop(identity, None)
        if connected is not None:
            self._writer.submit_about(connected.key, charge_points.disconnect, connected, self.now).result()
            self._connected_since.pop(connected.key)
            self.story.append(f"{self.now:%d %H:%M:%S} {identity} is gone")

    def say(self, action: str, payload: Mapping[str, object], identity: str = IDENTITY) -> dict[str, Any] | None:
        """One CALL of the charge point; gives the response's JSON, None for a CALLERROR."""
        message_id = next(self._ids)
        peer = Peer(self._connections[identity].key, identity)
        flow = Flow(peer, Direction.IN, action, message_id, message_id, 0.0)
        try:
            answer = self._dialect.handle(flow, Call(message_id, action, json.dumps(payload).encode()))
            if isinstance(answer, Pending):
                answer = answer.result()
            assert isinstance(answer, bytes)
        except CallFault as fault:
            self.story.append(Said(self.now, action, payload, f"CALLERROR {fault.code}: {fault.description}"))
            return None
        if flow.after_answer is not None:
            flow.after_answer()
        response: dict[str, Any] = json.loads(answer)
        self.story.append(Said(self.now, action, payload, answer.decode()))
        return response

    def look_for_orphans(self) -> None:
        """What the server does by the clock, every two seconds."""
        if self.now - self._looked_at < timedelta(seconds=2):
            return
        self._looked_at = self.now
        result = self._writer.submit(
            close_orphans, self.now, GRACE, self._connected_since, lambda: next(self._ids)
        ).result()
        if result.value:
            self.story.append(f"{self.now:%d %H:%M:%S} recovery closes {result.value}")
        for inquiry in transactions_to_ask(self.q, self.now, GRACE, self._connected_since):
            answer = self.asked(inquiry.ocpp_transaction_id)
            self.story.append(f"{self.now:%d %H:%M:%S} transaction {inquiry.transaction_id} is {answer.name}")
            self._writer.submit(take_answer, self.now, GRACE, inquiry, answer, lambda: next(self._ids)).result()

    # The books.

    def transactions(self) -> dict[int, Transaction]:
        """All of this charge point, by their ids, as the API shows them."""
        rows = self._connection.execute("SELECT id FROM transactions ORDER BY id")
        records = (self.q.get_transaction(transaction_id=transaction_id) for (transaction_id,) in rows)
        return {
            record.transaction_id: transaction_of(record)
            for record in records
            if record is not None and record.charge_point_id == IDENTITY
        }

    def gaps_of(self, transaction_id: int) -> tuple[Gap, ...]:
        """What is missing of a transaction's events."""
        transaction = self.q.find_transaction(id=transaction_id)
        assert transaction is not None
        return gaps_told(self.q.list_transaction_events(transaction_id=transaction_id), transaction.stop_origin)

    def unmatched(self) -> list[Unmatched]:
        rows = self.q.list_unmatched(before_id=2**63 - 1, page_size=10_000)
        return [Unmatched(row.id, row.kind.value, json.loads(row.payload)) for row in reversed(rows)]

    def falsify(self, statement: str) -> None:
        """Write something wrong into the books, for those who judge them."""
        assert self._connection.execute(statement).rowcount > 0

    def _publish(self, _: Iterable[Event]) -> None: ...
