"""What the chargers of the benchmarks say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import count
from typing import Final, TypeAlias

import orjson

Payload: TypeAlias = Mapping[str, object]
Clock: TypeAlias = Callable[[], datetime]

TRANSACTION: Final = 987_654_321
"""Stands for a transaction's id where a frame is made before that is known."""

PHASES: Final = ("L1", "L2", "L3")


class Workload(StrEnum):
    """Which messages come."""

    METER_VALUES = "meter-values"
    """MeterValues with 6 samples, of a running transaction."""
    MIXED = "mixed"
    """A charging session in five messages: status, start, meter values, stop, status."""


def yesterday() -> Clock:
    """A clock that goes on by a second whenever it's asked, so that no two samples have the same time."""
    began = datetime.now(UTC) - timedelta(days=1)
    seconds = count()
    return lambda: began + timedelta(seconds=next(seconds))


def today() -> datetime:
    """The clock of a charger whose values are to count as what is measured now."""
    return datetime.now(UTC)


@dataclass
class Charger:
    """Makes the frames of one charge point, one at each tick of its clock."""

    identity: str
    clock: Clock
    _register: int = 0

    def status(self, connector: int, status: str) -> bytes:
        payload = {"connectorId": connector, "errorCode": "NoError", "status": status, "timestamp": self._tick()}
        return self._call("StatusNotification", payload)

    def start(self, connector: int) -> bytes:
        payload = {"connectorId": connector, "idTag": "CARD", "meterStart": self._register, "timestamp": self._tick()}
        return self._call("StartTransaction", payload)

    def meter_values(self, connector: int, transaction: int = TRANSACTION) -> bytes:
        """Register, power, voltage and three currents."""
        samples = [
            _sample("Energy.Active.Import.Register", "Wh", self._register),
            _sample("Power.Active.Import", "W", 7360.5),
            _sample("Voltage", "V", 230.1, "L1-N"),
            *(_sample("Current.Import", "A", 16.0, phase) for phase in PHASES),
        ]
        return self._meter_values(connector, samples, transaction)

    def three_phase_values(self, connector: int) -> bytes:
        """Register and total power, with power, voltage and current of each phase; outside any transaction."""
        samples = [
            _sample("Energy.Active.Import.Register", "Wh", self._register),
            _sample("Power.Active.Import", "W", 11040.3),
            *(_sample("Power.Active.Import", "W", 3680.1, phase) for phase in PHASES),
            *(_sample("Voltage", "V", 230.1, f"{phase}-N") for phase in PHASES),
            *(_sample("Current.Import", "A", 16.0, phase) for phase in PHASES),
        ]
        return self._meter_values(connector, samples)

    def stop(self) -> bytes:
        payload = {"transactionId": TRANSACTION, "meterStop": self._register, "timestamp": self._tick()}
        return self._call("StopTransaction", payload)

    def _meter_values(self, connector: int, samples: Sequence[Payload], transaction: int | None = None) -> bytes:
        payload: dict[str, object] = {"connectorId": connector}
        if transaction is not None:
            payload["transactionId"] = transaction
        payload["meterValue"] = [{"timestamp": self._tick(), "sampledValue": samples}]
        return self._call("MeterValues", payload)

    def _call(self, action: str, payload: Payload) -> bytes:
        return orjson.dumps([2, f"{self.identity}-{self._register:024}", action, payload])

    def _tick(self) -> str:
        self._register += 2
        return self.clock().isoformat(timespec="milliseconds")


def transaction_id(answer: bytes) -> int:
    """Of a StartTransaction's answer."""
    number: int = orjson.loads(answer)[2]["transactionId"]
    return number


def _sample(measurand: str, unit: str, value: float, phase: str | None = None) -> Payload:
    sample = {"value": str(value), "measurand": measurand, "unit": unit}
    return sample if phase is None else {**sample, "phase": phase}
