"""The one observer of every message: a log line per frame, and the counters and timers of the message path.

Runs twice per message, so lines are built here as plain dicts and the metrics' children are kept at hand.
"""

from __future__ import annotations

from collections import Counter as Tally
from time import perf_counter

from prometheus_client import Counter, Histogram

from mcpp.ocppj.errors import CallTimeout
from mcpp.ocppj.flow import Deviation, Direction, Flow, Peer, new_correlation_id
from mcpp.ocppj.frames import Call, CallError, CallResult, FrameError, MessageType
from mcpp.telemetry.lines import Line, LineWriter, LogLevel, timestamp
from mcpp.telemetry.logs import error_text, stack_text
from mcpp.telemetry.metrics import OTHER, Children, Metrics
from mcpp.telemetry.redaction import redact_payload, redact_text

_MESSAGE_TYPES = {
    MessageType.CALL: "call",
    MessageType.CALL_RESULT: "call_result",
    MessageType.CALL_ERROR: "call_error",
}

_DESCRIPTION_LIMIT = 1024
"""Four times what OCPP-J 1.6 §4.2.3 allows; searching a whole frame of it would hold up the loop."""


class TelemetryMiddleware:
    """Implements `mcpp.ocppj.middleware.Middleware`: one `ocpp_message` line per frame, and the message metrics."""

    def __init__(self, lines: LineWriter, metrics: Metrics, *, log_payloads: bool) -> None:
        self._lines = lines
        self._metrics = metrics
        self._log_payloads = log_payloads
        self._writes_messages = lines.writes(LogLevel.INFO)
        self._frames_in = {kind: _FrameKind(metrics, "in", kind) for kind in (*_MESSAGE_TYPES.values(), OTHER)}
        self._frames_out = {kind: _FrameKind(metrics, "out", kind) for kind in _MESSAGE_TYPES.values()}
        self._call_in, self._call_out = self._frames_in["call"], self._frames_out["call"]
        self._durations_in = _durations(metrics, "in")
        self._durations_out = _durations(metrics, "out")
        self._refused: Flow | None = None

    def call_received(self, peer: Peer, call: Call, size: int) -> Flow:
        flow = Flow(peer, Direction.IN, call.action, call.message_id, new_correlation_id(), perf_counter())
        if call.deviations:
            flow.deviations.extend(Deviation(rule, "") for rule in call.deviations)
        self._frame(self._call_in, flow, size, call.payload)
        return flow

    def answer_sent(self, flow: Flow, answer: CallResult | CallError, size: int) -> None:
        seconds = perf_counter() - flow.started
        self._durations_in[flow.action].observe(seconds, {"trace_id": flow.correlation_id})
        self._answer(self._frames_out, flow, answer, size, seconds)

    def unanswered(self, flow: Flow, error: BaseException) -> None:
        self._note(LogLevel.WARNING, "call_unanswered", flow, error=error_text(error))
        self._report_deviations(flow)

    def call_failed(self, flow: Flow, error: BaseException) -> None:
        self._note(LogLevel.ERROR, "handler_failed", flow, error=error_text(error), stack=stack_text(error))

    def call_sent(self, flow: Flow, call: Call, size: int) -> None:
        self._frame(self._call_out, flow, size, call.payload)

    def answer_received(self, flow: Flow, answer: CallResult | CallError, size: int) -> None:
        seconds = perf_counter() - flow.started
        self._durations_out[flow.action].observe(seconds, {"trace_id": flow.correlation_id})
        self._answer(self._frames_in, flow, answer, size, seconds)

    def call_expired(self, flow: Flow, error: Exception) -> None:
        if isinstance(error, CallTimeout):
            self._metrics.call_timeouts.inc()
        self._note(LogLevel.WARNING, "call_expired", flow, error=error_text(error))
        self._report_deviations(flow)

    def stray_answer(self, peer: Peer, answer: CallResult | CallError, size: int, *, late: bool) -> None:
        flow = _flow_without_call(peer, answer.message_id)
        self._answer(self._frames_in, flow, answer, size, stray="late" if late else "unknown")

    def frame_refused(self, peer: Peer, error: FrameError, size: int) -> None:
        flow = self._refused = _flow_without_call(peer, error.message_id or "")
        kind = self._frames_in[_MESSAGE_TYPES.get(error.message_type or 0, OTHER)]
        self._frame(kind, flow, size, error=redact_text(error.description))

    def refusal_sent(self, peer: Peer, answer: CallError, size: int) -> None:
        flow, self._refused = self._refused, None
        if flow is None or (flow.peer.key, flow.message_id) != (peer.key, answer.message_id):
            flow = _flow_without_call(peer, answer.message_id)
        self._answer(self._frames_out, flow, answer, size)

    def connection(self, outcome: str, *, identity: str = "", remote: str = "", detail: str = "") -> None:
        self._metrics.connections.labels(outcome).inc()
        if self._writes_messages:
            line: Line = {"timestamp": timestamp(), "level": "info", "event": "connection", "category": "ocpp"}
            facts = {"charge_point_id": identity, "outcome": outcome, "remote_address": remote, "detail": detail}
            line.update({name: redact_text(fact) for name, fact in facts.items() if fact})
            self._lines.write(line)

    def _answer(
        self,
        frames: dict[str, _FrameKind],
        flow: Flow,
        answer: CallResult | CallError,
        size: int,
        seconds: float | None = None,
        **more: str,
    ) -> None:
        if isinstance(answer, CallResult):
            self._frame(frames["call_result"], flow, size, answer.payload, seconds, **more)
        else:
            kind = frames["call_error"]
            kind.errors[answer.code].inc()
            description = redact_text(answer.description[:_DESCRIPTION_LIMIT])
            self._frame(kind, flow, size, answer.details, seconds, error=answer.code, description=description, **more)
        if answer.deviations:
            flow.deviations.extend(Deviation(rule, "") for rule in answer.deviations)
        self._report_deviations(flow)

    def _frame(
        self,
        kind: _FrameKind,
        flow: Flow,
        size: int,
        payload: bytes = b"",
        seconds: float | None = None,
        **more: str,
    ) -> None:
        """Count a frame and write its line; all that is said of a frame of any kind is said here."""
        kind.messages[flow.action].inc()
        if not self._writes_messages:
            return
        line: Line = {
            "timestamp": timestamp(),
            "level": "info",
            "event": "ocpp_message",
            "category": "ocpp",
            "correlation_id": flow.correlation_id,
            "charge_point_id": flow.peer.identity,
            "action": flow.action,
            "message_id": flow.message_id,
            "direction": kind.direction,
            "message_type": kind.message_type,
            "size_bytes": size,
        }
        if seconds is not None:
            line["duration_ms"] = round(seconds * 1000, 3)
        if more:
            line.update(more)
        if not flow.action:
            del line["action"]
        if self._log_payloads and payload:
            line["payload"] = redact_payload(payload)
        self._lines.write(line)

    def _report_deviations(self, flow: Flow) -> None:
        """What was tolerated in one flow, once: counted by rule, and one line with where each was met first."""
        if not flow.deviations:
            return
        rules = Tally(deviation.rule for deviation in flow.deviations)
        action = flow.action if flow.action in self._metrics.actions else OTHER
        for rule, times in rules.items():
            self._metrics.deviations.labels(action, rule).inc(times)
        # Backwards, so that the first location of each rule is the one that stays.
        locations = {deviation.rule: deviation.location for deviation in reversed(flow.deviations)}
        self._note(LogLevel.INFO, "contract_deviation", flow, rules=rules, locations=locations)

    def _note(self, level: LogLevel, event: str, flow: Flow, **more: object) -> None:
        """A line that belongs to a flow and to none of its frames."""
        if not self._lines.writes(level):
            return
        line: Line = {
            "timestamp": timestamp(),
            "level": level.value,
            "event": event,
            "category": "error" if level is LogLevel.ERROR else "ocpp",
            "correlation_id": flow.correlation_id,
            "charge_point_id": flow.peer.identity,
            "action": flow.action,
            "message_id": flow.message_id,
            "direction": flow.direction.value,
        }
        line |= {name: redact_text(value) if isinstance(value, str) else value for name, value in more.items()}
        self._lines.write(line)


class _FrameKind:
    """One message type in one direction, with its counters by action, and by code where it is an error."""

    __slots__ = ("direction", "errors", "message_type", "messages")

    def __init__(self, metrics: Metrics, direction: str, message_type: str) -> None:
        self.direction = direction
        self.message_type = message_type
        self.messages: Children[Counter] = Children(
            metrics.actions, lambda action: metrics.messages.labels(action, direction, message_type)
        )
        self.errors: Children[Counter] = Children(
            metrics.error_codes, lambda code: metrics.errors.labels(direction, code)
        )


def _durations(metrics: Metrics, direction: str) -> Children[Histogram]:
    return Children(metrics.actions, lambda action: metrics.message_duration.labels(action, direction))


def _flow_without_call(peer: Peer, message_id: str) -> Flow:
    """For a frame that belongs to no CALL: it has a correlation id of its own and no action."""
    return Flow(peer, Direction.IN, "", message_id, new_correlation_id(), perf_counter())
