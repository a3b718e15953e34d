"""`/firmware` and `/uploads`: what charge points fetch, what they have put, and the links that they are told."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field, TypeAdapter
from starlette.responses import FileResponse, Response

from mcpp.api.bodies import RowKey, WantedLink
from mcpp.api.models import Page, Time
from mcpp.api.paging import Cursors, PageQuery, RowId, cut
from mcpp.api.problems import conflict, documented, not_found
from mcpp.api.services import FromServices
from mcpp.files.store import FileLink, FileStore
from mcpp_generated.db.models import FirmwareImage, UploadRecord

router = APIRouter(tags=["files"], responses=documented(HTTPStatus.CONFLICT))

_NAMES = Cursors(TypeAdapter(tuple[str]))
_CURSORS = Cursors(TypeAdapter(tuple[RowId]))

_NEWEST: Final = (2**63 - 1,)

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
    """What to tell a charge point: whoever has the URL needs nothing else."""

    url: str
    expires_at: Time


class FirmwarePage(Page[StoredFirmware]):
    """Firmware images by name."""


class UploadPage(Page[Upload]):
    """Files of charge points, the newest first."""


class UploadQuery(PageQuery):
    """Filters of the list; all that are given must hold."""

    charge_point_id: str | None = None


async def _store_of(services: FromServices) -> FileStore:
    if services.files is None:
        raise conflict("the listener for files is off; the setting files-port switches it on")
    return services.files


FromStore = Annotated[FileStore, Depends(_store_of)]


@router.get("/firmware", response_model=FirmwarePage)
async def list_firmware(store: FromStore, query: Annotated[PageQuery, Query()]) -> FirmwarePage:
    """Firmware images by name."""
    (after,) = _NAMES.decode(query.cursor, ("",))
    images = [image for image in await store.list_firmware() if image.name > after]
    page, last = cut(images, query.limit)
    cursor = _NAMES.encode((last.name,)) if last is not None else None
    return FirmwarePage(items=[_firmware(image) for image in page], next_cursor=cursor)


@router.get("/firmware/{name}", response_model=StoredFirmware, responses=documented(HTTPStatus.NOT_FOUND))
async def get_firmware(store: FromStore, name: str) -> StoredFirmware:
    """One firmware image."""
    image = await store.get_firmware(name)
    if image is None:
        raise _no_firmware(name)
    return _firmware(image)


@router.put(
    "/firmware/{name}",
    response_model=StoredFirmware,
    status_code=HTTPStatus.CREATED,
    responses=_STORED | documented(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.INSUFFICIENT_STORAGE),
    openapi_extra={"requestBody": {"required": True, "content": _BYTES}},
)
async def put_firmware(store: FromStore, request: Request, name: str) -> StoredFirmware:
    """Keep a firmware image. One that is there doesn't change: a new one takes a new name."""
    return _firmware(await store.store_firmware(name, request.stream()))


@router.delete(
    "/firmware/{name}", status_code=HTTPStatus.NO_CONTENT, responses=_STORED | documented(HTTPStatus.NOT_FOUND)
)
async def delete_firmware(store: FromStore, name: str) -> None:
    """Forget a firmware image; its links end."""
    if not await store.delete_firmware(name):
        raise _no_firmware(name)


_LINKED: Final = _STORED | documented(HTTPStatus.NOT_FOUND, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


@router.post("/firmware/{name}/links", response_model=Link, status_code=HTTPStatus.CREATED, responses=_LINKED)
async def link_firmware(store: FromStore, name: str, wanted: WantedLink | None = None) -> Link:
    """A link to fetch it by, as the `location` of UpdateFirmware or SignedUpdateFirmware."""
    return _link(await store.link_firmware(name, _lifetime(wanted)))


@router.post(
    "/charge-points/{id}/upload-links",
    response_model=Link,
    status_code=HTTPStatus.CREATED,
    responses=_LINKED | documented(HTTPStatus.BAD_REQUEST),
)
async def link_upload(store: FromStore, id: str, wanted: WantedLink | None = None) -> Link:  # noqa: A002
    """A link to put files by, as the `location` of GetDiagnostics or the `remoteLocation` of GetLog."""
    return _link(await store.link_upload(id, _lifetime(wanted)))


@router.get("/uploads", response_model=UploadPage)
async def list_uploads(store: FromStore, query: Annotated[UploadQuery, Query()]) -> UploadPage:
    """Files that charge points have put, the newest first."""
    (before_id,) = _CURSORS.decode(query.cursor, _NEWEST)
    rows = await store.list_uploads(query.charge_point_id, before_id=before_id, limit=query.limit + 1)
    page, last = cut(rows, query.limit)
    cursor = _CURSORS.encode((last.id,)) if last is not None else None
    return UploadPage(items=[_upload(row) for row in page], next_cursor=cursor)


@router.get(
    "/uploads/{id}",
    response_class=Response,
    responses={
        HTTPStatus.OK: {"content": _BYTES},
        **documented(HTTPStatus.NOT_FOUND),
    },
)
async def get_upload(store: FromStore, id: RowKey) -> Response:  # noqa: A002
    """The file, as it came."""
    found = await store.find_upload(id)
    if found is None:
        raise _no_upload(id)
    upload, path = found
    return FileResponse(path, filename=upload.name, media_type="application/octet-stream")


@router.delete(
    "/uploads/{id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=_STORED | documented(HTTPStatus.NOT_FOUND),
)
async def delete_upload(store: FromStore, id: RowKey) -> None:  # noqa: A002
    """Forget a file that a charge point has put."""
    if not await store.delete_upload(id):
        raise _no_upload(id)


def _no_firmware(name: str) -> Exception:
    return not_found(f"there is no firmware image {name!r}")


def _no_upload(upload_id: int) -> Exception:
    return not_found(f"there is no file {upload_id}")


def _lifetime(wanted: WantedLink | None) -> timedelta | None:
    return timedelta(hours=wanted.lifetime_hours) if wanted is not None and wanted.lifetime_hours is not None else None


def _firmware(row: FirmwareImage) -> StoredFirmware:
    return StoredFirmware(name=row.name, size_bytes=row.size_bytes, sha256=row.sha256, stored_at=row.stored_at)


def _upload(row: UploadRecord) -> Upload:
    return Upload(
        id=row.id,
        charge_point_id=row.charge_point_id,
        name=row.name,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        received_at=row.received_at,
    )


def _link(link: FileLink) -> Link:
    return Link(url=link.url, expires_at=link.expires_at)
