"""Which security profile a connection uses, and what speaks against it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mcpp.domain.charge_points import Connected, PasswordNeeded, Proof, Wanted, connect, put_charge_point
from mcpp.domain.passwords import Hashes
from mcpp.domain.security_profiles import (
    CertificateRefused,
    PasswordMissing,
    PeerCertificate,
    ProfilePolicy,
    ProfileTooLow,
    SecurityProfile,
    Shown,
    all_authenticated,
)
from mcpp.phrases import Phrase
from mcpp_generated.db.models import ChargePoint
from tests.unit.domain.books import NOW, Books

PLAIN, ENCRYPTED = Shown(), Shown(encrypted=True)
NONE, PASSWORD, TLS, CERTIFICATE = SecurityProfile


def certificate(name: str = "CP-9", organization: str | None = None, days: int = 1) -> Shown:
    return Shown(encrypted=True, certificate=PeerCertificate(name, organization, "1F", NOW + timedelta(days=days)))


def point(books: Books) -> ChargePoint:
    found = books.q.get_charge_point(identity="CP-9")
    assert found is not None
    return found


def attempt(books: Books, shown: Shown, policy: ProfilePolicy, proven: str | None = None) -> object:
    proof = None if proven is None else Proof(Hashes(proven, ()), proven)
    found = connect(books.q, "CP-9", "1.6", NOW, register_unknown=True, proof=proof, shown=shown, policy=policy)
    return found.security_profile if isinstance(found, Connected) else found


@pytest.mark.parametrize(
    ("least", "shown", "expected"),
    [
        (NONE, PLAIN, NONE),
        (NONE, ENCRYPTED, NONE),
        (NONE, certificate(), CERTIFICATE),
        (PASSWORD, PLAIN, PasswordMissing()),
        (PASSWORD, ENCRYPTED, PasswordMissing()),
        (PASSWORD, certificate(), CERTIFICATE),
        (TLS, PLAIN, ProfileTooLow(TLS, used_before=False)),
        (TLS, ENCRYPTED, PasswordMissing()),
        (CERTIFICATE, ENCRYPTED, ProfileTooLow(CERTIFICATE, used_before=False)),
        (CERTIFICATE, certificate(), CERTIFICATE),
    ],
)
def test_a_new_charge_point(books: Books, least: SecurityProfile, shown: Shown, expected: object) -> None:
    assert attempt(books, shown, ProfilePolicy(least)) == expected
    assert (books.q.get_charge_point(identity="CP-9") is not None) is isinstance(expected, SecurityProfile)


def test_its_own_least_profile_adds_to_that_of_all(books: Books) -> None:
    put_charge_point(books.q, "CP-9", Wanted(security_profile=2, password_hash="hash"), NOW)

    assert attempt(books, PLAIN, ProfilePolicy(NONE)) == ProfileTooLow(TLS, used_before=False)
    assert attempt(books, ENCRYPTED, ProfilePolicy(NONE)) == PasswordNeeded(Hashes("hash", ()))
    assert attempt(books, ENCRYPTED, ProfilePolicy(CERTIFICATE)) == ProfileTooLow(CERTIFICATE, used_before=False)
    put_charge_point(books.q, "CP-9", Wanted(security_profile=0), NOW)
    assert attempt(books, PLAIN, ProfilePolicy(TLS)) == ProfileTooLow(TLS, used_before=False)


def test_what_no_password_can_mend_is_said_before_one_is_looked_at(books: Books) -> None:
    put_charge_point(books.q, "CP-9", Wanted(password_hash="hash"), NOW)

    assert attempt(books, PLAIN, ProfilePolicy(TLS)) == ProfileTooLow(TLS, used_before=False)
    assert attempt(books, PLAIN, ProfilePolicy(TLS), proven="hash") == ProfileTooLow(TLS, used_before=False)


def test_the_highest_profile_ever_used_stays_the_least(books: Books) -> None:
    put_charge_point(books.q, "CP-9", Wanted(password_hash="hash"), NOW)
    open_to_all = ProfilePolicy()

    for shown, used in ((PLAIN, PASSWORD), (ENCRYPTED, TLS), (certificate(), CERTIFICATE)):
        assert attempt(books, shown, open_to_all, proven="hash") == used
        assert point(books).highest_profile == used
    for shown in (PLAIN, ENCRYPTED):
        assert attempt(books, shown, open_to_all, proven="hash") == ProfileTooLow(CERTIFICATE, used_before=True)
    assert point(books).connection_epoch == 3


@pytest.mark.parametrize(
    ("wanted", "used", "left"),
    [
        (Wanted(display_name="Yard"), 3, 3),
        (Wanted(security_profile=3), 2, 2),
        (Wanted(security_profile=2), 3, 2),
        (Wanted(security_profile=0), 3, 0),
        (Wanted(security_profile=None), 3, 0),
        (Wanted(password_hash=None), 1, 0),
        (Wanted(password_hash=None), 2, 0),
        (Wanted(password_hash=None), 3, 3),
        (Wanted(password_hash="other"), 2, 2),
        (Wanted(password_hash=None, security_profile=2), 2, 0),
    ],
)
def test_an_operator_can_lower_what_was_used(books: Books, wanted: Wanted, used: int, left: int) -> None:
    key = put_charge_point(books.q, "CP-9", Wanted(password_hash="hash"), NOW).key
    books.q.raise_highest_profile(key=key, highest_profile=used)
    put_charge_point(books.q, "CP-9", wanted, NOW)

    assert point(books).highest_profile == left


@pytest.mark.parametrize(
    ("shown", "reason"),
    [
        (certificate("CP-8"), "that of 'CP-8'"),
        (certificate("cp-9"), "that of 'cp-9'"),
        (certificate(""), "that of ''"),
        (certificate("CP-9", "Other Ltd"), "O of its certificate must be 'Parking Ltd'"),
        (certificate("CP-9"), "O of its certificate must be 'Parking Ltd'"),
        (certificate("CP-9", "Parking Ltd", days=0), "has expired"),
    ],
)
def test_certificates_that_are_refused(books: Books, shown: Shown, reason: str) -> None:
    put_charge_point(books.q, "CP-9", Wanted(password_hash="hash"), NOW)
    # Its password is no way around: who shows another's certificate isn't who it says.
    refused = attempt(books, shown, ProfilePolicy(organization="Parking Ltd"), proven="hash")

    assert isinstance(refused, CertificateRefused)
    assert reason in refused.reason
    assert point(books).last_connect_at is None


def test_a_revoked_certificate_is_refused_by_its_serial_number(books: Books) -> None:
    revoked = {"1F"}
    policy = ProfilePolicy(is_revoked=revoked.__contains__)

    assert attempt(books, certificate(), policy) == CertificateRefused(
        Phrase("its certificate is revoked; an operator gives it a new one")
    )
    revoked.clear()
    assert attempt(books, certificate(), policy) == CERTIFICATE


def test_all_are_authenticated_where_each_must_prove_something(books: Books) -> None:
    """The books know two charge points without a password."""
    nothing = ProfilePolicy()
    assert not all_authenticated(books.q, nothing, register_unknown=False)
    assert all_authenticated(books.q, ProfilePolicy(PASSWORD), register_unknown=True)
    put_charge_point(books.q, "CP-1", Wanted(password_hash="hash"), NOW)
    put_charge_point(books.q, "CP-2", Wanted(security_profile=3), NOW)
    assert all_authenticated(books.q, nothing, register_unknown=False)
    assert not all_authenticated(books.q, nothing, register_unknown=True)
