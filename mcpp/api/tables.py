"""Lists and reports as CSV, the same way for all of them: by `Accept: text/csv`, or `format=csv` for links.

An endpoint of a list takes `FromTables` and returns what `answer_page` makes of its read function: a page for JSON, or
the whole list as a file, read a page at a time while it's sent. `answer_whole` is for a list that has no pages.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Annotated, Any, Final, TypeVar, get_args

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel
from pydantic_core import to_jsonable_python
from starlette.responses import StreamingResponse

from mcpp.api import models
from mcpp.reads.csv_text import CsvText, Value
from mcpp.reads.paging import Format, FormatQuery, Page, PageQuery

Row = TypeVar("Row")
Query = TypeVar("Query", bound=PageQuery)

_CSV: Final = "text/csv"

_STEP: Final = 200
"""Rows of one step: a few milliseconds, in which the server does nothing else."""

AS_TABLE: Final[dict[int | str, dict[str, Any]]] = {
    HTTPStatus.OK: {
        "content": {_CSV: {"schema": {"type": "string"}}},
        "description": "As CSV all that the filters let through, safe to open in a spreadsheet, and no page: `limit` "
        "is for the whole.",
    }
}
"""For OpenAPI: an answer that may be CSV."""


@dataclass(frozen=True, slots=True)
class Tables:
    """How one request's list or report is answered."""

    name: str
    accept: str

    async def answer_page(
        self,
        query: Query,
        shown: type[models.Page[Any]],
        read: Callable[[Query], Awaitable[Page[Row]]],
        values: Callable[[Row], Mapping[str, Value]] | None = None,
    ) -> Page[Row] | Response:
        """A page of a list, or all of it as CSV, with the columns of the model `shown`.

        `values` are a row's by column, where they aren't to be read through the model. Raises what `read` raises.
        """
        if not self.wants_csv(query):
            return await read(query)
        item = _item_of(shown)
        wanted = query.limit if "limit" in query.model_fields_set else None
        first = await read(query.model_copy(update={"limit": _step(wanted)}))

        async def steps() -> AsyncIterator[Iterable[Mapping[str, Value]]]:
            page, left = first, wanted
            show = values or (lambda row: _values(item, row))
            while True:
                yield map(show, page.items)
                left = None if left is None else left - len(page.items)
                if page.next_cursor is None or left == 0:
                    return
                page = await read(query.model_copy(update={"limit": _step(left), "cursor": page.next_cursor}))

        return self.answer_csv(query, list(item.model_fields), steps(), readable=_numbers_of(item))

    def answer_whole(
        self, query: FormatQuery, item: type[BaseModel], rows: Sequence[Row]
    ) -> dict[str, Sequence[Row]] | Response:
        """A list without pages, or the same as CSV, with the columns of the model `item`."""
        if not self.wants_csv(query):
            return {"items": rows}

        async def steps() -> AsyncIterator[Iterable[Mapping[str, Value]]]:
            yield (_values(item, row) for row in rows)

        return self.answer_csv(query, list(item.model_fields), steps(), readable=_numbers_of(item))

    def answer_csv(
        self,
        query: FormatQuery,
        columns: Sequence[str],
        steps: AsyncIterator[Iterable[Mapping[str, Value]]],
        *,
        readable: Iterable[str] = (),
    ) -> Response:
        """A file of rows that come in steps; `readable` as for CsvText."""
        text = CsvText(columns, query.dialect, query.timezone, readable=frozenset(readable))
        headers = {"Content-Disposition": f'attachment; filename="{self.name}.csv"', "Vary": "Accept"}
        return StreamingResponse(_lines(text, steps), media_type=_CSV, headers=headers)

    def wants_csv(self, query: FormatQuery) -> bool:
        """Whether the request asks for CSV."""
        return query.format is Format.CSV or (query.format is None and _prefers_csv(self.accept))


async def _of_request(
    request: Request, response: Response, accept: Annotated[str, Header(include_in_schema=False)] = ""
) -> Tables:
    response.headers["Vary"] = "Accept"
    *_, name = (part for part in request.scope["route"].path.split("/") if not part.startswith("{"))
    return Tables(name, accept)


FromTables = Annotated[Tables, Depends(_of_request)]


async def _lines(text: CsvText, steps: AsyncIterator[Iterable[Mapping[str, Value]]]) -> AsyncIterator[bytes]:
    yield text.head().encode()
    async for rows in steps:
        # A charger's text may hold half a surrogate pair, which has no UTF-8.
        yield "".join(map(text.line, rows)).encode(errors="backslashreplace")


def _step(left: int | None) -> int:
    return _STEP if left is None else min(left, _STEP)


@cache
def _item_of(shown: type[models.Page[Any]]) -> type[BaseModel]:
    """What a page's model has as its items."""
    (item,) = get_args(shown.model_fields["items"].annotation)
    assert isinstance(item, type)
    assert issubclass(item, BaseModel)
    return item


@cache
def _numbers_of(item: type[BaseModel]) -> frozenset[str]:
    return frozenset(name for name, field in item.model_fields.items() if models.A_NUMBER in field.metadata)


def _values(item: type[BaseModel], row: object) -> dict[str, Value]:
    shown = item.model_validate(row, from_attributes=True)
    return {name: _value(getattr(shown, name)) for name in item.model_fields}


def _value(value: Any) -> Value:
    """As CsvText takes it: what consists of others as JSON has it."""
    is_whole = isinstance(value, BaseModel | Mapping | list | tuple)
    whole: Value = to_jsonable_python(value) if is_whole else value
    return whole


def _prefers_csv(accept: str) -> bool:
    """Whether CSV is asked for by name, and JSON isn't rather (RFC 9110 §12.5.1)."""
    weights = {_CSV: 0.0, "application/json": 0.0}
    for media_range in accept.lower().split(","):
        name, *parameters = (part.strip() for part in media_range.split(";"))
        if name in weights:
            weight = next((p[2:] for p in parameters if re.fullmatch(r"q=[01](\.\d{0,3})?", p)), "1")
            weights[name] = float(weight)
    return 0 < weights[_CSV] >= weights["application/json"]
