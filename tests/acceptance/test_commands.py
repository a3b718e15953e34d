"""What a person tells a charge point through the API, seen from both ends: the caller's and the charger's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from ocpp.exceptions import NotSupportedError
from ocpp.v16 import call
from pydantic import JsonValue
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from mcpp.ocppj.actions import Sender
from mcpp_generated.ocpp16.actions import ACTIONS
from tests.acceptance.operated import operated_charger
from tests.acceptance.operations import OPERATIONS
from tests.acceptance.server import Server, running_server

SOFT = b'{"type":"Soft"}'


@asynccontextmanager
async def api_of(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(
        base_url=f"{server.http_url}/api/v1", timeout=60, trust_env=False, limits=limits
    ) as api:
        yield api


async def send(api: httpx.AsyncClient, identity: str, action: str, payload: bytes = b"{}") -> httpx.Response:
    return await api.post(f"/charge-points/{quote(identity, safe='')}/commands/{action}", content=payload)


@asynccontextmanager
async def bare_charger(server: Server, identity: str) -> AsyncIterator[ClientConnection]:
    """A charger's socket, for a test that answers by itself."""
    async with connect(f"{server.ocpp_url}/{identity}", subprotocols=[Subprotocol("ocpp1.6")], proxy=None) as socket:
        yield socket


async def received(socket: ClientConnection) -> list[Any]:
    message: list[Any] = json.loads(await asyncio.wait_for(socket.recv(), 30))
    return message


async def accept(socket: ClientConnection, message_id: str) -> None:
    await socket.send(json.dumps([3, message_id, {"status": "Accepted"}]))


def assert_problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert (response.status_code, problem["status"], problem["code"]) == (status, status, code), problem
    assert problem["title"]
    assert problem["detail"]
    assert problem["correlation_id"] == response.headers["x-correlation-id"]
    return problem


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await holds():
            await asyncio.sleep(0.005)


async def queue_depth(server: Server) -> int:
    async with httpx.AsyncClient(trust_env=False) as client:
        text = (await client.get(f"{server.http_url}/metrics")).text
    (depth,) = [line.split()[1] for line in text.splitlines() if line.startswith("mcpp_call_queue_depth ")]
    return int(float(depth))


async def test_each_operation_goes_out_as_given_and_comes_back_as_answered(tmp_path: Path) -> None:
    assert {operation.action for operation in OPERATIONS} == {
        name for name, action in ACTIONS.items() if action.sender is not Sender.CHARGE_POINT
    }
    answers: dict[str, Any] = {operation.action: operation.answer for operation in OPERATIONS}
    frames: list[str] = []
    told: dict[str, Any] = {}
    async with (
        running_server(tmp_path / "mcpp.db") as server,
        operated_charger(server.ocpp_url, quote("Süd 1"), answers) as charger,
        api_of(server) as api,
    ):
        route = charger.route_message

        async def keep(frame: str) -> None:
            frames.append(frame)
            await route(frame)

        setattr(charger, "route_message", keep)  # noqa: B010  an instance's own in place of its class's
        for action, request, answer in OPERATIONS:
            turned = upside_down(request)
            response = await send(api, "Süd 1", action, json.dumps(turned, indent=2, ensure_ascii=False).encode())

            assert response.status_code == 200, response.text
            told = response.json()
            assert set(told) == {"action", "message_id", "response", "duration_ms", "correlation_id"}
            assert (told["action"], told["response"]) == (action, answer)
            assert told["duration_ms"] > 0
            assert response.headers["x-correlation-id"] == told["correlation_id"]
            payload = json.dumps(turned, separators=(",", ":"), ensure_ascii=False)
            assert frames.pop() == f'[2,"{told["message_id"]}","{action}",{payload}]'
            assert frames == []
        await server.terminate()
    lines = [line for line in server.lines if line.get("correlation_id") == told["correlation_id"]]
    assert [(line["message_type"], line["message_id"]) for line in lines if line["event"] == "ocpp_message"] == [
        ("call", told["message_id"]),
        ("call_result", told["message_id"]),
    ]


def upside_down(value: JsonValue) -> JsonValue:
    """The same with the members of each object in the order that nobody would choose."""
    if isinstance(value, dict):
        return {name: upside_down(member) for name, member in reversed(value.items())}
    return [upside_down(item) for item in value] if isinstance(value, list) else value


async def test_commands_go_on_in_their_callers_trace(tmp_path: Path) -> None:
    answers: dict[str, Any] = {
        "Reset": {"status": "Accepted"},
        "RemoteStopTransaction": {"status": "Rejected"},
        "GetLocalListVersion": {"listVersion": 0},
        "SendLocalList": {"status": "Accepted"},
        "UnlockConnector": NotSupportedError("no lock"),  # type: ignore[no-untyped-call]  # no types
    }
    async with (
        running_server(tmp_path / "mcpp.db") as server,
        operated_charger(server.ocpp_url, "CP-1", answers) as charger,
        api_of(server) as api,
    ):
        started = await charger.ask(
            call.StartTransaction(connector_id=1, id_tag="A", meter_start=1, timestamp="2026-05-04T09:30:00Z")
        )
        for number, (path, payload, status, actions) in enumerate(
            [
                ("/charge-points/CP-1/commands/Reset", SOFT, 200, ["Reset"]),
                (f"/transactions/{started.transaction_id}/stop", b"", 200, ["RemoteStopTransaction"]),
                ("/charge-points/CP-1/local-list/sync", b"", 200, ["GetLocalListVersion", "SendLocalList"]),
                ("/charge-points/CP-1/commands/UnlockConnector", b'{"connectorId":1}', 502, ["UnlockConnector"]),
            ],
            start=1,
        ):
            trace_id = f"{number:032x}"
            response = await api.post(
                path, content=payload, headers={"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}
            )
            assert response.status_code == status, response.text
            assert response.json()["correlation_id"] == response.headers["x-correlation-id"] == trace_id
            request = await server.wait_for_line(
                lambda line, wanted=trace_id: line["event"] == "http_request" and line["correlation_id"] == wanted  # type: ignore[misc]  # mypy knows no defaults of lambdas
            )
            assert (request["path"], request["status"]) == (f"/api/v1{path}", status)
            frames = [
                line for line in server.lines if line["event"] == "ocpp_message" and line["correlation_id"] == trace_id
            ]
            sent = [line["action"] for line in frames if line["message_type"] == "call"]
            assert (sent, len(frames)) == (actions, 2 * len(actions))


async def test_what_cannot_be_sent(tmp_path: Path) -> None:
    async with running_server(tmp_path / "mcpp.db") as server, api_of(server) as api:
        assert_problem(await send(api, "CP-1", "Reset", SOFT), 404, "not_found")
        async with operated_charger(server.ocpp_url, "CP-1", {}) as charger:
            assert_problem(await send(api, "CP-1", "Restart", SOFT), 404, "not_found")
            assert_problem(await send(api, "CP-1", "BootNotification", SOFT), 404, "not_found")
            for payload, location in [
                (b'{"type": "Warm"}', "type"),
                (b'{"type": "Soft", "when": 1}', "when"),
                (b"{}", "type"),
                (b"", "type"),
                (b"[]", ""),
                (b'{"type": "Soft"', ""),
                (b'{"type": "\xff"}', ""),
                (b"[" * 100_000, ""),
            ]:
                problem = assert_problem(await send(api, "CP-1", "Reset", payload), 422, "invalid_payload")
                assert [error["location"] for error in problem["errors"]] == [location], payload
                assert all(error["message"] for error in problem["errors"])
            nested = b'{"connectorId": 1, "csChargingProfiles": {"chargingSchedule": {"chargingSchedulePeriod": [{}]}}}'
            problem = assert_problem(await send(api, "CP-1", "SetChargingProfile", nested), 422, "invalid_payload")
            assert "csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].limit" in {
                error["location"] for error in problem["errors"]
            }
            assert_problem(await send(api, "CP-1", "Reset", b" " * (1 << 20) + SOFT), 413, "payload_too_large")
            assert charger.seen == []
        await server.connection_ended("closed")
        assert_problem(await send(api, "CP-1", "Reset", SOFT), 409, "not_connected")


async def test_what_a_charger_can_do_to_a_command(tmp_path: Path) -> None:
    refusal = NotSupportedError("no lock", {"connector": 1, "why": None})  # type: ignore[no-untyped-call]  # no types
    async with running_server(tmp_path / "mcpp.db", "--call-timeout", "0.3") as server, api_of(server) as api:
        async with operated_charger(server.ocpp_url, "CP-1", {"UnlockConnector": refusal}):
            response = await send(api, "CP-1", "UnlockConnector", b'{"connectorId": 1}')
        problem = assert_problem(response, 502, "call_error")
        assert problem["error_code"] == "NotSupported"
        assert problem["error_description"] == "no lock"
        assert problem["error_details"] == {"connector": 1, "why": None}

        async with bare_charger(server, "CP-2") as socket:
            for answer, code in [
                ('[3,"{}",{{"status":"Perhaps"}}]', "invalid_answer"),
                ('[3,"{}",[]]', "invalid_answer"),
                (r'[4,"{}","GenericError","half a pair: \ud800",{{"\udfff":1}}]', "call_error"),
                ('[4,"{}","","",{{}}]', "call_error"),
            ]:
                asked = asyncio.create_task(send(api, "CP-2", "Reset", SOFT))
                _, message_id, *_ = await received(socket)
                await socket.send(answer.format(message_id))
                assert_problem(await asked, 502, code)

            assert_problem(await send(api, "CP-2", "Reset", SOFT), 504, "timeout")
            await received(socket)
            asked = asyncio.create_task(send(api, "CP-2", "Reset", SOFT))
            await received(socket)
            queued = asyncio.create_task(send(api, "CP-2", "ClearCache"))
            await until(lambda: holds(server, 1))
            socket.transport.abort()
            assert_problem(await asked, 503, "connection_lost")
            assert_problem(await queued, 503, "connection_lost")


async def holds(server: Server, depth: int) -> bool:
    return await queue_depth(server) == depth


async def test_a_hundred_commands_to_a_slow_charger(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path / "mcpp.db") as server,
        bare_charger(server, "CP-1") as socket,
        api_of(server) as api,
    ):
        taken = []
        for number in range(33):
            taken.append(asyncio.create_task(send(api, "CP-1", "DataTransfer", numbered(number))))
            await until(lambda depth=number: holds(server, depth))  # type: ignore[misc]  # mypy knows no defaults of lambdas
        for number in range(33, 100):
            assert_problem(await send(api, "CP-1", "DataTransfer", numbered(number)), 429, "queue_full")

        seen = []
        for number in range(33):
            _, message_id, _, payload = await received(socket)
            seen.append(payload)
            # Whatever else it may do before its answer, there is no second CALL: only the reply to its own.
            await socket.send(f'[2,"own-{number}","Heartbeat",{{}}]')
            assert (await received(socket))[:2] == [3, f"own-{number}"]
            assert await queue_depth(server) == 32 - number
            await accept(socket, message_id)
        answers = await asyncio.gather(*taken)

    assert seen == [json.loads(numbered(number)) for number in range(33)]
    assert [answer.status_code for answer in answers] == [200] * 33


def numbered(number: int) -> bytes:
    return f'{{"vendorId":"v","data":"{number}"}}'.encode()


async def test_a_waiting_command_keeps_no_message_of_its_charger_waiting(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path / "mcpp.db") as server,
        bare_charger(server, "CP-1") as socket,
        api_of(server) as api,
    ):
        asked = asyncio.create_task(send(api, "CP-1", "Reset", SOFT))
        _, command_id, *_ = await received(socket)
        sample = {"timestamp": "2026-05-04T09:30:00Z", "sampledValue": [{"value": "1"}]}
        for number in range(20):
            message = [2, f"m{number}", "MeterValues", {"connectorId": 1, "meterValue": [sample]}]
            await socket.send(json.dumps(message))
            assert await received(socket) == [3, f"m{number}", {}]
        assert not asked.done()
        await accept(socket, command_id)

        assert (await asked).json()["response"] == {"status": "Accepted"}


async def test_a_caller_that_leaves_takes_back_what_still_waits_and_nothing_else(tmp_path: Path) -> None:
    async with running_server(tmp_path / "mcpp.db") as server, bare_charger(server, "CP-1") as socket:
        async with api_of(server) as impatient:
            sent = asyncio.create_task(send(impatient, "CP-1", "Reset", SOFT))
            _, message_id, *_ = await received(socket)
            waiting = asyncio.create_task(send(impatient, "CP-1", "ClearCache"))
            await until(lambda: holds(server, 1))
            for task in (sent, waiting):
                task.cancel()
        await until(lambda: holds(server, 0))
        async with api_of(server) as api:
            third = asyncio.create_task(send(api, "CP-1", "GetLocalListVersion"))
            await until(lambda: holds(server, 1))
            await accept(socket, message_id)
            _, message_id, action, _ = await received(socket)
            await socket.send(json.dumps([3, message_id, {"listVersion": 4}]))

            assert action == "GetLocalListVersion"
            assert (await third).json()["response"] == {"listVersion": 4}
        await server.terminate()
    assert not [line for line in server.lines if line["level"] == "error"]


@pytest.mark.parametrize("fleet", [200])
async def test_a_fleet_commanded_at_once(tmp_path: Path, fleet: int) -> None:
    async def obey(socket: ClientConnection) -> None:
        _, message_id, *_ = await received(socket)
        await accept(socket, message_id)

    async with running_server(tmp_path / "mcpp.db") as server, api_of(server) as api:
        sockets = [bare_charger(server, f"CP-{number}") for number in range(fleet)]
        open_sockets = await asyncio.gather(*(socket.__aenter__() for socket in sockets))
        obeying = asyncio.gather(*map(obey, open_sockets))
        answers = await asyncio.gather(*(send(api, f"CP-{number}", "Reset", SOFT) for number in range(fleet)))
        await obeying
        await asyncio.gather(*(socket.__aexit__(None, None, None) for socket in sockets))

    assert [answer.json()["response"] for answer in answers] == [{"status": "Accepted"}] * fleet


async def test_a_stored_profile_is_sent_in_place_of_its_name(tmp_path: Path) -> None:
    (request,) = [operation.request for operation in OPERATIONS if operation.action == "SetChargingProfile"]
    assert isinstance(request, dict)
    profile = upside_down(request["csChargingProfiles"])
    accepted: dict[str, Any] = {
        "SetChargingProfile": {"status": "Accepted"},
        "RemoteStartTransaction": {"status": "Accepted"},
        "ReserveNow": {"status": "Accepted"},
    }
    async with (
        running_server(tmp_path / "mcpp.db") as server,
        operated_charger(server.ocpp_url, "CP-1", accepted) as charger,
        api_of(server) as api,
    ):
        assert (await api.put("/charging-profiles/night", json=profile)).status_code == 201
        by_name = b'{"csChargingProfiles": {"$ref": "night"}, "connectorId": 0}'
        assert (await send(api, "CP-1", "SetChargingProfile", by_name)).status_code == 200
        start = b'{"chargingProfile": {"$ref": "night"}, "idTag": "A"}'
        response = await send(api, "CP-1", "RemoteStartTransaction", start)
        assert response.status_code == 200
        unknown = b'{"csChargingProfiles": {"$ref": "day"}, "connectorId": 0}'
        problem = assert_problem(await send(api, "CP-1", "SetChargingProfile", unknown), 422, "invalid_payload")
        reservation = b'{"connectorId": 1, "expiryDate": "2035-01-01T00:00:00Z", "idTag": "A"}'
        assert (await send(api, "CP-1", "ReserveNow", reservation)).status_code == 200
        (booked,) = (await api.get("/reservations")).json()["items"]

    assert [error["location"] for error in problem["errors"]] == ["csChargingProfiles.$ref"]
    assert list(map(json.dumps, (payload for _, payload in charger.seen))) == [
        json.dumps({"csChargingProfiles": profile, "connectorId": 0}),
        json.dumps({"chargingProfile": profile, "idTag": "A"}),
        json.dumps({**json.loads(reservation), "reservationId": booked["reservation_id"]}),
    ]
    assert (booked["charge_point_id"], booked["status"]) == ("CP-1", "Accepted")
