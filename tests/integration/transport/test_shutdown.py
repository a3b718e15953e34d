"""Stopping the listener: no new work, running work finishes, sockets close with 1001, all within time limits."""

from __future__ import annotations

import asyncio

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode, Opcode

from mcpp.csms.outcomes import ConnectionOutcome
from mcpp.ocppj.flow import Peer
from mcpp.transport import charge_point
from mcpp.transport.admission import AdmissionRefused, Admitted, ConnectRequest
from mcpp.transport.limits import Limits
from tests.integration.transport.conftest import StartCentralSystem
from tests.integration.transport.support import HOST, CentralSystem, call, handshake, receive, result, soon


async def test_connections_close_with_1001(system: CentralSystem) -> None:
    async with system.dial("CP1") as first, system.dial("CP2") as second:
        stopping = asyncio.create_task(system.listener.stop())
        for client in (first, second):
            with pytest.raises(ConnectionClosed) as closed:
                await soon(client.recv())
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == CloseCode.GOING_AWAY
        await soon(stopping)

    assert system.recorder.outcomes.count(ConnectionOutcome.SHUTDOWN) == 2
    assert len(system.registry) == 0


async def test_nothing_new_is_accepted(system: CentralSystem) -> None:
    await system.listener.stop()

    with pytest.raises(OSError, match=r"refused|Connect call failed"):
        await asyncio.open_connection(HOST, system.port)


async def test_running_handlers_finish_and_answer_but_no_new_call_is_taken(start: StartCentralSystem) -> None:
    system = await start(Limits(drain_timeout=10, close_timeout=0.5))
    async with system.dial() as client:
        await client.send(call("m1", "Wait", "running"))
        await client.send(call("m2", "Echo", "received"))
        await system.recorder.until(lambda: "in Echo m2" in system.recorder.frames)
        stopping = asyncio.create_task(system.listener.stop())
        await asyncio.sleep(0)
        await client.send(call("m3", "Echo", "new"))
        await system.recorder.until(lambda: "unanswered m3 ConnectionLost" in system.recorder.frames)
        system.dialect.gate("running").set()

        assert await receive(client) == result("m1", "running")
        assert await receive(client) == result("m2", "received")
        with pytest.raises(ConnectionClosed):
            await soon(client.recv())
        await soon(stopping)


async def test_a_rest_after_a_long_message_ends_with_the_server(
    start: StartCentralSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(charge_point, "_REST", 1e9)
    monkeypatch.setattr(charge_point, "_LONGEST_REST", 3600.0)
    system = await start(Limits(drain_timeout=3600, close_timeout=0.5))
    async with system.dial() as client:
        await client.send(call("m1", "Echo", "x" * 20_000))
        await client.send(call("m2", "Echo", "behind it"))
        await receive(client)
        await system.recorder.until(lambda: "in Echo m2" in system.recorder.frames)
        assert "answered m2" not in system.recorder.frames
        stopping = asyncio.create_task(system.listener.stop())
        assert await receive(client) == result("m2", "behind it")
        await soon(stopping)


async def test_a_handler_that_never_ends_is_cancelled(start: StartCentralSystem) -> None:
    system = await start(Limits(drain_timeout=0.05, close_timeout=0.5))
    async with system.dial() as client:
        await client.send(call("m1", "Wait", "for ever"))
        await client.send(call("m2", "Echo", "behind it"))
        await system.recorder.until(lambda: "in Echo m2" in system.recorder.frames)
        await soon(system.listener.stop())

    assert "unanswered m1 CancelledError" in system.recorder.frames
    assert "unanswered m2 ConnectionLost" in system.recorder.frames
    assert system.dialect.published == []


async def test_a_client_that_ignores_the_close_is_cut(start: StartCentralSystem) -> None:
    system = await start(Limits(close_timeout=0.05))
    raw = await system.dial_frames()
    await soon(system.listener.stop())

    assert (await raw.frame())[0] is Opcode.CLOSE
    assert await raw.at_end() == b""
    await raw.close()


async def test_a_handshake_under_way_is_cut(system: CentralSystem) -> None:
    asked = asyncio.Event()

    async def never(request: ConnectRequest) -> Admitted | AdmissionRefused:
        asked.set()
        await asyncio.Event().wait()
        return Admitted(Peer(1, request.identity), 1, "1.6")

    system.door.verdict = never
    raw = await system.dial_raw()
    raw.writer.write(handshake("/ocpp/CP1"))
    await soon(asked.wait())
    await soon(system.listener.stop())

    assert await raw.at_end() == b""
    assert system.recorder.outcomes == [ConnectionOutcome.SHUTDOWN]
    await raw.close()


async def test_stopping_an_idle_listener_is_immediate(system: CentralSystem) -> None:
    await soon(system.listener.stop())
    await soon(system.listener.stop())
