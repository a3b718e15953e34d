"""A story's entries as JSON has them."""

from __future__ import annotations

from pydantic import JsonValue

from mcpp.reads.times import spell_time
from mcpp.story.model import ChargePointSubject, Entry


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


def charge_point_json(subject: ChargePointSubject) -> dict[str, JsonValue]:
    """Which charge point a story is about, before its entries."""
    fields: dict[str, JsonValue] = {"kind": "charge_point", "charge_point_id": subject.charge_point_id}
    return fields if subject.connector_id is None else {**fields, "connector_id": subject.connector_id}
