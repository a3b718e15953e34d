"""EVSEs: which connector a message speaks of that names an EVSE only, and how its status is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mcpp.domain.connectors import ReportStatus, report_status
from mcpp.domain.evse_states import ChargingState, ReportedStatus, status_after_report
from mcpp.domain.memory import NO_EVSE, WHOLE, Memory
from mcpp.domain.occasion import Occasion, Result
from mcpp.domain.statuses import NO_ERROR, ConnectorError
from mcpp_generated.db.models import Connector, Transaction
from mcpp_generated.db.queries import Queries


@dataclass(frozen=True, slots=True)
class ReportEvseStatus:
    """What a connector of an EVSE reports of itself, by whatever message."""

    evse_id: int
    """0 for the station as a whole."""
    connector_id: int | None
    """None or 0 where only the EVSE is named."""
    reported: ReportedStatus
    reported_at: datetime
    error_code: ConnectorError | None = None
    """None where the version has none: then a fault is one of its own kind."""
    info: str | None = None
    vendor_error_code: str | None = None


def report_evse_status(q: Queries, occasion: Occasion, report: ReportEvseStatus, memory: Memory) -> Result[None]:
    """Store what a connector reports, and the status that follows from it and from its transaction."""
    evse_id, connector_id = resolve(q, occasion.charge_point_key, report.evse_id, report.connector_id)
    place = memory.place_in_bounds(q, occasion.charge_point_key, connector_id, evse_id)
    if place is None:
        return memory.counted(Result(None))
    # Of the station as a whole nothing runs, and nobody takes it.
    running = None if evse_id == NO_EVSE else place.running(q)
    is_taken_whole = evse_id == NO_EVSE and report.reported is ReportedStatus.OCCUPIED
    reported = ReportedStatus.AVAILABLE if is_taken_whole else report.reported
    state = None if running is None else charging_state_of(q, running)
    status = status_after_report(reported, place.connector.status, runs=running is not None, state=state)
    error = report.error_code
    if error is None:
        error = ConnectorError.OTHER_ERROR if report.reported is ReportedStatus.FAULTED else NO_ERROR
    derived = ReportStatus(
        connector_id=connector_id,
        status=status,
        error_code=error,
        info=report.info,
        vendor_id=None,
        vendor_error_code=report.vendor_error_code,
        reported_at=report.reported_at,
        evse_id=evse_id,
        reported_status=report.reported.value,
    )
    return report_status(q, occasion, derived, memory)


def charging_state_of(q: Queries, transaction: Transaction) -> ChargingState | None:
    """What a transaction told last of its charging; None where it never did."""
    known = q.get_transaction_state(transaction_id=transaction.id)
    return None if known is None or known.charging_state is None else ChargingState(known.charging_state)


def resolve(q: Queries, charge_point_key: int, evse_id: int, connector_id: int | None) -> tuple[int, int]:
    """The EVSE and the connector that a message speaks of.

    Where it names the EVSE only, that is the connector whose transaction or session it is, else its first known one,
    else number 1. (0, 0) is the station, or a place that isn't known yet.
    """
    if evse_id <= NO_EVSE:
        return NO_EVSE, WHOLE
    if connector_id is not None and connector_id > WHOLE:
        return evse_id, connector_id
    running = q.list_open_on_evse(charge_point_key=charge_point_key, evse_id=evse_id)
    if running:
        return evse_id, running[-1].connector_id
    known = connectors_of(q, charge_point_key, evse_id)
    in_session = [connector for connector in known if connector.session_correlation_id is not None]
    return evse_id, next((connector.connector_id for connector in (*in_session, *known)), 1)


def connectors_of(q: Queries, charge_point_key: int, evse_id: int) -> list[Connector]:
    """The known connectors of an EVSE, in the order of their numbers."""
    rows = q.list_connectors_of_evse(charge_point_key=charge_point_key, evse_id=evse_id)
    return [connector for connector in rows if connector.connector_id != WHOLE]
