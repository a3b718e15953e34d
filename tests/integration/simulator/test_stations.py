"""A virtual charging station at the real central system: it does what it is asked, and tells of it as OCPP 2.x does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import JsonValue

from mcpp.csms.version import KnownVersion
from mcpp.ocpp2.known import KNOWN_201
from mcpp.simulator.ocpp2.station import card
from mcpp_generated.ocpp21 import actions
from mcpp_generated.ocpp21.models import NotifyPeriodicEventStream, StreamDataElementType
from tests.integration.simulator.support import TOKEN, station_at, told_of


async def test_a_session_that_is_started_and_stopped_from_afar(tmp_path: Path, version: KnownVersion) -> None:
    async with station_at(tmp_path, version) as (central, station, told):
        await station.plug_in(2, 2)
        start: JsonValue = {"evseId": 2, "idToken": TOKEN, "remoteStartId": 1}
        started = await central.accepted("RequestStartTransaction", start)
        await told_of(told, *["TransactionEvent"] * 3)
        station.evses[2].flow(timedelta(hours=1))
        await station.sample(2)
        [open_one] = await central.items("transactions")
        status = await central.accepted("GetTransactionStatus", {"transactionId": started["transactionId"]})
        unlocked = await central.accepted("UnlockConnector", {"evseId": 2, "connectorId": 2})
        stop: JsonValue = {"transactionId": started["transactionId"]}
        assert (await central.accepted("RequestStopTransaction", stop))["status"] == "Accepted"
        await told_of(told, *["TransactionEvent"] * 5)
        refused = await central.accepted("RequestStopTransaction", stop)
        await station.unplug(2)
        ended = await central.transaction(open_one["transaction_id"])

    assert (open_one["evse_id"], open_one["connector_id"], open_one["id_tag"]) == (2, 2, "TAG")
    assert open_one["ocpp_transaction_id"] == started["transactionId"]
    assert status == {"ongoingIndicator": True, "messagesInQueue": False}
    assert unlocked["status"] == "OngoingAuthorizedTransaction"
    assert refused["status"] == "Rejected"
    assert (ended["energy_wh"], ended["stop_reason"], ended["stop_origin"]) == (11_040, "Remote", "charger")
    assert [event.seq_no for event in told.of("TransactionEvent")] == [0, 1, 2, 3, 4]


async def test_it_restarts_tells_what_is_triggered_and_goes_out_of_service(
    tmp_path: Path, version: KnownVersion
) -> None:
    async with station_at(tmp_path, version) as (central, station, told):
        await station.plug_in(1)
        await station.present(1, card("TAG"))
        told.take()
        assert (await central.accepted("Reset", {"type": "OnIdle"}))["status"] == "Scheduled"
        trigger: JsonValue = {"requestedMessage": "TransactionEvent"}
        assert (await central.accepted("TriggerMessage", trigger))["status"] == "Accepted"
        await told_of(told, "TransactionEvent")
        assert told.take() == ["TransactionEvent"]
        await station.unplug(1)
        assert told.take() == [
            "TransactionEvent",
            "BootNotification",
            *["StatusNotification"] * 4,
        ]
        out: JsonValue = {"operationalStatus": "Inoperative", "evse": {"id": 2}}
        assert (await central.accepted("ChangeAvailability", out))["status"] == "Accepted"
        await told_of(told, *["StatusNotification"] * 2)
        shown = {
            (connector["evse_id"], connector["connector_id"]): connector["reported_status"]
            for connector in (await central.get("charge-points/CP-1"))["connectors"]
        }
        assert (await central.accepted("TriggerMessage", trigger))["status"] == "Rejected"

    assert shown == {(1, 1): "Available", (2, 1): "Unavailable", (2, 2): "Unavailable"}


async def test_what_is_never_answered(tmp_path: Path, version: KnownVersion) -> None:
    stream = NotifyPeriodicEventStream(
        id=1, pending=0, basetime=datetime.now(UTC), data=[StreamDataElementType(t=Decimal(0), v="230.1")]
    )
    async with station_at(tmp_path, version) as (central, station, _):
        if version is KNOWN_201:
            with pytest.raises(ValueError, match="no SEND"):
                await station.point.send(actions.NOTIFY_PERIODIC_EVENT_STREAM, stream)
        else:
            await station.point.send(actions.NOTIFY_PERIODIC_EVENT_STREAM, stream)
            await station.heartbeat()
            assert await central.metric("mcpp_ocpp_messages_total", action="NotifyPeriodicEventStream") == 1
