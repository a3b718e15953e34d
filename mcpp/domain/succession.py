"""What the order of a connector's transactions says of their ends: one that begins proves that the last one is over."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Final

from mcpp.domain.chronology import UNSET_BEFORE, believable
from mcpp.domain.closing import (
    Cause,
    Evidence,
    EvidenceSource,
    close_by_evidence,
    evidence_of_next_start,
    last_evidence,
)
from mcpp.domain.events import Event
from mcpp.domain.occasion import Occasion
from mcpp_generated.db.enums import StopOrigin
from mcpp_generated.db.models import Transaction
from mcpp_generated.db.queries import Queries

_MOMENT: Final = timedelta(milliseconds=1)
"""The database's."""


def close_left_open(
    q: Queries, occasion: Occasion, left_open: Transaction, next_started_at: datetime, next_meter_start: int
) -> tuple[Event, ...]:
    """A connector has one transaction at a time: the start of the next proves that the last one is over."""
    both_unset = left_open.started_at < UNSET_BEFORE and next_started_at < UNSET_BEFORE
    evidence = evidence_of_next_start(
        q,
        left_open,
        next_meter_start=next_meter_start,
        next_started_at=next_started_at if both_unset else believable(next_started_at, occasion.at),
        received_at=occasion.at,
    )
    event = close_by_evidence(q, occasion, left_open, evidence)
    return (event,) if event else ()


def past_evidence(q: Queries, past: Transaction) -> Evidence:
    """What ended a transaction that others of its connector have followed; `past` is without an end."""
    following = q.list_started_after(connector_key=past.connector_key, started_at=past.started_at, row_limit=1)
    if not following:
        return last_evidence(q, past, Cause.NEXT_START)
    return evidence_of_next_start(
        q,
        past,
        next_meter_start=following[0].meter_start,
        next_started_at=believable(following[0].started_at, following[0].start_received_at),
        received_at=following[0].start_received_at,
    )


def mend_previous(
    q: Queries, occasion: Occasion, connector_key: int, started_at: datetime, meter_start: int
) -> Event | None:
    """The transaction before a past start may have been given all energy until a later one, this one's included."""
    previous = q.find_on_connector_at(connector_key=connector_key, at=started_at - _MOMENT)
    if previous is None or previous.stop_origin is not StopOrigin.RECOVERED or meter_start < 0:
        return None
    if json.loads(previous.evidence or "{}").get("source") != EvidenceSource.NEXT_START:
        return None
    evidence = evidence_of_next_start(
        q,
        previous,
        next_meter_start=meter_start,
        next_started_at=started_at,
        received_at=occasion.at,
    )
    return close_by_evidence(q, occasion, previous, evidence, historic=True)
