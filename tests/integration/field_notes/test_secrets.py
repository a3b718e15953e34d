"""What real chargers keep among their keys, and whose cards they were shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from tests.integration.field_notes.charger import RawCharger, minute
from tests.integration.field_notes.site import Central, central_system, until

SECRET: Final = "7391-4486"


@pytest.mark.parametrize(
    "key",
    [
        *("SIMPin", "SimPIN", "sim_pin", "GSM-PIN", "PUK", "SimPuk", "AdminPin", "AdminPIN1", "PIN", "PUK2"),
        *("WifiPwd1", "WiFiPassword2", "Password2", "WlanPsk1", "ApiToken2", "FtpPasswd3"),
    ],
)
async def test_secret_configuration_keys(central: Central, charger: RawCharger, key: str) -> None:
    """lbbrhzn/ocpp#899"""
    charger.answers["GetConfiguration"] = {"configurationKey": [{"key": key, "readonly": False, "value": SECRET}]}
    charger.answers["ChangeConfiguration"] = {"status": "Accepted"}
    await charger.boot()

    await central.accepted("GetConfiguration", {"key": [key]})
    (known,) = await central.items("charge-points/CP-1/configuration")
    assert (known["key"], known["value"]) == (key, None)
    await central.accepted("ChangeConfiguration", {"key": key, "value": SECRET})
    (known,) = await central.items("charge-points/CP-1/configuration")
    assert (known["key"], known["value"]) == (key, None)
    assert SECRET not in await log_with(central, "ChangeConfiguration")


@pytest.mark.parametrize("key", ["Spinlock", "ShippingAddress", "MaxPinMapping", "Opinion", "PinCodeLength"])
async def test_secret_configuration_keys_and_others(central: Central, charger: RawCharger, key: str) -> None:
    """lbbrhzn/ocpp#899: what only sounds like one is shown."""
    charger.answers["GetConfiguration"] = {"configurationKey": [{"key": key, "readonly": False, "value": "12"}]}
    await charger.boot()

    await central.accepted("GetConfiguration", {"key": [key]})
    (known,) = await central.items("charge-points/CP-1/configuration")
    assert (known["key"], known["value"]) == (key, "12")


async def log_with(central: Central, action: str) -> str:
    """The whole log, once an answer to that action is in it."""
    await central.logged(lambda line: line.get("action") == action and line.get("message_type") == "call_result")
    return central.log.read_text()


async def test_cards_that_were_refused(tmp_path: Path) -> None:
    """steve#77"""
    async with central_system(tmp_path, authorization="known") as central, central.dial() as charger:
        await central.put("id-tags/BLOCKED", {"status": "Blocked"})
        await central.put("id-tags/GOOD", {"status": "Accepted"})
        for tag in ("NEW", "NEW", "BLOCKED", "GOOD"):
            await charger.say("Authorize", {"idTag": tag})
        await charger.start(minute(0), tag="NEW")

        async def both() -> dict[str, dict[str, Any]]:
            listed = {item["id_tag"]: item for item in await central.items("id-tags/unknown")}
            return listed if len(listed) == 2 and 3 in listed.get("NEW", {}).values() else {}

        listed = await until(both)
        assert listed.keys() == {"NEW", "BLOCKED"}
        assert {item["charge_point_id"] for item in listed.values()} == {"CP-1"}
        await central.put("id-tags/NEW", {"status": "Accepted", "note": "the new one"})
        assert (await charger.say("Authorize", {"idTag": "NEW"}))["idTagInfo"]["status"] == "Accepted"
