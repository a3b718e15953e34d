"""What the database knows of the fleet when the server starts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mcpp.domain.energy import energy_so_far
from mcpp.domain.memory import NO_EVSE
from mcpp_generated.db.queries import Queries


class StoredConnector(NamedTuple):
    """A connector as it stands in the database."""

    connector_id: int
    status: str | None
    error_code: str | None
    evse_id: int = NO_EVSE


class StoredTransaction(NamedTuple):
    """A transaction that is open in the database."""

    transaction_id: int
    connector_id: int
    energy_wh: int | None
    """So far; None where it isn't known."""
    evse_id: int = NO_EVSE


@dataclass(frozen=True, slots=True)
class StoredChargePoint:
    """A charge point as it stands in the database."""

    identity: str
    energy_wh: int
    """Of its ended transactions."""
    energy_peak_wh: int
    """As reported before, where that was more."""
    connectors: Sequence[StoredConnector] = ()
    running: Sequence[StoredTransaction] = ()
    has_evses: bool | None = None
    """Whether the version that it speaks has EVSEs; None where nobody knows."""
    is_real: bool = True
    """It has booted or charged at some time: more than an identity that somebody has connected with."""


def read_fleet(q: Queries) -> list[StoredChargePoint]:
    """Every charge point, by identity."""
    connectors: defaultdict[int, list[StoredConnector]] = defaultdict(list)
    for connector in q.list_fleet_connectors():
        known = StoredConnector(connector.connector_id, connector.status, connector.error_code, connector.evse_id)
        connectors[connector.charge_point_key].append(known)
    running: defaultdict[int, list[StoredTransaction]] = defaultdict(list)
    for transaction in q.list_fleet_transactions():
        energy_wh = energy_so_far(q, transaction)
        so_far = StoredTransaction(transaction.id, transaction.connector_id, energy_wh, transaction.evse_id)
        running[transaction.charge_point_key].append(so_far)
    return [
        StoredChargePoint(
            row.identity,
            row.energy_wh,
            row.energy_peak_wh,
            connectors[row.key],
            running[row.key],
            row.has_evses,
            is_real=row.last_boot_at is not None or row.last_tx_start_at is not None,
        )
        for row in q.list_fleet()
    ]
