"""`/settings`, `/plugins`, `/server` and `/backup`: what is installed here, and a copy of its database."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, BinaryIO, Final

from fastapi import APIRouter, Query
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from mcpp.api.callers import OPERATOR_ONLY, FromCaller
from mcpp.api.installation_models import Disk, OwnCertificate, Plugin, PluginList, Server, Setting, SettingList
from mcpp.api.problems import ApiError, documented
from mcpp.api.services import FromServices
from mcpp.api.tables import AS_TABLE, FromTables
from mcpp.phrases import phrase_of
from mcpp.reads.paging import FormatQuery
from mcpp.storage.copies import CopyRefused, CopyUnderWay, DatabaseCopies, NoRoom

router = APIRouter(tags=["installation"])

_SQLITE: Final = "application/vnd.sqlite3"

_CHUNK: Final = 256 * 1024

_LONGEST_STALL: Final = 60.0
"""Seconds that a client may take for a chunk: as long as it takes one, its copy is on the disk, and nobody else's."""


@router.get("/settings", response_model=SettingList, responses=AS_TABLE)
async def list_settings(
    services: FromServices, tables: FromTables, query: Annotated[FormatQuery, Query()]
) -> dict[str, Sequence[Setting]] | Response:
    """The effective settings, as `mcpp check-config` prints them: secrets are masked."""
    return tables.answer_whole(query, Setting, services.settings)


@router.get("/plugins", response_model=PluginList, responses=AS_TABLE)
async def list_plugins(
    services: FromServices, tables: FromTables, query: Annotated[FormatQuery, Query()]
) -> dict[str, Sequence[Plugin]] | Response:
    """The enabled plugins, in the order in which they are asked, and how they are."""
    return tables.answer_whole(query, Plugin, services.plugins())


@router.get("/server", response_model=Server)
async def get_server(services: FromServices) -> Server:
    """How the server itself is: its database, the room that is left for it, and its clock."""
    state = services.server_state()
    disk = state.disk
    return Server(
        **state._asdict()
        | {
            "disk": disk and Disk(free_bytes=disk.free, total_bytes=disk.total, least_free_bytes=disk.least_free),
            "ending_certificates": [OwnCertificate(**it._asdict()) for it in state.ending_certificates],
        }
    )


@router.get(
    "/backup",
    response_class=Response,
    dependencies=[OPERATOR_ONLY],
    responses={
        HTTPStatus.OK: {
            "description": "A database file, for `mcpp restore`.",
            "content": {_SQLITE: {"schema": {"type": "string", "format": "binary"}}},
        },
        **documented(HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.INSUFFICIENT_STORAGE),
    },
)
async def download_backup(services: FromServices, caller: FromCaller) -> Response:
    """A consistent and checked copy of the database, as `mcpp backup` makes it, of the moment at which it is asked for.

    The copy lies beside the database until it's fetched: 507 where the disk has no room for it. One at a time. The key
    of the certificate authority and files of chargers aren't in it.
    """
    name = f"mcpp-{services.clock.now():%Y%m%dT%H%M%SZ}.db"
    return _Backup(services.copies, lambda: caller.is_ended or services.stopping.is_set(), name)


class _EndedEarly(Exception):
    """The token was revoked, or the server stops."""


class _Backup(Response):
    """Makes the copy when the answer begins and removes it however that ends."""

    def __init__(self, copies: DatabaseCopies, must_end: Callable[[], bool], name: str) -> None:
        super().__init__()
        self._copies = copies
        self._must_end = must_end
        self._name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with self._copies.take() as file:
                await self._send(file, scope, receive, send)
        except CopyUnderWay as error:
            raise ApiError(HTTPStatus.SERVICE_UNAVAILABLE, "backup_under_way", phrase_of(error)) from error
        except NoRoom as error:
            raise ApiError(HTTPStatus.INSUFFICIENT_STORAGE, "no_room", phrase_of(error)) from error
        except CopyRefused as error:
            raise ApiError(HTTPStatus.SERVICE_UNAVAILABLE, "no_backup", phrase_of(error)) from error

    async def _send(self, file: Path, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(_LONGEST_STALL):
                await send(message)

        async with _opened(file) as (source, size):
            headers = {"Content-Length": str(size), "Content-Disposition": f'attachment; filename="{self._name}"'}
            answer = StreamingResponse(self._chunks(source), media_type=_SQLITE, headers=headers)
            # Where it ends too early the connection is closed, and the client knows that by the length.
            with suppress(TimeoutError, _EndedEarly):
                await answer(scope, receive, send_in_time)

    async def _chunks(self, source: BinaryIO) -> AsyncIterator[bytes]:
        while chunk := await asyncio.to_thread(source.read, _CHUNK):
            if self._must_end():
                raise _EndedEarly
            yield chunk


@asynccontextmanager
async def _opened(file: Path) -> AsyncIterator[tuple[BinaryIO, int]]:
    """The file and its size in bytes."""
    with await asyncio.to_thread(file.open, "rb") as source:
        yield source, os.fstat(source.fileno()).st_size
