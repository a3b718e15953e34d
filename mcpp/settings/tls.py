"""Whether settings of TLS go together, and the files with them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from mcpp.transport.pem import BadCertificate, read_certificate
from mcpp.transport.tls import TlsFiles, load

AUTHORITY_FILE: Final = "ca.pem"
"""The built-in authority's certificate, in `ca-directory`."""


def client_authorities(tls_client_ca: Path | None, ca_directory: Path) -> tuple[Path, ...]:
    """The files with the authorities whose certificates of chargers are accepted, as far as they exist."""
    own = ca_directory / AUTHORITY_FILE
    return tuple(path for path in (tls_client_ca, own) if path is not None and path.exists())


def check_pair(name: str, certificate: Path | None, key: Path | None) -> None:
    """Raises ValueError where a key doesn't go with its certificate; `name` is the certificate's setting."""
    if certificate is None and key is None:
        return
    if certificate is None:
        raise ValueError(f"is given without {name}, the certificate that it belongs to")
    if key is None:
        raise ValueError(f"is needed where {name} is given")
    try:
        load(TlsFiles(certificate, key))
    except BadCertificate as error:
        raise ValueError(str(error)) from error


def check_authorities(path: Path) -> None:
    """Raises ValueError where the file holds no certificate."""
    try:
        read_certificate(path)
    except BadCertificate as error:
        raise ValueError(str(error)) from error


def check_profile(profile: int, *, has_tls: bool, behind_proxies: bool, trusts_somebody: bool) -> None:
    """Raises ValueError where no charger could ever connect by this security profile."""
    if profile == 3 and not has_tls:
        raise ValueError("3 needs tls-cert and tls-key: certificates of chargers are seen by MCPP's own TLS only")
    if profile == 3 and not trusts_somebody:
        raise ValueError(
            "3 needs tls-client-ca, or a ca-directory with an authority (mcpp ca init): no certificate is accepted yet"
        )
    if profile == 2 and not (has_tls or behind_proxies):
        raise ValueError("2 needs tls-cert and tls-key, or trusted-proxies where a proxy does TLS")
