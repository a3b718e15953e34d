"""People as those outside see them, and whose a session is."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from mcpp.domain.people import BEGINNING, FIRST_DAY, folded
from mcpp.domain.prices import Prices
from mcpp.reads.paging import Cursors, Page, PageQuery, by_name
from mcpp.storage.engine import ReaderPool
from mcpp_generated.db.models import DefaultPrice, Person, PersonCard, PersonPrice
from mcpp_generated.db.readers import Readers


class CardSpan(NamedTuple):
    """A time in which a card is a person's: of sessions that began then."""

    id_tag: str
    since: datetime | None
    """None: from the beginning."""
    until: datetime | None
    """None: up to now."""
    made_at: datetime
    """When that was said."""

    def holds(self, started_at: datetime) -> bool:
        """Whether a session that began then is the person's."""
        return (self.since is None or started_at >= self.since) and (self.until is None or started_at < self.until)


class PriceSpan(NamedTuple):
    """What a kWh costs from a day on."""

    since: str | None
    """A day such as 2026-03-01; None: from the beginning."""
    price_per_kwh: Decimal | None
    """None: the default holds, or there is none."""


class PersonRecord(NamedTuple):
    """A person, with cards and prices."""

    id: str
    name: str
    note: str | None
    created_at: datetime
    cards: Sequence[str]
    """Those that are theirs now, as spelled."""
    card_history: Sequence[CardSpan]
    """From when to when a card was theirs."""
    price_per_kwh: Decimal | None
    """What holds today, their own or the default."""
    currency: str | None
    prices: Sequence[PriceSpan]
    """Their own, by day."""


class Holders:
    """Whose each card is, from when on: the one place that says whose a session is."""

    def __init__(self, cards: Iterable[PersonCard], people: Iterable[Person]) -> None:
        """`cards` in the order of card and time."""
        by_id = {person.id: person for person in people}
        self._spans: dict[str, tuple[list[datetime], list[Person | None]]] = {}
        for card in cards:
            since, holders = self._spans.setdefault(folded(card.id_tag), ([], []))
            since.append(card.since_at)
            holders.append(None if card.person_id is None else by_id.get(card.person_id))

    def of(self, id_tag: str, started_at: datetime) -> Person | None:
        """Whose a session is that a card began at a time; None: nobody's."""
        spans = self._spans.get(folded(id_tag))
        if spans is None:
            return None
        since, holders = spans
        position = bisect_right(since, started_at)
        return holders[position - 1] if position else None


async def read_holders(pool: ReaderPool) -> Holders:
    """Whose each card is."""
    async with pool.reader() as q:
        return Holders(await q.list_cards(), await q.list_all_people())


async def read_names(pool: ReaderPool) -> dict[str, str]:
    """Of all people, by their ids."""
    async with pool.reader() as q:
        return {person.id: person.name for person in await q.list_all_people()}


async def spans_of(q: Readers, person_id: str) -> list[CardSpan]:
    """When which card is a person's, in the order of the cards."""
    cards = await q.list_cards_of_person(person_id=person_id)
    holders = [
        row
        for tag in {folded(card.id_tag): card.id_tag for card in cards}.values()
        for row in await q.list_holders_of_card(id_tag=tag)
    ]
    return [span for holder, span in _spans(holders) if holder == person_id]


def _spans(rows: Iterable[PersonCard]) -> Iterable[tuple[str | None, CardSpan]]:
    """By the holders of each card, in the order of card and time: who had it, from when to when."""
    for _, holders in groupby(rows, lambda row: folded(row.id_tag)):
        of_card = list(holders)
        ends = [row.since_at for row in of_card[1:]]
        for row, until in zip(of_card, [*ends, None], strict=True):
            since = None if row.since_at <= BEGINNING else row.since_at
            yield row.person_id, CardSpan(row.id_tag, since, until, row.made_at)


class PriceBook:
    """What a kWh costs whom on which day."""

    def __init__(self, prices: Iterable[PersonPrice], defaults: Sequence[DefaultPrice]) -> None:
        """Both in the order of their days, those of each person together."""
        own = {person: list(of_person) for person, of_person in groupby(prices, lambda price: price.person_id)}
        self._defaults = defaults
        self._by_person = {person: Prices(of_person, defaults) for person, of_person in own.items()}

    def of(self, person_id: str) -> Prices:
        """A person's; of somebody unknown the default."""
        return self._by_person.get(person_id) or Prices((), self._defaults)

    @property
    def has_any(self) -> bool:
        """Whether anybody was ever given a price, or all."""
        return bool(self._by_person) or any(default.price_per_kwh is not None for default in self._defaults)


async def read_prices(pool: ReaderPool) -> PriceBook:
    """Everybody's prices."""
    async with pool.reader() as q:
        return PriceBook(await q.list_prices(), await q.list_default_prices())


_CURSORS: Cursors[Person, tuple[str]] = by_name(lambda person: person.id)


async def list_page(pool: ReaderPool, query: PageQuery, today: date) -> Page[PersonRecord]:
    """People in the order of their ids. Raises BadCursor."""
    (after,) = _CURSORS.start(query)
    async with pool.reader() as q:
        page = _CURSORS.page(await q.list_people(after=after, page_size=query.limit + 1), query)
        spans = list(_spans(await q.list_cards()))
        prices = await q.list_prices()
        defaults = await q.list_default_prices()
    return page.map(lambda person: _record(person, spans, prices, defaults, today))


async def find(pool: ReaderPool, person_id: str, today: date) -> PersonRecord | None:
    """One person."""
    async with pool.reader() as q:
        person = await q.get_person(id=person_id)
        if person is None:
            return None
        spans = [(person_id, span) for span in await spans_of(q, person_id)]
        prices = await q.list_prices_of_person(person_id=person_id)
        return _record(person, spans, prices, await q.list_default_prices(), today)


def _record(
    person: Person,
    spans: Iterable[tuple[str | None, CardSpan]],
    prices: Iterable[PersonPrice],
    defaults: Sequence[DefaultPrice],
    today: date,
) -> PersonRecord:
    history = [span for holder, span in spans if holder == person.id]
    own = [price for price in prices if price.person_id == person.id]
    priced = Prices(own, defaults)
    return PersonRecord(
        id=person.id,
        name=person.name,
        note=person.note,
        created_at=person.created_at,
        cards=[span.id_tag for span in history if span.until is None],
        card_history=history,
        price_per_kwh=priced.on(today),
        currency=priced.currency_on(today),
        prices=[PriceSpan(None if price.since == FIRST_DAY else price.since, price.price_per_kwh) for price in own],
    )
