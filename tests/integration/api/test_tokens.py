"""Named tokens: who may do what with them, from when on they are needed, and how they end."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from mcpp.api.credentials import Credentials
from mcpp.domain import tokens
from mcpp.domain.occasion import OperatorOccasion
from mcpp.domain.tokens import MOST_LOGINS, MOST_TOKENS
from mcpp.server.chores import CredentialKeeper
from mcpp_generated.db.enums import Role
from tests.integration.api.support import START, Site, minute, site

TOKENS = "/api/v1/tokens"
SETTING = {"Authorization": "Bearer t0ken"}


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[Site]:
    """A server with an api-token."""
    async with site(tmp_path, api_token="t0ken") as running:
        yield running


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def made(api: Site, name: str, role: str, headers: dict[str, str] = SETTING) -> dict[str, str]:
    """A new token's header."""
    response = await api.http.post(TOKENS, json={"name": name, "role": role}, headers=headers)
    assert response.status_code == 201, response.text
    return bearer(response.json()["token"])


async def problem(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


async def test_a_token_is_shown_once_and_its_hash_is_stored(guarded: Site) -> None:
    response = await guarded.http.post(TOKENS, json={"name": "Phone", "role": "viewer"}, headers=SETTING)
    token = response.json().pop("token")
    listed = (await guarded.http.get(TOKENS, headers=SETTING)).json()["items"]
    dump = "\n".join(guarded.books.connection.iterdump())

    assert re.fullmatch(r"mcpp_[\w-]{43}", token)
    assert listed == [{name: value for name, value in response.json().items() if name != "token"}]
    assert (listed[0]["name"], listed[0]["role"], listed[0]["last_used_at"]) == ("Phone", "viewer", None)
    assert token not in dump
    assert token.removeprefix("mcpp_") not in dump
    assert tokens.hash_of(token).hex() in dump.lower()
    me = (await guarded.http.get("/api/v1/me", headers=bearer(token))).json()
    assert me == {"name": "Phone", "role": "viewer", "session_expires_at": None}
    used = (await guarded.http.get(TOKENS, headers=SETTING)).json()["items"][0]["last_used_at"]
    assert used is not None


def url_of(path: str) -> str:
    """A path of the document with something in the place of each parameter."""
    return re.sub(r"\{[^}]+\}", "1", path)


async def test_a_viewer_may_look_at_all_that_holds_no_secrets_and_change_nothing(tmp_path: Path) -> None:
    async with site(tmp_path, api_token="t0ken", with_files=True) as guarded:
        await _look_at_all(guarded)


async def _look_at_all(guarded: Site) -> None:
    viewer = await made(guarded, "Phone", "viewer")
    document: dict[str, Any] = (await guarded.get("/openapi.json")).json()
    refused = {}
    for path, operations in document["paths"].items():
        for method in operations:
            if path in {"/login", "/logout", "/api/v1/events"}:
                continue
            response = await guarded.http.request(method, url_of(path), headers=viewer)
            if response.status_code in {401, 403}:
                refused[f"{method.upper()} {path}"] = response.json()["code"]
    changes = {
        f"{method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method in operations
        if method != "get" and path not in {"/login", "/logout"}
    }

    assert len(changes) > 40
    assert {name for name, code in refused.items() if code == "read_only"} == changes
    assert {name for name, code in refused.items() if code == "operator_only"} == {
        "GET /api/v1/tokens",
        "GET /api/v1/backup",
        "GET /api/v1/uploads/{id}",
    }
    assert refused.keys() == changes | {"GET /api/v1/tokens", "GET /api/v1/backup", "GET /api/v1/uploads/{id}"}
    async with guarded.http.stream("GET", "/api/v1/events", headers=viewer) as stream:
        assert stream.status_code == 200


async def test_an_operators_token_may_do_what_the_setting_may(guarded: Site) -> None:
    operator = await made(guarded, "Laptop", "operator")
    tag = await guarded.http.put("/api/v1/id-tags/A", json={}, headers=operator)
    ended = guarded.books.ended()
    correction = {"energy_wh": 5, "note": "read by hand"}
    corrected = await guarded.http.post(f"/api/v1/transactions/{ended}/correct", json=correction, headers=operator)

    assert tag.status_code == 201
    assert corrected.json()["correction"]["who"] == "Laptop"
    assert (await guarded.http.delete(f"{TOKENS}/laptop", headers=operator)).status_code == 204
    assert await problem(await guarded.http.get(TOKENS, headers=operator)) == (401, "unauthorized")


async def test_without_a_setting_the_first_token_must_be_an_operators_and_the_last_one_stays(api: Site) -> None:
    async with api.http.stream("GET", "/api/v1/events") as stream:
        viewer = await api.http.post(TOKENS, json={"name": "Phone", "role": "viewer"})
        assert (await api.get("/api/v1/me")).json()["name"] == "local"
        operator = await made(api, "Laptop", "operator", {})
        async with asyncio.timeout(10):
            _ = [line async for line in stream.aiter_lines()]  # ends, since it shows no token
    assert await problem(viewer) == (409, "conflict")
    assert "make an operator token first" in viewer.json()["detail"]
    assert await problem(await api.get("/api/v1/me")) == (401, "unauthorized")
    await made(api, "Phone", "viewer", operator)
    last = await api.http.delete(f"{TOKENS}/Laptop", headers=operator)

    assert await problem(last) == (409, "conflict")
    assert "mcpp token revoke" in last.json()["detail"]
    await made(api, "Other", "operator", operator)
    assert (await api.http.delete(f"{TOKENS}/Laptop", headers=operator)).status_code == 204


@asynccontextmanager
async def open_stream(api: Site, headers: dict[str, str]) -> AsyncIterator[httpx.Response]:
    async with api.http.stream("GET", "/api/v1/events", headers=headers) as stream:
        assert stream.status_code == 200
        yield stream


async def test_a_revoked_token_ends_what_it_has_open_and_leaves_the_others(guarded: Site) -> None:
    phone, screen = await made(guarded, "Phone", "viewer"), await made(guarded, "Screen", "viewer")
    logged_in = await guarded.http.post("/login", json={"token": phone["Authorization"].partition(" ")[2]})
    guarded.http.cookies.clear()
    cookie = {"Cookie": f"mcpp_session={logged_in.cookies['mcpp_session']}"}
    async with (
        open_stream(guarded, phone) as by_token,
        open_stream(guarded, cookie) as by_cookie,
        open_stream(guarded, screen) as other,
        asyncio.timeout(10),
    ):
        assert (await guarded.http.delete(f"{TOKENS}/Phone", headers=SETTING)).status_code == 204
        _ = [line async for line in by_token.aiter_lines()]
        _ = [line async for line in by_cookie.aiter_lines()]
        assert await anext(other.aiter_lines()) == ": heartbeat"
    for gone in (phone, cookie):
        assert await problem(await guarded.http.get("/api/v1/me", headers=gone)) == (401, "unauthorized")
    assert guarded.books.q.list_logins() == []
    assert await problem(await guarded.http.delete(f"{TOKENS}/Phone", headers=SETTING)) == (404, "not_found")


async def test_what_a_command_changes_in_the_database_is_noticed(guarded: Site) -> None:
    keeper = CredentialKeeper(guarded.services.credentials, interval=0.01)
    keeper.start()
    try:
        text = tokens.new_token()
        await guarded.writer.submit(tokens.add_token, "Cron", Role.VIEWER, tokens.hash_of(text), START)
        async with asyncio.timeout(10):
            while (await guarded.http.get("/api/v1/me", headers=bearer(text))).status_code != 200:
                await asyncio.sleep(0.01)
            async with open_stream(guarded, bearer(text)) as stream:
                await guarded.writer.submit(tokens.revoke_token, "cron")
                _ = [line async for line in stream.aiter_lines()]
            while (await guarded.http.get("/api/v1/me", headers=bearer(text))).status_code != 401:
                await asyncio.sleep(0.01)
    finally:
        await keeper.stop()


async def test_uses_are_written_once_a_minute_and_at_the_end(guarded: Site) -> None:
    phone = await made(guarded, "Phone", "viewer")
    store, books = guarded.services.credentials, guarded.books

    async def written() -> object:
        await store.refresh()
        return books.q.list_tokens()[0].last_used_at

    assert await written() is None
    await guarded.http.get("/api/v1/me", headers=phone)
    first = await written()
    await guarded.http.get("/api/v1/me", headers=phone)
    assert await written() == first
    await store.finish()
    assert first is not None
    assert books.q.list_tokens()[0].last_used_at != first


async def test_what_is_no_token(guarded: Site) -> None:
    await made(guarded, "Phone", "viewer")
    for body, status, says in [
        ({"name": "phone", "role": "viewer"}, 409, "there is a token 'phone' already"),
        ({"name": " x", "role": "viewer"}, 422, "without a blank"),
        ({"name": "", "role": "viewer"}, 422, "1 to 100"),
        ({"name": "a/b", "role": "viewer"}, 422, "no slash"),
        ({"name": "..", "role": "viewer"}, 422, "part of a path"),
        ({"name": "Local", "role": "viewer"}, 422, "another name"),
        ({"name": "api-token", "role": "viewer"}, 422, "another name"),
        ({"name": "new\u202e\n", "role": "viewer"}, 422, "printable"),
        ({"name": "new", "role": "admin"}, 422, "'operator' or 'viewer'"),
        ({"name": "new"}, 422, "role"),
    ]:
        response = await guarded.http.post(TOKENS, json=body, headers=SETTING)

        assert response.status_code == status, body
        assert says in response.json()["detail"]


async def test_tokens_and_log_ins_are_bounded(guarded: Site) -> None:
    def fill(q: Any, _: OperatorOccasion) -> Any:  # Any: the writer's queries
        for number in range(MOST_TOKENS):
            q.add_token(name=f"T{number}", role=Role.VIEWER, hash=bytes([number]), created_at=START)
        for number in range(MOST_LOGINS + 1):
            tokens.add_login(q, number.to_bytes(2), 1, minute(number))

    await guarded.writer.submit(fill, OperatorOccasion("c" * 32, START))
    one_more = await guarded.http.post(TOKENS, json={"name": "more", "role": "viewer"}, headers=SETTING)
    kept = [row.hash for row in guarded.books.q.list_logins()]

    assert await problem(one_more) == (409, "conflict")
    assert len(kept) == MOST_LOGINS
    assert (0).to_bytes(2) not in kept
    known = Credentials(None, lambda: START)
    known.replace_tokens(guarded.books.q.list_tokens())
    for row in (*guarded.books.q.list_logins(), guarded.books.q.list_logins()[0]._replace(hash=b"one more")):
        known.add_login(row)
    assert len(known._logins) == MOST_LOGINS


async def test_metrics_take_a_viewers_token(guarded: Site) -> None:
    viewer = await made(guarded, "prometheus", "viewer")

    assert (await guarded.http.get("/metrics")).status_code == 401
    assert (await guarded.http.get("/metrics", headers=viewer)).status_code == 200


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
async def test_without_a_token_only_this_machine_gets_in_and_nobody_by_a_proxy(tmp_path: Path, header: str) -> None:
    async with site(tmp_path) as api:
        behind = await api.http.get("/api/v1/id-tags", headers={header: "for=203.0.113.9"})
        page = await api.http.get("/", headers={header: "for=203.0.113.9", "Accept": "text/html"})
        health = await api.http.get("/healthz", headers={header: "for=203.0.113.9"})
        here = await api.http.get("/api/v1/id-tags")

    assert (behind.status_code, page.status_code) == (403, 403)
    assert "api-token" in behind.json()["detail"]
    assert (health.status_code, here.status_code) == (200, 200)
