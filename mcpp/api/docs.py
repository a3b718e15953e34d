"""`/docs`: the API to read and try out; its scripts come from this server, since a site may have no internet."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Final

from fastapi import Request
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse, Response

from mcpp.api.headers import policy_of_page
from mcpp.api.routes import Routes
from mcpp.api.static_files import StaticFiles, accepts_gzip

ASSETS_PATH: Final = "/docs/assets"

DOCUMENT_PATH: Final = "/openapi.json"

assets: Final = StaticFiles(ASSETS_PATH, files("fastapi_offline").joinpath("static"))

router = Routes(include_in_schema=False)


class Document:
    """The OpenAPI document, made and compressed once, on a thread: making it takes seconds.

    It depends on whether a token is needed.
    """

    def __init__(self, make: Callable[[], Mapping[str, object]]) -> None:
        self._make = make
        self._compressed: dict[bool, bytes] = {}
        self._making = asyncio.Lock()

    async def compressed(self, *, is_guarded: bool) -> bytes:
        """As JSON, by gzip."""
        async with self._making:
            found = self._compressed.get(is_guarded)
            if found is None:
                found = self._compressed[is_guarded] = await asyncio.to_thread(self._compress)
            return found

    def _compress(self) -> bytes:
        text = json.dumps(self._make(), ensure_ascii=False, separators=(",", ":"))
        return gzip.compress(text.encode(), mtime=0)


@router.get(DOCUMENT_PATH)
async def get_document(request: Request) -> Response:
    """What describes the API."""
    document: Document = request.app.state.document
    body = await document.compressed(is_guarded=request.app.state.services.credentials.known.needed)
    headers = {"Vary": "Accept-Encoding"}
    if accepts_gzip(request.headers):
        headers["Content-Encoding"] = "gzip"
    else:
        body = await asyncio.to_thread(gzip.decompress, body)
    return Response(body, media_type="application/json", headers=headers)


@router.get("/docs")
async def get_docs() -> HTMLResponse:
    """The page around the document."""
    page = get_swagger_ui_html(
        openapi_url=DOCUMENT_PATH,
        title="MCPP",
        swagger_js_url=assets.address("swagger-ui-bundle.js"),
        swagger_css_url=assets.address("swagger-ui.css"),
        swagger_favicon_url=assets.address("favicon.png"),
        # Without a validator: the page would show the document to one on the internet.
        swagger_ui_parameters={"validatorUrl": None},
    )
    page.headers["Content-Security-Policy"] = policy_of_page(bytes(page.body).decode())
    return page
