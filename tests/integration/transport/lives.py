"""Lives of a charge point, from its socket's beginning to its end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus

import pytest
from websockets.frames import CloseCode, Opcode

from mcpp.csms.outcomes import ConnectionOutcome
from mcpp.ocppj.errors import CommandError
from mcpp.ocppj.flow import Flow
from mcpp.phrases import Phrase
from mcpp.transport.admission import AdmissionRefused, ConnectRequest
from mcpp.transport.limits import Limits
from tests.integration.transport.support import (
    ECHO,
    CentralSystem,
    RawSocket,
    Text,
    call,
    frame,
    handshake,
    result,
    soon,
)

Life = Callable[[CentralSystem], Awaitable[None]]


async def closes(system: CentralSystem) -> None:
    raw = await talks(system)
    raw.send_frame(Opcode.CLOSE, b"\x03\xe8")
    await ends(raw)


async def is_cut(system: CentralSystem) -> None:
    raw = await talks(system)
    raw.writer.write(frame(Opcode.TEXT, b"half")[:7])
    await raw.writer.drain()
    await raw.close()


async def is_cut_in_a_large_message(system: CentralSystem) -> None:
    raw = await talks(system)
    raw.writer.write(frame(Opcode.TEXT, b"x" * 50_000, fin=False) + frame(Opcode.CONT, b"x" * 70_000)[:-9])
    await held(system, 110_000)
    await raw.close()


async def is_crowded_out(system: CentralSystem) -> None:
    raws = [await system.dial_frames(f"CP{number}") for number in range(3)]
    for raw in raws:
        raw.writer.write(frame(Opcode.TEXT, b"x" * 100_000)[:-9])
    await system.recorder.until_outcome(ConnectionOutcome.CROWDED_OUT)
    for raw in raws:
        await raw.close()


async def is_cut_in_its_turn(system: CentralSystem) -> None:
    raw = await talks(system)
    raw.writer.write(frame(Opcode.TEXT, call("flood", "Echo", "x").encode()) * 2000)
    await system.recorder.until(lambda: "answered flood" in system.recorder.frames)
    await raw.close()


async def ends_in_its_turn(system: CentralSystem) -> None:
    raw = await talks(system)
    raw.writer.write(frame(Opcode.TEXT, call("flood", "Echo", "x").encode()) * 2000)
    await system.recorder.until(lambda: "answered flood" in system.recorder.frames)
    system.live().close(CloseCode.NORMAL_CLOSURE, "go", ConnectionOutcome.SHUTDOWN)
    await raw.close()


async def is_held_back(system: CentralSystem) -> None:
    raw = await talks(system)
    raw.writer.write(frame(Opcode.TEXT, call("flood", "Echo", "x").encode()) * 400)
    await system.recorder.until(lambda: system.recorder.frames.count("answered flood") > 290)
    system.live().close(CloseCode.NORMAL_CLOSURE, "go", ConnectionOutcome.SHUTDOWN)
    await raw.close()


async def reads_nothing(system: CentralSystem) -> None:
    raw = await talks(system)
    raw.writer.transport.pause_reading()  # type: ignore[attr-defined]  # typed as a write transport, but it is both
    with pytest.raises(ConnectionError):
        await soon(raw.write_for_ever(frame(Opcode.TEXT, call("m", "Echo", "x" * 100_000).encode())))
    await raw.close()


async def half_closes(system: CentralSystem) -> None:
    raw = await talks(system)
    if raw.writer.can_write_eof():
        raw.writer.write_eof()
    else:  # by TLS asyncio's own closes both ways
        raw.writer.close()
    await ends(raw)


async def breaks_the_protocol(system: CentralSystem) -> None:
    raw = await talks(system)
    raw.writer.write(b"\x81\x00")
    await ends(raw)


async def sends_too_much(system: CentralSystem) -> None:
    raw = await talks(system)
    raw.writer.write(b"\x81\xff" + (1 << 40).to_bytes(8, "big"))
    await ends(raw)


async def closes_wrongly(system: CentralSystem) -> None:
    raw = await talks(system)
    raw.send_frame(Opcode.CLOSE, b"\x03\xe8\xff")
    await ends(raw)


async def is_silent(system: CentralSystem) -> None:
    await ends(await system.dial_frames())


async def is_replaced(system: CentralSystem) -> None:
    old, new = await talks(system), await talks(system)
    await ends(old)
    await new.close()


async def sends_no_request(system: CentralSystem) -> None:
    await ends(await system.dial_raw())


async def speaks_no_http(system: CentralSystem) -> None:
    raw = await system.dial_raw()
    raw.writer.write(b"nonsense\r\n\r\n")
    await ends(raw)


async def speaks_no_websocket(system: CentralSystem) -> None:
    raw = await system.dial_raw()
    raw.writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await ends(raw)


async def sends_half_a_handshake(system: CentralSystem) -> None:
    raw = await system.dial_raw()
    assert "400" in await raw.request("/ocpp/CP1", {"Sec-WebSocket-Key": ""})
    await ends(raw)


async def sends_half_a_request(system: CentralSystem) -> None:
    raw = await system.dial_raw()
    raw.writer.write(handshake("/ocpp/CP1", {"X-Filler": "x" * 7000})[:-2])
    await held(system, 1)
    await raw.close()


async def sends_too_large_a_request(system: CentralSystem) -> None:
    raw = await system.dial_raw()
    raw.writer.write(handshake("/ocpp/CP1", {f"X-{number}": "x" * 7000 for number in range(20)}))
    await ends(raw)


async def speaks_too_soon(system: CentralSystem) -> None:
    raw = await system.dial_raw()
    raw.writer.write(handshake("/ocpp/CP1") + frame(Opcode.TEXT, b"x"))
    await ends(raw)


async def leaves_while_it_is_admitted(system: CentralSystem) -> None:
    decided = asyncio.Event()

    async def wait(_: ConnectRequest) -> AdmissionRefused:
        await decided.wait()
        return AdmissionRefused(HTTPStatus.UNAUTHORIZED, Phrase("no"), ConnectionOutcome.UNAUTHORIZED)

    system.door.verdict = wait
    raw = await system.dial_raw()
    raw.writer.write(handshake("/ocpp/CP1"))
    async with asyncio.timeout(10):
        while not system.door.requests:
            await asyncio.sleep(0)
    await raw.close()
    decided.set()
    await system.recorder.until_outcome(ConnectionOutcome.UNAUTHORIZED)


async def has_no_identity(system: CentralSystem) -> None:
    raw = await system.dial_raw()
    assert "400" in await raw.request("/ocpp/")
    await ends(raw)


async def speaks_another_subprotocol(system: CentralSystem) -> None:
    raw = await system.dial_raw()
    await raw.request("/ocpp/CP1", {"Sec-WebSocket-Protocol": "soap"})
    await ends(raw)


async def is_refused(system: CentralSystem) -> None:
    async def refuse(_: ConnectRequest) -> AdmissionRefused:
        return AdmissionRefused(HTTPStatus.UNAUTHORIZED, Phrase("no"), ConnectionOutcome.UNAUTHORIZED)

    system.door.verdict = refuse
    raw = await system.dial_raw()
    assert "401" in await raw.request("/ocpp/CP1")
    await ends(raw)


async def cannot_be_admitted(system: CentralSystem) -> None:
    async def fail(_: ConnectRequest) -> AdmissionRefused:
        raise RuntimeError("no database")

    system.door.verdict = fail
    raw = await system.dial_raw()
    assert "503" in await raw.request("/ocpp/CP1")
    await ends(raw)


async def is_admitted_too_late(system: CentralSystem) -> None:
    async def wait(_: ConnectRequest) -> AdmissionRefused:
        await asyncio.Event().wait()
        raise AssertionError

    system.door.verdict = wait
    raw = await system.dial_raw()
    raw.writer.write(handshake("/ocpp/CP1"))
    await ends(raw)


async def has_calls_of_every_kind(system: CentralSystem) -> None:
    raw = await talks(system)
    for action in ("Echo", "Crash", "CrashLater", "Nonsense", "Wait"):
        raw.send_frame(Opcode.TEXT, call("m", action, "x").encode())
    system.dialect.gate("x").set()
    for _ in range(5):
        await raw.frame()
    for text in (
        b"rubbish",
        b'[2,"m"]',
        b'[2,"m","Echo",{"x":1}]',
        b'[3,"m",{}]',
        call("m", "Unanswerable", "x").encode(),
    ):
        raw.send_frame(Opcode.TEXT, text)
    await system.recorder.until(lambda: "unanswered m Unanswerable" in system.recorder.frames)
    await raw.close()


async def is_cut_amid_its_calls(system: CentralSystem) -> None:
    raw = await talks(system)
    for _ in range(3):
        raw.send_frame(Opcode.TEXT, call("m", "Wait", "x").encode())
    await system.recorder.until(lambda: system.recorder.frames.count("in Wait m") == 3)
    await raw.close()
    await system.recorder.until_outcome(ConnectionOutcome.LOST)
    system.dialect.gate("x").set()


async def is_asked_by_a_handler(system: CentralSystem) -> None:
    charge_points = system.registry

    async def ask(_: Flow) -> Text:
        return await charge_points.call("CP1", ECHO, Text(text="question"))

    system.dialect.ask = ask
    raw = await talks(system)
    raw.send_frame(Opcode.TEXT, call("m", "Ask", "x").encode())
    await answers(raw, '[3,"{}",{{"text":"answer"}}]')
    assert await raw.frame() == (Opcode.TEXT, result("m", "answer").encode())
    await raw.close()


async def answers_commands(system: CentralSystem) -> None:
    async def learn() -> None:
        await asyncio.sleep(0)

    async def fail() -> None:
        raise RuntimeError("the database is full")

    raw = await talks(system)
    asyncio.get_running_loop().set_exception_handler(lambda _, __: None)
    for answer, lesson in (
        ('[3,"{}",{{"text":"yes"}}]', None),
        ('[3,"{}",{{"text":"yes"}}]', learn()),
        ('[3,"{}",{{"text":"yes"}}]', fail()),
        ('[4,"{}","NotSupported","",{{}}]', None),
        ('[3,"{}",{{"sense":"none"}}]', None),
        ('[3,"{}",{{"text"]', None),
    ):
        system.dialect.meaning = lesson
        command = commanded(system)
        await answers(raw, answer)
        await soon(asyncio.wait([command]))
    await raw.close()


async def leaves_commands_unanswered(system: CentralSystem) -> None:
    raw = await talks(system)
    await soon(asyncio.wait([commanded(system)]))
    cancelled = [commanded(system) for _ in range(2)]
    await raw.frame()
    for command in cancelled:
        command.cancel()
    lost = [commanded(system) for _ in range(40)]
    await soon(asyncio.wait(cancelled))
    await raw.close()
    await soon(asyncio.wait(lost))


async def lives_until_the_end(system: CentralSystem) -> None:
    raw = await talks(system)
    raw.send_frame(Opcode.TEXT, call("m", "Wait", "x").encode())
    await system.recorder.until(lambda: "in Wait m" in system.recorder.frames)
    await system.listener.stop()
    await raw.close()


async def talks(system: CentralSystem) -> RawSocket:
    raw = await system.dial_frames()
    for number in range(3):
        raw.send_frame(Opcode.TEXT, call(f"m{number}", "Echo", "x").encode())
        await raw.frame()
    return raw


async def held(system: CentralSystem, size: int) -> None:
    """The connections hold so many bytes."""
    async with asyncio.timeout(10):
        while system.listener.memory.total < size:
            await asyncio.sleep(0)


async def ends(raw: RawSocket) -> None:
    await raw.at_end()
    await raw.close()


async def answers(raw: RawSocket, text: str) -> None:
    """Answer the next command."""
    _, data = await raw.frame()
    raw.send_frame(Opcode.TEXT, text.format(json.loads(data)[1]).encode())


def commanded(system: CentralSystem) -> asyncio.Task[None]:
    """A command on its way, whatever comes of it."""

    async def command() -> None:
        with suppress(CommandError):
            await system.registry.call("CP1", ECHO, Text(text="x"))

    return asyncio.create_task(command())


LIMITS: dict[Life, Limits] = {
    is_silent: Limits(idle_timeout=0.09, close_timeout=0.5),
    sends_no_request: Limits(handshake_timeout=0.05),
    is_admitted_too_late: Limits(handshake_timeout=0.05),
    leaves_commands_unanswered: Limits(call_timeout=0.05),
    is_crowded_out: Limits(unhandled_bytes=250_000),
    is_held_back: Limits(messages_per_second=1, message_rate_window=300, close_timeout=0.5),
    reads_nothing: Limits(write_timeout=0.05, close_timeout=0.5),
}
"""Of the central system, where a life needs others than the usual ones."""

LIVES: tuple[Life, ...] = (
    closes,
    is_cut,
    is_cut_in_a_large_message,
    is_crowded_out,
    is_cut_in_its_turn,
    ends_in_its_turn,
    is_held_back,
    reads_nothing,
    half_closes,
    breaks_the_protocol,
    sends_too_much,
    closes_wrongly,
    is_silent,
    is_replaced,
    sends_no_request,
    speaks_no_http,
    speaks_no_websocket,
    sends_half_a_handshake,
    sends_half_a_request,
    sends_too_large_a_request,
    speaks_too_soon,
    leaves_while_it_is_admitted,
    has_no_identity,
    speaks_another_subprotocol,
    is_refused,
    cannot_be_admitted,
    is_admitted_too_late,
    has_calls_of_every_kind,
    is_cut_amid_its_calls,
    is_asked_by_a_handler,
    answers_commands,
    leaves_commands_unanswered,
    lives_until_the_end,
)
