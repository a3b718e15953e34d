"""Which CALLs give a charge point a new password, and what its answer says of it."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from pydantic import BaseModel, JsonValue

from mcpp.ocpp2.passwords import new_password, password_results
from mcpp.ocppj.actions import decode
from mcpp_generated.ocpp21 import models as models21
from mcpp_generated.ocpp21.models import SetVariablesRequest, SetVariablesResponse
from mcpp_generated.ocpp201 import models as models201

PASSWORD = "κωδικός-of-the-charger"


def read(model: type[BaseModel], payload: Mapping[str, object]) -> BaseModel:
    return decode(model, json.dumps(payload).encode())


def named(component: str = "SecurityCtrlr", variable: str = "BasicAuthPassword") -> dict[str, JsonValue]:
    return {"component": {"name": component}, "variable": {"name": variable}}


@pytest.mark.parametrize("model", [models201.SetVariablesRequest, models21.SetVariablesRequest])
def test_a_password_among_variables_is_found_however_it_is_spelled(model: type[BaseModel]) -> None:
    other = {**named("OCPPCommCtrlr", "HeartbeatInterval"), "attributeValue": "60"}
    password = {**named("securityctrlr", "basicAuthPassword"), "attributeValue": PASSWORD}
    assert new_password(read(model, {"setVariableData": [other, password]})) == PASSWORD
    assert new_password(read(model, {"setVariableData": [other]})) is None


def test_a_network_profile_of_2_1_may_bring_one() -> None:
    connection: dict[str, JsonValue] = {
        "ocppInterface": "Any",
        "ocppTransport": "JSON",
        "messageTimeout": 30,
        "ocppCsmsUrl": "wss://example.com",
        "securityProfile": 2,
    }
    request = {"configurationSlot": 1, "connectionData": {**connection, "basicAuthPassword": PASSWORD}}
    assert new_password(read(models21.SetNetworkProfileRequest, request)) == PASSWORD
    without = {"configurationSlot": 1, "connectionData": connection}
    assert new_password(read(models21.SetNetworkProfileRequest, without)) is None


@pytest.mark.parametrize(
    ("status", "takes"), [("Accepted", True), ("RebootRequired", True), ("Rejected", False), ("UnknownVariable", False)]
)
def test_the_answer_about_the_password_counts_whatever_the_others_are(status: str, *, takes: bool) -> None:
    request = read(SetVariablesRequest, {"setVariableData": [{**named(), "attributeValue": PASSWORD}]})
    results = [{**named("OCPPCommCtrlr", "HeartbeatInterval"), "attributeStatus": "Accepted"}]
    response = read(SetVariablesResponse, {"setVariableResult": [*results, {**named(), "attributeStatus": status}]})
    silent = read(SetVariablesResponse, {"setVariableResult": results})
    assert isinstance(request, SetVariablesRequest)
    assert isinstance(response, SetVariablesResponse)
    assert isinstance(silent, SetVariablesResponse)
    assert password_results(request, response) is takes
    assert password_results(request, silent) is None
