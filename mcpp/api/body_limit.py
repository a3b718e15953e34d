"""How much a request may send, and how slowly: bodies are read into memory, and nobody means to send this much.

Only firmware is another matter: it goes to the disk as it comes, and has a limit of its own.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Final, NamedTuple

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcpp.api.problems import ApiError, answer_early
from mcpp.phrases import Phrase

MAX_BODY_BYTES: Final = 1 << 20
"""Bytes: a SendLocalList of 5,000 id tags is half of it."""

_FIRMWARE: Final = "/api/v1/firmware/"

_DETAIL: Final = Phrase("a body has at most {most} bytes", most=MAX_BODY_BYTES)


class Pace(NamedTuple):
    """How fast a body has to come: so many bytes, or what is left of it, in so many seconds, again and again."""

    size: int
    seconds: float


USUAL: Final = Pace(MAX_BODY_BYTES, 30.0)
"""A whole body."""

OF_FIRMWARE: Final = Pace(1 << 16, 60.0)
"""A mebibyte in a quarter of an hour."""


class BodyLimit:
    """Refuses bodies that are too large: at once where their length is given, else as soon as it shows.

    One that comes too slowly ends with 408.
    """

    def __init__(self, app: ASGIApp, usual: Pace = USUAL, of_firmware: Pace = OF_FIRMWARE) -> None:
        self._app = app
        self._usual = usual
        self._of_firmware = of_firmware

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "PUT" and scope["path"].startswith(_FIRMWARE):
            await self._app(scope, _Body(receive, self._of_firmware, None).receive, send)
            return
        length = Headers(scope=scope).get("content-length", "")
        if length.isdecimal() and int(length) > MAX_BODY_BYTES:
            refusal = ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "payload_too_large", _DETAIL)
            await answer_early(scope, refusal)(scope, receive, send)
            return
        await self._app(scope, _Body(receive, self._usual, MAX_BODY_BYTES).receive, send)


class _Body:
    """One request's body as it comes in."""

    def __init__(self, receive: Receive, pace: Pace, limit: int | None) -> None:
        self._receive = receive
        self._pace = pace
        self._limit = limit
        self._received = 0
        self._due: float | None = None
        """When as much as its pace asks for must have come; None before it's first asked for."""
        self._owed = pace.size
        self._is_whole = False

    async def receive(self) -> Message:
        if self._is_whole:  # what is waited for now is the client's leaving
            return await self._receive()
        if self._due is None:
            self._due = asyncio.get_running_loop().time() + self._pace.seconds
        try:
            async with asyncio.timeout_at(self._due):
                message = await self._receive()
        except TimeoutError:
            detail = "the body comes too slowly"
            raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, detail, headers={"Connection": "close"}) from None
        size = len(message.get("body", b""))
        self._received += size
        self._owed -= size
        if self._owed <= 0:
            self._due, self._owed = None, self._pace.size
        self._is_whole = not message.get("more_body", False)
        if self._limit is not None and self._received > self._limit:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _DETAIL)
        return message
