"""Spans of what has happened: each is written whole, once it's over, with the times that it really took.

The SDK's way, a span object that is started, carried along and ended, costs ten times as much (decision record 6), and
a sampler that must decide at the beginning can't know yet that a message belongs to a charging session.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import getrandbits
from typing import Final, TypeAlias

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.sampling import Decision, Sampler
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.util.types import AttributeValue

from mcpp import __version__

Attributes: TypeAlias = Mapping[str, AttributeValue]

_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
_OK: Final = Status(StatusCode.UNSET)
_ROOT: Final = Context()
_SCOPE: Final = InstrumentationScope("mcpp", __version__)
_DECISIONS: Final = 8192
"""Traces whose sampling is remembered: of the sessions that run and the flows under way."""

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

    def __init__(self, sampler: Sampler, resource: Resource, export: Callable[[ReadableSpan], None]) -> None:
        """`export` is given every span; it must not block and not raise."""
        self._sampler = sampler
        self._resource = resource
        self._export = export
        self.records = lru_cache(maxsize=_DECISIONS)(self._records)
        """Whether a trace is recorded, by its correlation id; always the same for one trace."""

    def records_for(self, caller: SpanContext) -> bool:
        """Whether what a span elsewhere has set off is recorded: samplers that heed a parent do as was done there."""
        return self._decide(set_span_in_context(NonRecordingSpan(caller), _ROOT), caller.trace_id)

    def _records(self, correlation_id: str) -> bool:
        return self._decide(_ROOT, int(correlation_id, 16))

    def _decide(self, parent: Context, trace_id: int) -> bool:
        result = self._sampler.should_sample(parent, trace_id, "", SpanKind.SERVER)
        return result.decision is Decision.RECORD_AND_SAMPLE

    def write(self, span: Span) -> None:
        """Write a span of a trace that is recorded."""
        end = time.time_ns() - int((time.perf_counter() - span.began - span.seconds) * 1e9)
        trace_id = int(span.correlation_id, 16)
        self._export(
            ReadableSpan(
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
                instrumentation_scope=_SCOPE,
            )
        )
