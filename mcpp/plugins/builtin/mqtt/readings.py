"""What the topics show of meter values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, TypeAlias

from pydantic import JsonValue

from mcpp.domain.events import (
    ChargePointForgotten,
    Event,
    MeterValuesReceived,
    TransactionCorrected,
    TransactionStarted,
    TransactionStopped,
)
from mcpp.plugins import ChargePointState, ConnectorState
from mcpp.reads.live import LiveReadings
from mcpp.reads.stored_fleet import StoredConnector, StoredTransaction

_Place: TypeAlias = tuple[int, int]
"""evse_id and connector_id."""


class _Session(NamedTuple):
    """The session that runs on a connector, or the last one."""

    transaction_id: int
    started_at: datetime | None
    energy_wh: int | None
    """None until it's known: the server has started within it."""


class SiteReadings:
    """Power of every connector, as the API and metrics have it; energy of its running or last session, and of all."""

    def __init__(self) -> None:
        self._live = LiveReadings()
        self._sessions: dict[str, dict[_Place, _Session]] = {}
        self._totals: dict[str, int] = {}
        """As last told: they never fall."""

    def load(self, states: Sequence[ChargePointState]) -> None:
        """Begin with charge points as they are."""
        for state in states:
            self._live.begin(
                state.charge_point_id,
                [
                    StoredConnector(known.connector_id, known.status, known.error_code, known.evse_id)
                    for known in state.connectors
                ],
                [
                    StoredTransaction(known.transaction_id, known.connector_id, None, known.evse_id)
                    for known in state.connectors
                    if known.transaction_id is not None
                ],
                connected=state.connected,
            )

    def look(self, state: ChargePointState) -> None:
        """Take note of sessions that run, and whose start wasn't seen here."""
        sessions = self._sessions.setdefault(state.charge_point_id, {})
        for known in state.connectors:
            if known.transaction_id is not None:
                started = _Session(known.transaction_id, known.transaction_started_at, known.energy_wh)
                _begin(sessions, (known.evse_id, known.connector_id), started)

    def follow(self, event: Event) -> None:
        """Take note of an event, of whatever kind."""
        self._live(event)
        sessions = self._sessions.get(event.charge_point_id)
        if sessions is None:  # of a charge point that wasn't looked at yet, or never will be
            return
        match event:
            case MeterValuesReceived(energy_wh=int(wh), transaction_id=int(transaction_id)):
                _progress(sessions, transaction_id, wh)
            case TransactionStarted(historic=False):
                started = _Session(event.transaction_id, event.started_at, 0)
                _begin(sessions, (event.evse_id, event.connector_id), started)
            case TransactionStopped(historic=False):
                ended = _Session(event.transaction_id, event.started_at, event.energy_wh)
                _begin(sessions, (event.evse_id, event.connector_id), ended)
                _progress(sessions, event.transaction_id, event.energy_wh)
            case TransactionCorrected():
                _progress(sessions, event.transaction_id, event.energy_wh)
            case ChargePointForgotten():
                self._sessions.pop(event.charge_point_id, None)
                self._totals.pop(event.charge_point_id, None)
            case _:
                pass

    def knows(self, event: MeterValuesReceived) -> bool:
        """Whether these values tell of no session that is new here."""
        if event.energy_wh is None or event.transaction_id is None or event.historic:
            return True
        sessions = self._sessions.get(event.charge_point_id, {})
        return any(it.transaction_id == event.transaction_id for it in sessions.values())

    def facts(self, state: ChargePointState, connector: ConnectorState, now: datetime) -> dict[str, JsonValue]:
        """A connector's `power_w`, None where it isn't known or stale; its session's beginning and `energy_wh`."""
        session = self._sessions.get(state.charge_point_id, {}).get((connector.evse_id, connector.connector_id))
        started_at = None if session is None else session.started_at
        return {
            "power_w": self._power_w(state, connector, now),
            # In whole seconds: the database has fewer digits than the event, and another time would be another session.
            "session_started_at": None if started_at is None else started_at.isoformat(timespec="seconds"),
            "energy_wh": None if session is None else session.energy_wh,
        }

    def total_wh(self, state: ChargePointState) -> int:
        """Of all sessions of a charge point: as read, and what has come since."""
        sessions = self._sessions.get(state.charge_point_id, {}).values()
        newer = {it.transaction_id: it.energy_wh for it in sessions if it.energy_wh is not None}
        total = state.energy_wh
        for known in state.connectors:
            if known.transaction_id in newer:
                total += newer[known.transaction_id] - (known.energy_wh or 0)
        told = self._totals[state.charge_point_id] = max(total, self._totals.get(state.charge_point_id, 0))
        return told

    def _power_w(self, state: ChargePointState, connector: ConnectorState, now: datetime) -> float | None:
        live = self._live.connector(state.charge_point_id, connector.connector_id, connector.evse_id)
        if live is None:
            return None
        watts = live.power_w(now)
        if watts is None and state.connected and live.status is not None and not live.may_flow:
            return 0.0
        return watts


def _begin(sessions: dict[_Place, _Session], place: _Place, started: _Session) -> None:
    """Events may overtake what is read, and the other way round: the newest session counts."""
    known = sessions.get(place)
    if known is None or known.transaction_id < started.transaction_id:
        sessions[place] = started


def _progress(sessions: dict[_Place, _Session], transaction_id: int, wh: int) -> None:
    for place, known in sessions.items():
        if known.transaction_id == transaction_id:
            sessions[place] = known._replace(energy_wh=wh)
