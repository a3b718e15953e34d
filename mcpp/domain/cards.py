"""Cards that are listed for a person to look at: presented, and not stored or refused.

They are gathered in memory and written together, since with open authorization every card may be one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from mcpp.domain.authorization import Authorization, AuthorizationStatus, verdict_on
from mcpp_generated.db.queries import Queries

MOST_CARDS: Final = 1_000
"""Rows that are kept, the newest; as many may wait to be written."""

_LONGEST: Final = 1_024
"""Bytes that are kept of an id tag; OCPP 1.6 allows 20 characters."""

_BY_THE_TAG: Final = frozenset({AuthorizationStatus.BLOCKED, AuthorizationStatus.EXPIRED, AuthorizationStatus.INVALID})
"""Verdicts that follow from what is stored of the tag alone."""


@dataclass(slots=True)
class Presented:
    """How often a card was presented at a charge point lately, and how that ended."""

    status: AuthorizationStatus
    """The last verdict."""
    mended_by_storing: bool
    """Whether the tag, stored as accepted, would have been."""
    times: int
    first_at: datetime
    last_at: datetime


class CardBook:
    """The cards that wait to be written. Used on the event loop only."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: dict[tuple[int, str], Presented] = {}

    def presented(
        self, charge_point_key: int, id_tag: str, by_the_books: Authorization, status: AuthorizationStatus, at: datetime
    ) -> None:
        """Note a card whose verdict was `status`, if it's one to list; `by_the_books` is what the database says."""
        if (by_the_books.stored and status is AuthorizationStatus.ACCEPTED) or not id_tag:
            return
        key = charge_point_key, _cut(id_tag)
        # Taken out and put back, so that the oldest is the first.
        before = self._waiting.pop(key, None)
        self._waiting[key] = Presented(
            status,
            not by_the_books.stored or by_the_books.status in _BY_THE_TAG,
            1 if before is None else before.times + 1,
            at if before is None else before.first_at,
            at,
        )
        if len(self._waiting) > MOST_CARDS:
            del self._waiting[next(iter(self._waiting))]

    def take(self) -> dict[tuple[int, str], Presented]:
        """All that waits, to be written; the book is empty afterwards."""
        taken, self._waiting = self._waiting, {}
        return taken

    def put_back(self, taken: dict[tuple[int, str], Presented]) -> None:
        """What could not be written waits again, behind what came since where there is no room for both."""
        for key, newer in self._waiting.items():
            older = taken.pop(key, None)
            if older is not None:
                newer.times += older.times
                newer.first_at = older.first_at
            taken[key] = newer
        self._waiting = dict(list(taken.items())[-MOST_CARDS:])


def write_cards(q: Queries, cards: dict[tuple[int, str], Presented], now: datetime) -> None:
    """Write what was gathered, but for cards that were stored as accepted meanwhile."""
    for (charge_point_key, id_tag), card in cards.items():
        tag = q.get_id_tag(id_tag=id_tag) if card.mended_by_storing else None
        if tag is not None and verdict_on(tag, now).status is AuthorizationStatus.ACCEPTED:
            continue
        q.add_unknown_id_tag(
            id_tag=id_tag,
            charge_point_key=charge_point_key,
            status=card.status.value,
            times=card.times,
            first_at=card.first_at,
            last_at=card.last_at,
        )
    q.keep_newest_unknown_id_tags(kept=MOST_CARDS)


def _cut(id_tag: str) -> str:
    if len(id_tag) <= _LONGEST // 4:  # no character has more than 4 bytes
        return id_tag
    return id_tag.encode()[:_LONGEST].decode(errors="ignore")
