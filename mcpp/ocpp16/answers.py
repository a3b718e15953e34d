"""What answers to our CALLs mean to the database (OCPP 1.6 §5)."""

from __future__ import annotations

from functools import partial
from typing import Final

from pydantic import BaseModel

from mcpp.csms.answers import Meaning, means
from mcpp.domain import configuration, connectors, local_list, reservations
from mcpp.ocpp16.certificates import certificate_signed
from mcpp_generated.db.enums import Availability
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

_AUTHORIZATION_KEY: Final = "authorizationkey"
"""The configuration key that holds the password of the basic authentication, in lower case (security whitepaper)."""


def new_password(request: BaseModel) -> str | None:
    """The password for its basic authentication that a CALL of ours gives a charge point (§5.3)."""
    if not isinstance(request, ChangeConfigurationRequest) or request.key.strip().casefold() != _AUTHORIZATION_KEY:
        return None
    return request.value


def _cancel_reservation(request: CancelReservationRequest, response: CancelReservationResponse) -> Meaning | None:
    """OCPP 1.6 §5.1."""
    if response.status is not CancelReservationStatus.ACCEPTED:
        return None
    return Meaning(partial(reservations.cancel, reservation_id=request.reservation_id))


def _change_availability(request: ChangeAvailabilityRequest, response: ChangeAvailabilityResponse) -> Meaning | None:
    """OCPP 1.6 §5.2: a scheduled change comes when the transaction ends."""
    if response.status is AvailabilityStatus.REJECTED:
        return None
    availability = Availability(request.type.value)
    return Meaning(partial(connectors.order_availability, connector_id=request.connector_id, availability=availability))


def _change_configuration(request: ChangeConfigurationRequest, response: ChangeConfigurationResponse) -> Meaning | None:
    """OCPP 1.6 §5.3: a change that needs a reboot is accepted too."""
    is_password = new_password(request) is not None
    if response.status not in {ConfigurationStatus.ACCEPTED, ConfigurationStatus.REBOOT_REQUIRED}:
        return Meaning(takes_password=False) if is_password else None
    change = partial(configuration.note_change, key=request.key, value=request.value)
    return Meaning(change, takes_password=True if is_password else None)


def _get_configuration(request: GetConfigurationRequest, response: GetConfigurationResponse) -> Meaning | None:
    """OCPP 1.6 §5.8."""
    known = [configuration.KnownKey(key.key, key.value, key.readonly) for key in response.configuration_key or ()]
    return Meaning(partial(configuration.note_keys, known=known, unknown=response.unknown_key or ()))


def _get_local_list_version(request: GetLocalListVersionRequest, response: GetLocalListVersionResponse) -> Meaning:
    """OCPP 1.6 §5.10."""
    return Meaning(partial(local_list.note_version, version=response.list_version))


def _reserve_now(request: ReserveNowRequest, response: ReserveNowResponse) -> Meaning | None:
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
    return Meaning(partial(reservations.record, reservation=reservation))


def _send_local_list(request: SendLocalListRequest, response: SendLocalListResponse) -> Meaning | None:
    """OCPP 1.6 §5.15."""
    if response.status is not UpdateStatus.ACCEPTED:
        return None
    return Meaning(partial(local_list.note_version, version=request.list_version))


ANSWERS: Final = dict(
    (
        means(actions.CANCEL_RESERVATION, _cancel_reservation),
        means(actions.CERTIFICATE_SIGNED, certificate_signed),
        means(actions.CHANGE_AVAILABILITY, _change_availability),
        means(actions.CHANGE_CONFIGURATION, _change_configuration),
        means(actions.GET_CONFIGURATION, _get_configuration),
        means(actions.GET_LOCAL_LIST_VERSION, _get_local_list_version),
        means(actions.RESERVE_NOW, _reserve_now),
        means(actions.SEND_LOCAL_LIST, _send_local_list),
    )
)
"""By action; what isn't there means nothing."""
