"""What happened, for those who subscribe: published after the commit and after the charger has its answer.

Every event is a frozen dataclass. `charge_point_id` is the identity, `connector_id` the number as OCPP has it, and
`evse_id` that of its EVSE, 0 where the version knows connectors only (1.6). Times are UTC, energies Wh.
`correlation_id` is the flow's that caused it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from mcpp.domain.samples import Sample
from mcpp_generated.db.enums import Approval, Implausible, ReservationState, RollOutStage, StepState, StopOrigin


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What all events have."""

    charge_point_id: str
    correlation_id: str
    at: datetime
    """When the central system learned of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargePointConnected(Event):
    """A charge point opened its connection."""

    ocpp_version: str
    remote_address: str
    has_evses: bool = False
    """Its version numbers EVSEs and the connectors of each; else connectors only (1.6)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargePointDisconnected(Event):
    """The last connection of a charge point ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRefused(Event):
    """A connection was refused. Where many are, the newest speaks for those before it.

    `charge_point_id` is what it called itself, known or not; empty where that wasn't read.
    """

    remote_address: str
    path: str
    """That it came by, cut, without secrets; empty where none was read."""
    outcome: str
    """As `mcpp_connections_total` counts it."""
    why: str
    remedy: str
    """What to do about it, such as what to type into the charger."""
    count: int
    """How often the same address was refused so by this path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargePointOffline(Event):
    """A charge point has been gone for longer than a site puts up with."""

    gone_since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargePointOnline(Event):
    """A charge point that was reported offline is back to stay."""

    gone_since: datetime
    gone_seconds: int
    """Until the connection that lasts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargePointBooted(Event):
    """A BootNotification was accepted (OCPP 1.6 §4.2)."""

    vendor: str
    model: str
    serial_number: str | None
    firmware_version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargePointSettingsChanged(Event):
    """An operator registered a charge point ahead of time, or said something else of it than before."""

    display_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargePointForgotten(Event):
    """An operator deleted a charge point and all that belonged to it."""

    open_transactions: int
    """How many of those that went with it were open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatReceived(Event):
    """A Heartbeat came in (OCPP 1.6 §4.6)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorStatusChanged(Event):
    """A StatusNotification reported something new (OCPP 1.6 §4.9)."""

    connector_id: int
    status: str
    previous_status: str | None
    error_code: str
    info: str | None
    reported_at: datetime
    session_correlation_id: str | None
    reported_status: str | None = None
    """The charger's own word, where `status` is derived from it; None where that is the same (OCPP 1.6)."""
    evse_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionStarted(Event):
    """A transaction was stored; not repeated when the charger repeats its StartTransaction."""

    transaction_id: int
    connector_id: int
    id_tag: str
    meter_start: int
    started_at: datetime
    session_correlation_id: str
    historic: bool = False
    """It's older than what its charger said before: of the past only, nothing runs because of it."""
    ocpp_transaction_id: str | None = None
    """Its charger's own id; None where the central system gives the only one (OCPP 1.6)."""
    evse_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterValuesReceived(Event):
    """Meter values were stored: in a transaction, outside of any, or aside where it isn't one of ours."""

    connector_id: int
    transaction_id: int | None
    session_correlation_id: str | None
    samples: Sequence[Sample]
    energy_wh: int | None = None
    """What its running transaction has taken so far; None where these values say nothing new of it."""
    historic: bool = False
    """They're of a transaction that is over, or older than what its charger said before: nothing flows now."""
    foreign_transaction_id: int | None = None
    """As the values name it, where no such transaction is known: another central system may have begun it."""
    evse_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionStopped(Event):
    """A transaction's end was stored, as its charger reported it or as an operator decided; `origin` says which."""

    transaction_id: int
    connector_id: int
    id_tag: str
    meter_start: int
    meter_stop: int
    energy_wh: int
    """0 where it's implausible."""
    counted_wh: int
    """What sums count of it: a person's correction goes on counting, and nothing does where it's implausible."""
    energy_implausible: bool
    started_at: datetime
    stopped_at: datetime
    reason: str
    origin: StopOrigin
    session_correlation_id: str
    supersedes: int | None = None
    """The meter_stop in Wh, recovered or an operator's, that this one replaces."""
    superseded_wh: int | None = None
    """What the replaced end counted, in Wh."""
    superseded_stopped_at: datetime | None = None
    superseded_origin: StopOrigin | None = None
    evidence: str | None = None
    """JSON: what the end was taken from, where the charger didn't report it."""
    implausible_reason: Implausible | None = None
    """Why no reading can be believed (`mcpp.domain.plausibility`)."""
    historic: bool = False
    """Its start was historic, too: it never ran here."""
    ocpp_transaction_id: str | None = None
    """As in TransactionStarted."""
    evse_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionRecovered(TransactionStopped):
    """A transaction that its charger left open was closed in the database; `evidence` says by what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionCorrected(Event):
    """A person said what an ended transaction took; that counts from now on."""

    transaction_id: int
    connector_id: int
    id_tag: str
    energy_wh: int
    replaced_wh: int | None
    """What counted before, in Wh; None where nothing did."""
    note: str
    who: str
    evse_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CardLearnt(Event):
    """An unknown card was presented where one is to be learnt: it waits for a name, and got no start."""

    connector_id: int | None
    """None where the charge point didn't tell it."""
    id_tag: str
    evse_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationChanged(Event):
    """A reservation was made or replaced, used, cancelled, or has expired (OCPP 1.6 §3.11)."""

    reservation_id: int
    connector_id: int
    id_tag: str
    parent_id_tag: str | None
    expiry_date: datetime
    status: ReservationState
    transaction_id: int | None
    evse_id: int = 0


class CommandOutcome(StrEnum):
    """How a command to a charge point ended."""

    ANSWERED = "answered"
    REFUSED = "refused"
    """By a CALLERROR (OCPP-J 1.6 §4.2.3)."""
    TIMEOUT = "timeout"
    CONNECTION_LOST = "connection_lost"
    INVALID_ANSWER = "invalid_answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandFinished(Event):
    """A command is over, whoever sent it; one that was taken back before its turn is none."""

    action: str
    message_id: str
    outcome: CommandOutcome
    status: str | None
    """The answer's, such as `Rejected`, where the action has one."""
    error_code: str | None
    """Of a CALLERROR, as the charge point spells it."""
    duration_seconds: float
    """From the command to its end, the wait for those before it included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordUnmatched(Event):
    """A stop or meter values belong to no known transaction and were kept aside."""

    kind: str
    claimed_transaction_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityEventReceived(Event):
    """A SecurityEventNotification was stored (security whitepaper §4.9)."""

    type: str
    occurred_at: datetime
    tech_info: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceEventReceived(Event):
    """Something happened in a charge point's devices, and was stored: a variable was told of, or another matter."""

    kind: str
    """`variable`, or what else it is about: `der_alarm`, `der_control`, `battery_swap`."""
    event_id: int
    """As the charge point counts them; 0 where it doesn't."""
    occurred_at: datetime
    """By its clock; ours where it told no time."""
    subject: str
    """What it is about: of a variable its key (mcpp.domain.variables)."""
    component: str | None
    """This and the names that follow: of a variable only."""
    component_instance: str | None
    evse_id: int | None
    connector_id: int | None
    variable: str | None
    variable_instance: str | None
    value: str | None
    """None where it is secret, or nothing has one."""
    trigger: str | None
    severity: int | None
    """From 0, danger, to 9; None where nobody said."""
    cleared: bool
    """What was wrong is no more."""
    tech_code: str | None
    tech_info: str | None
    ocpp_transaction_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportReceived(Event):
    """Diagnostics, firmware or log upload: the charger says how far it is. Or a report in chunks is complete."""

    kind: str
    """As in the API: of what, such as `firmware`; of chunks `variables`, `customer_information` and the like."""
    status: str
    """As the charger says it; `complete` where it doesn't."""
    request_id: int | None = None
    """Of the request that asked for it, where it has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReceived(Event):
    """A charge point has put a file: diagnostics or a log."""

    upload_id: int
    name: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRequested(Event):
    """A charge point asks the built-in authority for a certificate (security whitepaper, SignCertificate)."""

    certificate_id: int
    subject: str
    key_type: str
    approved_by: Approval | None
    """What let it be signed; None where it waits for an operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateIssued(Event):
    """The built-in authority has signed a certificate for a charge point, which has yet to take it."""

    certificate_id: int
    subject: str
    serial_number: str
    approved_by: Approval
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateInstalled(Event):
    """A charge point answered to the certificate that it was sent."""

    certificate_id: int
    subject: str
    serial_number: str
    accepted: bool
    """It has it now; else it refused it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRejected(Event):
    """A signing request was refused: by what it says, by who sent it, or by an operator."""

    certificate_id: int | None
    """None where nothing is kept of it."""
    subject: str | None
    """None where it could not be read."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRevoked(Event):
    """An operator revoked a certificate: nobody gets in by it any more."""

    certificate_id: int
    subject: str
    serial_number: str
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RollOutProgressed(Event):
    """A step of the roll-out of security profile 3 to a charge point is done, or has failed."""

    step: RollOutStage
    state: StepState
    answer: str | None
    """What the charge point said, or why it failed."""


class Subscriber(Protocol):
    """Receives some kinds of events."""

    @property
    def kinds(self) -> tuple[type[Event], ...]:
        """The kinds it wants, each with those derived from it; they stay the same."""
        ...

    def __call__(self, event: Event) -> None:
        """Take an event of such a kind. Called on the event loop; must not block."""
        ...


_PLAIN_EVENT: Final = 1024
_SAMPLE: Final = 256


def size_of(event: Event) -> int:
    """About the bytes that an event takes: all but samples are a few short texts (mcpp.bounds)."""
    if isinstance(event, MeterValuesReceived):
        samples = event.samples
        return _PLAIN_EVENT + _SAMPLE * len(samples) + sum([len(sample.value) for sample in samples])
    return _PLAIN_EVENT
