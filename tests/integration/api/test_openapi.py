"""The OpenAPI document: sound in itself, and what the server really answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.integration.api.support import ENERGY, Site, minute

JSON = "application/json"
PROBLEM = "application/problem+json"

OPERATIONS = {
    "/healthz": {"200", "403", "500"},
    "/readyz": {"200", "403", "500", "503"},
    "/metrics": {"200", "401", "403", "500"},
    "/api/v1/charge-points": {"200", "401", "403", "422", "500"},
    "/api/v1/charge-points/{id}": {"200", "401", "403", "404", "422", "500"},
    "/api/v1/transactions": {"200", "401", "403", "422", "500"},
    "/api/v1/transactions/{transaction_id}": {"200", "401", "403", "404", "422", "500"},
    "/api/v1/transactions/{transaction_id}/meter-values": {"200", "401", "403", "404", "422", "500"},
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


def validator(document: Document, path: str, status: str, content_type: str) -> Draft202012Validator:
    """Of what the document says about an answer."""
    schema = document["paths"][path]["get"]["responses"][status]["content"][content_type]["schema"]
    whole = {**schema, "components": document["components"]}
    return Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)


def test_every_operation_and_every_status_is_described(document: Document) -> None:
    described = {path: set(item["get"]["responses"]) for path, item in document["paths"].items()}

    assert described == OPERATIONS
    for item in document["paths"].values():
        for status, response in item["get"]["responses"].items():
            assert response["description"]
            assert all("schema" in content for content in response["content"].values())
            if status in {"401", "403", "404", "422", "500"}:
                assert set(response["content"]) == {PROBLEM}


def test_the_document_is_sound(document: Document) -> None:
    schemas = document["components"]["schemas"]

    assert document["openapi"].startswith("3.1")
    assert {reference.removeprefix("#/components/schemas/") for reference in references(document)} <= set(schemas)
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    names = [item["get"]["operationId"] for item in document["paths"].values()]
    assert len(names) == len(set(names))
    assert {"ChargePoint", "ChargePointPage", "Transaction", "TransactionPage", "Sample", "Problem"} <= set(schemas)


def test_the_token_is_described_where_it_is_asked_for(document: Document) -> None:
    secured = {path for path, item in document["paths"].items() if item["get"].get("security")}

    assert secured == {path for path, statuses in OPERATIONS.items() if "401" in statuses}
    assert document["components"]["securitySchemes"]["api-token"]["scheme"] == "bearer"


async def test_answers_are_as_described(api: Site, document: Document) -> None:
    api.books.charge_point("CP-1", "Acme")
    api.books.status("CP-1", 1, "Available", "NoError", minute(1))
    ended, running = api.books.ended(), api.books.start(at=minute(9))
    api.books.samples(ended, [(minute(1), 0, ENERGY, "1"), (minute(2), 0, ENERGY._replace(phase="L1", unit=""), "2")])
    answers = [
        ("/healthz", "/healthz"),
        ("/readyz", "/readyz"),
        ("/api/v1/charge-points", "/api/v1/charge-points?limit=1"),
        ("/api/v1/charge-points/{id}", "/api/v1/charge-points/CP-1"),
        ("/api/v1/charge-points/{id}", "/api/v1/charge-points/CP-2"),
        ("/api/v1/transactions", "/api/v1/transactions?limit=1"),
        ("/api/v1/transactions", "/api/v1/transactions?limit=0"),
        ("/api/v1/transactions/{transaction_id}", f"/api/v1/transactions/{ended}"),
        ("/api/v1/transactions/{transaction_id}", f"/api/v1/transactions/{running}"),
        ("/api/v1/transactions/{transaction_id}", "/api/v1/transactions/99"),
        ("/api/v1/transactions/{transaction_id}/meter-values", f"/api/v1/transactions/{ended}/meter-values?limit=1"),
        ("/api/v1/transactions/{transaction_id}/meter-values", f"/api/v1/transactions/{ended}/meter-values"),
    ]

    for path, url in answers:
        response = await api.http.get(url)
        content_type = response.headers["content-type"]
        validator(document, path, str(response.status_code), content_type).validate(response.json())


async def test_answers_hold_no_name_that_is_not_described(api: Site, document: Document) -> None:
    transaction_id = api.books.ended()
    schemas = document["components"]["schemas"]

    assert set(schemas["Transaction"]["properties"]) == set(
        (await api.get(f"/api/v1/transactions/{transaction_id}")).json()
    )
    assert set(schemas["ChargePoint"]["properties"]) == set((await api.get("/api/v1/charge-points/CP-1")).json())
