"""What the HTTP listener asks of clients and tells browsers, over real sockets."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from mcpp.api.access import AccessRules
from mcpp.api.body_limit import OF_FIRMWARE, BodyLimit, Pace
from mcpp.api.http_server import HttpServer
from mcpp.api.problems import ApiError
from tests.integration.api.support import Site, site

ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
}


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/healthz", {}, 200),
        ("GET", "/metrics", {}, 200),
        ("GET", "/api/v1/charge-points", {}, 200),
        ("GET", "/api/v1/charge-points/CP-404", {}, 404),
        ("GET", "/no/such/path", {}, 404),
        ("DELETE", "/api/v1/charge-points", {}, 405),
        ("GET", "/healthz", {"Host": "evil.example"}, 403),
        ("GET", "/api/v1/charge-points?limit=x", {}, 422),
    ],
)
async def test_every_answer_has_the_headers(
    api: Site, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    answer = await api.http.request(method, path, headers=headers)

    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in ALWAYS} == ALWAYS
    assert answer.headers.get_list("cache-control") == ["no-store"]
    (policy,) = answer.headers.get_list("content-security-policy")
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "strict-transport-security" not in answer.headers
    assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_a_body_that_is_too_large_is_answered_with_them(api: Site) -> None:
    answer = await api.http.post("/api/v1/charge-points/CP-1/commands/Reset", content=b"x" * 2_000_000)

    assert answer.status_code == 413
    assert {name: answer.headers.get(name) for name in ALWAYS} == ALWAYS


async def test_a_failure_of_the_server_has_them_too(api: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> object:
        raise RuntimeError("of the test")

    object.__setattr__(api.services, "render_metrics", fail)
    answer = await api.get("/metrics")

    assert answer.status_code == 500
    assert {name: answer.headers.get(name) for name in ALWAYS} == ALWAYS
    assert answer.headers["cache-control"] == "no-store"


async def test_no_page_from_elsewhere_may_read_an_answer(api: Site) -> None:
    asked = {"Origin": "http://evil.example", "Access-Control-Request-Method": "GET"}
    preflight = await api.http.options("/api/v1/charge-points", headers=asked)

    assert preflight.status_code == 403
    assert "access-control-allow-origin" not in preflight.headers


async def test_the_page_of_the_documentation_may_do_what_it_does_and_no_more(api: Site) -> None:
    page = await api.get("/docs")
    policy = dict(
        rule.strip().split(" ", 1) for rule in page.headers["content-security-policy"].split(";") if rule.strip()
    )
    inline = re.findall(r"<script>", page.text)

    assert page.headers["x-frame-options"] == "DENY"
    assert len(inline) == 1
    assert re.fullmatch(r"'self' 'sha256-[A-Za-z0-9+/]{43}='", policy["script-src"])
    assert policy["connect-src"] == "'self'"
    assert "unsafe-inline" not in policy["script-src"]
    assert not re.search(r"\son\w+=|javascript:", page.text)
    addresses = re.findall(r'"(/docs/assets/[^"]+)"', page.text)
    assert len(addresses) == 3
    for address in addresses:
        asset = await api.get(address)
        assert asset.headers["content-encoding"] == "gzip"
        assert "immutable" in asset.headers["cache-control"]
        assert (await api.http.get(address, headers={"Accept-Encoding": "identity"})).content == asset.content


async def test_by_a_proxy_with_tls_browsers_are_told_to_come_by_tls(tmp_path: Path) -> None:
    rules = AccessRules("127.0.0.1", find_client=lambda peer, _: ("198.51.100.7", True))
    async with site(tmp_path, rules) as proxied:
        answer = await proxied.get("/api/v1/charge-points")

    assert answer.headers["strict-transport-security"] == "max-age=31536000"


async def count_bytes(scope: Scope, receive: Receive, send: Send) -> None:
    from starlette.exceptions import HTTPException

    try:
        body = await Request(scope, receive).body()
    except HTTPException as error:
        status = error.status_code
        await JSONResponse({"detail": error.detail}, status, headers=error.headers)(scope, receive, send)
        return
    except ApiError as error:
        await error.response()(scope, receive, send)
        return
    await JSONResponse(len(body))(scope, receive, send)


@asynccontextmanager
async def counting(usual: Pace, of_firmware: Pace = OF_FIRMWARE) -> AsyncIterator[int]:
    server = HttpServer(BodyLimit(count_bytes, usual, of_firmware), "127.0.0.1", 0)
    port = await server.start()
    try:
        yield port
    finally:
        await server.stop()


async def read_all(reader: asyncio.StreamReader) -> bytes:
    """Up to the end, of whichever kind."""
    received = b""
    with suppress(ConnectionResetError):
        while part := await reader.read(4096):
            received += part
    return received


async def dribble(port: int, request: str, body: bytes) -> bytes:
    """Send a body byte by byte until there is an answer; gives the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{request}\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode())
    answer = asyncio.create_task(read_all(reader))
    for byte in body:
        writer.write(bytes([byte]))
        done, _ = await asyncio.wait((answer,), timeout=0.02)
        if done:
            break
    async with asyncio.timeout(20):
        received = await answer
    writer.close()
    return received


async def test_a_body_that_comes_byte_by_byte_ends() -> None:
    async with counting(Pace(1 << 20, 0.2)) as port:
        answer = await dribble(port, "POST /api/v1/x HTTP/1.1", b"x" * 10_000)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in answer.lower()


async def test_a_body_that_never_comes_ends() -> None:
    async with counting(Pace(1 << 20, 0.1)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /api/v1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n")
        async with asyncio.timeout(20):
            answer = await reader.read()
        writer.close()

    assert answer.startswith(b"HTTP/1.1 408 ")


async def test_firmware_may_take_long_but_has_to_come_on() -> None:
    async with counting(Pace(1, 60), of_firmware=Pace(5, 0.5)) as port:
        steady = await dribble(port, "PUT /api/v1/firmware/a.bin HTTP/1.1\r\nConnection: close", b"x" * 100)
    async with counting(Pace(1, 60), of_firmware=Pace(10_000, 0.2)) as port:
        slow = await dribble(port, "PUT /api/v1/firmware/a.bin HTTP/1.1\r\nConnection: close", b"x" * 20_000)

    assert steady.startswith(b"HTTP/1.1 200 ")
    assert steady.endswith(b"\r\n\r\n100")
    assert slow.startswith(b"HTTP/1.1 408 ")


async def test_who_guesses_the_token_over_a_real_connection_waits_and_the_right_one_passes(tmp_path: Path) -> None:
    async with site(tmp_path, api_token="t0ken") as guarded:
        http: httpx.AsyncClient = guarded.http
        wrong, right = {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer t0ken"}
        statuses = [(await http.get("/api/v1/charge-points", headers=wrong)).status_code for _ in range(10)]
        refused = asyncio.create_task(http.get("/api/v1/charge-points", headers=wrong))
        passed = await http.get("/api/v1/charge-points", headers=right)
        last = await refused

    assert statuses == [401] * 10
    assert passed.status_code == 200
    assert (last.status_code, last.headers["retry-after"]) == (429, "2")
