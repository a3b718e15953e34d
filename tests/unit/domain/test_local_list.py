"""Which updates bring a charge point's local authorization list in line with the stored id tags."""

from __future__ import annotations

import pytest

from mcpp.domain import id_tags
from mcpp.domain.authorization import Authorization, AuthorizationStatus
from mcpp.domain.configuration import KnownKey, note_keys
from mcpp.domain.id_tags import StoredTag
from mcpp.domain.local_list import ListEntry, ListTooLong, ListUpdate, note_version, plan_updates
from mcpp_generated.db.enums import IdTagStatus
from tests.unit.domain.books import NOW, Books, minute


def store(books: Books, *tags: str) -> None:
    for tag in tags:
        id_tags.put(books.q, StoredTag(tag))


def limit(books: Books, **limits: int) -> None:
    note_keys(
        books.q, books.occasion(), [KnownKey(key, str(value), readonly=True) for key, value in limits.items()], []
    )


def plan(books: Books, current_version: int = 0) -> list[ListUpdate]:
    return plan_updates(
        books.q, books.occasion().charge_point_key, NOW, current_version=current_version, longest_id_tag=20
    )


def outline(updates: list[ListUpdate]) -> list[tuple[int, bool, list[str]]]:
    return [(update.version, update.full, [entry.id_tag for entry in update.entries]) for update in updates]


def test_one_full_list_where_no_limit_is_known(books: Books) -> None:
    store(books, "B", "A", "C")

    assert outline(plan(books, current_version=41)) == [(42, True, ["A", "B", "C"])]


@pytest.mark.parametrize("current_version", [-1, 0])
def test_the_first_version_is_one(books: Books, current_version: int) -> None:
    """0 and -1 have a meaning of their own (OCPP 1.6 §5.10)."""
    store(books, "A")

    assert outline(plan(books, current_version)) == [(1, True, ["A"])]


def test_a_long_list_goes_in_parts_whose_versions_follow_each_other(books: Books) -> None:
    store(books, "A", "B", "C", "D", "E")
    limit(books, SendLocalListMaxLength=2)

    assert outline(plan(books, 7)) == [(8, True, ["A", "B"]), (9, False, ["C", "D"]), (10, False, ["E"])]


def test_without_tags_the_list_is_emptied(books: Books) -> None:
    limit(books, SendLocalListMaxLength=2)

    assert plan(books, 3) == [ListUpdate(4, full=True, entries=[])]


def test_every_status_is_told(books: Books) -> None:
    id_tags.put(books.q, StoredTag("ACCEPTED", expiry_date=minute(1), parent_id_tag="GROUP"))
    id_tags.put(books.q, StoredTag("BLOCKED", IdTagStatus.BLOCKED))
    id_tags.put(books.q, StoredTag("INVALID", IdTagStatus.INVALID))
    id_tags.put(books.q, StoredTag("OVERDUE", expiry_date=minute(-1)))
    (update,) = plan(books)

    assert update.entries == [
        ListEntry("ACCEPTED", Authorization(AuthorizationStatus.ACCEPTED, minute(1), "GROUP")),
        ListEntry("BLOCKED", Authorization(AuthorizationStatus.BLOCKED)),
        ListEntry("INVALID", Authorization(AuthorizationStatus.INVALID)),
        ListEntry("OVERDUE", Authorization(AuthorizationStatus.EXPIRED, minute(-1))),
    ]


def test_more_tags_than_it_holds_are_not_even_begun(books: Books) -> None:
    store(books, "A", "B", "C")
    limit(books, LocalAuthListMaxLength=2)

    with pytest.raises(ListTooLong, match="3 id tags are stored, the charge point holds 2"):
        plan(books)


def test_a_tag_that_ocpp_cannot_carry_stays_out_of_it(books: Books) -> None:
    store(books, "A" * 20, "B" * 21)
    limit(books, LocalAuthListMaxLength=1)

    assert outline(plan(books)) == [(1, True, ["A" * 20])]


def test_versions_begin_anew_before_they_leave_32_bits(books: Books) -> None:
    store(books, "A", "B")
    limit(books, SendLocalListMaxLength=1)

    assert outline(plan(books, 2**31 - 3)) == [(2**31 - 2, True, ["A"]), (2**31 - 1, False, ["B"])]
    assert outline(plan(books, 2**31 - 2)) == [(1, True, ["A"]), (2, False, ["B"])]


def test_the_last_known_version_is_kept(books: Books) -> None:
    note_version(books.q, books.occasion(), 3)
    note_version(books.q, books.occasion(at=minute(1)), -1)

    stored = books.q.get_local_list(charge_point_key=books.occasion().charge_point_key)
    assert stored is not None
    assert (stored.version, stored.known_at) == (-1, minute(1))
