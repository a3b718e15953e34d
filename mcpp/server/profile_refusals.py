"""What a charge point is told that shows too little for its security profile."""

from __future__ import annotations

from http import HTTPStatus

from mcpp.csms.outcomes import ConnectionOutcome
from mcpp.domain.security_profiles import CertificateRefused, ProfileTooLow, Refusal, SecurityProfile
from mcpp.transport.admission import AdmissionRefused


def profile_refusal(refusal: Refusal) -> AdmissionRefused:
    """The answer, which says what to do: a person reads it in the log, or in the charge point's."""
    match refusal:
        case ProfileTooLow(least, used_before):
            how = "show a certificate of its own" if least is SecurityProfile.CERTIFICATE else "connect by wss://"
            why = ", which it has used before; an operator can lower it by security_profile" if used_before else ""
            text = f"this charge point must {how} (security profile {least:d}{why})"
            return AdmissionRefused(HTTPStatus.FORBIDDEN, text, ConnectionOutcome.PROFILE_TOO_LOW)
        case CertificateRefused(reason):
            return AdmissionRefused(HTTPStatus.FORBIDDEN, reason, ConnectionOutcome.CERTIFICATE_REFUSED)
        case _:
            text = "this charge point must send a password, and none is stored for it yet: an operator sets one"
            return AdmissionRefused(HTTPStatus.UNAUTHORIZED, text, ConnectionOutcome.UNAUTHORIZED)
