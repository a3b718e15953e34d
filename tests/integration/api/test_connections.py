"""What the owner is told of chargers that don't get in, by a whole server: log, list and events."""

from __future__ import annotations

import asyncio
import csv
import json
import ssl
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidMessage
from websockets.typing import Subprotocol

from tests.integration.field_notes.site import Central, central_system, until

_BASIC = {"Authorization": "Basic Q1AtMjpodW50ZXIyeHh4eHh4"}
"""CP-2 with the password hunter2xxxxxx."""


async def _dial(central: Central, path: str, headers: dict[str, str] | None = None, scheme: str = "ws") -> None:
    """One attempt that must fail."""
    tls = None
    if scheme == "wss":
        tls = ssl.create_default_context()
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    with pytest.raises((InvalidHandshake, InvalidMessage, ConnectionError, ssl.SSLError)):
        async with connect(
            f"{scheme}://127.0.0.1:{central.ocpp_port}{path}",
            subprotocols=[Subprotocol("ocpp1.6")],
            additional_headers=headers,
            ssl=tls,
            proxy=None,
        ):
            pass


async def _refused(central: Central, count: int) -> list[dict[str, Any]]:
    async def look() -> list[dict[str, Any]] | None:
        items = await central.items("connections/refused")
        return items if sum(item["count"] for item in items) >= count else None

    items = await until(look)
    assert items is not None
    return items


async def test_each_kind_of_refusal_is_in_log_list_and_events_with_its_remedy(tmp_path: Path) -> None:
    async with central_system(tmp_path, registration="closed") as central:
        await central.put("charge-points/CP-2", {"password": "right-password-of-it"})
        url = (await central.get("connect"))["url"]
        assert url == f"ws://127.0.0.1:{central.ocpp_port}/ocpp/"
        async with central.http.stream("GET", "/api/v1/events") as stream:
            for _ in range(3):
                await _dial(central, "/steve/websocket/CentralSystemService/?password=hunter2xxxxxx")
            await _dial(central, "/CP-1")
            await _dial(central, "/CP-2", _BASIC)
            await _dial(central, "/CP-2", scheme="wss")
            items = await _refused(central, 6)
            events = [json.loads(line[6:]) async for line in _lines(stream.aiter_lines(), "event: connection_refused")]

        assert [(item["outcome"], item["charge_point_id"], item["count"]) for item in reversed(items)] == [
            ("bad_identity", None, 3),
            ("unknown_charge_point", "CP-1", 1),
            ("unauthorized", "CP-2", 1),
            ("bad_request", None, 1),
        ]
        by_outcome = {item["outcome"]: item for item in items}
        assert by_outcome["bad_identity"]["path"] == "/steve/websocket/CentralSystemService/"
        assert url in by_outcome["bad_identity"]["remedy"]
        assert "PUT /api/v1/charge-points/ID" in by_outcome["unknown_charge_point"]["remedy"]
        assert "AuthorizationKey" in by_outcome["unauthorized"]["remedy"]
        assert "TLS" in by_outcome["bad_request"]["why"]
        assert url in by_outcome["bad_request"]["remedy"]
        assert {item["remote_address"] for item in items} == {"127.0.0.1"}

        assert [event["outcome"] for event in events] == ["bad_identity"] * 3 + [
            "unknown_charge_point",
            "unauthorized",
            "bad_request",
        ]
        assert events[3]["remedy"] == by_outcome["unknown_charge_point"]["remedy"]

        said = [line for line in central.lines() if line["event"] == "connection"]
        assert {line["level"] for line in said} == {"warning"}
        assert [(line["outcome"], line["remedy"]) for line in said] == [
            (item["outcome"], item["remedy"]) for item in reversed(items)
        ]
        assert "hunter2" not in central.log.read_text() + json.dumps(items) + json.dumps(events)
        assert await central.metric("mcpp_connections_total", outcome="bad_identity") == 3


async def _lines(lines: Any, wanted: str) -> Any:
    """The data of six such events."""
    found = 0
    async for line in lines:
        if line == wanted:
            async for follows in lines:
                if follows.startswith("data: "):
                    yield follows
                    found += 1
                    break
        if found == 6:
            return


async def test_the_list_has_pages(tmp_path: Path) -> None:
    async with central_system(tmp_path) as central:
        for number in range(3):
            await _dial(central, f"/{number}/ws")
        await _refused(central, 3)
        first = await central.get("connections/refused", limit="2")
        rest = await central.get("connections/refused", limit="2", cursor=first["next_cursor"])
        assert [item["path"] for item in first["items"] + rest["items"]] == ["/2/ws", "/1/ws", "/0/ws"]
        assert rest["next_cursor"] is None


async def test_a_charger_with_another_products_url_gets_in(tmp_path: Path) -> None:
    async with central_system(tmp_path) as central:
        steve = f"ws://127.0.0.1:{central.ocpp_port}/steve/websocket/CentralSystemService/CP-1"
        async with connect(steve, subprotocols=[Subprotocol("ocpp1.6")], proxy=None) as charger:
            await charger.send('[2,"1","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]')
            answer = json.loads(await asyncio.wait_for(charger.recv(), 10))
            assert answer[2]["status"] == "Accepted"
            assert (await central.get("charge-points/CP-1"))["vendor"] == "V"
            line = await central.logged(lambda line: line.get("outcome") == "other_path")
            assert (line["charge_point_id"], line["path"]) == ("CP-1", "/steve/websocket/CentralSystemService/CP-1")
        assert await central.items("connections/refused") == []


async def test_the_list_is_there_as_csv(tmp_path: Path) -> None:
    async with central_system(tmp_path) as central:
        await _dial(central, "/steve/websocket/CentralSystemService/")
        (item,) = await _refused(central, 1)
        answer = await central.http.get("/api/v1/connections/refused?format=csv")

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    (row,) = csv.DictReader(StringIO(answer.text))
    assert row == {name: "" if value is None else str(value) for name, value in item.items()}
