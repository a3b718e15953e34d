"""`/charge-points/{id}/learn-card`: the next unknown card that is presented there is offered for a name."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from mcpp.api.people_models import CardLearning
from mcpp.api.problems import documented, not_found
from mcpp.api.routes import Routes
from mcpp.api.services import ApiServices, FromServices
from mcpp.csms.learning import Learning
from mcpp.domain.errors import no_charge_point
from mcpp.ocppj.errors import NotConnected

router = Routes(prefix="/charge-points/{id}/learn-card", tags=["people"], responses=documented(HTTPStatus.BAD_REQUEST))

_UNKNOWN: Final = documented(HTTPStatus.NOT_FOUND)


@router.post("", response_model=CardLearning, responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT))
async def learn_card(services: FromServices, id: str) -> Learning:  # noqa: A002
    """Wait 60 seconds for an unknown card. It gets no start there meanwhile, and the event `card_learnt` tells of it.

    Unknown is a card that is no stored id tag; give it a name with `PUT /people/{person_id}`, which stores it. Known
    cards charge as ever. Said again, it waits anew.
    """
    await _check(services, id)
    if not services.live.connected(id):
        raise NotConnected(id)
    return services.learning.begin(id)


@router.get("", response_model=CardLearning, responses=_UNKNOWN)
async def get_learning(services: FromServices, id: str) -> Learning:  # noqa: A002
    """How far the charge point is with learning a card."""
    await _check(services, id)
    return services.learning.state_of(id)


@router.delete("", status_code=HTTPStatus.NO_CONTENT, responses=_UNKNOWN)
async def end_learning(services: FromServices, id: str) -> None:  # noqa: A002
    """Wait no more; the learnt card is as any other."""
    await _check(services, id)
    services.learning.end(id)


async def _check(services: ApiServices, charge_point_id: str) -> None:
    if await services.charge_points.find(charge_point_id) is None:
        raise not_found(no_charge_point(charge_point_id))
