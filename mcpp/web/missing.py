"""What a browser gets where there is no page, or making it failed: one that says so, in place of the API's problem."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final, TypeAlias, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from mcpp.api.access import is_page
from mcpp.api.callers import SAFE_METHODS
from mcpp.ocppj.flow import active_correlation_id
from mcpp.web.rendering import Renderer

_Handler: TypeAlias = Callable[[Request, Exception], Awaitable[Response]]

_KINDS: Final = (HTTPException, RequestValidationError, Exception)
"""An unknown path; one whose parameters can't be true, such as letters in a session's number; what nobody expected."""


def answer_with_page(app: FastAPI, renderer: Renderer) -> None:
    """To be called once the application has its own answers to errors, which stay those of all others."""
    for kind in _KINDS:
        app.add_exception_handler(kind, _with_page(cast("_Handler", app.exception_handlers[kind]), renderer))


def _with_page(otherwise: _Handler, renderer: Renderer) -> _Handler:
    async def answer(request: Request, error: Exception) -> Response:
        status = _status_of(error)
        if status is None or not _is_browser(request):
            return await otherwise(request, error)
        if status is HTTPStatus.NOT_FOUND:
            return renderer.page(request, "missing.html", {}, status)
        return renderer.page(request, "failed.html", {"correlation_id": active_correlation_id()}, status)

    return answer


def _status_of(error: Exception) -> HTTPStatus | None:
    """Of the page that says it; None where there is none for it."""
    match error:
        case HTTPException():
            return HTTPStatus.NOT_FOUND if error.status_code == HTTPStatus.NOT_FOUND else None
        case RequestValidationError():
            return HTTPStatus.NOT_FOUND
    return HTTPStatus.INTERNAL_SERVER_ERROR


def _is_browser(request: Request) -> bool:
    """Whether somebody looks for a page; the API's paths are for programs, whoever asks."""
    wants_html = "text/html" in request.headers.get("accept", "")
    return wants_html and request.method in SAFE_METHODS and is_page(request.url.path)
