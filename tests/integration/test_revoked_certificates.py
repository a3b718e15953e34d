"""A certificate that is revoked while its charge point is away, from the TLS socket to the database."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mcpp.csms.outcomes import ConnectionOutcome
from mcpp.domain.security_profiles import ProfilePolicy
from mcpp.server.passwords import Passwords
from mcpp.server.presence import Presence
from mcpp.storage.sqlite.database import open_writer
from mcpp.storage.sqlite.migrations import migrate
from mcpp.storage.writer import Writer
from mcpp.transport.limits import Limits
from mcpp.transport.tls import ServerTls, TlsFiles
from mcpp_generated.db.sqlite.queries import SqliteQueries
from tests.authority import Authority
from tests.integration.transport.support import HOST, CentralSystem, handshake


@contextmanager
def charger(port: int, context: ssl.SSLContext, session: ssl.SSLSession | None) -> Iterator[ssl.SSLSocket]:
    with (
        socket.create_connection((HOST, port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost", session=session) as tls,
    ):
        yield tls


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_revoked_certificate_does_not_come_back_by_a_session_that_is_resumed(
    tmp_path: Path, version: ssl.TLSVersion
) -> None:
    ca = Authority(tmp_path)
    pair, own = ca.server(), ca.charger("CP-1")
    revoked: set[str] = set()
    connection = open_writer(tmp_path / "mcpp.db")
    migrate(connection)
    writer = Writer(connection, SqliteQueries(connection))
    passwords = Passwords()
    presence = Presence(
        writer,
        lambda _: None,
        register_unknown=True,
        passwords=passwords,
        now=lambda: datetime.now(UTC),
        policy=ProfilePolicy(is_revoked=revoked.__contains__),
    )
    system = CentralSystem(Limits(close_timeout=0.5), tls=ServerTls(TlsFiles(pair.certificate, pair.key, (ca.file,))))
    system.door.verdict = presence.admit
    await system.start()
    context = ca.client_context(own)
    context.minimum_version = context.maximum_version = version
    session: ssl.SSLSession | None = None

    def log_in() -> str:
        nonlocal session
        with charger(system.port, context, session) as tls:
            tls.sendall(handshake("/ocpp/CP-1"))
            answer = tls.recv(4096).decode()
            session = tls.session
            return answer

    first = await asyncio.to_thread(log_in)
    revoked.add(own.serial_number)
    second = await asyncio.to_thread(log_in)

    assert first.startswith("HTTP/1.1 101 ")
    assert second.startswith("HTTP/1.1 403 ")
    ending = await system.recorder.until_outcome(ConnectionOutcome.CERTIFICATE_REFUSED)
    assert ending.detail == "its certificate is revoked; an operator gives it a new one"
    await system.listener.stop()
    await writer.close()
    passwords.close()
