"""An OTLP collector that isn't ours, and what it has received: rotel passes spans on to the test."""

from __future__ import annotations

import asyncio
import gzip
import signal
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.resources import as_file, files

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2

from tests.integration.plugins.http_receiver import HttpReceiver, Posted, answer, listening
from tests.ports import free_port

PATIENCE = 30.0

AttributeValue = str | int | float | bool | list["AttributeValue"] | None
Attributes = Mapping[str, AttributeValue]


@dataclass(frozen=True)
class ReceivedSpan:
    """A span as the collector had it; ids are lowercase hex, times nanoseconds of Unix time."""

    trace_id: str
    span_id: str
    parent_span_id: str
    """Empty for a root."""
    name: str
    kind: str
    """`SERVER`, `CLIENT`, `INTERNAL`, …"""
    status: str
    """`UNSET`, `OK` or `ERROR`."""
    status_text: str
    start: int
    end: int
    attributes: Attributes
    links: tuple[tuple[str, str], ...]
    """Trace id and span id of each."""
    resource: Attributes
    scope: str


@dataclass
class Collector:
    """A running rotel, and the receiver of what it passes on."""

    protocol: str
    grpc_port: int
    http_port: int
    process: asyncio.subprocess.Process
    _receiver: HttpReceiver
    _read: list[ReceivedSpan] = field(default_factory=list)
    _requests_read: int = 0

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.grpc_port if self.protocol == 'grpc' else self.http_port}"

    @property
    def variables(self) -> dict[str, str]:
        """What sends a program's spans here, soon after each has ended."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.endpoint,
            "OTEL_EXPORTER_OTLP_PROTOCOL": self.protocol,
            "OTEL_BSP_SCHEDULE_DELAY": "50",
        }

    def spans(self) -> list[ReceivedSpan]:
        """What has come so far, in order of arrival."""
        new = self._receiver.posted[self._requests_read :]
        self._requests_read += len(new)
        self._read += [span for request in new for span in _spans(request)]
        return self._read

    async def wait_for(self, enough: Callable[[list[ReceivedSpan]], bool]) -> list[ReceivedSpan]:
        """All spans, as soon as there are enough."""
        async with asyncio.timeout(PATIENCE):
            while not enough(self.spans()):
                await self._receiver.wait_for(self._requests_read + 1)
        return self.spans()

    async def wait_for_span(self, wanted: Callable[[ReceivedSpan], bool]) -> ReceivedSpan:
        """The first span that fits, as soon as it's there."""
        spans = await self.wait_for(lambda spans: any(map(wanted, spans)))
        return next(filter(wanted, spans))

    def hang(self) -> None:
        """Answers nobody from now on; the kernel still takes connections for it."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """After it has hung."""
        self.process.send_signal(signal.SIGCONT)

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def rotel(protocol: str) -> AsyncIterator[Collector]:
    """A collector that is reached by `grpc` or `http/protobuf`, up when the block begins."""
    grpc_port, http_port = free_port(), free_port()
    with as_file(files("rotel") / "rotel-agent") as program:
        async with listening(answer(200, b"", content_type="application/x-protobuf")) as receiver:
            process = await asyncio.create_subprocess_exec(
                program,
                "start",
                *("--otlp-grpc-endpoint", f"127.0.0.1:{grpc_port}", "--otlp-http-endpoint", f"127.0.0.1:{http_port}"),
                *("--exporter", "otlp", "--otlp-exporter-protocol", "http"),
                *("--otlp-exporter-endpoint", receiver.url.removesuffix("/hook"), "--traces-batch-timeout", "10ms"),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env={},
            )
            collector = Collector(protocol, grpc_port, http_port, process, receiver)
            try:
                await _listens(process, grpc_port, http_port)
                yield collector
            finally:
                if process.returncode is None:
                    await collector.kill()


async def _listens(process: asyncio.subprocess.Process, *ports: int) -> None:
    async with asyncio.timeout(PATIENCE):
        for port in ports:
            while not await _connects(port):
                assert process.returncode is None, "rotel ended"
                await asyncio.sleep(0.01)


async def _connects(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def _spans(request: Posted) -> Iterable[ReceivedSpan]:
    body = gzip.decompress(request.body) if request.headers.get("content-encoding") == "gzip" else request.body
    for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        resource = _attributes(of_resource.resource.attributes)
        for of_scope in of_resource.scope_spans:
            for span in of_scope.spans:
                yield _span(span, resource, of_scope.scope.name)


def _span(span: trace_pb2.Span, resource: Attributes, scope: str) -> ReceivedSpan:
    return ReceivedSpan(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_span_id=span.parent_span_id.hex(),
        name=span.name,
        kind=trace_pb2.Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        status=trace_pb2.Status.StatusCode.Name(span.status.code).removeprefix("STATUS_CODE_"),
        status_text=span.status.message,
        start=span.start_time_unix_nano,
        end=span.end_time_unix_nano,
        attributes=_attributes(span.attributes),
        links=tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
        resource=resource,
        scope=scope,
    )


def _attributes(pairs: Iterable[KeyValue]) -> Attributes:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> AttributeValue:
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value
        case "int_value":
            return value.int_value
        case "double_value":
            return value.double_value
        case "bool_value":
            return value.bool_value
        case "array_value":
            return [_value(item) for item in value.array_value.values]
        case _:
            return None
