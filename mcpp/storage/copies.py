"""Copies of the live database, for whoever downloads one."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol


class CopyRefused(Exception):
    """There is no copy; the message says why and how to get one."""


class CopyUnderWay(CopyRefused):
    """Another one is being made or fetched."""


class NoRoom(CopyRefused):
    """The disk has no room for one."""


class DatabaseCopies(Protocol):
    """Makes copies beside the database, one at a time."""

    def take(self) -> AbstractAsyncContextManager[Path]:
        """Lends the file of a new copy, which is checked, for the length of the block. Raises CopyRefused."""
        ...
