"""Commands and the books: what a payload leaves to the central system, and what an answer teaches."""

from __future__ import annotations

import json
from asyncio import Future
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, TypeAlias

from pydantic import BaseModel, JsonValue

from mcpp.csms.context import CallContext, Services
from mcpp.domain import charging_profiles, configuration, connectors, local_list, reservations
from mcpp.domain.charging_profiles import UnknownChargingProfile
from mcpp.domain.occasion import Occasion, Result
from mcpp.ocppj.actions import Action, Req, Res
from mcpp.ocppj.errors import InvalidPayload, Mistake
from mcpp.ocppj.flow import Flow
from mcpp_generated.db.enums import Availability
from mcpp_generated.db.queries import Queries
from mcpp_generated.ocpp16 import actions
from mcpp_generated.ocpp16.models import (
    AvailabilityStatus,
    CancelReservationRequest,
    CancelReservationResponse,
    CancelReservationStatus,
    ChangeAvailabilityRequest,
    ChangeAvailabilityResponse,
    ChangeConfigurationRequest,
    ChangeConfigurationResponse,
    ConfigurationStatus,
    GetConfigurationRequest,
    GetConfigurationResponse,
    GetLocalListVersionRequest,
    GetLocalListVersionResponse,
    ReservationStatus,
    ReserveNowRequest,
    ReserveNowResponse,
    SendLocalListRequest,
    SendLocalListResponse,
    UpdateStatus,
)

Lesson: TypeAlias = Callable[[Queries, Occasion], Result[None]]
"""What an answer means to the books."""

_PROFILE_FIELDS: Final = {
    actions.REMOTE_START_TRANSACTION.name: "chargingProfile",
    actions.SET_CHARGING_PROFILE.name: "csChargingProfiles",
}

_AUTHORIZATION_KEY: Final = "authorizationkey"
"""The configuration key that holds the password of the basic authentication, in lower case (security whitepaper)."""


async def prepare(services: Services, action: str, payload: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The payload with a stored charging profile in place of its name, and with a reservation id where it has none.

    Nothing else is rewritten: the same object where there is nothing to do. Raises InvalidPayload, WriteFailed.
    """
    if action == actions.RESERVE_NOW.name and "reservationId" not in payload:
        return {**payload, "reservationId": await services.writer.submit(reservations.allot_id)}
    field = _PROFILE_FIELDS.get(action)
    if field is None:
        return payload
    match payload.get(field):
        case {"$ref": str(name), **others} if not others:
            return {**payload, field: await _stored_profile(services, name, f"{field}.$ref")}
    return payload


async def _stored_profile(services: Services, name: str, location: str) -> JsonValue:
    try:
        profile: JsonValue = json.loads(await services.writer.submit(charging_profiles.resolve, name))
    except (UnknownChargingProfile, UnicodeEncodeError) as error:  # half a surrogate pair can't be in a stored name
        raise InvalidPayload([Mistake(location, str(error))]) from error
    return profile


def learn(services: Services, flow: Flow, request: BaseModel, response: BaseModel) -> Awaitable[None] | None:
    """Bring into the books what an answered CALL of ours means; None where it means nothing to them.

    It takes its place in the books at once, so that what the charge point sends next comes after it; the awaitable is
    through when it's committed. Raises WriterClosed, the awaitable WriteFailed.
    """
    teach = _LESSONS.get(flow.action)
    lesson = teach(request, response) if teach else None
    if lesson is None:
        return None
    stored = services.writer.submit(lesson, CallContext(services, flow).occasion())
    return _finish(services, flow, stored, _new_authorization_key(request))


async def _finish(services: Services, flow: Flow, stored: Future[Result[None]], password: str | None) -> None:
    if password is not None and services.on_authorization_key is not None:
        await services.on_authorization_key(flow.peer.key, password)
    try:
        outcome = await stored
    except OverflowError:
        # The contract sets no bounds to integers, the database does: such a number belongs to nothing in the books.
        return
    services.publish(outcome.events)


def _new_authorization_key(request: BaseModel) -> str | None:
    """The password that an accepted ChangeConfiguration gave to the charge point, if it did."""
    if isinstance(request, ChangeConfigurationRequest) and request.key.casefold() == _AUTHORIZATION_KEY:
        return request.value
    return None


def _cancel_reservation(request: CancelReservationRequest, response: CancelReservationResponse) -> Lesson | None:
    """OCPP 1.6 §5.1."""
    if response.status is not CancelReservationStatus.ACCEPTED:
        return None
    return partial(reservations.cancel, reservation_id=request.reservation_id)


def _change_availability(request: ChangeAvailabilityRequest, response: ChangeAvailabilityResponse) -> Lesson | None:
    """OCPP 1.6 §5.2: a scheduled change comes when the transaction ends."""
    if response.status is AvailabilityStatus.REJECTED:
        return None
    availability = Availability(request.type.value)
    return partial(connectors.order_availability, connector_id=request.connector_id, availability=availability)


def _change_configuration(request: ChangeConfigurationRequest, response: ChangeConfigurationResponse) -> Lesson | None:
    """OCPP 1.6 §5.3: a change that needs a reboot is accepted too."""
    if response.status not in {ConfigurationStatus.ACCEPTED, ConfigurationStatus.REBOOT_REQUIRED}:
        return None
    return partial(configuration.note_change, key=request.key, value=request.value)


def _get_configuration(request: GetConfigurationRequest, response: GetConfigurationResponse) -> Lesson | None:
    """OCPP 1.6 §5.8."""
    known = [configuration.KnownKey(key.key, key.value, key.readonly) for key in response.configuration_key or ()]
    return partial(configuration.note_keys, known=known, unknown=response.unknown_key or ())


def _get_local_list_version(request: GetLocalListVersionRequest, response: GetLocalListVersionResponse) -> Lesson:
    """OCPP 1.6 §5.10."""
    return partial(local_list.note_version, version=response.list_version)


def _reserve_now(request: ReserveNowRequest, response: ReserveNowResponse) -> Lesson | None:
    """OCPP 1.6 §5.13."""
    if response.status is not ReservationStatus.ACCEPTED:
        return None
    reservation = reservations.Reserve(
        reservation_id=request.reservation_id,
        connector_id=request.connector_id,
        id_tag=request.id_tag,
        parent_id_tag=request.parent_id_tag,
        expiry_date=request.expiry_date,
    )
    return partial(reservations.book, reservation=reservation)


def _send_local_list(request: SendLocalListRequest, response: SendLocalListResponse) -> Lesson | None:
    """OCPP 1.6 §5.15."""
    if response.status is not UpdateStatus.ACCEPTED:
        return None
    return partial(local_list.note_version, version=request.list_version)


def _typed(
    action: Action[Req, Res], teach: Callable[[Req, Res], Lesson | None]
) -> tuple[str, Callable[[BaseModel, BaseModel], Lesson | None]]:
    """One row of the table, its types wrapped up."""

    def teach_any(request: BaseModel, response: BaseModel) -> Lesson | None:
        assert isinstance(request, action.request)
        assert isinstance(response, action.response)
        return teach(request, response)

    return action.name, teach_any


_LESSONS: Final = dict(
    (
        _typed(actions.CANCEL_RESERVATION, _cancel_reservation),
        _typed(actions.CHANGE_AVAILABILITY, _change_availability),
        _typed(actions.CHANGE_CONFIGURATION, _change_configuration),
        _typed(actions.GET_CONFIGURATION, _get_configuration),
        _typed(actions.GET_LOCAL_LIST_VERSION, _get_local_list_version),
        _typed(actions.RESERVE_NOW, _reserve_now),
        _typed(actions.SEND_LOCAL_LIST, _send_local_list),
    )
)
