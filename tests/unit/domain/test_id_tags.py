"""Id tags are compared without regard to case and kept as written."""

from __future__ import annotations

import pytest

from mcpp.domain import id_tags
from mcpp.domain.errors import Unknown
from mcpp.domain.id_tags import StoredTag
from mcpp_generated.db.enums import IdTagStatus
from mcpp_generated.db.models import IdTag
from tests.unit.domain.books import Books, minute


def test_a_tag_is_stored_then_changed_then_forgotten(books: Books) -> None:
    created = id_tags.put(books.q, StoredTag("AbCd", IdTagStatus.BLOCKED, minute(-5), "Group", "lost"))
    first = books.q.get_id_tag(id_tag="aBcD")
    changed = id_tags.put(books.q, StoredTag("ABCD"))
    second = books.q.get_id_tag(id_tag="abcd")
    id_tags.delete(books.q, "abCD")

    assert (created, changed) == (True, False)
    assert first == IdTag("AbCd", IdTagStatus.BLOCKED, minute(-5), "Group", "lost", None)
    assert second == IdTag("ABCD", IdTagStatus.ACCEPTED, None, None, None, None)
    assert books.count("id_tags") == 0
    with pytest.raises(Unknown):
        id_tags.delete(books.q, "abCD")


def test_pages_go_in_the_order_that_ignores_case_and_stay_right_while_tags_come(books: Books) -> None:
    for tag in ("b", "A", "C", "d"):
        id_tags.put(books.q, StoredTag(tag))
    first = books.q.list_id_tags(after="", page_size=2)
    id_tags.put(books.q, StoredTag("AA"))
    second = books.q.list_id_tags(after=first[-1].id_tag, page_size=2)

    assert [tag.id_tag for tag in first] == ["A", "b"]
    assert [tag.id_tag for tag in second] == ["C", "d"]


def test_a_forgotten_tag_leaves_its_transactions(books: Books) -> None:
    id_tags.put(books.q, StoredTag("TAG"))
    transaction_id = books.start(tag="TAG").value.transaction_id
    id_tags.delete(books.q, "TAG")

    assert books.transaction(transaction_id).id_tag == "TAG"
