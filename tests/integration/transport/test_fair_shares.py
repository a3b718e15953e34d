"""No connection takes more than its share: of a turn of the event loop, and of messages a second."""

from __future__ import annotations

import json

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.frames import Opcode

from mcpp.csms.outcomes import ConnectionOutcome
from mcpp.transport import charge_point
from mcpp.transport.limits import Limits
from tests.integration.transport.conftest import StartCentralSystem
from tests.integration.transport.support import CentralSystem, RawSocket, call, frame, receive, result

MANY = 2000
"""Frames of a flood. The smallest come in one read."""

TEXT = call("flood", "Echo", "x").encode()

FLOODS = {
    "calls": frame(Opcode.TEXT, TEXT) * MANY,
    "malformed": frame(Opcode.TEXT, b"x") * MANY,
    "stray answers": frame(Opcode.TEXT, b'[3,"a",{}]') * MANY,
    "pings": frame(Opcode.PING, b"") * MANY,
    "pongs": frame(Opcode.PONG, b"") * MANY,
    "binary": frame(Opcode.BINARY, TEXT) * MANY,
    "fragments": frame(Opcode.TEXT, TEXT, fin=False)
    + frame(Opcode.CONT, b"", fin=False) * MANY
    + frame(Opcode.CONT, b""),
    "fragments of one byte": frame(Opcode.TEXT, b"x", fin=False)
    + frame(Opcode.CONT, b"x", fin=False) * MANY
    + frame(Opcode.CONT, b""),
    "pings between fragments": frame(Opcode.TEXT, TEXT, fin=False)
    + frame(Opcode.PING, b"") * MANY
    + frame(Opcode.CONT, b""),
}


@pytest.mark.parametrize("kind", FLOODS)
@pytest.mark.parametrize("limits", [Limits(close_timeout=0.5), Limits(close_timeout=0.5, turn_time=0)])
async def test_a_neighbour_is_answered_before_a_flood_ends(
    start: StartCentralSystem, kind: str, limits: Limits
) -> None:
    system = await start(limits)
    raw = await system.dial_frames()
    async with system.dial("CP2") as neighbour:
        raw.writer.write(
            frame(Opcode.TEXT, call("first", "Echo", "x").encode())
            + FLOODS[kind]
            + frame(Opcode.TEXT, call("last", "Echo", "x").encode())
        )
        await system.recorder.until(lambda: "answered first" in system.recorder.frames)
        await neighbour.send(call("neighbour", "Echo", "quick"))
        await receive(neighbour)
    await system.recorder.until(lambda: "answered last" in system.recorder.frames)

    frames = system.recorder.frames
    assert frames.index("answered neighbour") < frames.index("answered last")
    await raw.close()


@pytest.mark.parametrize("rest", [30.0, 0.01])
async def test_after_a_long_message_the_next_one_waits_and_nobody_else(
    start: StartCentralSystem, monkeypatch: pytest.MonkeyPatch, rest: float
) -> None:
    monkeypatch.setattr(charge_point, "_REST", 1e9)
    monkeypatch.setattr(charge_point, "_LONGEST_REST", rest)
    system = await start(Limits(close_timeout=0.5))
    raw = await system.dial_frames()
    texts = [call("short", "Echo", "x"), call("long", "Echo", "x" * 20_000), call("next", "Echo", "x")]
    async with system.dial("CP2") as neighbour:
        raw.writer.write(b"".join(frame(Opcode.TEXT, text.encode()) for text in texts))
        await system.recorder.until(lambda: "answered long" in system.recorder.frames)
        await neighbour.send(call("neighbour", "Echo", "quick"))
        await receive(neighbour)
        if rest < 1:
            await system.recorder.until(lambda: "answered next" in system.recorder.frames)
    assert ("answered next" in system.recorder.frames) is (rest < 1)
    await raw.close()


async def test_what_is_read_in_turns_keeps_its_order(start: StartCentralSystem) -> None:
    system = await start(Limits(close_timeout=0.5, frames_per_turn=3))
    raw = await system.dial_frames()
    parts = []
    for number in range(200):
        text = call(str(number), "Echo", "x").encode()
        match number % 4:
            case 0:
                parts += [
                    frame(Opcode.TEXT, text[:9], fin=False),
                    frame(Opcode.PING, b""),
                    frame(Opcode.CONT, text[9:]),
                ]
            case 1:
                parts.append(frame(Opcode.BINARY, text))
            case _:
                parts.append(frame(Opcode.TEXT, text))
    data = b"".join(parts)
    for at in range(0, len(data), 1001):  # most frames whole, some cut
        raw.writer.write(data[at : at + 1001])
    answers = [await raw.frame() for _ in range(250)]

    assert [json.loads(text)[1] for opcode, text in answers if opcode is Opcode.TEXT] == [str(n) for n in range(200)]
    await raw.close()


async def test_what_is_left_of_an_ended_connection_is_dropped(start: StartCentralSystem) -> None:
    system = await start(Limits(close_timeout=0.5))
    raw = await system.dial_frames()
    raw.writer.write(frame(Opcode.TEXT, TEXT) * 20 + frame(Opcode.CLOSE, b"\x03\xe8") + frame(Opcode.TEXT, TEXT) * MANY)
    await system.recorder.until_outcome(ConnectionOutcome.CLOSED)
    await raw.at_end()

    assert system.recorder.frames.count("answered flood") == 20
    assert system.recorder.frames.count("in Echo flood") == 20
    await raw.close()


# Messages a second.


async def goes_on(neighbour: ClientConnection) -> None:
    """A neighbour is answered for far more turns of the event loop than it takes to read what others have sent."""
    for _ in range(200):
        await neighbour.send(call("neighbour", "Echo", "quick"))
        assert await receive(neighbour) == result("neighbour", "quick")


async def answered(raw: RawSocket, count: int) -> list[str]:
    ids: list[str] = []
    while len(ids) < count:
        opcode, data = await raw.frame()
        if opcode is Opcode.TEXT:
            ids.append(json.loads(data)[1])
    return ids


SLOW = Limits(messages_per_second=1, message_rate_window=300, close_timeout=0.5)
"""300 at once, then one a second: none within a test."""


@pytest.mark.parametrize(
    "flood",
    [
        frame(Opcode.TEXT, TEXT) * 400,
        frame(Opcode.TEXT, b"x") * 400,
        frame(Opcode.PING, b"") * 400,
        # As much work as 32 short messages each.
        frame(Opcode.TEXT, call("flood", "Echo", "x" * 130_000).encode()) * 12,
    ],
    ids=["calls", "malformed", "pings", "large"],
)
async def test_what_is_sent_too_fast_is_held_back(start: StartCentralSystem, flood: bytes) -> None:
    system = await start(SLOW)
    raw = await system.dial_frames()
    # What the neighbour may send is its own.
    async with system.dial("CP2") as neighbour:
        raw.writer.write(flood + frame(Opcode.TEXT, call("last", "Echo", "x").encode()))
        await goes_on(neighbour)

    assert "in Echo last" not in system.recorder.frames
    # Nobody is cut for it.
    assert [ending.outcome for ending in system.recorder.endings if ending.identity == "CP1"] == ["accepted"]
    await raw.close()


async def test_nothing_is_refused_that_is_sent_too_fast(start: StartCentralSystem) -> None:
    system = await start(Limits(messages_per_second=400, message_rate_window=0.05, close_timeout=0.5))
    raw = await system.dial_frames()
    raw.writer.write(b"".join(frame(Opcode.TEXT, call(str(n), "Echo", "x").encode()) for n in range(200)))

    assert await answered(raw, 200) == [str(number) for number in range(200)]
    assert system.recorder.outcomes == [ConnectionOutcome.ACCEPTED]
    await raw.close()


async def test_a_charge_point_that_comes_again_has_no_more_than_before(start: StartCentralSystem) -> None:
    system = await start(SLOW)
    async with system.dial("CP2") as neighbour:
        raw = await system.dial_frames()
        raw.writer.write(frame(Opcode.TEXT, TEXT) * 290)
        await answered(raw, 290)
        await raw.close()
        again = await system.dial_frames()
        again.writer.write(frame(Opcode.TEXT, TEXT) * 290)
        await goes_on(neighbour)

        assert system.recorder.frames.count("answered flood") < 350
        await again.close()


async def test_a_burst_of_what_gathered_offline_is_taken_at_once(system: CentralSystem) -> None:
    """By default 5,000 messages: nobody waits."""
    raw = await system.dial_frames()
    raw.writer.write(frame(Opcode.TEXT, TEXT) * 4900)

    assert len(await answered(raw, 4900)) == 4900
    await raw.close()
