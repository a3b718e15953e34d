"""Contracts of vehicles: chains up to a trusted root, revocation by OCSP over real HTTP on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID
from pydantic import JsonValue

from mcpp.plugins import ContractCertificateAnswer, ContractCertificateQuestion, Site, hookimpl
from tests.contract.official import dump
from tests.integration.field_notes.charger import RawCharger
from tests.integration.field_notes.site import Central, central_system
from tests.integration.ocpp2.spoken import VERSIONS, charger_of, shape

EMAID = "DE8AAC123456789"
NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@dataclass
class Issued:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()


def issue(name: str, by: Issued | None = None, *, ca: bool = False, ends: datetime = NOW + 30 * DAY) -> Issued:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if by is None else by.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - 60 * DAY)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    return Issued(builder.sign(key if by is None else by.key, hashes.SHA256()), key)


@dataclass
class Responder:
    """An OCSP responder of one authority, over HTTP."""

    authority: Issued
    port: int = 0
    signer: Issued | None = None
    revoked: set[int] = field(default_factory=set)
    asked: int = 0
    redirect: str | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/ocsp"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length:")[2].split("\r\n")[0])
        request = ocsp.load_der_ocsp_request(await reader.readexactly(length))
        self.asked += 1
        if self.redirect is not None:
            writer.write(f"HTTP/1.1 302 Found\r\nLocation: {self.redirect}\r\nContent-Length: 0\r\n\r\n".encode())
        else:
            body = self._answer(request)
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    def _answer(self, request: ocsp.OCSPRequest) -> bytes:
        is_revoked = request.serial_number in self.revoked
        signer = self.signer or self.authority
        return (
            ocsp.OCSPResponseBuilder()
            .add_response_by_hash(
                issuer_name_hash=request.issuer_name_hash,
                issuer_key_hash=request.issuer_key_hash,
                serial_number=request.serial_number,
                algorithm=hashes.SHA256(),
                cert_status=ocsp.OCSPCertStatus.REVOKED if is_revoked else ocsp.OCSPCertStatus.GOOD,
                this_update=NOW - timedelta(hours=1),
                next_update=NOW + DAY,
                revocation_time=NOW - DAY if is_revoked else None,
                revocation_reason=None,
            )
            .responder_id(ocsp.OCSPResponderEncoding.HASH, signer.certificate)
            .sign(signer.key, hashes.SHA256())
            .public_bytes(Encoding.DER)
        )


@asynccontextmanager
async def responding(authority: Issued) -> AsyncIterator[Responder]:
    responder = Responder(authority)
    server = await asyncio.start_server(responder.serve, "127.0.0.1", 0)
    responder.port = server.sockets[0].getsockname()[1]
    async with server:
        yield responder


@dataclass
class Scene:
    """A central system that trusts a root, with a contract below it and the responder of its authority."""

    central: Central
    root: Issued
    authority: Issued
    contract: Issued
    responder: Responder

    def hashes(self, of: Issued | None = None) -> dict[str, JsonValue]:
        contract = self.contract if of is None else of
        request = (
            ocsp.OCSPRequestBuilder()
            .add_certificate(contract.certificate, self.authority.certificate, hashes.SHA256())
            .build()
        )
        return {
            "hashAlgorithm": "SHA256",
            "issuerNameHash": request.issuer_name_hash.hex(),
            "issuerKeyHash": request.issuer_key_hash.hex(),
            "serialNumber": f"{request.serial_number:x}",
        }

    def asking(self, of: Issued | None = None) -> dict[str, JsonValue]:
        return {**self.hashes(of), "responderURL": self.responder.url}


@asynccontextmanager
async def scene(folder: Path, *, allowed: bool = True) -> AsyncIterator[Scene]:
    root = issue("MO Root", ca=True)
    authority = issue("MO Sub", root, ca=True)
    roots = folder / "roots"
    roots.mkdir()
    (roots / "mo.pem").write_text(root.pem)
    (roots / "sub.pem").write_text(authority.pem)
    settings = {"contract_roots": str(roots), **({"ocsp_responders": "127.0.0.1"} if allowed else {})}
    async with responding(authority) as responder, central_system(folder, **settings) as central:
        yield Scene(central, root, authority, issue(EMAID, authority), responder)


async def authorized(charger: RawCharger, **shown: Any) -> tuple[str, str]:
    answer = await charger.say("Authorize", {"idToken": {"idToken": EMAID, "type": "eMAID"}, **shown})
    return answer["certificateStatus"], answer["idTokenInfo"]["status"]


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_contract_whose_authority_says_that_it_is_good_may_charge(tmp_path: Path, version: str) -> None:
    async with scene(tmp_path) as it, charger_of(it.central, version) as charger:
        shown = {"iso15118CertificateHashData": [it.asking()]}
        assert await authorized(charger, **shown) == ("Accepted", "Accepted")
        assert await authorized(charger, **shown) == ("Accepted", "Accepted")
        assert it.responder.asked == 1  # the answer holds until its next update
        other = issue(EMAID, it.authority)
        it.responder.revoked.add(other.certificate.serial_number)
        revoked = {"iso15118CertificateHashData": [it.asking(), it.asking(other)]}
        assert await authorized(charger, **revoked) == ("CertificateRevoked", "Invalid")


async def test_a_chain_must_lead_to_a_trusted_root(tmp_path: Path) -> None:
    async with scene(tmp_path) as it, charger_of(it.central, "2.0.1") as charger:
        shown = {
            it.contract.pem + it.authority.pem: "Accepted",
            issue(EMAID, it.authority, ends=NOW - DAY).pem: "CertificateExpired",
            issue(EMAID, issue("MO Sub", ca=True)).pem: "SignatureError",
            issue(EMAID, issue("Nobody", ca=True)).pem: "CertChainError",
            issue(EMAID, it.contract).pem + it.contract.pem: "CertChainError",  # a contract is no authority
            issue("DE8AAC000000000", it.authority).pem: "NoCertificateAvailable",
            "no certificate": "NoCertificateAvailable",
        }
        for chain, status in shown.items():
            told = "Accepted" if status == "Accepted" else "Invalid"
            assert await authorized(charger, certificate=chain) == (status, told)


async def test_a_response_that_another_has_signed_counts_for_nothing(tmp_path: Path) -> None:
    async with scene(tmp_path) as it, charger_of(it.central, "2.1") as charger:
        it.responder.signer = issue("MO Sub", ca=True)
        verdict = await authorized(charger, iso15118CertificateHashData=[it.asking()])
    assert verdict == ("CertChainError", "Invalid")


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_status_of_a_certificate_is_asked_for_and_passed_on(tmp_path: Path, version: str) -> None:
    async with scene(tmp_path) as it, charger_of(it.central, version) as charger:
        answer = await charger.say("GetCertificateStatus", {"ocspRequestData": it.asking()})
        assert answer["status"] == "Accepted"
        assert answer["ocspResult"]
        if version == "2.1":
            asked: dict[str, JsonValue] = {
                "certificateHashData": it.hashes(),
                "source": "OCSP",
                "urls": [it.responder.url],
            }
            listed: dict[str, JsonValue] = {**asked, "source": "CRL"}
            answer = await charger.say("GetCertificateChainStatus", {"certificateStatusRequests": [asked, listed]})
            assert [each["status"] for each in answer["certificateStatus"]] == ["Good", "Failed"]


async def test_chargers_send_the_server_nowhere_it_has_no_business(tmp_path: Path) -> None:
    """A responder's URL may have been made up to reach what only the server reaches."""
    async with scene(tmp_path, allowed=False) as it, charger_of(it.central, "2.0.1") as charger:
        for url in (
            it.responder.url,
            it.responder.url.replace("127.0.0.1", "localhost"),
            it.responder.url.replace("127.0.0.1", "[::ffff:127.0.0.1]"),
            "http://169.254.169.254/latest/meta-data",
            "http://10.0.0.1/",
            "file:///etc/passwd",
            "gopher://127.0.0.1/",
            "",
        ):
            request: JsonValue = {"ocspRequestData": {**it.hashes(), "responderURL": url}}
            answer = await charger.say("GetCertificateStatus", request)
            assert answer["status"] == "Failed", url
        assert it.responder.asked == 0


async def test_a_redirect_leads_nowhere(tmp_path: Path) -> None:
    async with scene(tmp_path) as it, charger_of(it.central, "2.0.1") as charger:
        it.responder.redirect = it.responder.url
        answer = await charger.say("GetCertificateStatus", {"ocspRequestData": it.asking()})
        assert (answer["status"], it.responder.asked) == ("Failed", 1)


class Provider:
    """A plugin that asks a contract's provider; this one has contracts for updates only."""

    @hookimpl
    async def contract_certificate_wanted(
        self, question: ContractCertificateQuestion, site: Site
    ) -> ContractCertificateAnswer | None:
        if question.action != "Update":
            return None
        point = await site.charge_point(question.charge_point_id)
        assert point is not None
        return ContractCertificateAnswer(exi_response=f"of {question.exi_request}", remaining_contracts=0)


@pytest.mark.parametrize("version", VERSIONS)
async def test_contracts_are_a_providers_affair(tmp_path: Path, version: str) -> None:
    plugins = f"built-ins,{__name__}:Provider"
    wanted: dict[str, JsonValue] = {"iso15118SchemaVersion": "urn:iso:15118:2:2013:MsgDef", "exiRequest": "gAAA"}
    async with central_system(tmp_path, plugins=plugins) as central, charger_of(central, version) as charger:
        answer = await charger.say("Get15118EVCertificate", {**wanted, "action": "Install"})
        assert (answer["status"], answer["exiResponse"]) == ("Failed", "")
        answer = await charger.say("Get15118EVCertificate", {**wanted, "action": "Update"})
        assert (answer["status"], answer["exiResponse"]) == ("Accepted", "of gAAA")
        # 2.0.1 has no word for how many are left, which a plugin needn't know.
        assert answer.get("remainingContracts") == {"2.0.1": None, "2.1": 0}[version]
        assert shape(version, "Get15118EVCertificate", "response").official_errors(dump(answer)) == []
