"""Certification cases of firmware, and of the certificates that stations trust and show."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from pydantic import JsonValue

from tests.integration.field_notes.charger import minute, spelled
from tests.integration.ocpp2.certification.by_the_letter import ACCEPTED, REJECTED, Station

pytestmark = pytest.mark.asyncio(loop_scope="module")

PEM: Final = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
LATER: Final = spelled(datetime.now(UTC) + timedelta(hours=1))


def update(number: int = 7, when: Mapping[str, JsonValue] | None = None) -> dict[str, JsonValue]:
    firmware: dict[str, JsonValue] = {
        "location": "https://example.com/2.0.bin",
        "retrieveDateTime": minute(0),
        "signingCertificate": PEM,
        "signature": "c2lnbmVk",
    }
    return {"requestId": number, "firmware": {**firmware, **(when or {})}}


async def progress(cs: Station, *statuses: str, number: int = 7) -> None:
    """A station tells how far it is; it is shown each time."""
    for status in statuses:
        assert await cs.say("FirmwareStatusNotification", {"status": status, "requestId": number}) == {}
        (report,) = (await cs.get())["reports"]
        assert (report["kind"], report["status"], report["request_id"]) == ("firmware", status, number)


DOWNLOAD: Final = ("Downloading", "Downloaded", "SignatureVerified")
INSTALL: Final = ("Installing", "InstallRebooting")


@pytest.mark.parametrize(
    ("when", "statuses"),
    [
        pytest.param({}, (*DOWNLOAD, *INSTALL), id="TC_L_01"),
        pytest.param({"installDateTime": LATER}, (*DOWNLOAD, "InstallScheduled", *INSTALL), id="TC_L_02"),
        pytest.param({"retrieveDateTime": LATER}, ("DownloadScheduled", *DOWNLOAD, *INSTALL), id="TC_L_03"),
    ],
)
async def test_a_firmware_is_installed(cs: Station, when: dict[str, JsonValue], statuses: tuple[str, ...]) -> None:
    assert await cs.commanded("UpdateFirmware", update(when=when), ACCEPTED) == ACCEPTED
    await progress(cs, *statuses)
    station: JsonValue = {"model": "One", "vendorName": "Acme", "firmwareVersion": "2.0"}
    told: JsonValue = {"reason": "FirmwareUpdate", "chargingStation": station}
    assert (await cs.say("BootNotification", told))["status"] == "Accepted"
    event: JsonValue = {"type": "FirmwareUpdated", "timestamp": minute(5)}
    assert await cs.say("SecurityEventNotification", event) == {}
    await progress(cs, "Installed")
    assert (await cs.get())["firmware_version"] == "2.0"


@pytest.mark.parametrize(
    ("answer", "event"),
    [
        pytest.param("RevokedCertificate", None, id="TC_L_04"),
        pytest.param("InvalidCertificate", "InvalidFirmwareSigningCertificate", id="TC_L_05"),
    ],
)
async def test_a_signer_that_a_station_does_not_trust(cs: Station, answer: str, event: str | None) -> None:
    status: dict[str, JsonValue] = {"status": answer}
    assert await cs.commanded("UpdateFirmware", update(), status) == status
    if event is not None:
        assert await cs.say("SecurityEventNotification", {"type": event, "timestamp": minute(1)}) == {}
    assert (await cs.get())["reports"] == []


@pytest.mark.parametrize(
    "statuses",
    [
        pytest.param(("Downloading", "Downloaded", "InvalidSignature"), id="TC_L_06"),
        pytest.param(("Downloading", "DownloadFailed"), id="TC_L_07"),
        pytest.param((*DOWNLOAD, "Installing", "InstallVerificationFailed"), id="TC_L_08"),
        pytest.param((*DOWNLOAD, "Installing", "InstallationFailed"), id="TC_L_09"),
    ],
)
async def test_a_firmware_that_is_not_installed(cs: Station, statuses: tuple[str, ...]) -> None:
    await cs.commanded("UpdateFirmware", update(), ACCEPTED)
    await progress(cs, *statuses)
    if statuses[-1] == "InvalidSignature":
        told: JsonValue = {"type": "InvalidFirmwareSignature", "timestamp": minute(1), "techInfo": "sha256"}
        assert await cs.say("SecurityEventNotification", told) == {}


@pytest.mark.parametrize(
    ("answer", "number"),
    [pytest.param({"status": "AcceptedCanceled"}, 8, id="TC_L_10"), pytest.param(REJECTED, 7, id="TC_L_11")],
)
async def test_a_second_firmware(cs: Station, answer: dict[str, JsonValue], number: int) -> None:
    """It takes the place of the first, or the first goes on."""
    await cs.commanded("UpdateFirmware", update(), ACCEPTED)
    await progress(cs, "Downloading")
    assert await cs.commanded("UpdateFirmware", update(8), answer) == answer
    await progress(cs, *DOWNLOAD, *INSTALL, "Installed", number=number)


async def test_a_session_goes_before_a_firmware(cs: Station) -> None:
    """TC_L_13"""
    await cs.charges()
    await cs.commanded("UpdateFirmware", update(), ACCEPTED)
    await progress(cs, *DOWNLOAD, "InstallScheduled")
    assert (await cs.transaction())["stopped_at"] is None
    await cs.event("Ended", "StopAuthorized", 3, idToken=cs.token, info={"stoppedReason": "Local"})
    await progress(cs, *INSTALL, "Installed")


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        pytest.param("CSMSRootCertificate", "Accepted", id="TC_M_01"),
        pytest.param("ManufacturerRootCertificate", "Accepted", id="TC_M_02"),
        pytest.param("V2GRootCertificate", "Accepted", id="TC_M_03"),
        pytest.param("MORootCertificate", "Accepted", id="TC_M_04"),
        pytest.param("CSMSRootCertificate", "Failed", id="TC_M_05"),
    ],
)
async def test_a_root_is_installed(cs: Station, kind: str, status: str) -> None:
    request: dict[str, JsonValue] = {"certificateType": kind, "certificate": PEM}
    assert await cs.commanded("InstallCertificate", request, {"status": status}) == {"status": status}


HASH: Final[dict[str, JsonValue]] = {
    "hashAlgorithm": "SHA256", "issuerNameHash": "0a" * 32, "issuerKeyHash": "0b" * 32, "serialNumber": "7f"
}  # fmt: skip


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("ManufacturerRootCertificate", id="TC_M_13"),
        pytest.param("V2GRootCertificate", id="TC_M_14"),
        pytest.param("V2GCertificateChain", id="TC_M_15"),
        pytest.param("MORootCertificate", id="TC_M_16"),
        pytest.param(None, id="TC_M_18"),
    ],
)
async def test_installed_certificates_are_listed(cs: Station, kind: str | None) -> None:
    """The list of all is kept; one of a kind is for who asked."""
    kinds = [kind] if kind else ["CSMSRootCertificate", "ManufacturerRootCertificate"]
    chains: list[JsonValue] = [{"certificateType": it, "certificateHashData": HASH} for it in kinds]
    if kind == "V2GCertificateChain":
        chains = [{"certificateType": kind, "certificateHashData": HASH, "childCertificateHashData": [HASH]}]
    answer: dict[str, JsonValue] = {**ACCEPTED, "certificateHashDataChain": chains}
    request: dict[str, JsonValue] = {"certificateType": [kind]} if kind else {}
    assert await cs.commanded("GetInstalledCertificateIds", request, answer) == answer
    if kind is None:
        (report,) = await cs.items("reports")
        shown = await cs.get(f"/reports/{report['request_id']}")
        assert shown["content"] == {"certificateHashDataChain": chains}


async def test_no_certificate_is_installed(cs: Station) -> None:
    """TC_M_19"""
    answer: dict[str, JsonValue] = {"status": "NotFound"}
    request: dict[str, JsonValue] = {"certificateType": ["V2GRootCertificate"]}
    assert await cs.commanded("GetInstalledCertificateIds", request, answer) == answer


@pytest.mark.parametrize("status", [pytest.param("Accepted", id="TC_M_20"), pytest.param("Failed", id="TC_M_21")])
async def test_a_certificate_is_deleted(cs: Station, status: str) -> None:
    request: dict[str, JsonValue] = {"certificateHashData": HASH}
    assert await cs.commanded("DeleteCertificate", request, {"status": status}) == {"status": status}
