"""The authority: a key and a self-signed certificate in a directory, and the certificates that it makes.

One level, no intermediate authority: a certificate is checked by the one file that charge points and listener know.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from secrets import randbits
from typing import Final, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mcpp.certificates.files import (
    AUTHORITY_CERTIFICATE,
    AUTHORITY_KEY,
    CERTIFICATE_MODE,
    KEY_MODE,
    SERVER_CERTIFICATE,
    SERVER_KEY,
    AuthorityUnusable,
    check_directory,
    make_directory,
    read_certificate,
    read_key,
    write_new,
    write_over,
)
from mcpp.certificates.requests import load
from mcpp.domain.certificates import Signed

CLOCK_SKEW: Final = timedelta(days=1)
"""A certificate is valid from so long before it is made: a charger's clock may be behind, or in another time zone."""

_LONGEST_COMMON_NAME: Final = 64

PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey
PublicKey: TypeAlias = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


class Authority:
    """The authority of one directory, loaded."""

    def __init__(self, certificate: x509.Certificate, key: PrivateKey) -> None:
        self._certificate = certificate
        self._key = key
        self.pem = _pem(certificate)
        """Its own certificate, which charge points and listeners trust."""
        self.expires_at = certificate.not_valid_after_utc

    def sign_request(self, csr: str, lifetime: timedelta, now: datetime) -> Signed:
        """The certificate of a request that was found good: its subject and key, and nothing else that it wishes for.

        It ends with the authority at the latest.
        """
        request = load(csr)
        key = request.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey)
        builder = self._builder(request.subject, key, lifetime, now).add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        certificate = builder.sign(self._key, hashes.SHA256())
        return Signed(_pem(certificate), serial_text(certificate.serial_number), certificate.not_valid_after_utc)

    def sign_server(self, names: list[str], key: PublicKey, lifetime: timedelta, now: datetime) -> str:
        """The certificate (PEM) of a listener that is reached by these names. Raises AuthorityUnusable."""
        first = names[0]
        if len(first) > _LONGEST_COMMON_NAME:
            raise AuthorityUnusable(f"{first} is too long for the CN of a certificate; name a shorter one first")
        try:
            alternatives = x509.SubjectAlternativeName([_alternative(name) for name in names])
        except ValueError as error:
            raise AuthorityUnusable(f"a server's name must be a host name or an address: {error}") from error
        builder = (
            self._builder(_name(first), key, lifetime, now)
            .add_extension(alternatives, critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        )
        return _pem(builder.sign(self._key, hashes.SHA256()))

    def _builder(
        self, subject: x509.Name, key: PublicKey, lifetime: timedelta, now: datetime
    ) -> x509.CertificateBuilder:
        issuer_key = self._key.public_key()
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._certificate.subject)
            .public_key(key)
            .serial_number(new_serial())
            .not_valid_before(now - CLOCK_SKEW)
            .not_valid_after(min(now + lifetime, self.expires_at))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(encipher=isinstance(key, rsa.RSAPublicKey)), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
        )


def create_authority(directory: Path, common_name: str, lifetime: timedelta, now: datetime) -> Authority:
    """Make the authority of a directory that has none. Raises AuthorityUnusable."""
    make_directory(directory)
    certificate_file, key_file = directory / AUTHORITY_CERTIFICATE, directory / AUTHORITY_KEY
    if certificate_file.exists():
        raise AuthorityUnusable(f"{directory} has an authority already; it is never replaced")
    # A key without a certificate is left of an attempt that was cut short.
    key = _load_key(key_file) if key_file.exists() else _new_key(key_file)
    public = key.public_key()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name(common_name))
        .issuer_name(_name(common_name))
        .public_key(public)
        .serial_number(new_serial())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + lifetime)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )
    write_new(certificate_file, _pem(certificate).encode(), CERTIFICATE_MODE)
    return Authority(certificate, key)


def load_authority(directory: Path) -> Authority:
    """The authority of a directory. Raises AuthorityUnusable."""
    check_directory(directory)
    certificate = _load_certificate(directory / AUTHORITY_CERTIFICATE)
    key = _load_key(directory / AUTHORITY_KEY)
    if certificate.public_key() != key.public_key():
        raise AuthorityUnusable(f"{directory / AUTHORITY_KEY} is not the key to {directory / AUTHORITY_CERTIFICATE}")
    return Authority(certificate, key)


def write_server_certificate(
    directory: Path, authority: Authority, names: list[str], lifetime: timedelta, now: datetime
) -> datetime:
    """Make or renew the listener's certificate; the key stays where there is one. Returns its end.

    Without names it keeps those that it has. Raises AuthorityUnusable.
    """
    certificate_file, key_file = directory / SERVER_CERTIFICATE, directory / SERVER_KEY
    key = _load_key(key_file) if key_file.exists() else None
    names = names or server_names(directory)
    if key is None:
        key = _new_key(key_file)
    pem = authority.sign_server(names, key.public_key(), lifetime, now)
    write_over(certificate_file, pem.encode(), CERTIFICATE_MODE)
    return x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc


def server_names(directory: Path) -> list[str]:
    """The names and addresses of the listener's certificate. Raises AuthorityUnusable."""
    file = directory / SERVER_CERTIFICATE
    if not file.exists():
        raise AuthorityUnusable(f"there is no {file} yet; say by which name chargers reach this server: --server-name")
    try:
        found = _load_certificate(file).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound as error:
        raise AuthorityUnusable(f"{file} names no server; give --server-name") from error
    return [str(name.value) for name in found.value]


def certificate_end(file: Path) -> datetime:
    """When the certificate in a file ends. Raises AuthorityUnusable."""
    return _load_certificate(file).not_valid_after_utc


def new_serial() -> int:
    """A random serial number (RFC 5280 §4.1.2.2) that has 32 hexadecimal digits, however it is written."""
    return (randbits(123) | 1 << 124) & ~(1 << 127)


def serial_text(serial_number: int) -> str:
    """As `PeerCertificate.serial_number` has it: hexadecimal digits, upper case."""
    return f"{serial_number:X}"


def _new_key(file: Path) -> PrivateKey:
    key = ec.generate_private_key(ec.SECP256R1())
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_new(file, text, KEY_MODE)
    return key


def _load_key(file: Path) -> PrivateKey:
    try:
        key = serialization.load_pem_private_key(read_key(file), password=None)
    except (ValueError, TypeError) as error:
        raise AuthorityUnusable(f"{file} is no private key in PEM without a password") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise AuthorityUnusable(f"{file} is no key of an elliptic curve")
    return key


def _load_certificate(file: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(read_certificate(file))
    except ValueError as error:
        raise AuthorityUnusable(f"{file} is no certificate in PEM") from error


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name.encode("idna").decode() if not name.isascii() else name)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _usage(*, sign_certificates: bool = False, encipher: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        content_commitment=False,
        key_encipherment=encipher,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
