"""Who gets in, as what, and how everybody else is answered."""

from __future__ import annotations

import asyncio
import base64
from http import HTTPStatus

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Opcode

from mcpp.csms.outcomes import ConnectionOutcome
from mcpp.ocppj.flow import Peer
from mcpp.phrases import Phrase
from mcpp.transport.admission import AdmissionRefused, Admitted, ConnectRequest
from mcpp.transport.limits import Limits
from tests.integration.transport.conftest import StartCentralSystem
from tests.integration.transport.support import CentralSystem, Dialect, handshake, soon


@pytest.mark.parametrize(
    ("target", "identity"),
    [
        ("/ocpp/CP1", "CP1"),
        ("//ocpp///CP1//", "CP1"),
        ("ocpp/CP1", "CP1"),
        ("ws://central.example:9000/ocpp/CP1", "CP1"),
        ("/ocpp/CP1?token=1", "CP1"),
        ("/ocpp/site%20A/CP1", "CP1"),
        ("/ocpp/Lade%C3%A4%20%231", "Ladeä #1"),
        ("/%6Fcpp/CP%2B1+2", "CP+1+2"),
        ("/ocpp/" + "x" * 255, "x" * 255),
    ],
)
async def test_identity_is_the_last_segment(system: CentralSystem, target: str, identity: str) -> None:
    raw = await system.dial_raw()
    head = await raw.request(target)

    assert head.startswith("HTTP/1.1 101 ")
    assert [request.identity for request in system.door.requests] == [identity]
    assert system.recorder.outcomes == [ConnectionOutcome.ACCEPTED]
    await raw.close()


@pytest.mark.parametrize(
    ("target", "status", "outcome"),
    [
        ("/ocpp/", 400, ConnectionOutcome.BAD_IDENTITY),
        ("/ocpp", 400, ConnectionOutcome.BAD_IDENTITY),
        ("/ocpp/a%2Fb", 400, ConnectionOutcome.BAD_IDENTITY),
        ("/ocpp/a%00b", 400, ConnectionOutcome.BAD_IDENTITY),
        ("/ocpp/a%0Ab", 400, ConnectionOutcome.BAD_IDENTITY),
        ("/ocpp/%ff", 400, ConnectionOutcome.BAD_IDENTITY),
        ("/ocpp/" + "x" * 256, 400, ConnectionOutcome.BAD_IDENTITY),
        ("/other/CP1", 404, ConnectionOutcome.BAD_PATH),
        ("/ocppx/CP1", 404, ConnectionOutcome.BAD_PATH),
        ("/OCPP/CP1", 404, ConnectionOutcome.BAD_PATH),
        ("/", 404, ConnectionOutcome.BAD_PATH),
    ],
)
async def test_where_the_path_is_strict_others_are_refused(
    start: StartCentralSystem, target: str, status: int, outcome: ConnectionOutcome
) -> None:
    system = await start(path_strict=True)
    await _is_refused(system, target, status, outcome)


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/ocpp",
        "/OCPP/",
        "/ocpp/?id=CP1",
        "/ocpp/%ff",
        "/ocpp1.6",
        "/ocpp/ocpp16J/",
        "/ocpp2.0.1/",
        "/ws",
        "/WebSocket/",
        "/webServices/ocpp/",
        "/services/ocppj",
        "/steve/websocket/CentralSystemService/",
        "/steve/websocket/centralsystemservice",
        "/site/CP%2F1",
        "ws://user:secret@host/steve/websocket/CentralSystemService",
    ],
)
async def test_a_path_without_an_identity_makes_no_charger(system: CentralSystem, target: str) -> None:
    await _is_refused(system, target, 400, ConnectionOutcome.BAD_IDENTITY)


async def _is_refused(system: CentralSystem, target: str, status: int, outcome: ConnectionOutcome) -> None:
    raw = await system.dial_raw()
    head = await raw.request(target)
    await raw.at_end()

    assert head.startswith(f"HTTP/1.1 {status} ")
    assert system.recorder.outcomes == [outcome]
    assert system.door.requests == []
    await raw.close()


@pytest.mark.parametrize(
    ("target", "identity", "shown"),
    [
        ("/CP-1", "CP-1", "/CP-1"),
        ("/OCPP/CP-1/", "CP-1", "/OCPP/CP-1/"),
        ("/steve/websocket/CentralSystemService/cp-1", "cp-1", "/steve/websocket/CentralSystemService/cp-1"),
        ("/a//b/Lade%C3%A4?token=abc", "Ladeä", "/a//b/Lade%C3%A4"),
        ("wss://user:secret@host:9000/steve/ocpp/CP-1?x=1", "CP-1", "/steve/ocpp/CP-1"),
        ("/password=hunter2/CP-1", "CP-1", "/password=***/CP-1"),
        ("/p%61ssword%3Dhunter2/CP-1", "CP-1", "/password=***/CP-1"),
    ],
)
async def test_any_other_path_does_and_is_said(system: CentralSystem, target: str, identity: str, shown: str) -> None:
    raw = await system.dial_raw()
    head = await raw.request(target)

    assert head.startswith("HTTP/1.1 101 ")
    assert [request.identity for request in system.door.requests] == [identity]
    assert system.recorder.outcomes == [ConnectionOutcome.ACCEPTED, ConnectionOutcome.OTHER_PATH]
    assert system.recorder.endings[-1].path == shown
    await raw.close()


async def test_two_that_share_the_last_segment_are_told_apart_by_their_paths(system: CentralSystem) -> None:
    first, second = await system.dial_raw(), await system.dial_raw()
    await first.request("/house-a/CP-1")
    await second.request("/house-b/CP-1")

    taken_over = await system.recorder.until_outcome(ConnectionOutcome.TAKEN_OVER)
    assert taken_over.path == "/house-b/CP-1"
    assert taken_over.detail.endswith(" by /house-a/CP-1")
    await first.close()
    await second.close()


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["ocpp1.6"], "ocpp1.6"),
        (["ocpp2.0.1", "ocpp1.6"], "ocpp2.0.1"),
        (["ocpp1.6", "ocpp2.0.1"], "ocpp1.6"),
        (["ocpp9", "ocpp1.6"], "ocpp1.6"),
    ],
)
async def test_subprotocol_is_the_first_offered_one_we_speak(
    start: StartCentralSystem, offered: list[str], chosen: str
) -> None:
    system = await start(None, Dialect("ocpp1.6"), Dialect("ocpp2.0.1"))
    async with system.dial(subprotocols=offered) as client:
        assert client.subprotocol == chosen
        assert system.live().ocpp_version == chosen.removeprefix("ocpp")
        assert chosen.removeprefix("ocpp") in system.door.requests[0].ocpp_versions


async def test_no_subprotocol_means_the_first_dialect_and_is_counted(start: StartCentralSystem) -> None:
    system = await start(None, Dialect("ocpp1.6"), Dialect("ocpp2.0.1"))
    async with system.dial(subprotocols=()) as client:
        assert client.subprotocol is None
        assert system.live().ocpp_version == "1.6"
        assert system.recorder.outcomes == [ConnectionOutcome.ACCEPTED_WITHOUT_SUBPROTOCOL]


async def test_only_unknown_subprotocols_get_a_handshake_and_are_closed(system: CentralSystem) -> None:
    """OCPP-J 1.6 §3.2."""
    raw = await system.dial_raw()
    head = await raw.request("/ocpp/CP1", {"Sec-WebSocket-Protocol": "ocpp9, soap"})
    opcode, _ = await raw.frame()

    assert head.startswith("HTTP/1.1 101 ")
    assert "sec-websocket-protocol" not in head.lower()
    assert opcode is Opcode.CLOSE
    assert system.recorder.endings[0].outcome == ConnectionOutcome.UNKNOWN_SUBPROTOCOL
    assert system.recorder.endings[0].detail == "it offers ocpp9, soap and none of 1.6"
    assert system.events == []
    await raw.close()


@pytest.mark.parametrize(
    ("header", "user", "password"),
    [
        ("", None, None),
        ("Basic " + base64.b64encode(b"CP1:secret").decode(), "CP1", b"secret"),
        ("basic " + base64.b64encode(b"CP1:se:cr:et").decode(), "CP1", b"se:cr:et"),
        ("Basic " + base64.b64encode(b"CP1:\x00\xff:\x10").decode(), "CP1", b"\x00\xff:\x10"),
        ("Basic " + base64.b64encode(b"CP1:").decode(), "CP1", b""),
        ("Basic " + base64.b64encode(b"no colon").decode(), None, None),
        ("Basic ***", None, None),
        ("Bearer abc", None, None),
    ],
)
async def test_credentials_are_handed_to_admission(
    system: CentralSystem, header: str, user: str | None, password: bytes | None
) -> None:
    raw = await system.dial_raw()
    await raw.request("/ocpp/CP1", {"Authorization": header})

    assert system.door.requests == [ConnectRequest("CP1", "127.0.0.1", ("1.6",), user, password)]
    await raw.close()


def test_password_does_not_show_in_logs_of_the_request() -> None:
    assert "secret" not in repr(ConnectRequest("CP1", "127.0.0.1", ("1.6",), "CP1", b"secret"))


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (HTTPStatus.UNAUTHORIZED, ConnectionOutcome.UNAUTHORIZED),
        (HTTPStatus.NOT_FOUND, ConnectionOutcome.UNKNOWN_CHARGE_POINT),
    ],
)
async def test_admission_refuses_with_its_status(
    system: CentralSystem, status: HTTPStatus, outcome: ConnectionOutcome
) -> None:
    async def refuse(request: ConnectRequest) -> Admitted | AdmissionRefused:
        await asyncio.sleep(0)
        return AdmissionRefused(status, Phrase("not you"), outcome)

    system.door.verdict = refuse
    with pytest.raises(InvalidStatus) as refused:
        async with system.dial():
            pass

    response = refused.value.response
    assert (response.status_code, response.body) == (status, b"not you\n")
    assert ("WWW-Authenticate" in response.headers) is (status is HTTPStatus.UNAUTHORIZED)
    assert system.recorder.outcomes == [outcome]
    assert len(system.registry) == 0


async def test_admission_that_fails_is_a_503(system: CentralSystem) -> None:
    async def fail(request: ConnectRequest) -> Admitted | AdmissionRefused:
        raise OSError("disk is gone")

    system.door.verdict = fail
    with pytest.raises(InvalidStatus) as refused:
        async with system.dial():
            pass

    assert refused.value.response.status_code == 503
    assert refused.value.response.body is not None
    assert b"disk" not in refused.value.response.body
    assert "disk is gone" in system.recorder.endings[0].detail


async def test_admission_that_takes_too_long_is_cut_and_cancelled(start: StartCentralSystem) -> None:
    system = await start(Limits(handshake_timeout=0.05, close_timeout=0.5))
    cancelled = asyncio.Event()

    async def never(request: ConnectRequest) -> Admitted | AdmissionRefused:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return Admitted(Peer(1, request.identity), 1, "1.6")

    system.door.verdict = never
    raw = await system.dial_raw()
    raw.writer.write(handshake("/ocpp/CP1"))

    assert await raw.at_end() == b""
    await soon(cancelled.wait())
    assert system.recorder.outcomes == [ConnectionOutcome.HANDSHAKE_TIMEOUT]
    await raw.close()


async def test_data_before_the_end_of_the_handshake_is_cut(system: CentralSystem) -> None:
    """RFC 6455 §4.1: the client waits for the answer."""
    raw = await system.dial_raw()
    raw.writer.write(handshake("/ocpp/CP1") + b"\x89\x80\0\0\0\0")

    assert await raw.at_end() == b""
    assert system.recorder.outcomes == [ConnectionOutcome.BAD_REQUEST]
    await raw.close()


@pytest.mark.parametrize(
    ("method", "headers", "status", "why"),
    [
        ("GET", {"Upgrade": "", "Connection": "close"}, 426, "it asks by plain HTTP"),
        ("POST", {"Content-Length": "9"}, 405, "it sends an HTTP POST, as OCPP over SOAP does"),
        ("GET", {"Sec-WebSocket-Version": "8"}, 400, "Version"),
        ("GET", {"Sec-WebSocket-Key": ""}, 400, "Key"),
        ("GET", {"X-Long": "x" * 9000}, 431, "more than 8192 bytes"),
    ],
)
async def test_requests_that_are_no_handshake_are_answered(
    system: CentralSystem, method: str, headers: dict[str, str], status: int, why: str
) -> None:
    raw = await system.dial_raw()
    head = await raw.request("/ocpp/CP1", headers, method)
    await raw.at_end()

    assert head.startswith(f"HTTP/1.1 {status} ")
    assert system.recorder.outcomes == [ConnectionOutcome.BAD_REQUEST]
    assert why in system.recorder.endings[0].detail
    await raw.close()


@pytest.mark.parametrize("garbage", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n", b"SSH-2.0-OpenSSH\r\n", b"\r\n\r\n"])
async def test_garbage_is_cut(system: CentralSystem, garbage: bytes) -> None:
    raw = await system.dial_raw()
    raw.writer.write(garbage)

    assert await raw.at_end() == b""
    assert system.recorder.outcomes == [ConnectionOutcome.BAD_REQUEST]
    await raw.close()


@pytest.mark.parametrize("part", [b"", handshake("/ocpp/CP1")[:-2]])
async def test_a_request_that_never_ends_is_cut(start: StartCentralSystem, part: bytes) -> None:
    system = await start(Limits(handshake_timeout=0.05))
    raw = await system.dial_raw()
    raw.writer.write(part)

    assert await raw.at_end() == b""
    assert system.recorder.outcomes == [ConnectionOutcome.HANDSHAKE_TIMEOUT]
    await raw.close()


async def test_a_port_probe_is_counted(system: CentralSystem) -> None:
    raw = await system.dial_raw()
    raw.writer.close()

    await system.recorder.until_outcome(ConnectionOutcome.HANDSHAKE_ABORTED)
    assert system.recorder.outcomes == [ConnectionOutcome.HANDSHAKE_ABORTED]


async def test_a_refused_client_that_stays_is_cut(start: StartCentralSystem) -> None:
    system = await start(Limits(close_timeout=0.05))
    raw = await system.dial_raw()
    await raw.request("/ocpp/")
    await raw.at_end()
    with pytest.raises(ConnectionError):
        await soon(raw.write_for_ever(b"x"))
    await raw.close()


async def test_compression_is_never_agreed(system: CentralSystem) -> None:
    raw = await system.dial_raw()
    head = await raw.request("/ocpp/CP1", {"Sec-WebSocket-Extensions": "permessage-deflate"})

    assert "sec-websocket-extensions" not in head.lower()
    await raw.close()


async def test_a_port_in_use_is_an_os_error(system: CentralSystem) -> None:
    other = CentralSystem(Limits())
    other.listener._port = system.port
    with pytest.raises(OSError, match="ddress already in use"):
        await other.start()


async def test_connections_are_counted_once_at_each_end(system: CentralSystem) -> None:
    async with system.dial() as client:
        await client.close()
        with pytest.raises(ConnectionClosed):
            await soon(client.recv())
    await system.recorder.until_outcome(ConnectionOutcome.CLOSED)

    assert system.recorder.outcomes == [ConnectionOutcome.ACCEPTED, ConnectionOutcome.CLOSED]
