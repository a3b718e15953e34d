"""Certificates as OCPP 1.6 has them (security whitepaper, edition 3): the CALLs of ours, and what an answer means."""

from __future__ import annotations

from functools import partial

from mcpp.csms.answers import Meaning
from mcpp.csms.calls import CallContext
from mcpp.csms.certificates import Verdict
from mcpp.csms.live import LiveChargePoints
from mcpp.domain import certificates
from mcpp.storage.pending import Pending
from mcpp_generated.ocpp16 import actions
from mcpp_generated.ocpp16.models import (
    CertificateSignedRequest,
    CertificateSignedResponse,
    CertificateSignedStatus,
    CertificateUse,
    ChangeConfigurationRequest,
    ConfigurationStatus,
    ExtendedTriggerMessageRequest,
    GenericStatus,
    InstallCertificateRequest,
    InstallCertificateStatus,
    MessageTriggerEnumType,
    ResetRequest,
    ResetStatus,
    ResetType,
    SignCertificateRequest,
    SignCertificateResponse,
    TriggerMessageStatus,
)

_SECURITY_PROFILE = "SecurityProfile"
"""The configuration key."""


class Ocpp16CertificateOperations:
    """Implements `mcpp.csms.certificates.CertificateOperations`."""

    def __init__(self, live: LiveChargePoints) -> None:
        self._live = live

    async def install_root(self, charge_point_id: str, certificate: str) -> Verdict:
        """InstallCertificate of a CentralSystemRootCertificate."""
        request = InstallCertificateRequest(
            certificate_type=CertificateUse.CENTRAL_SYSTEM_ROOT_CERTIFICATE, certificate=certificate
        )
        response = await self._live.call(charge_point_id, actions.INSTALL_CERTIFICATE, request)
        return Verdict(response.status is InstallCertificateStatus.ACCEPTED, response.status.value)

    async def ask_for_request(self, charge_point_id: str) -> Verdict:
        """ExtendedTriggerMessage of SignChargePointCertificate."""
        request = ExtendedTriggerMessageRequest(requested_message=MessageTriggerEnumType.SIGN_CHARGE_POINT_CERTIFICATE)
        response = await self._live.call(charge_point_id, actions.EXTENDED_TRIGGER_MESSAGE, request)
        return Verdict(response.status is TriggerMessageStatus.ACCEPTED, response.status.value)

    async def deliver(
        self,
        charge_point_id: str,
        certificate: str,
        request_id: int | None,  # noqa: ARG002  requests have no numbers here
    ) -> Verdict:
        """CertificateSigned; the chain is the certificate alone, which the installed root has signed."""
        request = CertificateSignedRequest(certificate_chain=certificate)
        response = await self._live.call(charge_point_id, actions.CERTIFICATE_SIGNED, request)
        return Verdict(response.status is CertificateSignedStatus.ACCEPTED, response.status.value)

    async def raise_profile(
        self,
        charge_point_id: str,
        profile: int,
        url: str,  # noqa: ARG002  it isn't set by the same key
    ) -> Verdict:
        """ChangeConfiguration of SecurityProfile; its URL is its own affair."""
        request = ChangeConfigurationRequest(key=_SECURITY_PROFILE, value=str(profile))
        status = (await self._live.call(charge_point_id, actions.CHANGE_CONFIGURATION, request)).status
        needs_restart = status is ConfigurationStatus.REBOOT_REQUIRED
        return Verdict(needs_restart or status is ConfigurationStatus.ACCEPTED, status.value, needs_restart)

    async def restart(self, charge_point_id: str) -> Verdict:
        """Reset, soft (§5.14)."""
        response = await self._live.call(charge_point_id, actions.RESET, ResetRequest(type=ResetType.SOFT))
        return Verdict(response.status is ResetStatus.ACCEPTED, response.status.value)


def sign_certificate(context: CallContext, request: SignCertificateRequest) -> Pending[SignCertificateResponse]:
    """SignCertificate.req: the certificate comes later, by a CertificateSigned.req of ours."""
    return context.write(context.services.read_signing_request(request.csr, None)).then(
        lambda taken: SignCertificateResponse(status=GenericStatus.ACCEPTED if taken else GenericStatus.REJECTED)
    )


def certificate_signed(request: CertificateSignedRequest, response: CertificateSignedResponse) -> Meaning:
    """What the answer to CertificateSigned.req means: the charge point has the certificate, or refused it."""
    accepted = response.status is CertificateSignedStatus.ACCEPTED
    return Meaning(
        partial(
            certificates.note_answer,
            certificate=request.certificate_chain,
            accepted=accepted,
            answer=response.status.value,
        )
    )
