"""What answers to our CALLs mean to the database, typed by 2.1's models; each block has its own."""

from __future__ import annotations

from functools import partial
from typing import Final

from mcpp.csms.answers import AnyMeaning, Meaning, means
from mcpp.domain import connectors
from mcpp.domain.memory import CHARGE_POINT, NO_EVSE, WHOLE
from mcpp.ocpp2 import (
    certificates,
    device_model,
    diagnostics,
    displays,
    energy_resources,
    local_list_sync,
    monitoring,
    payments,
    reservations,
    smart_charging,
    streams,
)
from mcpp.ocpp2.passwords import new_password
from mcpp_generated.db.enums import Availability
from mcpp_generated.ocpp21 import actions
from mcpp_generated.ocpp21.models import (
    ChangeAvailabilityRequest,
    ChangeAvailabilityResponse,
    ChangeAvailabilityStatusEnumType,
    SetNetworkProfileRequest,
    SetNetworkProfileResponse,
    SetNetworkProfileStatusEnumType,
)


def _change_availability(request: ChangeAvailabilityRequest, response: ChangeAvailabilityResponse) -> Meaning | None:
    """G03, G04: a scheduled change comes when the transaction ends."""
    if response.status is ChangeAvailabilityStatusEnumType.REJECTED:
        return None
    evse = request.evse
    place = (NO_EVSE, CHARGE_POINT) if evse is None else (evse.id, evse.connector_id or WHOLE)
    order = partial(
        connectors.order_availability,
        evse_id=place[0],
        connector_id=place[1],
        availability=Availability(request.operational_status.value),
    )
    return Meaning(order)


def _set_network_profile(request: SetNetworkProfileRequest, response: SetNetworkProfileResponse) -> Meaning | None:
    """B09: its password is used once the charge point connects by it (2.1)."""
    if new_password(request) is None:
        return None
    return Meaning(takes_password=response.status is SetNetworkProfileStatusEnumType.ACCEPTED)


ANSWERS: Final[dict[str, AnyMeaning]] = {
    **certificates.ANSWERS,
    **device_model.ANSWERS,
    **diagnostics.ANSWERS,
    **displays.ANSWERS,
    **energy_resources.ANSWERS,
    **local_list_sync.ANSWERS,
    **monitoring.ANSWERS,
    **payments.ANSWERS,
    **reservations.ANSWERS,
    **smart_charging.ANSWERS,
    **streams.ANSWERS,
    **dict(
        (
            means(actions.CHANGE_AVAILABILITY, _change_availability),
            means(actions.SET_NETWORK_PROFILE, _set_network_profile),
        )
    ),
}
"""By action; what isn't there means nothing."""
