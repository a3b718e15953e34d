"""What is observed of HTTP requests: a log line, a metric and, where it is recorded, a span for each."""

from __future__ import annotations

from time import perf_counter
from typing import Final

from opentelemetry.trace import SpanContext, SpanKind, format_trace_id
from opentelemetry.util.types import AttributeValue

from mcpp.ocppj.flow import TraceContext, new_correlation_id
from mcpp.telemetry.labels import OTHER
from mcpp.telemetry.logs.pipeline import get_logger
from mcpp.telemetry.logs.redaction import redact_text
from mcpp.telemetry.metrics.definitions import Metrics
from mcpp.telemetry.tracing.spans import TEXT_LIMIT, Span, Spans, new_span_id

_METHODS: Final = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"})
"""RFC 9110 §9 and RFC 5789."""

_SERVER_ERROR: Final = 500
"""The first status that is a failure of the server's."""


class RequestTelemetry:
    """Implements `mcpp.api.request_flow.RequestObserver`."""

    def __init__(self, metrics: Metrics, spans: Spans | None = None) -> None:
        """`spans` is None where tracing is off."""
        self._metrics = metrics
        self._spans = spans

    def begin(
        self, method: str, path: str, *, scheme: str, remote: str, caller: SpanContext | None, polled: bool
    ) -> _Request:
        correlation_id = new_correlation_id() if caller is None else format_trace_id(caller.trace_id)
        is_recorded = not polled and self._records(correlation_id, caller)
        cause = TraceContext(correlation_id, new_span_id() if is_recorded else 0)
        return _Request(self._metrics, self._spans, cause, method, path, scheme, remote, caller, polled=polled)

    def _records(self, correlation_id: str, caller: SpanContext | None) -> bool:
        if self._spans is None:
            return False
        return self._spans.records(correlation_id) if caller is None else self._spans.records_for(caller)


class _Request:
    """Implements `mcpp.api.request_flow.ObservedRequest`."""

    __slots__ = (
        "_began",
        "_caller",
        "_method",
        "_metrics",
        "_path",
        "_polled",
        "_remote",
        "_scheme",
        "_spans",
        "cause",
    )

    def __init__(
        self,
        metrics: Metrics,
        spans: Spans | None,
        cause: TraceContext,
        method: str,
        path: str,
        scheme: str,
        remote: str,
        caller: SpanContext | None,
        *,
        polled: bool,
    ) -> None:
        self._metrics = metrics
        self._spans = spans
        self.cause = cause
        self._method = method if method in _METHODS else OTHER
        # Cut before it is searched for secrets.
        self._path = path[:TEXT_LIMIT]
        self._scheme = scheme
        self._remote = remote
        self._caller = caller
        self._polled = polled
        self._began = perf_counter()

    def end(self, *, route: str | None, status: int, by: str | None) -> None:
        seconds = perf_counter() - self._began
        is_recorded = bool(self.cause.span_id)
        # Where tracing is on, only what is recorded is an example: it must lead somewhere.
        example = self.cause.correlation_id if self._spans is None or is_recorded else None
        self._metrics.http_request_duration.labels(self._method, route or OTHER, str(status)).observe(seconds, example)
        self._write_line(seconds, status, by)
        if self._spans is not None and is_recorded:
            self._write_span(self._spans, seconds, route, status)

    def _write_line(self, seconds: float, status: int, by: str | None) -> None:
        log = get_logger()
        write = log.warning if status >= _SERVER_ERROR else log.debug if self._polled else log.info
        write(
            "http_request",
            category="system",
            method=self._method,
            path=self._path,
            remote_address=self._remote,
            status=status,
            duration_ms=round(seconds * 1000, 3),
            **({} if by is None else {"caller": by}),
        )

    def _write_span(self, spans: Spans, seconds: float, route: str | None, status: int) -> None:
        """OpenTelemetry's conventions for spans of HTTP servers."""
        name = "HTTP" if self._method == OTHER else self._method
        attributes: dict[str, AttributeValue] = {
            "http.request.method": self._method,
            "http.response.status_code": status,
            "url.path": redact_text(self._path),
            "url.scheme": self._scheme,
        }
        if route is not None:
            name = f"{name} {route}"
            attributes["http.route"] = route
        is_failure = status >= _SERVER_ERROR
        if is_failure:
            attributes["error.type"] = str(status)
        spans.write(
            Span(
                name=name,
                correlation_id=self.cause.correlation_id,
                span_id=self.cause.span_id or 0,
                parent_span_id=self._caller.span_id if self._caller is not None else 0,
                kind=SpanKind.SERVER,
                began=self._began,
                seconds=seconds,
                attributes=attributes,
                # The status says it all.
                error="" if is_failure else None,
            )
        )
