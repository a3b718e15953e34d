"""Copies of the database that this process serves by; a command's way is a guest's (`guests`).

A guest looks into the file by itself, which in this process would take SQLite's locks away: POSIX gives up all locks
of a process on a file when any of its descriptors is closed.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, closing, suppress
from functools import partial
from pathlib import Path
from typing import Final

from mcpp.phrases import Phrase, reworded
from mcpp.storage.copies import CopyRefused, CopyUnderWay, NoRoom
from mcpp.storage.engine import DatabaseUnusable
from mcpp.storage.sqlite.database import existing_uri
from mcpp.storage.sqlite.guests import TIMEOUT_SECONDS, CopyFailed, Guest
from mcpp.storage.sqlite.partial_files import partial_file

_RESERVE: Final = 64 << 20
"""Bytes that stay free on the disk, for what chargers send meanwhile."""

_PATIENCE: Final = 3.0
"""Seconds to wait for the end of another one: whoever has all of it may ask again before its file is gone."""

_MIB: Final = 1 << 20


def _free_bytes(directory: Path) -> int:
    return shutil.disk_usage(directory).free


class SqliteCopies:
    """Implements `mcpp.storage.copies.DatabaseCopies`. Belongs to the event loop."""

    def __init__(self, path: Path, free_bytes: Callable[[Path], int] = _free_bytes) -> None:
        """`free_bytes` says how many a directory's disk has left."""
        self._path = path
        self._free_bytes = free_bytes
        # One of its own: the end of the server doesn't wait for it, the next start removes what it leaves.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mcpp-copy")
        self._taken = asyncio.Lock()

    @asynccontextmanager
    async def take(self) -> AsyncIterator[Path]:
        """See DatabaseCopies."""
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._taken.acquire()
        except TimeoutError:
            raise CopyUnderWay(Phrase("a backup is being downloaded; try again when that is done")) from None
        held = ExitStack()
        try:
            yield await asyncio.shield(asyncio.wrap_future(self._thread.submit(self._make, held)))
        finally:
            # In the same thread, so after the copy is made, though nobody waits for it any more.
            closed = self._thread.submit(held.close)
            closed.add_done_callback(partial(self._free, asyncio.get_running_loop()))
            await asyncio.shield(asyncio.wrap_future(closed))

    def _free(self, loop: asyncio.AbstractEventLoop, _: Future[None]) -> None:
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(self._taken.release)

    def _make(self, held: ExitStack) -> Path:
        """The file of a new copy, which `held` removes."""
        directory = self._path.parent
        try:
            with closing(sqlite3.connect(existing_uri(self._path), uri=True, timeout=TIMEOUT_SECONDS)) as connection:
                connection.isolation_level = None
                connection.execute("PRAGMA query_only = ON")
                self._check_room(connection, directory)
                copy = held.enter_context(partial_file(directory / "download"))
                Guest(connection).copy_to(copy)
        except BaseException as error:
            held.close()
            if isinstance(error, (CopyFailed, DatabaseUnusable, sqlite3.Error, OSError)):
                raise CopyRefused(_copy_failed(error)) from error
            raise
        return copy

    def _check_room(self, connection: sqlite3.Connection, directory: Path) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        (page_size,) = connection.execute("PRAGMA page_size").fetchone()
        needed, free = pages * page_size + _RESERVE, self._free_bytes(directory)
        if free < needed:
            text = Phrase(
                "a copy of the database needs {needed} MiB on the disk of {directory}, which has {free} MiB left; make "
                "room there, or let mcpp backup write to another disk",
                needed=-(-needed // _MIB),
                directory=str(directory),
                free=free // _MIB,
            )
            raise NoRoom(text)


def _copy_failed(error: BaseException) -> Phrase:
    text = f"the database can't be copied: {error}"
    return reworded(text, "the database can't be copied: “{original}”", original=str(error))
