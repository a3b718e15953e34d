"""Books in memory, under the real migrations, and short ways to write in them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count

from mcpp.domain import charge_points
from mcpp.domain.authorization import AuthorizationPolicy
from mcpp.domain.closing import Stop
from mcpp.domain.memory import Memory
from mcpp.domain.meter_values import RecordMeterValues, record_meter_values
from mcpp.domain.occasion import Occasion, OriginalMessage, Result
from mcpp.domain.samples import ENERGY_REGISTER, Sample, SampleKind
from mcpp.domain.statuses import StopReason
from mcpp.domain.transactions import (
    Started,
    StartTransaction,
    Stopped,
    StopTransaction,
    start_transaction,
    stop_transaction,
)
from mcpp.storage.sqlite.migrations import migrate
from mcpp_generated.db.models import Transaction, UnmatchedRecord
from mcpp_generated.db.sqlite.queries import SqliteQueries

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
ENERGY = SampleKind(ENERGY_REGISTER, "", "Wh", "Sample.Periodic", "Outlet", "Raw")


def minute(number: float) -> datetime:
    return NOW + timedelta(minutes=number)


def energy(at: datetime, value: str, kind: SampleKind = ENERGY) -> Sample:
    return Sample(at, kind, value, 0)


@cache
def empty_database() -> bytes:
    """What the migrations make: the same for all, and much of a short test's time."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    return connection.serialize()


class Books:
    """One charge point's view of a database in memory."""

    def __init__(self, policy: AuthorizationPolicy | None = None) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.connection.deserialize(empty_database())
        self.connection.execute("PRAGMA foreign_keys = ON")
        self.q = SqliteQueries(self.connection)
        self.policy = policy or AuthorizationPolicy()
        self._ids = (f"{number:032x}" for number in count(1))
        self._keys = {}
        # So that no key is equal to an id by chance.
        other = self.q.connect_charge_point(identity="CP-0", ocpp_version="1.6", connected_at=NOW)
        self.q.set_password_hashes(key=other.key, password_hash="none", password_hash_candidate=None)
        for connector_id in range(101, 111):
            self.q.add_connector(charge_point_key=other.key, evse_id=0, connector_id=connector_id)
        for identity in ("CP-1", "CP-2"):
            connected = charge_points.connect(self.q, identity, "1.6", NOW, register_unknown=True)
            assert isinstance(connected, charge_points.Connected)
            self._keys[identity] = connected.key

    def occasion(self, identity: str = "CP-1", at: datetime = NOW) -> Occasion:
        return Occasion(self._keys[identity], identity, "f" * 32, at, lambda: next(self._ids))

    def start(
        self,
        *,
        charger: str = "CP-1",
        connector: int = 1,
        tag: str = "TAG",
        meter: int = 1000,
        at: datetime = NOW,
        received: datetime | None = None,
        reservation: int | None = None,
        has_own_time: bool = True,
    ) -> Result[Started]:
        command = StartTransaction(connector, tag, meter, at, reservation, has_own_time)
        return start_transaction(self.q, self.occasion(charger, received or at), command, self.policy, Memory())

    def stop(
        self,
        transaction_id: int,
        *,
        charger: str = "CP-1",
        meter: int = 5000,
        at: datetime = NOW,
        received: datetime | None = None,
        tag: str | None = None,
        samples: Sequence[Sample] = (),
        has_own_time: bool = True,
    ) -> Result[Stopped]:
        payload = f'{{"kept": "whole", "at": "{at}", "register": {meter}}}'
        command = StopTransaction(
            transaction_id,
            Stop(meter, at, tag, StopReason.LOCAL),
            samples,
            OriginalMessage("1.6", lambda: payload),
            has_own_time,
        )
        return stop_transaction(self.q, self.occasion(charger, received or at), command, self.policy, Memory())

    def meter_values(
        self,
        *samples: Sample,
        transaction_id: int = 0,
        charger: str = "CP-1",
        connector: int = 1,
        received: datetime = NOW,
        memory: Memory | None = None,
    ) -> Result[None]:
        command = RecordMeterValues(
            connector, transaction_id, samples, OriginalMessage("1.6", lambda: '{"kept": "whole"}')
        )
        return record_meter_values(self.q, self.occasion(charger, received), command, memory or Memory())

    def transaction(self, transaction_id: int) -> Transaction:
        transaction = self.q.find_transaction(id=transaction_id)
        assert transaction is not None
        return transaction

    def values(self, transaction_id: int) -> list[str]:
        rows = self.connection.execute(
            "SELECT value FROM transaction_samples WHERE transaction_id = ? ORDER BY measured_at, position",
            (transaction_id,),
        )
        return [value for (value,) in rows]

    def unmatched(self) -> list[UnmatchedRecord]:
        """What an operator sees, the newest first."""
        return self.q.list_unmatched(before_id=2**63 - 1, page_size=99)

    def count(self, table: str) -> int:
        number: int = self.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        return number
