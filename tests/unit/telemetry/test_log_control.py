"""What is written changes while the program runs, and everything that writes lines follows."""

from __future__ import annotations

import asyncio
import logging
import os
import signal

import pytest

from mcpp.telemetry.logs.control import LogControl, follow_signals
from mcpp.telemetry.logs.lines import LineWriter, LogLevel
from mcpp.telemetry.logs.pipeline import get_logger
from tests.unit.telemetry.recording import Recording


def events(recording: Recording) -> list[str]:
    return [line["event"] for line in recording.lines()]


def test_all_that_writes_lines_follows(recording: Recording) -> None:
    own_level = logging.getLogger("a.library.with.its.own.level")
    own_level.setLevel(logging.DEBUG)
    with recording.at(LogLevel.WARNING) as lines:
        bound = get_logger().bind(plugin="p")
        control = LogControl(lines)

        def speak() -> list[bool]:
            bound.debug("bound_before")
            get_logger().debug("fresh")
            logging.getLogger("a.library").info("told")
            own_level.debug("chatter")
            return [lines.writes(level) for level in LogLevel]

        assert speak() == [False, False, True, True]
        control.change(level="debug")
        assert speak() == [True, True, True, True]
        control.change(level="error")
        assert speak() == [False, False, False, True]

    assert events(recording) == [
        "log_level_changed",
        "bound_before",
        "fresh",
        "library_message",
        "log_level_changed",
    ]


def test_each_change_is_told_at_every_level(recording: Recording) -> None:
    with recording.at(LogLevel.ERROR) as lines:
        control = LogControl(lines)
        control.change(level="error", payloads=False)
        control.change(level="info", payloads=True)
        control.change()
        control.change(payloads=True)
        control.change(level="error")
    first, second = recording.lines()

    assert list(first)[:5] == ["timestamp", "level", "event", "category", "correlation_id"]
    assert (first["level"], first["category"], len(first["correlation_id"])) == ("warning", "system", 32)
    assert (first["previous_log_level"], first["log_level"]) == ("error", "info")
    assert (first["previous_log_payloads"], first["log_payloads"], first["changed_by"]) == (False, True, "api")
    assert (second["previous_log_level"], second["log_level"], second["log_payloads"]) == ("info", "error", True)


def test_a_level_that_there_is_not_changes_nothing(recording: Recording) -> None:
    with recording.at() as lines:
        with pytest.raises(ValueError, match="verbose"):
            LogControl(lines).change(level="verbose", payloads=True)
        assert (lines.level, lines.log_payloads) == (LogLevel.INFO, False)

    assert recording.lines() == []


async def test_signals_go_up_and_down_and_stop_at_the_ends(recording: Recording) -> None:
    loop = asyncio.get_running_loop()

    async def send(number: signal.Signals, lines: LineWriter, expected: LogLevel) -> None:
        os.kill(os.getpid(), number)
        async with asyncio.timeout(5):
            while lines.level is not expected:
                await asyncio.sleep(0)

    with recording.at(LogLevel.INFO) as lines:
        follow_signals(LogControl(lines), loop)
        try:
            await send(signal.SIGUSR1, lines, LogLevel.DEBUG)
            os.kill(os.getpid(), signal.SIGUSR1)
            await send(signal.SIGUSR2, lines, LogLevel.INFO)
            await send(signal.SIGUSR2, lines, LogLevel.WARNING)
            await send(signal.SIGUSR2, lines, LogLevel.ERROR)
            os.kill(os.getpid(), signal.SIGUSR2)
            await send(signal.SIGUSR1, lines, LogLevel.WARNING)
        finally:
            loop.remove_signal_handler(signal.SIGUSR1)
            loop.remove_signal_handler(signal.SIGUSR2)

    assert [line["log_level"] for line in recording.lines()] == ["debug", "info", "warning", "error", "warning"]
    assert {line["changed_by"] for line in recording.lines()} == {"SIGUSR1", "SIGUSR2"}
