"""The device model of a charge point (OCPP 2.x): its variables as last told, and the monitors that watch them.

What a charge point reports, or accepts to be set, replaces what was known. A secret's value is neither stored nor shown
(`mcpp.redaction.is_secret_variable`). A charge point has a device model or configuration keys, never both: whichever it
told of last.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from mcpp import bounds
from mcpp.bounds import Over
from mcpp.domain.occasion import LeftOut, Occasion, Result
from mcpp.domain.variables import VariableRef
from mcpp.redaction import is_secret_variable, may_hide_secret, redact, redact_text
from mcpp_generated.db.enums import Mutability
from mcpp_generated.db.models import (
    DeleteMonitorsParams,
    DeleteVariablesParams,
    DeviceVariable,
    PutMonitorsParams,
    PutVariablesParams,
)
from mcpp_generated.db.queries import Queries


@dataclass(frozen=True, slots=True)
class Variable:
    """An attribute of a variable as a charge point tells of it; None: it doesn't say."""

    ref: VariableRef
    value: str | None
    mutability: Mutability | None = None
    data_type: str | None = None
    unit: str | None = None
    min_limit: Decimal | None = None
    max_limit: Decimal | None = None
    max_elements: int | None = None
    values_list: str | None = None
    """Comma-separated: what it may be."""
    supports_monitoring: bool | None = None
    is_persistent: bool | None = None
    """It survives a reboot."""
    is_constant: bool | None = None
    """It never changes while the charge point runs."""


@dataclass(frozen=True, slots=True)
class Monitor:
    """A monitor of a variable, which makes a charge point tell of it."""

    monitor_id: int
    ref: VariableRef
    type: str
    """By what it speaks: a threshold, a difference, the time."""
    value: Decimal
    severity: int
    """Of its events: from 0, danger, to 9."""
    transaction_only: bool = False
    """It watches while a transaction runs only."""
    origin: str | None = None
    """Who made it; None where the charge point doesn't say."""


def note_variables(
    q: Queries, occasion: Occasion, variables: Sequence[Variable], unknown: Sequence[VariableRef] = ()
) -> Result[None]:
    """Store what a charge point tells of variables; one that it doesn't know is forgotten."""
    key = occasion.charge_point_key
    q.delete_all_configuration_keys(charge_point_key=key)
    if unknown:
        q.delete_variables([DeleteVariablesParams(key, ref.key) for ref in unknown])
    if variables:
        q.put_variables([_row(q, occasion, variable) for variable in variables])
    return Result(None, left_out=_drop_oldest_variables(q, key))


def note_change(q: Queries, occasion: Occasion, changes: Sequence[tuple[VariableRef, str]]) -> Result[None]:
    """Keep what a charge point accepted to be set, spelled as it spelled it before, if it did."""
    unheard: list[Variable] = []
    for ref, value in changes:
        known = q.get_variable(charge_point_key=occasion.charge_point_key, key=ref.key)
        if known is None:
            unheard.append(Variable(ref, value))
        else:
            set_known_value(q, known, value, occasion.at)
    return note_variables(q, occasion, unheard)


def set_known_value(q: Queries, known: DeviceVariable, value: str | None, at: datetime) -> None:
    """Replace the value of an attribute that is known."""
    shown = presentable(ref_of(known), value, known.mutability)
    q.set_variable_value(charge_point_key=known.charge_point_key, key=known.key, value=shown, known_at=at)


def note_value(
    q: Queries, occasion: Occasion, known: DeviceVariable, value: str, occurred_at: datetime | None = None
) -> None:
    """Bring an attribute that is known up to what it was at a time, unless what is known is newer."""
    # Since when it's known counts by our clock; what comes out of the charge point's queue is as old as it says.
    since = min(occurred_at or occasion.at, occasion.at)
    if since >= known.known_at:
        set_known_value(q, known, value, since)


def presentable(ref: VariableRef, value: str | None, mutability: Mutability | None = None) -> str | None:
    """A value as it may be stored and shown; None where it's secret."""
    return None if value is None or is_secret(ref, mutability) else redact_text(value)


def is_secret(ref: VariableRef, mutability: Mutability | None = None) -> bool:
    """Whether a variable's value is to be masked."""
    return is_secret_variable(
        ref.component, ref.variable, ref.component_instance, ref.variable_instance, mutability=mutability
    )


def masked_json(content: Mapping[str, object]) -> str:
    """What a charge point says, as JSON without secrets."""
    text = json.dumps(content, separators=(",", ":"))
    return json.dumps(redact(content), separators=(",", ":")) if may_hide_secret(text.encode()) else text


def ref_of(row: DeviceVariable) -> VariableRef:
    """What a stored attribute is called."""
    return VariableRef(
        row.component,
        row.variable,
        row.component_instance,
        row.evse_id,
        row.connector_id,
        row.variable_instance,
        row.attribute,
    )


def forget_variables_before(q: Queries, occasion: Occasion, before: datetime) -> None:
    """Forget what a charge point hasn't told of since then: a report of all that it has doesn't name it."""
    q.delete_variables_before(charge_point_key=occasion.charge_point_key, before_at=before)


def note_monitors(
    q: Queries, occasion: Occasion, monitors: Sequence[Monitor], gone: Sequence[int] = ()
) -> Result[None]:
    """Store the monitors that a charge point tells of, or made at our request; forget those whose ids are gone."""
    key = occasion.charge_point_key
    if gone:
        q.delete_monitors([DeleteMonitorsParams(key, monitor_id) for monitor_id in gone])
    if monitors:
        q.put_monitors([_monitor_row(occasion, monitor) for monitor in monitors])
    over = q.count_monitors(charge_point_key=key) - bounds.DEVICE_MONITORS
    if over <= 0:
        return Result(None)
    oldest = q.list_oldest_monitors(charge_point_key=key, row_count=over)
    q.delete_monitors([DeleteMonitorsParams(key, monitor_id) for monitor_id in oldest])
    return Result(None, left_out=(LeftOut(Over.OLDEST_DROPPED, "", f"{over} monitors", ""),))


def forget_monitors_before(q: Queries, occasion: Occasion, before: datetime) -> None:
    """Forget the monitors that a charge point hasn't told of since then."""
    q.delete_monitors_before(charge_point_key=occasion.charge_point_key, before_at=before)


def _row(q: Queries, occasion: Occasion, variable: Variable) -> PutVariablesParams:
    ref, mutability = variable.ref, variable.mutability
    if mutability is None:
        known = q.get_variable(charge_point_key=occasion.charge_point_key, key=ref.key)
        mutability = None if known is None else known.mutability
    return PutVariablesParams(
        charge_point_key=occasion.charge_point_key,
        key=ref.key,
        component=ref.component,
        component_instance=ref.component_instance,
        evse_id=ref.evse_id,
        connector_id=ref.connector_id,
        variable=ref.variable,
        variable_instance=ref.variable_instance,
        attribute=ref.attribute,
        value=presentable(ref, variable.value, mutability),
        mutability=mutability,
        data_type=variable.data_type,
        unit=variable.unit,
        min_limit=variable.min_limit,
        max_limit=variable.max_limit,
        max_elements=variable.max_elements,
        values_list=variable.values_list,
        supports_monitoring=variable.supports_monitoring,
        is_persistent=variable.is_persistent,
        is_constant=variable.is_constant,
        known_at=occasion.at,
    )


def _monitor_row(occasion: Occasion, monitor: Monitor) -> PutMonitorsParams:
    ref = monitor.ref
    return PutMonitorsParams(
        charge_point_key=occasion.charge_point_key,
        monitor_id=monitor.monitor_id,
        variable_key=ref.key,
        component=ref.component,
        component_instance=ref.component_instance,
        evse_id=ref.evse_id,
        connector_id=ref.connector_id,
        variable=ref.variable,
        variable_instance=ref.variable_instance,
        type=monitor.type,
        value=monitor.value,
        severity=monitor.severity,
        is_transaction_only=monitor.transaction_only,
        origin=monitor.origin,
        known_at=occasion.at,
    )


def _drop_oldest_variables(q: Queries, charge_point_key: int) -> tuple[LeftOut, ...]:
    """Bound what is kept: what wasn't told of for the longest time goes first."""
    kept = q.size_of_variables(charge_point_key=charge_point_key)
    known, size = kept.known, kept.bytes
    if known <= bounds.DEVICE_VARIABLES and size <= bounds.DEVICE_VARIABLES_BYTES:
        return ()
    dropped: list[DeleteVariablesParams] = []
    for oldest in q.list_variable_sizes(charge_point_key=charge_point_key):
        if known <= bounds.DEVICE_VARIABLES and size <= bounds.DEVICE_VARIABLES_BYTES:
            break
        dropped.append(DeleteVariablesParams(charge_point_key, oldest.key))
        known, size = known - 1, size - oldest.bytes
    q.delete_variables(dropped)
    return (LeftOut(Over.OLDEST_DROPPED, "", f"{len(dropped)} variables", ""),)
