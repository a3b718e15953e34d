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
from tests.integration.field_notes.site import central_system
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


PRIORITY: dict[str, JsonValue] = {
    "component": {"name": "OCPPCommCtrlr"},
    "variable": {"name": "NetworkConfigurationPriority"},
}


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_charger_is_brought_to_profile_3(tmp_path: Path, version: str) -> None:
    """Up to the restart; a network profile of its own is tried first, and those that it has after it."""
    create_authority(tmp_path / "ca", "Our CA", timedelta(days=365), datetime.now(UTC))
    accepted: JsonValue = {"status": "Accepted"}
    known: JsonValue = {**PRIORITY, "attributeStatus": "Accepted", "attributeValue": "1,2"}
    answers: dict[str, Any] = {
        **dict.fromkeys(("InstallCertificate", "TriggerMessage", "CertificateSigned", "SetNetworkProfile"), accepted),
        "GetVariables": {"getVariableResult": [known]},
        "SetVariables": {"setVariableResult": [{**PRIORITY, "attributeStatus": "RebootRequired"}]},
        "Reset": {"status": "Scheduled"},
    }
    settings = {"ca_directory": str(tmp_path / "ca"), "ocpp_url": "wss://charge.example/ocpp"}
    async with central_system(tmp_path, **settings) as central:
        await central.put("charge-points/CP-1", {"password": PASSWORD})
        async with authenticated(central, version, PASSWORD, answers) as charger:
            await charger.say("BootNotification", BOOT)
            begun = await central.http.post("/api/v1/charge-points/CP-1/security/roll-out")
            assert begun.is_success
            (root,) = await charger.asked_for("InstallCertificate")
            assert root["certificateType"] == "CSMSRootCertificate"
            (trigger,) = await charger.asked_for("TriggerMessage")
            assert trigger == {"requestedMessage": "SignChargingStationCertificate"}
            csr = make_csr(ec.generate_private_key(ec.SECP256R1()), "CP-1")
            assert (await charger.say("SignCertificate", {"csr": csr}))["status"] == "Accepted"
            (reset,) = await charger.asked_for("Reset")
            assert reset == {"type": "OnIdle"}
            (profile,) = await charger.asked_for("SetNetworkProfile")
            (order,) = await charger.asked_for("SetVariables")
    assert profile["configurationSlot"] == 3  # never one that is in use
    assert profile["connectionData"]["securityProfile"] == 3
    assert profile["connectionData"]["ocppCsmsUrl"] == "wss://charge.example/ocpp"
    assert order["setVariableData"][0]["attributeValue"] == "3,1,2"


async def test_no_charger_is_sent_to_an_address_without_tls(tmp_path: Path) -> None:
    async with central_system(tmp_path) as central, charger_of(central, "2.1") as charger:
        operations = (
            next(it for it in KNOWN if it.name == "2.1").import_room().certificate_operations(central.core.registry)
        )
        refused = await operations.raise_profile("CP-1", 3, "ws://charge.example/ocpp/")
        assert not refused.accepted
        assert "ocpp-url" in refused.word
        assert charger.asked == []
