"""Broken messages of 2.x: an event of a transaction is never refused, and what departs is counted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import JsonValue

from tests.integration.field_notes.charger import minute
from tests.integration.field_notes.site import Central
from tests.integration.ocpp2.station import CARD, EVSE, Station, reading, wh

EVENT: dict[str, JsonValue] = {
    "eventType": "Started",
    "timestamp": minute(0),
    "triggerReason": "Authorized",
    "seqNo": 0,
    "transactionInfo": {"transactionId": "tx-1"},
    "evse": EVSE,
    "idToken": CARD,
    "meterValue": reading(minute(0), wh(1000, "Transaction.Begin")),
}


@pytest.mark.parametrize(
    ("broken", "rules"),
    [
        ({"eventType": "started"}, {"letter_case": 1}),
        ({"eventType": "Begin"}, {"outside_list": 1}),
        ({"triggerReason": "Whatever"}, {"outside_list": 1}),
        ({"triggerReason": None}, {"null_field": 1}),
        ({"seqNo": "3"}, {"text_for_number": 1}),
        ({"offline": "false"}, {"text_for_boolean": 1}),
        ({"transactionInfo": {"transactionId": 17}}, {"number_for_text": 1}),
        ({"transactionInfo": {"transactionId": "tx-1", "chargingState": "Suspended_EV"}}, {"letter_case": 1}),
        ({"transactionInfo": {"transactionId": "tx-1", "stoppedReason": "SoftReset"}}, {"outside_list": 1}),
        ({"transactionInfo": {"transactionId": "x" * 60}}, {"text_too_long": 1}),
        ({"evse": {"id": "1", "connectorId": 1.0}}, {"text_for_number": 1, "decimal_for_integer": 1}),
        ({"idToken": {"idToken": "TAG", "type": "rfid"}}, {"outside_list": 1}),
        ({"idToken": {"idToken": "TAG"}}, {"missing_field": 1}),
        ({"meterValue": reading(minute(0), wh(1000), {"measurand": "Voltage"})}, {"entry_left_out": 1}),
        ({"meterValue": [{"sampledValue": [{"value": "1000"}]}]}, {"missing_field": 1, "text_for_number": 1}),
        ({"customData": {"vendorId": "acme", "depth": {"of": [1, "two", 3.5]}}, "x": 1}, {"unknown_field": 1}),
    ],
)
async def test_what_is_broken_is_read_by_rule(
    central: Central, cp201: Station, broken: dict[str, JsonValue], rules: dict[str, int]
) -> None:
    assert (await cp201.say("TransactionEvent", EVENT | broken))["idTokenInfo"] == {"status": "Accepted"}

    (transaction,) = await central.items("transactions")
    assert (transaction["id_tag"], transaction["evse_id"], transaction["meter_start"]) == ("TAG", 1, 1000)
    counted = {rule: await central.deviations("TransactionEvent", rule=rule) for rule in rules}
    assert counted == rules
    assert await central.deviations("TransactionEvent") == sum(rules.values())


@pytest.mark.parametrize(
    "payload", [{}, {"transactionInfo": 1, "meterValue": 7, "evse": [], "idToken": "TAG"}], ids=str
)
async def test_an_object_is_enough(central: Central, cp: Station, payload: JsonValue) -> None:
    assert await cp.say("TransactionEvent", payload) == {}
    assert await cp.say("MeterValues", payload) == {}
    assert len(await central.items("transactions")) == 1


async def test_an_event_without_an_id_is_of_what_runs_there(central: Central, cp: Station) -> None:
    await cp.event("Started", evse=EVSE, token=CARD, values=reading(minute(0), wh(1000, "Transaction.Begin")))
    nameless: dict[str, Any] = {name: value for name, value in EVENT.items() if name != "transactionInfo"}
    told = {"eventType": "Ended", "timestamp": minute(9), "meterValue": reading(minute(9), wh(4000))}
    await cp.say("TransactionEvent", nameless | told)

    (transaction,) = await central.items("transactions")
    assert (transaction["ocpp_transaction_id"], transaction["energy_wh"]) == ("tx-1", 3000)


async def test_a_crowded_event(central: Central, cp: Station) -> None:
    """What no charger has to say is cut before it's read; the transaction is in the books."""
    crowded = json.dumps(EVENT | {"meterValue": [*reading(minute(0), wh(1000)), *[{}] * 30_000]}).encode()
    assert "idTokenInfo" in await cp.say("TransactionEvent", crowded)

    (transaction,) = await central.items("transactions")
    assert (transaction["meter_start"], transaction["id_tag"]) == (1000, "TAG")
    assert await central.deviations("TransactionEvent", rule="crowded_payload") == 1


async def test_numbers_out_of_2_1_s_bounds(central: Central, cp: Station, version: str) -> None:
    """2.0.1 has none: nothing departs there, and it is read as if it weren't told, too."""
    await cp.say("TransactionEvent", EVENT | {"seqNo": -1, "reservationId": -4})

    assert len(await central.items("transactions")) == 1
    assert await central.deviations("TransactionEvent") == {"2.0.1": 0, "2.1": 2}[version]


async def test_a_state_that_isn_t_one(central: Central, cp: Station) -> None:
    await cp.status("Preparing")
    await cp.status("Broken down", minute(1), connector=2)

    point = await central.get("charge-points/CP-1")
    assert [c["reported_status"] for c in point["connectors"]] == ["Occupied", "Unavailable"]
    assert await central.deviations("StatusNotification", rule="outside_list") == 2
