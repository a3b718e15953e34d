"""What the chargers of the benchmarks send: frames filled in from prepared text, since the generator must be cheap."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from random import Random
from typing import ClassVar, Final, TypeAlias

Frame: TypeAlias = bytes
"""The JSON text of a CALL."""


class Workload(StrEnum):
    """Which messages come."""

    HEARTBEAT = "heartbeat"
    METER_VALUES = "metervalues"
    """Six samples, about 720 bytes, outside any transaction."""
    IN_TRANSACTION = "in-transaction"
    """The same six within one transaction that goes on: MeterValues in 1.6, TransactionEvent in later versions."""
    MIXED = "mixed"
    """60 % meter values, 20 % heartbeats, 15 % statuses, 5 % starts and stops."""
    STATUS = "status"
    START = "start"
    """One start on each connector, then nothing."""
    STOP = "stop"
    """The stops of all that was started, then nothing."""
    ARRIVAL = "arrival"
    """The statuses of two connectors, then nothing."""
    THREE_PHASE = "three-phase"
    """Eleven samples of these two connectors in turn, outside any transaction."""


CONNECTORS: Final = 20
"""That a charger starts transactions on in the `START` workload."""

ID_LENGTH: Final = 36
"""Characters of a message's UniqueId, as a UUID has."""


def _samples(*values: tuple[str, str, str, str]) -> bytes:
    """Measurand, unit, phase (empty for none) and value or its place."""
    texts = (
        f'{{"value":"{value}","context":"Sample.Periodic","measurand":"{measurand}"'
        + (f',"phase":"{phase}"' if phase else "")
        + f',"unit":"{unit}"}}'
        for measurand, unit, phase, value in values
    )
    return ",".join(texts).encode()


_METER_VALUES: Final = b'[2,"%b","MeterValues",{"connectorId":%d,%b"meterValue":[{"timestamp":"%b","sampledValue":['
_SIX_SAMPLES: Final = _samples(
    ("Energy.Active.Import.Register", "Wh", "", "%d.0"),
    ("Power.Active.Import", "W", "", "7%03d.5"),
    ("Voltage", "V", "L1-N", "230.3"),
    ("Current.Import", "A", "L1", "31.2"),
    ("SoC", "Percent", "", "57"),
    ("Temperature", "Celsius", "", "31.1"),
)
_THREE_PHASES: Final = _samples(
    ("Energy.Active.Import.Register", "Wh", "", "%d.0"),
    ("Power.Active.Import", "W", "", "11%03d.3"),
    *(("Power.Active.Import", "W", phase, "3680.1") for phase in ("L1", "L2", "L3")),
    *(("Voltage", "V", phase, "230.1") for phase in ("L1-N", "L2-N", "L3-N")),
    *(("Current.Import", "A", phase, "16.0") for phase in ("L1", "L2", "L3")),
)
_END: Final = b"]}]}]"

_HEARTBEAT: Final = b'[2,"%b","Heartbeat",{}]'
_STATUS: Final = (
    b'[2,"%b","StatusNotification",{"connectorId":%d,"errorCode":"NoError","status":"%b","timestamp":"%b"}]'
)
_START: Final = b'[2,"%b","StartTransaction",{"connectorId":%d,"idTag":"TAG0001","meterStart":%d,"timestamp":"%b"}]'
_STOP: Final = (
    b'[2,"%b","StopTransaction",'
    b'{"idTag":"TAG0001","reason":"Local","transactionId":%d,"meterStop":%d,"timestamp":"%b"}]'
)
_BOOT: Final = (
    b'[2,"%b","BootNotification",'
    b'{"chargePointVendor":"MCPP","chargePointModel":"Bench","chargePointSerialNumber":"%b","firmwareVersion":"1.0"}]'
)

_TRANSACTION_ID: Final = b'"transactionId":'


class Charger:
    """One charge point: makes its next CALL and learns from the answer."""

    subprotocol: ClassVar[str] = "ocpp1.6"

    def __init__(self, identity: str, seed: int) -> None:
        self.identity = identity
        self.message_id = b""
        """The UniqueId of the last CALL."""
        self._name = identity.encode()
        self._sent = 0
        self._energy = 1000
        self._random = Random(seed)
        self._transactions: dict[int, int] = {}
        """Connector: its running transaction."""
        self._arrivals = iter((1, 2))
        self._starting = 0
        """The connector whose start was sent last and isn't answered; 0 for none."""
        self._makers: Mapping[Workload, Callable[[], Frame | None]] = {
            Workload.HEARTBEAT: self.heartbeat,
            Workload.METER_VALUES: self.meter_values,
            Workload.IN_TRANSACTION: self.transaction_values,
            Workload.MIXED: self._mixed,
            Workload.STATUS: lambda: self.status(1, (b"Preparing", b"Available")[self._sent & 1]),
            Workload.START: self._start_next,
            Workload.STOP: self._stop_next,
            Workload.ARRIVAL: self._arrive,
            Workload.THREE_PHASE: lambda: self.three_phase_values(1 + (self._sent & 1)),
        }

    def maker(self, workload: Workload) -> Callable[[], Frame | None]:
        """What makes the next CALL of a workload; it returns None when there is nothing left to send."""
        return self._makers[workload]

    def answered(self, answer: bytes) -> None:
        """The last CALL was answered with this CALLRESULT."""
        if self._starting:
            _, _, rest = answer.partition(_TRANSACTION_ID)
            # A server that only echoes allots no number.
            digits = rest.lstrip().partition(b",")[0].partition(b"}")[0]
            self._transactions[self._starting] = int(digits) if digits.isdigit() else 1
            self._starting = 0

    def boot(self) -> Frame:
        return _BOOT % (self.next_id(), self._name)

    def heartbeat(self) -> Frame:
        return _HEARTBEAT % self.next_id()

    def status(self, connector: int, status: bytes) -> Frame:
        return _STATUS % (self.next_id(), connector, status, now_text())

    def meter_values(self) -> Frame:
        """Of connector 1, within its transaction if one runs."""
        transaction = self._transactions.get(1)
        about = b"" if transaction is None else b'"transactionId":%d,' % transaction
        return self._meter_values(1, about, _SIX_SAMPLES)

    def transaction_values(self) -> Frame:
        """The start of a transaction on connector 1, then its values."""
        return self.meter_values() if 1 in self._transactions else self.start(1)

    def three_phase_values(self, connector: int) -> Frame:
        return self._meter_values(connector, b"", _THREE_PHASES)

    def start(self, connector: int) -> Frame:
        self._starting = connector
        return _START % (self.next_id(), connector, self._energy, now_text())

    def stop(self, connector: int) -> Frame:
        transaction = self._transactions.pop(connector)
        return _STOP % (self.next_id(), transaction, self._energy, now_text())

    def _mixed(self) -> Frame:
        chance = self._random.random()
        if chance < 0.6:
            return self.meter_values()
        if chance < 0.8:
            return self.heartbeat()
        running = 1 in self._transactions
        if chance < 0.95:
            # None says that it is available while its transaction runs.
            return self.status(1, b"Charging" if running else (b"Preparing", b"Available")[self._sent & 1])
        return self.stop(1) if running else self.start(1)

    def _arrive(self) -> Frame | None:
        connector = next(self._arrivals, None)
        return None if connector is None else self.status(connector, b"Available")

    def _start_next(self) -> Frame | None:
        free = (connector for connector in range(1, CONNECTORS + 1) if connector not in self._transactions)
        connector = next(free, None)
        return None if connector is None else self.start(connector)

    def _stop_next(self) -> Frame | None:
        return self.stop(next(iter(self._transactions))) if self._transactions else None

    def _meter_values(self, connector: int, about: bytes, samples: bytes) -> Frame:
        self._energy += 1 + (self._sent & 15)
        head = _METER_VALUES % (self.next_id(), connector, about, now_text())
        return head + samples % (self._energy, self._sent % 1000) + _END

    def next_id(self) -> bytes:
        self._sent += 1
        self.message_id = message_id = (b"%b-%027d" % (self._name, self._sent))[-ID_LENGTH:]
        return message_id


_second = 0
_second_text = b""


def now_text() -> bytes:
    """The time with milliseconds; the part down to the second is made once a second."""
    global _second, _second_text
    now = time.time()
    second = int(now)
    if second != _second:
        _second, _second_text = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)).encode()
    return b"%b.%03dZ" % (_second_text, (now - second) * 1000)
