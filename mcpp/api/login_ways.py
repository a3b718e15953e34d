"""How a browser is logged in: the cookie, the ways to the log-in page and from there to where one wanted to go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, urlencode

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import Scope

from mcpp.api.credentials import Credentials, LoggedIn
from mcpp.domain.tokens import LOGIN_LIFETIME

LOGIN: Final = "/login"
LOGOUT: Final = "/logout"

HOME: Final = "/"

_COOKIE: Final = "mcpp_session"

_LONGEST_WAY: Final = 2000
"""Characters of a path that is kept over the log-in."""


def cookie_name(*, is_encrypted: bool) -> str:
    """By TLS with the prefix that keeps other hosts and plain HTTP from setting it (RFC 6265bis §4.1.3.2)."""
    return f"__Host-{_COOKIE}" if is_encrypted else _COOKIE


def set_cookie(response: Response, scope: Scope, secret: str) -> None:
    """Have the browser keep what it was logged in by."""
    is_encrypted = _is_encrypted(scope)
    response.set_cookie(
        cookie_name(is_encrypted=is_encrypted),
        secret,
        max_age=int(LOGIN_LIFETIME.total_seconds()),
        path="/",
        secure=is_encrypted,
        httponly=True,
        # Not strict: who follows a link in a mail is logged in there, too. A cookie alone changes nothing (origins).
        samesite="lax",
    )


def delete_cookie(response: Response, scope: Scope) -> None:
    """Have the browser forget it."""
    is_encrypted = _is_encrypted(scope)
    name = cookie_name(is_encrypted=is_encrypted)
    response.delete_cookie(name, path="/", secure=is_encrypted, httponly=True, samesite="lax")


def login_in(scope: Scope, headers: Headers, known: Credentials) -> LoggedIn | None:
    """The log-in that a request's cookie belongs to; of several cookies of that name, the first that is one's."""
    name = cookie_name(is_encrypted=_is_encrypted(scope))
    return next((login for secret in _cookies(headers, name) if (login := known.by_login(secret))), None)


def _cookies(headers: Headers, name: str) -> Iterator[str]:
    for line in headers.getlist("cookie"):
        for pair in line.split(";"):
            found, _, value = pair.strip().partition("=")
            if found == name:
                yield value


def _is_encrypted(scope: Scope) -> bool:
    """Also on its way to a proxy that is trusted (`Forwarded`)."""
    return bool(scope["scheme"] == "https")


def see_login(scope: Scope) -> Response:
    """To the log-in page, and after that to what the request was for."""
    wanted = scope.get("raw_path") or scope["path"].encode()
    if scope["query_string"]:
        wanted += b"?" + scope["query_string"]
    return to_login(wanted.decode("latin-1"))


def to_login(wanted: str, problem: str | None = None) -> Response:
    """To the log-in page, with the code of the problem to be shown there."""
    asked = {} if own_path(wanted) == HOME else {"next": own_path(wanted)}
    if problem is not None:
        asked["problem"] = problem
    return see_other(f"{LOGIN}?{urlencode(asked)}" if asked else LOGIN)


def see_other(path: str) -> Response:
    """The browser goes there by GET (RFC 9110 §15.4.4)."""
    return RedirectResponse(path, status_code=303)


def own_path(wanted: str) -> str:
    """The path with its query, if that is one of this server's; else the first page.

    Browsers take `//host` and a backslash in it for another host, and leave tabs and line ends out before they look.
    """
    is_own = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted and wanted.isprintable()
    if not is_own or len(wanted) > _LONGEST_WAY or wanted.partition("?")[0] in {LOGIN, LOGOUT}:
        return HOME
    return quote(wanted, safe="/?&=%:@!$'()*+,;~#[]")
