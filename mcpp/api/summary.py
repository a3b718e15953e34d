"""`/summary`: how many, how much, and what needs a person."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from mcpp.api import summary_models
from mcpp.api.routes import Routes
from mcpp.api.services import FromServices
from mcpp.reads.summary import Summary
from mcpp.reads.zones import TimeZone

router = Routes(tags=["summary"])


@router.get("/summary", response_model=summary_models.Summary)
async def get_summary(
    services: FromServices,
    timezone: Annotated[
        TimeZone | None, Query(description="Whose days these are, such as Europe/Berlin; else the server's.")
    ] = None,
) -> Summary:
    """The whole at a glance: counts by state, power now, energy today and this month, and what needs a person."""
    return await services.summary(timezone)
