"""Which cards are listed as unknown or refused, and for how long."""

from __future__ import annotations

import pytest

from mcpp.domain import id_tags
from mcpp.domain.authorization import Authorization, AuthorizationPolicy, AuthorizationStatus, authorize
from mcpp.domain.cards import MOST_CARDS, CardBook, write_cards
from mcpp.domain.id_tags import StoredTag
from mcpp.reads.times import AFTER_ALL
from mcpp_generated.db.enums import IdTagStatus
from mcpp_generated.db.models import ListUnknownIdTagsRow
from tests.unit.domain.books import NOW, Books, minute

ACCEPTED = AuthorizationStatus.ACCEPTED
INVALID = AuthorizationStatus.INVALID
BLOCKED = AuthorizationStatus.BLOCKED


class Reader:
    """A charge point's card reader, and what became of the cards."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.book = CardBook()

    def present(
        self, tag: str, *, charger: str = "CP-1", at: float = 0, site_says: AuthorizationStatus | None = None
    ) -> None:
        key = self.books.occasion(charger).charge_point_key
        stored = authorize(self.books.q, key, tag, minute(at), self.books.policy)
        self.book.presented(key, tag, stored, site_says or stored.status, minute(at))

    def listed(self) -> list[ListUnknownIdTagsRow]:
        write_cards(self.books.q, self.book.take(), NOW)
        return self.books.q.list_unknown_id_tags(before=AFTER_ALL, before_id_tag="", before_key=0, page_size=5_000)

    def tags(self) -> list[str]:
        return [row.id_tag for row in self.listed()]


@pytest.fixture
def reader(books: Books) -> Reader:
    return Reader(books)


def store(books: Books, tag: str, status: IdTagStatus = IdTagStatus.ACCEPTED) -> None:
    id_tags.put(books.q, StoredTag(tag, status))


def test_a_card_without_a_name_is_listed_though_it_is_accepted(reader: Reader) -> None:
    reader.present("NEW", at=1)
    reader.present("NEW", at=2)
    reader.listed()
    reader.present("new", at=3)
    reader.present("NEW", charger="CP-2", at=2.5)

    first, second = reader.listed()
    assert (first.id_tag, first.charge_point_id, first.status, first.times) == ("new", "CP-1", "Accepted", 3)
    assert (first.first_at, first.last_at) == (minute(1), minute(3))
    assert (second.id_tag, second.charge_point_id, second.times) == ("NEW", "CP-2", 1)


@pytest.mark.parametrize("status", [IdTagStatus.BLOCKED, IdTagStatus.EXPIRED, IdTagStatus.INVALID])
def test_a_refused_card_is_listed_until_it_is_accepted(books: Books, reader: Reader, status: IdTagStatus) -> None:
    store(books, "TAG", status)
    reader.present("tag")
    (row,) = reader.listed()
    store(books, "TAG", IdTagStatus.BLOCKED)
    still = reader.tags()
    store(books, "Tag")

    assert (row.status, row.times) == (status.value, 1)
    assert still == ["tag"]
    assert reader.tags() == []


def test_a_card_that_is_stored_and_accepted_is_not_listed(books: Books, reader: Reader) -> None:
    store(books, "TAG")
    reader.present("tag")

    assert reader.listed() == []


def test_one_stored_before_it_was_written_is_not_listed(books: Books, reader: Reader) -> None:
    reader.present("TAG")
    store(books, "TAG")

    assert reader.listed() == []


@pytest.mark.parametrize("verdict", [AuthorizationStatus.CONCURRENT_TX, BLOCKED])
def test_an_accepted_card_that_was_refused_otherwise_is_listed(
    books: Books, reader: Reader, verdict: AuthorizationStatus
) -> None:
    """It runs elsewhere, or a plugin has a verdict of its own."""
    store(books, "TAG")
    reader.present("TAG", site_says=verdict)

    assert [(row.id_tag, row.status) for row in reader.listed()] == [("TAG", verdict.value)]


def test_an_unknown_card_that_a_plugin_accepts_is_listed(reader: Reader) -> None:
    reader.books.policy = AuthorizationPolicy(known_only=True)
    reader.present("TAG", site_says=ACCEPTED)
    reader.present("OTHER")

    assert {row.id_tag: row.status for row in reader.listed()} == {"TAG": "Accepted", "OTHER": "Invalid"}


@pytest.mark.parametrize(
    ("policy", "listed"),
    [
        (AuthorizationPolicy(auto_start_id_tag="MCPP", auto_start=True), []),
        (AuthorizationPolicy(auto_start_id_tag="MCPP", auto_start=True, known_only=True), []),
        # Nobody but a person with a card of that number presents it there, and it is refused.
        (AuthorizationPolicy(auto_start_id_tag="MCPP", known_only=True), ["mcpp"]),
    ],
)
def test_the_tag_of_auto_start_is_none_of_them(reader: Reader, policy: AuthorizationPolicy, listed: list[str]) -> None:
    reader.books.policy = policy
    reader.present("mcpp")

    assert reader.tags() == listed


def test_no_card_is_not_a_card(reader: Reader) -> None:
    reader.present("")

    assert reader.listed() == []


def test_a_long_tag_is_cut(reader: Reader) -> None:
    reader.present("€" * 5_000)
    reader.present("€" * 6_000)

    (row,) = reader.listed()
    assert row.id_tag == "€" * 341
    assert row.times == 2


def test_the_newest_are_kept(reader: Reader) -> None:
    for number in range(MOST_CARDS):
        reader.present(f"OLD-{number}", at=number / 1000)
    reader.listed()
    for number in range(MOST_CARDS + 10):
        reader.present(f"NEW-{number}", at=60 + number / 1000)
    for number in range(500):
        reader.present("OLD-7", at=200 + number)

    tags = reader.tags()
    assert len(tags) == MOST_CARDS
    assert tags[:2] == ["OLD-7", f"NEW-{MOST_CARDS + 9}"]
    assert tags[-1] == "NEW-11"


def test_what_could_not_be_written_waits_on(reader: Reader) -> None:
    reader.present("A", at=1)
    reader.present("B", at=2)
    taken = reader.book.take()
    reader.present("A", at=3)
    reader.book.put_back(taken)

    assert [(row.id_tag, row.times, row.first_at, row.last_at) for row in reader.listed()] == [
        ("A", 2, minute(1), minute(3)),
        ("B", 1, minute(2), minute(2)),
    ]


def test_more_than_there_is_room_for_loses_the_oldest(reader: Reader) -> None:
    for number in range(MOST_CARDS):
        reader.present(f"OLD-{number}")
    taken = reader.book.take()
    reader.present("NEW", at=1)
    reader.book.put_back(taken)

    tags = reader.tags()
    assert len(tags) == MOST_CARDS
    assert "NEW" in tags
    assert "OLD-0" not in tags


def test_they_go_with_their_charge_point(books: Books, reader: Reader) -> None:
    reader.present("A")
    reader.present("A", charger="CP-2")
    reader.listed()
    key = books.occasion("CP-1").charge_point_key
    reader.book.presented(key, "B", Authorization(INVALID, stored=False), INVALID, NOW)
    books.q.delete_charge_point(key=key)

    assert [(row.id_tag, row.charge_point_id) for row in reader.listed()] == [("A", "CP-2")]
