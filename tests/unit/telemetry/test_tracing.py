"""Spans on their way to a collector: delivered, counted, bounded, and never waited for."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from threading import Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags

from mcpp import __version__
from mcpp.telemetry.tracing.pipeline import SpanCounts, Tracing
from mcpp.telemetry.tracing.settings import read_tracing_settings
from tests.integration.plugins.http_receiver import HttpReceiver, answer, hang, listening
from tests.unit.telemetry.recording import Recording

SOON = {"OTEL_BSP_SCHEDULE_DELAY": "10"}
LATER = {"OTEL_BSP_SCHEDULE_DELAY": "3600000"}
TAKEN = answer(200)
REFUSED = answer(400)


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_SERVICE_NAME", raising=False)


_made: list[Tracing] = []


@pytest.fixture(autouse=True)
def _no_retries() -> Iterator[None]:
    """Ends what `close` doesn't wait for: it would go on in the middle of later tests."""
    yield
    for outlet in (outlet for tracing in _made for outlet in tracing._outlets):
        outlet._processor.span_exporter.shutdown()
        outlet._shutdown.join()
    _made.clear()


@asynccontextmanager
async def tracing_to(url: str, monkeypatch: pytest.MonkeyPatch, **variables: str) -> AsyncIterator[Tracing]:
    """Tracing to a collector, by the variables of this process."""
    given = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": url, **variables}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = read_tracing_settings(given)
    assert settings is not None
    tracing = Tracing(settings)
    _made.append(tracing)
    try:
        yield tracing
    finally:
        await tracing.close(0)


def span(tracing: Tracing, number: int = 1, flags: int = TraceFlags.SAMPLED, **attributes: str) -> ReadableSpan:
    return ReadableSpan(
        f"span {number}",
        context=SpanContext(number, number, is_remote=False, trace_flags=TraceFlags(flags)),
        resource=tracing.resource,
        attributes=attributes,
        kind=SpanKind.SERVER,
        start_time=time.time_ns(),
        end_time=time.time_ns(),
    )


def received(collector: HttpReceiver) -> list[str]:
    """Names of the spans that came in, in their order."""
    return [
        span.name
        for request in collector.posted
        for of_resource in ExportTraceServiceRequest.FromString(request.body).resource_spans
        for of_scope in of_resource.scope_spans
        for span in of_scope.spans
    ]


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.005)


def refusing_url() -> str:
    """Where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"http://127.0.0.1:{free.getsockname()[1]}"


async def test_spans_arrive_and_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(TAKEN) as collector, tracing_to(collector.url, monkeypatch, **SOON) as tracing:
        for number in range(1, 1001):
            tracing.on_end(span(tracing, number))
        await until(lambda: tracing.counts == SpanCounts(exported=1000))
        assert received(collector) == [f"span {number}" for number in range(1, 1001)]


async def test_the_variables_name_the_service_and_we_fill_in_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"OTEL_SERVICE_NAME": "home", "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=garage"}
    async with tracing_to("http://localhost", monkeypatch, **said) as tracing:
        attributes = tracing.resource.attributes
        assert attributes["service.name"] == "home"
        assert attributes["deployment.environment.name"] == "garage"
    async with tracing_to("http://localhost", monkeypatch, OTEL_SERVICE_NAME="") as tracing:
        attributes = tracing.resource.attributes
        assert (attributes["service.name"], attributes["service.version"]) == ("mcpp", __version__)
        assert attributes["service.instance.id"]
        assert len({tracing.resource, Resource(attributes)}) == 1


@pytest.mark.parametrize(
    ("sampler", "argument", "sampled"),
    [
        ("", "", [True, True]),
        ("always_on", "", [True, True]),
        ("always_off", "", [False, False]),
        ("parentbased_always_off", "", [False, False]),
        ("traceidratio", "0.5", [True, False]),
        ("parentbased_traceidratio", "0.5", [True, False]),
    ],
)
async def test_the_sampler(monkeypatch: pytest.MonkeyPatch, sampler: str, argument: str, sampled: list[bool]) -> None:
    said = {"OTEL_TRACES_SAMPLER": sampler, "OTEL_TRACES_SAMPLER_ARG": argument}
    async with tracing_to("http://localhost", monkeypatch, **said) as tracing:
        trace_ids = (1, (1 << 128) - 1)
        assert [tracing.sampling.records(f"{trace_id:032x}") for trace_id in trace_ids] == sampled


async def test_empty_variables_are_as_if_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TIMEOUT", "HEADERS", "COMPRESSION", "CERTIFICATE", "INSECURE"):
        monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{name}", "")
    async with tracing_to("localhost:4317", monkeypatch, OTEL_EXPORTER_OTLP_PROTOCOL="grpc"):
        pass


async def test_grpc_takes_the_compression_none(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_COMPRESSION": "none"}
    async with tracing_to("http://localhost:4317", monkeypatch, **said):
        pass


async def test_spans_that_a_collector_refuses_count_as_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(REFUSED, TAKEN) as collector, tracing_to(collector.url, monkeypatch, **SOON) as tracing:
        tracing.on_end(span(tracing))
        await until(lambda: tracing.counts == SpanCounts(failed=1))
        tracing.on_end(span(tracing))
        await until(lambda: tracing.counts == SpanCounts(exported=1, failed=1))


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
async def test_spans_fail_where_nobody_listens(monkeypatch: pytest.MonkeyPatch, protocol: str) -> None:
    said = SOON | {"OTEL_EXPORTER_OTLP_PROTOCOL": protocol, "OTEL_EXPORTER_OTLP_TIMEOUT": "0.2"}
    async with tracing_to(refusing_url(), monkeypatch, **said) as tracing:
        tracing.on_end(span(tracing))
        await until(lambda: tracing.counts == SpanCounts(failed=1))


async def test_a_full_queue_drops_the_newest_and_counts_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    said = LATER | {"OTEL_BSP_MAX_QUEUE_SIZE": "10", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "10"}
    async with listening(hang) as collector, tracing_to(collector.url, monkeypatch, **said) as tracing:
        for number in range(10):
            tracing.on_end(span(tracing, number + 1))
        await collector.wait_for(1)

        def offer_many() -> None:
            for _ in range(1000):
                tracing.on_end(span(tracing))

        threads = [Thread(target=offer_many) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert tracing.counts == SpanCounts(dropped=4000 - 10)
        await tracing.close(0)
        assert tracing.counts == SpanCounts(failed=10, dropped=4000)


async def test_spans_of_traces_that_are_not_sampled_go_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(TAKEN) as collector, tracing_to(collector.url, monkeypatch, **LATER) as tracing:
        tracing.on_end(span(tracing, 1, TraceFlags.DEFAULT))
        tracing.on_end(span(tracing, 2))
        await tracing.close(10)
        assert received(collector) == ["span 2"]
        assert tracing.counts == SpanCounts(exported=1)


async def test_the_end_brings_what_waits_to_the_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(TAKEN) as collector, tracing_to(collector.url, monkeypatch, **LATER) as tracing:
        for number in range(600):
            tracing.on_end(span(tracing, number + 1))
        await tracing.close(10)
        assert len(received(collector)) == 600
        tracing.on_end(span(tracing))
        assert tracing.counts == SpanCounts(exported=600, dropped=1)


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
async def test_the_end_does_not_wait_for_a_collector_that_hangs(monkeypatch: pytest.MonkeyPatch, protocol: str) -> None:
    said = LATER | {"OTEL_EXPORTER_OTLP_PROTOCOL": protocol}
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        async with tracing_to(f"http://127.0.0.1:{deaf.getsockname()[1]}", monkeypatch, **said) as tracing:
            for number in range(600):
                tracing.on_end(span(tracing, number + 1))
            async with asyncio.timeout(5):
                await tracing.close(0.1)
            counts = tracing.counts
            assert counts.exported == 0
            assert counts.failed + counts.dropped == 600


async def test_a_collector_that_fails_is_one_log_line_without_secrets(
    monkeypatch: pytest.MonkeyPatch, recording: Recording
) -> None:
    said = SOON | {"OTEL_EXPORTER_OTLP_HEADERS": "authorization=t0psecret", "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"}
    with recording.at():
        async with listening(REFUSED) as collector, tracing_to(collector.url, monkeypatch, **said) as tracing:
            for number in range(3):
                tracing.on_end(span(tracing, number + 1))
                await until(lambda number=number: tracing.counts == SpanCounts(failed=number + 1))  # type: ignore[misc]  # mypy doesn't infer such lambdas
            assert collector.posted[0].headers["authorization"] == "t0psecret"
    started, failed, stopped = recording.lines()
    assert (started["event"], started["spans_to"]) == (
        "tracing_started",
        f"http/protobuf to {collector.url}, sampler parentbased_always_on",
    )
    assert (failed["event"], failed["level"]) == ("library_message", "error")
    assert failed["message"].startswith("Failed to export spans batch code: 400")
    assert (stopped["event"], stopped["level"], stopped["failed"]) == ("tracing_stopped", "warning", 3)
    assert "t0psecret" not in recording.text()


async def test_the_console_exporter_writes_a_json_line_for_each_span_to_standard_error(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    async with tracing_to("http://localhost", monkeypatch, **SOON, OTEL_TRACES_EXPORTER="console") as tracing:
        tracing.on_end(span(tracing, 1, charge_point="CP-1"))
        tracing.on_end(span(tracing, 2))
        await tracing.close(10)
        assert tracing.counts == SpanCounts(exported=2)
    first, second = map(json.loads, capfd.readouterr().err.splitlines())
    assert (first["name"], first["attributes"]) == ("span 1", {"charge_point": "CP-1"})
    assert second["context"]["trace_id"] == f"0x{2:032x}"


async def test_each_exporter_gets_every_span(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    said = SOON | {"OTEL_TRACES_EXPORTER": "otlp,console"}
    async with listening(TAKEN) as collector, tracing_to(collector.url, monkeypatch, **said) as tracing:
        tracing.on_end(span(tracing))
        await tracing.close(10)
        assert received(collector) == ["span 1"]
        assert tracing.counts == SpanCounts(exported=2)
    assert '"span 1"' in capfd.readouterr().err
