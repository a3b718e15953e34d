"""A connector as it stands now, and its charge point: what of power, current and energy can be live there at all."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from mcpp.domain.events import MeterValuesReceived
from mcpp.domain.measurements import Readings
from mcpp.domain.memory import CHARGE_POINT, NO_EVSE
from mcpp.domain.phases import WHOLE, ByPhase
from mcpp.domain.statuses import may_draw_current
from mcpp.reads.connector_names import STATION, Numbers

HIGHEST_CONNECTOR: Final = 64
"""Nothing is kept of connectors and EVSEs of a higher number; numbers have no gaps (OCPP 1.6 §3.8), so few chargers get
there."""

_MOST_CONNECTORS: Final = 2 * HIGHEST_CONNECTOR + 2
"""Of a charge point: those of 1.6 and, once it speaks another version, as many of EVSEs."""

_NOTHING: Final = Readings()
"""Of a connector that has sent none yet, which most never do in the life of a server; never written to."""

_AT_REST: Final[ByPhase] = {WHOLE: 0.0}


class LiveValues(NamedTuple):
    """What is measured at a connector in a session. None for what isn't known, or was measured too long ago."""

    power_w: float | None
    current_a: ByPhase | None
    """By phase, WHOLE for the sum."""
    voltage_v: ByPhase | None
    soc_percent: float | None
    measured_at: datetime | None
    """The newest of them, by the charger's clock."""


NO_VALUES: Final = LiveValues(None, None, None, None, None)


class LiveConnector:
    """A connector as it stands now. What it says of power, current and energy is never older than its session."""

    __slots__ = (
        "_charge_point",
        "_ended_id",
        "_energy_wh",
        "_foreign_id",
        "_has_ended",
        "_readings",
        "connector_id",
        "evse_id",
        "status",
        "transaction_id",
        "values_at",
    )

    def __init__(self, charge_point: LiveChargePointState, numbers: Numbers) -> None:
        self.evse_id: Final = numbers[0]
        self.connector_id: Final = numbers[1]
        self.status: str | None = None
        """As last reported; None before the first."""
        self.transaction_id: int | None = None
        """Of the transaction that runs on it; one that was over before it was told never runs."""
        self.values_at: datetime | None = None
        """When the last values of what runs here came, by this server's clock; None before the first."""
        self._charge_point = charge_point
        self._energy_wh: int | None = None
        self._foreign_id: int | None = None
        """Of a transaction that another central system began, as the values name it."""
        self._ended_id: int | None = None
        """The last transaction that ended here."""
        self._has_ended = False
        """Whether what flowed has ended, and no power was measured since."""
        self._readings = _NOTHING

    @property
    def is_shown(self) -> bool:
        """Whether its charge point has it in the version that it speaks now, as `is_shown` in the database."""
        has_evses = self._charge_point.has_evses
        if (self.evse_id, self.connector_id) == STATION:
            # With EVSEs, few charge points tell of the station as a whole.
            return not has_evses or self.status is not None or self.transaction_id is not None
        return has_evses is None or has_evses == (self.evse_id != NO_EVSE)

    @property
    def may_flow(self) -> bool:
        """The rule: whether power, current, voltage and state of charge can be live here.

        Not while its charge point is offline, nor while the status says so and no transaction runs, ours or another
        central system's. The charge point as a whole, connector 0, has no status that says so.
        """
        if not self._charge_point.connected:
            return False
        if self.transaction_id is not None or self._foreign_id is not None or self.connector_id == CHARGE_POINT:
            return True
        return self.status is None or may_draw_current(self.status)

    @property
    def energy_wh(self) -> int | None:
        """Of the running transaction, so far; None where none runs or its energy isn't known."""
        return self._energy_wh

    @property
    def live_energy_wh(self) -> int | None:
        """The same, as long as its charge point is connected."""
        return self._energy_wh if self._charge_point.connected else None

    @property
    def peak_power_watts(self) -> float | None:
        """The highest power since the process began; None before the first."""
        return self._readings.peak_power_watts

    def power_watts(self, now: datetime) -> ByPhase:
        """By phase, WHOLE for the connector's; 0 where nothing flows any more, empty where it isn't known."""
        if not self._charge_point.connected:
            return {}
        measured = self._readings.power_watts(now)
        if not measured and self._readings.peak_power_watts is not None and self._is_at_rest:
            return _AT_REST
        return measured

    def power_w(self, now: datetime) -> float | None:
        """Of the whole connector, to a tenth; None where it isn't known."""
        watts = self.power_watts(now).get(WHOLE)
        return None if watts is None else round(watts, 1)

    def current_amperes(self, now: datetime) -> ByPhase:
        """By phase, WHOLE for the sum; 0 where nothing flows any more, empty where it isn't known."""
        if not self._charge_point.connected:
            return {}
        measured = self._readings.current_amperes(now)
        return _AT_REST if not measured and self._readings.had_current and self._is_at_rest else measured

    def voltage_volts(self, now: datetime) -> ByPhase:
        """By phase; empty where it isn't known, or nothing flows any more."""
        return self._readings.voltage_volts(now) if self._charge_point.connected else {}

    def values(self, now: datetime) -> LiveValues | None:
        """What is measured in the session that runs; None where none does."""
        if not self._is_in_session(now):
            return None
        return LiveValues(
            power_w=self.power_w(now),
            current_a=self.current_amperes(now) or None,
            voltage_v=self.voltage_volts(now) or None,
            soc_percent=self._readings.soc_percent(now),
            measured_at=self._readings.measured_at(now),
        )

    def session_power_w(self, now: datetime) -> float | None:
        """The power among `values`, for who asks for nothing else."""
        return self.power_w(now) if self._readings is not _NOTHING and self._is_in_session(now) else None

    @property
    def _runs(self) -> bool:
        return self.transaction_id is not None or self._foreign_id is not None

    @property
    def _is_at_rest(self) -> bool:
        return self._has_ended or not self.may_flow

    def _is_in_session(self, now: datetime) -> bool:
        """Whether a transaction runs, ours or another's; values that name none will do where the status lets them."""
        if not self.may_flow:
            return False
        if self._runs:
            return True
        if self.connector_id == CHARGE_POINT:
            others = self._charge_point.others()
            if others and not any(other._is_in_session(now) for other in others):  # noqa: SLF001  one like itself
                return False
        return self._readings.measured_at(now) is not None

    def begin(self, transaction_id: int, energy_wh: int | None) -> None:
        """A transaction runs from now on."""
        if self.transaction_id not in {None, transaction_id}:
            self._end_flow()
        self.transaction_id, self._energy_wh = transaction_id, energy_wh
        self._foreign_id, self._has_ended = None, False

    def end(self, transaction_id: int) -> None:
        """A transaction of ours is over; one that didn't run changes nothing."""
        self._ended_id = transaction_id
        if self.transaction_id == transaction_id:
            self.transaction_id = self._energy_wh = None
            self._end_flow()

    def move_to(self, connector: LiveConnector) -> None:
        """Its transaction runs on another connector: its charge point has told on which only now."""
        if self.transaction_id is not None:
            connector.begin(self.transaction_id, self._energy_wh)
            self.transaction_id = self._energy_wh = None
            self._readings.clear()

    def end_foreign(self, transaction_id: int) -> None:
        """A transaction of another central system is over."""
        if self._foreign_id == transaction_id:
            self._foreign_id = None
            self._end_flow()

    def change_status(self, status: str) -> None:
        """One without current ends what was measured before it; it says nothing against what is measured later."""
        self.status = status
        if not may_draw_current(status) and self.connector_id != CHARGE_POINT:
            self._foreign_id = None
            self._end_flow()

    def renew_connection(self) -> None:
        """The connection has begun or ended: what was measured before is unknown by now, not zero."""
        self._foreign_id, self._has_ended = None, False
        self._readings.clear()

    def measure(self, event: MeterValuesReceived) -> None:
        """Values have come for this connector, or for the transaction that runs on it."""
        told, running = event.transaction_id, self.transaction_id
        if told is not None and event.energy_wh is not None:
            if running == told:
                self._energy_wh = event.energy_wh
            # Only one that is open has an energy so far: it runs, though its start was told as of the past.
            elif running is None and not event.historic and told != self._ended_id:
                self.begin(told, event.energy_wh)
                running = told
        if event.historic or (told is not None and told != running):
            return
        self.values_at = event.at
        if running is None and event.foreign_transaction_id is not None:
            self._foreign_id = event.foreign_transaction_id
        if self.may_flow:
            if self._readings is _NOTHING:
                self._readings = Readings()
            if self._readings.take(event.samples, event.at) is not None:
                self._has_ended = False

    def _end_flow(self) -> None:
        self._has_ended = True
        self._readings.clear()
        # Its meter has counted what flowed here.
        whole = self._charge_point.connectors.get(STATION)
        if whole is not None and whole is not self:
            whole._readings.clear()  # noqa: SLF001  one like itself


class LiveChargePointState:
    """A charge point with its connectors."""

    __slots__ = ("connected", "connectors", "has_evses")

    def __init__(self) -> None:
        self.connected = False
        self.has_evses: bool | None = None
        """Whether the version that it speaks has EVSEs; None where nobody knows."""
        self.connectors: dict[Numbers, LiveConnector] = {}

    def connector(self, numbers: Numbers) -> LiveConnector | None:
        """Made known where it wasn't; None where its numbers are out of bounds."""
        known = self.connectors.get(numbers)
        if known is None and _is_kept(numbers) and len(self.connectors) < _MOST_CONNECTORS:
            known = self.connectors[numbers] = LiveConnector(self, numbers)
        return known

    def running(self, transaction_id: int) -> LiveConnector | None:
        """The connector that a transaction runs on."""
        return next((c for c in self.connectors.values() if c.transaction_id == transaction_id), None)

    def others(self) -> list[LiveConnector]:
        """Its connectors, without the one that is the charge point as a whole."""
        return [connector for numbers, connector in self.connectors.items() if numbers != STATION]

    def connect(self, *, connected: bool) -> None:
        self.connected = connected
        for connector in self.connectors.values():
            connector.renew_connection()


def _is_kept(numbers: Numbers) -> bool:
    """Neither too high nor, for a version with EVSEs, an EVSE as a whole: what flows there flows at a connector."""
    evse_id, connector_id = numbers
    if not (0 <= evse_id <= HIGHEST_CONNECTOR and 0 <= connector_id <= HIGHEST_CONNECTOR):
        return False
    return evse_id == NO_EVSE or connector_id != CHARGE_POINT
