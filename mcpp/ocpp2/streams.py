"""Periodic event streams (OCPP 2.1 part 2, N11 to N15): values of a monitored variable that come as SENDs."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Final

from mcpp.csms.answers import AnyMeaning, Meaning, means
from mcpp.csms.calls import CallContext, CallRouter
from mcpp.domain import event_streams
from mcpp.domain.event_streams import StreamedValue
from mcpp.domain.occasion import Occasion, Result
from mcpp.ocpp2.keeping import keep
from mcpp.ocpp2.naming import content_of
from mcpp.storage.pending import Pending
from mcpp_generated.db.queries import Queries
from mcpp_generated.ocpp21 import actions
from mcpp_generated.ocpp21.models import (
    AdjustPeriodicEventStreamRequest,
    AdjustPeriodicEventStreamResponse,
    ClosePeriodicEventStreamRequest,
    ClosePeriodicEventStreamResponse,
    GenericStatusEnumType,
    GetPeriodicEventStreamRequest,
    GetPeriodicEventStreamResponse,
    NotifyPeriodicEventStream,
    OpenPeriodicEventStreamRequest,
    OpenPeriodicEventStreamResponse,
)


def register(router: CallRouter) -> None:
    """Route the block's CALLs and its SEND to their handlers."""
    router.add(actions.CLOSE_PERIODIC_EVENT_STREAM, close_periodic_event_stream)
    router.add(actions.OPEN_PERIODIC_EVENT_STREAM, open_periodic_event_stream)
    router.add_send(actions.NOTIFY_PERIODIC_EVENT_STREAM, notify_periodic_event_stream)


def open_periodic_event_stream(
    context: CallContext, request: OpenPeriodicEventStreamRequest
) -> Pending[OpenPeriodicEventStreamResponse]:
    """N11: a charge point begins to send a stream; any is welcome."""
    stream = request.constant_stream_data
    answer = OpenPeriodicEventStreamResponse(status=GenericStatusEnumType.ACCEPTED)
    return keep(
        context, answer, event_streams.note_stream, stream.id, stream.variable_monitoring_id, content_of(stream)
    )


def close_periodic_event_stream(
    context: CallContext, request: ClosePeriodicEventStreamRequest
) -> Pending[ClosePeriodicEventStreamResponse]:
    """N12: the stream ends."""
    return context.write(event_streams.end_stream, request.id).then(lambda _: ClosePeriodicEventStreamResponse())


def notify_periodic_event_stream(
    context: CallContext, request: NotifyPeriodicEventStream
) -> Pending[ClosePeriodicEventStreamResponse]:
    """N15: the values of a stream; the response goes nowhere."""
    content = content_of(request, without=("id",))
    newest = _newest(request)
    return keep(
        context, ClosePeriodicEventStreamResponse(), event_streams.note_stream_values, request.id, newest, content
    )


def _newest(told: NotifyPeriodicEventStream) -> StreamedValue | None:
    """The last value; None where a repair left none."""
    last = max(told.data, key=lambda element: element.t, default=None)
    if last is None:
        return None
    try:
        return StreamedValue(last.v, told.basetime + timedelta(seconds=float(last.t)))
    except OverflowError:
        return StreamedValue(last.v, told.basetime)


def _get_periodic_event_stream(_: GetPeriodicEventStreamRequest, response: GetPeriodicEventStreamResponse) -> Meaning:
    """N13: those that there are; others may have ended meanwhile."""

    def change(q: Queries, occasion: Occasion) -> Result[None]:
        for stream in response.constant_stream_data or ():
            event_streams.note_stream(q, occasion, stream.id, stream.variable_monitoring_id, content_of(stream))
        return Result(None)

    return Meaning(change)


def _adjust_periodic_event_stream(
    request: AdjustPeriodicEventStreamRequest, response: AdjustPeriodicEventStreamResponse
) -> Meaning | None:
    """N14."""
    if response.status is not GenericStatusEnumType.ACCEPTED:
        return None
    return Meaning(partial(event_streams.adjust_stream, stream_id=request.id, content=content_of(request)))


ANSWERS: Final[dict[str, AnyMeaning]] = dict(
    (
        means(actions.ADJUST_PERIODIC_EVENT_STREAM, _adjust_periodic_event_stream),
        means(actions.GET_PERIODIC_EVENT_STREAM, _get_periodic_event_stream),
    )
)
