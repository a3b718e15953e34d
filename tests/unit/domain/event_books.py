"""A charge point that reports transactions by events, and short ways to say what it tells."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from mcpp.domain import charge_points
from mcpp.domain.authorization import AuthorizationPolicy
from mcpp.domain.event_gaps import Gap, gaps_told
from mcpp.domain.events import Event
from mcpp.domain.evse_states import ChargingState, ReportedStatus
from mcpp.domain.evses import ReportEvseStatus, report_evse_status
from mcpp.domain.memory import Memory
from mcpp.domain.occasion import Result
from mcpp.domain.samples import BEGIN, END, Sample, scaled, told_kind
from mcpp.domain.statuses import StopReason
from mcpp.domain.transaction_events import EventKind, Recorded, TransactionEvent, record_event
from mcpp_generated.db.models import Connector, Transaction
from tests.unit.domain.books import NOW, Books, minute

STARTED, UPDATED, ENDED = EventKind.STARTED, EventKind.UPDATED, EventKind.ENDED
CHARGING, CONNECTED, IDLE = ChargingState.CHARGING, ChargingState.EV_CONNECTED, ChargingState.IDLE


def register(at: float, wh: int, context: str = "Sample.Periodic") -> Sample:
    """A register of so many Wh, as it comes with a unit and a multiplier."""
    kind = told_kind(measurand=None, phase=None, unit=None, context=context, location=None)
    return Sample(minute(at), kind, scaled(Decimal(wh) / 100, 2), 0)


def begin(at: float, wh: int) -> Sample:
    return register(at, wh, BEGIN)


def end(at: float, wh: int) -> Sample:
    return register(at, wh, END)


def event(
    kind: EventKind,
    at: float,
    *samples: Sample,
    seq: int = 0,
    of: str = "tx-1",
    evse: int | None = 1,
    connector: int | None = None,
    tag: str | None = None,
    state: ChargingState | None = None,
    trigger: str = "MeterValuePeriodic",
    reservation: int | None = None,
    reason: StopReason | None = None,
    offline: bool = False,
) -> TransactionEvent:
    return TransactionEvent(
        kind=kind,
        ocpp_transaction_id=of,
        happened_at=minute(at),
        seq_no=seq,
        trigger_reason=trigger,
        is_offline=offline,
        evse_id=evse,
        connector_id=connector,
        id_tag=tag,
        id_tag_type=None if tag is None else "ISO14443",
        charging_state=state,
        stop_reason=reason,
        reservation_id=reservation,
        samples=samples,
    )


class EventBooks(Books):
    """CP-1 speaks a version with EVSEs."""

    def __init__(self, policy: AuthorizationPolicy | None = None) -> None:
        super().__init__(policy)
        self.memory = Memory()
        self.published: list[Event] = []
        self.connect("2.0.1", has_evses=True)

    def connect(self, version: str, *, has_evses: bool, at: datetime = NOW) -> None:
        """Come back, maybe with another version."""
        evse_versions = [version] if has_evses else []
        charge_points.connect(self.q, "CP-1", version, at, register_unknown=True, evse_versions=evse_versions)
        self.memory.forget(None)

    def tell(self, told: TransactionEvent, received: float | None = None) -> Result[Recorded]:
        """An event comes in when it happens, or later; what is remembered stays, as between two messages."""
        at = told.happened_at if received is None else minute(received)
        result = record_event(self.q, self.occasion(at=at), told, self.policy, self.memory)
        self.published += result.events
        return result

    def tell_all(self, events: Sequence[TransactionEvent], received: float | None = None) -> Transaction:
        """Of one transaction."""
        recorded = [self.tell(told, received) for told in events]
        return self.transaction(recorded[-1].value.transaction_id)

    def report(self, at: float, reported: ReportedStatus, evse: int = 1, connector: int | None = 1) -> None:
        """A connector tells its status."""
        status = ReportEvseStatus(evse, connector, reported, minute(at))
        self.published += report_evse_status(self.q, self.occasion(at=minute(at)), status, self.memory).events

    def gaps(self, transaction: Transaction) -> tuple[Gap, ...]:
        """What is missing of its events."""
        return gaps_told(self.q.list_transaction_events(transaction_id=transaction.id), transaction.stop_origin)

    def connector(self, evse: int = 1, connector: int = 1) -> Connector:
        """As stored."""
        found = self.q.get_connector(
            charge_point_key=self.occasion().charge_point_key, evse_id=evse, connector_id=connector
        )
        assert found is not None
        return found
