"""Transactions that a charger reports by events (OCPP 2.0.1 E): what they tell together, in whatever order they come.

Nothing is rejected, since the charger has charged already. Whatever event comes first begins the transaction in the
books, and each one adds what it knows:

- It began when its beginning says, else at the earliest time that was told of it.
- Its token is the first by the events' times; that of its end counts where there is no other.
- Its EVSE is the one that any event names; until then it lives at the station, (0, 0), where many may run.
- Its register at the start is the best that its samples have (mcpp.domain.told_registers).
- Its end closes it, once. What comes later only adds samples, or mends the start, and the bill with it.

An event that is older than what its connector has told changes nothing that runs. An EVSE has one transaction at a
time: a newer one ends that which was left open, by evidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mcpp.domain import event_merging, event_places
from mcpp.domain.authorization import Authorization, AuthorizationPolicy, authorize, authorize_start
from mcpp.domain.chronology import believable
from mcpp.domain.closing import Stop, close_by_charger
from mcpp.domain.connectors import ReportStatus, report_status
from mcpp.domain.costs import Cost, cost_of, holder_of
from mcpp.domain.energy import hold_total
from mcpp.domain.event_merging import TransactionEvent
from mcpp.domain.events import Event, MeterValuesReceived, TransactionStarted
from mcpp.domain.evidence import Origin
from mcpp.domain.evse_states import ChargingState, ReportedStatus, status_after_end, status_after_event
from mcpp.domain.evses import charging_state_of
from mcpp.domain.memory import NO_EVSE, Memory, ToldTransaction
from mcpp.domain.meter_values import file_samples
from mcpp.domain.occasion import ChargingSession, Occasion, Result
from mcpp.domain.recovery import weigh_event, weigh_meter_values
from mcpp.domain.statuses import NO_ERROR, ConnectorError, ConnectorStatus, StopReason
from mcpp.domain.told_registers import last_register
from mcpp_generated.db.enums import EventKind, StopOrigin
from mcpp_generated.db.models import Connector, Transaction
from mcpp_generated.db.queries import Queries

__all__ = ["EventKind", "Recorded", "TransactionEvent", "record_event"]

_LARGEST: Final = 2**63 - 1
"""That SQLite has."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What an event came to, as far as its answer needs it."""

    transaction_id: int
    """Ours."""
    authorization: Authorization | None
    """The verdict on the token, where the event brought one."""
    is_open: bool
    energy_wh: int | None
    """What was taken so far, or in all; None where no value says it."""
    cost: Cost | None
    """What that costs the person whose card it is; None where it's nobody's, or has no price."""


def record_event(
    q: Queries,
    occasion: Occasion,
    event: TransactionEvent,
    policy: AuthorizationPolicy,
    memory: Memory,
    *,
    publishes: bool = True,
) -> Result[Recorded]:
    """Store an event with its samples. A repeat changes nothing.

    It forgets by itself what it changed (`submit_keeping`). Where it doesn't publish, nobody wants a
    MeterValuesReceived, and none is made.
    """
    return memory.counted(_Recording(q, occasion, event.in_bounds(_LARGEST), policy, memory).record(publishes))


class _Recording:
    """One event on its way into the books."""

    def __init__(
        self, q: Queries, occasion: Occasion, event: TransactionEvent, policy: AuthorizationPolicy, memory: Memory
    ) -> None:
        self.q = q
        self.occasion = occasion
        self.event = event
        self.policy = policy
        self.memory = memory
        self.happened: list[Event] = []

    def record(self, publishes: bool) -> Result[Recorded]:
        """Merge what the event tells, then let it close or move what it does."""
        q, event = self.q, self.event
        remembered = self.memory.told(self.occasion.charge_point_key, event.ocpp_transaction_id)
        if remembered is not None and event_merging.adds_nothing(remembered, event):
            return self._record_values(remembered, publishes=publishes)
        known = event_merging.find_transaction(q, self.occasion, event)
        begun = event_places.begin(q, self.occasion, event, self.memory) if known is None else None
        transaction = begun.transaction if begun is not None else known
        assert transaction is not None, "it's known or was begun"
        before, was_open = transaction, known is None or known.stopped_at is None
        self._note(transaction)
        transaction = event_merging.merge(q, self.occasion, transaction, event)
        moved = None if begun is not None else event_places.move(q, self.occasion, transaction, event, self.memory)
        placing = begun or moved
        if moved is not None:
            transaction = moved.transaction
        if transaction != before:
            self._forget(before, transaction)
        energy_wh = self._file(transaction, publishes=publishes)
        is_past = placing is not None and placing.is_past
        ends = event.kind is EventKind.ENDED and transaction.stop_origin is not StopOrigin.CHARGER
        comes_to_evse = placing is not None and (begun is not None or before.evse_id == NO_EVSE)
        if was_open and (comes_to_evse if transaction.evse_id != NO_EVSE else ends):
            self.happened.insert(0, self._started(transaction, historic=is_past))
        if placing is not None and was_open:
            settled = event_places.settle(q, self.occasion, transaction, placing, ends=ends)
            self.happened = [*self.happened, *settled] if is_past else [*settled, *self.happened]
            self.memory.forget(self.occasion.charge_point_key)
            if not comes_to_evse:
                self._release(before)
        if ends:
            self._end(transaction, is_live=was_open and not is_past, historic=is_past)
        elif not was_open:
            assert known is not None
            self.happened += event_merging.amend(q, self.occasion, known, transaction, event)
        elif not is_past:
            if known is not None and weigh_event(q, self.occasion, transaction, event.happened_at):
                self.memory.forget(self.occasion.charge_point_key)
            if event.charging_state is not None or begun is not None:
                self._show_state(transaction, charging_state_of(q, transaction))
        if begun is not None or ends or not was_open:
            self.memory.forget(self.occasion.charge_point_key)
        if was_open and not is_past and event_merging.may_use_reservation(event, is_placed=placing is not None):
            self.happened += event_places.use_reservation(q, self.occasion, transaction)
        return self._result(transaction, energy_wh)

    def _record_values(self, known: ToldTransaction, *, publishes: bool) -> Result[Recorded]:
        """Store an event that adds nothing but its samples."""
        transaction = known.transaction
        self._note(transaction)
        energy_wh = self._file(transaction, publishes=publishes)
        if self.event.charging_state is not None:
            self._show_state(transaction, self.event.charging_state)
        if energy_wh is None:
            energy_wh = self.memory.account(self.q, transaction).energy_wh
        return self._answer(transaction, energy_wh, known.person_id)

    def _note(self, transaction: Transaction) -> None:
        """Keep the event itself, for what is missing between them."""
        q, event = self.q, self.event
        if not self.memory.allows_event(self.occasion):
            return
        q.add_transaction_event(
            transaction_id=transaction.id,
            happened_at=event.happened_at,
            seq_no=event.seq_no,
            kind=event.kind,
            trigger_reason=event.trigger_reason,
            charging_state=event.charging_state or "",
            id_tag=event.id_tag or "",
            id_tag_type=event.id_tag_type or "",
            is_offline=event.is_offline,
            received_at=self.occasion.at,
        )

    def _forget(self, before: Transaction, now: Transaction) -> None:
        """What is remembered is of the time before; a better start may let what was reported fall."""
        if (before.meter_start, before.started_at) != (now.meter_start, now.started_at) and now.stopped_at is None:
            so_far = self.memory.account(self.q, before).energy_wh or 0
            self.memory.forget(self.occasion.charge_point_key)
            if (self.memory.account(self.q, now).energy_wh or 0) < so_far:
                hold_total(self.q, now, so_far)
        self.memory.forget(self.occasion.charge_point_key)

    def _file(self, transaction: Transaction, *, publishes: bool) -> int | None:
        """Store the samples; what the transaction has taken so far, where they say it."""
        samples = self.event.samples
        if not samples or not self.memory.allows(self.occasion, samples):
            return None
        if transaction.stop_origin is StopOrigin.RECOVERED:
            weigh_meter_values(self.q, self.occasion, transaction, samples)
        energy_wh = file_samples(self.q, self.occasion, transaction, samples, Origin.NAMED, self.memory)
        if publishes:
            self.happened.append(
                MeterValuesReceived(
                    charge_point_id=self.occasion.charge_point_id,
                    correlation_id=self.occasion.correlation_id,
                    at=self.occasion.at,
                    connector_id=transaction.connector_id,
                    transaction_id=transaction.id,
                    session_correlation_id=transaction.session_correlation_id,
                    samples=samples,
                    energy_wh=energy_wh,
                    historic=transaction.stopped_at is not None,
                    evse_id=transaction.evse_id,
                )
            )
        return energy_wh

    def _started(self, transaction: Transaction, *, historic: bool) -> TransactionStarted:
        return TransactionStarted(
            charge_point_id=self.occasion.charge_point_id,
            correlation_id=self.occasion.correlation_id,
            at=self.occasion.at,
            transaction_id=transaction.id,
            connector_id=transaction.connector_id,
            id_tag=transaction.id_tag,
            meter_start=transaction.meter_start,
            started_at=transaction.started_at,
            session_correlation_id=transaction.session_correlation_id,
            historic=historic,
            ocpp_transaction_id=transaction.ocpp_transaction_id,
            evse_id=transaction.evse_id,
        )

    def _end(self, transaction: Transaction, *, is_live: bool, historic: bool) -> None:
        """Store the end, and how its connector stands now."""
        q, event = self.q, self.event
        stop = Stop(
            last_register(q, transaction, event.happened_at),
            event.happened_at,
            event.id_tag or None,
            event.stop_reason or StopReason.LOCAL,
        )
        stopped = close_by_charger(
            q, self.occasion, transaction, stop, self.memory, historic=historic or transaction.stopped_at is not None
        )
        if stopped is None:
            return
        self.happened.append(stopped)
        self.memory.forget(self.occasion.charge_point_key)
        if transaction.evse_id == NO_EVSE:
            return
        q.stop_connector_session(
            key=transaction.connector_key,
            session_correlation_id=transaction.session_correlation_id,
            ended_at=believable(event.happened_at, self.occasion.at),
        )
        if is_live:
            connector = self._connector_of(transaction)
            self._report(transaction, status_after_end(connector.reported_status, event.charging_state))

    def _show_state(self, transaction: Transaction, state: ChargingState | None) -> None:
        """Let the connector stand as its transaction says, unless something newer is known."""
        if transaction.evse_id == NO_EVSE:
            return
        connector = self._connector_of(transaction)
        status = status_after_event(connector.reported_status, connector.status, state)
        if status != connector.status:
            self._report(transaction, status)

    def _report(self, transaction: Transaction, status: ConnectorStatus) -> None:
        connector = self._connector_of(transaction)
        report = ReportStatus(
            connector_id=transaction.connector_id,
            status=status,
            error_code=ConnectorError(connector.error_code or NO_ERROR),
            info=connector.info,
            vendor_id=connector.vendor_id,
            vendor_error_code=connector.vendor_error_code,
            reported_at=self.event.happened_at,
            evse_id=transaction.evse_id,
            reported_status=connector.reported_status,
        )
        self.happened += report_status(self.q, self.occasion, report, self.memory).events

    def _release(self, guessed: Transaction) -> None:
        """Let a connector go that was taken to be the transaction's, until the right one was named."""
        connector = self._connector_of(guessed)
        self._report(guessed, status_after_end(connector.reported_status or ReportedStatus.AVAILABLE, None))

    def _connector_of(self, transaction: Transaction) -> Connector:
        key = self.occasion.charge_point_key
        return self.memory.place(self.q, key, transaction.connector_id, transaction.evse_id).connector

    def _result(self, transaction: Transaction, energy_wh: int | None) -> Result[Recorded]:
        q = self.q
        now = q.find_transaction(id=transaction.id)
        assert now is not None, "it was read or written a moment ago"
        person_id = holder_of(q, now.id_tag, now.started_at)
        if now.stopped_at is not None:
            energy_wh = None if now.implausible_reason is not None else now.energy_wh
            return self._answer(now, energy_wh, person_id)
        if energy_wh is None:
            energy_wh = self.memory.account(q, now).energy_wh
        state = q.get_transaction_state(transaction_id=now.id)
        assert state is not None, "it was begun with one"
        self.memory.remember_told(self.event.ocpp_transaction_id, ToldTransaction(now, state, person_id))
        return self._answer(now, energy_wh, person_id)

    def _answer(self, transaction: Transaction, energy_wh: int | None, person_id: str | None) -> Result[Recorded]:
        cost = None
        if energy_wh is not None and person_id is not None:
            cost = cost_of(self.q, person_id, transaction.stopped_at or self.occasion.at, energy_wh)
        recorded = Recorded(transaction.id, self._verdict(transaction), transaction.stopped_at is None, energy_wh, cost)
        session = ChargingSession(transaction.session_correlation_id, transaction.id)
        return Result(recorded, tuple(self.happened), session)

    def _verdict(self, transaction: Transaction) -> Authorization | None:
        id_tag = self.event.id_tag
        if id_tag is None:
            return None
        key, now = self.occasion.charge_point_key, self.occasion.at
        if not id_tag or self.event.kind is EventKind.ENDED:
            return authorize(self.q, key, id_tag, now, self.policy, self.event.id_tag_type)
        return authorize_start(
            self.q, key, id_tag, now, self.policy, self.event.id_tag_type, own_transaction_id=transaction.id
        )
