"""Named tokens and who is logged in with them, as they are stored."""

from __future__ import annotations

from mcpp.storage.engine import ReaderPool
from mcpp_generated.db.models import Login, Token


async def list_tokens(readers: ReaderPool) -> list[Token]:
    """All of them, the oldest first."""
    async with readers.reader() as q:
        return await q.list_tokens()


async def list_logins(readers: ReaderPool) -> list[Login]:
    """All browsers that are logged in, those included whose time is over."""
    async with readers.reader() as q:
        return await q.list_logins()
