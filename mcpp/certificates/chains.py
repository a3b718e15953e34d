"""Chains of certificates up to a trusted root, as vehicles show them (RFC 5280 §6; ISO 15118-2, annex F).

Checked by hand: verifiers for the web want names in certificates that contracts don't have.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import NameOID

from mcpp.csms.contracts import ContractVerdict

_LONGEST: Final = 6
"""Certificates of a chain: a contract, two authorities below the root, the root, and some to spare."""
_MOST_SHOWN: Final = 10


class BadChain(Exception):
    """A chain that can't be trusted; has the verdict on it."""

    def __init__(self, verdict: ContractVerdict, reason: str) -> None:
        super().__init__(reason)
        self.verdict = verdict


def read_chain(pem: str) -> list[x509.Certificate]:
    """The certificates of a text in their order. Raises BadChain."""
    try:
        chain = x509.load_pem_x509_certificates(pem.encode())
    except ValueError as error:
        raise BadChain(ContractVerdict.MISSING, "it holds no certificate in PEM") from error
    if len(chain) > _MOST_SHOWN:
        raise BadChain(ContractVerdict.CHAIN_ERROR, f"it has {len(chain)} certificates")
    return chain


def read_roots(directory: Path) -> list[x509.Certificate]:
    """The certificates of all `.pem` files of a directory; what is none is left out."""
    roots: list[x509.Certificate] = []
    for file in sorted(directory.glob("*.pem")):
        try:
            roots += x509.load_pem_x509_certificates(file.read_bytes())
        except (OSError, ValueError):
            continue
    return roots


def check_chain(
    shown: Sequence[x509.Certificate], roots: Iterable[x509.Certificate], now: datetime
) -> list[x509.Certificate]:
    """The path from the first certificate to a trusted root, both included. Raises BadChain."""
    trusted = list(roots)
    path = [shown[0]]
    _check_time(shown[0], now)
    while path[-1] not in trusted:
        if len(path) >= _LONGEST:
            raise BadChain(ContractVerdict.CHAIN_ERROR, "it leads too far")
        issuer = _issuer(path[-1], [*trusted, *shown[1:]], below=len(path) - 1)
        if issuer in path:
            raise BadChain(ContractVerdict.CHAIN_ERROR, "it leads to itself")
        _check_time(issuer, now)
        path.append(issuer)
    return path


def contract_id(certificate: x509.Certificate) -> str:
    """The eMAID that a contract's certificate is for, as it is compared."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return plain_id(str(names[0].value)) if names else ""


def plain_id(text: str) -> str:
    """A contract's id as it is compared: without separators, whatever its case."""
    return text.replace("-", "").strip().upper()


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the issuer, which may issue certificates, has signed it."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return _is_authority(issuer, 0)


def _issuer(certificate: x509.Certificate, candidates: Iterable[x509.Certificate], below: int) -> x509.Certificate:
    named = [it for it in candidates if it.subject == certificate.issuer and it != certificate]
    if not named:
        raise BadChain(ContractVerdict.CHAIN_ERROR, "it leads to no trusted root")
    for candidate in named:
        try:
            certificate.verify_directly_issued_by(candidate)
        except (ValueError, TypeError, InvalidSignature):
            continue
        if not _is_authority(candidate, below):
            raise BadChain(ContractVerdict.CHAIN_ERROR, "an issuer in it may not issue certificates")
        return candidate
    raise BadChain(ContractVerdict.SIGNATURE_ERROR, "a signature in it is wrong")


def _is_authority(certificate: x509.Certificate, below: int) -> bool:
    """Whether it may issue certificates with so many authorities between it and the last one (RFC 5280 §4.2.1.9)."""
    try:
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    if not basic.ca or (basic.path_length is not None and basic.path_length < below):
        return False
    try:
        return certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        return True


def _check_time(certificate: x509.Certificate, now: datetime) -> None:
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise BadChain(ContractVerdict.EXPIRED, "a certificate in it has ended, or has not begun")
