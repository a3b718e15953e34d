"""Who ended a session: the operator's stop was the operator's, a plugin's the plugin's."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from pydantic import JsonValue

from mcpp.domain.statuses import StopReason
from mcpp.story.model import Story, TransactionSubject
from mcpp_generated.db.enums import StopOrigin
from tests.database import BEGIN, Database
from tests.unit.story.charged import Charged, as_text, close

REMOTE_STOP = "RemoteStopTransaction"


def ended(story: Story) -> tuple[str | None, str | None]:
    assert isinstance(story.subject, TransactionSubject)
    assert story.subject.ended_how is None or f"  {story.subject.ended_how}\n" in as_text(story)
    return story.subject.ended_by, story.subject.ended_how


def stopped(
    charged: Charged, reason: str | None, origin: StopOrigin = StopOrigin.CHARGER, evidence: str | None = None
) -> None:
    """Write into the database how the session ended, an hour after it began."""
    charged.database.connection.execute(
        "UPDATE transactions SET stop_reason = ?, stop_origin = ?, stop_match = ?, evidence = ?",
        (reason, origin.value, "named" if origin is StopOrigin.CHARGER else None, evidence),
    )


def command(
    charged: Charged,
    seconds: float = 3590,
    *,
    flow: str = "",
    transaction_id: int | None = None,
    error: str = "",
    response: JsonValue = None,
) -> str:
    """A RemoteStopTransaction and its answer in the log; gives their flow."""
    flow = charged.log.message(seconds, REMOTE_STOP, flow=flow, direction="out", error=error, response=response)
    for line in charged.log.lines[-2:]:
        line["transaction_id"] = transaction_id or charged.id
    return flow


def through_the_api(charged: Charged, flow: str) -> None:
    request: dict[str, JsonValue] = {"correlation_id": flow, "method": "POST", "path": "/api/v1/x", "status": 200}
    charged.log.add(3590.1, "http_request", request)


@pytest.mark.parametrize(
    ("reason", "by", "how"),
    [
        ("Local", "charger", "ended at the charge point (Local)"),
        (None, "charger", "ended at the charge point (no reason given)"),
        ("Remote", "command", "ended remotely, by a command (Remote)"),
        ("EVDisconnected", "charger", "ended as the car was unplugged (EVDisconnected)"),
        ("PowerLoss", "charger", "ended as the power failed (PowerLoss)"),
        ("CoffeeBreak", "charger", "ended by the charger: CoffeeBreak"),
    ],
)
def test_by_its_reason_where_nothing_else_shows_it(charged: Charged, reason: str | None, by: str, how: str) -> None:
    stopped(charged, reason)

    assert ended(charged.story_without_log()) == (by, how)


@pytest.mark.parametrize("reason", StopReason)
def test_every_reason_has_words(charged: Charged, reason: StopReason) -> None:
    stopped(charged, reason.value)
    _, how = ended(charged.story_without_log())

    assert how is not None
    assert not how.startswith("ended by the charger:")


@pytest.mark.parametrize("has_request", [True, False])
def test_the_operators_stop_was_the_operators(charged: Charged, has_request: bool) -> None:
    """The log may have no requests: nothing else begins a flow with a command."""
    stopped(charged, "Remote")
    flow = command(charged)
    if has_request:
        through_the_api(charged, flow)

    assert ended(charged.story()) == ("operator", "stopped by the operator")


@pytest.mark.parametrize("reason", ["Local", "Other"])
def test_many_chargers_call_it_something_else(charged: Charged, reason: str) -> None:
    stopped(charged, reason)
    through_the_api(charged, command(charged))

    assert ended(charged.story()) == ("operator", f"stopped by the operator (the charger says {reason})")


@pytest.mark.parametrize("names_itself", [True, False])
def test_a_plugins_stop_was_the_plugins(charged: Charged, names_itself: bool) -> None:
    stopped(charged, "Remote")
    flow = charged.log.message(3580, "MeterValues")
    command(charged, flow=flow)
    if names_itself:
        charged.log.event(3595, "energy_cap_reached", flow, {"plugin": "energy_cap"})

    name = "the plugin energy_cap" if names_itself else "a plugin"
    assert ended(charged.story()) == ("plugin", f"stopped by {name}")


def test_a_plugin_that_hears_of_the_operators_stop_did_not_order_it(charged: Charged) -> None:
    stopped(charged, "Remote")
    flow = command(charged)
    through_the_api(charged, flow)
    charged.log.event(3595, "bill", flow, {"plugin": "billing"})

    assert ended(charged.story()) == ("operator", "stopped by the operator")


@pytest.mark.parametrize(
    ("seconds", "error", "response", "reason", "of_another"),
    [
        (3590, "GenericError", None, "Local", False),
        (3590, "", {"status": "Rejected"}, "Local", False),
        (600, "", {"status": "Accepted"}, "Local", False),
        (3660, "", {"status": "Accepted"}, "Local", False),
        (3590, "", {"status": "Accepted"}, "EVDisconnected", False),
        (3590, "", {"status": "Accepted"}, "Local", True),
    ],
    ids=["error", "rejected", "long before", "too late", "the charger knows better", "another's"],
)
def test_what_ended_nothing(
    charged: Charged, seconds: float, error: str, response: JsonValue, reason: str, of_another: bool
) -> None:
    stopped(charged, reason)
    command(
        charged, seconds, error=error, response=response, transaction_id=charged.id + 1 if of_another else charged.id
    )

    by, how = ended(charged.story())
    assert by == "charger"
    assert how is not None
    assert how.endswith(f"({reason})")


def test_closed_in_the_books_by_the_operator(charged: Charged) -> None:
    for source, words in (
        ("meter_value", "register and time from the last meter value"),
        ("unmatched_stop", "register and time from a stop that had been kept aside"),
    ):
        stopped(charged, "Other", StopOrigin.OPERATOR, json.dumps({"cause": "operator", "source": source}))

        assert ended(charged.story_without_log()) == ("operator", f"closed by the operator: {words}")


def test_closed_by_recovery_after_the_operators_stop(charged: Charged) -> None:
    evidence = json.dumps({"cause": "connector_available", "source": "meter_value"})
    stopped(charged, "Other", StopOrigin.RECOVERED, evidence)
    words = "its connector was reported free; register and time from the last meter value"
    before = ended(charged.story_without_log())
    through_the_api(charged, command(charged, 3000))

    assert before == ("server", f"ended by recovery: {words}")
    assert ended(charged.story()) == ("operator", f"stopped by the operator; closed by recovery: {words}")


def test_one_that_runs_was_ended_by_nobody(charged: Charged, database: Database) -> None:
    running = database.session(started_at=BEGIN + timedelta(hours=2), connector_id=2, wh=None)
    ends = ended(charged.story_without_log(running))
    close(database, running, StopOrigin.CHARGER, reason="Local", meter_stop=2000, minutes=150)

    assert ends == (None, None)
    assert ended(charged.story_without_log(running)) == ("charger", "ended at the charge point (Local)")
