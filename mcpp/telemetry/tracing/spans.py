"""Spans of what has happened: each is written whole, once it's over, with the times that it really took.

The SDK's way, a span object that is started, carried along and ended, costs ten times as much (decision record 6), and
a sampler that must decide at the beginning can't know yet that a message belongs to a charging session.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from random import getrandbits
from typing import TYPE_CHECKING, Final, TypeAlias

from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.util.types import AttributeValue

from mcpp import __version__
from mcpp.telemetry.tracing.sampling import Sampling

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan

Attributes: TypeAlias = Mapping[str, AttributeValue]

_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
_OK: Final = Status(StatusCode.UNSET)

TEXT_LIMIT: Final = 1024
"""Characters of an attribute or a status: chargers make texts of any length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One span, as it's written. Times are `time.perf_counter()` and seconds."""

    name: str
    correlation_id: str
    """The trace."""
    span_id: int
    parent_span_id: int = 0
    kind: SpanKind = SpanKind.INTERNAL
    began: float
    seconds: float
    attributes: Attributes
    error: str | None = None
    """What went wrong, without secrets."""
    links: Sequence[Link] = ()


def new_span_id() -> int:
    """64 random bits, never all zero."""
    return getrandbits(64) or 1


def span_context(correlation_id: str, span_id: int) -> SpanContext:
    """The address of a span that is recorded."""
    return SpanContext(int(correlation_id, 16), span_id, is_remote=False, trace_flags=_SAMPLED)


class Spans:
    """Decides what is recorded and writes it; may be used from any thread."""

    def __init__(self, sampling: Sampling, resource: Resource, export: Callable[[ReadableSpan], None]) -> None:
        """`export` is given every span; it must not block and not raise."""
        # Where tracing is off, a start does without the SDK.
        from opentelemetry.sdk.trace import ReadableSpan
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope

        self._readable = partial(ReadableSpan, instrumentation_scope=InstrumentationScope("mcpp", __version__))
        self.records = sampling.records
        """Whether a trace is recorded, by its correlation id; always the same for one trace."""
        self.records_for = sampling.records_for
        """Whether what a span elsewhere has set off is recorded."""
        self._resource = resource
        self._export = export

    def write(self, span: Span) -> None:
        """Write a span of a trace that is recorded."""
        end = time.time_ns() - int((time.perf_counter() - span.began - span.seconds) * 1e9)
        trace_id = int(span.correlation_id, 16)
        self._export(
            self._readable(
                span.name,
                context=SpanContext(trace_id, span.span_id, is_remote=False, trace_flags=_SAMPLED),
                parent=SpanContext(trace_id, span.parent_span_id, is_remote=True, trace_flags=_SAMPLED)
                if span.parent_span_id
                else None,
                resource=self._resource,
                attributes=span.attributes,
                links=span.links,
                kind=span.kind,
                status=_OK if span.error is None else Status(StatusCode.ERROR, span.error[:TEXT_LIMIT]),
                start_time=end - int(span.seconds * 1e9),
                end_time=end,
            )
        )


def evse_attribute(evse_id: int | None) -> dict[str, AttributeValue]:
    """The EVSE of a connector, where its OCPP version has any."""
    return {"ocpp.evse_id": evse_id} if evse_id else {}
