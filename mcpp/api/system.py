"""Health, readiness and metrics: what machines ask the server about itself."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Final, Literal

from fastapi import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from mcpp.api.models import Health, Readiness
from mcpp.api.problems import documented
from mcpp.api.routes import Routes
from mcpp.api.services import FromServices

router = Routes(tags=["system"])
metrics_router = Routes(tags=["system"])

_GZIP: Final = 31
"""What zlib calls this format."""

_METRICS = {name: {"schema": {"type": "string"}} for name in ("text/plain", "application/openmetrics-text")}


@router.get("/healthz", response_model=Health)
async def get_health() -> Health:
    """The process is alive."""
    return Health()


@router.get(
    "/readyz",
    response_model=Readiness,
    responses={HTTPStatus.SERVICE_UNAVAILABLE: {"model": Readiness, "description": "A check fails."}},
)
async def get_readiness(services: FromServices) -> Response:
    """Whether the database can be written and its schema is current."""
    checks = dict(await services.check_readiness())
    is_ready = all(result == "ok" for result in checks.values())
    clock: Literal["ok", "wrong"] = "wrong" if services.clock.is_wrong else "ok"
    answer = Readiness(status="ok" if is_ready else "unavailable", checks=checks, clock=clock)
    return JSONResponse(answer.model_dump(), HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE)


@metrics_router.get(
    "/metrics",
    response_class=Response,
    responses={
        HTTPStatus.OK: {"content": _METRICS},
        **documented(HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS),
    },
)
async def get_metrics(services: FromServices, request: Request) -> Response:
    """Prometheus text, or OpenMetrics with exemplars where `Accept` asks for it."""
    content_type, pieces = services.render_metrics(request.headers.get("accept", ""))
    headers = {"content-type": content_type, "vary": "Accept, Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        pieces = _gzipped(pieces)
        headers["content-encoding"] = "gzip"
    return StreamingResponse(pieces, headers=headers)


async def _gzipped(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """At the fastest level: a fifth more work for a twentieth of the bytes."""
    compressor = zlib.compressobj(level=1, wbits=_GZIP)
    async for piece in pieces:
        yield compressor.compress(piece)
    yield compressor.flush()
