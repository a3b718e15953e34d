"""Certificates of charge points by the built-in authority: who gets one, what became of it, and what was revoked.

A request is signed at once where something has approved it beforehand: the roll-out of security profile 3 to its
charge point, a window that an operator has opened, or the coming end of the certificate that its charge point has.
Every other one waits for an operator. What is signed is sent until the charge point answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple, TypeAlias

from mcpp.domain import roll_out
from mcpp.domain.charge_points import is_authenticated
from mcpp.domain.errors import Conflict, Unknown
from mcpp.domain.events import (
    CertificateInstalled,
    CertificateIssued,
    CertificateRejected,
    CertificateRequested,
    CertificateRevoked,
    Event,
)
from mcpp.domain.occasion import Occasion, OperatorOccasion, Result
from mcpp.phrases import Phrase, as_is
from mcpp_generated.db.enums import Approval, CertificateState, StepState
from mcpp_generated.db.models import Certificate, ChargePoint
from mcpp_generated.db.queries import Queries

MOST_REQUESTS: Final = 10
"""Requests without a certificate that are kept of a charge point; the oldest go."""

MOST_VALID: Final = 4
"""Certificates of a charge point that may be valid at once without an operator's word."""

_OPEN: Final = frozenset({CertificateState.PENDING, CertificateState.APPROVED})


def no_certificate(certificate_id: int) -> Phrase:
    """Said wherever a certificate is looked for."""
    return Phrase("there is no certificate of the id {number}", number=certificate_id)


class Asked(NamedTuple):
    """A signing request that is well-formed, and signed by the key that it is about."""

    csr: str
    """As it is kept: PEM."""
    subject: str
    common_name: str
    organization: str | None
    key_type: str
    """Such as `RSA 2048`."""


class Signed(NamedTuple):
    """A certificate that the authority has made."""

    certificate: str
    """PEM."""
    serial_number: str
    """In hexadecimal digits, upper case."""
    expires_at: datetime


Sign: TypeAlias = Callable[[str], Signed]
"""Makes the certificate of a request (PEM) that was found good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningPolicy:
    """What the site lets through."""

    organization: str | None
    """O that a subject must have."""
    window_is_open: bool
    """An operator has said that whoever asks now gets a certificate."""
    renewal: timedelta
    """How long before its end a certificate is renewed."""


class Revoked(NamedTuple):
    """A certificate that counts no more."""

    charge_point_id: str
    serial_number: str


def is_due(certificate: Certificate, now: datetime, renewal: timedelta) -> bool:
    """Whether a certificate is to be renewed: a third of its life is the most that renewal may take of it."""
    if certificate.expires_at is None or certificate.issued_at is None:
        return False
    return now >= certificate.expires_at - renewal_time(certificate.expires_at - certificate.issued_at, renewal)


def renewal_time(lifetime: timedelta, renewal: timedelta) -> timedelta:
    """How long before its end a certificate of this lifetime is renewed."""
    return min(renewal, lifetime / 3)


def request(
    q: Queries, occasion: Occasion, asked: Asked, policy: SigningPolicy, sign: Sign, request_id: int | None = None
) -> Result[bool]:
    """Take a signing request; whether it is taken: signed, or kept for an operator.

    One that is repeated before it is decided or delivered changes nothing but its id, which the charge point gave it.
    """
    known = q.get_charge_point(identity=occasion.charge_point_id)
    assert known is not None
    refusal = _why_not(known, asked, policy)
    if refusal is not None:
        return refuse(q, occasion, refusal, asked.subject)
    of_charge_point = q.list_certificates_of_key(charge_point_key=known.key)
    repeated = next((it for it in of_charge_point if it.status in _OPEN and it.csr == asked.csr), None)
    if repeated is not None:
        if repeated.request_id != request_id:
            q.set_certificate_request_id(request_id=request_id, id=repeated.id)
        is_waiting = repeated.status is CertificateState.PENDING
        return Result(True, () if is_waiting else (_requested(occasion, repeated.id, asked, repeated.approved_by),))
    for older in of_charge_point:
        if older.status in _OPEN:
            q.set_certificate_status(status=CertificateState.SUPERSEDED, reason="a newer request came", id=older.id)
    approval = _approval(q, occasion, of_charge_point, policy)
    signed = None if approval is None else sign(asked.csr)
    certificate_id = q.add_certificate(
        charge_point_key=known.key,
        charge_point_id=known.identity,
        status=CertificateState.PENDING if signed is None else CertificateState.APPROVED,
        subject=asked.subject,
        key_type=asked.key_type,
        csr=asked.csr,
        request_id=request_id,
        requested_at=occasion.at,
        approved_by=approval,
        decided_at=None if signed is None else occasion.at,
        certificate=None if signed is None else signed.certificate,
        serial_number=None if signed is None else signed.serial_number,
        issued_at=None if signed is None else occasion.at,
        expires_at=None if signed is None else signed.expires_at,
    )
    assert certificate_id is not None
    _forget_oldest(q, of_charge_point)
    events: list[Event] = [_requested(occasion, certificate_id, asked, approval)]
    events += roll_out.request_came(q, occasion)
    if signed is not None and approval is not None:
        events.append(_issued(occasion, certificate_id, asked.subject, signed, approval))
    return Result(True, tuple(events))


def refuse(q: Queries, occasion: Occasion, reason: str, subject: str | None = None) -> Result[bool]:
    """Take no signing request, for this reason; a roll-out that waits for it has failed."""
    rejected = CertificateRejected(
        charge_point_id=occasion.charge_point_id,
        correlation_id=occasion.correlation_id,
        at=occasion.at,
        certificate_id=None,
        subject=subject,
        reason=reason,
    )
    return Result(False, (rejected, *roll_out.request_refused(q, occasion, reason)))


def approve(q: Queries, occasion: OperatorOccasion, certificate_id: int, sign: Sign) -> Result[None]:
    """Sign a request that waits, by an operator's word. Raises Unknown and Conflict."""
    asked = _waiting(q, certificate_id)
    if asked.charge_point_key is None:
        identity = asked.charge_point_id
        raise Conflict(Phrase("the charge point {identity!r} was forgotten since it asked", identity=identity))
    signed = sign(asked.csr)
    q.approve_certificate(
        approved_by=Approval.OPERATOR,
        decided_at=occasion.at,
        certificate=signed.certificate,
        serial_number=signed.serial_number,
        issued_at=occasion.at,
        expires_at=signed.expires_at,
        id=certificate_id,
    )
    of = occasion.about(asked.charge_point_key, asked.charge_point_id)
    return Result(None, (_issued(of, certificate_id, asked.subject, signed, Approval.OPERATOR),))


def reject(q: Queries, occasion: OperatorOccasion, certificate_id: int, reason: str | None) -> Result[None]:
    """Sign nothing of a request that waits, by an operator's word. Raises Unknown and Conflict."""
    asked = _waiting(q, certificate_id)
    told = reason or "an operator rejected it"
    q.set_certificate_status(status=CertificateState.REJECTED, reason=told, id=certificate_id)
    q.set_certificate_decided(decided_at=occasion.at, id=certificate_id)
    rejected = CertificateRejected(
        charge_point_id=asked.charge_point_id,
        correlation_id=occasion.correlation_id,
        at=occasion.at,
        certificate_id=certificate_id,
        subject=asked.subject,
        reason=told,
    )
    if asked.charge_point_key is None:
        return Result(None, (rejected,))
    of = occasion.about(asked.charge_point_key, asked.charge_point_id)
    return Result(None, (rejected, *roll_out.request_refused(q, of, told)))


def revoke(q: Queries, occasion: OperatorOccasion, certificate_id: int, reason: str | None) -> Result[Revoked]:
    """Let a certificate count no more; a repeat changes nothing. Raises Unknown and Conflict."""
    known = q.get_certificate(id=certificate_id)
    if known is None:
        raise Unknown(no_certificate(certificate_id))
    if known.serial_number is None:
        text = Phrase("nothing was signed of the request {number}; reject it where it waits", number=certificate_id)
        raise Conflict(text)
    revoked = Revoked(known.charge_point_id, known.serial_number)
    if known.status is CertificateState.REVOKED:
        return Result(revoked)
    q.revoke_certificate(revoked_at=occasion.at, reason=reason, id=certificate_id)
    event = CertificateRevoked(
        charge_point_id=known.charge_point_id,
        correlation_id=occasion.correlation_id,
        at=occasion.at,
        certificate_id=certificate_id,
        subject=known.subject,
        serial_number=known.serial_number,
        reason=reason,
    )
    events: tuple[Event, ...] = (event,)
    if known.status is CertificateState.APPROVED and known.charge_point_key is not None:
        of = occasion.about(known.charge_point_key, known.charge_point_id)
        events += roll_out.request_refused(q, of, "its certificate was revoked before it was delivered")
    return Result(revoked, events)


def note_answer(q: Queries, occasion: Occasion, certificate: str, *, accepted: bool, answer: str) -> Result[None]:
    """Keep whether a charge point took the certificate that it was sent, by its PEM text; `answer` is its own word.

    One that it takes replaces those that it had, which stay valid until they end or are revoked.
    """
    of_charge_point = q.list_certificates_of_key(charge_point_key=occasion.charge_point_key)
    sent = next((it for it in of_charge_point if it.certificate == certificate), None)
    if sent is None or sent.serial_number is None or sent.status is CertificateState.REVOKED:
        return Result(None)
    if accepted:
        for older in of_charge_point:
            if older.id != sent.id and older.status is CertificateState.ISSUED:
                q.set_certificate_status(
                    status=CertificateState.SUPERSEDED, reason="a newer one is in use", id=older.id
                )
    q.set_certificate_status(
        status=CertificateState.ISSUED if accepted else CertificateState.FAILED,
        reason=None if accepted else f"the charge point refused it: {answer}",
        id=sent.id,
    )
    q.set_certificate_answered(answered_at=occasion.at, id=sent.id)
    event = CertificateInstalled(
        charge_point_id=occasion.charge_point_id,
        correlation_id=occasion.correlation_id,
        at=occasion.at,
        certificate_id=sent.id,
        subject=sent.subject,
        serial_number=sent.serial_number,
        accepted=accepted,
    )
    progressed = roll_out.settle_current(
        q, occasion, roll_out.CERTIFICATE, StepState.DONE if accepted else StepState.FAILED, answer
    )
    return Result(None, (event, *progressed))


def list_due(q: Queries, now: datetime, renewal: timedelta) -> list[Certificate]:
    """The certificates in use that are to be renewed, the newest of each charge point."""
    newest = {it.charge_point_id: it for it in q.list_ending_certificates(until=now + renewal)}
    return [it for it in newest.values() if is_due(it, now, renewal)]


def forget_old(q: Queries, before: datetime) -> None:
    """Forget the certificates that ended before some time, and the requests of charge points that are gone."""
    q.delete_ended_certificates(before=before)
    q.delete_requests_of_nobody()


def _why_not(known: ChargePoint, asked: Asked, policy: SigningPolicy) -> str | None:
    """Why this charge point doesn't get such a certificate (security whitepaper, SignCertificate)."""
    if not is_authenticated(known):
        return "the charge point has not proven who it is; give it a password first"
    names = {known.identity, known.certificate_serial}
    if asked.common_name not in names:
        return f"the subject's CN {asked.common_name!r} is neither the charge point's identity nor its serial number"
    if policy.organization is not None and asked.organization != policy.organization:
        return (
            f"the subject's O is {asked.organization!r}; it must be {policy.organization!r}, as tls-organization says"
        )
    return None


def _approval(
    q: Queries, occasion: Occasion, of_charge_point: Sequence[Certificate], policy: SigningPolicy
) -> Approval | None:
    """What has approved a request beforehand."""
    valid = [it for it in of_charge_point if _is_valid(it, occasion.at)]
    if len(valid) >= MOST_VALID:
        return None
    if roll_out.waits_for_request(q, occasion):
        return Approval.ROLL_OUT
    if policy.window_is_open:
        return Approval.WINDOW
    in_use = next((it for it in valid if it.status is CertificateState.ISSUED), None)
    return Approval.RENEWAL if in_use is not None and is_due(in_use, occasion.at, policy.renewal) else None


def _is_valid(certificate: Certificate, now: datetime) -> bool:
    ends = certificate.expires_at
    return ends is not None and ends > now and certificate.status is not CertificateState.REVOKED


def _forget_oldest(q: Queries, of_charge_point: Sequence[Certificate]) -> None:
    """Beside the newest one, which was stored since."""
    requests = [it for it in of_charge_point if it.certificate is None]
    for oldest in requests[MOST_REQUESTS - 1 :]:
        q.delete_certificate(id=oldest.id)


def _waiting(q: Queries, certificate_id: int) -> Certificate:
    known = q.get_certificate(id=certificate_id)
    if known is None:
        raise Unknown(no_certificate(certificate_id))
    if known.status is not CertificateState.PENDING:
        state = as_is(known.status.value)
        raise Conflict(Phrase("the request {number} waits no more: it is {state}", number=certificate_id, state=state))
    return known


def _requested(
    occasion: Occasion, certificate_id: int, asked: Asked, approved_by: Approval | None
) -> CertificateRequested:
    return CertificateRequested(
        charge_point_id=occasion.charge_point_id,
        correlation_id=occasion.correlation_id,
        at=occasion.at,
        certificate_id=certificate_id,
        subject=asked.subject,
        key_type=asked.key_type,
        approved_by=approved_by,
    )


def _issued(
    occasion: Occasion, certificate_id: int, subject: str, signed: Signed, approved_by: Approval
) -> CertificateIssued:
    return CertificateIssued(
        charge_point_id=occasion.charge_point_id,
        correlation_id=occasion.correlation_id,
        at=occasion.at,
        certificate_id=certificate_id,
        subject=subject,
        serial_number=signed.serial_number,
        approved_by=approved_by,
        expires_at=signed.expires_at,
    )
