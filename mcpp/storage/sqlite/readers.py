"""The pool of connections that read beside the writer."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final, Self

import aiosqlite

from mcpp.storage.sqlite.database import BUSY_TIMEOUT_SECONDS, CACHED_STATEMENTS, errors_explained, existing_uri
from mcpp_generated.db.sqlite.readers import SqliteReaders

READERS: Final = 4
"""Two long exports at once leave two to the API; each costs a thread and up to 2 MiB of page cache."""


class SqliteReaderPool:
    """Implements `mcpp.storage.engine.ReaderPool`; opened after the migrations."""

    def __init__(self) -> None:
        self._connections: list[aiosqlite.Connection] = []
        # Last in, first out: the connection with the warmest page cache serves next.
        self._idle: asyncio.LifoQueue[aiosqlite.Connection] = asyncio.LifoQueue()

    @classmethod
    async def open(cls, path: Path, size: int = READERS) -> Self:
        """Opens `size` connections. Raises DatabaseUnusable."""
        pool = cls()
        with errors_explained(path):
            try:
                for _ in range(size):
                    await pool._add(path)
            except sqlite3.Error:
                await pool.close()
                raise
        return pool

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[SqliteReaders]:
        """Lends a connection for the length of the block; waits for one while all are lent."""
        async with self.connection() as connection:
            yield SqliteReaders(connection)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[aiosqlite.Connection]:
        """As `reader`, the bare connection. Close cursors: an open one pins the WAL."""
        connection = await self._idle.get()
        try:
            yield connection
        finally:
            self._idle.put_nowait(connection)

    async def close(self) -> None:
        """Closes all connections; queries that still run end with sqlite3.OperationalError. May be called again."""
        connections, self._connections = self._connections, []
        for connection in connections:
            closing = asyncio.ensure_future(connection.close())  # waits for what was asked of the connection before
            while not closing.done():
                # Reaches only what runs at this moment, so again until nothing does.
                with suppress(ValueError, sqlite3.ProgrammingError):  # closed by now
                    await connection.interrupt()
                await asyncio.wait({closing}, timeout=0.01)
            await closing

    async def _add(self, path: Path) -> None:
        connection = await aiosqlite.connect(
            existing_uri(path),
            uri=True,
            timeout=BUSY_TIMEOUT_SECONDS,
            isolation_level=None,
            cached_statements=CACHED_STATEMENTS,
        )
        self._connections.append(connection)
        await connection.execute("PRAGMA query_only = ON")
        await connection.execute_fetchall("SELECT 1 FROM sqlite_schema LIMIT 1")  # SQLite opens lazily: now
        self._idle.put_nowait(connection)
