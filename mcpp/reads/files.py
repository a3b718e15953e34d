"""What the database knows of files: firmware images, what charge points have put, and the links to both."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from mcpp.reads.paging import Cursors, Page, PageQuery, RowId, by_name, newest_first
from mcpp.storage.sqlite.readers import Readers
from mcpp_generated.db import readers
from mcpp_generated.db.models import FindUploadLinkRow, FirmwareImage, UploadRecord

_FIRMWARE_CURSORS: Final[Cursors[FirmwareImage, tuple[str]]] = by_name(lambda image: image.name)
_UPLOAD_CURSORS: Final[Cursors[UploadRecord, tuple[RowId]]] = newest_first(lambda upload: upload.id)


class UploadQuery(PageQuery):
    """Filters of the list; all that are given must hold."""

    charge_point_id: str | None = None


async def list_firmware(pool: Readers, query: PageQuery) -> Page[FirmwareImage]:
    """Firmware images by name. Raises BadCursor."""
    (after,) = _FIRMWARE_CURSORS.start(query)
    async with pool.connection() as connection:
        images = await readers.list_firmware_images(connection)
    return _FIRMWARE_CURSORS.page([image for image in images if image.name > after], query)


async def find_firmware(pool: Readers, name: str) -> FirmwareImage | None:
    """One firmware image."""
    async with pool.connection() as connection:
        return await readers.get_firmware_image(connection, name=name)


async def find_firmware_by_link(pool: Readers, token_sha256: str, now: datetime) -> FirmwareImage | None:
    """The firmware image of a link; None for a link that isn't valid, or not any more."""
    async with pool.connection() as connection:
        return await readers.find_download(connection, token_sha256=token_sha256, now_at=now)


async def list_uploads(pool: Readers, query: UploadQuery) -> Page[UploadRecord]:
    """What charge points have put, the newest first. Raises BadCursor."""
    (before_id,) = _UPLOAD_CURSORS.start(query)
    page_size = query.limit + 1
    async with pool.connection() as connection:
        if query.charge_point_id is None:
            uploads = await readers.list_uploads(connection, before_id=before_id, page_size=page_size)
        else:
            uploads = await readers.list_uploads_of_charge_point(
                connection, charge_point_id=query.charge_point_id, before_id=before_id, page_size=page_size
            )
    return _UPLOAD_CURSORS.page(uploads, query)


async def find_upload(pool: Readers, upload_id: int) -> UploadRecord | None:
    """One file that a charge point has put."""
    async with pool.connection() as connection:
        return await readers.get_upload(connection, id=upload_id)


async def find_upload_link(pool: Readers, token_sha256: str, now: datetime) -> FindUploadLinkRow | None:
    """Who puts files by a link; None for a link that isn't valid, or not any more."""
    async with pool.connection() as connection:
        return await readers.find_upload_link(connection, token_sha256=token_sha256, now_at=now)


async def list_stored_names(pool: Readers) -> set[str]:
    """The names on disk of all files that the database knows."""
    async with pool.connection() as connection:
        firmware = await readers.list_stored_firmware(connection)
        return {*firmware, *await readers.list_stored_uploads(connection)}
