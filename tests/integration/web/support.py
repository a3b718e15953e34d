"""The pages over HTTP, without a browser."""

from __future__ import annotations

import html
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from mcpp.api.app import create_api
from mcpp.api.services import ApiServices
from mcpp.telemetry.requests import RequestTelemetry
from mcpp.web.app import add_pages
from tests.integration.api.support import LOCAL, Site


@asynccontextmanager
async def browser(
    api: Site, services: ApiServices | None = None, *, raises: bool = True
) -> AsyncIterator[httpx.AsyncClient]:
    """Asks for pages as a browser does; of a site, or of one with other services.

    What the application fails with is raised, or else is answered as a server answers it.
    """
    app = create_api(services or api.services, LOCAL, RequestTelemetry(api.metrics, None))
    add_pages(app)
    transport = httpx.ASGITransport(app, raise_app_exceptions=raises)
    accept = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "Accept-Language": "en"}
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=accept) as http:
        yield http


async def shown(http: httpx.AsyncClient, path: str, language: str = "en") -> str:
    """A page's text, with plain spaces."""
    text = html.unescape((await http.get(path, headers={"Accept-Language": language})).text)
    return text.replace("\N{NO-BREAK SPACE}", " ")
