"""`/login`, `/logout` and `/me`: a token into a cookie, and who one is. The log-in page itself is among the pages."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import parse_qs

from fastapi import Request
from pydantic import BaseModel, Field, SecretStr, ValidationError
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response

from mcpp.api.bodies import Body
from mcpp.api.callers import Caller, FromCaller
from mcpp.api.login_ways import (
    HOME,
    LOGIN,
    LOGOUT,
    delete_cookie,
    login_in,
    own_path,
    see_other,
    set_cookie,
    to_login,
)
from mcpp.api.problems import ApiError, Mistake, documented, invalid_payload, mistakes_in
from mcpp.api.routes import Routes
from mcpp.api.services import ApiServices, FromServices
from mcpp.phrases import Phrase
from mcpp.reads.times import Time
from mcpp_generated.db.enums import Role

router = Routes(tags=["access"])
login_router = Routes(tags=["access"])

_FORM: Final = "application/x-www-form-urlencoded"


class Me(BaseModel):
    """Who asks."""

    name: str = Field(description="The token's; `api-token` is the setting's, `local` everybody where none is needed.")
    role: Role
    session_expires_at: Time | None = Field(description="Until when this browser is logged in; null for a bare token.")


class WantedLogin(Body):
    """A token, to be exchanged for a cookie."""

    token: SecretStr = Field(min_length=1, max_length=1000)
    next: Annotated[str, Field(max_length=10_000)] = Field(
        HOME, description="With a form: the path to go to then; one of another server leads to the first page."
    )


_BODIES: Final = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": WantedLogin.model_json_schema(ref_template="#/components/schemas/{model}")}
            for kind in ("application/json", _FORM)
        },
    }
}


@router.get("/me", response_model=Me)
async def get_me(services: FromServices, request: Request, caller: FromCaller) -> Me:
    """Name and role of whoever asks."""
    login = login_in(request.scope, Headers(scope=request.scope), services.credentials.known)
    is_by_login = login is not None and login.caller is caller
    return Me(
        name=caller.name,
        role=caller.role,
        session_expires_at=login.expires_at if login is not None and is_by_login else None,
    )


@login_router.post(
    LOGIN,
    response_model=Me,
    openapi_extra=_BODIES,
    responses={
        HTTPStatus.SEE_OTHER: {"description": "To a form: logged in, or back to the page with what is wrong."},
        **documented(
            HTTPStatus.UNAUTHORIZED,
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            HTTPStatus.UNPROCESSABLE_ENTITY,
            HTTPStatus.TOO_MANY_REQUESTS,
            HTTPStatus.SERVICE_UNAVAILABLE,
        ),
    },
)
async def log_in(services: FromServices, request: Request) -> Response:
    """Exchange a token for a cookie that only this server's pages send: the browser is logged in for 30 days.

    A form's answer leads on: to `next`, or back to the page with `problem=` one of `wrong_token`,
    `too_many_failed_logins`, `not_stored`.
    """
    is_form = request.headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM
    wanted = _read(await request.body(), is_form=is_form)
    caller = services.credentials.known.by_token(wanted.token.get_secret_value().strip())
    if caller is None:
        slowed = await services.failed_logins.slow_down(request.scope)
        if is_form:
            return to_login(wanted.next, "wrong_token" if slowed is None else slowed.problem.code)
        raise slowed or ApiError(HTTPStatus.UNAUTHORIZED, "wrong_token", Phrase("there is no such token"))
    return await _logged_in(services, request, caller, see_other(own_path(wanted.next)) if is_form else None)


async def _logged_in(services: ApiServices, request: Request, caller: Caller, onward: Response | None) -> Response:
    before = login_in(request.scope, Headers(scope=request.scope), services.credentials.known)
    secret, expires_at = await services.credentials.log_in(caller)
    if before is not None:
        await services.credentials.log_out(before)
    me = Me(name=caller.name, role=caller.role, session_expires_at=expires_at)
    response = onward or JSONResponse(me.model_dump(mode="json"))
    set_cookie(response, request.scope, secret)
    return response


@login_router.post(
    LOGOUT,
    status_code=HTTPStatus.SEE_OTHER,
    response_class=Response,
    responses={HTTPStatus.SEE_OTHER: {"description": "To the log-in page."}},
)
async def log_out(services: FromServices, request: Request) -> Response:
    """End the log-in of this browser, with the event streams that it has open."""
    login = login_in(request.scope, Headers(scope=request.scope), services.credentials.known)
    if login is not None:
        await services.credentials.log_out(login)
    response = see_other(LOGIN)
    delete_cookie(response, request.scope)
    return response


def _read(body: bytes, *, is_form: bool) -> WantedLogin:
    try:
        if not is_form:
            return WantedLogin.model_validate_json(body)
        fields = parse_qs(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=10)
        return WantedLogin.model_validate({name: values[-1] for name, values in fields.items()})
    except ValidationError as error:
        raise invalid_payload(mistakes_in(error.errors(include_input=False, include_url=False), "body")) from None
    except ValueError as error:  # too many fields
        raise invalid_payload([Mistake(location="body", message=str(error))]) from None
