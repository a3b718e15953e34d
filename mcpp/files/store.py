"""Firmware images, what charge points have put, and the links to both: for the API, and for the listener."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_urlsafe
from typing import Final

from mcpp.domain.errors import Conflict
from mcpp.domain.events import Event
from mcpp.files import records
from mcpp.files.directory import EmptyFile, FileDirectory, StoredFile
from mcpp.files.names import check_name, tame
from mcpp.ocppj.flow import new_correlation_id
from mcpp.reads import files as reads
from mcpp.storage.engine import ReaderPool
from mcpp.storage.writer import Writer
from mcpp_generated.db.models import FindUploadLinkRow, FirmwareImage, UploadRecord
from mcpp_generated.db.queries import Queries

DOWNLOADS: Final = "/firmware"
UPLOADS: Final = "/uploads"

_TOKEN_BYTES: Final = 24


class UploadRunning(Conflict):
    """Somebody puts a file by the same link right now."""


@dataclass(frozen=True, slots=True)
class FileLink:
    """What is sent to a charge point, and to it alone: whoever has the URL needs nothing else."""

    url: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Received:
    """A charge point's file is stored."""

    name: str
    replaced: bool
    """One of this name that came by the same link before."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class FileStore:
    """Used on the event loop. Names of firmware images identify them; charge points are given by identity."""

    def __init__(
        self,
        directory: Path,
        writer: Writer[Queries],
        readers: ReaderPool,
        publish: Callable[[Iterable[Event]], None],
        *,
        size_limit: int,
        link_lifetime: timedelta,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        """`size_limit` in bytes, for each file."""
        self.base_url = ""
        """Where chargers reach the listener, without a slash at its end; to be set once it listens."""
        self._directory = FileDirectory(directory)
        self._writer = writer
        self._readers = readers
        self._publish = publish
        self._size_limit = size_limit
        self._link_lifetime = link_lifetime
        self._now = now
        self._running: set[int] = set()
        """Links by which a file is being put."""

    async def open(self) -> None:
        """Make the directory and clear away what a crash left in it. Raises StorageFailed."""
        self._directory.create()
        await self.sweep()

    async def sweep(self) -> None:
        """Remove files that nothing in the database refers to, such as those of a charge point that was forgotten."""
        settled = await self._directory.list_settled()
        known = await reads.list_stored_names(self._readers)
        for stored_name in settled:
            if stored_name not in known:
                await self._directory.remove(stored_name)

    # Firmware.

    async def store_firmware(self, name: str, chunks: AsyncIterator[bytes]) -> FirmwareImage:
        """Keep a firmware image under a name of its own.

        Raises BadName, Conflict where the name is taken, EmptyFile, FileTooLarge, StorageFailed.
        """
        check_name(name)
        if await reads.find_firmware(self._readers, name) is not None:  # before all its bytes have come
            raise Conflict(f"there is a firmware image {name!r} already; delete it or choose another name")
        stored = await self._directory.receive(chunks, self._size_limit)
        try:
            if not stored.size_bytes:
                raise EmptyFile("a firmware image has at least one byte: send it as the request's body")
            return await self._writer.submit(records.add_firmware, name, stored, self._now())
        except Exception:
            await self._directory.remove(stored.stored_name)
            raise
        finally:
            self._directory.settle(stored.stored_name)

    async def delete_firmware(self, name: str) -> bool:
        """Forget a firmware image; its links end. False where there is none."""
        stored_name = await self._writer.submit(lambda q: q.delete_firmware_image(name=name))
        if stored_name is None:
            return False
        await self._directory.remove(stored_name)
        return True

    async def link_firmware(self, name: str, lifetime: timedelta | None = None) -> FileLink:
        """A link to fetch a firmware image by, for UpdateFirmware and SignedUpdateFirmware. Raises Unknown."""
        token, now = token_urlsafe(_TOKEN_BYTES), self._now()
        expires_at = now + (lifetime or self._link_lifetime)
        await self._writer.submit(records.link_firmware, name, _sha256(token), now, expires_at)
        return FileLink(f"{self.base_url}{DOWNLOADS}/{token}/{name}", expires_at)

    # What charge points put.

    async def link_upload(self, identity: str, lifetime: timedelta | None = None) -> FileLink:
        """A link to put diagnostics or logs by, for GetDiagnostics and GetLog. Raises Unknown.

        It ends in a slash: chargers append a file's name, some after a slash of their own and some without.
        """
        token, now = token_urlsafe(_TOKEN_BYTES), self._now()
        expires_at = now + (lifetime or self._link_lifetime)
        await self._writer.submit(records.link_upload, identity, _sha256(token), now, expires_at)
        return FileLink(f"{self.base_url}{UPLOADS}/{token}/", expires_at)

    async def find_upload(self, upload_id: int) -> tuple[UploadRecord, Path] | None:
        """One file and where it is, to be sent as it is; None where there is none."""
        upload = await reads.find_upload(self._readers, upload_id)
        return None if upload is None else (upload, self._directory.path(upload.stored_name))

    async def delete_upload(self, upload_id: int) -> bool:
        """Forget a file. False where there is none."""
        stored_name = await self._writer.submit(lambda q: q.delete_upload(id=upload_id))
        if stored_name is None:
            return False
        await self._directory.remove(stored_name)
        return True

    # For the listener.

    async def find_download(self, token: str) -> tuple[FirmwareImage, Path] | None:
        """The firmware image of a link and where it is; None for a link that isn't valid, or no longer."""
        image = await reads.find_firmware_by_link(self._readers, _sha256(token), self._now())
        return None if image is None else (image, self._directory.path(image.stored_name))

    async def find_upload_link(self, token: str) -> FindUploadLinkRow | None:
        """Who puts files by a link; None for one that isn't valid, or no longer."""
        return await reads.find_upload_link(self._readers, _sha256(token), self._now())

    async def receive(self, link: FindUploadLinkRow, name: str, chunks: AsyncIterator[bytes]) -> Received:
        """Keep a file that a charge point puts; it takes the place of one that came by this link under this name.

        Raises UploadRunning, TooManyFiles, Unknown, FileTooLarge, StorageFailed and what `chunks` raises.
        """
        if link.link_id in self._running:
            raise UploadRunning("a file is being put by this link")
        self._running.add(link.link_id)
        try:
            stored = await self._directory.receive(chunks, self._size_limit)
            try:
                return await self._record(link, tame(name), stored)
            finally:
                self._directory.settle(stored.stored_name)
        finally:
            self._running.discard(link.link_id)

    async def _record(self, link: FindUploadLinkRow, name: str, stored: StoredFile) -> Received:
        try:
            outcome = await self._writer.submit(
                records.add_upload, link, name, stored, self._now(), new_correlation_id()
            )
        except Exception:
            await self._directory.remove(stored.stored_name)
            raise
        if outcome.value is not None:
            await self._directory.remove(outcome.value)
        self._publish(outcome.events)
        return Received(name, outcome.value is not None)


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
