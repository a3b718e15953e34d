"""What a site's own logic does at stations of 2.x: it starts, limits, configures and tells, as with 1.6."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue

from tests.integration.field_notes.charger import minute
from tests.integration.field_notes.site import Central, central_system, until
from tests.integration.ocpp2.station import CARD, EVSE, Station, reading, station, wh
from tests.integration.plugins.http_receiver import listening
from tests.integration.plugins.mqtt_client import PATIENCE, connected_client, running_broker

ACCEPTED: JsonValue = {"status": "Accepted"}


async def test_a_car_that_is_plugged_in_is_started(tmp_path: Path, version: str) -> None:
    """Auto-start, and a webhook that hears of it; what the command is called by is in the books."""
    async with central_system(tmp_path, auto_start="on", authorization="known") as central:
        answers = {"RequestStartTransaction": ACCEPTED}
        async with station(central.ocpp_url, version, answers=answers) as cp:
            await cp.boot()
            await cp.status("Available")
            await cp.status("Occupied", minute(1))
            (asked,) = await cp.asked_for("RequestStartTransaction")
            token: JsonValue = {"idToken": "MCPP", "type": "Central"}
            number = asked["remoteStartId"]
            assert asked == {"evseId": 1, "idToken": token, "remoteStartId": number}
            started = await cp.event(
                "Started", minute(1), evse=EVSE, token=token, why="RemoteStart", info={"remoteStartId": number}
            )
            assert started["idTokenInfo"]["status"] == "Accepted"
            assert (await central.items("transactions"))[0]["id_tag"] == "MCPP"

            # Another connection, another number.
            await cp.event("Ended", minute(5))
            await cp.status("Available", minute(6))
            await cp.status("Occupied", minute(7))
            assert (await cp.asked_for("RequestStartTransaction", 2))[1]["remoteStartId"] > number


async def test_a_webhook_hears_of_a_session(tmp_path: Path, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening() as receiver:
        monkeypatch.setenv("MCPP_PLUGIN_WEBHOOK_URLS", receiver.url)
        monkeypatch.setenv("MCPP_PLUGIN_WEBHOOK_SECRET", "a secret that both sides know")
        monkeypatch.setenv("MCPP_PLUGIN_WEBHOOK_EVENTS", "transaction_started,transaction_stopped")
        async with central_system(tmp_path) as central, station(central.ocpp_url, version) as cp:
            await cp.event("Started", evse=EVSE, token=CARD, values=reading(minute(0), wh(0, "Transaction.Begin")))
            await cp.event("Ended", minute(9), values=reading(minute(9), wh(700, "Transaction.End")))
            started, stopped = [one.facts for one in await receiver.wait_for(2)]
    assert (started["event"], started["evse_id"], started["ocpp_transaction_id"]) == ("transaction_started", 1, "tx-1")
    assert (stopped["event"], stopped["energy_wh"]) == ("transaction_stopped", 700)


def limits(cp: Station) -> list[tuple[int, str, str | None, float]]:
    """What the station was told: EVSE, purpose, transaction, A."""
    return [
        (
            payload["evseId"],
            (profile := payload["chargingProfile"])["chargingProfilePurpose"],
            profile.get("transactionId"),
            profile["chargingSchedule"][0]["chargingSchedulePeriod"][0]["limit"],
        )
        for action, payload in cp.raw.asked
        if action == "SetChargingProfile"
    ]


async def told(cp: Station, wanted: Callable[[list[tuple[int, str, str | None, float]]], bool]) -> None:
    async def look() -> bool:
        return wanted(limits(cp))

    await until(look)


async def test_a_site_s_maximum_is_shared_between_versions(
    tmp_path: Path, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MCPP_PLUGIN_LOAD_LIMIT_MAXIMUM", "20")
    monkeypatch.setenv("MCPP_PLUGIN_LOAD_LIMIT_SETTLE", "0.02")
    answers = {"SetChargingProfile": ACCEPTED}
    async with (
        central_system(tmp_path) as central,
        station(central.ocpp_url, version, "NEW", answers) as cp,
    ):
        await cp.boot()
        await cp.status("Available")
        await cp.event("Started", minute(1), evse=EVSE, token=CARD, state="Charging")
        await told(cp, lambda limits: limits[-2:] == [
            (1, "TxDefaultProfile", None, 20), (1, "TxProfile", "tx-1", 20)
        ])  # fmt: skip
        async with central.dial("OLD", answers) as old:
            await old.boot()
            await old.status("Charging")
            await old.start()
            await told(cp, lambda limits: limits[-1] == (1, "TxProfile", "tx-1", 10))
            await old.asked_for("SetChargingProfile")


async def test_wanted_variables_are_set(tmp_path: Path, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wishes = tmp_path / "wishes.toml"
    wishes.write_text(
        "[[wanted]]\n[wanted.keys]\n"
        '"OCPPCommCtrlr.HeartbeatInterval" = "60"\n'
        '"SampledDataCtrlr.TxUpdatedInterval" = "30"\n'
        '"MeterValueSampleInterval" = "30"\n'
    )
    for name, value in (("FILE", str(wishes)), ("DELAY", "0.05"), ("PAUSE", "0.02")):
        monkeypatch.setenv(f"MCPP_PLUGIN_CONFIGURE_{name}", value)
    known = {"HeartbeatInterval": "300", "TxUpdatedInterval": "30"}

    async with central_system(tmp_path) as central, station(central.ocpp_url, version) as cp:

        def get(message_id: str) -> str:
            payload = cp.raw.asked[-1][1]
            results = [
                {**asked, "attributeStatus": "Accepted", "attributeValue": known[asked["variable"]["name"]]}
                for asked in payload["getVariableData"]
            ]
            return json.dumps([3, message_id, {"getVariableResult": results}])

        def put(message_id: str) -> str:
            (wanted,) = cp.raw.asked[-1][1]["setVariableData"]
            named: dict[str, Any] = {name: wanted[name] for name in ("component", "variable")}
            return json.dumps([3, message_id, {"setVariableResult": [{**named, "attributeStatus": "Accepted"}]}])

        cp.raw.answers |= {"GetVariables": get, "SetVariables": put}
        await cp.boot()
        (wanted,) = (await cp.asked_for("SetVariables"))[0]["setVariableData"]
        assert (wanted["component"], wanted["variable"]) == ({"name": "OCPPCommCtrlr"}, {"name": "HeartbeatInterval"})
        assert wanted["attributeValue"] == "60"
        line = await central.logged(lambda line: line["event"] == "configuration_refused")
        assert (line["key"], line["outcome"]) == ("MeterValueSampleInterval", "not_supported")

        async def shown() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = (await central.get("charge-points/CP-1/configuration"))["items"]
            return [item for item in found if item["value"] == "60"]

        (item,) = await until(shown)
        assert item["key"] == "OCPPCommCtrlr.HeartbeatInterval"


async def test_a_home_switches_an_evse_over_mqtt(tmp_path: Path, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_broker() as broker, connected_client(broker.port) as home:
        monkeypatch.setenv("MCPP_PLUGIN_MQTT_URL", f"mqtt://127.0.0.1:{broker.port}")
        monkeypatch.setenv("MCPP_PLUGIN_MQTT_ID_TAG", "HOME")
        answers = {"RequestStartTransaction": ACCEPTED, "RequestStopTransaction": ACCEPTED}
        async with (
            central_system(tmp_path, plugins="built-ins") as central,
            station(central.ocpp_url, version, answers=answers) as cp,
        ):
            await cp.boot()
            await cp.status("Occupied", minute(1))
            topic = "mcpp/charge_points/CP-1/evses/1/connectors/1"
            await home.until(f"{topic}/state", lambda facts: facts["status"] == "Preparing")
            await home.say(f"{topic}/charging/set", "ON")
            async with asyncio.timeout(PATIENCE):
                (asked,) = await cp.asked_for("RequestStartTransaction")
            assert (asked["evseId"], asked["idToken"]) == (1, {"idToken": "HOME", "type": "ISO14443"})
            await cp.event("Started", minute(2), evse=EVSE, token=asked["idToken"], state="Charging")
            await home.until(f"{topic}/state", lambda facts: facts["transaction_id"] is not None)
            await home.say(f"{topic}/charging/set", "OFF")
            (stop,) = await cp.asked_for("RequestStopTransaction")
            assert stop == {"transactionId": "tx-1"}


async def test_the_api_stops_by_the_charger_s_own_id(central: Central, cp: Station) -> None:
    cp.raw.answers["RequestStopTransaction"] = ACCEPTED
    await cp.event("Started", evse=EVSE, token=CARD)
    (transaction,) = await central.items("transactions")
    response = await central.http.post(f"/api/v1/transactions/{transaction['transaction_id']}/stop")
    assert response.json()["response"] == {"status": "Accepted"}
    assert await cp.asked_for("RequestStopTransaction") == [{"transactionId": "tx-1"}]
