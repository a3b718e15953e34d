"""TLS on the listener: who gets through the handshake, and what is said of everybody else."""

from __future__ import annotations

import asyncio
import socket
import ssl
import warnings
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from mcpp.csms.outcomes import ConnectionOutcome
from mcpp.transport.limits import Limits
from mcpp.transport.tls import ServerTls, TlsFiles
from tests.authority import Authority, Key, Pair, new_key, rsa_key
from tests.integration.transport.conftest import StartCentralSystem
from tests.integration.transport.support import HOST, CentralSystem, RawSocket, handshake, soon

StartTls = Callable[..., Awaitable[CentralSystem]]


@pytest.fixture
def ca(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def start_tls(start: StartCentralSystem, ca: Authority) -> StartTls:
    """Starts central systems by TLS that accept certificates of `ca`."""

    async def start_one(
        limits: Limits | None = None, *, key: Key | None = None, rsa_suites: bool = False
    ) -> CentralSystem:
        pair = ca.server(key=key)
        files = TlsFiles(pair.certificate, pair.key, (ca.file,))
        return await start(limits, tls=ServerTls(files, rsa_suites=rsa_suites))

    return start_one


def client(system: CentralSystem, context: ssl.SSLContext, session: ssl.SSLSession | None = None) -> ssl.SSLSocket:
    """A client that blocks, which sees all that TLS says."""
    with ExitStack() as closing:
        plain = closing.enter_context(socket.create_connection((HOST, system.port), timeout=10))
        tls = context.wrap_socket(plain, server_hostname="localhost", session=session, suppress_ragged_eofs=False)
        closing.pop_all()
        return tls


def log_in(
    system: CentralSystem, context: ssl.SSLContext, identity: str = "CP1", session: ssl.SSLSession | None = None
) -> tuple[str, ssl.SSLSocket]:
    """The first line of the answer to a handshake, and the socket that it came on."""
    with ExitStack() as closing:
        opened = closing.enter_context(client(system, context, session))
        opened.sendall(handshake(f"/ocpp/{identity}"))
        line = opened.recv(4096).decode().partition("\r\n")[0]
        closing.pop_all()
        return line, opened


async def logged_in(system: CentralSystem, context: ssl.SSLContext, identity: str = "CP1") -> str:
    line, opened = await soon(asyncio.to_thread(log_in, system, context, identity))
    opened.close()
    return line


async def fails(system: CentralSystem, context: ssl.SSLContext) -> None:
    """The client is told by an alert, at its first read at the latest: TLS 1.3 lets it believe in success before."""
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await logged_in(system, context)


async def plain(system: CentralSystem) -> RawSocket:
    return RawSocket(*await asyncio.open_connection(HOST, system.port))


def hello(context: ssl.SSLContext) -> bytes:
    """What a client says first."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    return outgoing.read()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_certificate_is_what_a_charge_point_has_shown(
    start_tls: StartTls, ca: Authority, version: ssl.TLSVersion
) -> None:
    system = await start_tls()
    pair = ca.charger("CP1", organization="Parking Ltd")
    shown, nothing = ca.client_context(pair), ca.client_context()
    for context in (shown, nothing):
        context.minimum_version = context.maximum_version = version
        assert (await logged_in(system, context)).startswith("HTTP/1.1 101 ")

    first, second = system.door.requests
    assert (first.encrypted, second.encrypted) == (True, True)
    assert second.certificate is None
    assert first.certificate is not None
    assert (first.certificate.common_name, first.certificate.organization) == ("CP1", "Parking Ltd")
    assert first.certificate.serial_number == pair.serial_number


async def test_a_plain_connection_is_not_encrypted(system: CentralSystem) -> None:
    raw = await system.dial_frames()

    assert [(request.encrypted, request.certificate) for request in system.door.requests] == [(False, None)]
    await raw.close()


async def test_of_several_names_none_is_believed(start_tls: StartTls, ca: Authority) -> None:
    system = await start_tls()
    await logged_in(system, ca.client_context(ca.charger("CP1", "CP2")))
    (request,) = system.door.requests

    assert request.certificate is not None
    assert request.certificate.common_name == ""


def a_wrong_certificate(ca: Authority, directory: Path, kind: str) -> Pair:
    match kind:
        case "expired":
            return ca.charger("CP1", days=-1)
        case "foreign":
            return Authority(directory, "Other").charger("CP1")
        case "of_a_server":
            return ca.server(name="CP1")
        case _:
            return ca.charger("CP1", key=rsa_key(1024))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("expired", "certificate has expired"),
        ("foreign", "unable to get local issuer certificate"),
        ("of_a_server", "unsuitable certificate purpose"),
        ("short_key", "EE certificate key too weak"),
    ],
)
async def test_a_certificate_that_does_not_hold_fails_the_handshake(
    start_tls: StartTls, ca: Authority, tmp_path: Path, kind: str, reason: str, version: ssl.TLSVersion
) -> None:
    system = await start_tls()
    context = ca.client_context()
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    shown = a_wrong_certificate(ca, tmp_path, kind)
    context.load_cert_chain(shown.certificate, shown.key)
    context.minimum_version = context.maximum_version = version
    await fails(system, context)
    ending = await system.recorder.until_outcome(ConnectionOutcome.TLS_FAILED)

    assert reason in ending.detail
    assert system.door.requests == []
    assert system.recorder.outcomes == [ConnectionOutcome.TLS_FAILED]


async def test_plain_ws_is_answered_in_plain_words(start_tls: StartTls) -> None:
    system = await start_tls()
    raw = await plain(system)
    head = await raw.request("/ocpp/CP1")
    ending = await system.recorder.until_outcome(ConnectionOutcome.TLS_FAILED)

    assert head.startswith("HTTP/1.1 400 ")
    assert await raw.at_end() == b"this port speaks TLS: use wss:// or https://\n"
    assert ending.detail == "it speaks plain ws:// or http:// to a port with TLS"
    await raw.close()


async def test_garbage_is_no_tls(start_tls: StartTls) -> None:
    system = await start_tls()
    for garbage in (b"\0" * 100, b"\xff\xfe", b"\x80\x2e\x01\x03\x01"):
        raw = await plain(system)
        raw.writer.write(garbage)
        assert await raw.at_end() == b""
        await raw.close()
    ending = await system.recorder.until_outcome(ConnectionOutcome.TLS_FAILED, times=3)

    assert ending.detail == "what it sends is no TLS"


async def test_garbage_in_a_record_of_tls_is_told_by_an_alert(start_tls: StartTls) -> None:
    system = await start_tls()
    raw = await plain(system)
    raw.writer.write(b"\x16\x03\x01\x00\x20" + b"\xaa" * 32)

    assert (await raw.at_end())[:1] == b"\x15"
    assert "TLS handshake failed" in (await system.recorder.until_outcome(ConnectionOutcome.TLS_FAILED)).detail
    await raw.close()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
async def test_a_handshake_that_breaks_off(start_tls: StartTls, ca: Authority, share: float) -> None:
    system = await start_tls()
    greeting = hello(ca.client_context())
    raw = await plain(system)
    raw.writer.write(greeting[: int(len(greeting) * share)])
    raw.writer.write_eof()
    ending = await system.recorder.until_outcome(ConnectionOutcome.TLS_FAILED)

    assert ending.detail == "it left in the middle of the TLS handshake"
    await raw.close()


async def test_a_handshake_that_stops_is_cut_in_time(start_tls: StartTls, ca: Authority) -> None:
    system = await start_tls(Limits(handshake_timeout=0.2))
    greeting = hello(ca.client_context())
    sockets = [await plain(system) for _ in range(3)]
    for raw, said in zip(sockets, (b"", greeting[:20], greeting), strict=True):
        raw.writer.write(said)
    ending = await system.recorder.until_outcome(ConnectionOutcome.HANDSHAKE_TIMEOUT, times=3)

    assert ending.detail == "in the TLS handshake"
    for raw in sockets:
        await raw.at_end()
        await raw.close()


async def test_a_request_that_breaks_off_behind_tls(start_tls: StartTls, ca: Authority) -> None:
    system = await start_tls()
    request = handshake("/ocpp/CP1")

    def break_off() -> None:
        with client(system, ca.client_context()) as opened:
            opened.sendall(request[: len(request) // 2])

    await soon(asyncio.to_thread(break_off))
    await system.recorder.until_outcome(ConnectionOutcome.HANDSHAKE_ABORTED)

    assert system.recorder.outcomes == [ConnectionOutcome.HANDSHAKE_ABORTED]
    assert system.door.requests == []


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_login_that_was_listened_to_is_worth_nothing_again(
    start_tls: StartTls, ca: Authority, version: ssl.TLSVersion
) -> None:
    system = await start_tls(Limits(handshake_timeout=1))
    context = ca.client_context(ca.charger("CP1"))
    context.minimum_version = context.maximum_version = version
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    raw = await plain(system)
    said = b""

    async def step() -> None:
        nonlocal said
        said += (text := outgoing.read())
        raw.writer.write(text)
        incoming.write(await soon(raw.reader.read(65536)))

    while True:
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            await step()
        else:
            break
    tls.write(handshake("/ocpp/CP1"))
    await step()
    await system.recorder.until_outcome(ConnectionOutcome.ACCEPTED)
    await raw.close()

    again = await plain(system)
    again.writer.write(said)
    ending = await system.recorder.until_outcome(ConnectionOutcome.TLS_FAILED)

    assert "TLS handshake failed" in ending.detail
    assert len(system.door.requests) == 1
    await again.close()


async def test_tls_to_a_plain_port_is_said(system: CentralSystem, ca: Authority) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await soon(asyncio.to_thread(client, system, ca.client_context()))
    ending = await system.recorder.until_outcome(ConnectionOutcome.BAD_REQUEST)

    assert ending.detail == "it speaks TLS (wss://) to a port without; set tls-cert, or use ws://"


async def test_a_charge_point_that_does_not_trust_the_server(start_tls: StartTls) -> None:
    system = await start_tls()
    await fails(system, ssl.create_default_context())
    ending = await system.recorder.until_outcome(ConnectionOutcome.TLS_FAILED)

    assert ending.detail == "it ended the handshake, maybe for this server's certificate: unknown ca"


async def test_older_versions_are_refused(start_tls: StartTls, ca: Authority) -> None:
    system = await start_tls()
    context = ca.client_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    await fails(system, context)
    ending = await system.recorder.until_outcome(ConnectionOutcome.TLS_FAILED)

    assert ending.detail == "it speaks no TLS 1.2 or later"


@pytest.mark.parametrize(
    ("suite", "key", "rsa_suites", "agreed"),
    [
        # The four of the security whitepaper (A00.FR.318 and its neighbours), and those of an RSA certificate.
        ("ECDHE-ECDSA-AES128-GCM-SHA256", "ec", False, True),
        ("ECDHE-ECDSA-AES256-GCM-SHA384", "ec", False, True),
        ("AES128-GCM-SHA256", "rsa", True, True),
        ("AES256-GCM-SHA384", "rsa", True, True),
        ("ECDHE-RSA-AES128-GCM-SHA256", "rsa", False, True),
        ("ECDHE-RSA-AES256-GCM-SHA384", "rsa", False, True),
        ("AES128-GCM-SHA256", "rsa", False, False),
        ("AES256-GCM-SHA384", "rsa", False, False),
        ("AES128-SHA", "rsa", True, False),
        ("ECDHE-RSA-AES128-SHA256", "rsa", True, False),
        ("ECDHE-ECDSA-CHACHA20-POLY1305", "ec", False, False),
    ],
)
async def test_the_suites_of_the_security_extension(
    start_tls: StartTls, ca: Authority, suite: str, key: str, rsa_suites: bool, agreed: bool
) -> None:
    system = await start_tls(key=rsa_key() if key == "rsa" else new_key(), rsa_suites=rsa_suites)
    context = ca.client_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"{suite}:@SECLEVEL=0")
    if agreed:
        line, opened = await soon(asyncio.to_thread(log_in, system, context))
        cipher = opened.cipher()
        assert line.startswith("HTTP/1.1 101 ")
        assert cipher is not None
        assert cipher[0] == suite
        opened.close()
    else:
        await fails(system, context)
        ending = await system.recorder.until_outcome(ConnectionOutcome.TLS_FAILED)
        assert ending.detail == "it offers no cipher suite that is allowed here; old ones may need tls-rsa-suites"


async def test_a_suite_without_forward_secrecy_is_the_last_choice(start_tls: StartTls, ca: Authority) -> None:
    system = await start_tls(key=rsa_key(), rsa_suites=True)
    context = ca.client_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256")
    _, opened = await soon(asyncio.to_thread(log_in, system, context))
    cipher = opened.cipher()

    assert cipher is not None
    assert cipher[0] == "ECDHE-RSA-AES128-GCM-SHA256"
    opened.close()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_session_that_is_resumed_shows_its_certificate_again(
    start_tls: StartTls, ca: Authority, version: ssl.TLSVersion
) -> None:
    """So whether it's revoked is asked at each connection; TLS 1.3 has no session to resume."""
    system = await start_tls()
    pair = ca.charger("CP1")
    context = ca.client_context(pair)
    context.minimum_version = context.maximum_version = version
    _, first = await soon(asyncio.to_thread(log_in, system, context))
    session = first.session
    first.close()
    line, second = await soon(asyncio.to_thread(log_in, system, context, "CP1", session))

    assert line.startswith("HTTP/1.1 101 ")
    assert second.session_reused is (version is ssl.TLSVersion.TLSv1_2)
    serials = [request.certificate and request.certificate.serial_number for request in system.door.requests]
    assert serials == [pair.serial_number, pair.serial_number]
    second.close()


async def test_the_end_is_told_so_that_nothing_can_be_cut_off(start_tls: StartTls, ca: Authority) -> None:
    system = await start_tls()
    line, opened = await soon(asyncio.to_thread(log_in, system, ca.client_context(), ""))

    assert line.startswith("HTTP/1.1 400 ")
    # A ragged end would raise SSLEOFError.
    assert await soon(asyncio.to_thread(opened.recv, 100)) == b""
    opened.close()


async def test_a_renewed_certificate_serves_new_connections_and_disturbs_no_old_one(
    start: StartCentralSystem, ca: Authority, tmp_path: Path
) -> None:
    old, new = ca.server(), ca.server()
    used = Pair(tmp_path / "used.pem", tmp_path / "used.key", "")

    def put(pair: Pair) -> None:
        used.certificate.write_bytes(pair.certificate.read_bytes())
        used.key.write_bytes(pair.key.read_bytes())

    put(old)
    tls = ServerTls(TlsFiles(used.certificate, used.key))
    system = await start(None, tls=tls)
    _, before = await soon(asyncio.to_thread(log_in, system, ca.client_context(), "CP1"))
    put(new)
    tls.reload()
    _, after = await soon(asyncio.to_thread(log_in, system, ca.client_context(), "CP2"))
    await system.recorder.until_outcome(ConnectionOutcome.ACCEPTED, times=2)
    serials = [(opened.getpeercert() or {})["serialNumber"] for opened in (before, after)]

    assert serials == [old.serial_number.zfill(40), new.serial_number.zfill(40)]
    assert len(system.registry) == 2
    for opened in (before, after):
        opened.close()
