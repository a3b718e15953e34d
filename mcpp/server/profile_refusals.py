"""What a charge point is told that shows too little for its security profile."""

from __future__ import annotations

from http import HTTPStatus

from mcpp.csms.outcomes import ConnectionOutcome
from mcpp.domain.security_profiles import CertificateRefused, ProfileTooLow, Refusal, SecurityProfile
from mcpp.phrases import Phrase
from mcpp.transport.admission import AdmissionRefused


def profile_refusal(refusal: Refusal) -> AdmissionRefused:
    """The answer, which says what to do: a person reads it in the log, or in the charge point's."""
    match refusal:
        case ProfileTooLow(least, used_before):
            text = _too_low(least, used_before=used_before)
            return AdmissionRefused(HTTPStatus.FORBIDDEN, text, ConnectionOutcome.PROFILE_TOO_LOW)
        case CertificateRefused(reason):
            return AdmissionRefused(HTTPStatus.FORBIDDEN, reason, ConnectionOutcome.CERTIFICATE_REFUSED)
        case _:
            text = Phrase("this charge point must send a password, and none is stored for it yet: an operator sets one")
            return AdmissionRefused(HTTPStatus.UNAUTHORIZED, text, ConnectionOutcome.UNAUTHORIZED)


def _too_low(least: SecurityProfile, *, used_before: bool) -> Phrase:
    profile = int(least)
    if least is SecurityProfile.CERTIFICATE and used_before:
        return Phrase(
            "this charge point must show a certificate of its own (security profile {profile}, which it has used "
            "before; an operator can lower it by security_profile)",
            profile=profile,
        )
    if least is SecurityProfile.CERTIFICATE:
        return Phrase(
            "this charge point must show a certificate of its own (security profile {profile})", profile=profile
        )
    if used_before:
        return Phrase(
            "this charge point must connect by wss:// (security profile {profile}, which it has used before; an "
            "operator can lower it by security_profile)",
            profile=profile,
        )
    return Phrase("this charge point must connect by wss:// (security profile {profile})", profile=profile)
