"""Plug and charge (OCPP 2.0.1 part 2, C07, M01 to M06): certificates that vehicles and charge points show.

Checks are those of `mcpp.csms.contracts`; contracts are made by a provider, which a plugin may ask.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Awaitable
from typing import Final

from mcpp.csms.calls import CallContext, CallRouter
from mcpp.csms.contracts import CertificateId, ContractVerdict, RevocationStatus, Shown
from mcpp.domain.questions import ContractCertificateQuestion
from mcpp.ocppj.errors import CallFault, ErrorCode
from mcpp_generated.ocpp21 import actions
from mcpp_generated.ocpp21.models import (
    AuthorizationStatusEnumType,
    AuthorizeCertificateStatusEnumType,
    AuthorizeRequest,
    AuthorizeResponse,
    CertificateHashDataType,
    CertificateStatusEnumType,
    CertificateStatusRequestInfoType,
    CertificateStatusSourceEnumType,
    CertificateStatusType,
    Get15118EVCertificateRequest,
    Get15118EVCertificateResponse,
    GetCertificateChainStatusRequest,
    GetCertificateChainStatusResponse,
    GetCertificateStatusEnumType,
    GetCertificateStatusRequest,
    GetCertificateStatusResponse,
    Iso15118EVCertificateStatusEnumType,
    OCSPRequestDataType,
    StatusInfoType,
)

_VERDICTS: Final = {
    ContractVerdict.ACCEPTED: AuthorizeCertificateStatusEnumType.ACCEPTED,
    ContractVerdict.SIGNATURE_ERROR: AuthorizeCertificateStatusEnumType.SIGNATURE_ERROR,
    ContractVerdict.EXPIRED: AuthorizeCertificateStatusEnumType.CERTIFICATE_EXPIRED,
    ContractVerdict.REVOKED: AuthorizeCertificateStatusEnumType.CERTIFICATE_REVOKED,
    ContractVerdict.CHAIN_ERROR: AuthorizeCertificateStatusEnumType.CERT_CHAIN_ERROR,
    ContractVerdict.MISSING: AuthorizeCertificateStatusEnumType.NO_CERTIFICATE_AVAILABLE,
}
_STATUSES: Final = {
    RevocationStatus.GOOD: CertificateStatusEnumType.GOOD,
    RevocationStatus.REVOKED: CertificateStatusEnumType.REVOKED,
    RevocationStatus.UNKNOWN: CertificateStatusEnumType.UNKNOWN,
    RevocationStatus.FAILED: CertificateStatusEnumType.FAILED,
}
_LONGEST_RESULT: Final = 5500
"""Characters of an ocspResult that every version takes."""
_MOST_STATUSES: Final = 4
"""In one answer."""


def register(router: CallRouter) -> None:
    """Route the blocks' CALLs to their handlers."""
    router.add(actions.GET_15118EV_CERTIFICATE, get_15118_ev_certificate)
    router.add(actions.GET_CERTIFICATE_CHAIN_STATUS, get_certificate_chain_status)
    router.add(actions.GET_CERTIFICATE_STATUS, get_certificate_status)


def shows_contract(request: AuthorizeRequest) -> bool:
    """Whether an Authorize brings certificates to check."""
    return request.certificate is not None or bool(request.iso15118_certificate_hash_data)


async def checked(
    context: CallContext, request: AuthorizeRequest, answer: Awaitable[AuthorizeResponse]
) -> AuthorizeResponse:
    """C07: an answer by the token alone, with the verdict on the certificates; a bad one lets nobody charge."""
    shown = Shown(
        request.id_token.id_token,
        request.certificate,
        [(_id_of(asked), asked.responder_url) for asked in request.iso15118_certificate_hash_data or ()],
    )
    contracts = context.services.contracts
    verdict = ContractVerdict.CHAIN_ERROR if contracts is None else await contracts.verdict(shown)
    response = await answer
    info = response.id_token_info
    if verdict is not ContractVerdict.ACCEPTED and info.status is AuthorizationStatusEnumType.ACCEPTED:
        info = info.model_copy(update={"status": AuthorizationStatusEnumType.INVALID})
    return response.model_copy(update={"id_token_info": info, "certificate_status": _VERDICTS[verdict]})


async def get_certificate_status(
    context: CallContext, request: GetCertificateStatusRequest
) -> GetCertificateStatusResponse:
    """M06: the responder's own answer, whose signature the charge point checks."""
    asked = request.ocsp_request_data
    contracts = context.services.contracts
    if contracts is None:
        return _no_status("NoResponder", "no certificates are checked here")
    told = await contracts.revocation(_id_of(asked), [asked.responder_url])
    if told.status is RevocationStatus.FAILED:
        return _no_status("NoResponse", told.reason)
    result = b64encode(told.der).decode()
    if len(result) > _LONGEST_RESULT:
        return _no_status("TooLarge", f"the response has {len(result)} characters")
    return GetCertificateStatusResponse(status=GetCertificateStatusEnumType.ACCEPTED, ocsp_result=result)


async def get_certificate_chain_status(
    context: CallContext, request: GetCertificateChainStatusRequest
) -> GetCertificateChainStatusResponse:
    """M06 of 2.1, one after the other; no lists of revoked certificates are read."""
    # A list that was read by rule may be longer than an answer can be.
    if not 1 <= len(request.certificate_status_requests) <= _MOST_STATUSES:
        count = len(request.certificate_status_requests)
        raise CallFault(
            ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION, f"{count} certificateStatusRequests instead of 1 to 4"
        )
    return GetCertificateChainStatusResponse(
        certificate_status=[await _status(context, asked) for asked in request.certificate_status_requests]
    )


async def _status(context: CallContext, asked: CertificateStatusRequestInfoType) -> CertificateStatusType:
    contracts, now = context.services.contracts, context.services.now()
    status, ends = CertificateStatusEnumType.FAILED, now
    if contracts is not None and asked.source is CertificateStatusSourceEnumType.OCSP:
        told = await contracts.revocation(_id_of(asked.certificate_hash_data), asked.urls)
        status, ends = _STATUSES[told.status], told.next_update or now
    return CertificateStatusType(
        certificate_hash_data=asked.certificate_hash_data, source=asked.source, status=status, next_update=ends
    )


async def get_15118_ev_certificate(
    context: CallContext, request: Get15118EVCertificateRequest
) -> Get15118EVCertificateResponse:
    """M01, M02: only a contract's provider can answer; a plugin may ask it."""
    ask = context.services.ask_contract_certificate
    occasion = context.occasion()
    answer = None
    if ask is not None:
        answer = await ask(
            ContractCertificateQuestion(
                charge_point_id=occasion.charge_point_id,
                correlation_id=occasion.correlation_id,
                schema_version=request.iso15118_schema_version,
                action=request.action.value,
                exi_request=request.exi_request,
                most_chains=request.maximum_contract_certificate_chains,
                preferred_contracts=tuple(request.prioritized_emai_ds or ()),
            )
        )
    if answer is None:
        return Get15118EVCertificateResponse(
            status=Iso15118EVCertificateStatusEnumType.FAILED,
            exi_response="",
            status_info=StatusInfoType(reason_code="NoProvider"),
        )
    return Get15118EVCertificateResponse(
        status=Iso15118EVCertificateStatusEnumType.ACCEPTED,
        exi_response=answer.exi_response,
        remaining_contracts=answer.remaining_contracts,
    )


def _no_status(code: str, text: str) -> GetCertificateStatusResponse:
    return GetCertificateStatusResponse(
        status=GetCertificateStatusEnumType.FAILED,
        status_info=StatusInfoType(reason_code=code, additional_info=text[:512]),
    )


def _id_of(told: OCSPRequestDataType | CertificateHashDataType) -> CertificateId:
    return CertificateId(told.hash_algorithm.value, told.issuer_name_hash, told.issuer_key_hash, told.serial_number)
