"""What is stored of files: functions for the writer."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from mcpp.domain.errors import Conflict, Unknown, no_charge_point
from mcpp.domain.events import FileReceived
from mcpp.domain.occasion import Result
from mcpp.files.directory import StoredFile
from mcpp_generated.db.models import FindUploadLinkRow, FirmwareImage
from mcpp_generated.db.queries import Queries

FILES_PER_LINK: Final = 20
"""Whoever has a link fills the disk with no more than so many files."""


class TooManyFiles(Conflict):
    """As many files as a link takes were put by it."""


def add_firmware(q: Queries, name: str, stored: StoredFile, now: datetime) -> FirmwareImage:
    """Record a firmware image. Raises Conflict where its name is taken: what chargers fetch never changes."""
    image = q.add_firmware_image(
        name=name, stored_name=stored.stored_name, size_bytes=stored.size_bytes, sha256=stored.sha256, stored_at=now
    )
    if image is None:
        raise Conflict(f"there is a firmware image {name!r} already; delete it or choose another name")
    return image


def link_firmware(q: Queries, name: str, token_sha256: str, now: datetime, expires_at: datetime) -> None:
    """Store a link to a firmware image. Raises Unknown."""
    q.delete_expired_links(now_at=now)
    image = q.get_firmware_image(name=name)
    if image is None:
        raise Unknown(f"there is no firmware image {name!r}")
    q.add_download_link(token_sha256=token_sha256, firmware_id=image.id, created_at=now, expires_at=expires_at)


def link_upload(q: Queries, identity: str, token_sha256: str, now: datetime, expires_at: datetime) -> None:
    """Store a link by which a charge point puts files. Raises Unknown."""
    q.delete_expired_links(now_at=now)
    charge_point = q.get_charge_point(identity=identity)
    if charge_point is None:
        raise Unknown(no_charge_point(identity))
    q.add_upload_link(
        token_sha256=token_sha256, charge_point_key=charge_point.key, created_at=now, expires_at=expires_at
    )


def add_upload(
    q: Queries, link: FindUploadLinkRow, name: str, stored: StoredFile, now: datetime, correlation_id: str
) -> Result[str | None]:
    """Store the record of a file that a charge point has put. Returns the stored name of the one it replaces.

    Raises TooManyFiles, and Unknown where the charge point was forgotten meanwhile.
    """
    if q.get_charge_point(identity=link.identity) is None:
        raise Unknown(no_charge_point(link.identity))
    earlier = q.find_upload(link_id=link.link_id, name=name)
    if earlier is None and q.count_uploads_of_link(link_id=link.link_id) >= FILES_PER_LINK:
        raise TooManyFiles(f"a link takes {FILES_PER_LINK} files")
    upload_id = q.put_upload(
        charge_point_key=link.charge_point_key,
        link_id=link.link_id,
        name=name,
        stored_name=stored.stored_name,
        size_bytes=stored.size_bytes,
        sha256=stored.sha256,
        received_at=now,
    )
    event = FileReceived(
        charge_point_id=link.identity,
        correlation_id=correlation_id,
        at=now,
        upload_id=upload_id,
        name=name,
        size_bytes=stored.size_bytes,
    )
    return Result(earlier.stored_name if earlier else None, (event,))
