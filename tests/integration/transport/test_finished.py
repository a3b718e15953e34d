"""The end of each command is told, once, whether its sender still waits or not."""

from __future__ import annotations

import asyncio
import json

import pytest

from mcpp.ocppj.errors import CallRefused, CallTimeout, ConnectionLost, InvalidAnswer
from mcpp.transport.limits import Limits
from tests.integration.transport.conftest import StartCentralSystem
from tests.integration.transport.support import ECHO, PATIENCE, CentralSystem, Text, receive, soon


def command(system: CentralSystem, text: str = "hello") -> asyncio.Task[Text]:
    return asyncio.ensure_future(system.registry.call("CP1", ECHO, Text(text=text)))


async def until_finished(system: CentralSystem, times: int = 1) -> None:
    async with asyncio.timeout(PATIENCE):
        while len(system.finished) < times:
            await asyncio.sleep(0.001)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ([3, "id", {"text": "hello"}], Text),
        ([3, "id", {"text": 7}], InvalidAnswer),
        ([4, "id", "NotSupported", "", {}], CallRefused),
        ([3, "id"], InvalidAnswer),
    ],
)
async def test_an_answer_of_any_kind(system: CentralSystem, answer: list[object], kind: type) -> None:
    async with system.dial() as client:
        sent = command(system)
        message_id = json.loads(await receive(client))[1]
        await client.send(json.dumps([message_id if item == "id" else item for item in answer]))
        await soon(asyncio.wait((sent,)))

    ((finished_id, result),) = system.finished
    assert finished_id == message_id
    assert isinstance(result, kind)
    assert sent.exception() is None or sent.exception() is result


async def test_the_end_of_the_connection_ends_those_that_wait_too(system: CentralSystem) -> None:
    async with system.dial() as client:
        commands = [command(system) for _ in range(3)]
        await receive(client)
    await soon(asyncio.wait(commands))

    assert [type(result) for _, result in system.finished] == [ConnectionLost] * 3
    assert all(isinstance(sent.exception(), ConnectionLost) for sent in commands)


async def test_a_timeout(start: StartCentralSystem) -> None:
    system = await start(Limits(call_timeout=0.05, close_timeout=0.5))
    async with system.dial() as client:
        sent = command(system)
        await receive(client)
        await soon(asyncio.wait((sent,)))

    assert [type(result) for _, result in system.finished] == [CallTimeout]
    assert isinstance(sent.exception(), CallTimeout)


async def test_a_sender_that_gave_up_changes_nothing_but_a_command_taken_back_is_none(system: CentralSystem) -> None:
    async with system.dial() as client:
        sent, waiting = command(system), command(system)
        message_id = json.loads(await receive(client))[1]
        for task in (sent, waiting):
            task.cancel()
        await soon(asyncio.wait((sent, waiting)))
        await client.send(json.dumps([3, message_id, {"text": "late"}]))
        await until_finished(system)

    assert system.finished == [(message_id, Text(text="late"))]
