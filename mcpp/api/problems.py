"""Errors as `application/problem+json` (RFC 9457), each with a stable `code`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final, TypeAlias, TypeVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, SkipValidation
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from mcpp.ocppj.errors import CallRefused
from mcpp.ocppj.flow import active_correlation_id
from mcpp.phrases import Phrase, as_is, chained
from mcpp.phrases.mistakes import mistake_text

T = TypeVar("T")

Word: TypeAlias = Callable[[Request, str], str | None]
"""Says a detail as the pages do, for whoever asks; None where it would be no other text. `app.state.word`, if any."""

CONTENT_TYPE = "application/problem+json"

CORRELATION_PATTERN: Final = "^[0-9a-f]{32}$"

CLIENT_LEFT: Final = 499
"""What servers commonly log where the client left before its answer; nobody receives it."""


class Mistake(BaseModel):
    """One thing wrong with a request."""

    location: str = Field(examples=["query.limit"])
    message: SkipValidation[str]  # a phrase stays one


class Problem(BaseModel):
    """Why a request failed (RFC 9457)."""

    type: str = "about:blank"
    title: str = Field(description="The HTTP status in words.", examples=["Not Found"])
    status: int = Field(examples=[404])
    code: str = Field(description="Stays the same over versions: what scripts should look at.", examples=["not_found"])
    detail: str = Field(description="For people.")
    said: str | None = Field(
        None,
        description="As the pages say it, in the language that the request prefers, where that is another text.",
    )
    correlation_id: str = Field(
        description="On every log line of the request.",
        pattern=CORRELATION_PATTERN,
        examples=["4bf92f3577b34da6a3ce929d0e0e4736"],
    )
    errors: list[Mistake] | None = Field(None, description="With 422: all that is wrong.")
    error_code: str | None = Field(None, description="With call_error: the charger's.", examples=["InternalError"])
    error_description: str | None = Field(None, description="With call_error: the charger's.")
    error_details: dict[str, object] | None = Field(None, description="With call_error: the charger's.")


class ApiError(Exception):
    """Raised by an endpoint: the request is answered with this problem."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        *,
        errors: list[Mistake] | None = None,
        refused: CallRefused | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """`refused` is the charge point's CALLERROR, where that is the reason."""
        super().__init__(detail)
        self.detail = detail
        self.problem = Problem(
            title=status.phrase,
            status=status,
            code=code,
            detail=detail,
            correlation_id=active_correlation_id(),
            errors=errors,
            error_code=refused.code if refused else None,
            error_description=refused.description if refused else None,
            error_details=refused.details if refused else None,
        )
        self.headers = headers

    def response(self, said: str | None = None) -> Response:
        """The answer; `said` is the detail in another language."""
        self.problem.said = said
        text = json.dumps(self.problem.model_dump(exclude_none=True), ensure_ascii=False, separators=(",", ":"))
        return Response(
            # A charger's text may hold half a surrogate pair, which has no UTF-8; its escape means the same.
            text.encode(errors="backslashreplace"),
            status_code=self.problem.status,
            headers=self.headers,
            media_type=CONTENT_TYPE,
        )


def not_found(detail: str) -> ApiError:
    """There is no such thing."""
    return ApiError(HTTPStatus.NOT_FOUND, "not_found", detail)


def found(value: T | None, detail: str) -> T:
    """What was looked for. Raises ApiError (404) where there is no such thing; `detail` says so."""
    if value is None:
        raise not_found(detail)
    return value


def conflict(detail: str) -> ApiError:
    """It doesn't fit how things stand."""
    return ApiError(HTTPStatus.CONFLICT, "conflict", detail)


def invalid_parameter(location: str, message: str) -> ApiError:
    """A parameter of path or query that can't be used."""
    return _unprocessable("invalid_parameter", [Mistake(location=location, message=message)])


def invalid_payload(errors: list[Mistake]) -> ApiError:
    """A body that can't be used."""
    return _unprocessable("invalid_payload", errors)


def _unprocessable(code: str, errors: list[Mistake]) -> ApiError:
    detail = chained([_located(error.location, error.message) for error in errors])
    return ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, code, detail, errors=errors)


def _located(where: str, what: str) -> str:
    if not where:
        return what
    return Phrase("{where}: {what}", where=as_is(where), what=what) if isinstance(what, Phrase) else f"{where}: {what}"


def mistakes_in(errors: Iterable[Mapping[str, Any]], *above: str) -> list[Mistake]:
    """What pydantic found, as it's told; `above` are the names that lead to what it looked at."""
    return [Mistake(location=".".join(map(str, (*above, *it["loc"]))), message=mistake_text(it)) for it in errors]


def answer_with_problems(app: FastAPI) -> None:
    """Make every error of the app a problem: its own, the framework's, and those that nobody expected."""
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(ClientDisconnect, _client_left)
    app.add_exception_handler(Exception, _unexpected)


async def _api_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return answer_with(request, error)


def answer_with(request: Request, error: ApiError) -> Response:
    """A problem as the answer to a request, in the language of the pages too where they know how to say it."""
    word: Word | None = getattr(request.app.state, "word", None)
    return error.response(None if word is None else word(request, error.detail))


def answer_early(scope: Scope, error: ApiError) -> Response:
    """The same before the application has seen the request; of one that is in none, in English."""
    return answer_with(Request(scope), error) if "app" in scope else error.response()


_CODES: Final = {HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "payload_too_large"}
"""Where the names of the standard library change with its version."""


async def _http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    if status is HTTPStatus.BAD_REQUEST:
        # The framework's, for a body that it can't decode.
        mistake = Mistake(location="body", message=Phrase("is not JSON in UTF-8"))
        return answer_with(request, invalid_payload([mistake]))
    code, detail, headers = _CODES.get(status) or status.name.lower(), status.description, error.headers
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        detail = Phrase("{method} is not possible here", method=request.method)
        headers = {"Allow": ", ".join(_possible_methods(request))}
    elif status is HTTPStatus.NOT_FOUND:
        detail = Phrase("there is nothing at this path")
    elif status in {HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.REQUEST_TIMEOUT}:
        detail = error.detail
    return answer_with(request, ApiError(status, code, detail, headers=headers))


def _possible_methods(request: Request) -> list[str]:
    """Of all routes of a path: the framework names those of the first one."""
    routes = request.app.routes
    return [
        method
        for method in ("DELETE", "GET", "POST", "PUT")
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ]


async def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    errors = mistakes_in(found)
    if [mistake.location for mistake in errors] == ["body"] and not _is_json(request):
        errors = [Mistake(location="body", message=Phrase("should come with Content-Type: application/json"))]
    code = "invalid_payload" if all(mistake["loc"][0] == "body" for mistake in found) else "invalid_parameter"
    return answer_with(request, _unprocessable(code, errors))


def _is_json(request: Request) -> bool:
    return "json" in request.headers.get("content-type", "")


async def _client_left(_: Request, __: Exception) -> Response:
    return Response(status_code=CLIENT_LEFT)


async def _unexpected(request: Request, _: Exception) -> Response:
    # The exception goes on to the log; nothing of it belongs in the answer.
    detail = Phrase("the server failed; its log says why")
    return answer_with(request, ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", detail))


def documented(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """The problems that an endpoint may answer with, for OpenAPI; whatever may be too large may come too slowly."""
    if HTTPStatus.REQUEST_ENTITY_TOO_LARGE in statuses:
        statuses = (*statuses, HTTPStatus.REQUEST_TIMEOUT)
    schema = {"schema": {"$ref": f"#/components/schemas/{Problem.__name__}"}}
    return {status: {"description": status.phrase, "content": {CONTENT_TYPE: schema}} for status in statuses}
