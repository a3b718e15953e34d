"""`/unmatched`: stops and meter values that belong to no known transaction, until a person says where they belong."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import TypeAdapter
from starlette.responses import Response

from mcpp.api.answers import as_json
from mcpp.api.bodies import Assignment, RowKey
from mcpp.api.models import Transaction, Unmatched, UnmatchedPage
from mcpp.api.paging import Cursors, PageQuery, RowId, cut
from mcpp.api.problems import documented
from mcpp.api.services import FromServices
from mcpp.api.transaction_rows import row_of
from mcpp.api.transactions import find_transaction
from mcpp.domain import assignment, unmatched
from mcpp_generated.db import readers
from mcpp_generated.db.models import UnmatchedRecord

router = APIRouter(prefix="/unmatched", tags=["unmatched"])

_CURSORS = Cursors(TypeAdapter(tuple[RowId]))

_NEWEST = (2**63 - 1,)


@router.get("", response_model=UnmatchedPage)
async def list_unmatched(services: FromServices, query: Annotated[PageQuery, Query()]) -> UnmatchedPage:
    """Stops and meter values that belong to no known transaction, the newest first."""
    (before_id,) = _CURSORS.decode(query.cursor, _NEWEST)
    async with services.readers.connection() as connection:
        rows = await readers.list_unmatched(connection, before_id=before_id, page_size=query.limit + 1)
    page, last = cut(rows, query.limit)
    return UnmatchedPage(
        items=[_unmatched(row) for row in page],
        next_cursor=_CURSORS.encode((last.id,)) if last is not None else None,
    )


@router.post(
    "/{id}/assign",
    response_model=Transaction,
    responses=documented(
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
)
async def assign_unmatched(services: FromServices, id: RowKey, wanted: Assignment) -> Response:  # noqa: A002
    """File it with a transaction of the same charge point: samples are added, a stop closes it."""
    await services.change(assignment.assign, id, wanted.transaction_id, services.read_unmatched)
    return as_json(row_of(await find_transaction(services, wanted.transaction_id)))


@router.delete(
    "/{id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
)
async def delete_unmatched(services: FromServices, id: RowKey) -> None:  # noqa: A002
    """Forget it: it belongs nowhere."""
    await services.writer.submit(unmatched.delete, id)


def _unmatched(row: UnmatchedRecord) -> Unmatched:
    return Unmatched(
        id=row.id,
        charge_point_id=row.charge_point_id,
        kind=row.kind,
        claimed_transaction_id=row.claimed_transaction_id,
        payload=json.loads(row.payload),
        received_at=row.received_at,
    )
