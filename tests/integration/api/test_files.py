"""Firmware, uploads and the links to them, as a person handles them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.integration.api.support import Site, site

IMAGE = bytes(range(256)) * 6000
"""More than the limit of other bodies, less than that of files."""


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Site]:
    async with site(tmp_path, with_files=True) as running:
        yield running


async def chunks(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 100_000):
        yield content[start : start + 100_000]


def hours_from_now(moment: object) -> float:
    assert isinstance(moment, str)
    return (datetime.fromisoformat(moment) - datetime.now(UTC)) / timedelta(hours=1)


async def put_log(api: Site, identity: str, name: str, content: bytes) -> None:
    """As a charge point would."""
    link = (await api.http.post(f"/api/v1/charge-points/{identity}/upload-links")).json()
    token = link["url"].split("/")[-2]
    found = await api.files.find_upload_link(token)
    assert found is not None
    await api.files.receive(found, name, chunks(content))


async def test_firmware_from_the_upload_to_the_end(api: Site) -> None:
    url = "/api/v1/firmware/box-2.4.1.bin"
    stored = await api.http.put(url, content=chunks(IMAGE))
    taken = await api.http.put(url, content=b"another")
    link = await api.http.post(f"{url}/links")
    short = await api.http.post(f"{url}/links", json={"lifetime_hours": 1})
    listed = await api.items("/api/v1/firmware")
    read = await api.get(url)
    deleted = await api.http.delete(url)

    assert stored.status_code == 201
    expected = {"name": "box-2.4.1.bin", "size_bytes": len(IMAGE), "sha256": hashlib.sha256(IMAGE).hexdigest()}
    assert stored.json() == expected | {"stored_at": stored.json()["stored_at"]}
    assert (taken.status_code, taken.json()["code"]) == (409, "conflict")
    assert link.status_code == 201
    assert re.fullmatch(r"http://files\.example/firmware/[\w-]{32}/box-2\.4\.1\.bin", link.json()["url"])
    assert 71.9 < hours_from_now(link.json()["expires_at"]) <= 72
    assert 0.9 < hours_from_now(short.json()["expires_at"]) <= 1
    assert listed == [read.json()] == [stored.json()]
    assert deleted.status_code == 204
    assert [(await api.get(url)).status_code, (await api.http.delete(url)).status_code] == [404, 404]
    assert (await api.http.post(f"{url}/links")).status_code == 404


@pytest.mark.parametrize(
    ("name", "size", "status", "code"),
    [
        (".hidden", 1, 422, "invalid_parameter"),
        ("empty", 0, 422, "invalid_parameter"),
        ("box", 2 * 1024 * 1024 + 1, 413, "payload_too_large"),
    ],
)
async def test_firmware_that_is_refused(api: Site, name: str, size: int, status: int, code: str) -> None:
    response = await api.http.put(f"/api/v1/firmware/{name}", content=chunks(bytes(size)))

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert await api.items("/api/v1/firmware") == []


async def test_pages_of_firmware(api: Site) -> None:
    for name in ("b", "a", "c"):
        await api.http.put(f"/api/v1/firmware/{name}", content=b"x")
    first = (await api.get("/api/v1/firmware", limit=2)).json()
    second = (await api.get("/api/v1/firmware", cursor=first["next_cursor"])).json()

    assert [item["name"] for item in first["items"] + second["items"]] == ["a", "b", "c"]


async def test_what_chargers_have_put(api: Site) -> None:
    for identity in ("A", "B"):
        api.books.charge_point(identity)
        await put_log(api, identity, f"{identity}.zip", identity.encode() * 10)
    items = await api.items("/api/v1/uploads")
    url = f"/api/v1/uploads/{items[0]['id']}"
    content = await api.get(url)
    deleted = await api.http.delete(url)

    assert [(item["charge_point_id"], item["name"], item["size_bytes"]) for item in items] == [
        ("B", "B.zip", 10),
        ("A", "A.zip", 10),
    ]
    assert await api.items("/api/v1/uploads", charge_point_id="A") == items[1:]
    assert content.content == b"B" * 10
    assert content.headers["content-type"] == "application/octet-stream"
    assert content.headers["content-disposition"] == 'attachment; filename="B.zip"'
    assert deleted.status_code == 204
    assert [(await api.get(url)).status_code, (await api.http.delete(url)).status_code] == [404, 404]
    assert (await api.http.post("/api/v1/charge-points/C/upload-links")).status_code == 404


async def test_a_forgotten_charger_takes_its_files_along(api: Site, tmp_path: Path) -> None:
    api.books.charge_point("A")
    await put_log(api, "A", "log", b"x")
    before = len(list((tmp_path / "files").iterdir()))
    deleted = await api.http.delete("/api/v1/charge-points/A")

    assert (before, deleted.status_code) == (1, 204)
    assert list((tmp_path / "files").iterdir()) == []
