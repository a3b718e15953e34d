"""What a virtual charging station answers about transactions, availability and cards (OCPP 2.0.1 part 2, C to H)."""

from __future__ import annotations

from mcpp.simulator.ocpp2.desk import Then
from mcpp.simulator.ocpp2.station import Station
from mcpp_generated.ocpp21 import actions
from mcpp_generated.ocpp21.models import (
    CancelReservationRequest,
    CancelReservationResponse,
    CancelReservationStatusEnumType,
    ChangeAvailabilityRequest,
    ChangeAvailabilityResponse,
    ChangeAvailabilityStatusEnumType,
    ChargingStateEnumType,
    ClearCacheRequest,
    ClearCacheResponse,
    ClearCacheStatusEnumType,
    ConnectorStatusEnumType,
    GetLocalListVersionRequest,
    GetLocalListVersionResponse,
    GetTransactionStatusRequest,
    GetTransactionStatusResponse,
    OperationalStatusEnumType,
    ReasonEnumType,
    RequestStartStopStatusEnumType,
    RequestStartTransactionRequest,
    RequestStartTransactionResponse,
    RequestStopTransactionRequest,
    RequestStopTransactionResponse,
    ReserveNowRequest,
    ReserveNowResponse,
    ReserveNowStatusEnumType,
    SendLocalListRequest,
    SendLocalListResponse,
    SendLocalListStatusEnumType,
    TransactionEventEnumType,
    TriggerReasonEnumType,
    UnlockConnectorRequest,
    UnlockConnectorResponse,
    UnlockStatusEnumType,
    UpdateEnumType,
)

_AVAILABLE, _RESERVED = ConnectorStatusEnumType.AVAILABLE, ConnectorStatusEnumType.RESERVED


class ChargingCommands:
    """Answers for one station."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._reserved: dict[int, tuple[int, int]] = {}
        """EVSE and connector by reservation."""
        self._local_list: set[str] = set()
        self._list_version = 0
        desk = station.desk
        desk.add(actions.REQUEST_START_TRANSACTION, self.start)
        desk.add(actions.REQUEST_STOP_TRANSACTION, self.stop)
        desk.add(actions.GET_TRANSACTION_STATUS, self.transaction_status)
        desk.add(actions.CHANGE_AVAILABILITY, self.change_availability)
        desk.add(actions.UNLOCK_CONNECTOR, self.unlock)
        desk.add(actions.RESERVE_NOW, self.reserve)
        desk.add(actions.CANCEL_RESERVATION, self.cancel_reservation)
        desk.add(actions.CLEAR_CACHE, self.clear_cache)
        desk.add(actions.GET_LOCAL_LIST_VERSION, self.local_list_version)
        desk.add(actions.SEND_LOCAL_LIST, self.send_local_list)

    def start(
        self, request: RequestStartTransactionRequest
    ) -> RequestStartTransactionResponse | Then[RequestStartTransactionResponse]:
        """F01, F02: on the EVSE that is named, or else on the first where no card was shown yet."""
        station = self._station
        free = [
            evse
            for evse in station.evses.values()
            if request.evse_id in (None, evse.id) and (evse.transaction is None or evse.transaction.token is None)
        ]
        if not free:
            return RequestStartTransactionResponse(status=RequestStartStopStatusEnumType.REJECTED)
        evse = free[0]

        async def do() -> None:
            trigger = TriggerReasonEnumType.REMOTE_START
            remote_start_id = request.remote_start_id
            if evse.transaction is None:
                await station.begin(evse.id, trigger, token=request.id_token, remote_start_id=remote_start_id)
            else:
                evse.transaction.token = request.id_token
                kind = TransactionEventEnumType.UPDATED
                await station.event(evse, kind, trigger, token=request.id_token, remote_start_id=remote_start_id)
            if evse.plugged is not None:
                await station.change_state(evse.id, ChargingStateEnumType.CHARGING)

        known = None if evse.transaction is None else evse.transaction.id
        accepted = RequestStartStopStatusEnumType.ACCEPTED
        return Then(RequestStartTransactionResponse(status=accepted, transaction_id=known), do)

    def stop(
        self, request: RequestStopTransactionRequest
    ) -> RequestStopTransactionResponse | Then[RequestStopTransactionResponse]:
        """F03."""
        evse_id = self._evse_of(request.transaction_id)
        if evse_id is None:
            return RequestStopTransactionResponse(status=RequestStartStopStatusEnumType.REJECTED)

        async def do() -> None:
            await self._station.end(evse_id, ReasonEnumType.REMOTE, TriggerReasonEnumType.REMOTE_STOP)

        return Then(RequestStopTransactionResponse(status=RequestStartStopStatusEnumType.ACCEPTED), do)

    def transaction_status(self, request: GetTransactionStatusRequest) -> GetTransactionStatusResponse:
        """E14: nothing waits in a queue here."""
        if request.transaction_id is None:
            return GetTransactionStatusResponse(messages_in_queue=False)
        is_ongoing = self._evse_of(request.transaction_id) is not None
        return GetTransactionStatusResponse(ongoing_indicator=is_ongoing, messages_in_queue=False)

    def change_availability(
        self, request: ChangeAvailabilityRequest
    ) -> ChangeAvailabilityResponse | Then[ChangeAvailabilityResponse]:
        """G03, G04: of the station, an EVSE or a connector; once its transaction is over, where one runs."""
        station, evse = self._station, request.evse
        places = [
            (each.id, connector)
            for each in station.evses.values()
            for connector in each.statuses
            if evse is None or (evse.id == each.id and evse.connector_id in (None, connector))
        ]
        if not places:
            return ChangeAvailabilityResponse(status=ChangeAvailabilityStatusEnumType.REJECTED)
        is_operative = request.operational_status is OperationalStatusEnumType.OPERATIVE
        status = _AVAILABLE if is_operative else ConnectorStatusEnumType.UNAVAILABLE

        async def do() -> None:
            for evse_id, connector_id in places:
                each = station.evses[evse_id]
                if each.statuses[connector_id] is not status and (not is_operative or each.plugged != connector_id):
                    await station.report_status(evse_id, connector_id, status)

        if not is_operative and any(station.evses[evse_id].transaction for evse_id, _ in places):
            station.when_idle.append(do)
            return ChangeAvailabilityResponse(status=ChangeAvailabilityStatusEnumType.SCHEDULED)
        return Then(ChangeAvailabilityResponse(status=ChangeAvailabilityStatusEnumType.ACCEPTED), do)

    def unlock(self, request: UnlockConnectorRequest) -> UnlockConnectorResponse:
        """F05."""
        evse = self._station.evses.get(request.evse_id)
        if evse is None or request.connector_id not in evse.statuses:
            return UnlockConnectorResponse(status=UnlockStatusEnumType.UNKNOWN_CONNECTOR)
        if evse.transaction is not None and evse.transaction.token is not None:
            return UnlockConnectorResponse(status=UnlockStatusEnumType.ONGOING_AUTHORIZED_TRANSACTION)
        return UnlockConnectorResponse(status=UnlockStatusEnumType.UNLOCKED)

    def reserve(self, request: ReserveNowRequest) -> ReserveNowResponse | Then[ReserveNowResponse]:
        """H01."""
        station = self._station
        free = [
            (evse.id, connector)
            for evse in station.evses.values()
            if request.evse_id in (None, evse.id)
            for connector, status in evse.statuses.items()
            if status is _AVAILABLE
        ]
        if not free:
            return ReserveNowResponse(status=ReserveNowStatusEnumType.OCCUPIED)
        place = self._reserved[request.id] = free[0]
        accepted = ReserveNowResponse(status=ReserveNowStatusEnumType.ACCEPTED)
        return Then(accepted, lambda: station.report_status(*place, _RESERVED))

    def cancel_reservation(
        self, request: CancelReservationRequest
    ) -> CancelReservationResponse | Then[CancelReservationResponse]:
        """H02."""
        place = self._reserved.pop(request.reservation_id, None)
        if place is None:
            return CancelReservationResponse(status=CancelReservationStatusEnumType.REJECTED)
        accepted = CancelReservationResponse(status=CancelReservationStatusEnumType.ACCEPTED)
        return Then(accepted, lambda: self._station.report_status(*place, _AVAILABLE))

    def clear_cache(self, _: ClearCacheRequest) -> ClearCacheResponse:
        """C11."""
        return ClearCacheResponse(status=ClearCacheStatusEnumType.ACCEPTED)

    def local_list_version(self, _: GetLocalListVersionRequest) -> GetLocalListVersionResponse:
        """D02."""
        return GetLocalListVersionResponse(version_number=self._list_version)

    def send_local_list(self, request: SendLocalListRequest) -> SendLocalListResponse:
        """D01: in a differential update, a token without more about it leaves the list."""
        if request.update_type is UpdateEnumType.FULL:
            self._local_list.clear()
        elif request.version_number <= self._list_version:
            return SendLocalListResponse(status=SendLocalListStatusEnumType.VERSION_MISMATCH)
        for entry in request.local_authorization_list or ():
            if entry.id_token_info is None:
                self._local_list.discard(entry.id_token.id_token)
            else:
                self._local_list.add(entry.id_token.id_token)
        # An empty list has no version (D02).
        self._list_version = request.version_number if self._local_list else 0
        return SendLocalListResponse(status=SendLocalListStatusEnumType.ACCEPTED)

    def _evse_of(self, transaction_id: str) -> int | None:
        evses = self._station.evses.values()
        return next((each.id for each in evses if each.transaction and each.transaction.id == transaction_id), None)
