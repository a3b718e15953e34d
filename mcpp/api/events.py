"""`/events`: what happens, as it happens."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import Header
from starlette.responses import Response, StreamingResponse

from mcpp.api.callers import FromCaller
from mcpp.api.event_stream import TooManyReaders
from mcpp.api.problems import ApiError, documented
from mcpp.api.routes import Routes
from mcpp.api.services import FromServices

router = Routes(tags=["events"])

_EVENT: Final = {
    "type": "object",
    "properties": {
        "event": {"type": "string", "examples": ["transaction_started"]},
        "id": {"type": "string", "description": "For `Last-Event-ID`."},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
    "required": ["event", "data"],
}
"""One event of the stream."""

_STREAM: Final = {
    "description": "Server-sent events, each with its name, an id and JSON data; a comment every 15 seconds.",
    "content": {"text/event-stream": {"schema": _EVENT}},
}

_UNBUFFERED: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""The second is for nginx, which would hold events back."""


@router.get(
    "/events",
    response_class=Response,
    responses={HTTPStatus.OK: _STREAM, **documented(HTTPStatus.SERVICE_UNAVAILABLE)},
)
async def stream_events(
    services: FromServices,
    caller: FromCaller,
    last_event_id: Annotated[str | None, Header(description="Go on behind this event.", max_length=200)] = None,
) -> Response:
    """What plugins see, as server-sent events.

    After a break, `Last-Event-ID` brings what was missed, as far as the last 1,000 events go; where more was missed,
    an event `gap` says so. A reader that can't keep up is cut off, and so is one
    whose token is revoked. No more than 100 may read at a time.
    """
    try:
        stream = services.events.read(last_event_id, caller)
    except TooManyReaders as error:
        raise ApiError(HTTPStatus.SERVICE_UNAVAILABLE, "too_many_streams", str(error)) from error
    return StreamingResponse(stream, media_type="text/event-stream", headers=_UNBUFFERED)
