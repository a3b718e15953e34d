"""What chargers of OCPP 2.0.1 and 2.1 say: what their schemas require or allow, and transactions that hang together."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from random import Random
from typing import Final

from mcpp.ocppj.actions import Sender
from tests.campaigns.mutants import Json, Words
from tests.integration.ocpp2.spoken import VERSIONS, payload, sent_by

_TIME: Final = "2026-05-01T12:00:00Z"


def _at(random: Random) -> str:
    return f"2026-05-01T{random.randrange(24):02}:{random.randrange(60):02}:{random.randrange(60):02}Z"


def _evse(random: Random) -> Json:
    evse: Json = {"id": random.randrange(3)}
    if random.random() < 0.6:
        evse["connectorId"] = random.randrange(3)
    return evse


def _sampled(random: Random) -> Json:
    value: Json = {"value": random.choice((random.randrange(10**6), 8.25))}
    for key, choices in (
        ("measurand", ("Energy.Active.Import.Register", "Power.Active.Import", "Voltage", "Current.Import", "SoC")),
        ("phase", ("L1", "L2", "N", "L1-N")),
        ("context", ("Sample.Periodic", "Transaction.Begin", "Transaction.End", "Sample.Clock")),
        ("location", ("Outlet", "Inlet", "Cable")),
    ):
        if random.random() < 0.4:
            value[key] = random.choice(choices)
    if random.random() < 0.3:
        unit = random.choice(("Wh", "kWh", "W", "A"))
        value["unitOfMeasure"] = {"unit": unit, "multiplier": random.randrange(-4, 4)}
    if random.random() < 0.1:
        value["signedMeterValue"] = {
            "signedMeterData": "x",
            "signingMethod": "",
            "encodingMethod": "e",
            "publicKey": "",
        }
    return value


def _meter_value(random: Random) -> Json:
    return {"timestamp": _at(random), "sampledValue": [_sampled(random) for _ in range(random.randrange(1, 4))]}


def _token(random: Random) -> Json:
    return {"idToken": f"TAG-{random.randrange(9)}", "type": random.choice(("ISO14443", "Central", "eMAID", "Local"))}


def _event(random: Random) -> Json:
    transaction: Json = {"transactionId": f"tx-{random.randrange(9)}"}
    states = ("Charging", "EVConnected", "SuspendedEV", "SuspendedEVSE", "Idle")
    if random.random() < 0.7:
        transaction["chargingState"] = random.choice(states)
    event: Json = {
        "eventType": random.choice(("Started", "Updated", "Updated", "Ended")),
        "timestamp": _at(random),
        "triggerReason": random.choice(("Authorized", "CablePluggedIn", "MeterValuePeriodic", "RemoteStop")),
        "seqNo": random.randrange(9),
        "transactionInfo": transaction,
    }
    if random.random() < 0.6:
        event["evse"] = _evse(random)
    if random.random() < 0.4:
        event["idToken"] = _token(random)
    if random.random() < 0.6:
        event["meterValue"] = [_meter_value(random) for _ in range(random.randrange(1, 3))]
    if random.random() < 0.3:
        event |= {"offline": True, "reservationId": 1}
    return event


def _status(random: Random) -> Json:
    statuses = ("Available", "Occupied", "Reserved", "Unavailable", "Faulted")
    return {
        "timestamp": _at(random),
        "connectorStatus": random.choice(statuses),
        "evseId": random.randrange(3),
        "connectorId": random.randrange(3),
    }


_LIVELY: Final[dict[str, Callable[[Random], Json]]] = {
    "TransactionEvent": _event,
    "StatusNotification": _status,
    "MeterValues": lambda random: {"evseId": random.randrange(3), "meterValue": [_meter_value(random)]},
    "Authorize": lambda random: {"idToken": _token(random)},
}


def _of_schema(version: str, action: str, part: str, random: Random) -> Json:
    return _payload(version, action, part, whole=random.random() < 0.5)


@cache
def _payload(version: str, action: str, part: str, *, whole: bool) -> Json:
    return payload(version, action, part, whole=whole)


@cache
def words_of(version: str) -> Words:
    """Of 2.0.1 or 2.1."""
    sends = frozenset(VERSIONS[version].sends)
    said = [*sent_by(version, Sender.CHARGE_POINT), *sends]
    calls = {action: _LIVELY.get(action, partial(_of_schema, version, action, "request")) for action in said}
    # What a charger has no business to send.
    calls |= {"Reset": lambda _: {"type": "Immediate"}, "NoSuchAction": lambda _: {"a": 1}}
    asked = sent_by(version, Sender.CENTRAL_SYSTEM)
    commands = {action: _payload(version, action, "request", whole=False) for action in asked}

    def answer(random: Random, action: str | None) -> Json:
        return _of_schema(version, action or random.choice(asked), "response", random)

    return Words(calls, commands, answer, sends)
