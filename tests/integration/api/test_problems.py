"""Errors, from outside: their shape and their codes."""

from __future__ import annotations

import base64
import logging
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from tests.integration.api.support import Site, minute, site


def assert_problem(response: httpx.Response, status: HTTPStatus, code: str) -> None:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert {name: problem[name] for name in ("type", "title", "status", "code")} == {
        "type": "about:blank",
        "title": status.phrase,
        "status": status,
        "code": code,
    }
    assert problem["detail"]
    assert problem["correlation_id"] == response.headers["x-correlation-id"]


@pytest.mark.parametrize(
    "path",
    ["/", "/api", "/api/v1", "/api/v2/transactions", "/api/v1/transactions/", "/api/v1/transactions/1/x", "/redoc"],
)
async def test_nothing_at_a_path(api: Site, path: str) -> None:
    assert_problem(await api.get(path), HTTPStatus.NOT_FOUND, "not_found")


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/healthz", "GET"),
        ("/api/v1/transactions", "GET"),
        ("/api/v1/charge-points/CP-1", "DELETE, GET, PUT"),
        ("/api/v1/charge-points/CP-1/commands/Reset", "POST"),
        ("/api/v1/id-tags/a/b", "DELETE, GET, PUT"),
    ],
)
async def test_a_method_that_is_not_possible(api: Site, path: str, methods: str) -> None:
    response = await api.http.patch(path)

    assert_problem(response, HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed")
    assert response.headers["allow"] == methods


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/api/v1/transactions?limit=0", "query.limit"),
        ("/api/v1/transactions?limit=1001", "query.limit"),
        ("/api/v1/transactions?limit=many", "query.limit"),
        ("/api/v1/transactions?open=perhaps", "query.open"),
        ("/api/v1/transactions?since=yesterday", "query.since"),
        ("/api/v1/transactions?since=2026-05-04T09:30:00", "query.since"),
        ("/api/v1/transactions?connector_id=-1", "query.connector_id"),
        ("/api/v1/transactions?connector_id=99999999999999999999", "query.connector_id"),
        ("/api/v1/transactions?idtag=A", "query.idtag"),
        ("/api/v1/transactions?cursor=!", "query.cursor"),
        ("/api/v1/transactions?cursor=%C3%A4", "query.cursor"),
        ("/api/v1/transactions?cursor=", "query.cursor"),
        ("/api/v1/transactions/0", "path.transaction_id"),
        ("/api/v1/transactions/abc", "path.transaction_id"),
        ("/api/v1/transactions/99999999999999999999", "path.transaction_id"),
        ("/api/v1/transactions/1/meter-values?cursor=x", "query.cursor"),
        ("/api/v1/transactions/1/meter-values?limit=0", "query.limit"),
        ("/api/v1/charge-points?connected=2", "query.connected"),
    ],
)
async def test_parameters_that_cannot_be_used(api: Site, path: str, location: str) -> None:
    response = await api.http.get(path)

    assert_problem(response, HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_parameter")
    assert [error["location"] for error in response.json()["errors"]] == [location]


@pytest.mark.parametrize(
    "key",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b'["A"]',
        b'["2026-05-04T09:30:00Z", 99999999999999999999]',
        b'["2026-05-04T09:30:00", 1]',
        b'["2026-05-04T09:30:00Z", 1, 1]',
    ],
)
async def test_cursors_that_this_server_did_not_make(api: Site, key: bytes) -> None:
    response = await api.get("/api/v1/transactions", cursor=base64.urlsafe_b64encode(key).decode())

    assert_problem(response, HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_parameter")


async def test_a_cursor_belongs_to_its_list(api: Site) -> None:
    for number in range(2):
        api.books.ended(identity=f"CP-{number}", at=minute(number))
    cursor = (await api.get("/api/v1/transactions", limit=1)).json()["next_cursor"]

    assert (await api.get("/api/v1/transactions", cursor=cursor)).status_code == 200
    assert (await api.get("/api/v1/charge-points", cursor=cursor)).status_code == 422
    assert (await api.get("/api/v1/transactions/1/meter-values", cursor=cursor)).status_code == 422


async def test_a_failure_of_the_server_tells_nothing_and_is_logged(api: Site, caplog: pytest.LogCaptureFixture) -> None:
    api.books.connection.execute("DROP VIEW transaction_records")

    with caplog.at_level(logging.ERROR):
        response = await api.get("/api/v1/transactions")

    assert_problem(response, HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error")
    assert "transaction_records" not in response.text
    assert [record.name for record in caplog.records if record.exc_info] == ["uvicorn.error"]


async def test_refusals_of_the_guard_are_problems(tmp_path: Path) -> None:
    async with site(tmp_path, api_token="t0ken") as guarded:
        no_token = await guarded.get("/api/v1/transactions")
        foreign = await guarded.http.get("/healthz", headers={"Host": "evil.example"})

    assert_problem(no_token, HTTPStatus.UNAUTHORIZED, "unauthorized")
    assert no_token.headers["www-authenticate"] == "Bearer"
    assert "t0ken" not in no_token.text
    assert_problem(foreign, HTTPStatus.FORBIDDEN, "forbidden")
