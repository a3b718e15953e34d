"""`/connect`: what to type into a charger, which ones just came, and which were refused and why."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import Final

import segno
from fastapi import Request
from markupsafe import Markup
from starlette.responses import Response

from mcpp.api.services import FromServices
from mcpp.reads.charge_points import ChargePoint
from mcpp.web.pages import FromRenderer, page_router

router = page_router()

_LATELY: Final = timedelta(hours=1)
_SHOWN: Final = 20
_LONGEST_QR: Final = 300


@router.get("/connect")
async def show_connect(request: Request, services: FromServices, renderer: FromRenderer) -> Response:
    """How to connect a charger, and who tries to."""
    info = services.connect_info()
    since = services.clock.now() - _LATELY
    points = await services.charge_points.list_all()
    lately = [it for it in points if it.last_connect_at is not None and it.last_connect_at >= since]
    refused = services.refused.newest_first()
    context = {
        "info": info,
        "qr": qr_code(info.url),
        "connected": sorted(lately, key=_last_connect, reverse=True)[:_SHOWN],
        "known": len(points),
        "refused": refused,
    }
    return renderer.page(request, "connect.html", context)


def _last_connect(point: ChargePoint) -> float:
    return 0.0 if point.last_connect_at is None else point.last_connect_at.timestamp()


@lru_cache(maxsize=8)
def qr_code(text: str) -> Markup | None:
    """A QR code as SVG; None for a text that is too long to be scanned from a screen."""
    if len(text) > _LONGEST_QR:
        return None
    drawn = segno.make(text, error="m", micro=False).svg_inline(omitsize=True, border=2, title=text, unit=None)
    return Markup(drawn)  # noqa: S704  # nosec B704  segno escapes the title
