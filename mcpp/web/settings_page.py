"""`/settings`: what is set here, the plugins, the tokens, a backup to download."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from mcpp.api.services import FromServices
from mcpp.web.pages import FromRenderer, page_router

router = page_router()


@router.get("/settings")
async def show_settings(request: Request, services: FromServices, renderer: FromRenderer) -> Response:
    """The installation."""
    credentials = services.credentials.known
    context = {
        "server": services.server_state(),
        "settings": services.settings,
        "plugins": services.plugins(),
        "tokens": credentials.known(),
        "is_open": not credentials.needed,
        "has_setting": credentials.has_setting,
    }
    return renderer.page(request, "settings.html", context)
