"""`/people`: names, cards, price per kWh, and a month's statement."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import Query
from pydantic import AfterValidator, Field
from starlette.responses import Response

from mcpp.api import people_models as models
from mcpp.api.bodies import NewPersonId, WantedPerson
from mcpp.api.problems import Mistake, documented, found, invalid_payload
from mcpp.api.routes import Routes
from mcpp.api.services import ApiServices, FromServices
from mcpp.api.tables import AS_TABLE, FromTables
from mcpp.domain import people
from mcpp.domain.charge_points import KEEP, Keep
from mcpp.domain.errors import no_person
from mcpp.domain.people import Move, Price
from mcpp.phrases import Phrase, phrase_of
from mcpp.phrases.mistakes import not_valid
from mcpp.reads import people as reads
from mcpp.reads.csv_text import Value
from mcpp.reads.paging import FormatQuery, Page, PageQuery
from mcpp.reads.people import PersonRecord
from mcpp.reads.statement_rows import COLUMNS, READABLE, rows_of
from mcpp.reads.statements import Month, Statement, read_statement
from mcpp.reads.zones import TimeZone

router = Routes(prefix="/people", tags=["people"])

_UNKNOWN: Final = documented(HTTPStatus.NOT_FOUND)


def _month(text: str) -> str:
    try:
        Month.read(text)
    except ValueError as error:
        raise not_valid("month", phrase_of(error)) from None
    return text


MonthText = Annotated[str, AfterValidator(_month)]


class StatementQuery(FormatQuery):
    """Which statement, and in what form."""

    month: MonthText = Field(description="By the end of each session in the time zone.", examples=["2026-03"])
    timezone: TimeZone | None = Field(
        None, description="Whose month it is, such as Europe/Berlin; the server's own where none is given."
    )


@router.get("", response_model=models.PersonPage, responses=AS_TABLE)
async def list_people(
    services: FromServices, tables: FromTables, query: Annotated[PageQuery, Query()]
) -> Page[PersonRecord] | Response:
    """People, in the order of their ids."""
    read = partial(reads.list_page, services.readers, today=services.clock.now().astimezone().date())
    return await tables.answer_page(query, models.PersonPage, read)


@router.get("/{person_id}", response_model=models.Person, responses=_UNKNOWN)
async def get_person(services: FromServices, person_id: str) -> PersonRecord:
    """One person."""
    return await _find(services, person_id)


@router.put(
    "/{person_id}",
    response_model=models.Person,
    responses={HTTPStatus.CREATED: {"model": models.Person, "description": "It is a new one."}}
    | documented(HTTPStatus.CONFLICT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.SERVICE_UNAVAILABLE),
)
async def put_person(
    services: FromServices,
    response: Response,
    person_id: NewPersonId,
    wanted: WantedPerson,
    move: Annotated[
        Move | None,
        Query(
            description="What becomes of cards that are somebody else's. from_now: theirs for sessions that begin from "
            "now on. from_beginning: as if they had never been the other one's, where no final statement has a session "
            "of them. Without it such a card is a conflict."
        ),
    ] = None,
) -> PersonRecord:
    """Make a person or change one; what isn't given stays as it is."""
    given = wanted.model_fields_set
    name: str | Keep = KEEP
    if "name" in given:
        if wanted.name is None:
            raise invalid_payload([Mistake(location="body.name", message=Phrase("a person has a name"))])
        name = wanted.name
    changes = people.WantedPerson(
        name=name,
        note=wanted.note if "note" in given else KEEP,
        cards=(wanted.cards or ()) if "cards" in given else KEEP,
        price=Price(wanted.price_per_kwh, wanted.price_since) if "price_per_kwh" in given else KEEP,
    )
    if await services.writer.submit(people.put, services.clock.now(), person_id, changes, move):
        response.status_code = HTTPStatus.CREATED
    return await _find(services, person_id)


@router.delete(
    "/{person_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=_UNKNOWN | documented(HTTPStatus.SERVICE_UNAVAILABLE),
)
async def delete_person(services: FromServices, person_id: str) -> None:
    """Forget a person. Their sessions stay with the card, which stays stored as an id tag: it may still charge."""
    await services.writer.submit(people.delete, person_id)


@router.get("/{person_id}/statement", response_model=models.Statement, responses=AS_TABLE | _UNKNOWN)
async def get_statement(
    services: FromServices, tables: FromTables, person_id: str, query: Annotated[StatementQuery, Query()]
) -> Statement | Response:
    """What a person charged in a month.

    A statement is final a day after its month has ended: from then on it says the same. What becomes known later is a
    correction in the statement that is open then, so all statements together are what the books say.
    """
    month = Month.read(query.month)
    read = await read_statement(services.readers, person_id, month, query.timezone, services.clock.now())
    statement = found(read, no_person(person_id))
    if not tables.wants_csv(query):
        return statement

    async def steps() -> AsyncIterator[Iterable[Mapping[str, Value]]]:
        yield rows_of(statement)

    named = replace(tables, name=f"statement-{person_id}-{query.month}")
    return named.answer_csv(query, COLUMNS, steps(), readable=READABLE)


async def _find(services: ApiServices, person_id: str) -> PersonRecord:
    today = services.clock.now().astimezone().date()
    return found(await reads.find(services.readers, person_id, today), no_person(person_id))
