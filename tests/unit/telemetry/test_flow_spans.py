"""The spans that flows, plugins and sessions leave behind, as an exporter gets them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from time import perf_counter

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, SpanKind, StatusCode

from mcpp.ocppj.errors import CallTimeout
from mcpp.ocppj.flow import (
    Deviation,
    Direction,
    Flow,
    Peer,
    Step,
    Subject,
    TraceContext,
    current_trace_context,
    new_correlation_id,
)
from mcpp.ocppj.frames import Call, CallError, CallResult
from mcpp.telemetry.labels import OTHER
from mcpp.telemetry.logs.lines import LineWriter
from mcpp.telemetry.logs.message_lines import MessageLines
from mcpp.telemetry.messages import MessageTelemetry
from mcpp.telemetry.metrics.definitions import Metrics
from mcpp.telemetry.plugins import PluginTelemetry
from mcpp.telemetry.sessions import ChargingSessions
from mcpp.telemetry.tracing.flow_spans import FlowSpans
from mcpp.telemetry.tracing.sampling import Sampling
from mcpp.telemetry.tracing.session_spans import SessionSpans, root_span_id
from mcpp.telemetry.tracing.spans import Spans
from tests.events import FLOW, FORGOTTEN, PREPARING, RECOVERED, SESSION, STARTED, STOPPED
from tests.unit.domain.books import NOW
from tests.unit.telemetry.recording import Recording

PEER = Peer(7, "CP-1")


class Only(Sampling):
    """Records the traces of a set."""

    def __init__(self, *correlation_ids: str) -> None:
        super().__init__(0, follows_callers=False)
        self._traces = frozenset(correlation_ids)

    def records(self, correlation_id: str) -> bool:
        return correlation_id in self._traces


ALL = Sampling(1, follows_callers=True)


class Traced:
    """Telemetry whose spans end up in a list."""

    def __init__(self, lines: LineWriter, sampling: Sampling = ALL) -> None:
        self.spans: list[ReadableSpan] = []
        self.metrics = Metrics(
            version="1", actions={"MeterValues", "Reset"}, error_codes={"InternalError"}, stop_reasons=()
        )
        writer = Spans(sampling, Resource.create({}), self.spans.append)
        self.session_spans = SessionSpans(writer)
        self.sessions = ChargingSessions(self.session_spans.end)
        self.plugins = PluginTelemetry(self.metrics, writer)
        flows = FlowSpans(writer, self.metrics.actions, OTHER)
        self.observer = MessageTelemetry(MessageLines(lines), self.metrics, self.sessions, flows)

    def meter_values(self, session: str | None = None, action: str = "MeterValues") -> None:
        """A handled message."""
        flow = self.call(action)
        facts = {"wait_seconds": 0.001, "batch_size": 3}
        flow.steps.append(Step("database_write", perf_counter() - 0.25, 0.25, facts))
        flow.connector_id, flow.transaction_id, flow.session_correlation_id = 1, 42, session
        self.observer.exchanged(flow, CallResult("m1", b"{}"), 9)

    def call(self, action: str) -> Flow:
        """A CALL that came in."""
        flow = Flow(PEER, Direction.IN, action, "m1", new_correlation_id(), perf_counter(), 33, b"{}")
        assert self.observer.begin is not None
        self.observer.begin(flow)
        return flow

    def of_trace(self, correlation_id: str) -> list[ReadableSpan]:
        return [span for span in self.spans if trace_of(span) == correlation_id]


def trace_of(span: ReadableSpan) -> str:
    assert span.context is not None
    return f"{span.context.trace_id:032x}"


def id_of(span: ReadableSpan) -> int:
    assert isinstance(span.context, SpanContext)
    return span.context.span_id


def parent_of(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent is not None else None


def attributes_of(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


@pytest.fixture
def lines(recording: Recording) -> Iterator[LineWriter]:
    with recording.at() as lines:
        yield lines


def test_a_message_is_a_span_with_a_child_for_its_write(lines: LineWriter) -> None:
    traced = Traced(lines)
    traced.meter_values()
    call, write = traced.spans

    assert (call.name, call.kind, call.status.status_code) == ("MeterValues", SpanKind.SERVER, StatusCode.UNSET)
    assert parent_of(call) is None
    assert attributes_of(call) == {
        "rpc.system.name": "ocpp",
        "rpc.method": "MeterValues",
        "ocpp.charge_point_id": "CP-1",
        "ocpp.message_id": "m1",
        "ocpp.connector_id": 1,
        "ocpp.transaction_id": 42,
    }
    assert (write.name, parent_of(write), trace_of(write)) == ("database_write", id_of(call), trace_of(call))
    assert attributes_of(write) == {"db.system.name": "sqlite", "mcpp.wait_seconds": 0.001, "mcpp.batch_size": 3}
    assert write.end_time is not None
    assert write.start_time is not None
    assert write.end_time - write.start_time == pytest.approx(0.25e9)


def test_lines_carry_the_ids_of_a_recorded_span_only(recording: Recording) -> None:
    with recording.at() as lines:
        Traced(lines, Only()).meter_values()
        traced = Traced(lines)
        traced.meter_values()
    unrecorded, recorded = recording.lines()[:2], recording.lines()[2:]

    assert not any("trace_id" in line or "span_id" in line for line in unrecorded)
    for line in recorded:
        assert line["trace_id"] == line["correlation_id"] == trace_of(traced.spans[0])
        assert int(line["span_id"], 16) == id_of(traced.spans[0])


def test_an_error_and_a_made_up_action_are_told(lines: LineWriter) -> None:
    traced = Traced(lines)
    flow = traced.call("Made up")
    flow.deviations.append(Deviation("null_byte", ""))
    traced.observer.exchanged(flow, CallError("m1", "Odd", "password=hunter2"), 9)
    (span,) = traced.spans

    assert span.name == OTHER
    assert span.status.status_code is StatusCode.ERROR
    assert "hunter2" not in (span.status.description or "")
    expected = {"error.type": OTHER, "rpc.method_original": "Made up", "ocpp.deviations": ["null_byte"]}
    assert expected.items() <= attributes_of(span).items()


def test_a_command_continues_the_trace_of_its_cause(lines: LineWriter) -> None:
    traced = Traced(lines, Only())
    token = current_trace_context.set(TraceContext("c" * 32, 77))
    flow = traced.observer.call_queued(PEER, Call("m1", "Reset", b"{}"), Subject())
    current_trace_context.reset(token)
    traced.observer.call_sent(flow, 9)
    traced.observer.answer_received(flow, CallResult("m1", b"{}"), 9)
    call, queue, charge_point = traced.spans

    assert (call.kind, parent_of(call), trace_of(call)) == (SpanKind.CLIENT, 77, "c" * 32)
    assert [span.name for span in (queue, charge_point)] == ["wait_in_queue", "charge_point"]
    assert {parent_of(span) for span in (queue, charge_point)} == {id_of(call)}


def test_what_an_unrecorded_cause_sets_off_is_not_recorded(lines: LineWriter) -> None:
    traced = Traced(lines)
    token = current_trace_context.set(TraceContext("c" * 32, 0))
    flow = traced.observer.call_queued(PEER, Call("m1", "Reset", b"{}"), Subject())
    current_trace_context.reset(token)
    traced.observer.call_sent(flow, 9)
    traced.observer.call_expired(flow, CallTimeout("no answer within 30 s"))

    assert traced.spans == []


def test_a_command_that_failed_or_was_taken_back_is_told(lines: LineWriter) -> None:
    traced = Traced(lines)
    for end in (
        lambda flow: traced.observer.call_expired(flow, CallTimeout("no answer within 30 s")),
        traced.observer.call_withdrawn,
    ):
        end(traced.observer.call_queued(PEER, Call("m1", "Reset", b"{}"), Subject()))

    assert [attributes_of(span)["error.type"] for span in traced.spans] == ["CallTimeout", "withdrawn"]
    assert {span.status.status_code for span in traced.spans} == {StatusCode.ERROR}


def test_a_recorded_session_is_recorded_as_a_whole(lines: LineWriter) -> None:
    traced = Traced(lines, Only(SESSION))
    traced.meter_values()
    traced.meter_values(SESSION)
    traced.meter_values(SESSION)
    in_session = traced.of_trace(SESSION)
    flows = [span for span in traced.spans if span.kind is SpanKind.SERVER]

    assert len(flows) == 2
    assert {parent_of(span) for span in in_session} == {root_span_id(SESSION)}
    links = [(link.context.trace_id, link.context.span_id) for span in in_session for link in span.links]
    assert links == [(flow.context.trace_id, flow.context.span_id) for flow in flows if flow.context]
    writes = [span for span in traced.spans if span.name == "database_write"]
    for span in (*flows, *writes):
        assert attributes_of(span)["session_correlation_id"] == SESSION
    for flow in flows:
        assert [f"{link.context.trace_id:032x}" for link in flow.links] == [SESSION]


def test_a_sessions_root_spans_from_preparing_to_the_stop(lines: LineWriter) -> None:
    traced = Traced(lines, Only(SESSION))
    traced.sessions(replace(PREPARING, at=NOW - timedelta(hours=1)))
    traced.sessions(STARTED)
    assert traced.spans == []
    traced.sessions(STOPPED)
    (root,) = traced.spans

    assert (trace_of(root), id_of(root), parent_of(root)) == (SESSION, root_span_id(SESSION), None)
    assert root.end_time is not None
    assert root.start_time is not None
    assert root.end_time - root.start_time == pytest.approx(3600e9)
    expected = {"ocpp.transaction_id": 7, "mcpp.energy_wh": 3000, "ocpp.connector_id": 1}
    assert expected.items() <= attributes_of(root).items()


def test_a_plug_in_without_a_transaction_is_a_session_too(lines: LineWriter) -> None:
    traced = Traced(lines)
    traced.sessions(PREPARING)
    assert traced.sessions.find("CP-1", Subject(connector_id=1)) == SESSION
    traced.sessions(replace(PREPARING, status="Available"))
    (root,) = traced.spans

    assert id_of(root) == root_span_id(SESSION)
    assert traced.sessions.find("CP-1", Subject(connector_id=1)) is None


def test_a_session_is_found_by_its_transaction_but_not_anothers(lines: LineWriter) -> None:
    sessions = Traced(lines).sessions
    sessions(STARTED)

    assert sessions.find("CP-1", Subject(transaction_id=7)) == SESSION
    assert sessions.find("CP-2", Subject(transaction_id=7)) is None
    assert sessions.find("CP-1", Subject(connector_id=2)) is None


def test_the_sessions_of_a_forgotten_charge_point_are_gone(lines: LineWriter) -> None:
    sessions = Traced(lines).sessions
    sessions(STARTED)
    sessions(FORGOTTEN)

    assert sessions.find("CP-1", Subject(connector_id=1, transaction_id=7)) is None


def test_a_recovery_by_the_clock_is_a_trace_of_its_own_that_the_session_links_to(lines: LineWriter) -> None:
    traced = Traced(lines)
    traced.session_spans(RECOVERED)
    recovery, in_session = traced.spans

    assert (recovery.name, trace_of(recovery)) == ("recover_transaction", FLOW)
    assert trace_of(in_session) == SESSION
    assert [link.context.span_id for link in in_session.links] == [id_of(recovery)]


def test_a_plugins_work_stands_between_the_message_and_the_command(lines: LineWriter) -> None:
    traced = Traced(lines)
    call = traced.plugins.begin("auto_start", "connector_status_changed", TraceContext("c" * 32, 77, SESSION))
    token = current_trace_context.set(call.cause)
    flow = traced.observer.call_queued(PEER, Call("m1", "Reset", b"{}"), Subject())
    current_trace_context.reset(token)
    traced.observer.call_withdrawn(flow)
    call.end(failed=False)
    work = next(span for span in traced.spans if span.name == "plugin auto_start")
    command = next(span for span in traced.spans if span.name == "Reset" and trace_of(span) != SESSION)

    assert (parent_of(work), parent_of(command)) == (77, id_of(work))
    assert attributes_of(command)["session_correlation_id"] == SESSION
