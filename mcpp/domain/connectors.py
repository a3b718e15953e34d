"""Connectors: known from the first message that names them, and in a session from `Preparing` to the stored stop."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mcpp.domain.chronology import is_past_status, was_clock_set_back
from mcpp.domain.events import ConnectorStatusChanged
from mcpp.domain.memory import CHARGE_POINT, NO_EVSE, WHOLE, Memory, Place, as_stored, ensure_connector
from mcpp.domain.occasion import ChargingSession, Occasion, Result
from mcpp.domain.recovery import weigh_status
from mcpp.domain.state_history import keep_status
from mcpp.domain.statuses import NO_ERROR, ConnectorError, ConnectorStatus, awaits_start, is_free
from mcpp_generated.db.enums import Availability
from mcpp_generated.db.models import Connector, Transaction
from mcpp_generated.db.queries import Queries


@dataclass(frozen=True, slots=True)
class ReportStatus:
    """A connector's status as its charge point reports it (OCPP 1.6 §6.47)."""

    connector_id: int
    status: ConnectorStatus
    error_code: ConnectorError
    info: str | None
    vendor_id: str | None
    vendor_error_code: str | None
    reported_at: datetime
    evse_id: int = NO_EVSE
    reported_status: str | None = None
    """The charger's own word, where `status` is derived from it; None where that is the same (OCPP 1.6)."""


def order_availability(
    q: Queries, occasion: Occasion, connector_id: int, availability: Availability, evse_id: int = NO_EVSE
) -> Result[None]:
    """Store the availability that a charge point agreed to; connector 0 speaks for all of them (OCPP 1.6 §5.2).

    With an EVSE, it speaks for that EVSE's.
    """
    connector = ensure_connector(q, occasion.charge_point_key, connector_id, evse_id)
    if connector_id == WHOLE and evse_id != NO_EVSE:
        q.order_availability_of_evse(
            charge_point_key=occasion.charge_point_key,
            evse_id=evse_id,
            ordered_availability=availability,
            ordered_at=occasion.at,
        )
    elif connector_id == CHARGE_POINT:
        q.order_availability_of_all(
            charge_point_key=occasion.charge_point_key, ordered_availability=availability, ordered_at=occasion.at
        )
    else:
        q.order_availability(key=connector.key, ordered_availability=availability, ordered_at=occasion.at)
    return Result(None)


def report_status(q: Queries, occasion: Occasion, report: ReportStatus, memory: Memory) -> Result[None]:
    """Store a connector's status; an event reports it where it says something new.

    One that is older than what its connector has told is only weighed against the running transaction, of whose time it
    may be.
    """
    place = memory.place_in_bounds(q, occasion.charge_point_key, report.connector_id, report.evse_id)
    if place is None:
        return memory.counted(Result(None))
    connector, running = place.connector, place.running(q)
    if is_past_status(connector, report.status, report.reported_at, occasion.at):
        if not was_clock_set_back(connector, report.reported_at, occasion.at):
            return _note_past_status(q, occasion, report, place, running, memory)
        q.forget_told_times(key=connector.key)
        connector = connector._replace(
            newest_start_at=None, newest_stop_at=None, stale_status_at=None, stale_status_received_at=None
        )
    session = _session_after(occasion, connector, running, report.status)
    status_changes = keep_status(q, connector, report.status.value, occasion.at)
    q.set_connector_status(
        key=connector.key,
        status=report.status.value,
        error_code=report.error_code.value,
        info=report.info,
        vendor_id=report.vendor_id,
        vendor_error_code=report.vendor_error_code,
        status_at=report.reported_at,
        status_received_at=occasion.at,
        session_correlation_id=session,
        reported_status=report.reported_status,
        status_changes=status_changes,
    )
    place.connector = connector._replace(
        status=report.status.value,
        error_code=report.error_code.value,
        info=report.info,
        vendor_id=report.vendor_id,
        vendor_error_code=report.vendor_error_code,
        status_at=as_stored(report.reported_at),
        status_received_at=as_stored(occasion.at),
        status_began_at=_status_began_at(connector, report.status, as_stored(occasion.at)),
        session_correlation_id=session,
        reported_status=report.reported_status,
        status_changes=status_changes,
    )
    _weigh(q, occasion, report, connector, running, memory)
    is_error = report.error_code != NO_ERROR
    q.stamp_status(
        key=occasion.charge_point_key, last_status_at=occasion.at, last_error_at=occasion.at if is_error else None
    )
    part_of = session or connector.session_correlation_id
    belongs_to = ChargingSession(part_of, running.id if running is not None else None) if part_of else None
    known = (connector.status, connector.error_code, connector.info)
    if known == (report.status, report.error_code, report.info):
        return Result(None, session=belongs_to)
    event = ConnectorStatusChanged(
        charge_point_id=occasion.charge_point_id,
        correlation_id=occasion.correlation_id,
        at=occasion.at,
        connector_id=report.connector_id,
        status=report.status,
        previous_status=connector.status,
        error_code=report.error_code,
        info=report.info,
        reported_at=report.reported_at,
        session_correlation_id=part_of,
        reported_status=report.reported_status,
        evse_id=report.evse_id,
    )
    return Result(None, (event,), belongs_to)


def _status_began_at(before: Connector, status: str, at: datetime) -> datetime:
    """As the database notes it: a repeat changes nothing."""
    return at if status != before.status or before.status_began_at is None else before.status_began_at


def _note_past_status(
    q: Queries,
    occasion: Occasion,
    report: ReportStatus,
    place: Place,
    running: Transaction | None,
    memory: Memory,
) -> Result[None]:
    """Keep an old status out of the present: it shows that the charge point is there, and how its clock goes."""
    connector = place.connector
    q.note_stale_status(key=connector.key, stale_status_at=report.reported_at, stale_status_received_at=occasion.at)
    place.connector = connector._replace(
        stale_status_at=as_stored(report.reported_at), stale_status_received_at=as_stored(occasion.at)
    )
    _weigh(q, occasion, report, connector, running, memory)
    q.stamp_status(key=occasion.charge_point_key, last_status_at=occasion.at, last_error_at=None)
    return Result(None)


def _weigh(
    q: Queries,
    occasion: Occasion,
    report: ReportStatus,
    before: Connector,
    running: Transaction | None,
    memory: Memory,
) -> None:
    if running is None or report.connector_id == CHARGE_POINT:
        return
    if weigh_status(q, occasion, before, running, report.status, report.reported_at):
        memory.forget(occasion.charge_point_key)


def _session_after(occasion: Occasion, connector: Connector, running: Transaction | None, status: str) -> str | None:
    """A session begins when somebody comes and ends when the connector is free, unless its transaction still runs.

    That of a transaction which is suspected to be over yields to the next.
    """
    session = connector.session_correlation_id
    if awaits_start(status):
        is_left_over = running is not None and running.suspicion and running.session_correlation_id == session
        return occasion.new_correlation_id() if session is None or is_left_over else session
    if is_free(status) and running is None:
        return None
    return session
