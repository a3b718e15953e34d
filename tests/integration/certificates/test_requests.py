"""Signing requests that nobody has approved beforehand: what is refused, what waits, and what becomes of it."""

from __future__ import annotations

import base64
import json
import sqlite3
from pathlib import Path
from typing import Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from mcpp.certificates.files import AUTHORITY_KEY
from tests.integration.certificates.device import Device, DeviceCharger, make_csr, on_line
from tests.integration.certificates.site import Site, make_authority, running

EC_KEY: Final = ec.generate_private_key(ec.SECP256R1())


def forged() -> str:
    """Another key's signature below a request."""
    names = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CP-1")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(names)
    der = bytearray(builder.sign(EC_KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1
    return base64.b64encode(der).decode()


def of_ed25519() -> str:
    names = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CP-1")])
    request = (
        x509.CertificateSigningRequestBuilder().subject_name(names).sign(ed25519.Ed25519PrivateKey.generate(), None)
    )
    return request.public_bytes(serialization.Encoding.PEM).decode()


def of_two_names() -> str:
    names = [x509.NameAttribute(NameOID.COMMON_NAME, name) for name in ("CP-1", "CP-2")]
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names)).sign(EC_KEY, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()


SMALL_RSA: Final = rsa.generate_private_key(public_exponent=65537, key_size=1024)

WEAK_512: Final = """\
MIHLMHcCAQAwEjEQMA4GA1UEAwwHQ1AtMTAwMDBcMA0GCSqGSIb3DQEBAQUAA0sAMEgCQQC7o5Yh
"""
"""Cut short in the middle of an RSA key of 512 bits."""

HOSTILE: Final = {
    "empty": ("", "no"),
    "garbage": ("garbage \u20ac {}[]", "no PEM"),
    "null bytes": ("\x00" * 100, "no PEM"),
    "half of one": (WEAK_512, "no"),
    "a certificate's armour": ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "no PEM"),
    "small RSA": (make_csr(SMALL_RSA, "CP-1"), "1024 bits"),
    "SHA-1's successor too short": (make_csr(EC_KEY, "CP-1", None, hashes.SHA224()), "SHA-256"),
    "another curve": (make_csr(ec.generate_private_key(ec.SECP224R1()), "CP-1"), "secp224r1"),
    "another kind of key": (of_ed25519(), "neither RSA"),
    "a forged signature": (forged(), "signature"),
    "two names": (of_two_names(), "2 CNs"),
    "another charger's name": (make_csr(EC_KEY, "CP-2"), "CP-2"),
    "its name in another case": (make_csr(EC_KEY, "cp-1"), "cp-1"),
    "an authority": (
        make_csr(EC_KEY, "CP-1", None, None, x509.BasicConstraints(ca=True, path_length=None)),
        "authority",
    ),
}


@pytest.mark.parametrize(("csr", "reason"), HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_bad_request_is_refused_and_said(site: Site, charger: DeviceCharger, csr: str, reason: str) -> None:
    assert (await charger.say("SignCertificate", {"csr": csr}))["status"] == "Rejected"
    assert reason in (await site.line("certificate_rejected"))["reason"]
    assert await site.certificates() == []
    assert await charger.say("Heartbeat", {})


async def test_a_huge_request_harms_nobody(site: Site, device: Device, charger: DeviceCharger) -> None:
    answer = await charger.exchange("SignCertificate", {"csr": "A" * 100_000})
    assert answer[0] == 4 or answer[2]["status"] == "Rejected"
    assert await charger.say("Heartbeat", {})

    # A frame of a mebibyte ends its connection.
    await charger.send(json.dumps([2, "big", "SignCertificate", {"csr": "A" * (1 << 20)}]))
    await charger.socket.wait_closed()
    async with on_line(device, site.url) as again:
        assert await again.ask_for_certificate() == "Accepted"
    assert len(await site.certificates()) == 1


async def test_who_has_not_proven_who_it_is_gets_none(site: Site) -> None:
    await site.done("certificates/window", {"minutes": 5})
    stranger = Device("CP-1", password=None)
    async with on_line(stranger, site.url) as charger:
        assert await charger.ask_for_certificate() == "Rejected"
    assert "has not proven who it is" in (await site.line("certificate_rejected"))["reason"]
    assert await site.certificates() == []


async def test_a_proof_counts_for_its_connection_only(site: Site, device: Device) -> None:
    await site.register(device)
    async with on_line(device, site.url):
        pass
    await site.central.put("charge-points/CP-1", {"password": None})
    device.password = None
    async with on_line(device, site.url) as charger:
        assert await charger.ask_for_certificate() == "Rejected"


async def test_without_an_authority_nobody_gets_one(tmp_path: Path, device: Device) -> None:
    async with running(tmp_path) as site:
        await site.register(device)
        async with on_line(device, site.url) as charger:
            assert await charger.ask_for_certificate() == "Rejected"
            assert "mcpp ca init" in (await site.line("certificate_rejected"))["reason"]

            # It may be made beside a running server.
            make_authority(tmp_path)
            assert await charger.ask_for_certificate() == "Accepted"


async def test_a_key_that_others_can_read_is_not_used(tmp_path: Path, device: Device) -> None:
    (make_authority(tmp_path) / AUTHORITY_KEY).chmod(0o640)
    async with running(tmp_path) as site:
        await site.register(device)
        async with on_line(device, site.url) as charger:
            assert await charger.ask_for_certificate() == "Rejected"
            assert "chmod 600" in (await site.line("certificate_rejected"))["reason"]


async def test_a_request_waits_for_an_operator(site: Site, device: Device, charger: DeviceCharger) -> None:
    assert await charger.ask_for_certificate() == "Accepted"
    waiting = await site.certificate("pending")
    assert (waiting["subject"], waiting["key_type"], waiting["certificate"]) == ("CN=CP-1", "EC P-256", None)
    assert "approved_by" not in await site.line("certificate_requested")
    assert charger.asked == []

    # A repeat of it is the same.
    assert await charger.ask_for_certificate(waiting_csr(site)) == "Accepted"
    assert len(await site.certificates()) == 1

    approved = await site.done(f"certificates/{waiting['id']}/approve")
    assert approved["approved_by"] == "operator"
    (sent,) = await charger.asked_for("CertificateSigned")
    assert sent["certificateChain"] == (await site.certificate("issued"))["certificate"]
    assert device.certificate is not None

    again = await site.post(f"certificates/{waiting['id']}/approve")
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


def waiting_csr(site: Site) -> str:
    with sqlite3.connect(site.central.database) as connection:
        (csr,) = connection.execute("SELECT csr FROM certificates").fetchone()
    connection.close()
    return str(csr)


@pytest.mark.parametrize("form", ["CRLF", "one line", "no armour", "NEW", "escaped line ends"])
async def test_spellings_of_one_request_are_the_same(
    site: Site, device: Device, charger: DeviceCharger, form: str
) -> None:
    pem = device.signing_request()
    body = "".join(pem.splitlines()[1:-1])
    spelled = {
        "CRLF": pem.replace("\n", "\r\n"),
        "one line": pem.replace("\n", ""),
        "no armour": body,
        "NEW": pem.replace("BEGIN CERT", "BEGIN NEW CERT").replace("END CERT", "END NEW CERT"),
        "escaped line ends": pem.replace("\n", "\\n"),
    }[form]
    assert await charger.ask_for_certificate(pem) == "Accepted"
    assert await charger.ask_for_certificate(spelled) == "Accepted"
    assert len(await site.certificates()) == 1


async def test_a_certificate_is_kept_for_a_charger_that_is_gone(site: Site, device: Device) -> None:
    await site.register(device)
    async with on_line(device, site.url) as charger:
        await charger.ask_for_certificate()
    waiting = await site.certificate("pending")
    await site.done(f"certificates/{waiting['id']}/approve")
    async with on_line(device, site.url) as charger:
        await charger.asked_for("CertificateSigned")
        await site.certificate("issued")


async def test_a_restart_between_approval_and_delivery_costs_nothing(tmp_path: Path, device: Device) -> None:
    make_authority(tmp_path)
    async with running(tmp_path) as site:
        await site.register(device)
        async with on_line(device, site.url) as charger:
            await charger.ask_for_certificate()
        waiting = await site.certificate("pending")
        await site.done(f"certificates/{waiting['id']}/approve")
    async with running(tmp_path) as site, on_line(device, site.url) as charger:
        await charger.asked_for("CertificateSigned")
        await site.certificate("issued")
    assert device.certificate is not None


async def test_what_is_not_answered_is_sent_again_at_the_next_boot(tmp_path: Path, device: Device) -> None:
    make_authority(tmp_path)
    async with running(tmp_path, call_timeout="0.2") as site:
        await site.register(device)
        async with on_line(device, site.url) as charger:
            await charger.ask_for_certificate()
            device.replies["CertificateSigned"] = lambda _: None
            waiting = await site.certificate("pending")
            await site.done(f"certificates/{waiting['id']}/approve")
            await site.line("call_expired", action="CertificateSigned")
            await charger.boot()
            await charger.asked_for("CertificateSigned", 2)
            del device.replies["CertificateSigned"]
            await site.line("call_expired", action="CertificateSigned")
        async with on_line(device, site.url):
            await site.certificate("issued")


async def test_a_charger_may_refuse_what_it_is_sent(site: Site, device: Device, charger: DeviceCharger) -> None:
    device.replies["CertificateSigned"] = lambda _: {"status": "Rejected"}
    await charger.ask_for_certificate()
    waiting = await site.certificate("pending")
    await site.done(f"certificates/{waiting['id']}/approve")

    refused = await site.certificate("failed")
    assert "Rejected" in refused["reason"]
    assert (await site.line("certificate_installed"))["accepted"] is False
    async with on_line(device, site.url) as again:
        await again.say("Heartbeat", {})
        assert again.asked == []  # it isn't sent again


async def test_an_operator_may_refuse(site: Site, charger: DeviceCharger) -> None:
    await charger.ask_for_certificate()
    waiting = await site.certificate("pending")
    rejected = await site.done(f"certificates/{waiting['id']}/reject", {"reason": "not ours"})
    assert (rejected["status"], rejected["reason"]) == ("rejected", "not ours")
    assert (await site.line("certificate_rejected"))["reason"] == "not ours"
    assert (await site.post(f"certificates/{waiting['id']}/approve")).status_code == 409
    assert (await site.post(f"certificates/{waiting['id']}/revoke")).status_code == 409
    assert (await site.post("certificates/99/approve")).status_code == 404


async def test_a_window_approves_while_it_is_open(site: Site, device: Device, charger: DeviceCharger) -> None:
    opened = await site.done("certificates/window", {"minutes": 5})
    assert opened["open_until"] is not None
    assert await charger.ask_for_certificate() == "Accepted"
    assert (await site.certificate("issued"))["approved_by"] == "window"

    assert (await site.done("certificates/window", {"minutes": 0}))["open_until"] is None
    device.key = ec.generate_private_key(ec.SECP256R1())
    assert await charger.ask_for_certificate() == "Accepted"
    await site.certificate("pending")
    assert (await site.post("certificates/window", {"minutes": 1441})).status_code == 422


async def test_not_even_a_window_signs_without_end(site: Site, device: Device, charger: DeviceCharger) -> None:
    await site.done("certificates/window", {"minutes": 5})
    for _ in range(4):
        device.key = ec.generate_private_key(ec.SECP256R1())
        await charger.ask_for_certificate()
        await site.certificate("issued")
    device.key = ec.generate_private_key(ec.SECP256R1())
    await charger.ask_for_certificate()
    await site.certificate("pending")


async def test_requests_of_a_charger_are_bounded(site: Site, device: Device, charger: DeviceCharger) -> None:
    for _ in range(25):
        device.key = ec.generate_private_key(ec.SECP256R1())
        assert await charger.ask_for_certificate() == "Accepted"
    kept = await site.certificates()
    assert len(kept) == 10
    assert [it["status"] for it in kept] == ["pending"] + ["superseded"] * 9


async def test_a_new_certificate_takes_the_place_of_the_old_one(
    site: Site, device: Device, charger: DeviceCharger
) -> None:
    await site.done("certificates/window", {"minutes": 5})
    await charger.ask_for_certificate()
    await site.certificate("issued")
    device.key = ec.generate_private_key(ec.SECP256R1())
    await charger.ask_for_certificate()
    await charger.asked_for("CertificateSigned", 2)
    await site.certificate("issued")
    assert [it["status"] for it in await site.certificates()] == ["issued", "superseded"]


async def test_an_entered_serial_number_may_be_the_name(site: Site, device: Device, charger: DeviceCharger) -> None:
    with sqlite3.connect(site.central.database, timeout=10) as connection:
        connection.execute("UPDATE charge_points SET certificate_serial = 'SN-77'")
    connection.close()
    assert await charger.ask_for_certificate(make_csr(device.key, "SN-77")) == "Accepted"
    assert (await site.certificate("pending"))["subject"] == "CN=SN-77"


async def test_the_organization_must_be_ours_where_one_is_set(tmp_path: Path, device: Device) -> None:
    make_authority(tmp_path)
    async with running(tmp_path, tls_organization="Example") as site:
        await site.register(device)
        async with on_line(device, site.url) as charger:
            for foreign in (None, "Other"):
                assert await charger.ask_for_certificate(make_csr(device.key, "CP-1", foreign)) == "Rejected"
            assert "tls-organization" in (await site.line("certificate_rejected"))["reason"]
            assert await charger.ask_for_certificate(make_csr(device.key, "CP-1", "Example")) == "Accepted"


@pytest.mark.parametrize("size", [2048, 4096])
async def test_rsa_keys_are_signed(site: Site, device: Device, charger: DeviceCharger, size: int) -> None:
    device.key = rsa.generate_private_key(public_exponent=65537, key_size=size)
    await site.done("certificates/window", {"minutes": 5})
    assert await charger.ask_for_certificate() == "Accepted"
    assert (await site.certificate("issued"))["key_type"] == f"RSA {size}"


async def test_lists_are_pages_with_filters(site: Site) -> None:
    for identity in ("CP-1", "CP-2"):
        other = Device(identity)
        await site.register(other)
        async with on_line(other, site.url) as charger:
            await charger.ask_for_certificate()
            await site.certificate("pending", identity)
    assert [it["charge_point_id"] for it in await site.certificates()] == ["CP-2", "CP-1"]
    assert [it["id"] for it in await site.certificates(charge_point_id="CP-1", status="pending")] == [1]
    assert await site.certificates(status="issued") == []
    first = await site.central.get("certificates", limit="1")
    second = await site.central.get("certificates", limit="1", cursor=first["next_cursor"])
    assert [it["id"] for it in (*first["items"], *second["items"])] == [2, 1]


async def test_no_private_key_leaves_the_directory(site: Site, charger: DeviceCharger) -> None:
    await site.done("certificates/window", {"minutes": 5})
    await charger.ask_for_certificate()
    kept = await site.certificate("issued")
    folder = site.central.database.parent
    secret = "".join((folder / "ca" / AUTHORITY_KEY).read_text().splitlines()[1:-1])[:40]
    written = json.dumps([site.central.lines(), kept])
    assert secret not in written
    assert "PRIVATE KEY" not in written
    assert secret.encode() not in b"".join(file.read_bytes() for file in folder.glob("mcpp.db*"))
