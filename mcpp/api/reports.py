"""`/reports`: energy and sessions, summed up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from mcpp.api.answers import as_json
from mcpp.api.problems import invalid_parameter
from mcpp.api.routes import Routes
from mcpp.api.services import FromServices
from mcpp.api.tables import AS_TABLE, FromTables
from mcpp.reads.csv_text import Value
from mcpp.reads.paging import FormatQuery
from mcpp.reads.people import read_prices
from mcpp.reads.reports import (
    READABLE,
    By,
    Period,
    TooManyLines,
    columns_of,
    energy_report,
    report_by_period,
    row_of,
)
from mcpp.reads.times import AFTER_ALL, BEFORE_ALL, DayOrTime
from mcpp.reads.zones import TimeZone

router = Routes(prefix="/reports", tags=["reports"])


class ReportQuery(FormatQuery):
    """What a report is about."""

    by: By = Field(By.CHARGER, description="Whose energy.")
    period: Period = Field(Period.MONTH, description="Over how long.")
    timezone: TimeZone | None = Field(None, description="Whose days these are; the server's own where none is given.")
    since: DayOrTime | None = Field(
        None, description="Only sessions that ended then or later: a time, or a day of the time zone."
    )
    until: DayOrTime | None = Field(
        None, description="Only sessions that ended before: a time, or a day of the time zone, which is left out."
    )
    amounts: bool = Field(False, description="Also what the sessions cost.")


class EnergyLine(BaseModel):
    """The sessions of one charge point, id tag or person that ended in a period."""

    period: str = Field(description="2026-03-29, 2026-03 or 2026.", examples=["2026-03"])
    charge_point_id: str | None = Field(None, description="With by=charger.")
    id_tag: str | None = Field(None, description="With by=id_tag: as the report's first session spells it.")
    person_id: str | None = Field(None, description="With by=person; empty for cards that were nobody's.")
    sessions: int = Field(description="Without those that are implausible.")
    energy_wh: int
    duration_seconds: int
    implausible_sessions: int = Field(
        description="Whose energy can't be true, and which nobody has corrected: in no sum."
    )
    amount: str | None = Field(
        None,
        description="With amounts=true: the sum of the sessions' amounts, each priced and rounded as in its holder's "
        "statement, and by the default price where it's nobody's; null where none has a price.",
        examples=["12.34"],
    )


class EnergyReport(BaseModel):
    """Energy and sessions by period, then by charge point, id tag or person."""

    items: list[EnergyLine]


@router.get("/energy", response_model=EnergyReport, responses=AS_TABLE)
async def get_energy_report(
    services: FromServices, tables: FromTables, query: Annotated[ReportQuery, Query()]
) -> Response:
    """Energy and sessions by charge point, id tag or person, and by day, month or year of a time zone.

    A session counts whole in the period that its stop lies in; one that still runs doesn't count. The sessions of a
    line are those of `/transactions` with `ended_since` and `ended_until`. At most 100,000 lines; CSV has no limit.
    """
    prices = await read_prices(services.readers) if query.amounts else None
    asked = query.by, query.period, query.timezone, query.since or BEFORE_ALL, query.until or AFTER_ALL, prices
    if tables.wants_csv(query):

        async def steps() -> AsyncIterator[Iterable[Mapping[str, Value]]]:
            async for lines in report_by_period(services.readers, *asked):
                yield [row_of(line, query.by, amounts=query.amounts) for line in lines]

        return tables.answer_csv(query, columns_of(query.by, amounts=query.amounts), steps(), readable=READABLE)
    try:
        lines = await energy_report(services.readers, *asked)
    except TooManyLines as error:
        raise invalid_parameter("query.period", f"{error}: ask for a longer one or a shorter span") from error
    items = [row_of(line, query.by, amounts=query.amounts) for line in lines]
    return as_json({"items": items}, headers={"Vary": "Accept"})
