"""The roll-out of security profile 3 to a charger from the central system alone, and what may go wrong with it."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from pydantic import JsonValue

from tests.integration.certificates.device import Device, DeviceCharger, make_csr, on_line
from tests.integration.certificates.site import Site, make_authority, running

ROLL_OUT = "charge-points/CP-1/security/roll-out"


def used_profile_3(site: Site, identity: str = "CP-1") -> None:
    """What the listener notes where a charger connects with its certificate."""
    with sqlite3.connect(site.central.database, timeout=10) as connection:
        connection.execute("UPDATE charge_points SET highest_profile = 3 WHERE identity = ?", (identity,))
    connection.close()


async def test_a_charger_is_brought_to_profile_3(site: Site, device: Device, charger: DeviceCharger) -> None:
    begun = await site.done(ROLL_OUT)
    assert begun["state"] == "running"
    await site.waits_at("reconnect")

    assert [action for action, _ in charger.asked] == [
        "InstallCertificate",
        "ExtendedTriggerMessage",
        "CertificateSigned",
        "ChangeConfiguration",
    ]
    assert device.security_profile == 3
    assert device.certificate is not None
    made = x509.load_pem_x509_certificate(device.certificate.encode())
    assert made.subject.rfc4514_string() == "CN=CP-1"
    usage = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca

    async with on_line(device, site.url) as back:
        used_profile_3(site)
        await back.say("BootNotification", {"chargePointVendor": "Acme", "chargePointModel": "Wall"})
        done = await site.roll_out("done")
    assert [(step["step"], step["state"]) for step in done["steps"]] == [
        ("install_root", "done"),
        ("request_certificate", "done"),
        ("certificate", "done"),
        ("security_profile", "done"),
        ("reconnect", "done"),
    ]
    kept = await site.certificate("issued")
    assert (kept["approved_by"], kept["key_type"]) == ("roll_out", "EC P-256")
    assert kept["serial_number"] == f"{made.serial_number:X}"
    for event in ("certificate_requested", "certificate_issued", "certificate_installed"):
        assert (await site.line(event))["subject"] == "CN=CP-1"


async def test_a_charger_that_must_restart_is_asked_to(site: Site, device: Device, charger: DeviceCharger) -> None:
    device.replies["ChangeConfiguration"] = lambda _: {"status": "RebootRequired"}
    await site.done(ROLL_OUT)

    assert await charger.asked_for("Reset") == [{"type": "Soft"}]
    await site.waits_at("reconnect")


@pytest.mark.parametrize(
    ("action", "answer", "failed"),
    [
        ("InstallCertificate", {"status": "Rejected"}, "install_root"),
        ("InstallCertificate", {"status": "Failed"}, "install_root"),
        ("ExtendedTriggerMessage", {"status": "NotImplemented"}, "request_certificate"),
        ("CertificateSigned", {"status": "Rejected"}, "certificate"),
        ("ChangeConfiguration", {"status": "Rejected"}, "security_profile"),
        ("ChangeConfiguration", {"status": "NotSupported"}, "security_profile"),
    ],
)
async def test_a_step_that_a_charger_refuses_stops_it_and_can_be_repeated(
    site: Site, device: Device, charger: DeviceCharger, action: str, answer: dict[str, JsonValue], failed: str
) -> None:
    device.replies[action] = lambda _: answer
    await site.done(ROLL_OUT)
    stopped = await site.roll_out("failed")
    step = next(it for it in stopped["steps"] if it["state"] == "failed")
    assert (step["step"], step["answer"]) == (failed, answer["status"])

    del device.replies[action]
    before = charger.how_often("InstallCertificate")
    await site.done(ROLL_OUT)
    await site.waits_at("reconnect")
    # What was done stays done.
    assert charger.how_often("InstallCertificate") == before + (failed == "install_root")
    assert device.security_profile == 3


@pytest.mark.parametrize(
    ("action", "failed"),
    [
        ("InstallCertificate", "install_root"),
        ("ExtendedTriggerMessage", "request_certificate"),
        ("CertificateSigned", "certificate"),
        ("ChangeConfiguration", "security_profile"),
    ],
)
async def test_a_charger_that_lacks_an_operation_is_told_of(
    site: Site, device: Device, charger: DeviceCharger, action: str, failed: str
) -> None:
    device.lacks.add(action)
    await site.done(ROLL_OUT)
    stopped = await site.roll_out("failed")
    step = next(it for it in stopped["steps"] if it["state"] == "failed")
    assert step["step"] == failed
    assert step["answer"].startswith("NotImplemented")


@pytest.mark.parametrize(
    "cut_at", ["InstallCertificate", "ExtendedTriggerMessage", "CertificateSigned", "ChangeConfiguration"]
)
async def test_a_connection_that_is_lost_at_any_step_costs_nothing(
    site: Site, device: Device, charger: DeviceCharger, cut_at: str
) -> None:
    device.replies[cut_at] = lambda _: None
    await site.done(ROLL_OUT)
    await charger.asked_for(cut_at)
    await charger.cut()

    del device.replies[cut_at]
    async with on_line(device, site.url):
        await site.waits_at("reconnect")
    assert device.security_profile == 3
    assert len(await site.certificates(status="issued")) == 1


@pytest.mark.parametrize("cut_at", ["InstallCertificate", "ExtendedTriggerMessage", "CertificateSigned"])
async def test_a_restart_of_the_server_at_any_step_costs_nothing(tmp_path: Path, device: Device, cut_at: str) -> None:
    make_authority(tmp_path)
    device.replies[cut_at] = lambda _: None
    async with running(tmp_path) as site:
        await site.register(device)
        async with on_line(device, site.url) as charger:
            await site.done(ROLL_OUT)
            await charger.asked_for(cut_at)

    del device.replies[cut_at]
    async with running(tmp_path) as site, on_line(device, site.url):
        await site.waits_at("reconnect")
        assert device.security_profile == 3
        assert len(await site.certificates(status="issued")) == 1


async def test_a_request_of_another_name_stops_it(site: Site, device: Device, charger: DeviceCharger) -> None:
    device.csr = make_csr(device.key, "CP-2")
    await site.done(ROLL_OUT)

    stopped = await site.roll_out("failed")
    failed = next(it for it in stopped["steps"] if it["state"] == "failed")
    assert "CP-2" in failed["answer"]
    assert await site.certificates() == []


async def test_a_charger_that_has_not_proven_who_it_is_gets_none(site: Site) -> None:
    stranger = Device("CP-1", password=None)
    async with on_line(stranger, site.url) as charger:
        answer = await site.post(ROLL_OUT)
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
        assert "password" in answer.json()["detail"]
        assert charger.asked == []


async def test_what_cannot_begin_says_why(tmp_path: Path, device: Device) -> None:
    async with running(tmp_path) as site:
        assert (await site.post("charge-points/nobody/security/roll-out")).status_code == 404
        await site.register(device)
        offline = await site.post(ROLL_OUT)
        assert (offline.status_code, offline.json()["code"]) == (409, "not_connected")
        async with on_line(device, site.url):
            without_authority = await site.post(ROLL_OUT)
            assert without_authority.status_code == 409
            assert "mcpp ca init" in without_authority.json()["detail"]
        assert (await site.central.http.get(f"/api/v1/{ROLL_OUT}")).status_code == 404


async def test_one_that_runs_is_not_begun_twice(site: Site, device: Device, charger: DeviceCharger) -> None:
    device.asks = False
    first = await site.done(ROLL_OUT)
    await site.waits_at("certificate")
    second = await site.done(ROLL_OUT)

    assert first["state"] == second["state"] == "running"
    assert charger.how_often("InstallCertificate") == 1
    assert charger.how_often("ExtendedTriggerMessage") == 1


async def test_a_certificate_is_valid_for_a_clock_that_is_behind(site: Site, charger: DeviceCharger) -> None:
    await site.done(ROLL_OUT)
    kept = await site.certificate("issued")
    made = x509.load_pem_x509_certificate(kept["certificate"].encode())
    assert (datetime.now(UTC) - made.not_valid_before_utc).total_seconds() >= 86_400
    assert isinstance(made.public_key(), ec.EllipticCurvePublicKey)
