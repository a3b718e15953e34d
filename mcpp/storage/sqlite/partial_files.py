"""Files that are being written beside the one that they will replace: they get its name only when they are whole."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_SUFFIX: Final = ".mcpp-partial"
_COMPANIONS: Final = ("", "-journal", "-wal", "-shm")


@contextmanager
def partial_file(target: Path) -> Iterator[Path]:
    """A new, empty file in the directory of `target`, to be written and moved there; it is gone after the block.

    First removes what killed processes have left in that directory. Raises OSError.
    """
    remove_leftovers(target.parent)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=_SUFFIX, dir=target.parent)
    partial = Path(name)
    try:
        # For as long as this process lives, nobody takes it for a leftover. Closed last: see Claim.take_file.
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield partial
    finally:
        _remove(partial)
        os.close(handle)


def remove_leftovers(directory: Path) -> list[Path]:
    """Removes the partial files of processes that don't live any more; returns them. What can't be removed stays."""
    removed = []
    for file in sorted(directory.glob(f".*{_SUFFIX}")):
        with suppress(OSError):
            handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(file)
                removed.append(file)
            finally:
                os.close(handle)
    return removed


def sync_directory(directory: Path) -> None:
    """A file's new name is on the disk when its directory is. Raises OSError."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(file: Path) -> None:
    for companion in _COMPANIONS:
        file.with_name(f"{file.name}{companion}").unlink(missing_ok=True)
