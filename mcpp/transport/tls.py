"""What a listener with TLS serves: its certificate, whom it trusts, and which suites it offers.

Suites and least key sizes are those of the OCPP 1.6 security whitepaper, edition 3: TLS 1.2 or later, RSA of 2048 bits,
elliptic curves of 224.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeAlias, cast

from mcpp.domain.security_profiles import PeerCertificate
from mcpp.transport.pem import BadCertificate, ServedCertificate, check_key, read_certificate, unreadable

_SUITES: Final = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES256-GCM-SHA384",
)
"""Of TLS 1.2; those of 1.3 are all good and OpenSSL's own."""
_RSA_SUITES: Final = ("AES128-GCM-SHA256", "AES256-GCM-SHA384")
"""TLS_RSA_…: without forward secrecy, so only where nothing else is in common, and only if asked for."""

_Subject: TypeAlias = tuple[tuple[tuple[str, str], ...], ...]

_SECURITY_LEVEL: Final = "@SECLEVEL=2"
"""OpenSSL's 112 bits: RSA of 2048 bits, curves of 224 and no SHA-1 signatures, for all certificates of both sides."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """The files that a listener's TLS is made of."""

    certificate: Path
    """PEM: the certificate, then those of the authorities between it and the root."""
    key: Path
    client_authorities: tuple[Path, ...] = ()
    """PEM: whose certificates of charge points are accepted. One that doesn't exist trusts nobody."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """TLS as the files had it at one moment."""

    context: ssl.SSLContext
    certificate: ServedCertificate
    asks_for_certificates: bool
    """Of charge points: somebody is trusted to make them."""


def load(files: TlsFiles, *, rsa_suites: bool = False) -> Loaded:
    """Read the files. Raises BadCertificate.

    A certificate that has expired is loaded all the same: whether it may serve is for the caller to say.
    """
    served = read_certificate(files.certificate)
    check_key(files.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(":".join((*_SUITES, *(_RSA_SUITES if rsa_suites else ()), _SECURITY_LEVEL)))
    context.set_alpn_protocols(["http/1.1"])
    # No tickets: a session would outlive its keys' secrecy, and who is trusted. The sessions of TLS 1.2 that OpenSSL
    # keeps by itself end with the context; what a certificate is worth is asked at each connection.
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0
    try:
        context.load_cert_chain(files.certificate, files.key, password=_no_pass_phrase)
    except ssl.SSLError as error:
        raise BadCertificate(_pair_mistake(files, error)) from error
    except OSError as error:
        raise unreadable(files.certificate, error) from error
    authorities = [path for path in files.client_authorities if path.exists()]
    for path in authorities:
        trust(context, path)
    return Loaded(context, served, bool(authorities))


def trust(context: ssl.SSLContext, path: Path) -> None:
    """Ask charge points for certificates, and accept those of the authorities in this file. Raises BadCertificate."""
    read_certificate(path)
    try:
        context.load_verify_locations(path)
    except ssl.SSLError as error:
        raise BadCertificate(f"{path} holds no certificates in PEM form that can be used ({error.reason})") from error
    # Optional: profiles below 3 do without. One that is shown must hold, or the handshake fails.
    context.verify_mode = ssl.CERT_OPTIONAL
    # An authority below a root may be all that is trusted.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN


def peer_certificate(tls: ssl.SSLObject) -> PeerCertificate | None:
    """What the other side has shown, once the handshake is over; None where it has shown none."""
    try:
        shown = tls.getpeercert()
        if not shown:
            return None
        names = [pair for rdn in cast("_Subject", shown["subject"]) for pair in rdn]
        texts = cast("Mapping[str, str]", shown)
        return PeerCertificate(
            common_name=_only(names, "commonName") or "",
            organization=_only(names, "organizationName"),
            serial_number=texts["serialNumber"].lstrip("0"),
            expires_at=datetime.fromtimestamp(ssl.cert_time_to_seconds(texts["notAfter"]), UTC),
        )
    except (LookupError, ValueError):  # a certificate that nobody can read is nobody's
        return PeerCertificate("", None, "", datetime.max.replace(tzinfo=UTC))


def _only(names: Sequence[tuple[str, str]], kind: str) -> str | None:
    """The one value of a kind; None where there are several, of which none can be believed."""
    values = [value for name, value in names if name == kind]
    return values[0] if len(values) == 1 else None


def _no_pass_phrase() -> str:
    # Without this OpenSSL would ask on the terminal. Reached by no key that `check_key` has let pass.
    return ""


def _pair_mistake(files: TlsFiles, error: ssl.SSLError) -> str:
    match error.reason:
        case "KEY_VALUES_MISMATCH" | "KEY_TYPE_MISMATCH":
            return f"the key in {files.key} isn't that of the first certificate in {files.certificate}"
        case "EE_KEY_TOO_SMALL" | "CA_KEY_TOO_SMALL":
            return f"the key of {files.certificate} is too short: RSA takes 2048 bits, elliptic curves 224"
        case "CA_MD_TOO_WEAK" | "EE_MD_TOO_WEAK":
            return f"the certificates in {files.certificate} are signed with a hash that is too weak, such as SHA-1"
        case reason:
            return f"{files.certificate} and {files.key} can't be used ({reason})"


class ServerTls:
    """A listener's TLS, with what its files hold now; each connection takes `context` as it is at its beginning."""

    def __init__(self, files: TlsFiles, *, rsa_suites: bool = False) -> None:
        """Raises BadCertificate."""
        self.files = files
        self._rsa_suites = rsa_suites
        self._seen = self._look()
        self._loaded = load(files, rsa_suites=rsa_suites)

    @property
    def context(self) -> ssl.SSLContext:
        return self._loaded.context

    @property
    def certificate(self) -> ServedCertificate:
        return self._loaded.certificate

    @property
    def asks_for_certificates(self) -> bool:
        """Whether charge points can prove themselves by a certificate."""
        return self._loaded.asks_for_certificates

    def changed(self) -> bool:
        """Whether the files are others than at the last attempt to load them."""
        return self._look() != self._seen

    def reload(self) -> None:
        """Serve what the files hold now to connections from now on.

        Raises BadCertificate, and goes on with what it has, where they can't be used or hold a certificate that has
        expired while the old one has not.
        """
        self._seen = self._look()
        loaded = load(self.files, rsa_suites=self._rsa_suites)
        now = datetime.now(UTC)
        if loaded.certificate.expires_at <= now < self.certificate.expires_at:
            raise BadCertificate(
                f"the certificate in {self.files.certificate} has expired on {loaded.certificate.expires_at:%Y-%m-%d}"
            )
        self._loaded = loaded

    def _look(self) -> tuple[tuple[int, int, int] | None, ...]:
        """Inode, size and time of change of each file: editors, copies and symbolic links all change one of them."""
        paths = (self.files.certificate, self.files.key, *self.files.client_authorities)
        return tuple(map(_mark, paths))


def _mark(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
