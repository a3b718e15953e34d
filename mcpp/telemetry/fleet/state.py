"""The figures of every charge point and connector, kept up to date by the domain's events."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Final, NamedTuple

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
from mcpp.domain.measurements import ByPhase, Readings
from mcpp.domain.statuses import NO_ERROR
from mcpp.telemetry.labels import OTHER

HIGHEST_CONNECTOR: Final = 64
"""Connectors of a higher number have no series; numbers have no gaps (OCPP 1.6 §3.8), so few chargers get there."""

MOST_KNOWN: Final = 100_000
"""Charge points that are known at most, unless the limit of those with series is higher; more aren't even counted."""

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


class StoredConnector(NamedTuple):
    """A connector as it stands in the database."""

    connector_id: int
    status: str | None
    error_code: str | None


class StoredTransaction(NamedTuple):
    """A transaction that is open in the database."""

    transaction_id: int
    connector_id: int
    energy_wh: int | None
    """So far; None where no reading can be believed."""


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


@dataclass(slots=True)
class ConnectorFigures:
    """A connector; labels are of the closed sets or `_OTHER`. Counts begin with the process."""

    connector_id: int
    status: str | None = None
    """None until the first StatusNotification."""
    status_changes: dict[str, int] = field(default_factory=dict)
    """By the status that was changed to; a status that never came isn't there."""
    errors: dict[str, int] = field(default_factory=dict)
    """By error code; one that is reported again, with nothing else between, counts once."""
    transaction_id: int | None = None
    transaction_energy_wh: int | None = None
    """Of the running transaction; None where none runs."""
    error_code: str | None = None
    """The last one, as the charger spells it."""
    readings: Readings = field(default_factory=Readings)

    def power_watts(self, now: datetime) -> ByPhase:
        """By phase, `""` for the whole; without what is stale."""
        return self.readings.power_watts(now)

    def voltage_volts(self, now: datetime) -> ByPhase:
        """By phase; without what is stale."""
        return self.readings.voltage_volts(now)

    def current_amperes(self, now: datetime) -> ByPhase:
        """By phase, `""` for the whole; without what is stale."""
        return self.readings.current_amperes(now)

    @property
    def peak_power_watts(self) -> float | None:
        """The highest power since the process began; None before the first."""
        return self.readings.peak_power_watts


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


@dataclass(slots=True)
class ChargePointFigures:
    """A charge point. Counts begin with the process, except its energy."""

    identity: str
    boots: int = 0
    transactions: int = 0
    """That ended."""
    transaction_seconds: float = 0.0
    """Of those that ended, by the charger's clock."""
    connectors: dict[int, ConnectorFigures] = field(default_factory=dict)
    """By number, 0 for the charge point as a whole; in order of first sight."""
    energy: EnergyTotal = field(default_factory=EnergyTotal)

    @property
    def energy_wh(self) -> int:
        """Of all its transactions; never falls, also across restarts."""
        return self.energy.told_wh


class Fleet:
    """Subscribes to the domain's events; the first charge points, up to a limit, are the ones with series.

    Those beyond the limit are known by their totals, so that one can move up when another is forgotten.
    """

    def __init__(self, *, statuses: Collection[str], error_codes: Collection[str], series_limit: int) -> None:
        """`statuses` and `error_codes` are the closed sets of their labels; a limit of 0 keeps nothing at all."""
        self.statuses: Final = tuple(statuses)
        self.error_codes: Final = tuple(code for code in error_codes if code != NO_ERROR)
        self._known_statuses = frozenset(statuses)
        self._known_error_codes = frozenset(error_codes)
        self._limit = series_limit
        self.kinds: tuple[type[Event], ...] = _KINDS if series_limit else ()
        """Events that it wants."""
        self._charge_points: dict[str, ChargePointFigures] = {}
        self._exported: set[str] = set()

    def __iter__(self) -> Iterator[ChargePointFigures]:
        """Those that have series, as of now, in order of first sight; the figures themselves go on changing."""
        return iter(list(islice(self._charge_points.values(), self._limit)))

    @property
    def not_exported(self) -> int:
        """How many charge points have no series, since the limit is reached."""
        return max(0, len(self._charge_points) - self._limit)

    def load(self, stored: Iterable[StoredChargePoint]) -> None:
        """Begin with what is stored, in its order; before the first event."""
        for known in stored:
            running = {transaction.transaction_id: transaction.energy_wh or 0 for transaction in known.running}
            figures = self._meet(known.identity, EnergyTotal(known.energy_wh, known.energy_peak_wh, running))
            if figures is None or known.identity not in self._exported:
                continue
            for number, status, error_code in known.connectors:
                connector = _connector(figures, number)
                if connector is not None:
                    connector.status = None if status is None else self._status(status)
                    connector.error_code = error_code
            for transaction in known.running:
                connector = _connector(figures, transaction.connector_id)
                if connector is not None:
                    connector.transaction_id = transaction.transaction_id
                    connector.transaction_energy_wh = transaction.energy_wh

    def forget(self, identity: str) -> None:
        """A charge point is no longer in the database; the next one that waits gets its place."""
        if self._charge_points.pop(identity, None) is None:
            return
        if identity in self._exported:
            self._exported.remove(identity)
            following = next(islice(self._charge_points, self._limit - 1, None), None)
            if following is not None:
                self._exported.add(following)

    def __call__(self, event: Event) -> None:
        if isinstance(event, ChargePointConnected):
            self._meet(event.charge_point_id, EnergyTotal())
            return
        # One that isn't known was forgotten a moment ago.
        figures = self._charge_points.get(event.charge_point_id)
        if figures is None:
            return
        match event:
            case MeterValuesReceived():
                self._measured(figures, event)
            case ConnectorStatusChanged():
                self._changed_status(figures, event)
            case TransactionStarted():
                self._started(figures, event)
            case TransactionStopped():
                self._stopped(figures, event)
            case TransactionCorrected():
                figures.energy.end(event.transaction_id, event.energy_wh, event.replaced_wh or 0)
            case ChargePointBooted():
                figures.boots += 1
            case ChargePointForgotten():
                self.forget(event.charge_point_id)
            case _:
                pass

    def _meet(self, identity: str, energy: EnergyTotal) -> ChargePointFigures | None:
        known = self._charge_points.get(identity)
        if known is not None or not self._limit or len(self._charge_points) >= max(MOST_KNOWN, self._limit):
            return known
        if len(self._charge_points) < self._limit:
            self._exported.add(identity)
        figures = self._charge_points[identity] = ChargePointFigures(identity, energy=energy)
        return figures

    def _measured(self, figures: ChargePointFigures, event: MeterValuesReceived) -> None:
        if event.energy_wh is not None and event.transaction_id is not None:
            figures.energy.progress(event.transaction_id, event.energy_wh)
        connector = self._connector_of(figures, event.connector_id)
        if connector is None:
            return
        connector.readings.take(event.samples, event.at)
        if event.energy_wh is not None and connector.transaction_id == event.transaction_id:
            connector.transaction_energy_wh = event.energy_wh

    def _changed_status(self, figures: ChargePointFigures, event: ConnectorStatusChanged) -> None:
        connector = self._connector_of(figures, event.connector_id)
        if connector is None:
            return
        status = connector.status = self._status(event.status)
        if event.status != event.previous_status:
            connector.status_changes[status] = connector.status_changes.get(status, 0) + 1
        if event.error_code not in {NO_ERROR, connector.error_code}:
            error_code = event.error_code if event.error_code in self._known_error_codes else OTHER
            connector.errors[error_code] = connector.errors.get(error_code, 0) + 1
        connector.error_code = event.error_code

    def _started(self, figures: ChargePointFigures, event: TransactionStarted) -> None:
        figures.energy.begin(event.transaction_id)
        connector = self._connector_of(figures, event.connector_id)
        if connector is not None:
            connector.transaction_id = event.transaction_id
            connector.transaction_energy_wh = 0

    def _stopped(self, figures: ChargePointFigures, event: TransactionStopped) -> None:
        figures.energy.end(event.transaction_id, event.counted_wh, event.superseded_wh or 0)
        if event.supersedes is None:
            figures.transactions += 1
            # A charger's clock may be set back while it charges.
            figures.transaction_seconds += max(0.0, (event.stopped_at - event.started_at).total_seconds())
        connector = self._connector_of(figures, event.connector_id)
        if connector is not None and connector.transaction_id == event.transaction_id:
            connector.transaction_id = connector.transaction_energy_wh = None

    def _connector_of(self, figures: ChargePointFigures, number: int) -> ConnectorFigures | None:
        """None where it has no series."""
        return _connector(figures, number) if figures.identity in self._exported else None

    def _status(self, status: str) -> str:
        return status if status in self._known_statuses else OTHER


def _connector(figures: ChargePointFigures, number: int) -> ConnectorFigures | None:
    """Made known where it wasn't; None where its number is out of bounds."""
    connector = figures.connectors.get(number)
    if connector is None and 0 <= number <= HIGHEST_CONNECTOR:
        connector = figures.connectors[number] = ConnectorFigures(number)
    return connector
