"""Events as those outside get them: JSON in the API's names, secrets masked."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from datetime import datetime
from functools import cache
from typing import Final

import orjson

from mcpp.domain import events
from mcpp.domain.energy import told_register
from mcpp.domain.events import Event, TransactionStarted, TransactionStopped
from mcpp.domain.samples import Sample
from mcpp.reads.times import spell_time
from mcpp.redaction import MASK, is_secret, redact_text


@cache
def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def event_name(kind: type[Event]) -> str:
    """`transaction_started` for TransactionStarted."""
    return _snake_case(kind.__name__)


EVENT_KINDS: Final = tuple(
    kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
)
"""All there are."""

EVENT_KINDS_BY_NAME: Final = {event_name(kind): kind for kind in EVENT_KINDS}

EVENT_NAMES: Final = frozenset(EVENT_KINDS_BY_NAME)


def present(event: Event) -> dict[str, object]:
    """An event's facts under their names, its own name as `event`."""
    facts = {field.name: _present(field.name, getattr(event, field.name)) for field in fields(event)}
    if isinstance(event, TransactionStarted | TransactionStopped):
        facts["meter_start"] = told_register(event.meter_start, event.ocpp_transaction_id)
    if isinstance(event, TransactionStopped):
        facts["meter_stop"] = told_register(event.meter_stop, event.ocpp_transaction_id)
    return {"event": event_name(type(event)), **facts}


def event_json(event: Event) -> bytes:
    """An event as one JSON object; times are RFC 3339, UTC, with milliseconds and `Z`."""
    return orjson.dumps(present(event), default=_spell, option=orjson.OPT_PASSTHROUGH_DATETIME)


def _present(name: str, value: object) -> object:
    if name == "evidence" and isinstance(value, str):
        return json.loads(value)
    if isinstance(value, str):
        return MASK if is_secret(name) else redact_text(value)
    if isinstance(value, Sample):
        named = {name: text or None for name, text in value.kind.as_dict().items()}
        return {"timestamp": value.measured_at, **named, "value": value.value}
    if isinstance(value, list | tuple):
        return [_present(name, item) for item in value]
    if name == "evse_id":
        return value or None
    return value


def _spell(value: object) -> str:
    assert isinstance(value, datetime)
    return spell_time(value)
