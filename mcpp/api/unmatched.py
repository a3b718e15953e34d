"""`/unmatched`: stops and meter values that belong to no known transaction, until a person says where they belong."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from mcpp.api.bodies import Assignment, RowKey
from mcpp.api.models import UnmatchedPage
from mcpp.api.problems import documented
from mcpp.api.routes import Routes
from mcpp.api.services import FromServices
from mcpp.api.tables import AS_TABLE, FromTables
from mcpp.api.transaction_models import TransactionDetail
from mcpp.api.transactions import answer_transaction
from mcpp.domain import assignment, unmatched
from mcpp.reads import unmatched as reads
from mcpp.reads.paging import Page, PageQuery
from mcpp.reads.unmatched import Unmatched

router = Routes(prefix="/unmatched", tags=["unmatched"])


@router.get("", response_model=UnmatchedPage, responses=AS_TABLE)
async def list_unmatched(
    services: FromServices, tables: FromTables, query: Annotated[PageQuery, Query()]
) -> Page[Unmatched] | Response:
    """Stops and meter values that belong to no known transaction, the newest first."""
    return await tables.answer_page(query, UnmatchedPage, partial(reads.list_page, services.readers))


@router.post(
    "/{id}/assign",
    response_model=TransactionDetail,
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
    return await answer_transaction(services, wanted.transaction_id)


@router.delete(
    "/{id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
)
async def delete_unmatched(services: FromServices, id: RowKey) -> None:  # noqa: A002
    """Forget it: it belongs nowhere."""
    await services.writer.submit(unmatched.delete, id)
