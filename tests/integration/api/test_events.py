"""GET /events over a real socket: order, resuming, gaps, slow readers, the end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import httpx

from mcpp.domain.events import Event
from mcpp.domain.samples import Sample
from mcpp_generated.db.enums import StopOrigin
from tests import events
from tests.integration.api.support import ENERGY, START, Site, text


@dataclass(frozen=True)
class Message:
    event: str
    id: str | None
    data: dict[str, Any]


def heartbeat(number: int) -> Event:
    return replace(events.HEARTBEAT, charge_point_id=f"CP-{number}", at=START)


@asynccontextmanager
async def reading(
    api: Site, last_event_id: str | None = None, **filters: str | list[str]
) -> AsyncIterator[AsyncIterator[str]]:
    """The stream's blocks, comments too, once it is open."""
    headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
    async with api.http.stream("GET", "/api/v1/events", headers=headers, params=filters) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        yield blocks(response)


async def blocks(response: httpx.Response) -> AsyncIterator[str]:
    gathered: list[str] = []
    async for line in response.aiter_lines():
        if line:
            gathered.append(line)
        else:
            yield "\n".join(gathered)
            gathered = []


async def messages(stream: AsyncIterator[str], count: int) -> list[Message]:
    found: list[Message] = []
    async with asyncio.timeout(10):
        while len(found) < count:
            block = await anext(stream)
            if block.startswith(":"):
                continue
            fields = dict(line.split(": ", 1) for line in block.splitlines())
            found.append(Message(fields["event"], fields.get("id"), json.loads(fields["data"])))
    return found


async def test_what_is_gathered_comes_at_once(api: Site) -> None:
    async with reading(api, gather="200"), api.http.stream("GET", "/api/v1/events", params={"gather": 200}) as other:
        for number in range(3):
            api.events.publish([heartbeat(number)])
            await asyncio.sleep(0)
        chunk = await anext(other.aiter_raw())

    assert chunk.count(b"event: heartbeat_received") == 3
    answer = await api.http.get("/api/v1/events", params={"gather": "-1"})
    assert answer.status_code == 422


async def test_what_happens_is_told_in_order_to_every_reader(api: Site) -> None:
    api.events.publish([heartbeat(0)])
    async with reading(api) as one, reading(api) as other:
        for number in range(1, 301):
            api.events.publish([heartbeat(number)])
        found = await messages(one, 300)

        assert await messages(other, 300) == found
    assert [message.data["charge_point_id"] for message in found] == [f"CP-{n}" for n in range(1, 301)]
    assert found[0].event == "heartbeat_received"
    assert found[0].data == {
        "event": "heartbeat_received",
        "charge_point_id": "CP-1",
        "correlation_id": "c" * 32,
        "at": text(START),
    }
    assert len({message.id for message in found}) == 300


async def test_events_are_told_in_the_words_of_the_api_and_without_secrets(api: Site) -> None:
    happened = [
        replace(events.MEASURED, samples=[Sample(START, ENERGY, "12.0", 0)]),
        replace(
            events.STOPPED,
            stopped_at=START + timedelta(microseconds=1500),
            origin=StopOrigin.OPERATOR,
            evidence='{"cause": "operator"}',
        ),
        replace(events.TAMPERED, tech_info="ftp://user:geheim@h/x\npassword=geheim"),
    ]
    async with reading(api) as stream:
        api.events.publish(happened)
        values, stopped, security = await messages(stream, 3)

    (sample,) = values.data["samples"]
    assert sample == {
        "timestamp": text(START),
        "measurand": ENERGY.measurand,
        "phase": None,
        "unit": "Wh",
        "context": "Sample.Periodic",
        "location": "Outlet",
        "format": "Raw",
        "value": "12.0",
    }
    assert (stopped.event, stopped.data["origin"]) == ("transaction_stopped", "operator")
    assert stopped.data["evidence"] == {"cause": "operator"}
    assert stopped.data["stopped_at"] == "2026-05-04T09:30:00.001Z"
    assert security.data["type"] == "TamperDetected"
    assert "geheim" not in json.dumps(security.data)


async def test_a_reader_that_comes_back_misses_nothing(api: Site) -> None:
    async with reading(api) as stream:
        for number in range(3):
            api.events.publish([heartbeat(number)])
        found = await messages(stream, 3)
    for number in range(3, 6):
        api.events.publish([heartbeat(number)])
    async with reading(api, found[1].id) as stream:
        missed = await messages(stream, 4)

    assert missed[0] == found[2]
    assert [message.data["charge_point_id"] for message in missed] == ["CP-2", "CP-3", "CP-4", "CP-5"]


async def test_a_reader_gets_the_events_and_charge_points_that_it_names(api: Site) -> None:
    happened = [
        *(replace(event, charge_point_id=f"CP-{n}") for n in range(4) for event in (events.STOPPED, events.TAMPERED)),
        replace(events.STOPPED, charge_point_id="a,b"),
    ]
    async with (
        reading(api, events="transaction_stopped, heartbeat_received", charge_point_id="CP-1,CP-3") as some,
        reading(api, charge_point_id=["CP-2", "a,b"]) as others,
    ):
        api.events.publish(happened)
        found = await messages(some, 2)
        of_others = await messages(others, 3)

    assert [(it.event, it.data["charge_point_id"]) for it in found] == [
        ("transaction_stopped", "CP-1"),
        ("transaction_stopped", "CP-3"),
    ]
    assert [it.data["charge_point_id"] for it in of_others] == ["CP-2", "CP-2", "a,b"]


async def test_an_event_that_does_not_exist_is_refused(api: Site) -> None:
    answer = await api.get("/api/v1/events", events="transaction_stoped,heartbeat_received")

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameter")
    assert (
        answer.json()["detail"] == "query.events: 'transaction_stoped' is no event; did you mean transaction_stopped?"
    )


async def test_a_gap_is_told(api: Site) -> None:
    async with reading(api) as stream:
        api.events.publish([heartbeat(0)])
        (first,) = await messages(stream, 1)
    for number in range(1, 1101):
        api.events.publish([heartbeat(number)])
    async with reading(api, first.id) as stream:
        gap, *rest = await messages(stream, 1001)
    async with reading(api, "of-another-life-7") as stream:
        foreign_gap, oldest = await messages(stream, 2)

    assert (gap.event, gap.id, gap.data) == ("gap", None, {"event": "gap", "last_event_id": first.id})
    assert [message.data["charge_point_id"] for message in rest] == [f"CP-{n}" for n in range(101, 1101)]
    assert (foreign_gap.event, foreign_gap.data["last_event_id"]) == ("gap", "of-another-life-7")
    assert oldest == rest[0]


async def test_a_comment_shows_that_the_stream_lives(api: Site) -> None:
    async with reading(api) as stream, asyncio.timeout(10):
        assert await anext(stream) == ": heartbeat"
        assert await anext(stream) == ": heartbeat"


async def test_a_reader_that_cannot_keep_up_is_cut_off(api: Site) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port, limit=1 << 10)
    writer.write(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    # Until the sockets between the two are full, which takes megabytes, and then a ring full and more.
    for number in range(60_000):
        api.events.publish([heartbeat(number)])
        if number % 100 == 0:
            await asyncio.sleep(0)
    received = b""
    async with asyncio.timeout(20):
        while not received.endswith(b"0\r\n\r\n"):
            received += await reader.read(1 << 16)
    writer.close()

    assert 0 < received.count(b"event: heartbeat_received") < 60_000


async def test_streams_end_when_the_server_does(api: Site) -> None:
    async with reading(api) as stream:
        api.events.publish([heartbeat(1)])
        await messages(stream, 1)
        api.services.events.close()

        async with asyncio.timeout(10):
            assert [block async for block in stream if not block.startswith(":")] == []
    async with reading(api) as stream, asyncio.timeout(10):
        assert [block async for block in stream] == []
