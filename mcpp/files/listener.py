"""What chargers reach: an HTTP application that knows links and nothing else."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from mcpp.domain.errors import Conflict, Unknown
from mcpp.files.directory import MIB, FileTooLarge, StorageFailed
from mcpp.files.multipart import FORM_OVERHEAD, BadForm, Form, read_boundary
from mcpp.files.store import DOWNLOADS, UPLOADS, FileStore
from mcpp.storage.pending import WriteFailed
from mcpp_generated.db.models import FirmwareImage

PATIENCE: Final = 60.0
"""Seconds without a byte after which a transfer is given up: radio links stall, but not for ever."""


def create_files_app(store: FileStore, *, size_limit: int, patience: float = PATIENCE) -> Starlette:
    """The ASGI application; `size_limit` in bytes as the store has it, `patience` in seconds."""

    async def download(request: Request) -> Response:
        found = await store.find_download(request.path_params["token"])
        if found is None or request.path_params["name"] != found[0].name:
            raise _no_link()
        try:
            return _PatientFile(*found, await asyncio.to_thread(found[1].stat), patience)
        except FileNotFoundError:  # deleted in this moment
            raise _no_link() from None

    async def upload(request: Request) -> Response:
        rest: str = request.path_params.get("rest", "")
        link = await store.find_upload_link(request.path_params["token"])
        if link is None or _climbs(rest):
            raise _no_link()
        if "content-range" in request.headers:
            raise _refusal(HTTPStatus.BAD_REQUEST, "a part of a file can't be put")  # RFC 9110 §14.5
        # The store counts exactly; this much lets a form with a file of just the limit pass.
        if int(request.headers.get("content-length", "0")) > size_limit + FORM_OVERHEAD:
            raise _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a file may have {size_limit // MIB} MiB")
        received = await store.receive(link, *await _open_body(request, rest, patience))
        created = request.method == "PUT" and not received.replaced  # RFC 9110 §9.3.4
        return PlainTextResponse(f"{received.name}\n", HTTPStatus.CREATED if created else HTTPStatus.OK)

    app = Starlette(
        routes=[
            Route(f"{DOWNLOADS}/{{token}}/{{name}}", download, methods=["GET"]),
            Route(f"{UPLOADS}/{{token}}", upload, methods=["PUT", "POST"]),
            Route(f"{UPLOADS}/{{token}}/{{rest:path}}", upload, methods=["PUT", "POST"]),
        ],
        exception_handlers=dict.fromkeys(_STATUSES, _explain),
    )
    app.router.redirect_slashes = False
    return app


_log: Final = logging.getLogger(__name__)

_CLOSE: Final = {"Connection": "close"}

_STATUSES: Final[dict[type[Exception], HTTPStatus]] = {
    BadForm: HTTPStatus.BAD_REQUEST,
    ClientDisconnect: HTTPStatus.BAD_REQUEST,  # which nobody will read
    TimeoutError: HTTPStatus.REQUEST_TIMEOUT,
    Unknown: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    FileTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    StorageFailed: HTTPStatus.INSUFFICIENT_STORAGE,
    WriteFailed: HTTPStatus.SERVICE_UNAVAILABLE,
}


async def _explain(_: Request, error: Exception) -> Response:
    status = next(status for kind, status in _STATUSES.items() if isinstance(error, kind))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("a charge point's file was not stored: %s", error)
    # Paths of this machine are nobody's business out there. The connection ends, since the rest of the body isn't read.
    return PlainTextResponse(f"{status.phrase}\n", status, _CLOSE)


def _refusal(status: HTTPStatus, text: str) -> HTTPException:
    return HTTPException(status, text, _CLOSE)


def _no_link() -> HTTPException:
    return _refusal(HTTPStatus.NOT_FOUND, "there is no such link, or it has expired")


def _climbs(path: str) -> bool:
    return any(segment in {".", ".."} for segment in path.replace("\\", "/").split("/")) or "\0" in path


async def _open_body(request: Request, name: str, patience: float) -> tuple[str, AsyncIterator[bytes]]:
    """The file's name and its bytes: of the form where the body is one, else the body itself."""
    body = _in_time(request.stream(), patience)
    boundary = read_boundary(request.headers.get("content-type", ""))
    if boundary is None:
        return name, body
    form = Form(body, boundary)
    form_name = await form.find_file()
    return form_name or name, form.content()


async def _in_time(chunks: AsyncIterator[bytes], patience: float) -> AsyncIterator[bytes]:
    while True:
        async with asyncio.timeout(patience):
            chunk = await anext(chunks, b"")
        if not chunk:
            return
        yield chunk


class _PatientFile(FileResponse):
    """A firmware image, with ranges, for as long as somebody reads on."""

    def __init__(self, image: FirmwareImage, path: Path, stat_result: os.stat_result, patience: float) -> None:
        super().__init__(
            path,
            headers={"ETag": f'"{image.sha256}"'},
            media_type="application/octet-stream",
            filename=image.name,
            stat_result=stat_result,
        )
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(self._patience):
                await send(message)

        with suppress(TimeoutError):  # nothing can be said any more: the server ends the connection
            await super().__call__(scope, receive, send_in_time)
