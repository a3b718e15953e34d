"""The directory that files are kept in: each arrives under a name of our own, and is there whole or not at all."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import re
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedWriter
from pathlib import Path
from secrets import token_hex
from threading import Lock
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

MIB: Final = 1 << 20

RESERVE: Final = 64 * MIB
"""Bytes of the disk that files leave free: the database may be on the same one, and charging goes first."""

_PART: Final = ".part"
_OURS: Final = re.compile("[0-9a-f]{32}")


class FileTooLarge(Exception):
    """More bytes than a file may have."""


class EmptyFile(ValueError):
    """No bytes where there must be some."""


class StorageFailed(Exception):
    """The disk is full or can't be written; the message is one line that says which."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that has arrived."""

    stored_name: str
    size_bytes: int
    sha256: str


class FileDirectory:
    """Files by names that only this class makes up, so that no name from outside ever becomes a path."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._expected: set[str] = set()
        """Of files that arrive, or have arrived and aren't in the database yet."""

    def create(self) -> None:
        """Make the directory where it's missing. Raises StorageFailed."""
        try:
            self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
            probe = self._path / f"{token_hex(16)}{_PART}"
            probe.touch(exist_ok=False)
            probe.unlink()
        except OSError as error:
            raise _failed(self._path, error) from error

    def path(self, stored_name: str) -> Path:
        """Where a file is."""
        return self._path / stored_name

    async def receive(self, chunks: AsyncIterator[bytes], limit: int) -> StoredFile:
        """Store what comes, of at most `limit` bytes; call `settle` once the database knows it.

        Raises FileTooLarge, StorageFailed and what `chunks` raises; nothing is left behind then.
        """
        stored_name = token_hex(16)
        self._expected.add(stored_name)
        try:
            part = _Part(self._path, stored_name)
            try:
                await self._do(part.open)
                async for chunk in chunks:
                    if part.size + len(chunk) > limit:
                        raise FileTooLarge(f"a file may have {limit // MIB} MiB")
                    await self._do(part.write, chunk)
                return await self._do(part.complete)
            finally:
                await asyncio.to_thread(part.discard)
        except BaseException:
            self._expected.discard(stored_name)
            raise

    def settle(self, stored_name: str) -> None:
        """The database knows the file now, or has refused it: from now on that decides whether it's a stray."""
        self._expected.discard(stored_name)

    async def remove(self, stored_name: str) -> None:
        """Remove a file, complete or not; one that is gone already is nobody's fault."""
        for path in (self.path(stored_name), self.path(f"{stored_name}{_PART}")):
            with suppress(OSError):  # what can't be removed now is found again
                await asyncio.to_thread(path.unlink, missing_ok=True)

    async def list_settled(self) -> list[str]:
        """The files that aren't expected: each is in the database by now, or a stray."""
        names = {entry.name.removesuffix(_PART) for entry in await asyncio.to_thread(self._entries)}
        # Only names that this class makes up: somebody may have put other files here.
        return [name for name in names - self._expected if _OURS.fullmatch(name)]

    async def _do(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What the disk does, in a thread. Raises StorageFailed."""
        try:
            return await asyncio.to_thread(function, *args, **kwargs)
        except OSError as error:
            raise _failed(self._path, error) from error

    def _entries(self) -> list[os.DirEntry[str]]:
        with os.scandir(self._path) as entries:
            return list(entries)


class _Part:
    """A file under way. Its methods run in threads; a cancelled request leaves one running, so they take turns."""

    def __init__(self, directory: Path, stored_name: str) -> None:
        self.size = 0
        self._hash = hashlib.sha256()
        self._final = directory / stored_name
        self._path = directory / f"{stored_name}{_PART}"
        self._file: BufferedWriter | None = None
        self._discarded = False
        self._turn = Lock()

    def open(self) -> None:
        with self._turn:
            if not self._discarded:
                self._file = self._path.open("xb")

    def write(self, chunk: bytes) -> None:
        with self._turn:
            if self._file is None:
                return
            if shutil.disk_usage(self._path.parent).free < RESERVE + len(chunk):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._file.write(chunk)
            self._hash.update(chunk)
            self.size += len(chunk)

    def complete(self) -> StoredFile:
        with self._turn:
            if self._file is not None:
                self._file.flush()
                os.fsync(self._file.fileno())
                self._file.close()
                self._file = None
                self._path.rename(self._final)
                _sync_directory(self._final.parent)
            return StoredFile(self._final.name, self.size, self._hash.hexdigest())

    def discard(self) -> None:
        """Remove what isn't complete."""
        with self._turn:
            self._discarded = True
            if self._file is None:
                return
            with suppress(OSError):  # what is left in the buffer may not fit on the disk
                self._file.close()
            self._file = None
            with suppress(OSError):  # it's a stray then
                self._path.unlink()


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _failed(directory: Path, error: OSError) -> StorageFailed:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StorageFailed(f"the disk of {directory} is full; free some space")
    return StorageFailed(f"{directory} can't be written ({error.strerror}); let this user write there")
