"""The authority's files and what it signs: who may read them, what is never replaced, what TLS makes of it."""

from __future__ import annotations

import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from mcpp.certificates.authority import (
    Authority,
    create_authority,
    load_authority,
    server_names,
    write_server_certificate,
)
from mcpp.certificates.files import (
    AUTHORITY_CERTIFICATE,
    AUTHORITY_KEY,
    SERVER_CERTIFICATE,
    SERVER_KEY,
    AuthorityUnusable,
)
from mcpp.certificates.requests import read_signing_request
from mcpp.certificates.store import AuthorityStore
from tests.integration.certificates.device import make_csr
from tests.unit.certificates.handshake import handshake

NOW = datetime.now(UTC)
YEAR = timedelta(days=365)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "ca"


@pytest.fixture
def authority(directory: Path) -> Authority:
    return create_authority(directory, "MCPP CA test", 20 * YEAR, NOW)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_its_owner_can_read_the_key(directory: Path, authority: Authority) -> None:
    assert mode(directory) == 0o700
    assert mode(directory / AUTHORITY_KEY) == 0o600
    assert sorted(path.name for path in directory.iterdir()) == [AUTHORITY_KEY, AUTHORITY_CERTIFICATE]
    assert "PRIVATE KEY" in (directory / AUTHORITY_KEY).read_text()
    assert authority.pem == (directory / AUTHORITY_CERTIFICATE).read_text() == load_authority(directory).pem
    assert len(authority.pem) < 5500  # InstallCertificate.req


def test_an_authority_is_never_replaced(directory: Path, authority: Authority) -> None:
    before = (directory / AUTHORITY_KEY).read_bytes()
    with pytest.raises(AuthorityUnusable, match="already"):
        create_authority(directory, "another", YEAR, NOW)
    assert (directory / AUTHORITY_KEY).read_bytes() == before


def test_what_was_cut_short_is_finished(directory: Path, authority: Authority) -> None:
    before = (directory / AUTHORITY_KEY).read_bytes()
    (directory / AUTHORITY_CERTIFICATE).unlink()
    create_authority(directory, "MCPP CA test", YEAR, NOW)
    assert (directory / AUTHORITY_KEY).read_bytes() == before
    load_authority(directory)


@pytest.mark.parametrize("wrong", [0o640, 0o604, 0o644, 0o660])
def test_a_key_that_others_can_read_is_refused(directory: Path, authority: Authority, wrong: int) -> None:
    (directory / AUTHORITY_KEY).chmod(wrong)
    with pytest.raises(AuthorityUnusable, match="chmod 600"):
        load_authority(directory)


def test_a_directory_that_others_can_write_to_is_refused(directory: Path, authority: Authority) -> None:
    directory.chmod(0o777)
    with pytest.raises(AuthorityUnusable, match="chmod 700"):
        load_authority(directory)


def test_a_link_in_place_of_the_key_is_refused(directory: Path, authority: Authority) -> None:
    key = directory / AUTHORITY_KEY
    key.rename(directory / "elsewhere")
    key.symlink_to(directory / "elsewhere")
    with pytest.raises(AuthorityUnusable, match="can't be read"):
        load_authority(directory)


@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_spoilt_key_is_one_line(directory: Path, authority: Authority, content: bytes) -> None:
    (directory / AUTHORITY_KEY).write_bytes(content)
    with pytest.raises(AuthorityUnusable, match="no private key"):
        load_authority(directory)


def test_another_authoritys_key_is_refused(tmp_path: Path, directory: Path, authority: Authority) -> None:
    create_authority(tmp_path / "other", "other", YEAR, NOW)
    (directory / AUTHORITY_KEY).write_bytes((tmp_path / "other" / AUTHORITY_KEY).read_bytes())
    with pytest.raises(AuthorityUnusable, match="is not the key"):
        load_authority(directory)


def test_a_server_notices_what_becomes_of_the_files(directory: Path) -> None:
    store = AuthorityStore(directory)
    assert not store.exists
    with pytest.raises(AuthorityUnusable, match="mcpp ca init"):
        store.get()
    create_authority(directory, "MCPP CA test", YEAR, NOW)
    assert store.get() is store.get()
    (directory / AUTHORITY_KEY).chmod(0o644)
    with pytest.raises(AuthorityUnusable, match="chmod 600"):
        store.get()
    (directory / AUTHORITY_KEY).chmod(0o600)
    assert store.get().pem


def test_a_certificate_has_the_requests_key_and_nothing_that_it_wishes(authority: Authority) -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    wishes = (
        x509.SubjectAlternativeName([x509.DNSName("central.example")]),
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
    )
    asked = read_signing_request(make_csr(key, "CP-1", "Example", None, *wishes))
    signed = authority.sign_request(asked.csr, YEAR, NOW)
    made = x509.load_pem_x509_certificate(signed.certificate.encode())

    made.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.pem.encode()))
    assert made.public_key() == key.public_key()
    assert made.subject.rfc4514_string() == asked.subject
    assert list(made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [
        ExtendedKeyUsageOID.CLIENT_AUTH
    ]
    with pytest.raises(x509.ExtensionNotFound):
        made.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert len(signed.serial_number) == 32
    assert int(signed.serial_number, 16) == made.serial_number
    assert signed.expires_at == made.not_valid_after_utc


def test_a_certificate_ends_with_its_authority(directory: Path) -> None:
    short = create_authority(directory, "short", timedelta(days=10), NOW)
    csr = read_signing_request(make_csr(ec.generate_private_key(ec.SECP256R1()), "CP-1")).csr
    assert short.sign_request(csr, YEAR, NOW).expires_at == short.expires_at


def test_serial_numbers_never_repeat(authority: Authority) -> None:
    csr = read_signing_request(make_csr(ec.generate_private_key(ec.SECP256R1()), "CP-1")).csr
    serials = {authority.sign_request(csr, YEAR, NOW).serial_number for _ in range(200)}
    assert len(serials) == 200
    assert {len(serial) for serial in serials} == {32}


@pytest.mark.parametrize("key", [ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)])
def test_both_sides_know_each_other_by_tls(
    directory: Path, authority: Authority, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
) -> None:
    """A charger with its certificate and a listener with the server's, through the standard library's TLS."""
    signed = authority.sign_request(read_signing_request(make_csr(key, "CP-1")).csr, YEAR, NOW)
    write_server_certificate(directory, authority, ["central.example", "192.0.2.1"], YEAR, NOW)

    peer = handshake(directory, signed.certificate, key, "central.example")
    assert (("commonName", "CP-1"),) in peer["subject"]
    assert peer["serialNumber"] == signed.serial_number
    assert handshake(directory, signed.certificate, key, "192.0.2.1")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(directory, signed.certificate, key, "elsewhere.example")


def test_a_renewed_server_certificate_keeps_key_and_names(directory: Path, authority: Authority) -> None:
    with pytest.raises(AuthorityUnusable, match="--server-name"):
        write_server_certificate(directory, authority, [], YEAR, NOW)
    write_server_certificate(directory, authority, ["central.example", "192.0.2.1", "2001:db8::1"], YEAR, NOW)
    key, first = (directory / SERVER_KEY).read_bytes(), (directory / SERVER_CERTIFICATE).read_bytes()
    assert mode(directory / SERVER_KEY) == 0o600
    write_server_certificate(directory, authority, [], YEAR, NOW)
    assert (directory / SERVER_KEY).read_bytes() == key
    assert (directory / SERVER_CERTIFICATE).read_bytes() != first
    assert server_names(directory) == ["central.example", "192.0.2.1", "2001:db8::1"]


@pytest.mark.parametrize("name", ["h" * 65 + ".example"])
def test_a_name_that_cannot_be_is_one_line(directory: Path, authority: Authority, name: str) -> None:
    with pytest.raises(AuthorityUnusable):
        write_server_certificate(directory, authority, [name], YEAR, NOW)
    assert not (directory / SERVER_CERTIFICATE).exists()
