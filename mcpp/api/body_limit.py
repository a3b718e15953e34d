"""How much a request may send: bodies are read into memory, and nobody means to send this much.

Only firmware is another matter: it goes to the disk as it comes, and has a limit of its own.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcpp.api.problems import ApiError

MAX_BODY_BYTES: Final = 1 << 20
"""Bytes: a SendLocalList of 5,000 id tags is half of it."""

_FIRMWARE: Final = "/api/v1/firmware/"

_DETAIL: Final = f"a body has at most {MAX_BODY_BYTES} bytes"


class BodyLimit:
    """Refuses bodies that are too large: at once where their length is given, else as soon as it shows."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or (scope["method"] == "PUT" and scope["path"].startswith(_FIRMWARE)):
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "")
        if length.isdecimal() and int(length) > MAX_BODY_BYTES:
            refusal = ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "payload_too_large", _DETAIL)
            await refusal.response()(scope, receive, send)
            return
        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _DETAIL)
            return message

        await self._app(scope, receive_counted, send)
