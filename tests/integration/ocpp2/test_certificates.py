"""The built-in authority and chargers of OCPP 2.x: requests with and without a number, and a higher profile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import JsonValue

from mcpp.certificates.authority import create_authority
from mcpp.server.versions import VERSIONS as KNOWN
from tests.integration.certificates.device import make_csr
from tests.integration.field_notes.site import Central, central_system
from tests.integration.ocpp2.spoken import BOOT, VERSIONS, authenticated, charger_of

PASSWORD = "a-password-of-the-charger"


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_certificate_comes_under_the_number_of_its_request(tmp_path: Path, version: str) -> None:
    create_authority(tmp_path / "ca", "Our CA", timedelta(days=365), datetime.now(UTC))
    async with central_system(tmp_path, ca_directory=str(tmp_path / "ca")) as central:
        await central.put("charge-points/CP-1", {"password": PASSWORD})
        opened = await central.http.post("/api/v1/certificates/window", json={"minutes": 5})
        assert opened.is_success
        csr = make_csr(ec.generate_private_key(ec.SECP256R1()), "CP-1")
        number: dict[str, JsonValue] = {"requestId": 4711} if version == "2.1" else {}
        accepted: JsonValue = {"status": "Accepted"}
        async with authenticated(central, version, PASSWORD, {"CertificateSigned": accepted}) as charger:
            await charger.say("BootNotification", BOOT)
            of_a_vehicle: JsonValue = {"csr": csr, "certificateType": "V2GCertificate", **number}
            assert (await charger.say("SignCertificate", of_a_vehicle))["status"] == "Rejected"
            assert (await charger.say("SignCertificate", {"csr": csr, **number}))["status"] == "Accepted"
            (sent,) = await charger.asked_for("CertificateSigned")
            assert sent["certificateChain"].startswith("-----BEGIN CERTIFICATE-----")
            assert sent.get("requestId") == number.get("requestId")
            await central.logged(lambda line: line["event"] == "certificate_installed")


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_higher_profile_is_tried_first_and_the_old_ones_after_it(central: Central, version: str) -> None:
    operations = (
        next(it for it in KNOWN if it.name == version).import_room().certificate_operations(central.core.registry)
    )
    asked: list[Any] = []
    priority: JsonValue = {
        "component": {"name": "OCPPCommCtrlr"},
        "variable": {"name": "NetworkConfigurationPriority"},
    }
    assert isinstance(priority, dict)
    known: JsonValue = {**priority, "attributeStatus": "Accepted", "attributeValue": "1,2"}
    answers: dict[str, Any] = {
        "GetVariables": {"getVariableResult": [known]},
        "SetNetworkProfile": {"status": "Accepted"},
        "SetVariables": {"setVariableResult": [{**priority, "attributeStatus": "RebootRequired"}]},
        "Reset": {"status": "Scheduled"},
    }
    async with charger_of(central, version, answers) as charger:
        refused = await operations.raise_profile("CP-1", 3, "ws://example.com/ocpp/")
        assert not refused.accepted
        assert charger.asked == []
        verdict = await operations.raise_profile("CP-1", 3, "wss://example.com/ocpp/")
        assert (verdict.accepted, verdict.needs_restart) == (True, True)
        assert (await operations.restart("CP-1")).accepted
        asked = charger.asked
    assert [action for action, _ in asked] == ["GetVariables", "SetNetworkProfile", "SetVariables", "Reset"]
    profile = asked[1][1]
    assert profile["configurationSlot"] == 3  # never one that is in use
    assert profile["connectionData"]["securityProfile"] == 3
    assert profile["connectionData"]["ocppCsmsUrl"] == "wss://example.com/ocpp"
    assert asked[2][1]["setVariableData"][0]["attributeValue"] == "3,1,2"
    assert asked[3][1] == {"type": "OnIdle"}
