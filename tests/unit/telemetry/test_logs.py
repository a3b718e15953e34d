"""Our loggers and the libraries' through one pipeline: what a line says, and what it never says."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

import pytest
import structlog
from hypothesis import example, given
from hypothesis import strategies as st

from mcpp.ocppj.flow import Direction, Flow, Peer, TraceContext, current_flow, current_trace_context
from mcpp.telemetry.logs.lines import LogFormat, LogLevel, render_json
from mcpp.telemetry.logs.pipeline import get_logger
from mcpp_generated.ocpp16.models import ChangeConfigurationRequest
from tests.unit.telemetry.recording import Recording

FIRST_FIELDS = ["timestamp", "level", "event", "category"]


def raise_value_error() -> None:
    raise ValueError("the reason")


def test_a_line_begins_with_the_promised_fields_and_ends_with_its_own(recording: Recording) -> None:
    with recording.at():
        get_logger().info("server_started", ocpp_port=9000, http_port=8080)
    line = recording.line()

    assert [*FIRST_FIELDS, "ocpp_port", "http_port"] == list(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("timestamp"))
    assert line == {
        "level": "info",
        "event": "server_started",
        "category": "system",
        "ocpp_port": 9000,
        "http_port": 8080,
    }


def test_the_timestamp_is_now_in_utc(recording: Recording) -> None:
    before = datetime.now(UTC)
    with recording.at():
        get_logger().info("one")
        get_logger().info("two")
    after = datetime.now(UTC)
    times = [datetime.fromisoformat(line["timestamp"]) for line in recording.lines()]

    assert times == sorted(times)
    assert before - timedelta(milliseconds=1) <= times[0]
    assert times[1] <= after


@pytest.mark.parametrize(
    ("level", "events"),
    [
        (LogLevel.DEBUG, ["debugging", "telling", "warning_of", "failing"]),
        (LogLevel.INFO, ["telling", "warning_of", "failing"]),
        (LogLevel.WARNING, ["warning_of", "failing"]),
        (LogLevel.ERROR, ["failing"]),
    ],
)
def test_a_level_lets_itself_and_the_graver_ones_through(
    recording: Recording, level: LogLevel, events: list[str]
) -> None:
    with recording.at(level):
        log = get_logger()
        log.debug("debugging")
        log.info("telling")
        log.warning("warning_of")
        log.error("failing")

    assert events == [line["event"] for line in recording.lines()]


def test_a_logger_made_before_the_pipeline_uses_it(recording: Recording) -> None:
    log = get_logger()
    with recording.at():
        log.info("early_bird")

    assert recording.line()["event"] == "early_bird"


def test_the_current_flow_and_bound_context_stand_on_the_line(recording: Recording) -> None:
    flow = Flow(Peer(1, "CP-1"), Direction.OUT, "Reset", "id-1", "ab" * 16, 0.0)
    token = current_flow.set(flow)
    try:
        with recording.at(), structlog.contextvars.bound_contextvars(connector_id=2):
            get_logger().info("first", category="transaction")
            get_logger().info("second", action="Other")
    finally:
        current_flow.reset(token)
    first, second = recording.lines()

    assert list(first.items())[2:] == [
        ("event", "first"),
        ("category", "transaction"),
        ("correlation_id", "ab" * 16),
        ("charge_point_id", "CP-1"),
        ("connector_id", 2),
        ("action", "Reset"),
        ("message_id", "id-1"),
        ("direction", "out"),
    ]
    assert second["action"] == "Other"


def test_what_causes_a_line_stands_on_it_with_its_session_and_its_recorded_span(recording: Recording) -> None:
    token = current_trace_context.set(TraceContext("ab" * 16, 0xFE, "cd" * 16))
    try:
        with recording.at():
            get_logger().info("caused")
            get_logger().info("of_something_else", correlation_id="ef" * 16)
            logging.getLogger("a.library").warning("caused too")
    finally:
        current_trace_context.reset(token)
    caused, other, library = recording.lines()

    for line in (caused, library):
        assert (line["correlation_id"], line["trace_id"], line["span_id"]) == ("ab" * 16, "ab" * 16, "00000000000000fe")
        assert line["session_correlation_id"] == "cd" * 16
    assert not other.keys() & {"trace_id", "span_id", "session_correlation_id"}


def test_every_line_has_one_of_the_four_categories(recording: Recording) -> None:
    with recording.at():
        get_logger().info("a_plugins_own", category="billing")
        get_logger().error("a_plugins_own", category=["billing"])
        get_logger().info("none_said")
        get_logger().warning("said", category="ocpp")

    assert [line["category"] for line in recording.lines()] == ["system", "error", "system", "ocpp"]


def test_an_exception_is_told_in_error_and_stack_on_one_line(recording: Recording) -> None:
    with recording.at():
        try:
            raise_value_error()
        except ValueError as error:
            get_logger().exception("handled")
            get_logger().error("given", exc_info=error)
            logging.getLogger("a.library").exception("as a library does")
            get_logger().warning("mentioned", error=error)
    lines = recording.lines()

    assert [line["error"] for line in lines] == ["ValueError: the reason"] * 4
    assert [line["category"] for line in lines] == ["error", "error", "error", "system"]
    for line in lines[:3]:
        assert line["stack"].startswith("Traceback")
        assert "in raise_value_error" in line["stack"]
    assert "stack" not in lines[3]


def test_a_librarys_message_is_a_field_and_its_event_a_constant(recording: Recording) -> None:
    with recording.at():
        logging.getLogger("a.server").info("Started server process [%d]", 42)
        logging.getLogger("asyncio").critical("really bad")
        logging.getLogger("lib").log(25, "between info and warning")
    started, bad, between = recording.lines()

    assert {"level": "info", "event": "library_message", "category": "system"}.items() <= started.items()
    assert (started["logger"], started["message"]) == ("a.server", "Started server process [42]")
    assert (bad["level"], bad["category"]) == ("error", "error")
    assert between["level"] == "info"


def test_libraries_are_quiet_below_info_and_below_the_level(recording: Recording) -> None:
    with recording.at(LogLevel.DEBUG):
        logging.getLogger("websockets.server").debug("< TEXT '[2,...' with all its secrets")
    with recording.at(LogLevel.ERROR):
        logging.getLogger("a.server").warning("not grave enough")
        own_level = logging.getLogger("a.library.with.a.level.of.its.own")
        own_level.setLevel(logging.DEBUG)
        own_level.warning("not grave enough either")

    assert recording.lines() == []


def test_secrets_are_masked_in_fields_messages_and_stacks(recording: Recording) -> None:
    with recording.at():
        get_logger().info(
            "configured", api_token="geheim", url="ftp://user:geheim@host/x", nested=[{"password": "geheim"}]
        )
        logging.getLogger("lib").warning("sent Authorization: Basic geheim to http://u:geheim@host/")
        try:
            raise RuntimeError("refused by https://u:geheim@host/")
        except RuntimeError:
            get_logger().exception("failed")

    assert len(recording.lines()) == 3
    assert "geheim" not in recording.text()


@dataclass
class Account:
    user: str
    password: str


def test_secrets_in_objects_are_masked_in_both_formats(recording: Recording) -> None:
    account, model = Account("u", "geheim"), ChangeConfigurationRequest(key="AuthorizationKey", value="geheim")
    for log_format in LogFormat:
        with recording.at(log_format=log_format):
            get_logger().info(
                "objects", account=account, all=[account], by_name={"a": account}, some={"password=geheim"}
            )
            get_logger().info("models", model=model, payload=model.model_dump(), error=ValueError(f"bad: {model!r}"))

    assert recording.text().count("user=") == 3 + 2  # the terminal is too narrow for the third
    assert "geheim" not in recording.text()


def test_values_that_json_has_no_word_for_become_text(recording: Recording) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678_900, timezone(timedelta(hours=1)))
    with recording.at():
        get_logger().info("odd", moment=moment, huge=2**70, raw=b"\xff", half="\ud800", level_enum=LogLevel.INFO)
    line = recording.line()

    assert line["moment"] == "2026-01-02T02:04:05.678Z"
    assert line["huge"] == str(2**70)
    assert line["raw"] == r"b'\xff'"
    assert line["half"] == r"\ud800"
    assert line["level_enum"] == "info"


def test_endless_structures_end(recording: Recording) -> None:
    endless: list[object] = []
    endless.append(endless)
    with recording.at():
        get_logger().info("endless", value=endless)

    assert recording.line()["event"] == "endless"


def test_the_standard_library_gets_its_handlers_back(recording: Recording) -> None:
    root = logging.getLogger()
    before = (root.level, root.handlers[:])
    with recording.at():
        pass

    assert before == (root.level, root.handlers)


def test_every_line_of_a_program_is_json_before_during_and_after_its_loop() -> None:
    program = """
import asyncio, warnings, logging
from mcpp.telemetry.logs.lines import LogFormat, LogLevel, render_json
from mcpp.telemetry.logs.sink import LogSink
from mcpp.telemetry.logs.pipeline import get_logger, logging_to

async def main():
    get_logger().info("during_the_loop")
    asyncio.get_running_loop().call_soon(lambda: 1 / 0)
    await asyncio.sleep(0)

with logging_to(LogSink(), level=LogLevel.INFO, log_format=LogFormat.JSON):
    get_logger().info("before_the_loop")
    asyncio.run(main())
    warnings.warn("two\\nlines")
    get_logger().info("after_the_loop")
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=30, check=True)
    lines = [json.loads(line) for line in result.stdout.splitlines()]

    assert result.stderr == b""
    assert [line["event"] for line in lines] == [
        "before_the_loop",
        "during_the_loop",
        "library_message",
        "library_message",
        "after_the_loop",
    ]
    assert all(list(line)[:4] == FIRST_FIELDS for line in lines)
    assert lines[2]["error"] == "ZeroDivisionError: division by zero"
    assert "two\nlines" in lines[3]["message"]


def test_errors_that_nobody_catches_get_lines() -> None:
    program = """
import asyncio, gc, threading
from mcpp.ocppj.flow import TraceContext, current_trace_context
from mcpp.telemetry.logs.lines import LogFormat, LogLevel, render_json
from mcpp.telemetry.logs.sink import LogSink
from mcpp.telemetry.logs.pipeline import logging_to, report_loop_errors

async def fail():
    raise RuntimeError("password=geheim")

class Broken:
    def __del__(self):
        raise RuntimeError("password=geheim")

async def main():
    report_loop_errors(asyncio.get_running_loop())
    asyncio.get_running_loop().call_soon(lambda: 1 / 0)
    current_trace_context.set(TraceContext("ab" * 16))
    task = asyncio.get_running_loop().create_task(fail(), name="the-task")
    await asyncio.wait([task])
    current_trace_context.set(TraceContext("cd" * 16))
    del task
    gc.collect()
    Broken()

with logging_to(LogSink(), level=LogLevel.INFO, log_format=LogFormat.JSON):
    asyncio.run(main())
    thread = threading.Thread(target=lambda: 1 / 0, name="the-thread")
    thread.start()
    thread.join()
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=30, check=True)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    callback, task, destructor, thread = lines

    assert result.stderr == b""
    assert b"geheim" not in result.stdout
    assert [line["event"] for line in lines] == ["loop_error", "loop_error", "unraisable_error", "thread_failed"]
    assert {(line["level"], line["category"]) for line in lines} == {("error", "error")}
    assert "correlation_id" not in callback
    # Noticed in the midst of something else, whose id it must not bear.
    assert task.get("correlation_id") == ("ab" * 16 if sys.version_info >= (3, 12) else None)
    assert (task["task"], task["error"]) == ("the-task", "RuntimeError: password=***")
    assert destructor["error"] == "RuntimeError: password=***"
    assert (thread["thread"], thread["error"]) == ("the-thread", "ZeroDivisionError: division by zero")


YEARS = {"min_value": datetime(1000, 1, 1), "max_value": datetime(9998, 1, 1)}  # noqa: DTZ001  hypothesis adds the zone


@given(st.datetimes(**YEARS, timezones=st.sampled_from([UTC, timezone(timedelta(hours=-9, minutes=-30))])))
@example(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
@example(datetime(2026, 1, 2, 3, 4, 5, 999, tzinfo=UTC))
@example(datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=UTC))
def test_a_time_is_written_in_milliseconds_whatever_they_are(moment: datetime) -> None:
    expected = moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    assert json.loads(render_json({"at": moment})) == {"at": expected}
