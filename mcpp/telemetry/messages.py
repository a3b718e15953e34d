"""The one observer of every message: what it counts, what it writes into the log, what it records as spans.

A charge point's CALL is observed once, with its answer: only then is known which charging session it belongs to.
"""

from __future__ import annotations

from collections import Counter as Tally
from functools import partial
from time import perf_counter

from mcpp.csms.observer import ConformanceObserver
from mcpp.csms.outcomes import REFUSALS, ConnectionOutcome
from mcpp.csms.refused import RefusedConnections
from mcpp.ocppj.errors import CallTimeout
from mcpp.ocppj.flow import (
    Deviation,
    Direction,
    Flow,
    Peer,
    Step,
    Subject,
    active_trace_context,
    new_correlation_id,
)
from mcpp.ocppj.frames import Call, CallError, CallResult, CallResultError, FrameError, MessageType, kept
from mcpp.telemetry.labels import OTHER
from mcpp.telemetry.logs.lines import LogLevel, timestamps
from mcpp.telemetry.logs.message_lines import MessageLines
from mcpp.telemetry.logs.pipeline import error_text, stack_text
from mcpp.telemetry.logs.redaction import redact_text, shown
from mcpp.telemetry.metrics.definitions import Children, Metrics
from mcpp.telemetry.metrics.loop_metrics import LoopCounter, LoopHistogram
from mcpp.telemetry.sessions import ChargingSessions
from mcpp.telemetry.tracing.flow_spans import FlowSpans

_MESSAGE_TYPES = {
    MessageType.CALL: "call",
    MessageType.CALL_RESULT: "call_result",
    MessageType.CALL_ERROR: "call_error",
    MessageType.CALL_RESULT_ERROR: "call_result_error",
    MessageType.SEND: "send",
}

_DESCRIPTION_LIMIT = 1024
"""Four times what OCPP-J 1.6 §4.2.3 allows; searching a whole frame of it would hold up the loop."""

_SAID_WITH_PATH = frozenset({ConnectionOutcome.OTHER_PATH, ConnectionOutcome.TAKEN_OVER})
"""Outcomes that the path explains; the usual one is in no line."""

_UNANSWERED = "unanswered"
"""The `error.type` of a span whose CALL got no answer from us."""


class MessageTelemetry:
    """Implements `mcpp.csms.observer.MessageObserver`: one `ocpp_message` line per frame, message metrics, spans."""

    def __init__(
        self,
        lines: MessageLines,
        metrics: Metrics,
        sessions: ChargingSessions,
        spans: FlowSpans | None = None,
        conformance: ConformanceObserver | None = None,
        refused: RefusedConnections | None = None,
        *,
        slow_seconds: float = 1.0,
    ) -> None:
        """`spans` is None where tracing is off; `conformance` hears of what breaks the contract, `refused` of refusals.

        What takes `slow_seconds` gets a line that says where they went.

        Where tracing is on, only what is recorded is an example of a metric: it must lead somewhere.
        """
        self._lines = lines
        self._metrics = metrics
        self._sessions = sessions
        self._spans = spans
        self._conformance = conformance
        self._refused_connections = refused
        self._slow_seconds = slow_seconds
        self.begin = None if spans is None else spans.begin_call
        self._exchanges: Children[_Exchanges] = Children(metrics.actions, partial(_Exchanges, metrics))
        self._frames_in = {kind: _FrameKind(metrics, "in", kind) for kind in (*_MESSAGE_TYPES.values(), OTHER)}
        self._frames_out = {kind: _FrameKind(metrics, "out", kind) for kind in _MESSAGE_TYPES.values()}
        self._call_in, self._call_out = self._frames_in["call"], self._frames_out["call"]
        self._durations_in = _durations(metrics, "in")
        self._durations_out = _durations(metrics, "out")
        self._refused: Flow | None = None

    # CALLs of charge points.

    def exchanged(self, flow: Flow, answer: CallResult | CallError, size: int) -> None:
        seconds = perf_counter() - flow.started
        spans = self._spans
        if spans is not None:
            spans.follow_session(flow)
        example = flow.correlation_id if spans is None or flow.span_id else None
        if isinstance(answer, CallResult):
            exchanges = self._exchanges[flow.action]
            exchanges.calls.value += 1
            exchanges.results.value += 1
            exchanges.durations.observe(seconds, example)
            self._lines.exchange(flow, size, answer.payload, seconds)
        else:
            self._call_ended(flow, seconds)
            self._durations_in[flow.action].observe(seconds, example)
            self._answer(self._frames_out, flow, answer, size, seconds)
            self._report_refusal(flow, answer.code, answer.description)
        if flow.deviations:
            self._report_deviations(flow)
        if seconds >= self._slow_seconds:
            self._lines.slow(flow, seconds)
        if flow.span_id and spans is not None:
            self._end_span(spans, flow, seconds, answer)

    def taken(self, flow: Flow) -> None:
        seconds = perf_counter() - flow.started
        if self._spans is not None:
            self._spans.follow_session(flow)
        self._call_ended(flow, seconds)
        self._report_deviations(flow)
        if seconds >= self._slow_seconds:
            self._lines.slow(flow, seconds)
        if self._spans is not None:
            self._spans.end(flow, seconds)

    def unanswered(self, flow: Flow, error: BaseException) -> None:
        seconds = perf_counter() - flow.started
        if self._spans is not None:
            self._spans.follow_session(flow)
        self._call_ended(flow, seconds)
        text = error_text(error)
        self._lines.note(LogLevel.WARNING, "call_unanswered", flow, error=text)
        self._report_deviations(flow)
        self._expired(flow, seconds, _UNANSWERED, text)

    def handler_failed(self, flow: Flow, error: BaseException) -> None:
        self._lines.note(LogLevel.ERROR, "handler_failed", flow, error=error_text(error), stack=stack_text(error))

    # CALLs of ours.

    def call_queued(self, peer: Peer, call: Call, about: Subject) -> Flow:
        cause = active_trace_context()
        session = self._sessions.find(peer.identity, about) or (cause and cause.session_correlation_id)
        flow = Flow(
            peer,
            Direction.OUT,
            call.action,
            call.message_id,
            cause.correlation_id if cause else new_correlation_id(),
            perf_counter(),
            payload=call.payload,
            connector_id=about.connector_id,
            evse_id=about.evse_id,
            transaction_id=about.transaction_id,
            session_correlation_id=session,
        )
        if self._spans is not None:
            self._spans.begin_command(flow, cause)
        return flow

    def call_withdrawn(self, flow: Flow) -> None:
        if self._spans is not None:
            seconds = perf_counter() - flow.started
            self._spans.end(flow, seconds, error_type="withdrawn", error="taken back before its turn")

    def call_sent(self, flow: Flow, size: int) -> None:
        flow.steps.append(Step("wait_in_queue", flow.started, perf_counter() - flow.started))
        flow.size_bytes = size
        self._call_out.messages[flow.action].inc()
        if self._lines.wanted:
            self._lines.call(flow)

    def answer_received(self, flow: Flow, answer: CallResult | CallError, size: int) -> None:
        now = perf_counter()
        seconds = now - flow.started
        if flow.steps:
            sent = flow.steps[0].began + flow.steps[0].seconds
            flow.steps.append(Step("charge_point", sent, now - sent))
        example = flow.correlation_id if self._spans is None or flow.span_id else None
        self._durations_out[flow.action].observe(seconds, example)
        self._answer(self._frames_in, flow, answer, size, seconds)
        self._report_deviations(flow)
        if seconds >= self._slow_seconds:
            self._lines.slow(flow, seconds)
        if self._spans is not None:
            self._end_span(self._spans, flow, seconds, answer)

    def call_expired(self, flow: Flow, error: Exception) -> None:
        if isinstance(error, CallTimeout):
            self._metrics.call_timeouts.inc()
        text = error_text(error)
        self._lines.note(LogLevel.WARNING, "call_expired", flow, error=text)
        self._report_deviations(flow)
        self._expired(flow, perf_counter() - flow.started, type(error).__name__, text)

    # What belongs to no CALL.

    def stray_answer(self, peer: Peer, answer: CallResult | CallError, size: int, *, late: bool) -> None:
        flow = _flow_without_call(peer, answer.message_id)
        self._answer(self._frames_in, flow, answer, size, stray="late" if late else "unknown")
        self._report_deviations(flow)

    def frame_refused(self, peer: Peer, error: FrameError, size: int) -> None:
        flow = self._refused = _flow_without_call(peer, error.message_id or "")
        kind = self._frames_in[_MESSAGE_TYPES.get(error.message_type or 0, OTHER)]
        kind.messages[flow.action].inc()
        if self._lines.wanted:
            more = {"error": shown(error.description)}
            self._lines.frame(flow, kind.direction, kind.message_type, size, more=more)
        if error.message_id is None and error.wants_answer:
            self._report_refusal(flow, "", error.description)

    def result_refused(self, peer: Peer, error: CallResultError, size: int) -> None:
        flow = _flow_without_call(peer, error.message_id)
        self._answer(self._frames_in, flow, error, size)
        self._report_deviations(flow)

    def refusal_sent(self, peer: Peer, answer: CallError | CallResultError, size: int) -> None:
        flow, self._refused = self._refused, None
        if flow is None or (flow.peer.key, flow.message_id) != (peer.key, kept(answer.message_id)):
            flow = _flow_without_call(peer, answer.message_id)
        self._answer(self._frames_out, flow, answer, size)
        self._report_refusal(flow, answer.code, answer.description)

    def connection(
        self, outcome: ConnectionOutcome, *, identity: str = "", remote: str = "", detail: str = "", path: str = ""
    ) -> None:
        self._metrics.connections.labels(outcome).inc()
        facts = {"charge_point_id": identity, "outcome": outcome.value, "remote_address": remote, "detail": detail}
        if outcome in REFUSALS and self._refused_connections is not None:
            news = self._refused_connections.note(outcome, identity=identity, remote=remote, path=path, why=detail)
            facts["path"] = path
            if news is None:
                self._lines.connection(facts, LogLevel.DEBUG)
            else:
                self._lines.connection(facts | {"remedy": news.remedy}, LogLevel.WARNING, news.count)
        elif outcome in _SAID_WITH_PATH:
            self._lines.connection(facts | {"path": path})
        else:
            self._lines.connection(facts)
        if self._conformance is not None:
            self._conformance.connection(outcome, identity)

    def _call_ended(self, flow: Flow, seconds: float) -> None:
        """Count and write a CALL or SEND that came in so many seconds ago and has no CALLRESULT."""
        kind = self._frames_in["send"] if flow.is_send else self._call_in
        kind.messages[flow.action].inc()
        if self._lines.wanted:
            when = timestamps(seconds)[0]
            self._lines.frame(flow, "in", kind.message_type, flow.size_bytes, flow.payload, when=when)

    def _answer(
        self,
        frames: dict[str, _FrameKind],
        flow: Flow,
        answer: CallResult | CallError | CallResultError,
        size: int,
        seconds: float | None = None,
        **more: str,
    ) -> None:
        if isinstance(answer, CallResult):
            kind, payload = frames["call_result"], answer.payload
        else:
            kind = frames["call_error" if isinstance(answer, CallError) else "call_result_error"]
            payload = answer.details
            kind.errors[answer.code].inc()
            more |= {"error": answer.code, "description": redact_text(answer.description[:_DESCRIPTION_LIMIT])}
        kind.messages[flow.action].inc()
        if self._lines.wanted:
            self._lines.frame(flow, kind.direction, kind.message_type, size, payload, seconds=seconds, more=more)
        if answer.deviations:
            flow.deviations.extend(Deviation(rule, "") for rule in answer.deviations)

    def _end_span(self, spans: FlowSpans, flow: Flow, seconds: float, answer: CallResult | CallError) -> None:
        if isinstance(answer, CallError):
            description = redact_text(answer.description[:_DESCRIPTION_LIMIT])
            code = self._metrics.error_codes.get(answer.code, OTHER)
            spans.end(flow, seconds, error_type=code, error=description)
        else:
            spans.end(flow, seconds)

    def _expired(self, flow: Flow, seconds: float, error_type: str, error: str) -> None:
        if seconds >= self._slow_seconds:
            self._lines.slow(flow, seconds)
        if self._spans is not None:
            self._spans.end(flow, seconds, error_type=error_type, error=redact_text(error[:_DESCRIPTION_LIMIT]))

    def _report_deviations(self, flow: Flow) -> None:
        """What was tolerated in one flow, once."""
        if not flow.deviations:
            return
        rules = Tally(deviation.rule for deviation in flow.deviations)
        action = flow.action if flow.action in self._metrics.actions else OTHER
        for rule, times in rules.items():
            self._metrics.deviations.labels(action, rule).inc(times)
        self._lines.deviations(flow, rules)
        if self._conformance is not None:
            self._conformance.tolerated(flow)

    def _report_refusal(self, flow: Flow, code: str, description: str) -> None:
        if self._conformance is not None:
            self._conformance.refused(flow, code, description)


class _Exchanges:
    """What is counted of one action's CALLs from charge points that got a CALLRESULT."""

    __slots__ = ("calls", "durations", "results")

    def __init__(self, metrics: Metrics, action: str) -> None:
        self.calls = metrics.messages.labels(action, "in", "call")
        self.results = metrics.messages.labels(action, "out", "call_result")
        self.durations = metrics.message_duration.labels(action, "in")


class _FrameKind:
    """One message type in one direction, with its counters by action, and by code where it is an error."""

    __slots__ = ("direction", "errors", "message_type", "messages")

    def __init__(self, metrics: Metrics, direction: str, message_type: str) -> None:
        self.direction = direction
        self.message_type = message_type
        self.messages: Children[LoopCounter] = Children(
            metrics.actions, lambda action: metrics.messages.labels(action, direction, message_type)
        )
        self.errors: Children[LoopCounter] = Children(
            metrics.error_codes, lambda code: metrics.errors.labels(direction, code)
        )


def _durations(metrics: Metrics, direction: str) -> Children[LoopHistogram]:
    return Children(metrics.actions, lambda action: metrics.message_duration.labels(action, direction))


def _flow_without_call(peer: Peer, message_id: str) -> Flow:
    """For a frame that belongs to no CALL: it has a correlation id of its own and no action."""
    return Flow(peer, Direction.IN, "", kept(message_id), new_correlation_id(), perf_counter())
