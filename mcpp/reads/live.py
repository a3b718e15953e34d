"""What is live at each connector: its transaction, and what flows; and what a charge point has charged in all.

Whoever shows it asks here, so it's one truth.

It follows the domain's events. `LiveConnector.may_flow` is the rule of what can be live at all; `_end_flow` is what
happens the moment it says no more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final

from mcpp.domain.events import (
    ChargePointConnected,
    ChargePointDisconnected,
    ChargePointForgotten,
    ConnectorStatusChanged,
    Event,
    MeterValuesReceived,
    RecordUnmatched,
    TransactionRecovered,
    TransactionStarted,
    TransactionStopped,
)
from mcpp.domain.memory import NO_EVSE
from mcpp.reads.connector_names import Numbers
from mcpp.reads.live_connectors import LiveChargePointState, LiveConnector
from mcpp.reads.stored_fleet import StoredChargePoint, StoredConnector, StoredTransaction
from mcpp_generated.db.enums import UnmatchedKind

MOST_KNOWN: Final = 100_000
"""Charge points that are known at most."""

_utc_now: Final = partial(datetime.now, UTC)


class LiveReadings:
    """Subscribes to the domain's events; to be told of each before anybody is who asks here."""

    kinds: tuple[type[Event], ...] = (
        MeterValuesReceived,
        ConnectorStatusChanged,
        TransactionStarted,
        TransactionStopped,
        TransactionRecovered,
        ChargePointConnected,
        ChargePointDisconnected,
        ChargePointForgotten,
        RecordUnmatched,
    )
    """Events that it wants."""

    def __init__(self, most_known: int = MOST_KNOWN, now: Callable[[], datetime] = _utc_now) -> None:
        """Nothing is kept of charge points beyond that many. `now` is the clock of those who ask."""
        self._most_known = most_known
        self.now = now
        self._charge_points: dict[str, LiveChargePointState] = {}

    def connector(self, charge_point_id: str, connector_id: int, evse_id: int = NO_EVSE) -> LiveConnector | None:
        """A connector; None where it's beyond what is kept."""
        point = self._charge_points.get(charge_point_id)
        return None if point is None else point.connector((evse_id, connector_id))

    def connectors(self, charge_point_id: str) -> Sequence[Numbers]:
        """The numbers of the connectors that were heard of and are shown, and of what stands for all."""
        return [(it.evse_id, it.connector_id) for it in self.connectors_of(charge_point_id) if it.is_shown]

    def connectors_of(self, charge_point_id: str) -> Collection[LiveConnector]:
        """The connectors that were heard of, as they stand now."""
        point = self._charge_points.get(charge_point_id)
        return () if point is None else point.connectors.values()

    def running(self, charge_point_id: str, transaction_id: int) -> LiveConnector | None:
        """The connector that a transaction runs on; None where it doesn't run."""
        point = self._charge_points.get(charge_point_id)
        return None if point is None else point.running(transaction_id)

    def load(self, stored: Iterable[StoredChargePoint]) -> None:
        """Begin with what is stored, before the first event: nobody is connected."""
        for known in stored:
            self.begin(known.identity, known.connectors, known.running, has_evses=known.has_evses)

    def begin(
        self,
        charge_point_id: str,
        connectors: Sequence[StoredConnector],
        running: Sequence[StoredTransaction],
        *,
        connected: bool = False,
        has_evses: bool | None = None,
    ) -> None:
        """Begin with what is known of a charge point otherwise."""
        point = self._meet(charge_point_id)
        if point is None:
            return
        point.connected, point.has_evses = connected, has_evses
        for stored in connectors:
            connector = point.connector((stored.evse_id, stored.connector_id))
            if connector is not None:
                connector.status = stored.status
        for transaction in running:
            connector = point.connector((transaction.evse_id, transaction.connector_id))
            if connector is not None:
                connector.begin(transaction.transaction_id, transaction.energy_wh)

    def __call__(self, event: Event) -> None:
        point = self._charge_points.get(event.charge_point_id)
        if isinstance(event, MeterValuesReceived):
            if point is not None:
                self._measured(point, event)
            return
        if isinstance(event, ChargePointConnected):
            point = self._meet(event.charge_point_id)
            if point is not None:
                point.has_evses = event.has_evses
                point.connect(connected=True)
            return
        # One that isn't known was forgotten a moment ago.
        if point is None:
            return
        match event:
            case ConnectorStatusChanged():
                connector = point.connector((event.evse_id, event.connector_id))
                if connector is not None:
                    connector.change_status(event.status)
            case TransactionStarted(historic=False):
                connector = point.connector((event.evse_id, event.connector_id))
                if connector is not None:
                    self._begin(point, connector, event.transaction_id)
            case TransactionStopped(historic=False):
                connector = point.running(event.transaction_id) or point.connector((event.evse_id, event.connector_id))
                if connector is not None:
                    connector.end(event.transaction_id)
            case ChargePointDisconnected():
                point.connect(connected=False)
            case ChargePointForgotten():
                del self._charge_points[event.charge_point_id]
            case RecordUnmatched(kind=UnmatchedKind.STOP):
                for connector in point.connectors.values():
                    connector.end_foreign(event.claimed_transaction_id)
            case _:
                pass

    def _meet(self, charge_point_id: str) -> LiveChargePointState | None:
        known = self._charge_points.get(charge_point_id)
        if known is None and len(self._charge_points) < self._most_known:
            known = self._charge_points[charge_point_id] = LiveChargePointState()
        return known

    def _begin(self, point: LiveChargePointState, connector: LiveConnector, transaction_id: int) -> None:
        """A transaction has begun, or it's told only now on which EVSE it runs."""
        running = point.running(transaction_id)
        if running is None or running is connector:
            connector.begin(transaction_id, 0)
        else:
            running.move_to(connector)

    def _measured(self, point: LiveChargePointState, event: MeterValuesReceived) -> None:
        numbers, told = (event.evse_id, event.connector_id), event.transaction_id
        connector = point.connectors.get(numbers) or point.connector(numbers)
        # The meter of another place may speak for it, such as that of the whole charge point.
        if told is not None and (connector is None or connector.transaction_id != told):
            running = point.running(told)
            if running is not None and connector is not None and connector.evse_id != NO_EVSE:
                running.move_to(connector)
            else:
                connector = running or connector
        if connector is not None:
            connector.measure(event)


class EnergyTotal:
    """A charge point's energy as the outside sees it: the sum over its transactions, but never falling.

    Ended transactions count as stored, running ones with what they have taken so far. `mcpp.domain.energy` keeps the
    same in the database, so that it goes on rightly after a restart.
    """

    __slots__ = ("_ended_wh", "_running", "told_wh")

    def __init__(self, ended_wh: int = 0, held_wh: int = 0, running: Mapping[int, int] | None = None) -> None:
        """From the books: `held_wh` was told before, when the sum was higher; `running` is Wh by transaction."""
        self._ended_wh = ended_wh
        self._running = dict(running or {})
        self.told_wh = held_wh
        """Wh; holds still where the sum falls, until that has caught up."""
        self._tell()

    def begin(self, transaction_id: int) -> None:
        """A transaction has started."""
        self._running.setdefault(transaction_id, 0)

    def progress(self, transaction_id: int, wh: int) -> None:
        """What a transaction has taken so far. One that isn't known to run has ended: events may overtake another."""
        if transaction_id in self._running:
            self._running[transaction_id] = wh
            self._tell()

    def end(self, transaction_id: int, wh: int, replaced_wh: int = 0) -> None:
        """A transaction's energy as booked, in place of what was booked before."""
        self._running.pop(transaction_id, None)
        self._ended_wh += wh - replaced_wh
        self._tell()

    def _tell(self) -> None:
        self.told_wh = max(self.told_wh, self._ended_wh + sum(self._running.values()))
