"""What happens in the devices of a charge point (OCPP 2.x): each event is kept once and published once.

What a variable is at an event replaces what was known of it, unless that is newer. An alert that is no less than that
counts as an error of the charge point.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from mcpp import bounds
from mcpp.bounds import Over
from mcpp.domain.device_model import masked_json, note_value, presentable
from mcpp.domain.events import DeviceEventReceived
from mcpp.domain.occasion import LeftOut, Occasion, Result
from mcpp.domain.variables import VariableRef
from mcpp.redaction import redact_text
from mcpp_generated.db.enums import DeviceEventKind
from mcpp_generated.db.queries import Queries

_ALERT: Final = 5
"""The severity of an alert; the lower, the worse (OCPP 2.0.1 part 2, SetMonitoringData.severity)."""


class Trigger(StrEnum):
    """Why a monitor spoke."""

    ALERTING = "Alerting"
    """A threshold was crossed, or something is wrong."""
    DELTA = "Delta"
    PERIODIC = "Periodic"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceEvent:
    """An event as a charge point tells of it."""

    subject: VariableRef | str
    """The variable; of other kinds what the event is about, in a few words that stay the same when it's repeated."""
    kind: DeviceEventKind = DeviceEventKind.VARIABLE
    event_id: int = 0
    """0 where it has none."""
    occurred_at: datetime | None = None
    """By its clock; None where it tells none: such an event is a repeat where it equals the last one of its id."""
    value: str | None = None
    trigger: Trigger | None = None
    cause: int | None = None
    """The id of the event that caused it."""
    severity: int | None = None
    """None: its monitor's."""
    cleared: bool = False
    """What was wrong is no more."""
    tech_code: str | None = None
    tech_info: str | None = None
    monitor_id: int | None = None
    origin: str | None = None
    """Who made the monitor."""
    ocpp_transaction_id: str | None = None
    details: Mapping[str, object] = field(default_factory=dict)
    """What else it says, as JSON has it."""


def note_events(q: Queries, occasion: Occasion, events: Sequence[DeviceEvent]) -> Result[None]:
    """Store events; a repeat changes nothing and publishes nothing."""
    published: list[DeviceEventReceived] = []
    left_out: list[LeftOut] = []
    has_error = False
    for event in events:
        severity = event.severity
        if severity is None and event.monitor_id is not None:
            severity = q.get_monitor_severity(charge_point_key=occasion.charge_point_key, monitor_id=event.monitor_id)
        told = _store(q, occasion, event, severity, left_out)
        if told is not None:
            published.append(told)
            has_error = has_error or _is_error(event, severity)
    if has_error:
        q.stamp_error(key=occasion.charge_point_key, last_error_at=occasion.at)
    over = q.count_device_events(charge_point_key=occasion.charge_point_key) - bounds.DEVICE_EVENTS if published else 0
    if over > 0:
        q.drop_oldest_device_events(charge_point_key=occasion.charge_point_key, row_count=over)
        left_out.append(LeftOut(Over.OLDEST_DROPPED, "", f"{over} device events", ""))
    return Result(None, tuple(published), left_out=tuple(left_out))


def _store(
    q: Queries, occasion: Occasion, event: DeviceEvent, severity: int | None, left_out: list[LeftOut]
) -> DeviceEventReceived | None:
    """The event as it's published; None where it is known."""
    ref = event.subject if isinstance(event.subject, VariableRef) else VariableRef("", "")
    subject = ref.key if isinstance(event.subject, VariableRef) else redact_text(event.subject)
    value = _value(q, occasion, event)
    details = masked_json(event.details)
    if len(details) > bounds.DEVICE_EVENT_DETAILS:
        left_out.append(LeftOut(Over.TOO_MUCH_TO_KEEP, "", f"{len(details)} bytes of details", ""))
        details = "{}"
    if event.occurred_at is None and _is_last_again(q, occasion, event, subject, value, details):
        return None
    told = DeviceEventReceived(
        charge_point_id=occasion.charge_point_id,
        correlation_id=occasion.correlation_id,
        at=occasion.at,
        kind=event.kind.value,
        event_id=event.event_id,
        occurred_at=event.occurred_at or occasion.at,
        subject=subject,
        component=ref.component or None,
        component_instance=ref.component_instance or None,
        evse_id=ref.evse_id or None,
        connector_id=ref.connector_id or None,
        variable=ref.variable or None,
        variable_instance=ref.variable_instance or None,
        value=value,
        trigger=event.trigger,
        severity=severity,
        cleared=event.cleared,
        tech_code=event.tech_code,
        tech_info=None if event.tech_info is None else redact_text(event.tech_info),
        ocpp_transaction_id=event.ocpp_transaction_id,
    )
    added = q.add_device_event(
        charge_point_key=occasion.charge_point_key,
        kind=event.kind,
        event_id=event.event_id,
        occurred_at=told.occurred_at,
        subject=subject,
        component=ref.component,
        component_instance=ref.component_instance,
        evse_id=ref.evse_id,
        connector_id=ref.connector_id,
        variable=ref.variable,
        variable_instance=ref.variable_instance,
        value=value,
        trigger=event.trigger,
        cause=event.cause,
        severity=severity,
        is_cleared=event.cleared,
        tech_code=event.tech_code,
        tech_info=told.tech_info,
        monitor_id=event.monitor_id,
        origin=event.origin,
        ocpp_transaction_id=event.ocpp_transaction_id,
        details=details,
        received_at=occasion.at,
    )
    return told if added else None


def _value(q: Queries, occasion: Occasion, event: DeviceEvent) -> str | None:
    """The value as it may be kept; what was known of the variable is brought up to it."""
    ref = event.subject
    if not isinstance(ref, VariableRef):
        return None if event.value is None else redact_text(event.value)
    known = q.get_variable(charge_point_key=occasion.charge_point_key, key=ref.key)
    if known is None:
        return presentable(ref, event.value)
    if event.value is not None:
        note_value(q, occasion, known, event.value, event.occurred_at)
    return presentable(ref, event.value, known.mutability)


def _is_last_again(
    q: Queries, occasion: Occasion, event: DeviceEvent, subject: str, value: str | None, details: str
) -> bool:
    last = q.find_newest_device_event(
        charge_point_key=occasion.charge_point_key, kind=event.kind, event_id=event.event_id
    )
    return last is not None and (last.subject, last.value, last.details, last.is_cleared) == (
        subject,
        value,
        details,
        event.cleared,
    )


def _is_error(event: DeviceEvent, severity: int | None) -> bool:
    if event.cleared:
        return False
    if event.kind is DeviceEventKind.DER_ALARM:
        return True
    return event.trigger is Trigger.ALERTING and (severity is None or severity <= _ALERT)
