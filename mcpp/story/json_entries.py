"""A story's entries as JSON has them."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pydantic import JsonValue

from mcpp.reads.times import spell_time
from mcpp.reads.transactions import row_of, transaction_of
from mcpp.story.model import ChargePointSubject, Entry, Story, TransactionSubject


def entry_json(entry: Entry, *, payloads: bool = False) -> dict[str, JsonValue]:
    """An entry; times are in UTC, and what it hasn't is left out."""
    item: dict[str, JsonValue] = {
        "kind": entry.kind.value,
        "at": spell_time(entry.at),
        "until": None if entry.until is None else spell_time(entry.until),
        "source": entry.source.value,
        "what": entry.what,
        "correlation_id": entry.correlation_id,
        "duration_ms": entry.duration_ms,
    }
    item = {name: value for name, value in item.items() if value is not None}
    if entry.facts:
        item["facts"] = dict(entry.facts)
    if payloads and entry.payloads:
        item["payloads"] = dict(entry.payloads)
    return item


def subject_json(subject: TransactionSubject | ChargePointSubject) -> Mapping[str, JsonValue]:
    """What a story is about, before its entries: a transaction as the API shows it, or a charge point."""
    if isinstance(subject, ChargePointSubject):
        return _charge_point_json(subject)
    row: dict[str, JsonValue] = json.loads(json.dumps(row_of(transaction_of(subject.record))))
    return {"kind": "transaction", **row, "ended_by": subject.ended_by, "ended_how": subject.ended_how}


def story_json(story: Story) -> Mapping[str, JsonValue]:
    """A story as one object."""
    return {
        "subject": dict(subject_json(story.subject)),
        "entries": [entry_json(entry) for entry in story.entries],
        "shortfalls": [shortfall.value for shortfall in story.shortfalls],
    }


def _charge_point_json(subject: ChargePointSubject) -> dict[str, JsonValue]:
    fields: dict[str, JsonValue] = {"kind": "charge_point", "charge_point_id": subject.charge_point_id}
    numbers = {"connector_id": subject.connector_id, "evse_id": subject.evse_id}
    return fields | {name: number for name, number in numbers.items() if number is not None}
