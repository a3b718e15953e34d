"""Who may charge: status by mode by situation, as OCPP 1.6 has it (§4.1, §4.8, §4.10, §7.2)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from mcpp.domain import id_tags
from mcpp.domain.authorization import Authorization, AuthorizationPolicy, AuthorizationStatus, authorize
from mcpp.domain.id_tags import StoredTag
from mcpp_generated.db.enums import IdTagStatus
from tests.unit.domain.books import NOW, Books, minute

ACCEPTED = IdTagStatus.ACCEPTED
BLOCKED = IdTagStatus.BLOCKED
EXPIRED = IdTagStatus.EXPIRED
INVALID = IdTagStatus.INVALID
BEFORE, LATER = minute(-1), minute(1)

OPEN, KNOWN = "open", "known"
WORDS = {status.value[0]: status for status in AuthorizationStatus}
"""A, B, E, I and C."""

# Situations: Authorize; StartTransaction; StartTransaction while the tag charges elsewhere, with concurrent-tx `allow`
# and with `deny`; StopTransaction while the tag charges elsewhere, with `deny`.
TABLE = [
    # mode, stored status, expiry, verdicts
    (OPEN, None, None, "A A A C A"),
    (OPEN, ACCEPTED, None, "A A A C A"),
    (OPEN, ACCEPTED, LATER, "A A A C A"),
    (OPEN, ACCEPTED, NOW, "E E E E E"),
    (OPEN, ACCEPTED, BEFORE, "E E E E E"),
    (OPEN, BLOCKED, None, "B B B B B"),
    (OPEN, BLOCKED, LATER, "B B B B B"),
    (OPEN, BLOCKED, BEFORE, "B B B B B"),
    (OPEN, EXPIRED, None, "E E E E E"),
    (OPEN, EXPIRED, LATER, "E E E E E"),
    (OPEN, EXPIRED, BEFORE, "E E E E E"),
    (OPEN, INVALID, None, "I I I I I"),
    (OPEN, INVALID, LATER, "I I I I I"),
    (OPEN, INVALID, BEFORE, "I I I I I"),
    (KNOWN, None, None, "I I I I I"),
    (KNOWN, ACCEPTED, None, "A A A C A"),
    (KNOWN, ACCEPTED, LATER, "A A A C A"),
    (KNOWN, ACCEPTED, NOW, "E E E E E"),
    (KNOWN, ACCEPTED, BEFORE, "E E E E E"),
    (KNOWN, BLOCKED, None, "B B B B B"),
    (KNOWN, BLOCKED, LATER, "B B B B B"),
    (KNOWN, BLOCKED, BEFORE, "B B B B B"),
    (KNOWN, EXPIRED, None, "E E E E E"),
    (KNOWN, EXPIRED, LATER, "E E E E E"),
    (KNOWN, EXPIRED, BEFORE, "E E E E E"),
    (KNOWN, INVALID, None, "I I I I I"),
    (KNOWN, INVALID, LATER, "I I I I I"),
    (KNOWN, INVALID, BEFORE, "I I I I I"),
]


def verdicts(mode: str, status: IdTagStatus | None, expiry: datetime | None) -> Iterator[Authorization]:
    """The verdict in each situation, in books of its own; the tag is presented in another letter case than stored."""

    def books(*, deny: bool) -> Books:
        books = Books(AuthorizationPolicy(known_only=mode == KNOWN, deny_concurrent=deny))
        if status is not None:
            id_tags.put(books.q, StoredTag("Tag", status, expiry, "GROUP"))
        return books

    asked = books(deny=False)
    yield authorize(asked.q, asked.occasion().charge_point_key, "TAG", NOW, asked.policy)
    yield books(deny=False).start(tag="TAG").value.authorization
    for deny in (False, True):
        elsewhere = books(deny=deny)
        elsewhere.start(charger="CP-2", tag="tag")
        yield elsewhere.start(tag="TAG").value.authorization
    stopping = books(deny=True)
    stopping.start(charger="CP-2", tag="tag")
    transaction_id = stopping.start(tag="somebody").value.transaction_id
    stopped = stopping.stop(transaction_id, tag="TAG").value.authorization
    assert stopped is not None
    yield stopped


@pytest.mark.parametrize(("mode", "status", "expiry", "expected"), TABLE)
def test_the_table(mode: str, status: IdTagStatus | None, expiry: datetime | None, expected: str) -> None:
    given = list(verdicts(mode, status, expiry))

    assert [verdict.status for verdict in given] == [WORDS[letter] for letter in expected.split()]
    stored = (None, None) if status is None else (expiry, "GROUP")
    assert {(verdict.expiry_date, verdict.parent_id_tag) for verdict in given} == {stored}


def test_authorize_knows_no_concurrent_transactions() -> None:
    """OCPP 1.6 §7.2: ConcurrentTx is only for the answer to a StartTransaction."""
    books = Books(AuthorizationPolicy(deny_concurrent=True))
    books.start(tag="TAG")

    assert (
        authorize(books.q, books.occasion().charge_point_key, "TAG", NOW, books.policy).status
        is AuthorizationStatus.ACCEPTED
    )


@pytest.mark.parametrize("deny", [False, True])
def test_a_repeated_start_and_one_after_the_stops(deny: bool) -> None:
    books = Books(AuthorizationPolicy(deny_concurrent=deny))
    first = books.start(charger="CP-1", tag="tag").value
    repeated = books.start(charger="CP-1", tag="tag").value
    second = books.start(charger="CP-2", tag="TAG").value
    books.stop(first.transaction_id, at=minute(1))
    books.stop(second.transaction_id, charger="CP-2", at=minute(1))
    after_the_stops = books.start(charger="CP-2", tag="TAG", at=minute(2)).value

    assert first.authorization.status is AuthorizationStatus.ACCEPTED
    assert repeated == first
    assert second.transaction_id > 0
    assert after_the_stops.authorization.status is AuthorizationStatus.ACCEPTED


def test_a_stop_without_an_id_tag_gets_no_verdict(books: Books) -> None:
    """OCPP 1.6 §4.10: a transaction may be stopped without an identifier."""
    transaction_id = books.start().value.transaction_id

    assert books.stop(transaction_id).value.authorization is None


def test_one_of_the_group_may_stop_and_the_answers_name_the_group(books: Books) -> None:
    """OCPP 1.6 §3.10: the charge point compares the parents; the central system tells it of them."""
    id_tags.put(books.q, StoredTag("ONE", parent_id_tag="Group"))
    id_tags.put(books.q, StoredTag("OTHER", parent_id_tag="Group"))
    started = books.start(tag="ONE").value
    stopped = books.stop(started.transaction_id, tag="OTHER", at=minute(1)).value

    assert started.authorization.parent_id_tag == "Group"
    assert stopped.authorization == Authorization(AuthorizationStatus.ACCEPTED, None, "Group")
    assert books.transaction(started.transaction_id).stopped_at == minute(1)


def test_a_refused_tag_still_gets_its_transaction_booked_and_stopped() -> None:
    """The charge point may be charging already (OCPP 1.6 §4.8), and no stop may be refused (§4.10)."""
    books = Books(AuthorizationPolicy(known_only=True, deny_concurrent=True))
    started = books.start(tag="UNKNOWN").value
    books.stop(started.transaction_id, tag="UNKNOWN", at=minute(1))

    assert started.authorization == Authorization(AuthorizationStatus.INVALID)
    assert books.transaction(started.transaction_id).id_tag == "UNKNOWN"
    assert books.transaction(started.transaction_id).stopped_at == minute(1)


@pytest.mark.parametrize("deny", [False, True])
def test_the_tag_of_auto_start_is_known_and_may_charge_in_many_places(deny: bool) -> None:
    policy = AuthorizationPolicy(known_only=True, deny_concurrent=deny, auto_start_id_tag="Mcpp", auto_start=True)
    books = Books(policy)
    started = [books.start(charger=charger, tag="MCPP").value for charger in ("CP-1", "CP-2")]
    stopped = books.stop(started[0].transaction_id, tag="mcpp", at=minute(1)).value
    somebody = books.start(tag="MCPP2", at=minute(2)).value

    assert authorize(books.q, books.occasion().charge_point_key, "mcpp", NOW, books.policy) == Authorization(
        AuthorizationStatus.ACCEPTED
    )
    assert [start.authorization for start in started] == [Authorization(AuthorizationStatus.ACCEPTED)] * 2
    assert stopped.authorization == Authorization(AuthorizationStatus.ACCEPTED)
    assert somebody.authorization == Authorization(AuthorizationStatus.INVALID)


@pytest.mark.parametrize(
    ("by_default", "own", "expected"),
    [
        (True, None, AuthorizationStatus.ACCEPTED),
        (True, False, AuthorizationStatus.INVALID),
        (False, None, AuthorizationStatus.INVALID),
        (False, True, AuthorizationStatus.ACCEPTED),
    ],
)
def test_the_tag_of_auto_start_is_known_only_where_it_starts(
    by_default: bool, own: bool | None, expected: AuthorizationStatus
) -> None:
    books = Books(AuthorizationPolicy(known_only=True, auto_start_id_tag="MCPP", auto_start=by_default))
    key = books.occasion().charge_point_key
    books.q.set_auto_start(key=key, auto_start=own)

    assert authorize(books.q, key, "MCPP", NOW, books.policy).status is expected


def test_what_is_stored_of_auto_starts_tag_goes_before_the_rule() -> None:
    books = Books(AuthorizationPolicy(auto_start_id_tag="MCPP"))
    id_tags.put(books.q, StoredTag("mcpp", BLOCKED))

    assert books.start(tag="MCPP").value.authorization.status is AuthorizationStatus.BLOCKED


@pytest.mark.parametrize(
    ("presented", "expected"),
    [
        ("04ab_1716230", "A"),
        ("04AB", "A"),
        ("WITH_LINE", "B"),
        ("with_line_1716230", "B"),
        ("WITH_1716230", "I"),
        ("_1716230", "I"),
        ("_", "I"),
        ("MCPP_1716230", "A"),
        ("M_1716230", "I"),
    ],
)
def test_what_a_charger_appends_to_an_id_tag_is_no_part_of_it(presented: str, expected: str) -> None:
    policy = AuthorizationPolicy(known_only=True, id_tag_separator="_", auto_start_id_tag="MCPP", auto_start=True)
    books = Books(policy)
    id_tags.put(books.q, StoredTag("04AB"))
    id_tags.put(books.q, StoredTag("WITH_LINE", BLOCKED))

    started = books.start(tag=presented).value

    assert started.authorization.status is WORDS[expected]
    transaction = books.q.find_transaction(id=started.transaction_id)
    assert transaction is not None
    assert transaction.id_tag == presented


@pytest.mark.parametrize(
    ("separator", "elsewhere", "expected"),
    [("_", "04ab_99", "C"), ("_", "04AB", "C"), ("_", "04AB_1_2", "A"), ("_", "05CD_1", "A"), (None, "04AB_99", "A")],
)
def test_one_tag_with_different_texts_appended_is_one_tag(separator: str | None, elsewhere: str, expected: str) -> None:
    books = Books(AuthorizationPolicy(deny_concurrent=True, id_tag_separator=separator))
    books.start(tag="04AB_1716230")

    assert books.start(charger="CP-2", tag=elsewhere).value.authorization.status is WORDS[expected]
