"""A library that repeats itself: heard once in a while, and never with the secrets it knows."""

from __future__ import annotations

import logging

import pytest

from mcpp.telemetry.logs.library_messages import rarely_heard
from tests.unit.telemetry.recording import Recording

LOGGER = logging.getLogger("chatty.part")


def complain(times: int) -> None:
    for number in range(times):
        LOGGER.warning("try %d failed", number + 1)


def test_a_message_is_heard_once_in_a_while(recording: Recording) -> None:
    with recording.at(), rarely_heard("chatty"):
        complain(5)
        LOGGER.error("another message")
        complain(5)
    assert [line["message"] for line in recording.lines()] == ["try 1 failed", "another message"]
    assert {line["logger"] for line in recording.lines()} == {"chatty.part"}


def test_what_was_held_back_is_told_with_the_next(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("mcpp.telemetry.logs.library_messages.monotonic", lambda: now)
    with recording.at(), rarely_heard("chatty", every=60):
        complain(3)
        now += 60
        complain(1)
        now += 60
        complain(1)
    assert [line["message"] for line in recording.lines()] == [
        "try 1 failed",
        "try 1 failed (2 more since the last line)",
        "try 1 failed",
    ]


def test_secrets_are_masked_in_message_and_exception(recording: Recording) -> None:
    with recording.at(), rarely_heard("chatty", secrets=["t0p", "t0psecret"]):
        try:
            raise ValueError("metadata was invalid: t0psecret")
        except ValueError:
            LOGGER.exception("sending %s failed", "t0psecret")
    assert recording.line()["message"] == "sending *** failed (ValueError: metadata was invalid: ***)"
    assert "t0p" not in recording.text()


def test_afterwards_everything_is_as_before(recording: Recording) -> None:
    with recording.at():
        with rarely_heard("chatty"):
            pass
        complain(3)
    assert len(recording.lines()) == 3
