"""Periodic event streams (OCPP 2.1 part 2, N11 to N15): a charge point sends the values of a monitored variable.

What a stream is, and what it sent last, are kept as reports under its id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from mcpp.domain.device_model import note_value
from mcpp.domain.device_reports import ReportChunk, forget_snapshot, note_merged_snapshot, note_snapshot
from mcpp.domain.occasion import Occasion, Result
from mcpp_generated.db.enums import DeviceReportKind
from mcpp_generated.db.queries import Queries


@dataclass(frozen=True, slots=True)
class StreamedValue:
    """A value of the variable, and when it had it by the charge point's clock."""

    value: str
    occurred_at: datetime


def note_stream(
    q: Queries, occasion: Occasion, stream_id: int, monitor_id: int, content: Mapping[str, object]
) -> Result[None]:
    """Note a stream of the values of a monitor's variable; `content` is what is said of it, as JSON has it."""
    q.forget_monitor_stream(charge_point_key=occasion.charge_point_key, stream_id=stream_id)
    q.set_monitor_stream(charge_point_key=occasion.charge_point_key, stream_id=stream_id, monitor_id=monitor_id)
    return note_snapshot(q, occasion, _chunk(DeviceReportKind.EVENT_STREAMS, stream_id, content))


def adjust_stream(q: Queries, occasion: Occasion, stream_id: int, content: Mapping[str, object]) -> Result[None]:
    """Replace some of what is said of a stream."""
    return note_merged_snapshot(q, occasion, _chunk(DeviceReportKind.EVENT_STREAMS, stream_id, content))


def note_stream_values(
    q: Queries, occasion: Occasion, stream_id: int, newest: StreamedValue | None, content: Mapping[str, object]
) -> Result[None]:
    """Keep what a stream sent, in place of what it sent before; its variable has the newest value, where it has any."""
    known = q.get_streamed_variable(charge_point_key=occasion.charge_point_key, stream_id=stream_id)
    if known is not None and newest is not None:
        note_value(q, occasion, known, newest.value, newest.occurred_at)
    return note_snapshot(q, occasion, _chunk(DeviceReportKind.EVENT_STREAM_VALUES, stream_id, content))


def end_stream(q: Queries, occasion: Occasion, stream_id: int) -> Result[None]:
    """The stream is no more; its last values stay."""
    q.forget_monitor_stream(charge_point_key=occasion.charge_point_key, stream_id=stream_id)
    return forget_snapshot(q, occasion, DeviceReportKind.EVENT_STREAMS, stream_id)


def _chunk(kind: DeviceReportKind, stream_id: int, content: Mapping[str, object]) -> ReportChunk:
    return ReportChunk(kind=kind, request_id=stream_id, content=content)
