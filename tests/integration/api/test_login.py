"""Browsers: a token into a cookie, what the cookie is, what it can't be used for, and the way to the log-in page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from http.cookies import SimpleCookie
from pathlib import Path

import httpx
import pytest

from mcpp.api.access import AccessRules
from mcpp.api.credentials import CredentialStore
from mcpp.api.failed_logins import FREE
from mcpp.domain.tokens import LOGIN_LIFETIME
from tests.integration.api.support import LOCAL, Site, site

SETTING = {"Authorization": "Bearer t0ken"}
PAGE = {"Accept": "text/html,*/*;q=0.8"}
BEHIND_TLS = AccessRules("127.0.0.1", find_client=lambda _, __: ("198.51.100.7", True))


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[Site]:
    """A server with an api-token."""
    async with site(tmp_path, api_token="t0ken") as running:
        yield running


async def log_in(api: Site, token: str = "t0ken") -> dict[str, str]:
    """The header with the cookie of a new log-in."""
    response = await api.http.post("/login", json={"token": token})
    assert response.status_code == 200, response.text
    api.http.cookies.clear()
    return {"Cookie": response.headers["set-cookie"].partition(";")[0]}


@pytest.mark.parametrize(
    ("rules", "name", "secure"), [(LOCAL, "mcpp_session", False), (BEHIND_TLS, "__Host-mcpp_session", True)]
)
async def test_the_cookie(tmp_path: Path, rules: AccessRules, name: str, secure: bool) -> None:
    async with site(tmp_path, rules, api_token="t0ken") as api:
        response = await api.http.post("/login", json={"token": "t0ken"})
        (header,) = response.headers.get_list("set-cookie")
        cookie = SimpleCookie(header)[name]
        me = await api.http.get("/api/v1/me", headers={"Cookie": f"{name}={cookie.value}"})
        other = name.removeprefix("__Host-") if secure else f"__Host-{name}"
        by_other_name = await api.http.get("/api/v1/me", headers={"Cookie": f"{other}={cookie.value}"})

    assert response.status_code == 200
    assert response.json()["name"] == "api-token"
    assert (cookie["path"], cookie["samesite"], cookie["httponly"]) == ("/", "lax", True)
    assert (bool(cookie["secure"]), cookie["domain"]) == (secure, "")
    assert int(cookie["max-age"]) == LOGIN_LIFETIME.total_seconds() == timedelta(days=30).total_seconds()
    assert "t0ken" not in header
    assert me.json() == response.json()
    assert me.json()["session_expires_at"] is not None
    assert by_other_name.status_code == 401


async def test_a_log_in_survives_a_restart_but_not_another_api_token_nor_its_time(guarded: Site) -> None:
    cookie = (await log_in(guarded))["Cookie"].partition("=")[2]
    services = guarded.services
    dump = "\n".join(guarded.books.connection.iterdump())

    async def known_after_restart(api_token: str | None, later: timedelta = timedelta(0)) -> bool:
        store = CredentialStore(api_token, services.readers, services.writer, lambda: services.clock.now() + later)
        await store.load()
        return store.known.by_login(cookie) is not None

    assert cookie not in dump
    assert "t0ken" not in dump
    assert await known_after_restart("t0ken")
    assert not await known_after_restart("other")
    assert not await known_after_restart(None)
    assert not await known_after_restart("t0ken", LOGIN_LIFETIME)


async def test_log_out_ends_the_log_in_and_its_stream(guarded: Site) -> None:
    cookie, other = await log_in(guarded), await log_in(guarded)
    own = cookie | {"Sec-Fetch-Site": "same-origin"}
    async with guarded.http.stream("GET", "/api/v1/events", headers=cookie) as stream:
        out = await guarded.http.post("/logout", headers=own)
        async with asyncio.timeout(10):
            _ = [line async for line in stream.aiter_lines()]

    assert (out.status_code, out.headers["location"]) == (303, "/login")
    assert 'mcpp_session=""' in out.headers["set-cookie"]
    assert "Max-Age=0" in out.headers["set-cookie"]
    assert (await guarded.http.get("/api/v1/me", headers=cookie)).status_code == 401
    assert (await guarded.http.get("/api/v1/me", headers=other)).status_code == 200
    assert (await guarded.http.post("/logout")).status_code == 303


async def test_who_logs_in_again_leaves_no_log_in_behind(guarded: Site) -> None:
    cookie = await log_in(guarded)
    await guarded.http.post("/login", json={"token": "t0ken"}, headers=cookie | {"Sec-Fetch-Site": "same-origin"})
    guarded.http.cookies.clear()

    assert (await guarded.http.get("/api/v1/me", headers=cookie)).status_code == 401
    assert len(guarded.books.q.list_logins()) == 1


async def test_a_form_leads_on(guarded: Site) -> None:
    async def submit(token: str, wanted: str) -> httpx.Response:
        response = await guarded.http.post("/login", data={"token": token, "next": wanted})
        guarded.http.cookies.clear()
        assert response.status_code == 303
        return response

    right = await submit(" t0ken ", "/sessions?month=2026-03&q=ä")
    wrong = await submit("wrong", "/sessions?month=2026-03")

    assert right.headers["location"] == "/sessions?month=2026-03&q=%C3%A4"
    assert "mcpp_session=" in right.headers["set-cookie"]
    assert wrong.headers["location"] == "/login?next=%2Fsessions%3Fmonth%3D2026-03&problem=wrong_token"
    assert "set-cookie" not in wrong.headers
    assert (await submit("wrong", "/")).headers["location"] == "/login?problem=wrong_token"


async def test_no_way_leads_to_another_server(guarded: Site) -> None:
    for wanted in [
        "//evil.example",
        "///evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\r\nSet-Cookie: a=b",
        "/\x00",
        " //evil.example",
        "evil.example",
        "",
        "/login?next=/",
        "/" + "a" * 3000,
    ]:
        response = await guarded.http.post("/login", data={"token": "t0ken", "next": wanted})

        guarded.http.cookies.clear()
        assert (response.status_code, response.headers["location"]) == (303, "/"), wanted
        assert len(response.headers.get_list("set-cookie")) == 1


async def test_pages_lead_to_the_log_in_and_all_else_is_a_problem(guarded: Site) -> None:
    async def answer(method: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
        response = await guarded.http.request(method, path, headers=headers)
        return response.status_code, response.headers.get("location", "")

    assert await answer("GET", "/", PAGE) == (303, "/login")
    assert await answer("GET", "/chargers/CP%2F1?a=%26", PAGE) == (
        303,
        "/login?next=%2Fchargers%2FCP%252F1%3Fa%3D%2526",
    )
    assert await answer("GET", "//evil.example", PAGE) == (303, "/login")
    assert await answer("GET", "/sessions", {"Accept": "application/json"}) == (401, "")
    assert await answer("POST", "/sessions", PAGE) == (401, "")
    for path in ("/api/v1/me", "/api", "/metrics"):
        assert await answer("GET", path, PAGE) == (401, "")
    for path in ("/healthz", "/readyz", "/openapi.json", "/docs"):
        assert await answer("GET", path, PAGE) == (200, "")
    # There is no such page, which only those hear who may ask.
    assert await answer("GET", "/no/such", PAGE | await log_in(guarded)) == (404, "")


async def test_a_cookie_counts_from_pages_of_this_server_only(guarded: Site) -> None:
    own, cookie = f"http://127.0.0.1:{guarded.port}", await log_in(guarded)
    for method, said, status in [
        ("PUT", {}, 403),
        ("PUT", {"Sec-Fetch-Site": "same-origin"}, 201),
        ("PUT", {"Sec-Fetch-Site": "none"}, 403),
        ("PUT", {"Sec-Fetch-Site": "same-site"}, 403),
        ("PUT", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("PUT", {"Origin": "own"}, 201),
        ("PUT", {"Origin": "null"}, 403),
        ("PUT", {"Origin": "http://evil.example"}, 403),
        ("PUT", {"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"}, 403),
        ("PUT", {"Origin": "own", "Sec-Fetch-Site": "cross-site"}, 403),
        ("GET", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("GET", {"Sec-Fetch-Site": "same-site"}, 403),
        ("GET", {"Sec-Fetch-Site": "none"}, 404),
        ("GET", {}, 404),
    ]:
        headers = {name: own if value == "own" else value for name, value in said.items()} | cookie
        response = await guarded.http.request(
            method, "/api/v1/id-tags/A", headers=headers, json={} if method == "PUT" else None
        )

        assert response.status_code == status, said
        assert guarded.books.q.delete_id_tag(id_tag="A") == (1 if status == 201 else 0)


async def test_a_link_from_elsewhere_leads_to_the_page(guarded: Site) -> None:
    headers = await log_in(guarded) | PAGE | {"Sec-Fetch-Site": "cross-site"}

    assert (await guarded.http.get("/no/such/page", headers=headers)).status_code == 404


async def test_a_right_cookie_is_found_among_others_and_beside_a_proxys_password(guarded: Site) -> None:
    (cookie,) = (await log_in(guarded)).values()
    many = {"Cookie": f"a=b; mcpp_session=old; {cookie}; c", "Authorization": "Basic dTpw"}

    assert (await guarded.http.get("/api/v1/me", headers=many)).status_code == 200
    both = {"Cookie": cookie, "Authorization": "Bearer wrong"}
    assert (await guarded.http.get("/api/v1/me", headers=both)).status_code == 401


async def test_who_guesses_at_the_log_in_has_to_wait_and_the_right_token_passes(guarded: Site) -> None:
    answers = [await guarded.http.post("/login", json={"token": f"g{number}"}) for number in range(FREE + 1)]
    by_form = await guarded.http.post("/login", data={"token": "guess"})
    at_the_api = await guarded.http.get("/api/v1/me", headers={"Authorization": "Bearer guess"})

    assert [answer.json()["code"] for answer in answers] == ["wrong_token"] * FREE + ["too_many_failed_logins"]
    assert [answer.status_code for answer in answers] == [401] * FREE + [429]
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert by_form.headers["location"] == "/login?problem=too_many_failed_logins"
    assert at_the_api.status_code == 429
    await log_in(guarded)


async def test_what_is_no_log_in(guarded: Site) -> None:
    for content_type, body in [
        ("application/json", b"{"),
        ("application/json", b'{"token": 5}'),
        ("application/json", b'{"token": "t0ken", "x": 1}'),
        ("application/json", b'{"token": ""}'),
        ("text/plain", b"t0ken"),
        ("application/x-www-form-urlencoded", b""),
        ("application/x-www-form-urlencoded", b"token=t0ken&x=1"),
        ("application/x-www-form-urlencoded", b"&".join(b"token=t0ken" for _ in range(50))),
        ("application/x-www-form-urlencoded", b"token=%ff&next=%00"),
    ]:
        response = await guarded.http.post("/login", content=body, headers={"Content-Type": content_type})

        assert response.status_code in {303, 422}
        assert "set-cookie" not in response.headers
        assert "t0ken" not in response.text


async def test_without_any_token_nobody_has_to_log_in(api: Site) -> None:
    me = await api.get("/api/v1/me")
    page = await api.http.get("/no/such", headers=PAGE)

    assert me.json() == {"name": "local", "role": "operator", "session_expires_at": None}
    assert page.status_code == 404
