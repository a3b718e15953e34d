"""The file in a `multipart/form-data` body (RFC 7578), as it streams by: a form is never held in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from email.message import Message
from email.parser import BytesHeaderParser
from typing import Final

_LONGEST_HEAD: Final = 16_384
"""Bytes of a part's headers."""

_LONGEST_REST: Final = 65_536
"""Bytes behind the file: other fields, no other file."""


class BadForm(Exception):
    """The body is no form, has no file, or ends too early."""


def read_boundary(content_type: str) -> bytes | None:
    """The boundary where the content is a form, None where it isn't. Raises BadForm for a form without one."""
    message = Message()
    message["Content-Type"] = content_type
    if message.get_content_type() != "multipart/form-data":
        return None
    boundary = message.get_boundary()
    if not boundary or len(boundary) > 70 or not boundary.isascii():
        raise BadForm("the form's boundary is missing or no boundary")
    return boundary.encode()


class Form:
    """A form of which the first file counts."""

    def __init__(self, chunks: AsyncIterator[bytes], boundary: bytes) -> None:
        self._chunks = chunks
        self._delimiter = b"\r\n--" + boundary
        self._buffer = bytearray(b"\r\n")  # the first delimiter may lack it

    async def find_file(self) -> str:
        """Skip to the file; gives the name that the charger has for it. Raises BadForm where there is none."""
        while True:
            async for _ in self._part():
                pass  # a field, or what stands before the first
            if await self._is_end():
                raise BadForm("the form has no file")
            name = BytesHeaderParser().parsebytes(await self._head()).get_filename()
            if name is not None:
                return name

    async def content(self) -> AsyncIterator[bytes]:
        """The bytes of the file, then nothing but the end of the form. Raises BadForm where the form is cut off."""
        async for chunk in self._part():
            yield chunk
        rest = len(self._buffer)
        async for chunk in self._chunks:
            rest += len(chunk)
            if rest > _LONGEST_REST:
                raise BadForm("the form has more than one file")

    async def _part(self) -> AsyncIterator[bytes]:
        """The bytes up to the next delimiter, which is consumed."""
        buffer, delimiter = self._buffer, self._delimiter
        while (at := buffer.find(delimiter)) < 0:
            safe = len(buffer) - len(delimiter) + 1  # the rest may be the beginning of the delimiter
            if safe > 0:
                yield bytes(buffer[:safe])
                del buffer[:safe]
            await self._more()
        yield bytes(buffer[:at])
        del buffer[: at + len(delimiter)]

    async def _is_end(self) -> bool:
        while len(self._buffer) < 2:
            await self._more()
        return self._buffer.startswith(b"--")

    async def _head(self) -> bytes:
        """From the delimiter to the empty line behind a part's headers."""
        while (at := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > _LONGEST_HEAD:
                raise BadForm("the headers of a part are too long")
            await self._more()
        _, _, head = bytes(self._buffer[: at + 2]).partition(b"\r\n")
        del self._buffer[: at + 4]
        return head

    async def _more(self) -> None:
        chunk = await anext(self._chunks, b"")
        if not chunk:
            raise BadForm("the form ends too early")
        self._buffer += chunk
