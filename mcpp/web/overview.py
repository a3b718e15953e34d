"""`/`: whether all is well, what needs whom, and what flows."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from mcpp.api.services import FromServices
from mcpp.web.pages import FromRenderer, page_router

router = page_router()


@router.get("/")
async def show_overview(request: Request, services: FromServices, renderer: FromRenderer) -> Response:
    """The overview."""
    points = await services.charge_points.list_all()
    return renderer.page(request, "overview.html", {"points": points})
