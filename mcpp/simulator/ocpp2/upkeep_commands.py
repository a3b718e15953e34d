"""What a virtual charging station answers about logs, firmware and the rest (OCPP 2.0.1 part 2, I, L, N, O, P)."""

from __future__ import annotations

from mcpp.simulator.ocpp2.desk import Then
from mcpp.simulator.ocpp2.station import Station
from mcpp_generated.ocpp21 import actions
from mcpp_generated.ocpp21.models import (
    BootReasonEnumType,
    CostUpdatedRequest,
    CostUpdatedResponse,
    DataTransferRequest,
    DataTransferResponse,
    DataTransferStatusEnumType,
    FirmwareStatusEnumType,
    FirmwareStatusNotificationRequest,
    GetLogRequest,
    GetLogResponse,
    LogStatusEnumType,
    LogStatusNotificationRequest,
    UpdateFirmwareRequest,
    UpdateFirmwareResponse,
    UpdateFirmwareStatusEnumType,
    UploadLogStatusEnumType,
)

_STEPS_OF_FIRMWARE = (
    FirmwareStatusEnumType.DOWNLOADING,
    FirmwareStatusEnumType.DOWNLOADED,
    FirmwareStatusEnumType.INSTALLING,
    FirmwareStatusEnumType.INSTALL_REBOOTING,
)


class UpkeepCommands:
    """Answers for one station. It tells of files and moves none."""

    def __init__(self, station: Station) -> None:
        self._station = station
        desk = station.desk
        desk.add(actions.GET_LOG, self.get_log)
        desk.add(actions.UPDATE_FIRMWARE, self.update_firmware)
        desk.add(actions.DATA_TRANSFER, self.data_transfer)
        desk.add(actions.COST_UPDATED, self.cost_updated)

    def get_log(self, request: GetLogRequest) -> Then[GetLogResponse]:
        """N01."""
        kind = request.log_type.value.lower()
        filename = f"{self._station.identity}-{kind}-{request.request_id}.log"

        async def do() -> None:
            for status in (UploadLogStatusEnumType.UPLOADING, UploadLogStatusEnumType.UPLOADED):
                told = LogStatusNotificationRequest(status=status, request_id=request.request_id)
                await self._station.tell(actions.LOG_STATUS_NOTIFICATION, told)

        return Then(GetLogResponse(status=LogStatusEnumType.ACCEPTED, filename=filename), do)

    def update_firmware(self, request: UpdateFirmwareRequest) -> Then[UpdateFirmwareResponse]:
        """L01, L02: the version is what the file is called."""
        station = self._station
        name = request.firmware.location.rpartition("/")[2].partition("?")[0].rpartition(".")[0]

        async def tell(status: FirmwareStatusEnumType) -> None:
            told = FirmwareStatusNotificationRequest(status=status, request_id=request.request_id)
            await station.tell(actions.FIRMWARE_STATUS_NOTIFICATION, told)

        async def do() -> None:
            for status in _STEPS_OF_FIRMWARE:
                await tell(status)
            station.station = station.station.model_copy(update={"firmware_version": name[:50] or "1.1"})
            await station.boot(BootReasonEnumType.FIRMWARE_UPDATE)
            await tell(FirmwareStatusEnumType.INSTALLED)

        return Then(UpdateFirmwareResponse(status=UpdateFirmwareStatusEnumType.ACCEPTED), do)

    def data_transfer(self, _: DataTransferRequest) -> DataTransferResponse:
        """P01: it has no vendor's extensions."""
        return DataTransferResponse(status=DataTransferStatusEnumType.UNKNOWN_VENDOR_ID)

    def cost_updated(self, _: CostUpdatedRequest) -> CostUpdatedResponse:
        """I02: its display takes every cost."""
        return CostUpdatedResponse()
