"""What real 2.x clients do, one test each, by the numbers of issues where that was reported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue

from tests.integration.field_notes.charger import minute
from tests.integration.field_notes.site import Central, central_system, until
from tests.integration.ocpp2.station import CARD, EVSE, Station, availability, reading, station, wh

BEGIN, END = "Transaction.Begin", "Transaction.End"


async def only(central: Central) -> dict[str, Any]:
    """The one transaction that there is."""
    (transaction,) = await central.items("transactions")
    return transaction


def book(transaction: dict[str, Any]) -> tuple[object, ...]:
    return tuple(transaction[name] for name in ("evse_id", "connector_id", "id_tag", "meter_start", "energy_wh"))


async def test_the_station_reports_itself_as_evse_0_connector_0(central: Central, cp201: Station) -> None:
    """lbbrhzn/ocpp PR#2020, mobilityhouse/ocpp#532"""
    await cp201.status("Faulted", evse=0, connector=0)
    await cp201.status("Available")

    point = await central.get("charge-points/CP-1")
    assert {(c["evse_id"], c["connector_id"]): c["status"] for c in point["connectors"]} == {
        (None, 0): "Faulted",
        (1, 1): "Available",
    }
    assert point["last_error_at"] is not None


async def test_a_count_that_stands_still(central: Central, cp201: Station) -> None:
    """Two public simulators always send 0: events are told apart by all that they say."""
    await cp201.event("Started", minute(0), evse=EVSE, token=CARD, values=reading(minute(0), wh(1000, BEGIN)))
    for number in (1, 2):
        await cp201.event("Updated", minute(number), values=reading(minute(number), wh(1000 + 500 * number)))
    await cp201.event("Ended", minute(3), values=reading(minute(3), wh(2500, END)))

    transaction = await only(central)
    assert transaction["energy_wh"] == 1500
    assert await central.values(transaction["transaction_id"]) == ["1000", "1500", "2000", "2500"]


@pytest.mark.parametrize("evse", [{"id": 1}, {"id": 1, "connectorId": 0}])
async def test_an_evse_without_a_connector(central: Central, cp201: Station, evse: JsonValue) -> None:
    """A public simulator; libocpp#580: it's repeated in every event."""
    await cp201.status("Available", connector=2)
    await cp201.event("Started", evse=evse, token=CARD, values=reading(minute(0), wh(0, BEGIN)))
    await cp201.event("Updated", minute(1), evse=evse, state="Charging")
    await cp201.event("Ended", minute(2), evse=evse, values=reading(minute(2), wh(700, END)))

    assert book(await only(central)) == (1, 2, "TAG", 0, 700)


async def test_a_token_s_type_changes_between_messages(central: Central, cp201: Station) -> None:
    """A public simulator says Local in Authorize and ISO14443 in TransactionEvent."""
    await central.put("id-tags/TAG", {})
    local: JsonValue = {"idToken": "TAG", "type": "Local"}
    told = await cp201.say("Authorize", {"idToken": local})
    began = await cp201.event("Started", evse=EVSE, token=CARD)
    ended = await cp201.event("Ended", minute(1), token=local)

    assert [answer["idTokenInfo"]["status"] for answer in (told, began, ended)] == ["Accepted"] * 3
    assert (await only(central))["id_tag"] == "TAG"

    # What an operator stored counts.
    await central.put("id-tags/TAG", {"token_type": "ISO14443"})
    assert (await cp201.say("Authorize", {"idToken": local}))["idTokenInfo"] == {"status": "Invalid"}
    assert (await cp201.say("Authorize", {"idToken": CARD}))["idTokenInfo"] == {"status": "Accepted"}


async def test_an_end_repeats_the_values_of_the_beginning(central: Central, cp201: Station) -> None:
    """A public simulator: the last value isn't the end's."""
    await cp201.event("Started", evse=EVSE, token=CARD, values=reading(minute(0), wh(1000, BEGIN)))
    both = [*reading(minute(60), wh(8000, END)), *reading(minute(0), wh(1000, BEGIN))]
    await cp201.event("Ended", minute(60), values=both)

    transaction = await only(central)
    assert (transaction["meter_stop"], transaction["energy_wh"]) == (8000, 7000)


async def test_a_short_probe_by_1_6_before_2_0_1(central: Central) -> None:
    """lbbrhzn/ocpp#2008"""
    async with central.dial():
        pass
    async with station(central.ocpp_url, "2.0.1") as cp:
        await cp.event("Started", evse=EVSE, token=CARD, state="Charging")
        async with central.dial():
            pass
        async with station(central.ocpp_url, "2.0.1") as again:
            await again.event("Updated", minute(1), state="Charging", values=reading(minute(1), wh(10)))

            assert (await central.get("charge-points/CP-1"))["ocpp_version"] == "2.0.1"
            transaction = await only(central)
            assert transaction["stopped_at"] is None
            (connector,) = (await central.get("charge-points/CP-1"))["connectors"]
            assert (connector["evse_id"], connector["status"]) == (1, "Charging")


@pytest.mark.parametrize("numbers", [(0, 0, 0), (1, 2, 3)])
async def test_chunks_of_a_report_that_all_have_one_number_or_count_from_1(
    central: Central, cp201: Station, numbers: tuple[int, ...]
) -> None:
    """Two public simulators: the report is whole all the same, without a gap."""
    for seq, name in zip(numbers, ("A", "B", "C"), strict=True):
        data: JsonValue = {
            "component": {"name": "EVSE", "evse": {"id": 1}},
            "variable": {"name": name},
            "variableAttribute": [{"value": name.lower()}],
        }
        chunk: JsonValue = {
            "requestId": 5, "generatedAt": minute(0), "seqNo": seq, "tbc": name != "C", "reportData": [data]
        }  # fmt: skip
        assert await cp201.say("NotifyReport", chunk) == {}

    report = await central.get("charge-points/CP-1/reports/5")
    assert (report["complete"], report["chunks"], report["gaps"]) == (True, 3, [])
    shown = await central.items("charge-points/CP-1/variables")
    assert [(row["variable"], row["value"]) for row in shown] == [("A", "a"), ("B", "b"), ("C", "c")]


async def test_no_base_report_before_the_states_have_come(tmp_path: Path) -> None:
    """lbbrhzn/ocpp#1432: who is asked for it before hangs."""
    async with (
        central_system(tmp_path, base_report_delay="0") as central,
        station(central.ocpp_url, "2.0.1", answers={"GetBaseReport": {"status": "Accepted"}}) as cp,
    ):
        await cp.boot()
        for _ in range(3):
            await cp.say("Heartbeat", {})
        assert cp.raw.how_often("GetBaseReport") == 0
        await cp.status("Available")
        assert len(await cp.asked_for("GetBaseReport")) == 1


async def test_events_after_the_end_out_of_the_queue(central: Central, cp201: Station) -> None:
    """citrineos-core PR#1053"""
    await cp201.event("Started", evse=EVSE, token=CARD, values=reading(minute(0), wh(1000, BEGIN)))
    await cp201.event("Ended", minute(60), seq=9, values=reading(minute(60), wh(8000, END)))
    for seq in (1, 2):
        at = minute(10 * seq)
        late = await cp201.event(
            "Updated", at, seq=seq, state="Charging", values=reading(at, wh(1000 + 1000 * seq)), offline=True
        )
        assert late == {}

    transaction = await only(central)
    assert (transaction["energy_wh"], transaction["stopped_at"]) == (7000, minute(60))
    assert await central.values(transaction["transaction_id"]) == ["1000", "2000", "3000", "8000"]
    (connector,) = (await central.get("charge-points/CP-1"))["connectors"]
    assert (connector["status"], connector["transaction_id"]) == ("Finishing", None)


async def test_a_fleet_moves_to_another_version_by_firmware(central: Central) -> None:
    """OCPP.Core#91: a session that was open before isn't lost, and its old connectors aren't shown any more."""
    async with central.dial() as old:
        await old.boot()
        await old.status("Charging")
        opened = await old.start(meter=1000)
        await old.meter([{"timestamp": minute(5), "sampledValue": [{"value": "1500"}]}], transactionId=opened)
    async with station(central.ocpp_url, "2.0.1") as new:
        await new.boot()
        await new.status("Available", minute(20))
        await new.event(
            "Started", minute(21), tx="a", evse=EVSE, token=CARD, values=reading(minute(21), wh(1600, BEGIN))
        )
        point = await central.get("charge-points/CP-1")
        assert [(c["evse_id"], c["connector_id"]) for c in point["connectors"]] == [(1, 1)]
    async with station(central.ocpp_url, "2.1") as newest:
        await newest.boot()
        await newest.event("Ended", minute(40), tx="a", values=reading(minute(40), wh(2600, END)))

        async def told() -> list[dict[str, Any]]:
            return [t for t in await central.items("transactions") if t["ocpp_transaction_id"] == "a"]

        (transaction,) = await until(told)
        assert (transaction["energy_wh"], transaction["stopped_at"]) == (1000, minute(40))
        left = await central.transaction(opened)
        assert (left["stopped_at"], left["energy_wh"]) == (None, 500)


async def test_a_state_told_by_an_event(central: Central, cp201: Station) -> None:
    """2.0.1, too, may tell of availability by NotifyEvent alone."""
    data: list[JsonValue] = [
        availability("Occupied", minute(0), EVSE, event_id=1),
        availability("Unavailable", minute(0), {"id": 2, "connectorId": 1}, event_id=2),
        availability("Available", minute(0), None, "ChargingStation", event_id=3),
    ]
    told: JsonValue = {"generatedAt": minute(0), "seqNo": 0, "eventData": data}
    assert await cp201.say("NotifyEvent", told) == {}

    point = await central.get("charge-points/CP-1")
    assert {(c["evse_id"], c["connector_id"]): (c["status"], c["reported_status"]) for c in point["connectors"]} == {
        (None, 0): ("Available", "Available"),
        (1, 1): ("Preparing", "Occupied"),
        (2, 1): ("Unavailable", "Unavailable"),
    }
    assert point["last_error_at"] is None
    problem = availability("true", minute(1), EVSE, event_id=4) | {"variable": {"name": "Problem"}}
    assert await cp201.say("NotifyEvent", {"generatedAt": minute(1), "seqNo": 1, "eventData": [problem]}) == {}
    assert (await central.get("charge-points/CP-1"))["last_error_at"] is not None
