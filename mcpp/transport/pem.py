"""Certificates and keys in PEM files, as people get them wrong.

The `cryptography` package takes 7 MiB, so it's imported where a file is read: a server without TLS does without.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509


class BadCertificate(Exception):
    """A certificate, a key or what is trusted can't be used; the text says which file, why, and what to do."""


@dataclass(frozen=True, slots=True)
class ServedCertificate:
    """A certificate that a listener shows."""

    subject: str
    """As RFC 4514 writes it."""
    issuer: str
    serial_number: str
    """In hexadecimal digits, upper case."""
    names: tuple[str, ...]
    """DNS names and IP addresses that it's valid for."""
    valid_from: datetime
    expires_at: datetime


def read_certificate(path: Path) -> ServedCertificate:
    """The first certificate of a PEM file. Raises BadCertificate."""
    from cryptography import x509

    try:
        certificate = x509.load_pem_x509_certificates(path.read_bytes())[0]
    except OSError as error:
        raise unreadable(path, error) from error
    except ValueError as error:
        raise BadCertificate(f"{path} holds no certificate in PEM form") from error
    return ServedCertificate(
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        serial_number=f"{certificate.serial_number:X}",
        names=_names(certificate),
        valid_from=certificate.not_valid_before_utc,
        expires_at=certificate.not_valid_after_utc,
    )


def check_key(path: Path) -> None:
    """Raises BadCertificate where the file holds no key that can be used without a person."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise unreadable(path, error) from error
    except TypeError as error:
        raise BadCertificate(
            f"the key in {path} has a pass phrase, which nobody could type at a restart; "
            f"take it off with: openssl pkey -in {path} -out NEW_FILE"
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadCertificate(f"{path} holds no private key in PEM form") from error


def unreadable(path: Path, error: OSError) -> BadCertificate:
    return BadCertificate(f"{path} can't be read ({error.strerror})")


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    from cryptography import x509

    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    return (
        *found.get_values_for_type(x509.DNSName),
        *(str(address) for address in found.get_values_for_type(x509.IPAddress)),
    )
