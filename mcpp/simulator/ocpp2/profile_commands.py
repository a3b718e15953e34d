"""What a virtual charging station answers about charging profiles (OCPP 2.0.1 part 2, K)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from mcpp.simulator.ocpp2.desk import Then
from mcpp.simulator.ocpp2.station import Station
from mcpp_generated.ocpp21 import actions
from mcpp_generated.ocpp21.models import (
    ChargingProfilePurposeEnumType,
    ChargingProfileStatusEnumType,
    ChargingProfileType,
    ChargingRateUnitEnumType,
    ChargingSchedulePeriodType,
    ClearChargingProfileRequest,
    ClearChargingProfileResponse,
    ClearChargingProfileStatusEnumType,
    CompositeScheduleType,
    GenericStatusEnumType,
    GetChargingProfilesRequest,
    GetChargingProfilesResponse,
    GetChargingProfileStatusEnumType,
    GetCompositeScheduleRequest,
    GetCompositeScheduleResponse,
    ReportChargingProfilesRequest,
    SetChargingProfileRequest,
    SetChargingProfileResponse,
)

_MOST_AMPERES = Decimal(16)
_VOLTS, _PHASES = 230, 3
_CENTRAL_SYSTEM = "CSO"
"""Whose limit it is (ChargingLimitSourceEnumType)."""


class ProfileCommands:
    """Answers for one station, which keeps profiles and reports them, and charges as it likes."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._profiles: dict[int, tuple[int, ChargingProfileType]] = {}
        """EVSE and profile by the profile's id."""
        desk = station.desk
        desk.add(actions.SET_CHARGING_PROFILE, self.set)
        desk.add(actions.CLEAR_CHARGING_PROFILE, self.clear)
        desk.add(actions.GET_CHARGING_PROFILES, self.get)
        desk.add(actions.GET_COMPOSITE_SCHEDULE, self.composite)

    def set(self, request: SetChargingProfileRequest) -> SetChargingProfileResponse:
        """K01: one of a transaction needs that it runs."""
        profile, evse = request.charging_profile, self._station.evses.get(request.evse_id)
        is_known = evse is not None or request.evse_id == 0
        if profile.charging_profile_purpose is ChargingProfilePurposeEnumType.TX_PROFILE:
            running = None if evse is None else evse.transaction
            is_known = running is not None and profile.transaction_id in (None, running.id)
        if not is_known:
            return SetChargingProfileResponse(status=ChargingProfileStatusEnumType.REJECTED)
        self._profiles[profile.id] = request.evse_id, profile
        return SetChargingProfileResponse(status=ChargingProfileStatusEnumType.ACCEPTED)

    def clear(self, request: ClearChargingProfileRequest) -> ClearChargingProfileResponse:
        """K10."""
        wanted = request.charging_profile_criteria

        def matches(evse_id: int, profile: ChargingProfileType) -> bool:
            if request.charging_profile_id is not None:
                return profile.id == request.charging_profile_id
            return wanted is None or (
                wanted.evse_id in (None, evse_id)
                and wanted.charging_profile_purpose in (None, profile.charging_profile_purpose)
                and wanted.stack_level in (None, profile.stack_level)
            )

        found = self._matching(matches)
        for _, profile in found:
            del self._profiles[profile.id]
        status = ClearChargingProfileStatusEnumType.ACCEPTED if found else ClearChargingProfileStatusEnumType.UNKNOWN
        return ClearChargingProfileResponse(status=status)

    def get(
        self, request: GetChargingProfilesRequest
    ) -> GetChargingProfilesResponse | Then[GetChargingProfilesResponse]:
        """K09."""
        wanted = request.charging_profile

        def matches(evse_id: int, profile: ChargingProfileType) -> bool:
            return (
                request.evse_id in (None, evse_id)
                and wanted.charging_profile_purpose in (None, profile.charging_profile_purpose)
                and wanted.stack_level in (None, profile.stack_level)
                and (wanted.charging_profile_id is None or profile.id in wanted.charging_profile_id)
                and (wanted.charging_limit_source is None or _CENTRAL_SYSTEM in wanted.charging_limit_source)
            )

        found = self._matching(matches)
        if not found:
            return GetChargingProfilesResponse(status=GetChargingProfileStatusEnumType.NO_PROFILES)
        accepted = GetChargingProfilesResponse(status=GetChargingProfileStatusEnumType.ACCEPTED)
        return Then(accepted, lambda: self._report(request.request_id, found))

    async def _report(self, request_id: int, found: Sequence[tuple[int, ChargingProfileType]]) -> None:
        for number, (evse_id, profile) in enumerate(found, 1):
            report = ReportChargingProfilesRequest(
                request_id=request_id,
                charging_limit_source=_CENTRAL_SYSTEM,
                charging_profile=[profile],
                tbc=number < len(found),
                evse_id=evse_id,
            )
            await self._station.tell(actions.REPORT_CHARGING_PROFILES, report)

    def composite(self, request: GetCompositeScheduleRequest) -> GetCompositeScheduleResponse:
        """K08: the least of the first limits of all profiles, for the whole time."""
        if request.evse_id and request.evse_id not in self._station.evses:
            return GetCompositeScheduleResponse(status=GenericStatusEnumType.REJECTED)
        unit = request.charging_rate_unit or ChargingRateUnitEnumType.A
        limits = [
            limit
            for evse_id, profile in self._profiles.values()
            if evse_id in (0, request.evse_id)
            for schedule in profile.charging_schedule
            if schedule.charging_rate_unit is unit and (limit := schedule.charging_schedule_period[0].limit) is not None
        ]
        most = _MOST_AMPERES if unit is ChargingRateUnitEnumType.A else _MOST_AMPERES * _VOLTS * _PHASES
        schedule = CompositeScheduleType(
            evse_id=request.evse_id,
            duration=request.duration,
            schedule_start=self._station.now(),
            charging_rate_unit=unit,
            charging_schedule_period=[ChargingSchedulePeriodType(start_period=0, limit=min(limits, default=most))],
        )
        return GetCompositeScheduleResponse(status=GenericStatusEnumType.ACCEPTED, schedule=schedule)

    def _matching(self, matches: Callable[[int, ChargingProfileType], bool]) -> list[tuple[int, ChargingProfileType]]:
        return [(evse_id, profile) for evse_id, profile in self._profiles.values() if matches(evse_id, profile)]
