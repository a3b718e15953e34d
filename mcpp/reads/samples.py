"""The samples behind a transaction, as its charger sent them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from pydantic import AwareDatetime, TypeAdapter

from mcpp.reads.paging import Cursors, Page, PageQuery, RowId
from mcpp.reads.times import BEFORE_ALL
from mcpp.storage.engine import ReaderPool
from mcpp_generated.db.models import ListTransactionSamplesRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One sampled value of a transaction; None for what the charger left out."""

    timestamp: datetime
    measurand: str
    phase: str | None
    unit: str | None
    context: str | None
    location: str | None
    format: str | None
    value: str
    """As sent; signed data stays text."""


SampleKey: TypeAlias = tuple[AwareDatetime, RowId, RowId, str]
"""When it was measured, its position in the charger's list, its kind and value."""

_SAMPLE_CURSORS: Final[Cursors[ListTransactionSamplesRow, SampleKey]] = Cursors(
    TypeAdapter(SampleKey),
    (BEFORE_ALL, -1, 0, ""),
    lambda row: (row.measured_at, row.position, row.kind_id, row.value),
)


async def list_samples(pool: ReaderPool, transaction_id: int, query: PageQuery) -> Page[Sample] | None:
    """The samples of a transaction in the order of time, then as sent; None where it's unknown. Raises BadCursor."""
    async with pool.reader() as q:

        async def fetch(after: SampleKey, count: int) -> list[ListTransactionSamplesRow]:
            measured_at, position, kind_id, value = after
            return await q.list_transaction_samples(
                transaction_id=transaction_id,
                measured_at=measured_at,
                position=position,
                kind_id=kind_id,
                value=value,
                page_size=count,
            )

        page = await _SAMPLE_CURSORS.read(query, fetch)
        if not page.items and await q.get_transaction(transaction_id=transaction_id) is None:
            return None
    return page.map(_sample)


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
