"""The guard: which Host, Origin and token a request must carry."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from mcpp.api.access import AccessRules, Guard
from mcpp.api.credentials import Credentials
from mcpp.api.failed_logins import FORGOTTEN_AFTER, FREE, LONGEST_WAIT, FailedLogins

LOCAL = AccessRules("127.0.0.1")
NAMED = AccessRules("127.0.0.1", allowed_hosts=("mcpp.example", "192.0.2.7", "::1"))
IN_A_LAN = AccessRules("0.0.0.0", allowed_hosts=("charging.example",), machine_names=("box", "box.lan", "box.local"))
PUBLIC = AccessRules("0.0.0.0")
OPEN_METRICS = AccessRules("127.0.0.1", metrics_open=True)

NO_TOKEN = Credentials(None, lambda: datetime(2026, 5, 4, tzinfo=UTC))
TOKEN = Credentials("t0ken", lambda: datetime(2026, 5, 4, tzinfo=UTC))

OWN_ADDRESS = "198.51.100.4"


async def behind(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("here")(scope, receive, send)


async def status(
    rules: AccessRules, path: str, headers: list[tuple[str, str]], known: Credentials = NO_TOKEN, method: str = "GET"
) -> int:
    """The answer to a request on a connection that came in on OWN_ADDRESS."""
    guard = Guard(behind, rules, known, FailedLogins())

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        # As it came: the client library would add a Host of its own.
        scope = {**scope, "server": (OWN_ADDRESS, 8080), "headers": [(n.encode(), v.encode()) for n, v in headers]}
        await guard(scope, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        return (await http.request(method, path)).status_code


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
        (NAMED, "127.0.0.1", True),
        (NAMED, "localhost:8080", True),
        (IN_A_LAN, "charging.example", True),
        (IN_A_LAN, "127.0.0.1:8080", True),
        (IN_A_LAN, "Box:8080", True),
        (IN_A_LAN, "box.local:8080", True),
        (IN_A_LAN, "box.lan.", True),
        (IN_A_LAN, OWN_ADDRESS, True),
        (IN_A_LAN, "box.evil.example", False),
        (IN_A_LAN, "evil.example", False),
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
        (LOCAL, "/api/v1/transactions", None, 401),
        (LOCAL, "/api/v1/transactions", "Bearer t0ken", 200),
        (LOCAL, "/api/v1/transactions", "bearer  t0ken ", 200),
        (LOCAL, "/api/v1/transactions", "Bearer T0KEN", 401),
        (LOCAL, "/api/v1/transactions", "Bearer t0ken2", 401),
        (LOCAL, "/api/v1/transactions", "Bearer t0ke", 401),
        (LOCAL, "/api/v1/transactions", "Bearer tökén", 401),
        (LOCAL, "/api/v1/transactions", "Bearer", 401),
        (LOCAL, "/api/v1/transactions", "t0ken", 401),
        (LOCAL, "/api/v1/transactions", "Basic t0ken", 401),
        (LOCAL, "/api", None, 401),
        (LOCAL, "/api/no/such/path", None, 401),
        (LOCAL, "/%61pi/v1/transactions", None, 401),
        (LOCAL, "/apiary", None, 401),
        (LOCAL, "/metrics", None, 401),
        (LOCAL, "/metrics", "Bearer t0ken", 200),
        (OPEN_METRICS, "/metrics", None, 200),
        (OPEN_METRICS, "/api/v1/transactions", None, 401),
        (LOCAL, "/healthz", None, 200),
        (LOCAL, "/readyz", None, 200),
    ],
)
async def test_token(rules: AccessRules, path: str, authorization: str | None, expected: int) -> None:
    headers = [("host", "localhost")]
    if authorization is not None:
        headers.append(("authorization", authorization))

    assert await status(rules, path, headers, TOKEN) == expected


@pytest.mark.parametrize(
    ("site", "origin", "method", "allowed"),
    [
        (None, None, "POST", True),
        ("same-origin", None, "POST", True),
        ("same-origin", "null", "POST", True),
        ("none", None, "GET", True),
        ("cross-site", None, "GET", True),
        ("cross-site", None, "POST", False),
        ("same-site", None, "DELETE", False),
        ("cross-site", "null", "POST", False),
        ("same-origin", "http://evil.example", "POST", False),
    ],
)
async def test_what_a_browser_says_of_the_page_that_asks(
    site: str | None, origin: str | None, method: str, allowed: bool
) -> None:
    said = (("host", "localhost"), ("sec-fetch-site", site), ("origin", origin))
    headers = [(name, value) for name, value in said if value is not None]

    assert await status(LOCAL, "/api/v1/transactions", headers, method=method) == (200 if allowed else 403)


@pytest.mark.parametrize("header", [("host", "evil.example"), ("origin", "http://evil.example")])
async def test_the_right_token_opens_nothing_to_a_foreign_page(header: tuple[str, str]) -> None:
    headers = [header, ("authorization", "Bearer t0ken")]
    if header[0] == "origin":
        headers.append(("host", "localhost"))

    assert await status(LOCAL, "/api/v1/transactions", headers, TOKEN) == 403


async def ask(guard: Guard, token: str | None, address: str) -> httpx.Response:
    transport = httpx.ASGITransport(guard, client=(address, 1))
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        return await http.get("/api/v1/transactions", headers=headers)


async def test_who_guesses_has_to_wait_and_the_right_token_always_passes() -> None:
    guard = Guard(behind, LOCAL, TOKEN, FailedLogins(hold_seconds=0))
    guesses = [(await ask(guard, f"guess{number}", "192.0.2.1")).status_code for number in range(FREE)]
    refused = await ask(guard, "guess", "192.0.2.1")

    assert guesses == [401] * FREE
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_failed_logins")
    assert int(refused.headers["retry-after"]) >= 1
    assert (await ask(guard, "t0ken", "192.0.2.1")).status_code == 200
    assert (await ask(guard, None, "192.0.2.1")).status_code == 401
    assert (await ask(guard, "guess", "192.0.2.2")).status_code == 401


async def test_wrong_tokens_are_forgotten_and_bounded() -> None:
    now = 0.0
    logins = FailedLogins(now=lambda: now, hold_seconds=0)
    waits = [await logins.add("192.0.2.1") for _ in range(FREE + 20)]
    now = FORGOTTEN_AFTER
    forgotten = await logins.add("192.0.2.1")
    for number in range(5000):
        await logins.add(f"10.0.{number // 250}.{number % 250}")

    assert waits[:FREE] == [None] * FREE
    assert waits[FREE:][:3] == [2, 4, 8]
    assert max(wait for wait in waits if wait is not None) == LONGEST_WAIT
    assert forgotten is None
    assert len(logins._failures) <= 1024


def test_where_others_reach_the_server_nobody_is_let_in_without_a_token() -> None:
    known = Credentials(None, lambda: datetime(2026, 5, 4, tzinfo=UTC), is_public=True)

    assert known.needed
    assert known.local is None
    known.replace_tokens([])  # the last one was taken away
    assert known.local is None
