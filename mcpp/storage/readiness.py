"""Can this server do its work? What `GET /readyz` asks of the storage."""

from __future__ import annotations

import asyncio
from typing import Final, TypeVar

from mcpp.storage.pending import WriteFailed
from mcpp.storage.writer import Writer

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
            schema = await writer.probe()
    except TimeoutError:
        return {"database": f"no write within {within:g} s", "schema": "unknown"}
    except WriteFailed as error:
        return {"database": str(error), "schema": "unknown"}
    return {"database": "ok", "schema": schema}
