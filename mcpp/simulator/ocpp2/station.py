"""A virtual charging station: its EVSEs, what happens at them, and how it tells of that (OCPP 2.0.1 part 2).

Its transactions start and stop with the cable (TxStartPoint and TxStopPoint are EVConnected).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, Self
from uuid import uuid4

from pydantic import BaseModel

from mcpp.csms.version import KnownVersion
from mcpp.ocppj.actions import Action, Req, Res
from mcpp.simulator.charge_point import VirtualChargePoint
from mcpp.simulator.ocpp2.desk import Desk, Job
from mcpp.simulator.ocpp2.evses import Evse, Transaction, evses_of
from mcpp.simulator.ocpp2.inventory import device_model
from mcpp_generated.ocpp21 import actions
from mcpp_generated.ocpp21.models import (
    AuthorizationStatusEnumType,
    AuthorizeRequest,
    BootNotificationRequest,
    BootReasonEnumType,
    ChargingStateEnumType,
    ChargingStationType,
    ConnectorStatusEnumType,
    EVSEType,
    HeartbeatRequest,
    IdTokenType,
    MeterValuesRequest,
    MeterValueType,
    ReasonEnumType,
    SampledValueType,
    StatusNotificationRequest,
    TransactionEventEnumType,
    TransactionEventRequest,
    TransactionEventResponse,
    TransactionType,
    TriggerReasonEnumType,
    UnitOfMeasureType,
)

DEMO: Final = ChargingStationType(vendor_name="MCPP", model="Demo", firmware_version="1.0", serial_number="1")

Seen = Callable[[str, BaseModel, BaseModel], Awaitable[None]]
"""Called with the action, the request and the response of each message that was answered."""


async def _pass(_: str, __: BaseModel, ___: BaseModel) -> None: ...


def card(id_token: str, kind: str = "ISO14443") -> IdTokenType:
    """What a reader has read."""
    return IdTokenType(id_token=id_token, type=kind)


class Station:
    """What it is and tells; what it answers is the desk's.

    Use as an asynchronous context manager; leaving it closes the connection.
    """

    def __init__(
        self,
        url: str,
        identity: str,
        version: KnownVersion,
        *,
        connectors: Sequence[int] = (1,),
        station: ChargingStationType = DEMO,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        seen: Seen = _pass,
        items_per_message: int = 10,
        call_timeout: float = 30.0,
    ) -> None:
        """`connectors` says how many each EVSE has; `now` is its clock, and `call_timeout` in seconds.

        A report has so many variables in one message.
        """
        self.identity = identity
        self.now = now
        self.station = station
        self.evses = evses_of(connectors)
        self.model = device_model(
            identity,
            station,
            {evse.id: list(evse.statuses) for evse in self.evses.values()},
            items_per_message=items_per_message,
        )
        self.desk = Desk()
        self.point = VirtualChargePoint(
            url,
            identity,
            version.subprotocol,
            spell=version.error_codes.__getitem__,
            answer=self.desk.answer,
            framing=version.framing,
            call_timeout=call_timeout,
        )
        self.when_idle: list[Job] = []
        """What waits until no transaction runs."""
        self._seen = seen

    async def __aenter__(self) -> Self:
        await self.point.__aenter__()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        await self.point.__aexit__(kind, *rest)

    async def tell(self, action: Action[Req, Res], request: Req) -> Res:
        """Raises as `VirtualChargePoint.call`."""
        response = await self.point.call(action, request)
        await self._seen(action.name, request, response)
        return response

    # The station.

    async def boot(self, reason: BootReasonEnumType = BootReasonEnumType.POWER_UP) -> None:
        """Tell that it has started, and how its connectors stand (B01)."""
        await self.boot_only(reason)
        await self.report_statuses()

    async def boot_only(self, reason: BootReasonEnumType) -> None:
        """BootNotification alone; the central system says how often it wants to hear of it."""
        request = BootNotificationRequest(charging_station=self.station, reason=reason)
        accepted = await self.tell(actions.BOOT_NOTIFICATION, request)
        self.model.put("OCPPCommCtrlr", "HeartbeatInterval", str(accepted.interval))

    async def heartbeat(self) -> None:
        await self.tell(actions.HEARTBEAT, HeartbeatRequest())

    async def report_statuses(self, evse_id: int | None = None) -> None:
        """How all connectors stand, or those of one EVSE."""
        for evse in self.evses.values():
            for connector_id in evse.statuses if evse_id in (None, evse.id) else ():
                await self.report_status(evse.id, connector_id)

    async def report_status(
        self, evse_id: int, connector_id: int, status: ConnectorStatusEnumType | None = None
    ) -> None:
        """How a connector stands, from now on or still (G01)."""
        evse = self.evses[evse_id]
        if status is not None:
            evse.statuses[connector_id] = status
            self.model.put("Connector", "AvailabilityState", status.value, evse_id=evse_id, connector_id=connector_id)
        request = StatusNotificationRequest(
            timestamp=self.now(),
            connector_status=evse.statuses[connector_id],
            evse_id=evse_id,
            connector_id=connector_id,
        )
        await self.tell(actions.STATUS_NOTIFICATION, request)

    async def report_meter(self, evse_id: int) -> None:
        """What an EVSE's meter shows, outside of any transaction (J01)."""
        request = MeterValuesRequest(evse_id=evse_id, meter_value=self.samples(self.evses[evse_id], "Sample.Clock"))
        await self.tell(actions.METER_VALUES, request)

    # Sessions.

    async def plug_in(self, evse_id: int, connector_id: int = 1, *, remote_start_id: int | None = None) -> Transaction:
        """A car comes: the connector is occupied, and a transaction begins unless a remote start has begun it (E02)."""
        evse = self.evses[evse_id]
        evse.plugged = connector_id
        await self.report_status(evse_id, connector_id, ConnectorStatusEnumType.OCCUPIED)
        running = evse.transaction
        if running is not None:
            await self.change_state(evse_id, ChargingStateEnumType.CHARGING)
            return running
        return await self.begin(evse_id, TriggerReasonEnumType.CABLE_PLUGGED_IN, remote_start_id=remote_start_id)

    async def begin(
        self,
        evse_id: int,
        trigger: TriggerReasonEnumType,
        *,
        token: IdTokenType | None = None,
        remote_start_id: int | None = None,
    ) -> Transaction:
        """A transaction begins."""
        evse = self.evses[evse_id]
        state = ChargingStateEnumType.IDLE if evse.plugged is None else ChargingStateEnumType.EV_CONNECTED
        place = EVSEType(id=evse_id, connector_id=evse.plugged)
        running = Transaction(str(uuid4()), place, int(evse.register), state=state, token=token)
        evse.transaction = running
        await self.event(
            evse,
            TransactionEventEnumType.STARTED,
            trigger,
            context="Transaction.Begin",
            place=place,
            token=token,
            remote_start_id=remote_start_id,
        )
        return running

    async def present(self, evse_id: int, token: IdTokenType) -> AuthorizationStatusEnumType:
        """A card is shown at an EVSE with a car: where it's let in, it charges (C01, E03)."""
        answer = await self.tell(actions.AUTHORIZE, AuthorizeRequest(id_token=token))
        status = answer.id_token_info.status
        running = self.evses[evse_id].transaction
        if status is AuthorizationStatusEnumType.ACCEPTED and running is not None:
            running.token = token
            evse = self.evses[evse_id]
            await self.event(evse, TransactionEventEnumType.UPDATED, TriggerReasonEnumType.AUTHORIZED, token=token)
            await self.change_state(evse_id, ChargingStateEnumType.CHARGING)
        return status

    async def change_state(self, evse_id: int, state: ChargingStateEnumType) -> None:
        """It charges from now on, or doesn't."""
        evse = self.evses[evse_id]
        assert evse.transaction is not None, "nothing runs here"
        evse.transaction.state = state
        await self.event(evse, TransactionEventEnumType.UPDATED, TriggerReasonEnumType.CHARGING_STATE_CHANGED)

    async def sample(
        self, evse_id: int, trigger: TriggerReasonEnumType = TriggerReasonEnumType.METER_VALUE_PERIODIC
    ) -> TransactionEventResponse:
        """What its meter shows within a transaction (E02, J02)."""
        evse = self.evses[evse_id]
        return await self.event(evse, TransactionEventEnumType.UPDATED, trigger, context="Sample.Periodic")

    async def end(
        self,
        evse_id: int,
        reason: ReasonEnumType = ReasonEnumType.EV_DISCONNECTED,
        trigger: TriggerReasonEnumType = TriggerReasonEnumType.EV_COMMUNICATION_LOST,
    ) -> TransactionEventResponse:
        """The transaction ends (E06)."""
        evse = self.evses[evse_id]
        assert evse.transaction is not None, "nothing runs here"
        is_gone = reason is ReasonEnumType.EV_DISCONNECTED or evse.plugged is None
        evse.transaction.state = ChargingStateEnumType.IDLE if is_gone else ChargingStateEnumType.EV_CONNECTED
        response = await self.event(
            evse, TransactionEventEnumType.ENDED, trigger, context="Transaction.End", reason=reason
        )
        evse.transaction = None
        while self.when_idle and not any(each.transaction for each in self.evses.values()):
            await self.when_idle.pop(0)()
        return response

    async def unplug(self, evse_id: int) -> None:
        """The car leaves, and the transaction ends with it if it hasn't yet."""
        evse = self.evses[evse_id]
        assert evse.plugged is not None, "no car is here"
        if evse.transaction is not None:
            await self.end(evse_id)
        connector_id, evse.plugged = evse.plugged, None
        await self.report_status(evse_id, connector_id, ConnectorStatusEnumType.AVAILABLE)

    async def event(
        self,
        evse: Evse,
        kind: TransactionEventEnumType,
        trigger: TriggerReasonEnumType,
        *,
        context: str | None = None,
        place: EVSEType | None = None,
        token: IdTokenType | None = None,
        reason: ReasonEnumType | None = None,
        remote_start_id: int | None = None,
    ) -> TransactionEventResponse:
        """Tell of a transaction; with what the meter shows where a context is given."""
        running = evse.transaction
        assert running is not None, "nothing runs here"
        seq_no, running.seq_no = running.seq_no, running.seq_no + 1
        request = TransactionEventRequest(
            event_type=kind,
            timestamp=self.now(),
            trigger_reason=trigger,
            seq_no=seq_no,
            transaction_info=TransactionType(
                transaction_id=running.id,
                charging_state=running.state,
                stopped_reason=reason,
                remote_start_id=remote_start_id,
            ),
            evse=place,
            id_token=token,
            meter_value=None if context is None else self.samples(evse, context),
        )
        return await self.tell(actions.TRANSACTION_EVENT, request)

    def samples(self, evse: Evse, context: str) -> list[MeterValueType]:
        """What an EVSE's meter shows now; `context` is one of OCPP's."""
        shown: list[tuple[int | Decimal, str, str | None, str]] = [
            (int(evse.register), "Energy.Active.Import.Register", None, "Wh"),
            (round(evse.power_now), "Power.Active.Import", None, "W"),
            (Decimal("230.1"), "Voltage", "L1-N", "V"),
        ]
        values = [
            SampledValueType.model_validate(
                {
                    "value": Decimal(value),
                    "measurand": measurand,
                    "context": context,
                    "phase": phase,
                    "unit_of_measure": UnitOfMeasureType(unit=unit),
                }
            )
            for value, measurand, phase, unit in shown
        ]
        return [MeterValueType(timestamp=self.now(), sampled_value=values)]
