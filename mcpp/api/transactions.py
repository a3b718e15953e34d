"""`/transactions`: the books, and the samples behind them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, TypeAdapter

from mcpp.api.models import Sample, SamplePage, Transaction, TransactionPage
from mcpp.api.paging import Cursors, PageQuery, RowId, cut
from mcpp.api.problems import documented, not_found
from mcpp.api.services import FromServices
from mcpp.api.transaction_query import TransactionKey, TransactionQuery, find_transactions
from mcpp.domain.closing import energy_wh
from mcpp_generated.db import readers
from mcpp_generated.db.models import ListTransactionSamplesRow, TransactionRecord

router = APIRouter(prefix="/transactions", tags=["transactions"])

_CURSORS = Cursors(TypeAdapter(TransactionKey))

_NEWEST: TransactionKey = (datetime.max.replace(tzinfo=UTC), 2**63 - 1)

_SampleKey = tuple[AwareDatetime, RowId, RowId, str]
"""When it was measured, its position in the charger's list, its kind and value."""

_SAMPLE_CURSORS = Cursors(TypeAdapter(_SampleKey))

_FIRST_SAMPLE: _SampleKey = (datetime.min.replace(tzinfo=UTC), -1, 0, "")

TransactionId = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.get("", response_model=TransactionPage, responses=documented(HTTPStatus.UNPROCESSABLE_ENTITY))
async def list_transactions(services: FromServices, query: Annotated[TransactionQuery, Query()]) -> TransactionPage:
    """Transactions, the newest first."""
    before = _CURSORS.decode(query.cursor, _NEWEST)
    async with services.readers.connection() as connection:
        rows = await find_transactions(connection, query, before)
    page, last = cut(rows, query.limit)
    cursor = _CURSORS.encode((last.started_at, last.transaction_id)) if last is not None else None
    return TransactionPage(items=[_transaction(row) for row in page], next_cursor=cursor)


_ONE = documented(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY)


@router.get("/{transaction_id}", response_model=Transaction, responses=_ONE)
async def get_transaction(services: FromServices, transaction_id: TransactionId) -> Transaction:
    """One transaction."""
    async with services.readers.connection() as connection:
        row = await readers.get_transaction(connection, transaction_id=transaction_id)
    if row is None:
        raise _no_transaction(transaction_id)
    return _transaction(row)


@router.get("/{transaction_id}/meter-values", response_model=SamplePage, responses=_ONE)
async def list_meter_values(
    services: FromServices, transaction_id: TransactionId, query: Annotated[PageQuery, Query()]
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
        if not rows and await readers.get_transaction(connection, transaction_id=transaction_id) is None:
            raise _no_transaction(transaction_id)
    page, last = cut(rows, query.limit)
    cursor = None
    if last is not None:
        cursor = _SAMPLE_CURSORS.encode((last.measured_at, last.position, last.kind_id, last.value))
    return SamplePage(items=[_sample(row) for row in page], next_cursor=cursor)


def _no_transaction(transaction_id: int) -> Exception:
    return not_found(f"there is no transaction {transaction_id}")


def _transaction(row: TransactionRecord) -> Transaction:
    return Transaction(
        transaction_id=row.transaction_id,
        charge_point_id=row.charge_point_id,
        connector_id=row.connector_id,
        id_tag=row.id_tag,
        meter_start=row.meter_start,
        meter_stop=row.meter_stop,
        energy_wh=None if row.meter_stop is None else energy_wh(row.meter_start, row.meter_stop),
        started_at=row.started_at,
        stopped_at=row.stopped_at,
        stop_reason=row.stop_reason,
        stop_origin=row.stop_origin,
        evidence=None if row.evidence is None else json.loads(row.evidence),
        energy_implausible=row.energy_implausible,
        session_correlation_id=row.session_correlation_id,
    )


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
