"""Can this server do its work? What `GET /readyz` asks of the storage."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Final, TypeVar

from mcpp.storage.database import DatabaseUnusable, touch
from mcpp.storage.migrations import pending_migrations
from mcpp.storage.writer import WriteFailed, Writer

Q = TypeVar("Q")

TIMEOUT_SECONDS: Final = 2.0
"""A disk that takes longer is no place for a charger's messages."""


async def check_writable(writer: Writer[Q], within: float = TIMEOUT_SECONDS) -> dict[str, str]:
    """Each check's name, `database` and `schema`, with `"ok"` or what is wrong.

    Writes and commits for real, in the batch of whatever else is being stored: only that finds a full disk. An answer
    comes within `within` seconds, even from a disk that hangs.
    """
    try:
        async with asyncio.timeout(within):
            schema = await writer.submit_sql(_write_and_compare)
    except TimeoutError:
        return {"database": f"no write within {within:g} s", "schema": "unknown"}
    except WriteFailed as error:
        return {"database": str(error), "schema": "unknown"}
    return {"database": "ok", "schema": schema}


def _write_and_compare(connection: sqlite3.Connection) -> str:
    """Writes, and says whether the schema is current."""
    touch(connection)
    try:
        pending = pending_migrations(connection)
    except DatabaseUnusable as error:
        return str(error)
    return f"pending: {', '.join(map(str, pending))}" if pending else "ok"
