"""A real database with transactions in it, written as the server does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from mcpp.domain.authorization import AuthorizationPolicy
from mcpp.domain.charge_points import Connected, connect
from mcpp.domain.closing import Stop
from mcpp.domain.memory import Memory
from mcpp.domain.occasion import Occasion, OriginalMessage
from mcpp.domain.statuses import StopReason
from mcpp.domain.transactions import StartTransaction, StopTransaction, start_transaction, stop_transaction
from mcpp.storage.sqlite.database import open_writer
from mcpp.storage.sqlite.migrations import migrate
from mcpp_generated.db.sqlite.queries import SqliteQueries

BEGIN = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


class Ledger:
    """The one writer of a database."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connection = open_writer(path)
        migrate(self.connection)
        self.q = SqliteQueries(self.connection)
        self._sessions = 0

    def close(self) -> None:
        self.connection.close()

    def session(
        self,
        *,
        started_at: datetime = BEGIN,
        stopped_at: datetime | None = None,
        hours: float = 1.0,
        charger: str = "CP-1",
        connector: int = 1,
        id_tag: str = "TAG",
        meter_start: int = 1000,
        wh: int | None = 7000,
    ) -> int:
        """A transaction that ran for some hours or until a time; with `wh` None it still runs. Gives its id."""
        connected = connect(self.q, charger, "1.6", started_at, register_unknown=True)
        assert isinstance(connected, Connected)
        self._sessions += 1
        occasion = Occasion(connected.key, charger, "f" * 32, started_at, lambda: f"{self._sessions:032x}")
        start = StartTransaction(connector, id_tag, meter_start, started_at, None)
        transaction_id = start_transaction(
            self.q, occasion, start, AuthorizationPolicy(), Memory()
        ).value.transaction_id
        if wh is not None:
            end = Stop(meter_start + wh, stopped_at or started_at + timedelta(hours=hours), None, StopReason.LOCAL)
            stop = StopTransaction(transaction_id, end, (), OriginalMessage("1.6", lambda: "{}"))
            stop_transaction(self.q, occasion, stop, AuthorizationPolicy(), Memory())
        return transaction_id
