"""`/connections/refused` and `/connect`: which chargers don't get in, and what to type into one."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from mcpp.api.models import Page as PageModel
from mcpp.api.routes import Routes
from mcpp.api.services import FromServices
from mcpp.api.tables import AS_TABLE, FromTables
from mcpp.csms.outcomes import ConnectionOutcome
from mcpp.csms.refused import RefusedConnection
from mcpp.reads import refused
from mcpp.reads.connect import ConnectInfo
from mcpp.reads.paging import Page, PageQuery
from mcpp.reads.times import Time

router = Routes(tags=["connections"])


class Refused(BaseModel):
    """Refused connections from one address, by one path, with one outcome."""

    remote_address: str = Field(examples=["192.168.1.57"])
    path: str = Field(
        description="That it came by, without query and secrets; empty where none was read.", examples=["/ws/"]
    )
    charge_point_id: str | None = Field(description="What the last one called itself, known or not.")
    outcome: ConnectionOutcome = Field(description="As `mcpp_connections_total` counts it.")
    why: str = Field(description="Of the last one.")
    remedy: str = Field(
        description="What to do about it.", examples=["type the URL ws://192.168.1.10:9000/ocpp/ into the charger"]
    )
    count: int = Field(description="How often, since it is in the list.", ge=1)
    first_at: Time
    last_at: Time


class RefusedPage(PageModel[Refused]):
    """Those that were refused last first."""


class Connect(BaseModel):
    """What to type into a charger, as it holds now."""

    url: str = Field(
        description="The likeliest one. The charger appends its identity; where it doesn't, type it behind the slash.",
        examples=["ws://192.168.1.10:9000/ocpp/"],
    )
    urls: list[str] = Field(description="All that may do, `url` first.")
    only_this_machine: bool = Field(description="The listener is on loopback: no charger elsewhere reaches it.")
    any_path: bool = Field(description="Any other path whose last segment is the identity does as well.")
    encrypted: bool = Field(description="By TLS.")
    security_profile: int = Field(description="The least that chargers must use.", ge=0, le=3)
    password_needed: bool = Field(description="Every charger must send a password: store it first.")
    certificate_needed: bool = Field(description="Every charger must have a certificate of its own.")
    must_be_registered: bool = Field(description="An unknown charger is refused: register it first.")


@router.get("/connections/refused", response_model=RefusedPage, responses=AS_TABLE)
async def list_refused_connections(
    services: FromServices, tables: FromTables, query: Annotated[PageQuery, Query()]
) -> Page[RefusedConnection] | Response:
    """The last 100 kinds of refused connections since the server started, the newest first, with the remedy.

    A charger that tries again and again is one of them.
    """

    async def read(wanted: PageQuery) -> Page[RefusedConnection]:
        return refused.list_page(services.refused, wanted)

    return await tables.answer_page(query, RefusedPage, read)


@router.get("/connect", response_model=Connect)
async def get_connect(services: FromServices) -> ConnectInfo:
    """What to type into a charger: the URL with this machine's address."""
    return services.connect_info()
