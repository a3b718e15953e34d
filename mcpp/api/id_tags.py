"""`/id-tags`: who may charge. Compared without regard to case (CiString), kept as written."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import Query, Response
from starlette.convertors import Convertor, register_url_convertor

from mcpp.api import models
from mcpp.api.bodies import NewIdTag, WantedIdTag
from mcpp.api.problems import documented, found
from mcpp.api.routes import Routes
from mcpp.api.services import ApiServices, FromServices
from mcpp.api.tables import AS_TABLE, FromTables
from mcpp.domain import id_tags
from mcpp.reads import id_tags as reads
from mcpp.reads.paging import Page, PageQuery
from mcpp_generated.db.models import IdTag, ListUnknownIdTagsRow


class _StoredIdTag(Convertor[str]):
    """A tag may hold a slash; what has a path of its own is none."""

    regex = "(?!unknown$).*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("stored_id_tag", _StoredIdTag())

router = Routes(prefix="/id-tags", tags=["id tags"])

_CHANGED = documented(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.SERVICE_UNAVAILABLE)
_UNKNOWN = documented(HTTPStatus.NOT_FOUND)


@router.get("", response_model=models.IdTagPage, responses=AS_TABLE)
async def list_id_tags(
    services: FromServices, tables: FromTables, query: Annotated[PageQuery, Query()]
) -> Page[IdTag] | Response:
    """Stored id tags."""
    return await tables.answer_page(query, models.IdTagPage, partial(reads.list_page, services.readers))


@router.get("/unknown", response_model=models.UnknownIdTagPage, responses=AS_TABLE)
async def list_unknown_id_tags(
    services: FromServices, tables: FromTables, query: Annotated[PageQuery, Query()]
) -> Page[ListUnknownIdTagsRow] | Response:
    """Cards that were presented and aren't stored, or were refused: the newest 1,000, those presented last first.

    A card appears within a second or so, and is gone once its tag is stored as accepted. Auto-start's tag isn't listed.
    This path is no tag's: a tag of the name `unknown` is stored, read and forgotten in another letter case, as
    `/id-tags/UNKNOWN`.
    """
    return await tables.answer_page(query, models.UnknownIdTagPage, partial(reads.list_unknown, services.readers))


@router.get("/{id_tag:stored_id_tag}", response_model=models.IdTag, responses=_UNKNOWN)
async def get_id_tag(services: FromServices, id_tag: str) -> IdTag:
    """One id tag."""
    return await _find(services, id_tag)


@router.put(
    "/{id_tag:stored_id_tag}",
    response_model=models.IdTag,
    responses={HTTPStatus.CREATED: {"model": models.IdTag, "description": "It is a new one."}, **_CHANGED},
)
async def put_id_tag(services: FromServices, response: Response, id_tag: NewIdTag, wanted: WantedIdTag) -> IdTag:
    """Store an id tag, or replace all that is stored of one."""
    tag = id_tags.StoredTag(
        id_tag, wanted.status, wanted.expiry_date, wanted.parent_id_tag, wanted.note, wanted.token_type
    )
    if await services.writer.submit(id_tags.put, tag):
        response.status_code = HTTPStatus.CREATED
    return await _find(services, id_tag)


@router.delete(
    "/{id_tag:stored_id_tag}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=_UNKNOWN | documented(HTTPStatus.SERVICE_UNAVAILABLE),
)
async def delete_id_tag(services: FromServices, id_tag: str) -> None:
    """Forget an id tag; its transactions stay."""
    await services.writer.submit(id_tags.delete, id_tag)


async def _find(services: ApiServices, id_tag: str) -> IdTag:
    return found(await reads.find(services.readers, id_tag), f"no id tag {id_tag!r} is stored")
