"""Smart charging (OCPP 2.0.1 part 2, block K): what charge points tell of profiles, limits and needs.

None of it is acted on: it is kept and shown. A dynamic profile (2.1) has the limits that it was last sent.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final, TypeVar

from mcpp.csms.answers import AnyMeaning, Meaning, means
from mcpp.csms.calls import CallContext, CallRouter
from mcpp.domain import device_events, device_reports
from mcpp.domain.device_events import DeviceEvent
from mcpp.domain.device_reports import ReportChunk
from mcpp.ocpp2.keeping import keep
from mcpp.ocpp2.naming import content_of
from mcpp.ocppj.actions import decode
from mcpp.storage.pending import Pending
from mcpp_generated.db.enums import DeviceEventKind, DeviceReportKind
from mcpp_generated.ocpp21 import actions
from mcpp_generated.ocpp21.models import (
    ChargingProfileKindEnumType,
    ChargingProfileStatusEnumType,
    ChargingScheduleUpdateType,
    ClearChargingProfileRequest,
    ClearChargingProfileResponse,
    ClearChargingProfileStatusEnumType,
    ClearedChargingLimitRequest,
    ClearedChargingLimitResponse,
    GenericStatusEnumType,
    GetChargingProfilesRequest,
    GetChargingProfilesResponse,
    GetChargingProfileStatusEnumType,
    NotifyChargingLimitRequest,
    NotifyChargingLimitResponse,
    NotifyEVChargingNeedsRequest,
    NotifyEVChargingNeedsResponse,
    NotifyEVChargingNeedsStatusEnumType,
    NotifyEVChargingScheduleRequest,
    NotifyEVChargingScheduleResponse,
    NotifyPriorityChargingRequest,
    NotifyPriorityChargingResponse,
    PullDynamicScheduleUpdateRequest,
    PullDynamicScheduleUpdateResponse,
    ReportChargingProfilesRequest,
    ReportChargingProfilesResponse,
    SetChargingProfileRequest,
    SetChargingProfileResponse,
    UpdateDynamicScheduleRequest,
    UpdateDynamicScheduleResponse,
)

R = TypeVar("R")

_PROFILES: Final = DeviceReportKind.CHARGING_PROFILES
_DYNAMIC: Final = DeviceReportKind.DYNAMIC_SCHEDULES


def register(router: CallRouter) -> None:
    """Route the block's CALLs to their handlers."""
    router.add(actions.CLEARED_CHARGING_LIMIT, cleared_charging_limit)
    router.add(actions.NOTIFY_CHARGING_LIMIT, notify_charging_limit)
    router.add(actions.NOTIFY_EV_CHARGING_NEEDS, notify_ev_charging_needs)
    router.add(actions.NOTIFY_EV_CHARGING_SCHEDULE, notify_ev_charging_schedule)
    router.add(actions.NOTIFY_PRIORITY_CHARGING, notify_priority_charging)
    router.add(actions.PULL_DYNAMIC_SCHEDULE_UPDATE, pull_dynamic_schedule_update)
    router.add(actions.REPORT_CHARGING_PROFILES, report_charging_profiles)


def report_charging_profiles(
    context: CallContext, request: ReportChargingProfilesRequest
) -> Pending[ReportChargingProfilesResponse]:
    """K09: a part of the profiles that a charge point has; each stands with its EVSE and who limits by it."""
    beside = {"evseId": request.evse_id, "chargingLimitSource": request.charging_limit_source}
    profiles = [{**beside, "chargingProfile": content_of(profile)} for profile in request.charging_profile]
    chunk = ReportChunk(
        kind=_PROFILES,
        request_id=request.request_id,
        is_last=not request.tbc,
        content={"chargingProfiles": profiles},
    )
    return keep(context, ReportChargingProfilesResponse(), device_reports.note_report_chunk, chunk)


def notify_charging_limit(
    context: CallContext, request: NotifyChargingLimitRequest
) -> Pending[NotifyChargingLimitResponse]:
    """K11, K12: somebody else limits an EVSE, or the charge point as a whole."""
    event = DeviceEvent(
        subject=_limit(request.charging_limit.charging_limit_source, request.evse_id),
        kind=DeviceEventKind.CHARGING_LIMIT,
        details=content_of(request),
    )
    return _keep(context, event, NotifyChargingLimitResponse())


def cleared_charging_limit(
    context: CallContext, request: ClearedChargingLimitRequest
) -> Pending[ClearedChargingLimitResponse]:
    """K13: that limit is no more."""
    event = DeviceEvent(
        subject=_limit(request.charging_limit_source, request.evse_id),
        kind=DeviceEventKind.CHARGING_LIMIT,
        cleared=True,
        details=content_of(request),
    )
    return _keep(context, event, ClearedChargingLimitResponse())


def _limit(source: str, evse_id: int | None) -> str:
    return f"limit by {source} of {_place(evse_id)}"


def notify_ev_charging_needs(
    context: CallContext, request: NotifyEVChargingNeedsRequest
) -> Pending[NotifyEVChargingNeedsResponse]:
    """K15, K17: nothing here makes a schedule for a vehicle, so that it charges by the profiles that there are."""
    event = DeviceEvent(
        subject=f"charging needs at {_place(request.evse_id)}",
        kind=DeviceEventKind.CHARGING_NEEDS,
        occurred_at=request.timestamp,
        details=content_of(request),
    )
    answer = NotifyEVChargingNeedsResponse(status=NotifyEVChargingNeedsStatusEnumType.REJECTED)
    return _keep(context, event, answer)


def notify_ev_charging_schedule(
    context: CallContext, request: NotifyEVChargingScheduleRequest
) -> Pending[NotifyEVChargingScheduleResponse]:
    """K15.FR.19: the schedule that a vehicle will follow."""
    event = DeviceEvent(
        subject=f"charging schedule at {_place(request.evse_id)}",
        kind=DeviceEventKind.CHARGING_SCHEDULE,
        details=content_of(request),
    )
    return _keep(context, event, NotifyEVChargingScheduleResponse(status=GenericStatusEnumType.ACCEPTED))


def notify_priority_charging(
    context: CallContext, request: NotifyPriorityChargingRequest
) -> Pending[NotifyPriorityChargingResponse]:
    """K22 of 2.1: priority charging of a transaction began or ended at the charge point."""
    event = DeviceEvent(
        subject="priority charging",
        kind=DeviceEventKind.PRIORITY_CHARGING,
        value="true" if request.activated else "false",
        cleared=not request.activated,
        ocpp_transaction_id=request.transaction_id,
        details=content_of(request),
    )
    return _keep(context, event, NotifyPriorityChargingResponse())


def pull_dynamic_schedule_update(
    context: CallContext, request: PullDynamicScheduleUpdateRequest
) -> Pending[PullDynamicScheduleUpdateResponse]:
    """K28 of 2.1: the limits that the profile was last sent; none where it was sent none."""

    def answer(content: str | None) -> PullDynamicScheduleUpdateResponse:
        if content is None:
            return PullDynamicScheduleUpdateResponse(status=ChargingProfileStatusEnumType.REJECTED)
        update = decode(ChargingScheduleUpdateType, content.encode())
        return PullDynamicScheduleUpdateResponse(status=ChargingProfileStatusEnumType.ACCEPTED, schedule_update=update)

    return context.read(device_reports.find_snapshot, context.key, _DYNAMIC, request.charging_profile_id).then(answer)


def _keep(context: CallContext, event: DeviceEvent, answer: R) -> Pending[R]:
    return keep(context, answer, device_events.note_events, (event,))


def _place(evse_id: int | None) -> str:
    return f"EVSE {evse_id}" if evse_id else "the charge point"


def _get_charging_profiles(
    request: GetChargingProfilesRequest, response: GetChargingProfilesResponse
) -> Meaning | None:
    """K09."""
    if response.status is not GetChargingProfileStatusEnumType.ACCEPTED:
        return None
    return Meaning(partial(device_reports.note_report_request, kind=_PROFILES, request_id=request.request_id))


def _set_charging_profile(request: SetChargingProfileRequest, response: SetChargingProfileResponse) -> Meaning | None:
    """K28 of 2.1: a dynamic profile begins with the limits of its only period."""
    profile = request.charging_profile
    is_dynamic = profile.charging_profile_kind is ChargingProfileKindEnumType.DYNAMIC
    if response.status is not ChargingProfileStatusEnumType.ACCEPTED or not is_dynamic:
        return None
    (period, *_) = profile.charging_schedule[0].charging_schedule_period
    told = content_of(period)
    limits = {name: told[name] for name in _UPDATE_MEMBERS if name in told}
    return Meaning(partial(device_reports.note_snapshot, chunk=_dynamic(profile.id, limits)))


def _clear_charging_profile(
    request: ClearChargingProfileRequest, response: ClearChargingProfileResponse
) -> Meaning | None:
    """K10: by criteria it may be any, so that only one that is named is known to be gone."""
    profile_id = request.charging_profile_id
    if response.status is not ClearChargingProfileStatusEnumType.ACCEPTED or profile_id is None:
        return None
    return Meaning(partial(device_reports.forget_snapshot, kind=_DYNAMIC, request_id=profile_id))


def _update_dynamic_schedule(
    request: UpdateDynamicScheduleRequest, response: UpdateDynamicScheduleResponse
) -> Meaning | None:
    """K28 of 2.1."""
    if response.status is not ChargingProfileStatusEnumType.ACCEPTED:
        return None
    limits = content_of(request.schedule_update)
    return Meaning(partial(device_reports.note_merged_snapshot, chunk=_dynamic(request.charging_profile_id, limits)))


_UPDATE_MEMBERS: Final = frozenset(
    field.alias or name for name, field in ChargingScheduleUpdateType.model_fields.items()
)


def _dynamic(profile_id: int, limits: dict[str, Any]) -> ReportChunk:
    return ReportChunk(kind=_DYNAMIC, request_id=profile_id, content=limits)


ANSWERS: Final[dict[str, AnyMeaning]] = dict(
    (
        means(actions.CLEAR_CHARGING_PROFILE, _clear_charging_profile),
        means(actions.GET_CHARGING_PROFILES, _get_charging_profiles),
        means(actions.SET_CHARGING_PROFILE, _set_charging_profile),
        means(actions.UPDATE_DYNAMIC_SCHEDULE, _update_dynamic_schedule),
    )
)
