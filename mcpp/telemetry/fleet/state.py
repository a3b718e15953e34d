"""The figures of every charge point and connector, kept up to date by the domain's events."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from mcpp.domain.events import (
    ChargePointBooted,
    ChargePointConnected,
    ChargePointForgotten,
    ConnectorStatusChanged,
    Event,
    MeterValuesReceived,
    TransactionCorrected,
    TransactionRecovered,
    TransactionStarted,
    TransactionStopped,
)
from mcpp.domain.statuses import NO_ERROR
from mcpp.reads.connector_names import Numbers
from mcpp.reads.live import MOST_KNOWN, EnergyTotal, LiveReadings
from mcpp.reads.live_connectors import LiveConnector
from mcpp.reads.stored_fleet import StoredChargePoint
from mcpp.telemetry.labels import OTHER

_KINDS: Final[tuple[type[Event], ...]] = (
    MeterValuesReceived,
    ConnectorStatusChanged,
    TransactionStarted,
    TransactionStopped,
    TransactionRecovered,
    TransactionCorrected,
    ChargePointConnected,
    ChargePointBooted,
    ChargePointForgotten,
)


@dataclass(slots=True)
class ConnectorFigures:
    """What is counted of a connector since the process began; error codes are of the closed set or `_OTHER`."""

    live: LiveConnector
    """How it stands now."""
    status_changes: dict[str, int] = field(default_factory=dict)
    """By the status that was changed to, of the closed set or `_OTHER`; a status that never came isn't there."""
    errors: dict[str, int] = field(default_factory=dict)
    """By error code; one that is reported again, with nothing else between, counts once."""
    error_code: str | None = None
    """The last one, as the charger spells it."""


@dataclass(slots=True)
class ChargePointFigures:
    """A charge point. Counts begin with the process, except its energy."""

    identity: str
    boots: int = 0
    transactions: int = 0
    """That ended."""
    transaction_seconds: float = 0.0
    """Of those that ended, by the charger's clock."""
    connectors: dict[Numbers, ConnectorFigures] = field(default_factory=dict)
    """Those that were heard of when somebody looked, by EVSE and connector, (0, 0) for the charge point as a whole."""
    energy: EnergyTotal = field(default_factory=EnergyTotal)
    is_real: bool = False
    """It has booted or charged at some time."""

    @property
    def energy_wh(self) -> int:
        """Of all its transactions; never falls, also across restarts."""
        return self.energy.told_wh


class Fleet:
    """Subscribes to the domain's events; up to a limit, charge points have series.

    Those that have booted or charged come first, then whoever came first: a flood of made-up identities takes no real
    charge point's place. Those without series are known by their totals, so that one can move up.
    """

    def __init__(
        self, live: LiveReadings, *, statuses: Collection[str], error_codes: Collection[str], series_limit: int
    ) -> None:
        """`live` must be told of each event before this is, and be loaded before.

        `statuses` and `error_codes` are the closed sets of their labels; a limit of 0 keeps nothing at all.
        """
        self._live = live
        self.statuses: Final = tuple(statuses)
        self.error_codes: Final = tuple(code for code in error_codes if code != NO_ERROR)
        self._known_statuses = frozenset(statuses)
        self._known_error_codes = frozenset(error_codes)
        self._limit = series_limit
        self.kinds: tuple[type[Event], ...] = _KINDS if series_limit else ()
        """Events that it wants."""
        self._charge_points: dict[str, ChargePointFigures] = {}
        self._exported: dict[str, ChargePointFigures] = {}
        self._giving_way: dict[str, None] = {}
        """Those that are exported, though they have neither booted nor charged."""

    def __iter__(self) -> Iterator[ChargePointFigures]:
        """Those that have series, as of now, in the order in which they got them; the figures go on changing."""
        exported = list(self._exported.values())
        for figures in exported:
            for numbers in self._live.connectors(figures.identity):
                self._connector_of(figures, numbers)
        return iter(exported)

    @property
    def not_exported(self) -> int:
        """How many charge points have no series, since the limit is reached."""
        return len(self._charge_points) - len(self._exported)

    def load(self, stored: Iterable[StoredChargePoint]) -> None:
        """Begin with what is stored, in its order; before the first event."""
        # Real ones first, so that none that isn't has to give way again.
        for known in sorted(stored, key=lambda known: not known.is_real):
            running = {transaction.transaction_id: transaction.energy_wh or 0 for transaction in known.running}
            energy = EnergyTotal(known.energy_wh, known.energy_peak_wh, running)
            figures = self._meet(known.identity, energy, is_real=known.is_real)
            if figures is None or known.identity not in self._exported:
                continue
            for told in known.connectors:
                connector = self._connector_of(figures, (told.evse_id, told.connector_id))
                if connector is not None:
                    connector.error_code = told.error_code

    def forget(self, identity: str) -> None:
        """A charge point is no longer in the database; the next one that waits gets its place."""
        if self._charge_points.pop(identity, None) is None:
            return
        if self._exported.pop(identity, None) is None:
            return
        self._giving_way.pop(identity, None)
        waiting = (figures for figures in self._charge_points.values() if figures.identity not in self._exported)
        following = min(waiting, key=lambda figures: not figures.is_real, default=None)
        if following is not None:
            self._export(following)

    def __call__(self, event: Event) -> None:
        if isinstance(event, MeterValuesReceived):
            told = event.transaction_id
            if told is not None and event.energy_wh is not None:
                figures = self._charge_points.get(event.charge_point_id)
                if figures is not None:
                    figures.energy.progress(told, event.energy_wh)
            return
        if isinstance(event, ChargePointConnected):
            self._meet(event.charge_point_id, EnergyTotal())
            return
        # One that isn't known was forgotten a moment ago.
        figures = self._charge_points.get(event.charge_point_id)
        if figures is None:
            return
        match event:
            case ConnectorStatusChanged():
                self._changed_status(figures, event)
            case TransactionStarted():
                self._is_real(figures)
                figures.energy.begin(event.transaction_id)
            case TransactionStopped():
                self._stopped(figures, event)
            case TransactionCorrected():
                figures.energy.end(event.transaction_id, event.energy_wh, event.replaced_wh or 0)
            case ChargePointBooted():
                self._is_real(figures)
                figures.boots += 1
            case ChargePointForgotten():
                self.forget(event.charge_point_id)
            case _:
                pass

    def _meet(self, identity: str, energy: EnergyTotal, *, is_real: bool = False) -> ChargePointFigures | None:
        known = self._charge_points.get(identity)
        if known is not None or not self._limit or len(self._charge_points) >= max(MOST_KNOWN, self._limit):
            return known
        figures = self._charge_points[identity] = ChargePointFigures(identity, energy=energy, is_real=is_real)
        if len(self._exported) < self._limit:
            self._export(figures)
        return figures

    def _export(self, figures: ChargePointFigures) -> None:
        self._exported[figures.identity] = figures
        if not figures.is_real:
            self._giving_way[figures.identity] = None

    def _is_real(self, figures: ChargePointFigures) -> None:
        """It has booted or charged: the newest of those with series that have done neither gives way to it."""
        if figures.is_real:
            return
        figures.is_real = True
        if figures.identity in self._exported:
            del self._giving_way[figures.identity]
        elif self._giving_way:
            given_up, _ = self._giving_way.popitem()
            # It begins anew, if it ever gets series again.
            self._exported.pop(given_up).connectors.clear()
            self._export(figures)

    def _changed_status(self, figures: ChargePointFigures, event: ConnectorStatusChanged) -> None:
        connector = self._connector_of(figures, (event.evse_id, event.connector_id))
        if connector is None:
            return
        if event.status != event.previous_status:
            status = self.status_label(event.status)
            connector.status_changes[status] = connector.status_changes.get(status, 0) + 1
        if event.error_code not in {NO_ERROR, connector.error_code}:
            error_code = event.error_code if event.error_code in self._known_error_codes else OTHER
            connector.errors[error_code] = connector.errors.get(error_code, 0) + 1
        connector.error_code = event.error_code

    def _stopped(self, figures: ChargePointFigures, event: TransactionStopped) -> None:
        figures.energy.end(event.transaction_id, event.counted_wh, event.superseded_wh or 0)
        if event.supersedes is None:
            figures.transactions += 1
            # A charger's clock may be set back while it charges.
            figures.transaction_seconds += max(0.0, (event.stopped_at - event.started_at).total_seconds())

    def status_label(self, status: str) -> str:
        """A status as a label: of the closed set or `_OTHER`."""
        return status if status in self._known_statuses else OTHER

    def _connector_of(self, figures: ChargePointFigures, numbers: Numbers) -> ConnectorFigures | None:
        """Made known where it wasn't; None where it has no series."""
        connector = figures.connectors.get(numbers)
        if connector is None and figures.identity in self._exported:
            evse_id, connector_id = numbers
            live = self._live.connector(figures.identity, connector_id, evse_id)
            if live is not None:
                connector = figures.connectors[numbers] = ConnectorFigures(live)
        return connector
