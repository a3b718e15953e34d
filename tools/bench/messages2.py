"""What the chargers of the benchmarks send in OCPP 2.0.1 and 2.1."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Final

from tools.bench.messages import Charger, Frame, Workload, now_text


def _samples(*values: tuple[str, str, str, str]) -> bytes:
    """Measurand, unit, phase (empty for none) and value or its place."""
    texts = (
        f'{{"value":{value},"context":"Sample.Periodic","measurand":"{measurand}"'
        + (f',"phase":"{phase}"' if phase else "")
        + f',"unitOfMeasure":{{"unit":"{unit}"}}}}'
        for measurand, unit, phase, value in values
    )
    return ",".join(texts).encode()


_SIX_SAMPLES: Final = _samples(
    ("Energy.Active.Import.Register", "Wh", "", "%d.0"),
    ("Power.Active.Import", "W", "", "7%03d.5"),
    ("Voltage", "V", "L1-N", "230.3"),
    ("Current.Import", "A", "L1", "31.2"),
    ("SoC", "Percent", "", "57"),
    ("Frequency", "Hertz", "", "50.1"),
)
_VALUES: Final = b'"meterValue":[{"timestamp":"%b","sampledValue":[' + _SIX_SAMPLES + b"]}]"
_METER_VALUES: Final = b'[2,"%b","MeterValues",{"evseId":1,' + _VALUES + b"}]"
_UPDATED: Final = (
    b'[2,"%b","TransactionEvent",{"eventType":"Updated","timestamp":"%b","triggerReason":"MeterValuePeriodic",'
    b'"seqNo":%d,"transactionInfo":{"transactionId":"%b","chargingState":"Charging"},' + _VALUES + b"}]"
)
_STARTED: Final = (
    b'[2,"%b","TransactionEvent",{"eventType":"Started","timestamp":"%b","triggerReason":"Authorized","seqNo":0,'
    b'"transactionInfo":{"transactionId":"%b","chargingState":"Charging"},"evse":{"id":1,"connectorId":1},'
    b'"idToken":{"idToken":"TAG0001","type":"ISO14443"},' + _VALUES + b"}]"
)
_BOOT: Final = (
    b'[2,"%b","BootNotification",{"reason":"PowerUp","chargingStation":{"vendorName":"MCPP","model":"Bench",'
    b'"serialNumber":"%b","firmwareVersion":"1.0"}}]'
)
_STATUS: Final = b'[2,"%b","StatusNotification",{"evseId":1,"connectorId":%d,"connectorStatus":"%b","timestamp":"%b"}]'


class Charger201(Charger):
    """One that speaks 2.0.1, with one EVSE; it knows fewer workloads."""

    subprotocol: ClassVar[str] = "ocpp2.0.1"

    def __init__(self, identity: str, seed: int) -> None:
        super().__init__(identity, seed)
        self._identity = identity.encode()
        self._transaction = b"%b-%d" % (self._identity, seed)
        self._seq_no = -1
        """Of its transaction's last event."""
        self._register = 1000
        self._said = 0
        self._makers_2: Mapping[Workload, Callable[[], Frame | None]] = {
            Workload.HEARTBEAT: self.heartbeat,
            Workload.METER_VALUES: self.meter_values,
            Workload.IN_TRANSACTION: self.transaction_values,
            Workload.STATUS: lambda: self.status(1, (b"Occupied", b"Available")[self._said & 1]),
        }

    def maker(self, workload: Workload) -> Callable[[], Frame | None]:
        """Raises ValueError for a workload of 1.6 alone."""
        if workload not in self._makers_2:
            raise ValueError(f"chargers of {self.subprotocol} don't do {workload}")
        return self._makers_2[workload]

    def boot(self) -> Frame:
        return _BOOT % (self.next_id(), self._identity)

    def status(self, connector: int, status: bytes) -> Frame:
        self._said += 1
        return _STATUS % (self.next_id(), connector, status, now_text())

    def meter_values(self) -> Frame:
        """Of EVSE 1, outside any transaction."""
        now, register, power = self._measured()
        return _METER_VALUES % (self.next_id(), now, register, power)

    def transaction_values(self) -> Frame:
        """The start of a transaction on EVSE 1, then its values."""
        now, register, power = self._measured()
        self._seq_no += 1
        if self._seq_no == 0:
            return _STARTED % (self.next_id(), now, self._transaction, now, register, power)
        return _UPDATED % (self.next_id(), now, self._seq_no, self._transaction, now, register, power)

    def _measured(self) -> tuple[bytes, int, int]:
        self._said += 1
        self._register += 1 + (self._said & 15)
        return now_text(), self._register, self._said % 1000


class Charger21(Charger201):
    """The same in 2.1."""

    subprotocol: ClassVar[str] = "ocpp2.1"


CHARGERS: Final[Mapping[str, type[Charger]]] = {"1.6": Charger, "2.0.1": Charger201, "2.1": Charger21}
"""By version."""
