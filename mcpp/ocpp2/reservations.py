"""Reservations (OCPP 2.0.1 part 2, block H)."""

from __future__ import annotations

from functools import partial
from typing import Final

from mcpp.csms.answers import AnyMeaning, Meaning, means
from mcpp.csms.calls import CallContext, CallRouter
from mcpp.domain import reservations
from mcpp.domain.memory import NO_EVSE, WHOLE
from mcpp.storage.pending import Pending
from mcpp_generated.db.enums import ReservationState
from mcpp_generated.ocpp21 import actions
from mcpp_generated.ocpp21.models import (
    CancelReservationRequest,
    CancelReservationResponse,
    CancelReservationStatusEnumType,
    ReservationStatusUpdateRequest,
    ReservationStatusUpdateResponse,
    ReservationUpdateStatusEnumType,
    ReserveNowRequest,
    ReserveNowResponse,
    ReserveNowStatusEnumType,
)

_ENDED: Final = {
    ReservationUpdateStatusEnumType.EXPIRED: ReservationState.EXPIRED,
    ReservationUpdateStatusEnumType.REMOVED: ReservationState.CANCELLED,
    ReservationUpdateStatusEnumType.NO_TRANSACTION: ReservationState.EXPIRED,
}


def register(router: CallRouter) -> None:
    """Route the block's CALLs to their handlers."""
    router.add(actions.RESERVATION_STATUS_UPDATE, reservation_status_update)


def reservation_status_update(
    context: CallContext, request: ReservationStatusUpdateRequest
) -> Pending[ReservationStatusUpdateResponse]:
    """H04, H01: a reservation is over without having been used."""
    ended = _ENDED[request.reservation_update_status]
    return context.write(reservations.end, request.reservation_id, ended).then(
        lambda _: ReservationStatusUpdateResponse()
    )


def _reserve_now(request: ReserveNowRequest, response: ReserveNowResponse) -> Meaning | None:
    """H01: of an EVSE as a whole, or of any where none is named."""
    if response.status is not ReserveNowStatusEnumType.ACCEPTED:
        return None
    group = request.group_id_token
    reservation = reservations.Reserve(
        reservation_id=request.id,
        connector_id=WHOLE,
        id_tag=request.id_token.id_token,
        parent_id_tag=None if group is None else group.id_token,
        expiry_date=request.expiry_date_time,
        evse_id=request.evse_id or NO_EVSE,
    )
    return Meaning(partial(reservations.record, reservation=reservation))


def _cancel_reservation(request: CancelReservationRequest, response: CancelReservationResponse) -> Meaning | None:
    """H02."""
    if response.status is not CancelReservationStatusEnumType.ACCEPTED:
        return None
    return Meaning(partial(reservations.cancel, reservation_id=request.reservation_id))


ANSWERS: Final[dict[str, AnyMeaning]] = dict(
    (means(actions.CANCEL_RESERVATION, _cancel_reservation), means(actions.RESERVE_NOW, _reserve_now))
)
