"""Certificates for tests: authorities, servers' and chargers', right and wrong ones."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def new_key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def rsa_key(size: int = 2048) -> Key:
    return rsa.generate_private_key(65537, size)


def pem(key: Key, pass_phrase: bytes | None = None) -> bytes:
    protection = NoEncryption() if pass_phrase is None else BestAvailableEncryption(pass_phrase)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)


@dataclass
class Pair:
    """A certificate with its key, in files."""

    certificate: Path
    key: Path
    serial_number: str


class Authority:
    """Signs whatever is asked for, into files of a directory."""

    def __init__(self, directory: Path, name: str = "Test CA") -> None:
        self._directory = directory
        self._key = new_key()
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._issued = 0
        now = datetime.now(UTC)
        own = (
            x509.CertificateBuilder()
            .subject_name(self._name)
            .issuer_name(self._name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=900))
            .not_valid_after(now + timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.file = directory / f"{name.replace(' ', '-')}.pem"
        self.file.write_bytes(own.public_bytes(Encoding.PEM))

    def server(self, *, days: float = 30, key: Key | None = None, name: str = "server") -> Pair:
        """For a server on loopback; one of negative days has expired."""
        alternative = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
        return self._issue(name, [], key or new_key(), days, alternative, ExtendedKeyUsageOID.SERVER_AUTH)

    def charger(
        self, *common_names: str, organization: str | None = None, days: float = 30, key: Key | None = None
    ) -> Pair:
        """For charge points, by CN and O."""
        organizations = [] if organization is None else [organization]
        usage = ExtendedKeyUsageOID.CLIENT_AUTH
        first, *others = common_names or ("",)
        return self._issue(first, [*others], key or new_key(), days, None, usage, organizations)

    def _issue(
        self,
        name: str,
        other_names: list[str],
        key: Key,
        days: float,
        alternative: x509.SubjectAlternativeName | None,
        usage: x509.ObjectIdentifier,
        organizations: list[str] | None = None,
    ) -> Pair:
        now = datetime.now(UTC)
        attributes = [x509.NameAttribute(NameOID.COMMON_NAME, cn) for cn in (name, *other_names) if cn]
        attributes += [x509.NameAttribute(NameOID.ORGANIZATION_NAME, o) for o in organizations or []]
        serial = x509.random_serial_number()
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name(attributes))
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(serial)
            .not_valid_before(now - timedelta(days=800))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if alternative is not None:
            builder = builder.add_extension(alternative, critical=False)
        self._issued += 1
        stem = f"{self.file.stem}-{self._issued}"
        pair = Pair(self._directory / f"{stem}-cert.pem", self._directory / f"{stem}-key.pem", f"{serial:X}")
        pair.certificate.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))
        pair.key.write_bytes(pem(key))
        return pair

    def client_context(self, shown: Pair | None = None) -> ssl.SSLContext:
        """Of a client that trusts this authority, and shows a certificate of its own where one is given."""
        context = ssl.create_default_context(cafile=self.file)
        if shown is not None:
            context.load_cert_chain(shown.certificate, shown.key)
        return context
