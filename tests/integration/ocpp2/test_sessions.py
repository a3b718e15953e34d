"""A session from the plug to the bill, by the `ocpp` package's charge points: the second implementation there is."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from ocpp import v21, v201
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.integration.field_notes.charger import minute
from tests.integration.field_notes.site import Central

PACKAGES: Any = {"2.0.1": v201, "2.1": v21}


async def test_a_session_from_the_plug_to_the_bill(central: Central, version: str) -> None:
    package = PACKAGES[version]
    socket = await connect(f"{central.ocpp_url}/CP-1", subprotocols=[Subprotocol(f"ocpp{version}")])
    charger = package.ChargePoint("CP-1", socket)
    reader = asyncio.create_task(charger.start())
    try:
        await _charge(charger, package)
    finally:
        await socket.close()
        with suppress(ConnectionClosed):
            await reader

    point = await central.get("charge-points/CP-1")
    assert (point["ocpp_version"], point["vendor"]) == (version, "Acme")
    (connector,) = point["connectors"]
    assert (connector["evse_id"], connector["connector_id"]) == (1, 1)
    assert (connector["status"], connector["reported_status"]) == ("Available", "Available")
    (transaction,) = await central.items("transactions")
    assert transaction["ocpp_transaction_id"] == "ab-12"
    assert (transaction["evse_id"], transaction["connector_id"], transaction["id_tag"]) == (1, 1, "TAG")
    assert (transaction["meter_start"], transaction["meter_stop"], transaction["energy_wh"]) == (1000, 8250, 7250)
    assert (transaction["started_at"], transaction["stopped_at"]) == (minute(0), minute(60))
    assert (transaction["stop_reason"], transaction["stop_origin"]) == ("Local", "charger")
    values = await central.values(transaction["transaction_id"])
    assert values == ["1000", "4500", "7200", "8250"]
    assert await central.metric("mcpp_contract_deviations_total") == 0


async def _charge(charger: Any, package: Any) -> None:
    call, datatypes = package.call, package.datatypes

    def event(kind: str, at: str, seq: int, state: str | None, why: str, values: list[Any], **others: Any) -> Any:
        info = datatypes.TransactionType(transaction_id="ab-12", charging_state=state, **others.pop("info", {}))
        return call.TransactionEvent(
            event_type=kind,
            timestamp=at,
            trigger_reason=why,
            seq_no=seq,
            transaction_info=info,
            meter_value=[datatypes.MeterValueType(timestamp=at, sampled_value=values)],
            **others,
        )

    def energy(value: float, context: str) -> Any:
        return datatypes.SampledValueType(value=value, context=context)

    token = datatypes.IdTokenType(id_token="TAG", type="ISO14443")
    station = datatypes.ChargingStationType(model="Two", vendor_name="Acme")
    boot = await charger.call(call.BootNotification(charging_station=station, reason="PowerUp"))
    assert boot.status == "Accepted"
    status = {"evse_id": 1, "connector_id": 1}
    await charger.call(call.StatusNotification(timestamp=minute(-5), connector_status="Available", **status))
    await charger.call(call.StatusNotification(timestamp=minute(-1), connector_status="Occupied", **status))
    verdict = await charger.call(call.Authorize(id_token=token))
    assert verdict.id_token_info["status"] == "Accepted"
    began = await charger.call(
        event(
            "Started",
            minute(0),
            0,
            "EVConnected",
            "Authorized",
            [energy(1000, "Transaction.Begin")],
            id_token=token,
            evse=datatypes.EVSEType(id=1, connector_id=1),
        )
    )
    assert began.id_token_info["status"] == "Accepted"
    power = datatypes.SampledValueType(
        value=7.2, measurand="Power.Active.Import", unit_of_measure=datatypes.UnitOfMeasureType(unit="W", multiplier=3)
    )
    await charger.call(
        event("Updated", minute(30), 1, "Charging", "MeterValuePeriodic", [energy(4500, "Sample.Periodic"), power])
    )
    await charger.call(
        event(
            "Ended",
            minute(60),
            2,
            None,
            "StopAuthorized",
            [energy(8250, "Transaction.End")],
            id_token=token,
            info={"stopped_reason": "Local"},
        )
    )
    await charger.call(call.StatusNotification(timestamp=minute(61), connector_status="Available", **status))
