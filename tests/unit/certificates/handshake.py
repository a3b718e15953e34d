"""A TLS handshake of a charger with a listener, in memory."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from mcpp.certificates.files import AUTHORITY_CERTIFICATE, SERVER_CERTIFICATE, SERVER_KEY


def handshake(
    directory: Path, certificate: str, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, name: str
) -> dict[str, Any]:
    """What the listener learns of the charger, which has dialled `name`; raises ssl.SSLError."""
    listener = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    listener.load_cert_chain(directory / SERVER_CERTIFICATE, directory / SERVER_KEY)
    listener.verify_mode = ssl.CERT_REQUIRED
    listener.load_verify_locations(directory / AUTHORITY_CERTIFICATE)

    charger = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    charger.load_verify_locations(directory / AUTHORITY_CERTIFICATE)
    charger.verify_flags |= ssl.VERIFY_X509_STRICT
    listener.verify_flags |= ssl.VERIFY_X509_STRICT
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file.write(certificate.encode() + pem)
        file.flush()
        charger.load_cert_chain(file.name)

    to_listener, to_charger = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = listener.wrap_bio(to_listener, to_charger, server_side=True)
    other = charger.wrap_bio(to_charger, to_listener, server_hostname=name)
    done: set[ssl.SSLObject] = set()
    for _ in range(10):
        for side in (other, one):
            try:
                side.do_handshake()
                done.add(side)
            except ssl.SSLWantReadError:
                pass
        if len(done) == 2:
            break
    # `getpeercert` gives a dictionary where its argument is false.
    return cast("dict[str, Any]", one.getpeercert())
