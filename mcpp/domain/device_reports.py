"""Reports that a charge point sends in chunks, under the id of the request that asked for them (OCPP 2.x).

Chunks should be numbered from 0; real ones begin with 1, are always 0, or leave numbers out. So they are kept as they
come, a repeated one once, and the one that says that none follows makes the report complete. A complete one of all that
there is makes what it doesn't name forgotten, unless a number is missing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import TypeAlias, TypeVar

from mcpp import bounds
from mcpp.bounds import Over
from mcpp.domain.device_model import (
    forget_monitors_before,
    forget_variables_before,
    masked_json,
)
from mcpp.domain.events import ReportReceived
from mcpp.domain.occasion import LeftOut, Occasion, Result
from mcpp_generated.db.enums import DeviceReportKind
from mcpp_generated.db.models import DeviceReport, ListReportStepsRow
from mcpp_generated.db.queries import Queries

T = TypeVar("T")

NoteItems: TypeAlias = Callable[[Queries, Occasion, Sequence[T]], Result[None]]

_NOTHING = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportChunk:
    """A part of a report."""

    kind: DeviceReportKind
    request_id: int
    content: Mapping[str, object]
    """What it says, as JSON has it. Of the chunks together lists and texts are put one behind the other, of anything
    else the last one counts; so what belongs to a chunk only stands beside its items in them."""
    seq_no: int = 0
    """0 where its message has no number."""
    is_last: bool = True
    """None follows."""


def note_report_request(
    q: Queries, occasion: Occasion, kind: DeviceReportKind, request_id: int, *, is_full: bool = False
) -> Result[None]:
    """Note that a charge point agreed to send a report; `is_full`: of all that there is of its kind.

    Under an id that was used before a new report begins, but for what came before the agreement did.
    """
    known = _find(q, occasion, kind, request_id)
    if known is not None and known.requested_at is None:
        q.set_report_requested(id=known.id, requested_at=occasion.at, is_full=is_full)
        if known.is_complete:
            _finish(q, occasion, known._replace(is_full=is_full), q.list_report_steps(report_id=known.id))
        return Result(None)
    if known is not None:
        q.delete_device_report(id=known.id)
    q.add_device_report(
        charge_point_key=occasion.charge_point_key,
        kind=kind,
        request_id=request_id,
        requested_at=occasion.at,
        is_full=is_full,
    )
    return Result(None, left_out=tuple(_drop_oldest(q, occasion)))


def note_reported(
    q: Queries, occasion: Occasion, note_items: NoteItems[T], items: Sequence[T], chunk: ReportChunk
) -> Result[None]:
    """Store a chunk of a report, and what it says of variables or monitors."""
    noted, kept = note_items(q, occasion, items), note_report_chunk(q, occasion, chunk)
    return Result(None, noted.events + kept.events, left_out=noted.left_out + kept.left_out)


def note_report_chunk(q: Queries, occasion: Occasion, chunk: ReportChunk) -> Result[None]:
    """Store a chunk of a report of any kind; a repeat changes nothing."""
    report = _find(q, occasion, chunk.kind, chunk.request_id) or q.add_device_report(
        charge_point_key=occasion.charge_point_key,
        kind=chunk.kind,
        request_id=chunk.request_id,
        requested_at=None,
        is_full=False,
    )
    content = masked_json(chunk.content)
    if content in q.list_chunk_contents(report_id=report.id, seq_no=chunk.seq_no):
        return Result(None)
    steps = q.list_report_steps(report_id=report.id)
    if steps and _begins_anew([step.seq_no for step in steps], chunk.seq_no, is_complete=report.is_complete):
        q.delete_report_chunks(report_id=report.id)
        steps, report = [], report._replace(first_at=None, is_complete=False)
    was_complete = report.is_complete
    left_out: list[LeftOut] = []
    if len(steps) >= bounds.DEVICE_REPORT_CHUNKS:
        left_out.append(LeftOut(Over.TOO_MUCH_TO_KEEP, "", "a chunk of a report", ""))
    else:
        others = q.size_of_report(report_id=report.id) + len(steps) * bounds.ROW
        if others + len(content) + bounds.ROW > bounds.DEVICE_REPORTS_BYTES:
            left_out.append(LeftOut(Over.TOO_MUCH_TO_KEEP, "", f"{len(content)} bytes of a report", ""))
            content = _NOTHING
        position = steps[-1].position + 1 if steps else 0
        q.add_report_chunk(
            report_id=report.id,
            position=position,
            seq_no=chunk.seq_no,
            is_last=chunk.is_last,
            content=content,
            received_at=occasion.at,
        )
        steps = [*steps, ListReportStepsRow(position, chunk.seq_no, chunk.is_last)]
    report = report._replace(
        first_at=report.first_at or occasion.at,
        last_at=occasion.at,
        is_complete=report.is_complete or chunk.is_last,
    )
    q.set_report_progress(
        id=report.id, first_at=report.first_at, last_at=report.last_at, is_complete=report.is_complete
    )
    _finish(q, occasion, report, steps)
    events = (_completed(occasion, chunk),) if report.is_complete and not was_complete else ()
    left_out += _drop_oldest(q, occasion, spared=report.id)
    return Result(None, events, left_out=tuple(left_out))


def note_snapshot(q: Queries, occasion: Occasion, chunk: ReportChunk) -> Result[None]:
    """Store a report that comes whole, such as an answer, in place of the one before."""
    known = _find(q, occasion, chunk.kind, chunk.request_id)
    if known is not None:
        q.delete_device_report(id=known.id)
    return note_report_chunk(q, occasion, chunk)


def note_merged_snapshot(q: Queries, occasion: Occasion, chunk: ReportChunk) -> Result[None]:
    """As `note_snapshot`, but what the one before says beside stays."""
    known = find_snapshot(q, occasion.charge_point_key, chunk.kind, chunk.request_id)
    before = {} if known is None else json.loads(known)
    return note_snapshot(q, occasion, replace(chunk, content={**before, **chunk.content}))


def find_snapshot(q: Queries, charge_point_key: int, kind: DeviceReportKind, request_id: int) -> str | None:
    """What a report that came whole says, as JSON."""
    known = q.find_device_report_of_kind(charge_point_key=charge_point_key, kind=kind, request_id=request_id)
    chunks = [] if known is None else q.list_report_chunks(report_id=known.id)
    return chunks[-1].content if chunks else None


def forget_snapshot(q: Queries, occasion: Occasion, kind: DeviceReportKind, request_id: int) -> Result[None]:
    """What a report that came whole says holds no more."""
    known = _find(q, occasion, kind, request_id)
    if known is not None:
        q.delete_device_report(id=known.id)
    return Result(None)


def missing(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """The spans of numbers that chunks should have had, each with its first and last: none where they don't count."""
    came = list(numbers)
    counted = sorted(set(came))
    if not counted or len(counted) == 1 < len(came):
        return []
    spans = [] if counted[0] <= 1 else [(1, counted[0] - 1)]
    return spans + [(low + 1, high - 1) for low, high in pairwise(counted) if high - low > 1]


def _begins_anew(came: Sequence[int], seq_no: int, *, is_complete: bool) -> bool:
    """Whether a chunk that isn't a repeat is the first of another report under the same id."""
    if is_complete:
        # One that comes before the first is late: who begins with 1 has no 0.
        return seq_no >= min(came) and not any(first <= seq_no <= last for first, last in missing(came))
    return seq_no == min(came) < max(came)


def _finish(q: Queries, occasion: Occasion, report: DeviceReport, steps: Sequence[ListReportStepsRow]) -> None:
    """What a report of all there is didn't name is gone."""
    began: datetime | None = report.first_at
    if not report.is_full or not report.is_complete or began is None or missing(step.seq_no for step in steps):
        return
    if report.kind is DeviceReportKind.VARIABLES:
        forget_variables_before(q, occasion, began)
    elif report.kind is DeviceReportKind.MONITORS:
        forget_monitors_before(q, occasion, began)


def _completed(occasion: Occasion, chunk: ReportChunk) -> ReportReceived:
    return ReportReceived(
        charge_point_id=occasion.charge_point_id,
        correlation_id=occasion.correlation_id,
        at=occasion.at,
        kind=chunk.kind.value,
        status="complete",
        request_id=chunk.request_id,
    )


def _find(q: Queries, occasion: Occasion, kind: DeviceReportKind, request_id: int) -> DeviceReport | None:
    return q.find_device_report_of_kind(charge_point_key=occasion.charge_point_key, kind=kind, request_id=request_id)


def _drop_oldest(q: Queries, occasion: Occasion, spared: int | None = None) -> list[LeftOut]:
    """Bound what is kept: the oldest reports go first, never the one at hand."""
    reports = q.list_report_sizes(charge_point_key=occasion.charge_point_key)
    sizes = [report.bytes + report.chunks * bounds.ROW for report in reports]
    known, size = len(reports), sum(sizes)
    left_out = []
    for report, own in zip(reports, sizes, strict=True):
        if known <= bounds.DEVICE_REPORTS and size <= bounds.DEVICE_REPORTS_BYTES:
            break
        if report.id != spared:
            q.delete_device_report(id=report.id)
            known, size = known - 1, size - own
            left_out.append(LeftOut(Over.OLDEST_DROPPED, "", "a report", ""))
    return left_out
