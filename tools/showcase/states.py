"""How the site's connectors stood in the days before, as the server would have kept it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from mcpp.domain import charge_points
from mcpp.domain.connectors import ReportStatus, report_status
from mcpp.domain.memory import NO_EVSE, Memory
from mcpp.domain.occasion import Occasion
from mcpp.domain.state_history import note_run
from mcpp.domain.statuses import ConnectorError, ConnectorStatus
from mcpp.server.versions import EVSE_VERSIONS
from mcpp.storage.sqlite.database import open_writer
from mcpp.storage.sqlite.migrations import migrate
from mcpp_generated.db.queries import Queries
from mcpp_generated.db.sqlite.queries import SqliteQueries
from tools.showcase.charger import Model

_KEPT: Final = timedelta(days=8)
_OFFLINE: Final = {
    "GATE-1": [(timedelta(days=2, hours=9), timedelta(days=2, hours=3))],
    "CARPORT-1": [(timedelta(days=5), timedelta(days=4, hours=22))],
}
"""From when to when before now: the site's network isn't perfect."""

_BROKEN: Final = timedelta(hours=7)
"""Since when before now a charger is that is broken."""


@dataclass(frozen=True)
class Visit:
    """Somebody charges."""

    identity: str
    place: int
    card: str
    begin: datetime
    end: datetime


def write_states(path: Path, models: Sequence[Model], visits: Iterable[Visit]) -> None:
    """Into a database that is made anew: the server ran, chargers were connected, and cars came and went."""
    connection = open_writer(path)
    migrate(connection)
    q, now, since = SqliteQueries(connection), datetime.now(UTC), datetime.now(UTC) - _KEPT
    connection.execute("BEGIN")
    note_run(q, None, since, now)
    lately = [visit for visit in visits if visit.begin > since]
    for model in models:
        _write_charger(q, model, [visit for visit in lately if visit.identity == model.identity], since, now)
    connection.execute("COMMIT")
    connection.close()


def _write_charger(q: Queries, model: Model, visits: Sequence[Visit], since: datetime, now: datetime) -> None:
    connected = _connect(q, model, since)
    for back, again in _OFFLINE.get(model.identity, ()):
        charge_points.disconnect(q, connected, now - back)
        connected = _connect(q, model, now - again)
    statuses = [(since, place + 1, ConnectorStatus.AVAILABLE) for place in range(model.places)]
    for visit in visits:
        full = visit.end - (visit.end - visit.begin) / 5
        statuses += [
            (visit.begin - timedelta(minutes=1), visit.place, ConnectorStatus.PREPARING),
            (visit.begin, visit.place, ConnectorStatus.CHARGING),
            (full, visit.place, ConnectorStatus.SUSPENDED_EV),
            (visit.end, visit.place, ConnectorStatus.AVAILABLE),
        ]
    if model.is_broken:
        statuses = [it for it in statuses if it[0] < now - _BROKEN]
        statuses.append((now - _BROKEN, 1, ConnectorStatus.FAULTED))
    memory = Memory()
    for at, place, status in sorted(statuses):
        occasion = Occasion(connected.key, model.identity, "f" * 32, at, lambda: "f" * 32)
        has_evses = model.version in EVSE_VERSIONS
        error = ConnectorError.GROUND_FAILURE if status is ConnectorStatus.FAULTED else ConnectorError.NO_ERROR
        report = ReportStatus(
            connector_id=1 if has_evses else place,
            status=status,
            error_code=error,
            info=None,
            vendor_id=None,
            vendor_error_code=None,
            reported_at=at,
            evse_id=place if has_evses else NO_EVSE,
        )
        report_status(q, occasion, report, memory)


def _connect(q: Queries, model: Model, at: datetime) -> charge_points.Connected:
    connected = charge_points.connect(
        q, model.identity, model.version, at, register_unknown=True, evse_versions=EVSE_VERSIONS
    )
    assert isinstance(connected, charge_points.Connected)
    return connected
