"""`/transactions`: what was charged, the samples behind them, and what a person does to a transaction."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import Query, Request
from starlette.responses import Response

from mcpp.api import models
from mcpp.api.answers import as_json
from mcpp.api.bodies import RowKey, WantedCorrection
from mcpp.api.callers import FromCaller
from mcpp.api.commands import ANY_ANSWER, answer_command, answered_by
from mcpp.api.problems import conflict, documented, found
from mcpp.api.routes import Routes
from mcpp.api.services import ApiServices, FromServices
from mcpp.api.tables import AS_TABLE, FromTables
from mcpp.api.transaction_models import TransactionDetail
from mcpp.csms.operations import TransactionIds
from mcpp.domain.closing import close_by_operator
from mcpp.domain.corrections import correct
from mcpp.domain.errors import no_transaction, stopped_before
from mcpp.reads import transactions as reads
from mcpp.reads.paging import Page, PageQuery
from mcpp.reads.samples import Sample, list_samples
from mcpp.reads.transaction_progress import find_progress
from mcpp.reads.transactions import Transaction, TransactionQuery, row_of, values_of

router = Routes(prefix="/transactions", tags=["transactions"])


@router.get("", response_model=models.TransactionPage, responses=AS_TABLE)
async def list_transactions(
    services: FromServices, tables: FromTables, query: Annotated[TransactionQuery, Query()]
) -> Response:
    """Transactions, the newest first.

    `since` and `until` are about when a transaction began. A report counts it to the time when it ended, which
    `ended_since` and `ended_until` are about; with one of these the list is in the order of the ends.
    """

    async def read(query: TransactionQuery) -> Page[Transaction]:
        return await reads.list_page(services.readers, query, services.live_readings)

    answer = await tables.answer_page(query, models.TransactionPage, read, values_of)
    if isinstance(answer, Response):
        return answer
    page = answer.map(row_of)
    return as_json({"items": page.items, "next_cursor": page.next_cursor}, headers={"Vary": "Accept"})


_ONE: Final = documented(HTTPStatus.NOT_FOUND)


@router.get("/{transaction_id}", response_model=TransactionDetail, responses=_ONE)
async def get_transaction(services: FromServices, transaction_id: RowKey) -> Response:
    """One transaction."""
    return await answer_transaction(services, transaction_id)


@router.get("/{transaction_id}/meter-values", response_model=models.SamplePage, responses=AS_TABLE | _ONE)
async def list_meter_values(
    services: FromServices, tables: FromTables, transaction_id: RowKey, query: Annotated[PageQuery, Query()]
) -> Page[Sample] | Response:
    """The samples of a transaction, in the order of time."""

    async def read(query: PageQuery) -> Page[Sample]:
        return found(await list_samples(services.readers, transaction_id, query), no_transaction(transaction_id))

    return await tables.answer_page(query, models.SamplePage, read)


@router.post("/{transaction_id}/stop", response_class=Response, responses=answered_by(ANY_ANSWER))
async def stop_transaction(request: Request, services: FromServices, transaction_id: RowKey) -> Response:
    """Ask its charge point to stop it, which decides; its end is stored once the charge point reports it."""
    transaction = await _find(services, transaction_id)
    if transaction.stopped_at is not None:
        raise conflict(stopped_before(transaction_id))
    ids = TransactionIds(transaction_id, transaction.ocpp_transaction_id)
    stopping = services.commands.stop_transaction(transaction.charge_point_id, ids)
    return await answer_command(request, services, transaction.charge_point_id, stopping)


@router.post(
    "/{transaction_id}/close",
    response_model=TransactionDetail,
    responses=_ONE | documented(HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE),
)
async def close_transaction(services: FromServices, transaction_id: RowKey) -> Response:
    """End it in the database from its last meter value, for a charge point that's gone; its own stop may still come."""
    await services.change(close_by_operator, transaction_id)
    return await answer_transaction(services, transaction_id)


@router.post(
    "/{transaction_id}/correct",
    response_model=TransactionDetail,
    responses=_ONE | documented(HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE),
)
async def correct_transaction(
    services: FromServices, caller: FromCaller, transaction_id: RowKey, wanted: WantedCorrection
) -> Response:
    """Say what an ended transaction took: that counts from now on; what was booked is kept and shown."""
    await services.change(correct, transaction_id, wanted.energy_wh, wanted.note, wanted.who or caller.name)
    return await answer_transaction(services, transaction_id)


async def answer_transaction(services: ApiServices, transaction_id: int) -> Response:
    """One transaction as JSON; raises ApiError (404)."""
    transaction = await _find(services, transaction_id)
    progress = await find_progress(services.readers, transaction_id, transaction.stop_origin)
    gaps = [gap._asdict() for gap in progress.gaps]
    return as_json({**row_of(transaction), **progress._asdict(), "gaps": gaps})


async def _find(services: ApiServices, transaction_id: int) -> Transaction:
    transaction = await reads.find(services.readers, transaction_id, services.live_readings)
    return found(transaction, no_transaction(transaction_id))
