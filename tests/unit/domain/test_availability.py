"""Availability as last ordered, of one connector or of the whole charge point."""

from __future__ import annotations

import pytest

from mcpp.domain.connectors import order_availability
from mcpp.domain.memory import ensure_connector
from mcpp_generated.db.enums import Availability
from tests.unit.domain.books import Books

OPERATIVE = Availability.OPERATIVE
INOPERATIVE = Availability.INOPERATIVE


def order(books: Books, connector: int, availability: Availability) -> None:
    order_availability(books.q, books.occasion(), connector, availability)


def ordered(books: Books, charger: str = "CP-1") -> dict[int, Availability | None]:
    rows = books.q.list_connectors(charge_point_keys=[books.occasion(charger).charge_point_key])
    return {row.connector_id: row.ordered_availability for row in rows}


@pytest.fixture
def _connectors(books: Books) -> None:
    for charger in ("CP-1", "CP-2"):
        for number in (1, 2):
            ensure_connector(books.q, books.occasion(charger).charge_point_key, number)


@pytest.mark.usefixtures("_connectors")
def test_one_connector(books: Books) -> None:
    order(books, 2, INOPERATIVE)

    assert ordered(books) == {1: None, 2: INOPERATIVE}
    assert ordered(books, "CP-2") == {1: None, 2: None}


@pytest.mark.usefixtures("_connectors")
def test_connector_0_speaks_for_all_of_them_those_not_seen_yet_included(books: Books) -> None:
    """OCPP 1.6 §5.2."""
    order(books, 1, OPERATIVE)
    order(books, 0, INOPERATIVE)
    order(books, 2, OPERATIVE)
    ensure_connector(books.q, books.occasion().charge_point_key, 3)

    assert ordered(books) == {0: INOPERATIVE, 1: INOPERATIVE, 2: OPERATIVE, 3: INOPERATIVE}
    assert ordered(books, "CP-2") == {1: None, 2: None}
