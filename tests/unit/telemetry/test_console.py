"""What people see on a terminal."""

from __future__ import annotations

import re

import pytest

from mcpp.telemetry.logs.console import console_renderer
from mcpp.telemetry.logs.lines import Line, LogFormat
from mcpp.telemetry.logs.pipeline import get_logger
from tests.unit.telemetry.recording import Recording

FLOW, SESSION = "3f2a9c01" + "a" * 24, "9c01ab22" + "b" * 24

CALL: Line = {
    "timestamp": "2026-05-01T12:30:01.204Z",
    "level": "info",
    "event": "ocpp_message",
    "category": "ocpp",
    "correlation_id": FLOW,
    "trace_id": FLOW,
    "span_id": "0123456789abcdef",
    "session_correlation_id": SESSION,
    "charge_point_id": "CP-17",
    "connector_id": 1,
    "action": "StatusNotification",
    "message_id": "5b3e6d9c-1f0a-4a5e-9a37-2f9c7ad3c0de",
    "direction": "in",
    "message_type": "call",
    "size_bytes": 181,
}
ANSWER: Line = CALL | {"direction": "out", "message_type": "call_result", "size_bytes": 45, "duration_ms": 4.812}


def shown(line: Line, *, colors: bool = False) -> str:
    return console_renderer(colors=colors)(line).decode()


def test_a_message_and_its_answer_stand_in_columns_that_fit_80() -> None:
    call, answer = shown(CALL), shown(ANSWER)

    assert call == "12:30:01.204 I CP-17    → StatusNotification         181B 3f2a9c01/9c01ab22 #1\n"
    assert answer == "12:30:01.204 I CP-17    ←✓StatusNotification  4.8ms   45B 3f2a9c01/9c01ab22 #1\n"
    assert len(call) <= 81


def test_of_a_charger_with_evses_the_evse_is_named() -> None:
    assert shown(CALL | {"evse_id": 2}).endswith(" 3f2a9c01/9c01ab22 EVSE 2\n")
    assert shown(CALL | {"evse_id": 2, "connector_id": 2}).endswith(" EVSE 2 #2\n")
    assert shown({name: it for name, it in CALL.items() if name != "connector_id"} | {"evse_id": 2}).endswith(
        " EVSE 2\n"
    )


def test_an_error_for_an_answer_is_told_with_its_code_and_text() -> None:
    line = CALL | {"message_type": "call_error", "error": "InternalError", "description": "out of order"}

    assert "→✗StatusNotification" in shown(line)
    assert shown(line).endswith("#1 InternalError: out of order\n")


def test_a_payload_comes_last_and_an_empty_one_not_at_all() -> None:
    assert shown(CALL | {"payload": {"connectorId": 1}}).endswith('#1 {"connectorId":1}\n')
    assert shown(CALL | {"payload": {}}) == shown(CALL)


@pytest.mark.parametrize(
    ("milliseconds", "size", "expected"),
    [
        (0.04, 2, " 0.0ms    2B"),
        (99.94, 999, "99.9ms  999B"),
        (430.6, 1234, " 431ms 1.2kB"),
        (31_213.0, 65_536, " 31.2s  66kB"),
    ],
)
def test_figures_are_short(milliseconds: float, size: int, expected: str) -> None:
    assert f"Notification {expected} 3f2a" in shown(ANSWER | {"duration_ms": milliseconds, "size_bytes": size})


def test_a_frame_that_is_no_message_has_a_line_too() -> None:
    line = {name: value for name, value in CALL.items() if name != "action"}

    assert "→?" in shown(line | {"message_type": "_OTHER", "error": "not a JSON array"})
    assert "not a JSON array" in shown(line | {"message_type": "_OTHER", "error": "not a JSON array"})


def test_what_happened_is_told_with_its_facts(recording: Recording) -> None:
    with recording.at(log_format=LogFormat.CONSOLE):
        get_logger().info("server_started", ocpp_port=9000)
        get_logger().warning("plugin_busy", plugin="load_limit", note="two words", charge_point_id="CP-17")
    started, busy = recording.text().splitlines()

    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} I server_started ocpp_port=9000", started)
    assert busy[13:] == 'W CP-17    plugin_busy plugin=load_limit note="two words"'


def test_an_error_shows_its_stack_below(recording: Recording) -> None:
    with recording.at(log_format=LogFormat.CONSOLE):
        try:
            raise ValueError("the reason")
        except ValueError:
            get_logger().exception("failed")
    failed, *stack = recording.text().splitlines()

    assert failed.endswith(" E failed ValueError: the reason")
    assert stack[0] == "    Traceback (most recent call last):"
    assert stack[-1] == "    ValueError: the reason"


def test_colours_only_where_wanted() -> None:
    assert "\x1b" not in shown(ANSWER)
    assert re.sub(r"\x1b\[[\d;]+m", "", shown(ANSWER, colors=True)) == shown(ANSWER)
    assert "\x1b[33mW" in shown(CALL | {"level": "warning", "event": "odd"}, colors=True)


TRICKS = "\x1b[2Jclean\rslate\nforged\u202e\x9b"


@pytest.mark.parametrize("field", ["charge_point_id", "action", "error", "payload", "made_up", "connector_id", "event"])
@pytest.mark.parametrize("value", [TRICKS, [TRICKS], {TRICKS: TRICKS}])
def test_a_chargers_text_does_not_steer_the_terminal(field: str, value: object) -> None:
    for line in (CALL, CALL | {"event": "odd"}):
        text = shown(line | {field: value})

        assert text[:-1].isprintable()
        assert text[-1] == "\n"


def test_nor_does_what_stands_in_a_stack() -> None:
    text = shown(CALL | {"event": "odd", "stack": f"Traceback\n{TRICKS}"})

    assert not set(text) & set(TRICKS[:1] + "\r\u202e\x9b")
    assert all(row.startswith("    ") for row in text.splitlines()[1:])


def test_half_a_surrogate_pair_is_shown_as_its_escape() -> None:
    assert r"\ud800" in shown(CALL | {"payload": {"a": "\ud800"}})


REFUSED: Line = {
    "timestamp": "2026-05-01T12:30:01.204Z",
    "level": "warning",
    "event": "connection",
    "category": "ocpp",
    "charge_point_id": "CP-17",
    "outcome": "bad_identity",
    "remote_address": "192.168.1.57",
    "detail": "the path ends without an identity " + "x" * 300,
    "path": "/steve/websocket/CentralSystemService/",
    "remedy": "type the URL ws://192.168.1.10:9000/ocpp/ into the charger, and its identity " + "in its field " * 12,
}
STOPPED: Line = {
    "timestamp": "2026-05-01T12:30:01.204Z",
    "level": "info",
    "event": "transaction_stopped",
    "category": "transaction",
    "correlation_id": FLOW,
    "session_correlation_id": SESSION,
    "charge_point_id": "CP-17",
    "connector_id": 1,
    "transaction_id": 12,
    "id_tag": "04A1B2C3D4E5F6",
    "meter_start": 1000,
    "meter_stop": 13_500,
    "energy_wh": 12_500,
    "counted_wh": 12_500,
    "energy_implausible": False,
    "started_at": "2026-05-01T10:00:00.000Z",
    "stopped_at": "2026-04-30T23:59:59.000Z",
    "reason": "EVDisconnected",
    "origin": "charger",
}


@pytest.mark.parametrize(
    "line",
    [
        REFUSED,
        STOPPED,
        REFUSED | {"charge_point_id": "CP" * 100},
        STOPPED | {"id_tag": "tag with blanks " * 20, "reason": "r" * 500},
        STOPPED | {f"fact_{number}": number for number in range(50)},
        CALL | {"message_type": "call_error", "error": "InternalError", "description": "out of order " * 50},
    ],
)
@pytest.mark.parametrize("columns", [120, 80])
def test_no_line_is_wider_than_the_terminal(line: Line, columns: int) -> None:
    text = console_renderer(colors=False, columns=lambda: columns)(line).decode()
    assert max(map(len, text.splitlines())) <= columns
    assert "…" in text or line in (REFUSED, STOPPED)


def test_what_matters_stays_where_a_line_is_too_long() -> None:
    stopped = shown(STOPPED)
    assert "id_tag=04A1B2C3D4E5F6 energy_wh=12500 " in stopped
    assert "reason=EVDisconnected" in stopped
    assert stopped.endswith(" … #1 t12\n")

    first, *remedy = shown(REFUSED).splitlines()
    assert "path=/steve/websocket/CentralSystemService/" in first
    assert " ".join(row.strip() for row in remedy) == f"remedy: {REFUSED['remedy']}".strip()


def test_times_of_the_same_day_are_short() -> None:
    line: Line = {name: STOPPED[name] for name in ("timestamp", "level", "event", "started_at", "stopped_at")}
    assert shown(line).endswith("transaction_stopped started_at=10:00:00 stopped_at=2026-04-30T23:59\n")


def test_the_start_says_what_to_type_where() -> None:
    line: Line = {
        "timestamp": "2026-05-01T12:30:01.204Z",
        "level": "info",
        "event": "server_started",
        "ocpp_port": 9000,
        "http_port": 8080,
        "charger_url": "ws://192.168.1.10:9000/ocpp/",
        "page_url": "http://127.0.0.1:8080/",
        "docs_url": "http://127.0.0.1:8080/docs",
    }
    first, *rows = shown(line).splitlines()
    assert first.endswith("server_started ocpp_port=9000 http_port=8080")
    assert [row.split()[-1] for row in rows] == [
        "http://127.0.0.1:8080/",
        "http://127.0.0.1:8080/docs",
        "ws://192.168.1.10:9000/ocpp/",
    ]
