"""What a charge point tells, what the keeper does by the clock, and what the books then say of a transaction."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from mcpp.domain import charge_points
from mcpp.domain.charge_points import Boot
from mcpp.domain.connectors import ReportStatus, report_status
from mcpp.domain.events import Event
from mcpp.domain.memory import Memory
from mcpp.domain.recovery import close_orphans
from mcpp.domain.statuses import NO_ERROR, ConnectorStatus
from tests.unit.domain.books import NOW, Books, energy

GRACE = timedelta(minutes=2)

ALWAYS = NOW - timedelta(days=1)
"""Connected for longer than any grace period."""


def status(books: Books, status: str, at: datetime, connector: int = 1, received: datetime | None = None) -> None:
    report = ReportStatus(connector, ConnectorStatus(status), NO_ERROR, None, None, None, at)
    report_status(books.q, books.occasion(at=received or at), report, Memory())


def boot(books: Books, at: datetime, *, connect: bool = True) -> None:
    if connect:
        charge_points.connect(books.q, "CP-1", "1.6", at - timedelta(seconds=1), register_unknown=True)
    about = Boot("V", "M", None, None, None, None, None, None, None)
    charge_points.boot(books.q, books.occasion(at=at), about)


def values(books: Books, at: datetime, value: str, transaction_id: int = 0, received: datetime | None = None) -> None:
    books.meter_values(energy(at, value), transaction_id=transaction_id, received=received or at)


def look(books: Books, now: datetime, connected_since: datetime | None = ALWAYS) -> tuple[Event, ...]:
    """What the keeper does, by the clock."""
    connected = {} if connected_since is None else {books.occasion().charge_point_key: connected_since}
    return close_orphans(books.q, now, GRACE, connected, lambda: "e" * 32).events


def is_open(books: Books, transaction_id: int) -> bool:
    return books.transaction(transaction_id).stopped_at is None


def evidence(books: Books, transaction_id: int) -> dict[str, Any]:
    stored: dict[str, Any] = json.loads(books.transaction(transaction_id).evidence or "{}")
    return stored


def session(books: Books) -> str | None:
    connector = books.q.get_connector(charge_point_key=books.occasion().charge_point_key, evse_id=0, connector_id=1)
    assert connector is not None
    return connector.session_correlation_id
