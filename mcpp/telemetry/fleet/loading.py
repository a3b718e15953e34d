"""What the database knows of the fleet when the server starts."""

from __future__ import annotations

from collections import defaultdict

from mcpp.domain.energy import energy_so_far
from mcpp.telemetry.fleet.state import StoredChargePoint, StoredConnector, StoredTransaction
from mcpp_generated.db.queries import Queries


def read_fleet(q: Queries) -> list[StoredChargePoint]:
    """Every charge point, by identity."""
    connectors: defaultdict[int, list[StoredConnector]] = defaultdict(list)
    for connector in q.list_fleet_connectors():
        known = StoredConnector(connector.connector_id, connector.status, connector.error_code)
        connectors[connector.charge_point_key].append(known)
    running: defaultdict[int, list[StoredTransaction]] = defaultdict(list)
    for transaction in q.list_fleet_transactions():
        so_far = StoredTransaction(transaction.id, transaction.connector_id, energy_so_far(q, transaction))
        running[transaction.charge_point_key].append(so_far)
    return [
        StoredChargePoint(row.identity, row.energy_wh, row.energy_peak_wh, connectors[row.key], running[row.key])
        for row in q.list_fleet()
    ]
