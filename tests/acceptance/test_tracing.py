"""One charging session, followed: metric → trace → log lines → transaction, with a collector that isn't ours."""

from __future__ import annotations

import re
from collections import defaultdict
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from secrets import token_hex

import httpx
import pytest
from ocpp.v16 import call
from ocpp.v16.datatypes import MeterValue, SampledValue
from ocpp.v16.enums import ChargePointErrorCode, ChargePointStatus

from tests.acceptance.charger import Charger
from tests.acceptance.operated import OperatedCharger, operated_charger
from tests.acceptance.otlp import Collector, ReceivedSpan, rotel
from tests.acceptance.server import LogLine, Server, running_server

IDENTITY = "CP-1"
BEGIN = datetime.now(UTC) - timedelta(hours=1)
PROTOCOLS = pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])


def charger_at(server: Server) -> AbstractAsyncContextManager[OperatedCharger]:
    return operated_charger(
        server.ocpp_url,
        IDENTITY,
        {"RemoteStartTransaction": {"status": "Accepted"}, "ChangeAvailability": {"status": "Accepted"}},
    )


def at(minute: int) -> str:
    return (BEGIN + timedelta(minutes=minute)).isoformat()


async def report(charger: Charger, status: ChargePointStatus) -> None:
    await charger.ask(call.StatusNotification(connector_id=1, error_code=ChargePointErrorCode.no_error, status=status))


async def measure(charger: Charger, transaction_id: int, minute: int) -> None:
    sample = SampledValue(value=str(1000 + minute))
    await charger.ask(
        call.MeterValues(connector_id=1, transaction_id=transaction_id, meter_value=[MeterValue(at(minute), [sample])])
    )


async def exemplar(server: Server, action: str, direction: str) -> str:
    """The trace that a scraper finds beside an action's response time."""
    async with httpx.AsyncClient(base_url=server.http_url) as client:
        scrape = await client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    name = re.escape(f'mcpp_ocpp_message_duration_seconds_bucket{{action="{action}",direction="{direction}",')
    found = re.search(rf'^{name}.* # \{{trace_id="([0-9a-f]{{32}})"\}}', scrape.text, re.MULTILINE)
    assert found is not None
    return found[1]


async def all_spans(collector: Collector, *ended: Server) -> list[ReceivedSpan]:
    """Every span that these servers have sent, once they are there; they say how many these are."""
    told = [line for server in ended for line in server.lines if line["event"] == "tracing_stopped"]
    assert len(told) == len(ended)
    assert all(line["failed"] == line["dropped"] == 0 for line in told)
    return await collector.wait_for(lambda spans: len(spans) >= sum(line["exported"] for line in told))


def of_session(spans: list[ReceivedSpan], session: str) -> list[ReceivedSpan]:
    """The spans of CALLs that belong to a session, in the order in which they began."""
    calls = [s for s in spans if s.kind != "INTERNAL" and s.attributes.get("session_correlation_id") == session]
    return sorted(calls, key=lambda span: span.start)


async def first_half(server: Server) -> int:
    """From the plug to a connection that is cut and made again; gives the transaction's id."""
    async with charger_at(server) as charger:
        await charger.ask(call.BootNotification(charge_point_model="Wall", charge_point_vendor="Acme"))
        await report(charger, ChargePointStatus.available)
        await report(charger, ChargePointStatus.preparing)
        await server.wait_for_line(lambda line: is_message(line, "RemoteStartTransaction", "call_result"))
        started = await charger.ask(
            call.StartTransaction(connector_id=1, id_tag="MCPP", meter_start=1000, timestamp=at(0))
        )
        await report(charger, ChargePointStatus.charging)
        await measure(charger, started.transaction_id, 1)
        await charger.cut()
    async with charger_at(server) as charger:
        await measure(charger, started.transaction_id, 2)
    transaction_id = started.transaction_id
    assert isinstance(transaction_id, int)
    return transaction_id


async def second_half(server: Server, transaction_id: int) -> None:
    async with charger_at(server) as charger:
        await measure(charger, transaction_id, 3)
        await charger.ask(call.StopTransaction(meter_stop=8000, timestamp=at(4), transaction_id=transaction_id))
        await report(charger, ChargePointStatus.available)


def is_message(line: LogLine, action: str, message_type: str) -> bool:
    return (line["event"], line.get("action"), line.get("message_type")) == ("ocpp_message", action, message_type)


@PROTOCOLS
async def test_from_an_exemplar_to_the_trace_the_log_lines_and_the_transaction(tmp_path: Path, protocol: str) -> None:
    async with rotel(protocol) as collector:
        serve = partial(running_server, tmp_path / "mcpp.db", "--auto-start", "on", variables=collector.variables)
        async with serve() as server:
            transaction_id = await first_half(server)
            correlation_id = await exemplar(server, "StartTransaction", "in")
            assert await server.terminate() == 0
        servers = [server]
        async with serve() as server:
            await second_half(server, transaction_id)
            transaction = await server.get(f"/api/v1/transactions/{transaction_id}")
            assert await server.terminate() == 0
        servers.append(server)

        session = transaction["session_correlation_id"]
        spans = await all_spans(collector, *servers)

    lines = [line for server in servers for line in server.lines]
    start = next(span for span in spans if span.trace_id == correlation_id and span.kind == "SERVER")
    assert (start.name, start.resource["service.name"]) == ("StartTransaction", "mcpp")
    assert start.attributes["ocpp.charge_point_id"] == IDENTITY
    assert start.attributes["ocpp.transaction_id"] == transaction_id

    of_start = [line for line in lines if line.get("correlation_id") == correlation_id]
    assert {line["event"] for line in of_start} >= {"ocpp_message", "transaction_started"}
    assert {line["trace_id"] for line in of_start} == {correlation_id}
    assert {line["span_id"] for line in of_start} == {start.span_id}
    assert {line["session_correlation_id"] for line in of_start} == {session}
    assert any(span.parent_span_id == start.span_id and span.name == "database_write" for span in spans)

    flows = of_session(spans, session)
    assert [(span.name, span.kind) for span in flows] == [
        ("StatusNotification", "SERVER"),
        ("RemoteStartTransaction", "CLIENT"),
        ("StartTransaction", "SERVER"),
        ("StatusNotification", "SERVER"),
        ("MeterValues", "SERVER"),
        ("MeterValues", "SERVER"),
        ("MeterValues", "SERVER"),
        ("StopTransaction", "SERVER"),
    ]
    own = [span for span in spans if span.trace_id == session]
    (root,) = (span for span in own if not span.parent_span_id)
    assert {span.parent_span_id for span in own if span is not root} == {root.span_id}
    linked = {link for span in own for link in span.links}
    assert linked == {(span.trace_id, span.span_id) for span in flows}
    assert all((session, root.span_id) in span.links for span in flows)


@PROTOCOLS
async def test_a_command_continues_its_caller_s_trace(tmp_path: Path, protocol: str) -> None:
    trace_id, span_id = token_hex(16), token_hex(8)
    async with (
        rotel(protocol) as collector,
        running_server(tmp_path / "mcpp.db", variables=collector.variables) as server,
        charger_at(server),
    ):
        answer = await command(server, f"00-{trace_id}-{span_id}-01")
        assert answer["correlation_id"] == trace_id
        sent = await collector.wait_for_span(lambda span: span.kind == "CLIENT")
        await collector.wait_for(lambda spans: any(span.parent_span_id == span_id for span in spans))
        received = await server.wait_for_line(lambda line: is_message(line, "ChangeAvailability", "call_result"))
    assert (sent.trace_id, sent.name) == (trace_id, "ChangeAvailability")
    assert (received["correlation_id"], received["trace_id"]) == (trace_id, trace_id)
    assert received["span_id"] == sent.span_id


async def test_a_caller_that_does_not_sample_is_heeded(tmp_path: Path) -> None:
    async with (
        rotel("grpc") as collector,
        running_server(tmp_path / "mcpp.db", variables=collector.variables) as server,
        charger_at(server),
    ):
        unsampled, sampled = token_hex(16), token_hex(16)
        assert (await command(server, f"00-{unsampled}-{token_hex(8)}-00"))["correlation_id"] == unsampled
        await command(server, f"00-{sampled}-{token_hex(8)}-01")
        await collector.wait_for_span(lambda span: span.trace_id == sampled and span.kind == "CLIENT")
        assert all(span.trace_id != unsampled for span in collector.spans())
        await server.wait_for_line(lambda line: line.get("correlation_id") == unsampled)
        lines = [line for line in server.lines if line.get("correlation_id") == unsampled]
        assert all("trace_id" not in line for line in lines)


async def command(server: Server, traceparent: str) -> dict[str, object]:
    async with httpx.AsyncClient(base_url=server.http_url, headers={"traceparent": traceparent}) as client:
        answer = await client.post(
            f"/api/v1/charge-points/{IDENTITY}/commands/ChangeAvailability",
            json={"connectorId": 1, "type": "Operative"},
        )
    assert answer.status_code == 200, answer.text
    facts: dict[str, object] = answer.json()
    return facts


async def test_the_spans_of_a_plugin_go_the_same_way(tmp_path: Path) -> None:
    (tmp_path / "own_spans.py").write_text(
        """
from mcpp.plugins import hookimpl
from opentelemetry import trace

class OwnSpans:
    @hookimpl
    def charge_point_booted(self, event):
        with trace.get_tracer("own").start_as_current_span("own work") as span:
            span.set_attribute("charge_point", event.charge_point_id)
"""
    )
    async with rotel("grpc") as collector:
        variables = {**collector.variables, "MCPP_PLUGINS": "own_spans:OwnSpans", "PYTHONPATH": str(tmp_path)}
        async with (
            running_server(tmp_path / "mcpp.db", variables=variables) as server,
            charger_at(server) as charger,
        ):
            await charger.ask(call.BootNotification(charge_point_model="Wall", charge_point_vendor="Acme"))
            own = await collector.wait_for_span(lambda span: span.name == "own work")
    assert own.scope == "own"
    assert own.attributes == {"charge_point": IDENTITY}
    assert own.resource["service.name"] == "mcpp"


async def test_with_tracing_off_exemplars_and_lines_are_joined_all_the_same(tmp_path: Path) -> None:
    async with running_server(tmp_path / "mcpp.db", "--auto-start", "on") as server:
        await first_half(server)
        correlation_id = await exemplar(server, "StartTransaction", "in")
        lines = [line for line in server.lines if line.get("correlation_id") == correlation_id]
    assert {line["event"] for line in lines} >= {"ocpp_message", "transaction_started"}
    assert all("trace_id" not in line for line in lines)


HALF = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.5"}


async def test_with_every_second_trace_recorded_lines_and_exemplars_lead_to_these_only(tmp_path: Path) -> None:
    async with rotel("grpc") as collector:
        variables = collector.variables | HALF
        async with running_server(tmp_path / "mcpp.db", "--plugins", "none", variables=variables) as server:
            async with charger_at(server) as charger:
                for _ in range(64):
                    await charger.ask(call.Heartbeat())
            shown = await exemplar(server, "Heartbeat", "in")
            assert await server.terminate() == 0
        traced = {line["trace_id"] for line in server.lines if "trace_id" in line}
        flows = {line["correlation_id"] for line in server.lines if line.get("action") == "Heartbeat"}
        recorded = {span.trace_id for span in await all_spans(collector, server)}
    assert 0 < len(recorded) < len(flows) == 64
    assert recorded == traced
    assert shown in recorded


async def test_with_every_second_trace_recorded_a_session_is_recorded_whole_or_not(tmp_path: Path) -> None:
    async with rotel("grpc") as collector:
        variables = collector.variables | HALF
        async with running_server(tmp_path / "mcpp.db", "--plugins", "none", variables=variables) as server:
            async with charger_at(server) as charger:
                for _ in range(20):
                    await charge(charger)
            assert await server.terminate() == 0
        sessions: dict[str, set[str]] = defaultdict(set)
        for line in server.lines:
            if "session_correlation_id" in line and line.get("message_type") == "call":
                sessions[line["session_correlation_id"]].add(line["correlation_id"])
        spans = await all_spans(collector, server)
    recorded = {span.trace_id for span in spans if span.trace_id in sessions}
    traces = {span.trace_id for span in spans}
    assert 0 < len(recorded) < len(sessions) == 20
    assert all(sessions[session] <= traces for session in recorded)


async def charge(charger: Charger) -> None:
    await report(charger, ChargePointStatus.preparing)
    started = await charger.ask(call.StartTransaction(connector_id=1, id_tag="T", meter_start=1000, timestamp=at(0)))
    await measure(charger, started.transaction_id, 1)
    await charger.ask(call.StopTransaction(meter_stop=2000, timestamp=at(2), transaction_id=started.transaction_id))
    await report(charger, ChargePointStatus.available)
