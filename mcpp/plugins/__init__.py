"""A site's own logic: plugins get events, decide where they are asked, and command through a `Site`.

```python
from mcpp.plugins import Site, TransactionStopped, hookimpl

@hookimpl
async def transaction_stopped(event: TransactionStopped, site: Site) -> None:
    site.log.info("bill", category="transaction", energy_wh=event.energy_wh)
```

See docs/plugins.md.
"""

from __future__ import annotations

from mcpp.csms.operations import ChangeOutcome, Operations
from mcpp.domain.authorization import Authorization, AuthorizationStatus
from mcpp.domain.events import (
    CardLearnt,
    CertificateInstalled,
    CertificateIssued,
    CertificateRejected,
    CertificateRequested,
    CertificateRevoked,
    ChargePointBooted,
    ChargePointConnected,
    ChargePointDisconnected,
    ChargePointForgotten,
    ChargePointOffline,
    ChargePointOnline,
    ChargePointSettingsChanged,
    CommandFinished,
    CommandOutcome,
    ConnectionRefused,
    ConnectorStatusChanged,
    DeviceEventReceived,
    Event,
    FileReceived,
    HeartbeatReceived,
    MeterValuesReceived,
    RecordUnmatched,
    ReportReceived,
    ReservationChanged,
    RollOutProgressed,
    SecurityEventReceived,
    TransactionCorrected,
    TransactionRecovered,
    TransactionStarted,
    TransactionStopped,
)
from mcpp.domain.questions import (
    AuthorizationQuestion,
    ContractCertificateAnswer,
    ContractCertificateQuestion,
    DataTransferAnswer,
    DataTransferQuestion,
    DataTransferStatus,
)
from mcpp.domain.samples import Sample, SampleKind
from mcpp.ocppj.errors import CommandError
from mcpp.plugins.hookspecs import HookSpecs, hookimpl
from mcpp.plugins.settings import PluginSettings
from mcpp.plugins.site import ChargePointState, ConnectorState, Scheduled, Site

__all__ = [
    "Authorization",
    "AuthorizationQuestion",
    "AuthorizationStatus",
    "CardLearnt",
    "CertificateInstalled",
    "CertificateIssued",
    "CertificateRejected",
    "CertificateRequested",
    "CertificateRevoked",
    "ChangeOutcome",
    "ChargePointBooted",
    "ChargePointConnected",
    "ChargePointDisconnected",
    "ChargePointForgotten",
    "ChargePointOffline",
    "ChargePointOnline",
    "ChargePointSettingsChanged",
    "ChargePointState",
    "CommandError",
    "CommandFinished",
    "CommandOutcome",
    "ConnectionRefused",
    "ConnectorState",
    "ConnectorStatusChanged",
    "ContractCertificateAnswer",
    "ContractCertificateQuestion",
    "DataTransferAnswer",
    "DataTransferQuestion",
    "DataTransferStatus",
    "DeviceEventReceived",
    "Event",
    "FileReceived",
    "HeartbeatReceived",
    "HookSpecs",
    "MeterValuesReceived",
    "Operations",
    "PluginSettings",
    "RecordUnmatched",
    "ReportReceived",
    "ReservationChanged",
    "RollOutProgressed",
    "Sample",
    "SampleKind",
    "Scheduled",
    "SecurityEventReceived",
    "Site",
    "TransactionCorrected",
    "TransactionRecovered",
    "TransactionStarted",
    "TransactionStopped",
    "hookimpl",
]
