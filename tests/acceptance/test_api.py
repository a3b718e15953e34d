"""The HTTP API on the real server: who may ask, and what a person does there with a real charger at the other end."""

from __future__ import annotations

import asyncio
import base64
import csv
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from ocpp.v16 import call
from ocpp.v16.enums import AvailabilityType, ChargePointErrorCode, ChargePointStatus, FirmwareStatus
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from tests.acceptance.charger import Charger, connected_charger
from tests.acceptance.operated import operated_charger
from tests.acceptance.server import Server, running_server

LIST = "/api/v1/charge-points"


@asynccontextmanager
async def client_of(server: Server, token: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=server.http_url, headers=headers, timeout=20, trust_env=False) as client:
        yield client


async def start(charger: Charger, id_tag: str = "TAG", connector_id: int = 1, minute: int = 0) -> int:
    started = await charger.ask(
        call.StartTransaction(
            connector_id=connector_id, id_tag=id_tag, meter_start=100, timestamp=f"2026-05-04T09:{minute:02}:00Z"
        )
    )
    transaction_id: int = started.transaction_id
    return transaction_id


async def raw_answer(server: Server, request: str) -> str:
    """The first line of the answer to a request that no client library would send."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.http_port)
    writer.write(request.replace("\n", "\r\n").encode() + b"\r\n\r\n")
    async with asyncio.timeout(30):
        line = await reader.readline()
    writer.close()
    return line.decode()


async def test_who_may_ask(tmp_path: Path) -> None:
    token = {"Authorization": "Bearer t0ken"}
    async with (
        running_server(tmp_path / "mcpp.db", "--api-token", "t0ken") as server,
        operated_charger(server.ocpp_url, "CP-1", {"Reset": {"status": "Accepted"}}) as charger,
        client_of(server) as client,
    ):
        command = f"{LIST}/CP-1/commands/Reset"
        for method, path in [("GET", LIST), ("POST", command), ("GET", "/api/v1/events"), ("GET", "/metrics")]:
            for headers, status, code in [
                ({}, 401, "unauthorized"),
                ({"Authorization": "Bearer t0keN"}, 401, "unauthorized"),
                ({"Authorization": "Basic dDBrZW4="}, 401, "unauthorized"),
                (token | {"Host": "evil.example"}, 403, "forbidden"),
                (token | {"Origin": "http://evil.example"}, 403, "forbidden"),
                (token | {"Origin": "null"}, 403, "forbidden"),
                (token | {"Origin": f"https://127.0.0.1:{server.http_port + 1}"}, 403, "forbidden"),
            ]:
                response = await client.request(method, path, headers=headers, content=b'{"type":"Soft"}')
                assert (response.status_code, response.json()["code"]) == (status, code), (path, headers)
                assert "t0ken" not in response.text
        assert charger.seen == []
        own = token | {"Origin": server.http_url}
        assert (await client.post(command, headers=own, content=b'{"type":"Soft"}')).status_code == 200
        for path in ("/healthz", "/readyz", "/openapi.json", "/docs"):
            assert (await client.get(path)).status_code == 200, path
        assert (await raw_answer(server, f"GET {LIST} HTTP/1.1\nAuthorization: Bearer t0ken")).split()[1] in {
            "400",
            "403",
        }


async def test_an_identity_with_a_slash_is_refused(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path / "mcpp.db") as server,
        operated_charger(server.ocpp_url, "CP", {"Reset": {"status": "Accepted"}}) as charger,
        client_of(server) as client,
    ):
        for method, path in [
            ("GET", "CP%2F1"),
            ("GET", "%2fCP"),
            ("PUT", "CP%2F1"),
            ("DELETE", "CP%2F1"),
            ("POST", "CP%2Fcommands/Reset"),
            ("POST", "CP/commands%2FReset"),
            ("GET", "CP%2Fconfiguration"),
        ]:
            response = await client.request(method, f"{LIST}/{path}", content=b'{"type":"Soft"}')
            assert (response.status_code, response.json()["code"]) == (400, "bad_request"), path
        listed = (await client.get(LIST)).json()["items"]

        assert [item["id"] for item in listed] == ["CP"]
        assert charger.seen == []
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"{server.ocpp_url}/CP%2F1", subprotocols=[Subprotocol("ocpp1.6")], proxy=None)
        assert refused.value.response.status_code == 400


async def test_a_charger_registered_ahead_of_time_connects_with_its_password(tmp_path: Path) -> None:
    async with running_server(tmp_path / "mcpp.db", "--registration", "closed") as server, client_of(server) as client:

        async def answer_to(password: str) -> int:
            credentials = base64.b64encode(f"CP-1:{password}".encode()).decode()
            try:
                async with connect(
                    f"{server.ocpp_url}/CP-1",
                    subprotocols=[Subprotocol("ocpp1.6")],
                    additional_headers={"Authorization": f"Basic {credentials}"},
                    proxy=None,
                ):
                    return 101
            except InvalidStatus as refused:
                return refused.response.status_code

        assert await answer_to("first") == 404
        assert (await client.put(f"{LIST}/CP-1", json={"password": "first"})).status_code == 201
        assert [await answer_to(password) for password in ("second", "first")] == [401, 101]
        assert (await client.put(f"{LIST}/CP-1", json={"password": "second"})).status_code == 200
        assert [await answer_to(password) for password in ("first", "second")] == [401, 101]
        await server.terminate()
    assert "first" not in json.dumps([line for line in server.lines if line["event"] != "server_started"])


async def test_a_transaction_stopped_and_one_closed(tmp_path: Path) -> None:
    answers: dict[str, Any] = {"RemoteStopTransaction": {"status": "Accepted"}}
    async with running_server(tmp_path / "mcpp.db") as server, client_of(server) as client:
        async with operated_charger(server.ocpp_url, "CP-1", answers) as charger:
            first, second = await start(charger), await start(charger, connector_id=2, minute=1)
            asked = await client.post(f"/api/v1/transactions/{first}/stop")
            stop = call.StopTransaction(meter_stop=400, timestamp="2026-05-04T10:00:00Z", transaction_id=first)
            await charger.ask(stop)
            again = await client.post(f"/api/v1/transactions/{first}/stop")
        await server.connection_ended("closed")
        gone = await client.post(f"/api/v1/transactions/{second}/stop")
        closed = await client.post(f"/api/v1/transactions/{second}/close")

    assert charger.seen == [("RemoteStopTransaction", {"transactionId": first})]
    assert (asked.json()["action"], asked.json()["response"]) == ("RemoteStopTransaction", {"status": "Accepted"})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    assert (gone.status_code, gone.json()["code"]) == (409, "not_connected")
    assert closed.status_code == 200
    assert closed.json() == closed.json() | {"transaction_id": second, "meter_stop": 100, "stop_origin": "operator"}


async def test_what_a_charger_was_told_stands_in_the_books(tmp_path: Path) -> None:
    answers: dict[str, Any] = {
        "ChangeAvailability": {"status": "Scheduled"},
        "ChangeConfiguration": {"status": "Accepted"},
        "GetConfiguration": {
            "configurationKey": [
                {"key": "HeartbeatInterval", "readonly": False, "value": "300"},
                {"key": "AuthorizationKey", "readonly": False, "value": "0123456789abcdef"},
            ]
        },
        "GetLocalListVersion": {"listVersion": 3},
        "SendLocalList": {"status": "Accepted"},
    }
    async with (
        running_server(tmp_path / "mcpp.db") as server,
        operated_charger(server.ocpp_url, "CP-1", answers) as charger,
        client_of(server) as client,
    ):
        for connector in (1, 2):
            await charger.ask(
                call.StatusNotification(
                    connector_id=connector, error_code=ChargePointErrorCode.no_error, status=ChargePointStatus.available
                )
            )
        await charger.ask(call.FirmwareStatusNotification(status=FirmwareStatus.downloaded))
        for action, payload in [
            ("ChangeAvailability", {"connectorId": 2, "type": AvailabilityType.inoperative.value}),
            ("GetConfiguration", {}),
            ("ChangeConfiguration", {"key": "heartbeatinterval", "value": "60"}),
        ]:
            assert (await client.post(f"{LIST}/CP-1/commands/{action}", json=payload)).status_code == 200
        for tag, status in [("A", "Accepted"), ("B", "Blocked")]:
            assert (await client.put(f"/api/v1/id-tags/{tag}", json={"status": status})).status_code == 201
        synced = await client.post(f"{LIST}/CP-1/local-list/sync")
        detail = (await client.get(f"{LIST}/CP-1")).json()
        configuration = (await client.get(f"{LIST}/CP-1/configuration")).json()["items"]

    assert detail["ordered_availability"] == [{"connector_id": 2, "evse_id": None, "availability": "Inoperative"}]
    assert [(report["kind"], report["status"]) for report in detail["reports"]] == [("firmware", "Downloaded")]
    assert detail["local_list_version"] == 4
    assert [(key["key"], key["value"]) for key in configuration] == [
        ("AuthorizationKey", None),
        ("HeartbeatInterval", "60"),
    ]
    assert (synced.json()["action"], synced.json()["response"]) == ("SendLocalList", {"status": "Accepted"})
    sent = charger.seen[-1][1]
    assert isinstance(sent, dict)
    assert (sent["listVersion"], sent["updateType"]) == (4, "Full")
    assert sent["localAuthorizationList"] == [
        {"idTag": "A", "idTagInfo": {"status": "Accepted"}},
        {"idTag": "B", "idTagInfo": {"status": "Blocked"}},
    ]


async def test_transactions_as_csv(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path / "mcpp.db") as server,
        connected_charger(server.ocpp_url, "CP-1") as charger,
        client_of(server) as client,
    ):
        for minute, tag in enumerate(["=1+1", "plain"]):
            await start(charger, tag, connector_id=minute + 1, minute=minute)
        response = await client.get("/api/v1/transactions", headers={"Accept": "text/csv"})

    assert response.headers["content-type"].startswith("text/csv")
    assert [row["id_tag"] for row in csv.DictReader(StringIO(response.text))] == ["plain", "'=1+1"]


async def test_events_as_they_happen_and_after_a_restart(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path / "mcpp.db") as server,
        client_of(server) as client,
        client.stream("GET", "/api/v1/events") as stream,
    ):
        async with connected_charger(server.ocpp_url, "CP-1") as charger:
            transaction_id = await start(charger)
        lines: list[str] = []
        async with asyncio.timeout(30):
            async for line in stream.aiter_lines():
                lines.append(line)
                if line == "event: charge_point_disconnected":
                    break
        # The stream is still open: it must not keep the server from ending.
        async with asyncio.timeout(5):
            assert await server.terminate() == 0

    def told(field: str) -> list[str]:
        return [line.removeprefix(f"{field}: ") for line in lines if line.startswith(f"{field}: ")]

    assert told("event") == ["charge_point_connected", "transaction_started", "charge_point_disconnected"]
    started = json.loads(told("data")[1])
    assert started == started | {"transaction_id": transaction_id, "charge_point_id": "CP-1", "id_tag": "TAG"}
    async with (
        running_server(tmp_path / "mcpp.db") as server,
        client_of(server) as client,
        client.stream("GET", "/api/v1/events", headers={"Last-Event-ID": told("id")[-1]}) as stream,
        asyncio.timeout(30),
    ):
        assert await anext(stream.aiter_lines()) == "event: gap"


async def test_a_stream_that_nobody_reads_does_not_keep_the_server_from_ending(tmp_path: Path) -> None:
    async with running_server(tmp_path / "mcpp.db") as server:
        with socket.create_connection(("127.0.0.1", server.http_port)) as reader:
            reader.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert await asyncio.to_thread(reader.recv, 12) == b"HTTP/1.1 200"
            async with asyncio.timeout(8):
                assert await server.terminate() == 0


async def test_a_connected_charger_is_forgotten_with_all_it_did(tmp_path: Path) -> None:
    async with running_server(tmp_path / "mcpp.db", "--registration", "closed") as server:
        point = f"{server.http_url}/api/v1/charge-points/CP-1"
        async with httpx.AsyncClient() as client:
            await client.put(point, json={})
            async with connected_charger(server.ocpp_url, "CP-1") as charger:
                started = await charger.ask(
                    call.StartTransaction(connector_id=1, id_tag="A", meter_start=1, timestamp="2026-05-04T09:30:00Z")
                )
                refused = await client.delete(point)
                forgotten = await client.delete(f"{point}?purge=true")
                await charger.socket.wait_closed()
            gone = await client.get(point)
            transaction = await client.get(f"{server.http_url}/api/v1/transactions/{started.transaction_id}")
        with pytest.raises(InvalidStatus, match="404"):
            await connect(f"{server.ocpp_url}/CP-1", subprotocols=[Subprotocol("ocpp1.6")])

    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert forgotten.status_code == 204
    assert charger.socket.close_code == 1008
    assert (gone.status_code, transaction.status_code) == (404, 404)
