"""The log in a file: of a bounded size, with so many older ones beside it, for `mcpp trace`.

The standard library's handlers write records, not finished lines, and say nothing of what a full disk has cost.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

_FOR_ITS_OWNER: Final = 0o600


class RotatedFile:
    """FILE, which becomes FILE.1 when it's full, while FILE.1 becomes FILE.2 and so on. Used by one thread at a time.

    What can't be written is lost: its writer counts it. `say` is told once when that begins and once when it's over.
    """

    def __init__(self, path: Path, *, size: int, count: int, say: Callable[[str, str], None]) -> None:
        """`size` in bytes; `count` of the older ones. Opens the file: raises OSError.

        `say` gets the name of what happened and why.
        """
        self._path = path
        self._size = size
        self._count = count
        self._say = say
        self._fd: int | None = None
        self._is_failing = False
        self._open()

    def write_all(self, data: bytes) -> int:
        """How many bytes could be written."""
        done = 0
        try:
            fd = self._ready_for(len(data))
            while done < len(data):
                done += os.write(fd, data[done:])
        except OSError as error:
            if not self._is_failing:
                self._is_failing = True
                self._say("log_file_failed", error.strerror or str(error))
            return done
        if self._is_failing:
            self._is_failing = False
            self._say("log_file_works_again", "")
        return done

    def _ready_for(self, more: int) -> int:
        """The open file, with room for so many bytes more."""
        fd = self._open() if self._fd is None or self._is_elsewhere(self._fd) else self._fd
        size = os.fstat(fd).st_size
        if size and size + more > self._size:
            self._rotate()
            fd = self._open()
        return fd

    def _is_elsewhere(self, fd: int) -> bool:
        """Whether somebody has removed or replaced it."""
        try:
            there = self._path.stat()
        except FileNotFoundError:
            there = None
        here = os.fstat(fd)
        if there is not None and (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino):
            return False
        self._close()
        self._say("log_file_replaced", "it was moved or removed, and is begun anew")
        return True

    def _rotate(self) -> None:
        self._close()
        if not self._count:
            self._path.unlink()
            return
        for number in range(self._count - 1, 0, -1):
            with suppress(FileNotFoundError):
                self._numbered(number).replace(self._numbered(number + 1))
        self._path.replace(self._numbered(1))

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def _open(self) -> int:
        # Without waiting: the path may have become a pipe's.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
        self._fd = os.open(self._path, flags, _FOR_ITS_OWNER)
        return self._fd

    def _close(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)


def rotated_files(path: Path) -> list[Path]:
    """A log file with the older ones beside it, compressed or not, the newest first."""
    prefix = f"{path.name}."
    older: list[tuple[int, Path]] = []
    with suppress(OSError):
        for other in path.parent.iterdir():
            number = other.name.removeprefix(prefix).removesuffix(".gz")
            if other.name.startswith(prefix) and number.isascii() and number.isdigit():
                older.append((int(number), other))
    return [path, *(other for _, other in sorted(older))]
