"""A database with charge points in it, written by the domain and read by a pool as in the server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import BaseModel

from mcpp.csms.live import Exchange
from mcpp.domain.authorization import AuthorizationPolicy
from mcpp.domain.charge_points import Connected, connect
from mcpp.domain.closing import Stop
from mcpp.domain.memory import Memory
from mcpp.domain.occasion import Occasion, OriginalMessage
from mcpp.domain.statuses import StopReason
from mcpp.domain.transactions import StartTransaction, StopTransaction, start_transaction, stop_transaction
from mcpp.ocppj.actions import Action, AnyAction, Req, Res
from mcpp.storage.sqlite.database import open_writer
from mcpp.storage.sqlite.migrations import migrate
from mcpp_generated.db.sqlite.queries import SqliteQueries

BEGIN = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)


def minute(number: float) -> datetime:
    return BEGIN + timedelta(minutes=number)


class Live:
    """Which charge points are connected: those of a set."""

    def __init__(self, *charge_point_ids: str) -> None:
        self.charge_point_ids = set(charge_point_ids)

    def connected(self, identity: str) -> bool:
        return identity in self.charge_point_ids

    def version_of(self, identity: str) -> str | None:
        raise NotImplementedError

    async def call(self, identity: str, action: Action[Req, Res], request: Req) -> Res:
        raise NotImplementedError

    async def send(self, identity: str, action: AnyAction, request: BaseModel, payload: bytes) -> Exchange[BaseModel]:
        raise NotImplementedError


class Fleet:
    """The one writer of a database."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connection = open_writer(path)
        migrate(self.connection)
        self.q = SqliteQueries(self.connection)

    def close(self) -> None:
        self.connection.close()

    def charge_point(self, charge_point_id: str = "CP-1", at: datetime = BEGIN) -> Occasion:
        """It connects; what comes next is said on this occasion."""
        connected = connect(self.q, charge_point_id, "1.6", at, register_unknown=True)
        assert isinstance(connected, Connected)
        return Occasion(connected.key, charge_point_id, "f" * 32, at, lambda: "e" * 32)

    def start(
        self, charge_point_id: str = "CP-1", connector_id: int = 1, id_tag: str = "TAG", at: datetime = BEGIN
    ) -> int:
        """A transaction begins; returns its id."""
        start = StartTransaction(connector_id, id_tag, 1000, at, None)
        occasion = self.charge_point(charge_point_id, at)
        return start_transaction(self.q, occasion, start, AuthorizationPolicy(), Memory()).value.transaction_id

    def stop(self, transaction_id: int, charge_point_id: str = "CP-1", at: datetime = BEGIN) -> None:
        """Its charge point ends it."""
        end = Stop(8000, at, None, StopReason.LOCAL)
        stop = StopTransaction(transaction_id, end, (), OriginalMessage("1.6", lambda: "{}"))
        stop_transaction(self.q, self.charge_point(charge_point_id, at), stop, AuthorizationPolicy(), Memory())
