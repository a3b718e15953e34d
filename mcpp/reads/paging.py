"""Pages of a list that stay right while rows arrive: a cursor is the key of the last item, not a position."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, Generic, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from mcpp.bounds import PAGE
from mcpp.reads.csv_text import DIALECTS, Dialect
from mcpp.reads.zones import TimeZone

Key = TypeVar("Key")
Row = TypeVar("Row")
Item = TypeVar("Item")
Shown = TypeVar("Shown")

RowId = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
"""What fits SQLite's INTEGER."""

NEWEST_ID: Final = 2**63 - 1
"""Before it come all rows of a list that begins with the newest."""


_PORTION: Final = 250
"""Rows that are read at once where they may be large."""

_LONGEST_PART: Final = 1_000
_LAST: Final = "\U0010ffff"
"""The character behind all others."""


def size_of_texts(row: object) -> int:
    """About the bytes of a row's texts."""
    return sum([len(value) for value in row if isinstance(value, str)]) if isinstance(row, tuple) else 0


class BadCursor(Exception):
    """A cursor that isn't one of the list's."""


class Format(StrEnum):
    """What an answer is written in."""

    JSON = "json"
    CSV = "csv"


class FormatQuery(BaseModel):
    """Parameters of whatever is a table. One that it lacks is an error: a filter misspelt would find too much."""

    model_config = ConfigDict(extra="forbid")

    format: Format | None = Field(
        None, description="For links, which can't send the header `Accept`; it comes before that."
    )
    dialect: Dialect = Field(
        Dialect.STANDARD,
        description=f"Of CSV. {DIALECTS}",
    )
    timezone: TimeZone | None = Field(
        None, description="Whose local times Excel gets; the server's own where none is given."
    )


class PageQuery(FormatQuery):
    """Parameters of every list."""

    limit: int = Field(100, ge=1, le=1000, description="Most items of a page.")
    cursor: str | None = Field(None, max_length=8000, description="next_cursor of the page before.")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """A part of a list, and the cursor of what follows; None at the list's end."""

    items: list[Item]
    next_cursor: str | None

    def map(self, show: Callable[[Item], Shown]) -> Page[Shown]:
        """The same page, its items as `show` has them."""
        return Page([show(item) for item in self.items], self.next_cursor)


class Cursors(Generic[Row, Key]):
    """The cursors of one list: its sort key, made opaque."""

    def __init__(self, kind: TypeAdapter[Key], first: Key, key_of: Callable[[Row], Key]) -> None:
        """`first` is the key that the list begins behind."""
        self._kind = kind
        self._first = first
        self._key_of = key_of

    def start(self, query: PageQuery) -> Key:
        """The key that a page begins behind. Raises BadCursor."""
        if query.cursor is None:
            return self._first
        try:
            # ValueError: no Base64, no UTF-8, no JSON, or another list's key.
            padded = query.cursor + "=" * (-len(query.cursor) % 4)
            return self._kind.validate_json(base64.b64decode(padded, altchars=b"-_", validate=True))
        except ValueError:
            raise BadCursor("not a cursor of this list") from None

    def page(self, rows: list[Row], query: PageQuery) -> Page[Row]:
        """A page out of up to `limit` + 1 rows: one more than it holds shows that others follow."""
        items = rows[: query.limit]
        return Page(items, self._encode(self._key_of(items[-1])) if len(rows) > query.limit else None)

    async def read(
        self,
        query: PageQuery,
        fetch: Callable[[Key, int], Awaitable[list[Row]]],
        size_of: Callable[[Row], int] = size_of_texts,
        at_once: int = _PORTION,
    ) -> Page[Row]:
        """A page of rows that may be large: it ends early, before they are over `bounds.PAGE`. Raises BadCursor.

        `fetch` gives the rows behind a key, so many at most, never more than `at_once`; `size_of` is about the bytes
        of one.
        """
        after = self.start(query)
        rows: list[Row] = []
        fitting = size = 0
        while len(rows) <= query.limit and size <= PAGE:
            wanted = min(at_once, query.limit + 1 - len(rows))
            portion = await fetch(after, wanted)
            for row in portion:
                size += size_of(row)
                fitting += size <= PAGE
            rows += portion
            if len(portion) < wanted:
                break
            after = self._key_of(rows[-1])
        items = rows[: max(1, min(fitting, query.limit))]
        return Page(items, self._encode(self._key_of(items[-1])) if len(rows) > len(items) else None)

    def _encode(self, key: Key) -> str:
        if isinstance(key, tuple):
            key = cast("Key", tuple(map(_shortened, key)))
        return base64.urlsafe_b64encode(self._kind.dump_json(key)).rstrip(b"=").decode()


def _shortened(part: object) -> object:
    """A key's long text as one that is behind all texts which begin like it: a cursor goes into a URL."""
    return part[:_LONGEST_PART] + _LAST if isinstance(part, str) and len(part) > _LONGEST_PART else part


def by_name(name_of: Callable[[Row], str]) -> Cursors[Row, tuple[str]]:
    """The cursors of a list in the order of a text."""
    return Cursors(TypeAdapter(tuple[str]), ("",), lambda row: (name_of(row),))


def newest_first(id_of: Callable[[Row], int]) -> Cursors[Row, tuple[RowId]]:
    """The cursors of a list whose rows get ever larger ids, the newest first."""
    return Cursors(TypeAdapter(tuple[RowId]), (NEWEST_ID,), lambda row: (id_of(row),))
