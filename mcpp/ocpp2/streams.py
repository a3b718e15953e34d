"""Periodic event streams (OCPP 2.1 part 2, N11 to N15): values of a monitored variable that come as SENDs."""

from __future__ import annotations

from functools import partial
from typing import Final

from mcpp.csms.answers import AnyMeaning, Meaning, means
from mcpp.csms.calls import CallContext, CallRouter
from mcpp.domain import device_reports
from mcpp.domain.device_reports import ReportChunk
from mcpp.domain.occasion import Occasion, Result
from mcpp.ocpp2.naming import content_of
from mcpp.storage.pending import Pending
from mcpp_generated.db.enums import DeviceReportKind
from mcpp_generated.db.queries import Queries
from mcpp_generated.ocpp21 import actions
from mcpp_generated.ocpp21.models import (
    AdjustPeriodicEventStreamRequest,
    AdjustPeriodicEventStreamResponse,
    ClosePeriodicEventStreamRequest,
    ClosePeriodicEventStreamResponse,
    ConstantStreamDataType,
    GenericStatusEnumType,
    GetPeriodicEventStreamRequest,
    GetPeriodicEventStreamResponse,
    NotifyPeriodicEventStream,
    OpenPeriodicEventStreamRequest,
    OpenPeriodicEventStreamResponse,
)

_STREAMS: Final = DeviceReportKind.EVENT_STREAMS
_VALUES: Final = DeviceReportKind.EVENT_STREAM_VALUES


def register(router: CallRouter) -> None:
    """Route the block's CALLs and its SEND to their handlers."""
    router.add(actions.CLOSE_PERIODIC_EVENT_STREAM, close_periodic_event_stream)
    router.add(actions.OPEN_PERIODIC_EVENT_STREAM, open_periodic_event_stream)
    router.add_send(actions.NOTIFY_PERIODIC_EVENT_STREAM, notify_periodic_event_stream)


def open_periodic_event_stream(
    context: CallContext, request: OpenPeriodicEventStreamRequest
) -> Pending[OpenPeriodicEventStreamResponse]:
    """N11: a charge point begins to send a stream; any is welcome."""
    return context.write(device_reports.note_snapshot, _stream(request.constant_stream_data)).then(
        lambda _: OpenPeriodicEventStreamResponse(status=GenericStatusEnumType.ACCEPTED)
    )


def close_periodic_event_stream(
    context: CallContext, request: ClosePeriodicEventStreamRequest
) -> Pending[ClosePeriodicEventStreamResponse]:
    """N12: the stream ends; its last values stay."""
    return context.write(device_reports.forget_snapshot, _STREAMS, request.id).then(
        lambda _: ClosePeriodicEventStreamResponse()
    )


def notify_periodic_event_stream(
    context: CallContext, request: NotifyPeriodicEventStream
) -> Pending[ClosePeriodicEventStreamResponse]:
    """N15: the newest values of a stream take the place of those before; the response goes nowhere."""
    chunk = ReportChunk(kind=_VALUES, request_id=request.id, content=content_of(request, without=("id",)))
    return context.write(device_reports.note_snapshot, chunk).then(lambda _: ClosePeriodicEventStreamResponse())


def _get_periodic_event_stream(_: GetPeriodicEventStreamRequest, response: GetPeriodicEventStreamResponse) -> Meaning:
    """N13: those that there are; others may have ended meanwhile."""

    def change(q: Queries, occasion: Occasion) -> Result[None]:
        for stream in response.constant_stream_data or ():
            device_reports.note_snapshot(q, occasion, _stream(stream))
        return Result(None)

    return Meaning(change)


def _adjust_periodic_event_stream(
    request: AdjustPeriodicEventStreamRequest, response: AdjustPeriodicEventStreamResponse
) -> Meaning | None:
    """N14."""
    if response.status is not GenericStatusEnumType.ACCEPTED:
        return None
    chunk = ReportChunk(kind=_STREAMS, request_id=request.id, content=content_of(request))
    return Meaning(partial(device_reports.note_merged_snapshot, chunk=chunk))


def _stream(stream: ConstantStreamDataType) -> ReportChunk:
    return ReportChunk(kind=_STREAMS, request_id=stream.id, content=content_of(stream))


ANSWERS: Final[dict[str, AnyMeaning]] = dict(
    (
        means(actions.ADJUST_PERIODIC_EVENT_STREAM, _adjust_periodic_event_stream),
        means(actions.GET_PERIODIC_EVENT_STREAM, _get_periodic_event_stream),
    )
)
