"""Meter values of 2.x: multipliers, signatures, values without a transaction, what is told late."""

from __future__ import annotations

import json

import pytest
from pydantic import JsonValue

from tests.integration.field_notes.charger import minute
from tests.integration.field_notes.site import Central
from tests.integration.ocpp2.station import CARD, EVSE, Station, reading, wh

SIGNED: dict[str, JsonValue] = {
    "signedMeterData": "OCMF|{}|{}",
    "signingMethod": "ECDSA-secp256r1-SHA256",
    "encodingMethod": "OCMF",
    "publicKey": "MFkw",
}


@pytest.mark.parametrize(
    ("value", "unit", "stored", "energy"),
    [
        (8.25, {"multiplier": 3}, "8250", 7250),
        (825, {"unit": "Wh", "multiplier": 1}, "8250", 7250),
        (82_500, {"unit": "Wh", "multiplier": -1}, "8250.0", 7250),
        (8.25, {"unit": "kWh"}, "8.25", 7250),
        (8250, None, "8250", 7250),
    ],
)
async def test_a_value_with_a_multiplier(
    central: Central, cp201: Station, value: float, unit: JsonValue, stored: str, energy: int
) -> None:
    others: dict[str, JsonValue] = {} if unit is None else {"unitOfMeasure": unit}
    await cp201.event("Started", evse=EVSE, token=CARD, values=reading(minute(0), wh(1000, "Transaction.Begin")))
    end = wh(value, "Transaction.End", **others)
    await cp201.event("Ended", minute(60), values=reading(minute(60), end))

    (transaction,) = await central.items("transactions")
    assert transaction["energy_wh"] == energy
    assert (await central.values(transaction["transaction_id"]))[-1] == stored


async def test_a_signed_value_is_kept_beside_the_plain_one(central: Central, cp: Station) -> None:
    await cp.event("Started", evse=EVSE, token=CARD, values=reading(minute(0), wh(1000, "Transaction.Begin")))
    signed = wh(8250, "Transaction.End", signedMeterValue=SIGNED)
    await cp.event("Ended", minute(60), values=reading(minute(60), signed))

    (transaction,) = await central.items("transactions")
    samples = await central.samples(transaction["transaction_id"])
    plain, proof = (sample for sample in samples if sample["timestamp"] == minute(60))
    if plain["format"] != "Raw":
        plain, proof = proof, plain
    assert (plain["format"], plain["value"], proof["format"]) == ("Raw", "8250", "SignedData")
    assert json.loads(proof["value"]) == {
        "data": "OCMF|{}|{}",
        "method": "ECDSA-secp256r1-SHA256",
        "encoding": "OCMF",
        "public_key": "MFkw",
    }


async def test_a_signature_without_its_key(central: Central, cp201: Station) -> None:
    """2.0.1 requires key and method, but many are set up to leave the key out."""
    short: JsonValue = {"signedMeterData": "x", "encodingMethod": "OCMF"}
    values = reading(minute(0), wh(1, signedMeterValue=short))
    await cp201.event("Started", evse=EVSE, token=CARD, values=values)

    (transaction,) = await central.items("transactions")
    assert sorted(await central.values(transaction["transaction_id"]), key=len)[0] == "1"
    assert len(await central.values(transaction["transaction_id"])) == 2
    assert await central.deviations("TransactionEvent", rule="missing_field") == 2


async def test_meter_values_by_evse(central: Central, cp: Station) -> None:
    """J01: of the transaction that runs there, else the connector's; 0 is the station's own meter."""
    await cp.status("Available")
    told: JsonValue = {"evseId": 1, "meterValue": reading(minute(-1), wh(900, "Sample.Clock"))}
    assert await cp.say("MeterValues", told) == {}
    await cp.event("Started", evse=EVSE, token=CARD, values=reading(minute(0), wh(1000, "Transaction.Begin")))
    assert await cp.say("MeterValues", {"evseId": 1, "meterValue": reading(minute(5), wh(1500))}) == {}
    assert await cp.say("MeterValues", {"evseId": 0, "meterValue": reading(minute(5), wh(99_999))}) == {}

    assert central.idle_values() == ["900", "99999"]
    (transaction,) = await central.items("transactions")
    assert await central.values(transaction["transaction_id"]) == ["1000", "1500"]
    assert transaction["energy_wh"] == 500
    assert await central.items("unmatched") == []


async def test_evse_token_and_register_told_late(central: Central, cp: Station) -> None:
    """A transaction may begin before anybody knows where, who, or from what."""
    await cp.event("Started", why="CablePluggedIn")
    await cp.event("Updated", minute(1), evse=EVSE, state="EVConnected")
    await cp.event("Updated", minute(2), token=CARD, why="Authorized")
    begin = reading(minute(2), wh(1000, "Transaction.Begin"))
    await cp.event("Updated", minute(3), state="Charging", values=begin)

    point = await central.get("charge-points/CP-1")
    connector = next(c for c in point["connectors"] if c["evse_id"] == 1)
    (transaction,) = await central.items("transactions")
    assert (connector["status"], connector["transaction_id"]) == ("Charging", transaction["transaction_id"])
    assert (transaction["id_tag"], transaction["meter_start"], transaction["started_at"]) == ("TAG", 1000, minute(0))


@pytest.mark.parametrize(("reason", "counts"), [("Timeout", True), ("Local", False)])
async def test_a_session_without_a_register(central: Central, cp: Station, reason: str, *, counts: bool) -> None:
    """E03: a card, but no vehicle in time. That isn't odd; any other session without a register is."""
    await cp.event("Started", evse=EVSE, token=CARD, why="Authorized")
    await cp.event("Ended", minute(2), seq=1, why="EVConnectTimeout", info={"stoppedReason": reason})

    (transaction,) = await central.items("transactions")
    assert (transaction["energy_wh"], transaction["energy_implausible"]) == (0, not counts)
    assert (transaction["meter_start"], transaction["meter_stop"]) == (None, None)
    codes = [it["code"] for it in (await central.get("summary"))["attention"]]
    assert ("implausible" in codes) is not counts
    story = await central.get(f"transactions/{transaction['transaction_id']}/story")
    ends = [entry["what"] for entry in story["entries"] if "ends" in entry["what"]]
    assert ends
    assert not any("-1 Wh" in what or "-0.001" in what for what in ends)
