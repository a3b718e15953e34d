"""Pages of a list that stay right while rows arrive: a cursor is the key of the last item, not a position."""

from __future__ import annotations

import base64
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from mcpp.api.problems import invalid_parameter

Key = TypeVar("Key")
Item = TypeVar("Item")

RowId = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
"""What fits SQLite's INTEGER."""


class PageQuery(BaseModel):
    """Parameters of every list. One that the list doesn't know is an error: a filter misspelt would find too much."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(100, ge=1, le=1000, description="Most items of a page.")
    cursor: str | None = Field(None, max_length=2000, description="next_cursor of the page before.")


class Cursors(Generic[Key]):
    """The cursors of one list: its sort key, made opaque."""

    def __init__(self, key: TypeAdapter[Key]) -> None:
        self._key = key

    def encode(self, key: Key) -> str:
        """The cursor that stands behind the item with this key."""
        return base64.urlsafe_b64encode(self._key.dump_json(key)).rstrip(b"=").decode()

    def decode(self, cursor: str | None, first: Key) -> Key:
        """The key that a page begins behind; `first` where there is no cursor. Raises ApiError (422)."""
        if cursor is None:
            return first
        try:
            # ValueError: no Base64, no UTF-8, no JSON, or another list's key.
            text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            return self._key.validate_json(text)
        except ValueError:
            raise invalid_parameter("query.cursor", "not a cursor of this list") from None


def cut(rows: list[Item], limit: int) -> tuple[list[Item], Item | None]:
    """A page out of up to `limit` + 1 rows, and its last item where more follow."""
    return (rows[:limit], rows[limit - 1]) if len(rows) > limit else (rows, None)
