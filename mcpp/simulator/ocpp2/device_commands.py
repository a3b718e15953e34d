"""What a virtual charging station answers of variables, restarts and triggers (OCPP 2.0.1 part 2, B, F, N)."""

from __future__ import annotations

from collections.abc import Sequence

from mcpp.simulator.ocpp2.desk import Then
from mcpp.simulator.ocpp2.station import Station
from mcpp_generated.ocpp21 import actions
from mcpp_generated.ocpp21.models import (
    BootReasonEnumType,
    GenericDeviceModelStatusEnumType,
    GetBaseReportRequest,
    GetBaseReportResponse,
    GetReportRequest,
    GetReportResponse,
    GetVariablesRequest,
    GetVariablesResponse,
    MessageTriggerEnumType,
    NotifyReportRequest,
    ReasonEnumType,
    ReportDataType,
    ResetEnumType,
    ResetRequest,
    ResetResponse,
    ResetStatusEnumType,
    SetVariablesRequest,
    SetVariablesResponse,
    TriggerMessageRequest,
    TriggerMessageResponse,
    TriggerMessageStatusEnumType,
    TriggerReasonEnumType,
)


class DeviceCommands:
    """Answers for one station."""

    def __init__(self, station: Station) -> None:
        self._station = station
        desk = station.desk
        desk.add(actions.GET_VARIABLES, self.get_variables)
        desk.add(actions.SET_VARIABLES, self.set_variables)
        desk.add(actions.GET_BASE_REPORT, self.get_base_report)
        desk.add(actions.GET_REPORT, self.get_report)
        desk.add(actions.RESET, self.reset)
        desk.add(actions.TRIGGER_MESSAGE, self.trigger_message)

    def get_variables(self, request: GetVariablesRequest) -> GetVariablesResponse:
        """B06."""
        model = self._station.model
        return GetVariablesResponse(get_variable_result=[model.get(asked) for asked in request.get_variable_data])

    def set_variables(self, request: SetVariablesRequest) -> SetVariablesResponse:
        """B05."""
        model = self._station.model
        return SetVariablesResponse(set_variable_result=[model.set(wanted) for wanted in request.set_variable_data])

    def get_base_report(self, request: GetBaseReportRequest) -> GetBaseReportResponse | Then[GetBaseReportResponse]:
        """B07."""
        report = self._station.model.report(request.report_base)
        response = GetBaseReportResponse(status=GenericDeviceModelStatusEnumType.ACCEPTED)
        return Then(response, lambda: self._report(request.request_id, report))

    def get_report(self, request: GetReportRequest) -> GetReportResponse | Then[GetReportResponse]:
        """B08; criteria are taken to hold for all that there is."""
        wanted = [(each.component, each.variable) for each in request.component_variable or ()]
        report = self._station.model.select(wanted)
        if not report:
            return GetReportResponse(status=GenericDeviceModelStatusEnumType.EMPTY_RESULT_SET)
        response = GetReportResponse(status=GenericDeviceModelStatusEnumType.ACCEPTED)
        return Then(response, lambda: self._report(request.request_id, report))

    async def _report(self, request_id: int, report: Sequence[ReportDataType]) -> None:
        """In messages of as many variables as the station can have in one."""
        station = self._station
        most = int(station.model.value("DeviceDataCtrlr", "ItemsPerMessage", "GetReport"))
        for seq_no, begin in enumerate(range(0, len(report), most)):
            request = NotifyReportRequest(
                request_id=request_id,
                generated_at=station.now(),
                report_data=list(report[begin : begin + most]),
                tbc=begin + most < len(report),
                seq_no=seq_no,
            )
            await station.tell(actions.NOTIFY_REPORT, request)

    def reset(self, request: ResetRequest) -> ResetResponse | Then[ResetResponse]:
        """B11, B12: at once, or when nothing runs any more; of one EVSE, or of all."""
        evses = self._station.evses
        concerned = evses if request.evse_id is None else {request.evse_id} & evses.keys()
        if not concerned:
            return ResetResponse(status=ResetStatusEnumType.REJECTED)
        busy = [evse_id for evse_id in concerned if evses[evse_id].transaction is not None]
        is_whole = request.evse_id is None
        if busy and request.type is ResetEnumType.ON_IDLE:
            self._station.when_idle.append(lambda: self._restart((), is_whole=is_whole))
            return ResetResponse(status=ResetStatusEnumType.SCHEDULED)
        return Then(ResetResponse(status=ResetStatusEnumType.ACCEPTED), lambda: self._restart(busy, is_whole=is_whole))

    async def _restart(self, busy: Sequence[int], *, is_whole: bool) -> None:
        for evse_id in busy:
            await self._station.end(evse_id, ReasonEnumType.IMMEDIATE_RESET, TriggerReasonEnumType.RESET_COMMAND)
        if is_whole:
            await self._station.boot(BootReasonEnumType.REMOTE_RESET)

    def trigger_message(self, request: TriggerMessageRequest) -> TriggerMessageResponse | Then[TriggerMessageResponse]:
        """F06."""
        station = self._station
        wanted, evse_id = request.requested_message, None if request.evse is None else request.evse.id
        if evse_id is not None and evse_id not in station.evses:
            return TriggerMessageResponse(status=TriggerMessageStatusEnumType.REJECTED)
        running = [each.id for each in station.evses.values() if evse_id in (None, each.id) and each.transaction]
        if wanted is MessageTriggerEnumType.TRANSACTION_EVENT and not running:
            return TriggerMessageResponse(status=TriggerMessageStatusEnumType.REJECTED)

        async def do() -> None:
            match wanted:
                case MessageTriggerEnumType.BOOT_NOTIFICATION:
                    await station.boot_only(BootReasonEnumType.TRIGGERED)
                case MessageTriggerEnumType.HEARTBEAT:
                    await station.heartbeat()
                case MessageTriggerEnumType.STATUS_NOTIFICATION:
                    await station.report_statuses(evse_id)
                case MessageTriggerEnumType.METER_VALUES:
                    for each in station.evses if evse_id is None else (evse_id,):
                        await station.report_meter(each)
                case _:
                    for each in running:
                        await station.sample(each, TriggerReasonEnumType.TRIGGER)

        if wanted not in _TRIGGERED:
            return TriggerMessageResponse(status=TriggerMessageStatusEnumType.NOT_IMPLEMENTED)
        return Then(TriggerMessageResponse(status=TriggerMessageStatusEnumType.ACCEPTED), do)


_TRIGGERED = frozenset(
    {
        MessageTriggerEnumType.BOOT_NOTIFICATION,
        MessageTriggerEnumType.HEARTBEAT,
        MessageTriggerEnumType.STATUS_NOTIFICATION,
        MessageTriggerEnumType.METER_VALUES,
        MessageTriggerEnumType.TRANSACTION_EVENT,
    }
)
