"""The end of a command as an event."""

from __future__ import annotations

import time

import pytest
from pydantic import BaseModel

from mcpp.domain.events import CommandFinished, CommandOutcome, Event
from mcpp.ocppj.errors import CallRefused, CallTimeout, ConnectionLost, InvalidAnswer
from mcpp.ocppj.flow import Direction, Flow, Peer
from mcpp.server.finished_commands import FinishedCommands
from mcpp_generated.ocpp16.models import ResetResponse, ResetStatus, TriggerMessageResponse, TriggerMessageStatus


class Statusless(BaseModel):
    """A response without a status."""


@pytest.mark.parametrize(
    ("result", "outcome", "status", "error_code"),
    [
        (ResetResponse(status=ResetStatus.REJECTED), CommandOutcome.ANSWERED, "Rejected", None),
        (
            TriggerMessageResponse(status=TriggerMessageStatus.NOT_IMPLEMENTED),
            CommandOutcome.ANSWERED,
            "NotImplemented",
            None,
        ),
        (Statusless(), CommandOutcome.ANSWERED, None, None),
        (CallRefused("NotSupported", "no", {}), CommandOutcome.REFUSED, None, "NotSupported"),
        (CallTimeout("no answer"), CommandOutcome.TIMEOUT, None, None),
        (ConnectionLost("gone"), CommandOutcome.CONNECTION_LOST, None, None),
        (InvalidAnswer("nonsense"), CommandOutcome.INVALID_ANSWER, None, None),
        (RuntimeError("ours"), CommandOutcome.INVALID_ANSWER, None, None),
    ],
)
def test_each_way_a_command_ends(
    result: BaseModel | Exception, outcome: CommandOutcome, status: str | None, error_code: str | None
) -> None:
    published: list[Event] = []
    flow = Flow(Peer(1, "CP-1"), Direction.OUT, "Reset", "m1", "c" * 32, time.perf_counter())
    FinishedCommands(published.extend)(flow, result)

    (event,) = published
    assert isinstance(event, CommandFinished)
    assert (event.charge_point_id, event.correlation_id, event.action, event.message_id) == (
        "CP-1",
        "c" * 32,
        "Reset",
        "m1",
    )
    assert (event.outcome, event.status, event.error_code) == (outcome, status, error_code)
    assert event.duration_seconds >= 0
