"""`/transactions`: the books, the samples behind them, and what a person does to a transaction."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query, Request
from pydantic import AwareDatetime, TypeAdapter
from starlette.responses import Response, StreamingResponse

from mcpp.api.answers import as_json
from mcpp.api.bodies import RowKey
from mcpp.api.commands import answered_by, send_command
from mcpp.api.models import Sample, SamplePage, Transaction, TransactionPage
from mcpp.api.paging import Cursors, PageQuery, RowId, cut
from mcpp.api.problems import conflict, documented, not_found
from mcpp.api.services import ApiServices, FromServices
from mcpp.api.transaction_query import NEWEST, TransactionKey, TransactionQuery, find_transactions
from mcpp.api.transaction_rows import row_of, stream_csv
from mcpp.domain.closing import close_by_operator
from mcpp_generated.db import readers
from mcpp_generated.db.models import ListTransactionSamplesRow, TransactionRecord

router = APIRouter(prefix="/transactions", tags=["transactions"])

_CURSORS = Cursors(TypeAdapter(TransactionKey))

_SampleKey = tuple[AwareDatetime, RowId, RowId, str]
"""When it was measured, its position in the charger's list, its kind and value."""

_SAMPLE_CURSORS = Cursors(TypeAdapter(_SampleKey))

_FIRST_SAMPLE: _SampleKey = (datetime.min.replace(tzinfo=UTC), -1, 0, "")

_CSV: Final = "text/csv"

_STOP: Final = "RemoteStopTransaction"


@router.get(
    "",
    response_model=TransactionPage,
    responses={
        HTTPStatus.OK: {
            "content": {_CSV: {"schema": {"type": "string"}}},
            "description": "A page; as CSV all that the filters let through, and no page: `limit` is for the whole.",
        },
    },
)
async def list_transactions(
    services: FromServices,
    query: Annotated[TransactionQuery, Query()],
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """Transactions, the newest first. `Accept: text/csv` gives them as a file, safe to open in a spreadsheet."""
    before = _CURSORS.decode(query.cursor, NEWEST)
    if _prefers_csv(accept):
        limit = query.limit if "limit" in query.model_fields_set else None
        headers = {"Content-Disposition": 'attachment; filename="transactions.csv"', "Vary": "Accept"}
        return StreamingResponse(stream_csv(services.readers, query, before, limit), media_type=_CSV, headers=headers)
    async with services.readers.connection() as connection:
        rows = await find_transactions(connection, query, before)
    page, last = cut(rows, query.limit)
    cursor = _CURSORS.encode((last.started_at, last.transaction_id)) if last is not None else None
    return as_json({"items": [row_of(row) for row in page], "next_cursor": cursor}, headers={"Vary": "Accept"})


_ONE: Final = documented(HTTPStatus.NOT_FOUND)


@router.get("/{transaction_id}", response_model=Transaction, responses=_ONE)
async def get_transaction(services: FromServices, transaction_id: RowKey) -> Response:
    """One transaction."""
    return as_json(row_of(await find_transaction(services, transaction_id)))


@router.get("/{transaction_id}/meter-values", response_model=SamplePage, responses=_ONE)
async def list_meter_values(
    services: FromServices, transaction_id: RowKey, query: Annotated[PageQuery, Query()]
) -> SamplePage:
    """The samples of a transaction, in the order of time."""
    measured_at, position, kind_id, value = _SAMPLE_CURSORS.decode(query.cursor, _FIRST_SAMPLE)
    async with services.readers.connection() as connection:
        rows = await readers.list_transaction_samples(
            connection,
            transaction_id=transaction_id,
            measured_at=measured_at,
            position=position,
            kind_id=kind_id,
            value=value,
            page_size=query.limit + 1,
        )
    if not rows:
        await find_transaction(services, transaction_id)
    page, last = cut(rows, query.limit)
    cursor = None
    if last is not None:
        cursor = _SAMPLE_CURSORS.encode((last.measured_at, last.position, last.kind_id, last.value))
    return SamplePage(items=[_sample(row) for row in page], next_cursor=cursor)


@router.post("/{transaction_id}/stop", response_class=Response, responses=answered_by(_STOP))
async def stop_transaction(request: Request, services: FromServices, transaction_id: RowKey) -> Response:
    """RemoteStopTransaction to its charge point, which decides; its end is booked once the charge point reports it."""
    transaction = await find_transaction(services, transaction_id)
    if transaction.stopped_at is not None:
        raise conflict(f"transaction {transaction_id} was stopped before")
    payload = f'{{"transactionId":{transaction_id}}}'.encode()
    return await send_command(request, services, transaction.charge_point_id, _STOP, payload)


@router.post(
    "/{transaction_id}/close",
    response_model=Transaction,
    responses=_ONE | documented(HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE),
)
async def close_transaction(services: FromServices, transaction_id: RowKey) -> Response:
    """End it in the books from its last meter value, for a charge point that's gone; its own stop may still come."""
    await services.change(close_by_operator, transaction_id)
    return as_json(row_of(await find_transaction(services, transaction_id)))


async def find_transaction(services: ApiServices, transaction_id: int) -> TransactionRecord:
    """One transaction; raises ApiError (404)."""
    async with services.readers.connection() as connection:
        row = await readers.get_transaction(connection, transaction_id=transaction_id)
    if row is None:
        raise not_found(f"there is no transaction {transaction_id}")
    return row


def _prefers_csv(accept: str) -> bool:
    """Whether CSV is asked for by name, and JSON isn't rather (RFC 9110 §12.5.1)."""
    weights = {_CSV: 0.0, "application/json": 0.0}
    for media_range in accept.lower().split(","):
        name, *parameters = (part.strip() for part in media_range.split(";"))
        if name in weights:
            weight = next((p[2:] for p in parameters if re.fullmatch(r"q=[01](\.\d{0,3})?", p)), "1")
            weights[name] = float(weight)
    return 0 < weights[_CSV] >= weights["application/json"]


def _sample(row: ListTransactionSamplesRow) -> Sample:
    # The database holds '' for what the charger left out.
    return Sample(
        timestamp=row.measured_at,
        measurand=row.measurand,
        phase=row.phase or None,
        unit=row.unit or None,
        context=row.context or None,
        location=row.location or None,
        format=row.format or None,
        value=row.value,
    )
