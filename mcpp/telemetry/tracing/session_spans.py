"""A charging session's own trace: its trace id is the session's correlation id.

For every flow of the session it has a span that links to the flow's. The root span is written when the session ends;
its id follows from the session's, so that what was written before, perhaps by a process that died since, hangs on it.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final

from opentelemetry.trace import Link
from opentelemetry.util.types import AttributeValue

from mcpp.domain.events import Event, TransactionRecovered, TransactionStopped
from mcpp.ocppj.flow import TraceContext, active_trace_context, current_flow
from mcpp.telemetry.sessions import SessionEnd
from mcpp.telemetry.tracing.spans import Span, Spans, evse_attribute, new_span_id, span_context

_NAME: Final = "charging session"

_EPOCH: Final = datetime.fromtimestamp(0, UTC)


def root_span_id(session_correlation_id: str) -> int:
    """The span id of a session's root."""
    return int(session_correlation_id[16:], 16) or 1


def session_link(session_correlation_id: str) -> Link:
    """From a flow to its session."""
    return Link(span_context(session_correlation_id, root_span_id(session_correlation_id)))


def write_session_span(spans: Spans, cause: TraceContext, name: str, *, began: float, seconds: float) -> None:
    """A span of the session's trace for something that belongs to it; links to its own span."""
    session = cause.session_correlation_id
    assert session is not None
    spans.write(
        Span(
            name=name,
            correlation_id=session,
            span_id=new_span_id(),
            parent_span_id=root_span_id(session),
            began=began,
            seconds=seconds,
            attributes={"session_correlation_id": session, "correlation_id": cause.correlation_id},
            links=(Link(span_context(cause.correlation_id, cause.span_id)),) if cause.span_id else (),
        )
    )


class SessionSpans:
    """Writes what no flow's spans show of a session: its root, and an end that no message brought."""

    kinds: tuple[type[Event], ...] = (TransactionStopped, TransactionRecovered)
    """Events that it wants."""

    def __init__(self, spans: Spans) -> None:
        self._spans = spans

    def __call__(self, event: Event) -> None:
        """Subscribes to the domain's events, for transactions that the server or an operator closed."""
        if not isinstance(event, TransactionStopped) or current_flow.get() is not None:
            return
        cause = active_trace_context() or TraceContext(event.correlation_id)
        session = event.session_correlation_id
        if not self._spans.records(session):
            return
        began = time.perf_counter()
        name = "recover_transaction" if isinstance(event, TransactionRecovered) else "close_transaction"
        if not cause.span_id:
            cause = TraceContext(event.correlation_id, new_span_id())
            self._spans.write(
                Span(
                    name=name,
                    correlation_id=cause.correlation_id,
                    span_id=cause.span_id or 0,
                    began=began,
                    seconds=0.0,
                    attributes={
                        "session_correlation_id": session,
                        "ocpp.charge_point_id": event.charge_point_id,
                        "ocpp.connector_id": event.connector_id,
                        **evse_attribute(event.evse_id),
                        "ocpp.transaction_id": event.transaction_id,
                    },
                    links=(session_link(session),),
                )
            )
        cause = cause._replace(session_correlation_id=session)
        write_session_span(self._spans, cause, name, began=began, seconds=0.0)

    def end(self, end: SessionEnd) -> None:
        """Write the root span of a session that is over, if its trace is recorded."""
        if not self._spans.records(end.correlation_id):
            return
        attributes: dict[str, AttributeValue] = {
            "session_correlation_id": end.correlation_id,
            "ocpp.charge_point_id": end.charge_point_id,
            "ocpp.connector_id": end.connector_id,
            **evse_attribute(end.evse_id),
        }
        if end.transaction_id is not None:
            attributes["ocpp.transaction_id"] = end.transaction_id
        attributes |= end.facts
        # A charger's clock may stand at year 1 or 9999, which a span can't hold.
        began_at = min(max(end.began_at, _EPOCH), end.at)
        seconds = (end.at - began_at).total_seconds()
        self._spans.write(
            Span(
                name=_NAME,
                correlation_id=end.correlation_id,
                span_id=root_span_id(end.correlation_id),
                began=_monotonic(began_at),
                seconds=seconds,
                attributes=attributes,
            )
        )


def _monotonic(moment: datetime) -> float:
    """A moment on the clock of `time.perf_counter()`."""
    return time.perf_counter() - (time.time() - moment.timestamp())
