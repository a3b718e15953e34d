"""`/charge-points/{id}/frames`: what a charger and the server said last, as it was sent."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from mcpp.api.models import Page as PageModel
from mcpp.api.problems import documented, not_found
from mcpp.api.services import FromServices
from mcpp.bounds import FRAMES
from mcpp.domain.errors import no_charge_point
from mcpp.reads.frames import FrameDirection, ShownFrame, list_frames
from mcpp.reads.paging import Page
from mcpp.reads.times import Time

router = APIRouter(tags=["charge points"])


class Frame(BaseModel):
    """A frame of OCPP-J."""

    at: Time
    direction: FrameDirection = Field(description="in: from the charger; out: to it.")
    text: str = Field(
        description="As it was sent, secrets masked.", examples=['[2,"17","Heartbeat",{}]', '[2,"18","Authorize",{…']
    )
    size_bytes: int
    cut: bool = Field(description="The text is only its beginning.")


class FramePage(PageModel[Frame]):
    """The newest last; `next_cursor` is always null."""


@router.get(
    "/charge-points/{id}/frames",
    response_model=FramePage,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def list_frames_of_charge_point(
    services: FromServices,
    id: str,  # noqa: A002  the interface's name
    limit: Annotated[int, Query(ge=1, le=1000, description="The newest so many.")] = FRAMES,
) -> Page[ShownFrame]:
    """The last frames of a charge point in either direction, since the server started; 100 at most, the newest last."""
    if not await services.charge_points.is_known(id):
        raise not_found(no_charge_point(id))
    return Page(list_frames(services.frames, id, limit, services.clock.at), None)
