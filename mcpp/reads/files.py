"""What the database knows of files: firmware images, what charge points have put, and the links to both."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from mcpp.reads.paging import Cursors, Page, PageQuery, RowId, by_name, newest_first
from mcpp.storage.engine import ReaderPool
from mcpp_generated.db.models import FindUploadLinkRow, FirmwareImage, UploadRecord

_FIRMWARE_CURSORS: Final[Cursors[FirmwareImage, tuple[str]]] = by_name(lambda image: image.name)
_UPLOAD_CURSORS: Final[Cursors[UploadRecord, tuple[RowId]]] = newest_first(lambda upload: upload.id)


class UploadQuery(PageQuery):
    """Filters of the list; all that are given must hold."""

    charge_point_id: str | None = None


async def list_firmware(pool: ReaderPool, query: PageQuery) -> Page[FirmwareImage]:
    """Firmware images by name. Raises BadCursor."""
    (after,) = _FIRMWARE_CURSORS.start(query)
    async with pool.reader() as q:
        images = await q.list_firmware_images()
    return _FIRMWARE_CURSORS.page([image for image in images if image.name > after], query)


async def find_firmware(pool: ReaderPool, name: str) -> FirmwareImage | None:
    """One firmware image."""
    async with pool.reader() as q:
        return await q.get_firmware_image(name=name)


async def find_firmware_by_link(pool: ReaderPool, token_sha256: str, now: datetime) -> FirmwareImage | None:
    """The firmware image of a link; None for a link that isn't valid, or not any more."""
    async with pool.reader() as q:
        return await q.find_download(token_sha256=token_sha256, now_at=now)


async def list_uploads(pool: ReaderPool, query: UploadQuery) -> Page[UploadRecord]:
    """What charge points have put, the newest first. Raises BadCursor."""
    (before_id,) = _UPLOAD_CURSORS.start(query)
    page_size = query.limit + 1
    async with pool.reader() as q:
        if query.charge_point_id is None:
            uploads = await q.list_uploads(before_id=before_id, page_size=page_size)
        else:
            uploads = await q.list_uploads_of_charge_point(
                charge_point_id=query.charge_point_id, before_id=before_id, page_size=page_size
            )
    return _UPLOAD_CURSORS.page(uploads, query)


async def find_upload(pool: ReaderPool, upload_id: int) -> UploadRecord | None:
    """One file that a charge point has put."""
    async with pool.reader() as q:
        return await q.get_upload(id=upload_id)


async def find_upload_link(pool: ReaderPool, token_sha256: str, now: datetime) -> FindUploadLinkRow | None:
    """Who puts files by a link; None for a link that isn't valid, or not any more."""
    async with pool.reader() as q:
        return await q.find_upload_link(token_sha256=token_sha256, now_at=now)


async def list_stored_names(pool: ReaderPool) -> set[str]:
    """The names on disk of all files that the database knows."""
    async with pool.reader() as q:
        firmware = await q.list_stored_firmware()
        return {*firmware, *await q.list_stored_uploads()}
