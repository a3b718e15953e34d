"""`/events`: what happens, as it happens."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import Header, Query
from starlette.responses import Response, StreamingResponse

from mcpp.api.callers import FromCaller
from mcpp.api.event_stream import EventFilter, TooManyReaders
from mcpp.api.problems import ApiError, documented, invalid_parameter
from mcpp.api.routes import Routes
from mcpp.api.services import FromServices
from mcpp.domain.events import Event
from mcpp.reads.event_json import EVENT_KINDS_BY_NAME

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

_MOST_GATHERED: Final = 10_000
"""Milliseconds; less than what a heartbeat takes to come."""


@router.get(
    "/events",
    response_class=Response,
    responses={HTTPStatus.OK: _STREAM, **documented(HTTPStatus.SERVICE_UNAVAILABLE)},
)
async def stream_events(
    services: FromServices,
    caller: FromCaller,
    last_event_id: Annotated[str | None, Header(description="Go on behind this event.", max_length=200)] = None,
    events: Annotated[
        str | None,
        Query(description="Only these, comma-separated names.", examples=["transaction_started,transaction_stopped"]),
    ] = None,
    charge_point_id: Annotated[
        list[str] | None,
        Query(
            description="Only of these charge points; repeat it, or separate them by commas. One whose own identity "
            "has commas is meant by the whole of it, too."
        ),
    ] = None,
    gather: Annotated[
        int,
        Query(
            ge=0, le=_MOST_GATHERED, description="Send what comes within so many milliseconds at once: fewer writes."
        ),
    ] = 0,
) -> Response:
    """What plugins see, as server-sent events.

    After a break, `Last-Event-ID` brings what was missed, as far as the last 1,000 events go; where more may have been
    missed, an event `gap` says so. A reader that can't keep up is cut off, and so is one whose token is revoked. No
    more than 100 may read at a time.
    """
    wanted = EventFilter(
        None if events is None else _kinds(events),
        None if charge_point_id is None else frozenset(_identities(charge_point_id)),
    )
    try:
        stream = services.events.read(last_event_id, wanted, caller, gather / 1000)
    except TooManyReaders as error:
        raise ApiError(HTTPStatus.SERVICE_UNAVAILABLE, "too_many_streams", str(error)) from error
    return StreamingResponse(stream, media_type="text/event-stream", headers=_UNBUFFERED)


def _kinds(names: str) -> frozenset[type[Event]]:
    """What the names say. Raises the problem `invalid_parameter` for one that there isn't."""
    given = [name.strip() for name in names.split(",")]
    for name in given:
        if name not in EVENT_KINDS_BY_NAME:
            raise invalid_parameter("query.events", _unknown(name))
    return frozenset(EVENT_KINDS_BY_NAME[name] for name in given)


def _unknown(name: str) -> str:
    names = sorted(EVENT_KINDS_BY_NAME)
    nearest = get_close_matches(name[:100], names, n=1)
    hint = f"did you mean {nearest[0]}?" if nearest else f"there are {', '.join(names)}"
    return f"{name[:100]!r} is no event; {hint}"


def _identities(given: list[str]) -> Iterator[str]:
    for text in given:
        yield text
        yield from (part for part in text.split(",") if part)
