"""TLS of all listeners: read at start, read again when the files change, and said each time."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from mcpp.errors import StartError
from mcpp.reads.attention_search import EndingCertificate
from mcpp.settings import Settings
from mcpp.settings.tls import AUTHORITY_FILE
from mcpp.telemetry.logs.pipeline import get_logger
from mcpp.transport.pem import BadCertificate
from mcpp.transport.tls import ServerTls, TlsFiles
from mcpp.transport.tls_stream import TlsStream

HTTP_HANDSHAKE_TIMEOUT: Final = 10.0
"""Seconds for the TLS handshake of the listeners for people and for files."""

_ENDS_SOON: Final = timedelta(days=14)
_REMINDED_EVERY: Final = timedelta(days=1)


class ListenersTls:
    """The TLS of each listener that has one, by the listener's name. Used on the event loop only."""

    def __init__(self, by_listener: Mapping[str, ServerTls]) -> None:
        self._by_listener = by_listener
        self._reminded: dict[str, datetime] = {}

    @property
    def ocpp(self) -> ServerTls | None:
        return self._by_listener.get("ocpp")

    @property
    def http(self) -> ServerTls | None:
        return self._by_listener.get("http")

    @property
    def files(self) -> ServerTls | None:
        return self._by_listener.get("files")

    def announce(self) -> None:
        """Say which certificates serve until when."""
        for listener, tls in self._by_listener.items():
            self._say_what_serves(listener, tls)
        self._remind()

    def look(self) -> None:
        """Read again what has changed, and remind of certificates that end soon."""
        for listener, tls in self._by_listener.items():
            if tls.changed():
                self._reload(listener, tls)
        self._remind()

    def ending(self) -> list[EndingCertificate]:
        """Those that end soon: whoever renews them should have."""
        now = datetime.now(UTC)
        return [
            EndingCertificate(
                f"the {listener} listener", tls.certificate.expires_at, tls.certificate.expires_at - _ENDS_SOON
            )
            for listener, tls in self._by_listener.items()
            if _ends_soon(tls, now)
        ]

    def reload(self) -> None:
        """Read all again, since somebody says so."""
        for listener, tls in self._by_listener.items():
            self._reload(listener, tls)

    def _reload(self, listener: str, tls: ServerTls) -> None:
        try:
            tls.reload()
        except BadCertificate as error:
            get_logger().error(
                "tls_not_reloaded",
                category="system",
                listener=listener,
                reason=str(error),
                serial_number=tls.certificate.serial_number,
                expires_at=_text(tls.certificate.expires_at),
            )
        else:
            self._reminded.pop(listener, None)
            self._say_what_serves(listener, tls)

    def _say_what_serves(self, listener: str, tls: ServerTls) -> None:
        served = tls.certificate
        get_logger().info(
            "tls_certificate_serves",
            category="system",
            listener=listener,
            file=str(tls.files.certificate),
            subject=served.subject,
            names=list(served.names),
            issuer=served.issuer,
            serial_number=served.serial_number,
            valid_from=_text(served.valid_from),
            expires_at=_text(served.expires_at),
            asks_for_certificates=tls.asks_for_certificates,
        )
        if _is_readable_by_all(tls.files.key):
            get_logger().warning(
                "tls_key_readable_by_all",
                category="system",
                listener=listener,
                file=str(tls.files.key),
                remedy=f"chmod o= {tls.files.key}",
            )

    def _remind(self) -> None:
        now = datetime.now(UTC)
        for listener, tls in self._by_listener.items():
            served = tls.certificate
            last = self._reminded.get(listener)
            if not _ends_soon(tls, now) or (last is not None and now - last < _REMINDED_EVERY):
                continue
            self._reminded[listener] = now
            get_logger().warning(
                "tls_certificate_expired" if served.expires_at <= now else "tls_certificate_ends_soon",
                category="system",
                listener=listener,
                file=str(tls.files.certificate),
                expires_at=_text(served.expires_at),
            )


def _is_readable_by_all(file: Path) -> bool:
    """Whether every user of the machine may read a file; its group may, as Debian's `ssl-cert` does."""
    try:
        return bool(stat.S_IMODE(file.stat().st_mode) & stat.S_IROTH)
    except OSError:
        return False  # what was read is gone meanwhile


def _ends_soon(tls: ServerTls, now: datetime) -> bool:
    return tls.certificate.expires_at - now <= _ENDS_SOON


def open_tls(settings: Settings) -> ListenersTls:
    """Read what the settings name. Raises StartError."""
    wanted: dict[str, TlsFiles] = {}
    if settings.tls_cert is not None and settings.tls_key is not None:
        authorities = (settings.tls_client_ca, settings.ca_directory / AUTHORITY_FILE)
        wanted["ocpp"] = TlsFiles(
            settings.tls_cert, settings.tls_key, tuple(path for path in authorities if path is not None)
        )
        if settings.files_port is not None and (settings.files_url or "").startswith("https:"):
            wanted["files"] = TlsFiles(settings.tls_cert, settings.tls_key)
    if settings.http_tls_cert is not None and settings.http_tls_key is not None:
        wanted["http"] = TlsFiles(settings.http_tls_cert, settings.http_tls_key)
    try:
        return ListenersTls(
            {name: ServerTls(files, rsa_suites=settings.tls_rsa_suites) for name, files in wanted.items()}
        )
    except BadCertificate as error:
        raise StartError(f"tls: {error}") from error


def secured(tls: ServerTls | None, listener: str) -> Callable[[asyncio.Protocol], asyncio.Protocol] | None:
    """What puts TLS below an HTTP listener's protocol; None where it has none."""
    if tls is None:
        return None

    def failed(_: asyncio.Protocol, remote: str, reason: str) -> None:
        get_logger().info("tls_failed", category="system", listener=listener, remote_address=remote, reason=reason)

    return lambda protocol: TlsStream(protocol, tls.context, failed, HTTP_HANDSHAKE_TIMEOUT)


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
