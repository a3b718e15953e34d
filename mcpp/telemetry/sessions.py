"""The charging sessions that run now: who asks may know a session by its connector or its transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeAlias

from mcpp.domain.events import (
    ChargePointForgotten,
    ConnectorStatusChanged,
    Event,
    TransactionRecovered,
    TransactionStarted,
    TransactionStopped,
)
from mcpp.domain.memory import CHARGE_POINT, NO_EVSE
from mcpp.domain.statuses import is_free
from mcpp.ocppj.flow import Subject
from mcpp_generated.db.models import ListSessionsRow


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnd:
    """A session that is over."""

    correlation_id: str
    charge_point_id: str
    connector_id: int
    evse_id: int
    """0 where the OCPP version knows connectors only."""
    transaction_id: int | None
    """None where no transaction came of it."""
    began_at: datetime
    at: datetime
    facts: Mapping[str, str | int]
    """What is logged of its transaction."""


_Place: TypeAlias = tuple[str, int, int]
"""A connector by its charge point's identity, evse_id and connector_id; connector 0 of an EVSE is any of its."""


class _RunningSession(NamedTuple):
    correlation_id: str
    charge_point_id: str
    evse_id: int
    connector_id: int
    transaction_id: int | None
    began_at: datetime


class ChargingSessions:
    """Subscribes to the domain's events; filled from the database at the start."""

    kinds: tuple[type[Event], ...] = (
        ConnectorStatusChanged,
        TransactionStarted,
        TransactionStopped,
        TransactionRecovered,
        ChargePointForgotten,
    )
    """Events that it wants."""

    def __init__(self, ended: Callable[[SessionEnd], None] | None = None) -> None:
        """`ended` is called with each session that ends."""
        self._ended = ended
        self._by_place: dict[_Place, _RunningSession] = {}
        self._by_transaction: dict[int, _RunningSession] = {}

    def load(self, running: Iterable[ListSessionsRow], now: datetime) -> None:
        """Take up the sessions that ran when the server stopped."""
        for row in running:
            if row.session_correlation_id is not None:
                began_at = row.start_received_at or row.status_received_at or now
                session = _RunningSession(
                    row.session_correlation_id,
                    row.charge_point_id,
                    row.evse_id,
                    row.connector_id,
                    row.transaction_id,
                    began_at,
                )
                self._enter(session)

    def find(self, charge_point_id: str, subject: Subject) -> str | None:
        """The correlation id of the session that a CALL is about, if it's about one."""
        session = None
        if subject.transaction_id is not None:
            session = self._by_transaction.get(subject.transaction_id)
            if session is not None and session.charge_point_id != charge_point_id:
                session = None
        evse_id, connector_id = subject.evse_id or NO_EVSE, subject.connector_id
        if session is None and (connector_id is not None or evse_id != NO_EVSE):
            session = self._by_place.get((charge_point_id, evse_id, connector_id or CHARGE_POINT))
        return None if session is None else session.correlation_id

    def __call__(self, event: Event) -> None:
        """Follow what happened."""
        if isinstance(event, ConnectorStatusChanged):
            self._status_changed(event)
        elif isinstance(event, TransactionStarted):
            self._started(event)
        elif isinstance(event, TransactionStopped) and event.supersedes is None:
            self._stopped(event)
        elif isinstance(event, ChargePointForgotten):
            self._forget(event.charge_point_id)

    def _status_changed(self, event: ConnectorStatusChanged) -> None:
        place = (event.charge_point_id, event.evse_id, event.connector_id)
        session = self._by_place.get(place)
        if event.session_correlation_id is None:
            return
        if session is None or session.correlation_id != event.session_correlation_id:
            session = _RunningSession(event.session_correlation_id, *place, None, event.at)
            self._enter(session)
        if is_free(event.status) and session.transaction_id is None:
            self._leave(session)
            self._end(session, event.at, {})

    def _started(self, event: TransactionStarted) -> None:
        place = (event.charge_point_id, event.evse_id, event.connector_id)
        known = self._by_place.get(place)
        if known is None or known.correlation_id != event.session_correlation_id:
            known = _RunningSession(event.session_correlation_id, *place, None, event.at)
        self._enter(known._replace(transaction_id=event.transaction_id))

    def _stopped(self, event: TransactionStopped) -> None:
        session = self._by_transaction.pop(event.transaction_id, None) or _RunningSession(
            event.session_correlation_id,
            event.charge_point_id,
            event.evse_id,
            event.connector_id,
            event.transaction_id,
            event.started_at,
        )
        self._leave(session)
        facts: dict[str, str | int] = {
            "mcpp.energy_wh": event.energy_wh,
            "mcpp.stop_reason": event.reason,
            "mcpp.stop_origin": event.origin.value,
        }
        self._end(session, event.at, facts)

    def _forget(self, charge_point_id: str) -> None:
        for place in [place for place in self._by_place if place[0] == charge_point_id]:
            del self._by_place[place]
        gone = [key for key, session in self._by_transaction.items() if session.charge_point_id == charge_point_id]
        for transaction_id in gone:
            del self._by_transaction[transaction_id]

    def _enter(self, session: _RunningSession) -> None:
        for place in _places_of(session):
            self._by_place[place] = session
        if session.transaction_id is not None:
            self._by_transaction[session.transaction_id] = session

    def _leave(self, session: _RunningSession) -> None:
        for place in _places_of(session):
            if self._by_place.get(place) == session:
                del self._by_place[place]

    def _end(self, session: _RunningSession, at: datetime, facts: Mapping[str, str | int]) -> None:
        if self._ended is None:
            return
        self._ended(
            SessionEnd(
                correlation_id=session.correlation_id,
                charge_point_id=session.charge_point_id,
                connector_id=session.connector_id,
                evse_id=session.evse_id,
                transaction_id=session.transaction_id,
                began_at=session.began_at,
                at=at,
                facts=facts,
            )
        )


def _places_of(session: _RunningSession) -> Iterator[_Place]:
    """By what it's found: its connector, and its EVSE, of whose connectors one is in use at a time."""
    yield session.charge_point_id, session.evse_id, session.connector_id
    if session.evse_id != NO_EVSE:
        yield session.charge_point_id, session.evse_id, CHARGE_POINT
