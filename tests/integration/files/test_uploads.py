"""Chargers put diagnostics and logs: as a body or as a form, whole or not at all, and nowhere else."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import httpx
import pytest

from mcpp.domain.charge_points import delete_charge_point
from mcpp.domain.errors import Unknown
from mcpp.domain.events import FileReceived
from mcpp.domain.occasion import OperatorOccasion
from mcpp.files import directory
from mcpp.files.records import FILES_PER_LINK
from mcpp.reads.files import UploadQuery, list_uploads
from tests.integration.files.support import HOST, LIMIT, Site, path_of, site

BY_HAND: Final = OperatorOccasion("a" * 32, datetime(2026, 5, 1, tzinfo=UTC))
DIAGNOSTICS: Final = b"line \r\n--of a log--\r\n" * 5000


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("end", ["diag.zip", "/diag.zip", "//logs/diag.zip"])
async def test_a_body_is_stored_under_the_name_that_the_charger_appends(files: Site, method: str, end: str) -> None:
    answer = await files.http.request(method, await files.upload_url() + end, content=DIAGNOSTICS)

    assert answer.status_code == (201 if method == "PUT" else 200)
    assert await files.contents() == {"diag.zip": DIAGNOSTICS}


async def test_a_charger_that_uses_the_link_as_it_is_gives_no_name(files: Site) -> None:
    url = await files.upload_url()

    assert (await files.http.put(url, content=b"one")).status_code == 201
    assert (await files.http.put(url.rstrip("/"), content=b"two")).status_code == 200
    assert await files.contents() == {"upload": b"two"}


@pytest.mark.parametrize("method", ["PUT", "POST"])
async def test_the_file_of_a_form_is_stored_without_the_form(files: Site, method: str) -> None:
    answer = await files.http.request(
        method,
        await files.upload_url(),
        data={"before": "x" * 1000},
        files={"file": ("../dir/diag log.zip", DIAGNOSTICS, "application/zip")},
    )

    assert answer.is_success
    assert await files.contents() == {"diag_log.zip": DIAGNOSTICS}


async def test_who_put_what_is_told_and_listed(files: Site) -> None:
    one, other = await files.upload_url("CP-1"), await files.upload_url("CP-2")
    for url, name in ((one, "a.log"), (other, "b.log"), (one, "c.log")):
        await files.http.put(url + name, content=name.encode())

    told = [event for event in files.events if isinstance(event, FileReceived)]
    assert [(event.charge_point_id, event.name, event.size_bytes) for event in told] == [
        ("CP-1", "a.log", 5),
        ("CP-2", "b.log", 5),
        ("CP-1", "c.log", 5),
    ]
    assert [upload.name for upload in await files.uploads()] == ["c.log", "b.log", "a.log"]
    first = await list_uploads(files.readers, UploadQuery(charge_point_id="CP-1", limit=1))
    (newest,) = first.items
    assert (newest.id, newest.name, newest.received_at) == (told[2].upload_id, "c.log", files.clock.now)
    second = await list_uploads(files.readers, UploadQuery(charge_point_id="CP-1", cursor=first.next_cursor))
    assert [upload.name for upload in second.items] == ["a.log"]


async def test_a_repeat_takes_the_place_of_the_earlier_file(files: Site) -> None:
    url = await files.upload_url() + "diag.zip"

    assert (await files.http.put(url, content=b"first")).status_code == 201
    assert (await files.http.put(url, content=b"second")).status_code == 200
    assert await files.contents() == {"diag.zip": b"second"}
    assert len(files.on_disk()) == 1


async def test_another_link_does_not_touch_it(files: Site) -> None:
    for content in (b"first", b"second"):
        await files.http.put(await files.upload_url() + "diag.zip", content=content)

    assert len(await files.uploads()) == 2
    assert len(files.on_disk()) == 2


async def test_a_link_takes_so_many_files_and_no_more(files: Site) -> None:
    url = await files.upload_url()
    statuses = [(await files.http.put(f"{url}{n}.log", content=b"x")).status_code for n in range(FILES_PER_LINK + 1)]

    assert statuses == [201] * FILES_PER_LINK + [409]
    assert len(files.on_disk()) == FILES_PER_LINK


async def test_a_link_ends_when_its_time_is_over_and_its_files_stay(files: Site) -> None:
    url = await files.upload_url()
    await files.http.put(url + "before.log", content=b"x")
    files.clock.now += timedelta(hours=2)

    assert (await files.http.put(url + "after.log", content=b"x")).status_code == 404
    await files.upload_url()  # which clears expired ones away
    assert await files.contents() == {"before.log": b"x"}


async def test_links_and_files_outlive_a_restart(tmp_path: Path) -> None:
    async with site(tmp_path) as files:
        url = await files.upload_url()
        await files.http.put(url + "before.log", content=b"one")
    async with site(tmp_path) as files:
        again = f"http://{HOST}:{files.port}{path_of(url)}"
        assert (await files.http.put(again + "after.log", content=b"two")).status_code == 201
        assert await files.contents() == {"before.log": b"one", "after.log": b"two"}


@pytest.mark.parametrize(
    ("target", "status", "name"),
    [
        ("/uploads/{token}/../../../escape", 404, None),
        ("/uploads/{token}/..%2f..%2fescape", 404, None),
        ("/uploads/{token}/%2e%2e/escape", 404, None),
        ("/uploads/{token}/..%5cescape", 404, None),
        ("/uploads/{token}/x%00y", 404, None),
        ("/uploads/" + "A" * 32 + "/x", 404, None),
        ("/uploads//x", 404, None),
        ("/firmware/{token}/x", 405, None),
        ("/uploads/{token}//etc/cron.d/x", 201, "x"),
        ("/uploads/{token}/.hidden", 201, "hidden"),
        ("/uploads/{token}/a%20b%09c", 201, "a_b_c"),
        ("/uploads/{token}/C:%5Clogs%5Cd.log", 201, "d.log"),
        ("/uploads/{token}/" + "x" * 300, 201, "x" * 128),
    ],
)
async def test_no_name_leads_out_of_the_directory(files: Site, target: str, status: int, name: str | None) -> None:
    token = path_of(await files.upload_url()).split("/")[2]
    head = f"PUT {target.format(token=token)} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nConnection: close\r\n\r\n!"
    answer = await files.raw(head.encode())

    assert answer.split(b" ")[1] == str(status).encode()
    assert [upload.name for upload in await files.uploads()] == ([name] if name else [])
    assert len(files.on_disk()) == len([*files.directory.iterdir()]) == (1 if name else 0)


async def test_a_body_that_says_it_is_too_large_is_refused_unread(files: Site) -> None:
    url = await files.upload_url()
    head = f"PUT {path_of(url)}x HTTP/1.1\r\nHost: x\r\nContent-Length: {LIMIT * 10}\r\n\r\n"
    answer = await files.raw(head.encode())

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert files.on_disk() == []


async def test_a_body_that_grows_too_large_leaves_nothing(files: Site) -> None:
    url = await files.upload_url()
    reader, writer = await asyncio.open_connection(HOST, files.port)
    writer.write(f"PUT {path_of(url)}x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
    for _ in range(LIMIT // 65_536 + 1):
        writer.write(b"10000\r\n" + bytes(65_536) + b"\r\n")
    answer = await asyncio.wait_for(reader.readline(), 10)
    writer.close()

    assert answer.startswith(b"HTTP/1.1 413 ")
    await files.until_on_disk(0)


async def test_a_file_of_just_the_limit_is_taken_as_body_and_as_form(files: Site) -> None:
    url = await files.upload_url()

    assert (await files.http.put(url + "body", content=bytes(LIMIT))).status_code == 201
    form = await files.http.post(url, files={"file": ("form", bytes(LIMIT))})
    assert form.status_code == 200
    assert {name: len(content) for name, content in (await files.contents()).items()} == {"body": LIMIT, "form": LIMIT}


@pytest.mark.parametrize(
    "begun",
    [
        b"Content-Length: 100000\r\n\r\n" + b"x" * 5000,
        b"Transfer-Encoding: chunked\r\n\r\n1388\r\n" + b"x" * 5000 + b"\r\n",
        b"Content-Length: 100000\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n"
        b'--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n' + b"x" * 5000,
    ],
)
async def test_a_broken_upload_leaves_nothing_and_may_be_repeated(files: Site, begun: bytes) -> None:
    url = await files.upload_url()
    _, writer = await asyncio.open_connection(HOST, files.port)
    writer.write(f"PUT {path_of(url)}diag.zip HTTP/1.1\r\nHost: x\r\n".encode() + begun)
    await files.until_on_disk(1)
    writer.transport.abort()
    await files.until_on_disk(0)

    assert await files.uploads() == []
    assert (await files.http.put(url + "diag.zip", content=b"whole")).status_code == 201
    assert await files.contents() == {"diag.zip": b"whole"}


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--b\r\n\r\nx\r\n--b--\r\n"),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"no form at all"),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="f"\r\n\r\nx\r\n--b--'),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\ncut off',
        ),
        ("multipart/form-data; boundary=b", b"--b\r\nX: " + b"y" * 20_000),
    ],
)
async def test_a_form_without_a_whole_file_is_refused(files: Site, content_type: str, body: bytes) -> None:
    url = await files.upload_url()
    answer = await files.http.post(url, content=body, headers={"Content-Type": content_type})

    assert answer.status_code == 400
    assert files.on_disk() == []


async def test_a_part_of_a_file_is_refused(files: Site) -> None:
    url = await files.upload_url()
    answer = await files.http.put(url, content=b"x", headers={"Content-Range": "bytes 0-0/2"})

    assert answer.status_code == 400
    assert files.on_disk() == []


async def test_one_file_at_a_time_by_a_link(files: Site) -> None:
    url = await files.upload_url()
    reader, writer = await asyncio.open_connection(HOST, files.port)
    writer.write(f"PUT {path_of(url)}a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n1".encode())
    await files.until_on_disk(1)

    assert (await files.http.put(url + "b", content=b"x")).status_code == 409
    assert (await files.http.put(await files.upload_url("CP-2"), content=b"x")).status_code == 201
    writer.write(b"2")
    assert (await asyncio.wait_for(reader.readline(), 10)).startswith(b"HTTP/1.1 201 ")
    writer.close()


async def test_a_charger_that_stalls_is_given_up(tmp_path: Path) -> None:
    async with site(tmp_path, patience=0.2) as files:
        url = await files.upload_url()
        answer = await files.raw(f"PUT {path_of(url)}a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1".encode())

        assert answer.startswith(b"HTTP/1.1 408 ")
        assert files.on_disk() == []


async def test_a_disk_that_is_full_is_said_and_leaves_nothing(
    files: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    url = await files.upload_url()
    monkeypatch.setattr(directory, "RESERVE", 1 << 60)
    with caplog.at_level(logging.ERROR):
        answer = await files.http.put(url + "diag.zip", content=DIAGNOSTICS)

    assert answer.status_code == 507
    assert str(files.directory) not in answer.text
    assert f"the disk of {files.directory} is full" in caplog.text
    assert files.on_disk() == []
    monkeypatch.undo()
    assert (await files.http.put(url + "diag.zip", content=DIAGNOSTICS)).status_code == 201


async def test_a_directory_that_is_gone_is_said(files: Site) -> None:
    url = await files.upload_url()
    files.directory.rmdir()

    assert (await files.http.put(url, content=b"x")).status_code == 507


async def test_what_a_crash_has_left_is_cleared_away_and_foreign_files_are_not(tmp_path: Path) -> None:
    async with site(tmp_path) as files:
        await files.http.put(await files.upload_url() + "kept.log", content=b"kept")
        (files.directory / f"{'a' * 32}.part").write_bytes(b"half")
        (files.directory / ("b" * 32)).write_bytes(b"whole, but not in the books")
        (files.directory / "notes.txt").write_bytes(b"somebody's")
    async with site(tmp_path) as files:
        assert await files.contents() == {"kept.log": b"kept"}
        assert len(files.on_disk()) == 2
        assert (files.directory / "notes.txt").exists()


async def test_a_sweep_spares_what_is_arriving(files: Site) -> None:
    url = await files.upload_url()
    reader, writer = await asyncio.open_connection(HOST, files.port)
    writer.write(f"PUT {path_of(url)}a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n1".encode())
    await files.until_on_disk(1)
    await files.store.sweep()
    writer.write(b"2")

    assert (await asyncio.wait_for(reader.readline(), 10)).startswith(b"HTTP/1.1 201 ")
    assert await files.contents() == {"a": b"12"}
    writer.close()


async def test_with_a_charge_point_go_its_links_and_files(files: Site) -> None:
    url = await files.upload_url()
    await files.http.put(url + "diag.zip", content=DIAGNOSTICS)
    await files.writer.submit(delete_charge_point, BY_HAND, "CP-1", purge=False)
    await files.store.sweep()

    assert (await files.http.put(url + "diag.zip", content=DIAGNOSTICS)).status_code == 404
    assert files.on_disk() == []
    with pytest.raises(Unknown):
        await files.store.link_upload("CP-1")


async def test_one_forgotten_while_its_file_arrives_leaves_nothing(files: Site) -> None:
    url = await files.upload_url()
    reader, writer = await asyncio.open_connection(HOST, files.port)
    writer.write(f"PUT {path_of(url)}a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n1".encode())
    await files.until_on_disk(1)
    await files.writer.submit(delete_charge_point, BY_HAND, "CP-1", purge=False)
    writer.write(b"2")

    assert (await asyncio.wait_for(reader.readline(), 10)).startswith(b"HTTP/1.1 404 ")
    await files.until_on_disk(0)
    writer.close()


async def test_a_file_is_forgotten_on_demand(files: Site) -> None:
    await files.http.put(await files.upload_url(), content=b"x")
    (upload,) = await files.uploads()

    assert await files.store.delete_upload(upload.id)
    assert not await files.store.delete_upload(upload.id)
    assert await files.store.find_upload(upload.id) is None
    assert files.on_disk() == []


async def test_a_hundred_chargers_put_at_once(files: Site) -> None:
    urls = [await files.upload_url(f"CP-{number}") for number in range(100)]
    limits = httpx.Limits(max_connections=100)
    async with httpx.AsyncClient(timeout=30, trust_env=False, limits=limits) as http:
        answers = await asyncio.gather(*(http.put(url, content=DIAGNOSTICS) for url in urls))

    assert {answer.status_code for answer in answers} == {201}
    assert len(files.on_disk()) == 100
