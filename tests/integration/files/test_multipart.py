"""Forms as they stream by: however they are cut into chunks, the file is the same."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mcpp.files.multipart import BadForm, Form, read_boundary
from mcpp.files.names import tame

HEAD = b'Content-Disposition: form-data; name="file"; filename="diag.zip"\r\nContent-Type: application/zip\r\n'


async def each(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def read(body: bytes, cuts: Iterable[int] = ()) -> tuple[str, bytes]:
    edges = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    form = Form(each(body[start:end] for start, end in pairwise(edges)), b"b0")
    name = await form.find_file()
    return name, b"".join([chunk async for chunk in form.content()])


@given(
    content=st.lists(st.sampled_from([b"\r\n", b"--", b"\r\n--b", b"b0", b"\r", b"\0x"]) | st.binary()).map(b"".join),
    cuts=st.lists(st.integers(0, 2000)),
    preamble=st.sampled_from([b"", b"\r\n", b"to be ignored\r\n"]),
    field=st.booleans(),
)
async def test_the_file_is_the_same_however_it_is_cut(
    content: bytes, cuts: list[int], preamble: bytes, field: bool
) -> None:
    before = b'--b0\r\nContent-Disposition: form-data; name="f"\r\n\r\nvalue\r\n' if field else b""
    body = preamble + before + b"--b0 \r\n" + HEAD + b"\r\n" + content + b"\r\n--b0--\r\n"
    assume(b"\r\n--b0" not in content)

    assert await read(body, cuts) == ("diag.zip", content)


@given(end=st.integers(0, 320))
async def test_a_form_that_is_cut_off_has_no_file(end: int) -> None:
    body = b"--b0\r\n" + HEAD + b"\r\n" + b"x" * 200 + b"\r\n--b0--"
    assume(end < len(body) - 2)
    with pytest.raises(BadForm):
        await read(body[:end])


async def test_a_second_file_is_not_taken_for_rest() -> None:
    body = b"--b0\r\n" + HEAD + b"\r\nx\r\n--b0\r\n" + HEAD + b"\r\n" + bytes(100_000) + b"\r\n--b0--"
    with pytest.raises(BadForm):
        await read(body, range(0, len(body), 1000))


async def test_fields_without_end_are_not_read_to_the_end() -> None:
    field = b'--b0\r\nContent-Disposition: form-data; name="f"\r\n\r\n' + bytes(100_000) + b"\r\n"
    with pytest.raises(BadForm):
        await read(field + b"--b0\r\n" + HEAD + b"\r\nx\r\n--b0--", range(0, len(field), 1000))


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        (b'form-data; name="f"; filename=""', ""),
        (b"form-data;filename=diag.zip;name=f", "diag.zip"),
        (b'form-data; name="f"; filename="a; b.log"', "a; b.log"),
        ('form-data; name="f"; filename="Prüfung.log"'.encode(), "Prüfung.log"),
    ],
)
async def test_the_name_is_that_of_the_disposition(disposition: bytes, name: str) -> None:
    body = b"--b0\r\ncontent-disposition: " + disposition + b"\r\n\r\nx\r\n--b0--"

    assert await read(body) == (name, b"x")


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("", None),
        ("application/octet-stream", None),
        ("text/plain; boundary=b", None),
        ("multipart/form-data; boundary=abc", b"abc"),
        ('Multipart/Form-Data; charset=utf-8; boundary="a b:c"', b"a b:c"),
    ],
)
def test_the_boundary_is_that_of_the_content_type(content_type: str, boundary: bytes | None) -> None:
    assert read_boundary(content_type) == boundary


@given(st.text())
def test_every_name_is_tamed(name: str) -> None:
    tamed = tame(name)

    assert 1 <= len(tamed) <= 128
    assert not tamed.startswith(".")
    assert not set(tamed) & set("/\\\0\n")
    assert tame(tamed) == tamed
