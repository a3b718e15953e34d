"""Transactions (OCPP 2.0.1 part 2, block E): all that a charge point tells of them comes by one message."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial
from typing import Final

from mcpp.csms.calls import CallContext, CallRouter
from mcpp.domain.authorization import Authorization
from mcpp.domain.events import MeterValuesReceived
from mcpp.domain.evse_states import ChargingState
from mcpp.domain.memory import NO_EVSE
from mcpp.domain.statuses import StopReason
from mcpp.domain.transaction_events import EventKind, Recorded, TransactionEvent, record_event
from mcpp.domain.unnamed_events import record_odd_event
from mcpp.ocpp2.metering import samples_of
from mcpp.ocpp2.tokens import info_of, is_contract
from mcpp.storage.pending import Pending
from mcpp_generated.ocpp21 import actions
from mcpp_generated.ocpp21.models import (
    ChargingStateEnumType,
    ReasonEnumType,
    TransactionEventEnumType,
    TransactionEventRequest,
    TransactionEventResponse,
)

_STORED: Final = TransactionEventResponse()

_KINDS: Final = {
    TransactionEventEnumType.STARTED: EventKind.STARTED,
    TransactionEventEnumType.UPDATED: EventKind.UPDATED,
    TransactionEventEnumType.ENDED: EventKind.ENDED,
}
_STATES: Final = {told: ChargingState(told.value) for told in ChargingStateEnumType}
_REASONS: Final = {told: StopReason(told.value) for told in ReasonEnumType}


def register(router: CallRouter) -> None:
    """Route the block's CALLs to their handlers."""
    router.add(actions.TRANSACTION_EVENT, transaction_event, takes_narrow=True)


def transaction_event(
    context: CallContext, request: TransactionEventRequest
) -> Pending[TransactionEventResponse] | Awaitable[TransactionEventResponse]:
    """E01 to E15: whatever it tells is stored, in whatever order it comes."""
    services, token = context.services, request.id_token
    event = event_of(request)
    has_contract = token is not None and is_contract(token)
    record = (
        partial(record_odd_event, has_contract=has_contract)
        if has_contract or not event.ocpp_transaction_id
        else record_event
    )
    recorded = context.write_keeping(
        record, event, services.policy, services.memory, publishes=services.wanted[MeterValuesReceived]
    )
    if token is not None and services.ask_authorize is not None and event.kind is not EventKind.ENDED:
        return _ask_about(context, request, event, recorded)
    return recorded.then(partial(_by_the_books, context, event))


def event_of(request: TransactionEventRequest) -> TransactionEvent:
    """What an event tells."""
    told, evse, token = request.transaction_info, request.evse, request.id_token
    return TransactionEvent(
        kind=_KINDS[request.event_type],
        ocpp_transaction_id=told.transaction_id,
        happened_at=request.timestamp,
        seq_no=request.seq_no,
        trigger_reason=request.trigger_reason.value,
        is_offline=bool(request.offline),
        evse_id=None if evse is None else evse.id,
        connector_id=None if evse is None else evse.connector_id,
        id_tag=None if token is None else token.id_token,
        id_tag_type=None if token is None else str(token.type),
        charging_state=None if told.charging_state is None else _STATES[told.charging_state],
        stop_reason=None if told.stopped_reason is None else _REASONS[told.stopped_reason],
        remote_start_id=told.remote_start_id,
        reservation_id=request.reservation_id,
        samples=samples_of(request.meter_value) if request.meter_value else (),
    )


def _by_the_books(context: CallContext, event: TransactionEvent, recorded: Recorded) -> TransactionEventResponse:
    verdict = recorded.authorization
    if verdict is not None and event.kind is not EventKind.ENDED:
        learnt = context.learn(event.id_tag or "", verdict, event.connector_id, event.evse_id or NO_EVSE)
        verdict = learnt or verdict
    return _answer(context, event, recorded, verdict)


async def _ask_about(
    context: CallContext, request: TransactionEventRequest, event: TransactionEvent, recording: Pending[Recorded]
) -> TransactionEventResponse:
    recorded = await recording
    verdict = recorded.authorization
    if verdict is not None:
        evse_id = event.evse_id or NO_EVSE
        verdict = await context.ask_authorize(
            event.id_tag or "", verdict, event.connector_id, evse_id, event.id_tag_type
        )
    return _answer(context, event, recorded, verdict)


def _answer(
    context: CallContext, event: TransactionEvent, recorded: Recorded, verdict: Authorization | None
) -> TransactionEventResponse:
    if event.samples:
        context.services.stamps.meter_values_at[context.key] = context.received_at
    if recorded.authorization is not None and verdict is not None and event.kind is not EventKind.ENDED:
        context.presented(event.id_tag or "", recorded.authorization, verdict)
    if verdict is None and recorded.cost is None:
        return _STORED
    return TransactionEventResponse(
        total_cost=None if recorded.cost is None else recorded.cost.amount,
        id_token_info=None if verdict is None else info_of(verdict),
    )
