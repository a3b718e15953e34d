"""The guard: which Host, Origin and token a request must carry."""

from __future__ import annotations

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from mcpp.api.access import AccessRules, Guard

LOCAL = AccessRules("127.0.0.1")
NAMED = AccessRules("127.0.0.1", allowed_hosts=("mcpp.example", "192.0.2.7", "::1"))
PUBLIC = AccessRules("0.0.0.0")
SECRET = AccessRules("127.0.0.1", api_token="t0ken")
OPEN_METRICS = AccessRules("127.0.0.1", api_token="t0ken", metrics_open=True)

OWN_ADDRESS = "198.51.100.4"


async def behind(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("here")(scope, receive, send)


async def status(rules: AccessRules, path: str, headers: list[tuple[str, str]]) -> int:
    """The answer to a request on a connection that came in on OWN_ADDRESS."""
    guard = Guard(behind, rules)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        # As it came: the client library would add a Host of its own.
        scope = {**scope, "server": (OWN_ADDRESS, 8080), "headers": [(n.encode(), v.encode()) for n, v in headers]}
        await guard(scope, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        return (await http.get(path)).status_code


@pytest.mark.parametrize(
    ("rules", "host", "allowed"),
    [
        (LOCAL, "127.0.0.1", True),
        (LOCAL, "127.0.0.1:8080", True),
        (LOCAL, "localhost:1", True),
        (LOCAL, "LocalHost.:8080", True),
        (LOCAL, "[::1]:8080", True),
        (LOCAL, "[0:0:0:0:0:0:0:1]", True),
        (LOCAL, "evil.example", False),
        (LOCAL, "localhost.evil.example", False),
        (LOCAL, "evil.example:127.0.0.1", False),
        (LOCAL, "127.0.0.1@evil.example", False),
        (LOCAL, "", False),
        (LOCAL, ":8080", False),
        (LOCAL, "127.0.0.1:", False),
        (LOCAL, "127.0.0.1,evil.example", False),
        (LOCAL, OWN_ADDRESS, False),
        (AccessRules("192.0.2.7"), "192.0.2.7:8080", True),
        (AccessRules("2001:db8::7"), "[2001:DB8:0::7]:8080", True),
        (AccessRules("mcpp.example"), "MCPP.example", True),
        (PUBLIC, f"{OWN_ADDRESS}:8080", True),
        (PUBLIC, "localhost", True),
        (PUBLIC, "198.51.100.5", False),
        (PUBLIC, "evil.example", False),
        (NAMED, "mcpp.example", True),
        (NAMED, "mcpp.example:8443", True),
        (NAMED, "192.0.2.7", True),
        (NAMED, "[::1]:8080", True),
        (NAMED, "127.0.0.1", False),
        (NAMED, OWN_ADDRESS, False),
    ],
)
async def test_host(rules: AccessRules, host: str, allowed: bool) -> None:
    assert await status(rules, "/healthz", [("host", host)]) == (200 if allowed else 403)


@pytest.mark.parametrize("headers", [[], [("host", "localhost"), ("host", "evil.example")]])
async def test_a_request_has_one_host(headers: list[tuple[str, str]]) -> None:
    assert await status(LOCAL, "/healthz", headers) == 403


@pytest.mark.parametrize(
    ("host", "origin", "allowed"),
    [
        ("localhost:8080", "http://localhost:8080", True),
        ("localhost", "http://localhost", True),
        ("localhost:80", "http://localhost", True),
        ("localhost:443", "https://localhost", True),
        ("localhost", "https://LOCALHOST", True),
        ("[::1]:8080", "http://[::1]:8080", True),
        ("localhost:8080", "http://localhost:3000", False),
        ("localhost:8080", "http://localhost", False),
        ("localhost:8080", "http://127.0.0.1:8080", False),
        ("localhost:8080", "http://evil.example", False),
        ("localhost:8080", "http://localhost:8080.evil.example", False),
        ("localhost:8080", "null", False),
        ("localhost:8080", "", False),
        ("localhost", "ftp://localhost", False),
        ("localhost", "http://", False),
        ("localhost", "http://localhost:x", False),
    ],
)
async def test_origin(host: str, origin: str, allowed: bool) -> None:
    assert await status(LOCAL, "/healthz", [("host", host), ("origin", origin)]) == (200 if allowed else 403)


@pytest.mark.parametrize(
    ("rules", "path", "authorization", "expected"),
    [
        (LOCAL, "/api/v1/transactions", None, 200),
        (SECRET, "/api/v1/transactions", None, 401),
        (SECRET, "/api/v1/transactions", "Bearer t0ken", 200),
        (SECRET, "/api/v1/transactions", "bearer  t0ken ", 200),
        (SECRET, "/api/v1/transactions", "Bearer T0KEN", 401),
        (SECRET, "/api/v1/transactions", "Bearer t0ken2", 401),
        (SECRET, "/api/v1/transactions", "Bearer t0ke", 401),
        (SECRET, "/api/v1/transactions", "Bearer tökén", 401),
        (SECRET, "/api/v1/transactions", "Bearer", 401),
        (SECRET, "/api/v1/transactions", "t0ken", 401),
        (SECRET, "/api/v1/transactions", "Basic t0ken", 401),
        (SECRET, "/api", None, 401),
        (SECRET, "/api/no/such/path", None, 401),
        (SECRET, "/%61pi/v1/transactions", None, 401),
        (SECRET, "/apiary", None, 200),
        (SECRET, "/metrics", None, 401),
        (SECRET, "/metrics", "Bearer t0ken", 200),
        (OPEN_METRICS, "/metrics", None, 200),
        (OPEN_METRICS, "/api/v1/transactions", None, 401),
        (SECRET, "/healthz", None, 200),
        (SECRET, "/readyz", None, 200),
    ],
)
async def test_token(rules: AccessRules, path: str, authorization: str | None, expected: int) -> None:
    headers = [("host", "localhost")]
    if authorization is not None:
        headers.append(("authorization", authorization))

    assert await status(rules, path, headers) == expected


@pytest.mark.parametrize("header", [("host", "evil.example"), ("origin", "http://evil.example")])
async def test_the_right_token_opens_nothing_to_a_foreign_page(header: tuple[str, str]) -> None:
    headers = [header, ("authorization", "Bearer t0ken")]
    if header[0] == "origin":
        headers.append(("host", "localhost"))

    assert await status(SECRET, "/api/v1/transactions", headers) == 403
