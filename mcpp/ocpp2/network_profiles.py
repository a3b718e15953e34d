"""A charge point is brought to a higher security profile by a network profile (OCPP 2.0.1 part 2, A05, B09, B10)."""

from __future__ import annotations

from typing import Final

from mcpp.csms.certificates import Verdict
from mcpp.domain.variables import VariableRef
from mcpp.ocpp2.naming import component_of, variable_of
from mcpp.ocpp2.widening import Calls
from mcpp.ocppj.errors import InvalidPayload
from mcpp_generated.ocpp21 import actions
from mcpp_generated.ocpp21.models import (
    GetVariableDataType,
    GetVariablesRequest,
    GetVariableStatusEnumType,
    NetworkConnectionProfileType,
    OCPPInterfaceEnumType,
    OCPPTransportEnumType,
    OCPPVersionEnumType,
    SetNetworkProfileRequest,
    SetNetworkProfileStatusEnumType,
    SetVariableDataType,
    SetVariablesRequest,
    SetVariableStatusEnumType,
)

_PRIORITY: Final = VariableRef("OCPPCommCtrlr", "NetworkConfigurationPriority")
"""Slots of network profiles, comma-separated, the first one first."""
_ACTIVE: Final = VariableRef("OCPPCommCtrlr", "ActiveNetworkProfile")
"""The slot that is in use."""
_SLOTS: Final = range(1, 100)

_MESSAGE_TIMEOUT: Final = 30
"""Seconds that the charge point waits for an answer."""

_TAKEN: Final = frozenset({SetVariableStatusEnumType.ACCEPTED, SetVariableStatusEnumType.REBOOT_REQUIRED})


async def raise_profile(calls: Calls, charge_point_id: str, profile: int, url: str) -> Verdict:
    """Have a charge point try a profile of this server's URL first, and after it those that it has.

    So it comes back by an old one where the new one fails.
    """
    if not url.startswith("wss://"):
        return Verdict(
            accepted=False, word=f"{url} has no TLS: say in the setting ocpp-url how chargers reach this server"
        )
    priority, active = await _in_use(calls, charge_point_id)
    # Never one that is in use: what is in it may be all that brings the charge point back.
    slot = next((it for it in _SLOTS if str(it) not in {*priority, active}), None)
    if slot is None:
        return Verdict(accepted=False, word="it has no free slot for a network profile")
    status = await _set_profile(calls, charge_point_id, slot, profile, url.rstrip("/"))
    if status is not SetNetworkProfileStatusEnumType.ACCEPTED:
        return Verdict(accepted=False, word=f"SetNetworkProfile of slot {slot}: {status.value}")
    # A05.FR.05: it's used after a restart.
    others = priority or ([active] if active else [])
    word = await _set(calls, charge_point_id, _PRIORITY, ",".join([str(slot), *others]))
    return Verdict(word in _TAKEN, f"NetworkConfigurationPriority: {word.value}", needs_restart=True)


async def _in_use(calls: Calls, charge_point_id: str) -> tuple[list[str], str]:
    """The slots in their order, and the one that is in use; empty where the charge point doesn't say."""
    wanted = [
        GetVariableDataType(component=component_of(ref), variable=variable_of(ref)) for ref in (_PRIORITY, _ACTIVE)
    ]
    response = await calls.call(charge_point_id, actions.GET_VARIABLES, GetVariablesRequest(get_variable_data=wanted))
    values = {
        told.variable.name.casefold(): (told.attribute_value or "").strip()
        for told in response.get_variable_result
        if told.attribute_status is GetVariableStatusEnumType.ACCEPTED
    }
    slots = [slot.strip() for slot in values.get(_PRIORITY.variable.casefold(), "").split(",")]
    return [slot for slot in slots if slot], values.get(_ACTIVE.variable.casefold(), "")


async def _set_profile(
    calls: Calls, charge_point_id: str, slot: int, profile: int, url: str
) -> SetNetworkProfileStatusEnumType:
    try:
        request = _request(slot, profile, url, OCPPInterfaceEnumType.ANY)
        return (await calls.call(charge_point_id, actions.SET_NETWORK_PROFILE, request)).status
    except InvalidPayload:  # 2.0.1 has no such word
        request = _request(slot, profile, url, OCPPInterfaceEnumType.WIRED0)
        return (await calls.call(charge_point_id, actions.SET_NETWORK_PROFILE, request)).status


def _request(slot: int, profile: int, url: str, interface: OCPPInterfaceEnumType) -> SetNetworkProfileRequest:
    return SetNetworkProfileRequest(
        configuration_slot=slot,
        connection_data=NetworkConnectionProfileType(
            # 2.0.1 requires the member, and its list ends with OCPP20; 2.1 says that it is ignored.
            ocpp_version=OCPPVersionEnumType.OCPP20,
            ocpp_interface=interface,
            ocpp_transport=OCPPTransportEnumType.JSON,
            message_timeout=_MESSAGE_TIMEOUT,
            ocpp_csms_url=url,
            security_profile=profile,
        ),
    )


async def _set(calls: Calls, charge_point_id: str, ref: VariableRef, value: str) -> SetVariableStatusEnumType:
    wanted = SetVariableDataType(component=component_of(ref), variable=variable_of(ref), attribute_value=value)
    response = await calls.call(charge_point_id, actions.SET_VARIABLES, SetVariablesRequest(set_variable_data=[wanted]))
    return response.set_variable_result[0].attribute_status
