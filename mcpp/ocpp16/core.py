"""The Core profile (OCPP 1.6 §4): booting, status, authorization, transactions, meter values."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final

from mcpp.csms.calls import CallContext, CallRouter
from mcpp.domain import authorization, charge_points, connectors, transactions
from mcpp.domain.authorization import Authorization
from mcpp.domain.closing import Stop
from mcpp.domain.events import HeartbeatReceived
from mcpp.domain.statuses import ConnectorError, ConnectorStatus, StopReason
from mcpp.ocpp16.keeping import original_stop
from mcpp.ocpp16.metering import samples_of
from mcpp.ocppj.actions import EncodedResponse
from mcpp.ocppj.wire import to_rfc_3339
from mcpp.storage.pending import Pending
from mcpp_generated.ocpp16 import actions
from mcpp_generated.ocpp16.models import (
    AuthorizationStatus,
    AuthorizeRequest,
    AuthorizeResponse,
    BootNotificationRequest,
    BootNotificationResponse,
    DataTransferRequest,
    DataTransferResponse,
    DataTransferStatus,
    HeartbeatRequest,
    HeartbeatResponse,
    IdTagInfo,
    Reason,
    RegistrationStatus,
    StartTransactionRequest,
    StartTransactionResponse,
    StatusNotificationRequest,
    StatusNotificationResponse,
    StopTransactionRequest,
    StopTransactionResponse,
)

_STATUS_STORED: Final = StatusNotificationResponse()


def register(router: CallRouter) -> None:
    """Route the profile's CALLs to their handlers; MeterValues has a module of its own."""
    router.add(actions.AUTHORIZE, authorize)
    router.add(actions.BOOT_NOTIFICATION, boot_notification)
    router.add(actions.DATA_TRANSFER, data_transfer)
    router.add(actions.HEARTBEAT, heartbeat)
    router.add(actions.START_TRANSACTION, start_transaction)
    router.add(actions.STATUS_NOTIFICATION, status_notification)
    router.add(actions.STOP_TRANSACTION, stop_transaction)


async def authorize(context: CallContext, request: AuthorizeRequest) -> AuthorizeResponse:
    """OCPP 1.6 §4.1."""
    policy = context.services.policy
    stored = await context.read(authorization.authorize, context.key, request.id_tag, context.received_at, policy)
    verdict = await context.ask_authorize(request.id_tag, stored)
    context.presented(request.id_tag, stored, verdict)
    return AuthorizeResponse(id_tag_info=id_tag_info(verdict))


def boot_notification(context: CallContext, request: BootNotificationRequest) -> Pending[BootNotificationResponse]:
    """OCPP 1.6 §4.2: every charge point that may connect is accepted."""
    boot = charge_points.Boot(
        vendor=request.charge_point_vendor,
        model=request.charge_point_model,
        serial_number=request.charge_point_serial_number,
        charge_box_serial_number=request.charge_box_serial_number,
        firmware_version=request.firmware_version,
        iccid=request.iccid,
        imsi=request.imsi,
        meter_type=request.meter_type,
        meter_serial_number=request.meter_serial_number,
    )
    services = context.services
    return context.write(charge_points.boot, boot, services.departures.take_of(context.charge_point_id)).then(
        lambda _: BootNotificationResponse(
            current_time=services.now(), interval=services.heartbeat_interval, status=RegistrationStatus.ACCEPTED
        )
    )


def data_transfer(
    context: CallContext, request: DataTransferRequest
) -> DataTransferResponse | Awaitable[DataTransferResponse]:
    """OCPP 1.6 §4.3: the server itself knows no vendor's extension."""
    if context.services.ask_data_transfer is not None:
        return _answer_data_transfer(context, request)
    return DataTransferResponse(status=DataTransferStatus.UNKNOWN_VENDOR_ID)


async def _answer_data_transfer(context: CallContext, request: DataTransferRequest) -> DataTransferResponse:
    answer = await context.ask_data_transfer(request.vendor_id, request.message_id, request.data)
    if answer is None:
        return DataTransferResponse(status=DataTransferStatus.UNKNOWN_VENDOR_ID)
    return DataTransferResponse(status=DataTransferStatus(answer.status.value), data=answer.data)


def heartbeat(context: CallContext, request: HeartbeatRequest) -> EncodedResponse[HeartbeatResponse]:
    """OCPP 1.6 §4.6."""
    now, services = context.received_at, context.services
    services.stamps.heartbeat_at[context.key] = now
    if services.wanted[HeartbeatReceived]:
        occasion = context.occasion()
        context.publish(
            HeartbeatReceived(charge_point_id=occasion.charge_point_id, correlation_id=occasion.correlation_id, at=now)
        )
    # The commonest message of all: its model would cost four times as much.
    return EncodedResponse(f'{{"currentTime":"{to_rfc_3339(now)}"}}'.encode())


def start_transaction(
    context: CallContext, request: StartTransactionRequest
) -> Pending[StartTransactionResponse] | Awaitable[StartTransactionResponse]:
    """OCPP 1.6 §4.8."""
    command = transactions.StartTransaction(
        connector_id=request.connector_id,
        id_tag=request.id_tag,
        meter_start=request.meter_start,
        started_at=request.timestamp,
        reservation_id=request.reservation_id,
        has_own_time=context.is_own_time(request.timestamp),
    )
    services = context.services
    started = context.write(transactions.start_transaction, command, services.policy, services.memory)
    if context.services.ask_authorize is not None:
        return _ask_about_start(context, request, started)
    return started.then(lambda start: _started(context, request.id_tag, start, _by_the_books(context, request, start)))


def _by_the_books(context: CallContext, request: StartTransactionRequest, start: transactions.Started) -> Authorization:
    return context.learn(request.id_tag, start.authorization, request.connector_id) or start.authorization


async def _ask_about_start(
    context: CallContext, request: StartTransactionRequest, started: Pending[transactions.Started]
) -> StartTransactionResponse:
    start = await started
    verdict = await context.ask_authorize(request.id_tag, start.authorization, request.connector_id)
    return _started(context, request.id_tag, start, verdict)


def _started(
    context: CallContext, id_tag: str, start: transactions.Started, verdict: Authorization
) -> StartTransactionResponse:
    context.presented(id_tag, start.authorization, verdict)
    return StartTransactionResponse(id_tag_info=id_tag_info(verdict), transaction_id=start.transaction_id)


def status_notification(
    context: CallContext, request: StatusNotificationRequest
) -> Pending[StatusNotificationResponse]:
    """OCPP 1.6 §4.9."""
    report = connectors.ReportStatus(
        connector_id=request.connector_id,
        status=ConnectorStatus(request.status.value),
        error_code=ConnectorError(request.error_code.value),
        info=request.info,
        vendor_id=request.vendor_id,
        vendor_error_code=request.vendor_error_code,
        reported_at=request.timestamp if request.timestamp else context.received_at,
    )
    return context.write_keeping(connectors.report_status, report, context.services.memory).then(
        lambda _: _STATUS_STORED
    )


def stop_transaction(context: CallContext, request: StopTransactionRequest) -> Pending[StopTransactionResponse]:
    """OCPP 1.6 §4.10."""
    services = context.services
    command = transactions.StopTransaction(
        transaction_id=request.transaction_id,
        stop=stop_of(request),
        samples=samples_of(request.transaction_data or ()),
        original=original_stop(request),
        has_own_time=context.is_own_time(request.timestamp),
    )
    stopped = context.write(transactions.stop_transaction, command, services.policy, services.memory)
    return stopped.then(_stopped)


def _stopped(stopped: transactions.Stopped) -> StopTransactionResponse:
    verdict = stopped.authorization
    return StopTransactionResponse(id_tag_info=id_tag_info(verdict) if verdict else None)


def id_tag_info(verdict: Authorization) -> IdTagInfo:
    """OCPP 1.6 §7.27."""
    return IdTagInfo(
        status=AuthorizationStatus(verdict.status.value),
        expiry_date=verdict.expiry_date,
        parent_id_tag=verdict.parent_id_tag,
    )


def stop_of(request: StopTransactionRequest) -> Stop:
    """The end that is reported; without a reason it was a local one (OCPP 1.6 §6.49)."""
    reason = request.reason or Reason.LOCAL
    return Stop(
        meter_stop=request.meter_stop,
        stopped_at=request.timestamp,
        id_tag=request.id_tag,
        reason=StopReason(reason.value),
    )
