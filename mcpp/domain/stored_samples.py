"""Samples as the database keeps them: those of one moment in one row, each once, however grouped or repeated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, TypeAlias

import orjson

from mcpp.domain.samples import Sample, SampleKind, register_wh
from mcpp_generated.db.models import (
    AddConnectorReadingsParams,
    AddLateConnectorSamplesParams,
    AddLateTransactionSamplesParams,
    AddTransactionReadingsParams,
)
from mcpp_generated.db.queries import Queries

KindId: TypeAlias = Callable[[SampleKind], int]
"""Looks up the key that a kind of sample has in the database, or gives it one."""

_Moment: TypeAlias = dict[str, int | None]
"""The samples of one moment in the order sent, each once: how it's stored, and the register that it says, in Wh."""

_NUL: Final = "\0"
_IN_ITS_PLACE: Final = "\N{REPLACEMENT CHARACTER}"
"""SQLite's JSON ends a text at a NUL."""


def store_in_transaction(
    q: Queries, transaction_id: int, samples: Sequence[Sample], received_at: datetime, kind_id: KindId
) -> None:
    """Store samples of a transaction; those it has already change nothing."""
    moments = _moments(samples, kind_id)
    added = q.add_transaction_readings(
        [
            AddTransactionReadingsParams(
                transaction_id, measured_at, _as_list(moment), _last_register(moment), received_at
            )
            for measured_at, moment in moments.items()
        ]
    )
    if added < len(moments):
        q.add_late_transaction_samples(
            AddLateTransactionSamplesParams(transaction_id, measured_at, text, position, wh, received_at)
            for measured_at, moment in moments.items()
            for position, (text, wh) in enumerate(moment.items())
        )


def store_at_connector(
    q: Queries, connector_key: int, samples: Sequence[Sample], received_at: datetime, kind_id: KindId
) -> None:
    """Store samples that no transaction was running for; those its connector has already change nothing."""
    moments = _moments(samples, kind_id)
    added = q.add_connector_readings(
        AddConnectorReadingsParams(connector_key, measured_at, _as_list(moment), received_at)
        for measured_at, moment in moments.items()
    )
    if added < len(moments):
        q.add_late_connector_samples(
            AddLateConnectorSamplesParams(connector_key, measured_at, text, position, received_at)
            for measured_at, moment in moments.items()
            for position, text in enumerate(moment)
        )


def _moments(samples: Sequence[Sample], kind_id: KindId) -> dict[datetime, _Moment]:
    moments: dict[datetime, _Moment] = {}
    for measured_at, kind, value, _ in samples:
        text = value.replace(_NUL, _IN_ITS_PLACE) if _NUL in value else value
        wh = None if kind.wh_factor is None else register_wh(kind, value)
        moments.setdefault(measured_at, {})[f"{kind_id(kind)} {text}"] = wh
    return moments


def _as_list(moment: _Moment) -> str:
    return orjson.dumps(list(moment)).decode()


def _last_register(moment: _Moment) -> int | None:
    register = None
    for wh in moment.values():
        if wh is not None:
            register = wh
    return register
