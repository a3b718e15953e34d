"""Certificates as OCPP 2.0.1 and 2.1 have them (part 2, blocks A and M): CALLs of ours, and what answers mean."""

from __future__ import annotations

from functools import partial
from typing import Final

from mcpp.csms.answers import AnyMeaning, Meaning, means
from mcpp.csms.calls import CallContext, CallRouter
from mcpp.csms.certificates import Verdict
from mcpp.domain import certificates, device_reports
from mcpp.domain.device_reports import ReportChunk
from mcpp.ocpp2.naming import content_of
from mcpp.ocpp2.network_profiles import raise_profile
from mcpp.ocpp2.widening import Calls
from mcpp.storage.pending import Pending
from mcpp_generated.db.enums import DeviceReportKind
from mcpp_generated.ocpp21 import actions
from mcpp_generated.ocpp21.models import (
    CertificateSignedRequest,
    CertificateSignedResponse,
    CertificateSignedStatusEnumType,
    CertificateSigningUseEnumType,
    GenericStatusEnumType,
    GetInstalledCertificateIdsRequest,
    GetInstalledCertificateIdsResponse,
    InstallCertificateRequest,
    InstallCertificateStatusEnumType,
    InstallCertificateUseEnumType,
    MessageTriggerEnumType,
    ResetEnumType,
    ResetRequest,
    ResetStatusEnumType,
    SignCertificateRequest,
    SignCertificateResponse,
    TriggerMessageRequest,
    TriggerMessageStatusEnumType,
)

_OURS: Final = CertificateSigningUseEnumType.CHARGING_STATION_CERTIFICATE
_WHOLE: Final = 0
"""The request id of the list of all installed certificates, which has none."""


def register(router: CallRouter) -> None:
    """Route the blocks' CALLs to their handlers."""
    router.add(actions.SIGN_CERTIFICATE, sign_certificate)


class Ocpp2CertificateOperations:
    """Implements `mcpp.csms.certificates.CertificateOperations`."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def install_root(self, charge_point_id: str, certificate: str) -> Verdict:
        """InstallCertificate of a CSMSRootCertificate (M05)."""
        request = InstallCertificateRequest(
            certificate_type=InstallCertificateUseEnumType.CSMS_ROOT_CERTIFICATE, certificate=certificate
        )
        status = (await self._calls.call(charge_point_id, actions.INSTALL_CERTIFICATE, request)).status
        return Verdict(status is InstallCertificateStatusEnumType.ACCEPTED, status.value)

    async def ask_for_request(self, charge_point_id: str) -> Verdict:
        """TriggerMessage of SignChargingStationCertificate (A02)."""
        request = TriggerMessageRequest(requested_message=MessageTriggerEnumType.SIGN_CHARGING_STATION_CERTIFICATE)
        status = (await self._calls.call(charge_point_id, actions.TRIGGER_MESSAGE, request)).status
        return Verdict(status is TriggerMessageStatusEnumType.ACCEPTED, status.value)

    async def deliver(self, charge_point_id: str, certificate: str, request_id: int | None) -> Verdict:
        """CertificateSigned (A02); the chain is the certificate alone, which the installed root has signed.

        The number is 2.1's: a charge point that gave one takes no certificate without it.
        """
        request = CertificateSignedRequest(certificate_chain=certificate, certificate_type=_OURS, request_id=request_id)
        status = (await self._calls.call(charge_point_id, actions.CERTIFICATE_SIGNED, request)).status
        return Verdict(status is CertificateSignedStatusEnumType.ACCEPTED, status.value)

    async def raise_profile(self, charge_point_id: str, profile: int, url: str) -> Verdict:
        """SetNetworkProfile and NetworkConfigurationPriority (B09, B10, A05)."""
        return await raise_profile(self._calls, charge_point_id, profile, url)

    async def restart(self, charge_point_id: str) -> Verdict:
        """Reset, OnIdle (B12)."""
        request = ResetRequest(type=ResetEnumType.ON_IDLE)
        status = (await self._calls.call(charge_point_id, actions.RESET, request)).status
        return Verdict(status is not ResetStatusEnumType.REJECTED, status.value)


def sign_certificate(
    context: CallContext, request: SignCertificateRequest
) -> SignCertificateResponse | Pending[SignCertificateResponse]:
    """A02, A03: the certificate comes later, by a CertificateSigned of ours. Those of vehicles are none of ours."""
    if request.certificate_type not in {None, _OURS}:
        return SignCertificateResponse(status=GenericStatusEnumType.REJECTED)
    return context.write(context.services.read_signing_request(request.csr, request.request_id)).then(
        lambda taken: SignCertificateResponse(
            status=GenericStatusEnumType.ACCEPTED if taken else GenericStatusEnumType.REJECTED
        )
    )


def _certificate_signed(request: CertificateSignedRequest, response: CertificateSignedResponse) -> Meaning:
    """The charge point has the certificate, or refused it."""
    accepted = response.status is CertificateSignedStatusEnumType.ACCEPTED
    return Meaning(
        partial(
            certificates.note_answer,
            certificate=request.certificate_chain,
            accepted=accepted,
            answer=response.status.value,
        )
    )


def _get_installed_certificate_ids(
    request: GetInstalledCertificateIdsRequest, response: GetInstalledCertificateIdsResponse
) -> Meaning | None:
    """M03: the list of all is kept, one of some kinds is for who asked."""
    if request.certificate_type:
        return None
    content = content_of(response, without=("status", "statusInfo"))
    chunk = ReportChunk(kind=DeviceReportKind.INSTALLED_CERTIFICATES, request_id=_WHOLE, content=content)
    return Meaning(partial(device_reports.note_snapshot, chunk=chunk))


ANSWERS: Final[dict[str, AnyMeaning]] = dict(
    (
        means(actions.CERTIFICATE_SIGNED, _certificate_signed),
        means(actions.GET_INSTALLED_CERTIFICATE_IDS, _get_installed_certificate_ids),
    )
)
