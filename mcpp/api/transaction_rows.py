"""A transaction as the API shows it, and as a line of CSV: the command line has the same columns."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Final

from mcpp.api.models import Transaction, spell_time
from mcpp.api.transaction_query import TransactionKey, TransactionQuery, find_transactions
from mcpp.domain.energy import energy_wh
from mcpp.reads.csv_text import Value, csv_line
from mcpp.storage.sqlite.readers import Readers
from mcpp_generated.db.models import TransactionRecord

COLUMNS: Final = tuple(Transaction.model_fields)

_PAGE: Final = 200
"""Rows of one step of a stream: a few milliseconds, in which the server does nothing else."""


def row_of(record: TransactionRecord) -> dict[str, Value]:
    """The fields of the API's Transaction as JSON has them."""
    return {
        "transaction_id": record.transaction_id,
        "charge_point_id": record.charge_point_id,
        "connector_id": record.connector_id,
        "id_tag": record.id_tag,
        "meter_start": record.meter_start,
        "meter_stop": record.meter_stop,
        "energy_wh": None if record.meter_stop is None else energy_wh(record.meter_start, record.meter_stop),
        "started_at": spell_time(record.started_at),
        "stopped_at": None if record.stopped_at is None else spell_time(record.stopped_at),
        "stop_reason": record.stop_reason,
        "stop_origin": record.stop_origin,
        "evidence": None if record.evidence is None else json.loads(record.evidence),
        "energy_implausible": record.energy_implausible,
        "session_correlation_id": record.session_correlation_id,
    }


async def stream_csv(
    readers: Readers, query: TransactionQuery, before: TransactionKey, limit: int | None
) -> AsyncIterator[bytes]:
    """All transactions of a filter, or the first `limit` of them, under a header; each step is read anew.

    So what is written meanwhile neither shifts lines nor waits for a slow reader.
    """
    yield csv_line(COLUMNS).encode()
    while limit is None or limit > 0:
        size = _PAGE if limit is None else min(limit, _PAGE)
        async with readers.connection() as connection:
            records = await find_transactions(connection, query.model_copy(update={"limit": size - 1}), before)
        if not records:
            return
        yield "".join(csv_line(row_of(record).values()) for record in records).encode(errors="backslashreplace")
        before = records[-1].started_at, records[-1].transaction_id
        limit = None if limit is None else limit - len(records)
