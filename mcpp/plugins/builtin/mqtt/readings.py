"""What the topics of connectors show of their meter values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mcpp.domain.events import Event, MeterValuesReceived, TransactionStopped
from mcpp.domain.memory import NO_EVSE
from mcpp.plugins import ChargePointState
from mcpp.reads.live import LiveReadings
from mcpp.reads.stored_fleet import StoredConnector, StoredTransaction


class SiteReadings:
    """Power of every connector, as the API and metrics have it, and energy of its running or last session."""

    def __init__(self) -> None:
        self._live = LiveReadings()
        self._energy: dict[tuple[str, int, int], int] = {}

    def load(self, states: Sequence[ChargePointState]) -> None:
        """Begin with charge points as they are."""
        for state in states:
            self._live.begin(
                state.charge_point_id,
                [
                    StoredConnector(known.connector_id, known.status, known.error_code, known.evse_id)
                    for known in state.connectors
                ],
                [
                    StoredTransaction(known.transaction_id, known.connector_id, None, known.evse_id)
                    for known in state.connectors
                    if known.transaction_id is not None
                ],
                connected=state.connected,
            )

    def follow(self, event: Event) -> None:
        """Take note of an event, of whatever kind."""
        self._live(event)
        match event:
            case MeterValuesReceived(energy_wh=int(wh), transaction_id=int(transaction_id)):
                running = self._live.running(event.charge_point_id, transaction_id)
                if running is not None:
                    self._energy[event.charge_point_id, running.evse_id, running.connector_id] = wh
            case TransactionStopped(historic=False):
                self._energy[event.charge_point_id, event.evse_id, event.connector_id] = event.energy_wh
            case _:
                pass

    def facts(
        self, charge_point_id: str, connector_id: int, now: datetime, evse_id: int = NO_EVSE
    ) -> dict[str, float | int | None]:
        """`power_w`, None where it isn't known or stale, and `energy_wh`, None before the first."""
        live = self._live.connector(charge_point_id, connector_id, evse_id)
        return {
            "power_w": None if live is None else live.power_w(now),
            "energy_wh": self._energy.get((charge_point_id, evse_id, connector_id)),
        }
