"""The claim of a process on a database: by its name, and by the file itself, whatever else it is called.

The name is claimed by a lock on `<database>.lock`, a file that stays. It also says what must be known about the
database when that is gone or an older one was put in its place.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, Self

from mcpp.storage.engine import DatabaseUnusable

PRIVATE: Final = 0o600
"""The mode of all files of a database: it holds who charged when and where, and hashes of passwords."""

_RECORD_SIZE: Final = 256
"""Bytes: always written whole, within one block of the disk."""

_TAKEN: Final = frozenset({errno.EAGAIN, errno.EACCES})


@dataclass(frozen=True, slots=True)
class LockRecord:
    """What the lock file says."""

    pid: int | None = None
    """Of the process that has, or last had, the claim."""
    run: int | None = None
    """The number that the last server wrote into the database; None where none ever had one here."""
    next_run: int | None = None
    """The number that a server was about to write."""
    given: int = 0
    """The highest transaction id that was ever given to a charger."""

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Whatever can't be read says nothing."""
        with suppress(ValueError, AttributeError, TypeError):
            found = json.loads(content)
            numbers = {name: found.get(name) for name in ("pid", "run", "next_run", "given")}
            return cls(**{name: int(number) for name, number in numbers.items() if number is not None})
        return cls()

    @property
    def runs(self) -> set[int]:
        """The numbers that the database may have, if it's the one that was last used here."""
        return {run for run in (self.run, self.next_run) if run is not None}

    def content(self) -> bytes:
        told = {name: value for name, value in asdict(self).items() if value is not None}
        return json.dumps(told).encode().ljust(_RECORD_SIZE - 1) + b"\n"


def lock_path_of(path: Path) -> Path:
    """The lock file of a database."""
    return path.with_name(f"{path.name}.lock")


def read_record(path: Path) -> LockRecord:
    """What the lock file of a database says, without claiming it."""
    try:
        return LockRecord.parse(lock_path_of(path).read_bytes()[:_RECORD_SIZE])
    except OSError:
        return LockRecord()


class Claim:
    """An exclusive claim; the kernel drops it however the process ends."""

    def __init__(self, path: Path, lock_handle: int, record: LockRecord) -> None:
        self.path = path
        self.record = record
        self._lock_handle = lock_handle
        self.file: int | None = None
        """A descriptor of the database itself, once that is claimed too."""
        self._index: int | None = None

    @classmethod
    def take(cls, path: Path) -> Self:
        """Claim the name. Raises DatabaseUnusable."""
        if not path.parent.is_dir():
            raise DatabaseUnusable(
                f"database {path}: the directory {path.parent} does not exist; create it or choose another database"
            )
        if path.is_dir():
            raise DatabaseUnusable(f"database {path} is a directory; give the path of a file in it")
        lock_path = lock_path_of(path)
        try:
            handle = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
        except OSError as error:
            raise unusable_file(path, lock_path, error) from error
        record = LockRecord.parse(os.pread(handle, _RECORD_SIZE, 0))
        claim = cls(path, handle, replace(record, pid=os.getpid()))
        try:
            _lock(handle, path, record)
            claim.note(claim.record)
        except OSError as error:
            claim.release()
            raise unusable_file(path, lock_path, error) from error
        except BaseException:
            claim.release()
            raise
        return claim

    def take_file(self) -> int:
        """Claim the file too, which may have other names; made where there is none. Raises DatabaseUnusable."""
        try:
            self.file = os.open(self.path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
            # Not in the way of SQLite's locks, which are POSIX's. Those of the whole process would be dropped when
            # this descriptor is closed, so it is held until SQLite has closed its own.
            _lock(self.file, self.path, LockRecord())
        except OSError as error:
            raise unusable_file(self.path, self.path, error) from error
        return self.file

    def open_index(self) -> int:
        """A descriptor of the WAL's index, of a database that is open; held as long as the file's. Raises OSError."""
        if self._index is None:
            self._index = os.open(f"{self.path}-shm", os.O_RDONLY | os.O_CLOEXEC)
        return self._index

    def note(self, record: LockRecord) -> None:
        """Change what the lock file says. Raises OSError."""
        self.record = record
        os.pwrite(self._lock_handle, record.content(), 0)

    def sync(self) -> None:
        """Have the disk hold what was noted. Raises OSError."""
        os.fsync(self._lock_handle)

    def release(self) -> None:
        """Give the claim up."""
        for handle in (self._index, self.file, self._lock_handle):
            if handle is not None:
                os.close(handle)


def _lock(handle: int, path: Path, holder: LockRecord) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _TAKEN:
            raise
        who = f"pid {holder.pid}" if holder.pid else "by another name of the file"
        raise DatabaseUnusable(
            f"database {path} is in use by another mcpp process ({who}); "
            "stop that one or give this one a database of its own",
            passes=True,
        ) from None


def unusable_file(path: Path, file: Path, error: OSError) -> DatabaseUnusable:
    """What to tell where the system refuses a file of the database."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            remedy = "free some space"
        case errno.EROFS:
            remedy = "its file system is read-only: mount it for writing"
        case _:
            remedy = "let this user write in that directory or choose another database"
    return DatabaseUnusable(
        f"database {path}: {file} can't be written ({error.strerror}); {remedy}",
        passes=error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EROFS},
    )


def tighten(path: Path) -> list[Path]:
    """Takes the rights of others away from the files of a database; returns those that had some.

    What belongs to somebody else stays as it is.
    """
    tightened = []
    for file in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm"), lock_path_of(path)):
        with suppress(OSError):
            mode = file.stat().st_mode & 0o777
            if mode & ~PRIVATE:
                file.chmod(mode & PRIVATE)
                tightened.append(file)
    return tightened
