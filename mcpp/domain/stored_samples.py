"""The samples of a transaction as they were stored, moment by moment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby, islice
from typing import Final

from mcpp.domain.samples import Sample, SampleKind
from mcpp_generated.db.models import ListTransactionSamplesRow
from mcpp_generated.db.queries import Queries

_PAGE: Final = 1_000
_BEFORE_ALL: Final = ListTransactionSamplesRow(datetime.min.replace(tzinfo=UTC), -1, 0, "", "", "", "", "", "", "")


def stored_moments(
    q: Queries, transaction_id: int, *, most_samples: int | None = None
) -> Iterator[tuple[datetime, list[Sample]]]:
    """The samples of each moment in the order of time, of the first `most_samples` where that is given."""
    rows = islice(_rows(q, transaction_id), most_samples)
    for measured_at, of_moment in groupby(rows, key=lambda row: row.measured_at):
        yield measured_at, [_sample(row) for row in of_moment]


def _sample(row: ListTransactionSamplesRow) -> Sample:
    kind = SampleKind(row.measurand, row.phase, row.unit, row.context, row.location, row.format)
    return Sample(row.measured_at, kind, row.value, row.position)


def _rows(q: Queries, transaction_id: int) -> Iterator[ListTransactionSamplesRow]:
    after = _BEFORE_ALL
    while page := q.list_transaction_samples(
        transaction_id=transaction_id,
        measured_at=after.measured_at,
        position=after.position,
        kind_id=after.kind_id,
        value=after.value,
        page_size=_PAGE,
    ):
        yield from page
        after = page[-1]
