"""Is the file that the writer writes still the database? Whoever opens its path later must find what was answered.

A file that is open stays usable after it was deleted, moved or replaced; SQLite doesn't notice, nor does it when a copy
is written over it. So before each transaction, and after each commit, the path is looked at.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import struct
from pathlib import Path
from typing import Final, NamedTuple, Self

_HEADER: Final = struct.Struct(">16s H B B 8x I 28x I 36x")
"""The first 100 bytes of a database (https://sqlite.org/fileformat.html#the_database_header)."""

_MAGIC: Final = b"SQLite format 3\x00"
_WAL: Final = 2
"""What stands as file format version for a database in WAL mode."""

_SHARED_BYTES: Final = (0x40000002, 510)
"""Offset and length of SQLite's lock range that must be free for it to bring the WAL back when it closes."""


class Header(NamedTuple):
    """What a database file says of itself."""

    is_wal: bool
    size: int
    """In bytes."""
    run: int
    """The number that the last server wrote into it (SQLite's user_version); 0 in a database that none ever had."""

    @classmethod
    def read(cls, handle: int) -> Self | None:
        """Of an open file; None for one that isn't a database, or is empty."""
        first = os.pread(handle, _HEADER.size, 0)
        if len(first) < _HEADER.size:
            return None
        magic, page_size, write_version, _, pages, run = _HEADER.unpack(first)
        if magic != _MAGIC:
            return None
        return cls(write_version == _WAL, (65536 if page_size == 1 else page_size) * pages, run)


class DatabaseLost(sqlite3.OperationalError):
    """What is written doesn't reach the database any more."""


class FileWatch:
    """Looks after a database and its WAL; used by one thread at a time."""

    def __init__(self, path: Path, handle: int) -> None:
        """`handle`: an open file descriptor of the database, which is in WAL mode and has been written."""
        self._path = os.fspath(path)
        self._wal_path = f"{self._path}-wal"
        self._handle = handle
        self._identity = _identity(os.fstat(handle))
        self._wal_identity = _identity(os.stat(self._wal_path))  # noqa: PTH116  for each batch, and a Path's is slower
        self._run: int | None = None
        self._modified_at = -1
        self._size = 0
        self._ruin: str | None = None

    def expect(self, run: int) -> None:
        """From now on the file has this number."""
        self._run = run
        self._modified_at = -1

    @property
    def is_ruined(self) -> bool:
        """Whether only a restart, after somebody has mended the file, makes it a database again."""
        return self._ruin is not None

    def ruin(self, what: str) -> None:
        """Refuse everything from now on, for good."""
        self._ruin = self._ruin or f"database {self._path} {what}"

    def check(self) -> None:
        """Raises DatabaseLost where the path doesn't lead to this file, or the file holds something else."""
        if self._ruin is not None:
            raise DatabaseLost(self._ruin)
        try:
            found = os.stat(self._path)  # noqa: PTH116
        except OSError as error:
            raise DatabaseLost(
                f"database {self._path} was deleted or moved while the server runs ({error.strerror}): nothing is "
                "stored or answered; put the file back, or stop the server and restore a backup with mcpp restore"
            ) from error
        if _identity(found) != self._identity:
            raise DatabaseLost(
                f"database {self._path} was replaced by another file while the server runs: nothing is stored or "
                "answered; put the old file back, or stop the server and bring the new one with mcpp restore"
            )
        if found.st_mtime_ns != self._modified_at:
            self._look_inside(found)

    def check_wal(self) -> None:
        """As `check`, and raises DatabaseLost where the path of the WAL doesn't lead to the one that is written."""
        self.check()
        try:
            found = _identity(os.stat(self._wal_path))  # noqa: PTH116
        except OSError:
            found = None
        if found != self._wal_identity:
            raise DatabaseLost(
                f"{self._wal_path} was deleted, moved or replaced while the server runs: nothing is stored or "
                "answered; put it back, or stop the server, which brings what it holds into the database"
            )

    def keep_wal(self) -> None:
        """Let SQLite leave the WAL as it is when it closes: it mustn't be brought into a file that isn't its own."""
        offset, length = _SHARED_BYTES
        # An open file description's lock: unlike POSIX's it also counts against this process.
        lock = struct.pack("hhqqi4x", fcntl.F_RDLCK, os.SEEK_SET, offset, length, 0)
        fcntl.fcntl(self._handle, fcntl.F_OFD_SETLK, lock)

    def _look_inside(self, found: os.stat_result) -> None:
        """Somebody wrote into the file: a checkpoint keeps its number, its mode and its size, a copy doesn't."""
        fault = self._fault(found.st_size) and self._fault(os.fstat(self._handle).st_size)
        if fault is not None:
            self.ruin(
                f"was {fault} while the server runs: nothing is stored or answered; stop the server and restore a "
                "backup with mcpp restore"
            )
            raise DatabaseLost(self._ruin)
        self._modified_at = found.st_mtime_ns
        self._size = found.st_size

    def _fault(self, size: int) -> str | None:
        header = Header.read(self._handle)
        # A database that has never been checkpointed is empty, all of it is in the WAL.
        if header is None:
            return "truncated or overwritten" if self._size else None
        if not header.is_wal or (self._run is not None and header.run != self._run):
            return "overwritten"
        return "truncated" if size < self._size and size < header.size else None


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
