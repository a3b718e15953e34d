"""Who may ask: the `Host` and `Origin` rule for every path, a token or a log-in for what isn't public, and the role.

A page from elsewhere in a browser of this network must not reach the server: neither by a name of its own that
resolves to the server's address (DNS rebinding: `Host`), nor by a request across origins (`Origin`).
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from fastapi import Depends
from fastapi.security import APIKeyCookie, HTTPBearer
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mcpp.api.callers import SAFE_METHODS, Caller, caller_in, note_caller
from mcpp.api.credentials import Credentials
from mcpp.api.failed_logins import FailedLogins
from mcpp.api.login_ways import LOGIN, LOGOUT, cookie_name, login_in, see_login
from mcpp.api.origins import Hosts, refusal_of_cookie
from mcpp.api.problems import ApiError, answer_early
from mcpp.api.proxies import FindClient
from mcpp.phrases import Phrase
from mcpp_generated.db.enums import Role

_IDENTITIES: Final = "/api/v1/charge-points/"

_API: Final = "/api"
_METRICS: Final = "/metrics"

_BY_PROXY: Final = ("x-forwarded-for", "forwarded")
"""Headers that a proxy adds, trusted or not: who asks is elsewhere, though the connection comes from this machine."""

_PUBLIC: Final = ("/healthz", "/readyz", "/docs", "/openapi.json", "/static", LOGIN, LOGOUT)
"""What anybody may ask for: it holds nothing of this server's but its version."""

DOCUMENTED_WAYS: Final = (
    Depends(
        HTTPBearer(auto_error=False, description="The setting api-token, or a named token.", scheme_name="api-token")
    ),
    Depends(
        APIKeyCookie(
            name=cookie_name(is_encrypted=False),
            auto_error=False,
            description=f"Set by POST {LOGIN}; by TLS it is called {cookie_name(is_encrypted=True)}. "
            "A change must come with the Origin or Sec-Fetch-Site of this server, too.",
            scheme_name="session",
        )
    ),
)
"""For OpenAPI only: the guard asks for one of them, on paths that don't exist as well."""


@dataclass(frozen=True, slots=True)
class AccessRules:
    """The rules of one listener."""

    http_host: str
    """The address that it listens on."""
    allowed_hosts: tuple[str, ...] = ()
    """Names that a request may carry as `Host`, with any port, beside loopback's, the machine's and the listener's."""
    machine_names: tuple[str, ...] = ()
    """The machine's own."""
    metrics_open: bool = False
    """/metrics needs no token."""
    find_client: FindClient | None = None
    """Who makes a request by way of a proxy; None where none is trusted."""

    def protects(self, path: str) -> bool:
        """Whether a request needs a token, where there is any."""
        open_ones = (*_PUBLIC, _METRICS) if self.metrics_open else _PUBLIC
        return not any(_is_below(path, prefix) for prefix in open_ones)


def is_page(path: str) -> bool:
    """Whether people look at what is there, or would if it existed."""
    return not any(_is_below(path, prefix) for prefix in (_API, _METRICS, *_PUBLIC))


def _is_below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")


class Guard:
    """Refuses requests that break the rules, before anything else sees them."""

    def __init__(self, app: ASGIApp, rules: AccessRules, known: Credentials, failed: FailedLogins) -> None:
        self._app = app
        self._hosts = Hosts(rules.http_host, (*rules.machine_names, *rules.allowed_hosts))
        self._failed = failed
        self._rules = rules
        self._known = known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            refusal = await self._refusal(scope)
            if refusal is not None:
                answer = answer_early(scope, refusal) if isinstance(refusal, ApiError) else refusal
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _refusal(self, scope: Scope) -> ApiError | Response | None:
        headers = Headers(scope=scope)
        refusal: ApiError | Response | None = self._hosts.refusal(scope, headers) or self._admit(scope, headers)
        if refusal is None and self._rules.protects(scope["path"]):
            refusal = await self._protected(scope, headers)
        if refusal is not None:
            return refusal
        if scope["path"].startswith(_IDENTITIES) and b"%2f" in scope.get("raw_path", b"").lower():
            # Decoded it would be taken for the path's own, and the request for another one.
            return ApiError(
                HTTPStatus.BAD_REQUEST, "bad_request", Phrase("an identity has no slash (OCPP-J 1.6 §3.1.1)")
            )
        return None

    def _admit(self, scope: Scope, headers: Headers) -> ApiError | None:
        """Find who asks, if anybody known does, and note it in the scope; a refusal where a cookie must not count."""
        caller = self._local(headers)
        if caller is None:
            token = _bearer_token(headers)
            # Another scheme may be a proxy's own business with the browser: then the cookie counts.
            if token is not None:
                caller = self._known.by_token(token)
            else:
                login = login_in(scope, headers, self._known)
                if login is not None:
                    refusal = refusal_of_cookie(scope, headers, is_page=is_page(scope["path"]))
                    if refusal is not None:
                        return refusal
                    caller = login.caller
        if caller is not None:
            note_caller(scope, caller)
        return None

    def _local(self, headers: Headers) -> Caller | None:
        """Who asks where nobody needs a token, which holds for this machine alone."""
        return None if any(name in headers for name in _BY_PROXY) else self._known.local

    async def _protected(self, scope: Scope, headers: Headers) -> ApiError | Response | None:
        caller = caller_in(scope)
        if caller is None and self._known.local is not None:
            return ApiError(
                HTTPStatus.FORBIDDEN,
                "forbidden",
                Phrase(
                    "a proxy brings this request, and this server has no token yet to ask for: set api-token, or run "
                    "mcpp token add NAME --role operator beside its database"
                ),
            )
        if caller is None:
            may_log_in = scope["method"] in {"GET", "HEAD"} and is_page(scope["path"])
            if may_log_in and "text/html" in headers.get("accept", ""):
                return see_login(scope)
            return await self._unauthorized(scope, headers)
        if caller.role is Role.VIEWER and scope["method"] not in SAFE_METHODS:
            return ApiError(
                HTTPStatus.FORBIDDEN,
                "read_only",
                Phrase(
                    "{name} is a viewer, who may look but change nothing: do this with an operator token",
                    name=caller.name,
                ),
            )
        return None

    async def _unauthorized(self, scope: Scope, headers: Headers) -> ApiError:
        # Who shows no token guesses none.
        slowed = await self._failed.slow_down(scope) if "authorization" in headers else None
        return slowed or ApiError(
            HTTPStatus.UNAUTHORIZED,
            "unauthorized",
            Phrase("send a token as Authorization: Bearer …: the api-token or a named one"),
            headers={"WWW-Authenticate": "Bearer"},
        )


def _bearer_token(headers: Headers) -> str | None:
    """None where no header of that scheme is there."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
