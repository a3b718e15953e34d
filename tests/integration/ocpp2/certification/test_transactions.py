"""Certification cases of transactions and metering: where a session may start and stop, and its values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import pytest
from pydantic import JsonValue

from tests.integration.field_notes.charger import minute
from tests.integration.ocpp2.certification.by_the_letter import ACCEPTED, PLACE, Station, reading

pytestmark = pytest.mark.asyncio(loop_scope="module")

BEGIN, END, CLOCK = "Transaction.Begin", "Transaction.End", "Sample.Clock"
SIGNED: Final[dict[str, JsonValue]] = {
    "signedMeterData": "T0NNRnx7fXx7fQ==",
    "signingMethod": "ECDSA-secp256r1-SHA256",
    "encodingMethod": "OCMF",
    "publicKey": "MFkw",
}


class Step(NamedTuple):
    """An event of a session: why it's sent, the charging state after it, and whether the card and the EVSE are told."""

    why: str
    state: str | None = None
    card: bool = False
    place: bool = False


CABLE: Final = Step("CablePluggedIn", "EVConnected", place=True)
CARD: Final = Step("Authorized", card=True)
CHARGING: Final = Step("ChargingStateChanged", "Charging")


async def events(cs: Station, *steps: Step, first: int = 0, tx: str = "tx") -> int:
    """A session begins; every card must be accepted. Gives the next number."""
    for seq, step in enumerate(steps, first):
        answer = await cs.event(
            "Started" if seq == 0 else "Updated",
            step.why,
            seq,
            tx=tx,
            state=step.state,
            evse=PLACE if step.place else None,
            idToken=cs.token if step.card else None,
        )
        assert answer.get("idTokenInfo", {}).get("status") == ("Accepted" if step.card else None)
    return first + len(steps)


STARTS: Final[Mapping[str, tuple[Step, ...]]] = {
    "TC_E_01": (Step("ChargingStateChanged", "SuspendedEVSE", card=True, place=True), CHARGING),
    "TC_E_02": (Step("ChargingStateChanged", "Charging", card=True, place=True),),
    "TC_E_03": (CABLE, CARD, CHARGING),
    "TC_E_04": (CARD, CABLE, CHARGING),
    "TC_E_09": (CABLE,),
    "TC_E_10": (Step("Authorized", "Idle", card=True, place=True),),
    "TC_E_12": (Step("EVDetected", "Idle", place=True),),
    "TC_E_38": (CARD, CABLE, Step("ChargingStateChanged", "SuspendedEV")),
}
"""At each of the points that TxStartPoint may name (E01), and in each order of cable and card (E02, E03)."""

SHOWN: Final[Mapping[str, str]] = {
    "EVConnected": "Preparing",
    "Charging": "Charging",
    "SuspendedEV": "SuspendedEV",
    "SuspendedEVSE": "SuspendedEVSE",
    "Idle": "Preparing",
}


@pytest.mark.parametrize("case", STARTS)
async def test_a_start(cs: Station, case: str) -> None:
    await cs.status("Occupied")
    await events(cs, *STARTS[case])

    transaction = await cs.transaction()
    has_card = any(step.card for step in STARTS[case])
    assert transaction["id_tag"] == (cs.token["idToken"] if has_card else "")
    assert (transaction["evse_id"], transaction["connector_id"]) == (1, 1)
    assert (transaction["started_at"], transaction["stopped_at"]) == (minute(0), None)
    last = [step.state for step in STARTS[case] if step.state][-1]
    assert await cs.states() == {(1, 1): SHOWN[last]}


async def test_a_start_by_a_signed_value(cs: Station) -> None:
    """TC_E_11"""
    signed = reading(0, 1000, BEGIN, signedMeterValue=SIGNED)
    answer = await cs.event("Started", "SignedDataReceived", 0, idToken=cs.token, evse=PLACE, meterValue=signed)
    assert answer["idTokenInfo"]["status"] == "Accepted"

    transaction = await cs.transaction()
    assert (transaction["meter_start"], transaction["id_tag"]) == (1000, cs.token["idToken"])
    formats = {sample["format"] for sample in await cs.central.samples(transaction["transaction_id"])}
    assert formats == {"Raw", "SignedData"}


class Stop(NamedTuple):
    """The end of a session: what comes before it, why it ends, and the reason that it's given."""

    before: tuple[Step, ...]
    why: str
    reason: str
    card: bool = False


UNLOCKED: Final = Step("StopAuthorized", "EVConnected", card=True)
SUSPENDED: Final = Step("ChargingStateChanged", "SuspendedEV")

STOPS: Final[Mapping[str, Stop]] = {
    "TC_E_07": Stop((), "StopAuthorized", "Local", card=True),
    "TC_E_08": Stop((UNLOCKED,), "ChargingStateChanged", "Local"),
    "TC_E_14": Stop((UNLOCKED,), "EVCommunicationLost", "EVDisconnected"),
    "TC_E_15": Stop((), "StopAuthorized", "Local", card=True),
    "TC_E_17": Stop((Step("EVCommunicationLost", "Idle"),), "EVCommunicationLost", "EVDisconnected"),
    "TC_E_19": Stop((UNLOCKED, Step("EVCommunicationLost", "Idle")), "EVDeparted", "Local"),
    "TC_E_20": Stop((UNLOCKED, Step("EVCommunicationLost", "Idle")), "EVCommunicationLost", "EVDisconnected"),
    "TC_E_22": Stop((SUSPENDED,), "ChargingStateChanged", "StoppedByEV"),
    "TC_E_39": Stop((), "EVConnectTimeout", "Timeout"),
}
"""At each of the points that TxStopPoint may name (E06)."""


@pytest.mark.parametrize("case", STOPS)
async def test_a_stop(cs: Station, case: str) -> None:
    stop = STOPS[case]
    await cs.status("Occupied")
    seq = await events(cs, *((CARD, CABLE) if case == "TC_E_39" else (CABLE, CARD, CHARGING)), *stop.before)
    answer = await cs.event(
        "Ended",
        stop.why,
        seq,
        info={"stoppedReason": stop.reason},
        idToken=cs.token if stop.card else None,
        meterValue=reading(seq, 7000, END),
    )
    assert answer.get("idTokenInfo", {}).get("status") == ("Accepted" if stop.card else None)
    await cs.status("Available", seq + 1)

    transaction = await cs.transaction()
    assert (transaction["stop_reason"], transaction["stopped_at"]) == (stop.reason, minute(seq))
    assert (transaction["meter_stop"], transaction["stop_origin"]) == (7000, "charger")
    assert await cs.states() == {(1, 1): "Available"}


async def test_a_stop_because_the_card_may_not_charge(cs: Station) -> None:
    """TC_E_16"""
    await cs.status("Occupied")
    unknown: JsonValue = {"idToken": "NOBODY", "type": "ISO14443"}
    answer = await cs.event("Started", "Authorized", 0, idToken=unknown, evse=PLACE)
    assert answer["idTokenInfo"]["status"] in {"Invalid", "Unknown"}
    ended = await cs.event("Ended", "Deauthorized", 1, info={"stoppedReason": "DeAuthorized"})
    assert "idTokenInfo" not in ended
    assert (await cs.transaction())["stop_reason"] == "DeAuthorized"


async def test_a_stop_from_afar(cs: Station) -> None:
    """TC_E_21"""
    transaction_id = await cs.charges()
    await cs.commanded("RequestStopTransaction", {"transactionId": transaction_id}, ACCEPTED)
    await cs.event("Updated", "RemoteStop", 2, state="EVConnected")
    await cs.event("Ended", "RemoteStop", 3, info={"stoppedReason": "Remote"})
    transaction = await cs.transaction()
    assert (transaction["stop_reason"], transaction["stopped_at"]) == ("Remote", minute(3))


async def test_a_cable_that_is_pulled_at_the_car_suspends(cs: Station) -> None:
    """TC_E_26"""
    await cs.charges()
    await cs.event("Updated", "EVCommunicationLost", 2, state="Idle")
    assert (await cs.transaction())["stopped_at"] is None
    await cs.event("Updated", "CablePluggedIn", 3, state="EVConnected")
    await cs.event("Updated", "ChargingStateChanged", 4, state="Charging")
    assert (await cs.transaction())["stopped_at"] is None
    assert await cs.states() == {(1, 1): "Charging"}


@pytest.mark.parametrize(
    ("names_it", "answer"),
    [
        pytest.param(True, {"ongoingIndicator": True, "messagesInQueue": True}, id="TC_E_29"),
        pytest.param(True, {"ongoingIndicator": True, "messagesInQueue": False}, id="TC_E_30"),
        pytest.param(True, {"ongoingIndicator": False, "messagesInQueue": True}, id="TC_E_31"),
        pytest.param(False, {"messagesInQueue": True}, id="TC_E_33"),
        pytest.param(False, {"messagesInQueue": False}, id="TC_E_34"),
    ],
)
async def test_how_a_transaction_stands_is_asked(cs: Station, names_it: bool, answer: dict[str, JsonValue]) -> None:
    transaction_id = await cs.charges()
    request: dict[str, JsonValue] = {"transactionId": transaction_id} if names_it else {}
    assert await cs.commanded("GetTransactionStatus", request, answer) == answer
    if answer["messagesInQueue"]:
        at = 4
        await cs.event("Updated", "MeterValuePeriodic", at, meterValue=reading(at, 4000), offline=True)
        transaction = await cs.transaction()
        assert await cs.central.values(transaction["transaction_id"]) == ["4000"]


async def test_numbers_begin_anew_with_each_transaction(cs: Station) -> None:
    """TC_E_53"""
    for tx, energy in (("a", 500), ("b", 700)):
        begin, end = reading(0, 1000, BEGIN), reading(1, 1000 + energy, END)
        await cs.event("Started", "Authorized", 0, tx=tx, idToken=cs.token, evse=PLACE, meterValue=begin)
        await cs.event("Ended", "StopAuthorized", 1, tx=tx, meterValue=end)
    found = {it["ocpp_transaction_id"].rpartition("-")[2]: it["energy_wh"] for it in await cs.transactions()}
    assert found == {"a": 500, "b": 700}


async def test_values_by_the_clock_without_a_transaction(cs: Station) -> None:
    """TC_J_01"""
    for evse in (0, 1):
        assert await cs.say("MeterValues", {"evseId": evse, "meterValue": reading(evse, 500 + evse, CLOCK)}) == {}
    assert cs.central.idle_values(cs.identity) == ["500", "501"]
    assert await cs.transactions() == []


METERED: Final[Mapping[str, tuple[str, str, Mapping[str, JsonValue]]]] = {
    "TC_J_02": ("Updated", CLOCK, {}),
    "TC_J_03": ("Ended", CLOCK, {}),
    "TC_J_04": ("Updated", CLOCK, {"signedMeterValue": SIGNED}),
    "TC_J_09": ("Updated", "Sample.Periodic", {}),
    "TC_J_10": ("Ended", END, {}),
    "TC_J_11": ("Ended", END, {"signedMeterValue": SIGNED}),
}
"""The event that values come in, their context, and what else they have."""


@pytest.mark.parametrize("case", METERED)
async def test_values_of_a_transaction(cs: Station, case: str) -> None:
    kind, context, others = METERED[case]
    await cs.charges()
    why = "MeterValueClock" if context == CLOCK else "MeterValuePeriodic"
    values = reading(2, 1500, context, **others)
    await cs.event(kind, "StopAuthorized" if kind == "Ended" else why, 2, meterValue=values)

    transaction = await cs.transaction()
    samples = await cs.central.samples(transaction["transaction_id"])
    shown = [(it["value"], it["context"], it["unit"]) for it in samples if it["format"] != "SignedData"]
    assert shown == [("1500", context, "Wh")]
    signed: list[Any] = [json.loads(it["value"]) for it in samples if it["format"] == "SignedData"]
    assert [it["data"] for it in signed] == ([SIGNED["signedMeterData"]] if others else [])


@pytest.mark.parametrize("place", [pytest.param(PLACE, id="TC_J_07"), pytest.param(None, id="TC_J_08")])
async def test_values_at_the_start(cs: Station, place: JsonValue) -> None:
    """Where the EVSE isn't known yet they come with the event that tells of it."""
    if place is None:
        await cs.event("Started", "Authorized", 0, idToken=cs.token)
        await cs.event("Updated", "CablePluggedIn", 1, evse=PLACE, meterValue=reading(1, 1000, BEGIN))
    else:
        await cs.event("Started", "Authorized", 0, idToken=cs.token, evse=place, meterValue=reading(0, 1000, BEGIN))
    transaction = await cs.transaction()
    assert (transaction["evse_id"], transaction["meter_start"]) == (1, 1000)
