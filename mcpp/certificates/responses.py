"""Who has signed an OCSP response (RFC 6960 §4.2.2.2): the certificate's own authority, or whom that has named."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from itertools import pairwise
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from mcpp.certificates.chains import BadChain, check_chain, is_issued_by
from mcpp.csms.contracts import CertificateId

_ALGORITHM: Final = "SHA256"


def certificates_of(path: Sequence[x509.Certificate]) -> list[tuple[CertificateId, str]]:
    """What to ask about the certificates of a path below its root: those that name a responder."""
    asked = []
    for certificate, issuer in pairwise(path):
        url = _responder(certificate)
        if url is not None:
            asked.append((id_of(certificate, issuer), url))
    return asked


def id_of(certificate: x509.Certificate, issuer: x509.Certificate) -> CertificateId:
    """What names a certificate to its responder."""
    request = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA256()).build()
    return CertificateId(
        _ALGORITHM, request.issuer_name_hash.hex(), request.issuer_key_hash.hex(), f"{request.serial_number:x}"
    )


def is_signed(
    certificate: CertificateId,
    der: bytes,
    known: Iterable[x509.Certificate],
    roots: Sequence[x509.Certificate],
    now: datetime,
) -> bool:
    """Whether a response about a certificate has the signature of its authority, which leads to a trusted root."""
    response = ocsp.load_der_ocsp_response(der)
    brought = list(response.certificates)
    for authority in (it for it in [*known, *brought] if _is_issuer(it, certificate)):
        signers = [
            authority,
            *(it for it in brought if is_issued_by(it, authority) and _may_sign(it, now)),
        ]
        if any(_has_signed(signer, response) for signer in signers) and _is_trusted(authority, brought, roots, now):
            return True
    return False


def _responder(certificate: x509.Certificate) -> str | None:
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except (x509.ExtensionNotFound, ValueError):
        return None
    for description in access:
        location = description.access_location
        if description.access_method == AuthorityInformationAccessOID.OCSP and isinstance(
            location, x509.UniformResourceIdentifier
        ):
            return location.value
    return None


def _is_issuer(authority: x509.Certificate, certificate: CertificateId) -> bool:
    """By the hashes of its name and key (RFC 6960 §4.1.1)."""
    digest = partial(hashlib.new, certificate.hash_algorithm.lower())
    key = authority.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        bits = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    elif isinstance(key, rsa.RSAPublicKey):
        bits = key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    else:
        return False
    return (
        digest(bits).hexdigest() == certificate.issuer_key_hash.lower()
        and digest(authority.subject.public_bytes()).hexdigest() == certificate.issuer_name_hash.lower()
    )


def _may_sign(responder: x509.Certificate, now: datetime) -> bool:
    try:
        usages = responder.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    is_valid = responder.not_valid_before_utc <= now <= responder.not_valid_after_utc
    return ExtendedKeyUsageOID.OCSP_SIGNING in usages and is_valid


def _has_signed(signer: x509.Certificate, response: ocsp.OCSPResponse) -> bool:
    key, algorithm = signer.public_key(), response.signature_hash_algorithm
    if algorithm is None:
        return False
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(algorithm))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(response.signature, response.tbs_response_bytes, padding.PKCS1v15(), algorithm)
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _is_trusted(
    authority: x509.Certificate, brought: Sequence[x509.Certificate], roots: Sequence[x509.Certificate], now: datetime
) -> bool:
    try:
        check_chain([authority, *brought], roots, now)
    except BadChain:
        return False
    return True
