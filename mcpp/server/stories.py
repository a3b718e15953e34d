"""The story of a session for the API: told from the database alone, on a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from pydantic import JsonValue

from mcpp.domain.session_meter import MOST_READ
from mcpp.server.versions import VOCABULARY
from mcpp.story.json_entries import story_json
from mcpp.story.records import read_transaction
from mcpp.story.timeline import transaction_story
from mcpp_generated.db.queries import Queries


class Stories:
    """Tells one story at a time, so that many requests don't take the interpreter from the chargers."""

    def __init__(self, snapshot: Callable[[], AbstractContextManager[Queries]]) -> None:
        """`snapshot` gives one state of the database."""
        self._snapshot = snapshot
        self._turn = asyncio.Lock()

    async def tell(self, transaction_id: int) -> Mapping[str, JsonValue] | None:
        """The story of a transaction's session as JSON; None where it's unknown."""
        async with self._turn:
            return await asyncio.to_thread(self._tell, transaction_id)

    def _tell(self, transaction_id: int) -> Mapping[str, JsonValue] | None:
        with self._snapshot() as q:
            records = read_transaction(q, transaction_id, VOCABULARY, most_readings=MOST_READ)
        return None if records is None else story_json(transaction_story(records, (), VOCABULARY))
