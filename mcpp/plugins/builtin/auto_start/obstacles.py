"""What stands against a start."""

from __future__ import annotations

from mcpp.domain.memory import CHARGE_POINT
from mcpp.domain.statuses import is_free, is_out_of_service
from mcpp.plugins.site import ChargePointState, ConnectorState
from mcpp.reads.connector_names import STATION, Numbers


def find_connector(state: ChargePointState, numbers: Numbers) -> ConnectorState | None:
    """A connector by its numbers."""
    return next((known for known in state.connectors if (known.evse_id, known.connector_id) == numbers), None)


def obstacle(state: ChargePointState, connector: ConnectorState, id_tag: str) -> str | None:
    """What stands against a start on a connector that is `Preparing`, in words.

    An error code beside that status is a warning: a connector that can't charge is `Faulted` (OCPP 1.6 §7.7).
    """
    whole = find_connector(state, STATION)
    if connector.transaction_id is not None and not connector.awaits_token:
        return f"transaction {connector.transaction_id} runs"
    if connector.inoperative or (whole is not None and whole.inoperative):
        return "the connector is ordered to be inoperative"
    if whole is not None and is_out_of_service(whole.status):
        return f"the charge point is {whole.status}"
    if _is_reserved(connector, id_tag):
        return "the connector is reserved"
    if whole is not None and _is_reserved(whole, id_tag) and not _has_free_connector(state):
        return "the last free connector is reserved"
    return None


def _is_reserved(connector: ConnectorState, id_tag: str) -> bool:
    """Whether somebody else holds it."""
    return connector.reserved_for is not None and connector.reserved_for.casefold() != id_tag.casefold()


def _has_free_connector(state: ChargePointState) -> bool:
    """Whether a connector stays free: one must, for a reservation of any of them (OCPP 1.6 §5.13)."""
    return any(
        is_free(known.status) and not known.inoperative and known.reserved_for is None
        for known in state.connectors
        if known.connector_id != CHARGE_POINT
    )
