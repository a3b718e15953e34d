"""What each frame leaves behind: exactly one line, and its counts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any

import pytest

from mcpp.csms.observer import MessageObserver
from mcpp.csms.outcomes import ConnectionOutcome
from mcpp.ocppj.errors import CallTimeout, ConnectionLost, ErrorCode
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
from mcpp.ocppj.frames import Call, CallError, CallResult, FrameError
from mcpp.telemetry.logs.lines import LogLevel
from mcpp.telemetry.logs.message_lines import MessageLines
from mcpp.telemetry.messages import MessageTelemetry
from mcpp.telemetry.metrics.definitions import Metrics
from mcpp.telemetry.sessions import ChargingSessions
from tests.unit.telemetry.recording import Recording

PEER = Peer(7, "CP-1")
CALL = Call("id-1", "Heartbeat", b'{"a": 1}')
RESULT = CallResult("id-1", b'{"b":2}')
ERROR = CallError("id-1", "GenericError", "no luck", b'{"c":3}')
CORRELATION_ID = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(
        version="1",
        actions={"Heartbeat", "Reset"},
        error_codes={"GenericError", "InternalError"},
        stop_reasons=(),
    )


def outgoing() -> Flow:
    return Flow(PEER, Direction.OUT, "Reset", "id-1", CORRELATION_ID, perf_counter())


def incoming(observer: MessageObserver, call: Call = CALL, size: int = 33) -> Flow:
    """The flow of a CALL that came in, as the transport makes it."""
    flow = Flow(
        PEER, Direction.IN, call.action, call.message_id, new_correlation_id(), perf_counter(), size, call.payload
    )
    flow.deviations += [Deviation(rule, "") for rule in call.deviations]
    if observer.begin is not None:
        observer.begin(flow)
    return flow


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"mcpp_{name}", labels)


def watch(
    recording: Recording,
    metrics: Metrics,
    *actions: Callable[[MessageObserver], object],
    level: LogLevel = LogLevel.INFO,
    log_payloads: bool = False,
) -> list[dict[str, Any]]:
    with recording.at(level) as lines:
        lines.log_payloads = log_payloads
        observer = MessageTelemetry(MessageLines(lines), metrics, ChargingSessions())
        for act in actions:
            act(observer)
    return recording.lines()


Act = Callable[[MessageObserver], object]

ONE_FRAME_EACH: dict[str, tuple[Act, dict[str, object]]] = {
    "a CALL goes out": (
        lambda m: m.call_sent(outgoing(), 5),
        {"action": "Reset", "direction": "out", "message_type": "call", "size_bytes": 5},
    ),
    "an answer comes in": (
        lambda m: m.answer_received(outgoing(), RESULT, 9),
        {"action": "Reset", "direction": "in", "message_type": "call_result", "correlation_id": CORRELATION_ID},
    ),
    "an error comes in": (
        lambda m: m.answer_received(outgoing(), ERROR, 9),
        {"direction": "in", "message_type": "call_error", "error": "GenericError"},
    ),
    "an answer comes late": (
        lambda m: m.stray_answer(PEER, RESULT, 9, late=True),
        {"direction": "in", "message_type": "call_result", "stray": "late", "message_id": "id-1"},
    ),
    "an error nobody waits for": (
        lambda m: m.stray_answer(PEER, ERROR, 9, late=False),
        {"direction": "in", "message_type": "call_error", "stray": "unknown", "error": "GenericError"},
    ),
    "no frame at all": (
        lambda m: m.frame_refused(PEER, FrameError(None, ErrorCode.FORMAT_VIOLATION, "not a JSON array"), 3),
        {"direction": "in", "message_type": "_OTHER", "error": "not a JSON array", "size_bytes": 3},
    ),
    "a CALL without an action": (
        lambda m: m.frame_refused(PEER, FrameError("id-1", ErrorCode.FORMAT_VIOLATION, "no action", 2), 3),
        {"direction": "in", "message_type": "call", "message_id": "id-1", "error": "no action"},
    ),
    "a refusal goes out": (
        lambda m: m.refusal_sent(PEER, ERROR, 3),
        {"direction": "out", "message_type": "call_error", "error": "GenericError"},
    ),
    "a frame mended on reading": (
        lambda m: m.answer_received(outgoing(), CallResult("id-1", b"{}", ("nul_byte",)), 9),
        {"message_type": "call_result"},
    ),
}


@pytest.mark.parametrize("log_payloads", [False, True])
@pytest.mark.parametrize(("act", "expected"), ONE_FRAME_EACH.values(), ids=ONE_FRAME_EACH.keys())
def test_a_frame_makes_exactly_one_line_and_one_count(
    recording: Recording, metrics: Metrics, act: Act, expected: dict[str, object], *, log_payloads: bool
) -> None:
    lines = watch(recording, metrics, act, log_payloads=log_payloads)
    (line,) = [line for line in lines if line["event"] == "ocpp_message"]

    assert expected.items() <= line.items()
    assert {"level": "info", "category": "ocpp", "charge_point_id": "CP-1"}.items() <= line.items()
    assert len(line["correlation_id"]) == 32
    assert log_payloads or "payload" not in line
    assert line.get("action") != ""
    messages = [
        s for family in metrics.registry.collect() if family.name == "mcpp_ocpp_messages" for s in family.samples
    ]
    assert [sample.value for sample in messages] == [1]


INCOMING: dict[str, tuple[Call, CallResult | CallError, dict[str, object], dict[str, object]]] = {
    "answered": (
        CALL,
        RESULT,
        {"action": "Heartbeat", "direction": "in", "message_type": "call", "size_bytes": 33},
        {"action": "Heartbeat", "direction": "out", "message_type": "call_result", "size_bytes": 9},
    ),
    "refused": (
        CALL,
        ERROR,
        {"direction": "in", "message_type": "call"},
        {"direction": "out", "message_type": "call_error", "error": "GenericError", "description": "no luck"},
    ),
    "an unheard-of action": (
        Call("x\n", 'Do"It', b"\xff"),
        ERROR,
        {"action": 'Do"It', "message_id": "x\n", "message_type": "call"},
        {"action": 'Do"It', "message_id": "x\n", "message_type": "call_error"},
    ),
}


@pytest.mark.parametrize(("call", "answer", "first", "second"), INCOMING.values(), ids=INCOMING.keys())
def test_an_incoming_call_and_its_answer_make_a_line_each(
    recording: Recording,
    metrics: Metrics,
    call: Call,
    answer: CallResult | CallError,
    first: dict[str, object],
    second: dict[str, object],
) -> None:
    lines = watch(recording, metrics, lambda m: m.exchanged(incoming(m, call), answer, 9))

    assert [line["event"] for line in lines] == ["ocpp_message", "ocpp_message"]
    assert first.items() <= lines[0].items()
    assert second.items() <= lines[1].items()


def test_an_incoming_calls_line_has_its_time_of_receipt_and_its_session(recording: Recording, metrics: Metrics) -> None:
    def handle(observer: MessageObserver) -> None:
        flow = incoming(observer)
        flow.started -= 5
        flow.connector_id, flow.transaction_id, flow.session_correlation_id = 1, 42, "5" * 32
        observer.exchanged(flow, RESULT, 9)

    call, answer, slow = watch(recording, metrics, handle)

    apart = datetime.fromisoformat(answer["timestamp"]) - datetime.fromisoformat(call["timestamp"])
    assert timedelta(seconds=4.9) < apart < timedelta(seconds=60)
    for line in (call, answer, slow):
        session = {"connector_id": 1, "transaction_id": 42, "session_correlation_id": "5" * 32}
        assert session.items() <= line.items()


def test_a_slow_message_says_where_the_time_went(recording: Recording, metrics: Metrics) -> None:
    def handle(observer: MessageObserver) -> None:
        flow = incoming(observer)
        flow.started -= 2
        flow.steps.append(Step("wait_in_line", flow.started, 0.5))
        flow.steps.append(Step("database_write", flow.started + 0.5, 1.25, {"wait_seconds": 1.0, "batch_size": 40}))
        observer.exchanged(flow, RESULT, 9)

    (slow,) = [line for line in watch(recording, metrics, handle) if line["event"] == "slow_message"]

    assert slow["level"] == "warning"
    assert slow["duration_ms"] >= 2000
    spent = slow["spent"]
    assert (spent["wait_in_line_ms"], spent["database_write_ms"]) == (500, 1250)
    assert spent["other_ms"] == pytest.approx(slow["duration_ms"] - 1750, abs=0.01)
    assert slow["details"] == {"database_write_wait_ms": 1000, "database_write_batch_size": 40}


def test_a_quick_message_has_no_slow_line(recording: Recording, metrics: Metrics) -> None:
    lines = watch(recording, metrics, lambda m: m.exchanged(incoming(m), RESULT, 9))

    assert [line["event"] for line in lines] == ["ocpp_message"] * 2


def test_a_command_belongs_to_its_cause_and_its_session(recording: Recording, metrics: Metrics) -> None:
    def command(observer: MessageObserver) -> None:
        token = current_trace_context.set(TraceContext("c" * 32, None, "5" * 32))
        flow = observer.call_queued(PEER, CALL, Subject(connector_id=1))
        current_trace_context.reset(token)
        observer.call_sent(flow, 5)
        observer.answer_received(flow, RESULT, 9)

    call, answer = watch(recording, metrics, command)

    for line in (call, answer):
        expected = {"correlation_id": "c" * 32, "session_correlation_id": "5" * 32, "connector_id": 1}
        assert expected.items() <= line.items()


def test_a_call_and_its_answer_share_a_correlation_id(recording: Recording, metrics: Metrics) -> None:
    call, answer = watch(recording, metrics, lambda m: m.exchanged(incoming(m), RESULT, 9))

    assert call["correlation_id"] == answer["correlation_id"]
    assert "duration_ms" not in call
    assert 0 <= answer["duration_ms"] < 60_000
    assert value(metrics, "ocpp_message_duration_seconds_count", action="Heartbeat", direction="in") == 1
    assert value(metrics, "ocpp_messages_total", action="Heartbeat", direction="in", message_type="call") == 1
    assert value(metrics, "ocpp_messages_total", action="Heartbeat", direction="out", message_type="call_result") == 1


def test_two_calls_have_two_correlation_ids(recording: Recording, metrics: Metrics) -> None:
    act: Act = lambda m: m.exchanged(incoming(m), RESULT, 9)  # noqa: E731  as the others
    ids = {line["correlation_id"] for line in watch(recording, metrics, act, act)}

    assert len(ids) == 2


def test_a_refused_frame_and_its_refusal_share_a_correlation_id(recording: Recording, metrics: Metrics) -> None:
    refused = FrameError("id-1", ErrorCode.FORMAT_VIOLATION, "no action", 2)
    lines = watch(
        recording,
        metrics,
        lambda m: m.frame_refused(PEER, refused, 3),
        lambda m: m.refusal_sent(PEER, ERROR, 9),
        lambda m: m.refusal_sent(PEER, ERROR, 9),
    )

    assert lines[0]["correlation_id"] == lines[1]["correlation_id"] != lines[2]["correlation_id"]
    assert value(metrics, "ocpp_errors_total", direction="out", code="GenericError") == 2


def test_payloads_are_whole_when_wanted_and_masked(recording: Recording, metrics: Metrics) -> None:
    secret = Call("id-2", "ChangeConfiguration", b'{"key":"AuthorizationKey","value":"geheim"}')
    call, error, configuration = watch(
        recording,
        metrics,
        lambda m: m.exchanged(incoming(m), ERROR, 9),
        lambda m: m.call_sent(m.call_queued(PEER, secret, Subject()), 44),
        log_payloads=True,
    )

    assert call["payload"] == {"a": 1}
    assert error["payload"] == {"c": 3}
    assert configuration["payload"] == {"key": "AuthorizationKey", "value": "***"}


def test_deviations_make_one_line_per_flow_and_are_counted_by_rule(recording: Recording, metrics: Metrics) -> None:
    def handle(observer: MessageObserver) -> None:
        flow = incoming(observer, CALL._replace(deviations=("byte_order_mark",)))
        flow.deviations += [Deviation("number_for_text", "a[0]"), Deviation("number_for_text", "a[1]")]
        observer.exchanged(flow, RESULT, 9)

    lines = watch(recording, metrics, handle)
    (deviation,) = [line for line in lines if line["event"] == "contract_deviation"]

    assert len(lines) == 3
    assert deviation["rules"] == {"byte_order_mark": 1, "number_for_text": 2}
    assert deviation["locations"] == {"byte_order_mark": "", "number_for_text": "a[0]"}
    assert deviation["correlation_id"] == lines[0]["correlation_id"]
    assert value(metrics, "contract_deviations_total", action="Heartbeat", rule="number_for_text") == 2
    assert value(metrics, "contract_deviations_total", action="Heartbeat", rule="byte_order_mark") == 1


def test_a_call_without_an_answer_is_told_but_is_no_frame(recording: Recording, metrics: Metrics) -> None:
    lines = watch(
        recording,
        metrics,
        lambda m: m.unanswered(incoming(m), RuntimeError("disk full")),
        lambda m: m.call_expired(outgoing(), CallTimeout("no answer in 30 s")),
        lambda m: m.call_expired(outgoing(), ConnectionLost("gone")),
        lambda m: m.handler_failed(outgoing(), ZeroDivisionError("division by zero")),
    )

    frame, *notes = lines
    assert frame["event"] == "ocpp_message"
    assert [(line["event"], line["level"], line["error"]) for line in notes] == [
        ("call_unanswered", "warning", "RuntimeError: disk full"),
        ("call_expired", "warning", "CallTimeout: no answer in 30 s"),
        ("call_expired", "warning", "ConnectionLost: gone"),
        ("handler_failed", "error", "ZeroDivisionError: division by zero"),
    ]
    assert notes[0]["correlation_id"] == frame["correlation_id"]
    assert all(line["correlation_id"] == CORRELATION_ID for line in notes[1:])
    assert "ZeroDivisionError" in notes[3]["stack"]
    assert value(metrics, "call_timeouts_total") == 1
    assert value(metrics, "ocpp_messages_total", action="Heartbeat", direction="in", message_type="call") == 1
    assert value(metrics, "ocpp_message_duration_seconds_count", action="Heartbeat", direction="in") is None


def test_without_tracing_nothing_is_called_before_a_handler(recording: Recording, metrics: Metrics) -> None:
    with recording.at() as lines:
        assert MessageTelemetry(MessageLines(lines), metrics, ChargingSessions()).begin is None


def test_connections_are_told_and_counted(recording: Recording, metrics: Metrics) -> None:
    (line,) = watch(
        recording,
        metrics,
        lambda m: m.connection(ConnectionOutcome.ACCEPTED, identity="CP-1", remote="10.0.0.1:5000", detail=""),
    )

    assert {"event": "connection", "outcome": "accepted", "remote_address": "10.0.0.1:5000"}.items() <= line.items()
    assert "detail" not in line
    assert value(metrics, "connections_total", outcome="accepted") == 1


def test_with_level_warning_messages_are_counted_and_not_written(recording: Recording, metrics: Metrics) -> None:
    lines = watch(
        recording,
        metrics,
        *(act for act, _ in ONE_FRAME_EACH.values()),
        lambda m: m.exchanged(incoming(m), RESULT, 9),
        lambda m: m.connection(ConnectionOutcome.ACCEPTED),
        level=LogLevel.WARNING,
    )

    assert lines == []
    assert value(metrics, "ocpp_messages_total", action="Heartbeat", direction="in", message_type="call") == 1


def test_labels_stay_within_their_sets_whatever_a_charger_makes_up(recording: Recording, metrics: Metrics) -> None:
    def attack(observer: MessageObserver) -> None:
        for number in range(50):
            made_up = f'Made{number}\n"up"'
            flow = incoming(observer, Call(made_up, made_up, b"{}"), 9)
            flow.deviations.append(Deviation("unknown_field", made_up))
            observer.exchanged(flow, CallError(made_up, made_up, made_up), 9)
            observer.answer_received(outgoing(), CallError(made_up, made_up, made_up), 9)
            observer.stray_answer(PEER, CallError(made_up, made_up, made_up), 9, late=False)
            observer.frame_refused(PEER, FrameError(made_up, ErrorCode.FORMAT_VIOLATION, made_up, number), 9)

    watch(recording, metrics, attack)
    samples = [sample for family in metrics.registry.collect() for sample in family.samples]
    values = {name: {s.labels[name] for s in samples if name in s.labels} for name in ("action", "code", "rule")}

    assert values["action"] == {"_OTHER", "Reset"}
    assert values["code"] <= {"_OTHER", *metrics.error_codes}
    assert values["rule"] == {"unknown_field"}
    assert {s.labels["message_type"] for s in samples if "message_type" in s.labels} == {
        "call",
        "call_result",
        "call_error",
        "call_result_error",
        "send",
        "_OTHER",
    }
