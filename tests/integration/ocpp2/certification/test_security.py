"""Certification cases of security: who gets in, new passwords, certificates and security profiles of stations."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import JsonValue
from websockets.exceptions import InvalidStatus

from tests.integration.certificates.device import make_csr
from tests.integration.certificates.site import make_authority
from tests.integration.field_notes.charger import minute
from tests.integration.field_notes.site import Central, central_system, until
from tests.integration.ocpp2.certification.by_the_letter import ACCEPTED, REJECTED, Station, by_password

pytestmark = pytest.mark.asyncio(loop_scope="module")

_numbers = count(1)

OLD, NEW = "the-first-password", "the-second-password"
PRIORITY: dict[str, JsonValue] = {
    "component": {"name": "OCPPCommCtrlr"},
    "variable": {"name": "NetworkConfigurationPriority"},
}
ACTIVE: dict[str, JsonValue] = {
    "component": {"name": "OCPPCommCtrlr"},
    "variable": {"name": "ActiveNetworkProfile"},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def central(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Central]:
    """A central system with a certificate authority, which is reached by TLS through a proxy."""
    folder = tmp_path_factory.mktemp("central")
    settings = {"ca_directory": str(make_authority(folder)), "ocpp_url": "wss://csms.example.com/ocpp"}
    async with central_system(folder, authorization="known", **settings) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def cs(central: Central) -> AsyncIterator[Station]:
    """A station that has shown its password and booted."""
    identity = f"SAFE-{next(_numbers)}"
    await central.put(f"charge-points/{identity}", {"password": OLD})
    async with by_password(central, identity, identity, OLD) as raw:
        station = Station(central, raw, {})
        assert (await station.boot())["status"] == "Accepted"
        yield station


@pytest.mark.parametrize(
    ("user", "password", "gets_in"),
    [
        pytest.param("{}", OLD, True, id="TC_A_01"),
        pytest.param("other-{}", OLD, False, id="TC_A_02"),
        pytest.param("{}", NEW, False, id="TC_A_03"),
    ],
)
async def test_who_gets_in(cs: Station, user: str, password: str, gets_in: bool) -> None:
    path = cs.identity
    if gets_in:
        async with by_password(cs.central, path, user.format(path), password) as again:
            assert (await Station(cs.central, again, {}).boot())["status"] == "Accepted"
        return
    with pytest.raises(InvalidStatus) as refused:
        async with by_password(cs.central, path, user.format(path), password):
            pass
    assert refused.value.response.status_code == 401


@pytest.mark.parametrize(
    ("status", "in_force", "void"),
    [pytest.param("Accepted", NEW, OLD, id="TC_A_09"), pytest.param("Rejected", OLD, NEW, id="TC_A_10")],
)
async def test_a_password_is_set(cs: Station, status: str, in_force: str, void: str) -> None:
    password: dict[str, JsonValue] = {
        "component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}
    }  # fmt: skip
    answer: JsonValue = {"setVariableResult": [{**password, "attributeStatus": status}]}
    await cs.commanded("SetVariables", {"setVariableData": [{**password, "attributeValue": NEW}]}, answer)
    async with by_password(cs.central, cs.identity, cs.identity, in_force):
        pass
    with pytest.raises(InvalidStatus):
        async with by_password(cs.central, cs.identity, cs.identity, void):
            pass
    assert NEW not in cs.central.log.read_text()


async def certificate(cs: Station, status: str) -> dict[str, Any]:
    """The station's newest, once it is in that state."""

    async def look() -> dict[str, Any] | None:
        found = await cs.central.items("certificates", charge_point_id=cs.identity)
        return found[0] if found and found[0]["status"] == status else None

    found = await until(look)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("answer", "status"),
    [pytest.param(ACCEPTED, "issued", id="TC_A_11"), pytest.param(REJECTED, "failed", id="TC_A_14")],
)
async def test_a_certificate_is_renewed_at_our_request(cs: Station, answer: dict[str, JsonValue], status: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    cs.raw.answers["CertificateSigned"] = answer
    wanted: dict[str, JsonValue] = {"requestedMessage": "SignChargingStationCertificate"}
    await cs.commanded("TriggerMessage", wanted, ACCEPTED)
    signing: JsonValue = {"csr": make_csr(key, cs.identity), "certificateType": "ChargingStationCertificate"}
    assert await cs.say("SignCertificate", signing) == ACCEPTED
    waiting = await certificate(cs, "pending")
    assert (await cs.central.http.post(f"/api/v1/certificates/{waiting['id']}/approve")).is_success
    (sent,) = await cs.raw.asked_for("CertificateSigned")
    assert sent["certificateType"] == "ChargingStationCertificate"
    made = x509.load_pem_x509_certificate(sent["certificateChain"].encode())
    assert (made.public_key(), made.subject.rfc4514_string()) == (key.public_key(), f"CN={cs.identity}")
    if answer is REJECTED:
        told: JsonValue = {"type": "InvalidChargingStationCertificate", "timestamp": minute(0)}
        assert await cs.say("SecurityEventNotification", told) == {}
    await certificate(cs, status)


async def test_a_station_is_brought_to_a_higher_profile(cs: Station) -> None:
    """TC_A_19"""
    profiles = [{**it, "attributeStatus": "Accepted", "attributeValue": "1"} for it in (PRIORITY, ACTIVE)]
    cs.raw.answers |= {
        "InstallCertificate": ACCEPTED,
        "TriggerMessage": ACCEPTED,
        "CertificateSigned": ACCEPTED,
        "GetVariables": {"getVariableResult": [*profiles]},
        "SetNetworkProfile": ACCEPTED,
        "SetVariables": {"setVariableResult": [{**PRIORITY, "attributeStatus": "RebootRequired"}]},
        "Reset": ACCEPTED,
    }
    assert (await cs.central.http.post(f"/api/v1/charge-points/{cs.identity}/security/roll-out")).is_success
    await cs.raw.asked_for("TriggerMessage")
    csr = make_csr(ec.generate_private_key(ec.SECP256R1()), cs.identity)
    assert await cs.say("SignCertificate", {"csr": csr}) == ACCEPTED
    await cs.raw.asked_for("Reset")

    asked: dict[str, Any] = dict(cs.raw.asked)
    assert asked["SetNetworkProfile"]["configurationSlot"] == 2
    connection = asked["SetNetworkProfile"]["connectionData"]
    assert (connection["securityProfile"], connection["ocppCsmsUrl"]) == (3, "wss://csms.example.com/ocpp")
    (priority,) = asked["SetVariables"]["setVariableData"]
    assert priority == {**PRIORITY, "attributeValue": "2,1"}
    assert asked["Reset"] == {"type": "OnIdle"}
