"""When something happened by a charger's own clock, as far as that can be believed, and what is older than it has told.

A charger may deliver months of old messages while something newer runs. They are told from the present by comparing
with what the same charger told before, by its own clock: that may be off, but is mostly off by the same.

- A time before OCPP 1.6 was published is a clock that isn't set, and one after its receipt is a clock that runs ahead.
  The time of receipt stands for both: so neither is ever old, and a clock that ran ahead once makes nothing old for
  years. A message that tells no time happened when it was received.
- Clocks are told in whole seconds: what is older by less than one isn't old.
- A start is old where its connector has told of a start after it: a status may be ahead of the queue that a start waits
  in.
- A status is old where its connector has told of a status, a start or a stop after it. What a status says of the time
  after a start (that it's in a transaction) or after a stop (that it isn't) may be stamped a moment before them, and
  is old only after a minute.
- A clock that was set back makes everything look old. It's found out by running on: of two old statuses of a connector
  the second is believed where their clock went on between them as ours did. A queue is delivered faster than that.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from mcpp.domain.statuses import awaits_start, is_in_transaction
from mcpp_generated.db.models import Connector

UNSET_BEFORE: Final = datetime(2015, 10, 1, tzinfo=UTC)
"""The month in which OCPP 1.6 was published: a clock that says less isn't set."""

RESOLUTION: Final = timedelta(seconds=1)

_LATENESS: Final = timedelta(minutes=1)
_CLOCK_SHOWN: Final = timedelta(seconds=10)
_CLOCK_ERROR: Final = timedelta(seconds=2)


def believable(told: datetime, received_at: datetime) -> datetime:
    """When it happened: as told, or else when it was received, where the clock isn't set or runs ahead."""
    return told if UNSET_BEFORE <= told <= received_at else received_at


def is_older(happened_at: datetime, known: datetime | None) -> bool:
    """Whether something happened before what is known already, by more than a clock's resolution."""
    return known is not None and known - happened_at >= RESOLUTION


def is_past_start(connector: Connector, started_at: datetime, received_at: datetime) -> bool:
    """Whether a start is older than one that its connector has told of."""
    return is_older(believable(started_at, received_at), connector.newest_start_at)


def is_past_status(connector: Connector, status: str, reported_at: datetime, received_at: datetime) -> bool:
    """Whether a status is older than what its connector has told; `connector` is as it was before."""
    happened_at = believable(reported_at, received_at)
    status_at, status_received_at = connector.status_at, connector.status_received_at
    if (
        status_at is not None
        and status_received_at is not None
        and happened_at < status_received_at  # or it can't be older
        and is_older(happened_at, believable(status_at, status_received_at))
    ):
        return True
    began_at, ended_at = connector.newest_start_at, connector.newest_stop_at
    if (began_at is None or happened_at >= began_at) and (ended_at is None or happened_at >= ended_at):
        return False
    if ended_at is None or (began_at is not None and began_at > ended_at):
        newest, is_of_the_time_after = began_at, is_in_transaction(status)
    else:
        newest, is_of_the_time_after = ended_at, not is_in_transaction(status) and not awaits_start(status)
    if not is_older(happened_at, newest):
        return False
    assert newest is not None, "or nothing were older"
    return not is_of_the_time_after or newest - happened_at > _LATENESS


def was_clock_set_back(connector: Connector, reported_at: datetime, received_at: datetime) -> bool:
    """Whether an old status and the old one before it show a clock that runs on from an earlier time."""
    before, received_before = connector.stale_status_at, connector.stale_status_received_at
    if before is None or received_before is None:
        return False
    passed = received_at - received_before
    return passed >= _CLOCK_SHOWN and abs(reported_at - before - passed) <= _CLOCK_ERROR
