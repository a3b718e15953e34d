"""People: whose a card is, from when on, and what a kWh costs them.

A session is charged to whoever had its card when it began. What a card's holder was before stays as it was, so that old
statements do: a card that was nobody's before is somebody's from the beginning, since a newcomer charges first and is
named afterwards; one that changes hands is the next one's from now on.

A statement is final a day after its month has ended, in its time zone (`FINAL_AFTER`); what would change one that may
be final is refused here, or said in a later one as a correction (mcpp.reads.statements).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from mcpp.domain import id_tags
from mcpp.domain.charge_points import KEEP, Keep
from mcpp.domain.errors import Conflict, Unknown, no_person
from mcpp.phrases import Phrase
from mcpp_generated.db.models import Person, PersonCard
from mcpp_generated.db.queries import Queries

FINAL_AFTER: Final = timedelta(days=1)
"""How long after the end of its month a statement may still change: a charger that was offline gets so long."""

BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
"""Since when a card is its first holder's."""

FIRST_DAY: Final = date.min.isoformat()
"""Since when a first price holds."""

PERSON_ID: Final = "^[A-Za-z0-9._-]{1,64}$"
"""What a person's id looks like: it goes into addresses and file names."""

_FIRST_ZONE, _LAST_ZONE = timedelta(hours=14), timedelta(hours=-12)
"""Where a month ends first and last."""


CARD_OF_ANOTHER: Final = (
    "card {card!r} belongs to {owner}; move=from_now gives it to {person!r} for sessions that begin from now on, "
    "move=from_beginning as if it had never been another's"
)
"""For whoever asks by the API; the pages have words of their own for it."""


class Move(StrEnum):
    """What becomes of a card that is somebody else's."""

    FROM_NOW = "from_now"
    """Sessions that begin from now on are the new holder's."""
    FROM_BEGINNING = "from_beginning"
    """It never was the other one's: a mistake, as long as no final statement has a session of it."""


@dataclass(frozen=True, slots=True)
class Price:
    """What a kWh costs."""

    per_kwh: Decimal | None
    """None: the default holds again."""
    since: date | None = None
    """None: from the beginning where no statement can be final that it would change, else from today."""


@dataclass(frozen=True, slots=True)
class WantedPerson:
    """What is said of a person; what isn't given stays as it is."""

    name: str | Keep = KEEP
    """Needed for one that is new."""
    note: str | Keep | None = KEEP
    cards: Sequence[str] | Keep = KEEP
    """All of them: one that is left out is nobody's from now on."""
    price: Price | Keep = KEEP


def folded(id_tag: str) -> str:
    """By which id tags are compared: without regard to case (CiString), ASCII only, as SQLite's NOCASE does."""
    return id_tag.encode(errors="surrogatepass").lower().decode(errors="surrogatepass")


def put(q: Queries, now: datetime, person_id: str, wanted: WantedPerson, move: Move | None = None) -> bool:
    """Make a person or change one; a card that gets a holder is stored as an accepted id tag where it isn't stored.

    Returns whether it's a new one. Raises Conflict where a card is somebody else's and `move` doesn't say what becomes
    of it, where a price would change statements that are final, and for a new person without a name.
    """
    known = q.get_person(id=person_id)
    if known is None and wanted.name is KEEP:
        raise Conflict(Phrase("there is no person {person!r} yet, and one that is new needs a name", person=person_id))
    name = known.name if wanted.name is KEEP and known is not None else wanted.name
    note = (known.note if known is not None else None) if wanted.note is KEEP else wanted.note
    assert name is not KEEP
    q.put_person(id=person_id, name=name, note=note, created_at=now)
    if wanted.cards is not KEEP:
        _give_cards(q, now, person_id, wanted.cards, move)
    if wanted.price is not KEEP:
        _set_price(q, now, person_id, wanted.price, is_new=known is None)
    return known is None


def delete(q: Queries, person_id: str) -> None:
    """Forget a person; their sessions stay with the card, and the card stays stored. Raises Unknown."""
    if not q.delete_person(id=person_id):
        raise Unknown(no_person(person_id))


def held_now(q: Queries, person_id: str) -> list[str]:
    """The cards that a person has now, as they are spelled."""
    tags = {folded(card.id_tag): card.id_tag for card in q.list_cards_of_person(person_id=person_id)}
    newest = [q.list_holders_of_card(id_tag=id_tag)[-1] for id_tag in tags.values()]
    return [card.id_tag for card in newest if card.person_id == person_id]


def _give_cards(q: Queries, now: datetime, person_id: str, cards: Sequence[str], move: Move | None) -> None:
    wanted = {folded(id_tag): id_tag for id_tag in cards}
    for id_tag in held_now(q, person_id):
        if folded(id_tag) not in wanted:
            q.put_card(id_tag=id_tag, since_at=now, person_id=None, made_at=now)
    for id_tag in wanted.values():
        _give_card(q, now, person_id, id_tag, move)
        if q.get_id_tag(id_tag=id_tag) is None:
            id_tags.put(q, id_tags.StoredTag(id_tag))


def _give_card(q: Queries, now: datetime, person_id: str, id_tag: str, move: Move | None) -> None:
    holders = q.list_holders_of_card(id_tag=id_tag)
    since = now
    if not holders:
        since = BEGINNING
    elif (last := holders[-1]).person_id == person_id:
        return
    elif move is Move.FROM_BEGINNING:
        _check_movable(q, now, holders)
        since = last.since_at
    elif last.person_id is not None and move is None:
        owner = q.get_person(id=last.person_id)
        name = "" if owner is None else owner.name
        raise Conflict(Phrase(CARD_OF_ANOTHER, card=id_tag, owner=_spoken(owner), name=name, person=person_id))
    q.put_card(id_tag=id_tag, since_at=since, person_id=person_id, made_at=now)


def _check_movable(q: Queries, now: datetime, holders: Sequence[PersonCard]) -> None:
    """Raises Conflict where a final statement of a card's last holder may have a session of it."""
    last = holders[-1]
    holder = None if last.person_id is None else q.get_person(id=last.person_id)
    if holder is None or not _may_be_final(last.made_at, holder.created_at, now):
        return
    open_everywhere = datetime.combine(_first_open_day(now), time(), UTC) - _LAST_ZONE
    ends = q.count_ends_of_id_tag(id_tag=last.id_tag, ended_before=open_everywhere, since_at=last.since_at)
    if ends or q.count_superseded_ends_of_id_tag(
        id_tag=last.id_tag, ended_before=open_everywhere, since_at=last.since_at
    ):
        raise Conflict(
            Phrase(
                "card {card!r} belongs to {owner}, and final statements may have sessions of it; move=from_now gives "
                "it away for sessions that begin from now on",
                card=last.id_tag,
                owner=_spoken(holder),
            )
        )


def _spoken(person: Person | None) -> str:
    return "nobody" if person is None else f"{person.id!r} ({person.name})"


def _may_be_final(since: datetime, created_at: datetime, now: datetime) -> bool:
    """Whether a statement of a person may have become final between two times, in any time zone."""
    if since <= created_at + FINAL_AFTER <= now:
        return True  # those of the months before the person was made
    month = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for _ in range(2):
        if month + FINAL_AFTER - _FIRST_ZONE <= now:
            return since <= month + FINAL_AFTER - _LAST_ZONE
        month = (month - timedelta(days=1)).replace(day=1)
    return True


def _first_open_day(now: datetime) -> date:
    """The first day of the oldest month whose statement can't be final anywhere."""
    return (now.astimezone(UTC) + _FIRST_ZONE - FINAL_AFTER).date().replace(day=1)


def _set_price(q: Queries, now: datetime, person_id: str, price: Price, *, is_new: bool) -> None:
    """A new person has no statements yet: any day will do."""
    prices = q.list_prices_of_person(person_id=person_id)
    if prices and price.since is None and prices[-1].price_per_kwh == price.per_kwh:
        return  # said again
    first_open = _first_open_day(now)
    if is_new:
        since = FIRST_DAY if price.since is None else price.since.isoformat()
    elif price.since is None:
        has_price = prices or any(default.price_per_kwh is not None for default in q.list_default_prices())
        since = (now.astimezone().date() if has_price else first_open).isoformat()
    elif price.since < first_open:
        raise Conflict(
            Phrase(
                "a price from {day} on would change statements of months that are over; the earliest day is {earliest}",
                day=price.since.isoformat(),
                earliest=first_open.isoformat(),
            )
        )
    else:
        since = price.since.isoformat()
    if price.per_kwh is not None or prices or not is_new:
        q.put_price(person_id=person_id, since=since, price_per_kwh=price.per_kwh)


def note_default_price(q: Queries, now: datetime, per_kwh: Decimal | None, currency: str | None) -> None:
    """Note the settings at the start of the server: a change holds from today on, so that old statements stay.

    Until there are people nobody has a statement that it could change.
    """
    known = q.list_default_prices()
    if known and (known[-1].price_per_kwh, known[-1].currency) == (per_kwh, currency):
        return
    if not known or (known[-1].since == FIRST_DAY and not q.count_people()):
        since = FIRST_DAY
    elif all(default.price_per_kwh is None for default in known):
        since = _first_open_day(now).isoformat()
    else:
        since = now.astimezone().date().isoformat()
    q.put_default_price(since=since, price_per_kwh=per_kwh, currency=currency)
