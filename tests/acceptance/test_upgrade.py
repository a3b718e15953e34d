"""A charger that gets new firmware twice, from OCPP 1.6 to 2.0.1 to 2.1, each time in the middle of a session."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mcpp.csms.version import KnownVersion
from mcpp.ocpp2.known import KNOWN_21, KNOWN_201
from mcpp.ocpp16.errors import SPELLING
from mcpp.simulator.charge_point import VirtualChargePoint
from mcpp.simulator.ocpp2.charging_station import equip
from mcpp.simulator.ocpp2.station import Station, card
from mcpp_generated.ocpp16 import actions
from mcpp_generated.ocpp16.models import (
    BootNotificationRequest,
    ChargePointErrorCode,
    ChargePointStatus,
    MeterValue,
    MeterValuesRequest,
    SampledValue,
    StartTransactionRequest,
    StatusNotificationRequest,
)
from tests.acceptance.server import Server, running_server

PATIENCE = 30.0
HOUR = timedelta(hours=1)
BEGIN_WH = 50_000


async def settled(server: Server, transaction_id: int) -> dict[str, Any]:
    """A transaction, as soon as it has ended."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found: dict[str, Any] = await server.get(f"/api/v1/transactions/{transaction_id}")
            if found["stopped_at"] is not None:
                return found
            await asyncio.sleep(0.05)


async def connectors(server: Server) -> list[tuple[int | None, int, str]]:
    point = await server.get("/api/v1/charge-points/CP-1")
    return [(each["evse_id"], each["connector_id"], each["status"]) for each in point["connectors"]]


async def charge_with_16(server: Server) -> None:
    """5 kWh, and no end."""
    now = datetime.now(UTC)
    charger = VirtualChargePoint(server.ocpp_url, "CP-1", "ocpp1.6", spell=SPELLING.__getitem__)
    async with charger:
        await charger.call(
            actions.BOOT_NOTIFICATION, BootNotificationRequest(charge_point_vendor="Acme", charge_point_model="One")
        )
        for connector_id, status in ((1, ChargePointStatus.CHARGING), (2, ChargePointStatus.AVAILABLE)):
            error = ChargePointErrorCode.NO_ERROR
            told = StatusNotificationRequest(connector_id=connector_id, error_code=error, status=status)
            await charger.call(actions.STATUS_NOTIFICATION, told)
        start = StartTransactionRequest(connector_id=1, id_tag="TAG-1", meter_start=BEGIN_WH, timestamp=now)
        started = await charger.call(actions.START_TRANSACTION, start)
        register = SampledValue(value=str(BEGIN_WH + 5_000))
        values = [MeterValue(timestamp=now + timedelta(seconds=1), sampled_value=[register])]
        told_values = MeterValuesRequest(connector_id=1, transaction_id=started.transaction_id, meter_value=values)
        await charger.call(actions.METER_VALUES, told_values)
        assert await connectors(server) == [(None, 1, "Charging"), (None, 2, "Available")]


def station(server: Server, version: KnownVersion, register: float) -> Station:
    made = equip(Station(server.ocpp_url, "CP-1", version, connectors=(1, 1)))
    made.evses[1].register = register
    return made


async def test_each_session_is_in_the_books_and_the_connectors_are_those_of_the_version_spoken(tmp_path: Path) -> None:
    async with running_server(tmp_path / "mcpp.db", "--recovery-grace", "1") as server:
        await charge_with_16(server)

        async with station(server, KNOWN_201, BEGIN_WH + 6_000) as second:
            await second.boot()
            first_ended = await settled(server, 1)
            after_first_upgrade = await connectors(server)
            running = await second.plug_in(1)
            await second.present(1, card("TAG-2"))
            second.evses[1].flow(HOUR)
            await second.sample(1)

        async with station(server, KNOWN_21, second.evses[1].register) as third:
            third.evses[1].transaction, third.evses[1].plugged = running, 1
            await third.boot()
            third.evses[1].flow(HOUR)
            await third.unplug(1)
            second_ended = await settled(server, 2)
            await third.plug_in(2)
            third_open = await server.get("/api/v1/transactions/3")
            after_second_upgrade = await connectors(server)
            point = await server.get("/api/v1/charge-points/CP-1")
        transactions = (await server.get("/api/v1/transactions"))["items"]

    assert (first_ended["stop_origin"], first_ended["evse_id"], first_ended["connector_id"]) == ("recovered", None, 1)
    assert 5_000 <= first_ended["energy_wh"] <= 6_000
    assert after_first_upgrade == [(1, 1, "Available"), (2, 1, "Available")]
    assert (second_ended["stop_origin"], second_ended["energy_wh"]) == ("charger", 22_080)
    assert (second_ended["id_tag"], second_ended["ocpp_transaction_id"]) == ("TAG-2", running.id)
    assert (third_open["evse_id"], third_open["stopped_at"]) == (2, None)
    assert after_second_upgrade == [(1, 1, "Available"), (2, 1, "Preparing")]
    assert point["ocpp_version"] == "2.1"
    assert [each["transaction_id"] for each in transactions] == [3, 2, 1]
