"""Messages over a real socket: incoming CALLs in order, CALLs of ours beside them, and every way they end."""

from __future__ import annotations

import asyncio
import json

import pytest
from websockets.frames import Opcode

from mcpp.csms.live import LiveChargePoints
from mcpp.csms.outcomes import ConnectionOutcome
from mcpp.ocppj.actions import Action, Sender
from mcpp.ocppj.errors import (
    CallRefused,
    CallTimeout,
    ConnectionLost,
    InvalidAnswer,
    NotConnected,
    QueueFull,
    WrongVersion,
)
from mcpp.ocppj.flow import Caller, Flow, TraceContext, current_trace_context
from mcpp.transport.limits import Limits
from tests.integration.transport.conftest import StartCentralSystem
from tests.integration.transport.support import ECHO, CentralSystem, Text, call, receive, result, soon


async def command(system: CentralSystem, text: str = "hello") -> Text:
    live: LiveChargePoints = system.registry
    return await soon(live.call("CP1", ECHO, Text(text=text)))


async def asked(message: str) -> str:
    """The UniqueId of a CALL that came from the central system."""
    message_type, message_id, action, _ = json.loads(message)
    assert (message_type, action) == (2, "Echo")
    return str(message_id)


async def test_a_call_is_answered_and_then_published(system: CentralSystem) -> None:
    async with system.dial() as client:
        await client.send(call("m1", "Echo", "hello"))

        assert await receive(client) == result("m1", "hello")
    assert system.recorder.frames == ["in Echo m1", "answered m1"]
    assert system.dialect.published == ["hello"]


async def test_calls_are_handled_one_at_a_time_in_order(system: CentralSystem) -> None:
    async with system.dial() as client:
        await client.send(call("m1", "Wait", "first"))
        await client.send(call("m2", "Echo", "second"))
        await client.send(call("m3", "Wait", "third"))
        await client.send(call("m4", "Echo", "fourth"))
        await system.recorder.until(lambda: "in Echo m4" in system.recorder.frames)
        assert system.dialect.begun == ["first"]

        system.dialect.gate("first").set()
        assert await receive(client) == result("m1", "first")
        assert await receive(client) == result("m2", "second")
        assert system.dialect.begun == ["first", "second", "third"]
        system.dialect.gate("third").set()
        assert await receive(client) == result("m3", "third")
        assert await receive(client) == result("m4", "fourth")
    assert system.dialect.published == ["first", "second", "third", "fourth"]


async def test_two_chargers_with_one_slow_write_do_not_wait_for_each_other(system: CentralSystem) -> None:
    async with system.dial("CP1") as slow, system.dial("CP2") as quick:
        await slow.send(call("m1", "Wait", "slow"))
        await system.recorder.until(lambda: "in Wait m1" in system.recorder.frames)
        await quick.send(call("m2", "Echo", "quick"))

        assert await receive(quick) == result("m2", "quick")
        system.dialect.gate("slow").set()
        assert await receive(slow) == result("m1", "slow")


async def test_the_flow_at_hand_is_that_of_the_call(system: CentralSystem) -> None:
    async with system.dial() as client:
        await client.send(call("m1", "Wait", "one"))
        await client.send(call("m2", "Wait", "two"))
        await system.recorder.until(lambda: len(system.recorder.flows) == 2)
        for name in ("one", "two"):
            system.dialect.gate(name).set()
            await receive(client)

    first, second = system.recorder.flows
    # As the handler begins, and again after it has waited.
    assert system.dialect.flows == [first, first, second, second]


@pytest.mark.parametrize(
    ("action", "text", "code", "frames"),
    [
        ("Unknown", "x", "NotImplemented", ["in Unknown m1", "answered m1"]),
        ("Crash", "x", "InternalError", ["in Crash m1", "failed m1", "answered m1"]),
        ("CrashLater", "x", "InternalError", ["in CrashLater m1", "failed m1", "answered m1"]),
    ],
)
async def test_faults_become_call_errors(
    system: CentralSystem, action: str, text: str, code: str, frames: list[str]
) -> None:
    async with system.dial() as client:
        await client.send(call("m1", action, text))
        answer = json.loads(await receive(client))
        await client.send(call("m2", "Echo", "alive"))

        assert answer[:3] == [4, "m1", code]
        assert await receive(client) == result("m2", "alive")
    assert system.recorder.frames[: len(frames)] == frames
    assert system.dialect.published == ["alive"]


async def test_a_handlers_error_stays_inside(system: CentralSystem) -> None:
    async with system.dial() as client:
        await client.send(call("m1", "Crash", "a secret"))

        assert "secret" not in await receive(client)
    assert [str(error) for error in system.recorder.errors] == ["a secret"]


async def test_odd_error_details_leave_the_connection_alone(system: CentralSystem) -> None:
    async with system.dial() as client:
        pending = asyncio.create_task(command(system))
        await client.send(f'[4,"{await asked(await receive(client))}","GenericError","",{{"value":NaN}}]')
        with pytest.raises(CallRefused):
            await pending
        await client.send(call("m1", "Echo", "alive"))

        assert await receive(client) == result("m1", "alive")


async def test_call_error_details_are_sent(system: CentralSystem) -> None:
    async with system.dial() as client:
        await client.send('[2,"m1","Echo",{}]')

        assert json.loads(await receive(client)) == [4, "m1", "PropertyConstraintViolation", "no text", {"errors": 1}]


async def test_what_could_not_be_stored_is_not_answered(system: CentralSystem) -> None:
    async with system.dial() as client:
        await client.send(call("m1", "Unanswerable", "x"))
        await client.send(call("m2", "Echo", "alive"))

        assert await receive(client) == result("m2", "alive")
    assert "unanswered m1 Unanswerable" in system.recorder.frames


@pytest.mark.parametrize(
    ("text", "answer", "frames"),
    [
        (
            b'[2,"m1","Echo",{"text":"x"}',
            [4, "m1", "RpcFrameworkError"],
            ["refused m1", "refusal m1 RpcFrameworkError"],
        ),
        (b'[9,"m1",{}]', [4, "m1", "MessageTypeNotSupported"], ["refused m1", "refusal m1 MessageTypeNotSupported"]),
        (b"hello", None, ["refused None"]),
        (b'[3,"m1",', None, ["refused m1"]),
        (b"\xff\xfe\xff", None, ["refused None"]),
        (b'[3,"nobody",{}]', None, ["unknown answer"]),
    ],
)
async def test_broken_frames_never_end_the_connection(
    system: CentralSystem, text: bytes, answer: list[object] | None, frames: list[str]
) -> None:
    raw = await system.dial_frames()
    raw.send_frame(Opcode.TEXT, text)
    if answer is not None:
        assert json.loads((await raw.frame())[1])[:3] == answer
    raw.send_frame(Opcode.TEXT, call("m2", "Echo", "alive").encode())

    assert await raw.frame() == (Opcode.TEXT, result("m2", "alive").encode())
    assert system.recorder.frames[: len(frames)] == frames
    await raw.close()


async def test_a_command_brings_its_typed_response(system: CentralSystem) -> None:
    async with system.dial() as client:
        pending = asyncio.create_task(command(system))
        message_id = await asked(await receive(client))
        await client.send(result(message_id, "hello too"))

        assert await pending == Text(text="hello too")
    assert system.recorder.frames == ["out Echo", "answer to Echo"]


async def test_commands_wait_their_turn(system: CentralSystem) -> None:
    async with system.dial() as client:
        pending = [asyncio.create_task(command(system, text)) for text in ("one", "two")]
        first = await receive(client)
        await client.send(call("m1", "Echo", "in between"))
        assert await receive(client) == result("m1", "in between")
        assert system.live().queued_calls == 1

        await client.send(result(await asked(first), "1"))
        await client.send(result(await asked(await receive(client)), "2"))
        assert [(await task).text for task in pending] == ["1", "2"]


async def test_a_handler_may_wait_for_a_command(system: CentralSystem) -> None:
    async def ask(flow: Flow) -> Text:
        return await system.live().call(ECHO, Text(text="who?"))

    system.dialect.ask = ask
    async with system.dial() as client:
        await client.send(call("m1", "Ask", "x"))
        message_id = await asked(await receive(client))
        await client.send(call("m2", "Echo", "meanwhile"))
        await client.send(result(message_id, "me"))

        assert await receive(client) == result("m1", "me")
        assert await receive(client) == result("m2", "meanwhile")
    incoming, outgoing, _ = system.recorder.flows
    assert incoming.correlation_id == outgoing.correlation_id


async def test_a_command_belongs_to_its_cause(system: CentralSystem) -> None:
    async with system.dial() as client:
        current_trace_context.set(TraceContext("c" * 32))
        pending = asyncio.create_task(system.live().call(ECHO, Text(text="x")))
        await client.send(result(await asked(await receive(client)), "y"))
        await soon(pending)

    assert system.recorder.flows[0].correlation_id == "c" * 32


async def test_a_call_error_is_call_refused(system: CentralSystem) -> None:
    async with system.dial() as client:
        pending = asyncio.create_task(command(system))
        message_id = await asked(await receive(client))
        await client.send(f'[4,"{message_id}","NotSupported","no",{{"why":"old"}}]')
        with pytest.raises(CallRefused) as refused:
            await pending

    error = refused.value
    assert (error.code, error.description, error.details) == ("NotSupported", "no", {"why": "old"})


@pytest.mark.parametrize("answer", ['[3,"{id}",{{"txet":"x"}}]', '[3,"{id}",{{"text":', '[4,"{id}",5,"",{{}}]'])
async def test_an_answer_beyond_repair_is_invalid(system: CentralSystem, answer: str) -> None:
    async with system.dial() as client:
        pending = asyncio.create_task(command(system))
        await client.send(answer.format(id=await asked(await receive(client))))
        with pytest.raises(InvalidAnswer):
            await pending
        pending = asyncio.create_task(command(system))
        await client.send(result(await asked(await receive(client)), "alive"))

        assert await pending == Text(text="alive")


async def test_no_answer_is_a_timeout_and_a_late_one_is_noticed(start: StartCentralSystem) -> None:
    system = await start(Limits(call_timeout=0.05, close_timeout=0.5))
    async with system.dial() as client:
        with pytest.raises(CallTimeout):
            await command(system)
        await client.send(result(await asked(await receive(client)), "late"))
        await system.recorder.until(lambda: "late answer" in system.recorder.frames)
        pending = asyncio.create_task(command(system))
        await client.send(result(await asked(await receive(client)), "in time"))

        assert await pending == Text(text="in time")
    assert system.recorder.frames[:3] == ["out Echo", "expired Echo CallTimeout", "late answer"]


async def test_waiting_commands_go_out_after_a_timeout(start: StartCentralSystem) -> None:
    system = await start(Limits(call_timeout=0.05, close_timeout=0.5))
    async with system.dial() as client:
        pending = [asyncio.create_task(command(system, text)) for text in ("one", "two")]
        for task in pending:
            with pytest.raises(CallTimeout):
                await task
        sent = [json.loads(await receive(client))[3]["text"] for _ in pending]

    assert sent == ["one", "two"]


async def test_too_many_commands_are_refused(start: StartCentralSystem) -> None:
    system = await start(Limits(call_queue_limit=1, close_timeout=0.5))
    async with system.dial() as client:
        pending = [asyncio.create_task(command(system, text)) for text in ("one", "two")]
        first = await receive(client)
        with pytest.raises(QueueFull):
            await command(system, "three")
        await client.send(result(await asked(first), "1"))
        await client.send(result(await asked(await receive(client)), "2"))

        assert [(await task).text for task in pending] == ["1", "2"]


async def test_a_cancelled_caller_leaves_the_session_in_order(system: CentralSystem) -> None:
    async with system.dial() as client:
        sent, waiting, last = [asyncio.create_task(command(system, text)) for text in ("sent", "waiting", "last")]
        first = await receive(client)
        for task in (sent, waiting):
            task.cancel()
        await asyncio.wait([sent, waiting])
        assert system.live().queued_calls == 1
        await client.send(result(await asked(first), "too late for its caller"))
        second = await receive(client)
        await client.send(result(await asked(second), "ok"))

        assert json.loads(second)[3] == {"text": "last"}
        assert await last == Text(text="ok")
    assert system.recorder.frames == ["out Echo", "withdrawn Echo", "answer to Echo", "out Echo", "answer to Echo"]


async def test_a_lost_connection_ends_every_command(system: CentralSystem) -> None:
    async with system.dial() as client:
        pending = [asyncio.create_task(command(system, text)) for text in ("one", "two")]
        await receive(client)
        client.transport.abort()
        for task in pending:
            with pytest.raises(ConnectionLost):
                await task

    assert system.recorder.frames == ["out Echo", *["expired Echo ConnectionLost"] * 2]


async def test_who_is_not_connected_gets_no_command(system: CentralSystem) -> None:
    assert not system.registry.connected("CP1")
    with pytest.raises(NotConnected):
        await command(system)


async def test_a_running_handler_finishes_though_its_connection_is_lost(system: CentralSystem) -> None:
    async with system.dial() as client:
        await client.send(call("m1", "Wait", "stored"))
        await client.send(call("m2", "Echo", "not begun"))
        await system.recorder.until(lambda: "in Echo m2" in system.recorder.frames)
        client.transport.abort()
        await system.recorder.until_outcome(ConnectionOutcome.LOST)
        system.dialect.gate("stored").set()
        await system.recorder.until(lambda: "unanswered m1 ConnectionLost" in system.recorder.frames)

    assert "unanswered m2 ConnectionLost" in system.recorder.frames
    assert system.dialect.begun == ["stored"]
    assert system.dialect.published == ["stored"]


async def test_a_call_and_an_answer_can_lead_to_the_next_call(system: CentralSystem) -> None:
    """Such as SignCertificate to CertificateSigned: after the answer, on the same connection, in the same trace."""
    system.dialect.next_calls = {
        "sign": (lambda charge_point: charge_point.call(ECHO, Text(text="signed")),),
        "signed": (lambda charge_point: charge_point.call(ECHO, Text(text="and installed")),),
    }
    async with system.dial() as client:
        await client.send(call("m1", "Echo", "sign"))
        assert await receive(client) == result("m1", "sign")
        for text in ("signed", "and installed"):
            message = await receive(client)
            assert json.loads(message)[3] == {"text": text}
            await client.send(result(await asked(message), text))
        await system.recorder.until(lambda: system.recorder.frames.count("answer to Echo") == 2)

    assert len({flow.correlation_id for flow in system.recorder.flows}) == 1


async def test_a_next_call_that_fails_harms_nobody(system: CentralSystem) -> None:
    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context["message"]))

    async def crash(_: Caller) -> None:
        raise RuntimeError("no certificate")

    system.dialect.next_calls = {"sign": (crash, lambda charge_point: charge_point.call(ECHO, Text(text="signed")))}
    async with system.dial() as client:
        await client.send(call("m1", "Echo", "sign"))
        assert await receive(client) == result("m1", "sign")
        await client.send(f'[4,"{await asked(await receive(client))}","InternalError","",{{}}]')
        await client.send(call("m2", "Echo", "hello"))
        assert await receive(client) == result("m2", "hello")
    assert reported == ["a CALL that follows from Echo failed"]


async def test_an_action_of_another_version_is_not_sent(system: CentralSystem) -> None:
    of_201 = Action("Echo", Text, Text, "Test", Sender.BOTH, "2.0.1")
    async with system.dial():
        await system.recorder.until_outcome(ConnectionOutcome.ACCEPTED)
        with pytest.raises(WrongVersion, match=r"CP1 speaks OCPP 1\.6"):
            await soon(system.live().call(of_201, Text(text="hello")))
    assert "out Echo" not in system.recorder.frames
