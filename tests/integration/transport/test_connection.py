"""The life of a connection: frames, liveness, back-pressure in both directions, and every way it ends."""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode, Opcode

from mcpp.csms.outcomes import ConnectionOutcome
from mcpp.transport.limits import Limits
from tests.integration.transport.conftest import StartCentralSystem
from tests.integration.transport.support import (
    AT_ANY_PACE,
    ECHO,
    CentralSystem,
    Text,
    call,
    frame,
    receive,
    result,
    soon,
)


async def closing(client: ClientConnection) -> tuple[int, str]:
    """Code and reason that the server closes a connection with."""
    with pytest.raises(ConnectionClosed) as closed:
        await soon(client.recv())
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


async def test_the_charge_point_closes(system: CentralSystem) -> None:
    async with system.dial() as client:
        assert system.events == ["CP1 connected"]
        await client.close(1000, "done")
        ending = await system.recorder.until_outcome(ConnectionOutcome.CLOSED)

    assert ending.identity == "CP1"
    assert "1000" in ending.detail
    assert client.close_code == 1000
    assert system.events == ["CP1 connected", "CP1 disconnected"]


async def test_a_call_right_before_the_close_frame_is_handled(system: CentralSystem) -> None:
    raw = await system.dial_frames()
    text, close = call("m1", "Echo", "last words").encode(), b"\x03\xe8"
    # In one write, so that both come in one read.
    raw.writer.write(frame(Opcode.TEXT, text) + frame(Opcode.CLOSE, close))
    await system.recorder.until_outcome(ConnectionOutcome.CLOSED)

    assert system.dialect.published == ["last words"]
    await raw.close()


async def test_an_abrupt_cut_is_noticed(system: CentralSystem) -> None:
    async with system.dial() as client:
        client.transport.abort()
        await system.recorder.until_outcome(ConnectionOutcome.LOST)

    assert system.events == ["CP1 connected", "CP1 disconnected"]
    assert len(system.registry) == 0


async def test_a_redial_replaces_the_half_open_connection(system: CentralSystem) -> None:
    half_open = await system.dial_frames()
    old = system.live()
    pending = asyncio.create_task(old.call(ECHO, Text(text="into the void")))
    async with system.dial() as client:
        await system.recorder.until_outcome(ConnectionOutcome.REPLACED)
        assert system.live() is not old
        with pytest.raises(Exception, match="ended"):
            await soon(pending)
        await half_open.close()
        await client.send(call("m1", "Echo", "still here"))

        assert await receive(client) == result("m1", "still here")
        assert system.registry.connected("CP1")
        assert system.events == ["CP1 connected", "CP1 connected"]
    await system.recorder.until_outcome(ConnectionOutcome.CLOSED)

    assert system.events == ["CP1 connected", "CP1 connected", "CP1 disconnected"]
    # From the same address, so nobody took it over.
    assert ConnectionOutcome.TAKEN_OVER not in system.recorder.outcomes


async def test_a_replaced_connection_that_lives_is_closed(system: CentralSystem) -> None:
    async with system.dial() as old, system.dial():
        assert await closing(old) == (CloseCode.POLICY_VIOLATION, "replaced by a newer connection")


async def test_a_takeover_from_another_address_is_counted(system: CentralSystem) -> None:
    old = await system.dial_frames()
    new = await system.dial_raw("127.0.0.2")
    await new.request("/ocpp/CP1")
    ending = await system.recorder.until_outcome(ConnectionOutcome.TAKEN_OVER)

    assert (ending.identity, ending.detail) == ("CP1", "from 127.0.0.1")
    assert system.recorder.outcomes == [
        ConnectionOutcome.ACCEPTED,
        ConnectionOutcome.ACCEPTED,
        ConnectionOutcome.TAKEN_OVER,
        ConnectionOutcome.REPLACED,
    ]
    for raw in (old, new):
        await raw.close()


async def test_a_silent_connection_is_pinged_then_closed(start: StartCentralSystem) -> None:
    system = await start(Limits(idle_timeout=0.09, close_timeout=0.5))
    raw = await system.dial_frames()
    frames = [await raw.frame()]
    while frames[-1][0] is not Opcode.CLOSE:
        frames.append(await raw.frame())

    assert Opcode.PING in [opcode for opcode, _ in frames]
    assert frames[-1][1].endswith(b"no frame within the idle timeout")
    assert system.recorder.outcomes == [ConnectionOutcome.ACCEPTED, ConnectionOutcome.IDLE]
    await raw.close()


async def test_answered_pings_keep_a_connection(start: StartCentralSystem) -> None:
    system = await start(Limits(idle_timeout=0.15, close_timeout=0.5))
    raw = await system.dial_frames()
    for _ in range(6):  # Twice the idle timeout.
        opcode, data = await raw.frame()
        assert opcode is Opcode.PING
        raw.send_frame(Opcode.PONG, data)

    assert system.recorder.outcomes == [ConnectionOutcome.ACCEPTED]
    await raw.close()


async def test_calls_keep_a_connection_that_answers_no_pings(start: StartCentralSystem) -> None:
    system = await start(Limits(idle_timeout=0.15, close_timeout=0.5))
    raw = await system.dial_frames()
    pings = 0
    while pings < 6:  # Twice the idle timeout.
        opcode, _ = await raw.frame()
        pings += opcode is Opcode.PING
        if opcode is Opcode.PING:
            raw.send_frame(Opcode.TEXT, call("m", "Echo", "x").encode())

    assert system.recorder.outcomes == [ConnectionOutcome.ACCEPTED]
    await raw.close()


async def test_pings_are_answered(system: CentralSystem) -> None:
    raw = await system.dial_frames()
    raw.send_frame(Opcode.PING, b"there?")

    assert await raw.frame() == (Opcode.PONG, b"there?")
    await raw.close()


async def test_fragments_make_one_message(system: CentralSystem) -> None:
    text = call("m1", "Echo", "in päces").encode()
    raw = await system.dial_frames()
    raw.send_frame(Opcode.TEXT, text[:30], fin=False)
    raw.send_frame(Opcode.PING, b"")
    raw.send_frame(Opcode.CONT, b"", fin=False)
    raw.send_frame(Opcode.CONT, text[30:])

    assert await raw.frame() == (Opcode.PONG, b"")
    assert json.loads((await raw.frame())[1]) == [3, "m1", {"text": "in päces"}]
    await raw.close()


async def test_binary_messages_are_taken_for_text_and_counted(system: CentralSystem) -> None:
    text = call("m1", "Echo", "x").encode()
    raw = await system.dial_frames()
    raw.send_frame(Opcode.BINARY, text)
    await raw.frame()
    raw.send_frame(Opcode.BINARY, text[:9], fin=False)
    raw.send_frame(Opcode.CONT, text[9:])

    assert await raw.frame() == (Opcode.TEXT, result("m1", "x").encode())
    assert system.recorder.frames == ["in Echo m1 binary_frame", "answered m1"] * 2
    await raw.close()


@pytest.mark.parametrize("fragments", [1, 4])
async def test_a_message_over_the_limit_closes_with_1009(start: StartCentralSystem, fragments: int) -> None:
    system = await start(Limits(max_message_size=1000, close_timeout=0.5))
    raw = await system.dial_frames()
    for number in range(fragments):
        opcode = Opcode.CONT if number else Opcode.TEXT
        raw.send_frame(opcode, b"x" * (1001 // fragments + 1), fin=number == fragments - 1)
    opcode, data = await raw.frame()

    assert (opcode, data[:2]) == (Opcode.CLOSE, CloseCode.MESSAGE_TOO_BIG.to_bytes(2, "big"))
    assert system.recorder.outcomes == [ConnectionOutcome.ACCEPTED, ConnectionOutcome.MESSAGE_TOO_BIG]
    await raw.close()


async def test_a_message_at_the_limit_is_taken(start: StartCentralSystem) -> None:
    text = call("m1", "Echo", "x" * 900).encode()
    system = await start(Limits(max_message_size=len(text), close_timeout=0.5))
    raw = await system.dial_frames()
    raw.send_frame(Opcode.TEXT, text)

    assert (await raw.frame())[0] is Opcode.TEXT
    await raw.close()


@pytest.mark.parametrize(
    "frame",
    [
        b"\xc1\x80\0\0\0\0",  # RSV1: compressed, though it wasn't negotiated
        b"\x81\x00",  # not masked
        b"\x83\x80\0\0\0\0",  # reserved opcode
        b"\x80\x80\0\0\0\0",  # continuation of nothing
    ],
)
async def test_breaches_of_the_websocket_protocol_close_with_1002(system: CentralSystem, frame: bytes) -> None:
    raw = await system.dial_frames()
    raw.writer.write(frame)
    opcode, data = await raw.frame()

    assert (opcode, data[:2]) == (Opcode.CLOSE, CloseCode.PROTOCOL_ERROR.to_bytes(2, "big"))
    assert [ending.identity for ending in system.recorder.endings] == ["CP1", "CP1"]
    assert system.recorder.outcomes == [ConnectionOutcome.ACCEPTED, ConnectionOutcome.PROTOCOL_ERROR]
    await raw.close()


async def test_a_peer_that_never_closes_its_socket_is_cut(start: StartCentralSystem) -> None:
    system = await start(Limits(close_timeout=0.05))
    raw = await system.dial_frames()
    system.live().close(CloseCode.NORMAL_CLOSURE, "go", ConnectionOutcome.SHUTDOWN)
    assert (await raw.frame())[0] is Opcode.CLOSE
    with pytest.raises(ConnectionError):
        await soon(raw.write_for_ever(b"x"))

    assert system.recorder.outcomes == [ConnectionOutcome.ACCEPTED, ConnectionOutcome.SHUTDOWN]
    await raw.close()


async def test_a_flood_of_calls_is_held_back_until_handled(start: StartCentralSystem) -> None:
    system = await start(Limits(incoming_call_limit=4, messages_per_second=AT_ANY_PACE, close_timeout=0.5))
    text = "x" * 100_000
    flood = 400  # 40 MB, more than the sockets' buffers hold
    raw = await system.dial_frames()
    raw.send_frame(Opcode.TEXT, call("gate", "Wait", "gate").encode())

    async def send() -> None:
        for number in range(flood):
            raw.send_frame(Opcode.TEXT, call(str(number), "Echo", text).encode())
            await raw.writer.drain()

    sending = asyncio.create_task(send())
    async with system.dial("CP2") as other:
        # Far more turns of the event loop than it takes to read the flood.
        for _ in range(2 * flood):
            await other.send(call("m1", "Echo", "quick"))
            await receive(other)
    assert not sending.done()
    assert len([seen for seen in system.recorder.flows if seen.peer.identity == "CP1"]) < 20

    system.dialect.gate("gate").set()
    answers = [await raw.frame() for _ in range(flood + 1)]
    await soon(sending)
    assert [json.loads(data)[1] for _, data in answers] == ["gate", *map(str, range(flood))]
    await raw.close()


async def test_a_charge_point_that_never_reads_is_cut(start: StartCentralSystem) -> None:
    system = await start(Limits(write_timeout=0.05, close_timeout=0.5))
    raw = await system.dial_frames()
    raw.writer.transport.pause_reading()  # type: ignore[attr-defined]  # typed as a write transport, but it is both
    with pytest.raises(ConnectionError):
        await soon(raw.write_for_ever(frame(Opcode.TEXT, call("m", "Echo", "x" * 100_000).encode())))
    ending = await system.recorder.until_outcome(ConnectionOutcome.STALLED)

    assert ending.identity == "CP1"
    # What it was sent before it was cut is bounded by the sockets' buffers.
    assert system.recorder.frames.count("answered m") < 500
    await raw.close()


async def test_a_charge_point_that_reads_late_is_read_no_further_meanwhile(start: StartCentralSystem) -> None:
    system = await start(Limits(messages_per_second=AT_ANY_PACE, close_timeout=0.5))
    count = 400  # 40 MB, more than the sockets' buffers hold
    raw = await system.dial_frames()

    async def send() -> None:
        for number in range(count):
            raw.send_frame(Opcode.TEXT, call(str(number), "Echo", "x" * 100_000).encode())
            await raw.writer.drain()

    sending = asyncio.create_task(send())
    async with system.dial("CP2") as other:
        # Far more turns of the event loop than it takes to read them all.
        for _ in range(2 * count):
            await other.send(call("m1", "Echo", "quick"))
            await receive(other)
    assert not sending.done()

    answers = [await raw.frame() for _ in range(count)]
    await soon(sending)
    assert [json.loads(data)[1] for _, data in answers] == [str(number) for number in range(count)]
    await raw.close()


async def test_limits_that_were_met_cut_nothing_later(start: StartCentralSystem) -> None:
    system = await start(
        Limits(handshake_timeout=1, write_timeout=1, idle_timeout=0.9, close_timeout=0.5, max_message_size=1 << 20)
    )
    raw = await system.dial_frames()
    count = 24  # 22 MB, more than the sockets' buffers hold, so that the server has to wait with writing
    for number in range(count):
        raw.send_frame(Opcode.TEXT, call(str(number), "Echo", "x" * 900_000).encode())
    async with system.dial("CP2") as other:
        for _ in range(2 * count):
            await other.send(call("m1", "Echo", "quick"))
            await receive(other)
    assert system.recorder.frames.count("answered 23") == 0
    answers = [await raw.frame() for _ in range(count)]
    assert {opcode for opcode, _ in answers} == {Opcode.TEXT}
    for _ in range(4):  # Beyond the limits of handshake and writing.
        opcode, data = await raw.frame()
        assert opcode is Opcode.PING
        raw.send_frame(Opcode.PONG, data)

    assert [ending.outcome for ending in system.recorder.endings if ending.identity == "CP1"] == [
        ConnectionOutcome.ACCEPTED
    ]
    await raw.close()


async def test_idle_connections_stay_alive(start: StartCentralSystem) -> None:
    count = 200
    system = await start(Limits(close_timeout=0.5))
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(system.dial(f"CP{number}")) for number in range(count)]
        assert len(system.registry) == count
        for number, client in enumerate(clients):
            await client.send(call("m1", "Echo", str(number)))
        answers = [await receive(client) for client in clients]
        assert answers == [result("m1", str(number)) for number in range(count)]
        assert {live.identity for live in system.registry} == {f"CP{number}" for number in range(count)}
        # While nothing happens there is no task for any of them.
        assert asyncio.all_tasks() == {asyncio.current_task()}
    await system.recorder.until_outcome(ConnectionOutcome.CLOSED, count)

    assert len(system.registry) == 0
