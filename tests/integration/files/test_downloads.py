"""Chargers fetch firmware: whole, in parts, after a break; by links that end."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from mcpp.domain.errors import Conflict, Unknown
from mcpp.files.directory import FileTooLarge
from mcpp.files.names import BadName
from mcpp.reads.files import list_firmware
from mcpp.reads.paging import PageQuery
from tests.integration.files.support import FIRMWARE, HOST, LIFETIME, LIMIT, START, Site, chunks_of, path_of, site


async def test_a_firmware_image_is_fetched_as_it_was_stored(files: Site) -> None:
    url = await files.firmware_url()
    answer = await files.http.get(url)

    assert url.endswith("/v1.bin")
    assert answer.status_code == 200
    assert answer.content == FIRMWARE
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-length"] == str(len(FIRMWARE))
    assert answer.headers["content-type"] == "application/octet-stream"


async def test_head_tells_size_and_etag_without_the_bytes(files: Site) -> None:
    url = await files.firmware_url()
    head, get = await files.http.head(url), await files.http.get(url)

    assert (head.status_code, head.content) == (200, b"")
    for header in ("content-length", "etag", "accept-ranges"):
        assert head.headers[header] == get.headers[header]


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("0-0", 0, 1),
        ("100-199", 100, 200),
        ("511000-", 511_000, 512_000),
        ("-7", 511_993, 512_000),
        ("5-9999999", 5, 512_000),
    ],
)
async def test_a_range_is_answered_with_206(files: Site, asked: str, start: int, end: int) -> None:
    url = await files.firmware_url()
    answer = await files.http.get(url, headers={"Range": f"bytes={asked}"})

    assert answer.status_code == 206
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(FIRMWARE)}"
    assert answer.content == FIRMWARE[start:end]


async def test_a_range_behind_the_end_is_416(files: Site) -> None:
    url = await files.firmware_url()
    answer = await files.http.get(url, headers={"Range": f"bytes={len(FIRMWARE)}-"})

    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(FIRMWARE)}"


async def test_a_download_that_broke_is_resumed_over_a_restart(tmp_path: Path) -> None:
    async with site(tmp_path) as files:
        url = await files.firmware_url()
        async with files.http.stream("GET", url) as answer:
            etag = answer.headers["etag"]
            begun = await anext(answer.aiter_raw(100_000))

    async with site(tmp_path) as files:
        again = f"http://{HOST}:{files.port}{path_of(url)}"
        rest = await files.http.get(again, headers={"Range": f"bytes={len(begun)}-", "If-Range": etag})
        other = await files.http.get(again, headers={"Range": f"bytes={len(begun)}-", "If-Range": '"other"'})

    assert rest.status_code == 206
    assert begun + rest.content == FIRMWARE
    assert (other.status_code, other.content) == (200, FIRMWARE)


async def test_a_link_ends_when_its_time_is_over(files: Site) -> None:
    await files.store.store_firmware("v1.bin", chunks_of(FIRMWARE))
    link = await files.store.link_firmware("v1.bin")
    longer = await files.store.link_firmware("v1.bin", timedelta(days=30))

    assert link.expires_at == START + LIFETIME
    files.clock.now = link.expires_at - timedelta(milliseconds=1)
    assert (await files.http.get(link.url)).status_code == 200
    files.clock.now = link.expires_at
    assert (await files.http.get(link.url)).status_code == 404
    assert (await files.http.get(longer.url)).status_code == 200


async def test_links_are_long_random_and_no_two_alike(files: Site) -> None:
    urls = {await files.firmware_url(name=f"v{number}.bin") for number in range(5)}
    tokens = {path_of(url).split("/")[2] for url in urls}

    assert len(tokens) == 5
    assert all(len(token) >= 22 for token in tokens)  # 128 bits in base 64


async def test_the_database_does_not_give_links_away(tmp_path: Path) -> None:
    async with site(tmp_path) as files:
        token = path_of(await files.firmware_url()).split("/")[2]
        assert "url" not in repr(await files.store.link_firmware("v1.bin"))
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("mcpp.db*"))

    assert token.encode() not in stored


@pytest.mark.parametrize(
    "target",
    [
        "/firmware/{token}/other.bin",
        "/firmware/{token}/../v1.bin",
        "/firmware/{token}/../../mcpp.db",
        "/firmware/{token}/..%2f..%2fmcpp.db",
        "/firmware/{token}/%2e%2e/mcpp.db",
        "/firmware/{token}//etc/passwd",
        "/firmware/{token}/%2fetc%2fpasswd",
        "/firmware/{token}/..%5c..%5cmcpp.db",
        "/firmware/{token}/v1.bin%00",
        "/firmware/{token}/v1.bin/",
        "/firmware/{token}/",
        "/firmware/{token}",
        "/firmware/" + "A" * 32 + "/v1.bin",
        "/firmware/%ff/v1.bin",
        "/uploads/{token}/v1.bin",
        "/firmware/../mcpp.db",
        "/../mcpp.db",
        "/",
        "//",
    ],
)
async def test_nothing_but_the_linked_file_is_there(files: Site, target: str) -> None:
    token = path_of(await files.firmware_url()).split("/")[2]
    path = target.format(token=token)
    answer = await files.raw(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())

    assert answer.split(b" ")[1] in {b"404", b"405"}
    assert FIRMWARE[:64] not in answer
    assert b"SQLite" not in answer


async def test_a_deleted_image_ends_its_links_and_leaves_no_file(files: Site) -> None:
    url = await files.firmware_url()

    assert await files.store.delete_firmware("v1.bin")
    assert (await files.http.get(url)).status_code == 404
    assert files.on_disk() == []
    assert not await files.store.delete_firmware("v1.bin")
    with pytest.raises(Unknown):
        await files.store.link_firmware("v1.bin")


async def test_a_name_is_given_once_so_that_no_image_changes_under_a_charger(files: Site) -> None:
    url = await files.firmware_url()
    with pytest.raises(Conflict):
        await files.store.store_firmware("v1.bin", chunks_of(b"another"))

    assert (await files.http.get(url)).content == FIRMWARE
    assert len(files.on_disk()) == 1


async def test_of_two_images_that_arrive_under_one_name_one_is_kept(files: Site) -> None:
    results = await asyncio.gather(
        *(files.store.store_firmware("v1.bin", chunks_of(FIRMWARE)) for _ in range(2)), return_exceptions=True
    )

    assert sorted(isinstance(result, Conflict) for result in results) == [False, True]
    assert len(files.on_disk()) == 1


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../v1", "/etc/passwd", "a/b", "a\\b", ".hidden", "v 1", "v%31", "x" * 129, "v1\n"]
)
async def test_other_names_are_refused(files: Site, name: str) -> None:
    with pytest.raises(BadName):
        await files.store.store_firmware(name, chunks_of(FIRMWARE))
    assert files.on_disk() == []


async def test_an_image_over_the_limit_leaves_nothing(files: Site) -> None:
    await files.store.store_firmware("just.bin", chunks_of(bytes(LIMIT)))
    with pytest.raises(FileTooLarge):
        await files.store.store_firmware("over.bin", chunks_of(bytes(LIMIT + 1)))

    assert [image.name for image in (await list_firmware(files.readers, PageQuery())).items] == ["just.bin"]
    assert len(files.on_disk()) == 1


async def test_a_reader_that_stalls_is_given_up_and_others_are_served(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    size = 64 << 20  # more than the kernel buffers
    async with site(tmp_path, patience=0.2, limit=size) as files:
        url = await files.firmware_url(bytes(size))
        reader, writer = await asyncio.open_connection(HOST, files.port, limit=1024)
        writer.write(f"GET {path_of(url)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        other = await files.http.get(url, headers={"Range": "bytes=0-9"})
        async with asyncio.timeout(10):
            while "returned without completing response" not in caplog.text:
                await asyncio.sleep(0)

        assert other.status_code == 206
        assert len(await asyncio.wait_for(reader.read(), 20)) < size
        writer.close()
