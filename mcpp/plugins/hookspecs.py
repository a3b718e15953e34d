"""Every hook with its signature. A hook may be a plain function or `async`; it may leave out what it doesn't need.

Hooks for events are called after the commit and after the charger has its answer, in order for each charge point. Those
for questions (`authorize`, `data_transfer_received`, `contract_certificate_wanted`) hold the charger's answer, so they
have a short time limit, after which the server decides as if nobody had been asked; the first answer that isn't None
counts.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeAlias

import pluggy

from mcpp.domain.authorization import Authorization
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
)
from mcpp.plugins.site import Site

PROJECT = "mcpp"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a plugin's function as the hook of its name."""

Done: TypeAlias = Awaitable[None] | None
"""What a hook for an event returns: nothing, at once or later."""

Verdict: TypeAlias = Authorization | None
Answer: TypeAlias = DataTransferAnswer | None
Contract: TypeAlias = ContractCertificateAnswer | None


class HookSpecs:
    """All hooks there are. One for each event has the event's name."""

    @hookspec
    def server_started(self, site: Site) -> Done:
        """Both listeners accept connections. Events wait until this one has returned."""

    @hookspec
    def server_stopping(self, site: Site) -> Done:
        """The server ends: chargers are disconnected, their last events delivered. There are 3.5 seconds left."""

    @hookspec
    def event_published(self, event: Event, site: Site) -> Done:
        """Anything happened: comes for every event, after the event's own hook; for bridges to other systems."""

    @hookspec
    def charge_point_connected(self, event: ChargePointConnected, site: Site) -> Done:
        """A charge point opened its connection; it may not have booted yet."""

    @hookspec
    def connection_refused(self, event: ConnectionRefused, site: Site) -> Done:
        """A connection was refused, whatever it calls itself. At most ten at once, then one in ten seconds."""

    @hookspec
    def charge_point_disconnected(self, event: ChargePointDisconnected, site: Site) -> Done:
        """The last connection of a charge point ended."""

    @hookspec
    def charge_point_offline(self, event: ChargePointOffline, site: Site) -> Done:
        """A charge point has stayed away for long (published by the plugin `offline_alert`)."""

    @hookspec
    def charge_point_online(self, event: ChargePointOnline, site: Site) -> Done:
        """A charge point that was reported offline is back to stay (published by the plugin `offline_alert`)."""

    @hookspec
    def charge_point_booted(self, event: ChargePointBooted, site: Site) -> Done:
        """A BootNotification was accepted (OCPP 1.6 §4.2): from here on commands are welcome."""

    @hookspec
    def charge_point_settings_changed(self, event: ChargePointSettingsChanged, site: Site) -> Done:
        """An operator registered a charge point ahead of time, or said something else of it, such as its name."""

    @hookspec
    def charge_point_forgotten(self, event: ChargePointForgotten, site: Site) -> Done:
        """An operator deleted a charge point and all that belonged to it."""

    @hookspec
    def heartbeat_received(self, event: HeartbeatReceived, site: Site) -> Done:
        """A Heartbeat came in (OCPP 1.6 §4.6)."""

    @hookspec
    def connector_status_changed(self, event: ConnectorStatusChanged, site: Site) -> Done:
        """A StatusNotification had something new (OCPP 1.6 §4.9); the event has the status before, too."""

    @hookspec
    def transaction_started(self, event: TransactionStarted, site: Site) -> Done:
        """A transaction was stored (OCPP 1.6 §4.8), once however often the charger repeats it."""

    @hookspec
    def meter_values_received(self, event: MeterValuesReceived, site: Site) -> Done:
        """Meter values were stored (OCPP 1.6 §4.7): in a transaction, outside of any, or aside."""

    @hookspec
    def transaction_stopped(self, event: TransactionStopped, site: Site) -> Done:
        """A transaction's end was stored (OCPP 1.6 §4.10); again where a late real stop supersedes another."""

    @hookspec
    def transaction_recovered(self, event: TransactionRecovered, site: Site) -> Done:
        """A transaction that its charger left open was closed by the server; the event has the evidence."""

    @hookspec
    def transaction_corrected(self, event: TransactionCorrected, site: Site) -> Done:
        """A person said what an ended transaction took; that counts from now on."""

    @hookspec
    def card_learnt(self, event: CardLearnt, site: Site) -> Done:
        """An unknown card was presented where one is to be learnt: it waits for a name, and got no start."""

    @hookspec
    def reservation_changed(self, event: ReservationChanged, site: Site) -> Done:
        """A reservation was made, replaced, used or cancelled, or has expired (OCPP 1.6 §3.11)."""

    @hookspec
    def command_finished(self, event: CommandFinished, site: Site) -> Done:
        """A command to a charge point is over, whoever sent it: answered, refused, or without an answer."""

    @hookspec
    def record_unmatched(self, event: RecordUnmatched, site: Site) -> Done:
        """A stop or meter values belong to no known transaction; or a stop is nobody's any more."""

    @hookspec
    def security_event_received(self, event: SecurityEventReceived, site: Site) -> Done:
        """A charge point reported something that matters to security (security whitepaper)."""

    @hookspec
    def device_event_received(self, event: DeviceEventReceived, site: Site) -> Done:
        """Something happened in a charge point's devices: a monitor spoke, a battery was swapped (OCPP 2.x)."""

    @hookspec
    def report_received(self, event: ReportReceived, site: Site) -> Done:
        """A charge point says how far it is with diagnostics, firmware or a log; or a report in chunks is complete."""

    @hookspec
    def file_received(self, event: FileReceived, site: Site) -> Done:
        """A charge point has put a file: diagnostics or a log."""

    @hookspec
    def certificate_requested(self, event: CertificateRequested, site: Site) -> Done:
        """A charge point asks the certificate authority for a certificate; it may wait for an operator."""

    @hookspec
    def certificate_issued(self, event: CertificateIssued, site: Site) -> Done:
        """The certificate authority has signed a certificate, which its charge point has yet to take."""

    @hookspec
    def certificate_installed(self, event: CertificateInstalled, site: Site) -> Done:
        """A charge point took the certificate that it was sent, or refused it (`accepted`)."""

    @hookspec
    def certificate_rejected(self, event: CertificateRejected, site: Site) -> Done:
        """A signing request was refused: by what it says, by who sent it, or by an operator."""

    @hookspec
    def certificate_revoked(self, event: CertificateRevoked, site: Site) -> Done:
        """An operator revoked a certificate: nobody gets in by it any more."""

    @hookspec
    def roll_out_progressed(self, event: RollOutProgressed, site: Site) -> Done:
        """A step of the roll-out of security profile 3 to a charge point is done, or has failed."""

    @hookspec(firstresult=True)
    def authorize(self, question: AuthorizationQuestion, site: Site) -> Verdict | Awaitable[Verdict]:
        """Decide whether an id tag may charge, or return None; 1 second, then the database decides.

        Asked for Authorize and StartTransaction. A transaction that starts is stored in any case: the charger may be
        charging already, and stops where the answer says so.
        """

    @hookspec(firstresult=True)
    def data_transfer_received(self, question: DataTransferQuestion, site: Site) -> Answer | Awaitable[Answer]:
        """Answer a vendor's message (OCPP 1.6 §4.3), or return None; 1 second, then it's `UnknownVendorId`."""

    @hookspec(firstresult=True)
    def contract_certificate_wanted(
        self, question: ContractCertificateQuestion, site: Site
    ) -> Contract | Awaitable[Contract]:
        """Get a contract's certificate for a vehicle (OCPP 2.0.1 M01, M02), or return None; 20 seconds, then it fails.

        Asked for Get15118EVCertificate: question and answer hold the vehicle's messages for the contract's provider.
        """
