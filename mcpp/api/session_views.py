"""A transaction's session over time: its curve of power and energy, and its story."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, Field, JsonValue
from starlette.responses import Response

from mcpp.api import models
from mcpp.api.answers import as_json
from mcpp.api.bodies import RowKey
from mcpp.api.problems import documented, found
from mcpp.api.routes import Routes
from mcpp.api.services import FromServices
from mcpp.api.tables import AS_TABLE, FromTables
from mcpp.domain.errors import no_transaction
from mcpp.reads.csv_text import Value
from mcpp.reads.curves import FEWEST_POINTS, MOST_POINTS, POINTS, PowerSource, read_curve
from mcpp.reads.paging import FormatQuery
from mcpp.reads.times import Time

router = Routes(prefix="/transactions", tags=["transactions"], responses=documented(HTTPStatus.NOT_FOUND))


class CurveQuery(FormatQuery):
    """How fine a curve is."""

    points: int = Field(POINTS, ge=FEWEST_POINTS, le=MOST_POINTS, description="Most buckets.")


class Bucket(BaseModel):
    """What was measured in a part of a session."""

    start: Time
    least_w: float | None = Field(description="W, of the whole connector.")
    greatest_w: float | None
    mean_w: float | None
    energy_wh: int | None = Field(description="What the session had taken by the end of this part; null: not said.")


class Curve(BaseModel):
    """Power and energy of a session over time."""

    transaction_id: int
    since: Time
    until: Time = Field(description="The end; while it runs, the newest reading.")
    bucket_seconds: float
    power_source: PowerSource | None = Field(
        description="measured: by the charger, or by its voltage and current; derived: it never says it, so it is the "
        "average between two readings of its energy; null: nothing is known."
    )
    every_reading: bool = Field(
        description="Whether the buckets are of every reading. Of a session with more than 3,000 they are of the last "
        "reading in each of 3,000 equal parts; energy that is told by intervals alone is null then."
    )
    every_peak: bool = Field(
        description="Whether `least_w` and `greatest_w` are of every reading. Not where there are more than 50,000 "
        "of them, or more than 3,000 that say the power in parts, such as by phase."
    )
    buckets: list[Bucket] = Field(
        description="In the order of time, without those in which nothing was measured: one holds until the next."
    )


class StoryEntry(BaseModel):
    """Something that happened."""

    kind: str = Field(
        description="booked, meter or gap; message, command, connection or event where the log tells of it.",
        examples=["booked"],
    )
    at: Time
    until: Time | None = Field(None, description="The end of what took a while.")
    source: str = Field(description="charger, server, operator or plugin.", examples=["charger"])
    what: str = Field(description="In words.", examples=["transaction 7 begins at 1.000 kWh for TAG"])
    correlation_id: str | None = Field(None, description="Of the flow that it belongs to, in the log.")
    duration_ms: float | None = None
    facts: dict[str, Any] | None = Field(None, description="The same for scripts.")


class StorySubject(models.Transaction):
    """The transaction, with who ended it."""

    kind: str = Field(examples=["transaction"])
    ended_by: str | None = Field(description="charger, server, operator, plugin or command; null while it runs.")
    ended_how: str | None = Field(description="The same in words.")


class Story(BaseModel):
    """What happened in a session."""

    subject: StorySubject
    entries: list[StoryEntry] = Field(description="In order.")
    shortfalls: list[str] = Field(
        description="What it lacks: `no_meter_values`; `meter_values_left_out` where there are too many to tell of "
        "each; of the log `session_not_logged`, `log_begins_late`, `log_ends_early`, and `log_left_out` where it has "
        "too many lines of the session"
    )


@router.get("/{transaction_id}/curve", response_model=Curve, responses=AS_TABLE)
async def get_curve(
    services: FromServices, tables: FromTables, transaction_id: RowKey, query: Annotated[CurveQuery, Query()]
) -> Response:
    """Power and energy over time, the least and the greatest power of each bucket. CSV has the buckets."""
    curve = found(await read_curve(services.readers, transaction_id, query.points), no_transaction(transaction_id))
    rows = [asdict(bucket) for bucket in curve.buckets]
    if tables.wants_csv(query):

        async def steps() -> AsyncIterator[Iterable[Mapping[str, Value]]]:
            yield rows

        return tables.answer_csv(query, list(Bucket.model_fields), steps())
    shown = Curve.model_validate(curve, from_attributes=True)
    return as_json(shown.model_dump(mode="json"), headers={"Vary": "Accept"})


@router.get("/{transaction_id}/story", response_model=Story)
async def get_story(services: FromServices, transaction_id: RowKey) -> Response:
    """What happened in the session, as `mcpp trace` tells it: by the database, and by the log where there is a file."""
    told = await services.tell_story(transaction_id, with_log=True)
    story: Mapping[str, JsonValue] = found(told, no_transaction(transaction_id))
    return as_json(story)
