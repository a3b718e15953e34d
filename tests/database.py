"""A database file, written as the server writes it: through the domain, by one writer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Self

from mcpp.domain.authorization import AuthorizationPolicy
from mcpp.domain.charge_points import Connected, connect
from mcpp.domain.closing import Stop
from mcpp.domain.memory import Memory, ensure_connector
from mcpp.domain.occasion import Occasion, OriginalMessage
from mcpp.domain.statuses import StopReason
from mcpp.domain.transactions import StartTransaction, StopTransaction, start_transaction, stop_transaction
from mcpp.storage.sqlite.database import WriterConnection, open_writer
from mcpp.storage.sqlite.migrations import migrate
from mcpp_generated.db.sqlite.queries import SqliteQueries

BEGIN = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def minute(number: float) -> datetime:
    return BEGIN + timedelta(minutes=number)


class Database:
    """The one writer of a database."""

    def __init__(self, path: Path) -> None:
        self._use(path, open_writer(path))
        migrate(self.connection)

    @classmethod
    def of(cls, path: Path, connection: WriterConnection) -> Self:
        """The database of a connection that is open, of the current schema."""
        database = cls.__new__(cls)
        database._use(path, connection)
        return database

    def _use(self, path: Path, connection: WriterConnection) -> None:
        self.path = path
        self.connection = connection
        self.q = SqliteQueries(connection)
        self._sessions = (f"{number:032x}" for number in count(1))

    def close(self) -> None:
        self.connection.close()

    def charge_point(self, charge_point_id: str = "CP-1", at: datetime = BEGIN) -> Occasion:
        """It connects; what comes next is said on this occasion."""
        connected = connect(self.q, charge_point_id, "1.6", at, register_unknown=True)
        assert isinstance(connected, Connected)
        return Occasion(connected.key, charge_point_id, "f" * 32, at, lambda: next(self._sessions))

    def start(
        self,
        charge_point_id: str = "CP-1",
        connector_id: int = 1,
        id_tag: str = "TAG",
        at: datetime = BEGIN,
        meter_start: int = 1000,
    ) -> int:
        """A transaction begins; returns its id."""
        start = StartTransaction(connector_id, id_tag, meter_start, at, None)
        occasion = self.charge_point(charge_point_id, at)
        return start_transaction(self.q, occasion, start, AuthorizationPolicy(), Memory()).value.transaction_id

    def stop(
        self, transaction_id: int, charge_point_id: str = "CP-1", at: datetime = BEGIN, meter_stop: int = 8000
    ) -> None:
        """Its charge point ends it."""
        end = Stop(meter_stop, at, None, StopReason.LOCAL)
        stop = StopTransaction(transaction_id, end, (), OriginalMessage("1.6", lambda: "{}"))
        stop_transaction(self.q, self.charge_point(charge_point_id, at), stop, AuthorizationPolicy(), Memory())

    def move_to_evse(self, transaction_id: int, evse_id: int, ocpp_transaction_id: str, connector_id: int = 1) -> None:
        """As if its charge point spoke OCPP 2.x: it's on a connector of an EVSE, by an id of its own."""
        transaction = self.q.find_transaction(id=transaction_id)
        assert transaction is not None
        key = transaction.charge_point_key
        connector = ensure_connector(self.q, key, connector_id, evse_id)
        self.connection.execute(
            "UPDATE transactions SET connector_key = ?, evse_id = ?, connector_id = ?, ocpp_transaction_id = ?"
            " WHERE id = ?",
            (connector.key, evse_id, connector_id, ocpp_transaction_id, transaction_id),
        )
        self.connection.execute(
            "UPDATE connectors SET is_shown = (evse_id > 0) = (connector_id > 0) WHERE charge_point_key = ?", (key,)
        )

    def session(
        self,
        *,
        charge_point_id: str = "CP-1",
        connector_id: int = 1,
        id_tag: str = "TAG",
        started_at: datetime = BEGIN,
        stopped_at: datetime | None = None,
        hours: float = 1.0,
        meter_start: int = 1000,
        wh: int | None = 7000,
    ) -> int:
        """A transaction that ran for some hours or until a time, or still runs where `wh` is None; returns its id."""
        transaction_id = self.start(charge_point_id, connector_id, id_tag, started_at, meter_start)
        if wh is not None:
            end = stopped_at or started_at + timedelta(hours=hours)
            self.stop(transaction_id, charge_point_id, end, meter_start + wh)
        return transaction_id
