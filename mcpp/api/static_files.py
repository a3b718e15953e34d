"""Files that come with the program: their digest is in their name, so whoever got one may keep it.

Each is compressed once, when it's first asked for, and kept so: it takes no disk, and no work per request.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import re
from importlib.resources.abc import Traversable
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "png": "image/png",
    "svg": "image/svg+xml",
}

_DIGEST_LENGTH: Final = 12

_LEVEL: Final = 9

_IMPORT: Final = re.compile(rb'((?:from |import\()"\./)([\w-]+\.js)(?=")')
"""Of a module beside it: it imports by the name with the digest, too."""

_SHEET: Final = re.compile(rb'@import "\./([\w-]+\.css)";\n')
"""A style sheet that imports one beside it comes with that one in its place: a request less."""

LASTING: Final = "public, max-age=31536000, immutable"


class StaticFiles:
    """The files of one directory of a package, as an ASGI application to be mounted at `prefix`."""

    def __init__(self, prefix: str, directory: Traversable) -> None:
        """`prefix` has no slash at its end. Nothing is read before it is asked for."""
        self._prefix = prefix
        self._directory = directory
        self._addresses: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._compressed: dict[str, bytes] = {}

    def address(self, name: str) -> str:
        """Where a file is to be had. Raises OSError where there is none of that name."""
        known = self._addresses.get(name)
        if known is not None:
            return known
        digest = hashlib.sha256(self._read(name)).hexdigest()[:_DIGEST_LENGTH]
        stem, _, ending = name.rpartition(".")
        address = f"{stem}.{digest}.{ending}"
        self._names[address] = name
        self._addresses[name] = f"{self._prefix}/{address}"
        return self._addresses[name]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request. Raises HTTPException for what isn't there."""
        if scope["method"] not in {"GET", "HEAD"}:
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        name = self._name_of(scope["path"].removeprefix(self._prefix).removeprefix("/"))
        if name is None:
            raise HTTPException(404)
        body = self._compressed.get(name)
        if body is None:
            # Swagger's take a tenth of a second.
            body = await asyncio.to_thread(lambda: gzip.compress(self._read(name), _LEVEL, mtime=0))
            self._compressed[name] = body
        headers = {"Cache-Control": LASTING, "Vary": "Accept-Encoding"}
        if accepts_gzip(Headers(scope=scope)):
            headers["Content-Encoding"] = "gzip"
        else:
            body = gzip.decompress(body)
        response = Response(body, media_type=_TYPES[name.rpartition(".")[2]], headers=headers)
        if scope["method"] == "HEAD":
            response.body = b""
        await response(scope, receive, send)

    def _name_of(self, address: str) -> str | None:
        known = self._names.get(address)
        if known is not None:
            return known
        # After a restart nobody may have asked for a page yet that names it.
        match = re.fullmatch(rf"([\w-]+)\.[0-9a-f]{{{_DIGEST_LENGTH}}}\.(\w+)", address)
        if match is None or match[2] not in _TYPES:
            return None
        try:
            self.address(f"{match[1]}.{match[2]}")
        except OSError:
            return None
        return self._names.get(address)

    def _read(self, name: str) -> bytes:
        content = self._directory.joinpath(name).read_bytes()
        if name.endswith(".css"):
            return _SHEET.sub(lambda match: self._read(match[1].decode()), content)
        if not name.endswith(".js"):
            return content
        return _IMPORT.sub(lambda match: match[1] + self._digested(match[2].decode()).encode(), content)

    def _digested(self, name: str) -> str:
        return self.address(name).rpartition("/")[2]


def accepts_gzip(headers: Headers) -> bool:
    """Whether the client takes an answer that is compressed (RFC 9110 §12.5.3), roughly: `gzip;q=0` is rare."""
    return "gzip" in headers.get("accept-encoding", "")
