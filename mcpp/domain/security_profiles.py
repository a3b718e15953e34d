"""Security profiles: what a connection must show, what it has used, and whether that will do.

The four are those of the OCPP security whitepaper: 0 nothing, 1 a password, 2 a password over TLS, 3 a certificate of
the charge point's own over TLS. All who ask about them ask here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from mcpp.phrases import Phrase
from mcpp_generated.db.models import GetCredentialsRow
from mcpp_generated.db.queries import Queries


class SecurityProfile(IntEnum):
    """How a charge point proves who it is; a higher one is safer."""

    NONE = 0
    PASSWORD = 1
    """HTTP basic authentication."""
    TLS = 2
    """The same, encrypted."""
    CERTIFICATE = 3
    """Mutual TLS; no password is needed."""


@dataclass(frozen=True, slots=True)
class PeerCertificate:
    """What the certificate says that a charge point has proven to hold; its chain was checked by TLS."""

    common_name: str
    """Empty where it has none, or several."""
    organization: str | None
    serial_number: str
    """Of the certificate, in hexadecimal digits, upper case."""
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Shown:
    """What a connection shows beside the identity that it claims."""

    encrypted: bool = False
    certificate: PeerCertificate | None = None


@dataclass(frozen=True, slots=True)
class PasswordMissing:
    """It would need a password, and none is stored."""


@dataclass(frozen=True, slots=True)
class ProfileTooLow:
    """It must use a higher profile."""

    least: SecurityProfile
    used_before: bool
    """Since it has used that one before; else since an operator says so."""


@dataclass(frozen=True, slots=True)
class CertificateRefused:
    """Its certificate isn't accepted for this charge point; `reason` says why and what to do."""

    reason: Phrase


def _nothing(_: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class ProfilePolicy:
    """What the deployment asks of all charge points."""

    least: SecurityProfile = SecurityProfile.NONE
    organization: str | None = None
    """O that their certificates must have; None: any."""
    is_revoked: Callable[[str], bool] = _nothing
    """Asked with a certificate's serial number in hexadecimal digits, upper case."""


ASKS_NOTHING = ProfilePolicy()

NOTHING_SHOWN = Shown()

Refusal = PasswordMissing | ProfileTooLow | CertificateRefused


def judge(
    policy: ProfilePolicy,
    identity: str,
    known: GetCredentialsRow | None,
    shown: Shown,
    now: datetime,
    *,
    has_password: bool,
) -> SecurityProfile | Refusal:
    """The profile that a connection uses, or what speaks against it; `known` is None for a new charge point.

    Where that is PASSWORD or TLS, a stored password is still to be proven: what none can mend is said before.
    """
    certificate = shown.certificate
    if certificate is not None:
        reason = _certificate_mistake(policy, identity, known, certificate, now)
        return SecurityProfile.CERTIFICATE if reason is None else CertificateRefused(reason)
    least = max(policy.least, SecurityProfile(known.security_profile or 0) if known else SecurityProfile.NONE)
    before = SecurityProfile(known.highest_profile) if known else SecurityProfile.NONE
    reachable = SecurityProfile.TLS if shown.encrypted else SecurityProfile.PASSWORD
    if reachable < max(least, before):
        return ProfileTooLow(max(least, before), used_before=before > least)
    if has_password:
        return reachable
    return PasswordMissing() if max(least, before) > SecurityProfile.NONE else SecurityProfile.NONE


def all_authenticated(q: Queries, policy: ProfilePolicy, *, register_unknown: bool) -> bool:
    """Whether nobody connects by profile 0: by what is asked of all, or since each is known and must prove itself."""
    if policy.least > SecurityProfile.NONE:
        return True
    return not register_unknown and q.count_charge_points_without_authentication() == 0


def _certificate_mistake(
    policy: ProfilePolicy,
    identity: str,
    known: GetCredentialsRow | None,
    certificate: PeerCertificate,
    now: datetime,
) -> Phrase | None:
    if certificate.expires_at <= now:  # which TLS has checked, but not for a session that is resumed
        return Phrase("its certificate has expired")
    if policy.is_revoked(certificate.serial_number):
        return Phrase("its certificate is revoked; an operator gives it a new one")
    names = {identity, known.certificate_serial if known else None}
    if not certificate.common_name or certificate.common_name not in names:
        return Phrase(
            "its certificate is that of {name!r}; where that is this charge point's serial number, an operator enters "
            "it as certificate_serial",
            name=certificate.common_name[:64],
        )
    if policy.organization not in {None, certificate.organization}:
        return Phrase("O of its certificate must be {name!r} (tls-organization)", name=policy.organization)
    return None
