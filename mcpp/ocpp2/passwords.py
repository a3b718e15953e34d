"""The passwords that CALLs of ours give a charge point (OCPP 2.0.1 part 2, A01; in 2.1 also by B09)."""

from __future__ import annotations

from functools import singledispatch
from typing import Final

from pydantic import BaseModel

from mcpp_generated.ocpp21 import models as models21
from mcpp_generated.ocpp21.models import SetVariablesRequest, SetVariablesResponse, SetVariableStatusEnumType
from mcpp_generated.ocpp201 import models as models201

_COMPONENT: Final = "securityctrlr"
_VARIABLE: Final = "basicauthpassword"
_TAKEN: Final = frozenset({SetVariableStatusEnumType.ACCEPTED, SetVariableStatusEnumType.REBOOT_REQUIRED})


@singledispatch
def new_password(_: BaseModel) -> str | None:
    """That of the basic authentication which a CALL of ours sets, in any version's models."""
    return None


@new_password.register
def _of_variables(request: models21.SetVariablesRequest | models201.SetVariablesRequest) -> str | None:
    """The last one where there are several: that is the one that stays."""
    found = None
    for wanted in request.set_variable_data:
        if _is_password(wanted.component.name, wanted.variable.name):
            found = wanted.attribute_value
    return found


@new_password.register
def _of_profile(request: models21.SetNetworkProfileRequest) -> str | None:
    """Used once the charge point connects by this profile."""
    return request.connection_data.basic_auth_password


def password_results(request: SetVariablesRequest, response: SetVariablesResponse) -> bool | None:
    """Whether the charge point will use the password that it was given; None where it wasn't, or doesn't say."""
    if new_password(request) is None:
        return None
    told = [
        result.attribute_status in _TAKEN
        for result in response.set_variable_result
        if _is_password(result.component.name, result.variable.name)
    ]
    return told[-1] if told else None


def _is_password(component: str, variable: str) -> bool:
    return component.strip().casefold() == _COMPONENT and variable.strip().casefold() == _VARIABLE
