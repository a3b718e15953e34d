"""Signing requests (PKCS #10, RFC 2986) as charge points send them: read with suspicion, bounded in every way."""

from __future__ import annotations

import base64
import binascii
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from mcpp.domain.certificates import Asked

MOST_CHARACTERS: Final = 5500
"""Of a request's text (security whitepaper, SignCertificate.req)."""

_MOST_ATTRIBUTES: Final = 10
"""Of a subject."""

_LONGEST_ATTRIBUTE: Final = 128

_LEAST_RSA_BITS: Final = 2048
_MOST_RSA_BITS: Final = 4096
"""A larger key takes the more time to check; no charger has one."""

_CURVES: Final = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
"""Those of TLS 1.3: the security whitepaper asks for 224 bits at least."""

_HASHES: Final = (hashes.SHA256, hashes.SHA384, hashes.SHA512)

_ARMOUR: Final = re.compile(
    r"\s*-----BEGIN (NEW )?CERTIFICATE REQUEST-----(?P<body>[^-]*)-----END (NEW )?CERTIFICATE REQUEST-----\s*"
)


class BadSigningRequest(ValueError):
    """The request can't be signed; the text says why."""


def read_signing_request(text: str) -> Asked:
    """A request that is well-formed, signed by its own key, and allowed by the security whitepaper.

    Line ends may be any, or missing, and the armour may be missing: its meaning is clear. Raises BadSigningRequest.
    """
    request = _parse(text)
    with _mistakes("its subject or its extensions can't be read"):
        subject = _subject(request)
        subject.public_bytes()  # what can't be written can't be signed
        _check_extensions(request)
    key_type = _check_key(request)
    if not isinstance(_hash_of(request), _HASHES):
        raise BadSigningRequest("it is not signed by SHA-256 or a stronger hash")
    with _mistakes("its signature can't be checked"):
        is_own = request.is_signature_valid
    if not is_own:
        raise BadSigningRequest("its signature is not by the key that it holds")
    return Asked(
        csr=request.public_bytes(serialization.Encoding.PEM).decode(),
        subject=subject.rfc4514_string(),
        common_name=_only(subject, NameOID.COMMON_NAME) or "",
        organization=_only(subject, NameOID.ORGANIZATION_NAME),
        key_type=key_type,
    )


def load(csr: str) -> x509.CertificateSigningRequest:
    """A request as `read_signing_request` gave its text."""
    return x509.load_pem_x509_csr(csr.encode())


@contextmanager
def _mistakes(what: str) -> Iterator[None]:
    """Whatever the library says of malformed input."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is unusual about a name is judged here
            yield
    except BadSigningRequest:
        raise
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadSigningRequest(f"{what}: {str(error)[:100]}") from error


def _parse(text: str) -> x509.CertificateSigningRequest:
    if len(text) > MOST_CHARACTERS:
        raise BadSigningRequest(f"it has {len(text)} characters; {MOST_CHARACTERS} are the most")
    # Some send a backslash and an n for a line end.
    text = text.replace("\\r", "").replace("\\n", "\n")
    found = _ARMOUR.fullmatch(text)
    body = found["body"] if found else text
    try:
        der = base64.b64decode("".join(body.split()), validate=True)
    except (binascii.Error, ValueError):
        raise BadSigningRequest("it is no PEM text of a certificate request") from None
    with _mistakes("it is no certificate request"):
        return x509.load_der_x509_csr(der)


def _subject(request: x509.CertificateSigningRequest) -> x509.Name:
    subject = request.subject
    attributes = list(subject)
    if len(attributes) > _MOST_ATTRIBUTES:
        raise BadSigningRequest(f"its subject has more than {_MOST_ATTRIBUTES} parts")
    for attribute in attributes:
        if not isinstance(attribute.value, str) or not attribute.value.isprintable():
            raise BadSigningRequest("its subject has characters that can't be printed")
        if len(attribute.value) > _LONGEST_ATTRIBUTE:
            raise BadSigningRequest(f"a part of its subject has more than {_LONGEST_ATTRIBUTE} characters")
    if _only(subject, NameOID.COMMON_NAME) is None:
        raise BadSigningRequest("its subject has no CN")
    _only(subject, NameOID.ORGANIZATION_NAME)
    return subject


def _only(subject: x509.Name, oid: x509.ObjectIdentifier) -> str | None:
    """An attribute that may be there once: two are two claims."""
    found = subject.get_attributes_for_oid(oid)
    if len(found) > 1:
        raise BadSigningRequest(f"its subject has {len(found)} {'CNs' if oid == NameOID.COMMON_NAME else 'Os'}")
    return str(found[0].value) if found else None


def _check_extensions(request: x509.CertificateSigningRequest) -> None:
    """What a request wishes for is not what it gets; one that wishes to be an authority is somebody's attempt."""
    for extension in request.extensions:
        if isinstance(extension.value, x509.BasicConstraints) and extension.value.ca:
            raise BadSigningRequest("it asks for the certificate of an authority")


def _check_key(request: x509.CertificateSigningRequest) -> str:
    """The key's type, for people, where it is allowed (security whitepaper, on keys)."""
    with _mistakes("its key can't be read"):
        key = request.public_key()
    match key:
        case rsa.RSAPublicKey():
            if not _LEAST_RSA_BITS <= key.key_size <= _MOST_RSA_BITS:
                raise BadSigningRequest(f"its RSA key has {key.key_size} bits; 2048 to 4096 are allowed")
            return f"RSA {key.key_size}"
        case ec.EllipticCurvePublicKey() if key.curve.name in _CURVES:
            return f"EC {_CURVES[key.curve.name]}"
        case ec.EllipticCurvePublicKey():
            raise BadSigningRequest(f"its key is on the curve {key.curve.name}; P-256, P-384 and P-521 are allowed")
    raise BadSigningRequest("its key is neither RSA nor of an elliptic curve")


def _hash_of(request: x509.CertificateSigningRequest) -> hashes.HashAlgorithm | None:
    with _mistakes("its signature's algorithm is not known"):
        return request.signature_hash_algorithm
