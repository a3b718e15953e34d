"""Who may charge: status by mode by situation, as OCPP 1.6 has it."""

from __future__ import annotations

import pytest

from mcpp.domain.authorization import Authorization, AuthorizationPolicy, AuthorizationStatus, authorize
from mcpp_generated.db.enums import IdTagStatus
from tests.unit.domain.books import NOW, Books, minute

OPEN = AuthorizationPolicy()
KNOWN = AuthorizationPolicy(known_only=True)
STRICT = AuthorizationPolicy(known_only=True, deny_concurrent=True)


@pytest.mark.parametrize(
    ("stored", "expiry", "policy", "expected"),
    [
        (None, None, OPEN, AuthorizationStatus.ACCEPTED),
        (None, None, KNOWN, AuthorizationStatus.INVALID),
        (IdTagStatus.ACCEPTED, None, OPEN, AuthorizationStatus.ACCEPTED),
        (IdTagStatus.ACCEPTED, None, KNOWN, AuthorizationStatus.ACCEPTED),
        (IdTagStatus.ACCEPTED, minute(1), KNOWN, AuthorizationStatus.ACCEPTED),
        (IdTagStatus.ACCEPTED, minute(0), KNOWN, AuthorizationStatus.EXPIRED),
        (IdTagStatus.ACCEPTED, minute(-1), OPEN, AuthorizationStatus.EXPIRED),
        (IdTagStatus.BLOCKED, None, OPEN, AuthorizationStatus.BLOCKED),
        (IdTagStatus.BLOCKED, minute(-1), OPEN, AuthorizationStatus.BLOCKED),
        (IdTagStatus.EXPIRED, None, OPEN, AuthorizationStatus.EXPIRED),
        (IdTagStatus.INVALID, None, OPEN, AuthorizationStatus.INVALID),
    ],
)
def test_the_verdict(
    books: Books,
    stored: IdTagStatus | None,
    expiry: object,
    policy: AuthorizationPolicy,
    expected: AuthorizationStatus,
) -> None:
    if stored is not None:
        books.q.put_id_tag(id_tag="Tag", status=stored, expiry_date=expiry, parent_id_tag="GROUP", note=None)  # type: ignore[arg-type]  # a table of values

    verdict = authorize(books.q, "TAG", NOW, policy)

    assert verdict.status is expected
    if stored is not None:
        assert (verdict.expiry_date, verdict.parent_id_tag) == (expiry, "GROUP")


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (OPEN, AuthorizationStatus.ACCEPTED),
        (AuthorizationPolicy(deny_concurrent=True), AuthorizationStatus.CONCURRENT_TX),
    ],
)
def test_a_second_transaction_of_a_tag(policy: AuthorizationPolicy, expected: AuthorizationStatus) -> None:
    books = Books(policy)
    first = books.start(charger="CP-1", tag="tag")
    second = books.start(charger="CP-2", tag="TAG")
    repeated = books.start(charger="CP-1", tag="tag")
    books.stop(first.value.transaction_id, at=minute(1))
    after_the_stop = books.start(charger="CP-2", tag="TAG")

    assert first.value.authorization.status is AuthorizationStatus.ACCEPTED
    assert second.value.authorization.status is expected
    assert second.value.transaction_id > 0
    assert repeated.value.authorization.status is expected
    assert after_the_stop.value.authorization.status is AuthorizationStatus.ACCEPTED
    books.connection.close()


def test_a_refused_tag_still_gets_its_transaction_booked() -> None:
    """The charger may be charging already (OCPP 1.6 section 4.8)."""
    books = Books(STRICT)
    started = books.start(tag="UNKNOWN").value

    assert started.authorization == Authorization(AuthorizationStatus.INVALID)
    assert books.transaction(started.transaction_id).id_tag == "UNKNOWN"
    books.connection.close()
