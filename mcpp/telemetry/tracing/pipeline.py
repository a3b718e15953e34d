"""Spans on their way out: bounded queues, exporters of the OpenTelemetry SDK, and what became of each span.

Nobody waits for a collector: a span that finds its queue full is dropped and counted, and what a collector does is
seen by the exporters' own threads only.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from threading import RLock, Thread
from time import monotonic
from typing import NamedTuple

from opentelemetry import trace
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    DEFAULT_OFF,
    DEFAULT_ON,
    ParentBasedTraceIdRatio,
    Sampler,
    TraceIdRatioBased,
)

from mcpp import __version__
from mcpp.errors import StartError
from mcpp.telemetry.logs.library_messages import rarely_heard
from mcpp.telemetry.logs.pipeline import get_logger
from mcpp.telemetry.tracing.otel_values import Compression, OtlpProtocol, SamplerName, SpanExporterName
from mcpp.telemetry.tracing.settings import TracingSettings


class SpanCounts(NamedTuple):
    """What became of the spans; each exporter counts for itself."""

    exported: int = 0
    """Taken by the collector."""
    failed: int = 0
    """Refused by the collector, or it couldn't be reached in time."""
    dropped: int = 0
    """Never offered to the collector: too many waited, or the server ended first."""


class Tracing:
    """A running span pipeline: sampling and resource for those who make spans, and the way out for finished ones.

    Raises StartError for what the SDK doesn't take.
    """

    def __init__(self, settings: TracingSettings) -> None:
        _forget_empty_variables()
        self._closing = False
        self.sampling = settings.sampling
        self._sampler = _sampler(settings)
        self.resource = _resource()
        with ExitStack() as started:
            started.enter_context(rarely_heard("opentelemetry", secrets=settings.secrets))
            self._outlets = [_Outlet(_exporter(name, settings), settings) for name in settings.exporters]
            self._library = started.pop_all()
        get_logger().info("tracing_started", category="system", spans_to=str(settings))

    def on_end(self, span: ReadableSpan) -> None:
        """Hand over a finished span, from any thread; never waits and never raises."""
        for outlet in self._outlets:
            outlet.on_end(span)

    @property
    def counts(self) -> SpanCounts:
        """What became of the spans so far, those that still wait left out."""
        return SpanCounts(*map(sum, zip(*(outlet.counts for outlet in self._outlets), strict=True)))

    def make_global(self) -> None:
        """Let the spans of `opentelemetry.trace.get_tracer()`, which plugins may use, go the same way."""
        try:
            provider = TracerProvider(sampler=self._sampler, resource=self.resource, shutdown_on_exit=False)
        except ValueError as error:  # of the span limits' variables
            raise StartError(f"OpenTelemetry: {error}") from error
        provider.add_span_processor(_HandOver(self))
        trace.set_tracer_provider(provider)

    async def close(self, seconds: float) -> None:
        """Bring what waits to the collector, for at most so many seconds; spans that come later are dropped.

        A second call does nothing.
        """
        if self._closing:
            return
        self._closing = True
        await asyncio.to_thread(self._close, monotonic() + seconds)
        self._library.close()
        log, counts = get_logger(), self.counts
        write = log.warning if counts.failed or counts.dropped else log.info
        write("tracing_stopped", category="system", **counts._asdict())

    def _close(self, deadline: float) -> None:
        for outlet in self._outlets:
            outlet.begin_shutdown()
        for outlet in self._outlets:
            outlet.finish_shutdown(deadline)


class _HandOver(SpanProcessor):
    """Brings the spans of the SDK's own tracers into our pipeline."""

    def __init__(self, tracing: Tracing) -> None:
        self._tracing = tracing

    def on_end(self, span: ReadableSpan) -> None:
        self._tracing.on_end(span)


class _Outlet:
    """One exporter behind the SDK's batch processor, with a queue that is never overfilled.

    The processor would make room by throwing out the oldest span, uncounted, and write a line for each.
    """

    def __init__(self, exporter: SpanExporter, settings: TracingSettings) -> None:
        # Re-entrant: a garbage collection inside the lock may run a destructor that ends a span.
        self._lock = RLock()
        self._limit = settings.queue_size
        self._waiting = 0
        self._offered = 0
        self._exported = self._failed = self._dropped = 0
        self._closed = self._given_up = False
        self._processor = BatchSpanProcessor(
            _CountedExporter(exporter, self),
            max_queue_size=settings.queue_size,
            max_export_batch_size=settings.batch_size,
            schedule_delay_millis=settings.delay_ms,
        )
        self._shutdown = Thread(target=self._processor.shutdown, name="spans-shutdown", daemon=True)

    @property
    def counts(self) -> SpanCounts:
        with self._lock:
            if self._given_up:
                return SpanCounts(self._exported, self._failed + self._offered, self._dropped + self._waiting)
            return SpanCounts(self._exported, self._failed, self._dropped)

    def on_end(self, span: ReadableSpan) -> None:
        context = span.context
        if context is None or not context.trace_flags.sampled:
            return
        with self._lock:
            if self._closed or self._waiting >= self._limit:
                self._dropped += 1
                return
            self._waiting += 1
            # Inside the lock, so that no span comes after the processor's shutdown.
            self._processor.on_end(span)

    def offer(self, number: int) -> None:
        """So many spans leave the queue for the collector."""
        with self._lock:
            self._waiting -= number
            self._offered += number

    def settle(self, number: int, result: SpanExportResult) -> None:
        """What became of the spans that were offered."""
        with self._lock:
            self._offered -= number
            if result is SpanExportResult.SUCCESS:
                self._exported += number
            else:
                self._failed += number

    def begin_shutdown(self) -> None:
        with self._lock:
            self._closed = True
        self._shutdown.start()

    def finish_shutdown(self, deadline: float) -> None:
        """May leave a thread behind that still waits for the collector; it is a daemon."""
        self._shutdown.join(max(0.0, deadline - monotonic()))
        with self._lock:
            self._given_up = True


class _CountedExporter(SpanExporter):
    """Reports to an outlet what becomes of the batches that its processor takes."""

    def __init__(self, exporter: SpanExporter, outlet: _Outlet) -> None:
        self._exporter = exporter
        self._outlet = outlet

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self._outlet.offer(len(spans))
        result = SpanExportResult.FAILURE
        try:
            result = self._exporter.export(spans)
        finally:
            self._outlet.settle(len(spans), result)
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


def _exporter(name: SpanExporterName, settings: TracingSettings) -> SpanExporter:
    if name is SpanExporterName.CONSOLE:
        # Standard output is the log's.
        return ConsoleSpanExporter(out=sys.stderr, formatter=lambda span: f"{span.to_json(indent=None)}\n")
    try:
        return _grpc_exporter(settings) if settings.protocol is OtlpProtocol.GRPC else _http_exporter()
    except (OSError, RuntimeError, ValueError) as error:
        raise StartError(f"OpenTelemetry: {error}") from error


def _http_exporter() -> SpanExporter:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter()


def _grpc_exporter(settings: TracingSettings) -> SpanExporter:
    # Only where it is asked for: it is 17 MB of memory.
    import grpc  # type: ignore[import-untyped]  # it has no types
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    gzip = settings.compression is Compression.GZIP
    # The exporter's own reading of the variable knows no `none`.
    return OTLPSpanExporter(compression=grpc.Compression.Gzip if gzip else grpc.Compression.NoCompression)


def _sampler(settings: TracingSettings) -> Sampler:
    """For the SDK's own tracers; decides as `settings.sampling` does."""
    match settings.sampler:
        case SamplerName.ALWAYS_ON:
            return ALWAYS_ON
        case SamplerName.ALWAYS_OFF:
            return ALWAYS_OFF
        case SamplerName.RATIO:
            return TraceIdRatioBased(settings.ratio)
        case SamplerName.PARENT_ALWAYS_ON:
            return DEFAULT_ON
        case SamplerName.PARENT_ALWAYS_OFF:
            return DEFAULT_OFF
        case SamplerName.PARENT_RATIO:
            return ParentBasedTraceIdRatio(settings.ratio)


class _HashedResource(Resource):
    """Knows its hash: the encoder asks with every span, and the SDK's own writes all attributes as JSON each time."""

    def __init__(self, resource: Resource) -> None:
        super().__init__(resource.attributes, resource.schema_url)
        self._hash = hash(resource)

    def __hash__(self) -> int:
        return self._hash


def _resource() -> Resource:
    """Who we are; what the variables say goes before our own words."""
    given = OTELResourceDetector().detect().attributes
    return _HashedResource(Resource.create({SERVICE_NAME: "mcpp", SERVICE_VERSION: __version__, **given}))


def _forget_empty_variables() -> None:
    """An empty variable counts as unset, says the specification; the SDK's own reading stumbles over it."""
    for name in [name for name, value in os.environ.items() if name.startswith("OTEL_") and not value.strip()]:
        del os.environ[name]
