"""A flow as spans: the CALL, where its time went, and its place in the trace of its charging session."""

from __future__ import annotations

from typing import Final

from opentelemetry.trace import Link, SpanKind
from opentelemetry.util.types import AttributeValue

from mcpp.ocppj.flow import Direction, Flow, TraceContext
from mcpp.telemetry.tracing.session_spans import session_link, write_session_span
from mcpp.telemetry.tracing.spans import TEXT_LIMIT, Span, Spans, evse_attribute, new_span_id

_KINDS: Final = {Direction.IN: SpanKind.SERVER, Direction.OUT: SpanKind.CLIENT}

_DATABASE: Final = "database_write"


class FlowSpans:
    """Begins and ends the spans of CALLs in both directions (OpenTelemetry's conventions for RPC spans)."""

    def __init__(self, spans: Spans, actions: frozenset[str], other: str) -> None:
        """`other` stands for the name of an action that isn't one of `actions`."""
        self._spans = spans
        self._actions = actions
        self._other = other

    def begin_call(self, flow: Flow) -> None:
        """Decide whether a charge point's CALL is recorded, as far as that is known before it's handled."""
        if self._spans.records(flow.correlation_id):
            flow.span_id = new_span_id()

    def begin_command(self, flow: Flow, cause: TraceContext | None) -> None:
        """Decide whether a CALL of ours is recorded: as its cause is, else by its trace."""
        if cause is not None and cause.span_id is not None:
            flow.span_id = new_span_id() if cause.span_id else 0
            flow.parent_span_id = cause.span_id
        elif self._spans.records(flow.correlation_id):
            flow.span_id = new_span_id()
        self.follow_session(flow)

    def follow_session(self, flow: Flow) -> None:
        """What belongs to a recorded session is recorded, once that is known; so a session is followed as a whole."""
        session = flow.session_correlation_id
        if session is not None and not flow.span_id and self._spans.records(session):
            flow.span_id = new_span_id()

    def end(self, flow: Flow, seconds: float, *, error_type: str | None = None, error: str | None = None) -> None:
        """Write the spans of a flow that is recorded and over; `error_type` is of a closed set."""
        if not flow.span_id:
            return
        session = flow.session_correlation_id
        in_session_trace = session is not None and self._spans.records(session)
        links = (session_link(session),) if session is not None and in_session_trace else ()
        self._write_call(flow, seconds, error_type, error, links)
        for step in flow.steps:
            attributes: dict[str, AttributeValue] = {f"mcpp.{name}": fact for name, fact in step.facts.items()}
            if step.name == _DATABASE:
                attributes["db.system.name"] = "sqlite"
            if session is not None:
                attributes["session_correlation_id"] = session
            self._spans.write(
                Span(
                    name=step.name,
                    correlation_id=flow.correlation_id,
                    span_id=new_span_id(),
                    parent_span_id=flow.span_id,
                    began=step.began,
                    seconds=step.seconds,
                    attributes=attributes,
                )
            )
        if session is not None and in_session_trace:
            write_session_span(self._spans, flow.trace_context, self._name(flow), began=flow.started, seconds=seconds)

    def _write_call(
        self, flow: Flow, seconds: float, error_type: str | None, error: str | None, links: tuple[Link, ...]
    ) -> None:
        name = self._name(flow)
        attributes: dict[str, AttributeValue] = {
            "rpc.system.name": "ocpp",
            "rpc.method": name,
            "ocpp.charge_point_id": flow.peer.identity,
            "ocpp.message_id": flow.message_id[:TEXT_LIMIT],
        }
        if name != flow.action:
            attributes["rpc.method_original"] = flow.action[:TEXT_LIMIT]
        if flow.connector_id is not None:
            attributes["ocpp.connector_id"] = flow.connector_id
        attributes |= evse_attribute(flow.evse_id)
        if flow.transaction_id is not None:
            attributes["ocpp.transaction_id"] = flow.transaction_id
        if flow.session_correlation_id is not None:
            attributes["session_correlation_id"] = flow.session_correlation_id
        if flow.deviations:
            attributes["ocpp.deviations"] = sorted({deviation.rule for deviation in flow.deviations})
        if error_type is not None:
            attributes["error.type"] = attributes["rpc.response.status_code"] = error_type
        self._spans.write(
            Span(
                name=name,
                correlation_id=flow.correlation_id,
                span_id=flow.span_id,
                parent_span_id=flow.parent_span_id,
                kind=_KINDS[flow.direction],
                began=flow.started,
                seconds=seconds,
                attributes=attributes,
                error=error if error_type is not None else None,
                links=links,
            )
        )

    def _name(self, flow: Flow) -> str:
        return flow.action if flow.action in self._actions else self._other
