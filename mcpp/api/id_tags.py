"""`/id-tags`: who may charge. Compared without regard to case (CiString), kept as written."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import TypeAdapter

from mcpp.api.bodies import NewIdTag, WantedIdTag
from mcpp.api.models import IdTag, IdTagPage
from mcpp.api.paging import Cursors, PageQuery, cut
from mcpp.api.problems import documented, not_found
from mcpp.api.services import ApiServices, FromServices
from mcpp.domain import id_tags
from mcpp_generated.db import models, readers

router = APIRouter(prefix="/id-tags", tags=["id tags"])

_CURSORS = Cursors(TypeAdapter(tuple[str]))

_CHANGED = documented(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.SERVICE_UNAVAILABLE)
_UNKNOWN = documented(HTTPStatus.NOT_FOUND)


@router.get("", response_model=IdTagPage)
async def list_id_tags(services: FromServices, query: Annotated[PageQuery, Query()]) -> IdTagPage:
    """Stored id tags."""
    (after,) = _CURSORS.decode(query.cursor, ("",))
    async with services.readers.connection() as connection:
        rows = await readers.list_id_tags(connection, after=after, page_size=query.limit + 1)
    page, last = cut(rows, query.limit)
    cursor = _CURSORS.encode((last.id_tag,)) if last is not None else None
    return IdTagPage(items=[_id_tag(row) for row in page], next_cursor=cursor)


# A tag may hold a slash, hence the path.
@router.get("/{id_tag:path}", response_model=IdTag, responses=_UNKNOWN)
async def get_id_tag(services: FromServices, id_tag: str) -> IdTag:
    """One id tag."""
    return await _read(services, id_tag)


@router.put(
    "/{id_tag:path}",
    response_model=IdTag,
    responses={HTTPStatus.CREATED: {"model": IdTag, "description": "It is a new one."}, **_CHANGED},
)
async def put_id_tag(services: FromServices, response: Response, id_tag: NewIdTag, wanted: WantedIdTag) -> IdTag:
    """Store an id tag, or all that is said of one anew."""
    tag = id_tags.StoredTag(id_tag, wanted.status, wanted.expiry_date, wanted.parent_id_tag, wanted.note)
    if await services.writer.submit(id_tags.put, tag):
        response.status_code = HTTPStatus.CREATED
    return await _read(services, id_tag)


@router.delete(
    "/{id_tag:path}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=_UNKNOWN | documented(HTTPStatus.SERVICE_UNAVAILABLE),
)
async def delete_id_tag(services: FromServices, id_tag: str) -> None:
    """Forget an id tag; its transactions stay."""
    await services.writer.submit(id_tags.delete, id_tag)


async def _read(services: ApiServices, id_tag: str) -> IdTag:
    async with services.readers.connection() as connection:
        row = await readers.get_id_tag(connection, id_tag=id_tag)
    if row is None:
        raise not_found(f"no id tag {id_tag!r} is stored")
    return _id_tag(row)


def _id_tag(row: models.IdTag) -> IdTag:
    return IdTag(
        id_tag=row.id_tag,
        status=row.status,
        expiry_date=row.expiry_date,
        parent_id_tag=row.parent_id_tag,
        note=row.note,
    )
