"""The file in a `multipart/form-data` body (RFC 7578), as it streams by: a form is never held in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from python_multipart import MultipartParser
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import parse_options_header

FORM_OVERHEAD: Final = 65_536
"""Bytes that a form may have beside its file: other fields, no other file."""


class BadForm(Exception):
    """The body is no form, has no file, or ends too early."""


def read_boundary(content_type: str) -> bytes | None:
    """The boundary where the content is a form, None where it isn't. Raises BadForm for a form without one."""
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data":
        return None
    boundary = options.get(b"boundary", b"")
    if not 1 <= len(boundary) <= 70 or not boundary.isascii():  # RFC 2046 §5.1.1
        raise BadForm("the form's boundary is missing or no boundary")
    return boundary


class Form:
    """A form of which the first file counts."""

    def __init__(self, chunks: AsyncIterator[bytes], boundary: bytes) -> None:
        self._chunks = chunks
        self._header, self._value = bytearray(), bytearray()
        self._name: str | None = None
        self._content = b""  # what the last chunk has of the file
        self._complete = False
        self._overhead = 0
        self._parser = MultipartParser(
            boundary,
            {
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_part_data": self._on_part_data,
                "on_part_end": self._on_part_end,
            },
        )
        # The parser knows no preamble (RFC 2046 §5.1.1): to it, that is one more field.
        self._parser.write(b"--" + boundary + b"\r\n\r\n\r\n")

    async def find_file(self) -> str:
        """Skip to the file. Returns the name that the charger has for it; raises BadForm where there is none."""
        async for chunk in self._chunks:
            self._parse(chunk)
            if self._name is not None:
                return self._name
        raise BadForm("the form has no file")

    async def content(self) -> AsyncIterator[bytes]:
        """The bytes of the file, then nothing but the end of the form. Raises BadForm where the form is cut off."""
        yield self._content  # which came with the name
        async for chunk in self._chunks:
            self._parse(chunk)
            yield self._content
        if not self._complete:
            raise BadForm("the form ends too early")

    def _parse(self, chunk: bytes) -> None:
        self._content = b""
        try:
            self._parser.write(chunk)
        except MultipartParseError as error:
            raise BadForm(str(error)) from error
        self._overhead += len(chunk) - len(self._content)
        if self._overhead > FORM_OVERHEAD:
            raise BadForm("the form has too much beside its file")

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        if self._name is None and self._header.lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self._value))
            if b"filename" in options:
                self._name = options[b"filename"].decode(errors="replace")
        self._header.clear()
        self._value.clear()

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._name is not None and not self._complete:
            self._content += data[start:end]

    def _on_part_end(self) -> None:
        self._complete = self._name is not None
