"""What differs between the versions of OCPP-J on a real socket."""

from __future__ import annotations

import asyncio
import json

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from mcpp.csms.outcomes import ConnectionOutcome
from mcpp.ocppj.actions import Action, Sender
from mcpp.ocppj.errors import InvalidAnswer
from mcpp.ocppj.flow import Peer
from mcpp.ocppj.frames import FRAMING_16, Framing
from mcpp.transport.admission import AdmissionRefused, Admitted, ConnectRequest
from tests.integration.transport.conftest import StartCentralSystem
from tests.integration.transport.support import Dialect, Text, call, receive, result

ECHO_21 = Action("Echo", Text, Text, "Test", Sender.BOTH, "2.1")
OF_21 = Framing(has_sends=True, unread_id="-1", answers_unknown_types=False)


async def test_a_send_is_handled_in_its_turn_and_never_answered(start: StartCentralSystem) -> None:
    system = await start(None, Dialect("ocpp2.1", OF_21))
    async with system.dial(subprotocols=["ocpp2.1"]) as client:
        await client.send(call("m1", "Wait", "first"))
        await client.send('[6,"s1","Echo",{"text":"second"}]')
        await client.send('[6,"s2","Echo",{"txet":"none"}]')
        await client.send('[6,"s3","Nothing",{"text":"unknown"}]')
        await client.send('[6,"s4","Crash",{"text":"crash"}]')
        await client.send(call("m2", "Echo", "third"))
        system.dialect.gate("first").set()

        assert [json.loads(await receive(client))[:2] for _ in range(2)] == [[3, "m1"], [3, "m2"]]
    assert system.dialect.begun == ["first", "second", "unknown", "crash", "third"]
    told = [note for note in system.recorder.frames if " s" in note and not note.startswith("in ")]
    assert told == [
        "taken s1",
        "unanswered s2 CallFault",
        "unanswered s3 CallFault",
        "failed s4",
        "unanswered s4 CallFault",
    ]
    assert "second" in system.dialect.published


@pytest.mark.parametrize("answer", ['[3,"{id}",{{"txet":"x"}}]', '[3,"{id}",{{"text":'])
@pytest.mark.parametrize("framing", [FRAMING_16, OF_21])
async def test_a_broken_result_gets_an_error_in_21_only(
    start: StartCentralSystem, framing: Framing, answer: str
) -> None:
    system = await start(None, Dialect("ocpp2.1", framing))
    async with system.dial(subprotocols=["ocpp2.1"]) as client:
        pending = asyncio.create_task(system.live().send(ECHO_21, Text(text="x"), b'{"text":"x"}'))
        _, message_id, *_ = json.loads(await receive(client))
        await client.send(answer.format(id=message_id))
        with pytest.raises(InvalidAnswer):
            await pending
        if framing is OF_21:
            kind, about, code, *_ = json.loads(await receive(client))
            assert (kind, about) == (5, message_id)
            assert f"refusal {message_id} {code}" in system.recorder.frames
        await client.send(call("m1", "Echo", "alive"))
        assert await receive(client) == result("m1", "alive")


async def test_a_result_of_ours_that_is_not_understood_is_noticed(start: StartCentralSystem) -> None:
    system = await start(None, Dialect("ocpp2.1", OF_21))
    async with system.dial(subprotocols=["ocpp2.1"]) as client:
        await client.send('[5,"m1","FormatViolation","",{}]')
        await client.send(call("m2", "Echo", "alive"))
        assert await receive(client) == result("m2", "alive")
    assert "result refused m1 FormatViolation" in system.recorder.frames


async def test_a_version_is_loaded_when_it_is_first_spoken(start: StartCentralSystem) -> None:
    system = await start(None, Dialect("ocpp1.6"), Dialect("ocpp2.1", OF_21, is_loaded=False))
    async with system.dial(subprotocols=["ocpp2.1"]) as client:
        await client.send(call("m1", "Echo", "x"))
        assert await receive(client) == result("m1", "x")
    assert system.dialects[1].is_loaded


async def test_the_charge_points_preference_counts_among_what_it_may_speak(start: StartCentralSystem) -> None:
    system = await start(None, Dialect("ocpp1.6"), Dialect("ocpp2.0.1"), Dialect("ocpp2.1", OF_21))

    async def admit(request: ConnectRequest) -> Admitted | AdmissionRefused:
        return Admitted(Peer(1, request.identity), 1, request.ocpp_versions[-1])

    async with system.dial("CP1", ["ocpp2.1", "ocpp9", "ocpp2.0.1"]) as client:
        assert client.subprotocol == "ocpp2.1"
    system.door.verdict = admit
    async with system.dial("CP2", ["ocpp2.1", "ocpp9", "ocpp2.0.1"]) as client:
        assert client.subprotocol == "ocpp2.0.1"
        assert system.live("CP2").ocpp_version == "2.0.1"
        await client.send(call("m1", "Echo", "x"))
        assert await receive(client) == result("m1", "x")
    assert system.door.requests[0].ocpp_versions == ("2.1", "2.0.1")


@pytest.mark.parametrize("compressed", [True, False])
async def test_messages_are_compressed_where_that_is_allowed(start: StartCentralSystem, compressed: bool) -> None:
    system = await start(compressed=compressed)
    async with connect(
        f"ws://127.0.0.1:{system.port}/ocpp/CP1",
        subprotocols=[Subprotocol("ocpp1.6")],
        compression="deflate",
        proxy=None,
    ) as client:
        assert bool(client.protocol.extensions) is compressed
        for text in ("x", "y" * 30_000):
            await client.send(call("m1", "Echo", text))
            assert await receive(client) == result("m1", text)
    assert ConnectionOutcome.ACCEPTED in system.recorder.outcomes
