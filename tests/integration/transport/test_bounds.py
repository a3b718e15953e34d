"""What connections may hold is bounded in bytes: one of them, and all together."""

from __future__ import annotations

import asyncio
import json

import pytest
from websockets.frames import Opcode

from mcpp.csms.outcomes import ConnectionOutcome
from mcpp.ocppj.errors import CommandError, QueueFull
from mcpp.ocppj.frames import LONGEST_ID
from mcpp.transport.gate import Gate
from mcpp.transport.limits import Limits
from tests.integration.transport.conftest import StartCentralSystem
from tests.integration.transport.support import (
    ECHO,
    PATIENCE,
    CentralSystem,
    RawSocket,
    Text,
    call,
    frame,
    handshake,
    receive,
    result,
    soon,
)

KIB = 1024


async def until_held(system: CentralSystem, least: int, most: int = 1 << 30) -> None:
    """Wait until the connections hold so many bytes."""
    async with asyncio.timeout(10):
        while not least <= system.listener.memory.total <= most:
            await asyncio.sleep(0)


async def unfinished(system: CentralSystem, identity: str, size: int) -> RawSocket:
    """A charge point that has sent so many bytes of a longer text."""
    raw = await system.dial_frames(identity)
    raw.writer.write(frame(Opcode.TEXT, b"x" * (size + KIB))[:size])
    return raw


# All connections together.


async def test_who_holds_the_most_is_cut_where_all_hold_too_much(start: StartCentralSystem) -> None:
    system = await start(Limits(unhandled_bytes=1024 * KIB, close_timeout=0.5))
    text = call("m1", "Echo", "x" * 4 * KIB).encode()
    data = frame(Opcode.TEXT, text)
    slow = await system.dial_frames("slow")
    slow.writer.write(data[: 2 * KIB])
    await until_held(system, 2 * KIB - 20)
    hostile = []
    for number in range(40):
        hostile.append(await unfinished(system, f"CP{number}", 100 * KIB))
        assert system.listener.memory.total <= 1024 * KIB
    ending = await system.recorder.until_outcome(ConnectionOutcome.CROWDED_OUT, 20)
    slow.writer.write(data[2 * KIB :])

    assert await slow.frame() == (Opcode.TEXT, result("m1", "x" * 4 * KIB).encode())
    assert ending.identity.startswith("CP")
    assert "bytes" in ending.detail
    for raw in (slow, *hostile):
        await raw.close()


@pytest.mark.parametrize("fragments", [1, 50])
async def test_what_is_unfinished_is_counted_and_given_back(system: CentralSystem, fragments: int) -> None:
    size = 100 * KIB
    data = b"".join(
        frame(Opcode.CONT if number else Opcode.TEXT, b"x" * (size // fragments), fin=False)
        for number in range(fragments)
    )
    raw = await system.dial_frames()
    raw.writer.write(data[:-1])
    await until_held(system, size - KIB, size)
    await raw.close()
    await system.recorder.until_outcome(ConnectionOutcome.LOST)
    await soon(system.listener.stop())
    assert system.listener.memory.total == 0


async def test_a_finished_message_counts_no_longer(system: CentralSystem) -> None:
    data = frame(Opcode.TEXT, call("m1", "Echo", "x" * 50 * KIB).encode())
    raw = await system.dial_frames()
    raw.writer.write(data[:-1])
    await until_held(system, 50 * KIB)
    raw.writer.write(data[-1:])
    await raw.frame()

    assert system.listener.memory.total == 0
    await raw.close()


async def test_unfinished_handshakes_are_bounded(start: StartCentralSystem) -> None:
    system = await start(Limits(unhandled_bytes=100 * KIB, close_timeout=0.5))
    request = handshake("/ocpp/CP1", {"X-Filler": "x" * 7 * KIB, "X-More": "x" * 7 * KIB})
    sockets = []
    for _ in range(30):
        raw = await system.dial_raw()
        raw.writer.write(request[:-2])
        sockets.append(raw)
    await system.recorder.until_outcome(ConnectionOutcome.CROWDED_OUT, 20)
    assert system.listener.memory.total <= 100 * KIB
    for raw in sockets:
        await raw.close()

    async with system.dial() as client:
        await client.send(call("m1", "Echo", "x"))
        assert await receive(client) == result("m1", "x")


async def test_a_request_of_the_usual_size_and_more_is_taken(system: CentralSystem) -> None:
    raw = await system.dial_raw()

    assert "101" in await raw.request("/ocpp/CP1", {"X-Filler": "x" * 7 * KIB, "X-More": "x" * 7 * KIB})
    assert system.listener.memory.total == 0
    await raw.close()


@pytest.mark.parametrize("finished", [True, False])
async def test_a_larger_request_is_refused(system: CentralSystem, finished: bool) -> None:
    raw = await system.dial_raw()
    request = handshake("/ocpp/CP1", {f"X-{number}": "x" * 7 * KIB for number in range(3)})
    raw.writer.write(request if finished else request[:-2])

    assert (await raw.at_end()).startswith(b"HTTP/1.1 431 ")
    assert system.recorder.outcomes == [ConnectionOutcome.BAD_REQUEST]
    await raw.close()


async def test_who_waits_for_a_refusal_makes_room_for_others(start: StartCentralSystem) -> None:
    system = await start(Limits(refusal_grid=PATIENCE, close_timeout=0.5), gate=Gate(most=1, most_strangers=4))
    sockets = []
    for number in range(5):
        raw = await system.dial_raw()
        raw.writer.write(handshake(f"/ocpp/{number}/ws"))
        await system.recorder.until_outcome(ConnectionOutcome.BAD_IDENTITY, number + 1)
        sockets.append(raw)
    sockets[-1].writer.write(b"x" * 64 * KIB)

    async with system.dial() as client:  # there may be one, and those who wait aren't it
        await client.send(call("m1", "Echo", "x"))
        assert await receive(client) == result("m1", "x")
    assert [await raw.at_end() for raw in sockets[:2]] == [b"", b""]  # cut, oldest first
    assert system.recorder.outcomes.count(ConnectionOutcome.BAD_IDENTITY) == 5
    assert system.listener.memory.total < 5 * KIB
    for raw in sockets:
        await raw.close()


# CALLs that wait.


async def test_waiting_calls_are_bounded_in_bytes(start: StartCentralSystem) -> None:
    system = await start(Limits(incoming_call_bytes=64 * KIB, close_timeout=0.5))
    raw = await system.dial_frames()
    raw.writer.write(frame(Opcode.TEXT, call("gate", "Wait", "gate").encode()))
    raw.writer.write(b"".join(frame(Opcode.TEXT, call(str(n), "Echo", "x" * 20 * KIB).encode()) for n in range(20)))
    await system.recorder.until(lambda: "in Echo 3" in system.recorder.frames)
    async with system.dial("CP2") as neighbour:
        for _ in range(100):
            await neighbour.send(call("m", "Echo", "x"))
            await receive(neighbour)

    # The fourth of 21 KiB goes beyond: then nothing more is handled of what was read, either.
    assert system.live().waiting_calls == 4
    assert 84 * KIB <= system.listener.memory.total <= 600 * KIB
    system.dialect.gate("gate").set()
    answers = [json.loads((await raw.frame())[1])[1] for _ in range(21)]
    assert answers == ["gate", *map(str, range(20))]
    assert system.listener.memory.total == 0
    await raw.close()


async def test_waiting_calls_are_given_back_with_their_connection(system: CentralSystem) -> None:
    raw = await system.dial_frames()
    raw.writer.write(frame(Opcode.TEXT, call("gate", "Wait", "gate").encode()))
    raw.writer.write(frame(Opcode.TEXT, call("m", "Echo", "x" * KIB).encode()) * 20)
    await until_held(system, 40 * KIB)
    await raw.close()
    await system.recorder.until_outcome(ConnectionOutcome.LOST)

    assert system.recorder.frames.count("unanswered m ConnectionLost") == 20
    assert system.listener.memory.total == 0
    system.dialect.gate("gate").set()


async def test_commands_that_wait_are_bounded_in_bytes(start: StartCentralSystem) -> None:
    system = await start(Limits(call_queue_bytes=100 * KIB, close_timeout=0.5))
    raw = await system.dial_frames()
    live = system.live()
    # Nothing waits before the first, so it may be of any size.
    commands = [asyncio.create_task(live.call(ECHO, Text(text="x" * size * KIB))) for size in (300, 60, 30)]
    await raw.frame()
    with pytest.raises(QueueFull, match="bytes wait already"):
        await live.call(ECHO, Text(text="x" * 20 * KIB))
    commands[1].cancel()
    await soon(asyncio.wait(commands[1:2]))
    commands.append(asyncio.create_task(live.call(ECHO, Text(text="x" * 20 * KIB))))
    await asyncio.sleep(0)

    assert live.queued_calls == 2
    await raw.close()
    for outcome in await soon(asyncio.gather(*commands, return_exceptions=True)):
        assert isinstance(outcome, CommandError | asyncio.CancelledError)


# Names.


@pytest.mark.parametrize("size", [36, LONGEST_ID, LONGEST_ID + 1, 100_000])
async def test_an_answer_carries_a_unique_id_of_any_length(system: CentralSystem, size: int) -> None:
    long_id = "i" * size
    async with system.dial() as client:
        for action in ("Echo", "Crash", "Nonsense"):
            await client.send(call(long_id, action, "x"))
            assert json.loads(await receive(client))[1] == long_id

    for flow in system.recorder.flows:
        assert flow.message_id == long_id[:LONGEST_ID]
        assert [deviation.rule for deviation in flow.deviations] == ["text_cut"] * (size > LONGEST_ID)


async def test_an_action_of_any_length_is_answered_and_cut(system: CentralSystem) -> None:
    async with system.dial() as client:
        await client.send(call("m1", "A" * 100_000, "x"))
        kind, message_id, code, *_ = json.loads(await receive(client))

    assert (kind, message_id, code) == (4, "m1", "NotImplemented")
    (flow,) = system.recorder.flows
    assert flow.action == "A" * LONGEST_ID
    assert [deviation.rule for deviation in flow.deviations] == ["text_cut"]
