"""`/firmware` and `/uploads`: what charge points fetch, what they have put, and the links to both."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import Depends, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import FileResponse, Response

from mcpp.api import models
from mcpp.api.bodies import RowKey, WantedLink
from mcpp.api.callers import OPERATOR_ONLY
from mcpp.api.problems import conflict, documented, found, not_found
from mcpp.api.routes import Routes
from mcpp.api.services import FromServices
from mcpp.api.tables import AS_TABLE, FromTables
from mcpp.files.store import FileLink, FileStore
from mcpp.reads import files as reads
from mcpp.reads.files import UploadQuery
from mcpp.reads.paging import Page, PageQuery
from mcpp.reads.times import Time
from mcpp_generated.db.models import FirmwareImage, UploadRecord


async def _store_of(services: FromServices) -> FileStore:
    if services.files is None:
        raise conflict("the listener for files is off; the setting files-port switches it on")
    return services.files


FromStore = Annotated[FileStore, Depends(_store_of)]


# All of it needs the store, though the database alone answers some.
router = Routes(tags=["files"], dependencies=[Depends(_store_of)], responses=documented(HTTPStatus.CONFLICT))

_BYTES: Final[dict[str, Any]] = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}

_STORED: Final = documented(HTTPStatus.SERVICE_UNAVAILABLE)


class StoredFirmware(BaseModel):
    """A firmware image that charge points may fetch."""

    name: str = Field(examples=["wallbox-2.4.1.bin"])
    size_bytes: int
    sha256: str
    stored_at: Time


class Upload(BaseModel):
    """A file that a charge point has put: diagnostics or a log."""

    id: int
    charge_point_id: str
    name: str
    size_bytes: int
    sha256: str
    received_at: Time


class Link(BaseModel):
    """What to send to a charge point: whoever has the URL needs nothing else."""

    url: str
    expires_at: Time


class FirmwarePage(models.Page[StoredFirmware]):
    """Firmware images by name."""


class UploadPage(models.Page[Upload]):
    """Files of charge points, the newest first."""


@router.get("/firmware", response_model=FirmwarePage, responses=AS_TABLE)
async def list_firmware(
    services: FromServices, tables: FromTables, query: Annotated[PageQuery, Query()]
) -> Page[FirmwareImage] | Response:
    """Firmware images by name."""
    return await tables.answer_page(query, FirmwarePage, partial(reads.list_firmware, services.readers))


@router.get("/firmware/{name}", response_model=StoredFirmware, responses=documented(HTTPStatus.NOT_FOUND))
async def get_firmware(services: FromServices, name: str) -> FirmwareImage:
    """One firmware image."""
    return found(await reads.find_firmware(services.readers, name), _no_firmware(name))


@router.put(
    "/firmware/{name}",
    response_model=StoredFirmware,
    status_code=HTTPStatus.CREATED,
    responses=_STORED | documented(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.INSUFFICIENT_STORAGE),
    openapi_extra={"requestBody": {"required": True, "content": _BYTES}},
)
async def put_firmware(store: FromStore, request: Request, name: str) -> FirmwareImage:
    """Keep a firmware image. One that is there doesn't change: a new one takes a new name."""
    return await store.store_firmware(name, request.stream())


@router.delete(
    "/firmware/{name}", status_code=HTTPStatus.NO_CONTENT, responses=_STORED | documented(HTTPStatus.NOT_FOUND)
)
async def delete_firmware(store: FromStore, name: str) -> None:
    """Forget a firmware image; its links end."""
    if not await store.delete_firmware(name):
        raise not_found(_no_firmware(name))


_LINKED: Final = _STORED | documented(HTTPStatus.NOT_FOUND, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


@router.post("/firmware/{name}/links", response_model=Link, status_code=HTTPStatus.CREATED, responses=_LINKED)
async def link_firmware(store: FromStore, name: str, wanted: WantedLink | None = None) -> FileLink:
    """A link to fetch it by, as the `location` of UpdateFirmware or SignedUpdateFirmware."""
    return await store.link_firmware(name, _lifetime(wanted))


@router.post(
    "/charge-points/{id}/upload-links",
    response_model=Link,
    status_code=HTTPStatus.CREATED,
    responses=_LINKED | documented(HTTPStatus.BAD_REQUEST),
)
async def link_upload(store: FromStore, id: str, wanted: WantedLink | None = None) -> FileLink:  # noqa: A002
    """A link to put files by, as the `location` of GetDiagnostics or the `remoteLocation` of GetLog."""
    return await store.link_upload(id, _lifetime(wanted))


@router.get("/uploads", response_model=UploadPage, responses=AS_TABLE)
async def list_uploads(
    services: FromServices, tables: FromTables, query: Annotated[UploadQuery, Query()]
) -> Page[UploadRecord] | Response:
    """Files that charge points have put, the newest first."""
    return await tables.answer_page(query, UploadPage, partial(reads.list_uploads, services.readers))


@router.get(
    "/uploads/{id}",
    response_class=Response,
    dependencies=[OPERATOR_ONLY],
    responses={
        HTTPStatus.OK: {"content": _BYTES},
        **documented(HTTPStatus.NOT_FOUND),
    },
)
async def get_upload(store: FromStore, id: RowKey) -> Response:  # noqa: A002
    """The file, as it came; not for viewers, since diagnostics may hold passwords."""
    upload, path = found(await store.find_upload(id), _no_upload(id))
    return FileResponse(path, filename=upload.name, media_type="application/octet-stream")


@router.delete(
    "/uploads/{id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=_STORED | documented(HTTPStatus.NOT_FOUND),
)
async def delete_upload(store: FromStore, id: RowKey) -> None:  # noqa: A002
    """Forget a file that a charge point has put."""
    if not await store.delete_upload(id):
        raise not_found(_no_upload(id))


def _no_firmware(name: str) -> str:
    return f"there is no firmware image {name!r}"


def _no_upload(upload_id: int) -> str:
    return f"there is no file {upload_id}"


def _lifetime(wanted: WantedLink | None) -> timedelta | None:
    return timedelta(hours=wanted.lifetime_hours) if wanted is not None and wanted.lifetime_hours is not None else None
