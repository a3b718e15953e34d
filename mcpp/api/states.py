"""`/charge-points/{id}/states`: how a charge point's connectors stood over time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from mcpp.api.answers import as_json
from mcpp.api.models import EvseId
from mcpp.api.problems import documented, found, invalid_parameter
from mcpp.api.routes import Routes
from mcpp.api.services import FromServices
from mcpp.api.tables import AS_TABLE, FromTables
from mcpp.domain.errors import no_charge_point
from mcpp.domain.memory import NO_EVSE
from mcpp.reads.csv_text import Value
from mcpp.reads.paging import FormatQuery
from mcpp.reads.shown_state import ShownState
from mcpp.reads.state_history import (
    FEWEST_STRETCHES,
    LONGEST,
    MOST_STRETCHES,
    STRETCHES,
    ConnectorHistory,
    StateHistory,
    read_state_history,
)
from mcpp.reads.times import Time, ZonedTime

router = Routes(prefix="/charge-points", tags=["charge points"], responses=documented(HTTPStatus.NOT_FOUND))

DEFAULT_SPAN: Final = timedelta(days=7)

_SECOND: Final = timedelta(seconds=1)


class StatesQuery(FormatQuery):
    """Over which time."""

    since: ZonedTime | None = Field(None, description="7 days before `until` where it isn't given.")
    until: ZonedTime | None = Field(None, description="Now where it isn't given or later than that.")
    stretches: int = Field(
        STRETCHES, ge=FEWEST_STRETCHES, le=MOST_STRETCHES, description="Most stretches of a connector."
    )


class Stretch(BaseModel):
    """A span of time in one state."""

    since: Time
    until: Time
    state: ShownState | None = Field(
        description="As in the summary; null: the server didn't run, or nothing is kept of that time."
    )


class ConnectorStates(BaseModel):
    """How a connector stood over time."""

    connector_id: int = Field(description="0: the charger as a whole, where it has told of no connector.")
    evse_id: EvseId = Field(description="null where the OCPP version knows connectors only (1.6).")
    seconds: dict[ShownState, float] = Field(description="How long it was in each state; exact, whatever the slots.")
    unknown_seconds: float = Field(description="For how long nothing is known.")
    slot_seconds: float | None = Field(
        description="null where every stretch is exact. Where there are more of them than was asked for, they are made "
        "of slots of this length, each in the state that lasted longest in it."
    )
    stretches: list[Stretch] = Field(description="In the order of time, without a gap.")


class States(BaseModel):
    """How a charge point's connectors stood over time."""

    charge_point_id: str
    since: Time
    until: Time
    connectors: list[ConnectorStates]


_COLUMNS: Final = ["connector_id", "evse_id", *Stretch.model_fields]


@router.get("/{id}/states", response_model=States, responses=AS_TABLE)
async def get_states(
    services: FromServices,
    tables: FromTables,
    id: str,  # noqa: A002  the interface's name
    query: Annotated[StatesQuery, Query()],
) -> Response:
    """How each connector stood over time: charging, free, faulted, offline, … CSV has the stretches.

    A state is what the summary would have said at that time. Kept are the last 1,000 changes of each connector's status
    and the last 1,000 connections.
    """
    now = services.clock.now()
    until = min(query.until or now, now)
    since = query.since or until - DEFAULT_SPAN
    if not until - LONGEST <= since < until:
        raise invalid_parameter("query.since", f"should lie before `until`, by {LONGEST.days} days at most")
    history = found(await read_state_history(services.readers, id, since, until, query.stretches), no_charge_point(id))
    if tables.wants_csv(query):

        async def steps() -> AsyncIterator[Iterable[Mapping[str, Value]]]:
            for connector in history.connectors:
                yield _rows(connector)

        return tables.answer_csv(query, _COLUMNS, steps())
    return as_json(_shown(history).model_dump(mode="json"), headers={"Vary": "Accept"})


def _shown(history: StateHistory) -> States:
    return States(
        charge_point_id=history.charge_point_id,
        since=history.since,
        until=history.until,
        connectors=[
            ConnectorStates(
                connector_id=one.connector_id,
                evse_id=one.evse_id,
                seconds={state: length / _SECOND for state, length in one.durations.items() if state is not None},
                unknown_seconds=one.durations.get(None, timedelta()) / _SECOND,
                slot_seconds=None if one.slot is None else one.slot / _SECOND,
                stretches=[Stretch(since=it.since, until=it.until, state=it.state) for it in one.stretches],
            )
            for one in history.connectors
        ],
    )


def _rows(connector: ConnectorHistory) -> Iterator[Mapping[str, Value]]:
    for it in connector.stretches:
        yield {
            "connector_id": connector.connector_id,
            "evse_id": None if connector.evse_id == NO_EVSE else connector.evse_id,
            "since": it.since,
            "until": it.until,
            "state": it.state,
        }
