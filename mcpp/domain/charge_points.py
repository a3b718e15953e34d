"""Charge points: connecting, booting, and the reports that stand beside charging."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mcpp.domain.events import (
    ChargePointBooted,
    ReportReceived,
    SecurityEventReceived,
)
from mcpp.domain.occasion import Occasion, Outcome
from mcpp_generated.db.enums import ReportKind
from mcpp_generated.db.queries import Queries


@dataclass(frozen=True, slots=True)
class Boot:
    """What a charge point says of itself when it boots (OCPP 1.6 §6.3)."""

    vendor: str
    model: str
    serial_number: str | None
    charge_box_serial_number: str | None
    firmware_version: str | None
    iccid: str | None
    imsi: str | None
    meter_type: str | None
    meter_serial_number: str | None


def connect(q: Queries, identity: str, ocpp_version: str, now: datetime, *, register_unknown: bool) -> int | None:
    """Book a connection; gives the charge point's key, None where it's unknown and must not be registered."""
    if not register_unknown and q.get_charge_point(identity=identity) is None:
        return None
    return q.connect_charge_point(identity=identity, ocpp_version=ocpp_version, connected_at=now)


def disconnect(q: Queries, key: int, now: datetime) -> None:
    """Note that a charge point's connection ended."""
    q.disconnect_charge_point(id=key, disconnected_at=now)


def boot(q: Queries, occasion: Occasion, boot: Boot) -> Outcome[None]:
    """Accept a boot: a charge point whose boot was accepted once stays accepted."""
    q.boot_charge_point(
        id=occasion.key,
        booted_at=occasion.at,
        vendor=boot.vendor,
        model=boot.model,
        serial_number=boot.serial_number,
        charge_box_serial_number=boot.charge_box_serial_number,
        firmware_version=boot.firmware_version,
        iccid=boot.iccid,
        imsi=boot.imsi,
        meter_type=boot.meter_type,
        meter_serial_number=boot.meter_serial_number,
    )
    event = ChargePointBooted(
        charge_point_id=occasion.identity,
        correlation_id=occasion.correlation_id,
        at=occasion.at,
        vendor=boot.vendor,
        model=boot.model,
        serial_number=boot.serial_number,
        firmware_version=boot.firmware_version,
    )
    return Outcome(None, (event,))


def report(
    q: Queries, occasion: Occasion, kind: ReportKind, status: str, request_id: int | None = None
) -> Outcome[None]:
    """Keep how far a charge point is with diagnostics, firmware or a log."""
    q.put_report(charge_point_id=occasion.key, kind=kind, status=status, request_id=request_id, reported_at=occasion.at)
    event = ReportReceived(
        charge_point_id=occasion.identity,
        correlation_id=occasion.correlation_id,
        at=occasion.at,
        kind=kind.value,
        status=status,
    )
    return Outcome(None, (event,))


def security_event(
    q: Queries, occasion: Occasion, event_type: str, occurred_at: datetime, tech_info: str | None
) -> Outcome[None]:
    """Store a security event; a repeat changes nothing and tells nobody."""
    added = q.add_security_event(
        charge_point_id=occasion.key,
        type=event_type,
        occurred_at=occurred_at,
        tech_info=tech_info or "",
        received_at=occasion.at,
    )
    if not added:
        return Outcome(None)
    event = SecurityEventReceived(
        charge_point_id=occasion.identity,
        correlation_id=occasion.correlation_id,
        at=occasion.at,
        type=event_type,
        occurred_at=occurred_at,
        tech_info=tech_info,
    )
    return Outcome(None, (event,))
