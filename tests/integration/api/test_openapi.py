"""The OpenAPI document: sound in itself, and what the server really answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from mcpp.domain.conformance import Kind, Seen, Waiting, write_departures
from mcpp.ocppj.actions import Sender
from mcpp_generated import ocpp16, ocpp21, ocpp201
from mcpp_generated.db.enums import MessageRole
from mcpp_generated.ocpp16.actions import ACTIONS as ACTIONS_16
from mcpp_generated.ocpp21.actions import ACTIONS as ACTIONS_21
from mcpp_generated.ocpp201.actions import ACTIONS as ACTIONS_201
from tests.integration.api.support import ENERGY, Site, minute, site

JSON = "application/json"
PROBLEM = "application/problem+json"

_COMMON = {"401", "403", "422", "429", "500"}
_COMMAND = _COMMON | {"200", "400", "404", "409", "408", "413", "422", "429", "502", "503", "504"}
_LIST = _COMMON | {"200"}
_ONE = _COMMON | {"200", "404"}
_PUT = _COMMON | {"200", "201", "408", "413", "503"}
_DELETE = _COMMON | {"204", "404", "503"}

OPERATIONS = {
    "GET /healthz": {"200", "403", "500"},
    "GET /readyz": {"200", "403", "500", "503"},
    "GET /metrics": {"200", "401", "403", "429", "500"},
    "GET /api/v1/charge-points": _LIST | {"400"},
    "GET /api/v1/charge-points/{id}": _ONE | {"400"},
    "PUT /api/v1/charge-points/{id}": _PUT | {"400"},
    "DELETE /api/v1/charge-points/{id}": _DELETE | {"400", "409"},
    "GET /api/v1/charge-points/{id}/configuration": _ONE | {"400"},
    "GET /api/v1/charge-points/{id}/conformance": _ONE | {"400"},
    "GET /api/v1/charge-points/{id}/states": _ONE,
    "GET /api/v1/charge-points/{id}/device-events": _ONE | {"400"},
    "GET /api/v1/charge-points/{id}/frames": _ONE,
    "GET /api/v1/charge-points/{id}/monitors": _ONE | {"400"},
    "GET /api/v1/charge-points/{id}/reports": _ONE | {"400"},
    "GET /api/v1/charge-points/{id}/reports/{request_id}": _ONE | {"400"},
    "GET /api/v1/charge-points/{id}/variables": _ONE | {"400"},
    "GET /api/v1/conformance": _LIST,
    "GET /api/v1/connections/refused": _LIST,
    "GET /api/v1/connect": _LIST,
    "GET /api/v1/summary": _LIST,
    "POST /api/v1/charge-points/{id}/local-list/sync": _COMMAND,
    "POST /api/v1/charge-points/{id}/upload-links": _COMMON | {"201", "400", "404", "409", "408", "413", "503"},
    "GET /api/v1/transactions": _LIST,
    "GET /api/v1/transactions/{transaction_id}": _ONE,
    "GET /api/v1/transactions/{transaction_id}/meter-values": _ONE,
    "GET /api/v1/transactions/{transaction_id}/curve": _ONE,
    "GET /api/v1/transactions/{transaction_id}/story": _ONE,
    "GET /api/v1/reports/energy": _LIST,
    "POST /api/v1/transactions/{transaction_id}/stop": _COMMAND,
    "POST /api/v1/transactions/{transaction_id}/close": _ONE | {"409", "422", "503"},
    "POST /api/v1/transactions/{transaction_id}/correct": _ONE | {"409", "422", "503"},
    "GET /api/v1/id-tags/unknown": _LIST,
    "GET /api/v1/id-tags": _LIST,
    "GET /api/v1/id-tags/{id_tag}": _ONE,
    "PUT /api/v1/id-tags/{id_tag}": _PUT,
    "DELETE /api/v1/id-tags/{id_tag}": _DELETE,
    "GET /api/v1/people": _LIST,
    "GET /api/v1/people/{person_id}": _ONE,
    "PUT /api/v1/people/{person_id}": _PUT | {"409"},
    "DELETE /api/v1/people/{person_id}": _DELETE,
    "GET /api/v1/people/{person_id}/statement": _ONE,
    "GET /api/v1/charge-points/{id}/learn-card": _ONE | {"400"},
    "POST /api/v1/charge-points/{id}/learn-card": _ONE | {"400", "409"},
    "DELETE /api/v1/charge-points/{id}/learn-card": (_DELETE - {"503"}) | {"400"},
    "GET /api/v1/reservations": _LIST,
    "GET /api/v1/charging-profiles": _LIST,
    "GET /api/v1/charging-profiles/{name}": _ONE,
    "PUT /api/v1/charging-profiles/{name}": _PUT,
    "DELETE /api/v1/charging-profiles/{name}": _DELETE,
    "GET /api/v1/unmatched": _LIST,
    "POST /api/v1/unmatched/{id}/assign": _ONE | {"409", "408", "413", "503"},
    "DELETE /api/v1/unmatched/{id}": _DELETE,
    "GET /api/v1/firmware": _LIST | {"409"},
    "GET /api/v1/firmware/{name}": _ONE | {"409"},
    "PUT /api/v1/firmware/{name}": _COMMON | {"201", "409", "408", "413", "503", "507"},
    "DELETE /api/v1/firmware/{name}": _DELETE | {"409"},
    "POST /api/v1/firmware/{name}/links": _COMMON | {"201", "404", "409", "408", "413", "503"},
    "GET /api/v1/uploads": _LIST | {"409"},
    "GET /api/v1/uploads/{id}": _ONE | {"409"},
    "DELETE /api/v1/uploads/{id}": _DELETE | {"409"},
    "GET /api/v1/certificates": _LIST,
    "GET /api/v1/certificates/window": _LIST | {"409"},
    "POST /api/v1/certificates/window": _LIST | {"409", "408", "413"},
    "GET /api/v1/certificates/{id}": _ONE,
    "POST /api/v1/certificates/{id}/renew": _COMMAND - {"400"},
    "POST /api/v1/certificates/{id}/approve": _ONE | {"409", "408", "413", "503"},
    "POST /api/v1/certificates/{id}/reject": _ONE | {"409", "408", "413", "503"},
    "POST /api/v1/certificates/{id}/revoke": _ONE | {"409", "408", "413", "503"},
    "GET /api/v1/charge-points/{id}/security/roll-out": _ONE | {"400"},
    "POST /api/v1/charge-points/{id}/security/roll-out": _COMMON | {"202", "400", "404", "409", "503"},
    "GET /api/v1/events": _LIST | {"503"},
    "GET /api/v1/logging": _COMMON | {"200"},
    "PUT /api/v1/logging": _COMMON | {"200", "408", "413"},
    "POST /login": _COMMON | {"200", "303", "408", "413", "503"},
    "POST /logout": {"303", "403", "500"},
    "GET /api/v1/me": _LIST,
    "GET /api/v1/tokens": _LIST,
    "POST /api/v1/tokens": _COMMON | {"201", "409", "408", "413", "503"},
    "DELETE /api/v1/tokens/{name}": _DELETE | {"409"},
    "GET /api/v1/settings": _LIST,
    "GET /api/v1/plugins": _LIST,
    "GET /api/v1/server": _LIST,
    "GET /api/v1/backup": _LIST | {"503", "507"},
    **{
        f"POST /api/v1/charge-points/{{id}}/commands/{name}": _COMMAND
        for name in {*ocpp16.COMMANDS, *ocpp201.COMMANDS, *ocpp21.COMMANDS}
    },
}

Document = dict[str, Any]


@pytest.fixture
async def document(api: Site) -> Document:
    found: Document = (await api.get("/openapi.json")).json()
    return found


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(reference := node.get("$ref"), str):
            yield reference
        for child in node.values():
            yield from references(child)
    elif isinstance(node, list):
        for child in node:
            yield from references(child)


def operations(document: Document) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


def validator(document: Document, path: str, status: str, content_type: str) -> Draft202012Validator:
    """Of what the document says about an answer."""
    schema = document["paths"][path]["get"]["responses"][status]["content"][content_type]["schema"]
    whole = {**schema, "components": document["components"]}
    return Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)


def test_every_operation_and_every_status_is_described(document: Document) -> None:
    described = {name: set(operation["responses"]) for name, operation in operations(document).items()}

    assert described == OPERATIONS
    for name, operation in operations(document).items():
        for status, response in operation["responses"].items():
            assert response["description"]
            assert all("schema" in content for content in response.get("content", {}).values())
            if int(status) >= 400 and (name, status) != ("GET /readyz", "503"):
                assert set(response["content"]) == {PROBLEM}, (name, status)


def test_the_document_is_sound(document: Document) -> None:
    schemas = document["components"]["schemas"]

    assert document["openapi"].startswith("3.1")
    for reference in references(document):
        kind, _, name = reference.removeprefix("#/components/").partition("/")
        assert name in document["components"][kind], reference
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    names = [operation["operationId"] for operation in operations(document).values()]
    assert len(names) == len(set(names))
    assert {"ChargePoint", "ChargePointPage", "Transaction", "TransactionPage", "Sample", "Problem"} <= set(schemas)


def test_every_payload_is_named(document: Document) -> None:
    schemas = document["components"]["schemas"]
    described: set[str] = set()
    for name in {*ocpp16.COMMANDS, *ocpp201.COMMANDS, *ocpp21.COMMANDS}:
        operation = operations(document)[f"POST /api/v1/charge-points/{{id}}/commands/{name}"]
        requests = names_of(operation["requestBody"]["content"][JSON]["schema"])
        answers = names_of(operation["responses"]["200"]["content"][JSON]["schema"])
        by_version = [
            (version, actions[name])
            for version, actions in (("16", ACTIONS_16), ("201", ACTIONS_201), ("21", ACTIONS_21))
            if name in actions and actions[name].sender is not Sender.CHARGE_POINT
        ]

        assert requests == [f"Ocpp{version}{name}Request" for version, _ in by_version]
        for (version, action), request, answer in zip(by_version, requests, answers, strict=True):
            assert set(schemas[request].get("properties", {})) == wire_names(action.request)
            (response,) = names_of(schemas[answer]["properties"]["response"])
            assert response == f"Ocpp{version}{name}Response"
            assert set(schemas[response].get("properties", {})) == wire_names(action.response)
            described.add(version)
    assert described == {"16", "201", "21"}


def names_of(schema: dict[str, Any]) -> list[str]:
    """The components that it is one of."""
    references = schema.get("anyOf", [schema])
    return [reference["$ref"].rpartition("/")[2] for reference in references]


def wire_names(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def test_payloads_are_described_as_they_are_taken(document: Document) -> None:
    for schema, payload, fits in [
        ("Ocpp16ReserveNowRequest", {"connectorId": 1, "expiryDate": "2030-01-01T00:00:00Z", "idTag": "A"}, True),
        ("Ocpp16ReserveNowRequest", {"connectorId": 1, "expiryDate": "tomorrow", "idTag": "A"}, False),
        ("Ocpp16CancelReservationRequest", {}, False),
        ("Ocpp16SetChargingProfileRequest", {"connectorId": 1, "csChargingProfiles": {"$ref": "night"}}, True),
        ("Ocpp16SetChargingProfileRequest", {"connectorId": 1, "csChargingProfiles": {"ref": "night"}}, False),
        ("Ocpp16RemoteStartTransactionRequest", {"idTag": "A", "chargingProfile": {"$ref": "night"}}, True),
        ("Ocpp16ChargingSchedulePeriod", {"startPeriod": 0, "limit": 6.5}, True),
        ("Ocpp16ChargingSchedulePeriod", {"startPeriod": 0, "limit": "6.5"}, False),
        ("Ocpp16GetDiagnosticsRequest", {"location": "ftp://h", "retries": None}, False),
    ]:
        whole = {"$ref": f"#/components/schemas/{schema}", "components": document["components"]}
        validator = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
        assert validator.is_valid(payload) is fits, (schema, payload)


async def test_the_token_is_described_where_it_is_asked_for(tmp_path: Path) -> None:
    async with site(tmp_path, api_token="t0ken") as guarded:
        document = (await guarded.get("/openapi.json")).json()
    secured = {name for name, operation in operations(document).items() if operation.get("security")}

    assert secured == {name for name, statuses in OPERATIONS.items() if "401" in statuses} - {"POST /login"}
    assert {"api-token": []} in document["paths"]["/metrics"]["get"]["security"]
    assert {"session": []} in document["paths"]["/metrics"]["get"]["security"]
    ways = document["components"]["securitySchemes"]
    assert ways["api-token"]["scheme"] == "bearer"
    assert (ways["session"]["in"], ways["session"]["name"]) == ("cookie", "mcpp_session")


def test_no_token_is_described_where_none_is_asked_for(document: Document) -> None:
    assert not any(operation.get("security") for operation in operations(document).values())


async def test_answers_are_as_described(api: Site, document: Document) -> None:
    api.books.charge_point("CP-1", "Acme")
    api.books.status("CP-1", 1, "Available", "NoError", minute(1))
    ended, running = api.books.ended(), api.books.start(at=minute(9))
    kind = Kind("MeterValues", MessageRole.CALL, "unknown_field", "hint")
    await api.writer.submit(write_departures, [Waiting("CP-1", kind, Seen(1, minute(1), minute(1), "1", ""))])
    api.books.samples(ended, [(minute(1), ENERGY, "1"), (minute(2), replace(ENERGY, phase="L1", unit=""), "2")])
    answers = [
        ("/healthz", "/healthz"),
        ("/readyz", "/readyz"),
        ("/api/v1/charge-points", "/api/v1/charge-points?limit=1"),
        ("/api/v1/charge-points/{id}", "/api/v1/charge-points/CP-1"),
        ("/api/v1/charge-points/{id}", "/api/v1/charge-points/CP-2"),
        ("/api/v1/charge-points/{id}/conformance", "/api/v1/charge-points/CP-1/conformance"),
        ("/api/v1/charge-points/{id}/states", "/api/v1/charge-points/CP-1/states"),
        ("/api/v1/charge-points/{id}/conformance", "/api/v1/charge-points/CP-2/conformance"),
        ("/api/v1/conformance", "/api/v1/conformance?limit=1"),
        ("/api/v1/connect", "/api/v1/connect"),
        ("/api/v1/connections/refused", "/api/v1/connections/refused"),
        ("/api/v1/charge-points/{id}/frames", "/api/v1/charge-points/CP-1/frames"),
        ("/api/v1/transactions", "/api/v1/transactions?limit=1"),
        ("/api/v1/transactions", "/api/v1/transactions?limit=0"),
        ("/api/v1/transactions/{transaction_id}", f"/api/v1/transactions/{ended}"),
        ("/api/v1/transactions/{transaction_id}", f"/api/v1/transactions/{running}"),
        ("/api/v1/transactions/{transaction_id}", "/api/v1/transactions/99"),
        ("/api/v1/transactions/{transaction_id}/meter-values", f"/api/v1/transactions/{ended}/meter-values?limit=1"),
        ("/api/v1/transactions/{transaction_id}/meter-values", f"/api/v1/transactions/{ended}/meter-values"),
        ("/api/v1/transactions/{transaction_id}/curve", f"/api/v1/transactions/{ended}/curve"),
        ("/api/v1/transactions/{transaction_id}/story", f"/api/v1/transactions/{ended}/story"),
        ("/api/v1/reports/energy", "/api/v1/reports/energy"),
    ]

    for path, url in answers:
        response = await api.http.get(url)
        content_type = response.headers["content-type"]
        validator(document, path, str(response.status_code), content_type).validate(response.json())


async def test_answers_hold_no_name_that_is_not_described(api: Site, document: Document) -> None:
    transaction_id = api.books.ended()
    schemas = document["components"]["schemas"]

    assert set(schemas["TransactionDetail"]["properties"]) == set(
        (await api.get(f"/api/v1/transactions/{transaction_id}")).json()
    )
    assert set(schemas["Transaction"]["properties"]) == set((await api.items("/api/v1/transactions"))[0])
    assert set(schemas["ChargePointDetail"]["properties"]) == set((await api.get("/api/v1/charge-points/CP-1")).json())
