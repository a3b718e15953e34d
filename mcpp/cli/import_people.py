"""What the columns of an imported file of people mean."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from mcpp.cli.csv_file import Cells, Column, LineRefused
from mcpp.cli.import_rows import LONGEST_NAME, LONGEST_NOTE, read_id_tag, read_printable, read_short
from mcpp.domain import people
from mcpp.domain.charge_points import KEEP, Keep
from mcpp.domain.errors import Conflict
from mcpp.domain.prices import PriceRefused, read_price
from mcpp.phrases import Phrase
from mcpp_generated.db.queries import Queries

PERSON_COLUMNS: Final = (
    Column("id", frozenset({"person_id", "person"})),
    Column("name"),
    Column("note"),
    Column("cards", frozenset({"card", "id_tags", "id_tag"})),
    Column("price_per_kwh", frozenset({"price"})),
)

_MOST_CARDS: Final = 100
"""Of a person, as the API has it."""

_TAKE_IT_FIRST: Final = "take it from them in a line before this one, or on the person's page"

_BETWEEN_CARDS: Final = re.compile(r"[;,\n]")


@dataclass(frozen=True)
class PersonRow:
    """A line of a file of people; what its columns don't say stays as it's stored."""

    id: str
    wanted: people.WantedPerson

    @classmethod
    def read(cls, cells: Cells) -> PersonRow:
        """Raises LineRefused."""
        return cls(
            _person_id(cells["id"]),
            people.WantedPerson(
                name=KEEP if "name" not in cells else _name(cells["name"]),
                note=KEEP if "note" not in cells else read_short(cells["note"], "note", LONGEST_NOTE) or None,
                cards=KEEP if "cards" not in cells else _cards(cells["cards"]),
                price=KEEP if "price_per_kwh" not in cells else _price(cells["price_per_kwh"]),
            ),
        )

    @property
    def warning(self) -> None:
        """There is none."""
        return

    @property
    def key(self) -> str:
        """The same for two lines about one person."""
        return self.id

    def store(self, q: Queries) -> bool:
        """Returns whether it's a new one. Raises Conflict."""
        try:
            return people.put(q, datetime.now(UTC), self.id, self.wanted)
        except Conflict as error:
            said = error.args[0]
            if isinstance(said, Phrase) and said.pattern == people.CARD_OF_ANOTHER:
                raise Conflict(
                    f"card {said.facts['card']!r} belongs to {said.facts['owner']}; {_TAKE_IT_FIRST}"
                ) from None
            raise


def _person_id(text: str) -> str:
    if not re.fullmatch(people.PERSON_ID, text):
        raise LineRefused(
            f"id {text[:80]!r} should be 1 to 64 of the letters a to z, digits, '.', '_' and '-', such as flat-2b"
        )
    return text


def _name(text: str) -> str:
    if not text:
        raise LineRefused("name is empty")
    return read_printable(text, "name", LONGEST_NAME)


def _cards(text: str) -> tuple[str, ...]:
    cards = tuple(read_id_tag(card.strip()) for card in _texts_of(text) if card.strip())
    if len(cards) > _MOST_CARDS:
        raise LineRefused(f"cards has {len(cards)}, {_MOST_CARDS} at most")
    return cards


def _texts_of(text: str) -> list[str]:
    """As a person writes a list; or as our own CSV has it, in JSON."""
    with suppress(ValueError):
        listed = json.loads(text)
        if isinstance(listed, list) and all(isinstance(card, str) for card in listed):
            return listed
    return _BETWEEN_CARDS.split(text)


def _price(text: str) -> people.Price | Keep:
    """By a decimal comma as well; an empty one is the default."""
    try:
        return people.Price(read_price(text.replace(",", ".")) if text else None)
    except PriceRefused as error:
        raise LineRefused(f"price_per_kwh {error}") from None
