"""Samples that aren't kept any longer, and what goes with a charge point: deleted in portions.

A portion is a unit of work that leaves time for the messages of other charge points before the next. What a crash
leaves between two is whole, and the next call goes on.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Final, NamedTuple

from mcpp.domain.energy import ENERGY_SEPARATOR
from mcpp_generated.db.models import SetSamplesParams
from mcpp_generated.db.queries import Queries

PORTION: Final = 1_000
"""Rows: some milliseconds."""

_TRANSACTION_ROWS: Final = 5
"""What deleting a transaction costs, in rows."""

_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
_END: Final = datetime.max.replace(tzinfo=UTC)


class Place(NamedTuple):
    """Up to where samples have been thinned."""

    connector_key: int = 0
    """The connectors up to this one are done."""
    transaction_id: int | None = None
    """Of this transaction, those up to `measured_at` are done."""
    measured_at: datetime = _BEGINNING
    """Of the transaction, or else of the next connector."""


def thin_samples(q: Queries, before: datetime, place: Place, rows: int = PORTION) -> Place | None:
    """Delete samples that came before a time, `rows` rows at most; returns where to go on, None where all is done.

    Of transactions that ended before it, the samples that speak of imported energy stay: they are the evidence of what
    is billed, should a late stop or a late value be weighed against it. So do all samples of open transactions, and
    transactions themselves. What was measured outside of transactions goes as a whole.
    """
    transaction_id = place.transaction_id
    if transaction_id is None:
        transaction_id = q.find_unthinned(before_at=before)
        if transaction_id is None:
            return _thin_connector(q, before, place, rows)
        place = Place(place.connector_key, transaction_id)
    until = q.find_reading_after(transaction_id=transaction_id, after_at=place.measured_at, row_offset=rows - 1)
    _thin_transaction(q, transaction_id, place.measured_at, until or _END)
    if until is not None:
        return Place(place.connector_key, transaction_id, until)
    q.set_thinned(id=transaction_id)
    return Place(place.connector_key)


def _thin_transaction(q: Queries, transaction_id: int, after: datetime, until: datetime) -> None:
    q.delete_readings_without_energy(transaction_id=transaction_id, after_at=after, until_at=until)
    thinned = []
    for row in q.list_readings_with_energy(transaction_id=transaction_id, after_at=after, until_at=until):
        evidence = (row.energy or "").split(ENERGY_SEPARATOR)
        samples = json.loads(row.samples)
        kept = [text for text in samples if text in evidence]
        if len(kept) < len(samples):
            thinned.append(SetSamplesParams(json.dumps(kept, separators=(",", ":")), transaction_id, row.measured_at))
    if thinned:
        q.set_samples(thinned)


def _thin_connector(q: Queries, before: datetime, place: Place, rows: int) -> Place | None:
    key = q.find_next_connector(after_key=place.connector_key)
    if key is None:
        return None
    until = q.find_connector_reading_after(connector_key=key, after_at=place.measured_at, row_offset=rows - 1)
    q.delete_connector_readings(
        connector_key=key, after_at=place.measured_at, until_at=until or before, before_at=before
    )
    if until is not None and until < before:
        return Place(place.connector_key, None, until)
    return Place(key)


def purge_portion(q: Queries, charge_point_key: int, rows: int = PORTION) -> bool:
    """Delete a portion of what a charge point has; False where the rest is small enough to go with it in one.

    Its ended transactions go first, the oldest before the others, then the samples of those that run.
    """
    left = rows
    for key in q.list_connector_keys(charge_point_key=charge_point_key):
        left -= q.delete_connector_statuses(connector_key=key)
        if left <= 0:
            return True
        until = q.find_connector_reading_after(connector_key=key, after_at=_BEGINNING, row_offset=left - 1)
        left -= q.delete_connector_readings(
            connector_key=key, after_at=_BEGINNING, until_at=until or _END, before_at=_END
        )
        if left <= 0:
            return True
    while left > 0:
        transaction_id = q.find_first_ended(charge_point_key=charge_point_key)
        if transaction_id is None:
            break
        deleted, is_empty = _delete_readings(q, transaction_id, left)
        left -= deleted + _TRANSACTION_ROWS
        if is_empty:
            q.delete_transaction(id=transaction_id)
    for running in q.find_open_on_charge_point(charge_point_key=charge_point_key):
        if left > 0:
            left -= _delete_readings(q, running.id, left)[0]
    return left <= 0


def _delete_readings(q: Queries, transaction_id: int, rows: int) -> tuple[int, bool]:
    """Deletes the first readings of a transaction; returns how many, and whether none are left."""
    until = q.find_reading_after(transaction_id=transaction_id, after_at=_BEGINNING, row_offset=rows - 1)
    return q.delete_readings(transaction_id=transaction_id, until_at=until or _END), until is None
