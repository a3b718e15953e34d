"""A collector that fails: chargers don't notice, every span is accounted for, and the server ends in time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from ocpp.v16 import call

from tests.acceptance.charger import connected_charger
from tests.acceptance.otlp import rotel
from tests.acceptance.server import Server, running_server
from tests.integration.plugins.http_receiver import Posted, listening

SMALL_QUEUE = {
    "OTEL_BSP_SCHEDULE_DELAY": "20",
    "OTEL_BSP_MAX_QUEUE_SIZE": "100",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "50",
}
HEARTBEATS = 400
HOLDS = 100 + 50
"""Spans that the server can hold: those in the queue, and a batch on its way."""


class Fate(NamedTuple):
    """What became of the spans."""

    exported: int
    failed: int
    dropped: int


Fault = Callable[[str], AbstractAsyncContextManager[dict[str, str]]]
"""A collector for a protocol, as the variables that lead there."""


@asynccontextmanager
async def killed(protocol: str) -> AsyncIterator[dict[str, str]]:
    async with rotel(protocol) as collector:
        await collector.kill()
        yield collector.variables


@asynccontextmanager
async def hung(protocol: str) -> AsyncIterator[dict[str, str]]:
    async with rotel(protocol) as collector:
        collector.hang()
        yield collector.variables


@asynccontextmanager
async def slow(protocol: str) -> AsyncIterator[dict[str, str]]:
    async def answer_late(_: Posted, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(2)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    async with listening(answer_late) as receiver:
        yield {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol}


async def spans_total(server: Server) -> Fate:
    async with httpx.AsyncClient(base_url=server.http_url) as client:
        scrape = await client.get("/metrics")
    found = dict(re.findall(r'^mcpp_spans_total\{outcome="(\w+)"\} ([0-9.e+]+)$', scrape.text, re.MULTILINE))
    return Fate(*(int(float(found[outcome])) for outcome in Fate._fields))


async def load(database: Path, variables: dict[str, str]) -> tuple[Fate, Fate]:
    """What became of the spans of many messages, one each and all answered: as a scrape has it, and after the end."""
    async with running_server(database, "--plugins", "none", variables=variables | SMALL_QUEUE) as server:
        async with connected_charger(server.ocpp_url, "CP-1") as charger:
            for _ in range(HEARTBEATS):
                assert (await charger.ask(call.Heartbeat())).current_time
        scraped = await spans_total(server)
        async with asyncio.timeout(30):
            assert await server.terminate() == 0
    ended = next(line for line in server.lines if line["event"] == "tracing_stopped")
    return scraped, Fate(ended["exported"], ended["failed"], ended["dropped"])


@pytest.mark.parametrize(
    ("fault", "protocol"),
    [(killed, "grpc"), (killed, "http/protobuf"), (hung, "grpc"), (hung, "http/protobuf"), (slow, "http/protobuf")],
)
async def test_chargers_are_answered_and_every_span_is_counted(tmp_path: Path, fault: Fault, protocol: str) -> None:
    async with fault(protocol) as variables:
        scraped, ended = await load(tmp_path / "mcpp.db", variables)
    assert sum(ended) == HEARTBEATS
    assert sum(ended) - sum(scraped) <= HOLDS
    assert ended.failed + ended.dropped > 0


async def test_a_collector_that_comes_back_gets_what_comes_then(tmp_path: Path) -> None:
    async with rotel("grpc") as collector:
        variables = collector.variables | {"OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
        async with (
            running_server(tmp_path / "mcpp.db", variables=variables | SMALL_QUEUE) as server,
            connected_charger(server.ocpp_url, "CP-1") as charger,
        ):
            await charger.ask(call.Heartbeat())
            await collector.wait_for(lambda spans: len(spans) > 0)
            collector.hang()
            for _ in range(HEARTBEATS):
                await charger.ask(call.Heartbeat())
            before = len(collector.spans())
            collector.go_on()
            async with asyncio.timeout(30):
                while len(collector.spans()) <= before + HOLDS:
                    await charger.ask(call.Heartbeat())


async def test_the_log_tells_of_it_once(tmp_path: Path) -> None:
    secret = {"OTEL_EXPORTER_OTLP_HEADERS": "authorization=t0psecret"}
    async with killed("http/protobuf") as variables:
        quickly = {"OTEL_EXPORTER_OTLP_TIMEOUT": "0.1"}
        async with (
            running_server(tmp_path / "mcpp.db", variables=variables | SMALL_QUEUE | secret | quickly) as server,
            connected_charger(server.ocpp_url, "CP-1") as charger,
        ):
            async with asyncio.timeout(30):
                # More than a batch, so that there was cause to tell of it twice.
                while (await spans_total(server)).failed <= 50:
                    for _ in range(20):
                        await charger.ask(call.Heartbeat())
        told = [line for line in server.lines if line["event"] == "library_message"]
    assert len(told) == 1, told
    assert told[0]["message"].startswith("Failed to export")
    assert "t0psecret" not in str(server.lines)
